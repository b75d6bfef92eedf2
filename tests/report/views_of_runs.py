"""Runs as pages see them, of data that never were."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snellen import AveragePrecision, DetectionConfusion, read_coco_predictions, read_coco_truth
from snellen.displays import (
    Bars,
    BarsDisplay,
    Line,
    LinesDisplay,
    Mark,
    MatrixDisplay,
    Span,
    SpansDisplay,
    Words,
)
from snellen.report.parts import Column, Facts, RunParts, Table
from snellen.report.run_view import RunView
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject
from snellen.run.stored_run import DataDigest, RunRecord
from snellen.samples.detection import make_detection_sample
from snellen.samples.png import encode_png


def words(name: str, title: str, finding: str = "It rises.", **more: str) -> Words:
    return Words(name, title, f"What {title.lower()} is, in a sentence.", finding, **more)


def record(task: str = "detection", **fields: Any) -> RunRecord:
    return RunRecord(
        task=task,
        command=["snellen", "evaluate", "detection", "truth.json", "predictions of mine.json"],
        began="2026-11-30T10:27:03Z",
        seconds=1.5,
        config={"protocol": "coco", "confidence": None},
        versions={"snellen": "0.1.0", "python": "3.11.2"},
        machine={"cpu": "Some CPU", "cores": 2},
        data=[DataDigest("truth", "truth.json", 1234, "ab" * 32)],
        **fields,
    )


def picture(width: int = 48, height: int = 32, shade: int = 120) -> bytes:
    """Return a PNG of two colours."""
    pixels = np.full((height, width), 0, np.uint8)
    pixels[height // 2 :] = 1
    return encode_png(pixels, [(shade, 160, 200), (90, shade, 70)])


def overlaps(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the IoU of two boxes of left, top, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def matched(truth: list[TrueObject], found: list[FoundObject]) -> list[FoundObject]:
    """Return detections with what became of them at IoU 0.5, by falling score."""
    taken: set[int] = set()
    done = []
    for each in sorted(found, key=lambda one: -one.score):
        ious = [overlaps(each.box, there.box) for there in truth]
        mine = [
            k
            for k, there in enumerate(truth)
            if there.label == each.label and k not in taken and ious[k] >= 0.5
        ]
        each.overlap = max(ious, default=0.0)
        if mine:
            each.truth = max(mine, key=lambda k: ious[k])
            each.outcome, each.overlap = "right", ious[each.truth]
            taken.add(each.truth)
        elif ious and max(ious) >= 0.5:
            each.taken_for = int(np.argmax(ious))
        done.append(each)
    return done


def detection_examples(folder: Path, n: int) -> tuple[Examples, Callable[[str], bytes | None]]:
    """Return the images of a sample where most is wrong, and what gives their pictures."""
    truth = json.loads((folder / "truth.json").read_text())
    found = json.loads((folder / "predictions.json").read_text())
    names = {each["id"]: each["name"] for each in truth["categories"]}
    there: dict[int, list[TrueObject]] = {}
    for each in truth["annotations"]:
        there.setdefault(each["image_id"], []).append(
            TrueObject(names[each["category_id"]], each["bbox"], bool(each.get("iscrowd")))
        )
    seen: dict[int, list[FoundObject]] = {}
    for each in found:
        seen.setdefault(each["image_id"], []).append(
            FoundObject(names[each["category_id"]], each["bbox"], each["score"], "wrong")
        )
    images = []
    for image in truth["images"]:
        objects = there.get(image["id"], [])
        detections = matched(objects, seen.get(image["id"], []))
        wrong = sum(each.outcome == "wrong" and each.score >= 0.5 for each in detections)
        images.append(
            Example(
                str(image["id"]),
                image["file_name"],
                image["width"],
                image["height"],
                picture=image["file_name"],
                truth=objects,
                found=detections,
                badness=wrong,
            )
        )
    images.sort(key=lambda each: -each.badness)
    examples = Examples(
        SCHEMA,
        "detection",
        f"the {min(n, len(images)):,} of {len(images):,} images with the most errors at IoU 0.5 "
        "and from score 0.5",
        len(images),
        images[:n],
        0.5,
    )

    def read(file: str) -> bytes | None:
        path = folder / "images" / file
        return path.read_bytes() if path.is_file() else None

    return examples, read


def detection_view(
    folder: Path, name: str = "detector", *, n_examples: int = 60, **sample: Any
) -> RunView:
    """Return a run of the sample of detections, with figures of all kinds."""
    made = make_detection_sample(folder, **sample)
    truth = read_coco_truth(made.truth)
    pred = read_coco_predictions(made.predictions, truth)
    metric = AveragePrecision().update(truth, pred)
    result = metric.compute()
    confusion = DetectionConfusion(score_threshold=0.5).update(truth, pred).compute()
    classes = [str(each) for each in confusion.classes.display_names()]
    counts = confusion.matrix.astype(float)
    counts[-1, -1] = np.nan
    examples, read = detection_examples(folder, n_examples)
    parts = RunParts(
        facts=Facts(
            "What stands out",
            ("Most errors are confusions of look-alikes.", "Small objects are missed."),
        ),
        confusion=MatrixDisplay(
            words=words(
                "confusion",
                "What was taken for what",
                "Most mistakes are between look-alikes.",
                protocol="IoU 0.5, from score 0.5",
            ),
            rows=(*classes, "false alarm"),
            columns=(*classes, "missed"),
            counts=counts,
            margins=True,
        ),
        curves=(precision_curve(classes), scores_curve()),
        errors=(bars(("classification", "localisation", "duplicate", "background", "missed")),),
        slices=(bars(("small", "medium", "large"), "sizes"),),
        classes=Table(
            words("classes", "Every class", "From 0.21 (cup) to 0.61 (dog)."),
            (
                Column("class", "class"),
                Column("n_truth", "objects"),
                *(Column(key, key, 3) for key in ("AP", "AP50", "AP75", "AR_100")),
            ),
            result.per_class(),
        ),
        own=(timeline(),),
    )
    return RunView(
        name=name,
        record=record(),
        result=result,
        parts=parts,
        metric=metric,
        examples=examples,
        picture=read,
    )


def precision_curve(classes: Sequence[str]) -> LinesDisplay:
    x = np.linspace(0, 1, 101)
    rng = np.random.default_rng(3)
    muted = [
        Line(name, x, np.clip(1 - x ** (1 + 3 * rng.random()), 0, 1), muted=True)
        for name in classes[:20]
    ]
    return LinesDisplay(
        words=words(
            "precision_recall", "Precision by recall", "Precision stays above 0.8 up to recall 0.5."
        ),
        lines=(Line("all classes", x, 1 - x**2), *muted),
        x_label="recall",
        y_label="precision",
        x_range=(0, 1),
        y_range=(0, 1),
    )


def scores_curve() -> LinesDisplay:
    x = np.linspace(0, 1, 101)
    return LinesDisplay(
        words=words(
            "by_score", "Precision, recall and F1 by score", "F1 is highest, 0.62, from score 0.31."
        ),
        lines=(
            Line("F1", x, 0.62 - (x - 0.31) ** 2),
            Line("precision", x, 0.4 + 0.5 * x),
            Line("recall", x, 0.9 - 0.85 * x),
        ),
        x_label="score",
        y_label="value",
        x_range=(0, 1),
        y_range=(0, 1),
        marks=(Mark("highest F1: 0.62 from score 0.31", 0.31, 0.62),),
    )


def bars(categories: tuple[str, ...], name: str = "errors") -> BarsDisplay:
    values = np.linspace(0.2, 0.05, len(categories))
    return BarsDisplay(
        words=words(name, f"AP lost by {name}", f"Most is lost by {categories[0]}."),
        categories=categories,
        bars=(Bars("AP lost", values, values - 0.02, values + 0.02),),
        value_label="AP lost",
    )


def timeline() -> SpansDisplay:
    return SpansDisplay(
        words=words("timeline", "Switches of identity", "Track 3 has two."),
        spans=tuple(
            Span(f"object {k}", 10.0 * j, 10.0 * j + 8, f"track {(k + j) % 3}", "kept")
            for k in range(5)
            for j in range(3)
        ),
        x_label="frame",
        row_label="object",
    )
