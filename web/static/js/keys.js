// keys.js is the keyboard (ui.md §5). Every key presses a button or follows a link that is on the page: [data-hotkey=…], of the bulk bar
// or in the row under the cursor first, on the page otherwise. What has no such element does nothing.
import { release } from "./morph.js";

let chord = -Infinity; // when g was pressed
let anchor = null; // where a range of selected rows begins
let app;

// startKeys listens.
export function startKeys(context) {
  app = context;
  document.addEventListener("keydown", onKey);
  document.addEventListener("change", (e) => e.target.matches("[data-select]") && marked(e.target));
  document.addEventListener("click", (e) => e.target.closest("[data-clear]") && clear());
  addEventListener("vigia:painted", paintBulk);
  addEventListener("vigia:selected", paintBulk);
  paintBulk();
}

const inField = (el) => el.isContentEditable || el.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])");

const own = {
  j: () => move(1),
  k: () => move(-1),
  o: open,
  Enter: open,
  x: select,
  X: selectRange,
  g: () => void (chord = performance.now()),
  d: density,
  m: () => document.querySelector("[data-sound]")?.click(),
  ".": () => void release(),
  "/": find,
};

function onKey(e) {
  if (e.defaultPrevented || e.isComposing || !(e.target instanceof Element)) return;
  const modified = e.ctrlKey || e.metaKey || e.altKey;
  if (e.key === "k" && (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey) return void (find(), e.preventDefault());
  if (modified) return;
  if (e.key === "Escape") return escape(e);
  if (inField(e.target) || document.querySelector("dialog[open]")) return;
  if (performance.now() - chord < 1500) return go(e);
  if (e.key === "Enter" && !e.target.matches("body, [data-row]")) return; // a button's or a link's own
  if (!Object.hasOwn(own, e.key)) return press(e);
  if (own[e.key]() !== false) e.preventDefault();
}

const visible = (el) => el.checkVisibility();

function press(e) {
  if (e.key.length !== 1) return;
  const wanted = `[data-hotkey="${CSS.escape(e.key)}"]`;
  const bulk = document.querySelector("[data-bulk]:not([hidden])");
  for (const place of [bulk, cursor(), document]) {
    const found = place && [...place.querySelectorAll(wanted)].find((el) => usable(el, place));
    if (!found) continue;
    e.preventDefault();
    return found.click();
  }
}

// usable: a row's own actions are shown when the cursor is on it, and belong to it alone.
function usable(el, place) {
  return !el.disabled && (place === document ? visible(el) && !el.closest("[data-row]") : true);
}

const rows = () => [...document.querySelectorAll("[data-row]:not(.gone)")].filter(visible);
const cursor = () => document.querySelector("[data-row].cursor");

function move(by) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(cursor());
  const first = by > 0 ? 0 : all.length - 1;
  const next = all[at < 0 ? first : Math.min(all.length - 1, Math.max(0, at + by))];
  cursor()?.classList.remove("cursor");
  next.classList.add("cursor");
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function open() {
  const link = cursor()?.querySelector("[data-open]");
  if (!link) return false;
  link.click();
}

function find() {
  const field = document.querySelector('[data-focus="/"]');
  if (!field) return false;
  field.focus();
  field.select?.();
}

function go(e) {
  chord = -Infinity;
  const link = document.querySelector(`[data-go="${CSS.escape(e.key)}"]`);
  if (!link) return;
  e.preventDefault();
  link.click();
}

function density() {
  const root = document.documentElement;
  const next = root.dataset.density === "compact" ? "comfortable" : "compact";
  root.dataset.density = next;
  document.cookie = `density=${next}; path=/; max-age=31536000; samesite=lax`;
}

// ---- selection ----

const box = (row) => row?.querySelector("[data-select]:not(:disabled)");

function marked(input) {
  const row = input.closest("[data-row]");
  row?.setAttribute("aria-selected", String(input.checked));
  anchor = row;
  paintBulk();
}

function choose(row, on) {
  const input = box(row);
  if (!input) return;
  input.checked = on;
  row.setAttribute("aria-selected", String(on));
}

function select() {
  const row = cursor();
  if (!box(row)) return false;
  choose(row, !box(row).checked);
  anchor = row;
  paintBulk();
}

function selectRange() {
  const all = rows();
  const to = all.indexOf(cursor());
  if (to < 0) return false;
  const from = all.indexOf(anchor);
  const start = from < 0 ? to : from;
  for (const row of all.slice(Math.min(start, to), Math.max(start, to) + 1)) choose(row, true);
  paintBulk();
}

function clear() {
  for (const input of document.querySelectorAll("[data-select]:checked")) choose(input.closest("[data-row]"), false);
  paintBulk();
}

// paintBulk shows the bar of what can be done with what is selected.
function paintBulk() {
  const n = document.querySelectorAll("[data-select]:checked").length;
  for (const bar of document.querySelectorAll("[data-bulk]")) {
    bar.hidden = n === 0;
    const shown = bar.querySelector("[data-bulk-count]");
    if (shown) shown.textContent = app.say("selected", n);
  }
}

function escape(e) {
  if (document.querySelector("dialog[open]")) return; // the dialog's own
  if (inField(e.target)) return e.target.blur();
  if (document.querySelector("[data-select]:checked")) return clear();
  const row = cursor();
  row?.blur();
  row?.classList.remove("cursor");
}
