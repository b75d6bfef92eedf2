"""The shim against the installed pycocotools 2.0.11: arrays, cells, texts, exceptions, in full.

SNELLEN_FUZZ_EXAMPLES=5000 tries so many random scenes, other ones each time.
"""

# ruff: noqa: ARG001 - what is called with arguments that not all need

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.coco_scenes import scene
from tests.evaluator_steps import SHARED_STEPS, curves
from tests.pycocotools_cases import MATRIX, MORE, having
from tests.pycocotools_sides import (
    OURS,
    THEIRS,
    TYPES,
    Case,
    Side,
    described,
    loaded,
    quiet,
    run,
)
from tests.replaced_steps import half_as_near, one_category_alone, triangles

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # Means of nothing, numbers that are none: on both sides.
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


def test_the_matrix_has_93_cells() -> None:
    assert len(MATRIX) * len(TYPES) == 93


def assert_same_runs(case: Case, kind: str, **scene_of: int) -> dict[str, Any]:
    """Check that both implementations do the same; return what that is."""
    wanted = run(THEIRS, case, kind, **scene_of)
    got = run(OURS, case, kind, **scene_of)
    assert list(got) == list(wanted)
    for name, value in wanted.items():
        assert got[name] == value, name
    return wanted


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)
def test_matrix(case: Case, kind: str) -> None:
    assert_same_runs(case, kind)


def test_the_matrix_is_not_of_failures_alone() -> None:
    runs = [run(THEIRS, case, kind) for case in MATRIX[-4:] for kind in TYPES]
    assert any("raised" not in each for each in runs)
    usual = run(THEIRS, MATRIX[0], "bbox")
    stats = np.frombuffer(usual["stats"][4])
    assert 0.05 < stats[0] < 0.95


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("case", MORE, ids=lambda case: case.name)
def test_more_of_the_kind(case: Case, kind: str) -> None:
    assert_same_runs(case, kind)


# ---------------------------------------------------------------------------------------------
# Random scenes, whole arrays, cell by cell.

FUZZ_EXAMPLES = os.environ.get("SNELLEN_FUZZ_EXAMPLES")
SEEDS = (
    range(12)
    if FUZZ_EXAMPLES is None
    else np.random.default_rng().integers(2**31, size=int(FUZZ_EXAMPLES)).tolist()
)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_scenes(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    case = Case(
        "random",
        parameters=having(
            maxDets=[1, int(random.integers(2, 9)), 100], useCats=int(random.random() < 0.8)
        ),
        with_boxes=bool(random.random() < 0.3),
    )
    seen = assert_same_runs(
        case,
        kind,
        seed=seed,
        n_images=int(random.integers(1, 9)),
        n_truth=int(random.integers(0, 60)),
        n_pred=int(random.integers(1, 120)),
        n_categories=int(random.integers(1, 5)),
    )
    assert "raised" not in seen


@pytest.mark.parametrize("kind", TYPES)
def test_the_usual_goes_through_columns(kind: str) -> None:
    found = loaded(OURS, kind)
    with quiet():
        found.evaluate()
    assert type(found.evalImgs).__name__ == "CellList"
    assert type(found.ious).__name__ == "LazyDict"


# ---------------------------------------------------------------------------------------------
# What scripts do between and after the steps.


def both(kind: str, steps: Callable[[Any, Side], Any], **scene_of: int) -> None:
    """Check that steps on a loaded evaluator give the same on both sides, or raise the same."""
    seen = []
    for side in (THEIRS, OURS):
        found = loaded(side, kind, **scene_of)
        with quiet() as printed:
            try:
                result = steps(found, side)
            except Exception as error:
                result = type(error), str(error)
        seen.append((described(result), described(found.eval.get("precision")), printed.getvalue()))
    assert seen[1][:2] == seen[0][:2]
    assert seen[1][2].count("\n") == seen[0][2].count("\n")


def again(found: Any, side: Side) -> Any:
    found.evaluate()
    first = curves(found, side)
    found.params.maxDets = [1, 2, 3]
    found.params.catIds = found.params.catIds[1:]
    found.evaluate()
    return first, curves(found, side), curves(found, side)


def as_a_text(found: Any, side: Side) -> Any:
    found.evaluate()
    found.accumulate()
    return str(found)


def cells_gathered(found: Any, side: Side) -> Any:
    """As torchvision and DETR do over processes."""
    found.evaluate()
    p = found.params
    shape = len(p.catIds), len(p.areaRng), len(p.imgIds)
    cells = np.asarray(found.evalImgs).reshape(shape)
    merged = np.concatenate([cells[:, :, 2:], cells[:, :, :2]], axis=2)
    p.imgIds = [*p.imgIds[2:], *p.imgIds[:2]]
    found.evalImgs = list(merged.flatten())
    found._paramsEval = copy.deepcopy(p)
    return cells.dtype, cells.shape, curves(found, side)


def cells_by_hand(found: Any, side: Side) -> Any:
    """As torchvision's own evaluate does."""
    p = found.params
    p.imgIds = list(np.unique(p.imgIds))
    found._prepare()
    compute = found.computeOks if p.iouType == "keypoints" else found.computeIoU
    found.ious = {(i, k): compute(i, k) for i in p.imgIds for k in p.catIds}
    found.evalImgs = [
        found.evaluateImg(i, k, area, p.maxDets[-1])
        for k in p.catIds
        for area in p.areaRng
        for i in p.imgIds
    ]
    found._paramsEval = copy.deepcopy(p)
    return found._gts, found._dts, found.evalImgs, curves(found, side)


def cells_after(found: Any, side: Side) -> Any:
    """Single steps after an evaluation."""
    found.evaluate()
    p = found.params
    return [
        (
            found.evaluateImg(image, category, [0, 900], 3),
            found.ious[image, category],
            found.ious.get((image, category, 7)),
        )
        for image in p.imgIds
        for category in p.catIds
    ]


def overlaps_changed(found: Any, side: Side) -> Any:
    found.evaluate()
    image, category = found.params.imgIds[0], found.params.catIds[0]
    found.ious[image, category] = []
    return found.evaluateImg(image, category, [0, 1e10], 100), len(found.ious), curves(found, side)


def other_steps(found: Any, side: Side) -> Any:
    class Half(side.evaluator):  # type: ignore[misc, name-defined]
        def computeIoU(self, imgId: Any, catId: Any) -> Any:  # noqa: N802, N803
            overlap = super().computeIoU(imgId, catId)
            return overlap / 2 if len(overlap) else overlap

    half = Half(found.cocoGt, found.cocoDt, found.params.iouType)
    half.evaluate()
    return half.evalImgs, curves(half, side)


def copied(found: Any, side: Side) -> Any:
    parameters = copy.deepcopy(found.params)
    found.evaluate()
    second = copy.deepcopy(found)
    third = pickle.loads(pickle.dumps(found.params))
    return vars(parameters), vars(third), second.evalImgs, curves(second, side), curves(found, side)


def thresholds_in_place(found: Any, side: Side) -> Any:
    found.params.iouThrs[0] = 0.3
    found.params.maxDets.append(7)
    found.params.areaRng[1][1] = 500
    found.evaluate()
    return vars(found.params), found.evalImgs, curves(found, side)


STEPS = [
    *SHARED_STEPS,
    again,
    as_a_text,
    cells_gathered,
    cells_by_hand,
    cells_after,
    overlaps_changed,
    other_steps,
    copied,
    thresholds_in_place,
]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: steps.__name__)
def test_steps(steps: Callable[[Any, Side], Any], kind: str) -> None:
    both(kind, steps)


def test_data_sets_of_the_other_package() -> None:
    """Each evaluator takes the data sets of the other."""
    seen = []
    for evaluator, side in ((OURS.evaluator, THEIRS), (THEIRS.evaluator, OURS)):
        for kind in TYPES:
            there = loaded(side, kind)
            with quiet():
                found = evaluator(there.cocoGt, there.cocoDt, kind)
                found.evaluate()
                seen.append((kind, described(curves(found, side)), described(found.evalImgs)))
    assert seen[:3] == seen[3:]


# ---------------------------------------------------------------------------------------------
# What scripts replace of the classes and of the mask API, for all that is made from then on.


def fewer_results(whole: Any) -> Any:
    def changed(self: Any) -> None:
        whole(self)
        for cell in list(self._dts):
            del self._dts[cell][1::2]

    return changed


def fewer_annotations(whole: Any) -> Any:
    def changed(self: Any) -> None:
        self.dataset["annotations"] = self.dataset["annotations"][::2]
        whole(self)

    return changed


def every_second(whole: Any) -> Any:
    return lambda *arguments, **named: whole(*arguments, **named)[::2]


def first_alone(whole: Any) -> Any:
    return lambda shapes, *others: whole(shapes[:1] if type(shapes) is list else shapes, *others)


def doubled(whole: Any) -> Any:
    return lambda masks: whole(masks) * 2


REPLACED: list[tuple[str, str, str, Callable[[Any], Any]]] = [
    ("bbox", "evaluator", "computeIoU", half_as_near),
    ("segm", "evaluator", "computeIoU", half_as_near),
    ("keypoints", "evaluator", "computeOks", half_as_near),
    ("bbox", "evaluator", "evaluateImg", one_category_alone),
    ("bbox", "evaluator", "_prepare", fewer_results),
    ("bbox", "coco", "createIndex", fewer_annotations),
    ("bbox", "coco", "getAnnIds", every_second),
    ("bbox", "coco", "loadAnns", every_second),
    ("segm", "coco", "annToRLE", triangles),
    ("bbox", "mask", "iou", half_as_near),
    ("segm", "mask", "iou", half_as_near),
    ("segm", "mask", "frPyObjects", first_alone),
    ("segm", "mask", "merge", first_alone),
    ("segm", "mask", "area", doubled),
    ("segm", "mask", "toBbox", doubled),
]


@pytest.mark.parametrize("of_files", [False, True], ids=["of dicts", "of files"])
@pytest.mark.parametrize(
    ("kind", "owner", "name", "change"), REPLACED, ids=lambda part: getattr(part, "__name__", part)
)
def test_what_is_replaced_is_called(
    kind: str,
    owner: str,
    name: str,
    change: Callable[[Any], Any],
    of_files: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, folder = Case("as it is"), tmp_path if of_files else None
    usual = run(THEIRS, case, kind, folder=folder)
    for side in (THEIRS, OURS):
        place = getattr(side, owner)
        monkeypatch.setattr(place, name, change(getattr(place, name)))
    wanted, got = run(THEIRS, case, kind, folder=folder), run(OURS, case, kind, folder=folder)
    assert "raised" not in wanted
    assert wanted != usual
    assert got == wanted


def test_overlaps_are_those_of_the_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is replaced afterwards changes nothing, though they are made when they are looked at."""
    seen = []
    for side in (THEIRS, OURS):
        found = loaded(side, "segm")
        with quiet():
            found.evaluate()
        monkeypatch.setattr(side.mask, "iou", half_as_near(side.mask.iou))
        seen.append(described((found.ious, found.evalImgs)))
    assert seen[1] == seen[0]


# ---------------------------------------------------------------------------------------------
# The list of cells is a list.


def test_cells_are_a_list() -> None:
    found, there = loaded(OURS, "bbox"), loaded(THEIRS, "bbox")
    with quiet():
        found.evaluate(), there.evaluate()
    cells, wanted = found.evalImgs, there.evalImgs
    assert len(cells) == len(wanted) == 3 * 4 * 5
    assert described(cells[7]) == described(wanted[7])
    assert described(cells[-1]) == described(wanted[-1])
    assert described(cells[5:50:7]) == described(wanted[5:50:7])
    assert type(cells[2:4]) is list
    assert cells[::-1][0] is cells[-1]
    for place in (60, -61):
        with pytest.raises(IndexError):
            cells[place]
    with pytest.raises(TypeError):
        cells["a"]
    assert described(list(reversed(cells))) == described(wanted[::-1])
    assert [each is None for each in cells] == [each is None for each in wanted]
    assert described(cells + [None]) == described([*wanted, None])  # noqa: RUF005
    assert described([None] + cells) == described([None, *wanted])  # noqa: RUF005
    assert cells == cells
    assert cells != cells[:-1]
    assert (cells == 7) is False
    assert cells.copy() == cells
    with pytest.raises(TypeError, match="unhashable"):
        hash(cells)
    assert cells.index(cells[7]) == 7
    assert list(type(cells)(cells)) == list(cells)
    del cells[0]
    cells.append("a")
    cells.insert(0, "b")
    assert (cells[0], cells[-1], len(cells)) == ("b", "a", 61)
    assert described(list(cells)[1:-1]) == described(wanted[1:])


def test_a_look_at_one_cell_makes_one_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(OURS, "segm")
    with quiet():
        found.evaluate()
    made = []
    whole = type(found.evalImgs.evaluation).cell
    monkeypatch.setattr(
        type(found.evalImgs.evaluation),
        "cell",
        lambda self, position: made.append(position) or whole(self, position),
    )
    cell = found.evalImgs[7]
    assert found.evalImgs[7] is cell
    assert made == [7]
    assert repr(found.evalImgs) == "<60 cells, each made when it is looked at>"


def overlaps_of_both() -> tuple[Any, Any]:
    found, there = loaded(OURS, "bbox"), loaded(THEIRS, "bbox")
    with quiet():
        found.evaluate(), there.evaluate()
    return found.ious, there.ious


def test_overlaps_are_a_dict() -> None:
    ours, theirs = overlaps_of_both()
    assert isinstance(ours, dict)
    assert "15 overlaps" in repr(ours)
    assert list(ours) == list(theirs)
    assert len(ours) == len(theirs) == 15
    assert (2, 1) in ours
    assert (2, 3) not in ours
    assert 7 not in ours
    for key in ((1, 2), 7, (2, 1, 3)):
        with pytest.raises(KeyError):
            ours[key]
        assert ours.get(key, "none") == "none"
    assert ours[2, 1] is ours[2, 1] is ours.get((2, 1))
    assert ours._lazy is not None
    assert described(dict(ours)) == described(theirs)
    # As torchmetrics makes another of its kind.
    assert described(type(ours)(dict(ours))) == described(theirs)


DICT_STEPS: list[Callable[[Any], Any]] = [
    lambda ious: list(ious.items()),
    lambda ious: list(ious.values()),
    lambda ious: list(ious.keys()),
    lambda ious: ious.copy(),
    lambda ious: {**ious},
    lambda ious: ious | {"a": 5},
    lambda ious: {"a": 5} | ious,
    lambda ious: list(reversed(ious)),
    lambda ious: ious.popitem(),
    lambda ious: (ious.pop((2, 1)), list(ious)),
    lambda ious: ious.pop("a"),
    lambda ious: (ious.setdefault((9, 4), 5), ious.setdefault("a", 5), list(ious)),
    lambda ious: (ious.update(a=5), list(ious)),
    lambda ious: (ious.clear(), ious),
    lambda ious: ious == {},
    lambda ious: ious != {},
    lambda ious: (ious.__delitem__((2, 1)), list(ious), (2, 1) in ious),
    lambda ious: (ious.__setitem__("a", 5), ious.__setitem__((9, 4), 6), list(ious), ious["a"]),
    lambda ious: copy.deepcopy(ious),
    lambda ious: pickle.loads(pickle.dumps(ious)),
    lambda ious: copy.copy(ious),
]


@pytest.mark.parametrize("step", range(len(DICT_STEPS)))
def test_overlaps_do_what_a_dict_does(step: int) -> None:
    seen = []
    for ious in overlaps_of_both():
        ious[9, 4], ious[2, 1]
        try:
            seen.append(described(DICT_STEPS[step](ious)))
        except KeyError as error:
            seen.append(error.args)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("side", [OURS, THEIRS], ids=["ours", "theirs"])
def test_a_perfect_result_is_not_quite_1(side: Side) -> None:
    """1 / (1 + 2^-52), where one detection was looked at."""
    document, _ = scene(5, n_truth=1)
    truth = document["annotations"][0]
    truth.update(iscrowd=0, area=500)
    fields = "image_id", "category_id", "bbox"
    with quiet():
        coco = side.coco()
        coco.dataset = document
        coco.createIndex()
        results = coco.loadRes([{"score": 0.5, **{name: truth[name] for name in fields}}])
        found = side.evaluator(coco, results, "bbox")
        found.evaluate()
        found.accumulate()
        found.summarize()
    assert found.stats[0] == 0.9999999999999998 != 1
