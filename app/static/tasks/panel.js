// The panel of a call: whom to dial and why; a digit writes down what came of it.
(function () {
  "use strict";
  if (!window.tasks) return;
  const {list, words} = tasks, side = document.querySelector("[data-side]");
  const api = (id, deed = "") => `${list.dataset.api}${id}${deed ? `/${deed}` : ""}`;
  const $ = (what) => side.querySelector(what);
  const body = () => $("[data-panel-of]");
  let id = null, prolong = null, keys = {};

  // --- showing ------------------------------------------------------------------------------------------------
  async function show(task, {keep = false} = {}) {
    const said = keep ? $("[data-comment]")?.value || "" : "", phone = keep ? $("[name=phone]:checked")?.value : null;
    const answer = await fetch(list.dataset.panel.replace("/0/", `/${task}/`), {headers: {"X-Requested-With": "XMLHttpRequest"}, credentials: "same-origin"}).catch(() => null);
    if (!answer || !answer.ok) {
      const why = answer && await answer.json().catch(() => ({}));
      desk.tell(why?.message || document.querySelector("[data-load-failed]").textContent.trim(), "danger");
      return false;
    }
    side.innerHTML = await answer.text();
    side.hidden = false;
    if (String(task) !== id) { keys = {}; side.scrollTop = 0; }
    id = String(task);
    if (said && $("[data-comment]")) $("[data-comment]").value = said;
    if (phone) side.querySelectorAll("[name=phone]").forEach((one) => { one.checked = one.value === phone; });
    tasks.choose(id, {scroll: false});
    return true;
  }
  function close() {
    side.hidden = true;
    side.textContent = "";
    id = null;
    clearInterval(prolong);
  }
  function refuse(refusal) {
    if (refusal.message === undefined) throw refusal;
    const place = $("[data-refusal]");
    if (!place) { desk.tell(refusal.message, "danger"); return; }
    place.textContent = [refusal.message, ...Object.values(refusal.fields || {})].join(" ");
    place.hidden = false;
    place.scrollIntoView({block: "nearest"});
  }

  // One deed after another, the same one only once; what never got an answer keeps its key, so that a second press
  // does it once.
  const flying = new Set();
  let last = Promise.resolve(), writing = false;
  async function send(task, deed, given, method = "POST") {
    const text = `${task} ${deed} ${JSON.stringify(given)}`;
    if (flying.has(text)) return null;
    flying.add(text);
    const before = last;
    let over;
    last = new Promise((done) => { over = done; });
    await before;
    const once = keys[text] || (keys[text] = crypto.randomUUID());
    try {
      const {data} = await desk.ask(api(task, deed), {method, body: given, once});
      delete keys[text];
      return data;
    } catch (refusal) {
      if (refusal.status !== 0) delete keys[text];
      throw refusal;
    } finally {
      flying.delete(text);
      over();
    }
  }
  const when = (moment) => new Date(moment).toLocaleString(document.documentElement.lang, {weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit"});

  // --- calling ------------------------------------------------------------------------------------------------
  async function call(task) {
    if (!tasks.may) { await show(task); return; }
    try {
      if (await send(task, "claim", {}) === null) return;
    } catch (refusal) {
      desk.tell(refusal.message, "danger");
      tasks.refresh(true);
      return;
    }
    await show(task, {keep: id === String(task)});
    document.activeElement?.blur();
    clearInterval(prolong);
    prolong = setInterval(() => { if (id) send(id, "claim", {}).catch(() => {}); }, 5 * 60 * 1000);
    tasks.refresh(true);
  }
  async function open(task, what) {
    if (!await show(task)) return;
    if (what === "later") more("later");
    if (what === "results") $("[data-results] button")?.focus();
  }
  async function leave() {
    const left = id, calling = body()?.dataset.calling;
    if (!left) return;
    close();
    if (!calling) return;
    try { await send(left, "give_up", {}); desk.tell(words.given_up); } catch (refusal) { desk.tell(refusal.message, "danger"); }
    tasks.refresh(true);
  }

  // --- what came of it ------------------------------------------------------------------------------------------
  const common = () => ({version: Number(body().dataset.version), phone: $("[name=phone]:checked")?.value || "", comment: $("[data-comment]")?.value || ""});

  async function write(deed, given) {
    const task = id;
    if (writing) return;
    writing = true;
    try {
      const data = await send(task, deed, given);
      if (data === null) return;
      desk.tell(deed === "close" ? words.done : words.next.replace("{when}", when(data.due_at)), "success");
      close();
      await tasks.advance();
    } catch (refusal) {
      if (refusal.error === "stale") { await show(task, {keep: true}); refuse({message: words.changed}); }
      else if (refusal.error === "task_closed") { close(); desk.tell(refusal.message, "danger"); tasks.refresh(true); }
      else if (refusal.error === "nothing_came_of_it" && make(given.result)) making = {task, result: given.result};
      else {
        refuse(refusal);
        if (refusal.error === "next_try_needed") more("missed");
      }
    } finally { writing = false; }
  }
  // «Planned» and «on the waiting list» of a patient who is neither yet: the form opens, and what is saved there ends the call.
  let making = null;
  function make(result) {
    const url = $(`[data-result="${result}"]`)?.dataset.make;
    if (!url || !window.wishes) return false;
    wishes.open(url);
    return true;
  }
  document.addEventListener("wishes:changed", () => {
    const made = making;
    making = null;
    if (made && id === made.task) write("close", {...common(), result: made.result});
  });
  async function missed(task) {
    if (id === String(task) && body()) {
      if (!body().dataset.nextTry) { more("missed"); return; }
      await write("not_reached", common());
      return;
    }
    try {
      const one = tasks.row(task), data = await send(task, "not_reached", {version: Number(one.dataset.version)});
      if (data === null) return;
      desk.tell(words.next.replace("{when}", when(data.due_at)), "success");
      tasks.refresh(true);
    } catch (refusal) {
      if (refusal.error === "next_try_needed") { await open(task); more("missed"); refuse(refusal); }
      else { desk.tell(refusal.message, "danger"); tasks.refresh(true); }
    }
  }
  function less() {
    side.querySelectorAll("form[data-form=refused], form[data-form=later]").forEach((form) => { form.hidden = true; });
    side.querySelectorAll(".chosen").forEach((button) => button.classList.remove("chosen"));
    if ($("[data-refusal]")) $("[data-refusal]").hidden = true;
  }
  function more(what) {
    less();
    const form = $(`form[data-form=${what === "refused" ? "refused" : "later"}]`);
    if (!form) return;
    form.dataset.deed = what;
    form.hidden = false;
    side.querySelectorAll("[data-results] .btn").forEach((button) => button.classList.toggle("chosen", button.dataset.more === what || (what === "missed" && "missed" in button.dataset)));
    form.scrollIntoView({block: "nearest"});
    form.querySelector("select, input").focus();
  }
  function book(task) {
    const link = tasks.row(task)?.querySelector("[data-book]") || $("[data-book]");
    if (link) location.href = link.href || link.dataset.book;
  }
  function press(key) {
    const button = $(`[data-key="${key}"]`);
    if (button) button.click();
  }

  side.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.closest("[data-results]")) less();
    if ("close" in button.dataset) leave();
    else if ("claim" in button.dataset) call(id);
    else if ("missed" in button.dataset) missed(id);
    else if (button.dataset.more) more(button.dataset.more);
    else if (button.dataset.book && !("hasVisit" in button.dataset)) location.href = button.dataset.book;
    else if (button.dataset.result) write("close", {...common(), result: button.dataset.result});
  });
  side.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target, what = form.dataset.form;
    if (what === "refused") write("close", {...common(), result: "refused", refusal_reason_id: Number(form.refusal_reason_id.value)});
    else if (what === "later" && form.dataset.deed === "missed") write("not_reached", {...common(), until: form.until.value});
    else if (what === "later") write("postpone", {...common(), until: form.until.value, asked: Boolean(body().dataset.calling)});
    else {
      try {
        const given = {version: Number(body().dataset.version), comment: form.comment.value, responsible_id: form.responsible_id.value ? Number(form.responsible_id.value) : null};
        if (await send(id, "", given, "PATCH") === null) return;
        await show(id, {keep: true});
        desk.tell(words.done, "success");
        tasks.refresh(true);
      } catch (refusal) {
        if (refusal.error === "stale") { await show(id, {keep: true}); refuse({message: words.changed}); } else refuse(refusal);
      }
    }
  });
  side.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.ctrlKey && event.target.form) event.target.form.requestSubmit();
  });

  // What others changed meanwhile shows in the open panel too.
  document.addEventListener("tasks:fresh", async () => {
    if (!id || flying.size) return;
    const one = tasks.row(id);
    if (one && one.dataset.version !== body().dataset.version && !side.contains(document.activeElement)) await show(id, {keep: true});
  });

  tasks.panel = {call, open, leave, missed, book, press, comment: () => $("[data-comment]")?.focus(), get id() { return id; }};
})();
