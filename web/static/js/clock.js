// clock.js keeps the server's time and everything on the page that runs by it: countdowns, spans, ages, draining bars.

let offset = 0; // the server's clock minus ours, milliseconds

// serverNow is the server's time in milliseconds since 1970.
export const serverNow = () => Date.now() + offset;

// setServerNow learns the server's time from a message that has just come.
export function setServerNow(ms) {
  offset = ms - Date.now();
}

const two = (n) => String(n).padStart(2, "0");

// countdown writes what is left: 04:12, over an hour 1:04:12, 00:00 when due.
export function countdown(ms) {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const h = Math.floor(s / 3600);
  const rest = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return h ? `${h}:${rest}` : rest;
}

const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

// span writes a time span in two parts: 3 h 21 m, 11 m 4 s, 55 s.
export function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const i = Math.max(0, units.findIndex(([, size]) => s >= size));
  if (s === 0) return "0 s";
  const [name, size] = units[i];
  const [next, nextSize] = units[i + 1] ?? ["", 1];
  const rest = next ? Math.floor((s % size) / nextSize) : 0;
  return `${Math.floor(s / size)} ${name}` + (rest ? ` ${rest} ${next}` : "");
}

// clockTime writes an instant as a 24-hour clock time in the page's zone.
export function clockTime(ms, { lang, zone }, seconds = true) {
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
  if (seconds) parts.second = "2-digit";
  return new Intl.DateTimeFormat(lang, parts).format(ms);
}

function set(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

// paintTimes brings every countdown, span and bar to the present.
export function paintTimes() {
  const now = serverNow();
  for (const el of document.querySelectorAll("[data-until]")) set(el, countdown(el.dataset.until - now));
  for (const el of document.querySelectorAll("[data-since]")) set(el, span(now - el.dataset.since));
  for (const el of document.querySelectorAll("[data-ago]")) set(el, `${Math.max(0, Math.round((now - el.dataset.ago) / 1000))} s`);
  for (const el of document.querySelectorAll(".drain[data-to]")) {
    const { from, to } = el.dataset;
    const left = to > from ? (to - now) / (to - from) : 0;
    el.querySelector(".fg")?.setAttribute("width", (100 * Math.min(1, Math.max(0, left))).toFixed(2));
  }
}
