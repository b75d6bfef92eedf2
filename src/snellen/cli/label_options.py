"""The options of commands that read folders of label images."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from snellen.cli.limit_options import max_pixels_option, threads_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from snellen.cli.output import Output
    from snellen.readers.class_maps import LabelMapReader
    from snellen.readers.label_counts import CountedLabels
    from snellen.readers.label_encodings import Encodings
    from snellen.readers.label_pairs import LabelPairs
    from snellen.segmentation.label_scheme import LabelScheme

__all__ = ["LabelInput", "label_options"]

# What notes call it, and what it is here.
_OPTIONS: Final = {
    "reduce_zero_label": "--reduce-zero-label",
    "say what truth is": "say --truth-encoding",
    "say what predictions are": "say --prediction-encoding",
}


class LabelInput(NamedTuple):
    """Where label images lie, and what their values mean."""

    truth: str
    predictions: str | None
    classes: str | None
    ignore_index: tuple[int, ...] | None
    reduce_zero_label: bool
    truth_encoding: str | None
    pred_encoding: str | None
    missing: str
    unknown: str
    max_pixels: int | None
    threads: int | None

    def scheme(self) -> LabelScheme:
        """Return the classes; encodings that they lack are refused before files are read."""
        from snellen.errors import InputError
        from snellen.readers.label_scheme_file import read_label_scheme

        scheme = read_label_scheme(
            self.classes,
            ignore_index=self.ignore_index,
            reduce_zero_label=self.reduce_zero_label,
        )
        for option, name in (
            ("--truth-encoding", self.truth_encoding),
            ("--prediction-encoding", self.pred_encoding),
        ):
            if name is not None:
                try:
                    scheme.encoding(name)
                except InputError as error:
                    raise InputError(error.message, option) from error
        return scheme

    def files(self, output: Output) -> LabelPairs:
        """Return the pairs of files; a run takes those down that a list names."""
        from snellen.readers.label_pairs import find_pairs

        missing: Any = self.missing  # one of the choices
        found = find_pairs(self.truth, self.predictions, missing=missing)
        if self.predictions is None:
            output.also_reads("truth-images", found.truth)
            output.also_reads("prediction-images", found.pred)
        return found

    def maps(self, files: LabelPairs, scheme: LabelScheme, *, quiet: bool) -> LabelMapReader:
        """Return what reads pairs of files as maps of class ids.

        All files are read once to see what their values mean: that is soon done, and what looks at
        shapes takes longer by far.
        """
        from snellen.readers.class_maps import LabelMapReader

        counted = self.counted(files, scheme)
        encodings = self.encodings(counted, files, scheme, quiet=quiet)
        return LabelMapReader(files, encodings, scheme.classes, **self.limits())

    def counted(
        self, files: LabelPairs, scheme: LabelScheme, *, instances: Sequence[Path] | None = None
    ) -> CountedLabels:
        """Return how often each pair of values occurs in each pair of files."""
        from snellen.readers.label_counts import count_label_files

        return count_label_files(
            files,
            scheme,
            truth=self.truth_encoding,
            pred=self.pred_encoding,
            instances=instances,
            **self.limits(),
        )

    def encodings(
        self, counted: CountedLabels, files: LabelPairs, scheme: LabelScheme, *, quiet: bool
    ) -> Encodings:
        """Return what values mean, and say what was chosen."""
        from snellen.readers.label_encodings import encodings_of

        found = encodings_of(
            counted,
            files,
            scheme,
            truth=self.truth_encoding,
            pred=self.pred_encoding,
            unknown=self.unknown,
            void_said=self.ignore_index is not None,
        )
        if not quiet:
            for note in (*scheme.notes, *files.notes, *found.notes):
                click.echo(f"snellen: {_in_words_of_options(note)}", err=True)
        return found

    def limits(self) -> dict[str, Any]:
        """Return what readers take as limits."""
        return {} if self.max_pixels is None else {"max_pixels": self.max_pixels}

    def set_threads(self) -> None:
        """Let kernels and readers use so many threads."""
        from snellen.threads import set_threads

        set_threads(self.threads)


def _in_words_of_options(note: str) -> str:
    for words, option in _OPTIONS.items():
        note = note.replace(words, option)
    return note


def label_options(
    command: Callable[..., None] | None = None, *, classes_required: bool = True
) -> Callable[..., Any]:
    """Give a command TRUTH, PREDICTIONS and the options of `LabelInput`, handed in as `labels`."""
    if command is None:
        return functools.partial(label_options, classes_required=classes_required)

    @click.argument("truth", type=click.Path())
    @click.argument("predictions", type=click.Path(), required=False)
    @click.option(
        "--classes",
        required=classes_required,
        metavar="NAME|FILE",
        help="The classes: cityscapes, voc, ade20k, camvid, camvid-32, coco-stuff; or a file with "
        "a name a line (ids 0, 1, …), or JSON with ids, names, colours.",
    )
    @click.option(
        "--ignore-index",
        type=int,
        multiple=True,
        metavar="ID",
        help="Pixels with this id in truth do not count; may be repeated. [default: what the "
        "classes say; 255 where a file says nothing of it]",
    )
    @click.option(
        "--reduce-zero-label",
        is_flag=True,
        help="Id 0 is void, and every other id is one more than its class.",
    )
    @click.option(
        "--truth-encoding",
        metavar="NAME",
        help="What values in TRUTH are, such as labelIds or trainIds. [default: recognised, said]",
    )
    @click.option(
        "--prediction-encoding",
        "pred_encoding",
        metavar="NAME",
        help="What values in PREDICTIONS are. [default: recognised, said]",
    )
    @click.option(
        "--missing",
        type=click.Choice(["error", "ignore"]),
        default="error",
        show_default=True,
        help="Whether images that one side lacks are an error, or left out and counted.",
    )
    @click.option(
        "--unknown",
        type=click.Choice(["error", "ignore"]),
        default="error",
        show_default=True,
        help="Whether ids and colours outside the classes are an error, or void and counted.",
    )
    @max_pixels_option
    @threads_option
    @functools.wraps(command)
    def with_labels(
        truth: str,
        predictions: str | None,
        classes: str | None,
        ignore_index: tuple[int, ...],
        reduce_zero_label: bool,
        truth_encoding: str | None,
        pred_encoding: str | None,
        missing: str,
        unknown: str,
        max_pixels: int | None,
        threads: int | None,
        **arguments: Any,
    ) -> None:
        labels = LabelInput(
            truth,
            predictions,
            classes,
            ignore_index or None,
            reduce_zero_label,
            truth_encoding,
            pred_encoding,
            missing,
            unknown,
            max_pixels,
            threads,
        )
        command(labels=labels, **arguments)

    return with_labels
