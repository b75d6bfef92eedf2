"""Sequences frame by frame, whole, in parts, and as bytes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.track_scenes import Rows, Scene, scene

from snellen import Clear, Hota, Tracking, Tracks
from snellen.errors import IdError, InputError, SchemaError, ShapeError

FIVE = ("hota", "clear", "identity", "vace", "count")
BOX = [[0, 0, 10, 10]]


def made(**parameters: Any) -> Tracking:
    return Tracking(**{"metrics": FIVE, "events": True, **parameters})


def tracks(rows: Rows, *, text: bool = False, **columns: Any) -> Tracks:
    given: dict[str, Any] = {
        "track_id": [f"id {i}" for i in rows.track] if text else rows.track,
        "frame": rows.frame + 1,
        **columns,
    }
    return Tracks.from_xywh(rows.xywh, **given)


def frame_of(rows: Rows, t: int) -> Rows:
    return rows[rows.frame == t]


def feed(metric: Any, each: Scene, order: Any = None, **columns: Any) -> Any:
    """Give a metric the frames of a sequence one by one."""
    for t in range(each.n_frames) if order is None else order:
        columns = {"frame": t + 1, **columns}
        metric.update(
            tracks(frame_of(each.truth, t), **columns), tracks(frame_of(each.pred, t), **columns)
        )
        columns.pop("frame")
    return metric


def at_once(metric: Any, each: Scene, **columns: Any) -> Any:
    return metric.update(
        tracks(each.truth, frames=range(1, each.n_frames + 1), **columns),
        tracks(each.pred, **columns),
    )


SCENES = [scene(k, n_objects=6, n_frames=10, grid=k % 2 == 0) for k in range(4)]


# ---- Frame by frame ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("columns", [{}, {"sequence": "street"}, {"sequence": 7}])
def test_frame_by_frame_is_at_once(columns: dict[str, Any], text: bool) -> None:
    for each in SCENES:
        one = feed(made(), each, **columns, text=text)
        whole = at_once(made(), each, **columns, text=text)
        assert one.compute().to_dict() == whole.compute().to_dict()
        assert one.compute().events() == whole.compute().events()
        assert one.end_sequence().to_bytes() == whole.end_sequence().to_bytes()


def test_frames_in_any_order() -> None:
    each = SCENES[0]
    states = []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(each.n_frames).tolist()
        metric = feed(made(), each, order, sequence="s")
        states.append(metric.to_bytes())
        assert metric.end_sequence("s").to_bytes() == (
            feed(made(), each, sequence="s").end_sequence().to_bytes()
        )
    assert len(set(states)) == 1


def test_frames_without_numbers_are_the_next() -> None:
    for each in SCENES:
        plain, numbered = made(), feed(made(), each)
        for t in range(each.n_frames):
            plain.update(
                *(
                    Tracks.from_xywh(rows.xywh, track_id=rows.track)
                    for rows in (frame_of(each.truth, t), frame_of(each.pred, t))
                )
            )
        assert plain.to_bytes() == numbered.to_bytes()
        assert plain.compute().data["n_frames"] == each.n_frames


def test_frames_of_some_sequences_in_turn() -> None:
    mixed, apart = made(), made()
    for t in range(10):
        for name, each in zip("cab", SCENES, strict=False):
            feed(mixed, each, [t], sequence=name)
    for name, each in zip("abc", (SCENES[1], SCENES[2], SCENES[0]), strict=True):
        feed(apart, each, sequence=name)
    assert mixed.to_bytes() == apart.to_bytes()
    assert mixed.compute().sequences == ["a", "b", "c"]


def test_compute_closes_nothing() -> None:
    each = SCENES[0]
    metric = made()
    found = []
    for t in range(each.n_frames):
        feed(metric, each, [t])
        found.append(metric.compute().data["n_frames"])
    assert found == list(range(1, each.n_frames + 1))
    assert metric.to_bytes() == feed(made(), each).to_bytes()


def test_lengths_that_are_known_close_at_once() -> None:
    each = SCENES[0]
    whole = at_once(made(), each, sequence="s", n_frames=25)
    assert whole.compute().data["n_frames"] == 25
    with pytest.raises(IdError, match="s was absorbed whole before: frames that come one by one"):
        feed(whole, each, [0], sequence="s")
    ended = at_once(made(), each, sequence="s").end_sequence()
    assert ended.compute().data["n_frames"] == each.n_frames


def test_memory_does_not_grow_with_the_frames_of_what_has_ended() -> None:
    sizes = []
    for n_frames in (10, 200):
        metric = Tracking(metrics=FIVE)
        truth = Tracks.from_xywh(
            BOX * n_frames, track_id=[1] * n_frames, frame=np.arange(n_frames), sequence="s"
        )
        metric.update(truth, truth)
        open_size = len(metric.to_bytes())
        sizes.append(len(metric.end_sequence().to_bytes()))
    assert abs(sizes[1] - sizes[0]) <= 16  # numbers of more digits
    assert sizes[1] < open_size / 2


def test_sequences_without_objects() -> None:
    nothing = Tracks.from_xywh([], track_id=[], frame=[], sequence="s", n_frames=12)
    metric = made().update(nothing, nothing)
    result = metric.compute()
    assert (result.data["n_sequences"], result.data["n_frames"]) == (1, 12)
    assert math.isnan(result.MOTA)
    by_frame = made()
    for t in range(12):
        empty = Tracks.from_xywh([], track_id=[], frame=t + 1, sequence="s")
        by_frame.update(empty, empty)
    assert by_frame.end_sequence("s").to_bytes() == metric.to_bytes()


# ---- Ends ----------------------------------------------------------------------------------------


def test_one_sequence_ends() -> None:
    metric = feed(feed(made(), SCENES[0], sequence="a"), SCENES[1], [0, 1, 2], sequence="b")
    metric.end_sequence("a")
    with pytest.raises(IdError, match="expected each sequence once, a was absorbed whole before"):
        feed(metric, SCENES[0], [0], sequence="a")
    feed(metric, SCENES[1], range(3, 10), sequence="b")
    other = feed(feed(made(), SCENES[1], sequence="b"), SCENES[0], sequence="a")
    assert metric.end_sequence().to_bytes() == other.end_sequence().to_bytes()


def test_ends_of_what_did_not_begin() -> None:
    metric = feed(made(), SCENES[0], [0], sequence="a")
    with pytest.raises(IdError, match="of which frames came, got b; open: a - at sequence"):
        metric.end_sequence("b")
    metric.end_sequence("a")
    with pytest.raises(IdError, match="of which frames came, got a; open: none - at sequence"):
        metric.end_sequence("a")
    # Of all there is nothing to end.
    assert metric.end_sequence() is metric


def test_unnamed_sequences_are_numbered() -> None:
    metric = made()
    for each in SCENES[:2]:
        feed(metric, each).end_sequence()
    at_once(metric, SCENES[2], n_frames=10)
    feed(metric, SCENES[3])
    result = metric.compute()
    assert result.sequences == [0, 1, 2, 3]
    named = made()
    for name, each in enumerate(SCENES):
        at_once(named, each, sequence=name)
    assert result.per_sequence() == named.compute().per_sequence()


def test_a_whole_unnamed_sequence_leaves_the_open_one_open() -> None:
    metric = feed(made(), SCENES[0], [0, 1])
    at_once(metric, SCENES[1], n_frames=10)
    feed(metric, SCENES[0], range(2, 10))
    wanted = made()
    at_once(wanted, SCENES[0], sequence=0)
    at_once(wanted, SCENES[1], sequence=1)
    assert metric.compute().per_sequence() == wanted.compute().per_sequence()


# ---- Refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "again", "error", "words"),
    [
        ({}, {}, IdError, "each frame once, got 1 of sequence 0 that came before: 1 - at frame"),
        (
            {"sequence": "a"},
            {"sequence": "a"},
            IdError,
            "each frame once, got 1 of sequence a that came before: 1 - at frame",
        ),
        ({"sequence": "a"}, {}, IdError, "ids with all updates or with none"),
        ({}, {"sequence": "a"}, IdError, "ids with all updates or with none"),
        (
            {"sequence": "a"},
            {"sequence": "a", "n_frames": 3},
            IdError,
            "a whole sequence or frames of it, got both of a",
        ),
        (
            {"sequence": "a"},
            {"sequence": 1},
            IdError,
            "sequence ids that are all numbers or all texts",
        ),
        (
            {"sequence": "a"},
            {"sequence": "b", "n_frames": 0},
            InputError,
            "the 0 frames of sequence b, counted from 0 or from 1, got frames 1 to 1",
        ),
    ],
)
def test_refused(
    columns: dict[str, Any], again: dict[str, Any], error: type[Exception], words: str
) -> None:
    metric = made()
    first, second = (
        Tracks.from_xywh(BOX, track_id=[1], frame=[1], **given) for given in (columns, again)
    )
    metric.update(first, first)
    before = metric.to_bytes()
    with pytest.raises(error, match=words):
        metric.update(second, second)
    assert metric.to_bytes() == before


def test_what_is_no_tracks() -> None:
    one = Tracks.from_xywh(BOX, track_id=[1])
    with pytest.raises(InputError, match=r"expected Tracks \(Tracks.from_xywh, …\), got list - at"):
        made().update(one, BOX)  # type: ignore[arg-type]  # what is refused
    with pytest.raises(InputError, match="got dict - at truth"):
        made().update({}, one)  # type: ignore[arg-type]


def test_sequences_of_predictions_without_truth() -> None:
    truth = Tracks.from_xywh(BOX, track_id=[1], frame=[1], sequence="a")
    pred = Tracks.from_xywh(BOX * 2, track_id=[1, 1], frame=[1, 1], sequence=["b", "c"])
    with pytest.raises(IdError, match="sequences that truth has, got 2 others: b, c"):
        made().update(truth, pred)
    # Truth without predictions is missed.
    result = made().update(truth, truth[:0]).compute()
    assert result.CLR_FN == 1


def test_a_side_without_names_is_of_the_others_sequence() -> None:
    truth = Tracks.from_xywh(BOX, track_id=[1], frame=[1], sequence="a")
    pred = Tracks.from_xywh(BOX, track_id=[7], frame=[1])
    for sides in ((truth, pred), (pred, truth)):
        result = made().update(*sides).compute()
        assert result.sequences == ["a"]
        assert result.CLR_TP == 1
    two = Tracks.from_xywh(BOX * 2, track_id=[1, 1], frame=[1, 1], sequence=["a", "b"])
    with pytest.raises(IdError, match="ids on both sides or on none, got 2 on one side only"):
        made().update(two, pred)


def test_frames_with_numbers_on_one_side() -> None:
    numbered = Tracks.from_xywh(BOX, track_id=[1], frame=[4])
    other = Tracks.from_xywh(BOX, track_id=[1])
    for sides, place in (((numbered, other), "pred"), ((other, numbered), "truth")):
        with pytest.raises(InputError, match=f"on both sides or on none, .* - at {place}"):
            made().update(*sides)
    # No objects need no numbers.
    nothing = Tracks.from_xywh([], track_id=[])
    assert made().update(numbered, nothing).compute().CLR_FN == 1
    assert made().update(nothing, numbered).compute().CLR_FP == 1


# ---- Merging -------------------------------------------------------------------------------------


def test_frames_of_one_sequence_from_several_processes() -> None:
    each = SCENES[0]
    shards = [feed(made(), each, range(k, 10, 3), sequence="s") for k in range(3)]
    merged = made()
    for shard in shards[::-1]:
        merged.merge(shard)
    assert merged.to_bytes() == feed(made(), each, sequence="s").to_bytes()
    # Each goes on by itself.
    with pytest.raises(IdError, match="each frame once, got 4 of sequence s that came before"):
        merged.merge(shards[0])
    assert merged.compute().to_dict() == feed(made(), each, sequence="s").compute().to_dict()


def test_sequences_that_both_have() -> None:
    opened = feed(made(), SCENES[0], [0, 1], sequence="s")
    closed = feed(made(), SCENES[0], [2], sequence="s").end_sequence()
    for one, other in ((opened, closed), (closed, opened), (closed, closed)):
        before = one.to_bytes(), other.to_bytes()
        with pytest.raises(IdError, match="expected each sequence once, got 1 in both: s"):
            one.merge(other)
        assert (one.to_bytes(), other.to_bytes()) == before


def test_closed_and_open_ones_are_merged() -> None:
    closed = feed(made(), SCENES[0], sequence="a").end_sequence()
    opened = feed(made(), SCENES[1], [3, 5], sequence="b")
    merged = made().merge(opened).merge(closed)
    feed(merged, SCENES[1], [0, 1, 2, 4, *range(6, 10)], sequence="b")
    wanted = feed(feed(made(), SCENES[0], sequence="a"), SCENES[1], sequence="b")
    assert merged.end_sequence().to_bytes() == wanted.end_sequence().to_bytes()
    # What was merged has not gone on.
    assert opened.compute().data["n_frames"] == 2


def test_unnamed_sequences_are_merged_one_after_the_other() -> None:
    one = at_once(made(), SCENES[0], n_frames=10)
    other = at_once(at_once(made(), SCENES[1], n_frames=10), SCENES[2], n_frames=10)
    one.merge(other)
    wanted = made()
    for each in SCENES[:3]:
        at_once(wanted, each, n_frames=10)
    assert one.to_bytes() == wanted.to_bytes()
    assert other.compute().sequences == [0, 1]


def test_open_unnamed_sequences_are_not_joined() -> None:
    """Two processes that count frames from 1 each have a sequence of their own."""
    one, other = feed(made(), SCENES[0], [0, 1, 2]), feed(made(), SCENES[1])
    one.merge(other)
    feed(one, SCENES[0], range(3, 10))
    wanted = at_once(at_once(made(), SCENES[0], sequence=0), SCENES[1], sequence=1)
    assert one.compute().per_sequence() == wanted.compute().per_sequence()


def test_with_names_and_without() -> None:
    named, unnamed = feed(made(), SCENES[0], sequence="a"), feed(made(), SCENES[1])
    for one, other in ((named, unnamed), (unnamed, named)):
        with pytest.raises(IdError, match="ids with all updates or with none"):
            one.merge(other)
    # Without data there is nothing to tell.
    assert named.merge(made()) is named
    assert unnamed.merge(made()) is unnamed
    assert made().merge(named).to_bytes() == named.to_bytes()


# ---- Bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("columns", [{}, {"sequence": "s"}])
def test_open_sequences_go_through_bytes(columns: dict[str, Any], text: bool) -> None:
    for each in SCENES:
        half = feed(made(), each, range(5), **columns, text=text)
        other = Tracking.from_bytes(half.to_bytes())
        assert other.to_bytes() == half.to_bytes()
        assert other.compute().to_dict() == half.compute().to_dict()
        feed(other, each, range(5, 10), **columns, text=text)
        whole = feed(made(), each, **columns, text=text)
        assert other.to_bytes() == whole.to_bytes()
        assert other.end_sequence().to_bytes() == whole.end_sequence().to_bytes()


def test_what_was_left_out_goes_through_bytes() -> None:
    metric = made(protocol="mot17")
    names = {1: "pedestrian", 8: "distractor"}
    for t in (1, 2, 3):
        truth = Tracks.from_xywh(
            [[0, 0, 10, 10], [50, 0, 10, 10], [90, 0, 10, 10]],
            track_id=[1, 2, 3],
            frame=t,
            sequence="s",
            label=[1, 8, 1],
            counted=[1, 1, 0],
            classes=names,
        )
        pred = Tracks.from_xywh([[50, 0, 10, 10]], track_id=[7], frame=t, sequence="s")
        metric.update(truth, pred)
    for each in (metric, Tracking.from_bytes(metric.to_bytes())):
        data = each.compute().data
        assert (data["n_truth_left_out"], data["n_pred_left_out"]) == (3, 3)
        assert (data["n_truth"], data["n_pred"]) == (3, 0)


def test_parameters_go_through_bytes() -> None:
    metric = Tracking(
        metrics=["hota", "clear", "motmetrics"],
        events=True,
        protocol="kitti",
        classes=["car"],
        threshold=0.7,
        blocked_sums=True,
    )
    other = Tracking.from_bytes(metric.to_bytes())
    assert other.protocol == metric.protocol
    assert other.settings == metric.settings
    assert other.merge(metric) is other
    assert repr(other) == repr(metric) == "Tracking(kitti, 0 sequences)"


def test_bytes_that_are_no_state() -> None:
    data = feed(made(), SCENES[0], sequence="s").to_bytes()
    for broken in (b"", data[:-1], data[: len(data) // 2], b"x" + data[1:], data + b"x"):
        with pytest.raises(SchemaError):
            Tracking.from_bytes(broken)
    with pytest.raises(SchemaError, match="expected"):
        Hota.from_bytes(data)
    with pytest.raises(SchemaError, match="expected"):
        Tracking.from_bytes(Clear().to_bytes())


def test_repr() -> None:
    assert repr(feed(made(protocol="mot15"), SCENES[0])) == "Tracking(mot15, 1 sequences)"
    assert repr(Hota()) == "Hota(plain, 0 sequences)"


# ---- In whatever parts frames come ---------------------------------------------------------------


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("side", ["truth", "pred", "both"])
def test_open_sequences_with_nothing_on_a_side(side: str, text: bool) -> None:
    each = SCENES[0]
    empty = {name: getattr(each, name)[:0] for name in ("truth", "pred") if side in (name, "both")}
    each = each._replace(**empty)
    whole, one = (how(made(), each, sequence="s", text=text) for how in (at_once, feed))
    assert whole.to_bytes() == one.to_bytes()
    assert whole.compute().to_dict() == one.compute().to_dict()


def test_what_kind_ids_of_nothing_are() -> None:
    """A slice of texts without rows is as good as no ids."""
    texts = Tracks.from_xywh(BOX, track_id=["x"], frame=[1], sequence="s")
    truth = Tracks.from_xywh(BOX, track_id=[1], frame=[1], sequence="s")
    nothing = Tracks.from_xywh([], track_id=[], frame=[], sequence="s")
    states = [made().update(truth, empty).to_bytes() for empty in (texts[:0], nothing)]
    assert states[0] == states[1]


def test_open_sequences_with_classes_in_some_frames() -> None:
    columns: dict[str, Any] = {"classes": {"car": "", "bus": ""}, "sequence": "s"}
    labels = ["car", "bus", "car"]
    both = Tracks.from_xywh(BOX * 3, track_id=[1, 2, 1], frame=[1, 2, 3], label=labels, **columns)
    whole, one = made().update(both, both), made()
    for t in range(3):
        part = both[both.frame == t + 1]
        one.update(part, part)
    assert whole.compute().to_dict() == one.compute().to_dict()
    assert whole.to_bytes() == one.to_bytes()


def of_rows(
    rows: list[tuple[Any, ...]], sequence: str, frames: Any, classes: dict[str, str] | None
) -> Tracks:
    """Make tracks of rows of box, track, frame and label; without classes, of no label either."""
    labels: dict[str, Any] = (
        {} if classes is None else {"label": [row[3] for row in rows], "classes": classes}
    )
    looked_at: dict[str, Any] = (
        {"frame": frames}
        if np.ndim(frames) == 0
        else {"frame": [row[2] for row in rows], "frames": frames}
    )
    return Tracks.from_xywh(
        [row[0] for row in rows],
        track_id=[row[1] for row in rows],
        sequence=sequence,
        **looked_at,
        **labels,
    )


@pytest.mark.parametrize("names", [("car",), ("car", "van"), ("car", "object", "van")])
def test_frames_with_nothing_in_them_are_of_no_class(names: tuple[str, ...]) -> None:
    """Frame by frame, with frames and sequences that have no objects and so no classes: as whole.

    A class may be called as what has none.
    """
    classes = dict.fromkeys(("car", "object", "van"), "")
    n_compared = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        one, whole = made(), made()
        shards = [made() for _ in range(3)]
        for sequence in "abc":
            rows: list[list[tuple[Any, ...]]] = [[], []]
            for t in rng.permutation(6).tolist():
                n = rng.integers(1, 4, 2) if rng.random() < 0.4 and sequence != "b" else (0, 0)
                sides = []
                for side, size in zip(rows, n, strict=True):
                    found = [
                        ([*rng.integers(0, 12, 2), 10, 10], track, t, str(rng.choice(names)))
                        for track in rng.permutation(4)[:size].tolist()
                    ]
                    side += found
                    # What has no objects has no classes: as many a loop gives it.
                    sides.append(of_rows(found, sequence, t, classes if found else None))
                one.update(*sides)
                shards[rng.integers(3)].update(*sides)
            whole.update(*(of_rows(side, sequence, range(6), classes) for side in rows))
        merged = made()
        for shard in shards:
            merged.merge(Tracking.from_bytes(shard.to_bytes()))
        wanted = whole.to_bytes()
        if set(whole.compute().classes) <= {"object"}:
            continue  # nothing tells these from objects without classes
        n_compared += 1
        assert one.to_bytes() == merged.to_bytes() == wanted
        assert Tracking.from_bytes(wanted).to_bytes() == wanted
        assert one.compute().to_dict() == whole.compute().to_dict()
        assert one.end_sequence("b").to_bytes() == whole.end_sequence("b").to_bytes()
        assert one.end_sequence().to_bytes() == whole.end_sequence().to_bytes()
    assert n_compared > 20


def test_listed_classes_stay_without_objects() -> None:
    """Also one that is called as what has no class."""
    truth = Tracks.from_xywh(BOX, track_id=[1], frame=[1], label=["car"])
    metric = made(classes=["car", "object"]).update(truth, truth)
    for each in (metric, Tracking.from_bytes(metric.to_bytes()), metric.empty().merge(metric)):
        assert each.compute().classes == ("car", "object")


def test_share_of_the_way_frame_by_frame() -> None:
    """A sequence of boxes without truth is none of masks, which have no centre."""
    metric = Tracking(metrics=["ideucl"])
    for t in (1, 2):
        metric.update(
            Tracks.from_xywh([], track_id=[], frame=t),
            Tracks.from_xywh(BOX, track_id=[7], frame=t),
        )
    (entry,) = metric.compute().undefined
    assert entry.reason == "no object moves"


# ---- Of one kind ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_frames", [None, 2])
@pytest.mark.parametrize("side", [0, 1])
def test_ids_of_two_kinds(side: int, n_frames: int | None) -> None:
    """Refused when they come, and not when numbers are asked for."""

    def sides(ids: list[Any], frame: int, sequence: str) -> list[Tracks]:
        columns: dict[str, Any] = {"frame": [frame], "sequence": sequence, "n_frames": n_frames}
        pair = [
            Tracks.from_xywh(BOX, track_id=[1], **columns),
            Tracks.from_xywh(BOX, track_id=[1], **columns),
        ]
        pair[side] = Tracks.from_xywh(BOX, track_id=ids, **columns)
        return pair

    metric = made().update(*sides([1], 1, "a"))
    before = metric.to_bytes()
    texts = sides(["1"], 2, "a" if n_frames is None else "b")
    with pytest.raises(IdError, match="numbers"):
        metric.update(*texts)
    assert metric.to_bytes() == before
    with pytest.raises(IdError, match="numbers"):
        metric.merge(made().update(*texts))
    assert metric.to_bytes() == before
    with pytest.raises(IdError, match="numbers"):
        Tracking.from_bytes(before).update(*texts)


def test_points_of_two_and_of_three_coordinates() -> None:
    flat, deep = (
        Tracks.from_points([[0] * n], track_id=[1], frame=[n], sequence="s") for n in (2, 3)
    )
    metric = made(similarity="distance").update(flat, flat)
    with pytest.raises(ShapeError, match="coordinates"):
        metric.update(deep, deep)
    also = Tracks.from_points([[0, 0]], track_id=[1], frame=[3], sequence="s")
    with pytest.raises(ShapeError, match="coordinates"):
        made(similarity="distance").update(deep, also)
    assert metric.compute().CLR_TP == 1
    # No points are of no kind.
    assert made(similarity="distance").update(also, deep[:0]).compute().CLR_FN == 1


def test_an_empty_metric_takes_over_open_unnamed_frames() -> None:
    opened = feed(made(), SCENES[0], range(5))
    taken = made().merge(opened)
    assert taken.to_bytes() == opened.to_bytes()
    feed(taken, SCENES[0], range(5, 10))
    assert taken.to_bytes() == feed(made(), SCENES[0]).to_bytes()
