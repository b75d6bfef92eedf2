// What of an image is shown: from which score, of which kind, class, or pair of classes.

/**
 * Returns the objects of an image as they are from a score on: detections below it vanish, and what
 * one of those had found is missed. That is all: a detection is matched without those below it.
 */
function marksOf(image, threshold) {
  const truth = image.truth ?? [];
  const met = new Set();
  const taken = new Set();
  const marks = [];
  for (const found of image.found ?? []) {
    if (found.score < threshold) continue;
    const wrong = found.outcome === "wrong";
    const place = wrong ? found.taken_for : found.truth;
    const known = place !== null && place !== undefined;
    if (known) (wrong ? taken : met).add(place);
    marks.push({ ...found, kind: found.outcome, there: known ? truth[place].label : null,
      object: known ? truth[place].track : undefined });
  }
  truth.forEach((each, place) => {
    if (met.has(place)) return;
    const kind = each.ignored ? "ignored" : "missed";
    marks.push({ ...each, kind, there: each.label, taken: taken.has(place) });
  });
  return marks;
}

/** Whether an object lies in a cell of the confusion matrix: `{row, column}`, null for a margin. */
function inCell(mark, { row, column }) {
  if (column === null) return mark.kind === "missed" && !mark.taken && mark.label === row;
  if (mark.kind !== "right" && mark.kind !== "wrong") return false;
  if (mark.label !== column) return false;
  // A second detection of an object of its own class is a false alarm, as one of nothing is.
  if (row === null) return mark.kind === "wrong" && (mark.there === null || mark.there === mark.label);
  return mark.there === row && (row !== column || mark.kind === "right");
}

/** Whether an object is one of those that are asked for. */
function isWanted(mark, state) {
  if (mark.kind === "ignored" || !state.kinds.has(mark.kind)) return false;
  if (state.label && mark.label !== state.label && mark.there !== state.label) return false;
  return !state.cell || inCell(mark, state.cell);
}

/** Returns the images that have something that is asked for, and how many of each kind. */
function imagesWithObjects(images, state, kinds) {
  const counts = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  const narrowed = isNarrowed(state, kinds);
  const found = [];
  for (const image of images) {
    if (state.group && image.group !== state.group) continue;
    const marks = marksOf(image, state.threshold);
    const wanted = marks.filter((mark) => isWanted(mark, state));
    for (const mark of wanted) counts[mark.kind] += 1;
    if (wanted.length || !narrowed) found.push({ image, marks, n: wanted.length });
  }
  // What is asked for most first; else the order of the gallery, worst first.
  if (state.cell || state.label) found.sort((a, b) => b.n - a.n);
  return { found, counts };
}

function isNarrowed(state, kinds) {
  return Boolean(state.cell || state.label) || state.kinds.size < kinds.length;
}

/** Returns the images whose true and predicted classes are those that are asked for. */
function imagesWithLabels(images, state) {
  const counts = { right: 0, wrong: 0 };
  const found = [];
  for (const image of images) {
    const kind = image.label === image.predicted ? "right" : "wrong";
    if (!state.kinds.has(kind)) continue;
    if (state.label && image.label !== state.label) continue;
    if (state.predicted && image.predicted !== state.predicted) continue;
    counts[kind] += 1;
    found.push({ image, marks: [], kind });
  }
  return { found, counts };
}

/** Returns the images that have pixels of a cell of the confusion matrix, most first. */
function imagesWithPixels(images, { row, column }) {
  const found = [];
  for (const image of images) {
    const pair = (image.pairs ?? []).find(([truth, predicted]) =>
      truth === row && predicted === column);
    if (pair) found.push({ image, marks: [], pixels: pair[2] });
  }
  found.sort((one, other) => other.pixels - one.pixels);
  return { found, counts: {} };
}

function doesCount(each) {
  return !each.ignored && each.outcome !== "ignored";
}

/** Returns the names of the classes of a gallery, in the order of the alphabet. */
function classesOf(images, ...fields) {
  const names = new Set();
  for (const image of images) {
    for (const field of fields) {
      const value = image[field];
      // Of what does not count nothing is found when it is asked for.
      if (Array.isArray(value)) value.filter(doesCount).forEach((each) => names.add(each.label));
      else if (value) names.add(value);
    }
  }
  return [...names].sort(collator.compare);
}
