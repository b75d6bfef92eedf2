"""The page of a benchmark: one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from snellen.benchmark.pages.classes import class_table, confusions
from snellen.benchmark.pages.confidence import calibration
from snellen.benchmark.pages.images import disagreeing_images
from snellen.benchmark.pages.networks import left_out, networks, notes, settings, versions
from snellen.benchmark.pages.overview import head, picture, title
from snellen.benchmark.pages.pairs import pairs
from snellen.benchmark.pages.speeds import speeds
from snellen.benchmark.pages.tables import quality_table, speed_table
from snellen.report.markup import element, text
from snellen.report.style import style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snellen.benchmark.result import BenchmarkResult

__all__ = ["page"]


def page(
    result: BenchmarkResult,
    thumbnail: Callable[[int], bytes | None] | None = None,
    *,
    beside: Mapping[str, str] | None = None,
) -> str:
    """Return the page of a benchmark.

    It is one file that loads nothing. Its one script sorts tables; the page says by its digest that
    no other may run, whatever the data hold. It is light or dark as the reader's device is. What
    was not measured is left out.

    Parameters
    ----------
    result : BenchmarkResult
        What was found.
    thumbnail : callable, optional
        Of the position of an image in `BenchmarkResult.ids`: a small picture of it, as the bytes of
        a PNG, JPEG, GIF or WebP file, or None where there is none. It is called for 36 images at
        most; without, they are listed by name.
    beside : mapping of str to str, optional
        Of a page that `write_benchmark` writes: the folder of each network, as it is reached from
        the page. All files with numbers are linked.

    Returns
    -------
    str
        HTML, to be written as UTF-8.
    """
    own = files("snellen.benchmark.pages")
    script = own.joinpath("sorting.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    sections = (
        picture(result),
        quality_table(result),
        speed_table(result),
        speeds(result),
        pairs(result),
        disagreeing_images(result, thumbnail),
        class_table(result),
        confusions(result, beside or {}),
        calibration(result),
        networks(result),
        settings(result),
        notes(result),
        left_out(result),
    )
    looks = style() + own.joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{text(title(result))}: a benchmark</title>\n<style>{looks}</style>\n</head>\n"
        "<body>\n"
        + head(result, linked=beside is not None)
        + element("main", "\n".join(each for each in sections if each))
        + element("footer", versions(result))
        + f"\n<script>{script}</script>\n</body>\n</html>\n"
    )
