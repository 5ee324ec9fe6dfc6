// stream.js is the one connection to /events that all tabs of a browser share: a browser opens six connections to a server at most, and a
// person on duty has more tabs than that. The tab that holds the lock listens and passes on what it hears; when it goes, the next one does.
// Without locks (no secure context) every tab listens for itself.

const waits = [1, 2, 5, 5, 10]; // seconds between attempts to reconnect
const silence = 20000; // after so long without a word a tab listens for itself, milliseconds

const state = { source: null, tries: 0, timer: 0, last: 0, newest: null, word: 0, own: false };
let url, hear, down, channel;

// follow calls hear(type, data) for each message and down(wait) when the next attempt to connect is wait milliseconds away.
export function follow(options) {
  ({ url, hear, down } = options);
  state.last = options.last;
  state.word = performance.now();
  addEventListener("pagehide", close);
  addEventListener("pageshow", (e) => e.persisted && begin());
  begin();
}

function begin() {
  state.word = performance.now();
  if (!navigator.locks || !window.BroadcastChannel) return listen();
  channel ??= new BroadcastChannel("vigia-live");
  channel.onmessage = ({ data }) => heard(data);
  const stop = new AbortController();
  addEventListener("pagehide", () => stop.abort(), { once: true });
  navigator.locks.request("vigia-live", { signal: stop.signal }, () => {
    listen();
    return new Promise((gone) => addEventListener("pagehide", gone, { once: true }));
  }).catch(() => {}); // the page went while it waited
  setTimeout(() => state.own || channel.postMessage({ type: "hello", last: state.last }), 50);
  clearInterval(state.watch);
  state.watch = setInterval(() => !state.own && performance.now() - state.word > silence && listen(), 1000);
}

function heard(message) {
  if (message.type === "hello" || message.type === "retry") return state.own && answer(message);
  if (state.own) return; // two listen: each for itself
  state.word = performance.now();
  tell(message);
}

// answer tells a tab that has just been opened how things stand.
function answer({ type, last }) {
  if (type === "retry") return connect();
  if (state.newest) channel.postMessage({ type: "change", data: { ...state.newest, incidents: [], many: last < state.newest.last } });
}

function tell({ type, data }) {
  if (type === "down") return down(data);
  state.last = Math.max(state.last, data.last);
  hear(type, data);
}

function listen() {
  state.own = true;
  connect();
}

function connect() {
  clearTimeout(state.timer);
  state.source?.close();
  const to = new URL(url, location.href);
  to.searchParams.set("last", state.last);
  const source = (state.source = new EventSource(to));
  for (const type of ["change", "tick"]) source.addEventListener(type, (e) => pass(type, JSON.parse(e.data)));
  source.addEventListener("error", () => {
    source.close(); // the browser's own reconnection neither says when, nor lets a person ask for it
    if (source !== state.source) return;
    const wait = 1000 * waits[Math.min(state.tries++, waits.length - 1)];
    state.timer = setTimeout(connect, wait);
    pass("down", wait);
  });
}

function pass(type, data) {
  if (type !== "down") {
    state.tries = 0;
    state.newest = type === "change" ? data : { ...state.newest, now: data.now };
  }
  channel?.postMessage({ type, data });
  tell({ type, data });
}

// retry connects at once, here or in the tab that listens.
export function retry() {
  if (state.own) connect();
  else channel?.postMessage({ type: "retry" });
}

function close() {
  clearTimeout(state.timer);
  clearInterval(state.watch);
  state.source?.close();
  state.own = false;
}
