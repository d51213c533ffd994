// The bar above the schedule: which day, week or month, whose columns; the address of the page follows it.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, local, dayWords, byChair, today, plusDays, monday, narrow} = schedule;
  const $ = (selector) => document.querySelector(selector), whose = $("[data-doctor]");

  // Change what is shown. What the server was not asked for yet is asked for; the rest is only drawn anew.
  function go(change) {
    const before = schedule.key();
    Object.assign(state, change);
    if (state.view === "week" && !settings.doctors.some((row) => row.id === Number(state.doctor))) state.doctor = firstDoctor();
    if (schedule.key() !== before) Object.assign(state, {tag: null, sheet: null});
    bar();
    const query = new URLSearchParams({day: state.day});
    if (state.view !== "day") query.set("view", state.view);
    if (state.view !== "day" && state.doctor) query.set("doctor", state.doctor);
    if (state.branch) query.set("branch", state.branch);
    if (byChair()) query.set("by", "chair");
    if (state.patient) query.set("patient", state.patient.id);
    if (state.patient?.call_task_id) query.set("task", state.patient.call_task_id);
    history.replaceState(null, "", `${settings.urls.page}?${query}`);
    if (state.sheet) schedule.draw();
    else document.querySelectorAll("[data-grid], [data-month]").forEach((place) => place.classList.add("is-old", "is-leaving"));
    return schedule.load(true);
  }

  // The week opens with the doctor whose column was looked at, or who works on the day.
  function firstDoctor() {
    const known = (id) => settings.doctors.some((row) => row.id === id);
    return [Number(state.one), ...state.doctors, ...(state.sheet?.columns || []).map((row) => row.doctor_id), settings.doctors[0]?.id].find(known) || "";
  }

  function title() {
    const year = state.day.slice(0, 4) === today().slice(0, 4) ? {} : {year: "numeric"};
    if (state.view === "month") { const text = local(state.day).toLocaleDateString(settings.locale, {month: "long", year: "numeric"}).replace(" г.", ""); return text[0].toUpperCase() + text.slice(1); }
    if (state.view === "day") return dayWords(state.day, {weekday: "short", day: "numeric", month: "long", ...year});
    const first = monday(state.day), last = plusDays(first, 6), same = first.slice(0, 7) === last.slice(0, 7);
    return `${same ? Number(first.slice(8)) : dayWords(first, {day: "numeric", month: "short"})} – ${dayWords(last, {day: "numeric", month: same ? "long" : "short", ...year})}`;
  }

  function bar() {
    $("[data-date]").value = state.day;
    $(".schedule-bar").dataset.view = state.view;
    $("[data-title]").textContent = title();
    $("[data-title]").classList.toggle("is-today", state.view === "day" && state.day === today());
    if ($("[data-branch]")) { $("[data-branch]").value = state.branch; $("[data-branch]").hidden = state.view === "week"; }
    const here = state.view === "day" ? state.by : state.view;
    document.querySelectorAll("[data-show]").forEach((button) => { button.classList.toggle("active", button.dataset.show === here); button.setAttribute("aria-pressed", button.dataset.show === here); });
    const printed = $("[data-print-day]"), query = new URLSearchParams({day: state.day});
    if (state.view !== "day") query.set("view", state.view);
    if (state.view !== "day" && state.doctor) query.set("doctor", state.doctor);
    if (byChair()) query.set("by", "chair");
    if (state.branch) query.set("branch", state.branch);
    if (printed) printed.href = `${settings.urls.print}?${query}`;
    $("[data-for]").hidden = !state.patient;
    if (state.patient) $("[data-for-name]").textContent = `${state.patient.name}, № ${state.patient.card_number}`;
    offer();
    schedule.lookChanged?.();
  }

  // Whose week or month; on a phone also which column of the day.
  function offer() {
    const columns = state.view === "day" ? schedule.columns() : [];
    const one = state.view === "day" && narrow() && columns.length > 1;
    whose.hidden = state.view === "day" ? !one : settings.doctors.length < 2;
    const rows = one ? columns.map((row) => [row.title, row.id]) : settings.doctors.map((row) => [row.name, String(row.id)]);
    if (state.view === "month") rows.unshift([words.all_doctors, ""]);
    const value = one ? String((columns.find((row) => row.id === String(state.one)) || columns[0]).id) : String(state.doctor);
    if (JSON.stringify([...whose.options].map((row) => [row.text, row.value])) !== JSON.stringify(rows)) whose.replaceChildren(...rows.map(([name, id]) => new Option(name, id)));
    whose.value = value;
  }
  schedule.columnsChanged = () => offer();

  const choose = (value) => go(state.view === "day" ? {one: value} : {doctor: value ? Number(value) : ""});

  // The next or the previous of whom the page can show: a doctor's week, a column on a phone.
  function neighbour(step) {
    if (whose.hidden) return false;
    const at = whose.selectedIndex + step;
    if (at >= 0 && at < whose.options.length) choose(whose.options[at].value);
    return true;
  }

  // One step to the side: a day, a week, a month; 0 is today.
  function step(n) {
    if (!n) return go({day: today()});
    if (state.view !== "month") return go({day: plusDays(state.day, state.view === "week" ? 7 * n : n)});
    const [year, month] = state.day.split("-").map(Number), there = new Date(year, month - 1 + n, 1);
    return go({day: `${there.getFullYear()}-${String(there.getMonth() + 1).padStart(2, "0")}-01`});
  }

  const show = (what) => go(what === "doctor" || what === "chair" ? {view: "day", by: what} : {view: what});

  document.addEventListener("click", (event) => {
    const at = (name) => event.target.closest(`[data-${name}]`);
    if (at("day") && at("day").closest(".schedule-bar")) step(Number(at("day").dataset.day));
    else if (at("show")) show(at("show").dataset.show);
    else if (at("retry")) schedule.load(true);
    else if (at("new")) schedule.openBooking({});
    else if (at("free")) schedule.openFree();
    else if (event.target.closest("a[data-block]")) { event.preventDefault(); schedule.openBlocking(); }
    else if (at("for-end")) { state.patient = null; go({}); }
  });
  $("[data-date]").addEventListener("change", (event) => { if (event.target.value) go({day: event.target.value}); });
  $("[data-branch]")?.addEventListener("change", (event) => go({branch: event.target.value}));
  whose.addEventListener("change", () => choose(whose.value));

  // A finger across the day of one doctor shows the next one; across a month, the next month.
  let from = null;
  const box = $("[data-swipe]");
  box.addEventListener("touchstart", (event) => { from = event.touches.length === 1 ? event.touches[0] : null; }, {passive: true});
  box.addEventListener("touchend", (event) => {
    const to = event.changedTouches[0], dx = from && to.clientX - from.clientX, dy = from && to.clientY - from.clientY;
    if (from && !state.busy && state.view !== "week" && Math.abs(dx) > 70 && Math.abs(dx) > 2.5 * Math.abs(dy)) { if (state.view === "month") step(dx < 0 ? 1 : -1); else neighbour(dx < 0 ? 1 : -1); }
    from = null;
  }, {passive: true});

  Object.assign(schedule, {go, step, view: show, neighbour});
  // Not before the scripts below are there: a slow network would open what is not defined yet, or lose a press.
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-soon]").forEach((button) => { button.disabled = false; });
    go({});
    if (state.patient) schedule.openFree();
  });
})();
