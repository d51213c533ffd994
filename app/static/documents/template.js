// A template being edited: a click puts a field where the cursor is; the preview takes the text as typed.
(function () {
  "use strict";
  const text = document.getElementById("body");
  document.addEventListener("click", (event) => {
    const field = event.target.closest("[data-merge-field]");
    if (field) {
      text.setRangeText("{{ " + field.dataset.mergeField + " }}", text.selectionStart, text.selectionEnd, "end");
      text.focus();
    }
  });
  document.querySelectorAll("form[data-copies]").forEach((form) => {
    form.addEventListener("submit", () => { form.elements[form.dataset.copies].value = text.value; });
  });
})();
