// The dental formula by keys: arrows and Enter go from tooth to tooth, a press on the legend marks the chosen one.
(function () {
  "use strict";
  const form = document.querySelector("[data-medical]");
  if (!form) return;
  const rows = [...form.querySelectorAll(".formula-row")].map((row) => [...row.querySelectorAll("[data-tooth]")]);
  let chosen = null;
  const place = (tooth) => {
    const row = rows.findIndex((teeth) => teeth.includes(tooth));
    return [row, rows[row].indexOf(tooth)];
  };
  const go = (tooth) => { if (tooth) { tooth.closest("details").open = true; tooth.focus(); tooth.select(); } };

  form.addEventListener("focusin", (event) => {
    if (!event.target.dataset.tooth) return;
    chosen?.closest(".formula-tooth").classList.remove("chosen");
    chosen = event.target;
    chosen.closest(".formula-tooth").classList.add("chosen");
  });
  form.addEventListener("keydown", (event) => {
    const tooth = event.target;
    if (!tooth.dataset.tooth || event.ctrlKey || event.altKey || event.metaKey) return;
    const [row, at] = place(tooth), atEnd = tooth.selectionEnd === tooth.value.length, atStart = tooth.selectionStart === 0;
    const whole = atStart && atEnd;
    let next = null;
    if (event.key === "Enter") next = rows[row][at + 1] || rows[row + 1]?.[0] || tooth;
    else if (event.key === "ArrowRight" && (whole || atEnd)) next = rows[row][at + 1];
    else if (event.key === "ArrowLeft" && (whole || atStart)) next = rows[row][at - 1];
    else if (event.key === "ArrowDown") next = rows[row + 1]?.[Math.min(at, rows[row + 1].length - 1)];
    else if (event.key === "ArrowUp") next = rows[row - 1]?.[Math.min(at, rows[row - 1].length - 1)];
    else return;
    if (event.key === "Enter" || next) event.preventDefault();
    go(next);
  });
  // not to lose the tooth: the press does not take the cursor away
  form.addEventListener("mousedown", (event) => { if (event.target.closest("[data-mark]")) event.preventDefault(); });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-mark]");
    if (!button || !chosen) return;
    const sign = button.dataset.mark, have = chosen.value.split(/[\s,;]+/).filter(Boolean);
    chosen.value = (have.includes(sign) ? have.filter((one) => one !== sign) : [...have, sign]).join(", ");
    chosen.focus();
  });
})();
