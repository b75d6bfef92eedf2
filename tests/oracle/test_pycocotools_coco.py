"""The shim's COCO against that of the installed pycocotools: loading, looking up, drawing."""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

import copy
import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.coco_scenes import scene
from tests.pycocotools_sides import OURS, SHAPE, THEIRS, TYPES, Side, described, quiet, timeless

# Of pycocotools 2.0.11 under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def made(side: Side, document: Any) -> Any:
    coco = side.coco()
    coco.dataset = document
    coco.createIndex()
    return coco


def seen_of(coco: Any) -> Any:
    return [coco.dataset, coco.anns, coco.cats, coco.imgs, coco.imgToAnns, coco.catToImgs]


def both(call: Callable[[Side], Any]) -> Any:
    """Check that a call gives and prints the same on both sides, or raises the same."""
    seen = []
    for side in (THEIRS, OURS):
        with quiet() as printed:
            try:
                result = call(side)
            except Exception as error:
                result = type(error)
        seen.append((described(result), timeless(printed.getvalue())))
    assert seen[1] == seen[0]
    return seen[0]


# ---------------------------------------------------------------------------------------------
# Look-ups.

IDS: list[Any] = [
    [],
    (),
    2,
    9.0,
    [9, 2],
    (9, 2),
    np.array([9, 2]),
    {2: 0, 9: 0},
    "2",
    [1000],
    [9, 9],
]
LOOKUPS: dict[str, Callable[[Any], Any]] = {
    **{
        f"annotations of {images!r} and {categories!r}": (
            lambda coco, i=images, k=categories: coco.getAnnIds(i, k)
        )
        for images in IDS
        for categories in ([], 4, [4, 1], np.array([4, 1]), "4", [[]])
    },
    **{
        f"annotations in {area!r}, crowd {crowd!r}": (
            lambda coco, a=area, c=crowd: coco.getAnnIds(areaRng=a, iscrowd=c)
        )
        for area in ([], [0, 500], [400.5, 1024], (0, 1e10), [5])
        for crowd in (None, True, False, 0, 1, 2)
    },
    **{
        f"categories of {names!r}, {kinds!r}, {ids!r}": (
            lambda coco, n=names, s=kinds, i=ids: coco.getCatIds(n, s, i)
        )
        for names in ([], "kind 1", ["kind 1", "kind 0"], ["none"], 7)
        for kinds in ([], "any", ["any"], ["other"])
        for ids in ([], 4, [4, 1], np.array([7]))
    },
    **{
        f"images of {images!r} and {categories!r}": (
            lambda coco, i=images, k=categories: sorted(coco.getImgIds(i, k))
        )
        for images in IDS
        for categories in ([], 4, [4, 1], [1000])
    },
    **{
        f"{name} of {ids!r}": lambda coco, name=name, ids=ids: getattr(coco, name)(ids)
        for name in ("loadAnns", "loadCats", "loadImgs")
        for ids in (
            [], (), 2, 1, 2.0, np.int64(2), True, [1], (2,), np.array([2]), "1", [1000], None
        )
    },
    "no argument": lambda coco: [
        coco.getAnnIds(), coco.getCatIds(), coco.getImgIds(), coco.loadAnns(), coco.loadCats()
    ],
    "info": lambda coco: coco.info(),
    "masks": lambda coco: [
        (coco.annToRLE(each), coco.annToMask(each)) for each in coco.dataset["annotations"]
    ],
    "mask of an unknown image": lambda coco: coco.annToMask({"image_id": 1000}),
    "no folder": lambda coco: coco.download(),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKUPS)
def test_lookups(name: str) -> None:
    both(lambda side: LOOKUPS[name](made(side, scene(5)[0])))


@pytest.mark.parametrize("name", ["getAnnIds", "getCatIds", "getImgIds", "info", "loadAnns"])
def test_lookups_of_nothing(name: str) -> None:
    both(lambda side: getattr(side.coco(), name)())


# ---------------------------------------------------------------------------------------------
# Indexing.

DOCUMENTS: dict[str, Any] = {
    "nothing": {},
    "no list": {"annotations": None},
    "a tuple of annotations": {"annotations": ({"id": 1, "image_id": 2},)},
    "annotations of their own kind": {
        "annotations": [types.MappingProxyType({"id": 1, "image_id": 2, "category_id": 3})],
        "categories": [],
    },
    "no category ids, no categories": {"annotations": [{"id": 1, "image_id": 2}]},
    "no category ids": {"annotations": [{"id": 1, "image_id": 2}], "categories": []},
    "no ids of images": {"images": [{}]},
    "no ids of categories": {"categories": [{}]},
    "ids twice": {
        "annotations": [{"id": 1, "image_id": i, "category_id": 3} for i in (2, 2, 5)],
        "images": [{"id": 2, "n": n} for n in range(3)],
        "categories": [{"id": 3, "n": n} for n in range(3)],
    },
    "ids that are lists": {"annotations": [{"id": 1, "image_id": [2]}]},
    "lists for annotations": {"annotations": [[1, 2]]},
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_index(name: str) -> None:
    both(lambda side: seen_of(made(side, copy.deepcopy(DOCUMENTS[name]))))


# ---------------------------------------------------------------------------------------------
# Files.

TEXTS: dict[str, bytes] = {
    "usual": json.dumps(scene(3)[0]).encode(),
    "numbers": b'{"images": [{"id": 1, "a": [1e400, -0, -0.0, 12345678901234567890123, 1E5, NaN]}'
    b"]}",
    "a name twice": b'{"images": [{"id": 1, "id": 2}]}',
    "half a surrogate": b'{"info": {"a": "\\ud800"}}',
    "no UTF-8": b'{"info": {"a": "\xff"}}',
    "a mark of byte order": b'\xef\xbb\xbf{"info": {}}',
    "a list": b"[]",
    "cut off": b'{"images": [',
    "a comma": b'{"images": [],}',
    "empty": b"",
    "a raw line break": b'{"a": "\n"}',
    "nested": b"[" * 100_000,
    "line breaks": b'{"info":\r\n{"a": 1}\r}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(TEXTS[name])
    both(lambda side: seen_of(side.coco(str(path))))
    both(lambda side: seen_of(side.coco(path)))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    both(lambda side: side.coco(str(tmp_path / "none.json")))
    both(lambda side: side.coco(str(tmp_path)))


# ---------------------------------------------------------------------------------------------
# Results.


def results_of(kind: str) -> Any:
    return [
        {name: each[name] for name in ("image_id", "category_id", "score", SHAPE[kind])}
        for each in scene(3)[1]
    ]


ROWS = np.array(
    [[each["image_id"], *each["bbox"], each["score"], each["category_id"]] for each in scene(3)[1]]
)
RESULTS: dict[str, Any] = {
    **{kind: lambda kind=kind: results_of(kind) for kind in TYPES},
    "masks and boxes": lambda: scene(3)[1],
    "boxes and polygons": lambda: [
        {**each, "segmentation": [[1, 2, 3, 4, 5, 6]]} for each in results_of("bbox")
    ],
    "captions": lambda: [{"image_id": 2, "caption": "a"}, {"image_id": 9, "caption": "b"}],
    "boxes, one of them empty": lambda: [*results_of("bbox"), {"image_id": 2, "bbox": []}],
    "whole numbers": lambda: [
        {"image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1} for _ in range(3)
    ],
    "flags": lambda: [{"image_id": 2, "bbox": [True, 2, 3, False]}],
    "texts": lambda: [{"image_id": 2, "bbox": ["a", "b", "c", "d"]}],
    "None": lambda: [{"image_id": 2, "bbox": None}],
    "an array": lambda: [{"image_id": 2, "bbox": np.arange(4)}],
    "a mapping": lambda: [types.MappingProxyType({"image_id": 2, "bbox": [1, 2, 3, 4]})],
    "a dict for a box": lambda: [{"image_id": 2, "bbox": {0: 1, 1: 2, 2: 3, 3: 4}}],
    "nothing that is known": lambda: [{"image_id": 2}],
    "empty": list,
    "a tuple": lambda: tuple(results_of("bbox")),
    "a dict": lambda: {"image_id": 2},
    "unknown images": lambda: [{"image_id": 3, "bbox": [1, 2, 3, 4]}],
    "images as floats": lambda: [{"image_id": 2.0, "bbox": [1, 2, 3, 4]}],
    "rows": lambda: ROWS.copy(),
    "rows in single precision": lambda: ROWS.astype(np.float32),
    "rows of whole numbers": lambda: ROWS.astype(np.int64),
    "rows of objects": lambda: ROWS.astype(object),
    "no rows": lambda: ROWS[:0],
    "rows of six": lambda: ROWS[:, :6],
    "one row": lambda: ROWS[0],
    "rows of rows": lambda: np.stack([ROWS, ROWS], axis=2),
    "rows with NaN": lambda: np.where(ROWS == 2, np.nan, ROWS),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(name: str, tmp_path: Path) -> None:
    def load(side: Side) -> Any:
        truth = made(side, scene(3)[0])
        given = RESULTS[name]()
        results = truth.loadRes(given)
        shared = [
            results.dataset["images"][i] is each for i, each in enumerate(truth.imgs.values())
        ]
        return seen_of(results), given, shared, results.dataset["annotations"] is given

    seen = both(load)
    if name in TYPES:
        path = tmp_path / "results.json"
        written = [
            {
                key: {**value, "counts": value["counts"].decode()}
                if key == "segmentation"
                else value
                for key, value in each.items()
            }
            for each in results_of(name)
        ]
        path.write_text(json.dumps(written))
        of_file = both(lambda side: seen_of(made(side, scene(3)[0]).loadRes(str(path))))
        assert type(of_file[0]) is list
        both(lambda side: made(side, scene(3)[0]).loadRes(path))
    assert seen[0]


def test_unknown_images_are_named() -> None:
    with (
        quiet(),
        pytest.raises(
            AssertionError,
            match=r"^Results do not correspond to current coco set: "
            "2 unknown image ids: (3, x|x, 3)$",
        ),
    ):
        made(OURS, scene(3)[0]).loadRes([{"image_id": i} for i in (2, 3, "x", 3)])


# ---------------------------------------------------------------------------------------------
# The rest.


def test_drawing() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    def drawn(side: Side, annotations: Callable[[Any], Any], boxes: bool) -> Any:
        coco = made(side, scene(5)[0])
        np.random.seed(7)  # noqa: NPY002 - what is drawn from there
        figure = plt.figure()
        try:
            result = coco.showAnns(annotations(coco), draw_bbox=boxes)
            axes = plt.gca()
            return (
                result,
                [
                    (
                        [path.vertices for path in each.get_paths()],
                        each.get_facecolor(),
                        each.get_edgecolor(),
                        each.get_linewidth(),
                    )
                    for each in axes.collections
                ],
                [image.get_array() for image in axes.images],
                [
                    (line.get_xydata(), line.get_color(), line.get_markeredgecolor())
                    for line in axes.lines
                ],
                axes.get_autoscale_on(),
            )
        finally:
            plt.close(figure)

    for boxes in (False, True):
        result = both(
            lambda side, b=boxes: drawn(side, lambda coco: coco.dataset["annotations"], b)
        )
        assert type(result[0]) is list
    both(lambda side: drawn(side, lambda coco: [], False))
    both(lambda side: drawn(side, lambda coco: [{"caption": "a"}, {"caption": "b"}], False))
    both(lambda side: drawn(side, lambda coco: [{"image_id": 2}], False))


def test_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(side: Side, ids: Any) -> Any:
        module = sys.modules[side.coco.__module__]
        asked: list[Any] = []

        def retrieve(url: str, path: str) -> None:
            asked.append((url, Path(path).name))
            Path(path).touch()

        monkeypatch.setattr(module, "urlretrieve", retrieve)
        document = scene(5)[0]
        for each in document["images"]:
            each["coco_url"] = f"http://localhost/{each['id']}"
        folder = tmp_path / f"{module.__name__}{len(ids)}" / "inner"
        coco = made(side, document)
        coco.download(str(folder), ids)
        coco.download(str(folder), ids)
        return asked

    both(lambda side: fetched(side, []))
    both(lambda side: fetched(side, [2, 9]))


def test_the_package_takes_the_place_of_the_other() -> None:
    program = """
import sys
from snellen.compat.pycocotools import init_as_pycocotools
init_as_pycocotools()
import pycocotools, pycocotools.mask, importlib.util
from pycocotools import mask as maskUtils
from pycocotools.coco import COCO, maskUtils as again, _isArrayLike
from pycocotools.cocoeval import COCOeval, Params
import pycocotools.cocoeval as module
assert COCO.__module__ == "snellen.compat.pycocotools.coco"
assert COCOeval is module.COCOeval and again is maskUtils is pycocotools.mask
assert importlib.util.find_spec("pycocotools") is not None
assert not any("site-packages/pycocotools" in (getattr(m, "__file__", None) or "")
               for m in list(sys.modules.values()))
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_names_are_those_of_the_other() -> None:
    classes = [pair for pair in zip(OURS, THEIRS, strict=True) if isinstance(pair[1], type)]
    assert len(classes) == 2
    for ours, theirs in classes:
        missing = {name for name in vars(theirs) if name not in dir(ours)}
        assert missing <= {"__slotnames__"}  # which a copy of an object leaves at its class
