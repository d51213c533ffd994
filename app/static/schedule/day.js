// The bar above the schedule and the page's keys: which day, which columns, whose.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, state, iso, local, dayWords, byChair} = schedule;
  const $ = (selector) => document.querySelector(selector), grid = $("[data-grid]");

  function go(change) {
    Object.assign(state, change, {tag: null, sheet: change.by && !change.day ? state.sheet : null});
    bar();
    const query = new URLSearchParams({day: state.day});
    if (state.branch) query.set("branch", state.branch);
    if (byChair()) query.set("by", "chair");
    if (state.patient) query.set("patient", state.patient.id);
    if (state.patient?.call_task_id) query.set("task", state.patient.call_task_id);
    history.replaceState(null, "", `${settings.urls.page}?${query}`);
    if (state.sheet) schedule.draw();
    else { grid.classList.add("is-old"); }
    return schedule.load(true);
  }

  function bar() {
    $("[data-date]").value = state.day;
    $("[data-title]").textContent = dayWords(state.day, {weekday: "short", day: "numeric", month: "long", ...(state.day.slice(0, 4) === settings.today.slice(0, 4) ? {} : {year: "numeric"})});
    $("[data-title]").classList.toggle("is-today", state.day === settings.today);
    if ($("[data-branch]")) $("[data-branch]").value = state.branch;
    document.querySelectorAll("[data-by]").forEach((button) => { button.classList.toggle("active", button.dataset.by === state.by); button.setAttribute("aria-pressed", button.dataset.by === state.by); });
    const printed = $("[data-print-day]");
    if (printed) printed.href = `${settings.urls.print}?day=${state.day}` + (state.branch ? `&branch=${state.branch}` : "");
    $("[data-for]").hidden = !state.patient;
    if (state.patient) $("[data-for-name]").textContent = `${state.patient.name}, № ${state.patient.card_number}`;
  }

  const shift = (days) => { const date = local(state.day); date.setDate(date.getDate() + days); return iso(date).slice(0, 10); };
  const step = (days) => go({day: days ? shift(days) : settings.today});

  document.addEventListener("click", (event) => {
    const at = (name) => event.target.closest(`[data-${name}]`);
    if (at("day") && at("day").closest(".schedule-bar")) step(Number(at("day").dataset.day));
    else if (at("by")) go({by: at("by").dataset.by});
    else if (at("retry")) schedule.load(true);
    else if (at("new")) schedule.openBooking({});
    else if (at("free")) schedule.openFree();
    else if (event.target.closest("a[data-block]")) { event.preventDefault(); schedule.openBlocking(); }
    else if (at("for-end")) { state.patient = null; go({}); }
  });
  $("[data-date]").addEventListener("change", (event) => { if (event.target.value) go({day: event.target.value}); });
  $("[data-branch]")?.addEventListener("change", (event) => go({branch: event.target.value}));
  $("[data-cancelled]").addEventListener("change", () => { if (state.sheet) schedule.draw(); });

  // N books, F looks for free time, T is today, arrows change the day; letters are keys, so the layout does not matter.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { schedule.close(); return; }
    if (event.target.closest("input, select, textarea, [contenteditable], .dropdown-menu")) return;
    if (event.code === "KeyN" && settings.rights.book) { event.preventDefault(); schedule.openBooking({}); }
    else if (event.code === "KeyF") { event.preventDefault(); schedule.openFree(); }
    else if (event.code === "KeyT") step(0);
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
  });

  schedule.go = go;
  bar();
  setTimeout(() => { schedule.load(true); if (state.patient) schedule.openFree(); }, 0);
})();
