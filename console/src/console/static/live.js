// Three ages by the browser's own clock, and the page's own parts loaded again when something has changed.
"use strict";
(() => {
  const body = document.body;
  if (!body.hasAttribute("data-live")) return;
  const STALE_S = 10, RELOAD_LEAST_MS = 1000, CALM_RELOAD_MS = 15000, AGAIN_MS = 2000, ANNOUNCE_MS = 10000, ROTATE_MS = 8000;
  // What a link that lives is silent for at most: two beats of the stream; a beat and what reporting takes to account.
  const BROWSER_ALIVE_S = 4, REPORTING_ALIVE_S = 6;
  const words = body.dataset;
  // Of links that a cut hides from the next one: what each said last, and when by our clock.
  const clock = () => performance.now() / 1000;
  let heardAt = clock();
  let said = read(body.dataset);
  // Since when no page with reporting's figures could be loaded: what is shown is older than what the stream says.
  let keptSince = null;
  let loading = false, wanted = false, loadedAt = 0, announced = "", announcedAt = 0, reloadTimer = 0;

  function read(data) {
    const number = (text) => (text === "" || text === undefined || text === null ? null : Number(text));
    return { reporting: number(data.reporting), workers: number(data.workers), fact: number(data.fact), proof: number(data.proof) };
  }
  function write(seconds, name) {
    // No fact at all is not known; no proof yet is known.
    if (seconds === null) return name === "proof" ? words.wordsNone : words.wordsUnknown;
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return words.wordsSecond.replace("{n}", whole);
    if (whole < 3600) return words.wordsMinute.replace("{n}", Math.floor(whole / 60));
    return words.wordsHour.replace("{n}", Math.floor(whole / 3600));
  }
  function freshest(given, known) {
    // What a page does not say is as old as what the stream said before.
    const or = (name) => given[name] ?? known[name];
    return { reporting: or("reporting"), workers: or("workers"), fact: or("fact"), proof: or("proof") };
  }
  function setText(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }
  function ages() {
    const passed = clock() - heardAt;
    const grown = (age) => (age === null ? null : age + passed);
    const kept = keptSince === null ? 0 : clock() - keptSince;
    const reporting = said.reporting === null ? null : Math.max(said.reporting + passed, kept);
    return { browser: passed, reporting, workers: grown(said.workers), fact: grown(said.fact), proof: grown(said.proof) };
  }
  function cut(now) {
    const old = (age) => age !== null && age > STALE_S;
    if (!old(now.browser) && now.reporting !== null && !old(now.reporting) && !old(now.workers)) return null;
    // A cut makes all that lies behind it old, and of that nothing is known: the nearest silent link is named.
    if (now.browser > BROWSER_ALIVE_S) return "browser";
    if (said.reporting === null || said.reporting > REPORTING_ALIVE_S || keptSince !== null) return "reporting";
    return "workers";
  }
  function mark(stale) {
    body.classList.toggle("is-stale", stale);
    for (const figure of document.querySelectorAll("[data-figure]")) {
      const last = figure.lastElementChild;
      const marked = last !== null && last.classList.contains("old");
      if (stale && !marked) {
        const note = document.createElement("small");
        note.className = "old";
        note.textContent = words.wordsOld;
        figure.append(" ", note);
      } else if (!stale && marked) {
        last.remove();
      }
    }
  }
  function show() {
    const now = ages();
    for (const name of Object.keys(now)) setText(document.querySelector(`[data-age="${name}"]`), write(now[name], name));
    const link = cut(now);
    const oldest = Math.max(now.browser, now.reporting ?? 0);
    const sentence = link === null
      ? words.wordsFresh.replace("{age}", write(oldest))
      : now[link] === null ? words.wordsSilent.replace("{link}", words["words" + link[0].toUpperCase() + link.slice(1)])
      : words.wordsStale.replace("{link}", words["words" + link[0].toUpperCase() + link.slice(1)]).replace("{age}", write(now[link]));
    setText(document.getElementById("age-words"), sentence);
    const time = document.querySelector("#age time");
    if (time) setText(time, new Intl.DateTimeFormat("vi", { hour: "2-digit", minute: "2-digit", timeZone: "Asia/Ho_Chi_Minh" }).format(new Date()));
    mark(link !== null);
    const state = link ?? "";
    if (state !== announced && Date.now() - announcedAt > ANNOUNCE_MS) {
      announced = state;
      announcedAt = Date.now();
      setText(document.getElementById("age-announced"), sentence);
    }
  }

  const policy = window.trustedTypes ? trustedTypes.createPolicy("console", { createHTML: (text) => text }) : { createHTML: (text) => text };
  function busy() {
    // Never inside a form, an open list or a selection.
    const active = document.activeElement;
    const selection = window.getSelection();
    return (active !== null && active.closest("form") !== null) || (selection !== null && !selection.isCollapsed);
  }
  async function reload() {
    if (loading) { wanted = true; return; }
    if (busy()) { later(AGAIN_MS); return; }
    const least = body.classList.contains("calm") ? CALM_RELOAD_MS : RELOAD_LEAST_MS;
    const rest = loadedAt + least - Date.now();
    if (rest > 0) { later(rest); return; }
    loading = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
      // Nobody is signed in here any more, or this wall screen was ended: nothing stays to be seen.
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      const text = await answer.text();
      if (!text.includes("data-live")) throw new Error("no page of ours");
      const fresh = new DOMParser().parseFromString(policy.createHTML(text), "text/html");
      if (lacksFigures(fresh)) {
        // The last values stay, and grow old.
        keptSince ??= clock();
        later(AGAIN_MS);
        return;
      }
      keptSince = null;
      take(fresh);
    } catch {
      later(AGAIN_MS);
    } finally {
      loading = false;
      loadedAt = Date.now();
      if (wanted) { wanted = false; later(RELOAD_LEAST_MS); }
    }
  }
  function lacksFigures(fresh) {
    const figures = "#live [data-figure]";
    return read(fresh.body.dataset).reporting === null && !fresh.querySelector(figures) && document.querySelector(figures) !== null;
  }
  function later(ms) {
    clearTimeout(reloadTimer);
    reloadTimer = setTimeout(reload, ms);
  }
  function take(fresh) {
    const mine = document.getElementById("live"), theirs = fresh.getElementById("live");
    if (!mine || !theirs) return;
    const open = new Set([...mine.querySelectorAll("details[open]")].map((each) => each.closest("[id]").id));
    Idiomorph.morph(mine, theirs, {
      morphStyle: "outerHTML",
      callbacks: { beforeNodeMorphed: (node) => !(node.nodeType === 1 && node.tagName === "FORM") },
    });
    for (const each of document.querySelectorAll("#live details")) if (open.has(each.closest("[id]").id)) each.open = true;
    body.dataset.version = fresh.body.dataset.version;
    said = freshest(read(fresh.body.dataset), ages());
    heardAt = clock();
    rotate();
    show();
  }

  let source = null;
  function listen() {
    const query = new URLSearchParams();
    const given = new URLSearchParams(location.search);
    for (const name of ["unit", "agency", "type", "facility"]) if (given.get(name)) query.set(name, given.get(name));
    if (body.dataset.version) query.set("version", body.dataset.version);
    source = new EventSource("/live?" + query);
    source.addEventListener("ages", (message) => {
      said = read(JSON.parse(message.data));
      heardAt = clock();
      show();
    });
    source.addEventListener("changed", reload);
    source.addEventListener("error", () => {
      // A stream that was refused is not tried again by itself.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(listen, AGAIN_MS);
      if (Date.now() - loadedAt > CALM_RELOAD_MS) reload();
    });
  }

  // The wall shows three calls at a time, the others in turn; it loads itself anew at 04:00.
  let first = 0;
  function rotate() {
    const list = document.querySelector("[data-rotate]");
    if (!list) return;
    const rows = [...list.children], count = Number(list.dataset.rotate);
    list.classList.toggle("rotates", rows.length > count);
    if (first >= rows.length) first = 0;
    rows.forEach((row, index) => row.classList.toggle("shown", index >= first && index < first + count));
  }
  function turn() {
    const list = document.querySelector("[data-rotate]");
    if (!list) return;
    first += Number(list.dataset.rotate);
    rotate();
  }
  if (body.classList.contains("wall")) {
    rotate();
    setInterval(turn, ROTATE_MS);
    const began = Date.now();
    setInterval(() => {
      const hour = Number(new Intl.DateTimeFormat("en", { hour: "numeric", hourCycle: "h23", timeZone: "Asia/Ho_Chi_Minh" }).format(new Date()));
      if (hour === 4 && Date.now() - began > 2 * 3600 * 1000) location.reload();
    }, 60000);
    // A wall that could not be loaded whole tries again by itself.
    setInterval(() => { if (document.querySelector(".trouble, .missing")) reload(); }, 5000);
  } else {
    setInterval(() => { if (document.querySelector(".trouble, .missing")) reload(); }, 5000);
  }
  show();
  setInterval(show, 1000);
  listen();
})();
