"""Parts of the data: which image is of which, and their numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from snellen import Segmentation, SegmentationResult
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.slices import read_slices
from snellen.segmentation.slices import sliced

IDS = ["aachen/1", "aachen/2", "bonn/1"]
FILES = [Path("truth") / f"{name}.png" for name in IDS]


def test_by_folder() -> None:
    assert read_slices("folder", IDS, FILES) == dict(
        zip(IDS, ("aachen", "aachen", "bonn"), strict=True)
    )


def test_by_a_column_of_a_table(tmp_path: Path) -> None:
    table = tmp_path / "scenes.csv"
    # Rows in another order, names with an ending, an image more.
    table.write_text("image,weather\nbonn/1.png,rain\naachen/2.jpg,sun\naachen/1,rain\nx,fog\n")
    expected = {"aachen/1": "rain", "aachen/2": "sun", "bonn/1": "rain"}
    assert read_slices(f"{table}:weather", IDS, FILES) == expected
    with pytest.raises(SchemaError, match=r'"wether".*Did you mean "weather"'):
        read_slices(f"{table}:wether", IDS, FILES)
    table.write_text("image,weather\naachen/1,rain\n")
    with pytest.raises(IdError, match="none for 2: aachen/2, bonn/1"):
        read_slices(f"{table}:weather", IDS, FILES)
    table.write_text("image,weather\naachen/1,rain\naachen/1.png,sun\n")
    with pytest.raises(IdError, match=r"again - at .*line 3"):
        read_slices(f"{table}:weather", IDS, FILES)


@pytest.mark.parametrize("source", ["folders", ":weather", "scenes.csv:", "scenes.csv"])
def test_other_sources_are_refused(source: str) -> None:
    with pytest.raises(InputError, match="TABLE:COLUMN"):
        read_slices(source, IDS, FILES)


def test_a_slice_has_the_numbers_of_its_images_alone() -> None:
    random = np.random.default_rng(0)
    truth, pred = random.integers(0, 3, (2, 3, 5, 6))
    metric = Segmentation(3).update(truth, pred, image_id=IDS)
    parts = sliced(metric, read_slices("folder", IDS, FILES))
    assert [(part.name, part.n_images) for part in parts] == [("aachen", 2), ("bonn", 1)]
    assert parts[0].metrics == Segmentation(3).update(truth[:2], pred[:2]).compute().metrics
    assert parts[1].metrics == Segmentation(3).update(truth[2:], pred[2:]).compute().metrics


def test_slices_are_in_the_report_and_kept(tmp_path: Path) -> None:
    import dataclasses

    metric = Segmentation(2).update([[[0, 1]], [[255, 255]]], [[[0, 1]], [[0, 0]]], image_id=[1, 2])
    parts = sliced(metric, {1: "day", 2: "night"})
    result = dataclasses.replace(metric.compute(), slices=parts)
    assert "night       1       -" in str(result)
    day, night = result.to_dict()["per_slice"]
    assert (day["slice"], day["mIoU"], night["mIoU"]) == ("day", 1.0, None)
    result.save(tmp_path / "result.bin")
    again = SegmentationResult.load(tmp_path / "result.bin")
    assert again.to_dict() == result.to_dict()
    assert math.isnan(again.slices[1].metrics["mIoU"])
