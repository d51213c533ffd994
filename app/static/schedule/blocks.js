// Closed and held time: closing it, opening it again, changing it by dragging or in its panel.
(function () {
  "use strict";
  if (!window.schedule) return;
  const {settings, words, say, state, fill, plus, span} = schedule;

  schedule.openBlocking = ({starts_at, minutes, doctor_id, chair_id} = {}) => {
    const side = schedule.show("block-panel", {kind: "block"}), form = side.querySelector("[data-block-form]");
    form.day.value = (starts_at || state.day).slice(0, 10);
    form.start.value = starts_at ? starts_at.slice(11, 16) : "13:00";
    form.minutes.value = minutes || 60;
    schedule.fillDoctors(form.doctor_id, doctor_id || null, "—");
    schedule.fillChairs(form.chair_id, doctor_id ? null : chair_id || null);
    form.chair_id.options[0].text = "—";
    form.addEventListener("change", () => { form.querySelector("[data-until]").hidden = form.kind.value !== "hold"; });
    form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); close(form); });
    (starts_at ? form.reason : form.doctor_id).focus();
  };

  function close(form) {
    schedule.forgive();
    const body = {kind: form.kind.value, reason: form.reason.value, ...schedule.times(form)};
    if (form.doctor_id.value) body.doctor_id = Number(form.doctor_id.value);
    if (form.chair_id.value) body.chair_id = Number(form.chair_id.value);
    if (body.kind === "hold" && form.until.value) body.expires_at = plus(schedule.iso(schedule.wallNow()), Number(form.until.value));
    schedule.once(form.querySelector("[data-save]"), async (once) => {
      const {data} = await desk.ask(settings.urls.blocks, {method: "POST", body, once});
      schedule.close();
      schedule.did(words.blocked, {block_id: data.id, version: data.version});
      schedule.load(true);
    });
  }

  schedule.openBlock = (block) => {
    const side = schedule.show("lift-panel", {kind: "lift"}), part = schedule.part;
    part("kind").textContent = settings.blocks[block.kind];
    part("reason").textContent = block.reason;
    part("when").textContent = [`${schedule.dayWords(block.starts_at)} ${block.starts_at.slice(11)}–${block.ends_at.slice(11)}`, schedule.doctorName(block.doctor_id), schedule.chairName(block.chair_id)].filter(Boolean).join(", ");
    part("until").textContent = block.expires_at ? fill(say.held_until, {when: schedule.whenWords(block.expires_at)}) : "";
    const button = side.querySelector("[data-lift]"), form = side.querySelector("[data-change-form]");
    button.hidden = side.querySelector("[data-block-change]").hidden = !settings.rights.block;
    button.addEventListener("click", () => schedule.once(button, async (once) => {
      const {data} = await desk.ask(`${settings.urls.blocks}${block.id}/lift`, {method: "POST", body: {}, once});
      schedule.close();
      schedule.did(words.lifted, {block_id: data.id, version: data.version});
      schedule.load(true);
    }));
    form.start.value = block.starts_at.slice(11, 16);
    form.minutes.value = span(block.starts_at, block.ends_at);
    form.reason.value = block.reason;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      schedule.forgive();
      const starts_at = `${block.starts_at.slice(0, 10)}T${form.start.value}`;
      const body = {version: block.version, starts_at, ends_at: plus(starts_at, Number(form.minutes.value)), reason: form.reason.value};
      schedule.once(form.querySelector("[data-save]"), async () => { await change(block, body); schedule.close(); });
    });
  };

  async function change(block, body) {
    try {
      const {data} = await desk.ask(settings.urls.blocks + block.id, {method: "PATCH", body});
      schedule.did(fill(say.block_changed, {when: schedule.whenWords(data.starts_at)}), {block_id: data.id, version: data.version});
    } finally { schedule.load(true); }
  }
  schedule.changeBlock = change;

  // Who drew over free time to book may close it instead.
  document.addEventListener("click", (event) => {
    const form = event.target.closest("[data-block-instead]")?.closest("form");
    if (form) schedule.openBlocking({starts_at: `${form.day.value}T${form.start.value}`, minutes: Number(form.minutes.value), doctor_id: Number(form.doctor_id.value) || null, chair_id: Number(form.chair_id.value) || null});
  });
})();
