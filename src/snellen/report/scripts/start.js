// Everything finds its place.

const galleries = new Map();
let dialog = null;

function galleryOf(run) {
  const place = document.querySelector(`.gallery[data-source="run${run}-gallery"]`);
  if (!place) return null;
  begin(place);
  return galleries.get(place);
}

/** Shows the images of a cell of a run's confusion matrix. */
function showCellOf(run, cell) {
  if (document.querySelector("input[name=run]")) showRun(run);
  const gallery = galleryOf(run);
  if (!gallery?.knowsCells()) return;
  gallery.showCell(cell);
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById("gallery").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  gallery.chip.querySelector("button")?.focus({ preventScroll: true });
}

for (const place of document.querySelectorAll(".gallery")) {
  whenNear(place, () => galleries.set(place, new Gallery(place, dialog ??= new ImageDialog())));
}
// Tables are made first where there is time: the browser's search finds what is in them.
const cards = [...document.querySelectorAll("figure[data-source]")];
cards.sort((a, b) => a.classList.contains("drawn") - b.classList.contains("drawn"));
for (const card of cards) {
  const run = card.dataset.source.match(/^(?:run|all)(\d*)-/)[1];
  whenNear(card, () => {
    if (card.classList.contains("matrix")) new Matrix(card, (cell) => showCellOf(run, cell));
    else if (card.classList.contains("drawn")) new Figure(card).draw();
    else fillTable(card);
  });
}

const links = new Map([...document.querySelectorAll(".contents a")]
  .map((link) => [document.querySelector(link.hash), link]));
const reader = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.toggleAttribute("data-in-view", isIntersecting);
  const first = [...links.keys()].find((section) => section.hasAttribute("data-in-view"));
  for (const [section, link] of links) {
    if (section === first) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}, { rootMargin: "-10% 0px -60% 0px" });
for (const section of links.keys()) reader.observe(section);

window.addEventListener("load", workIdly);
