// The panel at the side of the schedule: one at a time, filled from a template, closed with Escape.
(function () {
  "use strict";
  if (!window.schedule) return;
  const side = document.querySelector("[data-side]");

  // Show a template in the panel; `opened` names it so that a fresh day can fill it again.
  // `pending` is the visit that was asked for last and has not come yet: whatever is shown or closed meanwhile replaces it.
  let before = null; // what held the focus when the panel opened: it gets it back
  schedule.show = (template, opened) => {
    if (side.hidden) before = {one: document.activeElement, visit: document.activeElement?.dataset?.visit};
    side.textContent = "";
    side.append(document.getElementById(template).content.cloneNode(true));
    side.hidden = false;
    side.scrollTop = 0;
    schedule.opened = opened;
    schedule.pending = null;
    return side;
  };
  schedule.close = () => {
    schedule.pending = null;
    if (side.hidden) return;
    side.hidden = true;
    side.textContent = "";
    schedule.opened = null;
    schedule.unselect();
    const held = before;
    before = null;
    if (held?.one?.isConnected && held.one !== document.body) held.one.focus({preventScroll: true});
    else if (held?.visit) schedule.focusVisit(held.visit);
  };
  side.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) schedule.close(); });

  schedule.part = (name) => side.querySelector(`[data-f="${name}"]`);
  schedule.row = (name, show) => side.querySelectorAll(`[data-row="${name}"]`).forEach((row) => { row.hidden = !show; });

  // A refusal with its sentence; the sentences of single fields under it.
  schedule.refuse = (refusal) => {
    const place = side.querySelector("[data-refusal]");
    if (!place) { desk.tell(refusal.message, "danger"); return; }
    place.textContent = refusal.message || "";
    Object.values(refusal.fields || {}).forEach((text) => place.append(schedule.element("div", "", text)));
    place.hidden = false;
    place.scrollIntoView({block: "nearest"});
  };
  schedule.forgive = () => { const place = side.querySelector("[data-refusal]"); if (place) place.hidden = true; };

  // The reason that turns a refusal into "on purpose", for who has the right. Gives the field's name in the request.
  schedule.askReason = (refusal) => {
    const {settings, words} = schedule, box = side.querySelector("[data-reason]");
    let name = "";
    if (refusal.error === "slot_taken" && refusal.busy !== "patient" && settings.rights.overbook) name = "overbook_reason";
    if (refusal.error === "outside_hours" && settings.rights.outside_hours) name = "outside_hours_reason";
    if (!box || !name) return;
    const before = (box.dataset.names || "").split(" ").filter(Boolean);
    box.dataset.names = [...new Set([...before, name])].join(" ");
    box.querySelector("[data-reason-label]").textContent = name === "overbook_reason" ? words.overbook_reason : words.outside_reason;
    box.hidden = false;
    box.querySelector("input").focus();
  };
  schedule.reasons = () => {
    const box = side.querySelector("[data-reason]"), text = box?.querySelector("input").value.trim();
    return text ? Object.fromEntries((box.dataset.names || "").split(" ").filter(Boolean).map((name) => [name, text])) : {};
  };

  schedule.fillDoctors = (select, chosen, blank) => {
    select.textContent = "";
    if (blank !== undefined) select.append(new Option(blank, ""));
    schedule.settings.doctors.forEach((row) => select.append(new Option(row.name, row.id, false, row.id === chosen)));
  };
  schedule.fillChairs = (select, chosen) => {
    const several = new Set(schedule.settings.chairs.map((row) => row.branch_id)).size > 1;
    select.textContent = "";
    select.append(new Option(schedule.words.no_chair_yet, ""));
    schedule.settings.chairs.forEach((row) => select.append(new Option(several ? `${row.name} · ${row.branch}` : row.name, row.id, false, row.id === chosen)));
  };
  schedule.times = (form) => {
    const starts_at = `${form.day.value}T${form.start.value}`, count = Number(form.minutes.value);
    return {starts_at, ends_at: schedule.plus(starts_at, count)};
  };

  // A button works once until the answer; a request that never got an answer keeps its key for the next try.
  schedule.once = async (button, work) => {
    if (button.disabled) return;
    button.disabled = true;
    button.dataset.key = button.dataset.key || crypto.randomUUID();
    try {
      await work(button.dataset.key);
      delete button.dataset.key;
    } catch (refusal) {
      if (refusal.status !== 0) delete button.dataset.key;
      if (refusal.message === undefined) throw refusal;
      schedule.refuse(refusal);
      schedule.askReason(refusal);
    } finally {
      button.disabled = false;
    }
  };
})();
