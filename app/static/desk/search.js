// The search box on every page: Ctrl+K, type, arrows, Enter opens the card.
(function () {
  "use strict";
  const form = document.querySelector("[data-patient-search]");
  if (!form) return;
  const box = form.querySelector("input"), list = form.querySelector(".found");
  const card = (id) => form.dataset.card.replace(/0(?=\D*$)/, id);
  let asked = 0, timer, at = -1;

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") { event.preventDefault(); box.focus(); box.select(); }
  });

  const close = () => { list.hidden = true; at = -1; };
  const note = (text) => { list.innerHTML = ""; const li = document.createElement("li"); li.className = "note"; li.textContent = text; list.append(li); list.hidden = false; };

  async function search() {
    const q = box.value.trim(), mine = ++asked;
    if (q.length < 2) return close();
    try {
      const {data} = await desk.ask(form.dataset.patientSearch + "?page_size=10&q=" + encodeURIComponent(q));
      if (mine !== asked) return;
      if (!data.result.length) return note(box.dataset.none);
      list.innerHTML = "";
      data.result.forEach((row) => {
        const li = document.createElement("li"), link = document.createElement("a");
        link.href = card(row.id);
        const name = document.createElement("b"), more = document.createElement("span");
        name.textContent = row.full_name;
        more.textContent = [
          "№ " + row.card_number,
          row.birth_date ? row.birth_date.split("-").reverse().join(".") : "",
          row.phones.length ? "…" + row.phones[0].number.slice(-4) : "",
        ].filter(Boolean).join(" · ");
        link.append(name, more);
        li.append(link);
        list.append(li);
      });
      at = -1;
      list.hidden = false;
    } catch (refusal) {
      if (mine === asked) note(refusal.message || box.dataset.failed);
    }
  }

  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 180); });
  box.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    if (event.key === "Escape") { close(); box.blur(); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = Math.max(-1, Math.min(links.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)));
      links.forEach((link, i) => link.classList.toggle("at", i === at));
    }
    if (event.key === "Enter" && (at >= 0 || links.length === 1)) { event.preventDefault(); location.href = links[Math.max(at, 0)].href; }
  });
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) close(); });
})();
