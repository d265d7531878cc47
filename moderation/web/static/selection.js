// Selecting tasks: all on the page, and with Shift all from the last one on. Without this, one by one.
const form = document.getElementById("selection");
const boxes = [...form.querySelectorAll('input[name^="task:"]')];
const all = document.getElementById("select-all");
const told = document.getElementById("selected-count");
let last = null;

const tell = () => {
  const count = boxes.filter((one) => one.checked).length;
  told.textContent = count ? `${count} selected` : "";
  all.checked = count > 0 && count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
};
for (const [place, box] of boxes.entries()) {
  box.addEventListener("click", (event) => {
    if (event.shiftKey && last !== null) {
      const [from, to] = [Math.min(last, place), Math.max(last, place)];
      for (const one of boxes.slice(from, to + 1)) one.checked = box.checked;
    }
    last = place;
    tell();
  });
}
all.hidden = boxes.length === 0;
all.addEventListener("click", () => {
  for (const one of boxes) one.checked = all.checked;
  tell();
});
tell();
