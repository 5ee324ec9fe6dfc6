// Checks tokens.css: WCAG contrast of every pair of colours that carries words or shapes, in every theme,
// and how far apart the severity fills stay for colour-blind eyes. Run: node tools/contrast.mjs web/static/css/tokens.css
import { readFileSync } from "node:fs";
const css = readFileSync(process.argv[2], "utf8");
const block = (re) => Object.fromEntries([...(css.match(re)?.[1] ?? "").matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)/g)].map(m => [m[1], [m[2], m[3]]]));
const base = block(/:root \{([\s\S]*?)\n\}/), more = block(/data-contrast="more"\] \{([\s\S]*?)\n\}/);
const rgb = h => [1, 3, 5].map(i => parseInt(h.slice(i, i + 2), 16) / 255);
const lin = c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
const lum = h => { const [r, g, b] = rgb(h).map(lin); return .2126 * r + .7152 * g + .0722 * b; };
const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
const sev = ["critical", "major", "minor", "warning", "indeterminate", "unknown", "maintenance"];
const pairs = [];
for (const g of ["canvas", "surface", "surface-2", "overlay"]) { for (const i of ["ink", "ink-2", "ink-3"]) pairs.push([i, g, 4.5]); pairs.push(["control-line", g, 3], ["focus", g, 3], ["data-1", g, 3], ["ok", g, 3]); }
for (const s of sev) { pairs.push([s + "-on", s, 4.5], [s + "-ink", "surface", 4.5], [s + "-ink", "surface-2", 4.5], [s + "-ink", "canvas", 4.5], [s + "-ink", s + "-tint", 4.5], ["ink", s + "-tint", 4.5], ["ink-2", s + "-tint", 4.5]); if (s !== "minor" && s !== "major") pairs.push([s, "surface", 3]); }
pairs.push(["ink", "select", 4.5], ["ink-2", "select", 4.5], ["ink", "hover", 4.5], ["ink-3", "hover", 4.5], ["action-on", "action", 4.5], ["ink", "surface-3", 4.5], ["ink-2", "surface-3", 4.5], ["data-2", "surface", 2.5]);
// the yellow and orange shapes always come with their name in -ink beside them, so their own 3:1 is asked in dark only
pairs.push(["minor", "surface", 3, 1], ["major", "surface", 3, 1], ["major", "surface", 2.8, 0]);
let bad = 0, n = 0, worst = 99;
for (const [name, set] of [["", base], ["more contrast ", { ...base, ...more }]]) for (const t of [0, 1]) for (const [a, b, min, only] of pairs) {
  if (only !== undefined && only !== t) continue;
  const r = ratio(set[a][t], set[b][t]); n++; if (min === 4.5) worst = Math.min(worst, r);
  if (r < min) { bad++; console.log(`FAIL ${name}${t ? "dark" : "light"} ${a} on ${b}: ${r.toFixed(2)} < ${min}`); }
}
// Machado 2009, severity 1.0
const M = { protan: [.152286, 1.052583, -.204868, .114503, .786281, .099216, -.003882, -.048116, 1.051998], deutan: [.367322, .860646, -.227968, .280085, .672501, .047413, -.011820, .042940, .968881], tritan: [1.255528, -.076749, -.178779, -.078411, .930809, .147602, .004733, .691367, .303900] };
const lab = ([r, g, b]) => { const f = v => v > .008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116; const [x, y, z] = [(.4124 * r + .3576 * g + .1805 * b) / .95047, .2126 * r + .7152 * g + .0722 * b, (.0193 * r + .1192 * g + .9505 * b) / 1.08883].map(f); return [116 * y - 16, 500 * (x - y), 200 * (y - z)]; };
for (const t of [0, 1]) for (const [k, m] of Object.entries(M)) { let min = [999]; const four = ["critical", "major", "minor", "warning", "ok"];
  const c = Object.fromEntries(four.map(s => { const l = rgb(base[s][t]).map(lin); return [s, lab([0, 3, 6].map(i => Math.max(0, m[i] * l[0] + m[i + 1] * l[1] + m[i + 2] * l[2])))]; }));
  for (const a of four) for (const b of four) if (a < b) { const d = Math.hypot(...c[a].map((v, i) => v - c[b][i])); if (d < min[0]) min = [d, a, b]; }
  console.log(`${t ? "dark " : "light"} ${k}: nearest severities ${min[1]} / ${min[2]}, ΔE ${min[0].toFixed(1)}`); if (min[0] < 15) { bad++; console.log("FAIL too near"); } }
console.log(`${n} pairs, ${bad} failures, lowest text contrast ${worst.toFixed(2)}`); process.exit(bad ? 1 : 0);
