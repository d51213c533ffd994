// «Вид»: which doctors, what colours, cancelled visits or not; and the person's saved views, keys 1…9.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, fill, element, tintOf} = schedule;
  const box = document.querySelector("[data-look]"), $ = (selector) => box.querySelector(selector);
  const list = $("[data-views]"), doctors = $("[data-doctors]"), form = $("[data-save-view]");
  let views = settings.views, used = views.find((view) => view.last)?.id || null, gone = null;

  const now = () => ({branch_id: Number(state.branch) || null, view: state.view, by: state.by, doctors: [...state.doctors], colours: state.colours, cancelled: state.cancelled});
  const plain = {branch_id: null, view: "day", by: "doctor", doctors: [], colours: "status", cancelled: false};
  const same = (a, b) => Object.keys(plain).every((name) => JSON.stringify(a[name] ?? plain[name]) === JSON.stringify(b[name] ?? plain[name]));

  // What a view says of the page; who or what is no longer there is passed over.
  function meaning(look) {
    const branch = document.querySelector("[data-branch]"), known = new Set(settings.doctors.map((row) => row.id));
    const there = look.branch_id && branch && [...branch.options].some((option) => option.value === String(look.branch_id));
    return {
      view: look.view, by: settings.own ? "doctor" : look.by, branch: there ? look.branch_id : "", doctors: look.doctors.filter((id) => known.has(id)),
      colours: look.colours, cancelled: look.cancelled,
    };
  }

  async function use(view) {
    used = view?.id || null;
    schedule.go(meaning(view?.settings || plain));
    try { await desk.ask(settings.urls.views + "last", {method: "POST", body: {view_id: used}}); } catch (refusal) { desk.tell(refusal.message, "danger"); }
  }

  async function asked(work) {
    try { await work(); show(); } catch (refusal) { if (refusal.message === undefined) throw refusal; desk.tell([refusal.message, ...Object.values(refusal.fields || {})].join(" "), "danger"); }
  }
  const save = (name) => asked(async () => {
    const {data} = await desk.ask(settings.urls.views, {method: "POST", body: {name, settings: now()}});
    views = [...views, data];
    used = data.id;
    gone = null;
    form.reset();
  });
  const change = (view, body) => asked(async () => {
    const {data} = await desk.ask(settings.urls.views + view.id, {method: "PATCH", body});
    views = views.map((one) => one.id === data.id ? data : one);
  });
  const remove = (view) => asked(async () => {
    await desk.ask(settings.urls.views + view.id, {method: "DELETE"});
    views = views.filter((one) => one.id !== view.id);
    gone = view;
    if (used === view.id) used = null;
  });

  function button(className, text, title, work) {
    const made = element("button", className, text);
    made.type = "button";
    if (title) { made.title = title; made.setAttribute("aria-label", title); }
    made.addEventListener("click", work);
    return made;
  }

  function row(view, n) {
    const item = element("li", view.id === used ? "here" : ""), name = button("btn btn-link view-name", "", "", () => { use(view); box.open = false; });
    if (n < 9) name.append(element("kbd", "", String(n + 1)), " ");
    name.append(view.name);
    name.dataset.view = view.id;
    item.append(name);
    if (view.id === used && !same(view.settings, now())) item.append(button("btn btn-default btn-xs", words.view_update, "", () => change(view, {settings: now()})));
    const rename = button("btn btn-link btn-xs", "", words.rename, () => {
      const input = element("input", "form-control input-sm");
      input.value = view.name; input.maxLength = 60; input.setAttribute("aria-label", words.rename);
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && input.value.trim()) { event.preventDefault(); change(view, {name: input.value.trim()}); }
        if (event.key === "Escape") { event.stopPropagation(); show(); }
      });
      item.replaceChildren(input);
      input.select();
    });
    rename.append(schedule.icon("pencil"));
    const drop = button("btn btn-link btn-xs", "", words.remove_view, () => remove(view));
    drop.append(schedule.icon("trash"));
    item.append(rename, drop);
    return item;
  }

  function show() {
    list.replaceChildren(...views.map(row));
    if (gone) { const item = element("li", "muted", fill(words.view_gone, {name: gone.name}) + " "), kept = gone; item.append(button("btn btn-link btn-xs", words.bring_back, "", () => asked(async () => { const {data} = await desk.ask(settings.urls.views, {method: "POST", body: {name: kept.name, settings: kept.settings}}); views = [...views, data]; gone = null; }))); list.append(item); }
    $("[data-no-views]").hidden = views.length > 0 || gone !== null;
    $("[data-plain]").hidden = same(plain, now());
    doctors.querySelectorAll("input").forEach((input) => { input.checked = state.doctors.includes(Number(input.value)); });
    box.querySelectorAll("[name=colours]").forEach((input) => { input.checked = input.value === state.colours; });
    $("[data-cancelled]").checked = state.cancelled;
    const view = views.find((one) => one.id === used);
    $("[data-look-name]").textContent = view ? view.name + (same(view.settings, now()) ? "" : "*") : words.look;
    box.classList.toggle("is-special", !same({...plain, view: state.view, by: state.by, branch_id: Number(state.branch) || null}, now()));
  }

  settings.doctors.forEach((doctor) => {
    const label = element("label", "look-doctor"), input = element("input"), mark = element("span", "look-tint");
    input.type = "checkbox"; input.value = doctor.id;
    mark.style.background = tintOf(doctor.id);
    label.append(input, mark, doctor.name);
    doctors.append(label);
  });
  doctors.addEventListener("change", () => schedule.go({doctors: [...doctors.querySelectorAll("input:checked")].map((input) => Number(input.value))}));
  $("[data-everybody]").addEventListener("click", () => schedule.go({doctors: []}));
  box.addEventListener("change", (event) => { if (event.target.name === "colours") schedule.go({colours: event.target.value}); });
  $("[data-cancelled]").addEventListener("change", (event) => schedule.go({cancelled: event.target.checked}));
  $("[data-plain]").addEventListener("click", () => { use(null); box.open = false; });
  form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); const name = form.elements.name.value.trim(); if (name) save(name); });
  document.addEventListener("click", (event) => { if (box.open && event.target.isConnected && !box.contains(event.target)) box.open = false; });
  box.addEventListener("keydown", (event) => { if (event.key === "Escape" && box.open) { event.stopPropagation(); box.open = false; $("summary").focus(); } });

  // The page opens as it was used last, unless its address says otherwise.
  const last = views.find((view) => view.id === used);
  if (last && !settings.asked) Object.assign(state, meaning(last.settings));
  Object.assign(schedule, {lookChanged: show, useView: (n) => { if (views[n - 1]) use(views[n - 1]); }});
})();
