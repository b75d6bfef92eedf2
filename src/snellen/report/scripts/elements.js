// Elements made of data. Texts become text nodes and attributes: no markup is ever parsed.

const SVG = "http://www.w3.org/2000/svg";

/** Returns an element with attributes, listeners ("onclick") and content. */
function element(tag, attributes = {}, ...content) {
  return filled(document.createElement(tag), attributes, content);
}

/** Returns an element of a drawing. */
function drawn(tag, attributes = {}, ...content) {
  return filled(document.createElementNS(SVG, tag), attributes, content);
}

function filled(made, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...content.filter((each) => each !== null && each !== undefined));
  return made;
}

/** Returns a text of the data in one line: what steers the writing is shown as its escape. */
function shown(text, width = 80) {
  const plain = String(text).slice(0, width + 1)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) =>
      `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`);
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
}

/** Returns the name of something as an element, which keeps its direction of writing to itself. */
function nameOf(text, width) {
  return element("bdi", {}, shown(text, width));
}

const formats = new Map();

/** Returns a number as the page shows it: the same as those that were written into it. */
function figure(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return shown(value);
  if (digits === null || Number.isInteger(value) && Math.abs(value) >= 1e7) digits = 0;
  else if (value && (Math.abs(value) < 10 ** -digits || Math.abs(value) >= 1e7)) {
    return value.toExponential(3).replace(/^-/, "−");
  }
  if (!formats.has(digits)) {
    formats.set(digits, new Intl.NumberFormat("en-US",
      { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return formats.get(digits).format(value).replace("-", "−");
}

/** Returns a count: whole, or with what is needed where it is none. */
function count(value) {
  return Number.isInteger(value) ? figure(value, 0) : figure(value, 1);
}

/** Returns a share in percent, with a decimal where it would be 0 or 100 without being so. */
function percent(share) {
  const value = 100 * share;
  if (!Number.isFinite(value)) return "–";
  const rounded = Math.round(value);
  if (rounded !== value && (rounded < 1 || rounded > 99)) return `${value.toFixed(1)} %`;
  return `${rounded} %`;
}

/** Returns "1 image", "2 images". */
function several(n, what) {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}

/** Returns a value that stands in the page. */
function dataOf(name) {
  const held = document.getElementById(name);
  return held ? JSON.parse(held.textContent) : null;
}

const waiting = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) begin(entry.target);
}, { rootMargin: "600px" });

/** Does a piece of work once: when its element comes near, or when there is nothing else to do. */
function whenNear(place, work) {
  waiting.set(place, work);
  watcher.observe(place);
}

function begin(place) {
  const work = waiting.get(place);
  if (!work) return;
  neverMind(place);
  work();
}

const idly = window.requestIdleCallback ?? ((work) => setTimeout(work, 60));

/** Leaves work undone that nobody waits for any more. */
function neverMind(place) {
  waiting.delete(place);
  watcher.unobserve(place);
}

/** Does the waiting work of what is not hidden, piece by piece. */
function workIdly() {
  const next = [...waiting.keys()].find((place) => place.offsetParent !== null);
  if (!next) return;
  idly(() => {
    begin(next);
    workIdly();
  });
}

/** Does all of it now, but for what is hidden. */
function workOff() {
  for (const place of [...waiting.keys()]) if (place.offsetParent !== null) begin(place);
}
