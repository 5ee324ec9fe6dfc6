// app.js starts what a page needs. Nothing on a page depends on it for being read: it adds what is live. What the pages offer it (data-
// attributes) is listed in web/doc.go.
import { startCharts } from "./charts.js";
import { startDialogs } from "./dialogs.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startSound } from "./sound.js";

const words = JSON.parse(document.body.dataset.say || "{}");

// say fills a sentence of the catalogue. A key that the page did not bring is shown as it stands: never nothing.
const say = (key, ...args) => (words[key] ?? key).replace(/\{(\d+)\}/g, (_, n) => args[n] ?? "");

const app = { say, lang: document.documentElement.lang || "en", zone: document.body.dataset.zone || undefined };

// The dialogs come first: what they catch, the keyboard must not see.
startDialogs(app);
startKeys(app);
startCharts(app);
startSound(app);
startLive(app);
