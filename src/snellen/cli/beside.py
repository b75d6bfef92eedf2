"""What a run folder gets beside state and result: for its page, and images with what was found."""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from snellen.cli.path_options import not_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from snellen.cli.picture_folder import PictureFolder
    from snellen.metric import StoredMetric
    from snellen.result import Result
    from snellen.run.examples import Examples

__all__ = [
    "Beside",
    "ExampleOptions",
    "Wanted",
    "example_options",
]

# So many images a page shows that nobody said a number for.
_OF_A_PAGE: Final = 60
_BESIDE_TRUTH: Final = "the folder images beside TRUTH"


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
    files : mapping of str to bytes
        Further files, by name: such as those of another toolkit.
    """

    states: Mapping[str, StoredMetric[Result]] = MappingProxyType({})
    examples: Examples | None = None
    pictures: Mapping[str, bytes] = MappingProxyType({})
    files: Mapping[str, bytes] = MappingProxyType({})


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

    def number(self, *, report: bool) -> int:
        """Return how many are wanted; with a page some are, unless their number is 0."""
        return self.n if self.n is not None else _OF_A_PAGE if report else 0

    def refuse_unused(self, directory: str | None, *, report: bool) -> None:
        """Refuse options that would say nothing of a command that writes to a folder, or to none.

        Raises
        ------
        UsageError
            For examples without a folder, and for the folder of image files without examples.
        """
        if directory is None and self.n:
            raise click.UsageError("expected --out DIR with --examples: they are written there.")
        if self.images is None:
            return
        if directory is None:
            raise click.UsageError("expected --out DIR with --images: thumbnails go there.")
        if not self.number(report=report):
            raise click.UsageError(
                "expected --examples N or --report with --images: it says where their image files "
                "are."
            )


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
        """Return what is wanted by options, with or without a page."""
        from snellen.cli.picture_folder import PictureFolder

        return cls(report, options.number(report=report), PictureFolder(options.images))


def example_options(
    command: Callable[..., None] | None = None,
    *,
    images: bool = True,
    default: str = _BESIDE_TRUTH,
) -> Callable[..., Any]:
    """Give a command ``--examples`` and ``--images``, handed in as `examples`.

    Parameters
    ----------
    command : callable
        Which has the options of `output_options` already.
    images : bool
        Whether it gets ``--images``: a command may have one of its own.
    default : str
        Where images are looked for without ``--images``, in words.
    """
    if command is None:
        return functools.partial(example_options, images=images, default=default)

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
        f"missing. [default: {default}]",
    )

    @functools.wraps(command)
    def with_examples(
        n_examples: int | None, image_folder: str | None = None, **arguments: Any
    ) -> None:
        command(examples=ExampleOptions(n_examples, image_folder), **arguments)

    return number(where(with_examples) if images else with_examples)
