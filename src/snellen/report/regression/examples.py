"""The samples that the page of a regression shows: the largest errors first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from snellen.report.thumbnails import kept
from snellen.run.examples import SCHEMA, Example, Examples
from snellen.run.id_order import id_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from snellen.readers.targets import Targets
    from snellen.regression.result import RegressionResult

__all__ = ["counted_anew", "examples_of"]


def examples_of(
    table: Targets,
    result: RegressionResult,
    *,
    n: int,
    images: Callable[[str], bytes | None],
) -> tuple[Examples, dict[str, bytes]]:
    """Return the samples with the largest errors.

    Of several outputs each error counts in parts of the mean absolute error of its output, so that
    units do not decide.

    Parameters
    ----------
    table : Targets
        What the metric has absorbed.
    result : RegressionResult
        What it gave.
    n : int
        How many samples at most.
    images : callable
        From the id of a sample to its image file, or None where it is missing.
    """
    error = table.pred - table.truth
    scale, rule = _scale(result)
    badness = (np.abs(error) / scale).max(axis=1) if len(error) else np.zeros(0)
    ids = np.arange(len(error)) if table.sample_id is None else table.sample_id
    order = np.lexsort((*id_keys(ids), -badness))
    order = order[badness[order] > 0][:n]
    pictures: dict[str, bytes] = {}
    found = []
    for place, row in enumerate(order.tolist()):
        name = str(ids[row])
        picture = kept(pictures, images, place, name)
        found.append(
            Example(
                id=name,
                name=name,
                width=picture.width,
                height=picture.height,
                picture=picture.file,
                label=_values(table.truth[row].tolist()),
                predicted=_values(table.pred[row].tolist()),
                numbers=dict(zip(_errors(table.names), error[row].tolist(), strict=True)),
                badness=float(badness[row]),
            )
        )
    return (
        Examples(
            schema=SCHEMA,
            task="regression",
            rule=f"{len(found):,} of {len(error):,} samples, {rule}",
            n_images=len(error),
            images=found,
            order=rule,
            at_most=n,
            about={"outputs": list(table.names)},
        ),
        pictures,
    )


def counted_anew(result: RegressionResult) -> Callable[[Examples], Examples] | None:
    """Return what measures the errors of examples by a result of more samples.

    None of one output: its errors are what they are.
    """
    if len(result.outputs) < 2:
        return None
    scale, rule = _scale(result)
    parts = dict(zip(_errors(result.outputs), scale.tolist(), strict=True))

    def measured(image: Example) -> Example:
        errors = [abs(image.numbers[name]) / parts[name] for name in parts if name in image.numbers]
        return msgspec.structs.replace(image, badness=max(errors, default=image.badness))

    def counted(examples: Examples) -> Examples:
        return msgspec.structs.replace(
            examples, images=[measured(image) for image in examples.images], order=rule
        )

    return counted


def _scale(result: RegressionResult) -> tuple[NDArray[np.float64], str]:
    """Return what the error of each output is divided by, and what comes first, in words."""
    rule = "the largest errors first"
    mean = result.values["mae"]
    if len(mean) < 2:
        return np.ones(len(mean)), rule
    return np.where(mean > 0, mean, 1.0), f"{rule}, each output in parts of its mean absolute error"


def _errors(outputs: Sequence[str]) -> list[str]:
    """Return what the errors of outputs are called."""
    return [f"error of {each}" for each in outputs] if len(outputs) > 1 else ["error"]


def _values(values: list[float]) -> str:
    return ", ".join(f"{value:.5g}" for value in values)
