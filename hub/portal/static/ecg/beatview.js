// Beats of every lead on one another, with the beat that stands for them, at twice the usual scale.
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});
  const BEFORE_S = 0.35, AFTER_S = 0.6, SPEED = 50, GAIN = 20, ROOM_MM = 4;
  const NAMES = ["p-onset", "p-offset", "qrs-onset", "qrs-offset", "t-offset"];

  // The beat that stands for a lead: the cart's own where it sent one, else the median of what lies here.
  function standing(view, lead, beats) {
    const { now } = view.recordings;
    if (now.median?.uv[lead]) return { row: now.median.uv[lead], rate: now.median.rate, peak: peakOf(now.median) };
    const [before, after] = [Math.round(BEFORE_S * now.rate), Math.round(AFTER_S * now.rate)];
    return { row: ecg.medianBeat(now.shown[lead], beats, before, after), rate: now.rate, peak: before };
  }

  function peakOf(median) {
    median.beatPeak ??= ecg.beats(median)[0] ?? Math.round(median.samples / 3);
    return median.beatPeak;
  }
  ecg.peakOf = peakOf;

  function cell(pen, view, [lead, number, atS]) {
    const { now } = view.recordings;
    const row = now.shown[lead];
    const left = ecg.x(view, atS) + ROOM_MM * view.mm, baseline = ecg.y(view, view.sheet.baselines[number]);
    ecg.text(pen, view, row ? lead : `${lead} —`, left - 2 * view.mm, ecg.y(view, view.sheet.labels[number]), 3.6, ecg.INK, "600");
    if (!row) return;
    const zero = left + BEFORE_S * SPEED * view.mm;
    const draw = (samples, rate, peak, colour, thick) => {
      const from = Math.max(0, peak - Math.round(BEFORE_S * rate)), to = Math.min(samples.length, peak + Math.round(AFTER_S * rate));
      const per = (SPEED * view.mm) / rate;
      pen.strokeStyle = colour;
      pen.lineWidth = Math.max(1, thick * view.mm);
      // Every beat stands on its own resting line just before QRS.
      const level = ecg.level(samples.subarray(Math.max(0, peak - Math.round(0.09 * rate)), Math.max(1, peak - Math.round(0.06 * rate))));
      ecg.line(pen, samples, from, to, zero + (from - peak) * per, baseline, per, (GAIN * view.mm) / 1000, Number.isNaN(level) ? 0 : level);
    };
    for (const at of view.beats) draw(row, now.rate, at, "rgba(20, 24, 31, .22)", 0.15);
    const beat = standing(view, lead, view.beats);
    draw(beat.row, beat.rate, beat.peak, ecg.INK, 0.4);
    fiducials(pen, view, zero, baseline, number === 1 && atS === 0);
  }

  function fiducials(pen, view, zero, baseline, named) {
    const median = view.recordings.now.median;
    if (!median?.fiducials) return;
    pen.strokeStyle = "#0b6477";
    pen.lineWidth = 1;
    NAMES.filter((name) => name in median.fiducials).forEach((name, n) => {
      const x = zero + (median.fiducials[name] / 1000 - peakOf(median) / median.rate) * SPEED * view.mm;
      pen.beginPath(); pen.moveTo(x, baseline - 12 * view.mm); pen.lineTo(x, baseline + 8 * view.mm); pen.stroke();
      if (named) ecg.text(pen, view, view.words[name], x + 0.5 * view.mm, baseline + (8 + 2.8 * (n % 2)) * view.mm, 2.4, "#0b6477");
    });
  }

  // view.sheet: the 3x4+1 sheet of 20 mm/mV; its last row, the rhythm, is left to the paper.
  ecg.beatView = (pen, view) => {
    pen.drawImage(ecg.grid(view), 0, 0);
    pen.lineJoin = "round";
    const cells = view.sheet.strips.filter(([, number]) => number < 3);
    for (const each of cells) cell(pen, view, each);
    const { words, recordings } = view;
    const what = view.beats.length ? words.beats.replace("%(count)s", view.beats.length) : words.no_beats;
    const whose = recordings.now.median ? words.cart_median : words.own_median;
    ecg.text(pen, view, `${what} · ${whose}`, 12 * view.mm, ecg.y(view, view.sheet.baselines[3]), 3.6, ecg.INK);
    ecg.foot(pen, view, view.foot.replace(/^.*?mm\/mV/, `${SPEED} mm/s\u2003${GAIN} mm/mV`));
  };
})();
