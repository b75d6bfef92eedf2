"""The samples that the page of a regression shows: the largest errors first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from snellen.report.thumbnails import kept
from snellen.run.examples import SCHEMA, Example, Examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.readers.targets import Targets

__all__ = ["examples_of"]


def examples_of(
    table: Targets,
    *,
    n: int,
    images: Callable[[str], bytes | None],
) -> tuple[Examples, dict[str, bytes]]:
    """Return the samples with the largest errors.

    Of several outputs each error counts in parts of the spread (standard deviation) of its true
    values, so that units do not decide.

    Parameters
    ----------
    table : Targets
        What the metric has absorbed.
    n : int
        How many samples at most.
    images : callable
        From the id of a sample to its image file, or None where it is missing.
    """
    error = table.pred - table.truth
    spread = np.ones(error.shape[1])
    rule = "the largest errors first"
    if error.shape[1] > 1:
        measured = table.truth.std(axis=0)
        spread = np.where(measured > 0, measured, 1.0)
        rule += ", each output in parts of its spread"
    badness = (np.abs(error) / spread).max(axis=1) if len(error) else np.zeros(0)
    ids = np.arange(len(error)) if table.sample_id is None else table.sample_id
    order = np.lexsort((ids, -badness))
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
                numbers={
                    f"error of {output}" if len(table.names) > 1 else "error": value
                    for output, value in zip(table.names, error[row].tolist(), strict=True)
                },
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


def _values(values: list[float]) -> str:
    return ", ".join(f"{value:.5g}" for value in values)
