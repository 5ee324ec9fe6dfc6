// charts.js draws the charts by uPlot (ui.md §3, chart panel): unit above the axis, few ticks, thresholds as dotted lines with their words
// on the line, alarms as pale ground with an edge, gaps as grey ground that no line bridges, severity colour only on the part of the line
// that is beyond a threshold, last week dashed. Dragging zooms for all charts of the page, a double click goes back, the range is in the URL.
import { clockTime, serverNow } from "./clock.js";
import { palette, onTheme } from "./palette.js";

const quietFor = 4500; // a live chart is not fetched more often, milliseconds
const charts = [];
let app;

// startCharts draws every chart of the page and keeps those whose end is now up to date.
export function startCharts(context) {
  app = context;
  if (!window.uPlot) return;
  adopt();
  addEventListener("vigia:painted", adopt); // a part of the page may have brought a chart
  addEventListener("vigia:tick", () => document.hidden || charts.forEach((c) => c.live && c.due() && c.load()));
  addEventListener("vigia:change", (e) => (e.detail.many || e.detail.incidents.length) && charts.forEach((c) => c.live && c.load()));
  addEventListener("popstate", () => charts.forEach((c) => c.fromURL()));
  onTheme(() => charts.forEach((c) => c.draw()));
}

function adopt() {
  for (let i = charts.length - 1; i >= 0; i--) if (!charts[i].el.isConnected) charts.splice(i, 1)[0].destroy();
  for (const el of document.querySelectorAll("[data-chart]")) if (!charts.some((c) => c.el === el)) charts.push(new Chart(el));
}

const number = (v, digits) => new Intl.NumberFormat(app.lang, { maximumFractionDigits: digits ?? (Math.abs(v) < 10 ? 2 : Math.abs(v) < 100 ? 1 : 0) }).format(v);

const prefixes = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

class Chart {
  constructor(el) {
    this.el = el;
    this.plot = null;
    this.data = [];
    this.loaded = -Infinity;
    const url = new URL(el.dataset.chart, location.href);
    this.home = { from: Number(url.searchParams.get("from")), to: Number(url.searchParams.get("to")), live: el.dataset.liveEnd === "1" };
    this.readout = el.closest(".card")?.querySelector("[data-readout]") ?? this.makeReadout();
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(el);
    this.fromURL();
  }

  makeReadout() {
    const out = Object.assign(document.createElement("span"), { className: "readout" });
    out.setAttribute("aria-hidden", "true");
    this.el.closest(".card")?.querySelector("header .end, header")?.append(out);
    return out;
  }

  // fromURL takes the range of the address when somebody zoomed there, otherwise the page's own.
  fromURL() {
    const zoom = history.state?.zoom;
    Object.assign(this, zoom ? { ...zoom, live: false } : this.home);
    this.load();
  }

  due() {
    const step = (this.to - this.from) / Math.max(100, this.el.clientWidth);
    return performance.now() - this.loaded > Math.max(quietFor, 1000 * step);
  }

  range() {
    if (!this.live) return [this.from, this.to];
    const to = serverNow() / 1000;
    return [to - (this.home.to - this.home.from || 3600), to];
  }

  async load() {
    this.loaded = performance.now();
    const mine = (this.asked = {});
    const [from, to] = this.range();
    try {
      const sources = [this.el.dataset.chart, this.el.dataset.chart2].filter(Boolean);
      const data = await Promise.all(sources.map((s) => this.fetch(s, from, to)));
      if (mine !== this.asked) return; // a newer request is on its way
      this.data = data;
      [this.from, this.to] = [from, to];
      this.draw();
    } catch {
      if (!this.data.length) this.el.textContent = app.say("chart_error");
    }
  }

  async fetch(source, from, to) {
    const url = new URL(source, location.href);
    url.searchParams.set("from", from.toFixed(3));
    url.searchParams.set("to", to.toFixed(3));
    url.searchParams.set("width", Math.round(this.el.clientWidth) || 600);
    if (this.el.dataset.compare) url.searchParams.set("compare", this.el.dataset.compare);
    const response = await fetch(url, { cache: "no-store" });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  }

  // table joins the series to one list of times in the order of drawing: last week, the first one's band, each series.
  // A null is a gap; a hole that another series' times made is bridged.
  table() {
    const [first] = this.data;
    const tables = first.past_t.length ? [[first.past_t, first.past_v]] : [];
    const banded = first.hi && this.data.length === 1; // the bands of two lines would hide one another
    if (banded) tables.push([first.t, first.lo, first.hi]);
    for (const d of this.data) tables.push([d.t, this.unit === "bool" ? (d.lo ?? d.v) : d.v]);
    this.band = banded ? tables.length - this.data.length : 0; // the place of the minima; 0: no band
    this.first = 1 + (first.past_t.length ? 1 : 0) + (banded ? 2 : 0); // the place of the first series' values
    return uPlot.join(tables, tables.map((t) => t.map(() => 2)));
  }

  draw() {
    if (!this.data.length || !this.el.clientWidth) return;
    const table = this.table();
    const shape = `${this.data.length} ${Boolean(this.data[0].hi)} ${this.data[0].past_t.length > 0} ${palette().key}`;
    if (this.plot && shape === this.shape) {
      this.plot.setData(table, false);
      this.plot.setScale("x", { min: this.from, max: this.to });
      return;
    }
    const over = this.plot && document.activeElement === this.el;
    this.plot?.destroy();
    this.el.textContent = "";
    this.shape = shape;
    this.plot = new uPlot(this.options(), table, this.el);
    if (over) this.el.focus();
  }

  resize() {
    if (!this.plot) return this.draw();
    if (this.el.clientWidth && this.el.clientWidth !== this.plot.width) this.plot.setSize({ width: this.el.clientWidth, height: this.plot.height });
  }

  destroy() {
    this.sizes.disconnect();
    this.plot?.destroy();
  }

  // ---- what uPlot is told ----

  options() {
    const colours = palette();
    const { dataset, clientWidth } = this.el;
    return {
      width: clientWidth,
      height: Number(dataset.height || 128) + 26,
      padding: [16, 8, 0, 0],
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), app.zone || Intl.DateTimeFormat().resolvedOptions().timeZone),
      legend: { show: false },
      cursor: {
        y: false,
        sync: { key: "page", setSeries: false },
        drag: { x: true, y: false, setScale: false },
        points: { size: (_, i) => (this.band && (i === this.band || i === this.band + 1) ? 0 : 6), fill: colours.data1, stroke: colours.surface },
        bind: { dblclick: () => () => zoomBack() },
      },
      select: { show: true },
      scales: { x: { time: true, range: () => [this.from, this.to] }, y: { range: (_, low, high) => this.scale(low, high) } },
      axes: [this.timeAxis(colours), this.valueAxis(colours)],
      series: this.series(colours),
      bands: this.band ? [{ series: [this.band + 1, this.band], fill: colours.band }] : [],
      hooks: {
        drawClear: [(u) => this.ground(u, colours)],
        draw: [(u) => this.lines(u, colours)],
        setCursor: [(u) => this.say(u)],
        setSelect: [(u) => zoom(u)],
      },
    };
  }

  timeAxis(colours) {
    return {
      stroke: colours.ink3, font: colours.font, size: 22, gap: 6, space: 84, grid: { show: false }, ticks: { show: false },
      values: (_, splits, _axis, _space, step) => splits.map((s) => timeLabel(s, step)),
    };
  }

  valueAxis(colours) {
    return {
      stroke: colours.ink3, font: colours.font, size: this.unit === "bool" ? 92 : 44, gap: 6, space: 30, ticks: { show: false }, grid: { stroke: colours.grid, width: 1 },
      values: (_, splits) => splits.map((v) => this.tick(v)),
      incrs: this.unit === "bool" ? [1] : undefined,
    };
  }

  series(colours) {
    const stepped = this.unit === "bool" ? uPlot.paths.stepped({ align: 1 }) : undefined;
    const line = { width: 1.5, points: { show: false }, paths: stepped };
    const list = [{}];
    if (this.data[0].past_t.length) list.push({ ...line, width: 1.25, stroke: colours.past, dash: [4, 3] });
    if (this.band) list.push({ ...line, width: 0 }, { ...line, width: 0 });
    this.data.forEach((_, i) => {
      const fill = this.data.length === 1 ? colours.fill : undefined;
      const plain = i === 0 ? colours.data1 : colours.data2;
      list.push({ ...line, stroke: (u) => this.ink(u, colours, plain), fill });
    });
    return list;
  }

  get unit() {
    return this.data[0]?.unit ?? this.el.dataset.unit ?? "";
  }

  // factor is what values are divided by for people: 1.2 Gb/s, 46 d.
  factor() {
    if (this.unit === "s" && (this.plot?.scales.y.max || 0) > 2 * 86400) return [86400, "d"];
    if (this.unit !== "bps") return [1, this.unit === "bool" ? "" : this.unit];
    const top = this.plot?.scales.y.max || 1;
    const [size, prefix] = prefixes.find(([s]) => top >= s) ?? prefixes.at(-1);
    return [size, `${prefix}b/s`];
  }

  tick(v) {
    if (this.unit === "bool") return v === 1 ? (this.el.dataset.yes ?? app.say("up")) : v === 0 ? (this.el.dataset.no ?? app.say("down")) : "";
    return number(v / this.factor()[0]);
  }

  // scale begins at zero unless the page says otherwise, and shows a threshold when the values come near it.
  scale(low, high) {
    if (this.unit === "bool") return [-0.05, 1.25];
    let top = high || 1;
    let bottom = this.el.dataset.zero === "0" ? (low ?? 0) : Math.min(0, low ?? 0);
    const levels = this.tiers().map((t) => t.raise).sort((a, b) => a - b);
    const seen = top;
    levels.forEach((level, i) => {
      if (level > top && level <= seen * (i === 0 ? 4 : 1.6)) top = level;
    });
    const span = top - bottom || Math.abs(top) || 1;
    if (this.el.dataset.zero === "0") bottom -= 0.08 * span;
    return [bottom, top + 0.14 * span];
  }

  // tiers are the series' own levels, and those that the page brings: a utilisation's, in bit/s, with its own words.
  tiers() {
    this.levels ??= JSON.parse(this.el.dataset.levels || "[]");
    return [...(this.data[0]?.tiers ?? []), ...this.levels];
  }

  // ink is the line's colour: slate, and beyond a threshold that tier's colour, with a hard edge.
  ink(u, colours, plain) {
    const { min, max } = u.scales.y;
    const tiers = this.tiers().filter((t) => t.severity in colours);
    if (!tiers.length || max == null || max === min) return plain;
    const above = tiers.filter((t) => !t.below).sort((a, b) => a.raise - b.raise);
    const below = tiers.filter((t) => t.below).sort((a, b) => a.raise - b.raise);
    const at = (v) => Math.min(1, Math.max(0, (v - min) / (max - min)));
    const edges = [0, ...tiers.map((t) => at(t.raise)), 1].sort((a, b) => a - b);
    const gradient = u.ctx.createLinearGradient(0, u.bbox.top + u.bbox.height, 0, u.bbox.top);
    for (let i = 1; i < edges.length; i++) {
      const middle = min + ((edges[i - 1] + edges[i]) / 2) * (max - min);
      const tier = above.findLast((t) => middle >= t.raise) ?? below.find((t) => middle <= t.raise);
      const colour = tier ? colours[tier.severity].fill : plain;
      gradient.addColorStop(edges[i - 1], colour);
      gradient.addColorStop(edges[i], colour);
    }
    return gradient;
  }

  // ---- what lies under and over the line ----

  ground(u, colours) {
    const { ctx, bbox } = u;
    const x = (t) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, u.valToPos(t, "x", true)));
    const box = (from, to, colour, alpha) => {
      ctx.globalAlpha = alpha;
      ctx.fillStyle = colour;
      ctx.fillRect(x(from), bbox.top, Math.max(0, x(to) - x(from)), bbox.height);
    };
    ctx.save();
    const end = Math.min(this.to, this.data[0].now);
    for (const [from, to] of this.data[0].gaps) box(from, to, colours.surface3, 0.7);
    for (const s of this.data[0].spans) {
      const colour = (s.stale ? colours.unknown : colours[s.severity])?.fill ?? colours.ink3;
      box(s.from, s.to ?? end, colour, 0.07);
      if (s.from < this.from || s.from > this.to) continue;
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour;
      ctx.fillRect(Math.round(x(s.from)), bbox.top, Math.max(1, Math.round(devicePixelRatio)), bbox.height);
    }
    ctx.restore();
  }

  lines(u, colours) {
    const { ctx, bbox } = u;
    const dpr = devicePixelRatio;
    ctx.save();
    ctx.font = colours.canvasFont(400, dpr);
    ctx.fillStyle = colours.ink3;
    ctx.textBaseline = "alphabetic";
    ctx.textAlign = "right";
    ctx.fillText(this.factor()[1], bbox.left - 6 * dpr, bbox.top - 5 * dpr);
    ctx.textAlign = "left";
    ctx.font = colours.canvasFont(500, dpr);
    let last = Infinity; // the place of the last words, so that two never lie on one another
    const levels = this.tiers().filter((t) => t.severity in colours && t.raise >= u.scales.y.min && t.raise <= u.scales.y.max);
    for (const t of levels.sort((a, b) => b.raise - a.raise)) {
      const y = Math.round(u.valToPos(t.raise, "y", true)) + 0.5;
      ctx.strokeStyle = colours[t.severity].fill;
      ctx.lineWidth = dpr;
      ctx.setLineDash([2 * dpr, 3 * dpr]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      if (Math.abs(y - last) < 13 * dpr && last !== Infinity) continue;
      ctx.fillStyle = colours[t.severity].ink;
      ctx.fillText(this.levelWords(t), bbox.left + 4 * dpr, y - 4 * dpr);
      last = y;
    }
    if (!this.data.some((d) => d.v.some((v) => v !== null))) this.empty(ctx, bbox, colours, dpr);
    ctx.restore();
  }

  levelWords(tier) {
    if (tier.words) return tier.words;
    const [size, unit] = this.factor();
    const value = this.unit === "bool" ? "" : ` ${number(tier.raise / size)}${unit ? ` ${unit}` : ""}`;
    return app.say(tier.severity).toLocaleLowerCase(app.lang) + value;
  }

  empty(ctx, bbox, colours, dpr) {
    ctx.setLineDash([]);
    ctx.textAlign = "center";
    ctx.fillStyle = colours.ink2;
    ctx.font = colours.canvasFont(400, dpr * 1.1);
    ctx.fillText(app.say("no_data"), bbox.left + bbox.width / 2, bbox.top + bbox.height / 2);
  }

  // say writes the values under the cursor into the card's head.
  say(u) {
    const { idx } = u.cursor;
    if (idx == null) return void (this.readout.textContent = "");
    const [size, unit] = this.factor();
    const value = (list) => (list?.[idx] == null ? "–" : this.unit === "bool" ? this.tick(list[idx]) : `${number(list[idx] / size)}${unit ? ` ${unit}` : ""}`);
    const firsts = this.data.map((_, i) => value(u.data[this.first + i]));
    const past = this.data[0].past_t.length ? ` · ${app.say("last_week")} ${value(u.data[1])}` : "";
    this.readout.textContent = `${clockTime(u.data[0][idx] * 1000, app)}  ${firsts.join(" / ")}${past}`;
  }
}

// timeLabel writes an instant as exactly as the axis' steps are: seconds, minutes, days.
function timeLabel(s, step) {
  const day = { day: "numeric", month: "short", timeZone: app.zone };
  if (step < 86400 && clockTime(s * 1000, app) !== "00:00:00") return clockTime(s * 1000, app, step < 60);
  return new Intl.DateTimeFormat(app.lang, day).format(s * 1000);
}

// ---- zoom: one range for all charts of the page ----

let zooming = false; // every chart of the page hears of the same drag

function zoom(u) {
  const { left, width } = u.select;
  if (width < 6 || zooming) return;
  zooming = true;
  setTimeout(() => (zooming = false));
  const from = u.posToVal(left, "x");
  const to = u.posToVal(left + width, "x");
  for (const { plot } of charts) plot?.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  if (to - from < 1) return;
  const url = new URL(location.href);
  url.searchParams.delete("range");
  url.searchParams.set("from", Math.floor(from));
  url.searchParams.set("to", Math.ceil(to));
  history.pushState({ zoom: { from, to } }, "", url);
  charts.forEach((c) => c.fromURL());
  dispatchEvent(new CustomEvent("vigia:refresh")); // the figures and links beside the charts follow the range
}

function zoomBack() {
  if (history.state?.zoom) history.back();
}
