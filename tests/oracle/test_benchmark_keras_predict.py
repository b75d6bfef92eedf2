"""Networks of keras.applications against Keras' own ``preprocess_input`` and ``predict``."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

from snellen.benchmark import keras_model  # noqa: E402
from snellen.benchmark.keras_applications import application  # noqa: E402
from snellen.benchmark.model import LoadOptions  # noqa: E402
from snellen.errors import InputError  # noqa: E402

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Every constructor, with the size that it takes unless told otherwise, and the length of the
# shorter side: 8/7 of that; of EfficientNet 32 more; of the large ones of its second version none.
SIZES = {
    **{f"ConvNeXt{size}": (224, 256) for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
    **{f"DenseNet{depth}": (224, 256) for depth in (121, 169, 201)},
    **{
        f"EfficientNetB{k}": (size, size + 32)
        for k, size in enumerate((224, 240, 260, 300, 380, 456, 528, 600))
    },
    **{f"EfficientNetV2B{k}": (size, size + 32) for k, size in enumerate((224, 240, 260, 300))},
    **{
        f"EfficientNetV2{size}": (side, side) for size, side in (("S", 384), ("M", 480), ("L", 480))
    },
    "InceptionResNetV2": (299, 342),
    "InceptionV3": (299, 342),
    **{f"MobileNet{kind}": (224, 256) for kind in ("", "V2", "V3Large", "V3Small")},
    "NASNetLarge": (331, 378),
    "NASNetMobile": (224, 256),
    **{f"ResNet{depth}{kind}": (224, 256) for depth in (50, 101, 152) for kind in ("", "V2")},
    "VGG16": (224, 256),
    "VGG19": (224, 256),
    "Xception": (299, 342),
}
CHANNELS_LAST = ("ConvNeXt", "DenseNet", "NASNet", "VGG")


def _constructors() -> dict[str, Any]:
    found = vars(keras.applications).items()
    return {name: value for name, value in found if name[0].isupper() and callable(value)}


def test_every_network_of_keras_is_known() -> None:
    assert set(SIZES) == set(_constructors())


@pytest.mark.parametrize("name", sorted(SIZES))
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_images_are_what_preprocess_input_makes(
    name: str, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size, shorter = SIZES[name]
    refused = name.startswith(CHANNELS_LAST)
    if refused and layout == "channels_first":
        with pytest.raises(InputError, match="not the same network with channels first"):
            application(keras, name, weights="random", layout=layout)
        return
    original = getattr(keras.applications, name)

    # Without its layers, which take a while.
    def made(weights: str | None) -> Any:
        assert weights is None
        first = keras.config.image_data_format() == "channels_first"
        image = keras.Input((3, size, size) if first else (size, size, 3))
        return keras.Model(image, image)

    made.__module__ = original.__module__
    monkeypatch.setattr(keras.applications, name, made)
    built = application(keras, name, weights="random", layout=layout)
    own = built.preprocessing
    assert (own.height, own.width, own.shorter_side, own.filter) == (size, size, shorter, "bicubic")
    assert own.layout == built.layout == layout
    by_default = application(keras, name, weights="random").layout
    assert by_default == ("channels_last" if refused else "channels_first")

    family = importlib.import_module(original.__module__.replace(".src.", "."))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, 5, 3), np.uint8)
    turned = pixels.transpose(0, 3, 1, 2) if layout == "channels_first" else pixels
    expected = family.preprocess_input(turned.astype(np.float32), data_format=layout)
    # Two roundings of float32, of numbers to 255.
    np.testing.assert_allclose(own.batch(list(pixels)), expected, rtol=2e-6, atol=2e-6)


def _pixels(n: int, side: int) -> np.ndarray:
    """Return smooth images: of noise a network makes the same in all."""
    random = np.random.default_rng(1)
    small = random.random((n, 3, 4, 4))
    large = torch.nn.functional.interpolate(torch.from_numpy(small), (side, side), mode="bicubic")
    return (large.permute(0, 2, 3, 1).clip(0, 1).numpy() * 255).astype(np.uint8)


def _lively(model: Any, batch: np.ndarray) -> None:
    """Give a network weights with which what it gives depends on what it sees."""
    random = np.random.default_rng(2)
    layers = list(model._flatten_layers())
    norms = [each for each in layers if isinstance(each, keras.layers.BatchNormalization)]
    before = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
        for weight in layer.trainable_variables:
            weight.assign(weight.numpy() + 0.3 * random.standard_normal(weight.shape))
    with torch.no_grad():
        model(batch, training=True)
    for layer, momentum in zip(norms, before, strict=True):
        layer.momentum = momentum
        # Channels that are the same in a few images would make roundings large.
        kept = layer.moving_variance.numpy()
        layer.moving_variance.assign(np.maximum(kept, 0.1 * kept.mean()))
    # Scores neither all alike nor all of one class.
    last = [each for each in layers if len(each.weights) == 2][-1]
    kernel = last.kernel.numpy()
    last.kernel.assign(kernel / 1000)
    with torch.no_grad():
        logits = 1000 * np.log(model(batch, training=False).numpy())
    last.kernel.assign(kernel * (1 / logits.std()))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNetV2", "ResNet50"])
def test_scores_are_those_of_keras(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constructor = getattr(keras.applications, name)
    family = importlib.import_module(constructor.__module__.replace(".src.", "."))
    # In place of the download: the reference's weights, which it is built without.
    file = str(tmp_path / "imagenet.weights.h5")
    private: Any = importlib.import_module(constructor.__module__)
    monkeypatch.setattr(private.file_utils, "get_file", lambda *_, **__: file)
    with monkeypatch.context() as unread:
        unread.setattr(keras.Model, "load_weights", lambda *_: None)
        reference = constructor(weights="imagenet")
    pixels = _pixels(2, 224)
    _lively(reference, family.preprocess_input(pixels.astype(np.float32)))
    reference.save_weights(file)
    expected = reference.predict(family.preprocess_input(pixels.astype(np.float32)), verbose=0)
    # Of 1,000 classes, and not the same for all.
    assert 0.003 < expected.max() < 0.5
    assert np.abs(expected - expected[:1]).max() > 1e-3

    model = keras_model.load(name, LoadOptions("cpu", 1))
    assert model.preprocessing.layout == "channels_first"  # and the reference's channels are last
    found = model.predict(model.preprocessing.batch(list(pixels)))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert model.scores == "probabilities"
    assert not model.facts.notes
    # What Keras' table says is trainable.
    trainable = sum(int(np.prod(each.shape)) for each in reference.trainable_variables)
    assert model.facts.parameters == trainable


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("EfficientNetV2B0", 64),
        ("InceptionV3", 80),
        ("MobileNetV3Small", 64),
        ("Xception", 80),
    ],
)
def test_both_layouts_are_the_same_network(name: str, side: int) -> None:
    last, first = (
        application(keras, name, weights="random", layout=layout, size=(side, side))
        for layout in ("channels_last", "channels_first")
    )
    pixels = list(_pixels(3, side))
    _lively(last.model, last.preprocessing.batch(pixels))
    first.model.set_weights(last.model.get_weights())
    with torch.inference_mode():
        expected, found = (
            each.model(each.preprocessing.batch(pixels), training=False).numpy()
            for each in (last, first)
        )
    assert 0.003 < expected.max() < 0.5
    assert np.abs(expected - expected[:1]).max() > 1e-3
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
