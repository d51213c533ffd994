// Somebody was faster: what stands there now beside what was typed here; take theirs, or apply one's own anew.
// Also: a visit whose old time is taken is offered others; the words of a visit's history.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, say, fill, element} = schedule;
  const NAMES = {...words.fields, branch_id: say.branch, overbook_reason: say.why_over, outside_hours_reason: say.why_outside, cancel_comment: say.cancel_comment, cancelled_by: say.cancelled_by, undone: say.undone_deed};
  const SHOWN = ["starts_at", "ends_at", "doctor_id", "chair_id", "comment"];

  function said(name, value) {
    if (value === null || value === undefined || value === "") return "";
    if (name === "status") return settings.statuses[value] || value;
    if (name === "confirmation") return settings.confirmations[value] || value;
    if (name === "cancelled_by") return settings.cancelled_by[value] || value;
    if (name === "undone") return settings.deeds[value] || value;
    if (name === "doctor_id") return schedule.doctorName(value);
    if (name === "chair_id") return schedule.chairName(value);
    if (name === "branch_id") return settings.chairs.find((row) => row.branch_id === value)?.branch || "";
    if (name.endsWith("_at")) return `${value.slice(8, 10)}.${value.slice(5, 7)} ${value.slice(11, 16)}`;
    return String(value);
  }

  // «Time: 23.11 10:00–10:30 → 24.11 11:00–11:30, doctor: …»: from what to what.
  schedule.differences = (row) => {
    const to = row.to || {}, from = row.from || {}, found = [];
    const pair = (name, before, after) => found.push(`${name}: ${before ? before + " → " : ""}${after || "—"}`);
    const both = "starts_at" in to && "ends_at" in to && from.starts_at && from.ends_at;
    if (both) pair(say.time, `${said("starts_at", from.starts_at)}–${from.ends_at.slice(11, 16)}`, `${said("starts_at", to.starts_at)}–${to.ends_at.slice(11, 16)}`);
    Object.keys(to).filter((name) => NAMES[name] && !(both && ["starts_at", "ends_at"].includes(name))).forEach((name) => pair(NAMES[name], said(name, from[name]), said(name, to[name])));
    return found.join(", ");
  };

  // Under the refusal: a table of what is not the same; `again` saves one's own over the new version.
  schedule.showStale = (place, refusal, body, again) => {
    const now = refusal.current, mine = {...now, ...body}, table = element("table", "stale-table"), head = element("tr");
    place.textContent = fill(say.stale, {who: refusal.by || "—", when: (refusal.changed_at || "").slice(11, 16)});
    head.append(element("th", "", say.stale_field), element("th", "", say.theirs), element("th", "", say.yours));
    table.append(head);
    SHOWN.filter((name) => (now[name] ?? "") !== (mine[name] ?? "")).forEach((name) => {
      const line = element("tr");
      line.append(element("td", "", NAMES[name]), element("td", "", said(name, now[name]) || "—"), element("td", "", said(name, mine[name]) || "—"));
      table.append(line);
    });
    const theirs = element("button", "btn btn-default btn-sm", say.take_theirs), own = element("button", "btn btn-default btn-sm", say.apply_mine);
    theirs.type = own.type = "button";
    theirs.addEventListener("click", () => schedule.openVisit(now.id));
    own.addEventListener("click", () => again(now));
    place.append(table, theirs, " ", own);
    place.hidden = false;
  };

  // The time of a cancelled visit is taken: the nearest free ones instead.
  schedule.showInstead = (place, free, restore) => {
    if (!free?.length) return;
    const box = element("div", "instead", say.instead);
    free.forEach((slot) => {
      const button = element("button", "btn btn-default btn-sm", schedule.whenWords(slot.starts_at));
      button.type = "button";
      button.addEventListener("click", () => restore(slot, button));
      box.append(" ", button);
    });
    place.append(box);
  };
})();
