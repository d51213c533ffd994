// The panels of doctors' hours: a day, the weekly pattern, copying, holidays.
(function () {
  "use strict";
  if (!window.rota) return;
  const {settings, words, state, fill, element, plus, dayWords, where} = rota;
  const side = document.querySelector("[data-side]"), $ = (name) => side.querySelector(name);
  const part = (name) => side.querySelector(`[data-f="${name}"]`);
  let again = null; // what is sent once more with the yes

  function open(template, title, about, wide) {
    side.textContent = "";
    side.append(document.getElementById("panel-head").content.cloneNode(true), document.getElementById(template).content.cloneNode(true));
    part("title").textContent = title;
    part("about").textContent = about || "";
    side.classList.toggle("is-wide", Boolean(wide));
    side.hidden = false;
    side.scrollTop = 0;
    again = null;
    $("[data-yes]").addEventListener("click", () => again && again());
  }
  rota.close = () => {
    if (side.hidden) return false;
    side.hidden = true;
    side.textContent = "";
    state.chosen = [];
    rota.paint();
    if (state.at) rota.find(state.at.of, state.at.day)?.focus();
    return true;
  };
  side.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) rota.close(); });

  // --- sending -----------------------------------------------------------------------------------------
  // A button works once until the answer. Hours that hold visits come back as a question; the yes sends it again.
  async function send(url, body, done) {
    if (side.dataset.busy) return;
    side.dataset.busy = "1";
    $("[data-refusal]").hidden = $("[data-held]").hidden = true;
    side.querySelectorAll("[data-wrong]").forEach((line) => { line.hidden = true; });
    try {
      const {data} = await desk.ask(url, {method: "POST", body});
      await rota.load();
      done(data);
    } catch (refusal) {
      if (refusal.message === undefined) throw refusal;
      refuse(refusal, () => send(url, {...body, make_tasks: true}, done));
    } finally {
      delete side.dataset.busy;
    }
  }

  function refuse(refusal, yes) {
    if (refusal.error === "hours_hold_visits") {
      const list = part("visits");
      part("held").textContent = refusal.message;
      list.textContent = "";
      (refusal.visits || []).forEach((visit) => {
        const line = element("li"), link = element("a", "", `${dayWords(visit.starts_at.slice(0, 10))} ${visit.starts_at.slice(11)}, ${visit.patient}`);
        link.href = `${settings.urls.day}?day=${visit.starts_at.slice(0, 10)}&visit=${visit.id}`;
        line.append(link);
        list.append(line);
      });
      again = yes;
      $("[data-held]").hidden = false;
      $("[data-held]").scrollIntoView({block: "nearest"});
      $("[data-yes]").focus();
      return;
    }
    const box = $("[data-refusal]"), rows = [...side.querySelectorAll(".shift-row")];
    box.textContent = refusal.message;
    Object.entries(refusal.fields || {}).forEach(([name, text]) => {
      const row = rows[Number((name.match(/^(?:lines|shifts)\.(\d+)/) || [])[1])];
      const line = row?.querySelector("[data-wrong]");
      if (line) { line.textContent = text; line.hidden = false; } else box.append(element("div", "", text));
    });
    box.hidden = false;
    box.scrollIntoView({block: "nearest"});
  }

  // What came of it: a word below, and what could not be done stays in the panel to be read.
  function told(data) {
    const parts = [];
    if (data.clashes.length) parts.push([words.clashes, data.clashes.map((clash) => clash.what)]);
    if (data.skipped.length) parts.push([words.skipped, data.skipped.map((day) => dayWords(day))]);
    desk.tell([words.saved, data.visits.length ? fill(words.tasks_made, {n: data.visits.length}) : ""].filter(Boolean).join(" "), "success");
    if (!parts.length) { rota.close(); return; }
    const box = element("div", "rota-outcome");
    parts.forEach(([text, list]) => {
      box.append(element("b", "", text));
      const lines = element("ul");
      list.slice(0, 40).forEach((line) => lines.append(element("li", "", line)));
      box.append(lines);
    });
    side.querySelector(".rota-outcome")?.remove();
    $(".side-head").after(box);
  }

  // --- rows of shifts ------------------------------------------------------------------------------------
  const remembered = () => {
    const shifts = Object.values(rota.doctor(state.chosen[0]?.of || state.doctor)?.days || {}).flatMap((day) => day.shifts);
    return shifts[0] || {start: "09:00", end: "15:00", branch_id: settings.branches[0]?.id, chair_id: null};
  };
  function shiftRow(shift) {
    const row = document.getElementById("shift-row").content.cloneNode(true).firstElementChild;
    const set = (name, value) => { row.querySelector(`[name=${name}]`).value = value; };
    set("weeks", shift.weeks || "every");
    set("start", shift.start);
    set("end", shift.end);
    const place = `${shift.branch_id}:${shift.chair_id || ""}`, select = row.querySelector("[name=place]");
    select.value = place;
    if (!select.value) { select.append(new Option(where(shift), place)); select.value = place; } // a chair that is no longer offered
    row.querySelector("[data-remove]").addEventListener("click", () => { const from = row.parentElement; row.remove(); from.dispatchEvent(new Event("rows")); });
    return row;
  }
  function shiftOf(row) {
    const [branch, chair] = row.querySelector("[name=place]").value.split(":");
    return {start: row.querySelector("[name=start]").value, end: row.querySelector("[name=end]").value, branch_id: Number(branch), chair_id: chair ? Number(chair) : null};
  }

  // --- a day, or several ---------------------------------------------------------------------------------
  function fact(name, value) {
    if (value) part("facts").append(element("dt", "", name), value instanceof Node ? value : element("dd", "", value));
  }
  rota.openDays = (byKey) => {
    if (!state.chosen.length) { rota.close(); return; }
    const of = state.chosen[0].of, list = state.chosen.map((row) => row.day), row = rota.doctor(of);
    const cells = list.map((day) => rota.cell(of, day)), first = cells[0], one = list.length === 1;
    const chosen = state.chosen;
    open("day-panel", one ? dayWords(list[0], {weekday: "long", day: "numeric", month: "long"}) : fill(words.days, {n: list.length}), row.name);
    state.chosen = chosen;
    const key = (cell) => JSON.stringify([cell.shifts, cell.reason]), same = cells.every((cell) => key(cell) === key(first));
    const past = list.some((day) => day < settings.today), about = rota.about(list[0]);
    if (one && about.holiday) fact(words.holiday, about.holiday + (about.closed ? ` (${words.closed})` : ""));
    fact(words.how, !same ? words.mixed : first.by_hand ? words.by_hand : words.by_pattern);
    const visits = cells.reduce((sum, cell) => sum + cell.visits, 0), outside = cells.reduce((sum, cell) => sum + cell.outside, 0);
    if (visits) {
      const line = element("dd"), link = element("a", "", String(visits));
      link.href = `${settings.urls.day}?day=${list[0]}`;
      link.title = words.to_schedule;
      line.append(link);
      if (outside) line.append(element("span", "danger", ` (${words.outside_row}: ${outside})`));
      fact(words.visits_row, line);
    }
    if (row.planned && row.planned.own + row.planned.any) fact(words.planned_row, fill(words.planned_short, row.planned));
    const rows = $("[data-rows]"), form = $("[data-form]");
    first.shifts.forEach((shift) => rows.append(shiftRow(shift)));
    form.reason.value = same ? first.reason : "";
    $("[data-back]").hidden = !cells.some((cell) => cell.by_hand);
    if (past) { form.querySelectorAll("input, select, button").forEach((field) => { field.disabled = true; }); fact("", words.past); return; }
    const url = settings.urls.days.replace("/0/", `/${of}/`);
    $("[data-add]").addEventListener("click", () => {
      const last = rows.lastElementChild ? shiftOf(rows.lastElementChild) : remembered();
      const made = shiftRow(rows.lastElementChild ? {...last, start: last.end === "00:00" ? "09:00" : last.end, end: "20:00"} : last);
      rows.append(made);
      made.querySelector("[name=start]").focus();
    });
    if (!first.shifts.length && !first.by_hand && !about.closed) $("[data-add]").click();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(url, {days: list, shifts: [...rows.children].map(shiftOf), reason: form.reason.value}, told);
    });
    $("[data-off]").addEventListener("click", () => {
      if (!form.reason.value.trim()) { refuse({message: words.write_reason}); form.reason.focus(); return; }
      send(url, {days: list, shifts: [], reason: form.reason.value}, told);
    });
    $("[data-back]").addEventListener("click", () => send(url, {days: list, by_pattern: true}, told));
    if (byKey) (form.querySelector("[name=start]") || form.reason).focus();
  };

  // --- the weekly pattern ----------------------------------------------------------------------------------
  rota.openPattern = async () => {
    const of = state.doctor, row = rota.doctor(of), url = settings.urls.pattern.replace("/0/", `/${of}/`);
    open("pattern-panel", words.pattern_of, row.name, true);
    const form = $("[data-form]"), week = $("[data-week]");
    form.first_day.min = settings.today;
    form.first_day.value = settings.today;

    function dayRows(weekday) {
      const box = element("div", "pattern-day"), rows = element("div"), add = element("button", "btn btn-default btn-sm");
      const none = element("div", "none", words.weekend);
      const count = () => { none.hidden = Boolean(rows.querySelector(".shift-row")); };
      add.type = "button";
      add.title = `${words.add_shift}: ${words.weekdays[weekday - 1]}`;
      add.setAttribute("aria-label", add.title);
      add.append(element("i", "fa fa-plus"));
      add.addEventListener("click", () => {
        const last = rows.querySelector(".shift-row:last-child"), near = [...week.querySelectorAll(".shift-row")].pop();
        const given = last ? {...shiftOf(last), start: shiftOf(last).end === "00:00" ? "09:00" : shiftOf(last).end, end: "20:00"} : near ? shiftOf(near) : remembered();
        const made = shiftRow(given);
        rows.append(made);
        count();
        made.querySelector("[name=start]").focus();
      });
      rows.addEventListener("rows", count);
      rows.append(none);
      box.append(element("b", "", words.weekdays[weekday - 1]), rows, add);
      box.rows = rows;
      box.put = (lines) => { rows.querySelectorAll(".shift-row").forEach((one) => one.remove()); lines.forEach((line) => rows.append(shiftRow(line))); count(); };
      return box;
    }
    const boxes = [1, 2, 3, 4, 5, 6, 7].map(dayRows);

    async function show() {
      try {
        const {data} = await desk.ask(`${url}?day=${form.first_day.value}`);
        boxes.forEach((box, n) => box.put(data.lines.filter((line) => line.weekday === n + 1)));
        const since = !data.lines.length ? words.none_yet : data.to ? fill(words.since_to, {day: dayWords(data.since), to: dayWords(data.to)}) : fill(words.since, {day: dayWords(data.since)});
        part("since").textContent = [since, data.changes.length ? fill(words.changes, {days: data.changes.map((day) => dayWords(day)).join(", ")}) : ""].filter(Boolean).join(" ");
        $("[data-end]").hidden = !data.lines.length;
        return true;
      } catch (refusal) { refuse(refusal); return false; }
    }
    const about = rota.about(settings.today) || state.data.days[0];
    part("parity").textContent = `${about.day === settings.today ? words.this_week : dayWords(about.day)}: ${fill(words.week, {n: about.week})}, ${about.week % 2 ? words.odd : words.even}.`;
    form.first_day.addEventListener("change", () => { if (form.first_day.value) show(); });
    $("[data-like-monday]").addEventListener("click", () => {
      const lines = [...boxes[0].rows.querySelectorAll(".shift-row")].map((one) => ({...shiftOf(one), weeks: one.querySelector("[name=weeks]").value}));
      boxes.slice(1, 5).forEach((box) => box.put(lines));
    });
    const body = (lines) => ({first_day: form.first_day.value, last_day: form.last_day.value || null, lines});
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const lines = boxes.flatMap((box, n) => [...box.rows.querySelectorAll(".shift-row")].map((one) => ({...shiftOf(one), weekday: n + 1, weeks: one.querySelector("[name=weeks]").value})));
      send(url, body(lines), told);
    });
    $("[data-end]").addEventListener("click", (event) => {
      const button = event.currentTarget;
      if (!button.dataset.sure) { button.dataset.sure = "1"; button.textContent = words.end_sure; return; }
      send(url, body([]), told);
    });
    // Not before the pattern is there: what is written sooner would be lost, and an empty week saved over it.
    if (!await show()) return;
    week.append(...boxes);
    if (!week.querySelector(".shift-row")) boxes[0].querySelector("button").focus();
  };
  document.querySelector("[data-pattern]").addEventListener("click", () => rota.openPattern());

  // --- copying a period --------------------------------------------------------------------------------------
  document.querySelector("[data-copy]").addEventListener("click", () => {
    const {first, last} = state.data;
    open("copy-panel", words.copy_title, rota.doctor(state.doctor).name);
    const form = $("[data-form]");
    form.first.value = first;
    form.last.value = last;
    form.onto.value = plus(last, 1);
    form.first.focus();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(settings.urls.copy.replace("/0/", `/${state.doctor}/`), {first: form.first.value, last: form.last.value, onto: form.onto.value}, (data) => {
        if (!data.added && !data.removed && !data.clashes.length && !data.skipped.length) { desk.tell(words.nothing); rota.close(); } else told(data);
      });
    });
  });

  // --- holidays ------------------------------------------------------------------------------------------------
  async function openHolidays() {
    open("holidays-panel", words.holidays_title, "");
    const form = $("[data-form]"), list = part("list");
    form.day.min = settings.today;
    const post = (body) => send(settings.urls.holidays, body, (data) => { told(data); if (!data.clashes.length) openHolidays(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); post({day: form.day.value, closed: true, name: form.name.value}); });
    try {
      const {data} = await desk.ask(settings.urls.holidays);
      if (!data.result.length) list.append(element("li", "muted", words.no_holidays));
      data.result.forEach((day) => {
        const line = element("li"), button = element("button", "btn btn-default btn-xs", day.override ? words.as_calendar : words.open_day);
        button.type = "button";
        button.addEventListener("click", () => post(day.override ? {day: day.day, closed: null} : {day: day.day, closed: false, name: day.holiday}));
        const name = element("span", day.closed ? "" : "is-open", day.holiday);
        const said = element("span");
        said.append(name);
        if (day.override) said.append(element("small", "muted", ` ${day.closed ? words.closed_here : words.works}`));
        line.append(element("span", "nowrap", dayWords(day.day, {weekday: "short", day: "numeric", month: "short"})), said, button);
        list.append(line);
      });
    } catch (refusal) { refuse(refusal); }
  }
  document.querySelector("[data-holidays]").addEventListener("click", openHolidays);
})();
