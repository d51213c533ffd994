// How a visit and a block look in the grid, and what their hints tell.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, fill, chairName, icon, element, byChair} = schedule;
  const ICONS = {booked: "calendar", arrived: "hourglass-half", in_progress: "user-md", completed: "check", cancelled: "times", no_show: "user-times"};
  const ANSWERS = {notified: "envelope", confirmed: "thumbs-up", asks_to_move: "exchange", declined: "ban", not_reached: "phone-slash"};

  // What of the health questionnaire is dangerous, in words; empty when nothing is.
  const alerts = (patient) => patient.alerts.filter(([key]) => settings.alerts[key]).map(([key, said]) => settings.alerts[key] + (said ? `: ${key === "pregnancy" ? fill(words.weeks, {n: said}) : said}` : "")).join("; ");

  // How a visit looks on its block. All of it is text: nothing typed by people becomes markup.
  function face(visit, dragged = false) {
    const box = element("div", "face"), line = element("div", "face-line"), patient = visit.patient;
    box.dataset.ofVisit = visit.id;
    const status = icon(ICONS[visit.status], settings.statuses[visit.status]);
    status.classList.add("face-status");
    const name = element("b", "face-name", patient.short_name);
    if (patient.balance && Number(patient.balance.debt) > 0) name.classList.add("has-debt");
    else if (patient.balance && Number(patient.balance.advance) > 0) name.classList.add("has-advance");
    line.append(status, name);
    if (visit.first_visit) line.append(icon("star", words.first_visit));
    if (visit.status === "booked" && ANSWERS[visit.confirmation]) line.append(icon(ANSWERS[visit.confirmation], settings.confirmations[visit.confirmation]));
    if (patient.allergy) { const mark = icon("exclamation-triangle", `${words.allergy}: ${patient.allergy}`); mark.classList.add("danger"); line.append(mark); }
    if (patient.alerts.length) { const mark = icon("heartbeat", alerts(patient)); mark.classList.add("danger"); line.append(mark); }
    if (visit.unpaid) { const mark = icon("rub", words.unpaid); mark.classList.add("danger"); line.append(mark); }
    if (visit.overbooked) line.append(icon("clone", words.overbooked));
    if (visit.shelf) line.append(icon("archive", fill(schedule.say.on_shelf, {who: visit.shelf.who})));
    if (visit.comment) line.append(icon("comment", visit.comment));
    const more = element("div", "face-more");
    more.append(visit.starts_at.slice(11) + (dragged ? "–" + visit.ends_at.slice(11) : ""));
    if (visit.status === "arrived") {
      const waited = Math.max(0, Math.floor((Date.now() - new Date(visit.arrived_at)) / 60000));
      more.append(" ", element("span", "face-waiting" + (waited >= settings.waiting_limit ? " danger" : ""), fill(words.waiting, {n: waited})));
    } else {
      more.append(" ", element("span", "face-word", settings.statuses[visit.status]));
    }
    const text = [byChair() ? visit.doctor : "", visit.service, visit.comment].filter(Boolean).join(" · ");
    box.append(line, more);
    if (text) box.append(element("div", "face-text", text));
    return box;
  }

  function blockFace(block) {
    const box = element("div", "face");
    box.dataset.ofBlock = block.id;
    const line = element("div", "face-line");
    line.append(icon(block.kind === "hold" ? "hand-paper-o" : "ban", settings.blocks[block.kind]), element("b", "", block.reason));
    box.append(line, element("div", "face-more", `${block.starts_at.slice(11)}–${block.ends_at.slice(11)} ${settings.blocks[block.kind]}`));
    return box;
  }

  const told = (visit) => [
    `${visit.starts_at.slice(11)}–${visit.ends_at.slice(11)} ${visit.patient.name}`, settings.statuses[visit.status], visit.doctor, chairName(visit.chair_id), visit.service, visit.comment,
    visit.patient.allergy ? `${words.allergy}: ${visit.patient.allergy}` : "", alerts(visit.patient),
  ].filter(Boolean).join("\n");

  Object.assign(schedule, {face, blockFace, told, alerts});
})();
