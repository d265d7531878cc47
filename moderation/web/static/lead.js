// A file's text goes into the field that shows it; it is sent with the field, and can be changed there.
for (const one of document.querySelectorAll("[data-needs-script]")) one.hidden = false;
for (const input of document.querySelectorAll("[data-fills]")) {
  const field = document.getElementById(input.dataset.fills);
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file) field.value = await file.text();
  });
}
