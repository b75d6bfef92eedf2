"""ONNX files as models of a benchmark, beside NumPy's own product."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from snellen.benchmark import onnx_session  # noqa: E402
from snellen.benchmark.model import Facts, LoadOptions  # noqa: E402
from snellen.benchmark.onnx_model import OnnxModel, load  # noqa: E402
from snellen.benchmark.preprocessing import Preprocessing  # noqa: E402
from snellen.benchmark.sources import load_model  # noqa: E402
from snellen.errors import ClassError, InputError, SchemaError, ShapeError  # noqa: E402

K = 5
TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "uint8": TensorProto.UINT8,
    "int64": TensorProto.INT64,
}
BYTES = {"scale": "1"}  # what is to be known of the images of these networks


def weights(n: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(K, n)) / n).astype(np.float32)


def network(
    path: Path,
    shape: tuple[Any, ...] = ("n", 3, 4, 6),
    *,
    dtype: str = "float32",
    ends: tuple[str, ...] = (),
    seed: int = 0,
    weight: str = "float32",
    metadata: dict[str, str] | None = None,
    more_inputs: bool = False,
    opset: int = 17,
    outputs: tuple[str, ...] = ("y",),
    external: bool = False,
) -> str:
    """Write a network: all numbers of an image by a matrix, and what shall come behind that."""
    n = int(np.prod([length for length in shape[1:] if isinstance(length, int)]))
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], to=TYPES[weight]),
        helper.make_node("Flatten", ["wide"], ["flat"]),
        helper.make_node("Gemm", ["flat", "W"], ["narrow"], transB=1),
        helper.make_node("Cast", ["narrow"], ["product"], to=TensorProto.FLOAT),
    ]
    last = "product"
    for k, kind in enumerate(ends):
        more = ["axes"] if kind == "Unsqueeze" else []
        nodes.append(helper.make_node(kind, [last, *more], [f"{kind}{k}"]))
        last = f"{kind}{k}"
    nodes += [helper.make_node("Identity", [last], [name]) for name in outputs]
    matrix = weights(n, seed).astype(weight)
    axes = numpy_helper.from_array(np.array([2, 3], np.int64), "axes")
    inputs = [helper.make_tensor_value_info("x", TYPES[dtype], shape)]
    if more_inputs:
        inputs.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n"]))
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(
        nodes, "g", inputs, given, [numpy_helper.from_array(matrix, "W"), axes]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(
        model, str(path), save_as_external_data=external, location="w.bin", size_threshold=0
    ) if external else onnx.save(model, str(path))
    return str(path)


def loaded(path: str, *, device: str = "cpu", threads: int = 1, **settings: str) -> OnnxModel:
    return load(path, LoadOptions(device, threads, settings))


def images(preprocessing: Preprocessing, n: int) -> np.ndarray:
    random = np.random.default_rng(n)
    size = (preprocessing.height, preprocessing.width, preprocessing.n_channels)
    return preprocessing.batch([random.integers(0, 256, size, np.uint8) for _ in range(n)])


def expected(batch: np.ndarray, seed: int = 0) -> np.ndarray:
    flat = batch.reshape(len(batch), -1).astype(np.float64)
    return flat @ weights(flat.shape[1], seed).T.astype(np.float64)


def softmax(rows: np.ndarray) -> np.ndarray:
    shares = np.exp(rows - rows.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


# ---- Scores -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "dtype", "layout", "colours"),
    [
        (("n", 3, 4, 6), "float32", "channels_first", "RGB"),
        (("n", 4, 6, 3), "float32", "channels_last", "RGB"),
        (("n", 1, 4, 6), "uint8", "channels_first", "L"),
        ((None, 4, 6, 1), "uint8", "channels_last", "L"),
        (("n", 3, 4, 6), "float64", "channels_first", "RGB"),
        (("n", 3, 4, 6), "float16", "channels_first", "RGB"),
        # Grey images without an axis of channels, and as a row.
        (("n", 4, 6), "float32", "channels_first", "L"),
        (("n", 16), "float32", "channels_first", "L"),
    ],
)
def test_scores_are_the_product(
    tmp_path: Path, shape: tuple[Any, ...], dtype: str, layout: str, colours: str
) -> None:
    model = loaded(network(tmp_path / "a.onnx", shape, dtype=dtype), **BYTES)
    found = model.preprocessing
    assert (found.layout, found.colours) == (layout, colours)
    assert found.dtype == ("uint8" if dtype == "uint8" else "float32")
    batch = images(found, 3)
    scores = model.predict(batch)
    assert scores.shape == (3, K)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(expected(batch), rel=1e-4, abs=1e-4)
    assert model.scores == "logits"
    assert model.classes is None


def test_what_is_timed_is_what_is_predicted(tmp_path: Path) -> None:
    model = loaded(network(tmp_path / "a.onnx"), **BYTES)
    batch = images(model.preprocessing, 7)
    resident = model.resident(batch)
    for _ in range(2):
        ran = model.run(resident)
    outputs = np.concatenate([each.get_outputs()[0].numpy() for each in ran.bindings])
    assert np.array_equal(outputs, model.predict(batch))


@pytest.mark.parametrize("fixed", [1, 4])
def test_a_fixed_number_of_images(tmp_path: Path, fixed: int) -> None:
    model = loaded(network(tmp_path / "a.onnx", (fixed, 3, 4, 6)), **BYTES)
    batch = images(model.preprocessing, 6)
    assert model.predict(batch) == pytest.approx(expected(batch), rel=1e-4, abs=1e-4)
    assert len(model.resident(batch).bindings) == (6 if fixed == 1 else 2)
    many = "one image" if fixed == 1 else "4 images"
    assert f"it takes {many} at a time, whatever the size of a batch" in model.facts.notes


@pytest.mark.parametrize("prefix", ["", "onnx:"])
def test_by_its_name(tmp_path: Path, prefix: str) -> None:
    path = network(tmp_path / "a.onnx")
    model = load_model(f"{prefix}{path},scale=1,name=Mine", device="cpu", threads=2)
    assert isinstance(model, OnnxModel)
    assert model.facts.threads == 2


def test_predictions_are_not_overwritten_by_the_next(tmp_path: Path) -> None:
    model = loaded(network(tmp_path / "a.onnx"), **BYTES)
    first = model.predict(images(model.preprocessing, 2))
    before = first.copy()
    model.predict(images(model.preprocessing, 2)[::-1] + 1)
    assert np.array_equal(first, before)


def test_threads_change_no_bit(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", ("n", 3, 32, 32))
    one, two = (loaded(path, threads=n, **BYTES) for n in (1, 2))
    batch = images(one.preprocessing, 64)
    assert np.array_equal(one.predict(batch), two.predict(batch))
    assert (one.facts.threads, two.facts.threads) == (1, 2)


def test_axes_of_one_behind_the_classes_are_dropped(tmp_path: Path) -> None:
    model = loaded(network(tmp_path / "a.onnx", ends=("Unsqueeze",)), **BYTES)
    batch = images(model.preprocessing, 2)
    assert model.predict(batch) == pytest.approx(expected(batch), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("ends", "scores", "note"),
    [
        ((), "logits", None),
        (("Softmax",), "probabilities", None),
        (("Softmax", "Unsqueeze", "Flatten"), "probabilities", None),
        (("LogSoftmax", "Exp"), "probabilities", "taken for probabilities"),
        (("Sigmoid",), "logits", "do not sum to 1"),
    ],
)
def test_what_scores_are(
    tmp_path: Path, ends: tuple[str, ...], scores: str, note: str | None
) -> None:
    path = network(tmp_path / "a.onnx", ends=ends)
    model = loaded(path, **BYTES)
    assert model.scores == scores
    assert [note in said for said in model.facts.notes] == ([] if note is None else [True])
    assert loaded(path, scores="logits", **BYTES).scores == "logits"
    if scores == "probabilities":
        assert loaded(path, scores=scores, **BYTES).facts.notes == ()
    else:
        with pytest.raises(InputError, match=r"expected probabilities, from 0 to 1 .*, got "):
            loaded(path, scores="probabilities", **BYTES)


def test_one_of_several_outputs(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", outputs=("first", "second"))
    assert "of its outputs first, second first was taken" in loaded(path, **BYTES).facts.notes
    second = loaded(path, output="second", **BYTES)
    assert not second.facts.notes
    assert second.facts.digest != loaded(path, **BYTES).facts.digest
    with pytest.raises(InputError, match=r'got "secnd"\. Did you mean "second"\? - at .* output'):
        loaded(path, output="secnd", **BYTES)


# ---- What the file says -------------------------------------------------------------------------


def test_facts(tmp_path: Path) -> None:
    model = loaded(network(tmp_path / "a.onnx"), **BYTES)
    facts = model.facts
    assert (facts.device, facts.dtype, facts.parameters, facts.macs) == ("cpu", "float32", 360, 360)
    assert facts.file_bytes == (tmp_path / "a.onnx").stat().st_size
    assert facts.versions == {"onnxruntime": runtime.__version__}
    assert facts.runtime == f"ONNX Runtime {runtime.__version__}, CPUExecutionProvider"
    plain = json.loads(json.dumps(facts.to_dict()))
    assert Facts.of_dict(plain).digest == facts.digest


@pytest.mark.parametrize("kept", ["float32", "float16"])
def test_the_type_of_weights(tmp_path: Path, kept: str) -> None:
    # What it takes says little: bytes here, and float32 of many networks in half precision.
    path = network(tmp_path / "a.onnx", dtype="uint8", weight=kept)
    model = loaded(path)
    assert model.facts.dtype == kept
    batch = images(model.preprocessing, 2)
    assert model.predict(batch) == pytest.approx(expected(batch), rel=1e-2, abs=1e-1)


def test_other_weights_have_another_check_sum(tmp_path: Path) -> None:
    digests = {
        loaded(network(tmp_path / "a.onnx", seed=seed), **BYTES).facts.digest for seed in (0, 1, 0)
    }
    assert len(digests) == 2


def test_weights_beside_the_file_count(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", external=True)
    first = loaded(path, **BYTES)
    batch = images(first.preprocessing, 2)
    assert first.predict(batch) == pytest.approx(expected(batch), rel=1e-4, abs=1e-4)
    beside = tmp_path / "w.bin"
    assert first.facts.file_bytes == Path(path).stat().st_size + beside.stat().st_size
    data = bytearray(beside.read_bytes())
    data[3] ^= 1
    beside.write_bytes(data)
    assert loaded(path, **BYTES).facts.digest != first.facts.digest


def test_names_of_classes(tmp_path: Path) -> None:
    names = ("ant", "bee", "cat", "dog", "eel")
    path = network(tmp_path / "a.onnx", metadata={"names": str(dict(enumerate(names)))})
    assert loaded(path, **BYTES).classes == names
    file = tmp_path / "names.txt"
    file.write_text("v\nw\nx\ny\nz\n")
    assert loaded(path, classes=str(file), **BYTES).classes == tuple("vwxyz")
    file.write_text("v\nw\n")
    with pytest.raises(ClassError, match=r"each of the 5 scores of .*a\.onnx, got 2 - at .*names"):
        loaded(path, classes=str(file), **BYTES)


@pytest.mark.parametrize(
    ("names", "note"),
    [
        ('["a", "b"]', "the file names 2 classes and gives 5 scores: not used"),
        ("junk", "names of classes in the file were not read: expected a list or mapping"),
    ],
)
def test_names_in_the_file_that_do_not_fit(tmp_path: Path, names: str, note: str) -> None:
    model = loaded(network(tmp_path / "a.onnx", metadata={"names": names}), **BYTES)
    assert model.classes is None
    assert any(said.startswith(note) for said in model.facts.notes)


def snellens(**more: str) -> dict[str, str]:
    names = json.dumps(["a", "b", "c", "d", "e"])
    return {"snellen.task": "classification", "snellen.classes": names, **more}


def test_a_network_that_snellen_exported_knows_its_images(tmp_path: Path) -> None:
    facts = snellens(**{"snellen.scores": "logits", "snellen.fit": "stretch"})
    path = network(tmp_path / "a.onnx", ("n", 1, 4, 4), dtype="uint8", metadata=facts)
    model = loaded(path)
    assert model.preprocessing == Preprocessing(4, 4, colours="L", dtype="uint8", fit="stretch")
    assert (model.classes, model.facts.notes) == (tuple("abcde"), ())
    facts = snellens(**{"snellen.scores": "logits"})
    model = loaded(network(tmp_path / "b.onnx", metadata=facts))
    assert model.preprocessing == Preprocessing(4, 6, fit="fill")
    assert "does not say how images were fitted" in model.facts.notes[0]


def test_a_yes_or_no_for_each_class(tmp_path: Path) -> None:
    facts = snellens(**{"snellen.scores": "binary_logits", "snellen.fit": "crop"})
    model = loaded(network(tmp_path / "a.onnx", metadata=facts))
    batch = images(model.preprocessing, 3)
    sigmoids = 1 / (1 + np.exp(-expected(batch)))
    assert model.scores == "probabilities"
    assert model.predict(batch) == pytest.approx(
        sigmoids / sigmoids.sum(1, keepdims=True), rel=1e-4
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("scores", r"expected scores of logits, .* in what snellen export says, got \"odd\""),
        ("fit", r"expected fit of crop, stretch in what snellen export says, got \"odd\""),
    ],
)
def test_facts_that_snellen_does_not_write(tmp_path: Path, name: str, said: str) -> None:
    path = network(tmp_path / "a.onnx", metadata=snellens(**{f"snellen.{name}": "odd"}))
    with pytest.raises(SchemaError, match=said):
        loaded(path)


def test_a_network_of_something_else_by_snellen(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", metadata={"snellen.task": "regression"})
    with pytest.raises(InputError, match="for classification, got one for regression"):
        loaded(path)
    path = network(tmp_path / "b.onnx", ("n", 16), metadata=snellens())
    with pytest.raises(SchemaError, match="a network of images as snellen export writes them"):
        loaded(path)


# ---- What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"can load, got: .* - at .*x\.onnx$"),
        (b"not a network at all", "Protobuf parsing failed"),
    ],
)
def test_files_that_are_no_networks(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        loaded(str(path), **BYTES)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    path = Path(network(tmp_path / "a.onnx"))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="a network that ONNX Runtime"):
        loaded(str(path), **BYTES)


def test_operators_of_the_future(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", opset=99)
    with pytest.raises(InputError, match=r"got: ONNX Runtime only .*Opset 99") as caught:
        loaded(path, **BYTES)
    assert "/onnxruntime_src" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected an ONNX file, there is none - at .*no\.onnx"):
        loaded(str(tmp_path / "no.onnx"), **BYTES)


@pytest.mark.parametrize(
    ("shape", "dtype", "said"),
    [
        (("n", 2, 4, 6), "float32", r"x is \(any, 2, 4, 6\)"),
        (("n", 15), "float32", r"x is \(any, 15\)"),
        (("n", 3, 4, 6, 2), "float32", r"x is \(any, 3, 4, 6, 2\)"),
        (("n", 3, 4, 6), "int64", r"takes numbers or bytes .*got tensor\(int64\) for x"),
    ],
)
def test_inputs_that_are_no_images(
    tmp_path: Path, shape: tuple[Any, ...], dtype: str, said: str
) -> None:
    path = network(tmp_path / "a.onnx", shape, dtype=dtype)
    with pytest.raises(ShapeError, match=said):
        loaded(path, **BYTES)


def test_two_inputs(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", more_inputs=True)
    with pytest.raises(ShapeError, match="one input, images, got x, z"):
        loaded(path, **BYTES)


def test_batches_of_another_shape(tmp_path: Path) -> None:
    model = loaded(network(tmp_path / "a.onnx"), **BYTES)
    for shape in [(2, 3, 6, 4), (0, 3, 4, 6), (3, 4, 6)]:
        with pytest.raises(ShapeError, match=r"expected a batch \(n, 3, 4, 6\), got"):
            model.predict(np.zeros(shape, np.float32))


def test_a_network_that_fails_while_it_runs(tmp_path: Path) -> None:
    # The file leaves the size open and its matrix does not.
    path = network(tmp_path / "a.onnx", ("n", 3, "h", "w"))
    with pytest.raises(InputError, match=r"a network that ONNX Runtime can run, got: .*Gemm"):
        loaded(path, preset="unit", size="5")


def test_a_size_that_is_open_is_asked_for(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", ("n", 3, "h", "w"))
    with pytest.raises(InputError, match=r"size of images, which the network leaves open"):
        loaded(path, preset="unit")
    # Three numbers an image: one pixel.
    model = loaded(path, preset="unit", size="1")
    assert model.facts.macs == 3 * K


def test_images_of_which_nothing_is_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing is known of how the images.*,preset=imagenet"):
        loaded(network(tmp_path / "a.onnx"))


def test_settings_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'got "precision"'):
        loaded(network(tmp_path / "a.onnx"), precision="float16", **BYTES)


@pytest.mark.skipif(
    "CUDAExecutionProvider" in runtime.get_available_providers(), reason="there is one"
)
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "tensorrt"])
def test_a_gpu_that_is_not_there(tmp_path: Path, device: str) -> None:
    path = network(tmp_path / "a.onnx")
    with pytest.raises(InputError, match=r"CPUExecutionProvider: pip install onnxruntime-gpu"):
        loaded(path, device=device, **BYTES)
    assert loaded(path, device="auto", **BYTES).facts.device == "cpu"


class Pretending:
    """ONNX Runtime with a CUDA provider that cannot start."""

    def __init__(self, *, raises: bool) -> None:
        self.raises = raises

    def __getattr__(self, name: str) -> Any:
        return getattr(runtime, name)

    def preload_dlls(self) -> None:
        pass

    def get_available_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def InferenceSession(  # noqa: N802 - its name there
        self, path: str, options: Any, names: list[str], settings: Any, **more: Any
    ) -> Any:
        assert more == {"enable_fallback": 0}
        if names[0] == "CUDAExecutionProvider" and self.raises:
            raise RuntimeError("no driver")
        assert settings == ([{"device_id": "0"}, {}] if len(names) == 2 else [{}])
        return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("raises", [False, True])
def test_a_gpu_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    monkeypatch.setattr(onnx_session, "_runtime", lambda: Pretending(raises=raises))
    path = network(tmp_path / "a.onnx")
    with pytest.raises(InputError, match="no driver" if raises else "could not start it"):
        loaded(path, device="cuda", **BYTES)
    model = loaded(path, device="auto", **BYTES)
    assert model.facts.device == "cpu"
    assert "could not start it" in model.facts.notes[0]
