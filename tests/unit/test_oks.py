"""Object keypoint similarity: by hand, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import _core
from snellen.detection.candidates import candidates, coded
from snellen.detection.oks import checked_sigmas, oks, oks_candidates
from snellen.detection.poses import Poses
from snellen.detection.protocols import COCO_KEYPOINTS
from snellen.detection.sigmas import COCO_SIGMAS, CROWDPOSE_SIGMAS
from snellen.errors import InputError, ShapeError


def poses(keypoints: Any, **columns: Any) -> Poses:
    n = len(keypoints)
    columns = {"image_id": [1] * n, "label": [1] * n, "classes": {1: "a", 2: "b"}, **columns}
    return Poses.from_keypoints(keypoints, image_ids=[1, 2], **columns)


def test_sigmas_are_quotients() -> None:
    assert len(COCO_SIGMAS) == 17
    assert len(CROWDPOSE_SIGMAS) == 14
    # Dividing by ten is a rounding of its own.
    assert COCO_SIGMAS[11] == 1.07 / 10.0 != 0.107
    assert COCO_SIGMAS[0] == 0.26 / 10.0


def test_worked_by_hand() -> None:
    # (2σ)² is 0.25 and 1, the area 16: d² of 4 and 16 both give e = 0.5.
    truth = poses([[[10, 10, 2], [20, 10, 1]]], area=[16])
    pred = poses([[[12, 10, 0], [20, 14, 0]], [[10, 10, 0], [20, 10, 0]]], score=[1, 1])
    got = oks(pred, truth, [0.25, 0.5])
    assert got.shape == (2, 1)
    assert got[:, 0].tolist() == pytest.approx([math.exp(-0.5), 1.0], rel=1e-15)


def test_what_truth_does_not_label_does_not_count() -> None:
    truth = poses([[[10, 10, 2], [0, 0, 0]]], area=[16])
    pred = poses([[[10, 10, 0], [9999, 9999, 2]]], score=[1])
    assert oks(pred, truth, [0.25, 0.5]).tolist() == [[1.0]]


def test_without_labels_the_doubled_box_counts() -> None:
    # From 6 to 18 and from 18 to 24; points outside by 2 in x, and by 2 in both: e is 0.5 and 1.
    truth = poses([[[0, 0, 0], [0, 0, 0]]], box=[[10, 20, 4, 2]], area=[4])
    pred = poses([[[4, 20, 0], [20, 26, 0]], [[6, 18, 0], [18, 24, 0]]], score=[1, 1])
    got = oks(pred, truth, [0.5, 0.5])[:, 0].tolist()
    assert got == pytest.approx([(math.exp(-0.5) + math.exp(-1)) / 2, 1.0], rel=1e-15)


def test_area_of_the_box_where_none_is_given() -> None:
    truth = poses([[[5, 5, 2]]], box=[[0, 0, 10, 10]])
    pred = poses([[[6, 5, 2]]], score=[1])
    # 1 / (2 · 0.05)² / 100 / 2 = 0.5
    assert oks(pred, truth, [0.05])[0, 0] == pytest.approx(math.exp(-0.5), rel=1e-15)


def test_candidates_are_those_of_an_image_and_a_class() -> None:
    truth = poses([[[5, 5, 2]]] * 3, image_id=[2, 1, 1], label=[1, 2, 1], box=[[0, 0, 10, 10]] * 3)
    pred = poses(
        [[[5, 5, 0]], [[5, 5, 0]], [[6, 5, 0]]],
        image_id=[1, 2, 1],
        label=[2, 2, 1],
        score=[1, 1, 1],
    )
    codes = coded(truth, pred)
    found = oks_candidates(truth, pred, codes, [0.05], lowest=0.5)
    assert found["begin"].tolist() == [0, 1, 1, 2]
    assert found["truth"].tolist() == [1, 2]
    assert found["similarity"].tolist() == pytest.approx([1, math.exp(-0.5)], rel=1e-15)
    found = oks_candidates(truth, pred, codes, [0.05], lowest=0.5, across_labels=True)
    assert found["begin"].tolist() == [0, 2, 3, 5]
    assert found["truth"].tolist() == [1, 2, 0, 1, 2]
    found = oks_candidates(truth, pred, codes, [0.05], lowest=0.7)
    assert found["begin"].tolist() == [0, 1, 1, 1]
    # Objects four times as large: e is a quarter.
    found = oks_candidates(truth, pred, codes, [0.05], lowest=0.7, area=np.full(3, 400.0))
    assert found["similarity"].tolist() == pytest.approx([1, math.exp(-0.125)], rel=1e-15)


def test_the_protocol_has_the_sigmas() -> None:
    points = np.zeros((1, 17, 3))
    points[:, :, 2] = 2
    truth = poses(points, area=[100], box=[[0, 0, 10, 10]])
    pred = poses(points + np.array([1, 0, 0]), score=[1])
    found = candidates(truth, pred, COCO_KEYPOINTS, lowest=0.0)
    assert found.similarity.tolist() == oks(pred, truth)[0].tolist()
    assert found.similarity.tolist() == oks(pred, truth, COCO_SIGMAS)[0].tolist()


def test_rows_beyond_the_cap_have_no_candidates() -> None:
    truth = poses([[[5, 5, 2]]], box=[[0, 0, 10, 10]])
    pred = poses([[[5, 5, 0]]] * 4, score=[0.5, 0.9, 0.5, 0.1])
    codes = coded(truth, pred)
    found = oks_candidates(truth, pred, codes, [0.1], lowest=0.5, max_detections=2)
    assert found["begin"].tolist() == [0, 1, 2, 2, 2]


@pytest.mark.parametrize(("n_truth", "n_pred"), [(0, 0), (0, 2), (2, 0)])
def test_nothing_to_compare(n_truth: int, n_pred: int) -> None:
    # Empty tables do not know how many keypoints there are.
    truth, pred = poses([[[5, 5, 2]]] * n_truth), poses([[[5, 5, 2]]] * n_pred, score=[1] * n_pred)
    assert oks(pred, truth).shape == (n_pred, n_truth)
    found = oks_candidates(truth, pred, coded(truth, pred), lowest=0.5)
    assert found["begin"].tolist() == [0] * (n_pred + 1)
    assert len(found["truth"]) == 0


def test_far_points_say_nothing_even_where_numpy_raises() -> None:
    truth = poses([[[5, 5, 2]]], box=[[0, 0, 10, 10]])
    pred = poses([[[55, 5, 2]]], score=[1])
    with np.errstate(all="raise"):
        assert 0 < oks(pred, truth, [0.0665])[0, 0] < 1e-300
        assert oks(pred, truth, [1e-3])[0, 0] == 0


@pytest.mark.parametrize(
    ("sigmas", "n_keypoints", "error", "text"),
    [
        (None, 5, ShapeError, "expected sigmas for 5 keypoints, got none"),
        (COCO_SIGMAS, 14, ShapeError, "expected 14 sigmas, one a keypoint, got 17 .of"),
        ([[0.1]], 1, ShapeError, r"got \(1, 1\)"),
        ([0.1, 0.0], 2, InputError, r"above 0, got 0 - at sigmas\[1\]"),
        ([0.1, -0.1], 2, InputError, r"sigmas\[1\]"),
        ([0.1, math.nan], 2, InputError, r"sigmas\[1\]"),
        ([0.1, math.inf], 2, InputError, r"sigmas\[1\]"),
        (["a"], 1, InputError, "sigmas"),
    ],
)
def test_sigmas_refused(sigmas: Any, n_keypoints: int, error: type[InputError], text: str) -> None:
    with pytest.raises(error, match=text):
        checked_sigmas(sigmas, n_keypoints)


def test_poses_of_different_keypoints_are_refused() -> None:
    truth, pred = poses([[[5, 5, 2]]]), poses([[[5, 5, 2], [6, 6, 2]]], score=[1])
    with pytest.raises(
        ShapeError, match=r"of 1 keypoints, as truth has, got 2 - at pred\.keypoints"
    ):
        oks(pred, truth, [0.1])


def kernel(**changes: Any) -> Any:
    points = np.array([[[5.0, 5, 2], [6, 6, 2]]])
    code = np.zeros(1, np.int32)
    arguments: dict[str, Any] = {
        "truth_image": code,
        "truth_label": code,
        "truth_keypoints": points,
        "truth_xywh": np.ones((1, 4)),
        "truth_area": np.ones(1),
        "pred_image": code,
        "pred_label": code,
        "pred_keypoints": points,
        "exponential": np.exp,
        "sigmas": [0.1, 0.2],
        "n_images": 1,
        "n_labels": 1,
        "lowest": 0.5,
        "across_labels": False,
    }
    return _core.oks_candidates(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sigmas": [0.1]}, "expected 1 keypoints of 3 numbers"),
        ({"sigmas": []}, "sigmas above 0"),
        ({"sigmas": [0.1, math.nan]}, "sigmas above 0"),
        ({"pred_keypoints": np.ones((1, 2, 2))}, "expected 2 keypoints of 3 numbers"),
        ({"pred_keypoints": np.ones((2, 2, 3))}, "1 rows of keypoints"),
        ({"truth_xywh": np.ones((1, 3))}, "boxes of 4 numbers"),
        ({"truth_xywh": np.ones((2, 4))}, "1 rows of xywh"),
        ({"truth_area": np.ones(2)}, "1 rows of area"),
        ({"truth_image": np.ones(1, np.int32)}, "image below 1"),
        ({"pred_label": np.full(1, -1, np.int32)}, "label below 1"),
        ({"pred_score": np.ones(1)}, "pred_score and max_detections"),
        ({"pred_score": np.ones(2), "max_detections": 1}, "1 rows of score"),
    ],
)
def test_the_kernel_checks_what_it_reads(changes: dict[str, Any], text: str) -> None:
    assert kernel()["begin"].tolist() == [0, 1]
    with pytest.raises(ValueError, match=text):
        kernel(**changes)


def test_an_error_of_the_exponential_comes_through() -> None:
    def failing(*_: Any) -> Any:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        kernel(exponential=failing)
