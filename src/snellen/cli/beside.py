"""What a run folder gets beside state and result: for its page, and images with what was found."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from snellen.cli.path_options import not_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.examples import Examples

__all__ = [
    "Beside",
    "ExampleOptions",
    "PictureFolder",
    "Wanted",
    "example_options",
    "folder_of_images",
]

# So many images a page shows that nobody said a number for.
_OF_A_PAGE: Final = 60
# What is larger is no picture of a data set; it would be read whole.
_MOST_BYTES: Final = 256 << 20
_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")


class Beside(NamedTuple):
    """What an evaluation gives beside its metric.

    Attributes
    ----------
    states : mapping of str to StoredMetric
        States of further diagnoses by name, for the page.
    examples : Examples or None
        Images with what is there and what was found.
    pictures : mapping of str to bytes
        The pictures that the examples name.
    """

    states: Mapping[str, StoredMetric[Result]] = MappingProxyType({})
    examples: Examples | None = None
    pictures: Mapping[str, bytes] = MappingProxyType({})


class PictureFolder:
    """The image files that thumbnails are made from.

    Parameters
    ----------
    place : path or None
        The folder where they are, or a text that lists them; None: nowhere.

    Attributes
    ----------
    missing : list of str
        Names that were asked for and not found.
    """

    def __init__(self, place: str | Path | None) -> None:
        folder = None if place is None else Path(place)
        if folder is not None and folder.is_file():
            folder = folder.parent
        self._folder = None if folder is None else folder.resolve()
        self._by_name: dict[str, Path] | None = None
        self.missing: list[str] = []

    def __call__(self, name: str) -> bytes | None:
        """Return the file of a name, of its last part, or of that without an ending, if any."""
        found = self._found(name)
        data = None if found is None else _read(found)
        if data is None:
            self.missing.append(name)
        return data

    def _found(self, name: str) -> Path | None:
        if self._folder is None or not name or "\0" in name:
            return None
        path = (self._folder / name).resolve()
        # A name from data leads nowhere else.
        if path.is_relative_to(self._folder) and path.is_file():
            return path
        if self._by_name is None:
            self._by_name = _by_name(self._folder)
        last = name.replace("\\", "/").rpartition("/")[2]
        return self._by_name.get(last)


def _by_name(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder by name, and by name without ending, where one has it."""
    found: dict[str, Path] = {}
    several: set[str] = set()
    for home, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(_ENDINGS):
                path = Path(home, name)
                for called in (name, path.stem):
                    if found.setdefault(called, path) != path:
                        several.add(called)
    # Which of them is meant is not to be known, and another picture is worse than none.
    return {name: path for name, path in found.items() if name not in several}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except OSError:
        return None


class ExampleOptions(NamedTuple):
    """What options say of images on a page.

    Attributes
    ----------
    n : int or None
        How many; None: nothing was said.
    images : str or None
        The folder of the image files.
    """

    n: int | None = None
    images: str | None = None


class Wanted(NamedTuple):
    """What is wanted beside the metric.

    Attributes
    ----------
    states : bool
        Whether states of further diagnoses are: for a page.
    n_examples : int
        How many images.
    images : PictureFolder
        Where their files are.
    """

    states: bool
    n_examples: int
    images: PictureFolder

    @classmethod
    def of(cls, options: ExampleOptions, *, report: bool) -> Wanted:
        """Return what is wanted by options; with a page images are, unless their number is 0."""
        n = options.n if options.n is not None else _OF_A_PAGE if report else 0
        return cls(report, n, PictureFolder(options.images))


def example_options(
    command: Callable[..., None] | None = None, *, images: bool = True
) -> Callable[..., Any]:
    """Give a command ``--examples`` and ``--images``, handed in as `examples`.

    Parameters
    ----------
    command : callable
        Which has the options of `output_options` already.
    images : bool
        Whether it gets ``--images``: a command may have one of its own.
    """
    if command is None:
        return functools.partial(example_options, images=images)

    number = click.option(
        "--examples",
        "n_examples",
        type=click.IntRange(0, 2_000),
        metavar="N",
        help="Keep the N worst images for pages, with what is there and what was found, in "
        "DIR/examples. [default: 0; 60 with --report]",
    )
    where = click.option(
        "--images",
        "image_folder",
        metavar="DIR",
        type=click.Path(file_okay=False),
        callback=not_empty,
        help="The folder of the image files, for --examples; a grey tile stands for one that is "
        "missing. [default: the folder images beside TRUTH; TRUTH where it is one of images]",
    )

    @functools.wraps(command)
    def with_examples(
        n_examples: int | None, image_folder: str | None = None, **arguments: Any
    ) -> None:
        command(examples=ExampleOptions(n_examples, image_folder), **arguments)

    return number(where(with_examples) if images else with_examples)


def folder_of_images(given: str | None, truth: str, *, itself: bool = False) -> str | None:
    """Return the folder of image files: the given one, truth itself, or that beside truth."""
    if given is not None:
        return given
    path = Path(truth)
    if itself and path.is_dir():
        return truth
    beside = path.parent / "images"
    return str(beside) if beside.is_dir() else None
