// The month of the schedule: how full each day is; a click, or Enter, opens the day.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, fill, element, local, dayWords, plusDays, monday, today} = schedule;
  const place = document.querySelector("[data-month]");

  const hours = (minutes) => {
    const h = Math.floor(minutes / 60), m = minutes % 60;
    return [h ? fill(words.h, {n: h}) : "", m || !h ? fill(words.min, {n: m}) : ""].filter(Boolean).join(" ");
  };
  const percent = (row) => row.hours ? Math.round((row.hours - row.free) / row.hours * 100) : 0;
  // Five steps of heat, so that they can be told apart; a full day is the darkest.
  const heat = (row) => !row.hours ? "none" : row.free === 0 ? 5 : Math.min(4, Math.floor(percent(row) / 20));

  function cell(row) {
    const past = row.day < today(), button = element("button", `month-day heat-${heat(row)}` + (past ? " past" : "") + (row.day === today() ? " today" : ""));
    button.type = "button";
    button.dataset.openDay = row.day;
    button.append(element("b", "month-number", String(Number(row.day.slice(8)))));
    const visits = row.visits ? fill(words.visits, {n: row.visits}) : "";
    if (row.hours) {
      const left = element("span", "month-free", row.free ? hours(row.free) : words.full), more = element("span", "month-more", [visits, `${percent(row)}\u00a0%`].filter(Boolean).join(" · "));
      left.dataset.short = row.free ? `${Math.floor(row.free / 60)}:${String(row.free % 60).padStart(2, "0")}` : "0";
      more.dataset.short = `${percent(row)}\u00a0%`;
      button.append(left, more);
      const bar = element("span", "month-bar"), full = element("span", "month-full");
      full.style.width = percent(row) + "%";
      bar.append(full);
      button.append(bar);
    } else { const more = element("span", "month-more", visits || words.closed_day); more.dataset.short = "—"; button.append(more); }
    if (row.holiday) button.append(element("span", "month-holiday", row.holiday));
    const told = row.hours ? fill(words.month_day, {hours: hours(row.hours), booked: hours(row.booked), free: hours(row.free), closed: hours(row.closed), percent: percent(row), doctors: row.doctors}) : words.closed_day;
    button.title = [row.holiday, told, visits].filter(Boolean).join("\n");
    button.setAttribute("aria-label", [dayWords(row.day), row.holiday, told, visits].filter(Boolean).join(". "));
    return button;
  }

  schedule.drawMonth = () => {
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.openDay : null, rows = state.sheet.days;
    const sum = (name) => rows.reduce((total, row) => total + row[name], 0), total = {hours: sum("hours"), free: sum("free")};
    const head = element("p", "month-sums", fill(words.month_sums, {hours: hours(total.hours), booked: hours(sum("booked")), free: hours(total.free), percent: percent(total), visits: sum("visits")}));
    const table = element("div", "month-grid");
    for (let n = 0; n < 7; n++) table.append(element("span", "month-weekday", local(plusDays("2026-11-23", n)).toLocaleDateString(settings.locale, {weekday: "short"})));
    for (let day = monday(rows[0].day); day < rows[0].day; day = plusDays(day, 1)) table.append(element("span", "month-blank"));
    rows.forEach((row) => table.append(cell(row)));
    const legend = element("p", "month-legend no-print", words.legend);
    for (const step of [0, 1, 2, 3, 4, 5]) legend.append(element("span", `month-step heat-${step}`, step === 5 ? words.full : `${step * 20}%`));
    place.replaceChildren(head, table, legend);
    if (focused) place.querySelector(`[data-open-day="${focused}"]`)?.focus();
  };

  const open = (day) => schedule.go({view: "day", day});
  place.addEventListener("click", (event) => { const button = event.target.closest("[data-open-day]"); if (button) open(button.dataset.openDay); });
  // Arrows walk over the days; past the edge of the month the page turns.
  schedule.walkMonth = (step) => {
    const here = document.activeElement?.dataset?.openDay;
    const day = here ? plusDays(here, step) : state.day.slice(0, 7) === today().slice(0, 7) ? today() : state.sheet?.days[0].day;
    if (!day) return;
    if (day.slice(0, 7) === state.day.slice(0, 7)) { place.querySelector(`[data-open-day="${day}"]`)?.focus(); return; }
    schedule.go({day}).then(() => place.querySelector(`[data-open-day="${day}"]`)?.focus());
  };
})();
