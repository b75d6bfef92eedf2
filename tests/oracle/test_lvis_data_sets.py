"""The shim's LVIS and LVISResults against those of the installed lvis: loading, looking up."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lvis_scenes import federated_scene
from tests.lvis_sides import OURS, THEIRS, TYPES, Side, both, data_set, of_kind
from tests.pycocotools_sides import described

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2, and of lvis 0.5.3 (its log).
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*'warn' method is deprecated:DeprecationWarning"),
]


def seen_of(data: Any) -> Any:
    return [
        *(data.dataset, data.anns, data.cats, data.imgs, data.img_ann_map, data.cat_img_map),
        *(data.img_ann_map.default_factory, data.cat_img_map.default_factory, data.logger.name),
    ]


def written(path: Path, value: Any) -> str:
    """Write what JSON can hold: masks' bytes as texts."""
    path.write_text(json.dumps(value, default=bytes.decode))
    return str(path)


# ---------------------------------------------------------------------------------------------
# Look-ups.

IDS: list[Any] = [
    *(None, [], (), 2, [9, 2], (9, 2), np.array([9, 2]), {2: 0, 9: 0}, "2", [1000], [9, 9]),
]
LOOKUPS: dict[str, Callable[[Any], Any]] = {
    **{
        f"annotations of {images!r} and {categories!r}": (
            lambda data, i=images, k=categories: data.get_ann_ids(i, k)
        )
        for images in IDS
        for categories in (None, [], [4, 1], np.array([4, 1]), [[]], 4)
    },
    **{
        f"annotations of {categories!r} in {area!r}": (
            lambda data, a=area, k=categories: data.get_ann_ids(cat_ids=k, area_rng=a)
        )
        for area in ([], [0, 500], [400.5, 1024], (0, 1e10), [5])
        for categories in (None, [1, 4], [1000])
    },
    **{
        f"{name} of {ids!r}": (lambda data, n=name, i=ids: getattr(data, n)(i))
        for name in ("load_anns", "load_cats", "load_imgs")
        for ids in IDS
    },
    "annotations by name": lambda data: data.get_ann_ids(area_rng=[0, 9], cat_ids=[1], img_ids=[2]),
    "all annotations": lambda data: data.load_anns(),
    "categories without ids": lambda data: data.load_cats(),
    "ids": lambda data: (data.get_cat_ids(), data.get_img_ids()),
    "masks": lambda data: [data.ann_to_rle(each) for each in data.dataset["annotations"]],
    "pixels": lambda data: [data.ann_to_mask(each) for each in data.dataset["annotations"]],
    "a mask of an unknown image": lambda data: data.ann_to_rle({"image_id": 1000}),
    "a mask of nothing": lambda data: data.ann_to_mask({"image_id": 2, "segmentation": []}),
    "a mask of a list of runs": lambda data: data.ann_to_mask(
        {"image_id": 2, "segmentation": {"size": [50, 64], "counts": [7, 3193]}}
    ),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_look_ups(tmp_path: Path, name: str) -> None:
    def looked_up(side: Side) -> Any:
        data = data_set(side, tmp_path, federated_scene(3)[0])
        return LOOKUPS[name](data), seen_of(data)

    both(looked_up)


# ---------------------------------------------------------------------------------------------
# Files.

DOCUMENTS: dict[str, Any] = {
    "usual": lambda: federated_scene(3)[0],
    "a list": lambda: [federated_scene(3)[0]],
    "a number": lambda: 7,
    "empty": dict,
    "without images": lambda: {"annotations": [], "categories": []},
    "without categories": lambda: {"annotations": [], "images": []},
    "without annotations": lambda: {"images": [], "categories": []},
    "no list": lambda: {"images": [], "categories": [], "annotations": {"id": 1}},
    "two things wrong": lambda: {
        "images": [{"a": 1}],
        "categories": [],
        "annotations": [{"image_id": 1, "id": 2}],
    },
    "annotations twice": lambda: {
        "images": [{"id": 1}, {"id": 1, "a": 2}],
        "categories": [{"id": 1}, {"id": 1, "a": 2}],
        "annotations": [{"image_id": 1, "id": 2, "category_id": 1}] * 2,
    },
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "truth.json", DOCUMENTS[name]())
    both(lambda side: seen_of(side.lvis(path)))
    both(lambda side: seen_of(side.lvis(Path(path))))


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"images": [')
    for path in (str(tmp_path / "absent.json"), str(tmp_path / "broken.json"), str(tmp_path), None):
        seen = both(lambda side, p=path: side.lvis(p))
        assert isinstance(seen[0], list)  # of an exception


# ---------------------------------------------------------------------------------------------
# Results.


def results_of(kind: str) -> list[dict[str, Any]]:
    return of_kind(federated_scene(3)[1], kind, box=False)


def one_result(**shape: Any) -> list[dict[str, Any]]:
    return [{"image_id": 2, "category_id": 1, "score": 0.5, **shape}]


RESULTS: dict[str, Callable[[], Any]] = {
    "bbox": lambda: results_of("bbox"),
    "segm": lambda: results_of("segm"),
    "both": lambda: of_kind(federated_scene(3)[1], "segm", box=True),
    "with texts in masks": lambda: json.loads(json.dumps(results_of("segm"), default=bytes.decode)),
    "some with boxes": lambda: [
        {**each, "bbox": [0, 0, 1, 2]} if i % 2 else each
        for i, each in enumerate(results_of("segm"))
    ],
    "polygons": lambda: one_result(segmentation=[[0, 0, 9, 0, 9, 9]]),
    "runs": lambda: one_result(segmentation={"size": [2, 2], "counts": [1, 3]}),
    "keypoints": lambda: one_result(keypoints=[1, 2, 2]),
    "none": list,
    "a tuple": lambda: tuple(results_of("bbox")),
    "a dict": lambda: {"annotations": results_of("bbox")},
    "an array": lambda: np.zeros((2, 7)),
    "None": lambda: None,
    "unknown categories": lambda: [{**each, "category_id": 99} for each in results_of("bbox")],
    "equal scores": lambda: [{**each, "score": 0.5} for each in results_of("bbox")],
    "one dict twice": lambda: [results_of("bbox")[0]] * 3,
    **{
        f"without {name}": lambda n=name: [
            {key: value for key, value in each.items() if key != n} for each in results_of("bbox")
        ]
        for name in ("image_id", "category_id", "score", "bbox")
    },
}  # fmt: skip


@pytest.mark.parametrize("max_dets", [300, 3, 0, -1])
@pytest.mark.parametrize("name", RESULTS)
def test_results(tmp_path: Path, name: str, max_dets: int) -> None:
    def loaded(side: Side) -> Any:
        truth = data_set(side, tmp_path, federated_scene(3)[0])
        given = RESULTS[name]()
        results = side.results(truth, given, max_dets=max_dets)
        top = [results.get_top_results(image, 0.5) for image in truth.get_img_ids()]
        is_copy = results.dataset["images"][0] is not truth.dataset["images"][0]
        assert isinstance(results, side.lvis)
        return seen_of(results), given, top, is_copy, seen_of(truth)

    both(loaded)


@pytest.mark.parametrize("kind", TYPES)
def test_results_of_files(tmp_path: Path, kind: str) -> None:
    truth = written(tmp_path / "of.json", federated_scene(3)[0])
    pred = written(tmp_path / "results.json", results_of(kind))

    def loaded(side: Side) -> Any:
        results = side.results(truth, pred, 5)
        lists = results.dataset["annotations"]
        return seen_of(results), all(results.anns[each["id"]] is each for each in lists)

    assert both(loaded)[0][1] == ("bool", True)
    both(lambda side: seen_of(side.results(lvis_gt=truth, results=results_of(kind), max_dets=1)))
    both(lambda side: seen_of(side.results(side.results(truth, pred), pred)))
    for gt in (Path(truth), {}, None, 7):
        both(lambda side, gt=gt: side.results(gt, pred))
    both(lambda side: side.results(truth, Path(pred)))
    both(lambda side: side.results(truth, str(tmp_path / "absent.json")))


def test_limits(tmp_path: Path) -> None:
    for max_dets in (-1, 0, 1, 3, 300, 2.5):
        both(
            lambda side, m=max_dets: side.results(
                data_set(side, tmp_path, federated_scene(3)[0]), results_of("bbox")
            ).limit_dets_per_image(results_of("bbox"), m)
        )


def test_unknown_images_are_named(tmp_path: Path) -> None:
    truth = data_set(OURS, tmp_path, federated_scene(3)[0])
    results = [{**results_of("bbox")[0], "image_id": i} for i in (2, 3, "x", 3)]
    with pytest.raises(
        AssertionError,
        match=r"^Results do not correspond to current LVIS set: 2 unknown image ids: 3, x$",
    ):
        OURS.results(truth, results)
    theirs = data_set(THEIRS, tmp_path, federated_scene(3)[0])
    with pytest.raises(AssertionError, match=r"^Results do not correspond to current LVIS set"):
        THEIRS.results(theirs, results)


# ---------------------------------------------------------------------------------------------
# Evaluators of all that can be given.


def test_what_an_evaluator_takes(tmp_path: Path) -> None:
    truth = written(tmp_path / "of.json", federated_scene(3)[0])
    pred = written(tmp_path / "results.json", results_of("bbox"))

    def made(side: Side, gt: Any, dt: Any, *kind: Any) -> Any:
        found = side.evaluator(gt, dt, *kind)
        return [
            *(vars(found.params), seen_of(found.lvis_gt), seen_of(found.lvis_dt), found.eval),
            *(found.eval_imgs, found.ious, found.results, found._gts, found._dts),
            found.logger.name,
        ]

    both(lambda side: made(side, truth, pred))
    both(lambda side: made(side, truth, pred, "bbox"))
    both(lambda side: made(side, truth, results_of("bbox"), "bbox"))
    both(lambda side: made(side, side.lvis(truth), side.results(truth, pred), "segm"))
    both(lambda side: made(side, side.results(truth, pred), pred, "segm"))
    for arguments in (
        (truth, pred, "keypoints"),
        (truth, pred, None),
        (None, pred),
        ({}, pred),
        (truth, None),
        (truth, tuple(results_of("bbox"))),
        (Path(truth), pred),
        (truth, []),
    ):
        seen = both(lambda side, a=arguments: made(side, *a))
        assert len(seen[0]) == 2  # of an exception
    for side in (THEIRS, OURS):
        with pytest.raises(
            TypeError, match=r"^Unsupported type <.*LVIS object at .*> of lvis_dt.$"
        ):
            side.evaluator(truth, side.lvis(truth))


def test_parameters() -> None:
    for kind in ("bbox", "segm", "any"):
        seen = both(
            lambda side, kind=kind: (vars(side.parameters(kind)), list(vars(side.parameters(kind))))
        )
        assert seen[0][0]["iou_type"] == ("str", kind)
    both(lambda side: side.parameters(iou_type="bbox").area_rng)
    assert both(lambda side: type(side.parameters) and side.parameters() and None)[0]


def test_data_sets_of_the_other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shim takes what lvis loaded; lvis takes nothing else."""
    monkeypatch.setattr(np, "float", float, raising=False)
    seen = []
    for kind in TYPES:
        for side in (THEIRS, OURS):
            truth = data_set(THEIRS, tmp_path, federated_scene(3)[0])
            pred = THEIRS.results(truth, results_of(kind))
            found = side.evaluator(truth, pred, kind)
            found.run()
            seen.append(described([found.eval["precision"], found.eval_imgs, found.results]))
        assert seen[-1] == seen[-2]
        assert isinstance(OURS.results(truth, results_of(kind)), OURS.results)
    ours = data_set(OURS, tmp_path, federated_scene(3)[0])
    with pytest.raises(TypeError):
        THEIRS.results(ours, results_of("bbox"))


def test_what_is_copied_of_a_data_set(tmp_path: Path) -> None:
    """All but annotations, also what cannot be pickled, with what it shares."""

    def copied(side: Side) -> Any:
        document = federated_scene(3)[0]
        document["more"] = {"images": document["images"], "call": lambda: 7, "pair": (1, [2])}
        truth = data_set(side, tmp_path, document)
        found = side.results(truth, results_of("bbox")).dataset
        return [
            *(list(found), found["more"]["call"](), found["more"]["pair"]),
            found["more"]["images"] is found["images"],
            found["images"] is not document["images"],
            found["images"] == document["images"],
        ]

    both(copied)


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(side: Side, ids: Any) -> Any:
        module = sys.modules[side.lvis.__module__]
        asked: list[Any] = []

        def retrieve(url: str, path: str) -> None:
            asked.append((url, Path(path).name))
            Path(path).touch()

        monkeypatch.setattr(module, "urlretrieve", retrieve)
        folder = tmp_path / f"{module.__name__}{len(ids or '')}" / "inner"
        data = data_set(side, tmp_path, copy.deepcopy(federated_scene(5)[0]))
        data.download(str(folder), ids)
        data.download(str(folder), img_ids=ids)
        return asked

    both(lambda side: fetched(side, None))
    both(lambda side: fetched(side, [2, 9]))
    both(lambda side: fetched(side, [1000]))


def test_names_are_those_of_the_other() -> None:
    classes = [pair for pair in zip(OURS, THEIRS, strict=True) if isinstance(pair[1], type)]
    assert len(classes) == 5
    for ours, theirs in classes:
        missing = {name for name in vars(theirs) if name not in dir(ours)}
        assert missing <= {"__weakref__", "__dict__"}


# ---------------------------------------------------------------------------------------------
# In the place of the other.


def output_of(program: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout, done.stderr


def test_the_package_takes_the_place_of_the_other() -> None:
    output_of("""
import sys
from snellen.compat.lvis import init_as_lvis
init_as_lvis()
import lvis, lvis.eval, lvis.results, lvis.vis, importlib.util
from lvis import LVIS, LVISEval, LVISResults, LVISVis
from lvis.colormap import colormap
from lvis.eval import Params
from lvis.lvis import LVIS as again
assert LVIS is again and LVIS.__module__ == "snellen.compat.lvis.lvis"
assert LVISEval is lvis.eval.LVISEval and Params is lvis.eval.Params
assert lvis.results.LVISResults is LVISResults
assert lvis.vis.LVISVis is LVISVis and colormap(rgb=True).shape == (79, 3)
assert importlib.util.find_spec("lvis") is not None
assert not any("site-packages/lvis" in (getattr(m, "__file__", None) or "")
               for m in list(sys.modules.values()))
assert not {"pycocotools", "matplotlib", "PIL", "cv2"} & set(sys.modules)
""")


def test_warnings_look_the_same(tmp_path: Path) -> None:
    """Importing lvis makes the handler of all logs; so does importing the shim."""
    truth = written(tmp_path / "of.json", federated_scene(3)[0])
    program = """
import logging, sys
{imports}
try:
    LVISResults({truth!r}, [])
except IndexError:
    pass
root = logging.getLogger()
for handler in root.handlers:
    form = handler.formatter
    print(root.level, type(handler).__name__, form._fmt, form.datefmt)
"""
    seen = []
    for package in ("lvis", "snellen.compat.lvis"):
        # lvis' own way to log is deprecated, and says so.
        imports = (
            f"import warnings; warnings.simplefilter('ignore'); from {package} import LVISResults"
        )
        printed, logged = output_of(program.format(imports=imports, truth=truth))
        date, text = logged.split("] ", 1)
        assert len(date) == len("[11/30 12:00:00")
        seen.append((printed, text))
    assert seen[0] == seen[1]
    assert (
        "lvis.results WARNING: Assuming user provided the results in correct format." in seen[0][1]
    )
