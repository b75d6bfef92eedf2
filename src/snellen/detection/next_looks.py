"""What the numbers of a diagnosis say should be looked at next, a sentence each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.detection_calibration_result import DetectionCalibrationResult
from snellen.detection.detection_confusion_result import DetectionConfusionResult
from snellen.detection.error_kinds import ERROR_NAMES
from snellen.detection.error_types_result import DetectionErrorsResult
from snellen.detection.image_table import ImageTable
from snellen.detection.label_errors_result import LabelErrorsResult
from snellen.detection.operating_points_result import OperatingPointsResult
from snellen.detection.slices_result import DetectionSlices
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snellen.detection.diagnosis_result import DetectionDiagnosis
    from snellen.result import Result

__all__ = ["next_looks", "several"]

# From where on a sentence is worth its line. Below, chance and taste decide.
_AP_WORTH_SAYING: Final = 0.01
_NOTHING_MATCHES: Final = 0.01
_HIGH_LOWEST_SCORE: Final = 0.1
_F_WORTH_SAYING: Final = 0.02
_GAP_WORTH_SAYING: Final = 0.1
_FEWEST: Final = 20
_SHARE_OF_LABELS: Final = 0.01
_NAMES: Final = 3


def next_looks(diagnosis: DetectionDiagnosis) -> list[str]:
    """Return the sentences, what spoils the number itself first."""
    looks = [*_about_precision(diagnosis)]
    if not diagnosis.has_both:
        return looks
    for part in diagnosis.parts.values():
        if isinstance(part, DetectionErrorsResult):
            looks += _about_errors(part, diagnosis.parts.get("confusion"))
        elif isinstance(part, DetectionConfusionResult):
            looks += _about_confusion(part)
        elif isinstance(part, OperatingPointsResult):
            looks += _about_points(part, diagnosis)
        elif isinstance(part, DetectionCalibrationResult):
            looks += _about_calibration(part)
        elif isinstance(part, ImageTable):
            looks += _about_images(part)
        elif isinstance(part, LabelErrorsResult):
            looks += _about_labels(part, diagnosis)
        elif isinstance(part, DetectionSlices):
            looks += _about_slices(part)
    return looks


def _about_precision(diagnosis: DetectionDiagnosis) -> Iterator[str]:
    found, data = diagnosis.precision, diagnosis.precision.data
    lowest, highest = diagnosis.scores
    with_truth = found.n_counted[:, 0] > 0
    if not data["n_predictions"]:
        yield "There are no predictions."
    if not with_truth.any():
        yield "Truth has no object that counts: nothing can be measured."
    if not diagnosis.has_both:
        return
    best = found.metrics.get("AP50", found.metrics["AP"])
    if diagnosis.layout:
        yield _ABOUT_LAYOUTS[diagnosis.layout]
    elif best < _NOTHING_MATCHES:
        yield (
            "Next to nothing matches: are predictions of these images, of the same class ids, and "
            "boxes in the same layout and in pixels?"
        )
    if not 0 <= lowest <= highest <= 1:
        yield (
            f"Scores go from {lowest:.3g} to {highest:.3g}: they are no probabilities, and "
            "thresholds of scores (--confident) are to be given as they are."
        )
    elif lowest >= _HIGH_LOWEST_SCORE:
        yield (
            f"No prediction scores below {lowest:.3g}: AP is the area under a curve that ends "
            "there. Let the detector keep lower scores (0.001) when it is evaluated."
        )
    if diagnosis.n_beyond_cap:
        yield (
            f"{diagnosis.n_beyond_cap:,} objects cannot be found: their image has more of a class "
            f"than the cap of {found.rules.max_detections[-1]} (--max-detections)."
        )
    sizes = [
        size.label for size in found.rules.area_ranges[1:] if f"AP_{size.label}" in found.metrics
    ]
    yield from _about_sizes(diagnosis, sizes)
    never = [
        (-each["n_truth"], each["class"])
        for each in found.per_class()
        if each["n_truth"] and each.get("AP50", each["AP"]) == 0
    ]
    if never and best >= _NOTHING_MATCHES:
        names = _few([name for _, name in sorted(never)])
        has = "has" if len(never) == 1 else "have"
        yield f"{len(never):,} of {with_truth.sum():,} classes {has} AP 0: {names}."


def _about_sizes(diagnosis: DetectionDiagnosis, sizes: list[str]) -> Iterator[str]:
    """Say which size is worse than the best one by most, of those that have objects enough."""
    found = diagnosis.precision
    labels = [area.label for area in found.rules.area_ranges]
    enough = {
        size: found.metrics[f"AP_{size}"]
        for size in sizes
        if found.n_counted[:, labels.index(size)].sum() >= _FEWEST
    }
    if len(enough) < 2:
        return
    worst, best = min(enough, key=enough.__getitem__), max(enough, key=enough.__getitem__)
    if enough[best] - enough[worst] >= _GAP_WORTH_SAYING:
        n = int(found.n_counted[:, labels.index(worst)].sum())
        share = n / max(1, int(found.n_counted[:, 0].sum()))
        yield (
            f"AP of {worst} objects is {enough[worst]:.3f}, of {best} ones {enough[best]:.3f}; "
            f"{worst} are {100 * share:.0f} % of all."
        )


def _about_errors(errors: DetectionErrorsResult, confusion: Result | None) -> Iterator[str]:
    names = errors.classes.display_names()
    costs = {name: errors.metrics[f"dAP_{name}"] for name in ERROR_NAMES}
    worth = [name for name in ERROR_NAMES if costs[name] >= _AP_WORTH_SAYING]
    worth.sort(key=lambda name: -costs[name])
    for name in worth[:2]:
        counts = errors.counts[:, ERROR_NAMES.index(name)]
        most = np.argsort(-counts, kind="stable")[:_NAMES]
        where = ", ".join(f"{printable(names[k], 32)} {counts[k]:,}" for k in most if counts[k])
        if name == "cls" and isinstance(confusion, DetectionConfusionResult):
            pairs = [each for each in confusion.most_confused(_NAMES) if each["n"] > 1]
            named = ", ".join(
                f"{printable(each['truth'], 32)} taken for {printable(each['prediction'], 32)} "
                f"{each['n']:,}"
                for each in pairs
            )
            where = named or where
        yield _ABOUT_ERRORS[name].format(
            cost=costs[name],
            n=several(errors.data[f"n_{name}"], "object" if name == "miss" else "detection"),
            most=f"; most: {where}" if where and len(names) > 1 else "",
        )


def _about_confusion(confusion: DetectionConfusionResult) -> Iterator[str]:
    n_pairs = confusion.data["n_pairs"]
    wrong = n_pairs - confusion.data["n_correct"]
    if n_pairs >= _FEWEST and wrong > n_pairs / 2:
        yield (
            f"{100 * wrong / n_pairs:.0f} % of what is in the right place is of another class: are "
            "the class ids of predictions those of truth?"
        )
        return
    for pair in confusion.most_confused(1):
        if pair["n"] >= _FEWEST and pair["share_of_truth"] >= _GAP_WORTH_SAYING:
            yield (
                f'{100 * pair["share_of_truth"]:.0f} % of "{printable(pair["truth"])}" '
                f'({pair["n"]:,}) are taken for "{printable(pair["prediction"])}".'
            )


def _about_points(points: OperatingPointsResult, diagnosis: DetectionDiagnosis) -> Iterator[str]:
    metrics = points.metrics
    threshold, lowest = metrics["threshold_micro"], diagnosis.scores[0]
    if threshold <= lowest and int(points.at(-math.inf).tp.sum()) >= _FEWEST:
        yield (
            f"The best threshold is the lowest score there is ({lowest:.3g}): with lower ones the "
            "detector might be better still."
        )
    # Of fewer objects the best threshold is best by chance.
    enough = points.n_truth >= _FEWEST
    if enough.sum() > 1:
        one = points.at(metrics["threshold_macro"]).f[enough]
        gain = float((points.best.f[enough] - one).mean())
        if gain >= _F_WORTH_SAYING:
            yield (
                f"A threshold for each class in place of one raises the mean F of the "
                f"{enough.sum():,} classes with {_FEWEST} objects or more by {gain:.3f}, from "
                f"{one.mean():.3f}."
            )
    kept = points.at(threshold)
    without = np.flatnonzero((points.n_truth == 0) & (kept.fp > 0))
    n = int(kept.fp[without].sum())
    if n >= _FEWEST and n >= _SHARE_OF_LABELS * int((kept.tp + kept.fp).sum()):
        names = points.classes.display_names()
        yield (
            f"{n:,} detections that score {threshold:.3g} or more are of "
            f"{several(len(without), 'class')} without truth, which AP does not see: "
            f"{_few([names[k] for k in without[np.argsort(-kept.fp[without])].tolist()])}."
        )


def _about_calibration(calibration: DetectionCalibrationResult) -> Iterator[str]:
    metrics = calibration.metrics
    gap = metrics["mean_score"] - metrics["precision"]
    if abs(gap) >= _GAP_WORTH_SAYING and calibration.data["n_predictions"] >= _FEWEST:
        what = "more" if gap > 0 else "less"
        yield (
            f"Scores promise {what} than they keep: on average {metrics['mean_score']:.2f}, and "
            f"{metrics['precision']:.2f} are right."
        )


def _about_images(images: ImageTable) -> Iterator[str]:
    errors = images.fp + images.fn
    n, total = len(errors), int(errors.sum())
    few = max(1, n // 100)
    if n < 5 * _FEWEST or total < _FEWEST:
        return
    share = int(np.sort(errors)[::-1][:few].sum()) / total
    if share >= max(0.2, 10 * few / n):
        yield f"{several(few, 'image')} of {n:,} hold {100 * share:.0f} % of all errors."


def _about_labels(labels: LabelErrorsResult, diagnosis: DetectionDiagnosis) -> Iterator[str]:
    data, total = labels.data, int(labels.n_truth.sum())
    if not data["n_confident"] and data["n_predictions"]:
        yield (
            f"No prediction scores {labels.rules.score_threshold:g}, so none speaks against a "
            "label (--confident)."
        )
    found = sum(data[f"n_{key}"] for key in ("wrong_label", "missing_box", "duplicate"))
    best = diagnosis.precision.metrics.get("AP50", math.nan)
    if best < 0.1 or diagnosis.scores[1] > 1:  # then detections are no witnesses
        return
    if found >= _FEWEST and found / total >= _SHARE_OF_LABELS:
        yield (
            f"{found:,} objects of truth may be wrong or missing ({100 * found / total:.1f} of "
            "100): AP is measured against them, so look at these first."
        )


def _about_slices(slices: DetectionSlices) -> Iterator[str]:
    if slices.protocol["unit"] == "areas":  # sizes are spoken of anyway
        return
    first = next(iter(slices.metrics))
    values, whole = slices.values[1:, 0], float(slices.values[0, 0])
    enough = (slices.n_truth[1:] >= _FEWEST) & ~np.isnan(values)
    if not enough.any():
        return
    worst = int(np.where(enough, values, math.inf).argmin())
    if whole - values[worst] >= _GAP_WORTH_SAYING:
        yield (
            f'{first} of the slice "{printable(slices.names[worst + 1])}" is {values[worst]:.3f}, '
            f"of all {whole:.3f}."
        )


def several(n: int, word: str) -> str:
    """Return how many there are of something."""
    return f"{n:,} {word}{'' if n == 1 else 'es' if word.endswith('s') else 's'}"


def _few(names: list[str]) -> str:
    shown = ", ".join(printable(name, 32) for name in names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown


_ABOUT_LAYOUTS: Final = {
    "corners": "Of all predicted boxes the third number is at least the first, and the fourth the "
    "second: are they left, top, right, bottom where width and height should be?",
    "parts": "All predicted boxes lie between 0 and 1, those of truth do not: are they parts of "
    "the image where pixels should be?",
}
_ABOUT_ERRORS: Final = {
    "cls": "Wrong classes cost {cost:.3f} AP ({n}{most}).",
    "loc": "Detections not quite in the right place cost {cost:.3f} AP ({n}{most}).",
    "both": "Detections wrong in class and place cost {cost:.3f} AP ({n}{most}).",
    "dupe": "Repeated detections cost {cost:.3f} AP ({n}{most}): try a stricter suppression of "
    "duplicates (NMS).",
    "bkg": "Detections of nothing cost {cost:.3f} AP ({n}{most}): does truth lack these objects?",
    "miss": "Missed objects cost {cost:.3f} AP ({n}{most}).",
}
