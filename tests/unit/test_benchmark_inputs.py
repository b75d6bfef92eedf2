"""Which files go into a benchmark, named or not."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.benchmark.inputs import input_files, weights_beside
from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.model import Facts
from snellen.benchmark.stored_images import ArrayImages, ImageFiles, ShardImages
from snellen.run.data_digests import DataSource, data_digest


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)


def found(
    data: str, reader: Any = None, models: Sequence[str] = (), **also: str
) -> list[DataSource]:
    nothing = dict.fromkeys(("labels", "synsets", "real", "classes"))
    images = LabelledImages([], np.empty(0, np.int64), ["a"], reader, {"data": data}, "")
    return input_files(models, images, {**nothing, "data": data, **also})


def test_of_a_folder_the_images_that_are_measured_on() -> None:
    put("pics/train/a/1.png", "pics/val/a/1.png", "pics/val/a/2.png")
    reader = ImageFiles(["pics/val/a/2.png", "pics/val/a/gone.png"])
    assert found("pics", reader) == [DataSource("data", "pics", ("pics/val/a/2.png",))]


def test_of_a_table_itself_and_the_images_that_it_names() -> None:
    put("t/table.csv", "pics/1.png", "pics/2.png")
    sources = found("t/table.csv", ImageFiles(["pics/1.png", "pics/2.png"]))
    assert sources == [
        DataSource("data", "t/table.csv"),
        DataSource("images", "pics", ("pics/1.png", "pics/2.png")),
    ]
    digest = data_digest(sources[1])
    lines = "".join(
        f"{name}\0{len(f'pics/{name}')}\0{hashlib.sha256(f'pics/{name}'.encode()).hexdigest()}\n"
        for name in ("1.png", "2.png")
    )
    assert digest.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert found("t/table.csv") == [DataSource("data", "t/table.csv")]  # labels alone


def test_of_idx_the_labels_too() -> None:
    put("d/images-idx3-ubyte", "d/labels-idx1-ubyte")
    reader = ArrayImages(
        np.zeros((1, 2, 2, 1), np.uint8), ["d/images-idx3-ubyte", "d/labels-idx1-ubyte"]
    )
    assert [each.role for each in found("d/images-idx3-ubyte", reader)] == ["data", "images"]
    assert found("d/images-idx3-ubyte", reader)[1].files == ("d/labels-idx1-ubyte",)
    # Built in: they lie somewhere.
    (source,) = found("fashion-mnist", reader)
    assert (source.role, source.name, source.files) == ("data", "d", tuple(reader.files))


def test_of_a_pattern_all_shards() -> None:
    put("s/0.tar", "s/1.tar")
    (source,) = found("s/{0..1}.tar", ShardImages(["s/0.tar", "s/1.tar"], []))
    assert (source.role, source.files) == ("data", ("s/0.tar", "s/1.tar"))
    assert found("s/0.tar", ShardImages(["s/0.tar"], [])) == [DataSource("data", "s/0.tar")]


def test_labels_and_classes() -> None:
    put("labels.txt", "real.json", "meta.mat", "classes.txt")
    sources = found("pics", labels="labels.txt", real="real.json", classes="classes.txt")
    assert [(each.role, each.name) for each in sources] == [
        ("labels", "labels.txt"), ("real", "real.json"), ("classes", "classes.txt"),
    ]  # fmt: skip
    assert found("pics", classes="imagenet") == []
    kit = LabelledImages([], np.empty(0, np.int64), ["a"], None, {"synsets": "meta.mat"}, "")
    nothing = dict.fromkeys(("labels", "synsets", "real", "classes"))
    assert input_files([], kit, {**nothing, "data": "pics"}) == [DataSource("synsets", "meta.mat")]


def test_of_networks_what_is_a_file() -> None:
    put("a.onnx", "names.txt", "theirs.csv", "w.safetensors", "w.json", "run/weights.safetensors")
    put("run/network.json", "run/checkpoints/large.bin")
    models = [
        "a.onnx,preset=unit,classes=names.txt", "a.onnx,name=a.onnx", "keras:ResNet50",
        "torch:here:there", "predictions:theirs.csv", "snellen:w.safetensors", "snellen:run",
    ]  # fmt: skip
    assert found("pics", models=models) == [
        DataSource("model", "a.onnx"),
        DataSource("model-classes", "names.txt"),
        DataSource("predictions", "theirs.csv"),
        DataSource("model", "w.safetensors"),
        DataSource("model", "w.json"),
        DataSource("model", "run", ("run/weights.safetensors", "run/network.json")),
    ]


def test_what_only_has_the_name_of_a_network_is_not_its_file() -> None:
    put("ResNet50/old.txt", "resnet18", "vgg11/weights.safetensors", "vgg11/network.json")
    put("a.onnx/old.txt", "net.keras")
    models = ["keras:ResNet50", "timm:resnet18", "torchvision:vgg11", "onnx:a.onnx"]
    assert found("pics", models=models) == []
    assert found("pics", models=["keras:net.keras"]) == [DataSource("model", "net.keras")]


def test_weights_beside_an_onnx_file() -> None:
    onnx = pytest.importorskip("onnx")
    weights = onnx.numpy_helper.from_array(np.ones((64, 64), np.float32), "w")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", kind, [1, 64])],
        [helper.make_tensor_value_info("y", kind, [1, 64])],
        [weights],
    )
    Path("m").mkdir()
    onnx.save(
        helper.make_model(graph), "m/a.onnx", save_as_external_data=True, location="a.data",
        size_threshold=0,
    )  # fmt: skip
    own, beside = (Path("m", name).stat().st_size for name in ("a.onnx", "a.data"))
    assert beside >= 4 * 64 * 64

    def facts(n: int | None) -> Facts:
        return Facts("cpu", "float32", 1, {}, "", file_bytes=n)

    assert weights_beside("m/a.onnx,preset=unit", facts(own + beside)) == ("m/a.data",)
    assert weights_beside("m/a.onnx", facts(own)) == ()
    assert weights_beside("m/a.onnx", facts(None)) == ()
    assert weights_beside("keras:ResNet50", facts(7)) == ()
