"""Real files in the formats of several tools: what they hold, and that one data set in four of them
has the numbers that pycocotools gave for COCO's."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from snellen import AveragePrecision
from snellen.detection.oriented import OrientedBoxes
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)
from snellen.readers.dota import read_dota

STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
LONG = {"small": "s", "medium": "m", "large": "l"}


def check(
    truth: ReadBoxes, pred: ReadBoxes, stats: dict[str, float], *, sizes: bool = True
) -> None:
    """Compare headline numbers; the order of classes moves the last bit of a mean."""
    metrics = AveragePrecision().update(truth.boxes, pred.boxes).compute().metrics
    assert len(metrics) == len(STATS)
    for (name, value), short in zip(metrics.items(), STATS, strict=True):
        if not sizes and short[-1] in "sml":
            continue
        # The small tool writes APsmall where the other writes APs.
        want = stats.get(
            short, stats.get(re.sub("([sml])$", lambda m: _long(m[1]), short), math.nan)
        )
        want = math.nan if want == -1 else want
        assert value == pytest.approx(want, abs=1e-15, nan_ok=True), name


def _long(letter: str) -> str:
    return next(word for word, first in LONG.items() if first == letter)


@pytest.fixture(scope="module")
def voc(conformance_data: Path) -> Path:
    folder = conformance_data / "voc"
    if not folder.is_dir():
        pytest.skip(f"no files in {folder}")
    return folder


def reference(path: Path) -> Any:
    return json.loads(path.read_text())


def test_voc_xml_has_what_another_parser_finds(voc: Path) -> None:
    folder = voc / "rodm_voc100/gts_pascalvoc_xml"
    read = read_detection_truth(folder)
    assert read.format == "voc-xml"
    want = [
        (path.stem, each.findtext("name"),
         *(float(each.findtext(f"bndbox/{corner}") or "nan")
           for corner in ("xmin", "ymin", "xmax", "ymax")),
         int(each.findtext("difficult") or 0))
        for path in folder.glob("*.xml")
        for each in ET.parse(path).getroot().iter("object")
    ]  # fmt: skip
    boxes = read.boxes
    x, y, w, h = boxes.xywh.T
    got = list(
        zip(
            boxes.images.ids[boxes.image].tolist(),
            boxes.classes.keys.ids[boxes.label].tolist(),
            *(column.tolist() for column in (x, y, x + w, y + h, read.flags["difficult"])),
            strict=True,
        )
    )
    assert sorted(got) == sorted(want)
    assert len(got) == reference(voc / "rodm_voc100/reference_rodm.json")["n"]["gt"] == 273


def test_one_data_set_in_several_formats(voc: Path, conformance_data: Path) -> None:
    """VOC's XML, COCO's JSON and Open Images' table as truth; texts and COCO's as predictions."""
    folder = voc / "rodm_voc100"
    stats = reference(folder / "reference_coco_dt_bbox.json")["stats"]
    names = folder / "voc.names"
    xml = read_detection_truth(folder / "gts_pascalvoc_xml", classes=names)
    coco = read_detection_truth(folder / "coco_gt.json")
    for truth in (xml, coco):
        classes = names if truth is coco else None
        pred = read_detection_predictions(folder / "dets_abs_xywh", truth, classes=classes)
        assert pred.format == "box-text"
        assert len(pred.boxes) == 452
        check(truth, pred, stats)
    assert xml.sizes is not None
    assert coco.sizes is not None
    assert np.array_equal(xml.sizes, coco.sizes)
    check(coco, read_detection_predictions(folder / "coco_dt.json", coco), stats)

    table = conformance_data / "openimages/rodm_voc100_openimages_format.csv"
    if not table.exists():
        pytest.skip(f"no file {table}")
    relative = read_detection_truth(table)
    assert relative.format == "open-images"
    assert relative.relative
    assert len(relative.boxes) == 273
    by_name = dict(zip(xml.boxes.images.ids.tolist(), xml.sizes.tolist(), strict=True))
    sized = read_detection_truth(table, images=by_name, classes=names)
    # Ten digits of a part of 500 pixels. Files list boxes in one order.
    order = np.lexsort((*sized.boxes.xywh.T.round(3), sized.boxes.image))
    other = np.lexsort((*xml.boxes.xywh.T.round(3), xml.boxes.image))
    assert np.array_equal(sized.boxes.image[order], xml.boxes.image[other])
    assert np.array_equal(sized.boxes.label[order], xml.boxes.label[other])
    np.testing.assert_allclose(sized.boxes.xywh[order], xml.boxes.xywh[other], atol=1e-6)


def test_the_toy_example(voc: Path) -> None:
    folder = voc / "rodm_toy"
    truth = read_detection_truth(folder / "gts_vocpascal_xml")
    pred = read_detection_predictions(folder / "dets_classname_abs_xywh", truth)
    want = reference(folder / "reference_rodm.json")
    assert (len(truth.boxes), len(pred.boxes)) == (want["n"]["gt"], want["n"]["dets"])
    check(truth, pred, want["coco_summary"])


@pytest.mark.parametrize(
    ("folder", "truth", "pred", "expected"),
    [
        ("padilla_sample7", "groundtruths", "detections", "reference_padilla.json"),
        ("rodm_test_case_1", "gts", "dets", "reference_rodm.json"),
    ],
)
def test_padilla(voc: Path, folder: str, truth: str, pred: str, expected: str) -> None:
    read = read_detection_truth(voc / folder / truth)
    found = read_detection_predictions(voc / folder / pred, read)
    want = reference(voc / folder / expected)
    assert (len(read.boxes), len(found.boxes)) == (want["n"]["gt"], want["n"]["dets"])
    assert len(read.boxes.images) == 7
    if "coco_summary" in want:
        check(read, found, want["coco_summary"])


def test_cartucho(voc: Path) -> None:
    folder = voc / "cartucho_85"
    truth = read_detection_truth(folder / "ground-truth", box="xyxy")
    lines = [
        line.split()
        for path in sorted((folder / "ground-truth").glob("*.txt"))
        for line in path.read_text().splitlines()
    ]
    assert len(truth.boxes) == len(lines)
    corners = truth.boxes.xywh + np.pad(truth.boxes.xywh[:, :2], ((0, 0), (2, 0)))
    assert corners.tolist() == [[float(cell) for cell in line[1:5]] for line in lines]
    with pytest.warns(UserWarning, match="44 boxes of 8 classes"):
        pred = read_detection_predictions(
            folder / "detection-results", truth, box="xyxy", drop_unknown=True
        )
    n_lines = sum(
        len(path.read_text().splitlines()) for path in (folder / "detection-results").glob("*.txt")
    )
    assert len(pred.boxes) == n_lines - 44


def test_dota_labels(conformance_data: Path) -> None:
    folder = conformance_data / "obb/mmrotate_labelTxt"
    if not folder.is_dir():
        pytest.skip(f"no files in {folder}")
    rows = read_dota(folder)
    assert rows.images == ["P0004__1__0___0", "P0004__1__0___1024"]
    assert rows.corners is not None
    assert rows.corners.shape == (4, 8)
    assert rows.corners[0].tolist() == [398, 716, 398, 694, 464, 698, 465, 718]
    assert rows.flags["difficult"].tolist() == [0, 0, 1, 0]
    assert rows.labels == ["plane"]
    read = read_detection_truth(folder)
    assert isinstance(read.boxes, OrientedBoxes)
    assert read.format == "dota"
    assert read.boxes.boxes.ignored is not None
    assert read.boxes.boxes.ignored.tolist() == [0, 0, 1, 0]
    assert read.boxes.boxes.images.ids.tolist() == ["P0004__1__0___0", "P0004__1__0___1024"]
    # The last one's corners are 1 2 4 3 of its outline, as the file has them.
    assert any("1 outlines that cross themselves" in note and "line 4" in note
               for note in read.notes)  # fmt: skip
    assert read.boxes.corners[3].tolist() == [[126, 191], [123, 178], [128, 171], [221, 199]]
    # Half the cross product of the diagonals: (398, 716) to (464, 698), (398, 694) to (465, 718).
    assert read.boxes.boxes.area is not None
    assert read.boxes.boxes.area[0] == abs(66 * 24 - -18 * 67) / 2


def test_coco_files_are_what_the_coco_reader_reads(conformance_data: Path) -> None:
    from snellen import read_coco_predictions, read_coco_truth

    folder = conformance_data / "detection/coco_sampled100_rodm"
    if not folder.is_dir():
        pytest.skip(f"no files in {folder}")
    read = read_detection_truth(folder / "gt.json")
    boxes = read_coco_truth(folder / "gt.json")
    assert read.format == "coco"
    assert np.array_equal(read.boxes.xywh, boxes.xywh)
    found = read_detection_predictions(folder / "dt.json", read)
    assert np.array_equal(found.boxes.xywh, read_coco_predictions(folder / "dt.json", boxes).xywh)
    images = json.loads((folder / "gt.json").read_text())["images"]
    assert read.sizes is not None
    assert read.sizes.tolist() == [
        [image["height"], image["width"]] for image in sorted(images, key=lambda each: each["id"])
    ]
