"""What follows from the pixels of images: numbers, tables, text."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.classification import rates
from snellen.result import Result, Undefined
from snellen.segmentation.instance_rows import InstanceColumns, weighted_iou
from snellen.segmentation.pixel_numbers import Groups, PixelData, headline_numbers, means_by_rule
from snellen.segmentation.pixel_rows import PixelColumns
from snellen.segmentation.pixel_tables import (
    CLASS_NUMBERS,
    class_numbers,
    image_means,
    worst_mean,
)
from snellen.segmentation.protocols import PROTOCOLS, SegmentationProtocol
from snellen.segmentation.slices import SHOWN, Slice
from snellen.state import Keys, pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.segmentation.pixel_tables import PixelTables
    from snellen.state import PackedState

__all__ = ["SegmentationResult"]

_DESCRIBED = ("unknown", "ignored_classes", "encodings", "notes")
_SHOWN_CLASSES = 40
_SHOWN_IMAGES = 5
_SHOWN_PAIRS = 5
_PER_CLASS_WORST = 0.05

_LINES = (
    ("mIoU", "mean IoU"),
    ("mDice", "mean Dice (F1)"),
    ("mPrecision", "mean precision"),
    ("mRecall", "mean recall (mean accuracy)"),
    ("pixel_accuracy", "pixel accuracy"),
    ("fwIoU", "IoU weighted by frequency"),
    ("IoU_micro", "IoU of all pixels (micro)"),
    ("mIoU_I", "mean over images (mIoU-I)"),
    ("mIoU_I_worst5", "… over the worst 5 % of images"),
    ("mIoU_C", "mean over images, then classes (mIoU-C)"),
    ("mIoU_groups", "mean IoU of groups"),
    ("iIoU", "mean iIoU (instances)"),
    ("iIoU_groups", "mean iIoU of groups"),
)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class SegmentationResult(Result):
    """The confusion matrix of pixels and what follows from it.

    Attributes
    ----------
    pixels : PixelData
        What the numbers were made of: how often each pair of classes occurs in each image.
    rules : SegmentationProtocol
        How the numbers of classes became one.
    by_rule : mapping of str to float
        The mIoU under every named rule.
    slices : tuple of Slice
        The numbers of parts of the data, where they were asked for
        (`snellen.segmentation.slices.sliced`).
    """

    pixels: PixelData
    rules: SegmentationProtocol
    by_rule: dict[str, float]
    slices: tuple[Slice, ...] = dataclasses.field(default=(), kw_only=True)

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "segmentation"

    @classmethod
    def of_data(
        cls, data: PixelData, protocol: SegmentationProtocol, described: Mapping[str, Any]
    ) -> SegmentationResult:
        """Return the result of what a metric absorbed.

        `described` is what else the protocol says: how values were read, what was ignored.
        """
        tables = data.tables()
        times = np.ones((1, len(tables.truth)), np.int64)
        numbers = headline_numbers(data, protocol, tables, times)
        metrics = {name: float(value[0]) for name, value in numbers.items()}
        total = tables.total()
        n_counted, n_missed = int(total.truth.sum()), int(total.missed.sum())
        n_pixels = int(data.columns.count.sum())
        undefined = tuple(
            Undefined(name, _reason(name, n_pixels, n_counted))
            for name, value in metrics.items()
            if math.isnan(value)
        )
        return cls(
            metrics=metrics,
            protocol={**protocol.to_dict(), "rule": protocol.rule, **described},
            undefined=undefined,
            data={
                "n_images": data.n_images,
                "n_classes": len(data.classes),
                "n_pixels": n_pixels,
                "n_void": n_pixels - n_counted,
                "n_predicted_no_class": n_missed,
            },
            pixels=data,
            rules=protocol,
            by_rule=means_by_rule(data, tables),
        )

    @property
    def classes(self) -> Classes:
        """The K classes."""
        return self.pixels.classes

    @property
    def matrix(self) -> NDArray[np.int64]:
        """Pixels (K + 1, K + 1): rows are true classes, columns predicted ones; last: no class."""
        size = len(self.classes) + 1
        columns = self.pixels.columns
        summed = np.bincount(columns.cell, columns.count, size * size)
        return summed.astype(np.int64).reshape(size, size)

    def class_values(self) -> dict[str, NDArray[np.float64]]:
        """Return the numbers of each class by name, each (K,)."""
        total = self._tables.total()
        found = {name: each[0] for name, each in class_numbers(total, self.rules).items()}
        if self.pixels.per_image:
            values = self._image_values
            counts = np.ones((1, len(values)), np.int64)
            # Under rules that drop pixels predicted as no class, truth alone may not define it.
            there = (self._tables.truth > 0) & ~np.isnan(values)
            own = [values[there[:, k], k] for k in range(values.shape[1])]
            found["iou_I"] = np.array([each.mean() if len(each) else math.nan for each in own])
            found["iou_I_worst5"] = np.array(
                [
                    worst_mean(each, counts[:, : len(each)], _PER_CLASS_WORST)[0]
                    if len(each)
                    else math.nan
                    for each in own
                ]
            )
        if self.pixels.instances is not None:
            found["iiou"] = self._instance_weighted()
        return found

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, pixels and numbers.

        ``iou_I`` is the mean over the images that have the class (and of which its IoU is
        defined), ``iou_I_worst5`` that over the 5 % of them where it is least.
        """
        total = self._tables.total()
        columns = {
            "n_images": np.count_nonzero(self._tables.truth, axis=0),
            "n_truth": total.truth[0],
            "n_predicted": total.predicted[0],
            "n_correct": total.correct[0],
            "n_predicted_no_class": total.missed[0],
            **self.class_values(),
        }
        if not self.pixels.per_image:
            del columns["n_images"]
        values = {name: column.tolist() for name, column in columns.items()}
        return [
            {"class": name, "id": class_id, **{key: each[k] for key, each in values.items()}}
            for k, (name, class_id) in enumerate(
                zip(self.classes.display_names(), self.classes.keys.ids.tolist(), strict=True)
            )
        ]

    def per_group(self) -> list[dict[str, Any]]:
        """Return, for each group of classes, its name, pixels and IoU."""
        groups = self.pixels.groups
        if groups is None:
            return []
        total = self.pixels.group_tables().total()
        iou = class_numbers(total, PROTOCOLS["cityscapes"])["iou"][0].tolist()
        return [
            {
                "group": name,
                "n_truth": int(total.truth[0, g]),
                "n_predicted": int(total.predicted[0, g]),
                "iou": iou[g],
            }
            for g, name in enumerate(groups.names)
        ]

    def per_image(self) -> list[dict[str, Any]]:
        """Return, for each image, its id and numbers, the worst first.

        ``mIoU`` is the mean over the classes that truth has; ``worst_class`` that of them with the
        least IoU, empty where none is defined. Images without truth are last.
        """
        if not self.pixels.per_image:
            return []
        tables, values = self._tables, self._image_values
        means = image_means("iou", tables, PROTOCOLS["monai"])
        truth = tables.truth.sum(axis=1)
        accuracy = rates.ratio(tables.correct.sum(axis=1), truth)
        images = self.pixels.columns.images
        ids = images.ids.tolist() if images is not None else list(range(len(means)))
        names = self.classes.display_names()
        there = np.where((tables.truth > 0) & ~np.isnan(values), values, math.inf)
        worst, least = there.argmin(axis=1), there.min(axis=1)
        order = np.argsort(np.where(np.isnan(means), math.inf, means), kind="stable")
        return [
            {
                "image": ids[i],
                "mIoU": float(means[i]),
                "pixel_accuracy": float(accuracy[i]),
                "n_pixels": int(truth[i]),
                "worst_class": names[worst[i]] if least[i] < math.inf else "",
                "worst_iou": float(least[i]) if least[i] < math.inf else math.nan,
            }
            for i in order.tolist()
        ]

    def most_confused(self, n: int = _SHOWN_PAIRS) -> list[dict[str, Any]]:
        """Return the n pairs of different classes with the most pixels, most first."""
        matrix = self.matrix[:-1]
        support = matrix.sum(axis=1)
        wrong = matrix.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:n]
        names = [*self.classes.display_names(), "no class"]
        pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
        return [
            {
                "truth": names[row],
                "prediction": names[column],
                "n": int(wrong[row, column]),
                "share_of_truth": float(wrong[row, column] / support[row]),
            }
            for row, column in pairs
            if wrong[row, column]
        ]

    def displays(self) -> tuple[Display, ...]:
        """Return the confusion matrix, the IoU of classes, and the headline numbers."""
        from snellen.segmentation.pixel_displays import class_iou, confusion_matrix

        return (confusion_matrix(self), class_iou(self), *super().displays())

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        names = self.classes.display_names()
        n_truth = self._tables.total().truth[0].tolist()
        return [
            Undefined(
                name,
                # What truth has makes all but these defined, unless the rules drop its pixels.
                _DROPPED
                if n_truth[k] and name not in ("precision", "iiou")
                else _WHY_UNDEFINED.get(name, "truth has no pixel of the class"),
                names[k],
            )
            for name, values in self.class_values().items()
            for k in np.flatnonzero(np.isnan(values)).tolist()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None."""
        plain = super().to_dict()

        def records(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [
                {
                    key: None if isinstance(value, float) and math.isnan(value) else value
                    for key, value in row.items()
                }
                for row in rows
            ]

        plain["by_rule"] = {
            name: None if math.isnan(value) else value for name, value in self.by_rule.items()
        }
        plain["per_group"] = records(self.per_group())
        plain["per_slice"] = records([each.record() for each in self.slices])
        plain["per_image"] = records(self.per_image())
        return plain

    def __str__(self) -> str:
        """Return the report: classes, means, the same pixels under other rules, worst images."""
        parts = [
            self._class_lines(),
            self._headline(),
            self._slice_lines(),
            self._rule_lines(),
            self._image_lines(),
            self._confused_lines(),
        ]
        return "\n\n".join("\n".join(lines) for lines in parts if lines)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        lines = [
            f"images       {data['n_images']:,}",
            f"pixels       {data['n_pixels']:,}, {data['n_void']:,} of them void in truth"
            + (
                f"; {data['n_predicted_no_class']:,} predicted as no class, which are misses"
                if data["n_predicted_no_class"]
                else ""
            ),
            f"classes      {data['n_classes']:,}" + self._absent(),
            f"mIoU         {self.rules.rule}",
            *self._reading(),
        ]
        reasons: dict[str, list[str]] = {}
        for entry in self.undefined:
            reasons.setdefault(entry.reason, []).append(entry.metric)
        lines += [f"undefined    {', '.join(names)}: {why}" for why, names in reasons.items()]
        return "\n".join(lines)

    def _reading(self) -> list[str]:
        """Return, in lines, what values meant, what was ignored, and what was said of it."""
        encodings: Mapping[str, list[str]] = self.protocol.get("encodings", {})
        named = {side: ", ".join(names) for side, names in encodings.items()}
        lines = []
        if any(set(names) - {"ids"} for names in encodings.values()):
            lines.append(f"read as      truth {named['truth']}; predictions {named['pred']}")
        ignored = self.protocol.get("ignored_classes", [])
        if ignored:
            lines.append(f"ignored      truth of {printable(', '.join(ignored))}")
        return lines + [
            f"note         {printable(note)}" for note in self.protocol.get("notes", [])
        ]

    @functools.cached_property
    def _tables(self) -> PixelTables:
        return self.pixels.tables()

    @functools.cached_property
    def _image_values(self) -> NDArray[np.float64]:
        """The IoU of each image and class, (N, K)."""
        return class_numbers(self._tables, self.rules)["iou"]

    def _instance_weighted(self) -> NDArray[np.float64]:
        assert self.pixels.instances is not None
        times = np.ones((1, self.pixels.columns.n_images), np.int64)
        sizes = self.pixels.average_sizes()
        values: NDArray[np.float64] = weighted_iou(
            self.pixels.instances, self._tables.total(), times, sizes
        )[0]
        values[np.isnan(sizes)] = math.nan
        return values

    def _absent(self) -> str:
        total = self._tables.total()
        n_absent = int(np.count_nonzero((total.truth + total.predicted) == 0))
        return f", {n_absent:,} on neither side" if n_absent else ""

    def _class_lines(self) -> list[str]:
        if len(self.classes) > _SHOWN_CLASSES:
            return []
        values = self.class_values()
        names = [*CLASS_NUMBERS, *(name for name in ("iiou",) if name in values)]
        titles = {"iou": "IoU", "dice": "Dice", "iiou": "iIoU"}
        truth = self._tables.total().truth[0].tolist()
        rows = [["", *(titles.get(name, name) for name in names), "pixels"]]
        rows += [
            [
                printable(name, 30),
                *(number(float(values[key][k])) for key in names),
                number(truth[k]),
            ]
            for k, name in enumerate(self.classes.display_names())
        ]
        return aligned_lines(rows)

    def _headline(self) -> list[str]:
        return aligned_lines(
            [
                [text, name, with_interval(self.metrics[name], self.intervals.get(name))]
                for name, text in _LINES
                if name in self.metrics
            ],
            left=3,
        )

    def _slice_lines(self) -> list[str]:
        if not self.slices:
            return []
        rows = [["slice", "images", *SHOWN]]
        rows += [
            [
                printable(each.name, 40),
                number(each.n_images),
                *(number(each.metrics[name]) for name in SHOWN),
            ]
            for each in self.slices
        ]
        return aligned_lines(rows)

    def _rule_lines(self) -> list[str]:
        """Return the mIoU under each rule, and who has it."""
        users: dict[tuple[str, str], list[str]] = {}
        for name, value in self.by_rule.items():
            users.setdefault((number(value), PROTOCOLS[name].rule), []).append(name)
        lines = ["mIoU of the same pixels under every rule"]
        for (shown, rule), names in users.items():
            lines += [f"{shown:6}  {rule}", f"        {', '.join(names)}"]
        return lines

    def _image_lines(self) -> list[str]:
        # Those without truth are the last.
        records = [each for each in self.per_image() if each["n_pixels"]][:_SHOWN_IMAGES]
        if len(records) < 2 or self.pixels.columns.images is None:
            return []
        rows = [
            [
                printable(record["image"], 50),
                number(record["mIoU"]),
                f"{printable(record['worst_class'], 30)} {number(record['worst_iou'])}".lstrip(),
            ]
            for record in records
        ]
        return ["worst images, and their worst class", *aligned_lines(rows, left=3)]

    def _confused_lines(self) -> list[str]:
        pairs = self.most_confused()
        if not pairs:
            return []
        rows = [
            [
                f"{printable(pair['truth'], 30)} → {printable(pair['prediction'], 30)}",
                number(pair["n"]),
                f"{100 * pair['share_of_truth']:.1f} %",
            ]
            for pair in pairs
        ]
        lines = [
            f"{line} of {printable(pair['truth'], 30)}"
            for line, pair in zip(aligned_lines(rows), pairs, strict=True)
        ]
        return ["most confused (true → predicted)", *lines]

    def _pack(self) -> bytes:
        data = self.pixels
        columns = data.columns
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(columns, name) for name in ("image", "cell", "count")
        }
        if data.instances is not None:
            arrays |= {f"instances.{name}": each for name, each in data.instances._asdict().items()}
        if data.average_size is not None:
            arrays["average_size"] = data.average_size
        content = {
            "class_ids": data.classes.keys.ids.tolist(),
            "class_names": list(data.classes.names),
            "images": None if columns.images is None else columns.images.ids.tolist(),
            "n_rows": columns.n_images,
            "n_images": data.n_images,
            "per_image": data.per_image,
            "groups": None if data.groups is None else [list(each) for each in data.groups],
            "protocol": self.rules.to_dict(),
            "described": {key: self.protocol[key] for key in self.protocol if key in _DESCRIBED},
            "slices": [[each.name, each.n_images, dict(each.metrics)] for each in self.slices],
            "intervals": plain_intervals(self.intervals),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> SegmentationResult:
        content, arrays = packed.content, packed.arrays
        instances = None
        if "instances.image" in arrays:
            instances = InstanceColumns(
                *(arrays[f"instances.{name}"] for name in InstanceColumns._fields)
            )
        images, groups = content["images"], content["groups"]
        pixels = PixelData(
            classes=Classes(content["class_ids"], content["class_names"]),
            columns=PixelColumns(
                None if images is None else Keys(images, "image id"),
                content["n_rows"],
                *(arrays[name] for name in ("image", "cell", "count")),
            ),
            per_image=content["per_image"],
            n_images=content["n_images"],
            groups=None if groups is None else Groups(tuple(groups[0]), tuple(groups[1])),
            instances=instances,
            average_size=arrays.get("average_size"),
        )
        rules = SegmentationProtocol.from_dict(content["protocol"])
        found = cls.of_data(pixels, rules, content["described"])
        slices = (
            Slice(name, n, {k: math.nan if v is None else v for k, v in metrics.items()})
            for name, n, metrics in content["slices"]
        )
        return dataclasses.replace(
            found,
            slices=tuple(slices),
            intervals=stored_intervals(content["intervals"]),
        )


_WHY_UNDEFINED = {
    "iou": "neither truth nor prediction has a pixel of the class",
    "dice": "neither truth nor prediction has a pixel of the class",
    "precision": "the class was never predicted",
    "iiou": "the class has no instances",
}
_DROPPED = "all true pixels of the class were predicted as no class, which these rules leave out"


def _reason(name: str, n_pixels: int, n_counted: int) -> str:
    if not n_pixels:
        return "there are no images"
    if not n_counted:
        return "no pixel has a class in truth"
    if name.startswith("iIoU"):
        return "no class has instances"
    return "no class counts"
