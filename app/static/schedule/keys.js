// The keys of the schedule: days and views, booking, walking over the visits, the steps of a visit.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, state} = schedule;
  const grid = document.querySelector("[data-grid]"), side = document.querySelector("[data-side]");
  const monthly = () => state.view === "month", focused = () => document.activeElement?.closest?.("[data-visit]");
  const free = (event) => !event.target.closest(".dropdown-menu, [data-look][open], .side, summary, [role=radiogroup]");

  // Where the visits stand on the screen: the nearest one in the direction of the arrow.
  function walk(dx, dy) {
    const all = [...grid.querySelectorAll("[data-visit]")], here = focused();
    if (!here) {
      const now = schedule.iso(schedule.wallNow());
      const next = all.find((one) => (schedule.visit(Number(one.dataset.visit))?.ends_at || "") > now) || all[0];
      next?.focus();
      return Boolean(next);
    }
    const box = here.getBoundingClientRect(), middle = [box.left + box.width / 2, box.top + 4];
    let best = null, least = Infinity;
    for (const one of all) {
      if (one === here) continue;
      const other = one.getBoundingClientRect(), x = other.left + other.width / 2 - middle[0], y = other.top + 4 - middle[1];
      const along = dx ? x * dx : y * dy, aside = Math.abs(dx ? y : x);
      if (along < (dx ? box.width / 2 : 1) || (dy && aside > box.width / 2)) continue;
      const far = along + aside * (dx ? 1.5 : 3);
      if (far < least) [best, least] = [one, far];
    }
    best?.focus();
    return true;
  }

  const arrow = (code, dx, dy) => ({
    code, repeat: true, when: free,
    run: () => {
      if (monthly() && (dy || document.activeElement?.dataset?.openDay)) return schedule.walkMonth(dx + 7 * dy);
      if (monthly()) return schedule.step(dx);
      if (dy || focused()) return walk(dx, dy);
      return schedule.step(dx);
    },
  });

  // A step of the visit under the cursor, or of the open one: its panel opens and the button is pressed there.
  async function press(name) {
    const pk = Number(focused()?.dataset.visit);
    if (pk && schedule.opened?.id !== pk) await schedule.openVisit(pk);
    if (pk && schedule.opened?.id !== pk) return; // another was opened meanwhile
    const button = side.querySelector(name);
    if (!button || !button.getClientRects().length) return;
    if (button.matches("details")) { button.open = true; button.querySelector("select, input")?.focus(); return; }
    button.click();
  }
  const onVisit = () => Boolean(focused()) || schedule.opened?.kind === "visit";
  const step = (code, name) => ({code, when: onVisit, run: () => { press(name); }});
  const at = (event) => free(event) || !side.contains(event.target);

  // The next column: another doctor's week, another column on a phone, the first visit of the next column of the day.
  function column(step) {
    if (schedule.neighbour(step)) return;
    const heads = [...grid.querySelectorAll(".ec-header .ec-col-head")], main = grid.querySelector(".ec-main");
    if (!main || !heads.length) return;
    const here = focused()?.getBoundingClientRect(), left = main.getBoundingClientRect().left;
    const index = heads.findIndex((head) => { const box = head.getBoundingClientRect(); return here ? box.left <= here.left + 3 && here.left < box.right - 3 : box.right > left + 70; });
    const next = heads[Math.max(0, Math.min(heads.length - 1, index + (here ? step : step > 0 ? 1 : -1)))];
    if (!next) return;
    main.scrollLeft += Math.min(0, next.getBoundingClientRect().left - left - 60) || Math.max(0, next.getBoundingClientRect().right - main.getBoundingClientRect().right + 20);
    const box = next.getBoundingClientRect();
    [...grid.querySelectorAll("[data-visit]")].find((one) => { const own = one.getBoundingClientRect(); return own.left >= box.left - 2 && own.right <= box.right + 4; })?.focus();
  }

  desk.keys([
    {code: "KeyN", when: () => settings.rights.book, run: () => { const visit = schedule.visit(Number(focused()?.dataset.visit)); schedule.openBooking(visit ? {doctor_id: visit.doctor_id} : {}); }},
    {code: "KeyF", run: () => schedule.openFree()},
    {code: "KeyT", when: at, run: () => schedule.step(0)},
    {code: "KeyD", when: at, run: () => schedule.view(state.view === "day" && state.by === "doctor" && !settings.own ? "chair" : "doctor")},
    {code: "KeyW", when: at, run: () => schedule.view("week")},
    {code: "KeyM", when: at, run: () => schedule.view("month")},
    {code: "KeyP", when: at, run: () => { document.querySelector("[data-print-day]")?.click(); }},
    {code: "BracketLeft", when: at, repeat: true, run: () => column(-1)},
    {code: "BracketRight", when: at, repeat: true, run: () => column(1)},
    arrow("ArrowLeft", -1, 0), arrow("ArrowRight", 1, 0), arrow("ArrowUp", 0, -1), arrow("ArrowDown", 0, 1),
    step("KeyC", "[data-step=confirm]"), step("KeyA", "[data-step=arrive]"), step("KeyS", "[data-step=start]"), step("KeyE", "[data-step=complete]"),
    step("KeyX", "details[data-cancel]"), step("KeyR", "details[data-move]"),
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ({code: "Digit" + n, when: at, run: () => schedule.useView(n)})),
  ]);

  // Esc closes the panel, and gives the grid back to the page when nothing is open.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (!side.hidden) schedule.close();
    else if (focused()) document.activeElement.blur();
  });
})();
