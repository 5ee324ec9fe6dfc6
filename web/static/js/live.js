// live.js follows /events: it keeps counters, title, favicon and clock true, fetches what changed, and says so when it cannot.
import { clockTime, paintTimes, serverNow, setServerNow, span } from "./clock.js";
import { refresh, startParts } from "./morph.js";
import { follow, retry } from "./stream.js";

const staleAfter = 10000; // without a message for so long the page is stale
const figuresEvery = 10000; // how often figures are fetched that no event announces

const state = { heard: 0, heardAt: 0, nextTry: 0, stale: false, missed: false, fetched: 0, counts: null, worst: "" };
let app;

// startLive connects and keeps connected until the page goes. A page without data-events has no live parts (a form, an error).
export function startLive(context) {
  app = context;
  const { events, last, now } = document.body.dataset;
  if (now) setServerNow(Number(now));
  paintTimes();
  if (!events) return;
  heard();
  state.fetched = performance.now();
  startParts(app);
  follow({ url: events, last: Number(last || 0), hear: (type, data) => (type === "tick" ? tick(data) : change(data)), down: (wait) => (state.nextTry = performance.now() + wait) });
  setInterval(second, 1000);
  document.querySelector("[data-retry]")?.addEventListener("click", retry);
  document.addEventListener("visibilitychange", back);
  addEventListener("vigia:refresh", () => refresh({ many: true }));
}

function heard(ms) {
  if (ms) setServerNow(ms);
  state.heard = performance.now();
  state.heardAt = serverNow();
  const clock = document.querySelector("[data-clock]");
  if (clock) clock.textContent = clockTime(state.heardAt, app);
}

function tick({ now }) {
  heard(now);
  if (state.stale) setStale(false);
  dispatchEvent(new CustomEvent("vigia:tick"));
  figures();
}

function change(data) {
  const wasStale = state.stale;
  heard(data.now);
  if (wasStale) setStale(false);
  paintCounts(data.counts, data.unowned);
  dispatchEvent(new CustomEvent("vigia:change", { detail: data }));
  if (data.many || data.incidents.length || wasStale) {
    state.fetched = performance.now();
    if (!document.hidden) refresh({ many: data.many || wasStale, incidents: data.incidents });
    else state.missed = true;
  }
}

function figures() {
  const now = performance.now();
  if (document.hidden || state.stale || now - state.fetched < figuresEvery - 500) return;
  state.fetched = now;
  refresh(null);
}

// back: the tab is looked at again.
function back() {
  if (document.hidden) return;
  second();
  state.fetched = performance.now();
  if (!state.stale) refresh(state.missed ? { many: true } : null);
  state.missed = false;
}

function second() {
  const now = performance.now();
  if (now - state.heard > staleAfter && !state.stale) setStale(true);
  if (state.stale) paintStale(now);
  else paintTimes();
}

// ---- stale ----

function setStale(stale) {
  state.stale = stale;
  document.body.classList.toggle("is-stale", stale);
  const banner = document.getElementById("stale");
  if (banner) {
    if (stale) paintStale(performance.now());
    banner.hidden = !stale;
  }
  dispatchEvent(new CustomEvent("vigia:stale", { detail: stale }));
}

// paintStale counts. aria-busy keeps a screen reader, which has read the sentence once, from reading it each second.
function paintStale(now) {
  const text = document.querySelector("#stale [data-stale]");
  if (!text) return;
  const wait = Math.max(0, Math.ceil((state.nextTry - now) / 1000));
  const since = clockTime(state.heardAt, app);
  text.textContent = app.say("stale", since, span(now - state.heard), `${wait} s`);
  const banner = document.getElementById("stale");
  setTimeout(() => banner.setAttribute("aria-busy", String(state.stale)), 500);
}

// ---- counters, title, favicon ----

function paintCounts(counts, unowned) {
  for (const el of document.querySelectorAll("[data-count]")) {
    const n = counts[el.dataset.count] ?? 0;
    const shown = el.querySelector("b");
    if (shown && shown.textContent !== String(n)) shown.textContent = n;
    el.classList.toggle("zero", n === 0);
    if (el.dataset.label) el.setAttribute("aria-label", `${el.dataset.label}: ${n}`);
  }
  const { title } = document.body.dataset;
  const wanted = (counts.unowned ? `(${counts.unowned}) ` : "") + title;
  if (title && document.title !== wanted) document.title = wanted;
  const worst = unowned[0]?.severity ?? "none";
  if (worst !== state.worst) paintIcon((state.worst = worst));
  const before = state.counts;
  if (before && counts.unowned > before.unowned && counts.critical > before.critical) announce(`${app.say("critical")}: ${counts.critical}`);
  state.counts = counts;
}

// paintIcon draws the worst shape that nobody has; our mark when there is none.
function paintIcon(worst) {
  const symbol = document.getElementById(worst === "none" ? "mark" : `s-${worst}`);
  const link = document.getElementById("favicon");
  if (!symbol || !link) return;
  const probe = document.createElement("i");
  probe.style.color = worst === "none" ? "var(--ink-3)" : `var(--${worst})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  const paint = worst === "none" ? `fill="none" stroke="${colour}" stroke-width="1.75"` : `fill="${colour}"`;
  link.type = "image/svg+xml";
  link.href = "data:image/svg+xml," + encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" ${paint}>${symbol.innerHTML}</svg>`);
}

// announce says something once to who listens instead of looking.
function announce(text) {
  let box = document.getElementById("announce");
  if (!box) {
    box = Object.assign(document.createElement("div"), { id: "announce", className: "vh" });
    box.setAttribute("role", "alert");
    document.body.append(box);
  }
  box.textContent = text;
}
