// The ECG viewer: puts paper, beats, calipers and the earlier recording together, and listens to keys and pointer.
(() => {
  "use strict";
  const ecg = window.dxecg;
  const root = document.querySelector("[data-ecg]");
  if (!root) return;
  const find = (name) => root.querySelector(`[data-${name}]`);
  const [stage, sizer, canvas, live] = ["stage", "sizer", "canvas", "live"].map(find);
  const words = JSON.parse(root.dataset.words);
  const look = ecg.remembered({ layout: "3x4+1", gain: 10, speed: 25, band: "", mains: false });
  const state = { look, zoom: 1, mode: "paper", startS: 0, printing: false, recordings: {}, sheets: [], marks: ecg.calipers(), levels: new Map(), base: null, view: null };
  const ZOOMS = [0.5, 0.75, 1, 1.5, 2, 3, 4];
  const measured = JSON.parse(root.dataset.measured);

  const beatsOf = (source) => { const one = state.recordings[source]; one.beats ??= ecg.beats(one); return one.beats; };

  function sheet() {
    const { layout, gain } = state.look;
    const [wanted, mv] = state.mode === "compare" ? ["compare", gain] : state.mode === "beats" ? ["3x4+1", 20] : [layout, gain];
    return state.sheets.find((each) => each.layout === wanted && each.gain === mv) ?? state.sheets[0];
  }

  function filterWords() {
    const { band, mains } = state.look;
    const parts = [band && `${band.replace("-", "–")} Hz`, mains && words.mains, band === "0.5-40" && `(${words.not_st})`].filter(Boolean);
    return parts.join(" ") || words.none;
  }

  function foot() {
    const { speed, gain } = state.look;
    const scale = state.zoom === 1 ? (ecg.isCalibrated() ? words.calibrated : words.uncalibrated) : words.zoomed.replace("%(percent)s", `${state.zoom * 100} %`);
    const from = state.startS ? words.second.replace("%(at)s", state.startS) : "";
    return [`${speed} mm/s`, `${gain} mm/mV`, filterWords(), `${state.recordings.now.rate} Hz`, from, state.printing ? "" : scale].filter(Boolean).join("\u2003");
  }

  // CSS pixels a millimetre, device pixels a CSS pixel. On paper a CSS inch is an inch.
  const scale = () => (state.printing ? [96 / 25.4, 4] : [ecg.cssMm() * state.zoom, devicePixelRatio]);

  function laidOut() {
    const [mm, dpr] = scale();
    const now = sheet();
    const speed = state.mode === "beats" ? 25 : state.look.speed;
    const wide = ecg.widthMm(now, speed, state.recordings.now.calibration) * mm + 2, high = (now.height + ecg.footMm) * mm;
    sizer.style.width = `${wide}px`;
    sizer.style.height = `${high}px`;
    stage.style.height = state.zoom > 1 && !state.printing ? `${Math.min(high + 16, 0.85 * innerHeight)}px` : "";
    const [width, height] = state.printing ? [wide, high] : [Math.min(stage.clientWidth, wide), Math.min(stage.clientHeight || high, high)];
    const [across, along] = [Math.ceil(width * dpr), Math.ceil(height * dpr)];
    if (canvas.width !== across || canvas.height !== along) { canvas.width = across; canvas.height = along; }
    canvas.style.width = `${across / dpr}px`;
    canvas.style.height = `${along / dpr}px`;
    state.view = {
      mm: mm * dpr, left: state.printing ? 0 : Math.round(stage.scrollLeft * dpr), top: state.printing ? 0 : Math.round(stage.scrollTop * dpr), width: across, height: along, dpr,
      sheet: now, speed, calibration: state.recordings.now.calibration, startS: state.mode === "paper" ? state.startS : 0,
      recordings: state.recordings, levels: state.levels, words, measured, beatsOf, foot: foot(),
      beats: state.mode === "beats" ? beatsOf("now") : [],
    };
  }

  // Paper and traces are kept as a picture: a caliper that moves draws over it.
  function drawPaper() {
    laidOut();
    const { view } = state;
    if (!state.base || state.base.width !== view.width || state.base.height !== view.height) state.base = new OffscreenCanvas(view.width, view.height);
    const pen = state.base.getContext("2d", { alpha: false });
    (state.mode === "beats" ? ecg.beatView : ecg.paper)(pen, view);
    drawMarks();
  }

  function drawMarks() {
    const pen = canvas.getContext("2d", { alpha: false });
    pen.drawImage(state.base, 0, 0);
    if (state.mode !== "beats") ecg.drawCalipers(pen, state.view, state.marks);
  }

  let asked = 0;
  const later = (what) => { cancelAnimationFrame(asked); asked = requestAnimationFrame(what); };
  const redraw = () => { if (state.recordings.now) later(drawPaper); };

  function applyFilters() {
    const { band, mains } = state.look;
    for (const one of Object.values(state.recordings)) {
      const chain = [...(one.filters[band] ?? []), ...(mains ? one.filters.mains : [])];
      one.shown = Object.fromEntries(one.leads.map((lead) => [lead, ecg.filtered(one.uv[lead], one.rate, chain)]));
    }
    state.levels.clear();
  }

  function showState() {
    root.querySelectorAll("[data-set]").forEach((button) => {
      const [name, value] = button.dataset.set.split("=");
      const on = String(name === "mode" ? state.mode : state.look[name]) === value;
      if (on) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
    });
    find("mains").setAttribute("aria-pressed", String(state.look.mains));
    find("zoom-now").textContent = `${Math.round(state.zoom * 100)} %`;
    find("marks").hidden = state.mode === "beats";
    const { layout, gain, speed, band, mains } = state.look;
    const query = new URLSearchParams({ version: root.dataset.version, layout, gain, speed, band, mains: mains ? "1" : "0" });
    root.querySelectorAll("[data-paper]").forEach((link) => { link.href = `${root.dataset.ecg}/${link.dataset.paper}?${query}`; });
    const panel = find("prior");
    panel.hidden = state.mode !== "compare";
  }

  function set(name, value) {
    if (name === "mode") {
      if (value === "compare" && !state.recordings.prior) { openPrior(""); return; }
      state.mode = value;
      endMarks();
    } else {
      state.look[name] = value;
      ecg.remember(state.look);
      if (name === "layout") { state.mode = "paper"; endMarks(); }
      if (name === "band" || name === "mains") applyFilters();
    }
    showState();
    redraw();
  }

  // --- the earlier recording -------------------------------------------------------------------------------------
  async function openPrior(which) {
    const panel = find("prior");
    try {
      const address = `${root.dataset.ecg}/prior?version=${root.dataset.version}${which && `&prior=${which}`}`;
      const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const made = document.createElement("template");
      made.innerHTML = await answer.text();
      panel.replaceChildren(made.content);
      panel.hidden = false;
      const source = panel.querySelector("[data-prior-data]");
      if (!source) return;
      const found = await ecg.load(source.dataset.priorData);
      state.recordings.prior = found;
      state.sheets = [...state.sheets.filter((each) => each.layout !== "compare"), ...found.sheets];
      applyFilters();
      state.mode = "compare";
      endMarks();
      showState();
      redraw();
    } catch { fail(); }
  }
  root.addEventListener("change", (event) => { if (event.target.matches("[data-choose-prior]")) openPrior(event.target.value); });

  // --- calipers --------------------------------------------------------------------------------------------------
  function begin(kind) {
    if (state.mode === "beats" || !state.view) return;
    const { marks, view } = state;
    marks.kind = kind;
    marks.strip = Math.min(marks.strip, view.sheet.strips.length - 1);
    if (!view.sheet.strips[marks.strip][0] || marks.strip === 0) marks.strip = startStrip(view);
    marks.at = ecg.suggest(view, marks, kind);
    marks.active = 0;
    moved(words.place.replace("%(what)s", words[kind]));
    stage.focus({ preventScroll: true });
    reveal();
  }

  // The rhythm row where there is one: it shows the most beats.
  const startStrip = (view) => {
    const longest = Math.max(...view.sheet.strips.map((each) => each[4]));
    const at = view.sheet.strips.findLastIndex((each) => each[4] === longest && each[0] === "II");
    return at >= 0 ? at : view.sheet.strips.findIndex((each) => each[4] === longest);
  };

  function moved(said = "") {
    const { marks, view } = state;
    if (marks.kind) {
      // An interval of one recording never corrects that of another.
      const source = view.sheet.strips[marks.strip][5];
      if (marks.source !== source) marks.results = {};
      marks.source = source;
      marks.results[marks.kind] = ecg.read(view, marks).value;
      // Until a person has put a mark where it belongs, the number is a guess and says so.
      if (said) marks.guessed.add(marks.kind); else marks.guessed.delete(marks.kind);
    }
    live.textContent = said || (marks.kind ? ecg.said(view, marks) : "");
    root.querySelectorAll("[data-measure]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.measure === marks.kind || (button.dataset.measure === "march" && marks.march))));
    ecg.showResults(root, marks.results, measured, words, marks.guessed);
    if (state.base) later(drawMarks);
  }

  function endMarks() { Object.assign(state.marks, { kind: "", march: false, strip: 0 }); if (state.base) moved(); }

  function nudge(samples) {
    const { marks, view } = state;
    const strip = view.sheet.strips[marks.strip];
    const step = samples / view.recordings[strip[5]].rate;
    marks.at[marks.active] = ecg.clampMark(view, marks, marks.at[marks.active] + step);
    reveal();
    moved();
  }

  function otherStrip(step) {
    const { marks, view } = state;
    const count = view.sheet.strips.length;
    marks.strip = (marks.strip + step + count) % count;
    const kept = marks.at.every((at) => ecg.clampMark(view, marks, at) === at);
    if (!kept) marks.at = ecg.suggest(view, marks, marks.kind);
    reveal();
    moved();
  }

  function otherBeat(step) {
    const { marks, view } = state;
    const [, , atS, startS, , source] = view.sheet.strips[marks.strip];
    const times = view.beatsOf(source).map((at) => at / view.recordings[source].rate + atS - startS - view.startS);
    const middle = (marks.at[0] + marks.at[1]) / 2;
    const nearest = times.reduce((best, at, n) => (Math.abs(at - middle) < Math.abs(times[best] - middle) ? n : best), 0);
    const shift = (times[nearest + step] ?? times[nearest]) - times[nearest];
    if (marks.at.every((at) => ecg.clampMark(view, marks, at + shift) === at + shift)) marks.at = marks.at.map((at) => at + shift);
    reveal();
    moved();
  }

  // What the keys move stays in sight.
  function reveal() {
    const { marks, view } = state;
    const [mm] = scale();
    const x = (view.calibration + marks.at[marks.active] * view.speed) * mm;
    const y = view.sheet.baselines[view.sheet.strips[marks.strip][1]] * mm, high = 14 * mm;
    if (stage.scrollHeight > stage.clientHeight + 1 && (y - high < stage.scrollTop || y + high > stage.scrollTop + stage.clientHeight)) stage.scrollTop = y - stage.clientHeight / 2;
    if (x < stage.scrollLeft + 20 || x > stage.scrollLeft + stage.clientWidth - 20) stage.scrollLeft = x - stage.clientWidth / 2;
  }

  const ACTS = {
    march: () => { if (!state.marks.kind) begin("rr"); state.marks.march = !state.marks.march; moved(); },
    clear: () => { state.marks.results = {}; endMarks(); },
    swap: () => { state.marks.active = 1 - state.marks.active; moved(); },
    back: () => nudge(-1), on: () => nudge(1),
    calibrate: () => calibrate(),
    mains: () => set("mains", !state.look.mains),
    earlier: () => page(-1), later: () => page(1),
  };

  function page(step) {
    const last = Math.max(0, Math.ceil(state.recordings.now.seconds / 10 - 0.01) * 10 - 10);
    state.startS = Math.min(last, Math.max(0, state.startS + 10 * step));
    endMarks();
    state.levels.clear();
    redraw();
  }

  function zoom(step) {
    state.zoom = step ? (ZOOMS[ZOOMS.indexOf(state.zoom) + step] ?? state.zoom) : 1;
    showState();
    redraw();
  }

  root.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { set: setting, measure, act, zoom: step } = button.dataset;
    if (setting) { const [name, value] = setting.split("="); set(name, name === "gain" || name === "speed" ? Number(value) : value); }
    if (measure && measure !== "march") { if (state.marks.kind === measure) endMarks(); else begin(measure); }
    if (act && state.view && (state.marks.kind || !["swap", "back", "on"].includes(act))) ACTS[act]();
    if (step !== undefined) zoom(Number(step));
  });

  // --- keys ------------------------------------------------------------------------------------------------------
  const cycle = (name, values) => set(name, values[(values.indexOf(state.look[name]) + 1) % values.length]);
  const PLAIN = {
    1: () => set("layout", "3x4+1"), 2: () => set("layout", "6x2"), 3: () => set("layout", "12x1"),
    g: () => cycle("gain", [5, 10, 20]), v: () => cycle("speed", [12.5, 25, 50]), f: () => cycle("band", ["", "0.05-150", "0.5-40"]), n: () => ACTS.mains(),
    b: () => set("mode", state.mode === "beats" ? "paper" : "beats"), c: () => set("mode", state.mode === "compare" ? "paper" : "compare"),
    "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1), 0: () => zoom(0), m: () => ACTS.march(), "[": () => page(-1), "]": () => page(1),
  };
  const MARKED = {
    ArrowLeft: (event) => nudge(event.shiftKey ? -10 : -1), ArrowRight: (event) => nudge(event.shiftKey ? 10 : 1),
    ArrowUp: () => otherStrip(-1), ArrowDown: () => otherStrip(1), Enter: () => ACTS.swap(), " ": () => ACTS.swap(), Escape: () => endMarks(),
    ",": () => otherBeat(-1), ".": () => otherBeat(1),
  };
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !state.view) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = (state.marks.kind && MARKED[key]) || PLAIN[key] || (key in ecg.CALIPER_KEYS && (() => begin(ecg.CALIPER_KEYS[key])));
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act(event);
  });

  // --- pointer ---------------------------------------------------------------------------------------------------
  const place = (event) => {
    const box = canvas.getBoundingClientRect(), { view } = state;
    const mmX = ((event.clientX - box.left) * view.dpr + view.left) / view.mm, mmY = ((event.clientY - box.top) * view.dpr + view.top) / view.mm;
    return { at: (mmX - view.calibration) / view.speed, mmY };
  };
  function stripAt({ at, mmY }) {
    const { strips, baselines } = state.view.sheet;
    const here = strips.map((each, n) => [n, each]).filter(([, each]) => at >= each[2] && at <= each[2] + each[4]);
    return here.sort(([, one], [, two]) => Math.abs(baselines[one[1]] - mmY) - Math.abs(baselines[two[1]] - mmY))[0]?.[0] ?? -1;
  }

  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch" || !state.view || state.mode === "beats") return;
    const here = place(event), { marks, view } = state;
    const near = marks.kind ? marks.at.findIndex((at) => Math.abs(at - here.at) * view.speed * view.mm < 7 * view.dpr) : -1;
    dragged = { x: event.clientX, from: here, mark: near };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged || Math.abs(event.clientX - dragged.x) < 3 && dragged.mark < 0) return;
    const { marks, view } = state, here = place(event);
    if (dragged.mark < 0) {
      const strip = stripAt(dragged.from);
      if (strip < 0) { dragged = null; return; }
      marks.kind ||= "rr";
      marks.strip = strip;
      marks.at = [dragged.from.at, here.at].map((at) => ecg.clampMark(view, marks, at));
      dragged.mark = 1;
    }
    marks.active = dragged.mark;
    marks.at[dragged.mark] = ecg.clampMark(view, marks, here.at);
    moved();
  });
  ["pointerup", "pointercancel"].forEach((name) => canvas.addEventListener(name, () => { dragged = null; }));
  // A finger scrolls; a tap puts the mark that the keys move.
  canvas.addEventListener("click", (event) => {
    if (event.pointerType !== "touch" || !state.marks.kind || !state.view) return;
    const here = place(event), strip = stripAt(here), { marks, view } = state;
    if (strip < 0) return;
    if (strip !== marks.strip) { marks.strip = strip; marks.at = ecg.suggest(view, marks, marks.kind); }
    marks.at[marks.active] = ecg.clampMark(view, marks, here.at);
    moved();
  });

  // --- beginning -------------------------------------------------------------------------------------------------
  const calibrate = ecg.calibration(find("calibration"), words, () => { showState(); redraw(); });
  const fail = () => { const box = find("failure"); box.textContent = words.failed; box.hidden = false; };
  stage.addEventListener("scroll", redraw, { passive: true });
  new ResizeObserver(redraw).observe(stage);
  const printed = (on) => () => { if (!state.recordings.now) return; state.printing = on; drawPaper(); };
  addEventListener("beforeprint", printed(true));
  addEventListener("afterprint", printed(false));

  performance.mark("ecg-asked");
  ecg.load(root.dataset.source).then((found) => {
    performance.mark("ecg-arrived");
    state.recordings.now = found;
    state.sheets = found.sheets;
    root.classList.add("ecg-ready");
    applyFilters();
    showState();
    drawPaper();
    root.querySelectorAll("[data-pager]").forEach((button) => { button.hidden = found.seconds < 10.5; });
    ecg.showResults(root, {}, measured, words);
    performance.mark("ecg-drawn");
    performance.measure("ecg-first-drawing", "ecg-asked", "ecg-drawn");
    root.dataset.drawn = "true";
  }).catch(fail);

  // For whoever measures the picture: what was drawn, and where.
  ecg.state = state;
})();
