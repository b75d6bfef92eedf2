"""ImageNet's classes and labels as others wrote them down: ids, names, ReaL, the validation set."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from snellen.benchmark.imagenet import IMAGENET_IDS, imagenet_index, imagenet_names
from snellen.benchmark.open_images import open_images


@pytest.fixture(scope="module")
def folder(conformance_data: Path) -> Path:
    return conformance_data / "classification"


def test_ids_and_names_are_those_of_keras(folder: Path) -> None:
    written = json.loads((folder / "imagenet_class_index.json").read_text())
    assert [written[str(k)][0] for k in range(1000)] == list(IMAGENET_IDS)
    names = [written[str(k)][1] for k in range(1000)]
    assert [name.split(" (")[0].replace(" ", "_") for name in imagenet_names()] == names
    # Each name that is one class's alone is found again.
    assert [imagenet_index(name) for name in names if names.count(name) == 1] == [
        k for k, name in enumerate(names) if names.count(name) == 1
    ]


def test_labels_of_the_validation_set(folder: Path) -> None:
    images = open_images(str(folder / "cleanlab_imagenet_val_labels.npy"))
    assert len(images) == 50_000
    assert images.reader is None
    assert images.classes == list(imagenet_names())
    with gzip.open(folder / "cleanlab_imagenet_val_index_to_filepath.json.gz") as file:
        paths = json.load(file)
    for k in range(0, 50_000, 37):
        assert IMAGENET_IDS[images.labels[k]] in paths[k]


def test_real_labels(folder: Path, tmp_path: Path) -> None:
    # Each of the first 200 images lies in the folder that the original labels say.
    labels = json.loads((folder / "imagenet_real_labels.json").read_text())
    originals = [IMAGENET_IDS[each[0] if each else 0] for each in labels[:200]]
    for wordnet_id in IMAGENET_IDS:
        (tmp_path / wordnet_id).mkdir()
    for number, wordnet_id in enumerate(originals, 1):
        (tmp_path / wordnet_id / f"ILSVRC2012_val_{number:08d}.JPEG").touch()
    images = open_images(str(tmp_path), real=str(folder / "imagenet_real_labels.json"))
    assert images.also is not None
    for name, label, also in zip(images.ids, images.labels.tolist(), images.also, strict=True):
        number = int(name[-13:-5])
        assert list(also) == labels[number - 1]
        assert not also or label == also[0]
    assert sum(not each for each in images.also) == sum(not each for each in labels[:200])
