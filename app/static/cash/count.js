// Counting a drawer: pieces × value, their sum, and how it differs from what must be there. Sums are in kopecks.
(function () {
  "use strict";
  const form = document.querySelector("[data-count]");
  if (!form) return;
  const kopecks = (text) => {
    const clean = String(text).replace(/[\s\u2009\u202f\u00a0₽]/g, "").replace(",", ".");
    return /^\d+(\.\d{0,2})?$/.test(clean) ? Math.round(parseFloat(clean) * 100) : null;
  };
  const shown = (sum) => (sum < 0 ? "−" : "") + (Math.abs(sum) / 100).toLocaleString("ru-RU", {minimumFractionDigits: 2, maximumFractionDigits: 2});
  const expected = kopecks(form.dataset.count);
  const counted = form.querySelector("[name=counted]");

  function compare() {
    const sum = kopecks(counted.value);
    const difference = form.querySelector("[data-difference]");
    if (difference) {
      form.querySelector("[data-counted]").textContent = sum === null ? "—" : shown(sum) + " ₽";
      difference.textContent = sum === null ? "—" : shown(sum - expected) + " ₽";
      difference.classList.toggle("danger", sum !== null && sum !== expected);
      difference.classList.toggle("good", sum === expected);
    }
    form.querySelector("[name=reason]").required = sum !== null && sum !== expected;
  }
  function add() {
    let whole = 0, any = false;
    form.querySelectorAll("[data-value]").forEach((input) => {
      const pieces = /^\d+$/.test(input.value.trim()) ? parseInt(input.value, 10) : 0;
      any = any || input.value.trim() !== "";
      const sum = pieces * kopecks(input.dataset.value);
      whole += sum;
      input.closest("tr").querySelector("[data-sum]").textContent = pieces ? shown(sum) : "";
    });
    if (any) counted.value = (whole / 100).toFixed(2).replace(".", ",");
    compare();
  }
  form.addEventListener("input", (event) => { event.target.dataset.value ? add() : compare(); });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.dataset.value) return;
    event.preventDefault();
    const all = [...form.querySelectorAll("[data-value]"), counted];
    all[all.indexOf(event.target) + 1].focus();
  });
  add();
})();
