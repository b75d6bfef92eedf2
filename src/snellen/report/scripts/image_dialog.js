// An image in large, with what is there and what was found as a list.

/** The one dialog of the page; the arrow keys go through the images that are shown. */
class ImageDialog {
  constructor() {
    this.title = element("h2", { id: "dialog-title" });
    this.place = element("p", { class: "soft", role: "status" });
    this.body = element("div", { class: "dialog-body" });
    const button = (text, label, action) =>
      element("button", { type: "button", "aria-label": label, onclick: action }, text);
    this.dialog = element("dialog", { class: "enlarged", "aria-labelledby": "dialog-title" },
      element("div", { class: "dialog-head" }, this.title, this.place,
        button("←", "Image before", () => this.go(-1)),
        button("→", "Image after", () => this.go(1)),
        button("✕", "Close", () => this.dialog.close())),
      this.body);
    this.dialog.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) {
        event.preventDefault();
        this.go(step);
      }
    });
    // A click beside it closes it, as Escape does by itself.
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    document.body.append(this.dialog);
  }

  open(shownImages, place, gallery) {
    Object.assign(this, { images: shownImages, at: place, gallery });
    this.fill();
    if (!this.dialog.open) this.dialog.showModal();
  }

  go(step) {
    this.at = (this.at + step + this.images.length) % this.images.length;
    this.fill();
  }

  fill() {
    const { image, marks } = this.images[this.at];
    this.title.replaceChildren(nameOf(image.name, 120));
    this.place.textContent = `${this.at + 1} of ${this.images.length}`;
    this.body.replaceChildren(this.pictures(image, marks), this.facts(image, marks));
    this.dialog.scrollTop = 0;
  }

  pictures(image, marks) {
    const { pictures, content, state, words } = this.gallery;
    const whole = element("div", { class: "enlarged-picture" },
      stage(image, pictures, marks, { emphasis: (mark) => isWanted(mark, state), words }));
    const layers = Object.entries(image.layers ?? {}).filter(([, file]) => pictures[file]);
    if (image.missing && content.folder !== null && image.picture) {
      whole.append(element("p", {}, element("a", {
        href: [content.folder, "examples", image.picture].filter(Boolean).join("/") },
      "The picture, in the run's folder")));
    }
    if (!layers.length) return whole;
    return element("div", { class: "layers" }, captioned("image", whole),
      ...layers.map(([name, file]) => captioned(name,
        element("img", { src: pictures[file], alt: `${name} of ${shown(image.name)}` }))));
  }

  facts(image, marks) {
    const made = element("div", { class: "dialog-facts", tabindex: 0, role: "region",
      "aria-label": "What is there and what was found" });
    if (image.label || image.predicted) {
      made.append(element("p", {}, "true: ", element("b", {}, nameOf(image.label ?? "–")),
        element("br"), "predicted: ", element("b", {}, nameOf(image.predicted ?? "–"))));
    }
    if (image.scores) made.append(scoreBars(image));
    const numbers = Object.entries(image.numbers ?? {});
    if (numbers.length) {
      made.append(element("dl", { class: "numbers" }, ...numbers.map(([name, value]) =>
        element("div", {}, element("dt", {}, shown(name.replaceAll("_", " "))),
          element("dd", {}, figure(value, Number.isInteger(value) ? 0 : 4))))));
    }
    if (marks.length) made.append(this.gallery.followed ? trackList(marks) : objectList(marks));
    return made;
  }
}

function captioned(name, content) {
  return element("figure", {}, content, element("figcaption", {}, shown(name)));
}

function scoreBars(image) {
  const most = Math.max(...image.scores.map(([, score]) => score), 1e-12);
  return element("ol", { class: "score-bars" }, ...image.scores.map(([name, score]) =>
    element("li", { class: name === image.label ? "there" : null }, nameOf(name, 40),
      element("i", { style: `--v: ${(100 * Math.max(score, 0)) / most}%` }),
      element("span", {}, figure(score, 3)))));
}

const LISTED = { switched: 0, wrong: 1, missed: 2, right: 3, ignored: 4 };

/** Returns tracks of a tracker and of truth, those that were switched first. */
function trackList(marks) {
  const rows = [...marks].sort((a, b) =>
    LISTED[a.kind] - LISTED[b.kind] || collator.compare(a.track ?? "", b.track ?? ""));
  const heads = ["kind", "class", "track", "was", "true track", "overlap"];
  return element("div", { class: "scroll" }, element("table", { "aria-label": "Objects" },
    element("thead", {}, element("tr", {}, ...heads.map((head) =>
      element("th", { class: head === "overlap" ? "n" : null }, head)))),
    element("tbody", {}, ...rows.map((mark) => {
      const isFound = mark.outcome !== undefined;
      return element("tr", {},
        element("td", {}, element("span", { class: `kind ${mark.kind}` },
          `${SIGNS[mark.kind]} ${mark.kind}`)),
        element("td", {}, nameOf(mark.label, 40)),
        element("td", {}, isFound ? nameOf(mark.track, 24) : ""),
        element("td", {}, mark.was ? nameOf(mark.was, 24) : ""),
        element("td", {}, nameOf((isFound ? mark.object : mark.track) ?? "", 24)),
        element("td", { class: "n" }, mark.overlap ? figure(mark.overlap, 2) : ""));
    }))));
}

function objectList(marks) {
  const rows = [...marks].sort((a, b) =>
    LISTED[a.kind] - LISTED[b.kind] || (b.score ?? 0) - (a.score ?? 0));
  const said = (mark) => {
    if (mark.kind !== "wrong") return "";
    if (mark.there === null) return "nothing";
    return mark.there === mark.label ? "one found already" : shown(mark.there, 30);
  };
  return element("div", { class: "scroll" }, element("table", { "aria-label": "Objects" },
    element("thead", {}, element("tr", {}, ...["kind", "class", "score", "overlap", "there"].map((head) =>
      element("th", { class: head === "score" || head === "overlap" ? "n" : null }, head)))),
    element("tbody", {}, ...rows.map((mark) => element("tr", {},
      element("td", {}, element("span", { class: `kind ${mark.kind}` },
        `${SIGNS[mark.kind]} ${mark.kind}`)),
      element("td", {}, nameOf(mark.label, 40)),
      element("td", { class: "n" }, mark.score === undefined ? "" : figure(mark.score, 3)),
      element("td", { class: "n" }, mark.score === undefined ? "" : figure(mark.overlap ?? 0, 2)),
      element("td", { class: "soft" }, said(mark)))))));
}
