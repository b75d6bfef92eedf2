// Tables: sorted by a click on a heading, searched, and as long as a page can bear.

const MOST_ROWS = 2000;

/** A table of columns of values: `{columns: [{key, title, number, digits?, share?, about?}], values}`. */
class Rows {
  /**
   * @param table what is filled
   * @param content its columns
   * @param most how many rows are shown
   * @param cell returns the content of a cell, or null for the usual one
   * @param changed is told how many rows are shown, and of how many
   */
  constructor(table, content, { most = MOST_ROWS, cell = () => null, changed = () => {} } = {}) {
    Object.assign(this, { table, content, most, cell, changed });
    this.order = Array.from({ length: rowsOf(content.values) }, (_, row) => row);
    this.sorted = null;
    this.wanted = "";
    this.body = element("tbody");
    this.heads = content.columns.map((column, place) => this.head(column, place));
    table.replaceChildren(element("thead", {}, element("tr", {}, ...this.heads)), this.body);
    this.show();
  }

  head(column, place) {
    const button = element("button", { type: "button", title: column.about,
      onclick: () => this.sort(place) }, shown(column.title, 40));
    return element("th", { scope: "col", class: column.number ? "n" : null }, button);
  }

  /** Sorts by a column: numbers from the largest, texts from A; the other way round if repeated. */
  sort(place) {
    const numeric = this.content.columns[place].number;
    const first = numeric ? "descending" : "ascending";
    const other = numeric ? "ascending" : "descending";
    const direction = this.sorted?.place === place && this.sorted.direction === first ? other : first;
    this.sorted = { place, direction };
    const sign = direction === "ascending" ? 1 : -1;
    const key = this.content.values[place].map(numeric ? numberOf : String);
    const compare = numeric
      // What is undefined comes last, whichever way.
      ? (a, b) => Number.isNaN(key[a]) - Number.isNaN(key[b]) || sign * (key[a] - key[b] || 0)
      : (a, b) => sign * collator.compare(key[a], key[b]);
    this.order.sort((a, b) => compare(a, b) || a - b);
    this.heads.forEach((head, each) => {
      if (each === place) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
    this.show();
  }

  /** Shows the rows that hold a text in one of their cells of text. */
  search(text) {
    this.wanted = text.trim().toLocaleLowerCase("en");
    this.show();
  }

  holds(row) {
    return !this.wanted || this.content.values.some((column, place) =>
      !this.content.columns[place].number
      && String(column[row] ?? "").toLocaleLowerCase("en").includes(this.wanted));
  }

  show() {
    const found = this.order.filter((row) => this.holds(row));
    const { columns, values } = this.content;
    this.body.replaceChildren(...found.slice(0, this.most).map((row) =>
      element("tr", {}, ...columns.map((column, place) => {
        const value = values[place][row];
        const own = this.cell(column, row, value);
        if (column.number) {
          const bar = column.share && value > 0 ? `--v: ${(100 * value).toFixed(1)}%` : null;
          return element("td", { class: bar ? "n share" : "n", style: bar }, own ?? figure(value, column.digits
            ?? (Number.isInteger(value) ? 0 : 4)));
        }
        const content = own ?? (value === null ? "–" : nameOf(value));
        return place ? element("td", {}, content) : element("th", { scope: "row" }, content);
      }))));
    this.changed(Math.min(found.length, this.most), found.length, this.order.length);
  }
}

const collator = new Intl.Collator("en", { numeric: true });

function numberOf(value) {
  if (value === "∞") return Infinity;
  if (value === "−∞") return -Infinity;
  return typeof value === "number" ? value : NaN;
}

/** Fills a card that is a table. */
function fillTable(card) {
  const { name, table: content } = dataOf(card.dataset.source);
  const told = card.querySelector(".shown");
  const rows = new Rows(card.querySelector("table"), content, {
    changed: (n, found, all) => {
      const of = found === all ? several(all, "row") : `${count(found)} of ${several(all, "row")}`;
      told.textContent = n < found ? `the first ${count(n)} of ${of}` : of;
    },
  });
  card.querySelector("input[type=search]").addEventListener("input",
    (event) => rows.search(event.target.value));
  withDownloads(card, name, () => content);
}

const MOST_BEHIND = 200;

/** Puts the table behind a figure under its picture when that is opened. */
function withTableBehind(card, name, content) {
  withDownloads(card, name, content);
  const details = card.querySelector(".numbers-table");
  details.addEventListener("toggle", () => {
    if (details.querySelector("table")) return;
    const table = element("table", { "aria-label": "Data" });
    const said = element("p", { class: "soft" });
    details.append(said, element("div", { class: "scroll rows", tabindex: 0, role: "region",
      "aria-label": `Data of ${name.replaceAll("_", " ")}` }, table));
    new Rows(table, content(), { most: MOST_BEHIND, changed: (n, found) => {
      said.textContent = n < found
        ? `The first ${count(n)} of ${several(found, "row")}; the files have all.`
        : several(found, "row");
    } });
  });
}
