"""What the check of a data set found, as a table and as plain values."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from snellen.detection.health_counts import ClassCount, PerImage, Sizes
    from snellen.detection.health_findings import Finding
    from snellen.detection.health_predictions import Scores

__all__ = ["HealthReport", "PredictionCounts"]

SCHEMA: Final = "snellen.health/1"

_WIDTH: Final = 100
_INDENT: Final = " " * 9
_PLACES: Final = 3
# Of more classes than this the largest and the smallest are shown.
_CLASSES: Final = 20


class PredictionCounts(NamedTuple):
    """What predictions are made of.

    Attributes
    ----------
    path : str
    n : int
    per_image : PerImage
    scores : Scores or None
        None where there are none.
    """

    path: str
    n: int
    per_image: PerImage
    scores: Scores | None


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class HealthReport:
    """What is wrong with a data set for detection, and what it is made of.

    Attributes
    ----------
    path : str
        The truth that was looked at.
    findings : tuple of Finding
        Errors, then warnings, then notes.
    n_images, n_objects : int
        Images with different ids, and records of objects.
    classes : tuple of ClassCount
        In file order.
    sizes : Sizes or None
        None where boxes are parts of images whose sizes are not known.
    objects_per_image : PerImage
        Of single objects, not of crowds.
    predictions : PredictionCounts or None
        None where there were none to look at.
    """

    path: str
    findings: tuple[Finding, ...]
    n_images: int
    n_objects: int
    classes: tuple[ClassCount, ...]
    sizes: Sizes | None
    objects_per_image: PerImage
    predictions: PredictionCounts | None = None

    def __repr__(self) -> str:
        return f"HealthReport({self.path!r}, {self.summary()})"

    @property
    def n_errors(self) -> int:
        """How many findings are errors."""
        return sum(each.severity == "error" for each in self.findings)

    @property
    def imbalance(self) -> float:
        """The objects of the largest class to those of the smallest that has any; 1 without."""
        present = [each.objects for each in self.classes if each.objects]
        return max(present) / min(present) if present else 1.0

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of a kind."""
        return tuple(each for each in self.findings if each.kind == kind)

    def summary(self) -> str:
        """Return how many findings there are, or that there are none."""
        counted = []
        for severity in ("error", "warning", "note"):
            n = sum(each.severity == severity for each in self.findings)
            if n:
                counted.append(f"{n} {severity}{'' if n == 1 else 's'}")
        return ", ".join(counted) or "no findings"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold."""
        from snellen import __version__

        pred = self.predictions
        return {
            "schema": SCHEMA,
            "library": __version__,
            "truth": self.path,
            "findings": [each.to_dict() for each in self.findings],
            "n_images": self.n_images,
            "n_objects": self.n_objects,
            "classes": [each._asdict() for each in self.classes],
            "imbalance": self.imbalance,
            "sizes": None if self.sizes is None else self.sizes._asdict(),
            "objects_per_image": self.objects_per_image._asdict(),
            "predictions": None
            if pred is None
            else {
                "path": pred.path,
                "n": pred.n,
                "per_image": pred.per_image._asdict(),
                "scores": None if pred.scores is None else pred.scores._asdict(),
            },
        }

    def __str__(self) -> str:
        lines = [
            f"{printable(self.path)}: {_counted(self.n_objects, 'object')} in "
            f"{_counted(self.n_images, 'image')}, {_counted(len(self.classes), 'class', 'es')}"
        ]
        if self.predictions is not None:
            pred = self.predictions
            lines.append(f"{printable(pred.path)}: {_counted(pred.n, 'prediction')}")
        lines.append("")
        for finding in self.findings:
            lines += [*_finding_lines(finding), ""]
        lines += [self.summary(), ""]
        lines += aligned_lines(self._facts(), left=2)
        if self.classes:
            lines += ["", *self._class_lines()]
        return "\n".join(lines)

    def _facts(self) -> list[list[str]]:
        facts = [["objects in an image", _in_image(self.objects_per_image)]]
        if self.sizes is not None:
            n = sum(self.sizes)
            facts.append(
                [
                    "sizes",
                    ", ".join(
                        f"{name} {number(count)}" + (f" ({100 * count / n:.0f} %)" if n else "")
                        for name, count in self.sizes._asdict().items()
                    ),
                ]
            )
        present = [each.objects for each in self.classes if each.objects]
        if len(present) > 1:
            few = sum(each < 10 for each in present)
            facts.append(
                [
                    "objects of a class",
                    f"{number(max(present))} to {number(min(present))}: a ratio of "
                    f"{self.imbalance:.4g}; less than 10 in {few} of {len(present)} classes",
                ]
            )
        pred = self.predictions
        if pred is not None:
            facts.append(["predictions in an image", _in_image(pred.per_image)])
            if pred.scores is not None:
                least, median, most = pred.scores
                facts.append(["scores", f"{least:.4g} to {most:.4g}, median {median:.4g}"])
        return facts

    def _class_lines(self) -> list[str]:
        ordered = sorted(self.classes, key=lambda each: -each.objects)
        total = sum(each.objects for each in ordered)
        crowds = any(each.crowds for each in ordered)
        named = any(each.name for each in ordered)
        head = ["class", *(["id"] if named else []), "objects", "share", "images"]
        rows = [[*head, *(["crowds"] if crowds else [])]]
        left_out = len(ordered) - _CLASSES
        for k, each in enumerate(ordered):
            if left_out > 0 and _CLASSES // 2 <= k < len(ordered) - _CLASSES // 2:
                if k == _CLASSES // 2:
                    rows.append([f"… {left_out:,} more", *[""] * (len(rows[0]) - 1)])
                continue
            share = f"{100 * each.objects / total:.2f} %" if total else "-"
            rows.append(
                [
                    printable(each.name or each.id, 40),
                    *([printable(each.id, 20)] if named else []),
                    number(each.objects),
                    share,
                    number(each.images),
                    *([number(each.crowds)] if crowds else []),
                ]
            )
        return aligned_lines(rows)


def _counted(n: int, what: str, plural: str = "s") -> str:
    return f"{number(n)} {what}{'' if n == 1 else plural}"


def _in_image(numbers: PerImage) -> str:
    told = f"median {numbers.median:g}, mean {numbers.mean:.1f}, most {number(numbers.most)}"
    for count, words in (
        (numbers.without, "without any"),
        (numbers.over_100, "with more than 100"),
        (numbers.over_300, "with more than 300"),
    ):
        if count:
            told += f"; {number(count)} {words}"
    return told


def _finding_lines(finding: Finding) -> list[str]:
    where = "" if finding.part == "truth" else "predictions: "
    head = f"{finding.severity:8} {where}{finding.title}: {finding.count:,} of {finding.total:,}"
    if finding.detail:
        head += f"; {finding.detail}"
    lines = _wrapped(f"{head} [{finding.kind}]")
    lines += _wrapped(finding.effect, _INDENT)
    shown = finding.examples[:_PLACES]
    for example in shown:
        lines.append(f"{_INDENT}at {example.place}" + (f": {example.text}" if example.text else ""))
    if shown and finding.count > len(shown):
        lines[-1] += " …"
    return lines


def _wrapped(text: str, first: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=_INDENT, break_on_hyphens=False
    )
