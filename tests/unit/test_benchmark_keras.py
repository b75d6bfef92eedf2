"""Networks of Keras as models of a benchmark: constructors and files."""

import os
import random
from pathlib import Path
from typing import Any
from urllib.error import URLError

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

from snellen.benchmark.imagenet import IMAGENET_IDS  # noqa: E402
from snellen.benchmark.keras_model import load  # noqa: E402
from snellen.benchmark.model import LoadOptions  # noqa: E402
from snellen.benchmark.sources import load_model  # noqa: E402
from snellen.errors import InputError, SchemaError, ShapeError  # noqa: E402

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def _options(**settings: str) -> LoadOptions:
    return LoadOptions("cpu", 1, settings)


def _mobilenet_macs(side: int) -> int:
    """Return the multiplications of MobileNetV2, from the table of its paper (arXiv 1801.04381)."""
    side //= 2
    channels = 32
    total = side**2 * channels * 27
    for expansion, wide, n, stride in [
        *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
        *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
    ]:
        for k in range(n):
            inside = expansion * channels
            if expansion > 1:
                total += side**2 * channels * inside
            side //= stride if k == 0 else 1
            total += side**2 * inside * 9 + side**2 * inside * wide
            channels = wide
    return total + side**2 * 320 * 1280 + 1280 * 1000


@pytest.fixture(scope="module")
def mobilenet() -> Any:
    return load_model("keras:MobileNetV2,weights=random,size=64,resize=73", device="cpu")


def test_a_network_of_keras(mobilenet: Any) -> None:
    made = mobilenet.preprocessing
    assert (made.height, made.width, made.shorter_side, made.filter) == (64, 64, 73, "bicubic")
    assert made.layout == "channels_first"
    assert mobilenet.classes == IMAGENET_IDS
    assert mobilenet.scores == "probabilities"
    scores = mobilenet.predict(made.batch([np.zeros((64, 64, 3), np.uint8)] * 2))
    assert scores.shape == (2, 1000)
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-5)


def test_what_it_costs(mobilenet: Any) -> None:
    facts = mobilenet.facts
    # keras.io's 3,538,984 without the running means and variances, two for each of the channels
    # that are normalised: 17,056 of them.
    assert facts.parameters == 3_538_984 - 2 * 17_056
    assert facts.macs == _mobilenet_macs(64)
    assert _mobilenet_macs(224) == 300_774_272  # the 300 million of the paper
    assert facts.versions["keras"] == keras.__version__
    assert "channels_first" in facts.runtime
    assert facts.notes == ("its weights are random: its scores mean nothing",)


def test_random_weights_are_always_the_same_and_nothing_else_changes(mobilenet: Any) -> None:
    random.seed(5)
    torch.manual_seed(5)
    before = random.getstate(), torch.get_rng_state(), keras.config.image_data_format()
    again = load("MobileNetV2", _options(weights="random", size="64", resize="73"))
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert keras.config.image_data_format() == before[2] == "channels_last"
    assert again.facts.digest == mobilenet.facts.digest
    last = load(
        "MobileNetV2", _options(weights="random", size="64", resize="73", layout="channels_last")
    )
    assert last.preprocessing.layout == "channels_last"
    assert last.facts.digest != mobilenet.facts.digest


def test_without_network_it_says_which_file_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from keras.src.utils import file_utils

    def no_network(*_: object) -> None:
        raise URLError("[Errno -2] Name or service not known")

    monkeypatch.setattr(file_utils, "urlretrieve", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as raised:
        load("MobileNetV2", _options())
    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"
    folder = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2"
    assert str(raised.value) == (
        "expected ImageNet's weights of MobileNetV2, which Keras cannot download: put the file "
        f"{file} of {folder}/{file} into {tmp_path / 'models'}, or say weights=random to measure "
        "its speed alone - at MobileNetV2"
    )
    printed = capsys.readouterr()
    assert not printed.out  # it belongs to results
    assert "Downloading" in printed.err


def test_a_download_that_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.src.utils import file_utils

    def broken(*_: object) -> None:
        raise TimeoutError("The read operation timed out")

    monkeypatch.setattr(file_utils, "urlretrieve", broken)
    with pytest.raises(InputError, match=r"keeps in .*models: The read operation timed out"):
        load("MobileNetV2", _options())


def test_files_of_weights(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a file of weights, there is none - at none\.h5"):
        load("MobileNetV2", _options(weights="none.h5"))
    other = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(other)
    with pytest.raises(SchemaError, match="expected weights of MobileNetV2, Keras cannot read"):
        load("MobileNetV2", _options(weights=str(other)))
    with pytest.raises(InputError, match=r"no file of weights for EfficientNet.*\.keras file"):
        load("EfficientNetB0", _options(weights=str(other)))


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("MobilenetV2", {}, 'got "MobilenetV2". Did you mean "MobileNetV2"'),
        ("MobileNetV2", {"weigths": "x"}, 'Did you mean "weights"'),
        ("MobileNetV2", {"weights": "random", "layout": "middle"}, 'got "middle"'),
        ("VGG16", {"layout": "channels_first"}, "VGG16 is not the same network with channels"),
        ("NASNetMobile", {"weights": "random"}, "not available with the torch backend"),
        ("none.keras", {"preset": "bytes"}, "there is none - at none.keras"),
        ("none.keras", {"weights": "imagenet"}, 'got "weights"'),
        ("MobileNetV2", {"weights": "random", "size": "8", "resize": "9"}, "cannot build"),
    ],
)
def test_what_there_is_not(name: str, settings: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as raised:
        load(name, _options(**settings))
    assert said in str(raised.value)


def test_another_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    for name in ("MobileNetV2", "some.keras"):
        with pytest.raises(InputError, match=r"backend torch, got jax: set .* KERAS_BACKEND=torch"):
            load(name, _options())


def _saved(path: Path, *layers: Any) -> tuple[str, Any]:
    model = keras.Sequential(list(layers))
    model.save(path)
    return str(path), model


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore:You are saving:UserWarning")
def test_a_file(tmp_path: Path, ending: str) -> None:
    # Evaluation: without dropout, and by what the normalisation keeps.
    path, model = _saved(
        tmp_path / f"small.{ending}",
        keras.Input((8, 6, 3)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(5, activation="softmax"),
    )
    with pytest.raises(InputError, match=r"nothing is known of how the images .*preset=imagenet"):
        load(path, _options())
    found = load(path, _options(preset="bytes"))
    made = found.preprocessing
    assert (made.height, made.width, made.layout, made.fit) == (8, 6, "channels_last", "stretch")
    assert (found.scores, found.classes) == ("probabilities", None)
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 6, 3), np.uint8)
    np.testing.assert_allclose(
        found.predict(made.batch(list(images))),
        model.predict(images.astype(np.float32), verbose=0),
        rtol=0,
        atol=1e-6,
    )
    assert found.facts.parameters == (27 * 4 + 4) + 2 * 4 + (4 * 5 + 5)
    assert found.facts.macs == 6 * 4 * 4 * 27 + 4 * 5
    assert found.facts.file_bytes == Path(path).stat().st_size
    with pytest.raises(ShapeError):
        found.predict(np.zeros((1, 3, 8, 6), np.float32))


def test_a_file_with_channels_first(tmp_path: Path) -> None:
    path, model = _saved(
        tmp_path / "first.keras",
        keras.Input((1, 8, 6)),
        keras.layers.Conv2D(4, 3, data_format="channels_first"),
        keras.layers.Flatten(),
        keras.layers.Dense(5),
    )
    found = load(path, _options(scale="1/255"))
    assert (found.preprocessing.layout, found.preprocessing.colours) == ("channels_first", "L")
    assert found.scores == "logits"
    batch = found.preprocessing.batch(
        list(np.random.default_rng(0).integers(0, 256, (3, 8, 6, 1), np.uint8))
    )
    np.testing.assert_allclose(found.predict(batch), model.predict(batch, verbose=0), atol=1e-6)


def test_a_network_that_takes_bytes(tmp_path: Path) -> None:
    path, model = _saved(
        tmp_path / "bytes.keras",
        keras.Input((4, 4, 3), dtype="uint8"),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(5),
    )
    found = load(path, _options())
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3), np.uint8)
    batch = found.preprocessing.batch(list(images))
    assert batch.dtype == np.uint8
    expected = model.predict(images, verbose=0)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(found.predict(batch), expected, atol=1e-6)
    # Keras would cut fractions off without a word.
    with pytest.raises(InputError, match="expected bytes as they are"):
        load(path, _options(scale="1/255"))


def test_mixed_precision_is_said(tmp_path: Path) -> None:
    path, _ = _saved(
        tmp_path / "mixed.keras",
        keras.Input((4, 4, 3)),
        keras.layers.Flatten(dtype="mixed_float16"),
        keras.layers.Dense(50, dtype="mixed_float16"),
        keras.layers.Dense(5, activation="softmax"),
    )
    found = load(path, _options(scale="1/255"))
    assert found.facts.dtype == "float16"  # of most; weights are stored in float32


@pytest.mark.parametrize("as_dict", [False, True])
def test_several_outputs(tmp_path: Path, as_dict: bool) -> None:
    image = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten()(image)
    outputs = [keras.layers.Dense(5)(flat), keras.layers.Dense(7)(flat)]
    keras.Model(image, {"a": outputs[0], "b": outputs[1]} if as_dict else outputs).save(
        tmp_path / "two.keras"
    )
    found = load(str(tmp_path / "two.keras"), _options(scale="1/255"))
    assert found.predict(np.ones((2, 4, 4, 3), np.float32)).shape == (2, 5)
    assert found.facts.notes == ("it returns 2 tensors, of which the first was taken",)


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore:You are saving:UserWarning")
def test_code_in_a_file_is_not_run(tmp_path: Path, ending: str) -> None:
    path, _ = _saved(
        tmp_path / f"code.{ending}",
        keras.Input((4, 4, 3)),
        keras.layers.Flatten(),
        keras.layers.Lambda(lambda x: x * 2),
        keras.layers.Dense(5),
    )
    with pytest.raises(SchemaError, match=r"Keras cannot read it: .*Lambda.* arbitrary code"):
        load(path, _options(preset="bytes"))


@pytest.mark.parametrize("shape", [(8, 8), (64,)])
def test_a_network_of_rows_of_numbers(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path, model = _saved(
        tmp_path / "rows.keras",
        keras.Input(shape),
        keras.layers.Flatten(),
        keras.layers.Dense(5, activation="softmax"),
    )
    found = load(path, _options(scale="1/255"))
    made = found.preprocessing
    assert (made.height, made.width, made.colours) == (8, 8, "L")
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1), np.uint8)
    np.testing.assert_allclose(
        found.predict(made.batch(list(images))),
        model.predict(images.reshape(3, *shape).astype(np.float32) / 255, verbose=0),
        atol=1e-6,
    )


def test_files_that_are_no_networks_of_images(tmp_path: Path) -> None:
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(SchemaError, match="Keras cannot read it"):
        load(str(broken), _options(preset="bytes"))
    path, _ = _saved(
        tmp_path / "table.keras", keras.Input((7,)), keras.layers.Dense(3, activation="softmax")
    )
    with pytest.raises(ShapeError, match="expected a network of images"):
        load(path, _options(preset="bytes"))
