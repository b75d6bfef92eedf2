"""How the page of a run looks."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fcfcfb; --raised: #ffffff; --ink: #1b1b1a; --soft: #5f5e5a; --line: #e4e3df;
  --training: #2a78d6; --validation: #e0602a; --rate: #4a3aa7; --good: #1a9c6b; --mark: #8a8984;
  --right: #2a78d6; --wrong: #e0602a; --strong: #ffffff;
  --p0: #2a78d6; --p1: #1baf7a; --p2: #eda100; --p3: #4a3aa7; --p4: #e0602a; --p5: #e87ba4;
  --p6: #7f5a3c; --p7: #b4b2ab;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #191918; --raised: #222221; --ink: #f1f0ec; --soft: #a9a8a1; --line: #383835;
    --training: #4c97ee; --validation: #ee7a45; --rate: #a196f0; --good: #35b885; --mark: #85847e;
    --right: #4c97ee; --wrong: #ee7a45; --strong: #111110;
    --p0: #4c97ee; --p1: #25a878; --p2: #d69a1c; --p3: #9085e9; --p4: #ee7a45; --p5: #d9658f;
    --p6: #a9805e; --p7: #6d6c67;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 28px 20px 48px; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 44px 0 12px; letter-spacing: -0.005em; }
h3 { font-size: 15px; margin: 20px 0 6px; }
p { margin: 6px 0; max-width: 72ch; }
.soft, figcaption span, small { color: var(--soft); }
.status { display: inline-block; padding: 1px 10px; border: 1px solid var(--line); border-radius: 999px;
  font-size: 13px; color: var(--soft); background: var(--raised); }
.tiles { display: grid; gap: 12px; margin: 20px 0 8px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 150px), 1fr)); }
.tile { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.tile b { display: block; font-size: 26px; line-height: 1.25; font-weight: 620;
  font-variant-numeric: tabular-nums; }
.tile small { display: block; font-size: 12.5px; font-variant-numeric: tabular-nums; }
.range { display: block; width: 100%; height: 5px; margin: 6px 0 4px; border-radius: 3px; }
.range .ground { fill: var(--line); }
.range .value { fill: var(--training); fill-opacity: 0.35; }
.range .between { fill: var(--training); }
.facts { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 10px 0 0; padding: 0; list-style: none;
  color: var(--soft); font-size: 14px; }
.facts b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.charts { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); }
figure { margin: 0; }
.chart { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 12px 12px 6px; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 14px; font-size: 14px; }
.chart figcaption span span { margin-left: 14px; white-space: nowrap; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--mark); stroke-width: 1; }
.mark { stroke: var(--mark); stroke-width: 1; stroke-dasharray: 3 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.training { stroke: var(--training); } .line.validation { stroke: var(--validation); }
.line.rate { stroke: var(--rate); }
.dot { stroke: var(--raised); stroke-width: 1; }
.dot.training { fill: var(--training); } .dot.validation { fill: var(--validation); }
.dot.rate { fill: var(--rate); }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px; }
.swatch.training { background: var(--training); } .swatch.validation { background: var(--validation); }
.swatch.rate { background: var(--rate); }
.right { fill: var(--right); } .wrong { fill: var(--wrong); }
svg text.cell { fill: var(--ink); font-size: 12.5px; pointer-events: none; }
svg text.cell.strong { fill: var(--strong); }
.frame { fill: none; stroke: var(--line); }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: 14px; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; vertical-align: bottom; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td code, td.whole { white-space: nowrap; overflow-wrap: normal; }
td.bar { min-width: 92px; white-space: nowrap; font-variant-numeric: tabular-nums; padding-right: 18px; }
td.bar i { display: block; height: 5px; border-radius: 3px; margin: 2px 0 3px; background:
  linear-gradient(var(--of, var(--training)) 0 0) 0 / var(--v) 100% no-repeat var(--line); }
.beside { display: grid; gap: 8px 40px; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); align-items: start; }
.beside h3 { margin-top: 6px; }
@media (max-width: 900px) { .beside { grid-template-columns: minmax(0, 1fr); } }
.settings { columns: 2 380px; column-gap: 40px; margin: 0; }
.settings div { display: flex; gap: 12px; justify-content: space-between; break-inside: avoid; padding: 4px 0;
  border-bottom: 1px solid var(--line); font-size: 14px; }
.settings dt { color: var(--soft); } .settings dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.settings .set dd { font-weight: 600; }
.settings ul { list-style: none; padding: 0; }
.stack { display: flex; height: 22px; border-radius: 6px; overflow: hidden; gap: 1px; background: var(--line); }
.stack i { display: block; min-width: 1px; }
.phases { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 10px 0 0; padding: 0; list-style: none;
  font-size: 14px; font-variant-numeric: tabular-nums; }
ul { margin: 4px 0; padding-left: 20px; }
.images { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); }
.images img { width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 6px;
  border: 1px solid var(--line); background: var(--raised); display: block; }
.images figcaption { display: block; font-size: 12.5px; line-height: 1.35; margin-top: 5px; overflow-wrap: anywhere; }
.images figcaption small { display: block; font-size: 11.5px; }
.images .truth { color: var(--good); } .images .pred { color: var(--validation); }
details { margin: 12px 0; } summary { cursor: pointer; color: var(--soft); }
code { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 56px; padding-top: 12px; border-top: 1px solid var(--line); font-size: 13px; color: var(--soft); }
@media (max-width: 480px) { body { padding: 18px 14px 36px; } h1 { font-size: 22px; } .tile b { font-size: 22px; }
  .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; } }
"""
