"""Images on which networks disagree, on a benchmark's page."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from snellen.benchmark.disagreements import joint_predictions
from snellen.benchmark.pages.tables import short
from snellen.report.markup import element, table, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from snellen.benchmark.result import BenchmarkResult

    Thumbnail = Callable[[int], bytes | None]

__all__ = ["disagreeing_images"]

_OF_MANY, _OF_PAIR = 12, 6
_LINES = 4
_CLASS = 26  # letters
_NAMED = 6  # networks: of more they are counted
_KINDS = {b"\x89PNG": "png", b"\xff\xd8": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}
_SMALL = 96  # pixels: below they are shown as squares


def disagreeing_images(result: BenchmarkResult, thumbnail: Thumbnail | None) -> str:
    """Return the images that say most of the networks, with what each network saw."""
    found = result.disagreements
    names, predicted = joint_predictions(result.models)
    shown = _Images(result, thumbnail, names, predicted)
    many = len(result.models) > 1
    best, second = short(found.best, 40), short(found.second, 40)
    parts = []
    if found.wrong_together:
        heading = "All are wrong, and agree" if many else "Wrong, and sure"
        said = "Look at the labels first: they may be what is wrong." if many else ""
        parts.append(shown.section(heading, said, found.wrong_together[:_OF_MANY]))
    if found.divided:
        said = "The fewest pairs of networks agree on these."
        parts.append(shown.section("The most divided", said, found.divided[:_OF_MANY]))
    for rows, right, wrong in (
        (found.only_best, best, second),
        (found.only_second, second, best),
    ):
        if rows:
            heading = f"Only {right} is right, not {wrong}"
            parts.append(shown.section(heading, "", rows[:_OF_PAIR]))
    if not parts:
        return ""
    return element("h2", "Where they disagree" if many else "What went wrong") + "".join(parts)


class _Images:
    def __init__(
        self,
        result: BenchmarkResult,
        thumbnail: Thumbnail | None,
        names: Sequence[str],
        predicted: NDArray[np.int64],
    ) -> None:
        self._result, self._thumbnail = result, thumbnail
        self._names, self._predicted = names, predicted

    def section(self, heading: str, said: str, rows: Sequence[int]) -> str:
        """Return some images with a heading, which is markup."""
        begin = element("h3", heading) + (element("p", said, class_="soft") if said else "")
        if self._thumbnail is None:
            body = [
                [
                    element("code", text(self._result.ids[row])),
                    text(self._truth(row)),
                    element("td", self._seen(row), class_="seen"),
                ]
                for row in rows
            ]
            return begin + table(["image", "true", "predicted"], body, left=3)
        data = [self._thumbnail(row) for row in rows]
        figures = [
            element("figure", _picture(each, str(self._result.ids[row])) + self._caption(row))
            for row, each in zip(rows, data, strict=True)
        ]
        photos = any(each is not None and not _is_small(each) for each in data)
        return begin + element(
            "div", "".join(figures), class_="images photos" if photos else "images"
        )

    def _truth(self, row: int) -> str:
        return str(self._result.classes[self._result.truth[row]])

    def _caption(self, row: int) -> str:
        caption = (
            element("b", short(self._truth(row), _CLASS), title=self._truth(row))
            + self._seen(row)
            + element(
                "small", text(self._result.ids[row]), class_="id", title=self._result.ids[row]
            )
        )
        return element("figcaption", caption)

    def _seen(self, row: int) -> str:
        """Return the predicted classes, most frequent first, each with who predicted it."""
        who: dict[int, list[str]] = {}
        for model, place in zip(self._result.models, self._predicted[:, row].tolist(), strict=True):
            who.setdefault(place, []).append(model.name)
        few = len(self._result.models) <= _NAMED
        lines = []
        for place, models in sorted(who.items(), key=lambda each: (-len(each[1]), each[0])):
            right = place == self._result.truth[row]
            by = ", ".join(short(name, 24) for name in models) if few else f"× {len(models)}"
            if len(models) == len(self._result.models) > 1:
                by = "all"
            told = element(
                "span", short(self._names[place], _CLASS), class_="right" if right else "wrong"
            )
            told += f": {by}" if len(self._result.models) > 1 else ""
            lines.append(element("small", told, title=f"{self._names[place]}: {', '.join(models)}"))
        return "".join(lines[:_LINES]) + (element("small", "…") if len(lines) > _LINES else "")


def _picture(data: bytes | None, name: str) -> str:
    if data is None:
        return element("div", "no picture", class_="missing")
    kind = next((kind for begin, kind in _KINDS.items() if data.startswith(begin)), "png")
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    # An image element has no end.
    return element("img", src=source, alt=name, loading="lazy").removesuffix("</img>")


def _is_small(data: bytes) -> bool:
    """Return whether it is a PNG of a few pixels, which are shown as such."""
    if not data.startswith(b"\x89PNG") or len(data) < 24:
        return False
    return max(int.from_bytes(data[k : k + 4], "big") for k in (16, 20)) < _SMALL
