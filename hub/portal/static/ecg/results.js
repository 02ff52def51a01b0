// What was measured with the calipers, and QTc from it, in the table below the paper.
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});
  const FORMULAS = ["Bazett", "Fridericia", "Framingham", "Hodges"];

  // results: ms, and mV for amp. measured: what the cart sent. QTc stands on the RR caliper, else on the cart's rate.
  ecg.showResults = (root, results, measured, words, guessed = new Set()) => {
    const put = (name, text) => { const place = root.querySelector(`[data-result="${name}"]`); if (place) place.textContent = text; };
    const about = (...names) => (names.some((name) => guessed.has(name)) ? "≈ " : "");
    const ms = (value, ...names) => (value === undefined ? "—" : `${about(...names)}${Math.round(value)} ms`);
    put("rr", results.rr === undefined ? "—" : `${about("rr")}${Math.round(results.rr)} ms · ${Math.round(60000 / results.rr)}/min`);
    for (const name of ["pr", "qrs", "qt"]) put(name, ms(results[name], name));
    put("amp", results.amp === undefined || Number.isNaN(results.amp) ? "—" : `${about("amp")}${results.amp.toFixed(2)} mV`);
    const rr = results.rr > 200 ? results.rr : measured.hr ? 60000 / measured.hr : undefined;
    const corrected = results.qt && rr ? ecg.corrected(results.qt, rr) : null;
    for (const name of FORMULAS) put(name, corrected ? ms(corrected[name], "qt", results.rr > 200 ? "rr" : "qt") : "—");
    put("basis", results.qt ? (results.rr > 200 ? words.rate_measured : rr ? words.rate_cart : words.rate_none) : "");
    const warning = root.querySelector("[data-qtc-warning]");
    warning.textContent = corrected?.warning ? words[corrected.warning] : "";
    warning.hidden = !corrected?.warning;
  };
})();
