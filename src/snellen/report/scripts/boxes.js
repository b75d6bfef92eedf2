// Objects on an image: what is there and what was found, told apart by colour, line and label.

const SIGNS = { right: "✓", switched: "⇄", wrong: "✕", missed: "○", ignored: "·" };

/** Returns an image with its objects; where there is no picture, a grey tile with its name. */
function stage(image, pictures, marks, { emphasis = () => true, words = "short" } = {}) {
  const [width, height] = sizeOf(image);
  const made = element("span", { class: "stage",
    style: `aspect-ratio: ${width} / ${height}; --ratio: ${(width / height).toFixed(4)}` });
  const source = pictures[image.picture];
  if (source) {
    made.append(element("img", { src: source, alt: "", decoding: "async",
      class: width < 64 ? "coarse" : null }));
  } else {
    made.classList.add("without-picture");
    made.append(element("span", { class: "lost" }, nameOf(image.name, 48),
      element("span", {}, image.missing ? "picture left out" : "no picture")));
  }
  if (!marks.length) return made;
  made.classList.add("drawn-on");
  const drawing = drawn("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
    "aria-hidden": "true" });
  const labels = element("span", { class: "labels", "aria-hidden": "true" });
  // What errs above what is right: it is what is looked for.
  const layered = [...marks].sort((a, b) => LAYERS[a.kind] - LAYERS[b.kind]);
  for (const mark of layered) {
    const strong = emphasis(mark);
    const group = drawn("g", { class: `object ${mark.kind}${strong ? "" : " faint"}` });
    for (const kind of ["halo", "ink"]) group.append(...shapesOf(mark, kind));
    drawing.append(group);
  }
  const named = layered.filter((mark) => mark.kind !== "ignored" && emphasis(mark));
  labels.append(...(words === "short" ? mostTelling(named, width, height) : named).map((mark) =>
    labelOf(mark, width, height, words)));
  made.append(drawing, labels);
  return made;
}

/**
 * Returns the objects whose labels have room on a small picture, without one covering another:
 * errors first, the surest and the largest before others.
 */
function mostTelling(marks, width, height) {
  const weight = (mark) => WEIGHTS[mark.kind]
    + (mark.score ?? (mark.box[2] * mark.box[3]) / (width * height));
  const placed = [];
  return [...marks].sort((a, b) => weight(b) - weight(a)).filter((mark) => {
    const right = mark.kind === "right";
    const letters = wordsOf(mark, "short").length;
    const wide = (letters ? 0.1 + 0.028 * Math.min(letters, 14) : 0.05) * width;
    const x = isFar(mark, width) ? mark.box[0] + mark.box[2] - wide : mark.box[0];
    const y = Math.max(mark.box[1] - (right ? 0 : 0.1 * height), 0);
    const clear = placed.every((other) => x > other.x + other.wide || other.x > x + wide
      || Math.abs(y - other.y) > 0.1 * height);
    if (clear) placed.push({ x, y, wide });
    return clear;
  });
}

const WEIGHTS = { right: 0, wrong: 2, missed: 2, switched: 4 };
const LAYERS = { ignored: 0, right: 1, missed: 2, wrong: 3, switched: 4 };

/** Returns what a label says behind its sign: the class, or which track it is. */
function wordsOf(mark, words) {
  const label = shown(mark.label, 24);
  if (mark.track) {
    const track = mark.was ? `was ${shown(mark.was, 12)}, now ${shown(mark.track, 12)}`
      : shown(mark.track, 12);
    return words === "long" ? `${label} ${track}` : track;
  }
  if (words === "long") return mark.score === undefined ? label : `${label} ${figure(mark.score, 2)}`;
  return mark.kind === "right" ? "" : label;
}

function shapesOf({ box, outline, keypoints }, kind) {
  const points = (keypoints ?? []).map(([x, y]) =>
    drawn("path", { d: `M${x} ${y}h0`, class: `${kind} point` }));
  if (outline) return [drawn("path", { d: outline, class: kind }), ...points];
  const [x, y, width, height] = box.map(Number);
  return [drawn("rect", { x, y, width: Math.max(width, 0), height: Math.max(height, 0), class: kind }),
    ...points];
}

function labelOf(mark, width, height, words) {
  const [left, top] = mark.box;
  const text = `${SIGNS[mark.kind]} ${wordsOf(mark, words)}`.trim();
  const low = top / height < 0.08;
  const side = isFar(mark, width) ? `right: ${clamped(100 - (100 * (left + mark.box[2])) / width)}%`
    : `left: ${clamped((100 * left) / width)}%`;
  return element("span", { class: `label ${mark.kind}${low ? " below" : ""}`,
    style: `${side}; top: ${clamped((100 * top) / height)}%` }, text);
}

/** Whether a label would leave the picture at the right if it began where its box does. */
function isFar({ box, was }, width) {
  return box[0] / width > (was ? 0.45 : 0.6);
}

function clamped(value) {
  return Math.min(Math.max(value, 0), 96).toFixed(2);
}

/** Returns width and height of an image, or of what its objects take up where they are unknown. */
function sizeOf(image) {
  if (image.width > 0 && image.height > 0) return [image.width, image.height];
  let [width, height] = [0, 0];
  for (const { box } of [...(image.truth ?? []), ...(image.found ?? [])]) {
    width = Math.max(width, box[0] + box[2]);
    height = Math.max(height, box[1] + box[3]);
  }
  return width > 0 && height > 0 ? [width * 1.05, height * 1.05] : [4, 3];
}
