// Small manners of every page: the menu on a phone, the way back, one submit per form, asking the server.
(function () {
  "use strict";

  const token = () => document.querySelector('meta[name="csrf-token"]').content;

  // Ask an address of ours; a refusal rejects with {status, error, message, ...facts}.
  window.desk = {
    async ask(url, {method = "GET", body, once = false, headers = {}} = {}) {
      const all = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest", ...headers};
      if (method !== "GET") {
        all["X-CSRFToken"] = token();
        all["Content-Type"] = "application/json";
        if (method === "POST") all["Idempotency-Key"] = once || crypto.randomUUID();
      }
      let answer;
      try {
        answer = await fetch(url, {method, headers: all, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin"});
      } catch (failure) {
        throw {status: 0, error: "offline", message: document.body.dataset.offline};
      }
      if (answer.status === 304) return {status: 304, data: null, headers: answer.headers};
      const data = await answer.json().catch(() => ({}));
      if (answer.status === 401) { location.reload(); }
      if (!answer.ok) throw {status: answer.status, ...data};
      return {status: answer.status, data, headers: answer.headers};
    },

    // A number as pages write it; of other countries as it is kept.
    phone: (number) => (number || "").replace(/^\+7(\d{3})(\d{3})(\d{2})(\d{2})$/, "+7\u00a0$1\u00a0$2-$3-$4"),

    // A line that appears at the bottom for a while.
    // With a deed there is a button that does it, and the line stays longer; gives the line.
    tell(text, kind = "info", deed = null) {
      let place = document.querySelector(".tellings");
      if (!place) {
        place = document.createElement("div");
        place.className = "tellings";
        place.setAttribute("role", "status");
        document.body.append(place);
      }
      const line = document.createElement("div");
      line.className = "telling telling-" + kind;
      line.textContent = text;
      if (deed) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "telling-deed";
        button.textContent = deed.label;
        button.addEventListener("click", () => { line.remove(); deed.run(); });
        line.append(" ", button);
      }
      place.append(line);
      setTimeout(() => line.remove(), kind === "danger" || deed ? 9000 : 4000);
      return line;
    },
  };

  // crypto.randomUUID exists only on secure origins; a clinic's LAN is often plain http.
  if (!crypto.randomUUID) {
    crypto.randomUUID = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
      (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-toggle-menu]")) document.querySelector(".bar").classList.toggle("open");
    if (event.target.closest("[data-go-back]")) {  // a paper is refused in a window of its own: behind it is the page that asked
      event.preventDefault();
      if (history.length > 1) history.back(); else window.close();
    }
    if (event.target.closest("[data-print]")) window.print();
    const tab = event.target.closest("[data-tab]");
    if (tab) tab.parentElement.querySelectorAll("[data-tab]").forEach((one) => one.classList.toggle("here", one === tab));
  });

  // A file that will be refused for its size is not sent first: what comes back would be a page without the card.
  document.addEventListener("change", (event) => {
    const chosen = event.target;
    if (!chosen.dataset?.largest) return;
    chosen.setCustomValidity(chosen.files[0]?.size > Number(chosen.dataset.largest) ? chosen.dataset.tooLarge : "");
    chosen.reportValidity();
  });

  // A form that was sent stays quiet until the answer: the second click does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post" && !form.hasAttribute("data-again")) {
      form.dataset.sent = "1";
      setTimeout(() => { for (const one of form.elements) if (one.type === "submit") one.disabled = true; }, 0);
    }
  });
  // The way back shows a page as it is now: a form with its old key was sent already.
  window.addEventListener("pageshow", (event) => {
    const way = performance.getEntriesByType("navigation")[0];
    if (event.persisted || (way && way.type === "back_forward" && document.querySelector("[name=request_id]"))) location.reload();
  });

  // Fragments: htmx carries the CSRF token and shows refusals.
  document.body.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = token(); });
  document.body.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) { location.reload(); return; }
    let said = null;
    try { said = JSON.parse(event.detail.xhr.responseText).message; } catch { /* a page of whoever stands between us */ }
    window.desk.tell(said || document.body.dataset.failed, "danger");
  });
  document.body.addEventListener("htmx:sendError", (event) => {
    // what asks by itself every few seconds stays quiet
    const by = event.detail.requestConfig?.triggeringEvent;
    if (by && by.isTrusted && by.type === "click") window.desk.tell(document.body.dataset.offline, "danger");
  });

  // A part that draws itself anew when one comes back to the window stays as it is while anything in it is opened,
  // chosen or typed: the window gets the focus back from a file dialog, too. A form that was sent is done with.
  document.addEventListener("input", (event) => { if (event.target.form) event.target.form.dataset.touched = "1"; });
  document.addEventListener("submit", (event) => { delete event.target.dataset.touched; });
  const inHand = (event) => event.detail.requestConfig?.triggeringEvent?.type === "focus"
    && event.detail.elt.querySelector("details[open], form[data-touched], select:focus, input:focus");
  document.body.addEventListener("htmx:beforeRequest", (event) => { if (inHand(event)) event.preventDefault(); });
  document.body.addEventListener("htmx:beforeSwap", (event) => { if (inHand(event)) event.detail.shouldSwap = false; });

  // A select that asks the server while one types.
  if (window.jQuery && jQuery.fn.select2) {
    jQuery(".my_select2, .my_select2_multi").select2({allowClear: true, placeholder: "", width: "100%"});
    const asking = (place) => jQuery(place).find("[data-remote]").each(function () {
      jQuery(this).select2({
        allowClear: true, placeholder: this.dataset.placeholder || "", width: "100%",
        ajax: {url: this.dataset.remote, delay: 200, data: (p) => ({q: p.term, page: p.page || 1}), dataType: "json"},
      });
    });
    asking(document);
    document.body.addEventListener("htmx:afterSwap", (event) => asking(event.detail.target));
    jQuery(document).on("select2:open", () => document.querySelector(".select2-container--open .select2-search__field")?.focus());
  }
})();
