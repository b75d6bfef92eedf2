"""The shim against the installed pycocotools 2.0.11: arrays, cells, texts, exceptions, in full.

SNELLEN_FUZZ_EXAMPLES=5000 tries so many random scenes, other ones each time.
"""

# ruff: noqa: ARG001, ARG005 - what is called with arguments that not all need

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.coco_scenes import scene
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
from tests.record_changes import all_of, each_of, emptied, having, renamed_ids, setting, without

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # Means of nothing, numbers that are none: on both sides.
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

# ---------------------------------------------------------------------------------------------
# The matrix: 31 cases of each IoU type.


MATRIX = [
    Case("everything as usual"),
    # Fields that are missing.
    *[Case(f"truth without {f}", truth=without(f)) for f in (
        "id", "image_id", "category_id", "area", "iscrowd"
    )],
    Case("truth without a shape", truth=without(None)),
    *[Case(f"results without {f}", pred=without(f)) for f in (
        "image_id", "category_id", "score"
    )],
    Case("results without a shape", pred=without(None)),
    Case("one result without a score", pred=without("score", every=41)),
    # Lists that are empty.
    Case("no truth", truth=emptied("annotations")),
    Case("no results", pred=lambda results, kind: results.clear()),
    Case(
        "no results in a data set",
        pred=lambda results, kind: results.clear(),
        through_results=False,
    ),
    Case("no images", truth=emptied("images")),
    Case("no categories", truth=emptied("categories")),
    Case("nothing at all", truth=emptied("images", "categories", "annotations")),
    Case("truth of empty shapes", truth=setting(None, [])),
    Case("results of empty shapes", pred=setting(None, [])),
    # Parameters.
    Case("no images wanted", parameters=having(imgIds=[])),
    Case("no categories wanted", parameters=having(catIds=[])),
    Case("some images wanted", parameters=having(imgIds=lambda p: p.imgIds[3:0:-1])),
    Case("unknown categories wanted", parameters=having(catIds=[4, 99, 4])),
    Case("caps of 1, 10, 300", parameters=having(maxDets=[300, 1, 10])),
    Case("one cap", parameters=having(maxDets=[3])),
    Case("no area ranges", parameters=having(areaRng=[], areaRngLbl=[])),
    Case("one IoU threshold", parameters=having(iouThrs=np.array([0.5]))),
    Case("no IoU thresholds", parameters=having(iouThrs=np.array([]))),
    Case("no recall thresholds", parameters=having(recThrs=np.array([]))),
    Case("categories not used", parameters=having(useCats=0)),
]  # fmt: skip


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


# ---------------------------------------------------------------------------------------------
# More of the kind.


def names(case_name: str, name: Callable[[int], Any]) -> Case:
    truth, pred = renamed_ids(name)
    return Case(case_name, truth=truth, pred=pred)


INFINITY = float("inf")
NAN = float("nan")
MORE = [
    Case("one truth object without a shape", truth=without(None, every=13)),
    Case("one result without a shape", pred=without(None, every=41)),
    Case("one truth object without an area", truth=without("area", every=17)),
    Case("one truth object without iscrowd", truth=without("iscrowd", every=17)),
    Case("one truth object without its number of keypoints", truth=without("num_keypoints", 9)),
    Case("an unknown image", pred=setting("image_id", 1000, every=59)),
    Case("an unknown category", pred=setting("category_id", 1000, every=7)),
    Case("truth of an unknown category", truth=setting("category_id", 1000, every=7)),
    Case("truth of an unknown image", truth=setting("image_id", 1000, every=7)),
    Case("no list of categories", truth=lambda document, kind: document.pop("categories")),
    Case("no list of images", truth=lambda document, kind: document.pop("images")),
    Case("no list of annotations", truth=lambda document, kind: document.pop("annotations")),
    Case("no info", truth=lambda document, kind: document.pop("info")),
    # Ids.
    names("texts as ids", str),
    names("floats as ids", float),
    names("pairs as ids", lambda number: (number, "a")),
    names("ids beyond 32 bits", lambda number: number * 2**40),
    names("ids beyond 64 bits", lambda number: number * 2**80),
    names("negative ids", lambda number: -number),
    names("NumPy's ids", np.int32),
    names("lists as ids", lambda number: [number]),
    Case("an annotation id of 0", truth=each_of(lambda _, i: i, "id")),
    Case("annotation ids of 0 alone", truth=setting("id", 0)),
    Case("negative annotation ids", truth=each_of(lambda _, i: -i - 1, "id")),
    Case("annotation ids twice", truth=each_of(lambda _, i: i // 2 + 1, "id")),
    Case("texts as annotation ids", truth=each_of(lambda _, i: f"a{i}", "id")),
    Case("texts of numbers as annotation ids", truth=each_of(lambda _, i: f"{i}", "id")),
    Case("fractions as annotation ids", truth=each_of(lambda _, i: i / 2, "id")),
    Case("large annotation ids", truth=each_of(lambda _, i: 2**60 + i, "id")),
    Case("huge annotation ids", truth=each_of(lambda _, i: 10**400 + i, "id")),
    Case("flags as annotation ids", truth=each_of(lambda _, i: i % 3 == 0, "id")),
    *[
        Case(
            f"results with {what} as ids, in a data set",
            pred=all_of(
                each_of(lambda record, i, number=number: number(i), "id"),
                setting("area", 100.0),
                setting("iscrowd", 0),
            ),
            through_results=False,
        )
        for what, number in (
            ("numbers", lambda i: i + 1),
            ("numbers from 0 on", lambda i: i),
            ("negative numbers", lambda i: -i - 1),
            ("texts", lambda i: f"d{i}"),
            ("the same number", lambda i: 7),
        )
    ],
    # Numbers.
    Case("scores that are none", pred=setting("score", NAN, every=3)),
    Case("infinite scores", pred=all_of(
        setting("score", INFINITY, 3), setting("score", -INFINITY, 4)
    )),
    Case("scores of 0 and -0", pred=all_of(setting("score", 0.0), setting("score", -0.0, 2))),
    Case("whole scores", pred=each_of(lambda _, i: i * 7 % 5, "score")),
    Case("negative scores", pred=each_of(lambda _, i: -(i * 7 % 5) / 3, "score")),
    Case("huge scores", pred=each_of(lambda _, i: 2**53 + i % 3, "score")),
    Case("scores beyond float64", pred=each_of(lambda _, i: 10**400 + i, "score")),
    Case("flags as scores", pred=each_of(lambda _, i: i % 2 == 0, "score")),
    Case("texts as scores", pred=each_of(lambda _, i: f"{i}", "score")),
    Case("no score at one", pred=setting("score", None, every=50)),
    Case("scores in single precision", pred=each_of(lambda r, i: np.float32(r["score"]), "score")),
    Case("scores as small whole numbers", pred=each_of(lambda _, i: np.uint8(i % 5), "score")),
    Case("scores in arrays", pred=each_of(lambda r, i: np.array(r["score"]), "score")),
    Case("areas that are none", truth=setting("area", NAN, every=3)),
    Case("infinite areas", truth=setting("area", INFINITY, every=3)),
    Case("negative areas", truth=setting("area", -5.0, every=3)),
    Case("areas as texts", truth=setting("area", "9", every=3)),
    Case("areas of 0", truth=setting("area", 0, every=2)),
    Case("areas in single precision", truth=each_of(lambda _, i: np.float32(1024 + i / 9), "area")),
    Case("crowds of 2", truth=setting("iscrowd", 2, every=3)),
    Case("crowds of 256", truth=setting("iscrowd", 256, every=3)),
    Case("negative crowds", truth=setting("iscrowd", -1, every=3)),
    Case("half a crowd", truth=setting("iscrowd", 0.5, every=3)),
    Case("crowds as flags", truth=each_of(lambda _, i: i % 3 == 0, "iscrowd")),
    Case("crowds as texts", truth=each_of(lambda _, i: "01"[i % 2], "iscrowd")),
    Case("no crowd at one", truth=setting("iscrowd", None, every=13)),
    Case("all are crowds", truth=setting("iscrowd", 1)),
    Case("no visible keypoints", truth=all_of(
        setting("num_keypoints", 0, every=2), setting("keypoints", [3.0, 4.0, 0] * 17, every=3)
    )),
    *[
        Case(f"boxes of {what} in {whose}", with_boxes=True, **{whose: each_of(
            lambda r, i, change=change: change(r["bbox"]) if i % 3 == 0 else r["bbox"], "bbox"
        )})
        for whose in ("truth", "pred")
        for what, change in (
            ("NaN", lambda box: [NAN, *box[1:]]),
            ("infinite width", lambda box: [*box[:2], INFINITY, box[3]]),
            ("negative width", lambda box: [*box[:2], -box[2], box[3]]),
            ("no width", lambda box: [*box[:2], 0, box[3]]),
            ("whole numbers", lambda box: [int(x) for x in box]),
            ("NumPy's numbers", lambda box: [np.int64(box[0]), *map(np.float32, box[1:])]),
            ("1e300", lambda box: [*box[:2], 1e300, 1e300]),
            ("10**400", lambda box: [*box[:3], 10**400]),
            ("three numbers", lambda box: box[:3]),
            ("five numbers", lambda box: [*box, 1.0]),
            ("texts", lambda box: [str(x) for x in box]),
            ("a tuple", tuple),
            ("an array", np.array),
            ("None", lambda box: None),
        )
    ],
    # Parameters.
    Case("categories used twice", parameters=having(useCats=2)),
    Case("categories not used, some wanted", parameters=having(useCats=0, catIds=[7, 1])),
    Case("categories not used, one wanted twice", parameters=having(useCats=0, catIds=[7, 1, 7])),
    Case("categories not used, none wanted", parameters=having(useCats=0, catIds=[])),
    Case("some categories wanted", parameters=having(catIds=[7, 4])),
    Case("unknown images wanted", parameters=having(imgIds=[9, 1000, 2, 9])),
    Case("images wanted as texts", parameters=having(imgIds=["9", "2"])),
    Case("images in an array", parameters=having(imgIds=lambda p: np.array(p.imgIds))),
    Case("no cap", parameters=having(maxDets=[])),
    Case("a cap of 0", parameters=having(maxDets=[0, 1, 2])),
    Case("caps of 0 alone", parameters=having(maxDets=[0, 0, 0])),
    Case("a negative cap", parameters=having(maxDets=[-1, 1, 2])),
    Case("small caps", parameters=having(maxDets=[1, 2, 3])),
    Case("equal caps", parameters=having(maxDets=[2, 2, 100, 100])),
    Case("caps as floats", parameters=having(maxDets=[1.0, 10.0, 100.0])),
    Case("caps of NumPy", parameters=having(maxDets=list(np.array([1, 10, 100])))),
    Case("caps in a tuple", parameters=having(maxDets=(100, 10, 1))),
    Case("IoU thresholds in a list", parameters=having(iouThrs=[0.5, 0.75])),
    Case("IoU thresholds from high to low", parameters=having(iouThrs=np.array([0.75, 0.5, 0.6]))),
    Case("IoU thresholds below 0 and above 1", parameters=having(
        iouThrs=np.array([-0.5, 0, 1, 2])
    )),
    Case("IoU thresholds that are none", parameters=having(iouThrs=np.array([0.5, NAN, 0.75]))),
    Case("IoU thresholds in single precision", parameters=having(
        iouThrs=np.linspace(0.5, 0.95, 10, dtype=np.float32)
    )),
    Case("forty IoU thresholds", parameters=having(iouThrs=np.linspace(0.025, 1, 40))),
    Case("recalls in a list", parameters=having(recThrs=[0.0, 0.5, 1.0])),
    Case("recalls from high to low", parameters=having(recThrs=np.array([1, 0.5, 0.1, 0.2]))),
    Case("recalls that are none", parameters=having(recThrs=np.array([0.1, NAN]))),
    Case("recalls below 0 and above 1", parameters=having(recThrs=np.array([-1, 0.0, 0.5, 1.5]))),
    Case("other area ranges", parameters=having(
        areaRng=[[0, 1e10], [100, 200.5], [0, 1e10], (1024, 1024)],
        areaRngLbl=["all", "small", "medium", "large"],
    )),
    Case("area ranges turned round", parameters=having(
        areaRng=[[1e5, 0], [0, 1e5], [9, 9], [1, 2]]
    )),
    Case("area ranges without end", parameters=having(areaRng=[[-INFINITY, INFINITY]] * 4)),
    Case("area ranges that are none", parameters=having(areaRng=[[NAN, NAN]] * 4)),
    Case("area ranges of one number", parameters=having(areaRng=[[0]] * 4)),
    Case("area ranges of three numbers", parameters=having(areaRng=[[0, 500, 7]] * 4)),
    Case("area ranges in an array", parameters=having(areaRng=lambda p: np.array(p.areaRng))),
    Case("forty area ranges", parameters=having(areaRng=[[10 * i, 1000] for i in range(40)])),
    Case("other labels of areas", parameters=having(areaRngLbl=["all", "tiny", "all"])),
    Case("useSegm", parameters=having(useSegm=1)),
    Case("useSegm of 0", parameters=having(useSegm=0)),
    Case("an unknown iouType", parameters=having(iouType="oriented")),
    Case("an unknown iouType, no images", parameters=having(iouType="oriented", imgIds=[])),
    Case("other sigmas", parameters=having(kpt_oks_sigmas=np.full(17, 0.05))),
    Case("too few sigmas", parameters=having(kpt_oks_sigmas=np.full(4, 0.05))),
    # accumulate(p)
    Case("curves of all", wanted=having()),
    Case("curves of the second category", wanted=having(catIds=[4])),
    Case("curves of two categories", wanted=having(catIds=[7, 1])),
    Case("curves of more categories", wanted=having(catIds=[1, 2, 4, 7])),
    Case("curves of unknown categories", wanted=having(catIds=[99, 98, 97, 1])),
    Case("curves of some images", wanted=having(imgIds=[16, 23])),
    Case("curves of unknown images", wanted=having(imgIds=[1, 3, 2, 9, 16, 17, 23])),
    Case("curves of one area range", wanted=having(areaRng=[[0, 1e10]], areaRngLbl=["all"])),
    Case("curves of the last area range", wanted=having(areaRng=[[96**2, 1e10]])),
    Case("curves of other area ranges", wanted=having(areaRng=[[1, 2], [0, 1e10]])),
    Case("curves of one cap", wanted=having(maxDets=[10])),
    Case("curves of caps turned round", wanted=having(maxDets=[100, 10, 1])),
    Case("curves of other caps", wanted=having(maxDets=[5, 10, 50])),
    Case("curves of other recalls", wanted=having(recThrs=np.linspace(0, 1, 11))),
    Case("curves of fewer IoU thresholds", wanted=having(iouThrs=np.array([0.5, 0.75]))),
    Case("curves of more IoU thresholds", wanted=having(iouThrs=np.linspace(0.1, 0.9, 17))),
    Case("curves of categories not used", wanted=having(useCats=0)),
    Case("curves of categories used twice", wanted=having(useCats=2)),
]  # fmt: skip


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
    assert type(found.ious).__name__ == "LateDict"


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


def curves(found: Any) -> Any:
    found.accumulate()
    return [found.eval[name] for name in ("precision", "recall", "scores")]


def again(found: Any, side: Side) -> Any:
    found.evaluate()
    first = curves(found)
    found.params.maxDets = [1, 2, 3]
    found.params.catIds = found.params.catIds[1:]
    found.evaluate()
    return first, curves(found), curves(found)


def summarised_alone(found: Any, side: Side) -> Any:
    return found.summarize()


def accumulated_alone(found: Any, side: Side) -> Any:
    return found.accumulate()


def as_a_text(found: Any, side: Side) -> Any:
    found.evaluate()
    found.accumulate()
    return str(found)


def cells_changed(found: Any, side: Side) -> Any:
    found.evaluate()
    seen = [i for i, cell in enumerate(found.evalImgs) if cell is not None]
    for i in seen[::3]:
        found.evalImgs[i]["dtIgnore"][:] = True
    for i in seen[1::3]:
        found.evalImgs[i]["dtScores"][0:1] = [0.001]
    return curves(found)


def cells_replaced(found: Any, side: Side) -> Any:
    found.evaluate()
    found.evalImgs[0] = None
    found.evalImgs[3:5] = [None, None]
    return curves(found), found.evalImgs[0], list(found.evalImgs[1:4])


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
    return cells.dtype, cells.shape, curves(found)


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
    return found._gts, found._dts, found.evalImgs, curves(found)


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
    return found.evaluateImg(image, category, [0, 1e10], 100), len(found.ious), curves(found)


def annotations_changed(found: Any, side: Side) -> Any:
    """What was evaluated stays what it was."""
    found.evaluate()
    for each in found.cocoDt.anns.values():
        each["score"] = 1.0
    return found.evalImgs, curves(found)


def parameters_changed(found: Any, side: Side) -> Any:
    found.evaluate()
    found.params.iouThrs[:] = 0.5
    found.params.areaRng[0][1] = 0
    return curves(found)


def other_steps(found: Any, side: Side) -> Any:
    class Half(side.evaluator):  # type: ignore[misc, name-defined]
        def computeIoU(self, imgId: Any, catId: Any) -> Any:  # noqa: N802, N803
            overlap = super().computeIoU(imgId, catId)
            return overlap / 2 if len(overlap) else overlap

    half = Half(found.cocoGt, found.cocoDt, found.params.iouType)
    half.evaluate()
    return half.evalImgs, curves(half)


def steps_of_the_object(found: Any, side: Side) -> Any:
    whole = found.evaluateImg
    found.evaluateImg = lambda *arguments: whole(*arguments) if arguments[1] == 4 else None
    found.evaluate()
    return found.evalImgs, curves(found)


def copied(found: Any, side: Side) -> Any:
    parameters = copy.deepcopy(found.params)
    found.evaluate()
    second = copy.deepcopy(found)
    third = pickle.loads(pickle.dumps(found.params))
    return vars(parameters), vars(third), second.evalImgs, curves(second), curves(found)


def thresholds_in_place(found: Any, side: Side) -> Any:
    found.params.iouThrs[0] = 0.3
    found.params.maxDets.append(7)
    found.params.areaRng[1][1] = 500
    found.evaluate()
    return vars(found.params), found.evalImgs, curves(found)


STEPS = [
    again,
    summarised_alone,
    accumulated_alone,
    as_a_text,
    cells_changed,
    cells_replaced,
    cells_gathered,
    cells_by_hand,
    cells_after,
    overlaps_changed,
    annotations_changed,
    parameters_changed,
    other_steps,
    steps_of_the_object,
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
                seen.append((kind, described(curves(found)), described(found.evalImgs)))
    assert seen[:3] == seen[3:]


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
    assert ours._late is not None
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
