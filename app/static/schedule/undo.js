// Undoing: a word after each action with «Undo», Ctrl+Z, and the list of one's last actions.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, state, fill, element, dayWords} = schedule;
  const say = schedule.say = JSON.parse(document.getElementById("managing-words").textContent);
  const $ = (selector) => document.querySelector(selector);
  let shown = null;

  const when = schedule.whenWords = (text) => `${dayWords(text)} ${text.slice(11, 16)}`;

  // Tell what was done; it can be undone from the same line while nothing newer was done to it.
  schedule.did = (text, of) => {
    shown?.remove();
    shown = desk.tell(text, "success", {label: say.undo, run: () => undo(`${settings.urls.schedule}undo`, of)});
    schedule.left?.();
  };
  schedule.ofVisit = (visit) => ({appointment_id: visit.id, version: visit.version});

  let busy = false;
  async function undo(url, body = {}) {
    if (busy) return false;
    busy = true;
    shown?.remove();
    try {
      const {data} = await desk.ask(url, {method: "POST", body});
      const what = data.count > 1 ? fill(say.series_of, {what: data.what, n: data.count}) : data.what;
      desk.tell(data.starts_at ? fill(say.undone, {what, who: data.who, when: when(data.starts_at)}) : fill(say.undone_plain, {what}), "success");
      if (schedule.opened?.kind === "visit" && data.appointments.includes(schedule.opened.id)) {
        if (data.removed) schedule.close(); else schedule.openVisit(schedule.opened.id);
      }
      schedule.left?.();
      schedule.load(true);
      return true;
    } catch (refusal) {
      if (refusal.message === undefined) throw refusal;
      desk.tell(refusal.message, "danger");
      return false;
    } finally { busy = false; }
  }

  schedule.openActions = async () => {
    const side = schedule.show("actions-panel", {kind: "actions"}), list = side.querySelector("[data-list]");
    try {
      const {data} = await desk.ask(`${settings.urls.schedule}actions`);
      list.replaceChildren(...data.result.map(line));
      if (!data.result.length) list.append(element("li", "empty", say.no_actions));
    } catch (refusal) { schedule.refuse(refusal); }
  };

  function line(row) {
    const item = element("li", "action"), text = element("div"), what = row.count > 1 ? fill(say.series_of, {what: row.what, n: row.count}) : row.what;
    text.append(element("span", "muted", `${row.at.slice(0, 10) === schedule.today() ? "" : `${row.at.slice(8, 10)}.${row.at.slice(5, 7)} `}${row.at.slice(11, 16)} `), element("b", "", what), ` ${row.who}`);
    if (row.starts_at) text.append(element("div", "muted", when(row.starts_at)));
    if (row.why) text.append(element("div", "why", row.why));
    item.append(text);
    if (row.undoable) {
      const button = element("button", "btn btn-default btn-xs", say.undo);
      button.type = "button";
      button.addEventListener("click", async () => {
        button.disabled = true;
        await undo(`${settings.urls.schedule}actions/${row.id}/undo`);
        if (schedule.opened?.kind === "actions") schedule.openActions();
      });
      item.append(button);
    }
    return item;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-actions]")) { event.preventDefault(); schedule.openActions(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.code !== "KeyZ" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, select, textarea, [contenteditable], dialog[open]")) return;
    event.preventDefault();
    undo(`${settings.urls.schedule}undo`);
  });

  // How many stand in the day, and how many of them over another or outside hours.
  document.addEventListener("schedule:fresh", () => {
    const place = $("[data-counts]");
    if (!place) return;
    place.hidden = state.view !== "day";
    const rows = (state.sheet?.appointments || []).filter((row) => !["cancelled", "no_show"].includes(row.status));
    const over = rows.filter((row) => row.overbooked).length, outside = rows.filter((row) => row.outside_hours_reason).length;
    const parts = [["calendar", rows.length, say.counted, true], ["clone", over, say.over], ["clock-o", outside, say.outside]].filter(([, n, , always]) => n || always);
    place.replaceChildren(...parts.map(([sign, n, words]) => { const part = element("span", "schedule-count"); part.append(schedule.icon(sign), ` ${n}`); part.title = fill(words, {n}); part.setAttribute("aria-label", part.title); return part; }));
  });
})();
