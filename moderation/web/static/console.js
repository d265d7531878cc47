// Keys, veils over the media, the note's draft, and the lease: all of it works without, by mouse.
import { logInHere } from "./login.js";

const RENEW_EVERY_MS = 60_000, ACTIVE_MS = 5 * 60_000, PROVEN_MS = 90_000;
const decision = document.getElementById("decision");
const media = document.getElementById("media");
const dialog = document.getElementById("keys");
const notice = document.getElementById("notice");

// Keys: WCAG 2.1.4 asks that single keys can be switched off.
const switchBox = document.getElementById("keys-on");
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest(
    "input:not([type=range], [type=checkbox], [type=radio]), textarea, select");
  if (event.key === "Escape" && typing) typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") { dialog?.showModal(); return; }
  if (switchBox && !switchBox.checked) return;
  const name = CSS.escape(event.key);
  const field = document.querySelector(`[data-focus="${name}"]`);
  const button = document.querySelector(`:is(button, input)[data-key="${name}"]`);
  if (!field && !button && event.key !== "p") return;
  event.preventDefault();
  if (field) field.focus();
  else if (button) button.click();
  else if (media?.play) media.paused ? media.play() : media.pause();
});

// Veils hold for this item; the next one comes with the reviewer's own again.
for (const button of document.querySelectorAll("[data-veil]")) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    if (button.dataset.veil === "mute") media.muted = on;
    else for (const veiled of [media, document.querySelector(".work")])
      veiled?.classList.toggle(button.dataset.veil === "blur" ? "is-blurred" : "is-grey", on);
  });
}

if (decision) {
  const task = decision.dataset.task;
  const proof = () => new URLSearchParams({
    form_token: decision.elements.form_token.value, token: decision.elements.token.value });
  const note = document.getElementById("note"), draft = `note:${task}`;
  note.value = sessionStorage.getItem(draft) ?? "";
  note.addEventListener("input", () => sessionStorage.setItem(draft, note.value));

  const leaving = new AbortController();
  let isLeaving = false, activeAt = Date.now(), provenAt = Date.now();
  for (const name of ["pointerdown", "keydown", "scroll"])
    addEventListener(name, () => { activeAt = Date.now(); }, { passive: true });
  const renew = async () => {
    const answer = await fetch(`/console/tasks/${task}/renew`, {
      method: "POST", body: proof(), headers: { "HX-Request": "true" }, signal: leaving.signal,
    }).catch(() => null);
    if (isLeaving) return false;
    if (answer?.status === 401 && await logInHere()) return renew();
    if (answer?.ok) {
      provenAt = Date.now();
      notice.textContent = "";
    } else if (answer) notice.innerHTML = await answer.text();
    else notice.textContent = "The server does not answer; what you typed stays here.";
    return Boolean(answer?.ok);
  };
  renew();
  setInterval(() => {
    const isPlaying = media && media.paused === false;
    if (!document.hidden && (Date.now() - activeAt <= ACTIVE_MS || isPlaying)) renew();
  }, RENEW_EVERY_MS);
  for (const one of document.querySelectorAll("main form"))
    one.addEventListener("submit", async (event) => {
      if (event.submitter?.formMethod === "dialog" || one.hasAttribute("hx-post")) return;
      if (Date.now() - provenAt < PROVEN_MS) {
        // What is sent may end the lease before a renewal that is under way arrives.
        isLeaving = true;
        leaving.abort();
        return;
      }
      // After long silence: ask whether session and lease are there, before what is sent is lost.
      event.preventDefault();
      const { submitter } = event;
      if (await renew()) one.requestSubmit(submitter);
    });
  addEventListener("pagehide", () => {
    if (!isLeaving) navigator.sendBeacon(`/console/tasks/${task}/leave`, proof());
  });
}
