// The confusion matrix: counts or shares, in words where the pointer or the keyboard is.

const FORMS = ["counts", "rows", "columns"];
const MOST_PAIRS = 500;

class Matrix {
  constructor(card, showCell) {
    this.card = card;
    this.showCell = showCell;
    this.content = dataOf(card.dataset.source);
    const { rows, columns, cells } = this.content;
    this.form = "counts";
    // Of the same classes in rows and columns places tell those apart that have one name.
    const of = (names) => names.slice(0, names.length - this.content.margins);
    this.alike = JSON.stringify(of(rows)) === JSON.stringify(of(columns));
    this.cells = new Map();
    this.sums = { rows: rows.map(() => 0), columns: columns.map(() => 0) };
    cells[0].forEach((row, k) => {
      const [column, n] = [cells[1][k], cells[2][k]];
      this.cells.set(row * columns.length + column, n);
      this.sums.rows[row] += n;
      this.sums.columns[column] += n;
    });
    this.words = card.querySelector(".matrix-words");
    this.hint = this.words.textContent;
    withTableBehind(card, this.content.name, () => this.table());
    card.querySelector(".matrix-tools").append(this.choice(), scale());
    const grid = card.querySelector(".grid-place");
    const pairs = card.querySelector(".pairs-place");
    if (pairs) this.drawPairs(pairs);
    if (grid) this.draw = () => this.drawGrid(grid);
    else {
      const heat = card.querySelector(".heat-place");
      this.prepareHeat(heat);
      this.draw = () => this.drawHeat(heat);
      dark.addEventListener("change", () => this.draw());
      new ResizeObserver(() => this.draw()).observe(heat);
    }
    this.draw();
  }

  choice() {
    const name = `form-${this.card.dataset.source}`;
    const titles = { counts: "counts", rows: `% of each ${this.content.row_label}`,
      columns: `% of each ${this.content.column_label}` };
    return element("fieldset", { class: "choice" }, element("legend", {}, "Shown"),
      ...FORMS.map((form) => element("label", {}, element("input", { type: "radio", name,
        value: form, checked: form === this.form, onchange: () => {
          this.form = form;
          this.draw();
        } }), element("span", {}, titles[form]))));
  }

  n(row, column) {
    return this.cells.get(row * this.content.columns.length + column) ?? 0;
  }

  share(row, column, of) {
    const sum = of === "rows" ? this.sums.rows[row] : this.sums.columns[column];
    return sum ? this.n(row, column) / sum : 0;
  }

  isMargin(row, column) {
    const { margins, rows, columns } = this.content;
    return [margins && row === rows.length - 1, margins && column === columns.length - 1];
  }

  /** How dark a cell is, from 0 to 1: the root, so that a few mistakes among many are seen. */
  strength(row, column) {
    return Math.sqrt(this.form === "counts"
      ? this.n(row, column) / (this.content.largest || 1) : this.share(row, column, this.form));
  }

  isRight(row, column) {
    const [below, beside] = this.isMargin(row, column);
    if (below || beside) return false;
    return this.alike ? row === column : this.content.rows[row] === this.content.columns[column];
  }

  /** Returns what a cell says: "of true dog, 12 % (14 of 117) called cat". */
  sentence(row, column) {
    const { rows, columns, row_label: there, column_label: called } = this.content;
    const [below, beside] = this.isMargin(row, column);
    const n = this.n(row, column);
    const [actual, predicted] = [shown(rows[row], 40), shown(columns[column], 40)];
    const of = (sum) => `${percent(sum ? n / sum : 0)} (${count(n)} of ${count(sum)})`;
    const [rowSum, columnSum] = [this.sums.rows[row], this.sums.columns[column]];
    if (below && beside) return "";
    if (this.form === "columns") {
      const all = beside ? "of all that were missed" : `of ${called} ${predicted}`;
      return `${all}, ${of(columnSum)} ${below ? "were false alarms" : `were ${actual}`}`;
    }
    const all = below ? "of all false alarms" : `of ${there} ${actual}`;
    return `${all}, ${of(rowSum)} ${beside ? "missed" : `called ${predicted}`}`;
  }

  say(row, column) {
    this.words.textContent = this.sentence(row, column) || this.hint;
  }

  choose(row, column) {
    const [below, beside] = this.isMargin(row, column);
    if (below && beside) return;
    this.say(row, column);
    this.showCell({ row: below ? null : this.content.rows[row],
      column: beside ? null : this.content.columns[column] });
  }

  value(row, column) {
    const n = this.n(row, column);
    if (!n) return "";
    if (this.form === "counts") return n < 10_000 ? count(n) : compact.format(n);
    return percent(this.share(row, column, this.form)).slice(0, -2);
  }

  drawGrid(place) {
    const { rows, columns, row_label: there, column_label: called } = this.content;
    const heads = columns.map((name, column) => element("th", { scope: "col",
      class: this.isMargin(0, column)[1] ? "margin" : null }, element("span", {}, nameOf(name, 24))));
    const body = rows.map((name, row) => {
      const [below] = this.isMargin(row, 0);
      return element("tr", { class: below ? "margin" : null },
        element("th", { scope: "row" }, nameOf(name, 24)),
        ...columns.map((_, column) => this.cell(row, column)));
    });
    const table = element("table", { class: "confusion", role: "grid",
      style: `--cell: ${this.sizeOfCell(place)}px`,
      "aria-label": `${there} classes in rows, ${called} classes in columns` },
    element("thead", {}, element("tr", {},
      element("th", { class: "corner" }, `${there} ↓ ${called} →`), ...heads)),
    element("tbody", {}, ...body));
    this.at ??= [0, 0];
    table.addEventListener("keydown", (event) => this.move(event, table));
    table.addEventListener("focusin", (event) => this.settle(event.target, table));
    const cellOf = (event) => event.target.closest("td");
    table.addEventListener("click", (event) => cellOf(event) && this.choose(...placeOf(cellOf(event))));
    table.addEventListener("pointerover", (event) => cellOf(event) && this.say(...placeOf(cellOf(event))));
    place.replaceChildren(table);
    // What has no room beside it goes below.
    if (place.scrollWidth > place.clientWidth + 1) place.parentElement.classList.add("stacked");
  }

  /** Returns how large cells are, so that all are seen at once where that is possible. */
  sizeOfCell(place) {
    const longest = Math.max(...this.content.rows.map((name) => Math.min(name.length, 24)));
    const room = Math.min(this.card.clientWidth, place.closest(".beside-each-other") ? Infinity : 640);
    const fitting = Math.floor((room - 48 - 7 * longest) / this.content.columns.length) - 2;
    return Math.min(Math.max(fitting, 22), 34);
  }

  cell(row, column) {
    const [below, beside] = this.isMargin(row, column);
    if (below && beside) return element("td", { class: "none", role: "gridcell", "data-at": `${row},${column}`, tabindex: -1, "aria-label": "never" });
    const strength = this.strength(row, column);
    const here = this.at ? this.at[0] === row && this.at[1] === column : !row && !column;
    return element("td", { role: "gridcell", tabindex: here ? 0 : -1, "data-at": `${row},${column}`,
      "aria-label": this.sentence(row, column),
      class: [this.isRight(row, column) ? "is-right" : "is-wrong", beside ? "margin" : "",
        strength > 0.55 ? "strong" : "", this.n(row, column) ? "" : "zero"].join(" "),
      style: `--s: ${(100 * strength).toFixed(1)}%` }, this.value(row, column));
  }

  settle(target, table) {
    const cell = target.closest("td");
    if (!cell) return;
    table.querySelector("td[tabindex='0']")?.setAttribute("tabindex", "-1");
    cell.setAttribute("tabindex", "0");
    this.at = placeOf(cell);
    this.say(...this.at);
  }

  move(event, table) {
    const cell = event.target.closest("td");
    if (!cell) return;
    const [row, column] = placeOf(cell);
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(row, column);
      return;
    }
    const last = [this.content.rows.length - 1, this.content.columns.length - 1];
    const next = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1], Home: [row, 0], End: [row, last[1]],
      PageUp: [0, column], PageDown: [last[0], column] }[event.key];
    if (!next) return;
    event.preventDefault();
    const [r, c] = next.map((each, k) => Math.min(Math.max(each, 0), last[k]));
    table.querySelector(`td[data-at="${r},${c}"]`).focus();
  }

  /** Returns the mistakes between classes, the most frequent first. */
  pairs() {
    const { cells } = this.content;
    const found = [];
    cells[0].forEach((row, k) => {
      const column = cells[1][k];
      const [below, beside] = this.isMargin(row, column);
      if (!below && !beside && !this.isRight(row, column)) found.push([row, column, cells[2][k]]);
    });
    return found.sort((a, b) => b[2] - a[2]);
  }

  drawPairs(place) {
    const all = this.pairs();
    if (!all.length) {
      place.remove();
      return;
    }
    const found = all.slice(0, MOST_PAIRS);
    const { rows, columns, row_label: there, column_label: called } = this.content;
    const table = element("table", { "aria-label": "Most confused pairs of classes" });
    const shares = [["rows", there, "of all objects of the class"],
      ["columns", called, "of all that was called so"]]
      .slice(0, this.card.classList.contains("many") ? 2 : 1); // beside the matrix there is less room
    new Rows(table, {
      columns: [{ title: there }, { title: called }, { title: "count", number: true, digits: 0 },
        ...shares.map(([, name, about]) =>
          ({ title: `% of ${name}`, number: true, digits: 1, about }))],
      values: [found.map(([row]) => rows[row]), found.map(([, column]) => columns[column]),
        found.map(([, , n]) => n), ...shares.map(([of]) =>
          found.map(([row, column]) => 100 * this.share(row, column, of)))],
    }, { cell: (column, k, value) => column.title !== "count" ? null
      : element("button", { type: "button", class: "pair",
        "aria-label": this.sentence(found[k][0], found[k][1]),
        onclick: () => this.choose(found[k][0], found[k][1]) }, count(value)) });
    place.append(element("h4", {}, "Most confused pairs"),
      element("p", { class: "soft" }, found.length < all.length
        ? `The first ${count(found.length)} of ${count(all.length)} pairs of classes; the files have all.`
        : `${several(all.length, "pair")} of classes.`),
      element("div", { class: "scroll rows", tabindex: 0, role: "region",
        "aria-label": "Most confused pairs" }, table));
  }

  prepareHeat(place) {
    this.canvas = element("canvas");
    place.append(this.canvas);
    const at = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const clamp = (value, n) => Math.min(Math.max(Math.floor(value), 0), n - 1);
      return [
        clamp(((event.clientY - box.top) / box.height) * this.content.rows.length, this.content.rows.length),
        clamp(((event.clientX - box.left) / box.width) * this.content.columns.length, this.content.columns.length),
      ];
    };
    this.canvas.addEventListener("pointermove", (event) => this.say(...at(event)));
    this.canvas.addEventListener("click", (event) => this.choose(...at(event)));
  }

  drawHeat(place) {
    const { rows, columns, cells } = this.content;
    const width = Math.min(place.clientWidth, columns.length <= 16 ? 420 : 860);
    if (!width) return;
    const height = Math.round((width * rows.length) / columns.length);
    const finer = window.devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * finer)) {
      this.canvas.width = Math.round(width * finer);
      this.canvas.height = Math.round(height * finer);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const colourOf = palette();
    const pen = this.canvas.getContext("2d");
    const [w, h] = [this.canvas.width / columns.length, this.canvas.height / rows.length];
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    // Of many classes a cell is less than a pixel: it is made as large as can be seen.
    const [least, faintest] = w < SEEN * finer ? [SEEN * finer, 0.5] : [finer, 0.14];
    const [wide, high] = [w, h].map((each) => Math.max(each - (each > 4 ? 1 : 0), least));
    cells[0].forEach((row, k) => {
      const column = cells[1][k];
      pen.globalAlpha = Math.max(this.strength(row, column), faintest);
      pen.fillStyle = colourOf(this.isRight(row, column) ? "right" : "wrong");
      pen.fillRect(Math.min(column * w, this.canvas.width - wide),
        Math.min(row * h, this.canvas.height - high), wide, high);
    });
    pen.globalAlpha = 1;
    if (!this.content.margins || w < SEEN * finer) return;
    pen.strokeStyle = colourOf("mark");
    pen.beginPath();
    pen.moveTo((columns.length - 1) * w, 0);
    pen.lineTo((columns.length - 1) * w, this.canvas.height);
    pen.moveTo(0, (rows.length - 1) * h);
    pen.lineTo(this.canvas.width, (rows.length - 1) * h);
    pen.stroke();
  }

  /** Returns the cells that are not 0. */
  table() {
    const { rows, columns, cells, row_label: there, column_label: called } = this.content;
    const columnsOf = [there, called].map((key) => ({ key, title: key, number: false }));
    const share = (of) => cells[0].map((row, k) => this.share(row, cells[1][k], of));
    return {
      columns: [...columnsOf, { key: "count", title: "count", number: true },
        { key: "share of row", title: `share of ${there}`, number: true },
        { key: "share of column", title: `share of ${called}`, number: true }],
      values: [cells[0].map((row) => rows[row]), cells[1].map((column) => columns[column]), cells[2],
        share("rows"), share("columns")],
    };
  }
}

const SEEN = 2.5; // pixels

const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

function placeOf(cell) {
  return cell.dataset.at.split(",").map(Number);
}

function scale() {
  return element("span", { class: "scale", "aria-hidden": "true" }, "few",
    element("i", { class: "is-right" }), element("i", { class: "is-wrong" }), "many");
}
