// The box for an SMS by hand: a text with fields, how it will read, how many messages it costs.
(function () {
  "use strict";
  if (!window.notify) return;
  const {list, words} = notify, box = document.querySelector("[data-sms-box]");
  const $ = (what) => box.querySelector(what);
  const GSM = new Set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà");
  const TWICE = new Set("^{}\\[~]|€\f");
  let ids = [], fields = {}, texts = [], once = null, busy = false;

  // As the server fills fields in: what is empty leaves no blanks and commas behind.
  const filled = (body) => body.replace(/\{([^{}]*)\}/g, (_, name) => fields[name] || "").replace(/([\p{L}\p{N}_])\.\.(?!\.)/gu, "$1.")
    .replace(/ {2,}/g, " ").replace(/(, )+(?=[.,]|$)|^[ ,]+/g, "").replace(/[ ,]+$/, "");
  function parts(text) {
    const all = [...text], latin = all.every((one) => GSM.has(one) || TWICE.has(one));
    const length = latin ? all.reduce((sum, one) => sum + (TWICE.has(one) ? 2 : 1), 0) : text.length;
    const [one, several] = latin ? [160, 153] : [70, 67];
    return {length, parts: length <= one ? 1 : Math.ceil(length / several)};
  }
  function show() {
    const text = filled($("[data-body]").value), cost = parts(text);
    $("[data-preview]").textContent = text;
    $("[data-length]").textContent = words.parts.replace("{length}", cost.length).replace("{parts}", cost.parts);
    $("[data-send]").disabled = busy || !text.trim() || (ids.length === 1 && !$("[data-why-not]").hidden);
    once = null;
  }
  function refuse(text) {
    $("[data-refusal]").textContent = text || "";
    $("[data-refusal]").hidden = !text;
  }

  notify.sms = async (chosen) => {
    if (!("mayWrite" in list.dataset) || !chosen.length) return;
    ids = chosen.map(Number);
    let letter;
    try { letter = (await desk.ask(`${list.dataset.letter}?appointment_id=${ids[0]}`)).data; } catch (refusal) { desk.tell(refusal.message, "danger"); return; }
    ({fields, texts} = letter);
    $("[data-whom]").textContent = ids.length > 1 ? words.many.replace("{n}", ids.length) : [letter.fields.patient, letter.phone].filter(Boolean).join(", ");
    $("[data-why-not]").textContent = letter.why_not;
    $("[data-why-not]").hidden = !letter.why_not || ids.length > 1;
    $("[data-texts]").replaceChildren(...texts.map((one, n) => new Option(one.name, n)));
    $("[data-texts]").closest(".form-group").hidden = !texts.length;
    $("[data-body]").value = texts.length ? texts[0].body : "";
    refuse("");
    show();
    box.showModal();
    $("[data-body]").focus();
  };
  $("[data-texts]").addEventListener("change", (event) => { $("[data-body]").value = texts[event.target.value].body; show(); });
  $("[data-body]").addEventListener("input", show);
  $("[data-close-sms]").addEventListener("click", () => box.close());
  box.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); $("[data-send]").click(); } });
  $("[data-send]").addEventListener("click", async () => {
    if (busy) return;
    busy = true;
    $("[data-send]").disabled = true;
    once = once || crypto.randomUUID();
    try {
      const {data} = await desk.ask(list.dataset.sms, {method: "POST", body: {appointment_ids: ids, body: $("[data-body]").value}, once});
      once = null;
      const soon = data.written.filter((one) => new Date(one.due_at) - Date.now() < 120000).length;
      if (soon) desk.tell(words.sent.replace("{n}", soon), "success");
      if (data.written.length > soon) desk.tell(words.later.replace("{n}", data.written.length - soon), "success");
      data.written.forEach((one) => notify.picked.delete(String(one.appointment_id)));
      notify.showPicked();
      if (data.refused.length) {
        const why = [...new Set(data.refused.map((one) => one.why))];
        refuse(`${words.refused.replace("{n}", data.refused.length)}. ${why.join(" ")}`);
      } else box.close();
      notify.refresh(true);
    } catch (refusal) {
      if (refusal.message === undefined) throw refusal;
      if (refusal.status !== 0) once = null;
      refuse([refusal.message, ...Object.values(refusal.fields || {})].join(" "));
    } finally { busy = false; $("[data-send]").disabled = false; }
  });

  const here = new URL(location.href), asked = here.searchParams.get("sms");
  if (asked) {
    here.searchParams.delete("sms");
    history.replaceState(null, "", here);
    if (notify.row(asked)) notify.sms([asked]);
  }
})();
