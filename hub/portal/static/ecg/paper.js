// The paper itself: grid, calibration marks, traces and names, at so many pixels a millimetre. All lengths here are
// device pixels unless their name says otherwise; where things lie comes from the hub's sheets (hub/tracing/layout.py).
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});
  const INK = "#14181f", EARLIER = "#1d5a9e", MINOR = "#f8d3d3", MAJOR = "#eda3a3", FAINT = "#8a8f98", NOTE = "#3b4048";
  const FONT = "system-ui, 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif";
  const FOOT_MM = 8;
  ecg.INK = INK; ecg.EARLIER = EARLIER; ecg.FONT = FONT;
  ecg.footMm = FOOT_MM;
  ecg.widthMm = (sheet, speed, calibration) => calibration + sheet.seconds * speed;

  // view: mm (device pixels a millimetre), left and top (scrolled by), width and height (of the canvas), sheet, speed.
  ecg.x = (view, atS) => (view.calibration + atS * view.speed) * view.mm - view.left;
  ecg.y = (view, mm) => mm * view.mm - view.top;

  let kept = { key: "", canvas: null };
  // Lines land on whole pixels, each from its own millimetre, so that no rounding adds up.
  function grid(view) {
    const widthMm = ecg.widthMm(view.sheet, view.speed, view.calibration), heightMm = view.sheet.height;
    const key = [view.mm, view.left, view.top, view.width, view.height, widthMm, heightMm].join();
    if (kept.key === key) return kept.canvas;
    const canvas = new OffscreenCanvas(view.width, view.height);
    const pen = canvas.getContext("2d", { alpha: false });
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, view.width, view.height);
    const right = Math.min(view.width, Math.round(ecg.x(view, 0) - view.calibration * view.mm + widthMm * view.mm) + 1);
    const bottom = Math.min(view.height, Math.round(ecg.y(view, heightMm)) + 1);
    for (const [step, colour, thick] of [[1, MINOR, 0.1], [5, MAJOR, 0.2]]) {
      // Below three pixels a millimetre the fine lines would only be a haze.
      if (step * view.mm < 3) continue;
      pen.fillStyle = colour;
      const line = Math.max(1, Math.round(thick * view.mm));
      for (let mm = 0; mm <= widthMm + 1e-6; mm += step) pen.fillRect(Math.round(mm * view.mm - view.left), 0, line, bottom);
      for (let mm = 0; mm <= heightMm + 1e-6; mm += step) pen.fillRect(0, Math.round(mm * view.mm - view.top), right, line);
    }
    kept = { key, canvas };
    return canvas;
  }

  // Samples [from, to) as a line. Where several share a pixel's column, its lowest and highest stand for all of them.
  ecg.line = (pen, row, from, to, x0, y0, perSample, perUv, level) => {
    const each = Math.max(1, Math.floor(0.5 / perSample));
    let down = false;
    pen.beginPath();
    const point = (n, value) => {
      const [x, y] = [x0 + (n - from) * perSample, y0 - (value - level) * perUv];
      if (down) pen.lineTo(x, y); else pen.moveTo(x, y);
      down = true;
    };
    for (let n = from; n < to; n += each) {
      let [low, high] = [n, n];
      for (let m = n; m < Math.min(to, n + each); m += 1) {
        if (!(row[m] >= row[low])) low = m;
        if (!(row[m] <= row[high])) high = m;
      }
      if (Number.isNaN(row[low]) || Number.isNaN(row[high])) { down = false; continue; }
      point(Math.min(low, high), row[Math.min(low, high)]);
      if (low !== high) point(Math.max(low, high), row[Math.max(low, high)]);
    }
    pen.stroke();
  };

  const text = (pen, view, words, x, y, mm, colour, weight = "400") => {
    pen.font = `${weight} ${mm * view.mm}px ${FONT}`;
    pen.fillStyle = colour;
    pen.fillText(words, x, y);
  };
  ecg.text = text;

  // One millivolt for five millimetres.
  function calibration(pen, view, baseline) {
    const [x, y, mm] = [-view.left, ecg.y(view, baseline), view.mm];
    const top = y - view.sheet.gain * mm;
    pen.beginPath();
    [[1, y], [2.5, y], [2.5, top], [7.5, top], [7.5, y], [9, y]].forEach(([at, level]) => pen.lineTo(x + at * mm, level));
    pen.stroke();
  }

  // A strip's stretch of samples: which row, from where to where. Undefined where the lead was not recorded.
  ecg.stretch = (view, [lead, , , startS, seconds, source]) => {
    const recording = view.recordings[source];
    const row = recording?.shown[lead];
    if (!row) return undefined;
    const from = Math.round((view.startS + startS) * recording.rate);
    const to = Math.min(row.length, from + Math.round(seconds * recording.rate) + 1);
    const key = `${source} ${lead} ${from} ${to}`;
    if (!view.levels.has(key)) view.levels.set(key, ecg.level(row.subarray(from, to)));
    const level = view.levels.get(key);
    return from < to && !Number.isNaN(level) ? { recording, row, from, to, level } : undefined;
  };

  function strip(pen, view, each) {
    const [lead, number, atS, , seconds, source] = each;
    const [begin, end] = [ecg.x(view, atS), ecg.x(view, atS + seconds)];
    if (end < 0 || begin > view.width) return;
    const baseline = ecg.y(view, view.sheet.baselines[number]);
    const found = ecg.stretch(view, each);
    const ink = source === "prior" ? EARLIER : INK;
    pen.strokeStyle = ink;
    if (atS) {
      pen.beginPath();
      for (const [from, to] of [[-3, -1], [1, 3]]) { pen.moveTo(begin, baseline + from * view.mm); pen.lineTo(begin, baseline + to * view.mm); }
      pen.stroke();
    }
    if (found) {
      ecg.line(pen, found.row, found.from, found.to, begin, baseline, (view.speed * view.mm) / found.recording.rate, (view.sheet.gain * view.mm) / 1000, found.level);
    } else {
      pen.strokeStyle = FAINT;
      pen.setLineDash([2 * view.mm, 2 * view.mm]);
      pen.beginPath(); pen.moveTo(begin + view.mm, baseline); pen.lineTo(end - view.mm, baseline); pen.stroke();
      pen.setLineDash([]);
    }
    // A name stays in sight for as long as a piece of its strip does.
    const width = 12 * view.mm;
    const x = Math.max(Math.min(Math.max(begin, 0), end - width) + view.sheet.labelX * view.mm, begin < 0 ? view.mm : -view.width);
    const name = source === "prior" && view.recordings.prior ? `${lead}  ${view.words.prior}` : lead;
    text(pen, view, found ? name : `${name} —`, x, ecg.y(view, view.sheet.labels[number]), 3.6, ink, "600");
  }

  // Everything but the calipers.
  ecg.paper = (pen, view) => {
    pen.drawImage(grid(view), 0, 0);
    pen.lineWidth = Math.max(1, 0.3 * view.mm);
    pen.lineJoin = "round";
    pen.lineCap = "round";
    pen.strokeStyle = INK;
    for (const baseline of view.sheet.baselines) calibration(pen, view, baseline);
    for (const each of view.sheet.strips) strip(pen, view, each);
    foot(pen, view, view.foot);
  };

  // Speed, gain, filter and rate at the lower edge, as on paper; they do not scroll away sideways.
  function foot(pen, view, words) {
    const y = ecg.y(view, view.sheet.height) + 5 * view.mm;
    text(pen, view, words, 1 * view.mm, y, 3, NOTE);
  }
  ecg.foot = foot;
  ecg.grid = grid;
})();
