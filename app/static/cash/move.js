// The form of a cash operation shows only the fields that belong to the chosen kind.
(function () {
  "use strict";
  const place = document.querySelector("[data-cash-move]");
  if (!place) return;
  function show() {
    const kind = place.querySelector("[name=kind]:checked")?.value;
    place.querySelectorAll("[data-for]").forEach((field) => {
      const off = field.dataset.for !== kind;
      field.hidden = off;
      field.querySelectorAll("input, select").forEach((input) => { input.disabled = off; });
    });
    place.querySelectorAll(".choice label").forEach((label) => label.classList.toggle("active", label.querySelector("input").checked));
  }
  place.addEventListener("change", show);
  show();
})();
