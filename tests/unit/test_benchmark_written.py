"""The folder of a benchmark: names, thumbnails, all files or none."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.result import BenchmarkResult, measured_model
from snellen.benchmark.stored_images import ArrayImages, ImageFiles
from snellen.benchmark.written import json_bytes, thumbnail, write_benchmark
from snellen.classification.classification import Classification
from snellen.errors import SchemaError
from snellen.run.run_names import folder_names
from snellen.run.run_record import RunRecord

N, K = 12, 3
CLASSES = ("ant", "bee", "cat")


def images(shape: tuple[int, ...] = (6, 6, 1)) -> LabelledImages:
    pixels = np.random.default_rng(1).integers(0, 256, (N, *shape)).astype(np.uint8)
    labels = np.arange(N) % K
    ids = [f"{k}.png" for k in range(N)]
    return LabelledImages(ids, labels, CLASSES, ArrayImages(pixels, []), {"data": "d"}, "digest")


RECORD = RunRecord(task="benchmark", seconds=3.0)


def result(labelled: LabelledImages) -> BenchmarkResult:
    random = np.random.default_rng(3)
    models = [
        measured_model(
            name,
            name,
            truth=labelled.labels,
            ids=list(labelled.ids),
            classes=CLASSES,
            n_classes=K,
            kind="logits",
            scores=random.normal(size=(N, K)).astype(np.float32),
            labels=None,
            places=np.arange(K),
        )
        for name in ("a/net", "a:net")
    ]
    return BenchmarkResult(models, labelled.ids, labelled.labels, CLASSES)


def test_all_files(tmp_path: Path) -> None:
    labelled = images()
    made = result(labelled)
    (tmp_path / "report.html").write_text("somebody's own page")
    write_benchmark(made, tmp_path, labelled, RECORD)
    files = sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    assert files == [
        "index.html",
        *(
            f"models/a-net{end}/{name}"
            for end in ("-2", "")
            for name in ("classes.csv", "confusion.csv", "result.json", "state.bin")
        ),
        "report.html",
        "result.json",
        "run.json",
        "table.csv",
    ]
    assert json.loads((tmp_path / "result.json").read_text()) == made.to_dict()
    assert (tmp_path / "run.json").read_bytes() == RECORD.to_bytes()
    # Of a benchmark it is the page, and another one's numbers are not on it.
    write_benchmark(made, tmp_path, labelled, RECORD)
    assert not (tmp_path / "report.html").exists()
    with (tmp_path / "table.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [m.name for m in made.ranked]
    for name, model in zip(("a-net", "a-net-2"), made.models, strict=True):
        place = tmp_path / "models" / name
        metric = Classification.from_bytes((place / "state.bin").read_bytes())
        assert metric.compute().metrics == model.result.metrics
        assert json.loads((place / "result.json").read_text())["metrics"]["accuracy"] == model.top1


def test_written_again_all_bytes_are_the_same(tmp_path: Path) -> None:
    labelled = images()
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_benchmark(result(labelled), tmp_path / name, labelled, RECORD)
        contents.append(
            {
                path.relative_to(tmp_path / name): path.read_bytes()
                for path in (tmp_path / name).rglob("*")
                if path.is_file()
            }
        )
    assert contents[0] == contents[1]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    labelled = images()
    (tmp_path / "table.csv").write_text("before")
    (tmp_path / "result.json").mkdir()  # no file can be put in its place
    (tmp_path / "result.json/in the way").touch()
    with pytest.raises(OSError, match="directory"):
        write_benchmark(result(labelled), tmp_path, labelled, RECORD)
    assert (tmp_path / "table.csv").read_text() == "before"
    assert not list(tmp_path.rglob("state.bin"))
    assert not (tmp_path / "index.html").exists()
    assert not (tmp_path / "run.json").exists()


def test_names_of_folders() -> None:
    assert folder_names(["..", "", "/", ".hidden"]) == ["model", "model-2", "model-3", "hidden"]
    assert folder_names(["Net", "net", "NET-2", "net"]) == ["Net", "net-2", "NET-2-2", "net-3"]
    long = ["x" * 300, "x" * 299]
    assert [len(each) for each in folder_names(long)] == [80, 82]
    names = folder_names(["a b", "a\tb", "a\0b", "Ärger", "a/../b"])
    assert names == ["a-b", "a-b-2", "a-b-3", "Ärger", "a-..-b"]


def test_json_for_people() -> None:
    content = json_bytes({"name": "é", "numbers": [1, 2.5, None]})
    assert json.loads(content) == {"name": "é", "numbers": [1, 2.5, None]}
    assert content.endswith(b"\n}\n")


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data))


def test_small_images_are_kept_as_they_are() -> None:
    for shape, mode in (((6, 6, 1), "L"), ((6, 9, 3), "RGB")):
        labelled = images(shape)
        with opened(thumbnail(labelled, 4)) as shown:
            assert (shown.format, shown.mode, shown.size) == ("PNG", mode, (shape[1], shape[0]))
            assert labelled.reader is not None
            stored = labelled.reader.data(4)
            assert isinstance(stored, np.ndarray)
            assert np.array_equal(np.asarray(shown).reshape(shape), stored)


def test_large_images_become_small(tmp_path: Path) -> None:
    wide: NDArray[np.uint8] = np.zeros((50, 400, 3), np.uint8)
    wide[:, :200] = (200, 40, 40)
    Image.fromarray(wide).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"none")
    reader = ImageFiles([str(tmp_path / f"{k}.png") for k in range(3)])
    labelled = LabelledImages(
        ["0.png", "1.png", "2.png"], np.zeros(3, np.int64), CLASSES, reader, {}, "digest"
    )
    with opened(thumbnail(labelled, 0)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (112, 14))
        left, right = np.asarray(shown)[7, 20], np.asarray(shown)[7, 90]
        assert np.abs(left.astype(int) - (200, 40, 40)).max() < 12
        assert right.max() < 12
    # What cannot be read now has no picture: the result is written all the same.
    assert thumbnail(labelled, 1) is None
    assert thumbnail(labelled, 2) is None


def test_labels_alone_have_no_pictures() -> None:
    labelled = LabelledImages(["0"], np.zeros(1, np.int64), CLASSES, None, {}, "digest")
    assert thumbnail(labelled, 0) is None


def test_an_image_that_breaks_afterwards(tmp_path: Path) -> None:
    class Broken(ArrayImages):
        def data(self, row: int) -> NDArray[np.uint8]:
            raise SchemaError("expected a whole image", f"{row}.png")

    whole = images()
    broken = LabelledImages(
        whole.ids, whole.labels, CLASSES, Broken(np.zeros((N, 6, 6, 1), np.uint8), []), {}, "d"
    )
    write_benchmark(result(whole), tmp_path, broken, RECORD)
    assert (tmp_path / "index.html").is_file()
