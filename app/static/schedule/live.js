// Keeping the schedule fresh: ask "anything new?" every few seconds; a failed load is shown as a failure.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, fill, iso, local, wallNow} = schedule;
  const $ = (selector) => document.querySelector(selector), places = document.querySelectorAll("[data-grid], [data-month]");
  const POLL = 4000;
  let asked = 0, timer = 0, loadedAt = null;

  // What the page shows now, as an address.
  function key() {
    const query = new URLSearchParams({day: state.day});
    if (state.view === "week") query.set("doctor_id", state.doctor);
    if (state.view === "month" && state.doctor) query.set("doctor_id", state.doctor);
    if (state.view !== "week" && state.branch) query.set("branch_id", state.branch);
    return `${settings.urls[state.view]}?${query}`;
  }

  async function load(now = false) {
    clearTimeout(timer);
    if (state.busy && now !== true) { again(); return; }
    const mine = ++asked, url = key();
    try {
      const answer = await desk.ask(url, {headers: state.tag ? {"If-None-Match": state.tag} : {}});
      if (mine !== asked) return;
      const clock = answer.headers.get("X-Wall-Clock");
      if (clock) state.skew = local(clock).getTime() + Number(clock.slice(17, 19) || 0) * 1000 - Date.now();
      loadedAt = wallNow();
      $("[data-load-failed]").hidden = true;
      $("[data-aged]").hidden = true;
      places.forEach((place) => place.classList.remove("is-old", "is-leaving"));
      if (answer.status !== 304) {
        state.tag = answer.headers.get("ETag");
        state.sheet = answer.data;
        drawnMinute = "";
      }
      // What came while something was being dragged is drawn after it, though the next answer says that nothing is new.
      if (!state.busy) minute();
      if (answer.status !== 304 && state.view !== "month") document.dispatchEvent(new CustomEvent("schedule:fresh", {detail: state.sheet}));
      if (state.open) { const pk = state.open; state.open = null; schedule.openVisit(pk); }
    } catch (refusal) {
      if (mine !== asked) return;
      if (refusal.message === undefined) throw refusal;
      failed(refusal);
    } finally {
      if (mine === asked) again();
    }
  }

  // A tab that nobody looks at asks nothing; it catches up when it is looked at again.
  function again() {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(load, POLL);
  }

  // What was seen last stays, dimmed, with its time; what was never seen is not shown as an empty day.
  function failed(refusal) {
    $("[data-load-failed]").hidden = false;
    $("[data-why]").textContent = refusal.message || "";
    $("[data-last]").textContent = state.sheet && loadedAt ? fill(words.last_seen, {time: iso(loadedAt).slice(11)}) : "";
    $("[data-empty]").hidden = true;
    $("[data-loading]")?.remove();
    places.forEach((place) => { place.classList.add("is-old"); if (!state.sheet) place.hidden = true; });
    state.tag = null;
  }

  // Waiting minutes and the line of now walk on by themselves, once a minute. Empty: what was loaded is not drawn yet.
  let drawnMinute = "";
  function minute() {
    if (iso(wallNow()) !== drawnMinute && (state.view !== "month" || !drawnMinute)) schedule.draw();
  }

  // The lid was closed, or nobody looked for a while: until the answer comes, what is shown says how old it is.
  const OLD = 30000;
  function wake() {
    if (document.hidden) return;
    if (state.sheet && loadedAt && wallNow() - loadedAt > OLD) {
      $("[data-aged]").textContent = fill(words.last_seen, {time: iso(loadedAt).slice(11)});
      $("[data-aged]").hidden = false;
      places.forEach((place) => place.classList.add("is-old"));
    }
    load(true);
  }
  let ticked = Date.now();
  setInterval(() => { const slept = Date.now() - ticked > OLD; ticked = Date.now(); if (slept) wake(); }, 5000);
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else wake(); });

  Object.assign(schedule, {
    key, load,
    draw: () => {
      drawnMinute = iso(wallNow());
      $("[data-month]").hidden = state.view !== "month";
      if (state.view === "month") { $("[data-grid]").hidden = $("[data-empty]").hidden = true; schedule.drawMonth(); } else schedule.drawGrid();
    },
  });
})();
