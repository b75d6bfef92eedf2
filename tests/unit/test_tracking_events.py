"""What happens to single objects in single frames, by sequences worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from snellen import Tracking, TrackingResult, Tracks
from snellen.errors import InputError
from snellen.tracking.tracking_result import TRACK_COLUMNS

# Boxes of 10 by 10 on a line, 100 apart; the number after the point moves them: of 10, by x, the
# IoU is (10 - x) / (10 + x).
Frame = tuple[dict[Any, float], dict[Any, float]]


def sides(frames: list[Frame], **columns: Any) -> tuple[Tracks, Tracks]:
    """Return truth and predictions: of each frame, 1, 2, …, where each id is."""
    made = []
    for k in (0, 1):
        rows = [(t, i, x) for t, each in enumerate(frames, 1) for i, x in each[k].items()]
        made.append(
            Tracks.from_xywh(
                [[x, 0.0, 10.0, 10.0] for _, _, x in rows],
                track_id=[i for _, i, _ in rows],
                frame=[t for t, _, _ in rows],
                frames=range(1, len(frames) + 1),
                **columns,
            )
        )
    return made[0], made[1]


def followed(frames: list[Frame], **columns: Any) -> TrackingResult:
    metric = Tracking(metrics=["clear", "count"], events=True)
    return metric.update(*sides(frames, **columns)).compute()


def events(result: TrackingResult) -> list[tuple[Any, ...]]:
    """Return events as (frame, event, truth, prediction)."""
    return [(e["frame"], e["event"], e["truth"], e["pred"]) for e in result.events()]


def test_each_kind() -> None:
    result = followed(
        [
            ({1: 0}, {7: 0}),
            ({1: 0}, {7: 0, 9: 500}),
            ({1: 0}, {}),
            ({1: 0}, {8: 0}),
            ({1: 0, 2: 100}, {8: 100, 7: 0}),
        ]
    )
    assert events(result) == [
        (1, "match", 1, 7),
        (2, "match", 1, 7),
        (2, "false positive", None, 9),
        (3, "miss", 1, None),
        (4, "switch", 1, 8),
        (5, "switch", 1, 7),
        (5, "match", 2, 8),
        # Track 8 had object 1 before.
        (5, "transfer", 2, 8),
    ]
    assert (result.CLR_TP, result.CLR_FN, result.CLR_FP, result.IDSW) == (5, 1, 1, 2)
    assert result.MOTA == (5 - 1 - 2) / 6


def test_similarities_of_events() -> None:
    result = followed([({1: 0, 2: 100}, {7: 2, 9: 500}), ({1: 0}, {8: 0}), ({2: 100}, {8: 101})])
    # 8 / 12, none, none; 1; 9 / 11 twice, of the match and of the transfer.
    wanted = [8 / 12, math.nan, math.nan, 1.0, 9 / 11, 9 / 11]
    assert [e["similarity"] for e in result.events()] == pytest.approx(wanted, abs=0, nan_ok=True)
    assert [e["event"] for e in result.events()] == [
        *("match", "miss", "false positive"),
        "switch",
        *("match", "transfer"),
    ]
    # MOTP is the mean of the matches.
    mean = pytest.approx((8 / 12 + 1 + 9 / 11) / 3, rel=1e-15, abs=0)
    assert mean == result.MOTP


def test_a_track_that_comes_back_to_its_object_is_a_transfer_twice() -> None:
    result = followed([({1: 0, 2: 100}, {7: x}) for x in (0, 100, 0)])
    assert [e for e in events(result) if e[1] != "miss"] == [
        (1, "match", 1, 7),
        (2, "match", 2, 7),
        (2, "transfer", 2, 7),
        (3, "match", 1, 7),
        (3, "transfer", 1, 7),
    ]
    # Each object had but one track.
    assert result.IDSW == 0
    (record,) = result.per_predicted_track()
    assert record["transfers"] == 2


def test_switches_are_seen_over_any_gap() -> None:
    lost: list[Frame] = [({1: 0}, {9: 500})] * 4 + [({}, {})] * 3
    result = followed([({1: 0}, {7: 0}), *lost, ({1: 0}, {8: 0})])
    assert result.IDSW == 1
    assert events(result)[-1] == (9, "switch", 1, 8)
    again = followed([({1: 0}, {7: 0}), *lost, ({1: 0}, {7: 0})])
    assert again.IDSW == 0


def test_a_match_goes_on_though_another_fits_better() -> None:
    """While its similarity is at least a half: 7 / 13, and not 6 / 14."""
    kept = followed([({1: 0}, {7: 0}), ({1: 0}, {7: 3, 8: 0})])
    assert events(kept)[1:] == [(2, "match", 1, 7), (2, "false positive", None, 8)]
    lost = followed([({1: 0}, {7: 0}), ({1: 0}, {7: 4, 8: 0})])
    assert events(lost)[1:] == [(2, "switch", 1, 8), (2, "false positive", None, 7)]


def test_only_the_last_frame_with_both_sides_is_remembered() -> None:
    """Frames with one side don't count; one in which the object is missed does."""
    last: Frame = ({1: 0}, {7: 3, 8: 0})
    for between in (({}, {7: 0}), ({1: 0}, {}), ({}, {})):
        result = followed([({1: 0}, {7: 0}), between, last])
        assert (3, "match", 1, 7) in events(result)
    for between in (({1: 0}, {9: 500}), ({2: 200}, {9: 200})):
        result = followed([({1: 0}, {7: 0}), between, last])
        assert (3, "switch", 1, 8) in events(result)


def test_fragments() -> None:
    """A run ends where the object is missed, or is away, in a frame with both sides."""
    here: Frame = ({1: 0}, {7: 0})
    missed: Frame = ({1: 0}, {9: 500})
    away: Frame = ({2: 200}, {9: 200})
    nothing_found: Frame = ({1: 0}, {})
    nothing_there: Frame = ({}, {7: 0})

    def fragments(*frames: Frame) -> int:
        result = followed(list(frames))
        records = {record["track"]: record["fragments"] for record in result.per_track()}
        assert result.Frag == sum(records.values())
        found: int = records[1]
        return found

    assert fragments(here, here) == 0
    assert fragments(here, missed) == 0
    assert fragments(missed, here) == 0
    assert fragments(here, missed, here) == 1
    assert fragments(here, missed, missed, here, missed, here) == 2
    assert fragments(here, away, here) == 1
    # What has one side only is passed over.
    assert fragments(here, nothing_found, here) == 0
    assert fragments(here, nothing_there, here) == 0
    assert fragments(missed) == 0
    # A switch is no gap.
    assert fragments(here, ({1: 0}, {8: 0})) == 0


def test_tracks_of_truth() -> None:
    """Object 1 is found in 4 of 5 frames, 2 in all, 3 in 1 of 5, 4 in none, 5 in 1 of 6."""
    frames: list[Frame] = []
    for t in range(1, 7):
        truth: dict[Any, float] = {5: 400, 2: 100, 4: 300}
        pred: dict[Any, float] = {20: 100}
        if t <= 5:
            truth |= {1: 0, 3: 200}
        if t <= 4:
            pred[10 if t < 3 else 11] = 0
        if t == 2:
            pred[30] = 200
        if t == 6:
            pred[50] = 400
        frames.append((truth, pred))
    records = followed(frames).per_track()
    assert {tuple(record) for record in records} == {TRACK_COLUMNS}
    rows = [
        tuple(
            record[name]
            for name in (
                *("track", "first_frame", "last_frame", "frames", "matched"),
                *("coverage", "switches", "fragments", "status"),
            )
        )
        for record in records
    ]
    assert rows == [
        (4, 1, 6, 6, 0, 0.0, 0, 0, "mostly lost"),
        (5, 1, 6, 6, 1, 1 / 6, 0, 0, "mostly lost"),
        # A fifth is enough, and four fifths are not.
        (3, 1, 5, 5, 1, 0.2, 0, 0, "partly tracked"),
        (1, 1, 5, 5, 4, 0.8, 1, 0, "partly tracked"),
        (2, 1, 6, 6, 6, 1.0, 0, 0, "mostly tracked"),
    ]
    result = followed(frames)
    assert (result.MT, result.PT, result.ML) == (1, 2, 2)
    assert (result.MTR, result.PTR, result.MLR) == (1 / 5, 2 / 5, 2 / 5)


def test_tracks_of_predictions() -> None:
    result = followed(
        [
            ({1: 0, 2: 100}, {7: 0, 8: 100}),
            ({1: 0, 2: 100}, {8: 0, 9: 500}),
            ({1: 0}, {8: 300, 9: 500}),
        ]
    )
    rows = [
        tuple(
            record[name]
            for name in (
                *("track", "first_frame", "last_frame", "frames", "matched"),
                *("precision", "transfers"),
            )
        )
        for record in result.per_predicted_track()
    ]
    assert rows == [(9, 2, 3, 2, 0, 0.0, 0), (8, 1, 3, 3, 2, 2 / 3, 1), (7, 1, 1, 1, 1, 1.0, 0)]


def test_sequences_and_classes_are_named() -> None:
    metric = Tracking(metrics=["clear"], events=True)
    for sequence, label in (("b", "car"), ("a", "car"), ("c", "bus")):
        frames: list[Frame] = [({"x": 0}, {"p": 0}), ({"x": 0}, {"q": 300})]
        metric.update(*sides(frames, sequence=sequence, label=label))
    result = metric.compute()
    found = [(e["sequence"], e["class"], e["frame"], e["event"]) for e in result.events()]
    assert found == [
        (sequence, label, frame, event)
        for sequence, label in (("a", "car"), ("b", "car"), ("c", "bus"))
        for frame, event in ((1, "match"), (2, "miss"), (2, "false positive"))
    ]
    assert {(e["truth"], e["pred"]) for e in result.events()} == {
        ("x", "p"),
        ("x", None),
        (None, "q"),
    }
    assert [(r["sequence"], r["class"], r["track"]) for r in result.per_track()] == [
        ("a", "car", "x"),
        ("b", "car", "x"),
        ("c", "bus", "x"),
    ]
    assert [r["track"] for r in result.per_predicted_track()] == ["q", "q", "q", "p", "p", "p"]


def test_rows_within_a_frame_keep_their_order() -> None:
    result = followed([({3: 200, 1: 0, 2: 100}, {9: 900, 8: 800, 7: 100})])
    assert events(result) == [
        (1, "miss", 3, None),
        (1, "miss", 1, None),
        (1, "match", 2, 7),
        (1, "false positive", None, 9),
        (1, "false positive", None, 8),
    ]


@pytest.mark.parametrize(
    ("frames", "wanted"),
    [
        ([({1: 0}, {})], [(1, "miss", 1, None)]),
        ([({}, {7: 0})], [(1, "false positive", None, 7)]),
        ([({}, {})], []),
        ([({}, {7: 0}), ({1: 0}, {})], [(1, "false positive", None, 7), (2, "miss", 1, None)]),
    ],
)
def test_one_side_only(frames: list[Frame], wanted: list[Any]) -> None:
    assert events(followed(frames)) == wanted


def test_events_add_up_to_the_counts() -> None:
    frames: list[Frame] = [
        ({1: 0, 2: 100, 3: 200}, {7: 0, 8: 100, 9: 300}),
        ({1: 0, 2: 100}, {8: 0, 7: 100}),
        ({1: 0, 3: 200}, {8: 200, 6: 0}),
    ]
    result = followed(frames)
    kinds = [event["event"] for event in result.events()]
    assert kinds.count("miss") == result.CLR_FN == 1
    assert kinds.count("false positive") == result.CLR_FP == 1
    assert kinds.count("switch") == result.IDSW == 3
    assert kinds.count("match") + kinds.count("switch") == result.CLR_TP == 6
    # 8 and 7 change places, then 8 goes on to a third object.
    assert kinds.count("transfer") == 3


def test_without_events() -> None:
    metric = Tracking(metrics=["clear"]).update(*sides([({1: 0}, {7: 0})]))
    assert metric.compute().events() == []
    # The tables need none.
    assert len(metric.compute().per_track()) == 1
    other = Tracking(metrics=["hota"]).update(*sides([({1: 0}, {7: 0})])).compute()
    assert other.events() == other.per_track() == other.per_predicted_track() == []


def test_events_are_of_clear() -> None:
    with pytest.raises(InputError, match="expected clear among metrics, of which events are"):
        Tracking(metrics=["hota", "identity"], events=True)
