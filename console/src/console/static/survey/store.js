// The browser's database: what was taken along, entries (one row each), photos (one row each).
const NAME = "vonggac-survey", VERSION = 1;
const STORES = ["kept", "sheets", "entries", "photos"];
const windows = new BroadcastChannel(NAME);
let opened = null;

function settle(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const each of STORES) {
        const made = request.result.createObjectStore(each, { keyPath: "id" });
        if (each === "photos") made.createIndex("entry", "entry");
      }
    };
    request.onsuccess = () => {
      // A sign-out elsewhere deletes it: nobody holds it open.
      request.result.onversionchange = () => { request.result.close(); opened = null; };
      request.result.onclose = () => { opened = null; };
      resolve(request.result);
    };
    request.onerror = () => { opened = null; reject(request.error); };
  });
  return opened;
}
async function within(stores, mode, work) {
  const database = await open();
  // Strict: on the disk before it counts as saved, whatever the battery does next.
  const transaction = database.transaction(stores, mode, { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  let result;
  try {
    result = await work((name) => transaction.objectStore(name));
  } catch (error) {
    try { transaction.abort(); } catch { /* It has ended by itself. */ }
    await done.catch(() => {});
    throw error;
  }
  await done;
  if (mode === "readwrite") windows.postMessage("changed");
  return result;
}

export const read = (store, id) => within([store], "readonly", (of) => settle(of(store).get(id)));
export const list = (store) => within([store], "readonly", (of) => settle(of(store).getAll()));
export const write = (store, value) => within([store], "readwrite", (of) => settle(of(store).put(value)));
export const remove = (store, id) => within([store], "readwrite", (of) => settle(of(store).delete(id)));
export const photosOf = (entry) => within(["photos"], "readonly", (of) => settle(of("photos").index("entry").getAll(entry)));
export const onChange = (listener) => windows.addEventListener("message", listener);

// Reads, changes and writes in one transaction: of two windows neither loses what the other has typed.
export function change(store, id, work) {
  return within([store], "readwrite", async (of) => {
    const found = await settle(of(store).get(id));
    if (found === undefined || work(found) === false) return null;
    await settle(of(store).put(found));
    return found;
  });
}
// An entry whose photos go with it.
export function removeEntry(id, keep = null) {
  return within(["entries", "photos"], "readwrite", async (of) => {
    for (const key of await settle(of("photos").index("entry").getAllKeys(id))) of("photos").delete(key);
    if (keep) await settle(of("entries").put(keep));
    else await settle(of("entries").delete(id));
  });
}
export function replaceSheets(sheets, kept) {
  return within(["sheets", "kept"], "readwrite", async (of) => {
    of("sheets").clear();
    for (const each of sheets) of("sheets").put(each);
    for (const each of kept) of("kept").put(each);
    await settle(of("kept").count());
  });
}
