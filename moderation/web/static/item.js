// The player and what is drawn under it, frames with heat maps. Parts of the page come later or
// again (htmx), so nothing here keeps hold of their elements.
const one = (id) => document.getElementById(id);
const player = () => {
  const media = one("media");
  return media instanceof HTMLMediaElement ? media : null;
};

const told = (seconds) => {
  const tenths = Math.round(seconds * 10), whole = Math.floor(tenths / 10);
  const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0") + (tenths % 10 ? `.${tenths % 10}` : "");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
};

// Where the player is; without one that plays, where it was last sent.
let position = 0;
const now = () => (player()?.readyState > 0 ? player().currentTime : position);

function draw() {
  const plot = one("plot"), at = now();
  if (!plot) return;
  const seconds = Number(plot.dataset.seconds), words = `${told(at)} of ${told(seconds)}`;
  const x = `${(100 * Math.min(1, at / seconds)).toFixed(3)}%`;
  one("playhead").setAttribute("x", x);
  one("position").textContent = words;
  // Not while it plays: a screen reader would read every change out.
  if (player()?.paused ?? true) {
    plot.setAttribute("aria-valuenow", at.toFixed(1));
    plot.setAttribute("aria-valuetext", words);
  }
  for (const said of document.querySelectorAll("#said li[data-start]")) {
    const isNow = at >= Number(said.dataset.start) && at < Number(said.dataset.end);
    if (isNow) said.setAttribute("aria-current", "true");
    else said.removeAttribute("aria-current");
  }
}

function seek(seconds) {
  const plot = one("plot");
  const last = plot ? Number(plot.dataset.seconds) : seconds;
  position = Math.min(Math.max(0, seconds), last);
  if (player()) player().currentTime = position;
  draw();
}

// Events of media do not bubble; they can be caught on their way down.
for (const name of ["timeupdate", "seeked", "pause", "loadedmetadata"])
  document.addEventListener(name, draw, true);
const follow = () => { draw(); if (player()?.paused === false) requestAnimationFrame(follow); };
document.addEventListener("play", follow, true);

const timeAt = (plot, event) => {
  const box = plot.getBoundingClientRect();
  return Number(plot.dataset.seconds) * (event.clientX - box.left) / box.width;
};

document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-seek]"), plot = event.target.closest("#plot");
  const step = event.target.closest("[data-step]"), frame = event.target.closest("[data-frame]");
  if (place) seek(Number(place.dataset.seek));
  else if (plot) seek(timeAt(plot, event));
  else if (step) goBy(Number(step.dataset.step));
  else if (frame) show(frame, true);
  else if (event.target.closest("#zoom")) enlarge();
});
document.addEventListener("pointermove", (event) => {
  const plot = event.target.closest?.("#plot");
  if (plot && event.buttons === 1) seek(timeAt(plot, event));
});

function goBy(step) {
  const marks = one("plot").dataset.steps.split(" ").filter(Boolean).map(Number);
  const at = now();
  const next = step > 0 ? marks.find((mark) => mark > at + 0.05)
    : marks.findLast((mark) => mark < at - 0.05);
  if (next !== undefined) seek(next);
}

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "plot" || event.ctrlKey || event.metaKey || event.altKey) return;
  const length = Number(event.target.dataset.seconds), small = Math.min(1, length / 20);
  const to = {
    ArrowRight: now() + small, ArrowUp: now() + small, ArrowLeft: now() - small,
    ArrowDown: now() - small, PageUp: now() + length / 10, PageDown: now() - length / 10,
    Home: 0, End: length,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  seek(to);
});

// Larger: twice, four times, as before. What is larger than its frame is scrolled, by keys as well.
const ZOOMS = ["", "zoom-2", "zoom-4"];
function enlarge() {
  const work = document.querySelector(".work");
  const at = ZOOMS.findIndex((zoom) => zoom && work.classList.contains(zoom));
  const next = ZOOMS[(Math.max(at, 0) + 1) % ZOOMS.length];
  work.classList.remove("zoom-2", "zoom-4");
  if (next) work.classList.add(next);
  for (const frame of document.querySelectorAll(".shown .frame"))
    if (next) {
      frame.tabIndex = 0;
      frame.scrollTo((frame.scrollWidth - frame.clientWidth) / 2,
        (frame.scrollHeight - frame.clientHeight) / 2);
    } else frame.removeAttribute("tabindex");
}

// Frames: the heat map of the chosen signal lies over the chosen frame.
function show(button, isAsked = false) {
  for (const other of document.querySelectorAll("[data-frame]"))
    other.setAttribute("aria-pressed", String(other === button));
  const { frame, base, maps, seconds, width, height } = button.dataset;
  const stage = one("stage"), heat = one("heat"), signal = one("heat-signal")?.value;
  const map = signal && JSON.parse(maps)[signal], when = told(Number(seconds));
  if (stage.getAttribute("src") !== frame) {
    stage.src = frame;
    stage.width = width;
    stage.height = height;
    stage.alt = `Frame at ${when}`;
  }
  heat.hidden = !map;
  if (map && heat.getAttribute("src") !== base + map.picture) heat.src = base + map.picture;
  if (one("heat-opacity")) heat.style.opacity = Number(one("heat-opacity").value) / 100;
  one("stage-told").textContent = `${player() ? `${when}: ` : ""}` + (map
    ? `${signal}, strongest block ${Math.round(100 * map.peak)} %` : "no heat map of this signal here");
  if (isAsked && player()) seek(Number(seconds));
}

const chosen = () => document.querySelector('[data-frame][aria-pressed="true"]');
document.addEventListener("input", (event) => {
  if (event.target.id === "heat-opacity") one("heat").style.opacity = event.target.value / 100;
  if (event.target.id === "heat-signal") show(chosen());
});

function begin() {
  if (chosen()) show(chosen());
  draw();
}
document.body.addEventListener("htmx:afterSettle", begin);
document.addEventListener("console:task", () => { position = 0; begin(); });
begin();
