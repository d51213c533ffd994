// The lines of a work order: find a service, add it, see the totals at once. The server counts again. Sums are in kopecks.
(function () {
  "use strict";
  const sheet = document.querySelector("[data-work-order]");
  if (!sheet) return;
  const body = sheet.querySelector("tbody"), find = sheet.querySelector("[data-find]"), found = sheet.querySelector(".found");
  const number = (text) => {
    const clean = String(text).replace(/[\s\u2009\u202f\u00a0₽]/g, "").replace(",", ".");
    return /^\d+(\.\d{0,2})?$/.test(clean) ? parseFloat(clean) : 0;
  };
  const shown = (sum) => (sum / 100).toLocaleString("ru-RU", {minimumFractionDigits: 2, maximumFractionDigits: 2});

  // What was saved keeps its price, and a discount that somebody else may have given stays with its line, each once.
  const saved = JSON.parse(sheet.dataset.saved);
  const kopecks = (text) => Math.round(number(text) * 100);
  function takeStanding(left, value) {
    const inPercent = value("unit") === "percent";
    const place = left.findIndex((one) => one.service === value("service_id") && String(one.quantity) === value("quantity").trim() &&
      (inPercent ? one.percent !== null && kopecks(one.percent) === kopecks(value("discount"))
        : kopecks(one.discount) === kopecks(value("discount"))));
    return place >= 0 && left.splice(place, 1).length === 1;
  }

  function count() {
    let whole = 0, given = 0;
    const left = [...saved];
    body.querySelectorAll("[data-line]").forEach((line) => {
      const value = (name) => line.querySelector(`[name=line_${name}]`).value;
      const price = Math.round(number(value("price")) * 100);
      // What the server refuses is marked here and adds nothing: an empty quantity is no one.
      const quantity = /^\d{1,3}$/.test(value("quantity").trim()) ? parseInt(value("quantity"), 10) : 0;
      line.querySelector("[name=line_quantity]").parentElement.classList.toggle("has-error", !quantity);
      const gross = price * quantity;
      // percent × 100 is a whole number, so half a kopeck is seen exactly
      const discount = value("unit") === "percent"
        ? Math.floor((gross * Math.round(number(value("discount")) * 100) + 5000) / 10000)
        : Math.round(number(value("discount")) * 100);
      const total = Math.max(gross - discount, 0);
      line.querySelector("[data-price]").textContent = shown(price);
      line.querySelector("[data-total]").textContent = shown(total);
      const stands = takeStanding(left, value);
      // a percent is compared as it was typed: rounded to the kopeck, the largest one may come out a little above itself
      const limit = number(sheet.dataset.limit);
      const above = value("unit") === "percent" ? kopecks(value("discount")) > kopecks(limit) : discount * 100 > gross * limit;
      const tooMuch = !stands && gross > 0 && above;
      line.querySelector(".discount").classList.toggle("has-error", tooMuch);
      line.querySelector("[name=line_discount]").title = tooMuch ? sheet.dataset.limitSaid : "";
      whole += total;
      given += gross - total;
    });
    sheet.querySelector("[data-whole]").textContent = shown(whole);
    const word = sheet.querySelector("[data-discounted]");
    word.textContent = given ? `${word.dataset.word} ${shown(given)}` : "";
    sheet.querySelector("[data-empty]").hidden = body.querySelector("[data-line]") !== null;
  }

  function add(service) {
    const line = sheet.querySelector("template").content.firstElementChild.cloneNode(true);
    line.querySelector("[name=line_service_id]").value = service.id;
    const standing = saved.find((one) => one.service === String(service.id));
    line.querySelector("[name=line_price]").value = standing ? standing.price : service.price;
    const name = `${service.code} ${service.name}`;
    line.querySelector("[name=line_name]").value = name;
    line.querySelector("[data-name]").textContent = name;
    body.append(line);
    find.value = "";
    found.hidden = true;
    count();
    line.querySelector("[name=line_tooth]").focus();
  }

  let asked = 0, timer = null, services = [], at = 0;
  function choose(place) {
    at = place;
    found.querySelectorAll("a").forEach((row, i) => row.classList.toggle("at", i === at));
  }
  async function search() {
    const mine = ++asked;
    if (!find.value.trim()) { found.hidden = true; services = []; return; }
    try {
      const {data} = await window.desk.ask(`${sheet.dataset.services}?page_size=12&q=${encodeURIComponent(find.value.trim())}`);
      if (mine !== asked) return;
      services = data.result;
    } catch (refusal) { window.desk.tell(refusal.message, "danger"); return; }
    found.replaceChildren(...(services.length ? services.map((service, place) => {
      const row = document.createElement("li"), link = document.createElement("a");
      link.href = "#";
      const name = document.createElement("b"), more = document.createElement("span");
      name.textContent = service.name;
      more.textContent = `${service.code} · ${service.category} · ${shown(Math.round(parseFloat(service.price) * 100))} ₽`;
      link.append(name, more);
      link.addEventListener("mousedown", (event) => { event.preventDefault(); add(services[place]); });
      row.append(link);
      return row;
    }) : [Object.assign(document.createElement("li"), {className: "note", textContent: sheet.dataset.none})]));
    found.hidden = false;
    choose(0);
  }
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150); });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (!found.hidden && services[at]) add(services[at]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (services.length) choose((at + (event.key === "ArrowDown" ? 1 : services.length - 1)) % services.length);
    } else if (event.key === "Escape") { found.hidden = true; }
  });
  find.addEventListener("blur", () => setTimeout(() => { found.hidden = true; }, 150));
  // The chart of teeth under the field that was pressed, or by an arrow down; not where the cursor only stands, for it
  // would lie over the buttons below.
  const chart = sheet.querySelector("[data-teeth]");
  let asking = null;
  const showChart = (field) => {
    asking = field;
    chart.hidden = false;
    const place = asking.getBoundingClientRect(), base = sheet.getBoundingClientRect();
    chart.style.top = `${place.bottom - base.top + 4}px`;
    chart.style.left = `${Math.max(8, Math.min(place.left - base.left, base.width - chart.offsetWidth - 8))}px`;
  };
  sheet.addEventListener("focusin", (event) => { if (event.target !== asking && !chart.contains(event.target)) chart.hidden = true; });
  sheet.addEventListener("click", (event) => { if (event.target.matches("[data-tooth]")) showChart(event.target); });
  // A tooth that was typed needs no chart over the buttons below.
  sheet.addEventListener("input", (event) => { if (event.target === asking && asking.value.trim().length === 2) chart.hidden = true; });
  chart.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const tooth = event.target.closest("[data-pick]");
    if (!tooth || !asking) return;
    asking.value = tooth.dataset.pick;
    chart.hidden = true;
    asking.closest("[data-line]").querySelector("[name=line_quantity]").focus();
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Escape") chart.hidden = true;
    else if (event.key === "ArrowDown" && event.target.matches("[data-tooth]")) { event.preventDefault(); showChart(event.target); }
  });
  sheet.addEventListener("input", count);
  sheet.addEventListener("click", (event) => {
    const gone = event.target.closest("[data-remove]");
    if (gone) { gone.closest("[data-line]").remove(); count(); find.focus(); }
  });
  sheet.querySelector("form").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[name^=line_]")) { event.preventDefault(); find.focus(); }
  });
  count();
})();
