"""The networks that come with Keras: how each is built, and what it wants done to images.

The accuracies that Keras publishes were measured on images whose shorter side was made 8/7 of what
the network takes, by cubic interpolation, and cut out of the middle (keras-applications#88); those
of EfficientNet, with a side that is 32 longer; those of EfficientNetV2-S, -M and -L, of the same
length. Networks measured on images that were stretched lose one to eight points.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from snellen.benchmark.preprocessing import Preprocessing
from snellen.errors import InputError, SchemaError, did_you_mean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snellen.benchmark.preprocessing import Layout

__all__ = ["Application", "application"]

_DEFAULT_SIZE: Final = 224  # of networks that leave it open
_SEED: Final = 0

_SCALED: Final[dict[str, dict[str, Any]]] = {
    "caffe": {"colours": "BGR", "mean": (103.939, 116.779, 123.68)},
    "tf": {"scale": 1 / 127.5, "mean": (1.0,)},
    "torch": {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
    # They scale bytes themselves.
    "bytes": {},
}


class _Family(NamedTuple):
    """What networks of one module of Keras have in common."""

    scaled: str
    # Whether the same weights give the same scores with channels first.
    turns: bool = True


_FAMILIES: Final = {
    "convnext": _Family("bytes", turns=False),  # refused by Keras
    "densenet": _Family("torch", turns=False),  # refused by Keras
    "efficientnet": _Family("bytes"),
    "efficientnet_v2": _Family("bytes"),
    "inception_resnet_v2": _Family("tf"),
    "inception_v3": _Family("tf"),
    "mobilenet": _Family("tf"),
    "mobilenet_v2": _Family("tf"),
    "mobilenet_v3": _Family("bytes"),
    "nasnet": _Family("tf", turns=False),  # refused by Keras
    "resnet": _Family("caffe"),
    "resnet_v2": _Family("tf"),
    # Their maps are flattened: in another order, the weights behind would be those of others.
    "vgg16": _Family("caffe", turns=False),
    "vgg19": _Family("caffe", turns=False),
    "xception": _Family("tf"),
}


@dataclasses.dataclass(frozen=True)
class Application:
    """A network of Keras.

    Attributes
    ----------
    model : keras.Model
        With its weights.
    preprocessing : Preprocessing
        What it was trained with.
    layout : {"channels_first", "channels_last"}
        How it takes images.
    is_fixed : bool
        Whether it takes images of one size alone.
    is_random : bool
        Whether its weights are those of before a training.
    """

    model: Any
    preprocessing: Preprocessing
    layout: Layout
    is_fixed: bool
    is_random: bool


def application(
    keras: Any,
    name: str,
    *,
    weights: str = "imagenet",
    layout: str | None = None,
    size: tuple[int, int] | None = None,
) -> Application:
    """Build a network of ``keras.applications``.

    Parameters
    ----------
    keras : module
        The package.
    name : str
        The name of its constructor: ``"ResNet50"``.
    weights : str
        ``"imagenet"``, which Keras downloads unless it has them; ``"random"``, always the same; or
        a file of weights.
    layout : {"channels_first", "channels_last"}, optional
        How it takes images. By default the first where it gives the same scores: on torch it is
        quicker by half.
    size : (int, int), optional
        Height and width, of a network with random weights.

    Raises
    ------
    InputError
        Where there is no such network, where its weights cannot be had (with the file that is
        missing), and where the layout would change the scores.
    SchemaError
        For a file of other weights.
    """
    known = _constructors(keras)
    if name not in known:
        hint = did_you_mean(name, known) or f" There are {', '.join(sorted(known))}"
        raise InputError(
            f'expected a network of keras.applications or a .keras file, got "{name}".{hint}'
        )
    make, kind = known[name]
    family = _FAMILIES[kind]
    chosen = _layout(layout, family, name)
    if weights not in ("imagenet", "random"):
        _check_file(weights, kind)
    options: dict[str, Any] = {"weights": None if weights == "random" else weights}
    if size is not None:
        options["input_shape"] = (*size, 3) if chosen == "channels_last" else (3, *size)
    with _as_keras_builds(keras, chosen):
        model = _built(make, options, weights, name)
    _turn_scales(keras, model, chosen)
    rows, columns = model.input_shape[1:3] if chosen == "channels_last" else model.input_shape[2:]
    side = rows or _DEFAULT_SIZE
    own = Preprocessing(
        side,
        columns or _DEFAULT_SIZE,
        shorter_side=_shorter_side(name, min(side, columns or side)),
        filter="bicubic",
        layout=chosen,
        **_SCALED[family.scaled],
    )
    return Application(model, own, chosen, rows is not None, weights == "random")


def _constructors(keras: Any) -> dict[str, tuple[Callable[..., Any], str]]:
    """Return the constructor of each network, and its family."""
    found = {}
    for name, value in vars(keras.applications).items():
        kind = getattr(value, "__module__", "").rpartition(".")[2]
        if kind in _FAMILIES and callable(value):
            found[name] = (value, kind)
    return found


def _layout(
    wanted: str | None, family: _Family, name: str
) -> Literal["channels_first", "channels_last"]:
    if wanted is None:
        return "channels_first" if family.turns else "channels_last"
    if wanted == "channels_last":
        return "channels_last"
    if wanted != "channels_first":
        raise InputError(
            f'expected layout=channels_first or layout=channels_last, got "{wanted}"', name
        )
    if not family.turns:
        raise InputError(
            f"expected layout=channels_last: {name} is not the same network with channels first",
            name,
        )
    return "channels_first"


def _shorter_side(name: str, side: int) -> int:
    if re.fullmatch("EfficientNetV2[SML]", name):
        return side
    if name.startswith("EfficientNet"):
        return side + 32
    return round(side / 0.875)


@contextlib.contextmanager
def _as_keras_builds(keras: Any, layout: str) -> Iterator[None]:
    """Let networks be built in a layout, always with the same random weights, on the CPU."""
    from snellen.training.randomness import seed_everything, unchanged_randomness

    before = keras.config.image_data_format()
    keras.config.set_image_data_format(layout)
    try:
        with (
            unchanged_randomness(),
            keras.device("cpu"),
            # Keras tells of downloads on what belongs to results.
            contextlib.redirect_stdout(sys.stderr),
            warnings.catch_warnings(),
        ):
            # Of sizes that are left open, on purpose.
            warnings.simplefilter("ignore")
            seed_everything(_SEED)
            yield
    finally:
        keras.config.set_image_data_format(before)


def _built(make: Callable[..., Any], options: dict[str, Any], weights: str, name: str) -> Any:
    try:
        return make(**options)
    # What Keras raises where it cannot fetch or read weights is anything.
    except Exception as error:
        reason = one_line(error)
        if weights == "random":
            raise InputError(f"Keras cannot build the network: {reason}", name) from error
        if weights != "imagenet":
            raise SchemaError(
                f"expected weights of {name}, Keras cannot read them: {reason}", weights
            ) from error
        address = re.search(r"https?://[^\s:]+", reason)
        if address is None:
            raise InputError(
                f"Keras cannot build the network with ImageNet's weights, which it keeps in "
                f"{_cache()}: {reason}",
                name,
            ) from error
        file = address.group().rpartition("/")[2]
        raise InputError(
            f"expected ImageNet's weights of {name}, which Keras cannot download: put the file "
            f"{file} of {address.group()} into {_cache()}, or say weights=random to measure its "
            "speed alone",
            name,
        ) from error


def _cache() -> Path:
    """Return where Keras keeps weights that it downloaded."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    if not os.access(home, os.W_OK):
        home = Path("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir(), ".keras")  # Keras'
    return home / "models"


def _check_file(weights: str, kind: str) -> None:
    if not Path(weights).is_file():
        raise InputError(
            "expected weights=imagenet, weights=random or a file of weights, there is none", weights
        )
    if kind == "efficientnet":
        raise InputError(
            "expected no file of weights for EfficientNet, which Keras builds with another scale "
            "of colours for ImageNet's weights than for a file's: put ImageNet's own into "
            f"{_cache()}, save other networks whole as a .keras file",
            weights,
        )


def _turn_scales(keras: Any, model: Any, layout: str) -> None:
    """Give scales of colours the shape in which they stay those of colours.

    Keras asks for the layout again at each call, and that of the program is another.
    """
    import numpy as np

    if layout == "channels_first":
        for layer in model.layers:
            if isinstance(layer, keras.layers.Rescaling) and np.ndim(layer.scale) == 1:
                layer.scale = np.reshape(layer.scale, (-1, 1, 1))
