// The search box on every page: Ctrl+K, type, arrows, Enter opens the card. Past the tenth found one, and before the
// first, the arrows turn the page.
(function () {
  "use strict";
  const form = document.querySelector("[data-patient-search]");
  if (!form) return;
  const box = form.querySelector("input"), list = form.querySelector(".found");
  const card = (id) => form.dataset.card.replace(/0(?=\D*$)/, id);
  const SIZE = 10;
  let asked = 0, timer, at = -1, page = 0, last = 0;

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") { event.preventDefault(); box.focus(); box.select(); }
  });

  const close = () => { list.hidden = true; at = -1; };
  const day = (text) => text.split("-").reverse().join(".");
  const note = (text) => { list.innerHTML = ""; const li = document.createElement("li"); li.className = "note"; li.textContent = text; list.append(li); list.hidden = false; };

  // Where of all that was found this page is, with buttons for the neighbouring ones.
  function pages(many, count) {
    const li = document.createElement("li"), where = document.createElement("span");
    li.className = "pages";
    where.textContent = box.dataset.pages.replace("FIRST", page * SIZE + 1).replace("LAST", page * SIZE + many).replace("COUNT", count);
    const button = (step, sign, says, open) => {
      const made = Object.assign(document.createElement("button"), {type: "button", textContent: sign, disabled: !open, tabIndex: -1});
      made.setAttribute("aria-label", says);
      made.addEventListener("click", () => { turn(step); box.focus(); });
      return made;
    };
    li.append(button(-1, "←", box.dataset.previous, page > 0), where, button(1, "→", box.dataset.next, page < last));
    return li;
  }

  function mark(links, to) {
    at = to;
    links.forEach((link, i) => link.classList.toggle("at", i === at));
    if (links[at]) links[at].scrollIntoView({block: "nearest"});
  }

  function turn(step, chosen) {
    if (page + step < 0 || page + step > last) return;
    page += step;
    search(chosen);
  }

  async function search(chosen) {
    const q = box.value.trim(), mine = ++asked;
    if (q.length < 2) return close();
    try {
      const {data} = await desk.ask(form.dataset.patientSearch + "?page_size=" + SIZE + "&page=" + page + "&archived_number=1&q=" + encodeURIComponent(q));
      if (mine !== asked) return;
      last = Math.max(0, Math.ceil(data.count / SIZE) - 1);
      if (!data.result.length) return note(box.dataset.none);
      list.innerHTML = "";
      data.result.forEach((row) => {
        const li = document.createElement("li"), link = document.createElement("a");
        link.href = card(row.id);
        const name = document.createElement("b"), more = document.createElement("span");
        name.textContent = row.full_name;
        more.textContent = [
          "№ " + row.card_number,
          row.status === "archived" ? box.dataset.archived : "",
          row.birth_date ? day(row.birth_date) : "",
          row.phones.length ? "…" + row.phones[0].number.slice(-4) : "",
          row.last_visit ? box.dataset.been + " " + day(row.last_visit) : "",
        ].filter(Boolean).join(" · ");
        link.append(name, more);
        li.append(link);
        list.append(li);
      });
      if (last) list.append(pages(data.result.length, data.count));
      mark([...list.querySelectorAll("a")], chosen === "last" ? data.result.length - 1 : chosen === "first" ? 0 : -1);
      list.hidden = false;
    } catch (refusal) {
      if (mine === asked) note(refusal.message || box.dataset.failed);
    }
  }

  box.addEventListener("input", () => { clearTimeout(timer); page = 0; timer = setTimeout(() => search(), 180); });
  box.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    if (event.key === "Escape") { close(); box.blur(); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const to = at + (event.key === "ArrowDown" ? 1 : -1);
      if (to === links.length && page < last) return turn(1, "first");
      if (to < 0 && at === 0 && page) return turn(-1, "last");
      mark(links, Math.max(-1, Math.min(links.length - 1, to)));
    }
    if ((event.key === "PageDown" || event.key === "PageUp") && !list.hidden) {
      event.preventDefault();
      turn(event.key === "PageDown" ? 1 : -1, "first");
    }
    if (event.key === "Enter" && (at >= 0 || links.length === 1)) { event.preventDefault(); location.href = links[Math.max(at, 0)].href; }
  });
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) close(); });
})();
