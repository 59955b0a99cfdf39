"use strict";
// The button of a file in the words of the page: the browser's own are of the browser's language.
for (const input of document.querySelectorAll("input[type=file][data-choose]")) {
  const button = document.createElement("label"), chosen = document.createElement("span");
  const show = () => { chosen.textContent = input.files.length ? input.files[0].name : input.dataset.none; };
  button.htmlFor = input.id;
  button.className = "tel";
  button.textContent = input.dataset.choose;
  chosen.className = "chosen-file";
  input.classList.add("unseen");
  input.after(button, chosen);
  input.addEventListener("change", show);
  // A browser that comes back to the page has the file still, and says nothing of it.
  addEventListener("pageshow", show);
  show();
}
