"""What each protocol leaves out, on sequences of a few boxes worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import Tracking, TrackingResult, Tracks, tracking_scores
from snellen.errors import ClassError, InputError
from snellen.tracking.protocols import PROTOCOLS, TrackingProtocol, protocol_of

# Boxes of 10 by 10 that don't touch; the same place in truth and predictions is an IoU of 1.
A, B, C, D, E = ([100.0 * k, 0.0, 10.0, 10.0] for k in range(5))


def moved(box: list[float], across: float) -> list[float]:
    """Return a box moved to the right: of 10, by x, the IoU is (10 - x) / (10 + x)."""
    return [box[0] + across, *box[1:]]


def judged(
    protocol: str | TrackingProtocol,
    truth: list[tuple[list[float], dict[str, Any]]],
    pred: list[Any],
    **parameters: Any,
) -> TrackingResult:
    """Return the result of one frame.

    Parameters
    ----------
    truth : list of (box, columns)
        Columns are ``label`` (a name), ``counted``, ``region``, and others.
    pred : list of box, or of (box, label)
    """
    rules = protocol_of(protocol)
    ids = {name: number for number, name in rules.class_names.items()}
    known = ("label", "counted", "region")
    more = {name for _, columns in truth for name in columns} - set(known)
    given: dict[str, Any] = {}
    if any("label" in columns for _, columns in truth):
        labels = [columns["label"] for _, columns in truth]
        names = {number: name for name, number in ids.items()} or {n: n for n in sorted({*labels})}
        given["label"] = [ids.get(label, label) for label in labels]
        given["classes"] = names
    of_truth = Tracks.from_xywh(
        [box for box, _ in truth],
        track_id=np.arange(1, len(truth) + 1),
        frame=[1] * len(truth),
        counted=[columns.get("counted", 1) for _, columns in truth],
        region=[columns.get("region", 0) for _, columns in truth],
        extra={name: [columns.get(name, 0.0) for _, columns in truth] for name in more},
        **given,
    )
    boxes = [each[0] if isinstance(each, tuple) else each for each in pred]
    of_pred: dict[str, Any] = {}
    if any(isinstance(each, tuple) for each in pred):
        labels = [each[1] for each in pred]
        of_pred = {"label": labels, "classes": {name: name for name in sorted({*labels})}}
    predicted = Tracks.from_xywh(
        boxes, track_id=np.arange(101, 101 + len(boxes)), frame=[1] * len(boxes), **of_pred
    )
    return tracking_scores(
        of_truth, predicted, metrics=["clear", "count"], protocol=rules, **parameters
    )


def counts(result: TrackingResult, class_name: str | None = None) -> tuple[int, int, int]:
    """Return true positives, misses and false positives."""
    (record,) = (each for each in result.per_class() if class_name in (None, each["class"]))
    return record["CLR_TP"], record["CLR_FN"], record["CLR_FP"]


def left_out(result: TrackingResult) -> tuple[int, int]:
    return result.data["n_truth_left_out"], result.data["n_pred_left_out"]


PEDESTRIAN: dict[str, Any] = {"label": "pedestrian"}

# ---- MOTChallenge --------------------------------------------------------------------------------

DISTRACTORS = ["person_on_vehicle", "static_person", "distractor", "reflection"]
OTHERS = ["car", "bicycle", "motorbike", "occluder", "occluder_on_ground", "occluder_full", "crowd"]
MOT17_LIKE = ["mot16", "mot17", "dancetrack", "sportsmot", "personpath22"]


@pytest.mark.parametrize("kind", DISTRACTORS)
@pytest.mark.parametrize("protocol", [*MOT17_LIKE, "mot20"])
def test_what_is_matched_to_a_distractor_is_gone(protocol: str, kind: str) -> None:
    result = judged(protocol, [(A, PEDESTRIAN), (B, {"label": kind})], [A, B, C])
    # A is found; B is forgiven; C is nobody's.
    assert counts(result) == (1, 0, 1)
    # A distractor is not of the class, so it is not left out of it.
    assert left_out(result) == (0, 1)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("protocol", [*MOT17_LIKE, "mot20"])
def test_what_is_matched_to_other_classes_is_false(protocol: str, kind: str) -> None:
    result = judged(protocol, [(A, PEDESTRIAN), (B, {"label": kind})], [A, B])
    assert counts(result) == (1, 0, 1)
    assert left_out(result) == (0, 0)


@pytest.mark.parametrize(("protocol", "wanted"), [("mot17", (0, 0, 1)), ("mot20", (0, 0, 0))])
def test_other_vehicles_are_distractors_in_mot20_only(
    protocol: str, wanted: tuple[int, ...]
) -> None:
    assert counts(judged(protocol, [(A, {"label": "non_mot_vehicle"})], [A])) == wanted


def test_an_iou_of_a_half_matches_a_distractor_and_less_does_not() -> None:
    # Moved by 10 / 3: IoU (20 / 3) / (40 / 3) = 1 / 2; by 3.5: 6.5 / 13.5.
    for across, wanted in ((3.0, 0), (3.5, 1)):
        result = judged("mot17", [(A, {"label": "distractor"})], [moved(A, across)])
        assert counts(result) == (0, 0, wanted)
    # Exactly a half, in whole numbers: 10 by 5 of 10 by 10.
    half = [*A[:2], 10.0, 5.0]
    assert counts(judged("mot17", [(A, {"label": "distractor"})], [half])) == (0, 0, 0)


def test_distractors_take_part_in_the_matching() -> None:
    """Each forgives one prediction, and takes it from no one who fits better."""
    # Two predictions at one distractor: the nearer is its; the other is false.
    result = judged("mot17", [(A, {"label": "distractor"})], [moved(A, 1), moved(A, 2)])
    assert counts(result) == (0, 0, 1)
    # A pedestrian at the very place has the prediction, beside a distractor that overlaps.
    truth = [(A, PEDESTRIAN), (moved(A, 2), {"label": "distractor"})]
    assert counts(judged("mot17", truth, [A])) == (1, 0, 0)
    # The distractor fits better: the pedestrian is missed.
    assert counts(judged("mot17", truth, [moved(A, 2)])) == (0, 1, 0)


@pytest.mark.parametrize("protocol", [*MOT17_LIKE, "mot20", "mot15", "plain"])
def test_zero_marked_truth_neither_counts_nor_forgives(protocol: str) -> None:
    marked: dict[str, Any] = {"counted": 0}
    truth: list[Any] = [(A, {}), (B, marked)]
    if protocol not in ("mot15", "plain"):
        truth = [(A, PEDESTRIAN), (B, {**PEDESTRIAN, **marked})]
    result = judged(protocol, truth, [A, B])
    # B is found, and a false positive.
    assert counts(result) == (1, 0, 1)
    assert left_out(result) == (1, 0)


def test_zero_marked_distractors_forgive() -> None:
    result = judged("mot17", [(A, {"label": "reflection", "counted": 0})], [A])
    assert counts(result) == (0, 0, 0)


def test_mot15_knows_no_classes() -> None:
    """Whatever the class says, flags say what counts."""
    result = judged("mot15", [(A, {}), (B, {"counted": 0}), (C, {})], [A, B])
    assert counts(result) == (1, 1, 1)
    assert not PROTOCOLS["mot15"].distractors
    assert result.classes == ("pedestrian",)


def test_classes_that_mot_does_not_have() -> None:
    truth = Tracks.from_xywh([A], track_id=[1], frame=[1], label=["robot"], classes={"robot": ""})
    with pytest.raises(ClassError, match=r"classes of mot17 \(pedestrian, .* got robot.*plain"):
        tracking_scores(truth, Tracks.from_xywh([A], track_id=[1], frame=[1]), protocol="mot17")


def test_predictions_of_mot_are_of_the_one_class() -> None:
    truth = [(A, PEDESTRIAN), (B, {"label": "reflection"})]
    assert counts(judged("mot17", truth, [A, B])) == (1, 0, 0)
    with pytest.raises(ClassError, match=r"classes of mot17 \(pedestrian\), got x, y"):
        judged("mot17", truth, [(A, "x"), (B, "y")])


def test_truth_without_classes_under_rules_that_look_at_them() -> None:
    with pytest.raises(ClassError, match="classes of truth, which the rules of mot17 look at"):
        judged("mot17", [(A, {})], [A])


def test_truth_without_columns_that_rules_look_at() -> None:
    truth = Tracks.from_xywh([A], track_id=[1], frame=[1], label=["car"])
    with pytest.raises(InputError, match="the column occlusion of truth"):
        tracking_scores(truth, truth, protocol="kitti", metrics=["clear"])


# ---- PersonPath22: crowds ------------------------------------------------------------------------


def test_crowds_take_all_that_lies_in_them() -> None:
    """More than 0.95 of a prediction, matched or not."""
    crowd = ([0.0, 0.0, 60.0, 60.0], {**PEDESTRIAN, "region": 1})
    within, across = [20.0, 20.0, 10.0, 10.0], [54.0, 0.0, 10.0, 10.0]  # 0.6 of it
    truth = [crowd, (within, PEDESTRIAN), (D, PEDESTRIAN)]
    result = judged("personpath22", truth, [within, across, D])
    # `within` fits a pedestrian, who is missed all the same; 0.6 is not enough.
    assert counts(result) == (1, 1, 1)
    assert left_out(result) == (0, 1)


@pytest.mark.parametrize(("width", "n_left"), [(20.0, 1), (19.0, 0), (19.1, 1)])
def test_how_much_of_a_prediction_lies_in_a_crowd(width: float, n_left: int) -> None:
    # Of 20 by 10, width / 20: 1, exactly 0.95, 0.955.
    crowd = ([0.0, 0.0, width, 10.0], {**PEDESTRIAN, "region": 1})
    result = judged("personpath22", [crowd], [[0.0, 0.0, 20.0, 10.0]])
    assert counts(result) == (0, 0, 1 - n_left)
    assert left_out(result)[1] == n_left


def test_shares_in_several_crowds_are_not_added() -> None:
    halves = [([k * 10.0, 0.0, 10.0, 10.0], {**PEDESTRIAN, "region": 1}) for k in range(2)]
    assert counts(judged("personpath22", halves, [[0.0, 0.0, 20.0, 10.0]])) == (0, 0, 1)


# ---- Head Tracking 21 ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["static", "ignore", "person_on_vehicle"])
def test_heads_of_other_classes_forgive(kind: str) -> None:
    truth = [(A, {**PEDESTRIAN, "visibility": 1.0}), (B, {"label": kind, "visibility": 1.0})]
    assert counts(judged("ht21", truth, [A, B, C])) == (1, 0, 1)


def test_heads_that_are_not_seen_forgive() -> None:
    hidden = {**PEDESTRIAN, "visibility": 0.0}
    seen = {**PEDESTRIAN, "visibility": 0.1}
    result = judged("ht21", [(A, seen), (B, hidden), (C, hidden)], [A, B, D])
    assert counts(result) == (1, 0, 1)
    assert left_out(result) == (2, 1)


def test_heads_that_are_marked_with_zero_do_not_forgive() -> None:
    """Its test of confidence has no effect: what it should add to is where the result goes."""
    marked = {**PEDESTRIAN, "visibility": 1.0, "counted": 0}
    assert counts(judged("ht21", [(A, marked)], [A])) == (0, 0, 1)


def test_heads_are_matched_from_four_tenths() -> None:
    # 10 by 4 of 10 by 10: an IoU of 0.4; 10 by 3.9 less.
    static = {"label": "static", "visibility": 1.0}
    for height, wanted in ((4.0, 0), (3.9, 1)):
        assert counts(judged("ht21", [(A, static)], [[*A[:2], 10.0, height]])) == (0, 0, wanted)
    # Of the metrics the threshold stays a half.
    head = {**PEDESTRIAN, "visibility": 1.0}
    assert counts(judged("ht21", [(A, head)], [[*A[:2], 10.0, 4.0]])) == (0, 1, 1)


# ---- KITTI ---------------------------------------------------------------------------------------

TALL = [0.0, 0.0, 20.0, 40.0]
TALL_TOO = [100.0, 0.0, 20.0, 40.0]
CLEAR_VIEW: dict[str, Any] = {"occlusion": 0.0, "truncation": 0.0}


@pytest.mark.parametrize(
    ("evaluated", "kind", "wanted"),
    [
        ("car", "van", (0, 0, 0)),
        ("car", "truck", (0, 0, 1)),
        ("car", "person", (0, 0, 1)),
        ("pedestrian", "person", (0, 0, 0)),
        ("pedestrian", "van", (0, 0, 1)),
        ("pedestrian", "cyclist", (0, 0, 1)),
    ],
)
def test_neighbouring_classes_of_kitti(evaluated: str, kind: str, wanted: tuple[int, ...]) -> None:
    result = judged("kitti", [(TALL, {"label": kind, **CLEAR_VIEW})], [(TALL, evaluated)])
    assert counts(result, evaluated) == wanted


def test_classes_of_kitti_are_counted_apart() -> None:
    truth = [(TALL, {"label": "car", **CLEAR_VIEW}), (TALL_TOO, {"label": "pedestrian"})]
    result = judged("kitti", truth, [(TALL, "car"), (TALL_TOO, "car")])
    assert result.classes == ("car", "pedestrian")
    assert counts(result, "car") == (1, 0, 1)
    assert counts(result, "pedestrian") == (0, 1, 0)


@pytest.mark.parametrize(
    ("columns", "counts_it"),
    [
        ({"occlusion": 2.0}, True),
        ({"occlusion": 3.0}, False),
        ({"truncation": 0.0}, True),
        ({"truncation": 1.0}, False),
        ({"occlusion": 3.0, "truncation": 1.0}, False),
    ],
)
def test_hardly_seen_cars_forgive(columns: dict[str, float], counts_it: bool) -> None:
    truth = [(TALL, {"label": "car", **CLEAR_VIEW, **columns})]
    assert counts(judged("kitti", truth, [(TALL, "car")]), "car") == (int(counts_it), 0, 0)
    # Nor are they missed.
    assert counts(judged("kitti", truth, []), "car") == (0, int(counts_it), 0)


@pytest.mark.parametrize(("height", "n_false"), [(25.0, 0), (25.5, 1), (24.0, 0)])
def test_low_boxes_without_a_match_are_gone(height: float, n_false: int) -> None:
    low = [0.0, 0.0, 40.0, height]
    assert counts(judged("kitti", [], [(low, "car")]), "car") == (0, 0, n_false)
    # What is matched stays, however low.
    truth = [(low, {"label": "car", **CLEAR_VIEW})]
    assert counts(judged("kitti", truth, [(low, "car")]), "car") == (1, 0, 0)


@pytest.mark.parametrize(("width", "n_false"), [(20.0, 0), (10.5, 0), (10.0, 1)])
def test_areas_nobody_cares_for(width: float, n_false: int) -> None:
    # Of 20 wide: all, a bit more than a half, exactly a half.
    area = ([0.0, 0.0, width, 40.0], {"label": "car", "region": 1, **CLEAR_VIEW})
    assert counts(judged("kitti", [area], [(TALL, "car")]), "car") == (0, 0, n_false)


def test_what_is_matched_stays_in_areas_nobody_cares_for() -> None:
    area = (TALL, {"label": "car", "region": 1, **CLEAR_VIEW})
    car = (TALL, {"label": "car", **CLEAR_VIEW})
    assert counts(judged("kitti", [area, car], [(TALL, "car")]), "car") == (1, 0, 0)


# ---- Areas of masks: MOTS ------------------------------------------------------------------------


def columns_of_masks(*ranges: tuple[int, int]) -> Any:
    """Return masks of 4 by 20 pixels, with columns first … last - 1 set."""
    masks = np.zeros((len(ranges), 4, 20), np.bool_)
    for mask, (first, last) in zip(masks, ranges, strict=True):
        mask[:, first:last] = True
    return masks


def masks_judged(
    truth: list[tuple[int, int, int]], pred: list[tuple[int, int]], protocol: str = "mots"
) -> tuple[int, int, int]:
    """Return counts of a frame; truth is (first, last, 1 for an area to be ignored)."""
    of_truth = Tracks.from_masks(
        columns_of_masks(*(each[:2] for each in truth)),
        track_id=np.arange(len(truth)),
        frame=[1] * len(truth),
        region=[each[2] for each in truth],
        label=[2] * len(truth),
        classes={2: "pedestrian"},
    )
    predicted = Tracks.from_masks(
        columns_of_masks(*pred),
        track_id=np.arange(len(pred)),
        frame=[1] * len(pred),
        label=[2] * len(pred),
        classes={2: "pedestrian"},
    )
    result = tracking_scores(of_truth, predicted, metrics=["clear"], protocol=protocol)
    return counts(result, "pedestrian")


@pytest.mark.parametrize("protocol", ["mots", "kitti-mots"])
def test_masks_in_ignored_areas(protocol: str) -> None:
    # What is matched is spared though the area covers it. Of 5 … 9 three of four columns are in
    # the area, which is more than a half; of 6 … 10 two are.
    area, person = (0, 8, 1), (0, 4, 0)
    assert masks_judged([area, person], [(0, 4)], protocol) == (1, 0, 0)
    assert masks_judged([area, person], [(0, 4), (5, 9)], protocol) == (1, 0, 0)
    assert masks_judged([area, person], [(0, 4), (6, 10)], protocol) == (1, 0, 1)


def test_several_ignored_areas_of_masks_are_one() -> None:
    # 2 + 1 of 4 columns: together more than a half. Of boxes each would count for itself.
    assert masks_judged([(0, 2, 1), (3, 4, 1)], [(0, 4)]) == (0, 0, 0)
    assert masks_judged([(0, 2, 1)], [(0, 4)]) == (0, 0, 1)


def test_most_masks_are_matched_before_areas_are_looked_at() -> None:
    """Three weak matches go before two perfect ones, where the greatest sum would take those."""
    area = (0, 20, 1)
    truth = [(0, 20, 0), (0, 12, 0), (0, 7, 0)]
    pred = [(0, 12), (0, 7), (0, 4)]
    # Each with the next smaller: 12 / 20, 7 / 12, 4 / 7, the sum is 1.75; two have their equals
    # instead, the sum is 2. Any other pair is below a half. So all three are matched, and spared by
    # the area. What counts then is the greater sum: two matches, a miss, a false positive.
    assert masks_judged([area, *truth], pred) == (2, 1, 1)
    # Alone the smallest has no match, and is gone.
    assert masks_judged([area, *truth[1:]], pred) == (2, 0, 0)


# ---- BDD100K, VisDrone ---------------------------------------------------------------------------


def test_areas_of_visdrone_take_truth_out_too() -> None:
    areas = [
        ([0.0, 0.0, 10.0, 10.0], {"label": "bus", "region": 1}),
        ([20.0, 0.0, 10.0, 10.0], {"label": "bus", "region": 1}),
    ]
    # A quarter in each of two areas is a half in both: out, matched or not.
    between = [5.0, 0.0, 20.0, 10.0]
    shifted = [6.0, 0.0, 20.0, 10.0]  # 4 + 6 of 20 columns
    free = [40.0, 0.0, 10.0, 10.0]
    result = judged("visdrone", [*areas, (between, {"label": "car"})], [(between, "car")])
    assert counts(result, "car") == (0, 0, 0)
    assert left_out(result) == (1, 1)
    result = judged("visdrone", [*areas, (shifted, {"label": "car"})], [(shifted, "car")])
    assert counts(result, "car") == (0, 0, 0)
    # Of a height of 12 only 10 are covered: 50 + 50 of 240.
    tall = [5.0, 0.0, 20.0, 12.0]
    result = judged("visdrone", [*areas, (tall, {"label": "car"})], [(tall, "car"), (free, "car")])
    assert counts(result, "car") == (1, 0, 1)


def test_boxes_in_ignored_areas_of_bdd100k() -> None:
    protocol = "bdd100k"
    area = ([0.0, 0.0, 30.0, 10.0], {"label": "car", "region": 1})
    car = ([0.0, 0.0, 10.0, 10.0], {"label": "car"})
    within, half = [15.0, 0.0, 10.0, 10.0], [25.0, 0.0, 10.0, 10.0]
    result = judged(protocol, [area, car], [(car[0], "car"), (within, "car"), (half, "car")])
    # Matched and spared; within, and gone; a half within, which is not enough.
    assert counts(result, "car") == (1, 0, 1)
    # Areas are no objects of any class, and hold for all.
    result = judged(protocol, [area], [(within, "bus")])
    assert counts(result, "bus") == (0, 0, 0)


def test_predictions_of_another_class_match_nothing() -> None:
    result = judged("bdd100k", [(A, {"label": "car"})], [(A, "bus")])
    assert counts(result, "car") == (0, 1, 0)
    assert counts(result, "bus") == (0, 0, 1)
    assert result.classes == PROTOCOLS["bdd100k"].classes


# ---- Plain ---------------------------------------------------------------------------------------


def test_plain_rules_leave_nothing_out() -> None:
    result = judged("plain", [(A, {}), (B, {})], [A, C])
    assert counts(result) == (1, 1, 1)
    assert left_out(result) == (0, 0)


def test_plain_classes_are_counted_apart() -> None:
    truth = [(A, {"label": "cat"}), (B, {"label": "dog"})]
    result = judged("plain", truth, [(A, "cat"), (B, "cat"), (C, "emu")])
    assert result.classes == ("cat", "dog", "emu")
    assert [counts(result, name) for name in result.classes] == [(1, 0, 1), (0, 1, 0), (0, 0, 1)]
    chosen = judged("plain", truth, [(A, "cat"), (B, "cat"), (C, "emu")], classes=["dog"])
    assert chosen.classes == ("dog",)
    assert counts(chosen) == (0, 1, 0)


@pytest.mark.parametrize("labels", [["cat"], ["cat", "dog"]])
def test_classes_of_one_side(labels: list[str]) -> None:
    """Refused, however many there are: the next frame may have more."""
    truth = [(box, {"label": label}) for box, label in zip((A, B), labels, strict=False)]
    with pytest.raises(ClassError, match="classes of pred, as truth has, got none"):
        judged("plain", truth, [A, B])
    # One class that is named is that of what has none.
    result = judged("plain", truth, [A, B], classes=["cat"])
    assert counts(result, "cat") == (1, 0, 1)


def test_classes_of_one_side_frame_by_frame() -> None:
    """As at once: a frame without objects tells nothing, and those before are remembered."""

    def frame(box: list[float] | None, label: str | None, number: int) -> Tracks:
        return Tracks.from_xywh(
            [] if box is None else [box],
            track_id=[] if box is None else [1],
            frame=number,
            label=None if label is None else [label],
        )

    metric = Tracking(metrics=["clear"])
    metric.update(frame(None, None, 1), frame(A, "car", 1))
    with pytest.raises(ClassError, match="classes of truth, as pred has"):
        metric.update(frame(A, None, 2), frame(A, "car", 2))
    with pytest.raises(ClassError, match="objects of pred with classes as before"):
        metric.update(frame(None, None, 2), frame(A, None, 2))
    metric.update(frame(A, "car", 2), frame(A, "car", 2))
    assert counts(metric.compute(), "car") == (1, 0, 1)


def counted(
    truth: list[str] | None, pred: list[str] | None, n_truth: int, n_pred: int, **columns: Any
) -> dict[str, tuple[int, int, int]]:
    """Return counts by class, of as many boxes at the same places; None for no classes at all."""
    sides = [
        Tracks.from_xywh(
            [A, B, C][:n],
            track_id=np.arange(n),
            frame=1,
            label=label,
            **(columns if k == 0 else {}),
        )
        for k, (label, n) in enumerate(((truth, n_truth), (pred, n_pred)))
    ]
    result = tracking_scores(*sides, metrics=["clear"])
    return {name: counts(result, name) for name in result.classes}


def test_no_prediction_is_lost_for_lack_of_classes() -> None:
    with pytest.raises(ClassError, match="classes of truth, as pred has, got none"):
        counted(None, ["cat"] * 2, 1, 2)
    # A frame without truth says nothing of classes; what is predicted is false.
    assert counted(None, ["cat"] * 2, 0, 2) == {"cat": (0, 0, 2)}
    with pytest.raises(ClassError, match="classes of pred, as truth has, got none"):
        counted(None, None, 0, 2, classes={1: "cat"})
    # A frame without predictions says nothing of classes; what is there is missed.
    assert counted(["cat", "dog"], None, 2, 0) == {"cat": (0, 1, 0), "dog": (0, 1, 0)}


def test_areas_to_be_ignored_under_plain_rules() -> None:
    area = ([0.0, 0.0, 30.0, 10.0], {"region": 1})
    within, half = [15.0, 0.0, 10.0, 10.0], [25.0, 0.0, 10.0, 10.0]
    result = judged("plain", [area, (D, {})], [within, half, D])
    # Within, and gone; a half within, which is not enough; matched.
    assert counts(result) == (1, 0, 1)
    assert left_out(result) == (0, 1)


@pytest.mark.parametrize(("protocol", "wanted"), [("plain", 1), ("mot17", 0), ("mot15", 0)])
def test_flags_between_0_and_1(protocol: str, wanted: int, tmp_path: Any) -> None:
    """A flag of 0.5 is cut to 0 by the benchmarks, and is not nothing under plain rules."""
    from snellen.readers.tracking_files import read_tracking

    (tmp_path / "gt.txt").write_text("1,1,0,0,10,10,0.5,1,1\n1,2,50,0,10,10,1,1,1\n")
    (tmp_path / "pred.txt").write_text("1,7,0,0,10,10,0.9,-1,-1,-1\n")
    files = read_tracking(tmp_path / "gt.txt", tmp_path / "pred.txt", protocol=protocol)
    ((truth, pred),) = files.batches()
    result = tracking_scores(truth, pred, protocol=files.protocol, metrics=["clear"])
    assert counts(result) == (wanted, 1, 1 - wanted)


# ---- Protocols as data ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_as_plain_values(name: str) -> None:
    import json

    rules = PROTOCOLS[name]
    assert rules.name == name
    assert TrackingProtocol.from_dict(json.loads(json.dumps(rules.to_dict()))) == rules


def test_a_protocol_of_ones_own() -> None:
    rules = TrackingProtocol("ours", distractors={"cat": ("toy",)}, classes=("cat",))
    truth = [(A, {"label": "cat"}), (B, {"label": "toy"}), (C, {"label": "dog"})]
    result = judged(rules, truth, [(A, "cat"), (B, "cat"), (C, "cat"), (D, "dog")])
    # B is forgiven; C is a dog's place, and false; the predicted dog is of another class.
    assert counts(result) == (1, 0, 1)


def test_some_rules_changed() -> None:
    rules = protocol_of("mot17", similarity="ioa", zero_distance=None)
    assert rules.similarity == "ioa"
    assert rules.zero_distance == PROTOCOLS["mot17"].zero_distance
    assert protocol_of(rules) is rules


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": "mot18"}, 'expected a protocol of plain, .* got "mot18". Did you mean "mot1'),
        ({"protocol": "plain", "similarity": "iu"}, 'got "iu". Did you mean "iou"'),
        ({"protocol": "plain", "zero_distance": 0.0}, "a distance of more than 0, got 0"),
        ({"protocol": "plain", "zero_distance": float("nan")}, "more than 0, got nan"),
    ],
)
def test_rules_that_there_are_not(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        protocol_of(**changes)
