// The reader's pick list: type, arrows, Enter; Backspace takes the last one back; Ctrl+Enter confirms.
"use strict";
(() => {
  const panel = document.querySelector("[data-overread]");
  const pick = panel && panel.querySelector("[data-pick]");
  if (!pick) return;
  const list = panel.querySelector("[data-list]");
  const chosen = panel.querySelector("[data-chosen]");
  const codes = panel.querySelector("[data-codes]");
  const options = [...list.children];
  let shown = [];
  let at = 0;

  const keep = () => { codes.value = [...chosen.children].map((each) => each.dataset.code).join(","); };
  const mark = () => {
    options.forEach((each) => each.setAttribute("aria-selected", String(each === shown[at])));
    if (shown[at]) { pick.setAttribute("aria-activedescendant", shown[at].id); shown[at].scrollIntoView({ block: "nearest" }); }
  };
  const rank = (keys, text) => (keys.split(" ").includes(text) ? 0 : keys.startsWith(text) || keys.includes(" " + text) ? 1 : keys.includes(text) ? 2 : 3);
  const search = () => {
    const text = pick.value.trim().toLowerCase();
    shown = text ? options.filter((each) => rank(each.dataset.keys, text) < 3).sort((a, b) => rank(a.dataset.keys, text) - rank(b.dataset.keys, text)).slice(0, 8) : [];
    options.forEach((each) => { each.hidden = !shown.includes(each); });
    shown.forEach((each) => list.append(each));
    list.hidden = !shown.length;
    pick.setAttribute("aria-expanded", String(!list.hidden));
    at = 0;
    mark();
  };
  const add = (option) => {
    if (!option) return;
    if (![...chosen.children].some((each) => each.dataset.code === option.dataset.code)) {
      const item = document.createElement("li");
      item.dataset.code = option.dataset.code;
      const words = document.createElement("span");
      words.innerHTML = option.innerHTML;
      const remove = document.createElement("button");
      remove.type = "button"; remove.className = "btn btn-icon"; remove.dataset.remove = ""; remove.textContent = "×";
      item.append(words, remove);
      chosen.append(item);
      keep();
    }
    pick.value = "";
    search();
    pick.focus();
  };
  pick.addEventListener("input", search);
  pick.addEventListener("keydown", (event) => {
    // The viewer has keys of its own.
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.ctrlKey && event.key === "Enter") { event.preventDefault(); panel.querySelector("[data-confirm]").click(); return; }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % Math.max(1, shown.length);
      mark();
    } else if (event.key === "Enter") { event.preventDefault(); add(shown[at]); }
    else if (event.key === "Escape") { pick.value = ""; search(); }
    else if (event.key === "Backspace" && !pick.value && chosen.lastElementChild) { chosen.lastElementChild.remove(); keep(); }
  });
  list.addEventListener("mousedown", (event) => { event.preventDefault(); add(event.target.closest("[data-code]")); });
  chosen.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (button) { button.closest("li").remove(); keep(); pick.focus(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey && event.key === "Enter") { event.preventDefault(); panel.querySelector("[data-confirm]").click(); }
  });
  const differ = (input) => {
    const change = Number(input.value) - Number(input.dataset.machine);
    const cell = input.closest("tr").querySelector("[data-difference]");
    cell.textContent = input.value && input.dataset.machine && change ? (change > 0 ? "+" : "−") + Math.abs(change) : "";
  };
  panel.querySelectorAll("[data-machine]").forEach((input) => { differ(input); input.addEventListener("input", () => differ(input)); });
})();
