// First free times: the panel that looks for them, and those that a new booking offers by itself.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, element, fill, today} = schedule;
  const DAYS = 60;
  let wish = null; // what was looked for last, for who is being booked

  async function find(asked) {
    const query = new URLSearchParams(Object.entries({days: DAYS, ...asked}).filter(([, value]) => value !== "" && value !== null && value !== undefined));
    return (await desk.ask(`${settings.urls.free}?${query}`)).data.result;
  }
  const from = () => state.day < today() ? today() : state.day;
  const who = (slot) => [schedule.doctorName(slot.doctor_id), schedule.chairName(slot.chair_id)].filter(Boolean).join(" · ");

  // Arrows walk over a list of buttons; Home and End go to its ends.
  function walking(list, selector, chosen = () => {}) {
    list.addEventListener("keydown", (event) => {
      const all = [...list.querySelectorAll(selector)], at = all.indexOf(document.activeElement);
      const to = {ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1}[event.key];
      if (to === undefined || at < 0) return;
      event.preventDefault();
      event.stopPropagation();
      const next = all[Math.max(0, Math.min(all.length - 1, to))];
      next.focus();
      chosen(next);
    });
  }

  // --- the panel --------------------------------------------------------------------------------------------
  schedule.openFree = (given = {}) => {
    const side = schedule.show("free-panel", {kind: "free"}), form = side.querySelector("[data-free-form]"), list = side.querySelector("[data-list]"), more = side.querySelector("[data-more]");
    const key = state.patient?.id || 0, kept = {...(wish?.key === key ? wish.values : {}), ...given};
    settings.doctors.forEach((row) => form.doctor_id.append(new Option(row.name, row.id)));
    form.from.value = from();
    if (form.branch_id) form.branch_id.value = state.branch;
    if (state.view === "week") form.doctor_id.value = state.doctor;
    for (const [name, value] of Object.entries(kept)) if (form.elements[name] && name !== "weekdays" && name !== "from") form.elements[name].value = value ?? "";
    if (kept.weekdays) form.querySelectorAll("[name=weekdays]").forEach((box) => { box.checked = kept.weekdays.includes(box.value); });
    let asked = 0, limit = 20, touched = false;

    function hours() {
      const own = form.part.value === "own";
      form.querySelector("[data-own-hours]").hidden = !own;
      return own ? [form.after.value, form.before.value] : (form.part.value || "-").split("-");
    }
    async function look() {
      const mine = ++asked, [after, before] = hours(), weekdays = [...form.querySelectorAll("[name=weekdays]:checked")].map((box) => box.value);
      wish = {key, values: {...Object.fromEntries(new FormData(form)), weekdays}};
      try {
        const found = await find({minutes: form.minutes.value, from: form.from.value, limit, after, before, doctor_id: form.doctor_id.value, speciality_id: form.speciality_id.value, branch_id: form.branch_id?.value, weekdays: weekdays.join(",") || "1,2,3,4,5,6,7"});
        if (mine !== asked) return;
        schedule.forgive();
        const at = [...list.querySelectorAll(".free-slot")].indexOf(document.activeElement);
        list.textContent = "";
        let day = "";
        found.forEach((slot) => {
          if (slot.starts_at.slice(0, 10) !== day) { day = slot.starts_at.slice(0, 10); list.append(element("li", "free-day", schedule.dayWords(day, {weekday: "short", day: "numeric", month: "long"}))); }
          list.append(choice(form, slot));
        });
        more.hidden = found.length < limit;
        if (!found.length) list.append(element("li", "empty", words.no_free));
        const slots = list.querySelectorAll(".free-slot");
        if (at >= 0) slots[Math.min(at, slots.length - 1)]?.focus();
        else if (!touched && side.contains(document.activeElement)) slots[0]?.focus();
        touched = true;
      } catch (refusal) { if (refusal.message === undefined) throw refusal; if (mine === asked) { list.textContent = ""; more.hidden = true; schedule.refuse(refusal); } }
    }
    form.service_id.addEventListener("change", () => { const option = form.service_id.selectedOptions[0]; if (option.dataset.minutes) form.minutes.value = option.dataset.minutes; });
    form.doctor_id.addEventListener("change", () => { if (form.doctor_id.value) form.speciality_id.value = ""; });
    form.speciality_id.addEventListener("change", () => { if (form.speciality_id.value) form.doctor_id.value = ""; });
    form.addEventListener("keydown", () => { touched = true; });
    form.addEventListener("change", () => { touched = true; limit = 20; look(); });
    form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); look().then(() => list.querySelector(".free-slot")?.focus()); });
    more.addEventListener("click", () => { const at = limit; limit = Math.min(200, limit + 20); look().then(() => list.querySelectorAll(".free-slot")[at]?.focus()); });
    walking(list, ".free-slot");
    form.doctor_id.focus();
    look();
  };

  function choice(form, slot) {
    const item = element("li"), button = element("button", "btn btn-default btn-sm free-slot");
    button.type = "button";
    button.append(element("b", "", `${slot.starts_at.slice(11)}–${slot.ends_at.slice(11)}`), " ", element("span", "", who(slot)));
    button.addEventListener("click", async () => {
      const day = slot.starts_at.slice(0, 10), service_id = form.service_id.value;
      if (!settings.rights.book) { schedule.go({view: "day", day}); return; }
      schedule.openBooking({...slot, service_id, minutes: schedule.span(slot.starts_at, slot.ends_at)});
      if (state.view === "month" || (state.view === "day" && day !== state.day)) schedule.go({view: "day", day});
    });
    item.append(button);
    return item;
  }

  // --- what a new booking offers ------------------------------------------------------------------------------
  // The first free times as long as the visit, until somebody writes the day or the hour by hand.
  schedule.suggest = (form) => {
    const box = form.querySelector("[data-times]"), list = box.querySelector("[role=radiogroup]");
    let asked = 0;
    form.dataset.suggested = "yes";
    const byHand = () => { form.dataset.suggested = ""; box.hidden = true; };
    form.day.addEventListener("input", byHand);
    form.start.addEventListener("input", byHand);
    form.chair_id.addEventListener("change", byHand);

    function take(button, slot) {
      list.querySelectorAll("[role=radio]").forEach((one) => { one.setAttribute("aria-checked", one === button); one.tabIndex = one === button ? 0 : -1; });
      form.day.value = slot.starts_at.slice(0, 10);
      form.start.value = slot.starts_at.slice(11);
      form.doctor_id.value = slot.doctor_id;
      form.chair_id.value = slot.chair_id || "";
    }
    async function look(doctor) {
      const mine = ++asked, only = state.view === "day" ? state.doctors : [];
      form.dataset.looking = "yes";
      let found = [];
      try {
        found = await find({minutes: form.minutes.value, from: from(), limit: only.length && !doctor ? 60 : 6, doctor_id: doctor || (state.view === "week" ? state.doctor : ""), branch_id: state.branch});
      } catch (refusal) { if (refusal.message === undefined) throw refusal; }
      if (mine !== asked || !form.isConnected) return;
      form.dataset.looking = "";
      if (!form.dataset.suggested) return;
      if (only.length && !doctor) found = found.filter((slot) => only.includes(slot.doctor_id)).slice(0, 6);
      const held = list.contains(document.activeElement) || form.dataset.ready === "yes";
      list.replaceChildren(...found.map((slot) => {
        const button = element("button", "btn btn-default btn-xs time-choice", `${schedule.dayWords(slot.starts_at, {weekday: "short", day: "numeric", month: "short"})} ${slot.starts_at.slice(11)}`);
        button.append(element("small", "", who(slot)));
        button.type = "button";
        button.setAttribute("role", "radio");
        button.dataset.at = slot.starts_at;
        button.addEventListener("click", () => { take(button, slot); button.focus(); });
        button.take = () => take(button, slot);
        return button;
      }));
      box.hidden = !found.length;
      if (found.length) list.firstElementChild.take();
      if (held && form.dataset.patient) schedule.readyToSave(form);
    }
    walking(list, "[role=radio]", (button) => button.take());
    list.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); form.requestSubmit(); } });
    form.service_id.addEventListener("change", () => { if (form.dataset.suggested) look(); });
    form.minutes.addEventListener("change", () => { if (form.dataset.suggested) look(); });
    form.doctor_id.addEventListener("change", () => { if (form.dataset.suggested) look(form.doctor_id.value); });
    look(Number(form.doctor_id.value) || "");
  };

  // The patient is known: one more Enter books. The chosen time holds the focus when there are times to choose from.
  schedule.readyToSave = (form) => {
    form.dataset.ready = "yes";
    (form.querySelector("[data-times]:not([hidden]) [aria-checked=true]") || form.querySelector("[data-save]")).focus();
  };
})();
