from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import json
import math
import pickle
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import AveragePrecision, AveragePrecisionResult, Boxes, average_precision
from snellen.errors import MissingExtraError, SchemaError, StateVersionError
from snellen.result import Undefined
from snellen.state import pack

ONE = 0.9999999999999998
NASTY = "</script><img src=x onerror=alert(1)>&\"'"


def result_of(protocol: str = "coco", **parameters: Any) -> AveragePrecisionResult:
    """Return the result of a cat that is found and a thing of nasty name that is not."""
    classes = {7: "cat", 2**60: NASTY, 9: ""}
    return average_precision(
        Boxes.from_xywh(
            [[0, 0, 10, 10], [50, 0, 40, 40]], image_id=[1, 1], label=[7, 2**60], classes=classes
        ),
        Boxes.from_xywh([[0, 0, 10, 10]], image_id=[1], label=[7], score=[0.1], classes=classes),
        protocol=protocol,
        **parameters,
    )


# ---------------------------------------------------------------------------------------------
# Attributes.


def test_headline_numbers_are_attributes() -> None:
    result = result_of()
    assert [getattr(result, name) for name in ("AP", "AR_1")] == [
        result.metrics["AP"],
        result.metrics["AR_1"],
    ]
    assert result.AP_small == ONE
    assert {"AP", "AR_100", "precision", "to_dict"} <= set(dir(result))


def test_unknown_attributes_suggest_one() -> None:
    result = result_of()
    with pytest.raises(
        AttributeError,
        match=r'^AveragePrecisionResult has no "AP5"\. Did you mean "AP50"\?$',
    ):
        _ = result.AP5
    with pytest.raises(AttributeError, match=r'^AveragePrecisionResult has no "nonsense"\.$'):
        _ = result.nonsense
    assert not hasattr(result, "AR_300")


def test_results_are_frozen() -> None:
    result = result_of()
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.metrics = {}  # type: ignore[misc]


def test_repr() -> None:
    text = repr(result_of(max_detections=(2,)))
    # AP: the mean of 1 and 0; no truth box is large.
    assert text == (
        "AveragePrecisionResult(AP=0.5000, AP50=0.5000, AP75=0.5000, AP_small=1.0000, "
        "AP_medium=0.0000, AP_large=nan, AR_2=0.5000, AR_small=1.0000, AR_medium=0.0000, "
        "AR_large=nan)"
    )


def test_copies() -> None:
    result = result_of()
    for copied in (pickle.loads(pickle.dumps(result)), copy.copy(result), copy.deepcopy(result)):
        assert copied.precision.tobytes() == result.precision.tobytes()
        assert copied.AP == result.AP
        assert copied.to_dict() == result.to_dict()


# ---------------------------------------------------------------------------------------------
# Plain values.


def test_to_dict_is_what_json_holds() -> None:
    result = result_of()
    plain = result.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["schema"] == "snellen.result/1"
    assert plain["task"] == "detection"
    assert plain["protocol"]["name"] == "coco"
    assert plain["protocol"]["max_detections"] == [1, 10, 100]
    assert plain["metrics"]["AP_small"] == ONE
    assert plain["metrics"]["AP_large"] is None
    assert plain["data"]["n_truth"] == 2
    cat, unseen, nasty = plain["per_class"]
    assert (cat["class"], cat["id"], cat["n_truth"], cat["AP"]) == ("cat", 7, 1, ONE)
    assert (unseen["class"], unseen["n_truth"], unseen["AP"]) == ("9", 0, None)
    assert (nasty["class"], nasty["id"], nasty["AP"]) == (NASTY, 2**60, 0.0)
    assert {"metric": "AP_large", "reason": "no truth box counts in area range large"} in plain[
        "undefined"
    ]
    of_all = [entry["metric"] for entry in plain["undefined"] if "class" not in entry]
    assert of_all == ["AP_large", "AR_large"]
    # Every null of a class has its reason.
    assert {
        (record["class"], name)
        for record in plain["per_class"]
        for name, value in record.items()
        if value is None
    } == {(entry["class"], entry["metric"]) for entry in plain["undefined"] if "class" in entry}


def test_to_dict_names_the_class_of_what_is_undefined() -> None:
    result = dataclasses.replace(
        result_of(), undefined=(Undefined("AP", "why not", "cat"), Undefined("AR_1", "because"))
    )
    assert result.to_dict()["undefined"][:2] == [
        {"metric": "AP", "class": "cat", "reason": "why not"},
        {"metric": "AR_1", "reason": "because"},
    ]


def test_results_of_nothing_have_all_views() -> None:
    result = AveragePrecision().compute()
    plain = result.to_dict()
    assert plain["per_class"] == []
    assert set(plain["metrics"].values()) == {None}
    assert "0 classes" in result._repr_html_()
    assert "images       0" in result.composition()
    assert str(result).count("nan") == 12
    assert result.precision.shape == (10, 101, 0, 4, 3)


def test_per_class_numbers_are_means_of_the_curves() -> None:
    result = result_of()
    for k, record in enumerate(result.per_class()):
        if record["n_truth"]:
            assert record["AP"] == np.mean(result.precision[:, :, k, 0, 2].reshape(-1))
            assert record["AP50"] == np.mean(result.precision[0, :, k, 0, 2])
            assert record["AR_10"] == np.mean(result.recall[:, k, 0, 1])


def test_to_frame_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[frame\]'"):
        result_of().to_frame()


def test_to_frame_has_one_row_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    class FakePandas:
        class DataFrame:
            @staticmethod
            def from_records(records: Any) -> Any:
                return records

    monkeypatch.setitem(sys.modules, "pandas", FakePandas)  # type: ignore[arg-type]
    assert [record["class"] for record in result_of().to_frame()] == ["cat", "9", NASTY]


def test_composition() -> None:
    truth = Boxes.from_xywh(
        [[0, 0, 10, 10]] * 2, image_id=[1, 1], label=[1, 1], crowd=[0, 1], image_ids=range(1500)
    )
    pred = Boxes.from_xywh([[0, 0, 10, 10]] * 3, image_id=[1] * 3, label=[1] * 3, score=[0.5] * 3)
    assert average_precision(truth, pred, max_detections=(2,)).composition() == (
        "images       1,500\n"
        "truth boxes  2, 1 of them crowds, left out\n"
        "predictions  3, 1 dropped by the cap of 2\n"
        "classes      1, 1 with truth\n"
        "protocol     coco: IoU 0.50:0.95 (10), 101 recall points, areas all/small/medium/large, "
        "caps 2\n"
        "undefined    AP_medium: no truth box counts in area range medium\n"
        "undefined    AP_large: no truth box counts in area range large\n"
        "undefined    AR_medium: no truth box counts in area range medium\n"
        "undefined    AR_large: no truth box counts in area range large"
    )


# ---------------------------------------------------------------------------------------------
# Text.


@pytest.mark.parametrize("caps", [(1, 10, 100), (2, 5, 7), (1, 10, 1000)])
@pytest.mark.parametrize("size", [20, 50, 200])
def test_str_is_what_the_reference_prints(caps: tuple[int, ...], size: int) -> None:
    """Sizes of one bucket each, so that the others print -1.000."""
    box = {"image_id": 1, "category_id": 1}
    coco = COCO()
    truth_boxes = [[0.0, 0.0, size, size], [300.0, 0.0, size, size], [600.0, 0.0, size, size]]
    pred_boxes = [[0.0, 0.0, size, 0.8 * size], [900.0, 0.0, 9.0, 9.0], [300.0, 0.0, size, size]]
    scores = [0.3, 0.2, 0.1]
    coco.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": 1}],
        "annotations": [
            {"id": i + 1, "bbox": bbox, "area": bbox[2] * bbox[3], "iscrowd": 0, **box}
            for i, bbox in enumerate(truth_boxes)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        found = coco.loadRes(
            [{"bbox": b, "score": s, **box} for b, s in zip(pred_boxes, scores, strict=True)]
        )
        evaluation = COCOeval(coco, found, "bbox")
        evaluation.params.maxDets = list(caps)
        evaluation.evaluate()
        evaluation.accumulate()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        evaluation.summarize()
    columns: dict[str, Any] = {"image_id": [1] * 3, "label": [1] * 3}
    result = average_precision(
        Boxes.from_xywh(truth_boxes, **columns),
        Boxes.from_xywh(pred_boxes, score=scores, **columns),
        protocol="coco-strict",
        max_detections=caps,
    )
    if caps[2] == 100:
        assert str(result) + "\n" == printed.getvalue()
        return
    # The reference looks for 100 detections in its first line and prints that number.
    assert str(result).splitlines() == printed.getvalue().splitlines()


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert {name for name, _ in attrs} <= {"class", "scope"}, (tag, attrs)
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_html_shows_names_and_runs_none() -> None:
    html = result_of()._repr_html_()
    page = Tags(html)
    assert set(page.tags) <= {
        *("div", "style", "p", "b", "table", "thead", "tbody", "tr", "th", "td"),
        *("details", "summary", "ul", "li"),
    }
    assert NASTY in page.texts
    assert "cat" in page.texts
    assert "3 classes" in page.texts
    # Undefined numbers are a dash.
    assert "–" in page.texts
    assert "nan" not in html


# ---------------------------------------------------------------------------------------------
# Files.


@pytest.mark.parametrize("protocol", ["coco", "coco-strict"])
def test_save_and_load(tmp_path: Path, protocol: str) -> None:
    result = result_of(protocol, max_detections=(2, 300))
    path = tmp_path / "result.bin"
    result.save(path)
    loaded = AveragePrecisionResult.load(str(path))
    for name in ("precision", "recall", "scores", "n_counted"):
        saved, read = getattr(result, name), getattr(loaded, name)
        assert saved.shape == read.shape
        assert np.ascontiguousarray(saved).tobytes() == read.tobytes(), name
    assert json.dumps(loaded.to_dict()) == json.dumps(result.to_dict())
    assert loaded.undefined == result.undefined
    assert str(loaded) == str(result)
    assert loaded.rules == result.rules
    assert loaded.classes.same_as(result.classes)
    loaded.save(tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == path.read_bytes()


def test_save_and_load_of_nothing(tmp_path: Path) -> None:
    result = AveragePrecision().compute()
    result.save(tmp_path / "result.bin")
    loaded = AveragePrecisionResult.load(tmp_path / "result.bin")
    assert loaded.to_dict() == result.to_dict()


def test_load_of_other_files(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(b"{}")
    with pytest.raises(
        SchemaError, match=r"expected a state written by Snellen.* - at .*some\.bin"
    ):
        AveragePrecisionResult.load(path)
    path.write_bytes(AveragePrecision().to_bytes())
    with pytest.raises(
        SchemaError, match=r"expected a AveragePrecisionResult, got a AveragePrecision - at .*some"
    ):
        AveragePrecisionResult.load(path)
    result_of().save(path)
    data = path.read_bytes()
    for changed, error in (
        (data[:-9], SchemaError),
        (data[:100] + b"\xff" + data[101:], SchemaError),
        (data[:8] + b"\x09" + data[9:], StateVersionError),
    ):
        path.write_bytes(changed)
        with pytest.raises(error, match=r"- at .*some\.bin"):
            AveragePrecisionResult.load(path)


@pytest.mark.parametrize("content", [{}, {"protocol": {}}, {"protocol": None}])
def test_load_of_a_result_with_wrong_content(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(pack("AveragePrecisionResult", content, {}))
    with pytest.raises(SchemaError, match=r"- at .*some\.bin"):
        AveragePrecisionResult.load(path)


def test_undefined_is_nan_and_zero_is_not() -> None:
    result = result_of()
    assert math.isnan(result.AP_large)
    assert result.AP_medium == 0.0
    assert [entry.metric for entry in result.undefined] == ["AP_large", "AR_large"]
