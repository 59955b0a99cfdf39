// A page of many: one stream for all tiles, which the server ends after a quarter of an hour.
import { readPictures, section, setKind, show, words } from "./tile.js";

const start = section?.querySelector("[data-start]"), stop = section?.querySelector("[data-stop]");
let ending = null;

function tileOf(found) {
  const delivery = found.delivery ? `[data-delivery="${CSS.escape(found.delivery)}"]` : ":not([data-delivery])";
  return section.querySelector(`[data-picture][data-camera="${CSS.escape(found.camera)}"]${delivery}`);
}
function say(text) {
  section.querySelector("[data-said]").textContent = text;
}
async function viewAll() {
  ending = new AbortController();
  start.hidden = true;
  stop.hidden = false;
  say("");
  const tiles = [...section.querySelectorAll("[data-picture]")];
  for (const tile of tiles) if (!tile.dataset.cameAt) setKind(tile, "waiting", words.wordsWaiting);
  try {
    for await (const found of readPictures(tiles, ending.signal)) {
      const tile = found.camera ? tileOf(found) : null;
      if (tile) show(tile, found);
      else say(found.notes.join(" "));
    }
  } catch {
    if (!ending.signal.aborted) say(words.wordsFailed);
  }
  for (const tile of tiles) if (tile.classList.contains("is-waiting")) setKind(tile, "empty", "");
  start.hidden = false;
  stop.hidden = true;
}
if (start) {
  start.hidden = false;
  start.addEventListener("click", viewAll);
  stop.addEventListener("click", () => ending.abort());
  addEventListener("pagehide", () => ending?.abort());
}
