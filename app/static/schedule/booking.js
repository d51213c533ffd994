// Booking a visit: the form at the side of the schedule. Free times are in free.js.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, element, fill} = schedule;

  // --- booking ----------------------------------------------------------------------------------------------
  // With a time: that one. Without: the first free time is filled in and the next ones stand beside it.
  schedule.openBooking = ({starts_at, minutes, doctor_id, chair_id, service_id}) => {
    if (schedule.placing && starts_at) { schedule.placeAt({starts_at, doctor_id, chair_id}); return; }
    const side = schedule.show("booking-panel", {kind: "booking"}), form = side.querySelector("[data-booking]");
    const now = schedule.iso(schedule.wallNow()), from = starts_at || `${state.day}T${now.slice(0, 10) === state.day ? rounded(now) : "09:00"}`;
    form.day.value = from.slice(0, 10);
    form.start.value = from.slice(11);
    form.minutes.value = minutes || 30;
    form.dataset.length = minutes ? "given" : "";
    schedule.fillDoctors(form.doctor_id, doctor_id, "");
    schedule.fillChairs(form.chair_id, chair_id);
    if (service_id) form.service_id.value = service_id;
    form.service_id.addEventListener("change", () => { const option = form.service_id.selectedOptions[0]; if (option.dataset.minutes) form.minutes.value = option.dataset.minutes; });
    form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); } });
    const follow = () => {
      if (form.day.value !== state.day || !form.doctor_id.value) return;
      const {starts_at: from, ends_at: to} = schedule.times(form);
      form.chair_id.value = schedule.chairOf(Number(form.doctor_id.value), from, to) || "";
    };
    form.doctor_id.addEventListener("change", follow);
    [form.doctor_id, form.day].forEach((field) => field.addEventListener("change", () => { if (form.dataset.patient) schedule.showWishes?.(form, form.querySelector("[data-others]"), Number(form.dataset.patient)); }));
    form.start.addEventListener("change", follow);
    form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); save(form); });
    picker(form);
    if (!starts_at) schedule.suggest(form);
    if (state.patient) pick(form, state.patient); else form.querySelector("[data-q]").focus();
  };

  const rounded = (now) => { const total = Math.ceil(schedule.minutes(now) / 15) * 15 % 1440; return `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`; };

  function save(form) {
    const button = form.querySelector("[data-save]");
    schedule.forgive();
    if (!form.dataset.patient) { schedule.refuse({message: words.choose_patient}); form.querySelector("[data-q]").focus(); return; }
    const whole = (select) => select.value ? Number(select.value) : null;
    const body = {
      patient_id: Number(form.dataset.patient), doctor_id: whole(form.doctor_id), chair_id: whole(form.chair_id), service_id: whole(form.service_id),
      ...schedule.times(form), comment: form.comment.value, ...schedule.reasons(),
    };
    Object.assign(body, schedule.closing?.(form));
    const call = state.patient?.id === body.patient_id && state.patient.call_task_id;
    if (call) body.call_task_id = call;
    schedule.once(button, async (once) => {
      const {data} = await desk.ask(settings.urls.appointments, {method: "POST", body, once});
      if (call) { location.assign(`${settings.urls.calls}?booked=${data.id}`); return; }
      schedule.close();
      schedule.did(fill(words.booked, {who: data.patient.short_name, when: schedule.whenWords(data.starts_at)}), schedule.ofVisit(data));
      state.patient = null;
      schedule.go(data.starts_at.slice(0, 10) === state.day ? {} : {day: data.starts_at.slice(0, 10)});
    });
  }

  // --- choosing the patient -----------------------------------------------------------------------------------
  function picker(form) {
    const box = form.querySelector("[data-q]"), list = form.querySelector("[data-found]");
    let timer, asked = 0, at = -1, waiting = false;
    const close = () => { list.hidden = true; at = -1; box.setAttribute("aria-expanded", "false"); };
    const open = () => { list.hidden = false; box.setAttribute("aria-expanded", "true"); };
    const note = (text) => { list.textContent = ""; list.append(element("li", "note", text)); open(); };
    async function search() {
      const q = box.value.trim(), mine = ++asked;
      if (q.length < 2) return close();
      try {
        const {data} = await desk.ask(`${settings.urls.patients}?page_size=10&q=${encodeURIComponent(q)}`);
        if (mine !== asked) return;
        waiting = false;
        if (!data.result.length) return note(words.nobody);
        list.textContent = "";
        data.result.forEach((row) => list.append(choice(form, row)));
        at = -1;
        open();
      } catch (refusal) { if (mine === asked) note(refusal.message); }
    }
    // Enter before the answer asks at once: the only one found is taken, of several the first one is offered.
    async function enter(rows) {
      if (!waiting) { if (!list.hidden && rows.length) rows[Math.max(at, 0)].click(); return; }
      clearTimeout(timer);
      const typed = box.value;
      await search();
      const found = [...list.querySelectorAll("a")];
      if (box.value !== typed || list.hidden) return;
      if (found.length === 1) found[0].click();
      else if (found.length) { at = 0; found[0].classList.add("at"); }
    }
    box.addEventListener("input", () => { clearTimeout(timer); waiting = true; timer = setTimeout(search, 180); });
    box.addEventListener("keydown", (event) => {
      const rows = [...list.querySelectorAll("a")];
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
        rows.forEach((row, i) => row.classList.toggle("at", i === at));
      }
      if (event.key === "Enter" && !event.ctrlKey) { event.preventDefault(); enter(rows); }
      if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); close(); }
    });
    form.querySelector("[data-unpick]").addEventListener("click", () => unpick(form));
    form.querySelector("[data-draft]")?.addEventListener("click", () => draft(form));
    form.querySelector("[data-draft-save]")?.addEventListener("click", (event) => createDraft(form, event.target));
    form.querySelectorAll("[data-draft-card] input").forEach((input) => input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); createDraft(form, form.querySelector("[data-draft-save]")); }
    }));
  }

  const about = (row) => [fill(words.card_number, {n: row.card_number}), row.birth_date ? row.birth_date.split("-").reverse().join(".") : "", desk.phone(row.phones?.[0]?.number)].filter(Boolean).join(" · ");

  function choice(form, row) {
    const item = element("li"), link = element("a", "");
    link.href = "#";
    link.append(element("b", "", row.full_name || row.name), element("span", "", about(row)));
    link.addEventListener("click", (event) => { event.preventDefault(); pick(form, {...row, name: row.full_name || row.name}); });
    item.append(link);
    return item;
  }

  function pick(form, patient) {
    form.dataset.patient = patient.id;
    form.querySelector("[data-pick]").hidden = true;
    form.querySelector("[data-found]").hidden = true;
    form.querySelector("[data-draft-card]").hidden = true;
    form.querySelector("[data-picked]").hidden = false;
    form.querySelector("[data-picked-name]").textContent = patient.name;
    form.querySelector("[data-picked-more]").textContent = about(patient);
    schedule.forgive();
    others(form, patient.id);
    schedule.readyToSave(form);
  }

  function unpick(form) {
    form.dataset.patient = "";
    state.patient = null;
    document.querySelector("[data-for]").hidden = true;
    form.querySelector("[data-pick]").hidden = false;
    form.querySelector("[data-picked]").hidden = true;
    form.querySelector("[data-others]").hidden = true;
    form.querySelector("[data-q]").focus();
  }

  // What the patient is booked for already stands before the eyes of who books.
  async function others(form, patient) {
    const place = form.querySelector("[data-others]");
    try {
      const {data} = await desk.ask(settings.urls.of_patient.replace(/0$/, patient));
      if (form.dataset.patient !== String(patient)) return;
      place.textContent = "";
      if (data.result.length) {
        place.append(element("b", "warn", words.others));
        const list = element("ul");
        data.result.forEach((row) => list.append(element("li", "", `${schedule.dayWords(row.starts_at)} ${row.starts_at.slice(11)}–${row.ends_at.slice(11)}, ${row.doctor}`)));
        place.append(list);
      } else place.append(element("span", "muted", words.no_others));
    } catch (refusal) { place.textContent = refusal.message; }
    place.hidden = false;
    schedule.showWishes?.(form, place, patient);
  }

  // What was typed into the search, for a new card: the first words that are names and the phone. A birth date is neither.
  const BORN = /(?<!\d)\d{1,2}[./]\d{1,2}[./]\d{4}(?!\d)/g, PHONE = /\+?\(?\d[\d\s().‑–-]{3,}\d/;
  const BEFORE_PHONE = /^(тел|телефон|моб|мобильный)[.:]*$/i;
  function typedCard(typed) {
    const rest = typed.replace(BORN, " "), phone = rest.match(PHONE)?.[0] || "";
    const names = rest.replace(phone, " ").split(/[\s,;]+/).filter((word) => /^\p{L}/u.test(word) && !BEFORE_PHONE.test(word));
    return {phone, surname: names[0] || "", name: names[1] || ""};
  }

  function draft(form) {
    const card = form.querySelector("[data-draft-card]"), typed = form.querySelector("[data-q]").value.trim();
    card.hidden = !card.hidden;
    if (card.hidden) return;
    // Closed and opened again it keeps what was filled in; of another search nothing of the former person stays.
    if (card.dataset.typed !== typed) Object.entries(typedCard(typed)).forEach(([name, value]) => { form.elements[name].value = value; });
    card.dataset.typed = typed;
    form.querySelector("[data-found]").hidden = true;
    (form.surname.value ? form.elements.name.value ? form.phone : form.elements.name : form.surname).focus();
  }

  function createDraft(form, button) {
    schedule.forgive();
    const body = {surname: form.surname.value.trim(), name: form.elements.name.value.trim()};
    if (form.phone.value.trim()) body.phone = form.phone.value.trim();
    if (!body.surname || !body.name) { schedule.refuse({message: words.fill_draft}); return; }
    schedule.once(button, async (once) => {
      const {data} = await desk.ask(settings.urls.patients, {method: "POST", body, once});
      pick(form, {id: data.id, card_number: data.card_number, name: `${body.surname} ${body.name}`, phones: body.phone ? [{number: body.phone}] : []});
      desk.tell(words.card_made, "success");
      if (data.possible_duplicates?.length) {
        const list = form.querySelector("[data-found]");
        list.textContent = "";
        list.append(element("li", "note warn", words.duplicates));
        data.possible_duplicates.forEach((row) => list.append(choice(form, row)));
        list.hidden = false;
      }
    });
  }
})();
