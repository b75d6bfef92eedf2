"""The shim against the installed lvis 0.5.3: arrays, cells, texts, logs, exceptions, in full.

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
from tests.evaluator_steps import SHARED_STEPS, curves
from tests.lvis_cases import MATRIX, MORE
from tests.lvis_sides import OURS, THEIRS, TYPES, Case, Side, loaded, run, seen_output
from tests.pycocotools_sides import OURS as OUR_MASKS
from tests.pycocotools_sides import THEIRS as THEIR_MASKS
from tests.pycocotools_sides import described
from tests.replaced_steps import half_as_near, one_category_alone, triangles

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2, and of lvis 0.5.3 (its log).
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*'warn' method is deprecated:DeprecationWarning"),
    # Means of nothing, numbers that are none: on both sides.
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(autouse=True)
def _old_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """lvis 0.5.3 was written for a NumPy that had it; the shim does not need it."""
    monkeypatch.setattr(np, "float", float, raising=False)


def test_the_matrix_has_64_cells() -> None:
    assert len(MATRIX) * len(TYPES) == 64


def assert_same_runs(folder: Path, case: Case, kind: str, **scene_of: int) -> dict[str, Any]:
    """Check that both implementations do the same; return what that is."""
    wanted = run(THEIRS, folder, case, kind, **scene_of)
    got = run(OURS, folder, case, kind, **scene_of)
    assert got.get("raised") == wanted.get("raised")
    assert list(got) == list(wanted)
    for name, value in wanted.items():
        assert got[name] == value, name
    return wanted


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)
def test_matrix(tmp_path: Path, case: Case, kind: str) -> None:
    assert_same_runs(tmp_path, case, kind)


def test_the_matrix_is_not_of_failures_alone(tmp_path: Path) -> None:
    runs = [run(THEIRS, tmp_path, case, kind) for case in MATRIX for kind in TYPES]
    assert sum("raised" not in each for each in runs) >= 20
    precision = np.frombuffer(runs[0]["eval"]["precision"][4])
    assert 0.05 < precision[precision > -1].mean() < 0.95


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("case", MORE, ids=lambda case: case.name)
def test_more_of_the_kind(tmp_path: Path, case: Case, kind: str) -> None:
    assert_same_runs(tmp_path, case, kind)


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
def test_random_scenes(tmp_path: Path, seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    case = Case(
        "random",
        with_boxes=bool(random.random() < 0.3),
        max_dets=int(random.choice([300, 300, 10, 2, -1])),
    )
    seen = assert_same_runs(
        tmp_path,
        case,
        kind,
        seed=seed,
        n_images=int(random.integers(1, 9)),
        n_truth=int(random.integers(0, 60)),
        n_pred=int(random.integers(1, 120)),
        n_categories=int(random.integers(1, 7)),
    )
    assert "raised" not in seen


@pytest.mark.parametrize("kind", TYPES)
def test_the_usual_goes_through_columns(tmp_path: Path, kind: str) -> None:
    found = loaded(OURS, tmp_path, kind)
    found.run()
    assert type(found.eval_imgs).__name__ == "CellList"
    assert type(found.ious).__name__ == type(found.eval["dt_pointers"]).__name__ == "LazyDict"


# ---------------------------------------------------------------------------------------------
# What scripts do between and after the steps.


def both(folder: Path, kind: str, steps: Callable[[Any, Side], Any], **scene_of: int) -> None:
    """Check that steps on a loaded evaluator give the same on both sides, or raise the same."""
    seen = []
    for side in (THEIRS, OURS):
        found = loaded(side, folder, kind, **scene_of)
        with seen_output() as lines:
            try:
                result = steps(found, side)
            except Exception as error:
                result = type(error), str(error)
        seen.append((described(result), described(found.eval.get("precision")), lines))
    assert seen[1] == seen[0]


def again(found: Any, side: Side) -> Any:
    """What was collected the first time counts the second time, too."""
    found.evaluate()
    first = curves(found, side)
    found.params.cat_ids = found.params.cat_ids[1:]
    found.params.area_rng = found.params.area_rng[:2]
    found.evaluate()
    second = curves(found, side)
    groups = list(found._gts), list(found._gts.values()), list(found._dts)
    return first, second, groups, found.eval_imgs, found.ious


def thrice(found: Any, side: Side) -> Any:
    found.evaluate()
    seen = [found._gts, found._dts]
    found.params.img_ids = found.params.img_ids[:2]
    found.evaluate()
    found.evaluate()
    return curves(found, side), found._gts, found._dts, seen, found.eval_imgs


def numbers_alone(found: Any, side: Side) -> Any:
    found.print_results()
    return found.get_results()


def failed_once(found: Any, side: Side) -> Any:
    """A step that fails leaves truth collected."""
    image = found.lvis_gt.dataset["images"][0]
    listed = image.pop("neg_category_ids")
    with pytest.raises(KeyError):
        found.evaluate()
    image["neg_category_ids"] = listed
    found.evaluate()
    return curves(found, side), found._gts, found._dts


def ids_changed(found: Any, side: Side) -> Any:
    found.evaluate()
    cell = next(cell for cell in found.eval_imgs if cell is not None and cell["dt_ids"])
    cell["dt_ids"] = np.array(cell["dt_ids"]) + 1000
    return curves(found, side)


def cells_after(found: Any, side: Side) -> Any:
    """Single steps after an evaluation."""
    found.evaluate()
    p = found.params
    return [
        (
            found.evaluate_img(image, category, [0, 900]),
            found.compute_iou(image, category),
            found.ious[image, category],
            found.ious.get((image, category, 7)),
        )
        for image in p.img_ids
        for category in p.cat_ids
    ]


def overlaps_changed(found: Any, side: Side) -> Any:
    found.evaluate()
    image, category = found.params.img_ids[0], found.params.cat_ids[0]
    found.ious[image, category] = []
    return found.evaluate_img(image, category, [0, 1e10]), len(found.ious), curves(found, side)


def other_steps(found: Any, side: Side) -> Any:
    class Half(side.evaluator):  # type: ignore[misc, name-defined]
        def compute_iou(self, img_id: Any, cat_id: Any) -> Any:
            overlap = super().compute_iou(img_id, cat_id)
            return overlap / 2 if len(overlap) else overlap

    half = Half(found.lvis_gt, found.lvis_dt, found.params.iou_type)
    half.run()
    return half.eval_imgs, half.results, curves(half, side)


def other_masks(found: Any, side: Side) -> Any:
    data = found.lvis_gt
    whole = data.ann_to_rle
    data.ann_to_rle = lambda ann: whole({**ann, "segmentation": [[0, 0, 0, 9, 9, 9, 9, 0]]})
    found.evaluate()
    return curves(found, side), data.anns


def copied(found: Any, side: Side) -> Any:
    parameters = copy.deepcopy(found.params)
    found.evaluate()
    second = copy.deepcopy(found)
    third = pickle.loads(pickle.dumps(found.params))
    found.accumulate()
    fourth = pickle.loads(pickle.dumps(found.eval["dt_pointers"]))
    return vars(parameters), vars(third), second.eval_imgs, curves(second, side), fourth


def thresholds_in_place(found: Any, side: Side) -> Any:
    found.params.iou_thrs[0] = 0.3
    found.params.area_rng[1][1] = 500
    found.run()
    found.print_results()
    return vars(found.params), found.eval_imgs, curves(found, side), found.get_results()


def summarised_twice(found: Any, side: Side) -> Any:
    found.run()
    found.params.max_dets = 100
    found.summarize()
    found.print_results()
    return found.results


STEPS = [
    *SHARED_STEPS,
    again,
    thrice,
    numbers_alone,
    failed_once,
    ids_changed,
    cells_after,
    overlaps_changed,
    other_steps,
    other_masks,
    copied,
    thresholds_in_place,
    summarised_twice,
]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: steps.__name__)
def test_steps(tmp_path: Path, steps: Callable[[Any, Side], Any], kind: str) -> None:
    both(tmp_path, kind, steps)


def test_a_look_at_one_cell_makes_one_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(OURS, tmp_path, "segm")
    found.evaluate()
    made = []
    whole = type(found.eval_imgs.evaluation).cell
    monkeypatch.setattr(
        type(found.eval_imgs.evaluation),
        "cell",
        lambda self, position: made.append(position) or whole(self, position),
    )
    cell = found.eval_imgs[7]
    assert found.eval_imgs[7] is cell
    assert made == [7]


def test_where_numpy_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """lvis 0.5.3 stops there; the shim does not."""
    monkeypatch.delattr(np, "float")
    with pytest.raises(AttributeError, match="float"):
        loaded(THEIRS, tmp_path, "bbox").run()
    found = loaded(OURS, tmp_path, "bbox")
    found.run()
    assert found.results["AP"] > 0


# ---------------------------------------------------------------------------------------------
# What scripts replace of the classes and of the mask API.


def fewer_results(whole: Any) -> Any:
    def changed(self: Any, *arguments: Any) -> Any:
        truth, pred = whole(self, *arguments)
        return truth, pred[::2]

    return changed


REPLACED: list[tuple[str, str, str, Callable[[Any], Any]]] = [
    ("bbox", "evaluator", "compute_iou", half_as_near),
    ("segm", "evaluator", "compute_iou", half_as_near),
    ("bbox", "evaluator", "evaluate_img", one_category_alone),
    ("bbox", "evaluator", "_get_gt_dt", fewer_results),
    ("segm", "lvis", "ann_to_rle", triangles),
    ("bbox", "mask", "iou", half_as_near),
    ("segm", "mask", "iou", half_as_near),
]


@pytest.mark.parametrize(
    ("kind", "owner", "name", "change"), REPLACED, ids=lambda part: getattr(part, "__name__", part)
)
def test_what_is_replaced_is_called(
    kind: str,
    owner: str,
    name: str,
    change: Callable[[Any], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case("as it is")
    usual = run(THEIRS, tmp_path, case, kind)
    for side, mask in ((THEIRS, THEIR_MASKS.mask), (OURS, OUR_MASKS.mask)):
        place = mask if owner == "mask" else getattr(side, owner)
        monkeypatch.setattr(place, name, change(getattr(place, name)))
    wanted, got = run(THEIRS, tmp_path, case, kind), run(OURS, tmp_path, case, kind)
    assert "raised" not in wanted
    assert wanted != usual
    assert got == wanted
