// Filters for looking, beats, and what a doctor works out of intervals. Nothing here changes the recording.
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});

  function pass(values, [b0, b1, b2, a1, a2]) {
    let [one, two] = [0, 0];
    for (let n = 0; n < values.length; n += 1) {
      const fed = values[n];
      const out = b0 * fed + one;
      one = b1 * fed - a1 * out + two;
      two = b2 * fed - a2 * out;
      values[n] = out;
    }
  }

  // Forwards and backwards over a stretch that continues at both ends as in a mirror: no wave is shifted in time.
  function bothWays(row, rate, chain) {
    const pad = Math.min(row.length - 1, Math.round(10 * rate));
    if (pad < 1) return row;
    const long = new Float64Array(row.length + 2 * pad);
    const last = row.length - 1;
    for (let n = 0; n < pad; n += 1) { long[n] = row[pad - n]; long[pad + row.length + n] = row[last - 1 - n]; }
    long.set(row, pad);
    for (const section of chain) {
      const steady = (section[0] + section[1] + section[2]) / (1 + section[3] + section[4]);
      for (let turn = 0; turn < 2; turn += 1) {
        const base = long[0];
        for (let n = 0; n < long.length; n += 1) long[n] -= base;
        pass(long, section);
        for (let n = 0; n < long.length; n += 1) long[n] += base * steady;
        long.reverse();
      }
    }
    return Float32Array.from(long.subarray(pad, pad + row.length));
  }

  ecg.filtered = (row, rate, chain) => {
    if (!chain.length) return row;
    const out = row.slice();
    let begin = 0;
    for (let n = 0; n <= row.length; n += 1) {
      if (n < row.length && !Number.isNaN(row[n])) continue;
      if (n > begin) out.set(bothWays(row.subarray(begin, n), rate, chain), begin);
      begin = n + 1;
    }
    return out;
  };

  // The middle of a stretch, by which it is set on its row: the same number as numpy's median, cut to a whole one.
  ecg.level = (row) => {
    const kept = new Float32Array(row.length);
    let count = 0;
    for (let n = 0; n < row.length; n += 1) if (row[n] === row[n]) { kept[count] = row[n]; count += 1; }
    const sorted = kept.subarray(0, count).sort();
    if (!count) return NaN;
    const half = sorted.length >> 1;
    return Math.trunc(sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2);
  };

  // Where QRS complexes are, as sample numbers: a place to begin measuring from, no more. Steepness of all leads together.
  ecg.beats = (recording) => {
    const { rate, samples } = recording;
    const steep = new Float32Array(samples);
    for (const lead of recording.leads) {
      const row = recording.uv[lead];
      for (let n = 2; n < samples - 2; n += 1) { const step = row[n + 2] - row[n - 2]; if (step === step) steep[n] += Math.abs(step); }
    }
    const wide = Math.max(1, Math.round(0.04 * rate));
    const smooth = new Float32Array(samples);
    let sum = 0;
    for (let n = 0; n < samples; n += 1) { sum += steep[n] - (n >= 2 * wide ? steep[n - 2 * wide] : 0); smooth[Math.max(0, n - wide)] = sum; }
    const threshold = 0.4 * (Float32Array.from(smooth).sort()[Math.floor(0.985 * samples)] ?? 0);
    const found = [];
    const apart = Math.round(0.25 * rate);
    for (let n = 1; n < samples - 1; n += 1) {
      if (smooth[n] < threshold || smooth[n] < smooth[n - 1] || smooth[n] < smooth[n + 1]) continue;
      const before = found.at(-1);
      if (before === undefined || n - before > apart) found.push(n); else if (smooth[n] > smooth[before]) found[found.length - 1] = n;
    }
    return threshold > 0 ? found.map((at) => peak(recording, at)) : [];
  };

  // The tallest point of the reference lead nearby, so that beats lie on one another.
  function peak(recording, at) {
    const row = recording.uv[recording.leads.includes("II") ? "II" : recording.leads[0]];
    const reach = Math.round(0.06 * recording.rate);
    const part = row.subarray(Math.max(0, at - reach), at + reach);
    const base = ecg.level(row.subarray(Math.max(0, at - 4 * reach), at + 4 * reach));
    let [best, where] = [-1, at];
    part.forEach((value, n) => { const tall = Math.abs(value - base); if (tall > best) [best, where] = [tall, Math.max(0, at - reach) + n]; });
    return where;
  }

  // Median of all beats of a lead, from `before` to `after` samples around each.
  ecg.medianBeat = (row, beats, before, after) => {
    const whole = beats.filter((at) => at >= before && at + after < row.length);
    const out = new Float32Array(before + after).fill(NaN);
    if (!whole.length) return out;
    for (let n = 0; n < out.length; n += 1) {
      const here = whole.map((at) => row[at - before + n]).sort((one, two) => one - two);
      out[n] = here[here.length >> 1];
    }
    return out;
  };

  // QTc in ms from QT in ms and RR in ms. Bazett 1920, Fridericia 1920, Sagie 1992 (Framingham), Hodges 1983.
  ecg.corrected = (qt, rr) => {
    const [seconds, rate] = [rr / 1000, 60000 / rr];
    return {
      Bazett: qt / Math.sqrt(seconds),
      Fridericia: qt / Math.cbrt(seconds),
      Framingham: qt + 154 * (1 - seconds),
      Hodges: qt + 1.75 * (rate - 60),
      warning: rate < 60 ? "bazett_low" : rate > 100 ? "bazett_high" : "",
    };
  };
})();
