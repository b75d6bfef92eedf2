"""The result of surface distances: numbers of each class, and of each structure of each image."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.errors import first_few
from snellen.result import Result, Undefined
from snellen.segmentation.structure_table import MEASURES, STATUS, StructureTable, measure_names
from snellen.segmentation.surface_rules import SurfaceRules
from snellen.state import Keys, pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.segmentation.surface_images import OrderedImages
    from snellen.state import PackedState

    Real = NDArray[np.float64]

__all__ = ["SurfaceDistanceResult", "result_of"]

_SHOWN_CLASSES = 60
_ARRAYS = (
    *("n", "means", "medians"),
    *("image", "label", "status", "measures", "directed_means", "diagonal"),
)
_NO_STRUCTURES = "no image has a structure on either side"
_INFINITE = "infinite: a structure is missing or spurious"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SurfaceDistanceResult(Result):
    """Surface distances of K classes over U images, of n structures in all.

    Headline numbers are means over classes; a class' number is the mean over its structures.
    Measures are HD, its percentile, ASSD and NSD, in this order.

    Attributes
    ----------
    classes : Classes
        The classes.
    n : ndarray, shape (K, 4), int64
        In how many images a class is on both sides (scored), in truth only (missing), in the
        prediction only (spurious), on neither side (absent).
    means, medians : ndarray, shape (K, 4)
        The mean and the median of each measure over a class' structures; NaN where none counts.
    image_ids : Keys or None
        The ids of the images, ascending; without, images are in the order of what they hold.
    image, label, status : ndarray, shape (n,), int64
        The image of each structure, its class, both by position, and whether it is scored,
        missing, spurious (0, 1, 2).
    measures : ndarray, shape (n, 4)
        Its measures by their definition: infinite where it is missing or spurious.
    directed_means : ndarray, shape (n, 2)
        The mean distance from truth's surface to the prediction's, and back.
    diagonal : ndarray, shape (U,)
        The greatest distance in each image.
    others : mapping of int to int
        Values of no class, and in how many images they are.
    """

    classes: Classes
    n: NDArray[np.int64]
    means: Real
    medians: Real
    image_ids: Keys | None
    image: NDArray[np.int64]
    label: NDArray[np.int64]
    status: NDArray[np.int64]
    measures: Real
    directed_means: Real
    diagonal: Real
    others: Mapping[int, int]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "segmentation"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the measures: ``("hd", "hd95", "assd", "nsd")``."""
        return measure_names(self.protocol["percentile"])

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its counts of images and the mean and median of each measure."""
        return [
            {
                "id": class_id,
                "name": name,
                **{f"n_{what}": n for what, n in zip((*STATUS, "absent"), counts, strict=True)},
                **dict(zip(self.names, means, strict=True)),
                **{f"{key}_median": m for key, m in zip(self.names, medians, strict=True)},
            }
            for class_id, name, counts, means, medians in zip(
                self.classes.keys.ids.tolist(),
                self.classes.display_names(),
                self.n.tolist(),
                self.means.tolist(),
                self.medians.tolist(),
                strict=True,
            )
        ]

    def per_image(self) -> list[dict[str, Any]]:
        """Return one record for each structure of each image, by their definition.

        A structure that one side misses is infinitely far, and its NSD is 0.
        """
        ids: Sequence[Any] = range(len(self.diagonal))
        if self.image_ids is not None:
            ids = self.image_ids.ids.tolist()
        names = self.classes.display_names()
        return [
            {
                "image": ids[image],
                "class": names[label],
                "status": STATUS[status],
                **dict(zip(self.names, measures, strict=True)),
                "asd_truth": directed[0],
                "asd_pred": directed[1],
                "diagonal": diagonal,
            }
            for image, label, status, measures, directed, diagonal in zip(
                self.image.tolist(),
                self.label.tolist(),
                self.status.tolist(),
                self.measures.tolist(),
                self.directed_means.tolist(),
                self.diagonal[self.image].tolist(),
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        return [
            Undefined(key, _why_undefined(int(counts[:3].sum())), name)
            for name, counts, means in zip(
                self.classes.display_names(), self.n, self.means, strict=True
            )
            for key, value in zip(self.names, means.tolist(), strict=True)
            if math.isnan(value)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None.

        So are infinite ones, and ``"undefined"`` says why of both. The attribute does not: there
        they are numbers.
        """
        plain = super().to_dict()
        records: list[tuple[dict[str, str], Mapping[str, Any]]]
        records = [({}, self.metrics), *(({"class": r["name"]}, r) for r in self.per_class())]
        plain["undefined"] += [
            {"metric": key, **of_class, "reason": _INFINITE}
            for of_class, record in records
            for key, value in record.items()
            if value == math.inf
        ]
        return plain

    def __str__(self) -> str:
        """Return the table of classes, and the rules that its numbers follow."""
        unit, tolerance = self.protocol["unit"], self.protocol["tolerance"]
        shown = tolerance if isinstance(tolerance, (int, float)) else None
        titles = [name.upper() for name in self.names[:3]]
        titles.append("NSD" if shown is None else f"NSD@{shown:g}")
        rows = [["class", "scored", "missing", "spurious", "absent", *titles]]
        for name, counts, means in zip(
            self.classes.display_names(), self.n.tolist(), self.means.tolist(), strict=True
        ):
            rows.append(
                [
                    printable(name, 30),
                    *(f"{count:,}" for count in counts),
                    *(_shown(value, key) for key, value in zip(MEASURES, means, strict=True)),
                ]
            )
        mean = [
            _shown(self.metrics[key], name) for key, name in zip(self.names, MEASURES, strict=True)
        ]
        totals = [f"{total:,}" for total in self.n.sum(axis=0).tolist()]
        rows.append(["mean over classes", *totals, *mean])
        if len(self.classes) > _SHOWN_CLASSES:
            rows = [rows[0], rows[-1]]
        lines = [f"Surface distances in {_UNITS[unit]}", "", *aligned_lines(rows), ""]
        if self.intervals:
            of_means = [
                [f"mean {title}", with_interval(self.metrics[key], self.intervals.get(key))]
                for title, key in zip(titles, self.names, strict=True)
            ]
            lines += [*aligned_lines(of_means, left=2), ""]
        return "\n".join([*lines, *self._rule_lines()])

    def _rule_lines(self) -> list[str]:
        protocol = self.protocol
        rules = SurfaceRules(**protocol["rules"])
        one_sided = int(self.n[:, 1:3].sum())
        lines = [
            f"rules        {rules.name}: {rules.surface_text()}",
            f"{self.names[1].upper():<12} {rules.percentile_text(protocol['percentile'])}",
        ]
        if not isinstance(protocol["tolerance"], (int, float)):
            lines.append("NSD          a tolerance for each class")
        if protocol.get("left_out") is not None:
            lines.append(
                f"background   {printable(protocol['left_out'], 30)} ({protocol['background']}) is "
                "not measured"
            )
        if one_sided:
            lines.append(
                f"one-sided    {one_sided:,} {'structure' if one_sided == 1 else 'structures'} "
                f"missing or spurious: {_missing_text(protocol['missing'])}; NSD 0"
            )
        return lines

    @property
    def protocol_text(self) -> str:
        """The rules in one line."""
        protocol = self.protocol
        unit, tolerance = protocol["unit"], protocol["tolerance"]
        within = "a tolerance for each class"
        if isinstance(tolerance, (int, float)):
            within = f"{tolerance:g}" + (f" {unit}" if unit != "mixed" else "")
        return (
            f"{SurfaceRules(**protocol['rules']).name}: percentile {protocol['percentile']:g}, NSD "
            f"within {within}, structures missing or spurious "
            f"{_missing_text(protocol['missing'])}"
        )

    def unit_of(self, metric: str) -> str:
        """Return the unit of a number: that of distances, of NSD none."""
        of_distance = metric in self.names[:3]
        unit: str = self.protocol["unit"]
        return ("mm and px" if unit == "mixed" else unit) if of_distance else ""

    def displays(self) -> tuple[Display, ...]:
        """Return classes' distances, what of their surfaces is right, and the headline numbers."""
        from snellen.segmentation.shape_displays import class_distances, class_surface_dice

        return (class_distances(self), class_surface_dice(self), *super().displays())

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        lines = [
            f"images       {data['n_images']:,}",
            f"structures   {data['n_scored']:,} on both sides, {data['n_missing']:,} missing, "
            f"{data['n_spurious']:,} spurious",
        ]
        if self.protocol["unit"] == "mixed":
            lines.append(
                f"spacing      given for {data['n_in_mm']:,} of {data['n_images']:,} images: the "
                "numbers mix mm and pixels"
            )
        if self.others:
            values = [f"{value} ({n:,})" for value, n in sorted(self.others.items())]
            lines.append(f"no class     values (and images they are in): {first_few(values)}")
        return "\n".join(lines)

    def _pack(self) -> bytes:
        content = {
            "protocol": dict(self.protocol),
            "undefined": [list(entry) for entry in self.undefined],
            "data": dict(self.data),
            "metrics": list(self.metrics),
            "intervals": plain_intervals(self.intervals),
            "class_names": list(self.classes.names),
            "image_ids": None if self.image_ids is None else self.image_ids.ids.tolist(),
        }
        arrays = {
            **{name: getattr(self, name) for name in _ARRAYS},
            "metrics": np.array(list(self.metrics.values()), np.float64),
            "class_ids": self.classes.keys.ids,
            "others": np.array(sorted(self.others.items()), np.int64).reshape(-1, 2),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> SurfaceDistanceResult:
        content, arrays = packed.content, packed.arrays
        ids = content["image_ids"]
        return cls(
            metrics=dict(zip(content["metrics"], arrays["metrics"].tolist(), strict=True)),
            protocol=content["protocol"],
            undefined=tuple(Undefined(*entry) for entry in content["undefined"]),
            data=content["data"],
            intervals=stored_intervals(content["intervals"]),
            classes=Classes(arrays["class_ids"], content["class_names"]),
            image_ids=None if ids is None else Keys(ids, "image id"),
            others=dict(arrays["others"].tolist()),
            **{name: arrays[name] for name in _ARRAYS},
        )


_UNITS = {"mm": "mm", "px": "pixels", "mixed": "mm of some images and pixels of others"}


def _missing_text(missing: Any) -> str:
    if missing == "drop":
        return "left out of the distances"
    if isinstance(missing, (int, float)):
        return f"count as {missing:g}"
    return "count as " + {"diagonal": "the image's diagonal", "inf": "infinitely far"}[missing]


def _shown(value: float, measure: str) -> str:
    return number(value, 4 if measure == "nsd" else 3)


def _why_undefined(n_structures: int) -> str:
    if n_structures:
        return 'all structures are missing or spurious, which are left out (missing="drop")'
    return "the class is absent from all images"


def result_of(
    ordered: OrderedImages, classes: Classes, *, protocol: Mapping[str, Any]
) -> SurfaceDistanceResult:
    """Return the result of images."""
    images = ordered.images
    table = StructureTable.of(images, classes)
    values, counts = table.counted(protocol["missing"])
    n_images, n_classes = len(images), len(classes)
    n = np.zeros((n_classes, 4), np.int64)
    np.add.at(n, (table.code, table.status), 1)
    n[:, 3] = n_images - n[:, :3].sum(axis=1)
    means = np.full((n_classes, len(MEASURES)), math.nan)
    medians = means.copy()
    order = np.argsort(table.code, kind="stable")
    ends = np.searchsorted(table.code[order], np.arange(n_classes), side="right")
    for k, rows in enumerate(np.split(order, ends[:-1]) if n_classes else []):
        for j in range(len(MEASURES)):
            counted = values[rows, j][counts[rows, j]].tolist()
            if counted:
                means[k, j] = math.fsum(counted) / len(counted)
                medians[k, j] = statistics.median(counted)
    metrics: dict[str, float] = {}
    undefined: list[Undefined] = []
    for j, name in enumerate(measure_names(protocol["percentile"])):
        defined = [each for each in means[:, j].tolist() if not math.isnan(each)]
        metrics[name] = math.fsum(defined) / len(defined) if defined else math.nan
        if not defined:
            n_structures = len(table.code)
            why = _why_undefined(n_structures) if n_structures else _NO_STRUCTURES
            undefined.append(Undefined(name, why if n_images else "there are no images"))
    n_in_mm = sum(image.in_mm for image in images)
    unit = "px" if not n_in_mm else "mm" if n_in_mm == n_images else "mixed"
    totals = n.sum(axis=0).tolist()
    return SurfaceDistanceResult(
        metrics=metrics,
        protocol={**protocol, "unit": unit},
        undefined=tuple(undefined),
        data={
            "n_images": n_images,
            "n_classes": n_classes,
            **{f"n_{what}": total for what, total in zip(STATUS, totals, strict=False)},
            "n_in_mm": n_in_mm,
        },
        classes=classes,
        n=n,
        means=means,
        medians=medians,
        image_ids=ordered.ids,
        image=table.image,
        label=table.code,
        status=table.status,
        measures=table.measures(),
        directed_means=table.directed_means(),
        diagonal=table.diagonal,
        others=Counter(value for image in images for value in image.others.tolist()),
    )
