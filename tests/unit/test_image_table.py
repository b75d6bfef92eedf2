from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from snellen import AveragePrecision, Boxes
from snellen.detection.image_table import ImageTable, image_table
from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
from snellen.errors import InputError

IMAGES = ["a", "b", "c", "d", "e"]
COMMON: dict[str, Any] = {"image_ids": IMAGES, "classes": {1: "cat", 2: "dog"}}
# a: two cats, one found (IoU 0.8), one dog found exactly. b: a cat, missed, and a false one.
# c: nothing, two false ones, of which one scores little. d: found. e: nothing at all.
TRUTH = Boxes.from_xywh(
    [[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]],
    image_id=["a", "a", "a", "b", "d"],
    label=[1, 1, 2, 1, 2],
    **COMMON,
)
PRED = Boxes.from_xywh(
    [
        *[[0, 0, 10, 8], [40, 0, 10, 10], [50, 50, 10, 10]],
        *[[50, 50, 10, 10], [70, 50, 10, 10], [0, 0, 10, 10]],
    ],
    image_id=["a", "a", "b", "c", "c", "d"],
    label=[1, 2, 1, 1, 1, 2],
    score=[0.9, 0.8, 0.7, 0.9, 0.01, 0.6],
    **COMMON,
)


def test_the_table_by_hand() -> None:
    table = image_table(LocalizationRecallPrecision().update(TRUTH, PRED), score_threshold=0.5)
    # Most errors first (b: 2); of one error each, c (F1 0) before a (4 / 5); then d; e has nothing.
    rows = [tuple(each.values()) for each in table.worst(4)]
    assert rows[0][:5] == ("b", 0, 1, 1, 0.0)
    assert rows[1][:5] == ("c", 0, 1, 0, 0.0)
    assert rows[2] == ("a", 2, 0, 1, 0.8, 0.9)
    assert rows[3] == ("d", 1, 0, 0, 1.0, 1.0)
    last = table.worst()[4]
    assert (last["image"], last["tp"], last["fp"], last["fn"]) == ("e", 0, 0, 0)
    assert math.isnan(last["f1"])
    assert math.isnan(last["mean_iou"])
    assert (table.precision, table.recall, table.f1) == (3 / 5, 3 / 5, 6 / 10)
    assert table.images_without_error == 2 / 5
    assert math.isclose(table.mean_iou, (0.8 + 1 + 1) / 3)
    assert table.per_class()[0] == {"class": "cat", "id": 1, "tp": 1, "fp": 2, "fn": 2}


def test_the_best_threshold_where_none_is_given() -> None:
    metric = AveragePrecision().update(TRUTH, PRED)
    table = image_table(metric)
    # 0.6: 3 right, 2 wrong of 5, F1 0.6; 0.8: 2 right of 3 and 5, F1 4 / 8.
    assert table.protocol["score_threshold"] == 0.6
    assert table.protocol["is_best_threshold"]
    assert "that of the highest F1" in str(table)
    low = image_table(metric, score_threshold=0.0)
    assert low.worst(1)[0]["image"] == "b"
    assert low.worst(2)[1]["fp"] == 2
    assert image_table(metric, score_threshold=5.0).tp.sum() == 0


def test_what_average_precision_does_not_know() -> None:
    table = image_table(AveragePrecision().update(TRUTH, PRED))
    (undefined,) = table.undefined
    assert undefined.metric == "mean_iou"
    assert "LocalizationRecallPrecision" in undefined.reason


def test_nothing() -> None:
    table = image_table(AveragePrecision())
    assert {entry.metric for entry in table.undefined} == set(table.metrics)
    assert table.worst() == []
    str(table)
    with pytest.raises(InputError, match="finite"):
        image_table(AveragePrecision(), score_threshold=math.nan)


def test_text_frame_and_file(tmp_path: Path) -> None:
    table = image_table(LocalizationRecallPrecision().update(TRUTH, PRED))
    lines = str(table).splitlines()
    assert lines[0].startswith("5 images: detections of score 0.6 or more")
    assert lines[3].split()[:4] == ["b", "0", "1", "1"]
    assert lines[-1].split()[:4] == ["all", "3", "2", "2"]
    pandas = pytest.importorskip("pandas")
    assert isinstance(table.to_frame(), pandas.DataFrame)
    assert table.to_frame()["image"].tolist() == ["b", "c", "a", "d", "e"]
    plain = table.to_dict()
    assert plain["images"][-1]["f1"] is None
    table.save(tmp_path / "table")
    again = ImageTable.load(tmp_path / "table")
    assert str(again) == str(table)
    assert again.to_dict() == plain


def test_only_the_worst_are_shown() -> None:
    ids = list(range(30))
    truth = Boxes.from_xywh([[0, 0, 9, 9]] * 30, image_id=ids, label=1)
    pred = Boxes.from_xywh([[0, 0, 9, 9]] * 30, image_id=ids, label=1, score=[0.5] * 30)
    text = str(image_table(AveragePrecision().update(truth, pred)))
    assert text.startswith("the worst 20 of 30 images")
    assert len(text.splitlines()) == 24
