"""Real label images: the values that Pillow gives, for every PNG file of the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snellen.errors import SchemaError
from snellen.readers.label_image import read_label_image


@pytest.mark.parametrize("task", ["segmentation", "panoptic"])
def test_values_are_those_of_pillow(conformance_data: Path, task: str) -> None:
    paths = sorted((conformance_data / task).rglob("*.png"))
    if not paths:
        pytest.skip(f"no label images of {task}")
    n_equal = 0
    for path in paths:
        with Image.open(path) as image:
            values = np.asarray(image)
        if values.shape[2:] in ((2,), (4,)):
            if (values[..., -1] != 255).any():  # alpha that is a number, as of BDD100K's bitmasks
                with pytest.raises(SchemaError, match="without transparency"):
                    read_label_image(path)
                continue
            values = values[..., 0] if values.shape[2] == 2 else values[..., :3]
        assert np.array_equal(read_label_image(path).values, values), path
        n_equal += 1
    assert n_equal > 0
