// Signing out takes from this browser what the survey page has of this person; what of it was not sent is said before.
import * as store from "./store.js";

const form = document.querySelector("form[data-unsent]");
const there = await indexedDB.databases?.() ?? [{ name: "vonggac-survey" }];
if (form && there.some((each) => each.name === "vonggac-survey")) {
  const mine = (await store.read("kept", "me"))?.owner ?? null;
  const own = (await store.list("entries")).filter((each) => each.owner === mine);
  const unsent = own.filter((each) => each.state !== "sent").length;
  const warning = document.getElementById("unsent");
  if (unsent > 0) {
    warning.querySelector("b").textContent = form.dataset.unsent.replace("{n}", unsent);
    warning.hidden = false;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const each of own) await store.removeEntry(each.id);
    await store.replaceSheets([], [{ id: "me", owner: null }]);
    form.submit();
  });
}
