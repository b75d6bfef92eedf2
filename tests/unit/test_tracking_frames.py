from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from snellen.errors import IdError
from snellen.tracking.frames import Frames, Pairs, Side

# Of each frame: its number, the ids of truth and of predictions, which pairs are alike.
LISTED: list[tuple[int, list[int], list[int], dict[tuple[int, int], float]]] = [
    (1, [5, 2], [9], {(1, 0): 0.5}),
    (2, [], [9, 8], {}),
    (4, [2, 5, 7], [8, 9], {(0, 0): 0.25, (0, 1): 1.0, (2, 1): 0.75}),
    (5, [], [], {}),
    (8, [7], [], {}),
    (9, [7, 2], [9, 8, 6], {(0, 2): 0.125, (1, 0): 0.5, (1, 2): 0.5}),
]


def made(listed: Any, *, text: bool = False, left_out: tuple[int, int] = (0, 0)) -> Frames:
    """Return the frames that are listed."""
    sides = []
    for k in (1, 2):
        begin = np.cumsum([0, *(len(each[k]) for each in listed)]).astype(np.int64)
        ids = [i for each in listed for i in each[k]]
        track = np.array([f"id {i}" for i in ids], np.str_) if text else np.array(ids, np.int64)
        # A place that says which object it is, and in which frame.
        centre = np.array([(each[0], i) for each in listed for i in each[k]], np.float64)
        sides.append(Side(begin, track, centre.reshape(-1, 2)))
    pred: list[int] = []
    similarity: list[float] = []
    lengths = [0]
    for t, each in enumerate(listed):
        for i in range(len(each[1])):
            of_row = [(j, s) for (row, j), s in sorted(each[3].items()) if row == i]
            pred += [int(sides[1].begin[t]) + j for j, _ in of_row]
            similarity += [s for _, s in of_row]
            lengths.append(len(of_row))
    pairs = Pairs(
        np.cumsum(lengths).astype(np.int64), np.array(pred, np.int32), np.array(similarity)
    )
    number = np.array([each[0] for each in listed], np.int64)
    return Frames(number, sides[0], sides[1], pairs, left_out)


def listed_of(frames: Frames) -> list[Any]:
    """Return frames as they are listed above."""
    found = []
    for t, number in enumerate(frames.number.tolist()):
        one = frames.of_frames(t, t + 1)
        pairs = {
            (row, int(one.pairs.pred[k])): float(one.pairs.similarity[k])
            for row in range(len(one.truth))
            for k in range(int(one.pairs.begin[row]), int(one.pairs.begin[row + 1]))
        }
        found.append((number, one.truth.track.tolist(), one.pred.track.tolist(), pairs))
    return found


def expect_equal(one: Frames, other: Frames) -> None:
    assert one.number.tolist() == other.number.tolist()
    for mine, theirs in ((one.truth, other.truth), (one.pred, other.pred)):
        assert mine.begin.tolist() == theirs.begin.tolist()
        assert mine.begin.dtype == theirs.begin.dtype
        assert mine.track.tolist() == theirs.track.tolist()
        assert mine.centre is not None
        assert theirs.centre is not None
        assert mine.centre.tolist() == theirs.centre.tolist()
    for a, b in zip(one.pairs, other.pairs, strict=True):
        assert a.tolist() == b.tolist()
        assert a.dtype == b.dtype
    assert one.left_out == other.left_out


def test_parts_are_what_is_listed() -> None:
    assert listed_of(made(LISTED)) == LISTED
    assert listed_of(made(LISTED).of_frames(1, 4)) == LISTED[1:4]
    assert len(made(LISTED).of_frames(2, 2)) == 0


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_joined_in_any_order(order: tuple[int, ...], text: bool) -> None:
    parts = [made(LISTED[:2], text=text), made(LISTED[2:3], text=text), made(LISTED[3:], text=text)]
    expect_equal(Frames.joined([parts[i] for i in order]), made(LISTED, text=text))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_interleaved(order: tuple[int, ...]) -> None:
    parts = [made(LISTED[k::3]) for k in range(3)]
    expect_equal(Frames.joined([parts[i] for i in order]), made(LISTED))


def test_frame_by_frame() -> None:
    parts = [made([each]) for each in LISTED]
    expect_equal(Frames.joined(parts[::-1]), made(LISTED))
    assert Frames.joined(parts[:1]) is parts[0]


def test_what_was_left_out_is_added() -> None:
    parts = [made(LISTED[:2], left_out=(1, 20)), made(LISTED[2:], left_out=(3, 0)), made([])]
    joined = Frames.joined(parts)
    expect_equal(joined, made(LISTED, left_out=(4, 20)))
    nothing = Frames.joined([made([], left_out=(1, 2)), made([], left_out=(0, 5))])
    assert (len(nothing), nothing.left_out) == (0, (1, 7))


@pytest.mark.parametrize(
    ("cuts", "words"),
    [
        ([LISTED[:3], LISTED[2:]], "got 1 more than once: 4 - at frame"),
        ([LISTED, LISTED[1::3]], "got 2 more than once: 2, 8 - at frame"),
        ([LISTED[:1], LISTED[:1]], "got 1 more than once: 1 - at frame"),
        ([LISTED[:1], LISTED[1:], LISTED[:1]], "got 1 more than once: 1 - at frame"),
    ],
)
def test_a_frame_twice(cuts: list[Any], words: str) -> None:
    with pytest.raises(IdError, match=f"expected each frame once, {words}"):
        Frames.joined([made(cut) for cut in cuts])


@pytest.mark.parametrize("text", [False, True])
def test_coded(text: bool) -> None:
    coded = made(LISTED, text=text).coded(-1)
    assert coded.n_frames == len(LISTED)
    assert coded.truth_ids.ids.tolist() == (["id 2", "id 5", "id 7"] if text else [2, 5, 7])
    assert coded.pred_ids.ids.tolist() == (["id 6", "id 8", "id 9"] if text else [6, 8, 9])
    assert coded.truth_track.tolist() == [1, 0, 0, 1, 2, 2, 2, 0]
    assert coded.pred_track.tolist() == [2, 2, 1, 1, 2, 2, 1, 0]
    assert made(LISTED).coded(30).n_frames == 30


def test_coded_without_objects() -> None:
    coded = made([(3, [], [], {})]).coded(-1)
    assert (coded.n_frames, len(coded.truth_ids), len(coded.pred_ids)) == (1, 0, 0)
    assert made([]).coded(-1).n_frames == 0


def test_sides_without_centres() -> None:
    side = Side(np.array([0, 1]), np.array([3]), None)
    empty = Side(np.array([0, 0]), np.zeros(0, np.int64), None)
    with_centre = Side(np.array([0, 1]), np.array([4]), np.ones((1, 2)))
    assert Side.joined([side, empty]).centre is None
    assert Side.joined([side, with_centre]).centre is None
    # An empty side has no centres that could be missing.
    joined = Side.joined([empty, with_centre]).centre
    assert joined is not None
    assert joined.tolist() == [[1, 1]]
    assert Side.joined([side, with_centre]).begin.tolist() == [0, 1, 2]
