// On paper: figures in the colours of paper, tables as wide as the sheet.

const SHEET = 648; // of A4 and Letter with usual margins, without those of a card
const SMALLEST = 0.5; // of what a table is drawn smaller nothing can be read

/** Sets the page up for paper, or back for the screen. */
function onPaper(paper) {
  if (document.documentElement.toggleAttribute("data-paper", paper) === onPaper.before) return;
  onPaper.before = paper;
  if (paper) workOff();
  for (const table of document.querySelectorAll(".card > .rows table, .matrix-body table")) {
    fitted(table, paper);
  }
  figures.forEach((each) => each.redraw());
}
onPaper.before = false;

/** Returns how wide a figure is on paper; null on the screen, where it is as wide as its place. */
function widthOnPaper(card) {
  if (!document.documentElement.hasAttribute("data-paper")) return null;
  return card.classList.contains("wide") ? SHEET : SHEET / 2 - 24;
}

/** Draws a table smaller where the sheet has no room for it; what has none all the same is cut. */
function fitted(table, paper) {
  const region = table.parentElement;
  region.removeAttribute("data-cut");
  table.style.zoom = "";
  if (!paper) return;
  const before = table.style.width;
  table.style.width = "max-content";
  const width = table.offsetWidth;
  table.style.width = before;
  if (width <= SHEET) return;
  table.style.zoom = Math.max(SMALLEST, SHEET / width).toFixed(3);
  region.toggleAttribute("data-cut", SHEET / width < SMALLEST);
}

// Some browsers say the one, some the other, most both.
window.addEventListener("beforeprint", () => onPaper(true));
window.addEventListener("afterprint", () => onPaper(false));
window.matchMedia("print").addEventListener("change", (event) => onPaper(event.matches));
