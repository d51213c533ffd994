// The waiting list and planned visits, wherever they are shown: forms and panels at the side, offers, fresh rows.
(function () {
  "use strict";
  const settings = JSON.parse(document.getElementById("wish-settings")?.textContent || "null");
  if (!settings) return;
  const words = settings.words, REFRESH = 6000;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const list = document.querySelector("[data-wish-list]");
  const own = document.querySelector("[data-wish-side]");
  const side = () => own || document.querySelector("[data-side]");
  const moment = (text) => `${text.slice(8, 10)}.${text.slice(5, 7)} ${text.slice(11, 16)}`;
  let shown = "", before = null;

  // --- the panel ------------------------------------------------------------------------------------------------
  async function open(url) {
    const place = side();
    let answer;
    try {
      answer = await fetch(url, {headers: {"X-Requested-With": "XMLHttpRequest"}, credentials: "same-origin"});
    } catch (failure) { desk.tell(document.body.dataset.offline || "Нет связи с сервером.", "danger"); return; }
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) { const refusal = await answer.json().catch(() => ({})); desk.tell(refusal.message || "", "danger"); return; }
    if (place.hidden) before = document.activeElement;
    if (!own && window.schedule) { schedule.opened = {kind: "wish"}; }
    place.innerHTML = await answer.text();
    place.hidden = false;
    place.scrollTop = 0;
    shown = url;
    ready(place);
  }
  function close() {
    const place = side();
    if (!own && window.schedule) { schedule.close(); return; }
    place.hidden = true;
    place.textContent = "";
    shown = "";
    before?.focus?.({preventScroll: true});
  }

  function ready(place) {
    const patient = place.querySelector("[data-wish-patient]");
    if (patient && window.jQuery) {
      jQuery(patient).select2({
        placeholder: "", width: "100%", dropdownParent: jQuery(place),
        ajax: {url: patient.dataset.lookup, delay: 200, data: (p) => ({q: p.term, page: p.page || 1}), dataType: "json"},
      }).on("select2:select", () => open(`${patient.dataset.wishPatient}?patient=${patient.value}`));
      jQuery(patient).select2("open");
    } else (place.querySelector("input:not([type=hidden]), select, textarea") || place.querySelector("button"))?.focus();
    place.querySelectorAll("select[name=service_id]").forEach((select) => select.addEventListener("change", () => {
      const given = select.selectedOptions[0].dataset.minutes, minutes = select.form.minutes;
      if (given && minutes) minutes.value = given;
    }));
    place.querySelectorAll("input[name=wanted_doctors]").forEach((radio) => radio.addEventListener("change", () => {
      place.querySelector("[data-wish-doctors]").hidden = radio.value === "any";
    }));
    place.querySelectorAll("[data-window]").forEach((button) => button.addEventListener("click", () => addWindow(place, button.dataset.window)));
    place.querySelectorAll("[data-months]").forEach((button) => button.addEventListener("click", () => {
      const form = button.closest("form");
      form.target_from.value = button.dataset.first;
      form.target_to.value = button.dataset.last;
      place.querySelectorAll("[data-months]").forEach((one) => one.classList.toggle("chosen", one === button));
    }));
  }

  function addWindow(place, text) {
    const all = place.querySelector("[data-windows]");
    if (!text) { all.textContent = ""; return; }
    const [from, to] = text.split("-"), made = place.querySelector("[data-window-template]").content.cloneNode(true);
    made.querySelector("[data-from]").value = from;
    made.querySelector("[data-to]").value = to;
    all.append(made);
  }

  // --- forms ----------------------------------------------------------------------------------------------------
  const number = (text) => text ? Number(text) : null;
  function bodyOf(form) {
    const at = (name) => form.elements[name], body = {};
    const text = (name) => { if (at(name)) body[name] = at(name).value; };
    const whole = (name) => { if (at(name)) body[name] = number(at(name).value); };
    const day = (name) => { if (at(name)) body[name] = at(name).value || null; };
    ["service_id", "speciality_id", "branch_id", "minutes"].forEach(whole);
    text("comment");
    if (form.dataset.wishForm === "waiting") {
      ["notice_hours"].forEach(whole);
      text("urgency");
      day("last_day");
      if (at("first_day").value) body.first_day = at("first_day").value;
      body.wanted_doctors = form.querySelector("input[name=wanted_doctors]:checked").value;
      const ticked = (name) => [...form.querySelectorAll(`input[name=${name}]:checked`)].map((box) => Number(box.value));
      body.doctor_ids = body.wanted_doctors === "any" ? [] : ticked("doctor_ids");
      body.weekdays = ticked("weekdays");
      body.windows = [...form.querySelectorAll("[data-windows] .wish-window")].map((one) => ({from: one.querySelector("[data-from]").value, to: one.querySelector("[data-to]").value})).filter((one) => one.from || one.to);
      if (!body.windows.length) body.windows = [{from: "00:00", to: "00:00"}];
      const kind = at("kind")?.value;
      if (kind) {
        [body.kind] = kind.split(":");
        body.appointment_id = kind.includes(":") ? Number(kind.split(":")[1]) : kind === "cancelled" ? whole2(at("appointment_id")) : null;
      }
    } else {
      ["tolerance_days", "doctor_id", "from_appointment_id"].forEach(whole);
      ["reason", "wishes", "made_from"].forEach(text);
      ["target_from", "target_to"].forEach((name) => { if (at(name).value) body[name] = at(name).value; });
      if (at("call_on").value) body.call_on = at("call_on").value;
      if (at("from_appointment_id") === undefined) delete body.from_appointment_id;
    }
    if (!form.dataset.id) whole("patient_id"); else body.version = Number(form.dataset.version);
    return body;
  }
  const whole2 = (field) => field ? number(field.value) : null;

  function refuse(form, refusal) {
    const box = (form.closest("[data-wish-side], [data-side]") || document).querySelector("[data-refusal]");
    form.querySelectorAll(".field-error").forEach((one) => one.remove());
    form.querySelectorAll(".has-error").forEach((one) => one.classList.remove("has-error"));
    const fields = Object.entries(refusal.fields || {});
    fields.forEach(([name, text]) => {
      const place = form.querySelector(`[data-field="${name.split(".")[0]}"]`);
      if (!place) { box && box.append(text); return; }
      place.classList.add("has-error");
      const line = document.createElement("span");
      line.className = "help-block field-error";
      line.textContent = text;
      place.append(line);
    });
    if (!box) { desk.tell(refusal.message, "danger"); return; }
    box.textContent = refusal.message || "";
    box.hidden = false;
    box.scrollIntoView({block: "nearest"});
  }

  // One button works once until the answer; a request without an answer keeps its key for the next try.
  async function once(button, work, refused) {
    if (button.disabled) return;
    button.disabled = true;
    button.dataset.key = button.dataset.key || crypto.randomUUID();
    try {
      await work(button.dataset.key);
      delete button.dataset.key;
    } catch (refusal) {
      if (refusal.message === undefined || refusal instanceof Error) throw refusal;
      if (refusal.status !== 0) delete button.dataset.key;
      refused(refusal);
    } finally { button.disabled = false; }
  }

  function save(form) {
    const waiting = form.dataset.wishForm === "waiting", id = form.dataset.id, base = waiting ? settings.entries : settings.plans;
    if (!id && !form.elements.patient_id.value) { refuse(form, {message: words.choose_patient}); return; }
    const body = bodyOf(form);
    if (!waiting && !body.target_from) { refuse(form, {message: words.choose_when}); return; }
    once(form.querySelector("[type=submit]"), async (key) => {
      const {data} = await desk.ask(id ? base + id : base, {method: id ? "PATCH" : "POST", body, once: key});
      desk.tell(id ? words.saved : waiting ? words.added : fill(words.planned, {day: data.call_on.split("-").reverse().slice(0, 2).join(".")}), "success");
      if (waiting && own && list) { await fresh(); open(settings.waiting_panel.replace(/0(?=\D*$)/, data.id)); return; }
      close();
      fresh();
    }, (refusal) => refuse(form, refusal));
  }

  function end(form) {
    const box = form.closest("[data-entry], [data-plan]"), entry = box.dataset.entry;
    const body = {version: Number(box.dataset.version)};
    if (form.reason_id) {
      if (!form.reason_id.value) { refuse(form, {message: words.choose_reason}); return; }
      body.reason_id = Number(form.reason_id.value);
    }
    if (form.call_on) body.call_on = form.call_on.value;
    if (form.comment) body.comment = form.comment.value;
    once(form.querySelector("[type=submit]"), async (key) => {
      await desk.ask(`${entry ? settings.entries + entry : settings.plans + box.dataset.plan}/${form.dataset.wishEnd}`, {method: "POST", body, once: key});
      desk.tell(words.done, "success");
      close();
      fresh();
    }, (refusal) => refuse(form, refusal));
  }

  // --- offers ---------------------------------------------------------------------------------------------------
  const tell = (refusal) => { desk.tell(refusal.message, "danger"); fresh(); };
  const told = (button) => (refusal) => {
    const box = button.closest("[data-wish-side], [data-side]")?.querySelector("[data-refusal]");
    if (!box) { tell(refusal); return; }
    box.textContent = refusal.message;
    box.hidden = false;
    box.scrollIntoView({block: "nearest"});
    fresh();
  };

  function offer(button, entry, slot, after) {
    return once(button, async (key) => {
      const {data} = await desk.ask(`${settings.entries}${entry}/offer`, {method: "POST", body: slot, once: key});
      desk.tell(fill(words.offered, {who: data.offer.patient.short_name, time: data.offer.expires_at.slice(11, 16)}), "success");
      after(data);
    }, told(button));
  }
  function accept(button, after) {
    return once(button, async (key) => {
      const {data} = await desk.ask(`${settings.offers}${button.dataset.accept}/accept`, {method: "POST", body: {}, once: key});
      desk.tell(fill(data.freed ? words.sooner_freed : words.accepted, {who: data.visit.patient.short_name, when: moment(data.visit.starts_at)}), "success");
      after(data);
    }, told(button));
  }
  function decline(button, after) {
    return once(button, async (key) => {
      const {data} = await desk.ask(`${settings.offers}${button.dataset.decline}/decline`, {method: "POST", body: {}, once: key});
      desk.tell(words.declined, "info");
      after(data);
    }, told(button));
  }

  // Book a free time straight away: a new visit that closes the entry, or the visit that was to be sooner is moved.
  function take(button) {
    const data = button.dataset, entry = button.closest("[data-entry]").dataset.entry;
    const slot = {doctor_id: Number(data.doctor), chair_id: number(data.chair), starts_at: data.starts, ends_at: data.ends};
    once(button, async (key) => {
      if (data.visit) {
        const made = await desk.ask(`${settings.entries}${entry}/offer`, {method: "POST", body: slot, once: key});
        button.dataset.accept = made.data.offer.id;
        button.disabled = false;
        delete button.dataset.key;
        await accept(button, next);
        return;
      }
      const answer = await desk.ask(settings.visits, {method: "POST", once: key, body: {...slot, patient_id: Number(data.patient), service_id: number(data.service), waiting_entry_id: Number(entry)}});
      desk.tell(fill(words.accepted, {who: answer.data.patient.short_name, when: moment(answer.data.starts_at)}), "success");
      close();
      fresh();
    }, told(button));
  }

  // A visit that was moved left its old time: the next round begins there.
  function next(data) {
    if (data.freed) {
      const {freed} = data;
      if (window.schedule?.openFits) { schedule.openFits(freed); return; }
      const query = new URLSearchParams({day: freed.starts_at.slice(0, 10), freed: `${freed.doctor_id},${freed.chair_id || ""},${freed.starts_at},${freed.ends_at}`});
      location.assign(`${settings.day}?${query}`);
      return;
    }
    if (shown) close();
    fresh();
  }

  // --- fresh rows -----------------------------------------------------------------------------------------------
  async function fresh() {
    document.dispatchEvent(new CustomEvent("wishes:changed"));
    if (window.schedule) schedule.load(true);
    const tab = document.querySelector("#tab [data-wish-open]") && document.querySelector("[data-tabs] .here");
    if (tab) { tab.click(); return; }
    if (!list) return;
    const failed = document.querySelector("[data-load-failed]");
    try {
      const answer = await fetch(list.dataset.url, {headers: {"X-Requested-With": "XMLHttpRequest"}, credentials: "same-origin", cache: "no-store"});
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      if (!list.contains(document.activeElement) || list.dataset.last !== text) list.innerHTML = text;
      list.dataset.last = text;
      failed.hidden = true;
    } catch (failure) { failed.hidden = false; }
  }
  if (list) {
    setInterval(() => { if (!document.hidden) fresh(); }, REFRESH);
    document.querySelectorAll("[data-filter]").forEach((one) => one.addEventListener("change", () => one.form.requestSubmit()));
  }

  // --- clicks and keys ------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const at = (name) => event.target.closest(`[data-${name}]`);
    if (at("wish-open")) { event.preventDefault(); open(at("wish-open").dataset.wishOpen); }
    else if (at("wish-close")) close();
    else if (at("window-off")) at("window-off").closest(".wish-window").remove();
    else if (at("accept") && !at("take")) accept(at("accept"), next);
    else if (at("decline")) decline(at("decline"), () => { if (shown) close(); fresh(); document.dispatchEvent(new CustomEvent("wishes:answered")); });
    else if (at("take")) take(at("take"));
    else if (at("offer") && at("entry")) {
      const {doctor, chair, starts, ends} = at("offer").dataset;
      offer(at("offer"), at("entry").dataset.entry, {doctor_id: Number(doctor), chair_id: number(chair), starts_at: starts, ends_at: ends}, () => { if (shown) open(shown); fresh(); });
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-wish-form]")) { event.preventDefault(); save(event.target); }
    else if (event.target.matches("[data-wish-end]")) { event.preventDefault(); end(event.target); }
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && own && !own.hidden && !event.target.closest(".select2-container")) { close(); return; }
    if (!list || event.target.closest("input, select, textarea, .select2-container")) return;
    if (event.code === "KeyN") { const add = document.querySelector("[data-key-n]"); if (add) { event.preventDefault(); add.click(); } }
  });

  window.wishes = {settings, words, fill, open, close, offer, accept, decline, once, moment, fresh, next};
})();
