"""Files whose values are written in any way: the shim reads them as pycocotools 2.0.11 does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.coco_scenes import scene
from tests.pycocotools_sides import OURS, THEIRS, as_json, described, quiet, timeless

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

BOX = {"image_id": 2, "category_id": 1, "bbox": [1.5, 2, 30, 40.25], "score": 0.5}


def text_of(**changes: Any) -> str:
    """Return results, one of them with a value that stands there by the letter."""
    plain = json.dumps(BOX)
    for name, value in changes.items():
        plain = plain.replace(json.dumps(BOX[name]), value)
    return f"[{json.dumps(BOX)}, {plain}]"


TEXTS = {
    "a whole score": text_of(score="1"),
    "a score with an exponent": text_of(score="5e-1"),
    "a score of 1.0": text_of(score="1.0"),
    "a score that is none": text_of(score="NaN"),
    "an endless score": text_of(score="1e999"),
    "an image with a point": text_of(image_id="2.0"),
    "an image as a text": text_of(image_id='"2"'),
    "a category with an exponent": text_of(category_id="1e0"),
    "no category that is known": text_of(category_id="5"),
    "large numbers": text_of(bbox="[9007199254740993, 2, 9007199254740993, 3]"),
    "a large product": text_of(bbox="[1, 2, 3, 3002399751580331]"),
    "whole numbers": text_of(bbox="[1, 2, 3, 4]"),
    "zero and minus zero": text_of(bbox="[-0, -0.0, 0, 0]"),
    "exponents": text_of(bbox="[1E1, 2e0, 3e+1, 400e-1]"),
    "long numbers": text_of(bbox="[0.1000000000000000055511151231257827, 2, 3.3e1, 4]"),
    "a width below 0": text_of(bbox="[1, 2, -3, 4]"),
    "no box": text_of(bbox="[]"),
    "an empty first box": "[" + json.dumps({**BOX, "bbox": []}) + "]",
    "a caption": text_of(bbox='[1, 2, 3, 4], "caption": "a"'),
    "a caption at first": "[" + json.dumps({"caption": "a", **BOX}) + "]",
    "a caption in another spelling": text_of().replace("{", '{"\\u0063aption": 1, '),
    "a name twice": text_of(bbox='[9, 9, 9, 9], "bbox": [1, 2, 3, 4]'),
    "a box twice, a good one last": text_of(bbox='"a", "bbox": [1, 2, 3, 4]'),
    "other fields": text_of(score='0.25, "a": [{"b": null}, "\\ud83d\\ude00\\u00e9"], "area": 7'),
    "fields that are written over": text_of(score='0.25, "id": 9, "iscrowd": 1, "area": null'),
    "a field that json alone reads": text_of(score='0.25, "a": [NaN, -Infinity, "\\ud800"]'),
    "huge whole numbers": text_of(score='0.25, "a": [123456789012345678901, -9223372036854775809]'),
    "a mark of byte order": "\ufeff" + text_of(),
    "space": " \r\n\t" + text_of().replace(",", " ,\r\n") + "\n",
    "something behind": text_of() + "]",
    "cut off": text_of()[:-9],
    "no list": json.dumps(BOX),
    "lists": "[[1]]",
    "an empty list": "[]",
    "nothing": "",
    "a number": "[1]",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_results_by_the_letter(name: str, tmp_path: Path) -> None:
    document, _ = scene(3)
    (tmp_path / "truth.json").write_text(as_json(document))
    (tmp_path / "results.json").write_text(TEXTS[name], encoding="utf-8")
    seen: list[Any] = []
    for side in (THEIRS, OURS):
        with quiet() as printed:
            truth = side.coco(str(tmp_path / "truth.json"))
            try:
                pred = truth.loadRes(str(tmp_path / "results.json"))
            except Exception as error:
                seen.append((type(error), timeless(printed.getvalue())))
                continue
            found = side.evaluator(truth, pred, "bbox")
            found.params.areaRng[3][1] = 2**53
            try:
                found.evaluate()
                result = described((found.evalImgs, found.ious))
            except Exception as error:
                result = type(error)
            seen.append((result, described(pred.dataset), timeless(printed.getvalue())))
    assert seen[1] == seen[0]


TRUTH = {
    "id": 5, "image_id": 1, "category_id": 3, "bbox": [1.5, 2, 30, 40.25], "area": 9.5, "iscrowd": 0
}  # fmt: skip
TRUTH_TEXTS = {
    "as usual": ("", ""),
    "an id with a point": ('"id": 5', '"id": 5.0'),
    "an id with an exponent": ('"id": 5', '"id": 5e0'),
    "an id of 0": ('"id": 5', '"id": 0'),
    "an id as a text": ('"id": 5', '"id": "a"'),
    "an id as a flag": ('"id": 5', '"id": true'),
    "no id": ('"id": 5, ', ""),
    "an id twice": ('"id": 5', '"id": 4'),
    "a large id": ('"id": 5', '"id": 9223372036854775807'),
    "an id beyond 64 bits": ('"id": 5', '"id": 9223372036854775808'),
    "an image with a point": ('"image_id": 1', '"image_id": 1.0'),
    "an image as a text": ('"image_id": 1', '"image_id": "1"'),
    "no image": ('"image_id": 1, ', ""),
    "an image that is not listed": ('"image_id": 1', '"image_id": 8'),
    "no category": ('"category_id": 3, ', ""),
    "a crowd": ('"iscrowd": 0', '"iscrowd": 1'),
    "a true crowd": ('"iscrowd": 0', '"iscrowd": true'),
    "crowds of 2": ('"iscrowd": 0', '"iscrowd": 2'),
    "crowds of 256": ('"iscrowd": 0', '"iscrowd": 256'),
    "crowds of 1.0": ('"iscrowd": 0', '"iscrowd": 1.0'),
    "crowds of -0": ('"iscrowd": 0', '"iscrowd": -0'),
    "crowds of null": ('"iscrowd": 0', '"iscrowd": null'),
    "no crowds": (', "iscrowd": 0', ""),
    "ignored": ('"iscrowd": 0', '"ignore": 7, "_ignore": 8, "iscrowd": 0'),
    "a whole area": ('"area": 9.5', '"area": 9'),
    "a large area": ('"area": 9.5', '"area": 9007199254740993'),
    "no area": ('"area": 9.5, ', ""),
    "an area that is none": ('"area": 9.5', '"area": NaN'),
    "an area below 0": ('"area": 9.5', '"area": -1'),
    "no box": ('"bbox": [1.5, 2, 30, 40.25], ', ""),
    "an empty box": ("[1.5, 2, 30, 40.25]", "[]"),
    "something else": ('"area": 9.5', '"area": 9.5, "a": {"b": [1e400, "\\ud800"]}'),
    "an image id with a point": ('"images": [{"id": 1', '"images": [{"id": 1.0'),
    "an image id twice": ('"images": [{"id": 1', '"images": [{"id": 2'),
    "no image id": ('"images": [{"id": 1, ', '"images": [{'),
    "no category id": ('"categories": [{"id": 3, ', '"categories": [{'),
    "a category without a name": (', "name": "a"', ""),
    "a number for a name": ('"name": "a"', '"name": 5'),
    "annotations twice": ('{"images"', '{"annotations": [{"a": NaN}], "images"'),
    "categories twice": ('{"images"', '{"categories": [], "images"'),
    "annotations in another spelling": ('"annotations"', '"\\u0061nnotations"'),
    "no list of categories": ('"categories"', '"kinds"'),
    "no list of images": ('"images"', '"pictures"'),
    "an object for a list": ('"annotations": [', '"annotations": {}, "more": ['),
    "a comma at the end": ("}}", "},}"),
    "something behind": ("}}", "}}}"),
    "cut off": ("}}", "}"),
    "a mark of byte order": ('{"images"', '\ufeff{"images"'),
    "more of the file": ("}}", '}, "licenses": [{"id": 1.0}], "é": "\\u00e9"}'),
}


@pytest.mark.parametrize("name", TRUTH_TEXTS)
def test_truth_by_the_letter(name: str, tmp_path: Path) -> None:
    document = {
        "images": [{"id": 1, "height": 9, "width": 9}, {"id": 2, "height": 9, "width": 9}],
        "annotations": [{**TRUTH, "id": 4}, TRUTH, {**TRUTH, "id": 6, "image_id": 2}],
        "categories": [{"id": 3, "name": "a", "supercategory": "b"}],
        "info": {"year": 1},
    }
    old, new = TRUTH_TEXTS[name]
    text = json.dumps(document)
    assert old in text
    text = text.replace(old, new) if old else text
    (tmp_path / "truth.json").write_text(text, encoding="utf-8")
    results = [{**BOX, "image_id": i, "category_id": 3} for i in (1, 2, 1)]
    (tmp_path / "results.json").write_text(json.dumps(results))
    seen: list[Any] = []
    for side in (THEIRS, OURS):
        with quiet() as printed:
            try:
                truth = side.coco(str(tmp_path / "truth.json"))
            except Exception as error:
                seen.append((type(error), timeless(printed.getvalue())))
                continue
            try:
                looked = [truth.getAnnIds(), truth.getCatIds(), truth.getImgIds()]
                pred = truth.loadRes(str(tmp_path / "results.json"))
                found = side.evaluator(truth, pred, "bbox")
                found.params.areaRng[3][1] = 2**53
                found.evaluate()
                result = described((looked, found.evalImgs, found.ious))
            except Exception as error:
                result = type(error)
            seen.append(
                (result, described(truth.dataset), described(truth.anns), printed.getvalue()[:40])
            )
    assert seen[1] == seen[0]


@pytest.mark.parametrize("what", ["truth", "results"])
def test_text_that_is_not_utf8(what: str, tmp_path: Path) -> None:
    """Python says what a text file is; where that is ASCII, others are refused at once."""
    document, _ = scene(3)
    (tmp_path / "usual.json").write_text(as_json(document))
    document["annotations"][0]["about"] = "\u00e9"
    (tmp_path / "truth.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    results = [{**BOX, "about": "\u00e9"}]
    (tmp_path / "results.json").write_text(
        json.dumps(results, ensure_ascii=False), encoding="utf-8"
    )
    program = """
import sys, contextlib, io
from snellen.compat.pycocotools.coco import COCO as ours
from pycocotools.coco import COCO as theirs
for side in (theirs, ours):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            if sys.argv[1] == "truth":
                side("truth.json")
            else:
                side("usual.json").loadRes("results.json")
        except UnicodeDecodeError as error:
            seen = error.encoding
        else:
            seen = "read"
    print(seen)
"""
    plain = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    for environment, expected in ((plain, "ascii"), ({**plain, "PYTHONUTF8": "1"}, "read")):
        done = subprocess.run(
            [sys.executable, "-c", program, what],
            check=True, cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout.split() == [expected, expected]
