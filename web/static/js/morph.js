// morph.js brings the page's live parts up to date without moving anything under the hand (ui.md §6).
//
// A live part is an element with an id and data-live. The page is asked for its parts (?part=a,b), and each is morphed into its new self.
// In a list ([data-list], rows [data-key]) figures always change in place; rows come, go and change places only while no hand is on it.
// Otherwise the button [data-held] says how many are new and waits for a click or a full stop.
import { clockTime, paintTimes, serverNow } from "./clock.js";

const leastGap = 500; // between two repaints, milliseconds

let app;
let running = false;
let again; // what was asked for while one was running
let lastRun = 0;
const held = new Map(); // list id → [how many new, how many of them critical]

// startParts makes the button that lets waiting rows in work.
export function startParts(context) {
  app = context;
  document.addEventListener("click", (e) => e.target.closest("[data-held]") && release());
}

// release lets the rows in that waited, and those go that are over.
export const release = () => refresh({ many: true, released: true });

// refresh fetches live parts: those with figures only when what is null, else those that a change concerns: {many, incidents, released}.
export async function refresh(what) {
  if (running) {
    again = merge(again, what);
    return;
  }
  running = true;
  try {
    await new Promise((done) => setTimeout(done, Math.max(0, lastRun + leastGap - performance.now())));
    await fetchParts(what);
  } finally {
    lastRun = performance.now();
    running = false;
    if (again !== undefined) {
      const next = again;
      again = undefined;
      refresh(next);
    }
  }
}

function merge(a, b) {
  if (!a || !b) return a || b || null;
  return { many: a.many || b.many, released: a.released || b.released, incidents: [...(a.incidents || []), ...(b.incidents || [])] };
}

function concerned(el, what) {
  if (!what) return el.dataset.live === "tick" || held.size > 0;
  const { liveIncident } = el.dataset;
  return what.many || !liveIncident || what.incidents.includes(Number(liveIncident));
}

async function fetchParts(what) {
  const parts = [...document.querySelectorAll("[data-live][id]")].filter((el) => concerned(el, what));
  if (!parts.length) return;
  const url = new URL(location.href);
  url.searchParams.set("part", parts.map((el) => el.id).join(","));
  url.hash = "";
  let text;
  try {
    const response = await fetch(url, { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (!response.ok) return; // the page as it stands is better than an error in its place; the stream says whether we are stale
    text = await response.text();
  } catch {
    return;
  }
  const answer = document.createElement("template");
  answer.innerHTML = text; // our own server's page, encoded there
  for (const part of parts) {
    const fresh = answer.content.getElementById(part.id);
    if (fresh && part.isConnected) bring(part, fresh, what?.released);
  }
  showHeld();
  paintTimes();
  dispatchEvent(new CustomEvent("vigia:painted"));
}

function bring(part, fresh, released) {
  const lists = part.matches("[data-list]") ? [part] : part.querySelectorAll("[data-list]");
  for (const list of lists) {
    const next = list === part ? fresh : list.id && fresh.querySelector(`#${CSS.escape(list.id)}`);
    if (!next) continue;
    name(list, list);
    name(next, list);
    held.delete(list);
    if (released) continue;
    if (underHand(list) && differs(list, next)) hold(list, next);
    else keepGone(list, next);
  }
  Idiomorph.morph(part, fresh, { morphStyle: "outerHTML", callbacks: { beforeNodeMorphed: carry, beforeNodeRemoved: mayGo } });
  const now = document.getElementById(part.id);
  if (now) window.htmx?.process(now);
}

const rowsOf = (list) => [...list.querySelectorAll("[data-key]")];
const standing = (list) => rowsOf(list).filter((r) => !r.classList.contains("gone"));
const keysOf = (list) => standing(list).map((r) => r.dataset.key);

// name gives every row an id, so that no row is morphed into another one.
function name(list, owner) {
  for (const row of rowsOf(list)) row.id ||= `${owner.id || "list"}-${row.dataset.key}`;
}

function differs(list, next) {
  const a = keysOf(list);
  const b = keysOf(next);
  return a.length !== b.length || a.some((k, i) => k !== b[i]);
}

// underHand: the pointer or the focus is on the list, something in it is selected or under the cursor, a dialog is open, or its top is out
// of sight.
function underHand(list) {
  return (
    list.matches(":hover") ||
    list.contains(document.activeElement) ||
    list.querySelector("[data-select]:checked, [aria-selected=true], .cursor") !== null ||
    document.querySelector("dialog[open]") !== null ||
    list.getBoundingClientRect().top < 0
  );
}

// hold changes next so that it has the rows of the list, in their order, with their new figures; what is new is counted.
function hold(list, next) {
  const have = new Set(keysOf(list));
  const news = standing(next).filter((r) => !have.has(r.dataset.key));
  held.set(list, [news.length, news.filter((r) => r.matches(".is-critical") || r.dataset.severity === "critical").length]);
  const fresh = new Map(rowsOf(next).map((r) => [r.dataset.key, r]));
  const kept = list.cloneNode(true);
  for (const row of rowsOf(kept)) {
    const now = fresh.get(row.dataset.key);
    if (now) row.replaceWith(now.cloneNode(true));
    else strike(row);
  }
  next.replaceChildren(...kept.childNodes);
}

// keepGone puts rows that are no longer there back where they stood, struck, until the list is opened again.
function keepGone(list, next) {
  const there = new Map(rowsOf(next).map((r) => [r.dataset.key, r]));
  let before = null;
  for (const row of rowsOf(list)) {
    const same = there.get(row.dataset.key);
    if (!same) {
      const gone = row.cloneNode(true);
      strike(gone);
      if (before) before.after(gone);
      else (rowsOf(next)[0]?.parentNode ?? next.querySelector("tbody, ul, ol") ?? next).prepend(gone);
    }
    before = same ?? next.querySelector(`#${CSS.escape(row.id)}`);
  }
}

function strike(row) {
  if (row.classList.contains("gone")) return;
  row.classList.add("gone");
  row.classList.remove("cursor");
  row.removeAttribute("aria-selected");
  for (const input of row.querySelectorAll("input")) {
    input.disabled = true;
    input.removeAttribute("checked");
  }
  const note = row.querySelector("[data-gone]");
  if (note) note.textContent = app.say("cleared", clockTime(serverNow(), app, false));
}

function showHeld() {
  const button = document.querySelector("[data-held]");
  if (!button) return;
  for (const list of held.keys()) if (!list.isConnected) held.delete(list);
  const [n, critical] = [...held.values()].reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
  button.hidden = held.size === 0;
  button.textContent = critical ? app.say("new", n, critical) : app.say("new1", n);
}

// carry keeps what belongs to the person: what is typed, selected, unfolded, under the cursor.
function carry(old, next) {
  if (old.nodeType !== 1) return true;
  if (old.dataset.morph === "keep" || old.matches("dialog")) return false;
  if (old.matches("input[type=checkbox]")) return !old.checked;
  if (old.matches("input, textarea, select")) return false;
  if (next.nodeType !== 1) return true;
  if (old.matches("details")) next.toggleAttribute("open", old.open);
  if (old.matches("[data-row], [data-key]")) {
    next.classList.toggle("cursor", old.classList.contains("cursor"));
    for (const name of ["aria-selected", "tabindex"]) if (old.hasAttribute(name)) next.setAttribute(name, old.getAttribute(name));
  }
  return true;
}

const mayGo = (node) => node.nodeType !== 1 || !(node.dataset.morph === "keep" || node.matches("dialog[open]"));
