// The panel of one visit: who comes, the steps of the visit, moving, cancelling, its history.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, element, fill} = schedule;
  const STEPS = {arrive: ["booked"], start: ["arrived"], complete: ["in_progress"], confirm: ["booked"], no_show: ["booked"], restore: ["cancelled"], undo: ["arrived", "in_progress", "completed", "no_show"]};
  const RIGHT = {confirm: "book", restore: "cancel"};
  let side = null, visit = null;

  schedule.openVisit = async (pk, {draft, refusal} = {}) => {
    schedule.pending = pk;
    try {
      const {data} = await desk.ask(settings.urls.appointments + pk);
      if (schedule.pending !== pk) return;
      visit = data;
    } catch (failure) {
      if (schedule.pending === pk) schedule.pending = null;
      desk.tell(failure.message, "danger");
      return;
    }
    side = schedule.show("visit-panel", {kind: "visit", id: pk});
    const form = side.querySelector("[data-change]");
    schedule.fillDoctors(form.doctor_id, visit.doctor_id);
    if (![...form.doctor_id.options].some((option) => Number(option.value) === visit.doctor_id)) form.doctor_id.append(new Option(visit.doctor, visit.doctor_id, true, true));
    schedule.fillChairs(form.chair_id, visit.chair_id);
    fillForm(form, visit);
    show();
    form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); change(form); });
    side.querySelectorAll("[data-step]").forEach((button) => button.addEventListener("click", () => step(button)));
    side.querySelector("[data-cancel-form]")?.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); cancel(event.target); });
    side.querySelector("[data-history]").addEventListener("toggle", (event) => { if (event.target.open) history(); });
    if (draft) {
      fillForm(form, {...visit, ...draft});
      side.querySelector("[data-move]").open = true;
      schedule.refuse(refusal);
      schedule.askReason(refusal);
    }
  };

  function fillForm(form, row) {
    form.comment.value = row.comment;
    form.day.value = row.starts_at.slice(0, 10);
    form.start.value = row.starts_at.slice(11);
    form.minutes.value = schedule.span(row.starts_at, row.ends_at);
    form.doctor_id.value = row.doctor_id;
    form.chair_id.value = row.chair_id || "";
  }

  function show() {
    const patient = visit.patient, part = schedule.part, card = settings.urls.card.replace(/0(?=\D*$)/, patient.id);
    part("card").textContent = patient.name;
    if (settings.may_card) part("card").href = card;
    part("about").textContent = [fill(words.card_number, {n: patient.card_number}), patient.draft ? words.draft : "", desk.phone(patient.phone)].filter(Boolean).join(" · ");
    part("allergy").hidden = !patient.allergy;
    part("allergy-text").textContent = patient.allergy;
    part("alerts").hidden = !patient.alerts.length;
    part("alerts-text").textContent = schedule.alerts(patient);
    lacking();
    part("status").textContent = settings.statuses[visit.status];
    part("status").className = "tag status-" + visit.status;
    part("confirmation").textContent = visit.status === "booked" ? settings.confirmations[visit.confirmation] : "";
    part("when").textContent = `${schedule.dayWords(visit.starts_at)} ${visit.starts_at.slice(11)}–${visit.ends_at.slice(11)}, ${schedule.span(visit.starts_at, visit.ends_at)} ${words.minutes}`;
    part("doctor").textContent = visit.doctor;
    part("chair").textContent = schedule.chairName(visit.chair_id) || words.no_chair_yet;
    schedule.row("service", visit.service);
    part("service").textContent = visit.service || "";
    const money = part("money"), balance = patient.balance, sum = (text) => Number(text).toLocaleString(settings.locale, {minimumFractionDigits: 2});
    const owes = balance && Number(balance.debt) > 0, ahead = balance && Number(balance.advance) > 0;
    schedule.row("money", owes || ahead || visit.unpaid);
    money.textContent = "";
    if (owes) money.append(element("span", "danger", fill(words.debt, {sum: sum(balance.debt)})), " ");
    if (ahead) money.append(element("span", "good", fill(words.advance, {sum: sum(balance.advance)})), " ");
    if (visit.unpaid) money.append(element("b", "danger", words.unpaid));
    const notes = [visit.first_visit ? words.first_visit : "", visit.overbooked ? `${words.overbooked}: ${visit.overbook_reason}` : "", visit.outside_hours_reason ? `${words.outside_hours}: ${visit.outside_hours_reason}` : "", visit.moves ? fill(words.moved, {n: visit.moves}) : ""].filter(Boolean);
    schedule.row("notes", notes.length);
    part("notes").textContent = notes.join("; ");
    schedule.row("cancel", visit.status === "cancelled");
    if (visit.status === "cancelled") part("cancel").textContent = [visit.cancel_reason, settings.cancelled_by[visit.cancelled_by], visit.cancel_comment, visit.late_cancel ? words.late : ""].filter(Boolean).join(", ");
    const started = visit.starts_at <= schedule.iso(schedule.wallNow());
    side.querySelectorAll("[data-step]").forEach((button) => {
      const name = button.dataset.step;
      button.hidden = !STEPS[name].includes(visit.status) || !settings.rights[RIGHT[name] || "attend"] || (name === "no_show" && !started) || (name === "confirm" && (visit.confirmation === "confirmed" || started));
    });
    link("sms", settings.may_write && visit.status === "booked" && !started, `${settings.urls.notify}?day=${visit.starts_at.slice(0, 10)}&sms=${visit.id}`);
    link("open-card", settings.may_card, card);
    link("work-order", settings.may_fill && !["cancelled", "no_show"].includes(visit.status), `${settings.urls.work_order}?appointment=${visit.id}`);
    link("slip", !["cancelled", "no_show"].includes(visit.status), settings.urls.slip.replace(/0(?=\D*$)/, visit.id));
    link("settle", settings.may_settle, settings.urls.settle.replace(/0(?=\D*$)/, patient.id));
    const form = side.querySelector("[data-change]");
    form.hidden = !settings.rights.move;
    form.querySelector("[data-move]").hidden = !["booked", "arrived", "in_progress"].includes(visit.status);
    const cancelling = side.querySelector("[data-cancel]");
    if (cancelling) cancelling.hidden = visit.status !== "booked";
    document.dispatchEvent(new CustomEvent("schedule:visit", {detail: visit}));
  }

  // What the card of a patient who has come lacks; asked once for each step of the visit.
  let asked = "";
  async function lacking() {
    const place = schedule.part("lacking"), key = `${visit.id} ${visit.status}`;
    if (visit.status !== "arrived" || !settings.may_card) { place.textContent = asked = ""; return; }
    if (asked === key && place.firstElementChild) return;
    asked = key;
    const answer = await fetch(settings.urls.lacking.replace(/0(?=\/lacking)/, visit.patient.id), {headers: {"X-Requested-With": "XMLHttpRequest"}, credentials: "same-origin"}).catch(() => null);
    if (answer?.ok && asked === key) place.innerHTML = await answer.text();
  }

  function link(name, may, href) {
    const made = schedule.part(name);
    made.hidden = !may;
    if (may) made.href = href;
  }

  // After a change: the newest row here and in the grid.
  function fresh(data) {
    // The panel was closed, or shows another visit, before the answer came.
    if (schedule.opened?.kind !== "visit" || schedule.opened.id !== data.id) { schedule.load(true); return; }
    visit = data;
    fillForm(side.querySelector("[data-change]"), visit);
    show();
    if (side.querySelector("[data-history]").open) history();
    schedule.load(true);
  }

  function step(button) { act(button, button.dataset.step, {}); }

  // A step, a cancellation, a restoration: done, told, and undone from the same line.
  function act(button, name, body) {
    schedule.forgive();
    return schedule.once(button, async (once) => {
      const before = visit;
      try {
        const {data} = await desk.ask(`${settings.urls.appointments}${visit.id}/${name}`, {method: "POST", body, once});
        if (schedule.opened?.id === data.id && side.querySelector("[data-cancel]")) side.querySelector("[data-cancel]").open = false;
        const who = data.patient.short_name;
        if (name !== "undo") schedule.did(fill(schedule.say.step, {who, what: name === "confirm" ? settings.confirmations[data.confirmation] : settings.statuses[data.status]}), schedule.ofVisit(data));
        fresh(data);
        schedule.freed?.(before, data);
        return data;
      } catch (refusal) {
        const place = side.querySelector("[data-refusal]");
        if (name === "restore" && refusal.free) setTimeout(() => schedule.showInstead(place, refusal.free, (slot, chosen) => act(chosen, "restore", {starts_at: slot.starts_at, ends_at: slot.ends_at, doctor_id: slot.doctor_id, chair_id: slot.chair_id})), 0);
        throw refusal;
      }
    });
  }

  function cancel(form) {
    act(form.querySelector("button"), "cancel", {reason_id: Number(form.reason_id.value), by: form.by.value, comment: form.comment.value});
  }

  function change(form) {
    const body = {version: visit.version}, times = schedule.times(form);
    if (form.comment.value.trim() !== visit.comment) body.comment = form.comment.value;
    if (times.starts_at !== visit.starts_at || times.ends_at !== visit.ends_at) Object.assign(body, times);
    if (Number(form.doctor_id.value) !== visit.doctor_id) body.doctor_id = Number(form.doctor_id.value);
    if ((Number(form.chair_id.value) || null) !== visit.chair_id) body.chair_id = Number(form.chair_id.value) || null;
    save(form, Object.assign(body, schedule.reasons()));
  }

  function save(form, body) {
    schedule.forgive();
    schedule.once(form.querySelector("[data-save]"), async () => {
      const before = visit;
      try {
        const {data} = await desk.ask(settings.urls.appointments + visit.id, {method: "PATCH", body});
        side.querySelector("[data-reason]")?.toggleAttribute("hidden", true);
        const said = data.moves === before.moves ? schedule.say.changed : schedule.say.moved_to;
        if (data.version !== before.version) schedule.did(fill(said, {who: data.patient.short_name, when: schedule.whenWords(data.starts_at)}), schedule.ofVisit(data));
        else desk.tell(words.saved, "success");
        fresh(data);
        schedule.freed?.(before, data);
      } catch (refusal) {
        // Somebody was faster: what was typed stays, beside what stands there now.
        if (refusal.error === "stale") setTimeout(() => schedule.showStale(side.querySelector("[data-refusal]"), refusal, body, (now) => save(form, {...body, version: now.version})), 0);
        throw refusal;
      }
    });
  }

  async function history() {
    const list = schedule.part("history");
    try {
      const {data} = await desk.ask(`${settings.urls.appointments}${visit.id}/history`);
      list.textContent = "";
      data.result.forEach((row) => {
        const item = element("li");
        const when = row.when.slice(0, 16);
        item.append(element("span", "muted", `${when.slice(8, 10)}.${when.slice(5, 7)} ${when.slice(11)} `), element("b", "", settings.deeds[row.what] || row.what), ` ${row.who} `, element("span", "", row.what === "appointment.booked" ? "" : schedule.differences(row)));
        list.append(item);
      });
    } catch (refusal) { list.textContent = refusal.message; }
  }

  // The grid got a newer version of the open visit: show it, unless something is being typed.
  document.addEventListener("schedule:fresh", (event) => {
    if (schedule.opened?.kind !== "visit" || !visit) return;
    const newer = event.detail.appointments.find((row) => row.id === schedule.opened.id);
    if (!newer || newer.version === visit.version) return;
    const form = side.querySelector("[data-change]");
    const typing = form.contains(document.activeElement) || side.querySelector("[data-cancel]")?.open;
    if (typing) return;
    visit = newer;
    fillForm(form, visit);
    show();
  });
})();
