"use strict";
const slider = document.getElementById("overlay-opacity");
const choice = document.getElementById("overlay-signal");
if (slider && choice) {
  const show = () => {
    document.documentElement.style.setProperty("--overlay", slider.value / 100);
    for (const heat of document.querySelectorAll(".heat")) {
      heat.hidden = heat.dataset.signal !== choice.value;
    }
  };
  slider.addEventListener("input", show);
  choice.addEventListener("change", show);
  show();
}
