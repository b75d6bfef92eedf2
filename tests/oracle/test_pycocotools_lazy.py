"""Data sets of files, whose dicts are made when somebody looks, against pycocotools 2.0.11."""

# ruff: noqa: ARG001 - what is called with arguments that not all need

from __future__ import annotations

import contextlib
import copy
import gc
import json
import pickle
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.coco_scenes import scene
from tests.pycocotools_cases import MATRIX, MORE
from tests.pycocotools_sides import (
    OURS,
    THEIRS,
    TYPES,
    Case,
    Side,
    as_json,
    changed,
    described,
    loaded,
    quiet,
    run,
    timeless,
)
from tests.record_changes import having, without

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


def is_lazy(coco: Any) -> bool:
    """Whether nobody has made the dicts of a data set."""
    lazy = vars(coco).get("_lazy")
    return lazy is not None and not lazy.are_made


# ---------------------------------------------------------------------------------------------
# The matrix and all else, of files.


def can_be_written(case: Case) -> bool:
    with contextlib.suppress(TypeError):
        for part in changed(case, "bbox", 5):
            as_json(part)
        return True
    return False


# Masks and keypoints are evaluated by dicts, as they are without files.
WRITTEN = [(case, kind) for case in MATRIX for kind in TYPES] + [
    (case, "bbox") for case in MORE if can_be_written(case)
]


def assert_same_runs(case: Case, kind: str, folder: Path, **scene_of: int) -> dict[str, Any]:
    wanted = run(THEIRS, case, kind, folder=folder, **scene_of)
    got = run(OURS, case, kind, folder=folder, **scene_of)
    assert list(got) == list(wanted)
    for name, value in wanted.items():
        assert got[name] == value, name
    return wanted


@pytest.mark.parametrize(("case", "kind"), WRITTEN, ids=lambda part: getattr(part, "name", part))
def test_files_of_all_cases(case: Case, kind: str, tmp_path: Path) -> None:
    assert_same_runs(case, kind, tmp_path)


def test_most_cases_can_be_written() -> None:
    assert len(WRITTEN) > 93 + 0.8 * len(MORE)


@pytest.mark.parametrize("seed", range(24))
def test_random_files(seed: int, tmp_path: Path) -> None:
    """Objects of an image lie apart, as they do in files."""
    random = np.random.default_rng(seed)

    def shuffled(records: Any, kind: str) -> None:
        random.shuffle(records["annotations"] if isinstance(records, dict) else records)

    def prepared(side: Side) -> dict[str, Any]:
        nonlocal random
        random = np.random.default_rng(seed)
        use = int(random.random() < 0.8)
        cap = int(random.integers(2, 9))
        case = Case(
            "random",
            truth=shuffled,
            pred=shuffled,
            parameters=having(maxDets=[1, cap, 100], useCats=use),
        )
        return run(side, case, "bbox", seed, tmp_path, n_images=9, n_truth=60, n_pred=150)

    wanted, got = prepared(THEIRS), prepared(OURS)
    assert "raised" not in wanted
    for name, value in wanted.items():
        assert got[name] == value, name


# ---------------------------------------------------------------------------------------------
# What makes the dicts, and what does not.


def test_an_evaluation_makes_no_dict(tmp_path: Path) -> None:
    found = loaded(OURS, "bbox", folder=tmp_path)
    with quiet():
        found.evaluate()
        found.accumulate()
        found.summarize()
    assert any(cell is not None for cell in found.evalImgs)
    assert found.cocoGt.getAnnIds() == [*range(1, 31)]
    assert found.cocoGt.getCatIds() == found.params.catIds == [1, 4, 7]
    assert found.cocoGt.loadImgs(2)[0]["file_name"] == "0.png"
    assert is_lazy(found.cocoGt)
    assert is_lazy(found.cocoDt)


@pytest.mark.parametrize("name", ["dataset", "anns", "imgToAnns", "catToImgs"])
def test_a_look_makes_all(name: str, tmp_path: Path) -> None:
    found = loaded(OURS, "bbox", folder=tmp_path)
    wanted = loaded(THEIRS, "bbox", folder=tmp_path)
    for ours, theirs in ((found.cocoGt, wanted.cocoGt), (found.cocoDt, wanted.cocoDt)):
        assert described(getattr(ours, name)) == described(getattr(theirs, name))
        assert set(vars(ours)) == set(vars(theirs))
        assert type(ours.dataset) is dict
        assert type(ours.anns) is dict
        assert type(ours.imgToAnns) is type(ours.catToImgs) is defaultdict
        assert getattr(ours, name) is getattr(ours, name)
        for each in ours.dataset["annotations"]:
            assert ours.anns[each["id"]] is each
            assert any(each is one for one in ours.imgToAnns[each["image_id"]])
        assert list(ours.dataset) == list(theirs.dataset)
        assert all(ours.imgs[each["id"]] is each for each in ours.dataset["images"])
        assert all(ours.cats[each["id"]] is each for each in ours.dataset["categories"])
        assert json.dumps(ours.dataset) == json.dumps(theirs.dataset)
    images = found.cocoGt.dataset["images"]
    assert all(a is b for a, b in zip(images, found.cocoDt.dataset["images"], strict=True))
    assert images is not found.cocoDt.dataset["images"]


def test_a_name_that_was_never_there(tmp_path: Path) -> None:
    truth = loaded(OURS, "bbox", folder=tmp_path).cocoGt
    assert not hasattr(truth, "annotations")
    del truth.anns
    with pytest.raises(AttributeError, match="no attribute 'anns'"):
        truth.anns  # noqa: B018


# Each takes an evaluator, and does what a script may do to its data sets.


def scores_changed(found: Any) -> Any:
    for each in found.cocoDt.dataset["annotations"][::3]:
        each["score"] = 0.125


def boxes_changed(found: Any) -> Any:
    for each in found.cocoGt.loadAnns(found.cocoGt.getAnnIds(imgIds=[2, 9])):
        each["bbox"][2] += 3


def crowds_changed(found: Any) -> Any:
    for each in found.cocoGt.imgToAnns[9]:
        each["iscrowd"] = 1


def truth_removed(found: Any) -> Any:
    annotations = found.cocoGt.dataset["annotations"]
    del annotations[::2]
    found.cocoGt.createIndex()


def list_changed(found: Any) -> Any:
    """Which the index knows nothing of."""
    found.cocoGt.dataset["annotations"].clear()


def data_set_replaced(found: Any) -> Any:
    found.cocoGt.dataset = json.loads(json.dumps(found.cocoGt.dataset))
    found.cocoGt.dataset["annotations"][0]["category_id"] = 7


def data_set_replaced_unseen(found: Any) -> Any:
    found.cocoGt.dataset = {"images": [], "annotations": [], "categories": []}
    return found.cocoGt.getAnnIds(), len(found.cocoGt.anns), found.cocoGt.getCatIds()


def index_replaced_unseen(found: Any) -> Any:
    found.cocoDt.anns = {1: {"id": 1, "image_id": 2, "category_id": 1, "bbox": [0, 0, 9, 9.0]}}
    return found.cocoDt.getAnnIds(imgIds=2)


def images_changed(found: Any) -> Any:
    found.cocoGt.imgs[2]["id"] = 1000
    found.cocoGt.imgs.pop(9)
    return found.cocoGt.getImgIds(), found.cocoDt.dataset["images"][0]["id"]


def categories_changed(found: Any) -> Any:
    found.cocoGt.cats[1]["id"] = 1000
    return (
        found.cocoGt.getCatIds(),
        found.cocoDt.getCatIds(),
        found.cocoGt.getCatIds(catNms="kind 1"),
    )


def results_loaded_again(found: Any) -> Any:
    found.cocoGt.cats[4]["name"] = "another"
    found.cocoDt = found.cocoGt.loadRes(list(found.cocoDt.anns.values())[::2])
    return found.cocoDt.dataset["categories"]


def copied(found: Any) -> Any:
    found.cocoGt = copy.copy(found.cocoGt)
    found.cocoDt = copy.deepcopy(found.cocoDt)
    return found.cocoGt.dataset, found.cocoDt.dataset


def pickled(found: Any) -> Any:
    found.cocoGt, found.cocoDt = pickle.loads(pickle.dumps((found.cocoGt, found.cocoDt)))
    return found.cocoGt.dataset, found.cocoDt.imgToAnns


def evaluator_copied(found: Any) -> Any:
    with quiet():
        found.evaluate()
    other = copy.deepcopy(found)
    same = all(
        a is b
        for key in other._gts
        for a, b in zip(
            other._gts[key],
            [each for each in other.cocoGt.imgToAnns[key[0]] if each["category_id"] == key[1]],
            strict=True,
        )
    )
    return same, other.evalImgs, other._gts, other.cocoGt.dataset


def groups_changed(found: Any) -> Any:
    """The annotations of an evaluation are those of the data set."""
    with quiet():
        found.evaluate()
    for each in found._dts[2, 1]:
        each["score"] = 0.0625
    return [each["score"] for each in found.cocoDt.anns.values()]


def groups_changed_alone(found: Any) -> Any:
    """Nobody looks at the data set itself."""
    with quiet():
        found.evaluate()
    for each in found._gts[9, 4]:
        each["bbox"] = [0, 0, 1, 1]


def list_emptied_before_groups(found: Any) -> Any:
    """They are of the annotations that were evaluated, whatever became of the list."""
    with quiet():
        found.evaluate()
    del found.cocoGt.dataset["annotations"][3:]
    return found._gts


def looked_up(found: Any) -> Any:
    truth, pred = found.cocoGt, found.cocoDt
    return (
        [truth.getAnnIds(imgIds=9), truth.getAnnIds(catIds=[4]), truth.getAnnIds(iscrowd=True)],
        [truth.getAnnIds(areaRng=[0, 600]), truth.getImgIds(catIds=[1, 4]), pred.getAnnIds()],
        [truth.loadAnns(3), truth.loadAnns([1, 2]), pred.loadAnns(1), pred.loadCats(4)],
        [truth.getCatIds("kind 2"), pred.getImgIds(), truth.loadImgs([2, 9])],
    )


def described_to_all(found: Any) -> Any:
    found.cocoGt.info()


def results_are_truth(found: Any) -> Any:
    """A second detector against the first."""
    found.cocoGt = found.cocoDt


def truth_is_results(found: Any) -> Any:
    """Which has no scores."""
    found.cocoDt = found.cocoGt


def made_anew(found: Any) -> Any:
    found.cocoDt.__init__()
    return found.cocoDt.dataset, pickle.loads(pickle.dumps(found.cocoDt)).anns


def nothing(found: Any) -> Any:
    pass


DEEDS = [
    scores_changed, boxes_changed, crowds_changed, truth_removed,
    list_changed, data_set_replaced, data_set_replaced_unseen, index_replaced_unseen,
    images_changed, categories_changed, results_loaded_again, copied,
    pickled, evaluator_copied, groups_changed_alone, groups_changed,
    looked_up, list_emptied_before_groups, described_to_all, results_are_truth,
    truth_is_results, made_anew, nothing,
]  # fmt: skip


def afterwards(found: Any) -> Any:
    """Return all that can be seen of an evaluator after an evaluation."""
    with contextlib.suppress(KeyError, AttributeError):
        found.evaluate()
        found.accumulate()
    curves = [found.eval.get(name) for name in ("precision", "recall", "scores")]
    sets = [(each.dataset, each.anns, each.imgToAnns) for each in (found.cocoGt, found.cocoDt)]
    return described((curves, found.evalImgs, sets, found._gts, found._dts))


@pytest.mark.parametrize("evaluated", [False, True], ids=["before", "after an evaluation"])
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_deeds(deed: Callable[[Any], Any], evaluated: bool, tmp_path: Path) -> None:
    seen = []
    for side in (THEIRS, OURS):
        found = loaded(side, "bbox", folder=tmp_path)
        with quiet() as printed:
            if evaluated:
                found.evaluate()
            result = described(deed(found))
            seen.append((result, afterwards(found), timeless(printed.getvalue())))
    assert seen[1] == seen[0]


def outcome(deed: Callable[[], Any]) -> Any:
    try:
        return deed()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("seed", range(40))
def test_deeds_one_after_the_other(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    deeds = [DEEDS[i] for i in random.integers(len(DEEDS), size=3)]
    seen: list[Any] = []
    for side in (THEIRS, OURS):
        found = loaded(side, "bbox", seed, tmp_path)
        seen.append([])
        with quiet():
            seen[-1] += [outcome(lambda: described(deed(found))) for deed in deeds]  # noqa: B023
            seen[-1].append(outcome(lambda: afterwards(found)))  # noqa: B023
    assert seen[1] == seen[0]


# ---------------------------------------------------------------------------------------------
# Parameters, several evaluations of the same files.


def test_marks_of_several_evaluations(tmp_path: Path) -> None:
    case = Case("without a mark", truth=without("ignore"))
    document, results = changed(case, "bbox", 5)
    for name, content in (("truth", document), ("results", results)):
        (tmp_path / f"{name}.json").write_text(as_json(content))
    seen = []
    for side in (THEIRS, OURS):
        with quiet():
            truth = side.coco(str(tmp_path / "truth.json"))
            pred = truth.loadRes(str(tmp_path / "results.json"))
            found = side.evaluator(truth, pred, "bbox")
            for changes in (
                {"imgIds": [2, 9], "areaRng": [[0, 1e10], [0, 300]], "areaRngLbl": ["all", "a"]},
                {"catIds": [4]},
                {"imgIds": [16], "catIds": [1, 7], "useCats": 0},
            ):
                for name, value in changes.items():
                    setattr(found.params, name, value)
                found.evaluate()
        if side is OURS:
            assert is_lazy(found.cocoGt)
        seen.append(described(found.cocoGt.dataset))
    assert seen[1] == seen[0]
    marks = {
        tuple(each.get(name) for name in ("ignore", "_ignore"))
        for each in found.cocoGt.dataset["annotations"]
    }
    assert {(None, None), (0, None), (0, 0), (0, 1), (1, 1)} <= marks


def test_one_truth_many_results(tmp_path: Path) -> None:
    document, results = scene(3)
    (tmp_path / "truth.json").write_text(as_json(document))
    seen = []
    for side in (THEIRS, OURS):
        with quiet():
            truth = side.coco(tmp_path / "truth.json")
            for i in range(4):
                path = tmp_path / f"{i}.json"
                path.write_text(
                    as_json(
                        [
                            {key: each[key] for key in ("image_id", "category_id", "bbox", "score")}
                            for each in results[i::4]
                        ]
                    )
                )
                found = side.evaluator(truth, truth.loadRes(str(path)), "bbox")
                found.evaluate()
                found.accumulate()
                seen.append(described(found.eval["precision"]))
    assert seen[4:] == seen[:4]


@pytest.mark.parametrize("kind", ["segm", "keypoints"])
def test_other_kinds_after_boxes(kind: str, tmp_path: Path) -> None:
    """What boxes were evaluated by columns is evaluated by dicts then."""
    seen = []
    for side in (THEIRS, OURS):
        document, results = scene(4)
        (tmp_path / "truth.json").write_text(as_json(document))
        (tmp_path / "results.json").write_text(as_json(results))
        with quiet():
            truth = side.coco(str(tmp_path / "truth.json"))
            pred = truth.loadRes(str(tmp_path / "results.json"))
            for each in ("bbox", kind, "bbox"):
                found = side.evaluator(truth, pred, each)
                found.evaluate()
                found.accumulate()
                seen.append(described(found.eval["precision"]))
        seen.append(described(truth.dataset))
    assert seen[4:] == seen[:4]


# ---------------------------------------------------------------------------------------------
# Subclasses and others that do some of it themselves.


def test_methods_that_are_replaced_are_called(tmp_path: Path) -> None:
    document, results = changed(Case("as it is"), "bbox", 5)
    for name, content in (("truth", document), ("results", results)):
        (tmp_path / f"{name}.json").write_text(as_json(content))
    seen = []
    for side in (THEIRS, OURS):

        class Some(side.coco):  # type: ignore[misc, name-defined]
            def createIndex(self) -> None:  # noqa: N802
                self.dataset["annotations"] = self.dataset["annotations"][::2]
                super().createIndex()

        class Few(side.coco):  # type: ignore[misc, name-defined]
            def getAnnIds(self, **named: Any) -> Any:  # noqa: N802
                return super().getAnnIds(**named)[::2]

            def getImgIds(self, **named: Any) -> Any:  # noqa: N802
                return super().getImgIds(**named)[1:]

        class Others(side.coco):  # type: ignore[misc, name-defined]
            def __init__(self, path: str) -> None:
                super().__init__(path)
                self.of_image = self.imgToAnns

        with quiet():
            for kind in (Some, Few, Others):
                truth = kind(str(tmp_path / "truth.json"))
                pred = side.coco(str(tmp_path / "truth.json")).loadRes(
                    str(tmp_path / "results.json")
                )
                found = side.evaluator(truth, pred, "bbox")
                found.evaluate()
                seen.append(described((found.evalImgs, truth.dataset, found.params.imgIds)))
    assert seen[3:] == seen[:3]


def test_methods_of_an_object_are_called(tmp_path: Path) -> None:
    seen = []
    for side in (THEIRS, OURS):
        found = loaded(side, "bbox", folder=tmp_path)
        ids = found.cocoDt.getAnnIds
        found.cocoDt.getAnnIds = lambda ids=ids, **named: ids(**named)[:9]
        with quiet():
            found.evaluate()
        seen.append(described(found.evalImgs))
    assert seen[1] == seen[0]


def test_the_other_package_takes_what_is_lazy(tmp_path: Path) -> None:
    seen = []
    for evaluator, side in ((OURS.evaluator, THEIRS), (THEIRS.evaluator, OURS)):
        there = loaded(side, "bbox", folder=tmp_path)
        with quiet():
            found = evaluator(there.cocoGt, there.cocoDt, "bbox")
            found.evaluate()
        seen.append(described(found.evalImgs))
    assert seen[1] == seen[0]


# ---------------------------------------------------------------------------------------------
# Files, threads, memory.


def test_the_file_may_change_afterwards(tmp_path: Path) -> None:
    found = loaded(OURS, "bbox", folder=tmp_path)
    wanted = described(loaded(THEIRS, "bbox", folder=tmp_path).cocoDt.dataset)
    for path in tmp_path.iterdir():
        path.write_text("no JSON")
        path.unlink()
    assert described(found.cocoDt.dataset) == wanted


def test_threads_see_the_same_dicts(tmp_path: Path) -> None:
    for _ in range(20):
        pred = loaded(OURS, "bbox", folder=tmp_path).cocoDt
        begin = threading.Barrier(4)
        seen: list[Any] = []

        def look(name: str, pred: Any = pred, begin: Any = begin, seen: Any = seen) -> None:
            begin.wait()
            seen.append((name, getattr(pred, name)))

        threads = [threading.Thread(target=look, args=(name,)) for name in ("dataset", "anns") * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 4
        assert all(value is getattr(pred, name) for name, value in seen)
        assert all(pred.anns[each["id"]] is each for each in pred.dataset["annotations"])


def test_nothing_is_kept_of_results_that_are_gone(tmp_path: Path) -> None:
    """A training loop evaluates one truth again and again."""
    found = loaded(OURS, "bbox", folder=tmp_path)
    truth = found.cocoGt
    with quiet():
        found.evaluate()
    gone = weakref.ref(vars(found.cocoDt)["_lazy"])
    del found
    gc.collect()
    assert gone() is None
    assert is_lazy(truth)
