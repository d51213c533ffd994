// Doctors' hours: the calendar, choosing days by mouse and keyboard. The panels are in hours_panels.js.
(function () {
  "use strict";
  const place = document.querySelector("[data-calendar]");
  if (!place) return;
  const settings = JSON.parse(document.getElementById("rota-settings").textContent), words = settings.words;
  const $ = (selector) => document.querySelector(selector);
  const state = {first: settings.first, doctor: settings.doctor_id, branch: settings.branch_id, data: null, chosen: [], anchor: null, at: null, many: false};
  let asked = 0;

  // --- small things that the panels use too -----------------------------------------------------------
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const element = (tag, className, text) => { const made = document.createElement(tag); if (className) made.className = className; if (text !== undefined) made.textContent = text; return made; };
  const local = (day) => { const [y, m, d] = day.split("-").map(Number); return new Date(y, m - 1, d); };
  const iso = (date) => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
  const plus = (day, n) => { const date = local(day); date.setDate(date.getDate() + n); return iso(date); };
  const dayWords = (day, form = {weekday: "short", day: "numeric", month: "long"}) => local(day).toLocaleDateString(settings.locale, form).replace(",", "");
  const clock = (text) => text === "00:00" ? "24:00" : text;
  const several = settings.branches.length > 1;
  const chair = (id) => settings.chairs.find((row) => row.id === id);
  const branch = (id) => (settings.branches.find((row) => row.id === id) || {}).name || "";
  const where = (shift) => [several ? branch(shift.branch_id) : "", (chair(shift.chair_id) || {}).name || words.no_chair].filter(Boolean).join(" · ");
  const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const length = (shift) => (minutes(shift.end) || 1440) - minutes(shift.start);
  const days = () => state.doctor ? 28 : 7;
  const empty = {shifts: [], by_hand: false, reason: "", visits: 0, outside: 0};
  const doctor = (id) => state.data.doctors.find((row) => row.id === id);
  const cell = (id, day) => (doctor(id) || {days: {}}).days[day] || empty;
  const about = (day) => state.data.days.find((row) => row.day === day);

  // --- drawing -----------------------------------------------------------------------------------------
  function dayCell(id, day) {
    const what = cell(id, day.day), past = day.day < settings.today;
    const box = element("div", "rota-day");
    box.dataset.day = day.day;
    box.dataset.of = id;
    box.tabIndex = -1;
    box.setAttribute("role", "gridcell");
    box.classList.toggle("is-past", past);
    box.classList.toggle("is-today", day.day === settings.today);
    box.classList.toggle("is-closed", day.closed);
    box.classList.toggle("by-hand", what.by_hand);
    box.classList.toggle("is-off", !what.shifts.length && !day.closed && what.by_hand);
    if (state.doctor) {
      const head = element("div", "rota-date");
      const first = day.day.endsWith("-01") || day.day === state.data.first;
      head.append(element("span", "weekday", words.weekdays[(local(day.day).getDay() + 6) % 7]), element("span", "number", first ? dayWords(day.day, {day: "numeric", month: "short"}) : String(Number(day.day.slice(8)))));
      if (day.holiday) { const name = element("small", "", day.holiday); name.title = day.holiday; head.append(name); }
      box.append(head);
    }
    what.shifts.forEach((shift) => {
      const line = element("div", "rota-shift");
      line.append(element("b", "", `${shift.start}–${clock(shift.end)}`), element("small", "", where(shift)));
      line.title = `${shift.start}–${clock(shift.end)}, ${where(shift)}`;
      line.classList.toggle("elsewhere", Boolean(state.branch && shift.branch_id !== state.branch));
      box.append(line);
    });
    if (what.reason) box.append(element("div", "rota-reason", what.reason));
    else if (what.by_hand && !what.shifts.length) box.append(element("div", "rota-reason", words.off));
    const foot = element("div", "rota-foot");
    if (what.visits) foot.append(element("span", "", fill(words.visits, {n: what.visits})));
    if (what.outside && !past) foot.append(element("span", "danger", fill(words.outside, {n: what.outside})));
    if (foot.childNodes.length) box.append(foot);
    const said = [dayWords(day.day), day.holiday || "", ...what.shifts.map((shift) => `${shift.start}–${clock(shift.end)} ${where(shift)}`), what.reason, what.shifts.length ? "" : words.no_hours, what.visits ? fill(words.visits, {n: what.visits}) : ""];
    box.setAttribute("aria-label", said.filter(Boolean).join(", "));
    return box;
  }

  function headCell(day) {
    const box = element("div", "rota-head", dayWords(day.day, {weekday: "short", day: "numeric", month: "short"}));
    box.classList.toggle("is-today", day.day === settings.today);
    box.classList.toggle("is-closed", day.closed);
    if (day.holiday) box.append(element("small", "", day.holiday));
    return box;
  }

  function waiting(row) {
    const many = row.planned ? row.planned.own + row.planned.any : 0;
    if (!many) return null;
    const mark = element("span", "waiting", fill(words.planned, {n: many}));
    mark.title = fill(words.planned_about, row.planned);
    return mark;
  }

  function whoCell(row) {
    const box = element("div", "rota-who"), name = element("button", "", row.name);
    name.type = "button";
    name.addEventListener("click", () => choose(row.id));
    const sum = Object.values(row.days).flatMap((day) => day.shifts).reduce((all, shift) => all + length(shift), 0);
    box.append(name, element("small", "", [row.speciality || "", row.has_pattern ? fill(words.hours_sum, {n: (sum / 60).toLocaleString(settings.locale, {maximumFractionDigits: 1})}) : words.no_pattern].filter(Boolean).join(", ")));
    const mark = waiting(row);
    if (mark) box.append(mark);
    return box;
  }

  function drawAll() {
    const grid = element("div", "rota-grid rota-all");
    grid.append(element("div", "rota-head", words.doctor), ...state.data.days.map(headCell));
    state.data.doctors.forEach((row) => grid.append(whoCell(row), ...state.data.days.map((day) => dayCell(row.id, day))));
    const scroll = element("div", "rota-scroll");
    scroll.append(grid);
    return state.data.doctors.length ? [scroll] : [element("p", "empty sheet", words.no_doctors)];
  }

  function drawOne() {
    const row = state.data.doctors[0], grid = element("div", "rota-grid rota-month"), line = element("p", "rota-about");
    grid.append(element("div", "rota-head", ""), ...words.weekdays.map((name) => element("div", "rota-head", name)));
    state.data.days.forEach((day, n) => {
      if (n % 7 === 0) {
        const box = element("div", "rota-week");
        box.append(element("b", "", fill(words.week, {n: day.week})), document.createTextNode(" " + (day.week % 2 ? words.odd : words.even)));
        grid.append(box);
      }
      grid.append(dayCell(row.id, day));
    });
    const mark = waiting(row);
    if (mark) { mark.textContent = fill(words.planned_about, row.planned); line.append(mark); }
    return mark ? [line, grid] : [grid];
  }

  function title() {
    const {first, last} = state.data, short = {day: "numeric", month: "long"};
    const from = first.slice(0, 7) === last.slice(0, 7) ? String(Number(first.slice(8))) : dayWords(first, short);
    const year = last.slice(0, 4) === settings.today.slice(0, 4) ? "" : " " + last.slice(0, 4);
    const week = state.data.days[0].week, number = state.doctor ? "" : `, ${fill(words.week, {n: week})} (${week % 2 ? words.odd : words.even})`;
    $("[data-title]").textContent = `${from} – ${dayWords(last, short)}${year}${number}`;
  }

  function note() {
    const box = $("[data-note]"), weeks = [...new Set(state.data.days.map((day) => day.week))];
    const turn = weeks.findIndex((week, n) => week % 2 && weeks[n + 1] === 1);
    box.textContent = "";
    if (state.doctor && !state.data.doctors[0].has_pattern) {
      box.append(words.no_pattern_note);
      const button = element("button", "btn btn-primary btn-sm", $("[data-pattern]").textContent.trim());
      button.type = "button";
      button.addEventListener("click", () => rota.openPattern());
      box.append(button);
    } else if (turn >= 0) box.append(fill(words.twice, {week: weeks[turn]}));
    box.hidden = !box.childNodes.length;
  }

  function draw() {
    const kept = state.at;
    place.textContent = "";
    place.append(...(state.doctor ? drawOne() : drawAll()));
    title();
    note();
    ["[data-pattern]", "[data-copy]"].forEach((name) => { $(name).hidden = !state.doctor; });
    $("[data-legend]").hidden = false;
    paint();
    const target = (kept && find(kept.of, kept.day)) || find(null, settings.today) || place.querySelector(".rota-day");
    if (!kept && innerWidth <= 860) target?.scrollIntoView({block: "center"});
    if (target) { target.tabIndex = 0; state.at = {of: Number(target.dataset.of), day: target.dataset.day}; }
  }

  async function load() {
    const mine = ++asked, query = new URLSearchParams({from: state.first, days: days()});
    if (state.doctor) query.set("doctor_id", state.doctor);
    else if (state.branch) query.set("branch_id", state.branch);
    const here = new URLSearchParams({from: state.first});
    if (state.doctor) here.set("doctor", state.doctor);
    if (state.branch) here.set("branch", state.branch);
    history.replaceState(null, "", `${settings.urls.page}?${here}`);
    try {
      const {data} = await desk.ask(`${settings.urls.hours}?${query}`);
      if (mine !== asked) return;
      state.data = data;
      $("[data-load-failed]").hidden = true;
      draw();
    } catch (refusal) {
      if (mine !== asked) return;
      // What is on the screen may be old: it must not look like the truth.
      place.textContent = "";
      $("[data-why]").textContent = refusal.message || String(refusal);
      $("[data-load-failed]").hidden = false;
    }
  }

  // --- choosing days -----------------------------------------------------------------------------------
  const find = (id, day) => place.querySelector(`.rota-day[data-day="${day}"]${id ? `[data-of="${id}"]` : ""}`);
  const paint = () => place.querySelectorAll(".rota-day").forEach((box) => {
    const on = state.chosen.some((row) => row.day === box.dataset.day && String(row.of) === box.dataset.of);
    box.classList.toggle("is-chosen", on);
    box.setAttribute("aria-selected", on);
  });

  // Days are chosen of one doctor at a time.
  function select(of, list, keep) {
    const before = keep && state.chosen[0]?.of === of ? state.chosen.map((row) => row.day) : [];
    const all = new Set(before);
    list.forEach((day) => { if (keep === "toggle" && all.has(day)) all.delete(day); else all.add(day); });
    state.chosen = [...all].sort().map((day) => ({of, day}));
    paint();
  }
  function between(of, from, to) {
    const [low, high] = from < to ? [from, to] : [to, from], list = [];
    for (let day = low; day <= high; day = plus(day, 1)) if (find(of, day)) list.push(day);
    return list;
  }
  function step(box) {
    place.querySelectorAll('.rota-day[tabindex="0"]').forEach((one) => { one.tabIndex = -1; });
    box.tabIndex = 0;
    box.focus();
    state.at = {of: Number(box.dataset.of), day: box.dataset.day};
  }
  function pick(box, event) {
    const of = Number(box.dataset.of), day = box.dataset.day;
    step(box);
    if (event.shiftKey && state.anchor?.of === of) select(of, between(of, state.anchor.day, day));
    else if (event.ctrlKey || event.metaKey || state.many) { select(of, [day], "toggle"); state.anchor = {of, day}; }
    else { select(of, [day]); state.anchor = {of, day}; }
    if (state.many) many(); else rota.openDays();
  }

  // Without Ctrl, on a phone: days are marked first, then changed together.
  function many() {
    const button = $("[data-many]");
    button.textContent = !state.many ? words.many : state.chosen.length ? fill(words.change_days, {n: state.chosen.length}) : words.mark_days;
    button.classList.toggle("active", state.many);
    button.setAttribute("aria-pressed", state.many);
  }
  $("[data-many]").addEventListener("click", () => {
    const open = state.many && state.chosen.length;
    if (!state.many) { rota.close(); state.chosen = []; paint(); }
    state.many = !state.many;
    many();
    if (open) rota.openDays();
  });
  place.addEventListener("click", (event) => { const box = event.target.closest(".rota-day"); if (box) pick(box, event); });

  const STEPS = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
  place.addEventListener("keydown", (event) => {
    const box = event.target.closest(".rota-day");
    if (!box || event.altKey) return;
    const of = Number(box.dataset.of), day = box.dataset.day;
    if (event.key === "Enter") { event.preventDefault(); if (!state.chosen.some((row) => row.of === of && row.day === day)) select(of, [day]); rota.openDays(true); return; }
    if (event.key === " ") { event.preventDefault(); select(of, [day], "toggle"); state.anchor = {of, day}; return; }
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const [row, column] = STEPS[event.key];
    const doctors = state.data.doctors.map((one) => one.id);
    const next = state.doctor ? find(of, plus(day, row * 7 + column)) : find(doctors[doctors.indexOf(of) + row], plus(day, column));
    if (!next) { if (state.doctor || column) { state.at = {of, day: plus(day, row * 7 + column)}; move(column || row).then(() => { const box = find(state.at.of, state.at.day); if (box) step(box); }); } return; }
    if (event.shiftKey && next.dataset.of === box.dataset.of) { state.anchor = state.anchor?.of === of ? state.anchor : {of, day}; select(of, between(of, state.anchor.day, next.dataset.day)); }
    step(next);
  });

  // --- the bar -----------------------------------------------------------------------------------------
  const monday = (day) => plus(day, -((local(day).getDay() + 6) % 7));
  function move(by) {
    state.first = by ? plus(state.first, by * 7) : monday(settings.today);
    state.chosen = [];
    rota.close();
    return load();
  }
  function choose(id) {
    state.doctor = id || null;
    state.chosen = [];
    $("[data-doctor]").value = id || "";
    const filter = $("[data-branch]");
    if (filter) filter.hidden = Boolean(id);
    rota.close();
    return load();
  }
  document.querySelectorAll("[data-move]").forEach((button) => button.addEventListener("click", () => move(Number(button.dataset.move) * (state.doctor ? 4 : 1))));
  $("[data-doctor]").addEventListener("change", (event) => choose(Number(event.target.value)));
  $("[data-branch]")?.addEventListener("change", (event) => { state.branch = Number(event.target.value) || null; load(); });
  $("[data-retry]").addEventListener("click", load);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { if (!rota.close()) { state.chosen = []; paint(); } return; }
    if (event.target.closest("input, select, textarea")) return;
    if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) { event.preventDefault(); move((event.key === "ArrowLeft" ? -1 : 1) * (state.doctor ? 4 : 1)); }
    if (event.key.toLowerCase() === "t" && !event.ctrlKey && !event.metaKey) move(0);
  });

  window.rota = {settings, words, state, fill, element, plus, dayWords, clock, where, several, cell, about, doctor, load, paint, find, close: () => false, openDays() {}, openPattern() {}};
  $("[data-doctor]").value = state.doctor || "";
  if ($("[data-branch]")) { $("[data-branch]").value = state.branch || ""; $("[data-branch]").hidden = Boolean(state.doctor); }
  load();
})();
