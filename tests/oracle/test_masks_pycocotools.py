"""Masks as run lengths are those of pycocotools, every bit: texts, areas, boxes, sets, IoU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import _core, set_threads
from snellen.errors import SchemaError
from snellen.rle_masks import RleMasks
from snellen.tracking.mask_pairs import mask_pairs

mask_api = pytest.importorskip("pycocotools.mask")
# Of pycocotools 2.0.11 under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@st.composite
def stacks(draw: Any, n_stacks: int = 1) -> list[Any]:
    """Draw stacks of masks of one size: boxes, noise, nothing, everything."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    found = []
    for _ in range(n_stacks):
        stack = np.zeros((draw(st.integers(0, 6)), height, width), np.uint8)
        for mask in stack:
            kind = draw(st.sampled_from(["box", "box", "noise", "nothing", "everything"]))
            if kind == "box":
                y, x = random.integers(0, height), random.integers(0, width)
                mask[
                    y : y + random.integers(0, height + 1), x : x + random.integers(0, width + 1)
                ] = 1
            elif kind == "noise":
                mask[...] = random.random(mask.shape) < random.random()
            elif kind == "everything":
                mask[...] = 1
        found.append(stack)
    return found


def encoded(stack: Any) -> list[dict[str, Any]]:
    return [mask_api.encode(np.asfortranarray(mask)) for mask in stack]


@given(stacks())
def test_each_mask(drawn: Any) -> None:
    (stack,) = drawn
    theirs, ours = encoded(stack), RleMasks.from_arrays(stack)
    assert ours.texts() == [each["counts"] for each in theirs]
    read = RleMasks.of(theirs)
    assert np.array_equal(read.runs, ours.runs)
    assert np.array_equal(read.offset, ours.offset)
    if not len(stack):
        return
    assert np.array_equal(ours.to_arrays(), stack)
    assert ours.areas().tolist() == mask_api.area(theirs).tolist()
    assert ours.boxes().tolist() == mask_api.toBbox(theirs).tolist()
    assert np.array_equal(mask_api.decode(ours.to_coco()).transpose(2, 0, 1), stack)


@given(stacks(), st.booleans(), st.integers(0, 6))
def test_sets(drawn: Any, intersect: bool, cut: int) -> None:
    (stack,) = drawn
    theirs, ours = encoded(stack), RleMasks.from_arrays(stack)
    cut = min(cut, len(stack))
    begin = np.array([0, cut, len(stack)], np.int64)
    merged = ours.merged(begin, intersect=intersect)
    for group, wanted in zip(merged.to_coco(), (theirs[:cut], theirs[cut:]), strict=True):
        if wanted:
            assert group == mask_api.merge(wanted, intersect=intersect)


@given(stacks(n_stacks=2), st.data())
def test_iou(drawn: Any, data: Any) -> None:
    pred, truth = drawn
    crowd = np.array(data.draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth))))
    ours = [RleMasks.from_arrays(stack) for stack in drawn]
    arrays = [each for side in ours for each in (side.runs, side.offset, side.size)]
    iou = _core.mask_iou(*arrays, crowd.astype(np.uint8)).T
    assert iou.shape == (len(pred), len(truth))
    if not iou.size:
        return
    theirs = encoded(pred), encoded(truth)
    assert np.array_equal(iou, mask_api.iou(*theirs, crowd.tolist()))
    # The pairs of one frame: the sides the other way round.
    frames = [np.array([0, len(stack)], np.int64) for stack in (truth, pred)]
    for kind, first, second, is_crowd in (
        ("iou", 1, 0, 0),
        ("ioa_truth", 1, 0, 1),
        ("ioa_pred", 0, 1, 1),
    ):
        begin, other, similarity = mask_pairs(ours[1], ours[0], *frames, kind=kind)  # type: ignore[arg-type]  # one of them
        dense = np.zeros((len(truth), len(pred)))
        dense[np.repeat(np.arange(len(truth)), np.diff(begin)), other] = similarity
        assert (similarity > 0).all()
        wanted = mask_api.iou(theirs[first], theirs[second], [is_crowd] * len(drawn[second]))
        assert np.array_equal(dense, wanted if first else wanted.T)


@given(st.lists(stacks(n_stacks=2), max_size=6))
def test_frames_do_not_touch_each_other(frames: Any) -> None:
    sides = []
    for side in range(2):
        parts = [RleMasks.from_arrays(drawn[side]) for drawn in frames]
        begin = np.append(0, np.cumsum([len(part) for part in parts])).astype(np.int64)
        sides.append((RleMasks.joined([RleMasks.of([]), *parts]), begin))
    (truth, truth_begin), (pred, pred_begin) = sides
    begin, other, similarity = mask_pairs(truth, pred, truth_begin, pred_begin)
    rows = np.repeat(np.arange(len(truth)), np.diff(begin))
    dense = np.zeros((len(truth), len(pred)))
    for t, drawn in enumerate(frames):
        if len(drawn[0]) and len(drawn[1]):
            dense[truth_begin[t] : truth_begin[t + 1], pred_begin[t] : pred_begin[t + 1]] = (
                mask_api.iou(encoded(drawn[0]), encoded(drawn[1]), [0] * len(drawn[1]))
            )
    assert np.array_equal(np.argwhere(dense), np.stack([rows, other], axis=1))
    assert np.array_equal(dense[rows, other], similarity)
    try:
        set_threads(3)
        again = mask_pairs(truth, pred, truth_begin, pred_begin)
    finally:
        set_threads(None)
    for one, two in zip(again, (begin, other, similarity), strict=True):
        assert one.tobytes() == two.tobytes()


@given(stacks(), st.lists(st.integers(1, 3), min_size=6, max_size=6))
def test_lists_of_runs(drawn: Any, pieces: list[int]) -> None:
    """Runs that are cut in two by a run of 0 are the same mask; pycocotools merges them, too."""
    (stack,) = drawn
    for mask, step in zip(stack, pieces, strict=False):
        whole = RleMasks.from_arrays(mask[np.newaxis])
        runs: list[int] = []
        for run in whole.runs.tolist():
            runs += [step, 0, run - step] if run > step else [run]
        given_runs = {"size": list(mask.shape), "counts": runs}
        ours = RleMasks.of([given_runs])
        assert np.array_equal(ours.to_arrays()[0], mask)
        theirs = mask_api.frPyObjects(given_runs, *mask.shape)
        assert ours.texts() == [theirs["counts"]]
        assert ours.areas().tolist() == [mask_api.area(theirs)]
        begin = np.array([0, 1], np.int64)
        assert np.array_equal(ours.merged(begin).runs, whole.runs)


# A character is worth up to 31 · 32^k, so a few of them write numbers far beyond any image.
@settings(max_examples=300)
@given(st.text(st.characters(min_codepoint=46, max_codepoint=113), max_size=9), st.integers(0, 6))
def test_any_text(text: str, width: int) -> None:
    """What is read is what pycocotools reads; what is refused it does not decode, or wrongly."""
    size = [3, width]
    try:
        ours = RleMasks.of([{"size": size, "counts": text}])
    except SchemaError:
        return
    theirs = {"size": size, "counts": text.encode()}
    assert ours.areas().tolist() == [mask_api.area(theirs)]
    if width:
        assert np.array_equal(ours.to_arrays()[0], mask_api.decode(theirs))
