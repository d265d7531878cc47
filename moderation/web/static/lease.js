// The lease on the task of this page: renewed while somebody is at it, left with the page.
import { logInHere } from "./login.js";

const RENEW_EVERY_MS = 60_000, ACTIVE_MS = 5 * 60_000, PROVEN_MS = 90_000;
export const decision = () => document.getElementById("decision");
export const tell = (words) => { document.getElementById("notice").textContent = words; };

let leaving = new AbortController(), isLeaving = false, activeAt = Date.now(), provenAt = 0;
const address = (what) => `/console/tasks/${decision().dataset.task}/${what}`;
const proof = () => new URLSearchParams({
  form_token: decision().elements.form_token.value, token: decision().elements.token.value });

export async function renew() {
  const answer = await fetch(address("renew"), {
    method: "POST", body: proof(), headers: { "HX-Request": "true" }, signal: leaving.signal,
  }).catch(() => null);
  if (isLeaving) return false;
  if (answer?.status === 401 && await logInHere()) return renew();
  if (answer?.ok) {
    provenAt = Date.now();
    tell("");
  } else if (answer) document.getElementById("notice").innerHTML = await answer.text();
  else tell("The server does not answer; what you typed stays here.");
  return Boolean(answer?.ok);
}

// After long silence session and lease may be gone.
export const isProven = () => Date.now() - provenAt < PROVEN_MS;

// What is sent may end the lease before a renewal that is under way arrives.
export function letGo() {
  isLeaving = true;
  leaving.abort();
}

export function hold() {
  leaving = new AbortController();
  isLeaving = false;
  if (!decision()) return;
  const note = document.getElementById("note"), draft = `note:${decision().dataset.task}`;
  note.value ||= sessionStorage.getItem(draft) ?? "";
  note.addEventListener("input", () => sessionStorage.setItem(draft, note.value));
  provenAt = Date.now();
  renew();
}

for (const name of ["pointerdown", "keydown", "scroll"])
  addEventListener(name, () => { activeAt = Date.now(); }, { passive: true });
setInterval(() => {
  const isPlaying = document.getElementById("media")?.paused === false;
  const isActive = Date.now() - activeAt <= ACTIVE_MS || isPlaying;
  if (decision() && !isLeaving && !document.hidden && isActive) renew();
}, RENEW_EVERY_MS);
addEventListener("pagehide", () => {
  if (decision() && !isLeaving) navigator.sendBeacon(address("leave"), proof());
});
