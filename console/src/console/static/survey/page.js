// The page: what is on this phone, one form at a time, and sending as soon as there is a network.
import { Form, element } from "./form.js";
import { addPhoto, declare, undeclare } from "./photos.js";
import { findPosition } from "./position.js";
import { sendAll } from "./queue.js";
import * as store from "./store.js";

const { language, scope } = document.body.dataset, words = JSON.parse(document.body.dataset.words);
const AGAIN_MS = 15000, SENT_KEPT_MS = 7 * 24 * 3600 * 1000, SHEETS_WITHIN_MS = 30000;
const $ = (id) => document.getElementById(id);
const say = (word, values = {}) => words[word].replace(/\{(\w+)\}/g, (_, name) => values[name]);
function clock(at) {
  const wanted = { hour: "2-digit", minute: "2-digit", day: "2-digit", month: "2-digit", hourCycle: "h23", timeZone: "Asia/Ho_Chi_Minh" };
  const part = Object.fromEntries(new Intl.DateTimeFormat("en", wanted).formatToParts(at).map((each) => [each.type, each.value]));
  return `${part.hour}:${part.minute} ${part.day}/${part.month}`;
}
let owner = null, opened = null, form = null, why = "", ready = false, photosHere = [];

function show(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}
async function draw() {
  const entries = await store.list("entries"), mine = entries.filter((each) => each.owner === owner);
  const waiting = mine.filter((each) => each.state === "waiting").length;
  $("queue").classList.toggle("waits", waiting > 0);
  show("queue", waiting ? say("waits", { n: waiting }) : say("nothing_waits"));
  show("state", navigator.onLine && why !== "offline" ? { sending: words.sending, away: words.away, sign_in: words.sign_in, other: words.sign_in, not_yours: words.not_yours }[why] ?? "" : words.offline);
  $("send-now").hidden = waiting === 0 || ["sign_in", "other"].includes(why);
  $("sign-in").hidden = !["sign_in", "other"].includes(why);
  const others = entries.filter((each) => each.owner !== owner && each.state !== "sent").length;
  $("of-others").hidden = others === 0;
  show("of-others", say("of_others", { n: others }));
  const sheets = owner === null ? [] : await store.list("sheets");
  $("overview").hidden = owner === null || opened !== null;
  mine.sort((one, other) => (other.changed_at ?? other.sent_at) - (one.changed_at ?? one.sent_at));
  $("entries").replaceChildren(...mine.map(drawEntry));
  $("mine").hidden = mine.length === 0;
  const begun = new Set(mine.filter((each) => each.state !== "sent").map((each) => each.survey));
  $("sheets").replaceChildren(...sheets.filter((each) => !begun.has(each.id)).map(drawSheet));
  show("ready", ready ? say("ready", { n: sheets.length }) : words.not_ready);
}
function line(title, about, ...buttons) {
  return element("li", {}, element("b", {}, title), element("p", {}, about), element("p", { className: "call" }, ...buttons));
}
function button(word, act, label) {
  const made = element("button", { type: "button" }, words[word]);
  made.setAttribute("aria-label", `${words[word]}: ${label}`);
  made.addEventListener("click", act);
  return made;
}
const titleOf = (each) => (each.facility ? `${each.code} · ${each.facility}` : each.code);
function drawEntry(entry) {
  const state = entry.state === "waiting" && entry.attempted ? "attempted" : entry.state;
  const about = say(state, { time: clock(entry.sent_at ?? 0) }) + (entry.left ? `, ${say("photos_left", { n: entry.left })}` : "") + (entry.lacks ? `, ${say("photos_lacking", { n: entry.lacks })}` : "");
  const buttons = [];
  // Whether what was attempted has arrived is known with the next answer; until then it is not changed.
  if (["draft", "refused", "waiting"].includes(state)) buttons.push(button(state === "draft" ? "go_on" : "open", () => openEntry(entry.id), entry.code));
  if (["draft", "refused"].includes(state)) buttons.push(button("delete", () => deleteEntry(entry.id), entry.code));
  return line(titleOf(entry), about, ...buttons);
}
function drawSheet(sheet) {
  return line(titleOf(sheet), "", button("fill_in", () => begin(sheet.id), sheet.code));
}
async function begin(id) {
  const there = (await store.list("entries")).find((each) => each.survey === id && each.owner === owner && each.state !== "sent");
  if (there) return openEntry(there.id);
  const sheet = await store.read("sheets", id);
  if (!sheet) return;
  const { code, facility, restricted, typed, photos } = sheet;
  const entry = { id: crypto.randomUUID(), submission: crypto.randomUUID(), owner, survey: id, code, facility, restricted, typed: { ...typed }, before: photos, state: "draft", changed_at: Date.now() };
  await store.write("entries", entry);
  navigator.storage?.persist?.();
  await openEntry(entry.id);
}
async function deleteEntry(id) {
  if (!confirm(words.delete_sure)) return;
  const found = await store.read("entries", id);
  if (found && ["draft", "refused"].includes(found.state)) await store.removeEntry(id);
  await draw();
}

async function openEntry(id) {
  const photos = await store.photosOf(id);
  const entry = await store.change("entries", id, (found) => {
    if (found.state === "draft") return;
    if (found.state === "sent" || found.attempted) return false;
    // What was refused, or never left, is another submission from here on.
    Object.assign(found, { state: "draft", submission: crypto.randomUUID(), left: 0 });
    undeclare(found.typed, photos);
  });
  if (entry === null) return draw();
  const form_ = await store.read("kept", "form");
  opened = entry;
  photosHere = photos;
  form = new Form({
    fields: form_.fields[language], options: form_.options, words, save, reshape, redraw: () => form.draw($("fields"), opened),
    photos: () => [...photosHere.map((each) => [each.sha256, photoName(each)]), ...opened.before.map((each) => [each.sha256, each.name])],
  });
  $("fields").replaceChildren();
  form.draw($("fields"), opened);
  drawPhotos();
  drawPosition();
  drawSummary();
  show("entry-title", titleOf(entry));
  show("saved", say("saved", { time: clock(entry.changed_at) }));
  $("entry").hidden = false;
  $("overview").hidden = true;
  (entry.at || entry.general ? $("summary") : $("entry-title")).scrollIntoView();
  $("entry-title").focus();
}
function close() {
  opened = form = null;
  $("entry").hidden = true;
  return draw();
}
// Changes one draft; says so where it cannot be kept, or is no draft any more.
async function changeDraft(work) {
  const id = opened.id;
  let found;
  try {
    found = await store.change("entries", id, (entry) => {
      if (entry.state !== "draft") return false;
      work(entry);
      entry.changed_at = Date.now();
    });
  } catch {
    show("saved", words.not_saved);
    return null;
  }
  if (opened?.id !== id) return null;
  if (found === null) {
    await close();
    show("state", words.elsewhere);
    return null;
  }
  // What is typed here stays as it is typed here: later keystrokes are perhaps still on their way to the disk.
  const { typed: _, ...rest } = found;
  Object.assign(opened, rest);
  show("saved", say("saved", { time: clock(found.changed_at) }));
  return found;
}
async function save(name, values) {
  opened.typed[name] = values;
  await changeDraft((entry) => { entry.typed[name] = values; });
}
async function reshape(work) {
  if (!await changeDraft((entry) => { entry.typed = work(entry.typed); })) return;
  opened.typed = work(opened.typed);
  form.draw($("fields"), opened);
}

function drawSummary() {
  const general = opened.general ?? [], at = Object.entries(opened.at ?? {});
  $("summary").hidden = general.length + at.length === 0;
  const link = ([name, text]) => {
    if (!document.getElementById(`at-${name}`)) return element("li", {}, text);
    const made = element("a", { href: `#at-${name}` }, text);
    made.addEventListener("click", (event) => { event.preventDefault(); goTo(name); });
    return element("li", {}, made);
  };
  $("summary").querySelector("ul").replaceChildren(...general.map((text) => element("li", {}, text)), ...at.map(link));
}
function goTo(name) {
  const input = document.getElementById(`at-${name}`);
  for (let each = input.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
  input.focus();
}
const photoName = (each) => say("photo", { n: each.number }) + (each.caption ? `: ${each.caption}` : "");
function drawPhotos() {
  for (const image of $("photos").querySelectorAll("img")) URL.revokeObjectURL(image.src);
  const before = opened.before.map((each) => element("li", {}, say("photo_before", { name: each.name })));
  const here = photosHere.map((each) => {
    const id = `caption-${each.number}`, caption = element("input", { id, value: each.caption, maxLength: 200 });
    caption.addEventListener("input", async () => {
      each.caption = caption.value;
      await store.change("photos", each.id, (found) => { found.caption = caption.value; });
    });
    const away = element("button", { type: "button" }, say("remove_photo", { n: each.number }));
    away.addEventListener("click", async () => {
      await store.remove("photos", each.id);
      await takePhotos();
    });
    const image = element("img", { src: URL.createObjectURL(new Blob([each.bytes], { type: each.type })), alt: photoName(each) });
    return element("li", {}, image, element("label", { htmlFor: id }, say("caption", { n: each.number })), caption, away);
  });
  $("photos").replaceChildren(...before, ...here);
}
function drawPosition() {
  // Of a restricted site nobody shall learn where it is.
  $("position").hidden = opened.restricted;
  $("position-away").hidden = !opened.position;
  show("position-found", opened.position ?? "");
}
async function locate() {
  show("position-found", words.position_asked);
  const position = await findPosition().catch(() => null);
  if (opened && position) await changeDraft((entry) => { entry.position = position; });
  if (!opened) return;
  drawPosition();
  if (!position) show("position-found", words.position_failed);
}
async function takePhotos() {
  photosHere = (await store.photosOf(opened.id)).sort((one, other) => one.number - other.number);
  drawPhotos();
  form.draw($("fields"), opened);
}

async function submit(event) {
  event.preventDefault();
  const missing = form.missing();
  const at = Object.fromEntries(missing.map((name) => [name, words.needed_here]));
  const photos = await store.photosOf(opened.id);
  const entry = await changeDraft((found) => {
    Object.assign(found, { at, general: [] });
    if (missing.length > 0) return;
    Object.assign(found, { state: "waiting", queued_at: Date.now(), attempted: false });
    declare(found.typed, photos, found.position);
  });
  if (entry === null) return;
  if (missing.length === 0) {
    await close();
    await send();
    return;
  }
  form.draw($("fields"), opened);
  drawSummary();
  $("summary").scrollIntoView();
  goTo(missing[0]);
}

let sending = false, once_more = false;
async function send() {
  if (owner === null) return;
  if (sending) { once_more = true; return; }
  sending = true;
  let sent = false;
  do {
    once_more = false;
    why = await sendAll(owner, language, (word) => { if (word === "sending") { why = word; sent = true; } draw(); }).catch(() => "away");
  } while (once_more);
  sending = false;
  // What was sent waits for its findings no more.
  if (why === "other" || (why === "" && sent)) await load();
  await draw();
}
async function load() {
  let answer, found = null;
  try {
    answer = await fetch("/survey/sheets", { redirect: "error", signal: AbortSignal.timeout(SHEETS_WITHIN_MS) });
    found = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : null;
  } catch {
    why = navigator.onLine ? "away" : "offline";
    return;
  }
  if (answer.status === 401) why = "sign_in";
  else if (found?.not_yours) why = "not_yours";
  else if (!answer.ok || found === null) why = "away";
  else {
    const { fields, options } = found;
    // Of whoever was here before nothing stays that the server gave.
    await store.replaceSheets(found.sheets, [{ id: "me", owner: found.owner }, { id: "form", fields, options }]);
    owner = found.owner;
    why = "";
  }
}
async function dropOld() {
  const old = (await store.list("entries")).filter((each) => each.state === "sent" && each.sent_at < Date.now() - SENT_KEPT_MS);
  for (const each of old) await store.removeEntry(each.id);
}
async function keepPage() {
  if (!navigator.serviceWorker) return;
  const policy = window.trustedTypes?.createPolicy("survey", { createScriptURL: (address) => address }) ?? { createScriptURL: (address) => address };
  await navigator.serviceWorker.register(policy.createScriptURL(`${scope}worker.js`), { scope });
  await navigator.serviceWorker.ready;
  ready = true;
  await draw();
}
async function meet() {
  if (!navigator.onLine) { why = "offline"; await draw(); return; }
  // What waits goes first: the network may be gone again in a moment.
  await send();
  await load();
  await draw();
  await send();
}
async function heed() {
  if (opened) {
    const now = await store.read("entries", opened.id);
    if (now?.state !== "draft") {
      await close();
      show("state", words.elsewhere);
      return;
    }
    Object.assign(opened, now);
    const photos = await store.photosOf(now.id);
    if (photos.length !== photosHere.length) await takePhotos();
    form.take($("fields"), opened);
  }
  await draw();
}

$("form").addEventListener("submit", submit);
$("back").addEventListener("click", close);
$("send-now").addEventListener("click", meet);
$("camera").addEventListener("change", async () => {
  for (const file of $("camera").files) {
    const wrong = await addPhoto(opened, file);
    show("photo-wrong", wrong ? words[wrong] : "");
  }
  $("camera").value = "";
  await takePhotos();
});
$("position-ask").addEventListener("click", locate);
$("position-away").addEventListener("click", async () => {
  await changeDraft((entry) => { entry.position = null; });
  if (opened) drawPosition();
});
addEventListener("online", meet);
addEventListener("offline", () => { why = "offline"; draw(); });
store.onChange(heed);
owner = (await store.read("kept", "me"))?.owner ?? null;
await dropOld();
await draw();
keepPage().catch(() => {});
await meet();
if (location.hash.length > 1 && !opened) await begin(location.hash.slice(1));
setInterval(async () => {
  const waits = (await store.list("entries")).some((each) => each.state === "waiting" && each.owner === owner);
  if (waits && !sending) await send();
}, AGAIN_MS);
