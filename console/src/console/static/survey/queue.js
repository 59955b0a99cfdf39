// Sends what waits: findings under the id that this phone gave them, then the photos that the answer calls missing. Each may
// be sent any number of times, since the server takes it once; nothing counts as sent before its answer is here.
import * as store from "./store.js";

const FINDINGS_WITHIN_MS = 40000, PHOTO_WITHIN_MS = 120000;
const LOCK = "vonggac-survey-queue";

class Later extends Error {}
// Why nothing more is sent now: "offline", "away", "sign_in" or "other".
const later = (why) => Object.assign(new Later(why), { why });

async function put(path, body, type, within) {
  let answer, found;
  try {
    answer = await fetch(path, {
      method: "PUT", body, redirect: "error", headers: { "Content-Type": type }, signal: AbortSignal.timeout(within),
    });
    // The answer may be cut as well: then it is no answer.
    found = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : null;
  } catch {
    throw later(navigator.onLine ? "away" : "offline");
  }
  if (answer.status === 401) throw later("sign_in");
  if (found?.other_person) throw later("other");
  if (answer.ok && Array.isArray(found?.missing)) return { missing: found.missing };
  if (found === null || answer.status >= 500 || answer.ok) throw later("away");
  return { at: found.at ?? {}, general: found.general ?? [String(answer.status)] };
}
async function refuse(entry, answer) {
  await store.change("entries", entry.id, (now) => {
    Object.assign(now, { state: "refused", at: answer.at, general: answer.general, attempted: false });
  });
}
async function sendOne(entry, language) {
  // On record before the first byte leaves: from here on an edit would be another submission.
  const now = await store.change("entries", entry.id, (found) => {
    if (found.state !== "waiting") return false;
    found.attempted = true;
  });
  if (now === null) return;
  const findings = JSON.stringify({ owner: now.owner, language, typed: now.typed });
  let answer = await put(`/survey/submissions/${now.survey}/${now.submission}`, findings, "application/json", FINDINGS_WITHIN_MS);
  if (!answer.missing) return refuse(now, answer);
  const photos = await store.photosOf(now.id);
  while (answer.missing.length > 0) {
    const next = photos.find((each) => answer.missing.includes(each.sha256));
    // What is missing yet lies on the phone from which it was declared.
    if (next === undefined) break;
    await store.change("entries", now.id, (found) => { found.left = answer.missing.length; });
    const path = `/survey/photos/${now.survey}/${next.sha256}?owner=${now.owner}`;
    answer = await put(path, new Blob([next.bytes], { type: next.type }), next.type, PHOTO_WITHIN_MS);
    if (!answer.missing) return refuse(now, answer);
    photos.splice(photos.indexOf(next), 1);
  }
  const { id, owner, survey, code, facility } = now;
  await store.removeEntry(id, { id, owner, survey, code, facility, state: "sent", lacks: answer.missing.length, sent_at: Date.now(), typed: {} });
}

// Returns why it ended: "" when nothing waits any more, "busy" when another window is at it.
export async function sendAll(owner, language, report) {
  if (!navigator.onLine) return "offline";
  return navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock === null) return "busy";
    try {
      for (;;) {
        const waiting = (await store.list("entries")).filter((each) => each.state === "waiting" && each.owner === owner);
        if (waiting.length === 0) return "";
        report("sending");
        waiting.sort((one, other) => one.queued_at - other.queued_at);
        await sendOne(waiting[0], language);
        report("changed");
      }
    } catch (error) {
      if (error instanceof Later) return error.why;
      throw error;
    }
  });
}
