// How large a millimetre is on this screen: measured once with a bank card or a ruler, remembered by this browser.
(() => {
  "use strict";
  const ecg = (window.dxecg ??= {});
  // CSS calls 96 pixels an inch; screens seldom keep to it.
  const USUAL = 96 / 25.4;
  // Kept in the screen's own pixels, so that enlarging the page does not change what a millimetre is.
  const name = () => `dxhub.ecg.mm ${screen.width}x${screen.height}`;

  function stored() {
    try { return Number(localStorage.getItem(name())) || 0; } catch { return 0; }
  }
  ecg.isCalibrated = () => stored() > 0;
  // CSS pixels a millimetre.
  ecg.cssMm = () => (stored() ? stored() / devicePixelRatio : USUAL);
  ecg.calibrate = (cssMm) => { try { localStorage.setItem(name(), String(cssMm * devicePixelRatio)); } catch { /* asked again next time */ } };

  ecg.remembered = (usual) => {
    try { return { ...usual, ...JSON.parse(localStorage.getItem("dxhub.ecg.look") ?? "{}") }; } catch { return usual; }
  };
  ecg.remember = (look) => { try { localStorage.setItem("dxhub.ecg.look", JSON.stringify(look)); } catch { /* private window */ } };

  // The dialogue: a bar that is as wide as the chosen thing once slider or arrow keys have made it so.
  ecg.calibration = (dialog, words, done) => {
    const [bar, slider, thing, told] = ["bar", "slider", "thing", "told"].map((part) => dialog.querySelector(`[data-${part}]`));
    const show = () => {
      bar.style.width = `${slider.value * thing.value}px`;
      told.textContent = words.bar.replace("%(mm)s", thing.value);
    };
    slider.addEventListener("input", show);
    thing.addEventListener("change", show);
    dialog.querySelector("[data-save]").addEventListener("click", () => { ecg.calibrate(Number(slider.value)); dialog.close(); done(); });
    return () => { slider.value = ecg.cssMm(); if (innerWidth < 480) thing.value = "50"; show(); dialog.showModal(); slider.focus(); };
  };
})();
