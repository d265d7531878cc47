// A session that ended: log in on the page that is open, and nothing that was typed is lost.
let asking = null;

export function logInHere() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

const part = { "HX-Request": "true" };

async function ask() {
  const answer = await fetch("/console/login", { headers: part }).catch(() => null);
  if (!answer?.ok) return false;
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "login-title");
  dialog.innerHTML = await answer.text();
  document.body.append(dialog);
  dialog.showModal();
  const isIn = await new Promise((done) => {
    dialog.addEventListener("close", () => done(false));
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault();
      const told = await fetch("/console/login", {
        method: "POST", body: new URLSearchParams(new FormData(event.target)), headers: part,
      }).catch(() => null);
      if (told?.ok) done(take(await told.json()));
      else if (told) {
        dialog.innerHTML = await told.text();
        dialog.querySelector("input[type=password]")?.focus();
      }
    });
  });
  dialog.remove();
  return isIn;
}

// Forms carry the token of the session that the page was loaded in.
function take(session) {
  if (session.name !== document.querySelector(".who")?.dataset.name) {
    location.assign("/console");
    return false;
  }
  for (const field of document.querySelectorAll('input[name="form_token"]'))
    field.value = session.form_token;
  document.getElementById("notice").textContent = "Logged in again.";
  return true;
}

document.body.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status !== 401) return;
  event.preventDefault();
  logInHere();
});
