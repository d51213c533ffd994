// Keeping the schedule fresh: ask "anything new?" every few seconds; a failed load is shown as a failure.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, state, fill, iso, local, wallNow} = schedule;
  const $ = (selector) => document.querySelector(selector), grid = $("[data-grid]");
  const POLL = 4000;
  let asked = 0, timer = 0, loadedAt = null;

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
        if (!state.busy) schedule.draw();
        document.dispatchEvent(new CustomEvent("schedule:fresh", {detail: state.sheet}));
      } else if (!state.busy && schedule.drawn()) {
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
    schedule.draw();
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) load(true); });

  schedule.load = load;
})();
