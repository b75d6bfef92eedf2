"""``snellen evaluate classification``: labels or scores of samples to a result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from snellen.cli.beside import Beside, example_options
from snellen.cli.number_types import RealRange
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import data_warnings_on_stderr, output_options

if TYPE_CHECKING:
    from snellen.cli.beside import Wanted
    from snellen.cli.output import Output

__all__ = ["classification"]


# What the readers call it, and what it is here.
_OPTIONS = {
    "label_column": "--label",
    "pred_column": "--prediction",
    "id_column": "--id",
    "score_columns": "--score",
    "weight_column": "--weight",
    "group_column": "--group",
    'missing="ignore"': "--missing ignore",
    "multilabel=True": "--multilabel",
    "multilabel=False": "--single-label",
    "positive=": "--positive ",
    "classes=": "--classes ",
    'scores="': '--scores "',
}


def _ks(_: click.Context, __: click.Parameter, text: str) -> tuple[int, ...]:
    """Read whole numbers from 1 with commas."""
    try:
        ks = tuple(int(part) for part in text.split(","))
    except ValueError:
        ks = (0,)
    if min(ks) < 1:
        raise click.BadParameter(f'expected whole numbers from 1, such as 1,5; got "{text}"')
    return ks


@click.command()
@click.argument("truth", type=click.Path())
@click.argument("predictions", type=click.Path(), required=False)
@click.option(
    "--classes",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="The classes, in the model's order: a name a line, or JSON. Other labels are refused.",
)
@click.option(
    "--scores",
    type=click.Choice(["probabilities", "logits", "any"]),
    default="probabilities",
    show_default=True,
    help="What scores are: probabilities that sum to 1; logits, taken through a softmax; or any "
    "numbers of which only the order counts.",
)
@click.option("--positive", metavar="CLASS", help="The positive class of a binary problem.")
@click.option("--id", "id_column", metavar="COLUMN", help="The ids that join both tables.")
@click.option("--label", "label_column", metavar="COLUMN", help="The labels in TRUTH.")
@click.option("--prediction", "pred_column", metavar="COLUMN", help="Labels in PREDICTIONS.")
@click.option(
    "--score",
    "score_columns",
    metavar="COLUMN",
    multiple=True,
    help="A column of scores; repeat it for each. [default: those called like a class]",
)
@click.option("--weight", metavar="COLUMN", help="How much each sample counts, in TRUTH.")
@click.option(
    "--group",
    metavar="COLUMN",
    help="What samples belong to that are not independent (a patient, a scene), in TRUTH: "
    "intervals and comparisons go by it.",
)
@click.option(
    "--missing",
    type=click.Choice(["error", "ignore"]),
    default="error",
    show_default=True,
    help="Whether ids that only one side has are an error, or left out and counted.",
)
@click.option(
    "--multilabel/--single-label",
    default=None,
    help="Whether a sample has a set of labels. [default: seen from the data]",
)
@click.option(
    "--threshold",
    type=RealRange(),
    default=0.5,
    show_default=True,
    help="Multilabel: the score from which on a label is predicted.",
)
@click.option("--top-k", "ks", callback=_ks, default="1,5", show_default=True, metavar="K[,K…]")
@click.option(
    "--beta",
    type=RealRange(min=0, min_open=True, max=1e6),
    default=1.0,
    show_default=True,
    help="Also F-beta: how much recall counts against precision.",
)
@click.option(
    "--absent-classes",
    type=click.Choice(["drop", "zero", "one"]),
    default="drop",
    show_default=True,
    help="What a class on neither side counts as in averages.",
)
@click.option(
    "--zero-division",
    type=click.Choice(["0", "1", "nan"]),
    default="0",
    show_default=True,
    help="What 0/0 of another class counts as in averages; nan leaves it out.",
)
@click.option(
    "--bins",
    type=click.IntRange(1, 1_000_000),
    default=15,
    show_default=True,
    help="Of the calibration error.",
)
@click.option(
    "--curve-bins",
    type=click.IntRange(2, 1_000_000),
    metavar="N",
    help="Curves at N thresholds, so that state.bin keeps counts and no scores. [default: exact]",
)
@example_options(default="TRUTH where it is a folder, else the folder images beside it")
@output_options
def classification(
    truth: str,
    predictions: str | None,
    classes: str | None,
    scores: str,
    positive: str | None,
    id_column: str | None,
    label_column: str | None,
    pred_column: str | None,
    score_columns: tuple[str, ...],
    weight: str | None,
    group: str | None,
    missing: str,
    multilabel: bool | None,
    threshold: float,
    ks: tuple[int, ...],
    beta: float,
    absent_classes: str,
    zero_division: str,
    bins: int,
    curve_bins: int | None,
    output: Output,
) -> None:
    """Labels, scores and calibration of predicted classes.

    TRUTH is a table (CSV, TSV, Parquet, JSON lines, NPZ, NPY) with a label for each sample, or a
    folder of images with a folder for each class. PREDICTIONS is a table with the predicted label,
    a score for each class, or both; without it, TRUTH holds both. Samples are joined by id, classes
    by name.
    """
    from snellen.classification.classification import Classification
    from snellen.classification.confusion_matrix_result import class_position
    from snellen.readers.labels import read_labels

    wanted: Any = positive
    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(_OPTIONS):
        read = read_labels(
            truth,
            predictions,
            classes=classes,
            id_column=id_column,
            label_column=label_column,
            pred_column=pred_column,
            score_columns=score_columns or None,
            weight_column=weight,
            group_column=group,
            scores=scores,  # type: ignore[arg-type]  # one of the choices
            positive=_as_id(positive),
            missing=missing,  # type: ignore[arg-type]  # one of the choices
            multilabel=multilabel,
        )
    if not output.quiet:
        for note in read.notes:
            click.echo(f"snellen: {note}", err=True)
    known = read.truth.classes
    if positive is not None:
        if not known.keys.is_text and positive not in known.names:
            wanted = _as_id(positive)
        class_position(wanted, known)  # says where there is no such class
    kind = scores if read.pred.score is not None else None
    if kind is None and read.pred.confidence is not None:
        kind = "confidences"
    asked = click.get_current_context().get_parameter_source("ks") is not ParameterSource.DEFAULT
    metric = Classification(
        known if classes is not None else None,
        multilabel=read.truth.member is not None,
        threshold=threshold,
        scores=kind,
        positive=wanted,
        beta=beta,
        absent_classes=absent_classes,
        zero_division=math.nan if zero_division == "nan" else float(zero_division),
        # Of the default's, those that all samples reach are left out.
        top_k=ks if asked else [k for k in ks if k < len(known)],
        bins=bins,
        curve_bins=curve_bins,
    )
    # Samples that are paired by position have it as their id, so that runs can be compared.
    named = read.truth if read.truth.sample_id is not None else read.truth.numbered()
    with in_words_of_options(_OPTIONS):
        metric.update(named, read.pred)
    output.check(metric)

    def beside(wanted: Wanted) -> Beside:
        if not wanted.n_examples:
            return Beside()
        from snellen.report.classification.examples import examples_of

        examples, pictures = examples_of(
            named, read.pred, metric, n=wanted.n_examples, images=wanted.images
        )
        return Beside(examples=examples, pictures=pictures)

    # A folder of images is truth and pictures in one.
    output.with_images_beside(truth, folder_is_images=True).deliver(metric, beside=beside)


def _as_id(text: str | None) -> int | str | None:
    """Return a whole number as one."""
    if text is None:
        return None
    return int(text) if text.removeprefix("-").isdecimal() else text
