"""Pairs of images side by side, in one picture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, MissingExtraError
from snellen.splits.image_hash import HASH_BITS, upright
from snellen.table_text import number, printable

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from snellen.splits.leaks import DuplicatePair

__all__ = ["draw_contact_sheet"]

_IMAGE = (220, 165)  # the room of one image
_GAP = 4  # between the two of a pair
_MARGIN = 16  # around a pair
_LINE = 16
_FONT_SIZE = 12
_COLUMNS = 3
_PAPER, _INK, _FAINT, _FRAME = "#ffffff", "#1b1b1b", "#6a6a6a", "#d8d8d8"
_EXACT, _NEAR = "#b3261e", "#8a5a00"


def draw_contact_sheet(
    pairs: Sequence[DuplicatePair],
    paths: Mapping[str, str | os.PathLike[str]],
    *,
    limit: int = 60,
) -> bytes:
    """Draw pairs side by side, under each its distance, parts and keys.

    Parameters
    ----------
    pairs : sequence of DuplicatePair
        In the order in which they are drawn.
    paths : mapping of str to path
        Where the image of each key lies.
    limit : int
        The most pairs that are drawn; the sheet says how many there are.

    Returns
    -------
    bytes
        A PNG file.

    Raises
    ------
    InputError
        For a limit below 1.
    MissingExtraError
        Where Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise MissingExtraError("pillow", "report") from None
    if limit < 1:
        raise InputError(f"expected at least one pair, got {limit}", "limit")

    shown = pairs[:limit]
    tile = (2 * _IMAGE[0] + _GAP + _MARGIN, _IMAGE[1] + 3 * _LINE + _MARGIN)
    n_columns = max(1, min(_COLUMNS, len(shown)))
    n_rows = -(-len(shown) // n_columns)
    head = _MARGIN + 2 * _LINE
    size = (n_columns * tile[0] + _MARGIN, head + n_rows * tile[1] + _MARGIN)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)

    def write(x: int, y: int, text: str, colour: str, width: int) -> None:
        # The font that comes with Pillow has no other scripts.
        text = printable(text).encode("ascii", "backslashreplace").decode()
        while draw.textlength(text, font=font) > width:
            # The end of a path says more than its beginning.
            text = "..." + text.removeprefix("...")[1:]
        draw.text((x, y), text, fill=colour, font=font)

    of_all = "" if len(shown) == len(pairs) else f" of {number(len(pairs))}"
    title = f"{len(shown)}{of_all} pairs, the most alike first" if pairs else "no pairs"
    write(_MARGIN, _MARGIN, title, _INK, size[0] - 2 * _MARGIN)
    for place, pair in enumerate(shown):
        left = _MARGIN + place % n_columns * tile[0]
        top = head + place // n_columns * tile[1]
        for side, key, part in ((0, pair.key, pair.part), (1, pair.other, pair.other_part)):
            x = left + side * (_IMAGE[0] + _GAP)
            draw.rectangle((x, top, x + _IMAGE[0] - 1, top + _IMAGE[1] - 1), outline=_FRAME)
            _paste(sheet, paths[key], (x, top), Image)
            write(x, top + _IMAGE[1] + _LINE + 2, part, _INK, _IMAGE[0])
            write(x, top + _IMAGE[1] + 2 * _LINE, key, _FAINT, _IMAGE[0])
        apart = "equal files" if pair.exact else f"{pair.distance} of {HASH_BITS} bits apart"
        colour = _EXACT if pair.exact else _NEAR
        write(left, top + _IMAGE[1] + 3, apart, colour, tile[0] - _MARGIN)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _paste(sheet: Any, path: str | os.PathLike[str], corner: tuple[int, int], pillow: Any) -> None:
    """Put an image into its room; one that cannot be read (but equals another) leaves it empty."""
    try:
        with pillow.open(path) as image:
            image.draft("RGB", (2 * _IMAGE[0], 2 * _IMAGE[1]))
            small = upright(image).convert("RGB")
            small.thumbnail((_IMAGE[0] - 2, _IMAGE[1] - 2))
    # What a broken file makes a decoder raise is anybody's guess.
    except Exception:
        return
    x = corner[0] + (_IMAGE[0] - small.width) // 2
    y = corner[1] + (_IMAGE[1] - small.height) // 2
    sheet.paste(small, (x, y))
