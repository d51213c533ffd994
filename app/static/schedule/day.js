// The day of the schedule: the grid, its columns, dragging, and keeping it fresh. Panels are in the files beside it.
(function () {
  "use strict";
  const grid = document.querySelector("[data-grid]");
  if (!grid) return;
  const settings = JSON.parse(document.getElementById("schedule-settings").textContent);
  const words = settings.words, $ = (selector) => document.querySelector(selector);
  const POLL = 4000;
  const ICONS = {booked: "calendar", arrived: "hourglass-half", in_progress: "user-md", completed: "check", cancelled: "times", no_show: "user-times"};
  const ANSWERS = {notified: "envelope", confirmed: "thumbs-up", asks_to_move: "exchange", declined: "ban", not_reached: "phone-slash"};
  const NOBODY = "0"; // the column of visits that have no chair yet

  const state = {day: settings.day, branch: settings.branch_id || "", by: settings.by, sheet: null, tag: null, skew: 0, busy: 0, patient: settings.patient, open: settings.open};
  let calendar = null, shape = "", asked = 0, timer = 0, loadedAt = null;

  // --- small things that the panels use too -----------------------------------------------------------
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const pad = (n) => String(n).padStart(2, "0");
  const iso = (date) => `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`;
  const local = (text) => { const [y, m, d, h = 0, i = 0] = text.split(/\D/).map(Number); return new Date(y, m - 1, d, h, i); };
  const minutes = (text) => Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16));
  const wallNow = () => new Date(Date.now() + state.skew);
  const plus = (text, n) => { const date = local(text); date.setMinutes(date.getMinutes() + n); return iso(date); };
  const span = (from, to) => Math.round((local(to) - local(from)) / 60000);
  const dayWords = (text, form = {weekday: "short", day: "numeric", month: "long"}) => local(text.slice(0, 10)).toLocaleDateString(settings.locale, form).replace(",", "");
  const doctorName = (id) => (settings.doctors.find((row) => row.id === id) || (state.sheet?.columns || []).find((row) => row.doctor_id === id) || {}).name || "";
  const chairName = (id) => { const chair = settings.chairs.find((row) => row.id === id); return chair ? chair.name : ""; };
  const hoursOf = (doctor, from, to) => (state.sheet?.hours || []).filter((h) => h.doctor_id === doctor && h.starts_at < to && from < h.ends_at);
  // The chair where a doctor works at that time, by the doctor's hours.
  const chairOf = (doctor, from, to) => hoursOf(doctor, from, to).find((h) => h.chair_id)?.chair_id || null;
  const icon = (name, title) => { const i = document.createElement("i"); i.className = "fa fa-" + name; if (title) { i.title = title; i.setAttribute("aria-label", title); i.setAttribute("role", "img"); } else i.setAttribute("aria-hidden", "true"); return i; };
  const element = (tag, className, text) => { const made = document.createElement(tag); if (className) made.className = className; if (text !== undefined) made.textContent = text; return made; };

  // --- what stands in the grid ----------------------------------------------------------------------------
  const byChair = () => state.by === "chair";

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
      load(true);
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

  // --- keeping fresh ------------------------------------------------------------------------------------------
  const key = () => `${settings.urls.day}?day=${state.day}` + (state.branch ? `&branch_id=${state.branch}` : "");

  async function load(now = false) {
    clearTimeout(timer);
    if (state.busy && !now) { timer = setTimeout(load, POLL); return; }
    const mine = ++asked, url = key();
    try {
      const answer = await desk.ask(url, {headers: state.tag ? {"If-None-Match": state.tag} : {}});
      if (mine !== asked) return;
      const clock = answer.headers.get("X-Wall-Clock");
      if (clock) state.skew = local(clock).getTime() + Number(clock.slice(17, 19) || 0) * 1000 - Date.now();
      loadedAt = wallNow();
      $("[data-load-failed]").hidden = true;
      grid.classList.remove("is-old");
      if (answer.status !== 304) {
        state.tag = answer.headers.get("ETag");
        state.sheet = answer.data;
        if (!state.busy) draw();
        document.dispatchEvent(new CustomEvent("schedule:fresh", {detail: state.sheet}));
      } else if (!state.busy && calendar) {
        minute();
      }
      if (state.open) { const pk = state.open; state.open = null; schedule.openVisit(pk); }
    } catch (refusal) {
      if (mine !== asked) return;
      $("[data-load-failed]").hidden = false;
      $("[data-why]").textContent = refusal.message || "";
      $("[data-last]").textContent = state.sheet && loadedAt ? fill(words.last_seen, {time: iso(loadedAt).slice(11)}) : "";
      $("[data-empty]").hidden = true;
      $("[data-loading]")?.remove();
      grid.classList.add("is-old");
      state.tag = null;
    } finally {
      if (mine === asked) timer = setTimeout(load, POLL);
    }
  }

  // Waiting minutes and the line of now walk on by themselves, once a minute.
  let drawnMinute = "";
  function minute() {
    const now = iso(wallNow());
    if (now === drawnMinute) return;
    drawnMinute = now;
    draw();
  }

  function go(change) {
    Object.assign(state, change, {tag: null, sheet: change.by && !change.day ? state.sheet : null});
    bar();
    const query = new URLSearchParams({day: state.day});
    if (state.branch) query.set("branch", state.branch);
    if (byChair()) query.set("by", "chair");
    if (state.patient) query.set("patient", state.patient.id);
    if (state.patient?.call_task_id) query.set("task", state.patient.call_task_id);
    history.replaceState(null, "", `${settings.urls.page}?${query}`);
    if (state.sheet) draw();
    else { grid.classList.add("is-old"); }
    return load(true);
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
    else if (at("retry")) load(true);
    else if (at("new")) schedule.openBooking({});
    else if (at("free")) schedule.openFree();
    else if (event.target.closest("a[data-block]")) { event.preventDefault(); schedule.openBlocking(); }
    else if (at("for-end")) { state.patient = null; go({}); }
  });
  $("[data-date]").addEventListener("change", (event) => { if (event.target.value) go({day: event.target.value}); });
  $("[data-branch]")?.addEventListener("change", (event) => go({branch: event.target.value}));
  $("[data-cancelled]").addEventListener("change", () => { if (state.sheet) draw(); });
  grid.addEventListener("keydown", (event) => {
    const visit = event.target.dataset?.visit;
    if (visit && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); schedule.openVisit(Number(visit)); }
  });

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
  document.addEventListener("visibilitychange", () => { if (!document.hidden) load(true); });
  window.addEventListener("resize", () => { if (calendar && state.sheet) { const [first, last] = edges(); calendar.setOption("slotHeight", slotHeight(last - first)); } });

  window.schedule = {
    settings, words, state, fill, iso, local, plus, span, minutes, wallNow, dayWords, doctorName, chairName, chairOf, hoursOf, icon, element,
    load, go, unselect: () => calendar?.unselect(), visit: (pk) => state.sheet?.appointments.find((row) => row.id === pk),
  };
  bar();
  setTimeout(() => { load(true); if (state.patient) schedule.openFree(); }, 0);
})();
