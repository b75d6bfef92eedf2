"""Draw what a command prints as an SVG: python docs/pictures/terminal.py COMMAND… > picture.svg.

Plain text in a box, nothing fetched, dark and light alike.
"""

from __future__ import annotations

import subprocess
import sys
from html import escape

CHARACTER, LINE, MARGIN = 7.8, 18, 16


def draw(command: list[str], text: str) -> str:
    """Return the picture of a command and its output."""
    lines = [f"$ {' '.join(command)}", *text.rstrip().splitlines()]
    width = MARGIN * 2 + CHARACTER * max(map(len, lines))
    height = MARGIN * 2 + LINE * len(lines)
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE * (i + 0.75):g}" '
        f'fill="{"#7ee787" if i == 0 else "#e6edf3"}">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'width="{width:g}" height="{height:g}" font-size="13" xml:space="preserve" '
        'font-family="ui-monospace, Menlo, Consolas, monospace">\n'
        f"<title>{escape(lines[0][2:])}</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n{rows}\n</svg>\n'
    )


if __name__ == "__main__":
    printed = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=True).stdout
    sys.stdout.write(draw(sys.argv[1:], printed))
