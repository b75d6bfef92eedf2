"""Take a picture of a page in Chromium: python docs/pictures/page.py report.html picture.png.

With the selector of an element behind it, the page is scrolled there before, as by a reader.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1280, 1180
COLOURS = 256  # enough for flat colours, and a third of the bytes


def take(page: Path, selector: str | None = None) -> bytes:
    """Return what is seen of a page, as a PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce")
        tab.goto(page.resolve().as_uri())
        tab.wait_for_selector(".main-svg", state="attached")
        if selector is not None:
            tab.locator(selector).first.evaluate("each => each.scrollIntoView()")
        tab.wait_for_timeout(1500)
        taken: bytes = tab.screenshot()
        browser.close()
    seen = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS)
    out = io.BytesIO()
    seen.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(take(Path(sys.argv[1]), *sys.argv[3:4]))
