"""The gallery of a page: where a run errs most, with what is there and what was found."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import structs

from snellen.report.markup import element, text
from snellen.report.page_data import data_element
from snellen.run.examples import FoundObject, TrueObject

if TYPE_CHECKING:
    from snellen.report.run_view import RunView
    from snellen.run.examples import Example, Examples

__all__ = ["PICTURE_BYTES", "gallery", "has_images_of_cells"]

PICTURE_BYTES: Final = 5_500_000
"""How many bytes of pictures a page holds, of all its runs together."""

_KINDS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
_PATH: Final = re.compile(r"[MmLlHhVvZzCcSsQqTtAa0-9eE+\-., \n]*")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_MOST_COLOURS: Final = 40  # of more nobody can tell them apart
# Commands that have --examples.
_WITH_GALLERY: Final = frozenset(
    ("classification", "detection", "panoptic", "regression", "segmentation", "tracking")
)
# What is in the gallery, where it is not called an image.
_NOUNS: Final = {"classification": "samples", "regression": "samples", "tracking": "frames"}
_O = TypeVar("_O", TrueObject, FoundObject)


def gallery(view: RunView, place: str, *, at_most: int = PICTURE_BYTES) -> str:
    """Return the gallery of a run; the page's script draws it.

    Parameters
    ----------
    view : RunView
        The run.
    place : str
        What sets its identifiers apart.
    at_most : int
        How many bytes of pictures it may hold: images that have no room are listed without.
    """
    examples = view.examples
    if examples is None:
        return _how_to_get_it(view)
    if not examples.images:
        return element("p", text(examples.rule), class_="about")
    pictures, n_left_out, left_out = _pictures(view, at_most)
    said = [f"{examples.rule[:1].upper()}{examples.rule[1:]}."]
    if n_left_out:
        noun = _NOUNS.get(examples.task, "images")
        said.append(
            f"This page has room for {at_most / 1e6:.3g} MB of this run's pictures; those of "
            f"{n_left_out:,} of the {len(examples.images):,} {noun} are left out"
            + (", and linked." if view.folder is not None else " and lie in the run's examples/.")
        )
    return (
        element("p", text(" ".join(said)), class_="about")
        + _legend(examples, "outcomes", "colours of the map of errors")
        + _legend(examples, "colours", "colours of classes")
        + element("div", class_="gallery", data_source=f"{place}-gallery")
        + data_element(f"{place}-gallery", _content(examples, left_out, view.folder))
        + data_element(f"{place}-gallery-pictures", pictures)
    )


def _how_to_get_it(view: RunView) -> str:
    """Return, of a run that kept no images, how to keep some; empty where none can be kept."""
    command = view.record.command[:3]
    if command[:2] != ["snellen", "evaluate"] or command[-1] not in _WITH_GALLERY:
        return ""
    if command[-1] == "tracking" and "MOTA" not in view.record.metrics:
        return ""  # without CLEAR nothing says what is wrong
    said = (
        "This run kept no images. To see here where it errs most, evaluate again with --examples "
        "60 --images DIR, where DIR is the folder of the image files."
    )
    return element("p", text(said), class_="about")


def _legend(examples: Examples, key: str, about: str) -> str:
    """Return which colour is what, where pictures of label maps have colours."""
    colours = examples.about.get(key)
    if not isinstance(colours, dict):
        return ""
    items = [
        element("li", element("i", style=f"background:{colour}") + text(name))
        for name, colour in colours.items()
        if isinstance(colour, str) and _COLOUR.fullmatch(colour)
    ]
    shown, more = items[:_MOST_COLOURS], len(items) - _MOST_COLOURS
    if more > 0:
        shown.append(element("li", f"and {more:,} more"))
    return element("ul", "".join(shown), class_="classes", aria_label=about)


def has_images_of_cells(examples: Examples | None) -> bool:
    """Return whether a cell of the confusion matrix can be looked for in the gallery."""
    return examples is not None and bool(examples.images) and _kind(examples) != "plain"


def _pictures(view: RunView, at_most: int) -> tuple[dict[str, str], int, set[str]]:
    """Return the pictures that the page holds by their file's name, and those without room.

    Of the latter also how many images they are of. What is gone is not among them: a link to it
    would lead nowhere.
    """
    assert view.examples is not None
    found: dict[str, str] = {}
    left_out: set[str] = set()
    n_left_out = room = 0
    for example in view.examples.images:
        files = [file for file in (example.picture, *example.layers.values()) if file]
        data = {file: view.picture(file) for file in files if file not in found}
        uris = {file: _data_uri(content) for file, content in data.items() if content}
        size = sum(map(len, uris.values()))
        if room + size > at_most:
            n_left_out += 1
            left_out |= {file for file, uri in uris.items() if uri}
            continue
        room += size
        found |= {file: uri for file, uri in uris.items() if uri}
    return found, n_left_out, left_out - set(found)


def _data_uri(content: bytes) -> str:
    for start, kind in _KINDS:
        if content.startswith(start):
            return f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return ""  # no picture that every browser shows


def _content(examples: Examples, left_out: set[str], folder: str | None) -> dict[str, Any]:
    return {
        "task": examples.task,
        "kind": _kind(examples),
        "images_evaluated": examples.n_images,
        "threshold": examples.score_threshold,
        "folder": folder,
        "images": [_compact(example, left_out) for example in examples.images],
    }


def _kind(examples: Examples) -> str:
    """Return what the gallery is of: objects, labels of whole images, label maps, or neither."""
    if any(each.truth or each.found for each in examples.images):
        return "objects"
    if examples.task == "classification":
        return "labels"
    if any(each.pairs for each in examples.images):
        return "maps"
    return "plain"


def _compact(example: Example, left_out: set[str]) -> dict[str, Any]:
    made = structs.asdict(example)
    made["truth"] = [_object(each) for each in example.truth]
    made["found"] = [_object(each) for each in example.found]
    files = [file for file in (example.picture, *example.layers.values()) if file]
    if files and files[0] in left_out:
        made["missing"] = True
    return {name: value for name, value in made.items() if value not in ("", [], {})}


def _object(each: _O) -> _O:
    """Return an object with its places to a tenth of a pixel, which no picture shows."""
    return structs.replace(
        each,
        box=[round(value, 1) for value in each.box],
        keypoints=[[round(value, 1) for value in point] for point in each.keypoints],
        outline=each.outline if _PATH.fullmatch(each.outline) else "",
    )
