// Files on their way: two at a time, each with its progress, and a word when it has come.
import { logInHere } from "./login.js";

const AT_ONCE = 2;
const form = document.getElementById("upload");
const list = document.getElementById("sending");
const told = document.getElementById("sending-told");
const drop = document.getElementById("drop");
const chooser = document.getElementById("files");
const waiting = [];
let sending = 0;

const line = (file) => {
  const entry = document.createElement("li"), name = document.createElement("bdi");
  const button = document.createElement("button"), bar = document.createElement("progress");
  const words = document.createElement("span");
  name.textContent = file.name;
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Progress of ${file.name}`);
  words.className = "told soft";
  words.textContent = "waits";
  button.type = "button";
  button.textContent = "Cancel";
  button.setAttribute("aria-label", `Cancel ${file.name}`);
  entry.append(name, button, bar, words);
  list.append(entry);
  return { entry, button, bar, words };
};

const problem = (job, text) => {
  job.words.className = "told left";
  if (text) job.words.innerHTML = text;
  else job.words.textContent = "The server does not answer.";
  job.button.textContent = "Try again";
  job.button.setAttribute("aria-label", `Try ${job.file.name} again`);
  job.button.onclick = () => { waiting.push(job); job.button.hidden = true; next(); };
  job.button.hidden = false;
  told.textContent = `${job.file.name} was not taken in.`;
};

const send = (job) => {
  sending += 1;
  const request = new XMLHttpRequest();
  request.open("POST", `${form.action}?${job.query}`);
  request.setRequestHeader("X-Form-Token", form.elements.form_token.value);
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("Content-Type", "application/octet-stream");
  job.words.className = "told soft";
  job.button.hidden = false;
  job.button.textContent = "Cancel";
  job.button.onclick = () => request.abort();
  request.upload.addEventListener("progress", (event) => {
    job.bar.value = event.total ? event.loaded / event.total : 0;
    job.words.textContent = `${Math.round(100 * job.bar.value)} %`;
  });
  request.upload.addEventListener("load", () => { job.words.textContent = "sent; the server keeps it"; });
  request.addEventListener("load", async () => {
    if (request.status === 401 && await logInHere()) { waiting.push(job); next(); return; }
    if (request.status !== 201) { problem(job, request.responseText); return; }
    job.bar.value = 1;
    job.words.innerHTML = request.responseText;
    job.button.remove();
    told.textContent = `${job.file.name} was taken in.`;
    document.body.dispatchEvent(new Event("taken"));
  });
  request.addEventListener("error", async () => {
    // A refusal before the whole file was read reaches no script: ask whether the session ended.
    const answer = await fetch("/console/uploads/table", { headers: { "HX-Request": "true" } })
      .catch(() => null);
    if (answer?.status === 401 && await logInHere()) { waiting.push(job); next(); return; }
    problem(job, "");
  });
  request.addEventListener("abort", () => { job.entry.remove(); });
  request.addEventListener("loadend", () => { sending -= 1; next(); });
  request.send(job.file);
};

const next = () => {
  while (sending < AT_ONCE && waiting.length) send(waiting.shift());
};

const newId = () => [...crypto.getRandomValues(new Uint8Array(16))]
  .map((one) => one.toString(16).padStart(2, "0")).join("");

const add = (files) => {
  for (const file of files) {
    // The same id with each try: what came although the answer got lost is not taken in twice.
    const query = new URLSearchParams({ name: file.name, id: newId() });
    for (const name of ["surface", "reach", "remaining_views", "views_an_hour"])
      query.set(name, form.elements[name].value);
    const job = { file, query, ...line(file) };
    if (file.size > Number(form.dataset.bytesMax) || file.size === 0) {
      job.words.className = "told left";
      job.words.textContent = file.size ? "too large for this deployment" : "has no bytes";
      job.bar.remove();
      job.button.textContent = "Dismiss";
      job.button.setAttribute("aria-label", `Dismiss ${file.name}`);
      job.button.onclick = () => job.entry.remove();
      continue;
    }
    job.button.onclick = () => { waiting.splice(waiting.indexOf(job), 1); job.entry.remove(); };
    waiting.push(job);
  }
  next();
};

if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  chooser.addEventListener("change", () => { add([...chooser.files]); chooser.value = ""; });
  // A file that misses the box must not replace the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  drop.addEventListener("dragover", () => drop.classList.add("is-over"));
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    drop.classList.remove("is-over");
    add([...event.dataTransfer.files]);
  });
  addEventListener("beforeunload", (event) => { if (sending || waiting.length) event.preventDefault(); });
}

const table = document.getElementById("table");
document.getElementById("table-file")?.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) table.value = await file.text();
});
