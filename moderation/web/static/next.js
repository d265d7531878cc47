// The next task comes into the page that is open. Its media was loaded while the one before was
// looked at, and is in this page's memory alone: nothing of it is kept on disk.
import { decision, hold, isProven, letGo, renew, tell } from "./lease.js";

const AHEAD_AFTER_MS = 1000;
// A key that was meant for the task before must not decide the one that has just come.
const SETTLING_MS = 400;
let isSending = false, ahead = null, timer = 0, path = location.pathname;

document.addEventListener("submit", async (event) => {
  const form = event.target, { submitter } = event;
  const isOurs = form.closest("main") && document.querySelector(".work")
    && form.method === "post" && !form.hasAttribute("hx-post") && submitter?.formMethod !== "dialog";
  if (!isOurs) return;
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  await send(form, submitter).finally(() => { isSending = false; });
});

async function send(form, submitter) {
  if (decision() && !isProven() && !(await renew())) return;
  const sent = new URLSearchParams(new FormData(form, submitter));
  letGo();
  clearTimeout(timer);
  const answer = await fetch(submitter?.getAttribute("formaction") ?? form.getAttribute("action"),
    { method: "POST", body: sent }).catch(() => null);
  if (!answer) {
    hold();
    tell("The server does not answer; what you typed stays here.");
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (answer.ok && !page.querySelector(".work")) location.assign(answer.url);
  else show(page, answer);
}

function show(page, answer) {
  const main = document.importNode(page.querySelector("main"), true);
  takeAhead(main);
  document.querySelector("main").replaceWith(main);
  document.title = page.title;
  if (answer.ok) history.pushState(null, "", answer.url);
  path = location.pathname;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
  main.setAttribute("aria-busy", "true");
  setTimeout(() => main.removeAttribute("aria-busy"), SETTLING_MS);
  htmx.process(main);
  document.dispatchEvent(new Event("console:task"));
}
addEventListener("popstate", () => { if (location.pathname !== path) location.reload(); });

async function lookAhead() {
  const work = document.querySelector(".work");
  if (!work || !decision()) return;
  const answer = await fetch(`/console/queue/ahead?desk=${work.dataset.desk}`,
    { headers: { "HX-Request": "true" } }).catch(() => null);
  // What comes next is another one, once this task is gone.
  if (answer?.status !== 200 || isSending || !work.isConnected) return;
  const { kind, address } = await answer.json();
  ahead = document.createElement(kind === "image" ? "img" : kind);
  ahead.preload = "metadata";
  ahead.src = address;
}

function takeAhead(main) {
  const media = main.querySelector("#media"), ready = ahead;
  ahead = null;
  // The attribute says how a new element begins; one that was made by a script must be told.
  if (media) media.muted = media.hasAttribute("muted");
  const isIt = media && ready?.tagName === media.tagName
    && ready.getAttribute("src") === media.getAttribute("src");
  if (!isIt) return;
  for (const { name, value } of media.attributes) if (name !== "src") ready.setAttribute(name, value);
  ready.muted = media.hasAttribute("muted");
  ready.append(...media.childNodes);
  media.replaceWith(ready);
}

function begin() {
  hold();
  clearTimeout(timer);
  timer = setTimeout(lookAhead, AHEAD_AFTER_MS);
}
document.addEventListener("console:task", begin);
begin();
