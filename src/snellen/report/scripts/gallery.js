// The gallery: images worst first, narrowed by score, kind, class and cell of the confusion matrix.

const FIRST = 24;
const MORE = 48;

class Gallery {
  constructor(place, dialog) {
    this.place = place;
    this.dialog = dialog;
    this.content = dataOf(place.dataset.source);
    this.pictures = dataOf(`${place.dataset.source}-pictures`);
    this.objects = this.content.kind === "objects";
    this.labels = this.content.kind === "labels";
    this.maps = this.content.kind === "maps";
    this.followed = this.content.task === "tracking";
    // What has no picture is a sample of any kind.
    this.word = this.followed ? "frame" : this.objects || this.maps || Object.keys(this.pictures).length ? "image" : "sample";
    // What an image in large says on its objects: of tracks of one class the ids are enough.
    this.words = this.followed && classesOf(this.content.images, "truth", "found").length < 2
      ? "ids" : "long";
    this.most = FIRST;
    this.state = { threshold: this.content.threshold, kinds: new Set(this.kinds()), label: "",
      predicted: "", group: "", cell: null };
    this.told = element("p", { class: "told", role: "status" });
    this.chip = element("p", { class: "chip-place" });
    // Grey tiles say something where objects are drawn on them, else nothing.
    const bare = !this.objects && !Object.keys(this.pictures).length;
    this.tiles = element("ul", { class: `tiles-of-images${bare ? " without-pictures" : ""}` });
    this.more = element("button", { type: "button", class: "more",
      onclick: () => this.showMore() });
    place.replaceChildren(this.tools(), this.chip, this.told, this.tiles, this.more);
    this.show();
    performance.mark("gallery"); // from here on it can be used
  }

  /** Returns whether images can be looked for by a cell of the confusion matrix. */
  knowsCells() {
    return this.objects || this.labels || this.maps;
  }

  kinds() {
    if (this.followed) return ["wrong", "missed", "switched", "right"];
    if (this.objects) return ["wrong", "missed", "right"];
    return this.labels ? ["wrong", "right"] : [];
  }

  tools() {
    const made = element("div", { class: "gallery-tools" });
    this.toggles = this.kinds().map((kind) => element("button", { type: "button",
      class: `kind ${kind}`, "aria-pressed": "true", onclick: (event) => this.toggle(kind, event) },
    sample(kind), kind));
    if (this.toggles.length) {
      made.append(element("div", { class: "kinds", role: "group", "aria-label": "Kinds shown" },
        ...this.toggles));
    }
    if (this.followed) {
      // A tracker has no score that could be raised: its tracks would be others.
      for (const [title, field, names] of [
        ["Sequence", "group", classesOf(this.content.images, "group")],
        ["Class", "label", classesOf(this.content.images, "truth", "found")]]) {
        if (names.length > 1) made.append(this.choice(title, field, names).parentNode);
      }
    } else if (this.objects) {
      this.label = this.choice("Class", "label", classesOf(this.content.images, "truth", "found"));
      made.append(this.label.parentNode, this.slider());
    } else if (this.labels) {
      this.label = this.choice("True class", "label", classesOf(this.content.images, "label"));
      this.predicted = this.choice("Predicted", "predicted",
        classesOf(this.content.images, "predicted"));
      made.append(this.label.parentNode, this.predicted.parentNode);
    }
    return made;
  }

  choice(title, field, names) {
    const select = element("select", { onchange: () => {
      this.state[field] = select.value;
      this.state.cell = null;
      this.show();
    } }, element("option", { value: "" }, "all"),
    ...names.map((name) => element("option", { value: name }, shown(name, 40))));
    element("label", {}, element("span", {}, title), select);
    return select;
  }

  slider() {
    const scores = this.content.images.flatMap((image) =>
      (image.found ?? []).map((found) => found.score));
    // One by one: a call cannot have as many arguments as there are scores.
    const [low, high] = scores.reduce(([least, most], score) =>
      [Math.min(least, score), Math.max(most, score)], [0, 1]);
    this.value = element("output", {}, figure(this.state.threshold, 2));
    this.range = element("input", { type: "range", min: low, max: high, step: (high - low) / 100,
      value: this.state.threshold, oninput: () => {
        this.state.threshold = this.range.valueAsNumber;
        this.value.textContent = figure(this.state.threshold, 2);
        this.soon();
      } });
    return element("label", { class: "score" }, element("span", {}, "From score"), this.range,
      this.value);
  }

  toggle(kind, event) {
    const on = !this.state.kinds.delete(kind);
    if (on) this.state.kinds.add(kind);
    event.currentTarget.setAttribute("aria-pressed", String(on));
    this.show();
  }

  /** Shows the images of a cell of the confusion matrix, and nothing else. */
  showCell(cell) {
    const { row, column } = cell;
    this.state.kinds = new Set(this.kinds());
    this.toggles.forEach((each) => each.setAttribute("aria-pressed", "true"));
    if (this.labels) Object.assign(this.state, { label: row, predicted: column });
    else Object.assign(this.state, { label: "", cell });
    if (this.label) this.label.value = this.state.label;
    if (this.predicted) this.predicted.value = this.state.predicted;
    this.show();
  }

  showAll() {
    Object.assign(this.state, { label: "", predicted: "", cell: null });
    if (this.label) this.label.value = "";
    if (this.predicted) this.predicted.value = "";
    this.show();
  }

  /** Shows again with the next picture of the screen: a slider asks faster than that. */
  soon() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = null;
      this.show({ keep: true });
    });
  }

  show({ keep = false } = {}) {
    if (!keep) this.most = FIRST;
    const { images } = this.content;
    const { found, counts } = this.objects ? imagesWithObjects(images, this.state, this.kinds())
      : this.labels ? imagesWithLabels(images, this.state)
      : this.maps && this.state.cell ? imagesWithPixels(images, this.state.cell)
        : { found: images.map((image) => ({ image, marks: [] })), counts: {} };
    this.found = found;
    const numbers = Object.entries(counts).map(([kind, n]) =>
      element("span", { class: "told-count" }, sample(kind), element("b", {}, count(n)), ` ${kind}`));
    this.told.replaceChildren(
      element("span", {}, found.length === images.length ? several(found.length, this.word)
        : `${count(found.length)} of ${several(images.length, this.word)}`), ...numbers);
    this.tellCell();
    [...this.tiles.children].forEach(neverMind);
    this.tiles.replaceChildren(...found.slice(0, this.most).map((each, place) =>
      this.tile(each, place)));
    this.fillSeen();
    if (!found.length) this.tiles.append(element("li", { class: "nothing" },
      `No ${this.word} of this gallery has any of these.`));
    this.tellMore();
  }

  /** Draws at once what is on the screen, so that nothing flickers while the score is moved. */
  fillSeen() {
    for (const tile of this.tiles.children) {
      const { top, bottom } = tile.getBoundingClientRect();
      if (top > window.innerHeight) break;
      if (bottom > 0) begin(tile);
    }
  }

  tellMore() {
    const left = this.found.length - this.most;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${count(Math.min(left, MORE))} more of ${count(left)}`;
  }

  showMore() {
    const before = this.tiles.children.length;
    this.most += MORE;
    this.tiles.append(...this.found.slice(before, this.most).map((each, place) =>
      this.tile(each, before + place)));
    this.tellMore();
    this.tiles.children[before]?.querySelector("button").focus();
  }

  tellCell() {
    const { cell, label, predicted } = this.state;
    const narrowed = cell ?? (this.labels && (label || predicted)
      ? { row: label || undefined, column: predicted || undefined } : null);
    if (!narrowed) {
      this.chip.replaceChildren();
      return;
    }
    this.chip.replaceChildren(element("button", { type: "button", class: "chip",
      onclick: () => this.showAll() }, "showing: ", ...cellWords(narrowed), element("span",
      { "aria-hidden": "true" }, " ×"), element("span", { class: "unseen" }, ", show all again")));
  }

  tile(each, place) {
    const { image, marks } = each;
    const layers = Object.entries(image.layers ?? {}).filter(([, file]) => this.pictures[file]);
    const wanted = (mark) => isWanted(mark, this.state);
    const picture = element("span", { class: layers.length ? "strip" : "frame-of-stage" });
    const made = element("li", { class: layers.length ? "layered" : null },
      element("button", { type: "button", class: "tile-button",
        onclick: () => this.dialog.open(this.found, place, this) },
      picture, element("span", { class: "tile-name" }, nameOf(image.name, 60)), this.caption(each)));
    whenNear(made, () => picture.append(
      stage(image, this.pictures, layers.length ? [] : marks, { emphasis: wanted }),
      ...layers.map(([name, file]) => element("span", { class: "layer" },
        element("img", { src: this.pictures[file], alt: "" }), element("small", {}, shown(name))))));
    return made;
  }

  caption({ image, marks, kind, pixels }) {
    if (pixels) {
      return element("span", { class: "tile-facts" }, `${count(pixels)} pixels of this cell`);
    }
    if (this.objects) {
      const counts = this.kinds().map((each) =>
        [each, marks.filter((mark) => mark.kind === each).length]).filter(([, n]) => n);
      return element("span", { class: "tile-facts" }, counts.map(([each, n]) =>
        `${n} ${each}`).join(" · ") || "nothing to find");
    }
    if (this.labels) {
      const score = image.scores?.find(([name]) => name === image.predicted)?.[1];
      return element("span", { class: "tile-facts" },
        element("span", { class: "line" }, "true ", nameOf(image.label, 40)),
        element("span", { class: `line kind ${kind}` }, `${SIGNS[kind]} `,
          nameOf(image.predicted, 40), score === undefined ? "" : ` ${figure(score, 2)}`));
    }
    const numbers = Object.entries(image.numbers ?? {}).slice(0, 3).map(([name, value]) =>
      `${shown(name.replaceAll("_", " "))} ${figure(value, Number.isInteger(value) ? 0 : 3)}`);
    const values = image.label || image.predicted
      ? [`true ${shown(image.label ?? "–", 24)}`, `predicted ${shown(image.predicted ?? "–", 24)}`] : [];
    return element("span", { class: "tile-facts" }, [...values, ...numbers].join(" · "));
  }
}

/** Returns a sample of how objects of a kind are drawn. */
function sample(kind) {
  return drawn("svg", { class: `sample object ${kind}`, viewBox: "0 0 18 14", width: 18, height: 14,
    "aria-hidden": "true" }, drawn("rect", { x: 2, y: 2, width: 14, height: 10, class: "ink" }));
}

/** Returns what lies in a cell, in words. */
function cellWords({ row, column }) {
  if (row === null) return ["false alarms of ", nameOf(column, 40)];
  if (column === null) return ["missed ", nameOf(row, 40)];
  if (row === undefined) return ["predicted ", nameOf(column, 40)];
  if (column === undefined) return ["true ", nameOf(row, 40)];
  if (row === column) return [nameOf(row, 40), ", found right"];
  return ["true ", nameOf(row, 40), " taken for ", nameOf(column, 40)];
}
