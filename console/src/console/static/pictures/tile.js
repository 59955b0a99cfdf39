// One tile: it says in words which kind it is, whose picture it has, and how old that is. Never a picture without words.
const OLD_S = 30, VIEW_WITHIN_MS = 40000;
const KINDS = ["empty", "waiting", "now", "live", "older", "denied", "failed"];
export const section = document.querySelector("[data-pictures]");
export const words = section ? section.dataset : {};

function write(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return words.wordsSecond.replace("{n}", whole);
  if (whole < 3600) return words.wordsMinute.replace("{n}", Math.floor(whole / 60));
  return words.wordsHour.replace("{n}", Math.floor(whole / 3600));
}
export function setKind(tile, kind, text) {
  for (const each of KINDS) tile.classList.toggle("is-" + each, each === kind);
  const line = tile.querySelector(".kind");
  if (line.textContent !== text) line.textContent = text;
  // A reader hears of another kind, not of each second.
  const heard = tile.querySelector("[data-heard]");
  if (heard && heard.dataset.heard !== kind) {
    heard.dataset.heard = kind;
    heard.textContent = text;
  }
}
export function setNotes(tile, notes) {
  const list = tile.querySelector(".notes"), texts = notes.filter(Boolean);
  if ([...list.children].map((each) => each.textContent).join("\n") === texts.join("\n")) return;
  list.replaceChildren(...texts.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
}
function toBlob(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return new Blob([bytes], { type: "image/jpeg" });
}
export function showPicture(tile, blob, { of, label, ageS }) {
  const image = tile.querySelector("img"), before = image.src;
  image.src = URL.createObjectURL(blob);
  if (before) URL.revokeObjectURL(before);
  image.alt = label;
  image.hidden = false;
  tile.dataset.of = of;
  // How old it was when it came, by the server's clock; from then on by ours.
  tile.dataset.age = ageS;
  tile.dataset.cameAt = performance.now();
  tile.dataset.label = label;
}
export function show(tile, found, before = []) {
  setNotes(tile, [...before, ...found.notes]);
  if (found.jpeg) {
    showPicture(tile, toBlob(found.jpeg), { of: found.of, label: found.label, ageS: found.age_s });
    age(tile);
  } else if (tile.dataset.cameAt) {
    // The picture before stays, marked as what it is.
    age(tile, true);
  } else {
    setKind(tile, found.kind, found.kind === "denied" ? words.wordsDenied : words.wordsFailed);
  }
}
export function age(tile, ended = false) {
  const seconds = Number(tile.dataset.age) + (performance.now() - Number(tile.dataset.cameAt)) / 1000;
  const older = ended || seconds > OLD_S;
  const text = (older ? words.wordsOlder : words.wordsSeen).replace("{age}", write(seconds));
  setKind(tile, older ? "older" : "now", `${tile.dataset.label} · ${text}`);
}
export function say(template, seconds) {
  return template.replace("{age}", write(seconds));
}
export async function view(tile) {
  const button = tile.querySelector("[data-view]");
  button.disabled = true;
  setKind(tile, "waiting", words.wordsWaiting);
  const body = { camera: tile.dataset.camera };
  if (tile.dataset.delivery) body.delivery = tile.dataset.delivery;
  let found = { kind: "failed", notes: [], jpeg: null };
  try {
    const answer = await post("/pictures", body, AbortSignal.timeout(VIEW_WITHIN_MS));
    if (answer.ok) found = await answer.json();
  } catch {
    // Said by the tile: failed.
  }
  show(tile, found);
  button.disabled = false;
}
export function post(path, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return fetch(path, { method: "POST", redirect: "error", headers, body: JSON.stringify(body), signal });
}
// Pictures of these tiles, a line each, round after round, until the server ends it or `signal` does.
export async function* readPictures(tiles, signal) {
  const wanted = tiles.map((tile) => ({ camera: tile.dataset.camera, delivery: tile.dataset.delivery ?? null }));
  const answer = await post("/pictures/stream", { tiles: wanted }, signal);
  if (!answer.ok) throw new Error(String(answer.status));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
  }
}
setInterval(() => {
  if (!section) return;
  for (const tile of section.querySelectorAll(".is-now, .is-older")) {
    if (tile.dataset.cameAt && !tile.dataset.plays) age(tile, tile.classList.contains("is-older"));
  }
}, 1000);
