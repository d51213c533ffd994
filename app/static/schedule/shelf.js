// The shelf: visits carried to another day, put down with the mouse, or with «Put» and a click or a key.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, say, fill, element, icon, plus, span, dayWords} = schedule;
  const bar = document.querySelector("[data-shelf]"), grid = document.querySelector("[data-grid]");
  if (!bar) return;
  let rows = [], drawn = "";

  async function load() {
    if (!settings.rights.move) return;
    try { rows = (await desk.ask(`${settings.urls.schedule}shelf`)).data.result; } catch (refusal) { return; } // the next change asks again
    if (schedule.placing) schedule.placing = rows.find((row) => row.id === schedule.placing.id) || null;
    draw();
  }

  // Only when something of it changed: what is being dragged, or pressed, must not vanish under the hand.
  function draw() {
    const wanted = JSON.stringify([rows, schedule.placing?.id]);
    if (wanted === drawn) return;
    drawn = wanted;
    bar.hidden = !rows.length;
    const note = element("span", "muted", schedule.placing ? say.placing : "");
    bar.replaceChildren(icon("archive"), element("b", "", say.shelf), ...rows.map(chip), note);
    grid.classList.toggle("is-placing", Boolean(schedule.placing));
  }

  function chip(visit) {
    const box = element("span", "shelf-item" + (schedule.placing?.id === visit.id ? " is-placing" : "")), open = element("a", "", visit.patient.short_name);
    open.href = "#";
    open.addEventListener("click", (event) => { event.preventDefault(); schedule.openVisit(visit.id); });
    const put = element("button", "btn btn-default btn-xs", say.place), off = element("button", "btn btn-link btn-xs");
    put.type = off.type = "button";
    put.setAttribute("aria-label", fill(say.place_what, {who: visit.patient.short_name}));
    put.addEventListener("click", () => { schedule.placing = schedule.placing?.id === visit.id ? null : visit; schedule.close(); draw(); bar.querySelector(".is-placing button")?.focus(); });
    off.title = say.take_off;
    off.setAttribute("aria-label", say.take_off);
    off.append(icon("times"));
    off.addEventListener("click", () => take(visit.id));
    box.draggable = true;
    box.dataset.shelved = visit.id;
    box.addEventListener("dragstart", (event) => { event.dataTransfer.setData("text/plain", String(visit.id)); event.dataTransfer.effectAllowed = "move"; });
    box.append(open, element("span", "muted", ` ${dayWords(visit.starts_at, {day: "numeric", month: "short"})} ${visit.starts_at.slice(11)} · ${span(visit.starts_at, visit.ends_at)} ${schedule.words.minutes} · ${visit.doctor} `), put, off);
    return box;
  }

  const carried = (event) => event.dataTransfer?.types.includes("text/plain");
  grid.addEventListener("dragover", (event) => { if (carried(event)) { event.preventDefault(); event.dataTransfer.dropEffect = "move"; } });
  grid.addEventListener("drop", (event) => {
    const visit = rows.find((row) => String(row.id) === event.dataTransfer.getData("text/plain"));
    const to = visit && schedule.slotAt(event.clientX, event.clientY);
    event.preventDefault();
    if (to) place(visit, to);
  });

  // Put a visit of the shelf down: the same visit, as long as before, at another time.
  async function place(visit, {starts_at, doctor_id, chair_id}) {
    let moved = null;
    const body = {version: visit.version, starts_at, ends_at: plus(starts_at, span(visit.starts_at, visit.ends_at)), doctor_id: doctor_id || visit.doctor_id, chair_id: chair_id || null};
    schedule.placing = null;
    draw();
    try {
      const {data} = await desk.ask(settings.urls.appointments + visit.id, {method: "PATCH", body});
      schedule.did(fill(say.moved_to, {who: data.patient.short_name, when: schedule.whenWords(data.starts_at)}), schedule.ofVisit(data));
      if (data.starts_at.slice(0, 10) !== schedule.state.day && schedule.state.view === "day") schedule.go({day: data.starts_at.slice(0, 10)});
      moved = data;
    } catch (refusal) {
      if (!schedule.offered(refusal, visit, body)) desk.tell(fill(schedule.words.moved_back, {why: refusal.message}), "danger");
    }
    schedule.close();
    load();
    schedule.load(true);
    if (moved) schedule.freed?.(visit, moved);
  }

  async function take(pk, method = "DELETE") {
    try {
      const {data} = await desk.ask(`${settings.urls.appointments}${pk}/shelf`, method === "DELETE" ? {method} : {method, body: {}});
      if (method === "POST") desk.tell(say.shelved, "success");
      if (schedule.opened?.kind === "visit" && schedule.opened.id === pk) document.dispatchEvent(new CustomEvent("schedule:visit", {detail: data}));
    } catch (refusal) { desk.tell(refusal.message, "danger"); }
    await load();
    schedule.load(true);
  }

  // The open visit's button: onto the shelf, or off it.
  document.addEventListener("schedule:visit", (event) => {
    const visit = event.detail, button = document.querySelector("[data-shelve]"), mine = visit.shelf?.user_id === settings.user_id;
    if (!button) return;
    button.hidden = !settings.rights.move || !["booked", "arrived"].includes(visit.status) || (visit.shelf && !mine);
    button.querySelector("span").textContent = mine ? say.take_off : button.dataset.put;
    button.onclick = () => take(visit.id, mine ? "DELETE" : "POST");
  });
  document.addEventListener("schedule:fresh", load);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && schedule.placing) { event.preventDefault(); schedule.placing = null; draw(); } }, true);
  schedule.placeAt = (slot) => place(schedule.placing, slot);
  schedule.left = load;
  load();
})();
