"""J and F: cases worked by hand, matching, regions, frames, results, errors."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import IdError, InputError, MergeError, SchemaError, ShapeError
from snellen.rle_masks import RleMasks
from snellen.state import pack, unpack
from snellen.tracking.j_and_f import JAndF, j_and_f
from snellen.tracking.j_and_f_result import MEASURES, JAndFResult
from snellen.tracking.tracks import Tracks

# Frames of 4 × 4 pixels: columns of objects.
BOTH = [[0, 1, 1, 0]] * 4
ONE = [[0, 1, 0, 0]] * 4
NONE = [[0, 0, 0, 0]] * 4


def maps(*frames: Any) -> Any:
    return np.array(frames, np.uint8)


def tracks(labels: Any, **columns: Any) -> Tracks:
    """Return the tracks of label maps, frames from 0."""
    found = RleMasks.from_labels(labels)
    options = {"track_id": found.value, "frame": found.image, "sequence": "a"} | columns
    return Tracks.from_masks(found.masks, **options)


def test_one_object() -> None:
    # J: 1, then 4 of 8 pixels. Quarters of two frames: the first is frame 0, the last frame 1.
    # Contours within 0 pixels: column 0 and 2 of BOTH, 0 and 1 of ONE, 8 pixels each, 4 in common.
    result = j_and_f(maps(BOTH, BOTH), maps(BOTH, ONE), tolerance=0)
    assert result.metrics == {
        "J_and_F": 0.75,
        "J_mean": 0.75,
        "J_recall": 0.5,  # 0.5 is not above 0.5
        "J_decay": 0.5,
        "F_mean": 0.75,
        "F_recall": 0.5,
        "F_decay": 0.5,
    }
    # Within a pixel each contour pixel has another: column 1 lies between 0 and 2.
    assert j_and_f(maps(BOTH, BOTH), maps(BOTH, ONE), tolerance=1).F_mean == 1
    # 0.8 % of √32 pixels is 1 pixel, rounded up.
    assert j_and_f(maps(BOTH, BOTH), maps(BOTH, ONE)).F_mean == 1


def test_what_neither_side_has_is_right() -> None:
    result = j_and_f(maps(BOTH, NONE, NONE), maps(ONE, NONE, ONE), tolerance=0)
    # J 1/2, 1, 0; F 1/2, 1, 0.
    frames = result.tables.of_frames
    assert frames["j"].tolist() == [0.5, 1, 0]
    assert frames["f"].tolist() == [0.5, 1, 0]
    assert result.J_mean == 0.5
    assert result.J_recall == 1 / 3


def test_a_mask_without_a_contour() -> None:
    # All pixels of the image: no contour on either side.
    full = np.ones((1, 3, 3), np.uint8)
    assert j_and_f(full, full).F_mean == 1
    assert j_and_f(full, maps(BOTH)[:, :3, :3]).F_mean == 0


def test_objects_are_matched_by_mean_j() -> None:
    # Object 1 is track 9 in both frames, object 2 is track 4.
    truth = maps([[1, 1, 0, 2]] * 4, [[1, 1, 0, 2]] * 4)
    pred = maps([[9, 9, 0, 4]] * 4, [[9, 0, 0, 4]] * 4)
    result = j_and_f(truth, pred)
    assert result.J_mean == (0.75 + 1) / 2
    records = {record["track"]: record for record in result.per_object()}
    assert (records[1]["match"], records[1]["J_mean"]) == (9, 0.75)
    assert (records[2]["match"], records[2]["J_mean"]) == (4, 1)
    # Ids say nothing then, and all with match="id".
    swapped = np.array([0, 2, 1], np.uint8)[truth]
    assert j_and_f(truth, swapped).J_mean == 1
    assert j_and_f(truth, swapped, match="id").J_mean == 0
    assert j_and_f(truth, truth, match="id").J_mean == 1


def test_the_sum_decides_not_the_best_pair() -> None:
    # J of object 1: 5/12 with track 1, 4/10 with track 2; of object 2: 2/7 with track 1, 0 with
    # track 2. The best pair is 5/12, and 4/10 + 2/7 is more.
    truth = maps([[1] * 10 + [2] * 2])
    pred = maps([[1] * 5 + [2] * 4 + [0] + [1] * 2])
    assert j_and_f(truth, pred).J_mean == (4 / 10 + 2 / 7) / 2


def test_fewer_tracks_than_objects() -> None:
    truth = maps([[1, 1, 0, 2]] * 4, [[1, 1, 0, 0]] * 4)
    pred = maps([[5, 5, 0, 0]] * 4, [[5, 5, 0, 0]] * 4)
    records = {record["track"]: record for record in j_and_f(truth, pred).per_object()}
    assert records[1]["match"] == 5
    # In frame 1 neither side has it.
    assert (records[2]["match"], records[2]["J_mean"], records[2]["F_mean"]) == (None, 0.5, 0.5)
    nothing = j_and_f(truth, np.zeros_like(truth))
    assert nothing.J_mean == (0 + 0.5) / 2
    assert nothing.data["n_matched"] == 0
    by_id = j_and_f(truth, pred, match="id")
    assert by_id.J_mean == (0 + 0.5) / 2


def test_tracks_beyond_the_objects_do_not_count() -> None:
    truth, pred = maps([[1, 1, 0, 0]] * 4), maps([[1, 1, 0, 3]] * 4)
    result = j_and_f(truth, pred)
    assert result.J_and_F == 1
    assert result.data["n_tracks"] == 2
    # A sequence without objects does not count either.
    both = JAndF().update(truth, pred, sequence="a").update(maps(NONE), pred, sequence="b")
    assert both.compute().J_and_F == 1
    assert math.isnan(both.compute().per_sequence()[1]["J_mean"])
    assert "1 sequences without truth objects" in both.compute().composition()


def test_void_is_not_judged() -> None:
    truth = maps([[1, 1, 255, 255]] * 4, [[1, 1, 0, 255]] * 4)
    pred = maps([[1, 1, 1, 0]] * 4, [[1, 1, 1, 1]] * 4)
    result = j_and_f(truth, pred)
    # Frame 0: all that is wrong is void; frame 1: column 2 is not.
    assert result.tables.of_frames["j"].tolist() == [1, 2 / 3]
    # In a prediction 255 is an id.
    assert j_and_f(maps(ONE), maps(ONE) * 255).J_mean == 1


def test_regions_of_tracks() -> None:
    truth = tracks(maps([[1, 1, 7, 8]] * 4), region=[0, 1, 1])
    result = j_and_f(truth, tracks(maps([[1, 1, 1, 1]] * 4)))
    assert result.J_mean == 1
    assert result.data["n_objects"] == 1
    uncounted = tracks(maps([[1, 1, 7, 8]] * 4), counted=[1, 0, 0])
    assert j_and_f(uncounted, tracks(maps([[1, 1, 1, 1]] * 4))).J_mean == 0.5


def test_inner_frames() -> None:
    truth = maps(ONE, BOTH, BOTH, ONE)
    pred = maps(NONE, BOTH, ONE, NONE)
    result = j_and_f(truth, pred, inner_frames=True)
    assert result.tables.of_frames["j"].tolist() == [1, 0.5]
    assert result.data["n_frames"] == 2
    # An object of the first frame alone is one: there is nothing of it, as predicted.
    gone = j_and_f(maps(BOTH, NONE, NONE), maps(BOTH, NONE, NONE), inner_frames=True, match="id")
    assert gone.J_and_F == 1
    assert gone.data["n_objects"] == 1
    with pytest.raises(InputError, match=r"at least 3 frames .* got 2 - at sequence 0"):
        j_and_f(truth[:2], pred[:2], inner_frames=True)


def test_decay_of_long_sequences() -> None:
    # Edges of quarters of 400 frames: 1, 100.75, 200.5, 300.25, 400; rounded, from 0: 0, 100, 200,
    # 299, 399. The first quarter is frames 0 to 100, the last 299 to 399. In 8 bits the last two
    # would be 43 and 143.
    truth = np.zeros((400, 2, 2), np.uint8)
    truth[:, 0, 0] = 1
    pred = truth.copy()
    pred[101:299] = 0
    assert j_and_f(truth, pred).J_decay == 0
    pred[299:] = 0
    assert j_and_f(truth, pred).J_decay == 1
    assert j_and_f(truth, pred).J_mean == 101 / 400


def test_masks_that_share_pixels() -> None:
    # Track 2 lies over track 1 and beyond: each object is judged by the whole mask of its own.
    truth = tracks(maps([[1, 1, 2, 2]] * 4))
    masks = RleMasks.from_arrays([[[1, 1, 0, 0]] * 4, [[0, 1, 1, 1]] * 4])
    pred = Tracks.from_masks(masks, track_id=[1, 2], frame=0, sequence="a")
    result = j_and_f(truth, pred, tolerance=0)
    assert result.tables.of_frames["j"].tolist() == [1, 2 / 3]
    # Object 1: column 1 on both sides. Object 2: column 1; column 0.
    assert result.tables.of_frames["f"].tolist() == [1, 0]


def test_frames_from_1() -> None:
    labels, other = maps(BOTH, BOTH, NONE), maps(BOTH, ONE, NONE)
    wanted = j_and_f(labels, other).metrics
    sides = [tracks(each) for each in (labels, other)]
    from_1 = [
        tracks(each, frame=RleMasks.from_labels(each).image + 1, n_frames=3)
        for each in (labels, other)
    ]
    assert j_and_f(*from_1).metrics == wanted
    # Without the number of frames the third, which is empty, is not known.
    assert j_and_f(*sides).data["n_frames"] == 2
    seen = [tracks(each, frames=[0, 1, 2]) for each in (labels, other)]
    assert j_and_f(*seen).metrics == wanted


def test_ids_that_are_texts() -> None:
    labels = maps([[1, 2, 0, 0]] * 4, [[0, 2, 0, 1]] * 4)
    names = np.array(["", "zebra", "ant"])[RleMasks.from_labels(labels).value]
    truth = tracks(labels, track_id=names)
    for match in ("J", "id"):
        result = j_and_f(truth, tracks(labels, track_id=names), match=match)
        assert [(each["track"], each["match"]) for each in result.per_object()] == [
            ("ant", "ant"),
            ("zebra", "zebra"),
        ]
        assert result.J_mean == 1
    other = np.array(["", "ant", "cow"])[RleMasks.from_labels(labels).value]
    by_id = j_and_f(truth, tracks(labels, track_id=other), match="id")
    # "ant" is truth's object 2 and the prediction's 1, which share nothing; nothing is "zebra".
    assert by_id.J_mean == 0
    assert j_and_f(truth, tracks(labels)).J_mean == 1
    with pytest.raises(IdError, match="track ids of one kind"):
        j_and_f(truth, tracks(labels), match="id")
    metric = JAndF().update(truth, truth)
    with pytest.raises(IdError, match="track ids of one kind"):
        metric.update(tracks(labels, sequence="b"), tracks(labels, sequence="b"))


def test_several_sequences_count_by_their_objects() -> None:
    # a: one object, J 1; b: two objects, J 0 and 0.5.
    a = maps(BOTH)
    b, other = maps([[1, 2, 2, 0]] * 4), maps([[0, 2, 0, 0]] * 4)
    metric = JAndF().update(a, a, sequence="a").update(b, other, sequence="b")
    result = metric.compute()
    assert result.J_mean == (1 + 0 + 0.5) / 3
    assert [each["J_mean"] for each in result.per_sequence()] == [1, 0.25]
    assert [each["n_objects"] for each in result.per_sequence()] == [1, 2]
    assert [each["J_mean"] for each in result.per_object()] == [0, 0.5, 1]
    whole = [
        Tracks.from_masks(
            RleMasks.joined(
                [RleMasks.from_labels(first).masks, RleMasks.from_labels(second).masks]
            ),
            track_id=[*RleMasks.from_labels(first).value, *RleMasks.from_labels(second).value],
            frame=np.zeros(n_first + n_second, np.int64),
            sequence=["a"] * n_first + ["b"] * n_second,
        )
        for first, second, n_first, n_second in ((a, b, 1, 2), (a, other, 1, 1))
    ]
    assert JAndF().update(*whole).to_bytes() == metric.to_bytes()


def test_a_sequence_that_the_prediction_lacks() -> None:
    truth = tracks(maps(BOTH))
    nothing = Tracks.from_masks(RleMasks.of([]), track_id=[], frame=[], sequence=[])
    assert j_and_f(truth, nothing).J_mean == 0


def test_results(tmp_path: Path) -> None:
    metric = JAndF(tolerance=2).update(maps(BOTH, BOTH), maps(BOTH, ONE), sequence=7)
    metric.update(maps(NONE), maps(ONE), sequence=8)
    result = metric.compute()
    lines = str(result).splitlines()
    head = ["J&F", "J mean", "recall", "decay", "F mean", "recall", "decay", "objects"]
    assert re.split(r" {2,}", lines[0].strip()) == head
    assert lines[1].split() == [
        "7",
        "0.8750",
        *["0.7500", "0.5000", "0.5000"],
        *["1.0000"] * 2,
        "0.0000",
        "1",
    ]
    assert lines[2].split() == ["8", *"-------", "0"]
    assert lines[-1].split()[0] == "all"
    assert "contours within 2 px" in result.composition()
    record = json.loads(json.dumps(result.to_dict()))
    assert record["task"] == "tracking"
    assert record["metrics"]["J_mean"] == 0.75
    assert record["per_sequence"][1]["J_mean"] is None
    path = tmp_path / "result.bin"
    result.save(path)
    again = JAndFResult.load(path)
    assert again.metrics == result.metrics
    assert again.per_object() == result.per_object()
    assert again.data == result.data
    with pytest.raises(SchemaError, match="expected a JAndFResult"):
        JAndFResult._unpack(metric.to_bytes(), "state")
    assert repr(metric).startswith("JAndF(2 sequences, objects matched by mean J")


def test_no_data() -> None:
    result = JAndF().compute()
    assert all(math.isnan(result.metrics[name]) for name in MEASURES)
    assert {entry.reason for entry in result.undefined} == {"there are no sequences"}
    empty = j_and_f(np.zeros((0, 4, 4), np.uint8), np.zeros((0, 4, 4), np.uint8))
    assert {entry.reason for entry in empty.undefined} == {"truth has no objects"}


def boxes(**columns: Any) -> Tracks:
    return Tracks.from_xyxy([[0, 0, 1, 1]], track_id=[1], frame=0, **columns)


@pytest.mark.parametrize(
    ("truth", "pred", "error", "message"),
    [
        (
            maps(BOTH),
            maps(BOTH, BOTH),
            ShapeError,
            "as many frames as truth has, 1, got 2 - at pred",
        ),
        (maps(BOTH), maps(BOTH)[:, :3], ShapeError, "got 4 × 4 (truth, frame 0 from 0) and 3 × 4"),
        (maps(BOTH)[0], maps(BOTH)[0], ShapeError, "label images (n, height, width)"),
        (maps(BOTH) * 1.0, maps(BOTH), InputError, "got float64 - at truth"),
        (tracks(maps(BOTH)), maps(BOTH), InputError, "Tracks on both sides"),
        (boxes(), boxes(), ShapeError, "expected masks, got boxes - at truth"),
        (
            tracks(maps(BOTH)),
            tracks(maps(BOTH), sequence="b"),
            IdError,
            "of the sequences of truth, got 1 others: b - at pred",
        ),
        (
            tracks(maps(BOTH), n_frames=2),
            tracks(maps(BOTH), n_frames=3),
            InputError,
            "of as many frames on both sides, got 2, 3 - at sequence a",
        ),
        (
            tracks(maps(BOTH), n_frames=1),
            tracks(maps(NONE, BOTH)),
            InputError,
            "expected frames 0 to 0, got 1 - at sequence a",
        ),
        (tracks(maps(BOTH), frame=None), tracks(maps(BOTH)), InputError, "frame of each mask"),
    ],
)
def test_errors(truth: Any, pred: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        JAndF().update(truth, pred)


def test_a_sequence_comes_once_and_whole() -> None:
    metric = JAndF().update(maps(BOTH), maps(BOTH), sequence="a")
    with pytest.raises(IdError, match="got 1 that were absorbed before: a - at sequence"):
        metric.update(tracks(maps(BOTH)), tracks(maps(BOTH)))
    with pytest.raises(IdError, match="absorbed before"):
        metric.merge(JAndF().update(maps(BOTH), maps(BOTH), sequence="a"))
    with pytest.raises(IdError, match="sequence ids of one kind"):
        metric.update(maps(BOTH), maps(BOTH), sequence=3)
    with pytest.raises(InputError, match="truth has ids of its own"):
        metric.update(tracks(maps(BOTH)), tracks(maps(BOTH)), sequence="c")
    unnamed = [tracks(maps(BOTH), sequence=None) for _ in range(2)]
    metric.update(*unnamed, sequence="c")
    assert [each["sequence"] for each in metric.compute().per_sequence()] == ["a", "c"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"match": "F"}, 'expected "J" or "id", got \'F\' - at match'),
        ({"tolerance": -1}, "tolerance"),
        ({"tolerance": 1.5}, "whole number of pixels, got 1.5"),
    ],
)
def test_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        JAndF(**parameters)
    with pytest.raises(MergeError, match="got match id instead of J"):
        JAndF().merge(JAndF(match="id"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("of_frames.j", np.zeros(1)),
        ("of_objects.match", np.array([1], np.int32)),
        ("of_objects.sequence", np.array([1], np.int32)),
        ("of_sequences.n_frames", np.array([-1])),
        ("of_sequences.n_pred", np.zeros(2, np.int64)),
    ],
)
def test_states_that_are_not_whole(name: str, value: Any) -> None:
    metric = JAndF().update(maps(BOTH, BOTH), maps(BOTH, ONE), sequence="a")
    packed = unpack(metric.to_bytes())
    assert pack(packed.name, packed.content, packed.arrays) == metric.to_bytes()
    arrays = packed.arrays | {name: value}
    with pytest.raises(SchemaError, match="whole state of JAndF"):
        JAndF.from_bytes(pack(packed.name, packed.content, arrays))
