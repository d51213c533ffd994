// The form of a card: one more phone; who may be the same person, while the name is typed.
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

  const twins = document.querySelector("[data-twins]");
  const address = twins?.dataset.twins;
  if (!address) return;
  const form = document.querySelector("form[method=post] [name=surname]").form;
  let wait = 0, asked = "";
  async function look() {
    const typed = new URLSearchParams({
      surname: form.surname.value, name: form.elements.namedItem("name").value,
      birth_date: form.birth_date.value, phone: form.querySelector("[name=phone_number]").value,
    }).toString();
    if (typed === asked) return;
    asked = typed;
    const answer = await fetch(`${address}?${typed}`, {headers: {"X-Requested-With": "XMLHttpRequest"}}).catch(() => null);
    if (!answer?.ok || typed !== asked) return;
    twins.innerHTML = await answer.text();
    form.querySelector("[data-anyway]").hidden = !twins.firstElementChild;
  }
  form.addEventListener("input", (event) => {
    if (!["surname", "name", "birth_date", "phone_number"].includes(event.target.name)) return;
    clearTimeout(wait);
    wait = setTimeout(look, 300);
  });
})();
