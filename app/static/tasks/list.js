// The list of those to be called: choosing a row from the keyboard, and rows that stay fresh.
(function () {
  "use strict";
  const list = document.querySelector("[data-list]");
  if (!list) return;
  const words = JSON.parse(list.dataset.words), REFRESH = 4000;
  const failed = document.querySelector("[data-load-failed]"), help = document.querySelector("[data-keys-help]");
  let at = null, tag = null, place = 0;

  const rows = () => [...list.querySelectorAll("tbody[data-task]")];
  const row = (id) => list.querySelector(`tbody[data-task="${id}"]`);

  // --- the chosen row -----------------------------------------------------------------------------------------
  function choose(id, {scroll = true} = {}) {
    at = id === null ? null : String(id);
    rows().forEach((one, n) => { const here = one.dataset.task === at; one.classList.toggle("at", here); if (here) place = n; });
    const chosen = at && row(at);
    if (chosen && scroll) chosen.scrollIntoView({block: "nearest"});
  }
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((one) => one.dataset.task === at);
    choose(all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, now + by))].dataset.task);
  }

  // After a deed the next patient is at hand: the row that now stands where the last one stood.
  async function advance() {
    const stood = place;
    await refresh(true);
    const all = rows();
    if (all.length) choose(all[Math.min(stood, all.length - 1)].dataset.task);
  }

  // --- fresh rows -----------------------------------------------------------------------------------------------
  async function refresh(force = false) {
    const headers = {"X-Requested-With": "XMLHttpRequest"};
    if (tag && !force) headers["If-None-Match"] = tag;
    let answer;
    try {
      answer = await fetch(list.dataset.url, {headers, credentials: "same-origin", cache: "no-store"});
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok && answer.status !== 304) throw new Error(answer.status);
    } catch (failure) {
      if (failed.hidden) failed.querySelector("[data-since]").textContent = new Date().toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
      failed.hidden = false;
      return;
    }
    failed.hidden = true;
    if (answer.status === 304) return;
    tag = answer.headers.get("ETag");
    list.innerHTML = await answer.text();
    if (at && !row(at)) { const all = rows(); choose(all.length ? all[Math.min(place, all.length - 1)].dataset.task : null, {scroll: false}); }
    else choose(at, {scroll: false});
    document.dispatchEvent(new CustomEvent("tasks:fresh"));
  }
  setInterval(() => { if (!document.hidden) refresh(); }, REFRESH);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  window.tasks = {list, words, row, choose, refresh, advance, chosen: () => at, may: "work" in list.dataset};

  // --- keys -------------------------------------------------------------------------------------------------------
  const adding = document.querySelector("[data-add-place]");
  function add() {
    if (!adding) return;
    adding.hidden = !adding.hidden;
    if (!adding.hidden) jQuery("#add-patient").select2("open");
  }
  document.querySelector("[data-add]")?.addEventListener("click", add);
  document.querySelector("[data-keys]").addEventListener("click", () => { help.hidden = !help.hidden; });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("[data-wish-side]:not([hidden])")) return;
    const typing = event.target.closest("input, textarea, select, .select2-container");
    if (event.key === "Escape") {
      if (!help.hidden) { help.hidden = true; return; }
      if (typing) { event.target.blur(); return; }
      tasks.panel?.leave();
      return;
    }
    if (typing && event.target.type !== "radio" && event.target.type !== "checkbox") return;
    const on = (test, deed) => { if (test) { event.preventDefault(); deed(); } };
    on(event.key === "ArrowDown" || event.code === "KeyJ", () => step(1));
    on(event.key === "ArrowUp" || event.code === "KeyK", () => step(-1));
    on(event.key === "Enter" && at && !event.target.closest("button, a, summary"), () => tasks.panel?.call(at));
    on(event.code === "KeyB" && (tasks.panel?.id || at), () => tasks.panel?.book(tasks.panel.id || at));
    on(event.code === "KeyC" && tasks.panel?.id, () => tasks.panel.comment());
    on(/^[1-8]$/.test(event.key) && tasks.panel?.id, () => tasks.panel.press(event.key));
    on(event.code === "KeyN", add);
    on(event.key === "?", () => { help.hidden = !help.hidden; });
    on(event.key === "/", () => document.querySelector("[data-search]").focus());
  });
  document.querySelectorAll("[data-filter]").forEach((field) => field.addEventListener("change", () => field.form.submit()));

  list.addEventListener("click", (event) => {
    const one = event.target.closest("tbody[data-task]");
    if (!one) return;
    choose(one.dataset.task, {scroll: false});
    const id = one.dataset.task;
    if (event.target.closest("[data-call]")) tasks.panel?.call(id);
    else if (event.target.closest("[data-missed]")) tasks.panel?.missed(id);
    else if (event.target.closest("[data-open]")) tasks.panel?.open(id, event.target.closest("[data-open]").dataset.open);
    else if (!event.target.closest("a, button")) tasks.panel?.open(id);
  });
  const here = new URL(location.href);
  if (here.searchParams.has("booked")) {
    desk.tell(words.booked, "success");
    here.searchParams.delete("booked");
    history.replaceState(null, "", here);
  }
  if (rows().length) choose(rows()[0].dataset.task, {scroll: false});
})();
