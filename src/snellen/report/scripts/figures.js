// Figures: drawn by Plotly when they come near, in the colours of the page.

let plotly = null;

/** Returns Plotly, which is unpacked or loaded when the first figure is drawn. */
function drawingTool() {
  plotly ??= (async () => {
    const packed = document.getElementById("plotly-packed");
    const script = document.createElement("script");
    if (packed) {
      const bytes = bytesOf(packed.textContent);
      const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      script.textContent = await new Response(unpacked).text();
      document.head.append(script);
    } else {
      await new Promise((done, failed) => {
        script.src = document.getElementById("plotly-linked").dataset.address;
        script.onload = done;
        script.onerror = () => failed(new Error(`${script.src} could not be loaded`));
        document.head.append(script);
      });
    }
    if (!window.Plotly) throw new Error("the script that draws did not run");
    return window.Plotly;
  })();
  return plotly;
}

function bytesOf(base64) {
  const characters = atob(base64.trim());
  const bytes = new Uint8Array(characters.length);
  for (let k = 0; k < characters.length; k += 1) bytes[k] = characters.charCodeAt(k);
  return bytes;
}

const figures = [];
const LOW = 190; // the height of curves on paper
const NARROW = 420; // below, names of bars are broken in lines
const LINE = 18; // letters

/** A figure with its legend; its numbers are in the table behind it. */
class Figure {
  constructor(card) {
    this.card = card;
    this.plot = card.querySelector(".plot");
    const { name, figure: specification, table } = dataOf(card.dataset.source);
    this.specification = specification;
    this.hidden = new Set();
    this.walk = null;
    this.stale = false;
    withTableBehind(card, name, () => table);
    this.plot.addEventListener("keydown", (event) => this.step(event));
  }

  async draw() {
    try {
      const tool = await drawingTool();
      const coarse = window.matchMedia("(pointer: coarse)").matches;
      this.tool = tool;
      this.legend();
      await tool.newPlot(this.plot, ...this.picture(), {
        responsive: true, displaylogo: false, showTips: false,
        displayModeBar: coarse ? false : "hover",
        modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
      });
      this.describe();
      figures.push(this);
      this.stale = this.isHidden();
    } catch (error) {
      this.plot.replaceChildren(element("p", { class: "soft" },
        `This figure could not be drawn (${error.message}); its numbers are in the data table.`));
    }
  }

  /** Lets the drawing be one image by its title and what it shows; Plotly's buttons are none. */
  describe() {
    const [first, ...others] = this.plot.querySelectorAll(".main-svg");
    first.setAttribute("role", "img");
    first.setAttribute("aria-labelledby", this.plot.getAttribute("aria-labelledby"));
    for (const other of others) other.setAttribute("aria-hidden", "true");
  }

  /** Returns data and layout in the colours of the theme, or of paper and as wide as there. */
  picture() {
    const width = widthOnPaper(this.card);
    const colourOf = palette(width !== null);
    const { data, layout } = coloured(this.specification, colourOf);
    data.forEach((trace, place) => {
      if (this.hidden.has(place)) trace.visible = false;
    });
    const room = width ?? this.plot.clientWidth; // 0 where it is hidden
    if (room > 0 && room < NARROW) wrapNames(data, layout);
    layout.showlegend = false; // the page has its own, which a keyboard reaches
    layout.font = { ...layout.font, color: colourOf("soft") };
    if (window.matchMedia("(pointer: coarse)").matches) layout.dragmode = false; // fingers scroll
    if (width !== null) {
      // Two rows of curves fit on a sheet; bars need their height.
      const height = width < SHEET && data.every(({ type }) => type === "scatter") ? LOW : layout.height;
      Object.assign(layout, { autosize: false, width, height });
    }
    return [data, layout];
  }

  /** Returns whether its run is not shown, so that nobody knows how wide it is. */
  isHidden() {
    return this.plot.offsetParent === null;
  }

  /** Draws it anew; of a run that is hidden when that is shown. */
  redraw() {
    this.stale = this.isHidden();
    if (this.stale) return;
    this.tool.react(this.plot, ...this.picture());
    this.legend();
  }

  legend() {
    const place = this.card.querySelector(".legend");
    const { data, layout } = this.specification;
    if (layout.showlegend === false) return;
    const entries = new Map();
    data.forEach((trace, k) => {
      const group = trace.legendgroup ?? `#${k}`;
      const entry = entries.get(group) ?? { traces: [] };
      entry.traces.push(k);
      if (trace.showlegend !== false && trace.name && !entry.name) {
        Object.assign(entry, { name: trace.name, trace });
      }
      entries.set(group, entry);
    });
    // Of lines the last one is drawn above the others, and is the main one.
    const named = [...entries.values()].filter((entry) => entry.name);
    if (data.every((trace) => trace.type === "scatter")) {
      named.sort((a, b) => isLine(b.trace) - isLine(a.trace) || (isLine(a.trace) ? b.traces[0] - a.traces[0] : 0));
    }
    if (named.length < 2) return;
    place.replaceChildren(...named.map(({ name, trace, traces }) =>
      element("button", { type: "button", "aria-pressed": String(!this.hidden.has(traces[0])),
        onclick: () => this.toggle(traces) },
      swatch(trace, palette(widthOnPaper(this.card) !== null)), nameOf(withoutEntities(name)))));
  }

  toggle(traces) {
    for (const each of traces) {
      if (!this.hidden.delete(each)) this.hidden.add(each);
    }
    const pressed = [...this.card.querySelectorAll(".legend button")].indexOf(document.activeElement);
    this.redraw();
    this.card.querySelectorAll(".legend button")[pressed]?.focus();
  }

  /** Goes from point to point by the arrow keys, and shows what a pointer would be shown. */
  step(event) {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!move || !this.tool) return;
    event.preventDefault();
    const traces = this.specification.data
      .map((trace, k) => ({ k, n: (trace.y ?? trace.x ?? []).length, skip: trace.hoverinfo === "skip" }))
      .filter(({ k, n, skip }) => n && !skip && !this.hidden.has(k));
    if (!traces.length) return;
    const at = this.walk ?? { trace: traces.length, point: -1 };
    const trace = move[0] || !this.walk
      ? (at.trace + move[0] + traces.length) % traces.length : Math.min(at.trace, traces.length - 1);
    const n = traces[trace].n;
    const point = move[0] ? Math.min(Math.max(at.point, 0), n - 1) : (at.point + move[1] + n) % n;
    this.walk = { trace, point };
    this.tool.Fx.hover(this.plot, [{ curveNumber: traces[trace].k, pointNumber: point }]);
  }
}

/** Breaks long names of lying bars in lines, so that the bars have room; changes both. */
function wrapNames(data, layout) {
  const names = layout.yaxis?.categoryarray;
  if (!names?.some((name) => withoutEntities(name).length > LINE)) return;
  // A name of Plotly's own is its text: all that name it are changed alike.
  const wrapped = new Map(names.map((name) => [name, inLines(name)]));
  layout.yaxis = { ...layout.yaxis, categoryarray: [...wrapped.values()] };
  layout.xaxis = { ...layout.xaxis, nticks: 4 };
  for (const trace of data) trace.y = trace.y?.map((name) => wrapped.get(name) ?? name);
  const more = Math.max(...[...wrapped.values()].map((name) => name.split("<br>").length)) - 1;
  layout.height += 13 * more * names.length;
}

function inLines(name) {
  const lines = [""];
  for (const word of name.split(" ")) {
    const last = lines.length - 1;
    if (lines[last] && withoutEntities(`${lines[last]} ${word}`).length > LINE) lines.push(word);
    else lines[last] = lines[last] ? `${lines[last]} ${word}` : word;
  }
  return lines.join("<br>");
}

/** Returns a sample of how something is drawn. */
function swatch(trace, colourOf) {
  const role = [trace.line?.color, trace.marker?.color, trace.fillcolor]
    .find((each) => typeof each === "string") ?? "role:p0";
  const colour = coloured(role, colourOf);
  const made = drawn("svg", { viewBox: "0 0 26 12", width: 26, height: 12, "aria-hidden": "true" });
  const lines = isLine(trace);
  if (lines) {
    made.append(drawn("line", { x1: 1, x2: 25, y1: 6, y2: 6, stroke: colour, "stroke-width": 2.5,
      "stroke-dasharray": DASHES[trace.line?.dash] ?? null }));
  } else if (trace.type === "bar") {
    made.append(drawn("rect", { x: 7, y: 1, width: 12, height: 10, rx: 2, fill: colour }));
  }
  if (!lines && trace.type !== "bar" || trace.mode?.includes("markers")) {
    const { symbol = "circle", line } = trace.marker ?? {};
    made.append(drawn("path", { d: SYMBOLS[symbol] ?? SYMBOLS.circle, fill: colour,
      stroke: line ? coloured(line.color, colourOf) : null, "stroke-width": line ? 1.5 : null }));
  }
  return made;
}

function isLine(trace) {
  return trace.type === "scatter" && (trace.mode ?? "lines").includes("lines");
}

const DASHES = { dash: "6 3", dot: "2 3", dashdot: "6 3 2 3", longdash: "9 3", longdashdot: "9 3 2 3" };
const SYMBOLS = {
  circle: "M13 2a4 4 0 1 0 .01 0z", square: "M9 2h8v8h-8z", diamond: "M13 1l5 5-5 5-5-5z",
  "triangle-up": "M13 1l5 9H8z", "triangle-down": "M13 11L8 2h10z",
  x: "M9 3l1-1 3 3 3-3 1 1-3 3 3 3-1 1-3-3-3 3-1-1 3-3z", cross: "M12 1h2v4h4v2h-4v4h-2V7H8V5h4z",
  star: "M13 0l1.6 4H19l-3.4 2.6L17 11l-4-2.6L9 11l1.4-4.4L7 4h4.4z",
};

/** Returns a label that was written for Plotly, which reads entities, as text. */
function withoutEntities(text) {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

dark.addEventListener("change", () => figures.forEach((each) => each.redraw()));
