// The image viewer: one picture at a time, its neighbours fetched ahead, by wheel, keys, slider or swipe.
(() => {
  "use strict";
  const AHEAD = 4;
  const root = document.querySelector("[data-viewer]");
  if (!root) return;
  const find = (name) => root.querySelector(`[data-${name}]`);
  const [stage, image, slider, failure] = ["stage", "image", "slider", "failure"].map(find);
  const state = { frames: [], at: 0, window: "", label: "", ahead: new Map() };

  const address = (at) => state.frames[at] + (state.window ? `?window=${encodeURIComponent(state.window)}` : "");

  function fetched(at) {
    const url = address(at);
    let picture = state.ahead.get(url);
    if (!picture) {
      picture = new Image();
      picture.src = url;
      state.ahead.set(url, picture);
      if (state.ahead.size > 120) state.ahead.delete(state.ahead.keys().next().value);
    }
    return picture;
  }

  async function show(at) {
    state.at = Math.max(0, Math.min(state.frames.length - 1, at));
    slider.value = state.at + 1;
    find("position").textContent = `${state.at + 1} / ${state.frames.length}`;
    find("window-name").textContent = state.label;
    const url = address(state.at);
    stage.classList.add("loading");
    try {
      await fetched(state.at).decode();
      if (url !== address(state.at)) return;
      image.src = url;
      failure.hidden = true;
      for (let step = 1; step <= AHEAD; step += 1) {
        if (state.at + step < state.frames.length) fetched(state.at + step);
        if (state.at - step >= 0) fetched(state.at - step);
      }
    } catch {
      if (url !== address(state.at)) return;
      state.ahead.delete(url);
      failure.textContent = root.dataset.failed;
      failure.hidden = false;
    }
    stage.classList.remove("loading");
  }

  function open(button) {
    root.querySelectorAll("[data-frames]").forEach((other) => other.removeAttribute("aria-current"));
    button.setAttribute("aria-current", "true");
    state.frames = JSON.parse(button.dataset.frames);
    slider.max = state.frames.length;
    slider.disabled = state.frames.length < 2;
    find("series-name").textContent = button.querySelector(".viewer-series-name").textContent;
    show(Math.floor(state.frames.length / 2));
  }

  function zoom(on) {
    stage.classList.toggle("zoomed", on);
    const button = find("zoom");
    button.setAttribute("aria-pressed", String(on));
    if (on) stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
  }

  root.addEventListener("click", (event) => {
    const series = event.target.closest("[data-frames]");
    const step = event.target.closest("[data-step]");
    const preset = event.target.closest("[data-window]");
    if (series) open(series);
    if (step) show(state.at + Number(step.dataset.step));
    if (event.target.closest("[data-zoom]")) zoom(!stage.classList.contains("zoomed"));
    if (preset) {
      root.querySelectorAll("[data-window]").forEach((other) => other.removeAttribute("aria-current"));
      preset.setAttribute("aria-current", "true");
      state.window = preset.dataset.window;
      state.label = state.window ? preset.dataset.windowLabel : "";
      show(state.at);
    }
  });
  slider.addEventListener("input", () => show(Number(slider.value) - 1));
  const KEYS = { ArrowUp: -1, ArrowLeft: -1, PageUp: -10, ArrowDown: 1, ArrowRight: 1, PageDown: 10, Home: -1e9, End: 1e9 };
  stage.addEventListener("keydown", (event) => {
    if (event.key in KEYS) { event.preventDefault(); event.stopPropagation(); show(state.at + KEYS[event.key]); }
    if (event.key === "+" || event.key === "=") zoom(true);
    if (event.key === "-" || event.key === "Escape") zoom(false);
  });
  let turned = 0;
  stage.addEventListener("wheel", (event) => {
    if (stage.classList.contains("zoomed") || event.ctrlKey || state.frames.length < 2) return;
    event.preventDefault();
    // A touchpad sends many small turns, a wheel few large ones: both move one slice at a time.
    turned += event.deltaY;
    if (Math.abs(turned) < 40) return;
    show(state.at + Math.sign(turned));
    turned = 0;
  }, { passive: false });
  let touched = null;
  stage.addEventListener("pointerdown", (event) => { touched = { x: event.clientX, at: state.at }; });
  stage.addEventListener("pointermove", (event) => {
    if (!touched || event.pointerType !== "touch" || stage.classList.contains("zoomed")) return;
    const moved = Math.round((touched.x - event.clientX) / 14);
    if (touched.at + moved !== state.at) show(touched.at + moved);
  });
  ["pointerup", "pointercancel", "pointerleave"].forEach((name) => stage.addEventListener(name, () => { touched = null; }));

  open(root.querySelector("[data-frames]"));
})();
