"""The frame of the pages: one file, no script, light or dark as the reader's system is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["N_COLOURS", "details", "document", "escape", "table", "verdict"]

N_COLOURS = 8

_STYLE = """
:root { color-scheme: light dark;
  --ground: #fbfbf9; --card: #ffffff; --ink: #1c1f24; --soft: #5d6470; --line: #d9dce1;
  --good: #0f7b4f; --bad: #b3261e; --forward: #2563eb; --backward: #b45309; --grid: #e8eaee;
  --s0: #2563eb; --s1: #c2410c; --s2: #0f7b4f; --s3: #9333ea; --s4: #be185d; --s5: #0e7490;
  --s6: #854d0e; --s7: #4b5563; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #14161a; --card: #1c1f25; --ink: #e9ebef; --soft: #a0a8b5; --line: #343943;
  --good: #4ade9f; --bad: #ff8a80; --forward: #7aa8ff; --backward: #f0a95b; --grid: #2a2e36;
  --s0: #7aa8ff; --s1: #fb9a5c; --s2: #4ade9f; --s3: #c79bff; --s4: #f58bb8; --s5: #5fd0e6;
  --s6: #e0b355; --s7: #aab2bf; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 72rem; background: var(--ground);
  color: var(--ink); font: 1.02rem/1.5 system-ui, "Segoe UI", "Helvetica Neue", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.35rem; margin: 2.4rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0; max-width: 62rem; }
.soft { color: var(--soft); }
.small { font-size: .88rem; }
.verdict { border-left: .3rem solid var(--soft); padding: .35rem .8rem; background: var(--card); }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .8rem 1rem; margin: .7rem 0; overflow-x: auto; }
details > summary { cursor: pointer; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
th:first-child, td:first-child { text-align: left; padding-left: .2rem; }
code, .formula { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: .9em; }
.columns { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }
.columns > * { min-width: 0; }
.pairs { display: grid; gap: 0 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg text.strong { fill: var(--ink); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .88rem; margin: .2rem 0; }
.legend i { display: inline-block; width: 1.4rem; height: .22rem; margin-right: .4rem;
  vertical-align: middle; border-radius: .1rem; }
@media print { body { max-width: none; } }
"""
_STYLE += "".join(
    f".c{k} {{ stroke: var(--s{k}); }} .f{k} {{ fill: var(--s{k}); }} "
    f".b{k} {{ background: var(--s{k}); }}\n"
    for k in range(N_COLOURS)
)


def document(title: str, body: str, style: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title : str
        Plain text.
    body : str
        HTML.
    style : str
        CSS of this kind of page.
    """
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style}</style>\n</head>\n<body>\n"
        f"{body}\n</body>\n</html>\n"
    )


def table(rows: Sequence[Sequence[str]], *, numbers_of: str = "") -> str:
    """Return rows of plain text as a table; the first row is its head."""
    head, *others = rows
    caption = f"<caption class='soft small'>{escape(numbers_of)}</caption>" if numbers_of else ""
    return (
        f"<table>{caption}<thead><tr>"
        + "".join(f"<th>{escape(cell)}</th>" for cell in head)
        + "</tr></thead><tbody>"
        + "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in others
        )
        + "</tbody></table>"
    )


def details(summary: str, body: str, *, shown: bool = False) -> str:
    """Return a part that opens; both are HTML."""
    return f"<details{' open' if shown else ''}><summary>{summary}</summary>{body}</details>"


def verdict(text: str, ok: bool | None, causes: Sequence[str] = ()) -> str:
    """Return a sentence that says how something is, and what may be the cause."""
    kind = "" if ok is None else " good" if ok else " bad"
    listed = "".join(f"<br><span class='soft'>{escape(cause)}</span>" for cause in causes)
    return f"<p class='verdict{kind}'>{escape(text)}{listed}</p>"
