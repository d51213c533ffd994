// The form of a card: one more phone.
(function () {
  "use strict";
  const phones = document.querySelector("[data-phones]");
  phones?.querySelector("[data-more-phones]").addEventListener("click", (event) => {
    const rows = phones.querySelectorAll(".phone-row");
    const row = rows[rows.length - 1].cloneNode(true);
    row.classList.remove("has-error");
    row.querySelectorAll(".field-error").forEach((said) => said.remove());
    row.querySelectorAll("input").forEach((field) => { field.value = ""; });
    event.target.closest("button").before(row);
    row.querySelector("input").focus();
  });
})();
