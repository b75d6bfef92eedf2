// Numbers as files, made here: nothing is asked for from elsewhere.

/**
 * Returns a table as CSV (RFC 4180). Numbers have all their digits; what is undefined is empty. A
 * text that a spreadsheet would take for a formula has an apostrophe in front.
 */
function csvOf({ columns, values }) {
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map((column) => cell(column.key)).join(",")];
  for (let row = 0; row < rowsOf(values); row += 1) {
    lines.push(values.map((column) => cell(column[row])).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** Returns a table as JSON, one record a row. */
function jsonOf({ columns, values }) {
  const records = Array.from({ length: rowsOf(values) }, (_, row) =>
    Object.fromEntries(columns.map((column, place) => [column.key, values[place][row] ?? null])));
  return `${JSON.stringify(records, null, 1)}\n`;
}

function rowsOf(values) {
  return values.length ? values[0].length : 0;
}

/** Hands a text to the reader as a file. */
function save(name, kind, text) {
  const type = kind === "csv" ? "text/csv;charset=utf-8" : "application/json";
  const address = URL.createObjectURL(new Blob([text], { type }));
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80) || "data";
  element("a", { href: address, download: `${plain}.${kind}` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Lets the buttons of a card hand out what a function returns. */
function withDownloads(card, name, content) {
  for (const button of card.querySelectorAll(".download")) {
    const kind = button.dataset.kind;
    button.setAttribute("aria-label", `${kind.toUpperCase()} file of ${name.replaceAll("_", " ")}`);
    button.addEventListener("click", () =>
      save(name, kind, kind === "csv" ? csvOf(content()) : jsonOf(content())));
  }
}
