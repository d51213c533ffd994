// The work list of notifying: rows that stay fresh, choosing from the keyboard, answers by one key.
(function () {
  "use strict";
  const list = document.querySelector("[data-notify]");
  if (!list) return;
  const words = JSON.parse(list.dataset.words), REFRESH = 4000;
  const failed = document.querySelector("[data-load-failed]"), help = document.querySelector("[data-keys-help]");
  const button = document.querySelector("[data-sms-chosen]"), picked = new Set(), keys = {};
  const ANSWERS = {1: "confirmed", 2: "not_reached", 3: "asks_to_move", 4: "declined"};
  let at = null, place = 0, tag = null, busy = false;

  const rows = () => [...list.querySelectorAll("tr[data-visit]")];
  const row = (id) => list.querySelector(`tr[data-visit="${id}"]`);

  function choose(id, scroll = true) {
    at = id === null ? null : String(id);
    rows().forEach((one, n) => { const here = one.dataset.visit === at; one.classList.toggle("at-row", here); if (here) place = n; });
    if (scroll && at && row(at)) row(at).scrollIntoView({block: "nearest"});
  }
  function step(by) {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((one) => one.dataset.visit === at);
    choose(all[now < 0 ? 0 : Math.max(0, Math.min(all.length - 1, now + by))].dataset.visit);
  }
  function showPicked() {
    rows().forEach((one) => { const box = one.querySelector("[data-pick]"); if (box) box.checked = picked.has(one.dataset.visit); });
    const all = list.querySelector("[data-choose-all]");
    if (all) { all.checked = rows().length > 0 && rows().every((one) => picked.has(one.dataset.visit)); all.indeterminate = !all.checked && picked.size > 0; }
    if (button) { button.disabled = !picked.size; button.querySelector("[data-chosen]").textContent = picked.size || ""; }
  }
  function pick(id, on = !picked.has(id)) {
    if (on) picked.add(id); else picked.delete(id);
    showPicked();
  }

  async function refresh(force = false) {
    const headers = {"X-Requested-With": "XMLHttpRequest"};
    if (tag && !force) headers["If-None-Match"] = tag;
    let answer, html = "";
    try {
      answer = await fetch(list.dataset.url, {headers, credentials: "same-origin", cache: "no-store"});
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok && answer.status !== 304) throw new Error(answer.status);
      if (answer.status !== 304) html = await answer.text();
    } catch (failure) {
      if (failed.hidden) failed.querySelector("[data-since]").textContent = new Date().toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
      failed.hidden = false;
      return;
    }
    failed.hidden = true;
    if (answer.status === 304) return;
    tag = answer.headers.get("ETag");
    list.innerHTML = html;
    [...picked].filter((id) => !row(id)).forEach((id) => picked.delete(id));
    if (at && !row(at)) { const all = rows(); choose(all.length ? all[Math.min(place, all.length - 1)].dataset.visit : null, false); } else choose(at, false);
    showPicked();
  }
  setInterval(() => { if (!document.hidden && !busy) refresh(); }, REFRESH);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  // One answer at a time; what never got an answer keeps its key, so that a second press does it once.
  async function answer(id, confirmation) {
    const one = row(id);
    if (busy || !one || !("mayAnswer" in list.dataset)) return;
    busy = true;
    const version = Number(one.dataset.version), text = `${id} ${confirmation} ${version}`, once = keys[text] || (keys[text] = crypto.randomUUID());
    try {
      await desk.ask(`${list.dataset.visits}${id}/confirm`, {method: "POST", body: {confirmation, version}, once});
      delete keys[text];
      choose(id, false);
      if (confirmation === "confirmed" || confirmation === "not_reached") step(1);
      await refresh(true);
      desk.tell(words.done, "success");
    } catch (refusal) {
      if (refusal.message === undefined) throw refusal;
      if (refusal.status !== 0) delete keys[text];
      await refresh(true);
      desk.tell(refusal.error === "stale" ? words.changed : refusal.message, "danger");
    } finally { busy = false; }
  }

  list.addEventListener("click", (event) => {
    const all = event.target.closest("[data-choose-all]");
    if (all) { rows().forEach((one) => (all.checked ? picked.add(one.dataset.visit) : picked.delete(one.dataset.visit))); showPicked(); return; }
    const one = event.target.closest("tr[data-visit]");
    if (!one) return;
    choose(one.dataset.visit, false);
    const deed = event.target.closest("[data-answer]");
    if (deed) answer(one.dataset.visit, deed.dataset.answer);
    else if (event.target.closest("[data-write]")) notify.sms?.([one.dataset.visit]);
    else if (event.target.closest("[data-pick]")) pick(one.dataset.visit, event.target.checked);
  });
  button?.addEventListener("click", () => notify.sms?.([...picked]));
  document.querySelector("[data-keys-notify]").addEventListener("click", () => { help.hidden = !help.hidden; });
  document.querySelectorAll("[data-filter]").forEach((field) => field.addEventListener("change", () => {
    if (field.name === "days" && field.value) document.querySelector("[data-filter-day]").disabled = true;
    else if (!new URL(location.href).searchParams.get("day")) document.querySelector("[data-filter-day]").disabled = true;
    field.form.submit();
  }));
  document.querySelector("[data-filter-day]").addEventListener("change", (event) => {
    if (event.target.value) { document.querySelector("#f-days").disabled = true; event.target.form.submit(); }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && !help.hidden) { help.hidden = true; return; }
    const typing = event.target.closest("input, textarea, select, .select2-container");
    if (typing && event.target.type !== "checkbox") return;
    const on = (test, deed) => { if (test) { event.preventDefault(); deed(); } };
    on(event.key === "ArrowDown" || event.code === "KeyJ", () => step(1));
    on(event.key === "ArrowUp" || event.code === "KeyK", () => step(-1));
    on(ANSWERS[event.key] && at, () => answer(at, ANSWERS[event.key]));
    on(event.key === "5" && at, () => notify.sms?.([at]));
    on(event.key === " " && at && "mayWrite" in list.dataset, () => pick(at));
    on(event.code === "KeyS" && picked.size, () => notify.sms?.([...picked]));
    on(event.code === "KeyP", () => window.print());
    on(event.key === "Enter" && at && !event.target.closest("a, button"), () => { location.href = row(at).querySelector(".at a").href; });
    on(event.key === "?", () => { help.hidden = !help.hidden; });
  });

  window.notify = {list, words, row, refresh, picked, showPicked};
  if (rows().length) choose(rows()[0].dataset.visit, false);
})();
