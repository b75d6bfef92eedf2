"""What the beginning of a results file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snellen.errors import InputError
from snellen.readers.coco_file import kind_of_results, masks_of_results, read_raw_results

POSE = '"image_id": 1, "category_id": 1, "score": 0.5, "keypoints": [1, 2, 1]'
MASK = '{"size": [2, 2], "counts": "04"}'


@pytest.mark.parametrize(
    ("name", "has_masks"), [("segmentation", True), ("\\u0073egmentation", True), ("shape", False)]
)
def test_masks_beside_keypoints(tmp_path: Path, name: str, has_masks: bool) -> None:
    path = tmp_path / "predictions.json"
    path.write_text(f'[{{{POSE}, "{name}": {MASK}}}, {{{POSE}, "segmentation": {MASK}}}]')
    found = masks_of_results(path)
    assert (found is not None) == has_masks
    assert kind_of_results(path) == ("mask" if has_masks else "keypoints")
    if found is not None:
        assert found.shapes()[5].tolist() == [0, 4, 0, 4]


def test_only_the_first_record_counts_and_a_file_that_is_none_has_none(tmp_path: Path) -> None:
    assert masks_of_results(tmp_path / "absent.json") is None
    path = tmp_path / "predictions.json"
    path.write_text(f'[{{{POSE}}}, {{{POSE}, "segmentation": {MASK}}}]')
    assert masks_of_results(path) is None


def test_a_name_of_bytes_that_are_no_text(tmp_path: Path) -> None:
    text = b'[{"image_id": 7, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}]'
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.json")
    try:
        Path(odd).write_bytes(text)
    except OSError:
        pytest.skip("a file system of names that are text")
    raw = read_raw_results(odd)
    assert raw.xywh().tolist() == [[1, 2, 3, 4]]
    with pytest.raises(InputError, match="expected a readable file, got: No such file"):
        read_raw_results(odd.replace(".json", "2.json"))
