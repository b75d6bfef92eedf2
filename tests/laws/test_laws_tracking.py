"""The laws of metrics, over tracking; and what must not change its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from tests.track_scenes import Rows, Scene, scene

from snellen import (
    Clear,
    Hota,
    Identity,
    Tracking,
    TrackingResult,
    Tracks,
    Vace,
    set_threads,
    tracking_scores,
)
from snellen.errors import ClassError, IdError, MergeError
from snellen.testing import LAWS, MetricCase
from snellen.tracking.protocols import PROTOCOLS

ALL = ("hota", "clear", "identity", "vace", "count", "ideucl", "motmetrics")
NAMES = ["cat", "dog", "emu"]
MOT = PROTOCOLS["mot17"].class_names
# Pedestrians, a distractor, a car.
MOT_LABELS = [1, 8, 3]

Batch = tuple[Tracks, Tracks]


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    yield
    set_threads(None)


def tracks_of(
    named: dict[str, tuple[Rows, int]],
    *,
    labels: str = "plain",
    text: bool = False,
    whole: bool = True,
    is_truth: bool = True,
) -> Tracks:
    """Return the rows of several sequences; of each, rows and number of frames."""
    rows = [each for each, _ in named.values()]
    sequence = [name for name, (each, _) in named.items() for _ in range(len(each))]
    track = np.concatenate([each.track for each in rows])
    label = np.concatenate([each.label for each in rows])
    columns: dict[str, Any] = {}
    if labels == "plain":
        columns = {"label": [NAMES[i] for i in label], "classes": dict.fromkeys(NAMES, "")}
    elif labels == "mot17" and is_truth:
        columns = {"label": np.array(MOT_LABELS)[label], "classes": MOT}
        columns["counted"] = track % 5 != 0
    if whole:
        columns["n_frames"] = {name: n for name, (_, n) in named.items()}
    return Tracks.from_xywh(
        np.concatenate([each.xywh for each in rows]),
        track_id=[f"id {i}" for i in track] if text else track,
        frame=np.concatenate([each.frame for each in rows]) + 1,
        sequence=sequence,
        **columns,
    )


def batch(scenes: dict[str, Scene], **options: Any) -> Batch:
    truth = {name: (each.truth, each.n_frames) for name, each in scenes.items()}
    pred = {name: (each.pred, each.n_frames) for name, each in scenes.items() if len(each.pred)}
    return tracks_of(truth, **options), tracks_of(pred, is_truth=False, **options)


def some_scenes() -> list[dict[str, Scene]]:
    """Return sequences for five batches, whose names interleave and do not ascend."""
    names = [["m", "c"], ["x", "a"], ["d"], ["z", "b", "k"], ["l"]]
    made = {
        name: scene(k, n_labels=3, n_frames=5, n_objects=5, grid=name != "b")
        for k, name in enumerate(name for part in names for name in part)
    }
    # One has no predictions, one next to no truth.
    made["a"] = made["a"]._replace(pred=made["a"].pred[:0])
    made["l"] = made["l"]._replace(truth=made["l"].truth[:1])
    return [{name: made[name] for name in each} for each in names]


def frames_of(each: Scene, first: int, last: int) -> Scene:
    """Return some frames of a sequence."""
    truth, pred = (
        rows[(rows.frame >= first) & (rows.frame < last)] for rows in (each.truth, each.pred)
    )
    return each._replace(truth=truth, pred=pred)


def open_batches() -> list[Batch]:
    """Return frames of two sequences, which come in no order."""
    one, other = (scene(40 + k, n_labels=3, n_frames=9, n_objects=5) for k in (0, 1))
    cuts = [
        {"s": frames_of(one, 6, 9)},
        {"s": frames_of(one, 0, 2), "r": frames_of(other, 4, 9)},
        {"s": frames_of(one, 4, 6)},
        {"s": frames_of(one, 2, 4), "r": frames_of(other, 0, 4)},
    ]
    return [batch(each, whole=False) for each in cuts]


def open_whole() -> Batch:
    scenes = {
        name: scene(40 + k, n_labels=3, n_frames=9, n_objects=5) for k, name in enumerate("sr")
    }
    return batch(scenes, whole=False)


def perfect(*, labels: str) -> Batch:
    """Return objects that move, each by itself, and predictions that are the truth."""
    n, n_frames = 4, 5  # track 5 would be zero-marked
    frame = np.repeat(np.arange(n_frames), n)
    track = np.tile(np.arange(1, n + 1), n_frames)
    left = 100.0 * track + 3.0 * frame
    xywh = np.stack([left, left, np.full(len(left), 9.0), np.full(len(left), 9.0)], axis=1)
    label = track % 3 if labels == "plain" else np.zeros(len(track), np.int64)
    rows = Rows(frame, track, xywh, label)
    return batch({"p": Scene(n_frames, rows, rows)}, labels=labels)


ONES = {
    "hota": ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "HOTALocA(0)"),
    "clear": ("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "CLR_F1", "MOTAL"),
    "identity": ("IDF1", "IDR", "IDP"),
    "vace": ("SFDA", "ATA"),
}

GOOD = Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1], sequence="bad", label=["cat"])
TWO = Tracks.from_xywh(
    [[0, 0, 9, 9]] * 4,
    track_id=[1] * 4,
    frame=[1, 1, 2, 3],
    sequence=["good", "worse", "worse", "worse"],
    label=["cat"] * 4,
    n_frames={"good": 1, "worse": 2},
)
BAD: list[tuple[Any, ...]] = [
    (GOOD, [[0, 0, 9, 9]]),
    (None, GOOD),
    # A sequence that truth does not have, one that is called by a number, and none.
    (GOOD, Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1], sequence="other")),
    (GOOD, Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1], sequence=3)),
    (
        Tracks.from_xywh([[0, 0, 9, 9]] * 2, track_id=[1, 2], frame=[1, 1], sequence=["e", "f"]),
        Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1]),
    ),
    # Points against boxes, on either side.
    (GOOD, Tracks.from_points([[0, 0]], track_id=[1], frame=[1], sequence="bad", label=["cat"])),
    (Tracks.from_points([[0, 0]], track_id=[1], frame=[1], sequence="bad", label=["cat"]), GOOD),
    # Numbers of frames on one side.
    (GOOD, Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], sequence="bad", label=["cat"])),
    # More frames than there are; the sequence before it is good.
    (TWO, TWO),
]
UNLABELLED = (
    Tracks.from_xywh(
        [[0, 0, 9, 9]] * 2, track_id=[1, 2], frame=[1, 1], sequence="bad", label=["cat", "dog"]
    ),
    Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1], sequence="bad"),
)
UNKNOWN_CLASS = (
    Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1], sequence="bad", label=["robot"]),
    Tracks.from_xywh([[0, 0, 9, 9]], track_id=[1], frame=[1], sequence="bad"),
)


def case(
    make: Callable[..., Any], families: tuple[str, ...], labels: str = "plain", **given: Any
) -> MetricCase:
    """Return the case of a metric that is made with some parameters."""
    protocol = "mot17" if labels == "mot17" else "plain"
    batches = [batch(each, labels=labels, **given) for each in some_scenes()]
    every = {name: each for part in some_scenes() for name, each in part.items()}
    return MetricCase(
        lambda: make(protocol=protocol),
        batches,
        whole=batch(every, labels=labels, **given),
        bad_batches=[*BAD, UNLABELLED if labels == "plain" else UNKNOWN_CLASS],
        other_parameters=[
            *([lambda: make(protocol=protocol, blocked_sums=True)] if "hota" in families else []),
            *([lambda: make(protocol=protocol, threshold=0.6)] if set(families) - {"hota"} else []),
            lambda: make(protocol=protocol, similarity="ioa"),
            lambda: make(protocol="mot20" if labels == "mot17" else "plain", classes=["cat"]),
        ],
        perfect=(
            perfect(labels=labels),
            dict.fromkeys([name for each in families for name in ONES.get(each, ())], 1.0),
        ),
    )


def everything(**parameters: Any) -> Tracking:
    return Tracking(metrics=ALL, events=True, **parameters)


def five(**parameters: Any) -> Tracking:
    return Tracking(metrics=["hota", "clear", "identity", "vace", "count"], **parameters)


def five_with_events(**parameters: Any) -> Tracking:
    return five(events=True, **parameters)


CASES: dict[str, MetricCase] = {
    "hota": case(Hota, ("hota",)),
    "clear": case(Clear, ("clear",)),
    "identity": case(Identity, ("identity",)),
    "vace": case(Vace, ("vace",)),
    "mot17": case(five_with_events, tuple(ONES), "mot17"),
    "texts": case(five, tuple(ONES), text=True),
    "open": MetricCase(five_with_events, open_batches(), whole=open_whole(), bad_batches=BAD),
    "everything": case(everything, tuple(ONES)),
}
MORE_PARAMETERS: list[Callable[[], Any]] = [
    lambda: Tracking(metrics=["hota", "clear", "identity", "vace"]),
    lambda: Tracking(metrics=["hota", "clear", "identity", "vace", "count"], events=True),
]
CASES["texts"] = CASES["texts"]._replace(
    other_parameters=[*CASES["texts"].other_parameters, *MORE_PARAMETERS]
)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for name, each in CASES.items():
        results = [each.fed(each.batches[:n]).compute() for n in range(1, len(each.batches) + 1)]
        numbers = {str(sorted(result.metrics.items())) for result in results}
        assert len(numbers) == len(results), name
        assert sum(not np.isnan(value) for value in results[-1].metrics.values()) > 2, name
    result = CASES["mot17"].fed(CASES["mot17"].batches).compute()
    assert result.data["n_pred_left_out"] > 0
    assert result.data["n_truth_left_out"] > 0
    assert result.IDSW > 0


@pytest.mark.parametrize("whole", [True, False])
def test_a_sequence_twice(whole: bool) -> None:
    """In one metric after another, and in two that are merged; then nothing has changed."""
    first, *others = (batch(each, whole=whole) for each in some_scenes())
    metric = five().update(*first)
    before = metric.to_bytes()
    with pytest.raises(IdError, match="expected each"):
        metric.update(*first)
    other = five().update(*others[0]).update(*first)
    with pytest.raises(IdError, match="expected each"):
        metric.merge(other)
    assert metric.to_bytes() == before
    metric.update(*others[0])
    assert metric.to_bytes() == other.to_bytes()


def test_metrics_of_other_kinds_are_not_merged() -> None:
    for one, other in ((Hota(), Clear()), (Hota(), Tracking(metrics=["hota"]))):
        with pytest.raises(MergeError, match="expected the state of a Hota"):
            one.merge(other)  # type: ignore[arg-type]  # what is refused


# ---- What must not change numbers ----------------------------------------------------------------

SEEDS = range(4)


def one(each: Scene, **parameters: Any) -> TrackingResult:
    """Return all numbers of a sequence without classes."""
    truth, pred = batch({"s": each}, labels="none")
    return tracking_scores(truth, pred, metrics=ALL, **parameters)


def tables(result: TrackingResult) -> dict[str, Any]:
    """Return all numbers, and those at each threshold."""
    curves = {name: result.curve(name).tolist() for name in ("DetA", "AssA", "LocA", "HOTA_TP")}
    return {**result.metrics, **curves}


def expect_close(got: TrackingResult, wanted: TrackingResult) -> None:
    """Expect equal counts, and equal numbers but for the order of sums."""
    counts = {name for family in wanted.families for name in family.counts}
    for name, value in wanted.metrics.items():
        if name in counts:
            assert got.metrics[name] == value, name
        else:
            assert np.isclose(got.metrics[name], value, rtol=1e-12, atol=0, equal_nan=True), name
    assert got.curve("HOTA_TP").tolist() == wanted.curve("HOTA_TP").tolist()


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_ids_mean_nothing_but_their_order(seed: int, grid: bool) -> None:
    each = scene(seed, grid=grid, n_objects=8)
    wide = Scene(
        each.n_frames,
        Rows(each.truth.frame, each.truth.track * 2**55 - 2**62, each.truth.xywh, each.truth.label),
        Rows(each.pred.frame, each.pred.track - 10**6, each.pred.xywh, each.pred.label),
    )
    assert tables(one(wide)) == tables(one(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_ids_in_another_order(seed: int) -> None:
    """Sums are then made in another order, so that last bits may differ."""
    random = np.random.default_rng(seed)
    each = scene(seed, grid=False, n_objects=8)
    sides = []
    for rows in (each.truth, each.pred):
        ids = np.unique(rows.track)
        other = random.permutation(ids)[np.searchsorted(ids, rows.track)]
        sides.append(Rows(rows.frame, other, rows.xywh, rows.label))
    expect_close(one(Scene(each.n_frames, *sides)), one(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_boxes_moved_by_whole_numbers(seed: int) -> None:
    each = scene(seed, n_objects=8)
    moved = Scene(
        each.n_frames,
        *(
            Rows(rows.frame, rows.track, rows.xywh + np.array([1000, -77, 0, 0]), rows.label)
            for rows in (each.truth, each.pred)
        ),
    )
    assert tables(one(moved)) == tables(one(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_numbered_otherwise(seed: int) -> None:
    """From 0 or from 1."""
    each = scene(seed, n_objects=8)
    later = each._replace(
        **{
            side: Rows(rows.frame - 1, rows.track, rows.xywh, rows.label)
            for side, rows in (("truth", each.truth), ("pred", each.pred))
        }
    )
    assert tables(one(later)) == tables(one(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_frames_in_another_order(seed: int) -> None:
    """No integer changes where nothing ties."""
    random = np.random.default_rng(seed)
    each = scene(seed, grid=False, n_objects=8)
    shuffled = each._replace(
        truth=each.truth[random.permutation(len(each.truth))],
        pred=each.pred[random.permutation(len(each.pred))],
    )
    expect_close(one(shuffled), one(each))


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_in_another_order(seed: int) -> None:
    """Rows in any order, but for those of the same frame: not a bit changes."""
    random = np.random.default_rng(seed)
    each = scene(seed, n_objects=8)

    def shuffled(rows: Rows) -> Rows:
        rank = random.permutation(each.n_frames)[rows.frame]
        return rows[np.argsort(rank, kind="stable")]

    states = [
        everything().update(*batch({"s": e}, labels="none")).to_bytes()
        for e in (each, each._replace(truth=shuffled(each.truth), pred=shuffled(each.pred)))
    ]
    assert states[0] == states[1]


def appended(rows: Rows, n_frames: int, ids: list[int]) -> Rows:
    """Return rows with one more frame after n_frames, in which some objects are, far away."""
    n = len(ids)
    more = Rows(
        np.full(n, n_frames),
        np.array(ids),
        np.array([[9000.0 + 50 * i, 0, 8, 8] for i in range(n)]),
        np.zeros(n, np.int64),
    )
    pairs = zip(rows.columns, more.columns, strict=True)
    return Rows(*(np.concatenate(pair) for pair in pairs))


@pytest.mark.parametrize("side", ["truth", "pred"])
@pytest.mark.parametrize("seed", SEEDS)
def test_frames_with_one_side_add_what_they_have(seed: int, side: str) -> None:
    each = scene(seed, n_objects=8)
    ids = [70001, 70002, 70003]
    rows = appended(getattr(each, side), each.n_frames, ids)
    more = one(each._replace(n_frames=each.n_frames + 1, **{side: rows}))
    before = one(each)
    added = {
        **(
            {"CLR_FN": 3, "ML": 3, "IDFN": 3, "GT_Dets": 3, "GT_IDs": 3}
            if side == "truth"
            else {"CLR_FP": 3, "IDFP": 3, "Dets": 3, "IDs": 3}
        ),
    }
    same = [
        *("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "Frag", "MT", "PT", "ML", "MOTP", "MOTP_distance"),
        *("IDTP", "IDFN", "IDFP", "STDA", "FDA", "Dets", "GT_Dets", "IDs", "GT_IDs"),
        *("AssA", "AssRe", "AssPr", "LocA"),
    ]
    for name in same:
        # Tables of other sizes are added in another order.
        wanted = before.metrics[name] + added.get(name, 0)
        assert np.isclose(more.metrics[name], wanted, rtol=1e-14, atol=0), name
    assert more.curve("HOTA_TP").tolist() == before.curve("HOTA_TP").tolist()
    missed = "HOTA_FN" if side == "truth" else "HOTA_FP"
    assert (more.curve(missed) - before.curve(missed)).tolist() == [3] * 19


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_without_objects_add_nothing(seed: int) -> None:
    each = scene(seed, n_objects=8)
    longer = one(each._replace(n_frames=each.n_frames + 20))
    before = one(each)
    changed = {n for n, v in before.metrics.items() if repr(longer.metrics[n]) != repr(v)}
    assert changed == ({"FP_per_frame"} if before.CLR_FP else set())


@pytest.mark.parametrize("seed", SEEDS)
def test_sides_exchanged(seed: int) -> None:
    """Truth that is missed is a false positive then."""
    each = scene(seed, grid=False, n_objects=8)
    there, back = one(each), one(each._replace(truth=each.pred, pred=each.truth))
    twins = [
        *(("CLR_TP", "CLR_TP"), ("CLR_FN", "CLR_FP"), ("IDTP", "IDTP"), ("IDFN", "IDFP")),
        *(("DetRe", "DetPr"), ("AssRe", "AssPr"), ("DetA", "DetA"), ("AssA", "AssA")),
        *(("HOTA", "HOTA"), ("IDR", "IDP"), ("IDF1", "IDF1"), ("SFDA", "SFDA"), ("ATA", "ATA")),
        *(("MOTP", "MOTP"), ("MOTP_distance", "MOTP_distance"), ("LocA", "LocA")),
    ]
    for name, twin in twins:
        for mine, other in ((name, twin), (twin, name)):
            close = np.isclose(there.metrics[mine], back.metrics[other], rtol=1e-12, atol=0)
            assert close, (mine, other)


# ---- What numbers are among themselves -----------------------------------------------------------


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_among_themselves(seed: int, grid: bool) -> None:
    each = scene(seed, grid=grid, n_objects=8)
    result = one(each)
    det, ass, hota = (result.curve(name) for name in ("DetA", "AssA", "HOTA"))
    assert np.allclose(hota**2, det * ass, rtol=1e-15, atol=0)
    tp, fn, fp = (result.curve(f"HOTA_{name}") for name in ("TP", "FN", "FP"))
    assert (np.diff(tp) <= 0).all()
    assert (tp + fn == len(each.truth)).all()
    assert (tp + fp == len(each.pred)).all()
    assert (result.curve("LocA") >= np.where(tp > 0, result.alphas - 1e-15, 0)).all()
    for kind in ("CLR", "ID"):
        kept = {
            name: result.metrics[f"{kind}{'_' * (kind == 'CLR')}{name}"]
            for name in ("TP", "FN", "FP")
        }
        assert kept["TP"] + kept["FN"] == len(each.truth)
        assert kept["TP"] + kept["FP"] == len(each.pred)
        # In no frame are there more than the fewer of both sides.
        sides = [np.bincount(rows.frame, minlength=99) for rows in (each.truth, each.pred)]
        assert kept["TP"] <= np.minimum(*sides).sum()
    n_tracks = result.MT + result.PT + result.ML
    assert n_tracks == result.GT_IDs
    assert result.MODA >= result.MOTA >= result.sMOTA
    assert result.MOTP >= 0.5
    assert result.CLR_TP >= result.IDSW
    assert result.idtp == result.IDTP


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_of_one_sequence_are_those_of_all(seed: int) -> None:
    result = one(scene(seed, n_objects=8))
    alone, combined = result.per_sequence()
    for name, value in combined.items():
        if name in ("sequence", "class"):
            continue
        if name in ("HOTA", "AssA", "AssRe", "AssPr", "LocA", "OWTA") or "(0)" in name:
            # The reference multiplies by the number of matches, and divides again.
            assert np.isclose(alone[name], value, rtol=1e-14, atol=0), name
        else:
            assert repr(alone[name]) == repr(value), name


@pytest.mark.parametrize("protocol", ["plain", "mot17"])
def test_threads_change_no_byte(protocol: str) -> None:
    states = []
    for n_threads in (1, 2, 7):
        set_threads(n_threads)
        metric = everything(protocol=protocol)
        for each in some_scenes():
            metric.update(*batch(each, labels="mot17" if protocol == "mot17" else "none"))
        states.append(metric.to_bytes())
    assert states[0] == states[1] == states[2]


def test_unknown_classes_are_refused_where_they_mean_something() -> None:
    with pytest.raises(ClassError, match="got robot"):
        five(protocol="mot17").update(*UNKNOWN_CLASS)
    five(classes=["robot"]).update(*UNKNOWN_CLASS)
