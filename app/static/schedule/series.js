// Copying the open visit as a series: which days, what stands there, the ticks; and the visits of the same series.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, say, fill, element} = schedule;
  let visit = null;

  document.addEventListener("schedule:visit", (event) => {
    visit = event.detail;
    const place = document.querySelector("details[data-series]");
    if (!place) return;
    place.hidden = !visit.series_id && (!settings.rights.book || ["cancelled", "no_show"].includes(visit.status));
    place.ontoggle = () => { if (place.open && !place.querySelector("form")) open(place); };
    if (place.open) siblings(place);
  });

  function open(place) {
    place.querySelector("[data-series-part]").replaceChildren(document.getElementById("series-part").content.cloneNode(true));
    const form = place.querySelector("form"), box = form.querySelector("[data-weekdays]");
    form.hidden = !settings.rights.book;
    const weekday = (schedule.local(visit.starts_at).getDay() + 6) % 7 + 1;
    box.querySelectorAll("input").forEach((input) => { input.checked = Number(input.value) === weekday; });
    const plain = () => { form.querySelector("[data-dates]").textContent = ""; form.querySelector("[data-book-series]").hidden = true; form.querySelector("[data-outside]").hidden = true; };
    form.addEventListener("input", (event) => { if (!event.target.closest("[data-dates], [data-outside]")) plain(); box.hidden = form.unit.value === "days"; });
    form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); preview(form); });
    form.querySelector("[data-book-series]").addEventListener("click", (event) => book(form, event.target));
    siblings(place);
  }

  async function siblings(place) {
    const list = place.querySelector("[data-siblings]");
    if (!list) return;
    list.textContent = "";
    if (!visit.series_id) return;
    try {
      const {data} = await desk.ask(`${settings.urls.appointments}${visit.id}/series`);
      list.append(element("li", "muted", say.series_all), ...data.result.map((row) => {
        const item = element("li"), text = `${schedule.whenWords(row.starts_at)}, ${row.doctor}`;
        if (row.id === visit.id) item.append(element("b", "", text), ` · ${say.series_this}`);
        else {
          const link = element("a", "", text);
          link.href = "#";
          link.addEventListener("click", async (event) => { event.preventDefault(); await schedule.go({view: "day", day: row.starts_at.slice(0, 10)}); schedule.openVisit(row.id); });
          item.append(link, row.status === "booked" ? "" : ` · ${settings.statuses[row.status]}`);
        }
        return item;
      }));
    } catch (refusal) { list.append(element("li", "danger", refusal.message)); }
  }

  const complain = (form, text) => { const place = form.querySelector("[data-series-refusal]"); place.textContent = text; place.hidden = !text; };

  async function preview(form) {
    const query = new URLSearchParams({unit: form.unit.value, every: form.every.value, times: form.times.value}), list = form.querySelector("[data-dates]");
    const days = [...form.querySelectorAll("[name=weekdays]:checked")].map((box) => box.value).join(",");
    if (form.unit.value === "weeks" && days) query.set("weekdays", days);
    complain(form, "");
    try {
      const {data} = await desk.ask(`${settings.urls.appointments}${visit.id}/series/preview?${query}`);
      list.replaceChildren(...data.result.map((row) => line(form, row)));
      count(form);
    } catch (refusal) { complain(form, [refusal.message, ...Object.values(refusal.fields || {})].join(" ")); }
  }

  // A day: free and ticked; or why not, with the nearest free time to tick instead.
  function line(form, row) {
    const item = element("li", row.free ? "" : "is-taken"), may = row.free || (row.error === "outside_hours" && settings.rights.outside_hours);
    const tick = (slot, checked, text) => {
      const label = element("label"), box = document.createElement("input");
      box.type = "checkbox";
      box.checked = checked;
      box.slot_ = slot;
      box.outside = slot === row && !row.free;
      box.addEventListener("change", () => { if (box.checked) item.querySelectorAll("input").forEach((other) => { if (other !== box) other.checked = false; }); count(form); });
      label.append(box, " ", text);
      return label;
    };
    const text = schedule.whenWords(row.starts_at);
    item.append(may ? tick(row, row.free, text) : element("span", "", text));
    item.append(element("span", row.free ? "good" : "why", ` ${row.free ? say.series_free : row.why}`));
    if (row.instead) item.append(element("br"), tick(row.instead, false, fill(say.series_instead, {when: schedule.whenWords(row.instead.starts_at)})));
    return item;
  }

  const chosen = (form) => [...form.querySelectorAll("[data-dates] input:checked")];

  function count(form) {
    const button = form.querySelector("[data-book-series]"), n = chosen(form).length;
    button.hidden = !n;
    button.textContent = fill(say.series_book, {n});
    form.querySelector("[data-outside]").hidden = !chosen(form).some((box) => box.outside);
  }

  function book(form, button) {
    const slots = chosen(form).map(({slot_: slot}) => ({starts_at: slot.starts_at, ends_at: slot.ends_at, doctor_id: slot.doctor_id, chair_id: slot.chair_id}));
    const body = {slots, outside_hours_reason: form.outside.value};
    complain(form, "");
    schedule.once(button, async (once) => {
      try {
        const {data} = await desk.ask(`${settings.urls.appointments}${visit.id}/series`, {method: "POST", body, once});
        schedule.did(fill(say.series_booked, {n: data.made.length}), {appointment_id: data.made[0]});
        schedule.load(true);
        schedule.openVisit(visit.id);
      } catch (refusal) {
        if (refusal.at) refusal.message = `${schedule.whenWords(refusal.at)}: ${refusal.message}`;
        complain(form, refusal.message);
        throw refusal;
      }
    });
  }
})();
