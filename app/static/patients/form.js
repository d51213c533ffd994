// The form of a card: one more phone; the name in its cases and who may be the same person, while the name is typed.
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

  const cases = document.querySelector("[data-cases]");
  const card = cases?.closest("form");
  let later = 0, named = "";
  async function decline() {
    const typed = new URLSearchParams({
      surname: card.surname.value, name: card.elements.namedItem("name").value, patronymic: card.patronymic.value,
      sex: card.sex.value,
    }).toString();
    if (typed === named) return;
    named = typed;
    const answer = await fetch(`${cases.dataset.cases}?${typed}`, {headers: {"X-Requested-With": "XMLHttpRequest"}}).catch(() => null);
    if (!answer?.ok || typed !== named) return;
    const found = await answer.json();
    Object.entries(found).forEach(([field, word]) => { card[field].placeholder = word; });
    show();
  }
  function show() {
    const said = card.name_genitive.value || card.name_genitive.placeholder;
    cases.querySelector("[data-case]").textContent = said;
  }
  card?.addEventListener("input", (event) => {
    if (["name_genitive", "name_dative"].includes(event.target.name)) show();
    if (!["surname", "name", "patronymic", "sex"].includes(event.target.name)) return;
    clearTimeout(later);
    later = setTimeout(decline, 300);
  });

  const twins = document.querySelector("[data-twins]");
  if (!twins) return;
  const address = new URL(twins.dataset.twins, location.href);
  const form = document.querySelector("form[method=post] [name=surname]").form;
  let wait = 0, asked = "";
  async function look() {
    const said = new URLSearchParams({
      ...Object.fromEntries(address.searchParams), surname: form.surname.value, name: form.elements.namedItem("name").value,
      birth_date: form.birth_date.value, snils: form.snils.value, inn: form.inn.value,
    });
    form.querySelectorAll("[name=phone_number]").forEach((field) => said.append("phone", field.value));
    const typed = said.toString();
    if (typed === asked) return;
    asked = typed;
    const answer = await fetch(`${address.pathname}?${typed}`, {headers: {"X-Requested-With": "XMLHttpRequest"}}).catch(() => null);
    if (!answer?.ok || typed !== asked) return;
    twins.innerHTML = await answer.text();
    const anyway = form.querySelector("[data-anyway]");
    anyway.hidden = !twins.querySelector(anyway.dataset.anyway);
    if (anyway.hidden) form.anyway.checked = false;  // it was said of somebody who stands there no more
  }
  form.addEventListener("input", (event) => {
    if (!["surname", "name", "birth_date", "phone_number", "snils", "inn"].includes(event.target.name)) return;
    clearTimeout(wait);
    wait = setTimeout(look, 300);
  });
})();
