// A freed time on the schedule: whom it suits, offers that are open, what becomes of who cancelled.
(function () {
  "use strict";
  if (!window.schedule || !window.wishes) return;
  const {settings, state, element, fill} = schedule, {words} = wishes, urls = wishes.settings;
  let now = null, side = null;

  const whenOf = (slot) => `${schedule.dayWords(slot.starts_at)} ${slot.starts_at.slice(11, 16)}–${slot.ends_at.slice(11, 16)}`;
  const button = (text, className, click) => { const made = element("button", `btn btn-xs ${className}`, text); made.type = "button"; made.addEventListener("click", () => click(made)); return made; };

  // --- a time was freed: ask whom it suits; nobody, and nobody who cancelled: silence ---------------------------
  const FREED = ["cancelled", "no_show"];
  schedule.freed = (before, after) => {
    const gone = FREED.includes(after.status) && !FREED.includes(before.status);
    const slot = {doctor_id: before.doctor_id, chair_id: before.chair_id, starts_at: before.starts_at, ends_at: before.ends_at};
    if (!gone) {
      if (after.starts_at === before.starts_at && after.ends_at === before.ends_at && after.doctor_id === before.doctor_id) return;
      if (after.doctor_id === before.doctor_id) {
        // shortened at one end: only what was left is free
        if (after.starts_at === before.starts_at && after.ends_at < before.ends_at) slot.starts_at = after.ends_at;
        else if (after.ends_at === before.ends_at && after.starts_at > before.starts_at) slot.ends_at = after.starts_at;
        else if (after.starts_at <= before.starts_at && after.ends_at >= before.ends_at) return;
      }
    }
    schedule.openFits(slot, {visit: gone ? after : null});
  };

  // `visit`: the one that was cancelled or missed; the patient may wait, be planned or be booked again.
  // Who has opened something else meanwhile is not interrupted.
  schedule.openFits = async (slot, {visit = null} = {}) => {
    const before = schedule.opened;
    let data = {free: null, offers: [], result: []};
    if (urls.see) {
      try { ({data} = await desk.ask(`${urls.fits}?${query(slot)}`)); }
      catch (refusal) { if (!visit) { desk.tell(refusal.message, "danger"); return; } }
    }
    if (schedule.pending || schedule.opened !== before) return;
    if (!visit && !data.result.length && !data.offers.length) return;
    now = {slot, visit, data};
    draw();
  };
  const query = (slot) => {
    const asked = new URLSearchParams({doctor_id: slot.doctor_id, starts_at: slot.starts_at, ends_at: slot.ends_at});
    if (slot.chair_id) asked.set("chair_id", slot.chair_id);
    return asked;
  };

  function draw() {
    side = schedule.show("fits-panel", {kind: "fits"});
    const {slot, visit, data} = now, free = data.free || slot;
    schedule.part("when").textContent = whenOf(free);
    schedule.part("doctor").textContent = schedule.doctorName(slot.doctor_id);
    after(visit);
    const list = side.querySelector("[data-fits]");
    data.offers.forEach((row) => list.append(offered(row)));
    data.result.forEach((row) => list.append(line(row, free)));
    schedule.row("nobody", urls.see && !data.offers.length && !data.result.length);
    schedule.row("fits", urls.see && (data.offers.length || data.result.length));
    side.querySelector("button.btn")?.focus({preventScroll: true});
  }

  // What becomes of the patient who cancelled or did not come.
  function after(visit) {
    schedule.row("after", Boolean(visit));
    if (!visit) return;
    schedule.part("who").textContent = visit.patient.short_name;
    const at = (name) => side.querySelector(`[data-after="${name}"]`);
    const place = (name, url) => { const made = at(name); made.hidden = !url; if (url) made.dataset.wishOpen = url; };
    place("wait", urls.waiting_form && `${urls.waiting_form}?visit=${visit.id}&kind=cancelled`);
    place("plan", urls.planned_form && `${urls.planned_form}?visit=${visit.id}&from=cancellation`);
    at("book").hidden = !settings.rights.book;
    at("book").addEventListener("click", () => {
      state.patient = {id: visit.patient.id, name: visit.patient.name, card_number: visit.patient.card_number};
      schedule.go({});
      schedule.openBooking({doctor_id: visit.doctor_id, service_id: visit.service_id, minutes: schedule.span(visit.starts_at, visit.ends_at)});
    });
  }

  function person(row, what) {
    const head = element("div", "whom"), name = element("span");
    const link = element(settings.may_card ? "a" : "b", "", row.patient.name || row.patient.short_name);
    if (settings.may_card) { link.href = settings.urls.card.replace(/0(?=\D*$)/, row.patient.id); link.target = "_blank"; link.rel = "noopener"; }
    name.append(link);
    if (row.patient.phone) { const phone = element("a", "muted nowrap", `${row.patient.phone.replace(/^(\+7)(\d{3})(\d{3})(\d\d)(\d\d)$/, "$1 $2 $3-$4-$5")}`); phone.href = `tel:${row.patient.phone}`; name.append(" ", phone); }
    head.append(name, element("span", "muted nowrap", what));
    return head;
  }

  function offered(row) {
    const item = element("li", "is-offered"), minutes = row.minutes_left;
    item.dataset.offerOf = row.entry_id;
    item.append(person(row, minutes ? fill(words.min_left, {n: minutes}) : words.up), element("p", "why", `${row.starts_at.slice(11)}–${row.ends_at.slice(11)}`));
    if (urls.edit) {
      const yes = element("button", "btn btn-xs btn-primary", words.accept), no = element("button", "btn btn-xs btn-default", words.decline);
      [yes.type, no.type] = ["button", "button"];
      yes.dataset.accept = no.dataset.decline = row.id;
      item.append(yes, no);
    }
    return item;
  }

  function line(row, free) {
    const item = element("li"), slot = {doctor_id: free.doctor_id || now.slot.doctor_id, chair_id: free.chair_id ?? null, starts_at: row.starts_at, ends_at: row.ends_at};
    item.dataset[row.what] = row.id;
    item.append(person(row, row.what === "planned" ? words.planned_kind : `${row.starts_at.slice(11)}–${row.ends_at.slice(11)}`), element("p", "why", [...row.why, row.comment].filter(Boolean).join(" · ")));
    if (row.what === "waiting" && urls.edit) item.append(button(words.offer, "btn-primary", (made) => wishes.offer(made, row.id, slot, again)));
    if (settings.rights.book && row.kind !== "move_up") item.append(button(words.book, "btn-default", (made) => book(made, row, slot)));
    if (urls.tasks) item.append(button(words.call, "btn-default", (made) => call(made, row, slot)));
    return item;
  }

  const again = async () => { schedule.load(true); await refresh(); };
  // Who has opened something else meanwhile, or is about to, is not interrupted.
  async function refresh() {
    if (schedule.opened?.kind !== "fits") return;
    const asked = now, left = () => schedule.pending || schedule.opened?.kind !== "fits" || now !== asked;
    let data;
    try { ({data} = await desk.ask(`${urls.fits}?${query(asked.slot)}`)); }
    catch (refusal) { if (!left()) schedule.refuse(refusal); return; }
    if (left()) return;
    asked.data = data;
    if (!asked.visit && !data.result.length && !data.offers.length) { schedule.close(); return; }
    draw();
  }

  function book(made, row, slot) {
    const fulfils = row.what === "planned" ? {planned_visit_id: row.id} : {waiting_entry_id: row.id};
    wishes.once(made, async (key) => {
      const {data} = await desk.ask(settings.urls.appointments, {method: "POST", once: key, body: {...slot, patient_id: row.patient.id, ...fulfils}});
      schedule.did(fill(words.accepted, {who: data.patient.short_name, when: wishes.moment(data.starts_at)}), schedule.ofVisit(data));
      again();
    }, schedule.refuse);
  }

  function call(made, row, slot) {
    const body = {patient_id: row.patient.id, doctor_id: slot.doctor_id, note: fill(words.note, {when: whenOf(slot), who: schedule.doctorName(slot.doctor_id)})};
    wishes.once(made, async (key) => {
      await desk.ask(urls.tasks, {method: "POST", body, once: key});
      desk.tell(fill(words.call_asked, {who: row.patient.short_name}), "success");
    }, schedule.refuse);
  }

  document.addEventListener("wishes:answered", refresh);
  // Somebody else may have answered: the panel keeps up with the day.
  document.addEventListener("schedule:fresh", () => { if (schedule.opened?.kind === "fits" && !side.contains(document.activeElement)) refresh(); });

  // The page was opened for a freed time: from the waiting list, where a visit was moved to a sooner one.
  const freed = new URLSearchParams(location.search).get("freed");
  if (freed && urls.see) {
    const [doctor, chair, starts_at, ends_at] = freed.split(",");
    if (starts_at && ends_at) setTimeout(() => schedule.openFits({doctor_id: Number(doctor), chair_id: Number(chair) || null, starts_at, ends_at}), 300);
  }

  // --- booking: what the patient still wants, with a tick for what this visit closes ----------------------------
  schedule.showWishes = async (form, place, patient) => {
    const asked = new URLSearchParams(), doctor = form.doctor_id.value;
    if (doctor && form.day.value) { asked.set("doctor_id", doctor); asked.set("day", form.day.value); }
    let data;
    try { ({data} = await desk.ask(`${urls.of_patient.replace(/0$/, patient)}?${asked}`)); }
    catch (refusal) { return; }
    if (form.dataset.patient !== String(patient)) return;
    place.querySelector("[data-wishes]")?.remove();
    if (!data.planned.length && !data.waiting.length) return;
    const box = element("div");
    box.dataset.wishes = "";
    box.append(element("b", "", words.wants));
    const short = (day) => day.split("-").reverse().slice(0, 2).join(".");
    const tick = (kind, row, text) => {
      const label = element("label", "closing"), input = element("input"), sure = state.patient?.[`${kind}_id`] === row.id;
      input.type = "checkbox";
      input.name = `${kind}_ids`;
      input.value = row.id;
      input.checked = sure || Boolean(data.closes?.[kind].includes(row.id));
      label.append(input, text, element("span", "muted", ` — ${words.closes}`));
      box.append(label);
    };
    data.planned.forEach((row) => tick("planned", row, [row.reason, fill(words.planned_for, {days: row.target_from === row.target_to ? short(row.target_from) : `${short(row.target_from)}–${short(row.target_to)}`}), row.doctor].filter(Boolean).join(", ")));
    data.waiting.filter((row) => row.kind !== "move_up").forEach((row) => tick("waiting", row, [fill(words.waits, {day: short(row.since)}), row.doctors.join(", ") || row.speciality, row.comment].filter(Boolean).join(", ")));
    place.append(box);
  };
  schedule.closing = (form) => {
    const ticked = (name) => [...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => Number(box.value));
    return {planned_visit_ids: ticked("planned_ids"), waiting_entry_ids: ticked("waiting_ids")};
  };
})();
