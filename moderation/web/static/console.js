// Keys, and the veils over the media: all of it works without, by mouse.
import "./login.js";

// WCAG 2.1.4 asks that single keys can be switched off.
const switchBox = document.getElementById("keys-on");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest(
    "input:not([type=range], [type=checkbox], [type=radio]), textarea, select");
  if (event.key === "Escape" && typing) typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") { document.getElementById("keys")?.showModal(); return; }
  if (switchBox && !switchBox.checked) return;
  const name = CSS.escape(event.key), media = document.getElementById("media");
  const field = document.querySelector(`[data-focus="${name}"]`);
  const button = document.querySelector(`:is(button, input)[data-key="${name}"]`);
  if (!field && !button && event.key !== "p") return;
  event.preventDefault();
  if (button?.form?.id === "decision" && button.closest("[aria-busy=true]")) return;
  if (field) field.focus();
  else if (button) button.click();
  else if (media?.play) media.paused ? media.play() : media.pause();
});

// Veils hold for this item; the next one comes with the reviewer's own again.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-veil]"), media = document.getElementById("media");
  if (!button) return;
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  if (button.dataset.veil === "mute") media.muted = on;
  else for (const veiled of [media, document.querySelector(".work")])
    veiled?.classList.toggle(button.dataset.veil === "blur" ? "is-blurred" : "is-grey", on);
});
