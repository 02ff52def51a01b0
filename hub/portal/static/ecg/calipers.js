// Two marks on the paper: an interval, or the height between them; marched out over the row; by mouse, finger or keys.
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});
  const COLOUR = "#7a2ea0";
  const KEYS = { r: "rr", p: "pr", q: "qrs", t: "qt", a: "amp" };
  ecg.CALIPER_KEYS = KEYS;

  // at: seconds on the row's own axis, as sheets count them. active: which of the two marks the keys move. guessed: what
// nobody has put right yet.
  ecg.calipers = () => ({ kind: "", strip: 0, at: [0, 0], active: 0, march: false, results: {}, guessed: new Set() });

  const stripOf = (view, marks) => view.sheet.strips[Math.min(marks.strip, view.sheet.strips.length - 1)];

  // The place to begin from: a beat in the middle of the strip, and what is known of its waves.
  ecg.suggest = (view, marks, kind) => {
    const [, , atS, startS, seconds, source] = stripOf(view, marks);
    const recording = view.recordings[source];
    const shift = atS - startS - view.startS;
    const inside = view.beatsOf(source).map((at) => at / recording.rate + shift).filter((at) => at > atS + 0.25 && at < atS + seconds - 0.1);
    const beat = inside[Math.floor((inside.length - 1) / 2)] ?? atS + seconds / 2;
    const known = waves(recording, view.measured);
    const next = inside.find((at) => at > beat + 0.1) ?? beat + 0.8;
    const span = { rr: [0, next - beat], pr: [known.pOn, known.qOn], qrs: [known.qOn, known.qOff], qt: [known.qOn, known.tOff], amp: [known.qOn, 0] }[kind];
    return span.map((at) => clamp(view, marks, beat + at));
  };

  // Seconds from the peak of R: from the cart's median beat, else from what the cart measured, else what is usual.
  function waves(recording, measured) {
    const beat = recording.median, told = beat?.fiducials ?? {};
    const from = (name, usual) => (name in told ? told[name] / 1000 - ecg.peakOf(beat) / beat.rate : usual);
    const qOn = from("qrs-onset", -(measured.qrs ?? 90) / 2000);
    return {
      qOn,
      pOn: from("p-onset", qOn - (measured.pr ?? 160) / 1000),
      qOff: from("qrs-offset", qOn + (measured.qrs ?? 90) / 1000),
      tOff: from("t-offset", qOn + (measured.qt ?? 400) / 1000),
    };
  }

  // A mark stays on its strip: a lead has no voltage where another one is drawn.
  const clamp = (view, marks, at) => {
    const [, , atS, , seconds] = stripOf(view, marks);
    return Math.min(Math.max(at, atS), atS + seconds);
  };
  ecg.clampMark = clamp;

  // Microvolts under a mark.
  ecg.under = (view, marks, at) => {
    const strip = stripOf(view, marks);
    const found = ecg.stretch(view, strip);
    if (!found) return NaN;
    const n = Math.min(found.to - 1, found.from + Math.round((at - strip[2]) * found.recording.rate));
    return found.row[n] - found.level;
  };

  // What the marks say: milliseconds, and for a height millivolts.
  ecg.read = (view, marks) => {
    const ms = Math.abs(marks.at[1] - marks.at[0]) * 1000;
    const mv = (ecg.under(view, marks, marks.at[1]) - ecg.under(view, marks, marks.at[0])) / 1000;
    return { kind: marks.kind, ms, mv, rate: 60000 / ms, value: marks.kind === "amp" ? mv : ms };
  };

  ecg.said = (view, marks) => {
    const read = ecg.read(view, marks);
    const name = view.words[read.kind];
    if (read.kind === "amp") return `${name} ${Number.isNaN(read.mv) ? "—" : read.mv.toFixed(2)} mV`;
    return `${name} ${Math.round(read.ms)} ms${read.kind === "rr" && read.ms > 0 ? ` · ${Math.round(read.rate)}/min` : ""}`;
  };

  ecg.drawCalipers = (pen, view, marks) => {
    if (!marks.kind) return;
    const [, number] = stripOf(view, marks);
    const baseline = ecg.y(view, view.sheet.baselines[number]);
    const reach = 11 * view.mm, bottom = ecg.y(view, view.sheet.height);
    const upright = (x, from, to) => { pen.beginPath(); pen.moveTo(x, from); pen.lineTo(x, to); pen.stroke(); };
    pen.strokeStyle = COLOUR;
    if (marks.march) {
      pen.lineWidth = 1;
      pen.setLineDash([1.2 * view.mm, 1.2 * view.mm]);
      const step = Math.abs(marks.at[1] - marks.at[0]);
      const first = Math.min(...marks.at);
      for (let at = first - Math.floor(first / step) * step; step > 0.1 && at <= view.sheet.seconds; at += step) upright(ecg.x(view, at), baseline - reach, baseline + reach);
      pen.setLineDash([]);
    }
    marks.at.forEach((at, mark) => {
      const x = ecg.x(view, at);
      pen.lineWidth = 1;
      pen.globalAlpha = 0.35;
      upright(x, 0, bottom);
      pen.globalAlpha = 1;
      pen.lineWidth = Math.max(1, (mark === marks.active ? 0.5 : 0.25) * view.mm);
      upright(x, baseline - reach, baseline + reach);
      // The mark that the keys move has a handle.
      pen.fillStyle = COLOUR;
      if (mark === marks.active) { pen.beginPath(); pen.arc(x, baseline + reach, 1.1 * view.mm, 0, 7); pen.fill(); }
      const y = baseline - (ecg.under(view, marks, at) * view.sheet.gain * view.mm) / 1000;
      if (marks.kind === "amp" && !Number.isNaN(y)) { pen.lineWidth = 1; pen.beginPath(); pen.moveTo(x - 4 * view.mm, y); pen.lineTo(x + 4 * view.mm, y); pen.stroke(); }
    });
    const [left, right] = marks.at.map((at) => ecg.x(view, at)).sort((one, two) => one - two);
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(left, baseline - reach); pen.lineTo(right, baseline - reach); pen.stroke();
    label(pen, view, ecg.said(view, marks), (left + right) / 2, baseline - reach);
  };

  function label(pen, view, words, middle, y) {
    pen.font = `600 ${3.4 * view.mm}px ${ecg.FONT}`;
    const wide = pen.measureText(words).width + 2 * view.mm;
    const x = Math.min(Math.max(middle - wide / 2, 0), Math.max(0, view.width - wide));
    const top = Math.max(0, y - 5.4 * view.mm);
    pen.fillStyle = "rgba(255, 255, 255, .92)";
    pen.fillRect(x, top, wide, 4.8 * view.mm);
    pen.fillStyle = COLOUR;
    pen.fillText(words, x + view.mm, top + 3.7 * view.mm);
  }
})();
