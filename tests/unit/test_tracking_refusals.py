"""What tracking metrics refuse rather than count wrongly: classes, columns and frames that lack.

What is refused at once is refused in parts too, and a metric that refused something is as it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import Clear, Tracking, TrackingResult, Tracks
from snellen.errors import ClassError, InputError, SnellenError
from snellen.tracking.protocols import PROTOCOLS

BOX = [0.0, 0.0, 10.0, 10.0]
FAR = [100.0, 0.0, 10.0, 10.0]


def tracks(*frames: int, label: str | None = None, **columns: Any) -> Tracks:
    """Return a box in each of some frames."""
    return Tracks.from_xywh(
        np.array([BOX] * len(frames)).reshape(-1, 4),
        track_id=np.full(len(frames), 1),
        frame=np.array(frames, np.int64),
        label=None if label is None else [label] * len(frames),
        **columns,
    )


def nothing(frame: int, **columns: Any) -> Tracks:
    """Return a frame without objects."""
    return Tracks.from_xywh(np.zeros((0, 4)), track_id=[], frame=frame, **columns)


def counts(result: TrackingResult) -> tuple[int, int, int]:
    return int(result.CLR_TP), int(result.CLR_FN), int(result.CLR_FP)


def refused(metric: Tracking, *sides: Tracks) -> SnellenError:
    """Return the error of an update, after which everything is as before."""
    before = metric.to_bytes()
    with pytest.raises(SnellenError) as caught:
        metric.update(*sides)
    assert metric.to_bytes() == before
    return caught.value


# ---- Classes of one side -------------------------------------------------------------------------

SIDES = {"pred": ("car", None), "truth": (None, "car")}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("way", ["at once", "same frame", "another frame", "another sequence"])
def test_classes_of_one_side(side: str, way: str) -> None:
    """Refused the same whatever the parts are in which truth and predictions come."""
    of_truth, of_pred = SIDES[side]
    metric = Clear()
    if way == "at once":
        error = refused(metric, tracks(1, 2, label=of_truth), tracks(1, 2, label=of_pred))
    elif way == "same frame":
        error = refused(metric, tracks(1, label=of_truth), tracks(1, label=of_pred))
    elif way == "another frame":
        metric.update(tracks(1, label=of_truth), nothing(1))
        error = refused(metric, nothing(2), tracks(2, label=of_pred))
    else:
        whole: dict[str, Any] = {"n_frames": 2}
        metric.update(tracks(1, label=of_truth, sequence="a", **whole), nothing(1, sequence="a"))
        error = refused(
            metric,
            nothing(1, sequence="b", **whole),
            tracks(1, label=of_pred, sequence="b"),
        )
    other = "pred" if side == "truth" else "truth"
    assert isinstance(error, ClassError)
    assert error.place == side
    assert error.message == (
        f"expected classes of {side}, as {other} has, got none: give both sides classes or none, "
        'or say which one class is evaluated, such as classes=["car"]'
    )


@pytest.mark.parametrize("side", SIDES)
def test_classes_of_one_side_are_not_merged(side: str) -> None:
    of_truth, of_pred = SIDES[side]
    first = Clear().update(tracks(1, label=of_truth), nothing(1))
    second = Clear().update(nothing(2), tracks(2, label=of_pred))
    for metric, other in ((first, second), (second, first)):
        before = metric.to_bytes()
        with pytest.raises(ClassError, match=f"expected classes of {side}"):
            metric.merge(other)
        assert metric.to_bytes() == before
        # Nor after they were written and read.
        with pytest.raises(ClassError, match=f"expected classes of {side}"):
            Clear.from_bytes(before).merge(Clear.from_bytes(other.to_bytes()))


@pytest.mark.parametrize("side", SIDES)
def test_one_class_that_is_named(side: str) -> None:
    """Objects without classes are of that one; two classes say nothing of them."""
    of_truth, of_pred = SIDES[side]
    sides = tracks(1, 2, 3, label=of_truth), tracks(1, 2, 4, label=of_pred)
    # Matched in frames 1 and 2, missed in 3, false in 4.
    metric = Clear(classes=["car"]).update(*sides)
    assert counts(metric.compute()) == (2, 1, 1)
    by_frame = Clear(classes=["car"])
    for number in (1, 2, 3, 4):
        by_frame.update(
            *(
                tracks(number, label=label) if number != without else nothing(number)
                for label, without in ((of_truth, 4), (of_pred, 3))
            )
        )
    assert counts(by_frame.compute()) == (2, 1, 1)
    # Of another class that is named there is nothing on the side that has classes.
    other = Clear(classes=["bus"]).update(*sides).compute()
    assert counts(other) == ((0, 0, 3) if side == "pred" else (0, 3, 0))
    with pytest.raises(ClassError, match=f"expected classes of {side}, as .* got none"):
        Clear(classes=["car", "bus"]).update(*sides)


def test_several_classes_need_classes_on_both_sides() -> None:
    with pytest.raises(ClassError, match="expected classes of truth"):
        Clear(classes=["car", "bus"]).update(tracks(1), tracks(1))


@pytest.mark.parametrize("side", SIDES)
def test_classes_now_and_then(side: str) -> None:
    """Not by frames either: what came with classes goes on with them."""
    metric = Clear(classes=["car"])
    labelled, plain = tracks(1, label="car"), tracks(2)
    if side == "truth":
        metric.update(labelled, tracks(1))
        error = refused(metric, plain, tracks(2))
    else:
        metric.update(tracks(1), labelled)
        error = refused(metric, tracks(2), plain)
    assert isinstance(error, ClassError)
    assert error.message == (
        f"expected objects of {side} with classes as before, got some without classes"
    )


def test_sides_without_objects_have_no_need_of_classes() -> None:
    # Two missed cars; two false ones.
    assert counts(Clear().update(tracks(1, 2, label="car"), nothing(1)).compute()) == (0, 2, 0)
    assert counts(Clear().update(nothing(1), tracks(1, 2, label="car")).compute()) == (0, 0, 2)


def test_classes_that_do_not_meet() -> None:
    """Named otherwise on the two sides they are two classes, and nothing is matched."""
    result = Clear().update(tracks(1, label="car"), tracks(1, label="Car")).compute()
    assert result.classes == ("Car", "car")
    assert [row["CLR_TP"] for row in result.per_class()] == [0, 0]


# ---- Areas to be ignored under plain rules -------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "n_false"),
    [
        (60.0, 0),  # all of 10 pixels lie in the area
        (46.0, 0),  # 6 of 10
        (45.0, 1),  # a half is not more than a half
        (30.0, 1),
    ],
)
def test_predictions_in_areas(left: float, n_false: int) -> None:
    truth = Tracks.from_xywh(
        [BOX, [50.0, 0.0, 40.0, 10.0]], track_id=[1, 0], frame=[1, 1], region=[0, 1]
    )
    pred = Tracks.from_xywh([BOX, [left, 0.0, 10.0, 10.0]], track_id=[1, 2], frame=[1, 1])
    result = Clear().update(truth, pred).compute()
    assert counts(result) == (1, 0, n_false)
    assert result.data["n_pred_left_out"] == 1 - n_false


def test_what_is_matched_counts_in_areas() -> None:
    area = [0.0, 0.0, 40.0, 40.0]
    truth = Tracks.from_xywh([BOX, area], track_id=[1, 0], frame=[1, 1], region=[0, 1])
    pred = Tracks.from_xywh([BOX, [20.0, 20.0, 5.0, 5.0]], track_id=[1, 2], frame=[1, 1])
    assert counts(Clear().update(truth, pred).compute()) == (1, 0, 0)


def test_areas_are_of_their_frame() -> None:
    """Frame by frame as at once: an area of frame 1 takes nothing from frame 2."""
    truth = Tracks.from_xywh([FAR, FAR], track_id=[0, 1], frame=[1, 2], region=[1, 0])
    pred = Tracks.from_xywh([FAR, BOX], track_id=[1, 2], frame=[1, 2])
    at_once = Clear().update(truth, pred).compute()
    by_frame = Clear()
    for k in (0, 1):
        by_frame.update(truth[k : k + 1], pred[k : k + 1])
    assert counts(at_once) == counts(by_frame.compute()) == (0, 1, 1)


def test_masks_in_areas() -> None:
    masks = np.zeros((2, 4, 8), np.bool_)
    masks[0, :, :2] = True  # the object, 8 pixels
    masks[1, :, 4:] = True  # the area, 16 pixels
    pred = np.zeros((3, 4, 8), np.bool_)
    pred[0, :, :2] = True
    pred[1, 0, 2:7] = True  # 3 of 5 pixels in the area
    pred[2, 1, 2:6] = True  # 2 of 4
    truth = Tracks.from_masks(masks, track_id=[1, 0], frame=[1, 1], region=[0, 1])
    result = Clear(similarity="mask_iou").update(
        truth, Tracks.from_masks(pred, track_id=[1, 2, 3], frame=[1, 1, 1])
    )
    assert counts(result.compute()) == (1, 0, 1)


def test_marks_of_truth_among_predictions() -> None:
    for columns, words in (
        ({"region": [1]}, "areas to be ignored in truth only"),
        ({"counted": [0]}, "truth only to say what is not to be counted"),
    ):
        error = refused(Clear(), tracks(1), tracks(1, **columns))
        assert words in error.message
        assert error.place == "pred"


# ---- Truth that rules need -----------------------------------------------------------------------

ALL_COLUMNS = {"occlusion": [0.0], "truncation": [0.0], "visibility": [1.0]}


@pytest.mark.parametrize(
    "name",
    [name for name, rules in PROTOCOLS.items() if rules.class_names and len(rules.classes) > 1]
    + [name for name, rules in PROTOCOLS.items() if rules.class_names and not rules.by_class],
)
def test_truth_without_classes_under_rules_with_class_numbers(name: str) -> None:
    assert name in (
        *("mot16", "mot17", "mot20", "dancetrack", "sportsmot", "personpath22", "ht21"),
        *("kitti", "kitti-mots", "visdrone"),
    )
    rules = PROTOCOLS[name]
    masks = rules.similarity == "mask_iou"

    def side(label: str | None) -> Tracks:
        make = Tracks.from_masks if masks else Tracks.from_xywh
        shape: Any = np.ones((1, 4, 4), np.bool_) if masks else [[0.0, 0.0, 50.0, 50.0]]
        return make(
            shape,
            track_id=[1],
            frame=[1],
            label=None if label is None else [label],
            extra=ALL_COLUMNS,
        )

    evaluated = rules.classes[0]
    metric = Clear(protocol=name)
    error = refused(metric, side(None), side(evaluated))
    assert isinstance(error, ClassError)
    assert error.message.startswith("expected classes of truth")
    assert error.place == "truth"
    # With them all is well: one match.
    assert counts(metric.update(side(evaluated), side(evaluated)).compute()) == (1, 0, 0)
    # So it is without objects.
    empty = side(None)[:0]
    assert counts(Clear(protocol=name).update(empty, side(evaluated)[:0]).compute()) == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "column", "label"),
    [
        ("kitti", "occlusion", "car"),
        ("kitti", "truncation", "car"),
        ("ht21", "visibility", "pedestrian"),
    ],
)
def test_columns_that_rules_look_at(name: str, column: str, label: str) -> None:
    box = [[0.0, 0.0, 50.0, 50.0]]
    columns: dict[str, Any] = {"track_id": [1], "frame": [1], "label": [label]}
    pred = Tracks.from_xywh(box, **columns)
    extra = {other: values for other, values in ALL_COLUMNS.items() if other != column}
    metric = Clear(protocol=name)
    error = refused(metric, Tracks.from_xywh(box, **columns, extra=extra), pred)
    assert isinstance(error, InputError)
    assert error.message == (
        f"expected the column {column} of truth (extra), at which the rules of {name} look, got "
        f"{', '.join(extra)}"
    )
    assert error.place == "truth"
    assert "got none" in refused(metric, Tracks.from_xywh(box, **columns), pred).message
    # Areas have no such columns, and are enough.
    area = Tracks.from_xywh(box, **columns, region=[1])
    metric.update(area, pred[:0])
    good = Tracks.from_xywh(box, **{**columns, "frame": [2]}, extra=ALL_COLUMNS)
    matched = Tracks.from_xywh(box, **{**columns, "frame": [2]})
    assert counts(metric.update(good, matched).compute())[0] == 1


# ---- Frames of whole sequences -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_truth", "of_pred", "is_right"),
    [
        ([0, 1, 2], [0, 1, 2], True),
        ([1, 2, 3], [1, 2, 3], True),
        ([3], [1], True),
        ([0], [2], True),
        ([], [3], True),
        ([0, 1, 2, 3], [0], False),  # four frames
        ([0], [3], False),  # from 0 or from 1, but not both
        ([4], [4], False),
        ([0, 1], [9], False),  # three, but of which nobody said that they are all
        ([1], [9], False),
        ([9], [], False),
    ],
)
def test_frames_of_a_sequence_of_three(
    of_truth: list[int], of_pred: list[int], *, is_right: bool
) -> None:
    sides = tracks(*of_truth, n_frames=3), tracks(*of_pred)
    for given in (sides, (tracks(*of_truth), tracks(*of_pred, n_frames=3))):
        metric = Clear()
        if is_right:
            assert metric.update(*given).compute().data["n_frames"] == 3
            continue
        numbers = sorted({*of_truth, *of_pred})
        error = refused(metric, *given)
        assert error.message == (
            "expected the 3 frames of sequence 0, counted from 0 or from 1, got frames "
            f"{numbers[0]} to {numbers[-1]}"
        )
        assert error.place == "n_frames"


def test_numbers_of_frames_of_which_all_are_listed() -> None:
    """Every tenth image of a film: three frames, whose numbers are known."""
    truth = Tracks.from_xywh(
        [BOX, BOX], track_id=[1, 1], frame=[0, 20], frames=[0, 10, 20], n_frames=3
    )
    result = Clear().update(truth, tracks(0, 10)).compute()
    assert counts(result) == (1, 1, 1)
    assert result.data["n_frames"] == 3
    assert "got frames 0 to 30" in refused(Clear(), truth, tracks(0, 30)).message


@pytest.mark.parametrize("n_frames", [None, 3])
def test_frames_below_zero(n_frames: int | None) -> None:
    with pytest.raises(InputError, match=r"at least 0, got -1 - at frame\[1\]$"):
        tracks(0, -1, 2, n_frames=n_frames)
    for columns in ({"frame": -1}, {"frame": np.zeros(0, np.int64), "frames": [0, -1]}):
        with pytest.raises(InputError, match="at least 0, got -1"):
            Tracks.from_xywh(np.zeros((0, 4)), track_id=[], n_frames=n_frames, **columns)


@pytest.mark.parametrize("n_frames", [-1, 1.5, True, "3"])
def test_lengths_that_are_none(n_frames: Any) -> None:
    with pytest.raises(InputError, match="expected a number of frames of at least 0"):
        tracks(0, n_frames=n_frames)
