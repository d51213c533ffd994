// The grid of the schedule: its columns, what stands in them, how a visit looks, dragging.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, fill, pad, iso, minutes, wallNow, plus, span, chairOf, chairName, icon, element, byChair} = schedule;
  const $ = (selector) => document.querySelector(selector), grid = $("[data-grid]");
  const ICONS = {booked: "calendar", arrived: "hourglass-half", in_progress: "user-md", completed: "check", cancelled: "times", no_show: "user-times"};
  const ANSWERS = {notified: "envelope", confirmed: "thumbs-up", asks_to_move: "exchange", declined: "ban", not_reached: "phone-slash"};
  const NOBODY = "0"; // the column of visits that have no chair yet
  let calendar = null, shape = "";

  // --- what stands in the grid ----------------------------------------------------------------------------
  function columns() {
    const sheet = state.sheet;
    if (!byChair()) return sheet.columns.map((row) => ({id: String(row.doctor_id), title: row.name}));
    const inUse = (id) => sheet.hours.some((h) => h.chair_id === id) || sheet.appointments.some((a) => place(a) === String(id)) || sheet.blocks.some((b) => b.chair_id === id);
    const several = new Set(sheet.chairs.map((row) => row.branch_id)).size > 1;
    const branch = (id) => settings.chairs.find((row) => row.id === id)?.branch || "";
    const found = sheet.chairs.filter((row) => inUse(row.chair_id)).map((row) => ({id: String(row.chair_id), title: several ? `${row.name} · ${branch(row.chair_id)}` : row.name}));
    if (sheet.appointments.some((a) => shown(a) && place(a) === NOBODY)) found.push({id: NOBODY, title: words.no_chair});
    return found;
  }

  const shown = (visit) => visit.status !== "cancelled" || $("[data-cancelled]").checked;
  const place = (row) => byChair() ? String(row.chair_id || chairOf(row.doctor_id, row.starts_at, row.ends_at) || NOBODY) : String(row.doctor_id);

  function edges() {
    const {hours, appointments, blocks} = state.sheet;
    const rows = [...hours, ...appointments.filter(shown), ...blocks];
    const end = (row) => row.ends_at.slice(0, 10) > state.day ? 1440 : minutes(row.ends_at);
    const first = Math.min(540, ...rows.map((row) => minutes(row.starts_at))), last = Math.max(1080, ...rows.map(end));
    return [Math.floor(first / 60), Math.ceil(last / 60)];
  }

  function movable(visit) {
    return settings.rights.move && ["booked", "arrived"].includes(visit.status);
  }

  function events() {
    const sheet = state.sheet, found = [];
    for (const h of sheet.hours) {
      const column = byChair() ? h.chair_id : h.doctor_id;
      if (column) found.push({id: "h" + h.id, resourceIds: [String(column)], start: h.starts_at, end: h.ends_at, display: "background", classNames: ["open-hours"]});
    }
    for (const b of sheet.blocks) {
      const column = byChair() ? b.chair_id || chairOf(b.doctor_id, b.starts_at, b.ends_at) : b.doctor_id;
      const places = column ? [String(column)] : byChair() ? [] : [...new Set(sheet.hours.filter((h) => h.chair_id === b.chair_id && h.starts_at < b.ends_at && b.starts_at < h.ends_at).map((h) => String(h.doctor_id)))];
      if (places.length) found.push({id: "b" + b.id, resourceIds: places, start: b.starts_at, end: b.ends_at, editable: false, classNames: ["time-block", "block-" + b.kind], extendedProps: {block: b}});
    }
    for (const a of sheet.appointments) {
      if (!shown(a)) continue;
      const classNames = ["visit", "visit-" + a.status];
      if (a.overbooked) classNames.push("visit-over");
      found.push({
        id: String(a.id), resourceIds: [place(a)], start: a.starts_at, end: a.ends_at, classNames, extendedProps: {visit: a},
        startEditable: movable(a), durationEditable: settings.rights.move && ["booked", "arrived", "in_progress"].includes(a.status),
      });
    }
    const now = iso(wallNow());
    if (now.slice(0, 10) === state.day) {
      for (const column of columns()) found.push({id: "now" + column.id, resourceIds: [column.id], start: now, end: plus(now, 1), display: "background", classNames: ["now-line"]});
    }
    return found;
  }

  // How a visit looks on its block. All of it is text: nothing typed by people becomes markup.
  function face(visit) {
    const box = element("div", "face"), line = element("div", "face-line"), patient = visit.patient;
    const status = icon(ICONS[visit.status], settings.statuses[visit.status]);
    status.classList.add("face-status");
    const name = element("b", "face-name", patient.short_name);
    if (patient.balance && Number(patient.balance.debt) > 0) name.classList.add("has-debt");
    else if (patient.balance && Number(patient.balance.advance) > 0) name.classList.add("has-advance");
    line.append(status, name);
    if (visit.first_visit) line.append(icon("star", words.first_visit));
    if (visit.status === "booked" && ANSWERS[visit.confirmation]) line.append(icon(ANSWERS[visit.confirmation], settings.confirmations[visit.confirmation]));
    if (patient.allergy) { const mark = icon("exclamation-triangle", `${words.allergy}: ${patient.allergy}`); mark.classList.add("danger"); line.append(mark); }
    if (visit.unpaid) { const mark = icon("rub", words.unpaid); mark.classList.add("danger"); line.append(mark); }
    if (visit.overbooked) line.append(icon("clone", words.overbooked));
    if (visit.comment) line.append(icon("comment", visit.comment));
    const more = element("div", "face-more");
    const time = element("span", "face-time", visit.starts_at.slice(11));
    time.append(element("span", "face-end", "–" + visit.ends_at.slice(11)));
    more.append(time);
    if (visit.status === "arrived") {
      const waited = Math.max(0, Math.floor((Date.now() - new Date(visit.arrived_at)) / 60000));
      more.append(" ", element("span", "face-waiting" + (waited >= settings.waiting_limit ? " danger" : ""), fill(words.waiting, {n: waited})));
    } else {
      more.append(" ", element("span", "face-word", settings.statuses[visit.status]));
    }
    const text = [byChair() ? visit.doctor : "", visit.service, visit.comment].filter(Boolean).join(" · ");
    box.append(line, more);
    if (text) box.append(element("div", "face-text", text));
    return box;
  }

  function blockFace(block) {
    const box = element("div", "face");
    const line = element("div", "face-line");
    line.append(icon(block.kind === "hold" ? "hand-paper-o" : "ban", settings.blocks[block.kind]), element("b", "", block.reason));
    box.append(line, element("div", "face-more", `${block.starts_at.slice(11)}–${block.ends_at.slice(11)} ${settings.blocks[block.kind]}`));
    return box;
  }

  // --- dragging ---------------------------------------------------------------------------------------------
  async function moved(info) {
    const visit = info.event.extendedProps.visit, start = iso(info.event.start), end = iso(info.event.end);
    const body = {version: visit.version, starts_at: start, ends_at: end};
    const to = info.newResource ? Number(info.newResource.id) : null;
    if (!byChair()) {
      const doctor = to || visit.doctor_id;
      if (to) body.doctor_id = to;
      const before = chairOf(visit.doctor_id, visit.starts_at, visit.ends_at);
      if (to || visit.chair_id === before) {
        const after = chairOf(doctor, start, end);
        if (after !== before && visit.chair_id) body.chair_id = after;
      }
    } else if (info.newResource) {
      body.chair_id = to || null;
    }
    state.busy++;
    try {
      await desk.ask(settings.urls.appointments + visit.id, {method: "PATCH", body});
    } catch (refusal) {
      info.revert();
      if (!offered(refusal, visit, body)) desk.tell(fill(words.moved_back, {why: refusal.message}), "danger");
    } finally {
      state.busy--;
      schedule.load(true);
    }
  }

  // What needs only a reason is offered in the visit's panel, filled in as it was dragged.
  function offered(refusal, visit, body) {
    const may = (refusal.error === "slot_taken" && refusal.busy !== "patient" && settings.rights.overbook) || (refusal.error === "outside_hours" && settings.rights.outside_hours);
    if (may) schedule.openVisit(visit.id, {draft: body, refusal});
    return may;
  }

  // --- the calendar -----------------------------------------------------------------------------------------
  function options() {
    const [first, last] = edges();
    return {
      view: "resourceTimeGridDay", date: state.day, resources: columns(), events: events(), locale: settings.locale, firstDay: 1, theme: (theme) => theme,
      headerToolbar: {start: "", center: "", end: ""}, allDaySlot: false, nowIndicator: false, highlightedDates: [],
      slotMinTime: pad(first) + ":00:00", slotMaxTime: pad(last) + ":00:00", slotDuration: {minutes: settings.step}, snapDuration: {minutes: 5},
      slotLabelInterval: {minutes: 60}, slotLabelFormat: (time) => `${pad(time.getHours())}:${pad(time.getMinutes())}`, slotHeight: slotHeight(last - first),
      scrollTime: scrollTime(first), dayHeaderFormat: () => "", columnWidth: window.innerWidth < 860 ? "130px" : undefined, slotEventOverlap: false,
      eventStartEditable: true, eventDurationEditable: true, editable: true, eventDragMinDistance: 6, eventLongPressDelay: 400, dragScroll: true,
      selectable: settings.rights.book, selectMinDistance: 6, selectLongPressDelay: 500, unselectAuto: false, selectBackgroundColor: "rgba(11, 107, 114, .35)", pointer: true,
      eventContent: (info) => {
        const {visit, block} = info.event.extendedProps;
        if (visit) return {domNodes: [face({...visit, starts_at: iso(info.event.start), ends_at: iso(info.event.end)})]};
        if (block) return {domNodes: [blockFace(block)]};
        return "";
      },
      eventDidMount: (info) => {
        const {visit, block} = info.event.extendedProps;
        if (visit) { info.el.title = told(visit); info.el.dataset.visit = visit.id; info.el.tabIndex = 0; info.el.setAttribute("role", "button"); }
        if (block) { info.el.title = block.reason; info.el.dataset.block = block.id; }
      },
      eventClick: (info) => {
        const {visit, block} = info.event.extendedProps;
        if (visit) schedule.openVisit(visit.id);
        else if (block) schedule.openBlock(block);
        else if (info.event.display === "background" && settings.rights.book) clicked(info.jsEvent);
      },
      dateClick: (info) => { if (settings.rights.book) start(iso(info.date), null, info.resource); },
      select: (info) => start(iso(info.start), iso(info.end), info.resource),
      eventDragStart: () => { state.busy++; }, eventDragStop: () => { state.busy--; },
      eventResizeStart: () => { state.busy++; }, eventResizeStop: () => { state.busy--; },
      eventDrop: moved, eventResize: moved,
    };
  }

  function clicked(event) {
    const point = calendar.dateFromPoint(event.clientX, event.clientY);
    if (point) start(iso(point.date), null, point.resource);
  }

  // Somebody pointed at free time: open the booking with it.
  function start(from, to, resource) {
    const column = resource ? Number(resource.id) : null;
    let doctor_id = byChair() ? null : column, chair_id = byChair() ? column || null : null;
    const end = to || plus(from, 5);
    if (byChair()) doctor_id = (state.sheet.hours.find((h) => h.chair_id === column && h.starts_at < end && from < h.ends_at) || {}).doctor_id || null;
    else chair_id = chairOf(column, from, end);
    schedule.openBooking({starts_at: from, minutes: to ? span(from, to) : null, doctor_id, chair_id});
  }

  const told = (visit) => [
    `${visit.starts_at.slice(11)}–${visit.ends_at.slice(11)} ${visit.patient.name}`, settings.statuses[visit.status], visit.doctor, chairName(visit.chair_id), visit.service, visit.comment,
    visit.patient.allergy ? `${words.allergy}: ${visit.patient.allergy}` : "",
  ].filter(Boolean).join("\n");

  // The day fills the page when it can; a slot is never lower than one line of text.
  function slotHeight(hours) {
    const room = window.innerHeight - grid.getBoundingClientRect().top - 40, slots = hours * 60 / settings.step;
    return Math.max(settings.step >= 15 ? 15 : 9, Math.floor(room / slots));
  }

  function scrollTime(first) {
    const now = wallNow();
    return iso(now).slice(0, 10) === state.day ? pad(Math.max(first, now.getHours() - 1)) + ":00:00" : pad(first) + ":00:00";
  }

  function draw() {
    const empty = !columns().length;
    $("[data-empty]").hidden = !empty;
    grid.hidden = empty;
    if (empty) return;
    const wanted = JSON.stringify([state.day, columns(), edges(), state.by]);
    if (!calendar || wanted !== shape) {
      const scroller = calendar && grid.querySelector(".ec-main"), kept = scroller && shape && JSON.parse(shape)[0] === state.day ? scroller.scrollTop : null;
      if (calendar) EventCalendar.destroy(calendar);
      grid.textContent = "";
      calendar = EventCalendar.create(grid, options());
      shape = wanted;
      if (kept !== null) requestAnimationFrame(() => { const main = grid.querySelector(".ec-main"); if (main) main.scrollTop = kept; });
    } else {
      calendar.setOption("events", events());
    }
  }

  grid.addEventListener("keydown", (event) => {
    const visit = event.target.dataset?.visit;
    if (visit && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); schedule.openVisit(Number(visit)); }
  });
  window.addEventListener("resize", () => { if (calendar && state.sheet) { const [first, last] = edges(); calendar.setOption("slotHeight", slotHeight(last - first)); } });

  Object.assign(schedule, {draw, drawn: () => calendar !== null, unselect: () => calendar?.unselect()});
})();
