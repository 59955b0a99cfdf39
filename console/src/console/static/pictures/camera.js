// The tiles of one camera: a still picture from a tap, and live what a centre gives back, until it is stopped, left or over.
import { age, post, readPictures, say, section, setKind, setNotes, show, showPicture, view, words } from "./tile.js";
import { Player, canPlay } from "./player.js";

const SILENT_S = 4;
// Then the stream of still pictures stands in: it says why a centre gives nothing back, and has the camera's, labelled so.
const STILL_INSTEAD = ["not_given_back", "centre_failed", "live_codec"];
let live = null;

async function watch(tile) {
  stop();
  const mine = live = { tile, ending: new AbortController(), player: null };
  tile.dataset.plays = "live";
  setButtons(tile, true);
  setKind(tile, "waiting", words.wordsWaiting);
  setNotes(tile, []);
  let after = { notes: [] };
  try {
    after = await play(mine);
    if (after.still) after = await playStills(mine, after.notes);
  } catch {
    if (!mine.ending.signal.aborted) after = { notes: [words.wordsCut] };
  }
  mine.ending.abort();
  await keepLast(mine);
  if (live === mine) live = null;
  delete tile.dataset.plays;
  setButtons(tile, false);
  setNotes(tile, after.notes);
  if (after.denied) setKind(tile, "denied", words.wordsDenied);
  else if (tile.dataset.cameAt) age(tile, true);
  else setKind(tile, after.notes.length ? "failed" : "empty", after.notes.length ? words.wordsFailed : words.wordsStopped);
}
async function play(mine) {
  const cannot = { still: true, notes: [words.wordsNoLive] };
  if (!canPlay('video/mp4; codecs="avc1.42e01e"')) return cannot;
  const { camera, delivery } = mine.tile.dataset;
  const answer = await post("/pictures/live", { camera, delivery }, mine.ending.signal);
  const type = answer.headers.get("Content-Type") ?? "";
  if (!answer.ok) {
    const refused = type.includes("json") ? await answer.json() : { notes: [words.wordsFailed] };
    const still = STILL_INSTEAD.includes(refused.code);
    // Why a centre gives nothing back stands beside each still picture.
    const notes = still && refused.code !== "live_codec" ? [] : refused.notes;
    return { still, notes, denied: refused.kind === "denied" };
  }
  if (!canPlay(type)) return cannot;
  const player = mine.player = new Player(mine.tile.querySelector("video"));
  await player.play(answer.body, type, () => reveal(mine));
  return { notes: [words.wordsOver] };
}
async function playStills(mine, notes) {
  for await (const found of readPictures([mine.tile], mine.ending.signal)) show(mine.tile, found, notes);
  return { notes: [words.wordsOver] };
}
function reveal({ tile, player }) {
  tile.querySelector("img").hidden = true;
  player.video.hidden = false;
  tile.dataset.of = "centre";
  ageLive();
}
function ageLive() {
  if (!live?.player?.shows) return;
  const seconds = live.player.silentS, label = words.wordsOfCentre;
  if (seconds <= SILENT_S) setKind(live.tile, "live", words.wordsLive);
  else setKind(live.tile, "older", `${label} · ${say(words.wordsOlder, seconds)}`);
}
// The last picture stays, marked as old: never a black tile.
async function keepLast({ tile, player }) {
  if (player?.shows) {
    const ageS = player.silentS, blob = await player.takePicture();
    if (blob) showPicture(tile, blob, { of: "centre", label: words.wordsOfCentre, ageS });
  }
  player?.end();
  const image = tile.querySelector("img");
  image.hidden = !image.src;
}
function setButtons(tile, plays) {
  const has = document.activeElement && tile.contains(document.activeElement);
  for (const each of tile.querySelectorAll("[data-view], [data-watch]")) each.hidden = plays;
  const end = tile.querySelector("[data-watch-stop]");
  end.hidden = !plays;
  // The button that was pressed goes: the keyboard goes on with the one in its place.
  if (has) (plays ? end : tile.querySelector("[data-watch]")).focus();
}
function stop() {
  live?.ending.abort();
}

if (section) {
  for (const button of section.querySelectorAll("[data-view]")) {
    const tile = button.closest("[data-picture]");
    button.hidden = false;
    button.addEventListener("click", () => view(tile));
  }
  for (const button of section.querySelectorAll("[data-watch]")) {
    const tile = button.closest("[data-picture]");
    button.hidden = false;
    button.addEventListener("click", () => watch(tile));
    tile.querySelector("[data-watch-stop]").addEventListener("click", stop);
  }
  addEventListener("pagehide", stop);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
  });
  setInterval(ageLive, 1000);
}
