// The grid of the schedule: its columns, what stands in them, dragging. The day has a column per doctor or chair,
// the week one per day.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, fill, pad, iso, local, minutes, wallNow, plus, span, chairOf, chairName, doctorName, dayWords, icon, element, byChair, narrow, tintOf, today} = schedule;
  const $ = (selector) => document.querySelector(selector), grid = $("[data-grid]");
  const NOBODY = "0"; // the column of visits that have no chair yet
  let calendar = null, shape = "";

  // --- what stands in the grid ----------------------------------------------------------------------------
  const weekly = () => state.view === "week";
  const shown = (visit) => visit.status !== "cancelled" || state.cancelled;
  const place = (row) => byChair() ? String(row.chair_id || chairOf(row.doctor_id, row.starts_at, row.ends_at) || NOBODY) : String(row.doctor_id);
  const unique = (list) => [...new Set(list)];
  const inOrder = (hours) => [...hours].sort((a, b) => a.starts_at < b.starts_at ? -1 : 1);

  // All columns of the day that the view lets through; the bar offers them one by one on a phone.
  function columns() {
    const sheet = state.sheet, chosen = new Set(state.doctors), wanted = (doctor) => !chosen.size || chosen.has(doctor);
    if (weekly()) return [];
    if (!byChair()) {
      return sheet.columns.filter((row) => wanted(row.doctor_id)).map((row) => ({id: String(row.doctor_id), title: row.name, more: whereabouts(row.doctor_id), tint: tintOf(row.doctor_id)}));
    }
    const used = new Set(), add = (row, column) => { if (wanted(row.doctor_id) || (row.doctor_id === null && !chosen.size)) used.add(String(column)); };
    sheet.hours.forEach((h) => add(h, h.chair_id));
    sheet.blocks.forEach((b) => add(b, b.chair_id));
    sheet.appointments.forEach((a) => { if (shown(a)) add(a, place(a)); });
    const several = new Set(sheet.chairs.map((row) => row.branch_id)).size > 1;
    const branch = (id) => settings.chairs.find((row) => row.id === id)?.branch || "";
    const found = sheet.chairs.filter((row) => used.has(String(row.chair_id))).map((row) => ({
      id: String(row.chair_id), title: row.name,
      more: [several ? branch(row.chair_id) : "", unique(inOrder(sheet.hours).filter((h) => h.chair_id === row.chair_id).map((h) => doctorName(h.doctor_id))).join(", ")].filter(Boolean).join(" · "),
    }));
    if (used.has(NOBODY)) found.push({id: NOBODY, title: words.no_chair, more: ""});
    return found;
  }

  // When and in which chair a doctor works: «09:00–15:00 · Кресло 2».
  function whereabouts(doctor) {
    const hours = inOrder(state.sheet.hours).filter((h) => h.doctor_id === doctor);
    const times = hours.map((h) => `${h.starts_at.slice(11)}–${h.ends_at.slice(11)}`).join(", ");
    return [times, unique(hours.map((h) => chairName(h.chair_id)).filter(Boolean)).join(", ")].filter(Boolean).join(" · ");
  }

  // One column on a phone, all of them elsewhere.
  function seen() {
    const all = columns();
    if (weekly() || !narrow() || all.length < 2) return all;
    return [all.find((column) => column.id === String(state.one)) || all[0]];
  }

  function edges() {
    const {hours, appointments, blocks} = state.sheet;
    let first = 540, last = 1080;
    const widen = (row) => {
      first = Math.min(first, minutes(row.starts_at));
      last = Math.max(last, row.ends_at.slice(0, 10) > row.starts_at.slice(0, 10) ? 1440 : minutes(row.ends_at));
    };
    hours.forEach(widen);
    blocks.forEach(widen);
    appointments.filter(shown).forEach(widen);
    return [Math.floor(first / 60), Math.ceil(last / 60)];
  }

  function movable(visit) {
    return settings.rights.move && ["booked", "arrived"].includes(visit.status);
  }

  // The pauses between a doctor's hours of a day in one column: named, so that nobody takes them for the end.
  function pauses(column) {
    const last = new Map(), found = [];
    for (const h of inOrder(state.sheet.hours)) {
      const key = [column(h), h.doctor_id, h.branch_id, h.starts_at.slice(0, 10)].join(), before = last.get(key);
      if (before && before < h.starts_at) found.push({id: "p" + h.id, resourceIds: [String(column(h))], start: before, end: h.starts_at, display: "background", classNames: ["pause-time"], extendedProps: {pause: true}});
      last.set(key, h.ends_at);
    }
    return found;
  }

  function events() {
    const sheet = state.sheet, column = (h) => byChair() ? h.chair_id : h.doctor_id, found = pauses(column);
    for (const h of sheet.hours) {
      if (column(h)) found.push({id: "h" + h.id, resourceIds: [String(column(h))], start: h.starts_at, end: h.ends_at, display: "background", classNames: ["open-hours"]});
    }
    for (const b of sheet.blocks) {
      const own = byChair() ? b.chair_id || chairOf(b.doctor_id, b.starts_at, b.ends_at) : b.doctor_id;
      const there = own || byChair() ? [] : unique(sheet.hours.filter((h) => h.chair_id === b.chair_id && h.starts_at < b.ends_at && b.starts_at < h.ends_at).map((h) => String(h.doctor_id)));
      const places = own ? [String(own)] : there;
      if (places.length) found.push({id: "b" + b.id, resourceIds: places, start: b.starts_at, end: b.ends_at, startEditable: settings.rights.block, durationEditable: settings.rights.block, classNames: ["time-block", "block-" + b.kind], extendedProps: {block: b}});
    }
    for (const a of sheet.appointments) {
      if (!shown(a)) continue;
      const classNames = ["visit", "visit-" + a.status];
      if (a.overbooked) classNames.push("visit-over");
      if (a.shelf) classNames.push("visit-shelved");
      found.push({
        id: String(a.id), resourceIds: [place(a)], start: a.starts_at, end: a.ends_at, classNames, extendedProps: {visit: a},
        styles: state.colours === "doctor" && !weekly() ? [`--tint: ${tintOf(a.doctor_id)}`] : [],
        startEditable: movable(a), durationEditable: settings.rights.move && ["booked", "arrived", "in_progress"].includes(a.status),
      });
    }
    const now = iso(wallNow()), line = {start: now, end: plus(now, 1), display: "background", classNames: ["now-line"]};
    if (weekly()) found.push({id: "now", ...line});
    else if (now.slice(0, 10) === state.day) for (const one of seen()) found.push({id: "now" + one.id, resourceIds: [one.id], ...line});
    return found;
  }

  // --- dragging ---------------------------------------------------------------------------------------------
  // A block is dragged to another time; to another column only where it belongs to the column's doctor or chair.
  async function blockMoved(info) {
    const block = info.event.extendedProps.block, to = info.newResource ? Number(info.newResource.id) || null : null;
    const body = {version: block.version, starts_at: iso(info.event.start), ends_at: iso(info.event.end)}, whose = byChair() ? "chair_id" : "doctor_id";
    if (info.newResource && (!to || !block[whose])) { info.revert(); return; }
    if (to) body[whose] = to;
    state.busy++;
    try { await schedule.changeBlock(block, body); } catch (refusal) {
      info.revert();
      desk.tell(fill(words.moved_back, {why: refusal.message}), "danger");
    } finally { state.busy--; }
  }

  async function moved(info) {
    if (info.event.extendedProps.block) { blockMoved(info); return; }
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
      const {data} = await desk.ask(settings.urls.appointments + visit.id, {method: "PATCH", body});
      const said = data.moves === visit.moves ? schedule.say.changed : schedule.say.moved_to;
      schedule.did(fill(said, {who: data.patient.short_name, when: schedule.whenWords(data.starts_at)}), schedule.ofVisit(data));
      schedule.freed?.(visit, data);
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
      view: weekly() ? "timeGridWeek" : "resourceTimeGridDay", date: state.day, resources: weekly() ? [] : seen().map(({id, title, more, tint}) => ({id, title, extendedProps: {more, tint}})),
      events: events(), locale: settings.locale, firstDay: 1, theme: (theme) => theme,
      headerToolbar: {start: "", center: "", end: ""}, allDaySlot: false, nowIndicator: false, highlightedDates: [],
      slotMinTime: pad(first) + ":00:00", slotMaxTime: pad(last) + ":00:00", slotDuration: {minutes: settings.step}, snapDuration: {minutes: 5},
      slotLabelInterval: {minutes: 60}, slotLabelFormat: (time) => `${pad(time.getHours())}:${pad(time.getMinutes())}`, slotHeight: slotHeight(last - first),
      scrollTime: scrollTime(first), dayHeaderFormat: weekly() ? dayHead : () => "", resourceLabelContent: columnHead, columnWidth: columnWidth(), slotEventOverlap: false,
      eventTimeFormat: () => "", // the face has the time; asking Intl for each visit takes longer than drawing it
      eventStartEditable: true, eventDurationEditable: true, editable: true, eventDragMinDistance: 6, eventLongPressDelay: 400, dragScroll: true,
      selectable: settings.rights.book, selectMinDistance: 6, selectLongPressDelay: 500, unselectAuto: false, selectBackgroundColor: "rgba(11, 107, 114, .35)", pointer: true,
      eventContent: (info) => {
        const {visit, block, pause} = info.event.extendedProps;
        if (visit) return {domNodes: [faceOf({...visit, starts_at: iso(info.event.start), ends_at: iso(info.event.end)}, info.event.display === "preview")]};
        if (block) return {domNodes: [schedule.blockFace(block)]};
        return pause ? {domNodes: [element("span", "pause-name", `${words.pause} ${iso(info.event.start).slice(11)}–${iso(info.event.end).slice(11)}`)]} : "";
      },
      eventDidMount: (info) => name(info.el), eventAllUpdated: () => grid.querySelectorAll(".ec-event").forEach(name),
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

  // The calendar gives a drawn element to another event as it likes: what an element stands for is read from its face.
  // It may do so while the next day is on its way and there is no sheet.
  function name(el) {
    const visit = schedule.visit(Number(el.querySelector("[data-of-visit]")?.dataset.ofVisit));
    const block = state.sheet?.blocks.find((row) => row.id === Number(el.querySelector("[data-of-block]")?.dataset.ofBlock));
    const set = (key, value) => { if (value) el.dataset[key] = value; else delete el.dataset[key]; };
    set("visit", visit?.id);
    set("block", block?.id);
    if (visit || block) el.title = visit ? schedule.told(visit) : block.reason; else el.removeAttribute("title");
    if (visit) { el.tabIndex = 0; el.setAttribute("role", "button"); }
  }

  // Of many columns only those near the screen get their faces; the others when they are scrolled to.
  const MANY = 16;
  let watcher = null, unseen = [];
  function faceOf(visit, dragged) {
    if (dragged || weekly() || state.sheet.columns.length <= MANY) return schedule.face(visit, dragged);
    const box = element("div", "face");
    box.dataset.ofVisit = visit.id;
    box.fill = () => box.replaceWith(schedule.face(visit));
    if (watcher) watcher.observe(box); else unseen.push(box);
    return box;
  }
  function watch(main) {
    watcher = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) { watcher?.unobserve(entry.target); entry.target.fill(); }
    }, {root: main, rootMargin: "3000px 300px"});
    unseen.forEach((box) => watcher.observe(box));
    unseen = [];
  }

  function columnHead({resource}) {
    const {more, tint} = resource.extendedProps, box = element("span", "column-head", resource.title);
    if (tint && state.colours === "doctor") box.style.setProperty("--tint", tint), box.classList.add("tinted");
    if (more) { const line = element("small", "column-more", more); line.title = more; box.append(line); }
    return {domNodes: [box]};
  }

  function dayHead(date) {
    const day = iso(date).slice(0, 10), box = element("span", "column-head" + (day === today() ? " is-today" : ""), dayWords(day, {weekday: "short", day: "numeric", month: "short"}));
    const hours = inOrder(state.sheet.hours).filter((h) => h.starts_at.slice(0, 10) === day);
    const more = hours.map((h) => `${h.starts_at.slice(11)}–${h.ends_at.slice(11)}`).join(", ");
    box.append(element("small", "column-more", more || words.day_off));
    return {domNodes: [box]};
  }

  // Up to a dozen columns share the page; more of them, and a week on a phone, are scrolled beside the hours.
  function columnWidth() {
    const count = weekly() ? 7 : seen().length, room = grid.parentElement.clientWidth - 90, least = weekly() ? (narrow() ? 116 : 92) : 96;
    return count * least > room ? `${weekly() ? least : Math.max(least, 118)}px` : undefined;
  }

  // Which free time lies under a point of the page: {starts_at, doctor_id, chair_id}.
  function slotAt(x, y) {
    const point = calendar?.dateFromPoint(x, y);
    return point ? slotOf(iso(point.date), null, point.resource) : null;
  }

  function clicked(event) {
    const point = calendar.dateFromPoint(event.clientX, event.clientY);
    if (point) start(iso(point.date), null, point.resource);
  }

  // Somebody pointed at free time: open the booking with it.
  const start = (from, to, resource) => schedule.openBooking(slotOf(from, to, resource));

  function slotOf(from, to, resource) {
    const column = weekly() ? Number(state.doctor) : resource ? Number(resource.id) : null, end = to || plus(from, 5);
    let doctor_id = byChair() ? null : column, chair_id = byChair() ? column || null : null;
    if (byChair()) doctor_id = (state.sheet.hours.find((h) => h.chair_id === column && h.starts_at < end && from < h.ends_at) || {}).doctor_id || null;
    else chair_id = chairOf(column, from, end);
    return {starts_at: from, minutes: to ? span(from, to) : null, doctor_id, chair_id};
  }

  // The day fills the page when it can; a slot is never lower than one line of text.
  function slotHeight(hours) {
    const room = window.innerHeight - grid.getBoundingClientRect().top - 58, slots = hours * 60 / settings.step;
    return Math.max(settings.step >= 15 ? 15 : 9, Math.floor(room / slots));
  }

  function scrollTime(first) {
    const now = wallNow();
    return weekly() || iso(now).slice(0, 10) === state.day ? pad(Math.max(first, now.getHours() - 1)) + ":00:00" : pad(first) + ":00:00";
  }

  function drawGrid() {
    const empty = !weekly() && !columns().length;
    $("[data-empty]").hidden = !empty;
    grid.hidden = empty;
    schedule.columnsChanged?.(columns());
    if (empty) return;
    const focused = grid.contains(document.activeElement) ? document.activeElement.dataset.visit : null;
    const wanted = JSON.stringify([state.view, state.day, weekly() ? [state.doctor, state.sheet.hours.map((h) => h.starts_at + h.ends_at)] : seen(), edges(), state.by, state.colours]);
    if (!calendar || wanted !== shape) build(wanted);
    else calendar.setOption("events", events());
    if (focused) queueMicrotask(() => keepFocus(focused));
  }

  // Made anew only when columns or hours of the page change; the place where one looked is kept within the same day.
  function build(wanted) {
    const scroller = calendar && grid.querySelector(".ec-main"), before = shape && JSON.parse(shape);
    const kept = scroller && before && before[0] === state.view && before[1] === state.day ? [scroller.scrollTop, scroller.scrollLeft] : null;
    watcher?.disconnect();
    [watcher, unseen] = [null, []];
    if (calendar) EventCalendar.destroy(calendar);
    grid.textContent = "";
    calendar = EventCalendar.create(grid, options());
    watch(grid.querySelector(".ec-main"));
    shape = wanted;
    requestAnimationFrame(() => {
      const main = grid.querySelector(".ec-main");
      if (!main) return;
      if (kept) [main.scrollTop, main.scrollLeft] = kept;
      else if (weekly()) { const head = grid.querySelector(".is-today"); if (head) main.scrollLeft = Math.max(0, head.closest(".ec-col-head").offsetLeft - 60); }
    });
  }

  // Before the next key is read: an element that was focused may be gone by now, or stand for another visit.
  function keepFocus(pk) {
    const at = document.activeElement, lost = !at || at === document.body || grid.contains(at);
    if (lost && at?.dataset.visit !== pk) focus(pk);
  }

  const focus = (pk) => grid.querySelector(`[data-visit="${pk}"]`)?.focus();

  grid.addEventListener("keydown", (event) => {
    const visit = event.target.dataset?.visit;
    if (visit && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); schedule.openVisit(Number(visit)); }
  });
  let wide = window.innerWidth;
  window.addEventListener("resize", () => {
    if (!calendar || !state.sheet || state.view === "month") return;
    if (window.innerWidth !== wide) { wide = window.innerWidth; shape = ""; drawGrid(); return; }
    const [first, last] = edges();
    calendar.setOption("slotHeight", slotHeight(last - first));
  });

  Object.assign(schedule, {slotAt, offered, drawGrid, unselect: () => calendar?.unselect(), focusVisit: focus, columns: () => state.sheet ? columns() : []});
})();
