"""Rules of detection evaluations from files, and as they are printed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from snellen.cli.root import run
from snellen.detection.protocols import COCO, PROTOCOLS, AreaRange
from snellen.errors import SchemaError
from snellen.readers.detection_protocol import detection_protocol, read_detection_protocol


def written(folder: Path, rules: Any) -> Path:
    path = folder / "mine.json"
    path.write_text(json.dumps(rules))
    return path


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_what_is_printed_is_read_again(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["protocol", name]) == 0
    path = tmp_path / "copy.json"
    path.write_text(capsys.readouterr().out)
    assert read_detection_protocol(path) == PROTOCOLS[name]


def test_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["protocol"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(PROTOCOLS)


def test_what_is_absent_is_as_in_the_base(tmp_path: Path) -> None:
    areas = [["any", 0, None], ["tiny", 0, 64]]
    path = written(tmp_path, {"base": "coco-strict", "iou_thresholds": [0.5], "area_ranges": areas})
    assert read_detection_protocol(path) == dataclasses.replace(
        PROTOCOLS["coco-strict"],
        name="mine",
        iou_thresholds=(0.5,),
        area_ranges=(AreaRange("any", 0, float("inf")), AreaRange("tiny", 0, 64)),
    )
    assert detection_protocol(path).name == "mine"
    assert detection_protocol("coco") is COCO


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([1], r'the rules of a detection evaluation: expected "object", got "array"'),
        (
            {"iou_thresholds": [0.5, "0.6"]},
            r"expected a number, got '0.6' - .*iou_thresholds\[1\]$",
        ),
        ({"iou_thresholds": [True]}, r"expected a number, got True - at .*iou_thresholds\[0\]$"),
        ({"max_detections": [True]}, r"expected a number, got True - at .*max_detections\[0\]$"),
        ({"sigmas": [0.1, None]}, r"expected a number, got None - at .*sigmas\[1\]$"),
        ({"class_groups": [1]}, r"expected a text, got 1 - at .*\$\.class_groups\[0\]$"),
        ({"base": "coc"}, r'got "coc"\. Did you mean "coco"\? - at .*mine\.json \$\.base$'),
        ({"base": 1}, r"expected the name of a protocol, got 1 - at .* \$\.base$"),
        (
            {"iou_threshold": [0.5]},
            r'an unknown one\. Did you mean "iou_thresholds"\? - at .* \$\.iou_threshold$',
        ),
        ({"iou_thresholds": 0.5}, r"expected a list, got 0\.5 - at .* \$\.iou_thresholds$"),
        ({"iou_thresholds": [0.5, 0.3]}, r"ascending finite numbers, got .* \$\.iou_thresholds$"),
        ({"iou_thresholds": [0.5, 1.5]}, r"numbers from 0 to 1\.0, got .* \$\.iou_thresholds$"),
        ({"max_detections": [0.5]}, r"ascending whole numbers from 1 .* \$\.max_detections$"),
        ({"minus_one": 1}, r"expected true or false, got 1 - at .* \$\.minus_one$"),
        ({"ap_only_at": True}, r"expected a whole number or null, got True"),
        ({"area_ranges": [["all", 0]]}, r'as \["small", 0, 1024\], got .* \$\.area_ranges\[0\]$'),
        ({"area_ranges": [["all", 9, 1]]}, r"expected low <= high, got 9 and 1"),
        ({"similarity": "giou"}, r'expected one of own, box, .*, got "giou" - at .*similarity$'),
        ({"dilation_ratio": 0}, r"a part of the diagonal, above 0, got 0"),
        ({"sigmas": [0.1, -1]}, r"expected positive numbers, got \[0\.1, -1\.0\]"),
        ({"sigmas": ["a"]}, r"expected a number, got 'a' - at .* \$\.sigmas\[0\]$"),
    ],
)
def test_what_is_no_rule(rules: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=message):
        read_detection_protocol(written(tmp_path, rules))
