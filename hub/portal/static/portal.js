// Small things that every page shares: keys, menus, printing, the line that shows work, what is said when the hub is silent.
(() => {
  "use strict";
  const body = document.body;
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      const box = document.querySelector("[data-search]");
      if (box) { event.preventDefault(); box.focus(); box.select(); } else if (document.querySelector('.menu a[href="/patients"]')) { event.preventDefault(); location.href = "/patients"; }
    }
    if (event.key === "Escape") document.querySelectorAll("details.person[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // Arrow keys walk through a list of results, starting from the search box.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const rows = [...document.querySelectorAll(".person-row, .line, .pick")];
    const at = rows.indexOf(document.activeElement);
    const fromBox = document.activeElement?.matches(".search-box") && event.key === "ArrowDown";
    if (!rows.length || (at < 0 && !fromBox)) return;
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (rows[next] ?? (next < 0 ? document.querySelector("[data-search]") : null))?.focus();
  });

  // What somebody typed before the scripts were there is searched too.
  addEventListener("load", () => document.querySelectorAll("[data-search]").forEach((box) => { if (box.value !== box.defaultValue) box.dispatchEvent(new Event("search")); }));

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.person[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (event.target.closest("[data-print]")) window.print();
    if (event.target.closest("[data-reload]")) location.reload();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    if (event.target.matches("dialog")) event.target.close();
    const ready = event.target.closest("[data-copy]");
    if (ready) copy(ready);
    const jump = event.target.closest('a[href="#recognition"]');
    if (jump) { event.preventDefault(); const box = document.getElementById("recognition"); box.scrollIntoView({ block: "start" }); box.focus({ preventScroll: true }); }
  });

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-choose-all]")) return;
    event.target.form.querySelectorAll("[data-choice]").forEach((box) => { box.checked = event.target.checked; });
  });

  // Into the record by a paste; where a browser gives no clipboard (no TLS), the words stand selected.
  const copy = async (button) => {
    const words = button.parentElement.querySelector("p");
    try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = button.dataset.copied; } catch { getSelection().selectAllChildren(words); }
  };

  const say = (words) => {
    const line = document.createElement("p");
    line.className = "toast-line";
    line.textContent = words;
    document.querySelector(".toasts")?.append(line);
    setTimeout(() => line.remove(), 6000);
  };

  let waiting = 0;
  const wait = (more) => { waiting = Math.max(0, waiting + more); body.classList.toggle("waiting", waiting > 0); };
  body.addEventListener("htmx:before:request", () => wait(1));
  body.addEventListener("htmx:finally:request", () => wait(-1));
  body.addEventListener("htmx:error", (event) => {
    // A newer search replaced this one: nothing has failed.
    const error = event.detail?.error;
    if (error?.name !== "AbortError") say(body.dataset.failed);
  });
})();
