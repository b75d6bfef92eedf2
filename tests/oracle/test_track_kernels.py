"""The kernels of tracking against TrackEval, bit for bit, and against plain loops."""

from __future__ import annotations

import contextlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen import _core

trackeval = pytest.importorskip("trackeval")
linear_sum_assignment = pytest.importorskip("scipy.optimize").linear_sum_assignment

EPS = float(np.finfo(float).eps)
ALPHAS = 0.05 + np.arange(19) * 0.05
BELOW = float(np.nextafter(0.5, 0))


class Sequence(NamedTuple):
    """The tracks in each frame and the similarities of all pairs of a frame."""

    truth: list[Any]
    pred: list[Any]
    similarity: list[Any]
    n_truth_tracks: int
    n_pred_tracks: int


def similarities(random: np.random.Generator, kind: str, n: int, m: int) -> Any:
    """Return similarities: a share of them above 0, with ties or values beside thresholds."""
    listed = random.random((n, m)) < random.choice([0.05, 0.2, 0.5, 1.0])
    if kind == "any":
        values = random.random((n, m))
    elif kind == "grid":
        values = random.integers(0, 5, (n, m)) / 4
    elif kind == "tenths":
        values = np.round(random.random((n, m)), 1)
    else:
        near = [BELOW, 0.5, BELOW - EPS, 0.5 - EPS, 0.5 + EPS, ALPHAS[5], ALPHAS[5] - EPS, 1.0]
        near.append(float(np.nextafter(ALPHAS[5] - EPS, 0)))
        values = random.choice(near, (n, m))
    return np.where(listed, values, 0.0)


def sequence(
    seed: int, kind: str, n_truth_tracks: int, n_pred_tracks: int, n_frames: int = 12
) -> Sequence:
    """Return a sequence with frames of every sort, among them some with one side or none."""
    random = np.random.default_rng(seed)
    truth, pred, similarity = [], [], []
    for t in range(n_frames):
        n = int(random.integers(0, n_truth_tracks + 1))
        m = int(random.integers(0, n_pred_tracks + 1))
        if t % 5 == 3:
            n = n if random.random() < 0.5 else 0
            m = m if random.random() < 0.5 else 0
        if t % 7 == 6 and n_pred_tracks > 0:
            m = 1
        truth.append(random.permutation(n_truth_tracks)[:n])
        pred.append(random.permutation(n_pred_tracks)[:m])
        similarity.append(similarities(random, kind, n, m))
    # Both references want tracks that are somewhere.
    truth.append(np.arange(n_truth_tracks))
    pred.append(np.arange(n_pred_tracks))
    similarity.append(similarities(random, kind, n_truth_tracks, n_pred_tracks))
    if random.random() < 0.5:  # a frame like the one before it: pairs can go on
        truth.append(truth[-1])
        pred.append(pred[-1])
        similarity.append(similarity[-1])
    return Sequence(truth, pred, similarity, n_truth_tracks, n_pred_tracks)


def walk(seed: int, n_truth_tracks: int, n_pred_tracks: int, n_frames: int) -> Sequence:
    """Return a sequence in which every object has a few neighbours that stay for a while."""
    random = np.random.default_rng(seed)
    truth, pred, similarity = [], [], []
    for _ in range(n_frames):
        n = int(random.integers(n_truth_tracks // 2, n_truth_tracks + 1))
        m = int(random.integers(n_pred_tracks // 2, n_pred_tracks + 1))
        ids = np.sort(random.permutation(n_truth_tracks)[:n])
        others = np.sort(random.permutation(n_pred_tracks)[:m])
        apart = np.abs(ids[:, None] - others[None])
        values = np.clip(0.9 - 0.3 * apart + 0.1 * random.standard_normal((n, m)), 0, 1)
        truth.append(ids)
        pred.append(others)
        similarity.append(values)
    truth.append(np.arange(n_truth_tracks))
    pred.append(np.zeros(0, int))
    similarity.append(np.zeros((n_truth_tracks, 0)))
    truth.append(np.zeros(0, int))
    pred.append(np.arange(n_pred_tracks))
    similarity.append(np.zeros((0, n_pred_tracks)))
    return Sequence(truth, pred, similarity, n_truth_tracks, n_pred_tracks)


def thin(seed: int, n: int, m: int, n_frames: int = 6) -> Sequence:
    """Return a sequence in which about half the objects have a pair, and only one."""
    random = np.random.default_rng(seed)
    similarity = []
    for _ in range(n_frames):
        values = np.zeros((n, m))
        k = min(n, m) // 2
        values[random.permutation(n)[:k], random.permutation(m)[:k]] = random.random(k)
        similarity.append(values)
    return Sequence([np.arange(n)] * n_frames, [np.arange(m)] * n_frames, similarity, n, m)


def one_column(seed: int) -> Sequence:
    """Return a sequence whose result hangs on the order in which one column is added up.

    Truth tracks 0 and 1 change places between frames 0 and 1, among others that change places
    too, so that they agree equally well with the only track of predictions, but for the rounding
    of the sums of the two frames. That decides the last frame. Frames 2 and 3 add a share of
    1 / 16 to each, but a match for alpha = 0.5 to track 0 alone.
    """
    random = np.random.default_rng(seed)
    n = int(random.integers(17, 40))
    values = random.random(n) * 0.3
    values[0] += 0.7
    values[1] = random.uniform(0.3, 0.4)
    order = np.concatenate([[1, 0], 2 + random.permutation(n - 2)])
    places = random.permutation(n)
    others = np.arange(2, 17)
    truth = [places, places, np.append(0, others), np.append(1, others), np.array([0, 1])]
    rows = [values[places], values[order][places], [0.5] * 16, [0.25] * 16, [1.0, 1.0]]
    similarity = [np.array(row)[:, None] for row in rows]
    return Sequence(truth, [np.array([0])] * 5, similarity, n, 1)


SIZES = [(1, 1), (3, 5), (6, 3), (9, 12), (14, 9), (30, 12), (20, 40), (1, 20), (25, 1)]
CASES = [
    *(
        (f"{kind} {n} x {m} seed {seed}", sequence(1000 * seed + i, kind, n, m))
        for seed in range(6)
        for kind in ("any", "grid", "tenths", "near")
        for i, (n, m) in enumerate(SIZES)
    ),
    # Tables of tracks with more than 8192 cells, rows of more than 128.
    ("walk 120 x 90", walk(1, 120, 90, 25)),
    ("walk 90 x 150", walk(2, 90, 150, 25)),
    ("tenths 60 x 300", sequence(3, "tenths", 60, 300)),
    ("any 300 x 60", sequence(4, "any", 300, 60)),
    ("any 60 x 300", sequence(5, "any", 60, 300)),
    *(
        (f"thin {n} x {m} seed {seed}", thin(seed, n, m))
        for n, m in ((20, 8), (30, 17), (90, 70), (70, 90), (400, 300))
        for seed in range(4)
    ),
]
each_case = pytest.mark.parametrize(
    "case", [case for _, case in CASES], ids=[name for name, _ in CASES]
)


def begins(parts: list[Any]) -> Any:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def lists(case: Sequence) -> tuple[Any, ...]:
    """Return truth_begin, pred_begin, pair_begin, pair_pred, similarity."""
    pred_begin = begins(case.pred)
    rows = [
        (begin + np.flatnonzero(row), row[row > 0])
        for begin, frame in zip(pred_begin[:-1], case.similarity, strict=True)
        for row in frame
    ]
    return (
        begins(case.truth),
        pred_begin,
        begins([places for places, _ in rows]),
        np.concatenate([np.zeros(0, int), *(places for places, _ in rows)]).astype(np.int32),
        np.concatenate([np.zeros(0), *(values for _, values in rows)]),
    )


def track_pairs(case: Sequence) -> Any:
    truth_begin, pred_begin, *pairs = lists(case)
    return _core.TrackPairs(
        truth_begin,
        pred_begin,
        np.concatenate(case.truth).astype(np.int32),
        np.concatenate(case.pred).astype(np.int32),
        case.n_truth_tracks,
        case.n_pred_tracks,
        *pairs,
    )


def theirs(metric: Any, case: Sequence) -> dict[str, Any]:
    data = {
        "num_timesteps": len(case.truth),
        "num_gt_ids": case.n_truth_tracks,
        "num_tracker_ids": case.n_pred_tracks,
        "num_gt_dets": sum(map(len, case.truth)),
        "num_tracker_dets": sum(map(len, case.pred)),
        "gt_ids": case.truth,
        "tracker_ids": case.pred,
        "similarity_scores": case.similarity,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        result: dict[str, Any] = metric.eval_sequence(data)
    return result


def check_hota(case: Sequence) -> None:
    want = theirs(trackeval.metrics.HOTA(), case)
    got = track_pairs(case).hota(ALPHAS, False)
    n_truth, n_pred = sum(map(len, case.truth)), sum(map(len, case.pred))
    np.testing.assert_array_equal(got["tp"], want["HOTA_TP"])
    np.testing.assert_array_equal(n_truth - got["tp"], want["HOTA_FN"])
    np.testing.assert_array_equal(n_pred - got["tp"], want["HOTA_FP"])
    at_least_1 = np.maximum(1, got["tp"])
    for name, field in (("ass_a", "AssA"), ("ass_re", "AssRe"), ("ass_pr", "AssPr")):
        np.testing.assert_array_equal(got[name] / at_least_1, want[field])
    location = np.maximum(1e-10, got["loc"]) / np.maximum(1e-10, got["tp"])
    np.testing.assert_array_equal(location, want["LocA"])


@each_case
def test_hota(case: Sequence) -> None:
    check_hota(case)


def test_hota_of_one_column() -> None:
    for seed in range(80):
        check_hota(one_column(seed))


@each_case
def test_hota_takes_alphas_in_any_order(case: Sequence) -> None:
    pairs = track_pairs(case)
    want = pairs.hota(ALPHAS, False)
    order = np.random.default_rng(0).permutation(len(ALPHAS))[:11]
    got = pairs.hota(ALPHAS[order], False)
    for name, values in want.items():
        np.testing.assert_array_equal(got[name], values[order])


def sum_in_blocks(values: Any) -> float:
    """Return what np.sum gave before NumPy 2.3."""
    total = 0.0
    flat = values.ravel()
    for begin in range(0, flat.size, 8192):
        total += np.sum(flat[begin : begin + 8192])
    return total


def hota_counts(case: Sequence) -> tuple[list[Any], Any, Any]:
    """Return, step by step as in the reference, matches by cell for each alpha, and frames."""
    shape = (case.n_truth_tracks, case.n_pred_tracks)
    agreement = np.zeros(shape)
    truth_frames, pred_frames = np.zeros((shape[0], 1)), np.zeros((1, shape[1]))
    for truth, pred, similarity in zip(*case[:3], strict=True):
        either = similarity.sum(0)[None] + similarity.sum(1)[:, None] - similarity
        share = np.divide(similarity, either, out=np.zeros_like(either), where=either > EPS)
        agreement[np.ix_(truth, pred)] += share
        truth_frames[truth, 0] += 1
        pred_frames[0, pred] += 1
    aligned = agreement / (truth_frames + pred_frames - agreement)
    counts = [np.zeros(shape) for _ in ALPHAS]
    for truth, pred, similarity in zip(*case[:3], strict=True):
        rows, columns = linear_sum_assignment(-aligned[np.ix_(truth, pred)] * similarity)
        for alpha, count in zip(ALPHAS, counts, strict=True):
            kept = similarity[rows, columns] >= alpha - EPS
            count[truth[rows[kept]], pred[columns[kept]]] += 1
    return counts, truth_frames, pred_frames


@pytest.mark.parametrize("name", ["walk 120 x 90", "walk 90 x 150", "any 60 x 300"])
def test_hota_in_blocks(name: str) -> None:
    case = dict(CASES)[name]
    counts, truth_frames, pred_frames = hota_counts(case)
    got = track_pairs(case).hota(ALPHAS, True)
    whole = track_pairs(case).hota(ALPHAS, False)
    for a, count in enumerate(counts):
        assert got["tp"][a] == count.sum()
        either = np.maximum(1, truth_frames + pred_frames - count)
        assert got["ass_a"][a] == sum_in_blocks(count * (count / either))
        assert got["ass_re"][a] == sum_in_blocks(count * (count / np.maximum(1, truth_frames)))
        assert got["ass_pr"][a] == sum_in_blocks(count * (count / np.maximum(1, pred_frames)))
    # The option does something.
    assert (got["ass_a"] != whole["ass_a"]).any()


@each_case
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_clear(case: Sequence, threshold: float) -> None:
    metric = trackeval.metrics.CLEAR({"THRESHOLD": threshold, "PRINT_CONFIG": False})
    want = theirs(metric, case)
    got = track_pairs(case).clear(threshold)
    n_truth, n_pred = sum(map(len, case.truth)), sum(map(len, case.pred))
    n_matched = int((got["match"] >= 0).sum())
    assert n_matched == want["CLR_TP"]
    assert n_truth - n_matched == want["CLR_FN"]
    assert n_pred - n_matched == want["CLR_FP"]
    assert got["motp_sum"] == want["MOTP_sum"]
    assert got["switch"].sum() == want["IDSW"]
    assert np.maximum(0, got["n_starts"] - 1).sum() == want["Frag"]
    ratio = got["n_matched"] / got["n_frames"]
    assert (ratio > 0.8).sum() == want["MT"]
    assert ((ratio >= 0.2) & (ratio <= 0.8)).sum() == want["PT"]
    assert (ratio < 0.2).sum() == want["ML"]


@each_case
def test_clear_by_row_and_track(case: Sequence) -> None:
    got = track_pairs(case).clear(0.5)
    match, switch, transfer = [], [], []
    n_frames, n_matched, n_starts, n_switches = np.zeros((4, case.n_truth_tracks), int)
    before: dict[int, int] = {}  # pairs of the last frame with both sides
    last_pred: dict[int, int] = {}
    last_truth: dict[int, int] = {}
    pred_begin = 0
    for truth, pred, similarity in zip(*case[:3], strict=True):
        n_frames[truth] += 1
        own = {}
        moved = np.zeros(len(pred), int)
        if len(truth) and len(pred):
            goes_on = np.array([[before.get(i) == j for j in pred] for i in truth.tolist()])
            score = np.where(similarity < 0.5 - EPS, 0, 1000 * goes_on + similarity)
            given = zip(*linear_sum_assignment(-score), strict=True)
            own = {row: column for row, column in given if score[row, column] > EPS}
            now = {int(truth[row]): int(pred[column]) for row, column in own.items()}
        for row, track in enumerate(truth.tolist()):
            switch.append(0)
            if row not in own:
                match.append(-1)
                continue
            other = now[track]
            match.append(pred_begin + own[row])
            n_matched[track] += 1
            n_starts[track] += track not in before
            switch[-1] = int(last_pred.get(track, other) != other)
            n_switches[track] += switch[-1]
            moved[own[row]] = last_truth.get(other, track) != track
            last_pred[track] = other
            last_truth[other] = track
        transfer += moved.tolist()
        if len(truth) and len(pred):
            before = now
        pred_begin += len(pred)
    assert got["match"].tolist() == match
    assert got["switch"].tolist() == switch
    assert got["transfer"].tolist() == transfer
    assert got["n_frames"].tolist() == n_frames.tolist()
    assert got["n_matched"].tolist() == n_matched.tolist()
    assert got["n_starts"].tolist() == n_starts.tolist()
    assert got["n_switches"].tolist() == n_switches.tolist()


@each_case
@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_identity(case: Sequence, threshold: float) -> None:
    metric = trackeval.metrics.Identity({"THRESHOLD": threshold, "PRINT_CONFIG": False})
    want = theirs(metric, case)
    got = track_pairs(case).identity(threshold)
    assert got["idtp"] == want["IDTP"]
    together = np.zeros((case.n_truth_tracks, case.n_pred_tracks), int)
    for truth, pred, similarity in zip(*case[:3], strict=True):
        together[np.ix_(truth, pred)] += similarity >= threshold
    matched = np.flatnonzero(got["match"] >= 0)
    others = got["match"][matched]
    assert len(set(others.tolist())) == len(others)
    assert together[matched, others].sum() == got["idtp"]


@each_case
def test_vace(case: Sequence) -> None:
    want = theirs(trackeval.metrics.VACE(), case)
    got = track_pairs(case).vace(0.5)
    assert got["stda"] == want["STDA"]
    assert got["fda"] == want["FDA"]
    assert got["n_frames"] == want["num_non_empty_timesteps"]


@each_case
@pytest.mark.parametrize("threshold", [0.5, 0.4, 0.001])
def test_matched_preds(case: Sequence, threshold: float) -> None:
    got = _core.matched_preds(*lists(case), threshold)
    want = []
    truth_begin = 0
    for similarity in case.similarity:
        own = np.full(similarity.shape[1], -1)
        kept = np.where(similarity < threshold - EPS, 0, similarity)
        rows, columns = linear_sum_assignment(-kept)
        found = kept[rows, columns] > EPS
        own[columns[found]] = truth_begin + rows[found]
        want += own.tolist()
        truth_begin += similarity.shape[0]
    assert got.tolist() == want


def test_threads_share_a_sequence() -> None:
    pairs = track_pairs(dict(CASES)["walk 120 x 90"])

    def everything(_: int) -> list[Any]:
        hota, clear = pairs.hota(ALPHAS, False), pairs.clear(0.5)
        identity, vace = pairs.identity(0.5), pairs.vace(0.5)
        found = [*hota.values(), *clear.values(), *identity.values(), *vace.values()]
        return [np.asarray(values).tolist() for values in found]

    want = everything(0)
    with ThreadPoolExecutor(4) as threads:
        for got in threads.map(everything, range(12)):
            assert got == want


def nothing(n_truth: int, n_pred: int) -> Sequence:
    truth, pred = [np.arange(n_truth)] * 3, [np.arange(n_pred)] * 3
    return Sequence(truth, pred, [np.zeros((n_truth, n_pred))] * 3, n_truth, n_pred)


@pytest.mark.parametrize(("n_truth", "n_pred"), [(0, 0), (0, 4), (4, 0), (4, 4)])
def test_no_pairs(n_truth: int, n_pred: int) -> None:
    pairs = track_pairs(nothing(n_truth, n_pred))
    for values in pairs.hota(ALPHAS, False).values():
        assert values.tolist() == [0] * len(ALPHAS)
    clear = pairs.clear(0.5)
    assert clear["match"].tolist() == [-1] * 3 * n_truth
    assert clear["n_frames"].tolist() == [3] * n_truth
    assert clear["n_matched"].tolist() == [0] * n_truth
    assert clear["transfer"].tolist() == [0] * 3 * n_pred
    assert clear["motp_sum"] == 0.0
    assert pairs.identity(0.5)["idtp"] == 0
    assert pairs.identity(0.5)["match"].tolist() == [-1] * n_truth
    assert pairs.vace(0.5) == {
        "stda": 0.0,
        "fda": 0.0,
        "n_frames": 3 if n_truth + n_pred else 0,
    }


def test_no_frames() -> None:
    pairs = track_pairs(Sequence([np.zeros(0, int)], [np.zeros(0, int)], [np.zeros((0, 0))], 0, 0))
    assert pairs.hota(ALPHAS, True)["tp"].tolist() == [0] * len(ALPHAS)
    assert pairs.hota(np.zeros(0), True)["tp"].tolist() == []
    assert pairs.vace(0.5)["n_frames"] == 0


def arguments() -> dict[str, Any]:
    """Return two frames: tracks 0, 1 beside 0; track 1 beside 0, 1."""
    return {
        "truth_begin": np.array([0, 2, 3]),
        "pred_begin": np.array([0, 1, 3]),
        "truth_track": np.array([0, 1, 1], np.int32),
        "pred_track": np.array([0, 0, 1], np.int32),
        "n_truth_tracks": 2,
        "n_pred_tracks": 2,
        "pair_begin": np.array([0, 1, 1, 3]),
        "pair_pred": np.array([0, 1, 2], np.int32),
        "similarity": np.array([0.5, 0.6, 0.7]),
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("truth_begin", [], "truth_begin"),
        ("truth_begin", [1, 2, 3], "truth_begin that ascends from 0"),
        ("truth_begin", [0, 3, 2], "truth_begin that ascends from 0"),
        ("truth_begin", [0, 2, 2**31], "stays below 2\\^31"),
        ("truth_begin", [0, 2, 4], "expected 5 rows of pair_begin, got 4"),
        ("pred_begin", [0, 3], "expected 3 rows of pred_begin, got 2"),
        ("pred_begin", [0, 0, 3], "stays in its frame, got 0 in pair 0"),
        ("pred_begin", [0, 1, 4], "expected 4 rows of pred_track, got 3"),
        ("truth_track", [0, 2, 1], "expected truth_track below 2, got 2 in row 1"),
        ("truth_track", [0, -1, 1], "expected truth_track below 2, got -1 in row 1"),
        ("truth_track", [0, 0, 1], "got track 0 twice in frame 0"),
        ("truth_track", [0, 1], "expected 3 rows of truth_track, got 2"),
        ("pred_track", [0, 1, 2], "expected pred_track below 2, got 2 in row 2"),
        ("pred_track", [0, 1, 1], "got track 1 twice in frame 1"),
        ("pair_begin", [0, 1, 1, 2], "expected 2 rows of pair_pred, got 3"),
        ("pair_pred", [0, 1, 3], "stays in its frame, got 3 in pair 2"),
        ("pair_pred", [-1, 1, 2], "stays in its frame, got -1 in pair 0"),
        ("pair_pred", [0, 2, 1], "ascends in each truth row and stays in its frame, got 1"),
        ("pair_pred", [0, 2, 2], "ascends in each truth row and stays in its frame, got 2"),
        ("similarity", [0.5, 0.0, 0.7], "above 0, got 0.0+ in pair 1"),
        ("similarity", [0.5, np.nan, 0.7], "got nan in pair 1"),
        ("similarity", [0.5, np.inf, 0.7], "got inf in pair 1"),
        ("similarity", [0.5, 0.6], "expected 3 rows of similarity, got 2"),
    ],
)
def test_refuses(name: str, value: list[Any], message: str) -> None:
    given = arguments()
    _core.TrackPairs(**given)
    given[name] = np.array(value, given[name].dtype)
    with pytest.raises(ValueError, match=message):
        _core.TrackPairs(**given)


def test_refuses_thresholds_that_no_pair_need_reach() -> None:
    pairs = _core.TrackPairs(**arguments())
    for threshold in (0.0, -1.0, 1e-16, np.nan, np.inf):
        for call in (pairs.clear, pairs.identity, pairs.vace):
            with pytest.raises(ValueError, match="expected a threshold of at least 1e-15"):
                call(threshold)
        with pytest.raises(ValueError, match="expected a threshold of at least 1e-15"):
            pairs.hota(np.array([0.5, threshold]), False)
