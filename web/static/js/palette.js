// palette.js reads the design's colours for what is drawn on a canvas, and says when the theme changes.

const names = ["critical", "major", "minor", "warning", "indeterminate", "unknown"];
let colours = null;

// palette is the colours as they are now. A custom property with light-dark() has no computed value of its own, so a probe wears each.
export function palette() {
  if (colours) return colours;
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = name.includes("(") ? name : `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const family = getComputedStyle(document.body).fontFamily;
  const size = 0.6875 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  colours = {
    ink2: read("ink-2"), ink3: read("ink-3"), data1: read("data-1"), data2: read("data-2"), past: read("data-past"), fill: read("data-fill"),
    grid: read("grid"), surface: read("surface"), surface3: read("surface-3"), band: read("color-mix(in srgb, var(--data-1) 18%, transparent)"), font: `${size}px ${family}`,
    canvasFont: (weight, scale) => `${weight} ${size * scale}px ${family}`,
  };
  for (const name of names) colours[name] = { fill: read(name), ink: read(`${name}-ink`) };
  probe.remove();
  colours.key = colours.ink3 + colours.data1;
  return colours;
}

// onTheme calls back when the theme, by the system or by the page, has changed.
export function onTheme(changed) {
  const again = () => {
    colours = null;
    changed();
  };
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(query).addEventListener("change", again);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-theme", "data-contrast"] });
}
