"""``snellen evaluate regression``: tables of numbers to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from snellen.cli.beside import Beside, example_options
from snellen.cli.number_types import RealRange
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import data_warnings_on_stderr, output_options

if TYPE_CHECKING:
    from snellen.cli.beside import Wanted
    from snellen.cli.output import Output

__all__ = ["regression"]


# What the reader calls it, and what it is here.
_OPTIONS = {
    "id_column": "--id",
    "target_columns": "--target",
    "pred_columns": "--prediction",
    "weight_column": "--weight",
    "group_column": "--group",
    'missing="ignore"': "--missing ignore",
}


def _levels(_: click.Context, __: click.Parameter, text: str | None) -> tuple[float, ...]:
    """Read levels between 0 and 1 with commas."""
    if text is None:
        return ()
    try:
        levels = tuple(float(part) for part in text.split(","))
    except ValueError:
        levels = (0.0,)
    if not all(0 < level < 1 for level in levels) or len(set(levels)) != len(levels):
        raise click.BadParameter(f'expected levels between 0 and 1, such as 0.1,0.9; got "{text}"')
    return levels


def _power(_: click.Context, __: click.Parameter, power: float | None) -> float | None:
    if power is not None and (0 < power < 1 or not abs(power) < float("inf")):
        raise click.BadParameter(f"expected a number up to 0 or from 1, got {power:g}")
    return power


_POSITIVE = RealRange(min=0, min_open=True, max=1e300)


@click.command()
@click.argument("truth", type=click.Path())
@click.argument("predictions", type=click.Path(), required=False)
@click.option("--id", "id_column", metavar="COLUMN", help="The ids that join the two tables.")
@click.option(
    "--target",
    "targets",
    metavar="COLUMN",
    multiple=True,
    help="A column of TRUTH to be predicted; repeat it for several outputs. [default: one called "
    "target, truth, y, …, else all columns of numbers]",
)
@click.option(
    "--prediction",
    "predicted",
    metavar="COLUMN",
    multiple=True,
    help="The column of PREDICTIONS for each --target, in their order. [default: those of the same "
    "names, or with pred_ before or _pred behind]",
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
    help="Whether ids that only one table has are an error or left out and counted.",
)
@click.option(
    "--quantiles", callback=_levels, metavar="LEVEL[,…]", help="Pinball loss at these levels."
)
@click.option(
    "--huber-delta",
    type=_POSITIVE,
    default=1.0,
    show_default=True,
    help="Where Huber's loss turns from quadratic to linear.",
)
@click.option(
    "--tweedie-power",
    type=float,
    callback=_power,
    help="A further deviance, of this power; not between 0 and 1.",
)
@click.option(
    "--mape-epsilon",
    type=_POSITIVE,
    help="What relative errors divide by where the truth is smaller. [default: MAPE is undefined "
    "where a truth is 0]",
)
@click.option(
    "--force-finite",
    is_flag=True,
    help="Let R² of a constant truth be 1 or 0 (exact or not), as scikit-learn does.",
)
@example_options
@output_options
def regression(
    truth: str,
    predictions: str | None,
    id_column: str | None,
    targets: tuple[str, ...],
    predicted: tuple[str, ...],
    weight: str | None,
    group: str | None,
    missing: Literal["error", "ignore"],
    quantiles: tuple[float, ...],
    huber_delta: float,
    tweedie_power: float | None,
    mape_epsilon: float | None,
    force_finite: bool,
    output: Output,
) -> None:
    """Errors, fit and rank correlation of predicted numbers.

    TRUTH and PREDICTIONS are tables (CSV, TSV, Parquet, JSON lines, NPZ) with one row a sample,
    joined by id; without PREDICTIONS both are columns of TRUTH.
    """
    if predicted and len(predicted) != len(targets):
        raise click.UsageError(
            f"expected a --prediction for each --target, got {len(predicted)} for {len(targets)}."
        )
    import numpy as np

    from snellen.readers.targets import read_targets
    from snellen.regression.regression import Regression

    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(_OPTIONS):
        table = read_targets(
            truth,
            predictions,
            id_column=id_column,
            target_columns=targets or None,
            pred_columns=predicted or None,
            weight_column=weight,
            group_column=group,
            missing=missing,
        )
    if not output.quiet:
        for note in table.notes:
            click.echo(f"snellen: {note}", err=True)
    metric = Regression(
        table.names,
        keep_samples=True,
        huber_delta=huber_delta,
        quantiles=quantiles,
        tweedie_power=tweedie_power,
        mape_epsilon=mape_epsilon,
        force_finite=force_finite,
    )
    output.check(metric)
    # Samples that are paired by position have it as their id, so that runs can be compared.
    ids = table.sample_id
    metric.update(
        table.truth,
        table.pred,
        weight=table.weight,
        sample_id=np.arange(len(table.truth)) if ids is None else ids,
        group=table.group,
    )

    def beside(wanted: Wanted) -> Beside:
        if not wanted.n_examples:
            return Beside()
        from snellen.report.regression.examples import examples_of

        examples, pictures = examples_of(
            table, metric.compute(), n=wanted.n_examples, images=wanted.images
        )
        return Beside(examples=examples, pictures=pictures)

    output.with_images_beside(truth).deliver(metric, beside=beside)
