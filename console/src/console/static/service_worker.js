// Keeps the survey page and its files, which say nothing about anybody. Above: VERSION and KEPT, by the server.
"use strict";
const kept = new Set(KEPT);
self.addEventListener("install", (event) => {
  // Without cookies: what is kept is what everybody gets.
  const wanted = KEPT.map((path) => new Request(path, { cache: "reload", credentials: "omit" }));
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(wanted)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  const drop = (names) => Promise.all(names.filter((name) => name !== VERSION).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(drop).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== self.location.origin || !kept.has(address.pathname)) return;
  const find = () => caches.open(VERSION).then((cache) => cache.match(address.pathname));
  event.respondWith(find().then((found) => found ?? fetch(event.request)));
});
