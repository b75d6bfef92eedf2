"""Events and numbers of sequences are those of py-motmetrics with SciPy's solver, every bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.mot_sequences import Frame, mot_frames

from snellen import _core
from snellen.tracking.motmetrics_list import (
    COLUMNS,
    KINDS,
    NUMBERS,
    MotEventList,
    MotSequence,
    columns_of,
    events_of,
    numbers_of,
    track_ratios,
)

motmetrics = pytest.importorskip("motmetrics")
SEEDS = range(80)


@pytest.fixture(autouse=True)
def restored_asfarray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back to NumPy 2 what motmetrics 1.4.0 asks of it."""
    monkeypatch.setattr(np, "asfarray", lambda a: np.asarray(a, float), raising=False)
    with motmetrics.lap.set_default_solver("scipy"):
        yield


def frames_of(seed: int) -> list[Frame]:
    """Return a sequence; two of three have distances of few values, so that sums are equal."""
    random = np.random.default_rng(seed)
    return mot_frames(
        seed,
        n_truth=int(random.integers(1, 12)),
        n_pred=int(random.integers(1, 12)),
        step=[None, 0.5, 0.25][seed % 3],
        forbidden=[0.5, 0.9, 0.0, 0.2][seed % 4],
    )


def sequence_of(frames: list[Frame], time: Any = None) -> MotSequence:
    allowed = [np.isfinite(frame.distance) for frame in frames]
    pred_begin = np.cumsum([0, *(len(frame.pred) for frame in frames)])
    none = np.empty(0)
    return MotSequence(
        truth_begin=np.cumsum([0, *(len(frame.truth) for frame in frames)]),
        pred_begin=pred_begin,
        truth_track=np.concatenate([none, *(frame.truth for frame in frames)]).astype(np.int32),
        pred_track=np.concatenate([none, *(frame.pred for frame in frames)]).astype(np.int32),
        n_truth_tracks=200,
        n_pred_tracks=200,
        pair_begin=np.cumsum(np.concatenate([[0], *(each.sum(1) for each in allowed)])).astype(int),
        pair_pred=np.concatenate(
            [
                none,
                *(
                    first + np.nonzero(each)[1]
                    for first, each in zip(pred_begin[:-1], allowed, strict=True)
                ),
            ]
        ).astype(np.int32),
        distance=np.concatenate(
            [none, *(f.distance[each] for f, each in zip(frames, allowed, strict=True))]
        ),
        time=None if time is None else np.asarray(time, float),
    )


def accumulated(frames: list[Frame], time: Any = None, **options: Any) -> Any:
    accumulator = motmetrics.MOTAccumulator(**options)
    for number, frame in enumerate(frames):
        accumulator.update(*frame, frameid=number if time is None else time[number])
    return accumulator


def told(sequence: MotSequence, events: MotEventList) -> list[Any]:
    """Return frame, kind, track, track, distance of each event."""
    none = [float("nan")]
    truth = np.append(sequence.truth_track, none)[events.truth]
    pred = np.append(sequence.pred_track, none)[events.pred]
    kinds = [KINDS[kind] for kind in events.kind]
    return list(
        zip(
            events.frame.tolist(),
            kinds,
            truth.tolist(),
            pred.tolist(),
            events.distance.tolist(),
            strict=True,
        )
    )


def told_by_motmetrics(accumulator: Any, frame_ids: list[Any]) -> list[Any]:
    table = accumulator.events.reset_index()
    table["FrameId"] = table["FrameId"].map(frame_ids.index)
    columns = [table[name].tolist() for name in ("FrameId", "Type", "OId", "HId", "D")]
    return list(zip(*columns, strict=True))


def packed(sequence: MotSequence) -> tuple[Any, ...]:
    time = np.arange(sequence.n_frames, dtype=float) if sequence.time is None else sequence.time
    return (
        sequence.truth_begin,
        sequence.pred_begin,
        sequence.truth_track,
        sequence.pred_track,
        sequence.pair_begin,
        sequence.pair_pred,
        sequence.distance,
        time,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_events(seed: int) -> None:
    frames = frames_of(seed)
    # Frames may be in any order of time.
    time = np.random.default_rng(seed).permutation(60)[: len(frames)].tolist()
    limit = [float("inf"), 5, 0][seed % 3]
    sequence = sequence_of(frames, time)
    kernel = _core.MotEvents(max_switch_time=limit)
    columns = kernel.update(*packed(sequence), n_truth_tracks=200, n_pred_tracks=200, raw=True)
    got = told(sequence, MotEventList(*columns))
    want = told_by_motmetrics(accumulated(frames, time, max_switch_time=limit), time)
    assert repr(got) == repr(want)
    events = events_of(sequence, max_switch_time=limit)
    assert repr(told(sequence, events)) == repr([each for each in want if each[1] != "RAW"])


@pytest.mark.parametrize("n_rows", [1, 30, 90])
def test_events_of_crowds(n_rows: int) -> None:
    """Many rows, some of the pairs as good as equal: what rounding decides is decided alike."""
    frames = mot_frames(n_rows, 6, n_rows, n_rows, step=1 / 3, forbidden=0.8)
    random = np.random.default_rng(n_rows)
    frames = [
        f._replace(distance=f.distance + 1e-16 * random.random(f.distance.shape)) for f in frames
    ]
    sequence = sequence_of(frames)
    want = told_by_motmetrics(accumulated(frames), list(range(6)))
    assert repr(told(sequence, events_of(sequence))) == repr(
        [each for each in want if each[1] != "RAW"]
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers(seed: int) -> None:
    frames = frames_of(seed)
    sequence = sequence_of(frames)
    host = motmetrics.metrics.create()
    want = host.compute(accumulated(frames), metrics=list(NUMBERS), return_dataframe=False)
    columns = columns_of(sequence)
    assert tuple(columns) == COLUMNS
    got = numbers_of(columns)
    assert list(got) == list(NUMBERS)
    for name in NUMBERS:
        np.testing.assert_array_equal(got[name], want[name], err_msg=name)


def test_every_number_of_motmetrics_is_there() -> None:
    # What is left: numbers of each track, and the matrix that the ID numbers are made of.
    assert set(motmetrics.metrics.create().names) - set(NUMBERS) == {
        "obj_frequencies",
        "pred_frequencies",
        "track_ratios",
        "id_global_assignment",
    }


@pytest.mark.parametrize("seed", SEEDS[:20])
def test_track_ratios(seed: int) -> None:
    frames = frames_of(seed)
    sequence = sequence_of(frames)
    got = track_ratios(sequence, events_of(sequence))
    want = motmetrics.metrics.create().compute(
        accumulated(frames), metrics="track_ratios", return_dataframe=False
    )["track_ratios"]
    assert {float(i): x for i, x in enumerate(got) if not np.isnan(x)} == want.to_dict()


@pytest.mark.parametrize("seeds", [range(4), range(4, 12), range(12, 13)])
def test_numbers_of_several_sequences(seeds: range) -> None:
    lists = [frames_of(seed) for seed in seeds]
    host = motmetrics.metrics.create()
    names = list(NUMBERS)
    table = host.compute_many(
        [accumulated(frames) for frames in lists], metrics=names, generate_overall=True
    )
    columns = [columns_of(sequence_of(frames)) for frames in lists]
    added = {name: sum(each[name] for each in columns) for name in COLUMNS}
    got = numbers_of(added)
    for name in names:
        want = table[name].loc["OVERALL"]
        if name == "motp" and len(lists) == 1:
            # One sequence has one MOTP here, the package rounds that of all twice more.
            want = table[name].iloc[0]
        np.testing.assert_array_equal(got[name], want, err_msg=name)
    # All at once, along an axis.
    stacked = {name: np.array([*(each[name] for each in columns), added[name]]) for name in COLUMNS}
    for name, values in numbers_of(stacked).items():
        np.testing.assert_array_equal(values[-1], got[name])
        np.testing.assert_array_equal(values[:-1], table[name].iloc[:-1], err_msg=name)


@pytest.mark.parametrize(
    ("name", "mota", "motp"),
    [("TUD-Campus", 0.526462, 0.277201), ("TUD-Stadtmitte", 0.564014, 0.345904)],
)
def test_published_numbers(name: str, mota: float, motp: float) -> None:
    folder = Path(motmetrics.__file__).parent / "data" / name
    rows = [np.loadtxt(folder / file, delimiter=",") for file in ("gt.txt", "test.txt")]
    rows = [each[np.argsort(each[:, 0], kind="stable")] for each in rows]
    numbers = np.union1d(rows[0][:, 0], rows[1][:, 0])
    begins = [np.append(np.searchsorted(each[:, 0], numbers), len(each)) for each in rows]
    boxes = [np.ascontiguousarray(each[:, 2:6]) for each in rows]
    pair_begin, pair_pred, distance = _core.box_distances(*begins, *boxes, max_distance=0.5)
    tracks = [np.unique(each[:, 1], return_inverse=True) for each in rows]
    sequence = MotSequence(
        *begins,
        *(codes.astype(np.int32) for _, codes in tracks),
        *(len(ids) for ids, _ in tracks),
        pair_begin,
        pair_pred,
        distance,
    )
    got = numbers_of(columns_of(sequence))
    # As printed: six decimals.
    assert round(float(got["mota"]), 6) == mota
    assert round(float(got["motp"]), 6) == motp


def test_box_distances() -> None:
    random = np.random.default_rng(0)
    for trial in range(60):
        # Whole numbers make boxes that touch; some have no area, some a negative one.
        boxes = [
            np.round(random.random((int(random.integers(0, 9)), 4)) * 12, trial % 2 * 3)
            - [0, 0, 2, 2]
            for _ in range(2)
        ]
        limit = [0.5, 1.0, 0.25, 2.0][trial % 4]
        begins = [np.array([0, len(each)]) for each in boxes]
        pair_begin, pair_pred, distance = _core.box_distances(*begins, *boxes, max_distance=limit)
        got = np.full((len(boxes[0]), len(boxes[1])), np.nan)
        got[np.repeat(np.arange(len(boxes[0])), np.diff(pair_begin)), pair_pred] = distance
        if got.size:
            want = motmetrics.distances.iou_matrix(*boxes, max_iou=limit)
            np.testing.assert_array_equal(got, want)


def wrong(**changed: Any) -> Any:
    """Return the arguments of one frame, (1, 2) beside (0, 3), with something changed."""
    arguments = {
        "truth_begin": np.array([0, 2]),
        "pred_begin": np.array([0, 2]),
        "truth_track": np.array([1, 2], np.int32),
        "pred_track": np.array([0, 3], np.int32),
        "pair_begin": np.array([0, 1, 2]),
        "pair_pred": np.array([0, 1], np.int32),
        "distance": np.array([0.5, 0.5]),
        "time": np.array([0.0]),
        "n_truth_tracks": 3,
        "n_pred_tracks": 4,
        "raw": False,
    }
    return arguments | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"truth_begin": np.array([0, 1])}, "expected 2 rows of truth_begin, got 1"),
        ({"pred_begin": np.array([1, 2])}, "expected pred_begin that ascends from 0"),
        ({"truth_track": np.array([1, 3], np.int32)}, "expected truth_track below 3, got 3"),
        ({"pred_track": np.array([-1, 3], np.int32)}, "expected pred_track below 4, got -1"),
        ({"pair_begin": np.array([0, 2, 1])}, "expected pair_begin that ascends from 0"),
        ({"pair_pred": np.array([0, 2], np.int32)}, "of the same frame as pair_pred, got 2"),
        (
            {"pair_begin": np.array([0, 2, 2]), "pair_pred": np.array([1, 0], np.int32)},
            "expected ascending rows",
        ),
        ({"distance": np.array([0.5, np.nan])}, "expected finite distances"),
        ({"time": np.array([0.0, 1.0])}, "expected 3 rows of truth_begin, got 2"),
    ],
)
def test_indices_are_checked(changed: dict[str, Any], message: str) -> None:
    kernel = _core.MotEvents(max_switch_time=float("inf"))
    with pytest.raises(ValueError, match=message):
        kernel.update(**wrong(**changed))
    # Nothing was absorbed.
    assert kernel.memory()[0] == 0
    assert len(kernel.update(**wrong())[0]) == 2
    assert kernel.memory()[0] == 1


def test_a_memory_that_does_not_fit_is_refused() -> None:
    kernel = _core.MotEvents(max_switch_time=float("inf"))
    kernel.update(**wrong())
    memory = list(kernel.memory())
    _core.MotEvents(max_switch_time=1.0).restore(*memory)
    for place, value in ((1, np.array([9, 0, 0], np.int32)), (4, np.array([9] * 4, np.int32))):
        changed = [*memory[:place], value, *memory[place + 1 :]]
        with pytest.raises(ValueError, match="expected tracks of"):
            _core.MotEvents(max_switch_time=1.0).restore(*changed)
