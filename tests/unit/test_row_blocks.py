"""Rows of some classes at a time: the same numbers, whatever the blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, mapped_file
from snellen.detection import average_precision, row_blocks
from snellen.detection.area_slices import slices_of_areas
from snellen.detection.curve_displays import SCORES_DRAWN, score_curves
from snellen.detection.detection_calibration import detection_calibration
from snellen.detection.error_types import DetectionErrors
from snellen.detection.image_table import image_table
from snellen.detection.label_errors import LabelErrors
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
from snellen.detection.operating_points import operating_points
from snellen.detection.slices import by_crowding, slices_of_images
from snellen.errors import InputError, SchemaError
from snellen.metric import metric_from_bytes
from snellen.state import pack, unpack

SEEDS = range(6)


def scene(seed: int, n: int = 400) -> tuple[Boxes, Boxes]:
    """Return truth and detections of classes of very different sizes, with equal scores."""
    random = np.random.default_rng(seed)
    classes = {k: f"class {k}" for k in range(12)}
    label = np.minimum(random.geometric(0.3, n) - 1, 10)  # class 11 has nothing
    image = random.integers(0, 9, n)
    xywh = np.column_stack([random.uniform(0, 300, (n, 2)), random.uniform(5, 150, (n, 2))])
    truth = Boxes.from_xywh(
        xywh, image_id=image, label=label, classes=classes, image_ids=np.arange(10)
    )
    rows = random.integers(0, n, 3 * n)
    moved = xywh[rows] + random.normal(0, random.choice([1, 30], (3 * n, 1)), (3 * n, 4))
    moved[:, 2:] = np.maximum(moved[:, 2:], 1)
    score = random.random(3 * n)
    if seed % 2:
        score = np.round(score, 1)
    other = np.where(random.random(3 * n) < 0.8, label[rows], random.integers(0, 12, 3 * n))
    pred = Boxes.from_xywh(moved, image_id=image[rows], label=other, score=score, classes=classes)
    return truth, pred


def metrics(seed: int) -> tuple[AveragePrecision, LocalizationRecallPrecision]:
    truth, pred = scene(seed)
    return (
        AveragePrecision().update(truth, pred),
        LocalizationRecallPrecision().update(truth, pred),
    )


def numbers(seed: int) -> dict[str, Any]:
    """Return everything that is read off blocks, as bytes."""
    metric, located = metrics(seed)
    found: dict[str, Any] = {"AP": metric.compute(), "areas": slices_of_areas(metric)}
    found["crowding"] = slices_of_images(metric, by_crowding(metric))
    for name, source in (("outcomes", metric), ("matches", located)):
        found[f"{name} points"] = operating_points(source)
        found[f"{name} F2"] = operating_points(source, beta=2.0, n_scores=20)
        found[f"{name} calibration"] = detection_calibration(source)
        found[f"{name} high"] = detection_calibration(source, bins=7, lowest_score=0.5)
        found[f"{name} mass"] = detection_calibration(source, binning="equal-mass")
        found[f"{name} images"] = image_table(source)
        found[f"{name} all images"] = image_table(source, score_threshold=-1.0)
    return {name: result._pack() for name, result in found.items()}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_rows", [1, 90, 400])
def test_blocks_change_no_number(seed: int, n_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = numbers(seed)
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", n_rows)
    monkeypatch.setattr(average_precision, "LARGE_BLOCK_ROWS", n_rows)
    for name, found in numbers(seed).items():
        assert found == whole[name], name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("n_rows", [1, 90, 1 << 20])
def test_a_thinned_curve_draws_the_same(
    seed: int, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, located = metrics(seed)
    whole = operating_points(located)
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", n_rows)
    thin = operating_points(located, n_scores=SCORES_DRAWN)
    assert thin.metrics == whole.metrics
    assert repr(thin.per_class()) == repr(whole.per_class())  # NaN included
    for name in ("micro", "macro"):
        threshold = whole.metrics[f"threshold_{name}"]
        for mine, theirs in zip(thin.at(threshold), whole.at(threshold), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(score_curves(thin), score_curves(whole), strict=True):
        assert mine.words == theirs.words
        for a, b in zip(mine.lines, theirs.lines, strict=True):
            np.testing.assert_array_equal(a.x, b.x)
            np.testing.assert_array_equal(a.y, b.y)


def test_few_points_are_kept() -> None:
    _, located = metrics(0)
    whole, thin = operating_points(located), operating_points(located, n_scores=2)
    # The first and the last of each class, and those at the two scores and the best ones.
    assert len(thin.threshold) < len(whole.threshold) / 4
    kept = set(zip(thin.threshold.tolist(), thin.tp.tolist(), thin.fp.tolist(), strict=True))
    assert kept <= set(
        zip(whole.threshold.tolist(), whole.tp.tolist(), whole.fp.tolist(), strict=True)
    )
    assert thin.protocol["n_scores"] == 2


def test_one_score_is_refused() -> None:
    with pytest.raises(InputError, match="expected a whole number from 2, got 1 - at n_scores"):
        operating_points(AveragePrecision(), n_scores=1)


def test_blocks_are_of_whole_classes() -> None:
    label = np.repeat(np.arange(5, dtype=np.int32), [3, 0, 9, 1, 2])
    columns = {"label": label, "at": np.arange(15)}
    truth = {"label": np.array([0, 2, 4], np.int32)}
    blocks = list(row_blocks.row_blocks(truth, columns, 6, 4))
    # Three rows and the class without any; one class that is too large; three rows and none.
    assert [(block.first, block.end) for block in blocks] == [(0, 2), (2, 3), (3, 6)]
    assert [block.pred["at"].tolist() for block in blocks] == [
        [0, 1, 2],
        list(range(3, 12)),
        [12, 13, 14],
    ]
    assert [block.truth["label"].tolist() for block in blocks] == [[0], [2], [4]]


def test_no_class_is_one_block_of_nothing() -> None:
    nothing = {"label": np.zeros(0, np.int32)}
    assert [block[:2] for block in row_blocks.row_blocks(nothing, nothing, 0)] == [(0, 0)]


@pytest.mark.parametrize("kind", [AveragePrecision, LocalizationRecallPrecision])
def test_a_mapped_state_gives_the_same(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = kind().update(*scene(1))
    path = tmp_path / "state.bin"
    path.write_bytes(metric.to_bytes())
    monkeypatch.setattr(mapped_file, "_MAPPED", 1)
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", 50)
    restored = metric_from_bytes(mapped_file.file_content(path), str(path))
    assert restored.to_bytes() == metric.to_bytes()
    assert restored.compute()._pack() == metric.compute()._pack()
    assert restored.merge(kind()).to_bytes() == metric.to_bytes()


@pytest.mark.parametrize(
    ("kind", "column", "value", "message"),
    [
        (AveragePrecision, "pred.label", 99, "positions outside 0 to 12|ordered by label"),
        (AveragePrecision, "pred.image", -1, "positions outside 0 to 10"),
        (AveragePrecision, "pred.score", np.nan, "score that is not finite"),
        (AveragePrecision, "truth.image", 10, "positions outside 0 to 10"),
        (LocalizationRecallPrecision, "truth.label", -1, "positions outside|ordered by label"),
        (LocalizationRecallPrecision, "pred.similarity", np.inf, "similarity that is not finite"),
        (DetectionErrors, "pred.kind", 6, "pred.kind above 5"),
        (DetectionErrors, "truth.state", 3, "truth.state above 2"),
        (LabelErrors, "suspicions.kind", 3, "suspicions.kind from 3 on"),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    kind: Any, column: str, value: float, message: str
) -> None:
    packed = unpack(kind().update(*scene(0)).to_bytes())
    arrays = dict(packed.arrays)
    arrays[column] = arrays[column].copy()
    arrays[column][-1] = value
    with pytest.raises(SchemaError, match=message):
        kind.from_bytes(pack(packed.name, packed.content, arrays))


@pytest.mark.parametrize("n_rows", [1, 1 << 20])
def test_an_order_that_is_none_is_refused(n_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "BLOCK_ROWS", n_rows)
    columns = {"image": np.zeros(3, np.int32), "label": np.array([0, 1, 0], np.int32)}
    with pytest.raises(ValueError, match="expected rows ordered by label"):
        row_blocks.check_rows(columns, 1, 2)
