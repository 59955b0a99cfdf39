// Pictures on request: a tile says in words which of five kinds it is, whose picture it has, and how old that is.
"use strict";
(() => {
  const section = document.querySelector("[data-pictures]");
  if (!section) return;
  const OLD_S = 30, VIEW_WITHIN_MS = 40000;
  const KINDS = ["empty", "waiting", "now", "older", "denied", "failed"];
  const words = section.dataset;

  function write(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return words.wordsSecond.replace("{n}", whole);
    if (whole < 3600) return words.wordsMinute.replace("{n}", Math.floor(whole / 60));
    return words.wordsHour.replace("{n}", Math.floor(whole / 3600));
  }
  function setKind(tile, kind, text) {
    for (const each of KINDS) tile.classList.toggle("is-" + each, each === kind);
    const line = tile.querySelector(".kind");
    if (line.textContent !== text) line.textContent = text;
  }
  function setNotes(tile, notes) {
    const list = tile.querySelector(".notes");
    list.replaceChildren(...notes.filter(Boolean).map((text) => {
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
  function showPicture(tile, found) {
    const image = tile.querySelector("img"), before = image.src;
    image.src = URL.createObjectURL(toBlob(found.jpeg));
    if (before) URL.revokeObjectURL(before);
    image.alt = found.label;
    image.hidden = false;
    tile.dataset.of = found.of;
    // How old it was when it came, by the server's clock; from then on by ours.
    tile.dataset.age = found.age_s;
    tile.dataset.cameAt = performance.now();
    tile.dataset.label = found.label;
  }
  function show(tile, found) {
    setNotes(tile, found.notes);
    if (found.jpeg) {
      showPicture(tile, found);
      age(tile);
    } else if (tile.dataset.cameAt) {
      // The picture before stays, marked as what it is.
      age(tile, true);
    } else {
      setKind(tile, found.kind, found.kind === "denied" ? words.wordsDenied : words.wordsFailed);
    }
  }
  function age(tile, failed = false) {
    const seconds = Number(tile.dataset.age) + (performance.now() - Number(tile.dataset.cameAt)) / 1000;
    const older = failed || seconds > OLD_S;
    const text = (older ? words.wordsOlder : words.wordsSeen).replace("{age}", write(seconds));
    setKind(tile, older ? "older" : "now", `${tile.dataset.label} · ${text}`);
  }
  async function view(tile) {
    const button = tile.querySelector("button");
    button.disabled = true;
    setKind(tile, "waiting", words.wordsWaiting);
    const body = { camera: tile.dataset.camera };
    if (tile.dataset.delivery) body.delivery = tile.dataset.delivery;
    let found = { kind: "failed", notes: [], jpeg: null };
    try {
      const answer = await fetch("/pictures", {
        method: "POST", redirect: "error", headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body), signal: AbortSignal.timeout(VIEW_WITHIN_MS),
      });
      if (answer.ok) found = await answer.json();
    } catch {
      // Said by the tile: failed.
    }
    show(tile, found);
    button.disabled = false;
  }
  for (const tile of section.querySelectorAll("[data-picture]")) {
    const button = tile.querySelector("button");
    if (!button) continue;
    button.hidden = false;
    button.addEventListener("click", () => view(tile));
  }

  // Many at once: one stream for all tiles, which the server ends after a quarter of an hour.
  const start = section.querySelector("[data-start]"), stop = section.querySelector("[data-stop]");
  let ending = null;
  function tileOf(found) {
    const delivery = found.delivery ? `[data-delivery="${CSS.escape(found.delivery)}"]` : ":not([data-delivery])";
    return section.querySelector(`[data-picture][data-camera="${CSS.escape(found.camera)}"]${delivery}`);
  }
  function take(line) {
    const found = JSON.parse(line);
    const tile = found.camera ? tileOf(found) : null;
    if (tile) show(tile, found);
    else say(found.notes.join(" "));
  }
  function say(text) {
    section.querySelector("[data-said]").textContent = text;
  }
  async function read(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      lines.filter(Boolean).forEach(take);
    }
  }
  async function viewAll() {
    ending = new AbortController();
    start.hidden = true;
    stop.hidden = false;
    say("");
    const tiles = [...section.querySelectorAll("[data-picture]")];
    for (const tile of tiles) if (!tile.dataset.cameAt) setKind(tile, "waiting", words.wordsWaiting);
    const wanted = tiles.map((tile) => ({ camera: tile.dataset.camera, delivery: tile.dataset.delivery ?? null }));
    try {
      const answer = await fetch("/pictures/stream", {
        method: "POST", redirect: "error", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ tiles: wanted }), signal: ending.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      await read(answer);
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
  setInterval(() => {
    for (const tile of section.querySelectorAll(".is-now, .is-older")) age(tile, tile.classList.contains("is-older"));
  }, 1000);
})();
