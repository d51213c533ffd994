// What every part of the schedule page shares: the settings, the state, and small words about times and names.
(function () {
  "use strict";
  if (!document.querySelector("[data-grid]")) return;
  const settings = JSON.parse(document.getElementById("schedule-settings").textContent);
  const words = settings.words;
  const state = {
    day: settings.day, view: settings.view, by: settings.by, branch: settings.branch_id || "", doctor: settings.doctor_id || "", doctors: [], colours: "status", cancelled: false,
    sheet: null, tag: null, skew: 0, busy: 0, patient: settings.patient, open: settings.open,
  };
  const TINTS = ["#0072b2", "#c2540a", "#00805e", "#a8437f", "#6a51a3", "#8a6d00", "#2f8fc4", "#b3364f", "#4b7f2b", "#8c5a3c", "#4f5fc0", "#56666f"];

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
  // A doctor's hours that meet a time; found by doctor, since every visit of a drawn day asks.
  let indexed = null, byDoctor = new Map();
  const hoursOf = (doctor, from, to) => {
    if (indexed !== state.sheet) {
      indexed = state.sheet;
      byDoctor = new Map();
      (state.sheet?.hours || []).forEach((h) => byDoctor.set(h.doctor_id, [...(byDoctor.get(h.doctor_id) || []), h]));
    }
    return (byDoctor.get(doctor) || []).filter((h) => h.starts_at < to && from < h.ends_at);
  };
  // The chair where a doctor works at that time, by the doctor's hours.
  const chairOf = (doctor, from, to) => hoursOf(doctor, from, to).find((h) => h.chair_id)?.chair_id || null;
  const icon = (name, title) => { const i = document.createElement("i"); i.className = "fa fa-" + name; if (title) { i.title = title; i.setAttribute("aria-label", title); i.setAttribute("role", "img"); } else i.setAttribute("aria-hidden", "true"); return i; };
  const element = (tag, className, text) => { const made = document.createElement(tag); if (className) made.className = className; if (text !== undefined) made.textContent = text; return made; };
  const byChair = () => state.view === "day" && state.by === "chair";
  const today = () => iso(wallNow()).slice(0, 10);
  const plusDays = (day, n) => { const date = local(day); date.setDate(date.getDate() + n); return iso(date).slice(0, 10); };
  const monday = (day) => plusDays(day, -((local(day).getDay() + 6) % 7));
  // On a phone the day is shown one doctor, or one chair, at a time.
  const narrow = () => window.innerWidth < 720;
  const tints = new Map([...settings.doctors].sort((a, b) => a.id - b.id).map((row, n) => [row.id, row.color || TINTS[n % TINTS.length]]));
  const tintOf = (doctor) => tints.get(doctor) || TINTS[doctor % TINTS.length];

  window.schedule = {
    settings, words, state, fill, pad, iso, local, plus, span, minutes, wallNow, dayWords, doctorName, chairName, chairOf, hoursOf, icon, element, byChair, today, plusDays, monday, narrow, tintOf,
    visit: (pk) => state.sheet?.appointments.find((row) => row.id === pk),
  };
})();
