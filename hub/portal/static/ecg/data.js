// What the hub sends of a recording (hub/tracing/wire.py): JSON about it, then int16 differences of each lead.
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});
  const GUESSES = { III: (one, two) => two - one, aVR: (one, two) => -((one + two) >> 1), aVL: (one, two) => one - (two >> 1), aVF: (one, two) => two - (one >> 1) };

  // One lead after the other; a running sum that wraps at 16 bits, as the sender's did.
  function summed(raw, at, count) {
    const out = new Int16Array(count);
    let sum = 0;
    for (let n = 0; n < count; n += 1) { sum = ((sum + raw[at + n]) << 16) >> 16; out[n] = sum; }
    return out;
  }

  function block(head, raw, at) {
    const quanta = {};
    head.leads.forEach((lead, n) => { quanta[lead] = summed(raw, at + n * head.samples, head.samples); });
    for (const lead of head.predicted) {
      const [row, one, two, guess] = [quanta[lead], quanta.I, quanta.II, GUESSES[lead]];
      for (let n = 0; n < row.length; n += 1) row[n] += guess(one[n], two[n]);
    }
    const uv = {};
    head.leads.forEach((lead, n) => {
      const [row, from, zero, step] = [new Float32Array(head.samples), quanta[lead], head.offsets_uv[n], head.scale_uv];
      for (let m = 0; m < row.length; m += 1) row[m] = zero + step * from[m];
      for (const [begin, end] of head.gaps[lead] ?? []) row.fill(NaN, begin, end);
      uv[lead] = row;
    });
    return { leads: head.leads, rate: head.rate_hz, samples: head.samples, uv };
  }

  // Microvolts by lead, NaN where nothing was recorded; the sheets; the filters' coefficients.
  ecg.decode = (buffer) => {
    const length = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const raw = new Int16Array(buffer, 4 + length);
    const [rhythm, beat] = head.blocks;
    const made = block(rhythm, raw, 0);
    const median = beat ? { ...block(beat, raw, rhythm.leads.length * rhythm.samples), fiducials: beat.fiducials_ms } : null;
    return { ...made, seconds: made.samples / made.rate, median, sheets: head.sheets, filters: head.filters, calibration: head.calibration_mm, startedAt: head.started_at };
  };

  ecg.load = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`expected a recording, found ${answer.status}`);
    return ecg.decode(await answer.arrayBuffer());
  };
})();
