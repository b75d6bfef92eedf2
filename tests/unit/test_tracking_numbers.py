"""Numbers of tracking, worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import Clear, Hota, Identity, Tracking, TrackingResult, Tracks, Vace, tracking_scores
from snellen.errors import InputError

Frame = tuple[dict[Any, Any], dict[Any, Any]]
FIVE = ("hota", "clear", "identity", "vace", "count")
ALL = (*FIVE, "ideucl", "motmetrics")


def sides(frames: list[Frame], **columns: Any) -> tuple[Tracks, Tracks]:
    """Return truth and predictions; of each frame, 1, 2, …, where each id is.

    A place is the left of a box of 10 by 10, or the box itself: left, top, width, height.
    """
    made = []
    for k in (0, 1):
        rows = [(t, i, x) for t, each in enumerate(frames, 1) for i, x in each[k].items()]
        made.append(
            Tracks.from_xywh(
                [x if isinstance(x, list) else [x, 0.0, 10.0, 10.0] for _, _, x in rows],
                track_id=[i for _, i, _ in rows],
                frame=[t for t, _, _ in rows],
                frames=range(1, len(frames) + 1),
                **columns,
            )
        )
    return made[0], made[1]


def scores(frames: list[Frame], *metrics: str, **parameters: Any) -> TrackingResult:
    return tracking_scores(*sides(frames), metrics=metrics or ALL, **parameters)


def expect_near(value: float, wanted: float) -> None:
    """Expect a number but for rounding."""
    assert math.isclose(value, wanted, rel_tol=4e-16)


# Two objects in 3 and 2 frames; track 7 has the first twice, track 8 the second once, with an IoU
# of 7.5 / 12.5 = 0.6; track 9 has nothing.
STREET: list[Frame] = [
    ({1: 0, 2: 100}, {7: 0}),
    ({1: 0, 2: 100}, {7: 0, 8: 102.5}),
    ({1: 0}, {9: 500}),
]

# ---- HOTA ----------------------------------------------------------------------------------------


def test_hota_at_each_threshold() -> None:
    """Up to 0.6, 12 thresholds, there are 3 matches; then, 7 thresholds, there are 2."""
    result = scores(STREET, "hota")

    def expect(name: str, up_to: float, beyond: float) -> None:
        wanted = [up_to] * 12 + [beyond] * 7
        assert result.curve(name).tolist() == pytest.approx(wanted, rel=4e-16, abs=0), name
        expect_near(getattr(result, name), (12 * up_to + 7 * beyond) / 19)

    # 3 matches, 2 misses, 1 false positive; then 2, 3, 2.
    expect("DetA", 3 / 6, 2 / 7)
    expect("DetRe", 3 / 5, 2 / 5)
    expect("DetPr", 3 / 4, 2 / 4)
    # Track 7 and object 1 are together in 2 of 3 frames in which either is: 3 + 2 - 2. Track 8 and
    # object 2 in 1 of 2. Each match counts: (2 · 2/3 + 1 · 1/2) / 3.
    expect("AssA", (2 * 2 / 3 + 1 / 2) / 3, 2 / 3)
    expect("AssRe", (2 * 2 / 3 + 1 / 2) / 3, 2 / 3)
    expect("AssPr", 1.0, 1.0)
    expect("LocA", (1 + 1 + 0.6) / 3, 1.0)
    hota = math.sqrt(1 / 2 * 11 / 18), math.sqrt(2 / 7 * 2 / 3)
    expect("HOTA", *hota)
    expect("OWTA", math.sqrt(3 / 5 * 11 / 18), math.sqrt(2 / 5 * 2 / 3))
    expect_near(getattr(result, "HOTA(0)"), hota[0])
    expect_near(getattr(result, "LocA(0)"), 2.6 / 3)
    expect_near(getattr(result, "HOTALocA(0)"), hota[0] * 2.6 / 3)


def test_thresholds_of_hota() -> None:
    # Added, and not multiplied by 1 … 19: four of those differ in the last bit.
    wanted = [0.05 + 0.05 * i for i in range(19)]
    assert scores(STREET, "hota").alphas.tolist() == wanted


def test_hota_of_an_object_with_two_tracks() -> None:
    result = scores([({1: 0}, {7 + t // 2: 0}) for t in range(4)], "hota")
    # Of 4 frames each track has 2: 2 / (4 + 2 - 2).
    assert (result.DetA, result.AssA, result.AssRe, result.AssPr) == (1, 0.5, 0.5, 1)
    expect_near(result.HOTA, math.sqrt(0.5))


def test_hota_of_a_track_over_two_objects() -> None:
    frames: list[Frame] = [({1: 0}, {7: 0}), ({1: 0}, {7: 0}), ({2: 0}, {7: 0}), ({2: 0}, {7: 0})]
    result = scores(frames, "hota")
    assert (result.DetA, result.AssA, result.AssRe, result.AssPr) == (1, 0.5, 1, 0.5)


def test_hota_assigns_so_that_long_tracks_stay_together() -> None:
    """In frame 4 track 8 fits object 1 better, but 7 was with it in three frames."""
    frames: list[Frame] = [*[({1: 0}, {7: 0})] * 3, ({1: 0}, {7: 1, 8: 0})]
    result = scores(frames, "hota")
    # One false positive, which is 8: at small thresholds the match is with 7, of IoU 9 / 11.
    assert result.curve("AssA")[0] == 1.0
    assert result.curve("DetA")[0] == 4 / 5
    # Beyond 9 / 11 it is none, and 8 is not matched in its place: 3 of 4 are found.
    assert result.curve("DetA")[-1] == 3 / (3 + 1 + 2)
    assert result.curve("AssA")[-1] == 3 / (4 + 4 - 3)


# ---- CLEAR ---------------------------------------------------------------------------------------


def test_clear() -> None:
    result = scores(STREET, "clear")
    counts = ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "Frag", "MT", "PT", "ML")
    # Object 1 is found in 2 of 3 frames, object 2 in 1 of 2.
    assert [getattr(result, name) for name in counts] == [3, 2, 1, 0, 0, 0, 2, 0]
    assert result.MOTA == (3 - 1 - 0) / 5
    assert result.MODA == (3 - 1) / 5
    expect_near(result.sMOTA, (2.6 - 1) / 5)
    assert result.MOTAL == (3 - 1) / 5
    assert result.CLR_Re == 3 / 5
    assert result.CLR_Pr == 3 / 4
    assert result.CLR_F1 == 3 / (3 + 2 / 2 + 1 / 2)
    assert (result.MTR, result.PTR, result.MLR) == (0, 1, 0)
    assert result.FP_per_frame == 1 / 3


def test_both_meanings_of_motp() -> None:
    """How alike matches are, and how far apart their centres are, in pixels."""
    result = scores(STREET, "clear")
    expect_near(result.MOTP, (1 + 1 + 0.6) / 3)
    expect_near(result.MOTP_distance, (0 + 0 + 2.5) / 3)
    # The centres, and not the corners: 2 wider and 4 higher moves it by 1 and 2.
    wider = scores([({1: [0, 0, 10, 10]}, {7: [0, 0, 12, 14]})], "clear")
    expect_near(wider.MOTP_distance, math.hypot(1, 2))
    assert wider.MOTP == 100 / (12 * 14)


def test_motp_of_points_is_in_their_unit() -> None:
    """People on a floor, in millimetres: 3 : 4 : 5."""
    truth = Tracks.from_points([[0, 0], [5000, 0]], track_id=[1, 2], frame=[1, 1])
    pred = Tracks.from_points([[300, 400], [5000, 100]], track_id=[7, 8], frame=[1, 1])
    result = tracking_scores(
        truth, pred, metrics=["clear"], similarity="distance", zero_distance=1000
    )
    # A distance of 500 of 1000 is a similarity of exactly a half, which matches.
    assert result.CLR_TP == 2
    assert result.MOTP_distance == (500 + 100) / 2
    assert result.MOTP == (0.5 + 0.9) / 2
    assert "distance of points, 0 at 1000" in result.composition()


def test_logarithm_of_switches() -> None:
    # 11 frames with 10 switches; log10(10) = 1.
    result = scores([({1: 0}, {t: 0}) for t in range(11)], "clear")
    assert result.IDSW == 10
    assert result.MOTA == (11 - 10) / 11
    assert result.MOTAL == (11 - 1) / 11
    assert result.MODA == 1


def test_more_errors_than_objects() -> None:
    result = scores([({1: 0}, {7: 100, 8: 200, 9: 300})], "clear")
    assert result.MOTA == -3
    assert result.sMOTA == -3
    assert "MOTA is below 0 where there are more errors than truth objects" in result.composition()
    assert "below 0" not in scores(STREET, "clear").composition()


def test_the_greatest_sum_decides_and_not_the_most_matches() -> None:
    """Two perfect matches go before three weak ones; py-motmetrics has it the other way."""
    frame: Frame = (
        {1: [0, 0, 20, 10], 2: [0, 0, 12, 10], 3: [0, 0, 7, 10]},
        {7: [0, 0, 12, 10], 8: [0, 0, 7, 10], 9: [0, 0, 4, 10]},
    )
    # 12 / 20 + 7 / 12 + 4 / 7 is less than 1 + 1.
    result = scores([frame])
    assert (result.CLR_TP, result.CLR_FN, result.CLR_FP) == (2, 1, 1)
    assert (result.num_detections, result.num_misses, result.num_false_positives) == (3, 0, 0)


@pytest.mark.parametrize(("below", "matched"), [(0.0, 1), (2.0**-53, 1), (2.0**-51, 0)])
def test_at_the_threshold(below: float, matched: int) -> None:
    """CLEAR allows for the last bit of 1 at its threshold, identity for nothing."""
    truth = Tracks.from_points([[0.0, 0.0]], track_id=[1], frame=[1])
    pred = Tracks.from_points([[1.0 + 2 * below, 0.0]], track_id=[7], frame=[1])
    # 1 - (1 + 2 below) / 2 = 0.5 - below
    result = tracking_scores(truth, pred, metrics=ALL, similarity="distance", zero_distance=2.0)
    got = result.CLR_TP, result.IDTP
    assert got == (matched, below == 0)


def test_another_threshold() -> None:
    frames: list[Frame] = [({1: 0}, {7: 2.5})]  # 0.6
    for metric in (Clear, Identity, Vace):
        assert metric(threshold=0.7).settings.threshold == 0.7
    assert scores(frames, threshold=0.6).CLR_TP == 1
    high = scores(frames, threshold=0.7)
    assert (high.CLR_TP, high.IDTP, high.STDA) == (0, 0, 0)
    # HOTA has thresholds of its own.
    assert high.curve("DetA").tolist() == [1] * 12 + [0] * 7


# ---- Identity ------------------------------------------------------------------------------------


def test_identity() -> None:
    result = scores(STREET, "identity")
    # Object 1 has track 7 for two frames, object 2 track 8 for one.
    assert (result.IDTP, result.IDFN, result.IDFP) == (3, 2, 1)
    assert result.IDF1 == 2 * 3 / (5 + 4)
    assert (result.IDR, result.IDP) == (3 / 5, 3 / 4)


def test_identity_looks_at_all_tracks_together() -> None:
    """Object 1 would have track 8 for three frames, but then object 2 has nothing."""
    frames: list[Frame] = [
        *[({1: 0, 2: 100}, {7: 0})] * 2,
        *[({1: 0, 2: 100}, {8: 0})] * 3,
        *[({1: 0, 2: 100}, {8: 100})] * 2,
    ]
    result = scores(frames, "identity")
    assert (result.IDTP, result.IDFN, result.IDFP) == (2 + 2, 14 - 4, 7 - 4)


def test_identity_counts_every_pair_that_overlaps_enough() -> None:
    """Not only the best of a frame: two tracks on one object both could be it."""
    result = scores([({1: 0}, {7: 0, 8: 1})] * 2 + [({1: 0}, {8: 1})], "identity")
    assert (result.IDTP, result.IDFN, result.IDFP) == (3, 0, 2)


# ---- VACE ----------------------------------------------------------------------------------------


def test_vace() -> None:
    result = scores(STREET, "vace")
    # 2 of 3 frames in which either is there, and 1 of 2, of two objects and three tracks.
    expect_near(result.STDA, 2 / 3 + 1 / 2)
    expect_near(result.ATA, (2 / 3 + 1 / 2) / ((2 + 3) / 2))
    # Frames: 1 of (2 + 1) / 2, 1.6 of (2 + 2) / 2, 0 of (1 + 1) / 2.
    expect_near(result.FDA, 1 / 1.5 + 1.6 / 2)
    expect_near(result.SFDA, (1 / 1.5 + 1.6 / 2) / 3)


def test_frames_without_objects_are_none_of_vace() -> None:
    nothing: Frame = ({}, {})
    assert scores([*STREET, nothing, nothing], "vace").SFDA == scores(STREET, "vace").SFDA
    expect_near(scores([*STREET, ({1: 0}, {})], "vace").SFDA, (1 / 1.5 + 1.6 / 2) / 4)


# ---- IDEucl, Count -------------------------------------------------------------------------------


def test_share_of_the_way() -> None:
    """Object 1 goes 30, 40 and 30; track 7 goes with it for the first two. Object 2 goes 10."""
    frames: list[Frame] = [
        ({1: 0, 2: 500}, {7: 0, 9: 500}),
        ({1: 30, 2: 510}, {7: 30}),
        ({1: 70}, {7: 70}),
        ({1: 100}, {8: 100}),
    ]
    # 30 + 40 of 30 + 40 + 30 + 10.
    expect_near(scores(frames, "ideucl").IDEucl, 70 / 110)


def test_a_gap_is_crossed_in_a_straight_line() -> None:
    frames: list[Frame] = [({1: 0}, {7: 0}), ({1: 50}, {}), ({1: 0}, {7: 0}), ({1: 20}, {7: 20})]
    # Of 50 + 50 + 20 the track goes 0 + 20.
    expect_near(scores(frames, "ideucl").IDEucl, 20 / 120)


def test_share_of_the_way_is_a_mean_of_sequences() -> None:
    metric = Tracking(metrics=["ideucl"])
    short: list[Frame] = [({1: 0}, {7: 0}), ({1: 10}, {7: 10})]
    long: list[Frame] = [({1: 0}, {7: 0}), ({1: 100}, {7: 100}), ({1: 400}, {})]
    metric.update(*sides(short, sequence="short")).update(*sides(long, sequence="long"))
    expect_near(metric.compute().IDEucl, (1 + 1 / 4) / 2)


def test_counts() -> None:
    result = scores(STREET, "count")
    assert (result.Dets, result.GT_Dets, result.IDs, result.GT_IDs) == (4, 5, 3, 2)
    assert result.data["n_frames"] == 3
    assert (result.data["n_truth"], result.data["n_pred"]) == (5, 4)


# ---- Similarities --------------------------------------------------------------------------------


def test_intersection_over_the_area_of_truth() -> None:
    """A prediction that is twice as large as the truth that it covers."""
    frames: list[Frame] = [({1: [0, 0, 10, 10]}, {7: [0, 0, 20, 10]})]
    assert scores(frames, "clear").MOTP == 0.5
    assert scores(frames, "clear", similarity="ioa").MOTP == 1


def test_generalised_iou_is_brought_to_0_and_1() -> None:
    # Boxes that touch: no overlap, no gap, so GIoU = 0, which is a half.
    result = scores([({1: 0}, {7: 10})], "clear", similarity="giou")
    assert (result.CLR_TP, result.MOTP) == (1, 0.5)
    # 10 apart: the hull is of 300, of which 100 belong to neither: GIoU = -1/3.
    result = scores([({1: 0}, {7: 20})], "clear", similarity="giou", threshold=0.25)
    expect_near(result.MOTP, (1 - 1 / 3) / 2)


@pytest.mark.parametrize(
    ("similarity", "wanted"),
    # Two of four metres in common, of boxes of 2 by 2 by 4: 2 / (4 + 4 - 2). The centres are
    # 2 apart, of 4: a half.
    [("iou_3d", 2 / 6), ("distance_3d", 1 / 2)],
)
def test_boxes_in_space(similarity: str, wanted: float) -> None:
    truth = Tracks.from_boxes_3d([[0, 0, 0, 4, 2, 2, 0]], track_id=[1], frame=[1])
    pred = Tracks.from_boxes_3d([[2, 0, 0, 4, 2, 2, 0]], track_id=[7], frame=[1])
    rules: dict[str, Any] = {"similarity": similarity, "threshold": 0.3}
    if similarity == "distance_3d":
        rules["zero_distance"] = 4.0
    result = tracking_scores(truth, pred, metrics=["clear"], **rules)
    expect_near(result.MOTP, wanted)
    assert result.MOTP_distance == 2


def test_masks() -> None:
    mask = np.zeros((2, 2, 8), np.bool_)
    mask[0, :, :6], mask[1, :, 2:] = True, True
    truth, pred = (Tracks.from_masks(mask[k : k + 1], track_id=[1], frame=[1]) for k in (0, 1))
    result = tracking_scores(truth, pred, metrics=["clear", "ideucl"], similarity="mask_iou")
    assert result.MOTP == 4 / 8
    reasons = {entry.metric: entry.reason for entry in result.undefined}
    assert reasons == {"MOTP_distance": "masks have no centre", "IDEucl": "masks have no centre"}
    assert tracking_scores(truth, pred, metrics=["clear"], similarity="mask_ioa").MOTP == 4 / 6


# ---- Several sequences ---------------------------------------------------------------------------


def test_numbers_over_sequences_are_of_sums_and_no_means() -> None:
    metric = Tracking(metrics=ALL)
    metric.update(*sides([({1: 0}, {7: 0})] * 3, sequence="b"))
    metric.update(*sides([({1: 0}, {7: 100})], sequence="a"))
    result = metric.compute()
    # 3 matches, a miss and a false positive; not the mean of 1 and -1.
    assert result.MOTA == (3 - 1) / 4
    assert result.DetA == 3 / 5
    assert result.IDF1 == 3 / 4
    # Matches weigh in association: those of one sequence are all there are.
    assert result.AssA == 1
    assert result.ATA == 1 / 2
    assert result.SFDA == 3 / 4
    records = result.per_sequence()
    assert [record["sequence"] for record in records] == ["a", "b", "COMBINED"]
    assert [record["MOTA"] for record in records] == [-1, 1, 0.5]
    assert math.isnan(records[0]["AssA"])
    assert all(type(record["IDSW"]) is int for record in records)


def test_association_is_weighed_by_matches() -> None:
    metric = Hota()
    # Of 4 matches each track has half of its object; then one match of an object of its own.
    metric.update(*sides([({1: 0}, {7 + t // 2: 0}) for t in range(4)], sequence="a"))
    metric.update(*sides([({1: 0}, {7: 0})], sequence="b"))
    expect_near(metric.compute().AssA, (4 * 0.5 + 1 * 1.0) / 5)


def test_tracks_of_one_id_in_two_sequences_are_two() -> None:
    metric = Tracking(metrics=["count", "identity"])
    for sequence in ("a", "b"):
        metric.update(*sides([({1: 0}, {7: 0})], sequence=sequence))
    result = metric.compute()
    assert (result.IDs, result.GT_IDs, result.IDTP) == (2, 2, 2)


# ---- Several classes -----------------------------------------------------------------------------


def of_classes(**classes: list[Frame]) -> TrackingResult:
    """Return the result of a sequence with objects of several classes, each with ids of its own."""
    rows: list[list[Any]] = [[], []]
    for n, (label, frames) in enumerate(classes.items()):
        for t, each in enumerate(frames, 1):
            for k in (0, 1):
                rows[k] += [(t, 100 * n + i, 1000 * n + x, label) for i, x in each[k].items()]
    truth, pred = (
        Tracks.from_xywh(
            [[x, 0.0, 10.0, 10.0] for _, _, x, _ in side],
            track_id=[i for _, i, _, _ in side],
            frame=[t for t, _, _, _ in side],
            label=[label for _, _, _, label in side],
            classes=dict.fromkeys(sorted(classes), ""),
        )
        for side in rows
    )
    return tracking_scores(truth, pred, metrics=ALL)


def test_averages_over_classes_and_over_objects() -> None:
    result = of_classes(
        car=[({1: 0}, {7 + t // 2: 0}) for t in range(4)],
        bus=[({1: 0}, {7: 100, 8: 200})],
    )
    assert result.classes == ("bus", "car")
    by_class = {record["class"]: record for record in result.per_class()}
    # One switch in 4; a miss and two false positives.
    assert [by_class[name]["MOTA"] for name in result.classes] == [-2, 3 / 4]
    assert result.MOTA == (-2 + 3 / 4) / 2
    # 4 matches, 2 false positives, a switch, of 5 objects.
    assert result.detection_average()["clear"]["MOTA"] == (4 - 2 - 1) / 5
    # DetA is 0 and 1; of all, 4 of 4 + 1 + 2.
    assert result.DetA == 0.5
    assert result.detection_average()["hota"]["DetA"].tolist() == [4 / 7] * 19
    assert result.detection_average()["hota"]["AssA"].tolist() == [0.5] * 19
    assert result.class_average()["clear"]["MOTA"] == result.MOTA
    # Counts are added.
    assert (result.CLR_TP, result.CLR_FN, result.CLR_FP, result.IDSW) == (4, 1, 2, 1)
    assert result.detection_average(("car",))["clear"]["MOTA"] == 3 / 4


def test_classes_without_truth_are_in_no_average() -> None:
    result = of_classes(car=[({1: 0}, {7: 0})], ghost=[({}, {7: 0, 8: 50})])
    assert result.classes == ("car", "ghost")
    assert (result.MOTA, result.HOTA, result.IDF1) == (1, 1, 1)
    # But its false positives are counted.
    assert result.CLR_FP == 2
    assert result.detection_average()["clear"]["MOTA"] == (1 - 2) / 1
    reasons = {(e.class_name, e.metric): e.reason for e in result.undefined_of_classes()}
    assert reasons["ghost", "MOTA"] == "there is no truth object"
    assert reasons.pop(("car", "IDEucl")) == "no object moves"
    assert all(name == "ghost" for name, _ in reasons)
    (record,) = (record for record in result.per_class() if record["class"] == "ghost")
    assert math.isnan(record["MOTA"])
    assert record["CLR_FP"] == 2


def test_no_class_has_truth() -> None:
    result = of_classes(car=[({}, {7: 0})], bus=[({}, {7: 0})])
    assert math.isnan(result.MOTA)
    assert math.isnan(result.HOTA)
    assert {e.reason for e in result.undefined} == {"no class has a truth object"}
    assert result.CLR_FP == 2


def test_objects_are_matched_within_their_class() -> None:
    truth = Tracks.from_xywh([[0, 0, 10, 10]], track_id=[1], frame=[1], label=["car"])
    pred = Tracks.from_xywh([[0, 0, 10, 10]], track_id=[7], frame=[1], label=["bus"])
    result = tracking_scores(truth, pred, metrics=["clear"])
    assert (result.CLR_TP, result.CLR_FN, result.CLR_FP) == (0, 1, 1)


def test_curves() -> None:
    result = of_classes(car=[({1: 0}, {7 + t // 2: 0}) for t in range(4)], bus=[({1: 0}, {7: 100})])
    assert result.curve("AssA", "car").tolist() == [0.5] * 19
    assert result.curve("DetA").tolist() == [0.5] * 19
    for arguments, words in (
        (("MOTA",), 'expected one of AssA, .* got "MOTA"'),
        (("HOTA", "van"), 'expected one of bus, car, got "van"'),
    ):
        with pytest.raises(InputError, match=words):
            result.curve(*arguments)
    with pytest.raises(InputError, match='expected one of no curves, got "HOTA"'):
        scores(STREET, "clear").curve("HOTA")


# ---- Nothing -------------------------------------------------------------------------------------

NO_TRUTH = "there is no truth object"
NO_PRED = "there is no prediction"
NO_MATCH = "no prediction matches a truth object"
NO_OBJECTS = "there are no objects"
ASSOCIATED = ("AssA", "AssRe", "AssPr", "LocA", "LocA(0)", "HOTALocA(0)")


def reasons_of(result: TrackingResult) -> dict[str, str]:
    """Return why numbers are NaN; checks that they are, and no others."""
    reasons = {entry.metric: entry.reason for entry in result.undefined}
    assert {n for n, value in result.metrics.items() if math.isnan(value)} == set(reasons)
    return reasons


def test_no_predictions() -> None:
    result = scores([({1: 0}, {})] * 3, *FIVE)
    assert reasons_of(result) == {
        **dict.fromkeys(ASSOCIATED, NO_MATCH),
        **dict.fromkeys(("DetPr", "CLR_Pr", "IDP"), NO_PRED),
        **dict.fromkeys(("MOTP", "MOTP_distance"), NO_MATCH),
    }
    assert (result.HOTA, result.DetA, result.MOTA, result.IDF1) == (0, 0, 0, 0)
    assert (result.CLR_FN, result.ML, result.MLR, result.IDFN) == (3, 1, 1, 3)
    assert (result.SFDA, result.ATA, result.GT_Dets, result.IDs) == (0, 0, 3, 0)


def test_no_truth() -> None:
    result = scores([({}, {7: 0})] * 3, "hota", "clear", "identity", "vace", "count")
    of_truth = ("MOTA", "MODA", "sMOTA", "MOTAL", "CLR_Re", "MTR", "PTR", "MLR", "IDR")
    assert reasons_of(result) == {
        **dict.fromkeys(ASSOCIATED, NO_MATCH),
        **dict.fromkeys((*of_truth, "DetRe", "OWTA"), NO_TRUTH),
        **dict.fromkeys(("MOTP", "MOTP_distance"), NO_MATCH),
    }
    assert (result.CLR_FP, result.IDFP, result.FP_per_frame) == (3, 3, 1)
    assert (result.DetA, result.CLR_Pr, result.CLR_F1, result.IDF1) == (0, 0, 0, 0)


def test_no_match() -> None:
    result = scores([({1: 0}, {7: 100})] * 2, *FIVE)
    assert reasons_of(result) == {
        **dict.fromkeys(ASSOCIATED, NO_MATCH),
        **dict.fromkeys(("MOTP", "MOTP_distance"), NO_MATCH),
    }
    assert (result.MOTA, result.DetRe, result.DetPr, result.SFDA) == (-1, 0, 0, 0)


def test_frames_without_objects() -> None:
    result = scores([({}, {})] * 4)
    reasons = reasons_of(result)
    assert {reasons[name] for name in ("HOTA", "DetA", "LocA", "IDF1", "CLR_F1")} == {NO_OBJECTS}
    assert {reasons[name] for name in ("SFDA", "ATA", "STDA", "FDA", "mota")} == {NO_OBJECTS}
    assert reasons["MOTA"] == NO_TRUTH
    assert reasons["CLR_Pr"] == NO_PRED
    # There are none of these, which is a number.
    assert (result.CLR_TP, result.CLR_FP, result.IDSW, result.IDTP, result.Dets) == (0,) * 5
    # Four frames, none of which has a false positive.
    assert result.FP_per_frame == 0
    assert result.data["n_frames"] == 4


def test_nothing_at_all() -> None:
    for metric in (Tracking(metrics=ALL), Hota(), Clear(), Identity(), Vace()):
        result = metric.compute()
        assert set(reasons_of(result).values()) == {NO_OBJECTS}
        assert len(result.undefined) == len(result.metrics) > 0
        assert result.classes == ()
        assert result.per_class() == result.per_sequence() == result.per_track() == []
        assert str(result) == "no objects"
        assert result.data["n_sequences"] == 0


def test_shares_of_the_way_of_nothing() -> None:
    assert scores([({1: 0}, {}), ({1: 50}, {})], "ideucl").IDEucl == 0
    # No share of no way: the reference says 0.
    for frames in ([({1: 0}, {7: 0})] * 2, [({}, {7: 0}), ({}, {7: 50})]):
        result = scores(frames, "ideucl")
        assert math.isnan(result.IDEucl)
        assert [entry.reason for entry in result.undefined] == ["no object moves"]

    # Objects that move, and predictions elsewhere.
    assert scores([({1: 0}, {7: 100}), ({1: 50}, {7: 200})], "ideucl").IDEucl == 0


# ---- py-motmetrics -------------------------------------------------------------------------------


def test_numbers_of_motmetrics() -> None:
    """A pair goes on over any gap, and MOTP is a distance: 1 - IoU."""
    frames: list[Frame] = [
        ({1: 0}, {7: 2.5}),
        ({1: 0}, {9: 500}),
        # 7 was the object's; 8 fits better, and has nothing.
        ({1: 0}, {7: 2.5, 8: 0}),
    ]
    result = scores(frames)
    assert (result.num_matches, result.num_switches, result.num_misses) == (2, 0, 1)
    assert (result.num_false_positives, result.num_fragmentations) == (2, 1)
    expect_near(result.motp, 1 - 0.6)
    expect_near(result.mota, 1 - (1 + 0 + 2) / 3)
    assert result.num_frames == 3
    # TrackEval's rule forgets the pair in the frame without it.
    assert result.IDSW == 1


# ---- Tables --------------------------------------------------------------------------------------


def test_tables_are_in_percent() -> None:
    text = str(scores(STREET, "clear", "count"))
    head, row, combined = (line.split() for line in text.split("\n\n")[0].splitlines())
    assert head[:3] == ["CLEAR:", "object", "MOTA"]
    assert row[0] == "0"
    assert combined[0] == "COMBINED"
    values = dict(zip(head[2:], combined[1:], strict=True))
    assert values["MOTA"] == "40"
    assert values["MOTP"] == "86.667"
    assert values["CLR_FN"] == "2"
    assert values["FP_per_frame"] == "0.33333"
    assert values["MOTP_distance"] == "0.83333"


def test_metrics_of_one_family() -> None:
    for metric, name in (
        (Hota(), "HOTA"),
        (Clear(), "MOTA"),
        (Identity(), "IDF1"),
        (Vace(), "ATA"),
    ):
        result = metric.update(*sides(STREET)).compute()
        whole = scores(STREET)
        assert set(result.metrics) < set(whole.metrics)
        assert name in result.metrics
        assert all(result.metrics[each] == whole.metrics[each] for each in result.metrics)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"metrics": ["hots"]}, 'of hota, clear, .* got "hots". Did you mean "hota"'),
        ({"metrics": []}, "expected metrics of hota, .* got none"),
        ({"threshold": 0.0}, r"a threshold in \(0, 1\], got 0"),
        ({"threshold": 1.5}, r"a threshold in \(0, 1\], got 1.5"),
        ({"threshold": math.nan}, r"a threshold in \(0, 1\], got nan"),
        ({"classes": "car"}, r'a list of class names, got "car".*say \["car"\]'),
        ({"classes": ["car", "car"]}, "names of classes, each once"),
        ({"classes": []}, "names of classes, each once"),
        ({"classes": [1]}, "names of classes, each once"),
        ({"similarity": "iu"}, 'Did you mean "iou"'),
        ({"zero_distance": -1.0}, "a distance of more than 0, got -1"),
        ({"protocol": "mot71"}, "expected a protocol of plain"),
    ],
)
def test_parameters_that_make_no_sense(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Tracking(**parameters)


@pytest.mark.parametrize(
    ("similarity", "words"),
    [
        ("distance", "expected points, of which the similarity distance is, got boxes"),
        ("iou_3d", "expected boxes in space, .* got boxes: similarities of boxes are iou, ioa"),
        ("mask_iou", "expected masks, of which the similarity mask_iou is, got boxes"),
    ],
)
def test_shapes_without_such_a_similarity(similarity: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        scores(STREET, "clear", similarity=similarity)


def test_points_against_boxes() -> None:
    points = Tracks.from_points([[0, 0]], track_id=[1], frame=[1])
    truth, _ = sides([({1: 0}, {})])
    with pytest.raises(InputError, match="similarities of points are distance - at pred"):
        tracking_scores(truth, points)
