"""What a benchmark found: networks side by side, on the same images."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.benchmark.class_text import class_text
from snellen.benchmark.disagreements import (
    ClassSpread,
    Disagreements,
    class_spreads,
    disagreements,
    joint_predictions,
)
from snellen.benchmark.measured_model import MeasuredModel, measured_model
from snellen.benchmark.model_csv import csv_text
from snellen.benchmark.pareto import front
from snellen.benchmark.result_rows import FPS_KINDS, columns, fps_of, row
from snellen.benchmark.result_text import benchmark_text
from snellen.benchmark.significance import compared
from snellen.errors import InputError, did_you_mean
from snellen.presented import Presented

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.displays.tables import TextTable
    from snellen.statistics import Comparison

__all__ = ["BenchmarkResult", "MeasuredModel", "measured_model"]

SCHEMA = "snellen.benchmark-result/1"
# Of more classes a matrix of each network is no reading: it has a table of its own.
_MATRIX = 100


@dataclasses.dataclass(frozen=True, eq=False)
class BenchmarkResult(Presented):
    """Networks that were measured on the same images.

    Parameters
    ----------
    models : sequence of MeasuredModel
        In the order they were named.
    ids : sequence of str
        Of N images.
    truth : ndarray of int64, shape (N,)
        Positions in `classes`.
    classes : sequence of str
        Of the images.
    data, settings, machine : mapping
        Where the images come from, what was asked for, what it was measured on: plain values.
    left_out : sequence of (str, str)
        Images that are not in `ids`, and why.
    notes : sequence of str
        What people should know.
    level : float
        The confidence of what is claimed.
    """

    models: Sequence[MeasuredModel]
    ids: Sequence[str]
    truth: NDArray[np.int64]
    classes: Sequence[str]
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    machine: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    left_out: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        names = [model.name for model in self.models]
        if not names or len(set(names)) != len(names):
            raise InputError(f"expected networks of different names, got {names}", "models")
        for model in self.models:
            if len(model.predicted) != len(self.ids) or model.n_classes != len(self.classes):
                raise InputError(
                    f"expected predictions of {len(self.ids)} images of {len(self.classes)} "
                    f"classes, got {len(model.predicted)} of {model.n_classes}",
                    model.name,
                )

    @property
    def ranked(self) -> list[MeasuredModel]:
        """The networks, the best top-1 accuracy first; of equal ones the faster."""

        def place(model: MeasuredModel) -> tuple[float, float]:
            fps = self.fps(model)
            return -model.top1, math.inf if math.isnan(fps) else -fps

        return sorted(self.models, key=place)

    @property
    def model_notes(self) -> dict[str, list[str]]:
        """What people should know of networks: each note with the names of those it is of."""
        found: dict[str, list[str]] = {}
        for model in self.ranked:
            of_facts = () if model.facts is None else model.facts.notes
            for note in dict.fromkeys((*model.notes, *of_facts)):
                found.setdefault(note, []).append(model.name)
        return found

    @functools.cached_property
    def fps_kind(self) -> str:
        """Which speed networks are compared by: a key of `FPS_KINDS`; ``""`` where none was timed.

        End to end where most have it, else what most have.
        """
        there = {
            kind: sum(not math.isnan(fps_of(model, kind)) for model in self.models)
            for kind in FPS_KINDS
        }
        best = max(there, key=lambda kind: there[kind])
        return best if there[best] else ""

    def fps(self, model: MeasuredModel) -> float:
        """Return the images per second of a network that are compared; NaN where none are."""
        return fps_of(model, self.fps_kind) if self.fps_kind else math.nan

    @functools.cached_property
    def front(self) -> list[str]:
        """The networks than which no other is as accurate and as fast; the most accurate first."""
        ranked = self.ranked
        points = [(model.top1, self.fps(model)) for model in ranked]
        return [ranked[k].name for k in front(points)]

    @functools.cached_property
    def comparison(self) -> Comparison:
        """The accuracy of every pair: McNemar's exact test, adjusted by Holm over all pairs.

        Pairs stand in the order of `ranked`.
        """
        ranked = self.ranked
        right = [model.predicted == self.truth for model in ranked]
        return compared([model.name for model in ranked], right, level=self.level)

    def class_comparison(
        self, first: str, second: str, *, replicates: int = 1000, seed: int = 0
    ) -> Comparison:
        """Return the F1 of each class of two networks, with intervals and p-values.

        By paired bootstrap and permutation of images, which takes seconds.

        Raises
        ------
        InputError
            Where there is no such network.
        """
        from snellen.classification.classification import Classification
        from snellen.statistics import compare

        pair = [self[first], self[second]]
        classes, predicted = joint_predictions(pair)
        ids = np.asarray(self.ids)
        metrics = [
            Classification(classes).update(self.truth, each, sample_id=ids) for each in predicted
        ]
        return compare(
            *metrics,
            names=(first, second),
            metrics=["accuracy"],
            level=self.level,
            replicates=replicates,
            seed=seed,
        )

    def __getitem__(self, name: str) -> MeasuredModel:
        for model in self.models:
            if model.name == name:
                return model
        names = [model.name for model in self.models]
        raise InputError(
            f'expected a network of {", ".join(names)}, got "{name}".{did_you_mean(name, names)}'
        )

    @functools.cached_property
    def disagreements(self) -> Disagreements:
        """Images on which the networks disagree."""
        return disagreements(self.ranked, self.truth)

    @functools.cached_property
    def class_spreads(self) -> list[ClassSpread]:
        """Every class with its recall and F1 of each network, in the order of `models`."""
        return class_spreads(self.models)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each network, the best top-1 accuracy first; NaN is undefined.

        Columns are the same in all rows.
        """
        known = set(self.front)
        rows = [row(model, on_front=model.name in known) for model in self.ranked]
        names = columns(rows)
        return [{name: each.get(name, math.nan) for name in names} for each in rows]

    def csv(self) -> str:
        """Return the table as CSV; what is undefined is empty."""
        rows = self.table()
        return csv_text(list(rows[0]), (list(each.values()) for each in rows))

    def __str__(self) -> str:
        """Return the tables of quality and speed, and what follows from them."""
        return benchmark_text(self)

    def class_table(self) -> str:
        """Return recall and F1 of each class and network as text, the largest differences first."""
        return class_text(self)

    def displays(self) -> tuple[Display, ...]:
        """Return quality against speed, where that was measured, and the accuracy of all."""
        from snellen.benchmark.result_pictures import benchmark_displays

        return benchmark_displays(self)

    def _table(self, what: str, digits: int) -> TextTable:
        from snellen.benchmark.result_pictures import benchmark_table

        return benchmark_table(self, what, digits)

    def _repr_html_(self) -> str:
        from snellen.displays.notebook_html import notebook_table

        return notebook_table("Benchmark", self._table("metrics", 4), self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold; undefined numbers are None."""
        from snellen import __version__

        plain: dict[str, Any] = _plain(
            {
                "schema": SCHEMA,
                "library": __version__,
                "data": self.data,
                "n_images": len(self.ids),
                "classes": list(self.classes),
                "settings": self.settings,
                "machine": self.machine,
                "table": self.table(),
                "front": {"fps": FPS_KINDS.get(self.fps_kind), "models": self.front},
                "comparison": self.comparison.to_dict(),
                "models": [self._model(model) for model in self.models],
                "class_spreads": [each._asdict() for each in self.class_spreads],
                "disagreements": self._disagreements(),
                "left_out": [{"id": name, "reason": reason} for name, reason in self.left_out],
                "notes": list(self.notes),
            }
        )
        return plain

    def _model(self, model: MeasuredModel) -> dict[str, Any]:
        few = len(model.classes) <= _MATRIX
        whole = model.result.to_dict()
        if not few:
            whole["per_class"] = None
        return {
            "name": model.name,
            "source": model.source,
            "scores": model.scores,
            "class_rule": model.class_rule,
            "facts": None if model.facts is None else model.facts.to_dict(),
            "preprocessing": None
            if model.preprocessing is None
            else dict(model.preprocessing.to_dict()),
            "speed": None if model.speed is None else model.speed.to_dict(),
            "real": model.real,
            "result": whole,
            "confusion": {
                "classes": list(model.classes),
                "counts": model.confusion.matrix.tolist(),
                "by_truth": model.confusion.normalised("truth").tolist(),
            }
            if few
            else f"of {len(model.classes):,} classes: in the network's confusion.csv",
            "notes": list(model.notes),
        }

    def _disagreements(self) -> dict[str, Any]:
        found = self.disagreements
        names, predicted = joint_predictions(self.models)

        def image(place: int) -> dict[str, Any]:
            return {
                "id": self.ids[place],
                "truth": self.classes[self.truth[place]],
                "predicted": {
                    model.name: names[each]
                    for model, each in zip(self.models, predicted[:, place].tolist(), strict=True)
                },
            }

        return {
            key: [image(place) for place in value] if isinstance(value, list) else value
            for key, value in found._asdict().items()
        }


def _plain(value: Any) -> Any:
    """Return a value with nothing in it that JSON cannot hold."""
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (str, int)) else str(value)
