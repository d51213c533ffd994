// A text of a paper being edited: fields go where the cursor is, a mistake leads to its line, the preview takes the
// text as it is typed, and what was typed is not left behind unasked.
(function () {
  "use strict";
  const text = document.getElementById("body");
  let saved = text.value, leaving = false;

  document.addEventListener("click", (event) => {
    const field = event.target.closest("[data-put]");
    if (field) {
      text.focus();
      // through the editor's own history, so that Ctrl+Z takes it back
      if (!document.execCommand("insertText", false, field.dataset.put)) {
        text.setRangeText(field.dataset.put, text.selectionStart, text.selectionEnd, "end");
      }
    }
    const place = event.target.closest("[data-to-line]");
    if (place) toLine(Number(place.dataset.toLine));
  });

  function toLine(number) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
    text.setSelectionRange(start, start);
    text.blur(); // a browser scrolls to the cursor when it comes into the field
    text.focus();
    text.setSelectionRange(start, start + (lines[number - 1] || "").length);
  }

  // what was said of the text as it was before is not said of this one
  text.addEventListener("input", () => document.querySelector("#problems .alert-success")?.remove());

  const find = document.getElementById("find-field");
  const groups = [...document.querySelectorAll(".fields-of details")].map((group) => ({group, open: group.open}));
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    groups.forEach(({group, open}) => {
      let any = false;
      group.querySelectorAll("li").forEach((item) => {
        item.hidden = !item.textContent.toLowerCase().includes(wanted);
        any = any || !item.hidden;
      });
      group.hidden = !any;
      group.open = wanted ? any : open;
    });
  });
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.querySelector(".fields-of details:not([hidden]) li:not([hidden]) [data-put]")?.click();
  });

  const whose = document.getElementById("whose");
  const show = () => document.querySelectorAll("[data-whose]").forEach((part) => { part.hidden = part.dataset.whose !== whose.value; });
  whose.addEventListener("change", show);
  show();

  document.querySelectorAll("form[data-copies]").forEach((form) => {
    form.addEventListener("submit", () => { form.elements[form.dataset.copies].value = text.value; });
  });
  text.form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("beforeunload", (event) => { if (!leaving && text.value !== saved) event.preventDefault(); });
})();
