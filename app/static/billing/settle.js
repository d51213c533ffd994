// The settlement form: what is paid, what stays a debt or becomes an advance, the change. Sums are in kopecks.
(function () {
  "use strict";
  const form = document.querySelector("[data-settle]");
  if (!form || !form.querySelector("[data-method]")) return;
  const kopecks = (text) => {
    const clean = String(text).replace(/[\s\u2009\u202f\u00a0₽]/g, "").replace(",", ".");
    return /^\d+(\.\d{0,2})?$/.test(clean) ? Math.round(parseFloat(clean) * 100) : 0;
  };
  const shown = (sum) => (sum / 100).toLocaleString("ru-RU", {minimumFractionDigits: 2, maximumFractionDigits: 2});
  const fields = [...form.querySelectorAll("[data-method]")];
  const bills = [...form.querySelectorAll("[name=bill]")];
  const cash = form.querySelector("[name=cash]");
  const tendered = form.querySelector("[name=tendered]");
  let untouched = !fields.some((field) => field !== cash && field.value.trim());

  const shares = [...form.querySelectorAll("[data-share]")];
  const due = () => {
    const chosen = shares.reduce((sum, field) => sum + kopecks(field.value), 0);
    if (chosen) return chosen;
    return bills.filter((bill) => bill.checked).reduce((sum, bill) => sum + kopecks(bill.dataset.due), 0);
  };
  const paid = () => fields.reduce((sum, field) => sum + kopecks(field.value), 0);

  // In which order the other ways give way to one: cash, the rest of the money, then advances and the certificate.
  const limited = (field) => field.dataset.most !== undefined || field.name === "certificate";
  const givingWay = (field) => {
    const others = fields.filter((other) => other !== field && other !== cash);
    return [field === cash ? [] : [cash], others.filter((other) => !limited(other)), others.filter(limited)];
  };

  // With a relative's advance pays that relative, with a child's who pays for the child; somebody else can still be
  // chosen afterwards, and is refused.
  const payer = form.querySelector("[name=payer_id]");
  const lender = () => (fields.find((field) => field.dataset.payer && kopecks(field.value)) || {dataset: {payer: ""}}).dataset.payer;
  let lent = lender();
  function followLender() {
    if (!payer || lent === lender()) return;
    lent = lender();
    const wanted = lent || payer.dataset.usual;
    if ([...payer.options].some((option) => option.value === wanted)) payer.value = wanted;
  }

  function show() {
    followLender();
    const rest = due() - paid();
    form.querySelector("[data-due-sum]").textContent = shown(due());
    form.querySelector("[data-paid]").textContent = shown(paid());
    const word = form.querySelector("[data-rest-word]");
    form.querySelector("[data-rest-line]").hidden = rest === 0;
    word.textContent = rest > 0 ? word.dataset.debtWord : word.dataset.advanceWord;
    const sum = form.querySelector("[data-rest]");
    sum.textContent = shown(Math.abs(rest));
    sum.className = "money " + (rest > 0 ? "danger" : "good");
    const change = form.querySelector("[data-change]");
    const given = tendered.value.trim() ? kopecks(tendered.value) - kopecks(cash.value) : null;
    tendered.disabled = !kopecks(cash.value);  // it keeps its place: no line moves under the pointer
    change.textContent = given === null || !kopecks(cash.value) ? "—" : given < 0 ? "−" + shown(-given) : shown(given) + " ₽";
    change.classList.toggle("danger", given !== null && given < 0);
  }

  form.addEventListener("input", (event) => {
    if (event.target.dataset.method !== undefined) untouched = false;
    if ((event.target.name === "bill" || event.target.dataset.share !== undefined) && untouched) cash.value = due() ? shown(due()) : "";
    show();
  });
  form.addEventListener("click", (event) => {
    const exact = event.target.closest("[data-exact]");
    if (exact && due()) {
      fields.forEach((field) => { field.value = ""; });
      tendered.value = "";
      form.querySelector(`[name=${exact.dataset.exact}]`).value = shown(due());
      show();
      form.requestSubmit();
      return;
    }
    const all = event.target.closest("[data-all]");
    if (!all || !due()) return;
    untouched = false;
    // An advance pays all it can, and others give way just so much; money takes what is left, or else what others had.
    const field = form.querySelector(`[name=${all.dataset.all}]`);
    const most = Math.min(due(), field.dataset.most === undefined ? Infinity : kopecks(field.dataset.most));
    let left = due() - paid() + kopecks(field.value);
    for (const others of givingWay(field)) {
      const wanted = field.dataset.most === undefined && left > 0 ? left : most;
      for (const other of others) {
        const given = Math.min(kopecks(other.value), Math.max(wanted - left, 0));
        if (!given) continue;
        other.value = given < kopecks(other.value) ? shown(kopecks(other.value) - given) : "";
        left += given;
      }
    }
    left = Math.min(left, most);
    field.value = left > 0 ? shown(left) : "";
    if (field.dataset.most && paid() < due()) cash.value = shown(due() - paid() + kopecks(cash.value));
    field.focus();
    show();
  });

  // What is left on a certificate, as soon as its number is written.
  const certificate = form.querySelector("[data-certificate]");
  if (certificate) {
    const number = certificate.querySelector("[name=certificate_number]");
    const sum = certificate.querySelector("[name=certificate]");
    const said = certificate.querySelector("[data-said]");
    number.addEventListener("change", async () => {
      const wanted = number.value.trim();
      delete sum.dataset.most;
      said.hidden = true;
      if (!wanted) { sum.value = ""; show(); return; }
      const answer = await fetch(`${certificate.dataset.certificate}?number=${encodeURIComponent(wanted)}`, {headers: {"X-Requested-With": "XMLHttpRequest"}}).catch(() => null);
      if (number.value.trim() !== wanted) return;
      const body = answer ? await answer.json().catch(() => ({})) : {};
      const found = Boolean(answer && answer.ok);
      said.textContent = found ? body.said : body.message || "";
      said.hidden = !said.textContent;
      certificate.classList.toggle("has-error", !found && Boolean(said.textContent));
      if (!found) return;  // what it was to pay stays beside it, and is refused: nobody has said that it is cash
      sum.dataset.most = body.left;
      if (!sum.value.trim()) form.querySelector("[data-all=certificate]").click();
    });
    number.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); number.dispatchEvent(new Event("change")); sum.focus(); }
    });
  }
  show();
})();
