// sound.js plays one short tone for each new problem that nobody has (ui.md §9). It is off until somebody turns it on. One tab of the
// browser sounds: the one that holds the lock. What is already known is kept for all tabs, so that another page does not sound again.

import { clockTime } from "./clock.js";

const store = "vigia.sound"; // {on, until}: until: muted to this time
const known = "vigia.known"; // {id: severity} of the problems that have sounded
const together = 5000; // within this time only a worse one sounds again
const repeatEvery = 30000; // critical, while nobody has it

// Frequencies in hertz, one note after another.
const tones = { critical: [880, 698, 554], major: [698, 554], minor: [587], lost: [196] };
const ranks = ["minor", "major", "critical"];

const state = { leader: false, asked: false, context: null, lastAt: -Infinity, lastRank: -1, repeat: 0 };
let app;

const read = (key, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
};
const write = (key, value) => localStorage.setItem(key, JSON.stringify(value));
const settings = () => read(store, { on: false, until: 0 });

// startSound makes the button [data-sound] work and listens for problems.
export function startSound(context) {
  app = context;
  const button = document.querySelector("[data-sound]");
  if (!button) return;
  button.addEventListener("click", press);
  addEventListener("storage", (e) => e.key === store && paint());
  addEventListener("vigia:change", (e) => hear(e.detail));
  addEventListener("vigia:stale", (e) => e.detail && play("lost"));
  for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, wake, { once: true });
  paint();
  setInterval(paint, 15000);
}

// wake opens the way for sound: browsers let a page sound only after a person has touched it.
async function wake() {
  if (!settings().on) return;
  state.context ??= new AudioContext();
  await state.context.resume();
  if (!state.asked) lead();
  paint();
}

// lead waits for the right to be the tab that sounds; only a tab that can sound asks for it.
function lead() {
  state.asked = true;
  if (!navigator.locks) return void (state.leader = true);
  navigator.locks.request("vigia-sound", () => {
    state.leader = true;
    return new Promise(() => {}); // held until the tab goes
  });
}

const muted = () => settings().until > Date.now();
const blocked = () => !state.context || state.context.state !== "running";

function press() {
  const { on } = settings();
  if (on && !muted() && !blocked()) return askHowLong();
  write(store, { on: true, until: 0 });
  wake().then(() => {
    play("minor", true);
    paint();
  });
}

// paint shows the true state, also when the browser blocks sound.
function paint() {
  const button = document.querySelector("[data-sound]");
  const { on, until } = settings();
  const sounding = on && !muted() && !blocked();
  const key = !on ? "sound_off" : muted() ? "sound_until" : blocked() ? "sound_blocked" : "sound_on";
  const text = app.say(key, clockTime(until, app, false));
  button.setAttribute("aria-pressed", String(sounding));
  button.setAttribute("aria-label", text);
  button.title = text;
  button.querySelector("[data-on]")?.toggleAttribute("hidden", !sounding);
  button.querySelector("[data-off]")?.toggleAttribute("hidden", sounding);
}

function hear({ unowned }) {
  const before = read(known, null);
  const now = Object.fromEntries(unowned.map(({ id, severity }) => [id, severity]));
  if (state.leader || !before) write(known, now);
  schedule(unowned);
  if (!before || !state.leader) return;
  const rank = (s) => ranks.indexOf(s);
  const news = unowned.filter(({ id, severity }) => rank(severity) > rank(before[id]));
  const worst = Math.max(-1, ...news.map(({ severity }) => rank(severity)));
  if (worst < 0) return;
  const at = performance.now();
  if (at - state.lastAt < together && worst <= state.lastRank) return;
  state.lastAt = at;
  state.lastRank = worst;
  play(ranks[worst]);
}

// schedule repeats the worst tone while a critical problem has nobody.
function schedule(unowned) {
  const critical = unowned.some((u) => u.severity === "critical");
  if (!critical) {
    clearInterval(state.repeat);
    state.repeat = 0;
  } else if (!state.repeat) {
    state.repeat = setInterval(() => play("critical"), repeatEvery);
  }
}

function play(name, here = false) {
  if (!settings().on || muted() || blocked() || !(state.leader || here)) return;
  const { context } = state;
  tones[name].forEach((hertz, i) => {
    const start = context.currentTime + 0.02 + i * 0.22;
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.3, start + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.2);
    tone.connect(gain).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.22);
  });
}

// askHowLong: silence has an end.
function askHowLong() {
  const dialog = document.createElement("dialog");
  dialog.className = "dlg";
  dialog.innerHTML = '<header><h2 id="mute-title"></h2></header><footer></footer>';
  dialog.setAttribute("aria-labelledby", "mute-title");
  dialog.querySelector("h2").textContent = app.say("mute_for");
  for (const [minutes, text] of [[15, "15 min"], [60, "1 h"], [240, "4 h"], [0, app.say("sound_off")]]) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: text });
    button.addEventListener("click", () => {
      write(store, minutes ? { on: true, until: Date.now() + minutes * 60000 } : { on: false, until: 0 });
      dialog.close();
    });
    dialog.querySelector("footer").append(button);
  }
  dialog.addEventListener("close", () => {
    dialog.remove();
    paint();
    document.querySelector("[data-sound]").focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}
