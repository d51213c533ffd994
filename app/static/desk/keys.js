// The keys of every page: `?` lists them, `/` searches, an element's data-key presses it. The key's place on the keyboard
// counts, not the letter, so the layout does not matter; nothing happens while somebody types. What takes money has a
// function key: no letter of a surname presses it, and it works from every field.
(function () {
  "use strict";
  const own = []; // what scripts of the page listen to: {code, shift, when, run}
  const writes = "input:not([type=checkbox]):not([type=radio]):not([type=button]):not([type=submit]), select, textarea, [contenteditable], .select2-container";
  const dialog = () => document.querySelector("dialog.keys");
  const names = {BracketLeft: "[", BracketRight: "]", Slash: "/", Enter: "Enter", Escape: "Esc", Space: "␣"};
  const shown = (code) => names[code] || code.replace(/^(Key|Digit|Numpad)/, "");
  const visible = (one) => one.getClientRects().length > 0 && !one.disabled;
  const pressable = () => [...document.querySelectorAll("[data-key]")].filter(visible);

  // The list: what stands in the page's own tables of keys, and every button that has one now.
  function list() {
    const box = dialog(), place = box.querySelector("[data-buttons]"), told = new Set([...box.querySelectorAll("[data-page-keys] kbd")].map((kbd) => kbd.textContent));
    const rows = box.querySelector("[data-page-keys]"), page = document.getElementById("page-keys");
    rows.replaceChildren(...(page ? [page.content.cloneNode(true)] : []));
    if (page) box.querySelectorAll("[data-page-keys] kbd").forEach((kbd) => told.add(kbd.textContent));
    const seen = new Set();
    place.replaceChildren(...pressable().flatMap((one) => {
      const key = shown(one.dataset.key), title = one.dataset.keyTitle || one.textContent.trim() || one.title;
      if (seen.has(key) || told.has(key)) return [];
      seen.add(key);
      const row = document.createElement("div"), kbd = document.createElement("kbd"), text = document.createElement("span");
      kbd.textContent = key;
      text.textContent = title;
      row.append(kbd, text);
      return [row];
    }));
    place.hidden = !seen.size;
    rows.hidden = !page;
  }

  let before = null;
  function toggle() {
    const box = dialog();
    if (box.open) { box.close(); return; }
    list();
    before = document.activeElement;
    box.showModal();
  }

  document.addEventListener("keydown", (event) => {
    const box = dialog();
    if (!box || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const works = /^F\d+$/.test(event.code) && !box.open && !event.shiftKey && pressable().find((each) => each.dataset.key === event.code);
    if (works) { event.preventDefault(); if (!event.repeat) works.click(); return; }
    if (event.target.closest(writes)) {
      if (event.key === "Escape" && !event.target.closest(".side")) event.target.blur?.(); // out of the field, to the keys
      return;
    }
    const question = event.key === "?" || (event.code === "Slash" && event.shiftKey);
    if (question) { event.preventDefault(); toggle(); return; }
    if (box.open) return;
    if (event.key === "/" || event.code === "Slash" || event.code === "NumpadDivide") {
      const search = document.querySelector("[data-search-key]") || document.querySelector("[data-patient-search] input");
      if (search) { event.preventDefault(); search.focus(); search.select?.(); }
      return;
    }
    const found = own.find((key) => key.code === event.code && !!key.shift === event.shiftKey && (!event.repeat || key.repeat) && (!key.when || key.when(event)));
    if (found) { if (found.run(event) !== false) event.preventDefault(); return; }
    if (event.shiftKey || event.repeat || event.target.closest(".dropdown-menu")) return;
    const one = pressable().find((each) => each.dataset.key === event.code);
    if (one) { event.preventDefault(); one.focus(); one.click(); }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) { event.preventDefault(); toggle(); }
    else if (event.target.closest("[data-close-keys]") || event.target === dialog()) dialog()?.close();
  });
  document.addEventListener("close", (event) => { if (event.target === dialog()) { before?.focus?.(); before = null; } }, true);

  desk.keys = (keys) => own.push(...keys);
})();
