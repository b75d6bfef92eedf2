"""Track mAP, worked by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import _core
from snellen.errors import IdError, InputError, SchemaError
from snellen.metric import metric_from_bytes
from snellen.tracking.judged_classes import JudgedClasses
from snellen.tracking.track_map import TrackMap, TrackMapResult, track_map
from snellen.tracking.track_map_protocols import TAO, TrackMapProtocol
from snellen.tracking.tracks import Tracks

A, B, NOTHING = [0, 0, 10, 10], [20, 0, 30, 10], [50, 50, 60, 60]
# A is found by track 1, lost in frame 4, found again by track 2; B by track 3, two pixels short;
# track 4 is on nothing.
TRUTH = [(t, k, box) for t in range(1, 7) for k, box in ((10, A), (20, B))]
PRED = [
    *((t, 1, A, 0.9) for t in (1, 2, 3)),
    *((t, 2, A, 0.6) for t in (5, 6)),
    *((t, 3, [20, 0, 30, 8], 0.8) for t in range(1, 7)),
    (6, 4, NOTHING, 0.3),
]
# Of 101 recall thresholds k / 100 those up to 1/2 are 51.
HALF = 51 / 101


def tracks(rows: list[Any], **columns: Any) -> Tracks:
    frame, track, box, *score = zip(*rows, strict=True) if rows else ((), (), ())
    if score:
        columns["score"] = score[0]
    return Tracks.from_xyxy(
        np.array(box, np.float64).reshape(-1, 4), frame=frame, track_id=track, **columns
    )


def test_by_hand() -> None:
    result = track_map(tracks(TRUTH), tracks(PRED))
    # A and track 1: 3 · 100 / (6 · 100) = 0.5. B and track 3: 6 · 80 / (6 · 100) = 0.8. Track 2
    # has 2/6 of A, and is false. Up to 0.5 tracks 1 and 3 are right and come first: precision 1 at
    # all recalls. Up to 0.8 track 3 is right behind track 1, which is not: precision 1/2 up to
    # recall 1/2. Above, none is.
    assert result.metrics["AP50"] == pytest.approx(1, abs=1e-12)
    assert result.metrics["AP75"] == pytest.approx(HALF / 2, abs=1e-12)
    assert result.metrics["AP"] == pytest.approx((1 + 6 * HALF / 2) / 10, abs=1e-12)
    # Recall: 1 at the first threshold, 1/2 at six, 0 at three.
    assert result.metrics["AR"] == pytest.approx((1 + 6 / 2) / 10, abs=1e-12)
    # All boxes are of at most 100 square pixels: small. Both truth tracks have 6 frames.
    assert result.metrics["AP_area_s"] == result.metrics["AP"]
    assert np.isnan(result.metrics["AP_area_l"])
    # Track 3 is of medium length, and so is track 1 with its 3 frames, at the border.
    assert result.metrics["AP_time_m"] == pytest.approx((1 + 6 * HALF / 2) / 10, abs=1e-12)
    assert np.isnan(result.metrics["AP_time_s"])
    assert result.n_counted.tolist() == [[2, 2, 0, 0, 0, 2, 0]]
    assert result.data["n_truth_tracks"] == 2
    assert result.data["n_pred_tracks"] == 4
    text = str(result)
    assert "100.00" in text
    assert text.splitlines()[0].split() == ["track", "mAP", "AP", "AP50", "AP75", "AR"]
    assert "tao" in result.composition()
    assert {entry.metric for entry in result.undefined} == {
        f"{name}_{label}"
        for name in ("AP", "AP50", "AP75", "AR")
        for label in ("area_m", "area_l", "time_s", "time_l")
    }


def test_a_score_of_frames_is_averaged_and_a_given_one_is_one() -> None:
    rows = [(1, 1, A, 0.9), (2, 1, A, 0.1), (1, 2, A, 0.6), (2, 2, A, 0.6)]
    metric = TrackMap().update(tracks([(1, 1, A), (2, 1, A)]), tracks(rows))
    truth, pred = metric._settled()
    # The mean 0.5 comes behind 0.6: the second track is first, and right.
    assert pred["score"].tolist() == [0.6, 0.5]
    assert pred["outcome"][:, 0, 0].tolist() == [(1 << 10) - 1, ((1 << 10) - 1) << 16]
    # Small and short: left out of two ranges of areas (bits 2, 3) and two of lengths (5, 6).
    assert truth["ignored"].tolist() == [0b1101100]
    with pytest.raises(InputError, match=r"one score for each track .*several for 1 of sequence 0"):
        TrackMap(protocol="youtube-vis").update(tracks([(1, 1, A)]), tracks(rows))


def test_a_class_change_makes_another_track() -> None:
    truth = tracks([(1, 1, A), (2, 1, A)], label=[1, 2])
    pred = tracks([(1, 5, A, 1.0), (2, 5, A, 1.0)], label=[1, 2])
    result = track_map(truth, pred)
    assert result.n_counted[:, 0].tolist() == [1, 1]
    assert result.metrics["AR"] == 1


def test_ignored_truth() -> None:
    rows = [(1, 1, A), (1, 2, B), (1, 3, NOTHING)]
    pred = tracks([(1, 1, A, 0.5), (1, 2, B, 0.9), (1, 3, NOTHING, 0.8)])
    for columns in (
        {"extra": {"crowd": [0, 1, 1]}},
        {"counted": [1, 0, 0]},
        {"counted": [1, 1, 0], "extra": {"crowd": [0, 1, 0]}},
    ):
        result = track_map(tracks(rows, **columns), pred)
        # What is on ignored truth is left out: one track, and it is right.
        assert result.n_counted[0, 0] == 1
        assert result.metrics["AP"] == pytest.approx(1, abs=1e-12)
    # An area to be ignored is no object at all: what lies on it is false.
    result = track_map(tracks(rows, region=[0, 1, 1]), pred)
    assert result.metrics["AP"] == pytest.approx(1 / 3, abs=1e-12)


def test_judged_classes() -> None:
    names = {1: "cat", 2: "dog", 3: "cow"}
    truth = tracks([(1, 1, A)], label=[1], sequence="s", classes=names)
    rows = [(1, 1, A, 0.5), (1, 2, B, 0.9), (1, 3, B, 0.8), (1, 4, NOTHING, 0.7)]
    pred = tracks(rows, label=[1, 1, 2, 3], sequence="s", classes=names)
    plain = track_map(truth, pred)
    # Behind one that is false.
    assert plain.metrics["AP"] == pytest.approx(1 / 2, abs=1e-12)
    assert plain.data["n_not_judged"] == 0
    judged = JudgedClasses(
        negative=frozenset({("s", 2), ("t", 3)}), not_exhaustive=frozenset({("s", 1), ("s", 9)})
    )
    result = track_map(truth, pred, judged=judged)
    # Cats may be missing from truth: the false one is left out. Cows were not looked for.
    assert result.metrics["AP"] == pytest.approx(1, abs=1e-12)
    assert result.data["n_not_judged"] == 1
    assert "1 of classes that truth says nothing about" in result.composition()


def test_cap() -> None:
    rules = TrackMapProtocol("one", (0.5,), (0.0, 1.0), (), (), max_tracks=1)
    result = TrackMap(protocol=rules).update(tracks(TRUTH), tracks(PRED)).compute()
    # Track 1 alone: 1 of 2 truth tracks.
    assert result.metrics["AP"] == result.metrics["AP50"] == pytest.approx(0.5, abs=1e-12)
    assert result.metrics["AR"] == 0.5
    assert result.data["n_dropped_by_cap"] == 3
    assert "3 beyond the cap" in result.composition()


def test_no_tracks() -> None:
    empty = tracks([], sequence="a")
    result = track_map(tracks([], sequence="a"), empty)
    assert all(np.isnan(value) for value in result.metrics.values())
    result = track_map(tracks([(1, 1, A)], sequence="a"), empty)
    assert result.metrics["AP"] == result.metrics["AR"] == 0


def test_stored(tmp_path: Path) -> None:
    metric = TrackMap().update(tracks(TRUTH), tracks(PRED))
    again = metric_from_bytes(metric.to_bytes())
    assert again.to_bytes() == metric.to_bytes()
    result = metric.compute()
    result.save(tmp_path / "result")
    loaded = TrackMapResult.load(tmp_path / "result")
    assert str(loaded) == str(result)
    assert loaded.to_dict() == result.to_dict()
    (tmp_path / "state").write_bytes(metric.to_bytes())
    with pytest.raises(SchemaError, match="expected a TrackMapResult, got a TrackMap"):
        TrackMapResult.load(tmp_path / "state")


def test_sequences_come_once_and_truth_knows_them() -> None:
    metric = TrackMap().update(tracks([(1, 1, A)], sequence="a"), tracks([], sequence="a"))
    with pytest.raises(IdError, match=r"each sequence once and whole, got 1 .*: a"):
        metric.update(tracks([(1, 1, A)], sequence="a"), tracks([], sequence="a"))
    with pytest.raises(IdError, match=r"sequences of the truth, got 1 unknown: c"):
        metric.update(tracks([], sequence="b"), tracks([(1, 1, A, 1.0)], sequence="c"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iou_thresholds": ()}, "ascending finite numbers"),
        ({"iou_thresholds": (0.5, 0.5)}, "ascending finite numbers"),
        ({"iou_thresholds": (0.0, 0.5)}, "thresholds above 0, got 0.0"),
        ({"recall_thresholds": (0.0, 1.5)}, "numbers from 0 to 1"),
        ({"area_ranges": (("x", 2.0, 1.0),)}, r"low <= high, got 2 and 1 - at area_ranges\[x\]"),
        ({"length_ranges": (("all", 0.0, 1.0),)}, "31 ranges of different names"),
        ({"max_tracks": 0}, "a cap of at least 1, got 0"),
    ],
)
def test_rules_that_are_none(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrackMapProtocol.from_dict({**TAO.to_dict(), **changes})


def test_protocol_of_an_unknown_name() -> None:
    with pytest.raises(InputError, match=r'got "toa"\. Did you mean "tao"'):
        TrackMap(protocol="toa")


def test_kernels_refuse_what_leads_outside() -> None:
    def part(*bounds: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array(bounds, np.int64)

    box = np.array([[0.0, 0, 1, 1]])
    one = part(0, 1)
    overlaps: list[Any] = [one, part(1), box, one, part(1), box, one, one]
    begin, truth, iou = _core.track_overlaps(*overlaps)
    assert (begin.tolist(), truth.tolist(), iou.tolist()) == ([0, 1], [0], [1.0])
    for k, wrong in (
        (0, part(0, 2)),
        (0, part(0, 0, 1)),  # a track without rows
        (3, part(1, 1)),
        (2, np.zeros((1, 3))),
        (5, np.zeros((2, 4))),
        (6, part(0, 2)),
        (7, part(0, 1, 1)),
    ):
        with pytest.raises(ValueError, match="expected"):
            _core.track_overlaps(*overlaps[:k], wrong, *overlaps[k + 1 :])
    zero, word = np.zeros(1, np.uint32), np.ones(1, np.uint8)
    match: list[Any] = [one, one, zero, zero, word, one, np.zeros(1, np.int32), np.ones(1)]
    rules: dict[str, Any] = {"iou_thresholds": [0.5], "n_ranges": 1}
    assert _core.match_tracks(*match, **rules).tolist() == [[[1]]]
    for k, wrong in (
        (0, part(0, 2)),
        (1, part(0, 0)),
        (4, np.ones(2, np.uint8)),
        (5, part(0, 2)),
        (6, np.array([1], np.int32)),
        (6, np.array([-1], np.int32)),
        (7, np.ones(2)),
    ):
        with pytest.raises(ValueError, match="expected"):
            _core.match_tracks(*match[:k], wrong, *match[k + 1 :], **rules)
    for changed in ({"n_ranges": 33}, {"iou_thresholds": []}, {"iou_thresholds": [0.6, 0.5]}):
        with pytest.raises(ValueError, match="expected"):
            _core.match_tracks(*match, **{**rules, **changed})
