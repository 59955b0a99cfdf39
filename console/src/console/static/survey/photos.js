// A photo becomes a JPEG of a bounded size, drawn anew: nothing of what the phone writes into it (place, device) stays.
import * as store from "./store.js";

const STEPS = [[1600, 0.8], [1600, 0.6], [1280, 0.6], [1024, 0.6], [800, 0.5]];
const MOST_BYTES = 700 * 1024, LARGEST_FILE = 60 * 1024 * 1024;
export const MOST_PHOTOS = 60;

async function reduce(file) {
  if (file.size > LARGEST_FILE) throw new Error("too large");
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    let blob = null;
    for (const [side, quality] of STEPS) {
      const scale = Math.min(1, side / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (blob === null) throw new Error("no picture");
      if (blob.size <= MOST_BYTES) break;
    }
    return blob;
  } finally {
    picture.close();
  }
}
async function digest(bytes) {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...found].map((each) => each.toString(16).padStart(2, "0")).join("");
}

// Returns the word of what went wrong, "" when the photo is kept.
export async function addPhoto(entry, file) {
  const there = await store.photosOf(entry.id);
  if (there.length >= MOST_PHOTOS) return "photo_many";
  let bytes;
  try {
    bytes = await (await reduce(file)).arrayBuffer();
  } catch {
    return "photo_broken";
  }
  const sha256 = await digest(bytes);
  if (there.some((each) => each.sha256 === sha256) || Object.values(entry.typed).some((each) => each.includes(sha256))) return "photo_twice";
  const number = Math.max(0, ...there.map((each) => each.number)) + 1;
  const photo = { id: crypto.randomUUID(), entry: entry.id, sha256, type: "image/jpeg", name: `anh-${number}.jpg`, number, caption: "", bytes };
  try {
    await store.write("photos", photo);
  } catch {
    // The text has rows of its own, and stays.
    return "photo_full";
  }
  return "";
}
// How the photos are declared, behind those that were handed in before: as the form's inputs would have it.
export function declare(typed, photos, position) {
  const rows = Object.keys(typed).map((name) => /^attachments\.(\d+)\./.exec(name)).filter(Boolean);
  let row = Math.max(-1, ...rows.map((each) => Number(each[1]))) + 1;
  for (const each of [...photos].sort((one, other) => one.number - other.number)) {
    const caption = [each.caption, position].filter(Boolean).join(" · ");
    const fields = { sha256: each.sha256, name: each.name, kind: "photo", media_type: each.type, size_bytes: String(each.bytes.byteLength), caption };
    for (const [name, value] of Object.entries(fields)) typed[`attachments.${row}.${name}`] = [value];
    row += 1;
  }
}
// Takes out again what `declare` put in: the photos of this phone, not those that the server has.
export function undeclare(typed, photos) {
  const mine = new Set(photos.map((each) => each.sha256));
  for (const [name, [value]] of Object.entries(typed)) {
    const found = /^(attachments\.\d+\.)sha256$/.exec(name);
    if (found && mine.has(value)) for (const other of Object.keys(typed)) if (other.startsWith(found[1])) delete typed[other];
  }
}
