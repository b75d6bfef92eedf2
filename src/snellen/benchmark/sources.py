"""From what was typed to a model: ``onnx:resnet50.onnx,preset=imagenet``."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen.benchmark.model import LoadOptions
from snellen.errors import InputError, MissingExtraError, SnellenError, did_you_mean, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snellen.benchmark.model import Model

__all__ = [
    "ENTRY_POINTS",
    "SOURCES",
    "ModelName",
    "display_names",
    "is_predictions",
    "kind_of_file",
    "load_model",
    "parsed",
]

SOURCES: Final = {
    "onnx": "snellen.benchmark.onnx_model:load",
    "torch": "snellen.benchmark.torch_source:load",
    "keras": "snellen.benchmark.keras_model:load",
    "timm": "snellen.benchmark.timm_model:load",
    "torchvision": "snellen.benchmark.torchvision_model:load",
    "snellen": "snellen.benchmark.run_model:load",
}
"""What loads the models of each prefix; imported when one is asked for."""

ENTRY_POINTS: Final = "snellen.models"
"""The group in which other packages name prefixes of their own: each ``load(name, options)``."""

# What the modules above import, and the extra that brings it.
_EXTRAS: Final = {"torch": "train", "keras": "keras"}
_PREDICTIONS: Final = "predictions"
_ENDINGS: Final = {
    ".onnx": "onnx",
    ".pt2": "torch",
    ".pt": "torch",
    ".pth": "torch",
    ".keras": "keras",
    ".h5": "keras",
    ".hdf5": "keras",
    ".safetensors": "snellen",
    ".csv": _PREDICTIONS,
    ".tsv": _PREDICTIONS,
    ".parquet": _PREDICTIONS,
    ".npy": _PREDICTIONS,
    ".npz": _PREDICTIONS,
}
_DEVICE: Final = re.compile(r"auto|cpu|tensorrt|cuda(?::[0-9]+)?")


class ModelName(NamedTuple):
    """What was typed for a model, taken apart.

    Attributes
    ----------
    prefix : str
        What it is loaded by: ``"onnx"``.
    name : str
        What stands behind the colon: a file, the name of a network, ….
    settings : mapping of str to str
        What stands behind the first comma that a setting follows.
    text : str
        All of it, as it was typed.
    """

    prefix: str
    name: str
    settings: Mapping[str, str]
    text: str


def parsed(text: str) -> ModelName:
    """Take apart what was typed for a model: ``prefix:name,key=value,key=value``.

    A file or folder needs no prefix where its ending, or what is in it, says what it is.

    Raises
    ------
    InputError
        For an unknown prefix, a file of an unknown kind, and settings that are none.

    Examples
    --------
    >>> parsed("keras:ResNet50,weights=none").name
    'ResNet50'
    >>> parsed("nets/small.onnx,crop=64").settings
    {'crop': '64'}
    """
    head, colon, rest = text.partition(":")
    if not colon or not re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", head):
        name, settings = _with_settings(text, text)
        return ModelName(_prefix_of_file(name, text), name, settings, text)
    known = {*SOURCES, _PREDICTIONS}
    if head not in known:
        known |= set(_others())
        if head not in known:
            hint = did_you_mean(head, known) or f' Perhaps "torch:{text}", of a function?'
            raise InputError(
                f"expected a model as PREFIX:NAME with a prefix of {', '.join(sorted(known))}, got "
                f'"{head}".{hint}',
                text,
            )
    name, settings = _with_settings(rest, text)
    return ModelName(head, name, settings, text)


def is_predictions(text: str) -> bool:
    """Whether a text stands for stored predictions, and not for a model.

    Raises
    ------
    InputError
        As `parsed`.
    """
    return parsed(text).prefix == _PREDICTIONS


def load_model(text: str, *, device: str = "auto", threads: int = 1) -> Model:
    """Load the model that a text stands for.

    Parameters
    ----------
    text : str
        As in `parsed`.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"tensorrt"``; see `LoadOptions`.
    threads : int
        Of the processor.

    Raises
    ------
    InputError
        Where there is no such model, device or setting, or its images are not known.
    MissingExtraError
        Without the library that runs it.
    """
    model = parsed(text)
    if model.prefix == _PREDICTIONS:
        raise InputError("expected a model, got stored predictions, which run nowhere", text)
    if not _DEVICE.fullmatch(device):
        raise InputError(
            f'expected a device of auto, cpu, cuda, cuda:N, tensorrt, got "{device}".'
            f"{did_you_mean(device, ('auto', 'cpu', 'cuda', 'tensorrt'))}",
            "device",
        )
    if threads < 1:
        raise InputError(f"expected a whole number from 1, got {threads}", "threads")
    settings = {name: value for name, value in model.settings.items() if name != "name"}
    loaded: Model = _loader(model.prefix)(model.name, LoadOptions(device, threads, settings))
    return loaded


def display_names(texts: Sequence[str]) -> list[str]:
    """Return a short name for each model, all different.

    That of the setting ``name``; else the name of its file without ending, or what stands behind
    the prefix. Where two would be called the same, as much as is needed is added: the prefix, the
    settings, a number.

    Raises
    ------
    InputError
        As `parsed`; for a name that is given twice.

    Examples
    --------
    >>> display_names(["a/net.onnx", "torch:models:make", "keras:ResNet50", "a/net.onnx,crop=9"])
    ['a/net.onnx', 'make', 'ResNet50', 'a/net.onnx,crop=9']
    """
    models = [parsed(text) for text in texts]
    own = [model.settings.get("name") for model in models]
    for name, count in Counter(own).items():
        if name is not None and count > 1:
            raise InputError(f'expected each name once, got "{name}" {count} times', "name")
    shown = [given or _short(model) for given, model in zip(own, models, strict=True)]
    counts = Counter(shown)
    shown = [
        name if given or counts[name] == 1 else model.text
        for name, given, model in zip(shown, own, models, strict=True)
    ]
    counts, seen = Counter(shown), Counter[str]()
    for k, name in enumerate(shown):
        if counts[name] > 1 and own[k] is None:
            seen[name] += 1
            shown[k] = f"{name} ({seen[name]})"
    return shown


def _short(model: ModelName) -> str:
    name = model.name.rstrip("/")
    if model.prefix == "torch" and ":" in name:
        return name.rpartition(":")[2]
    last = name.rpartition("/")[2] if Path(name).exists() or kind_of_file(name) else name
    ending = Path(last.removesuffix(".gz")).suffix
    return last.removesuffix(".gz").removesuffix(ending) if ending in _ENDINGS else last


def _with_settings(rest: str, text: str) -> tuple[str, dict[str, str]]:
    """Return name and settings; commas before the first setting belong to the name."""
    parts = rest.split(",")
    first = next(
        (k for k, part in enumerate(parts) if k and re.match("[a-z_]+=", part)), len(parts)
    )
    name = ",".join(parts[:first])
    if "," in name and kind_of_file(parts[0]) is not None and not Path(name).exists():
        raise InputError(f'expected a setting as key=value, got "{parts[1]}"', text)
    if not name:
        raise InputError("expected the name of a model, got none", text)
    settings: dict[str, str] = {}
    for part in parts[first:]:
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise InputError(f'expected a setting as key=value, got "{part}"', text)
        if key in settings:
            raise InputError(f'expected each setting once, got "{key}" twice', text)
        settings[key] = value
    return name, settings


def kind_of_file(name: str) -> str | None:
    """Return the prefix that the ending of a file stands for."""
    return _ENDINGS.get(Path(name.lower().removesuffix(".gz")).suffix)


def _prefix_of_file(name: str, text: str) -> str:
    path = Path(name)
    if path.is_dir():
        if (path / "network.json").is_file():
            return "snellen"
        raise InputError(
            "expected the folder of a run of snellen train, got one without network.json: name a "
            f"model as PREFIX:NAME, of {', '.join((*SOURCES, _PREDICTIONS))}",
            text,
        )
    found = kind_of_file(name)
    if found is None:
        guess = f"torch:{name}" if ":" in name else f"keras:{name}"
        what = "a file of an unknown kind" if path.exists() else "a name without prefix"
        hint = did_you_mean(path.suffix, _ENDINGS) or f' Perhaps "{guess}"?'
        raise InputError(
            f"expected a model as PREFIX:NAME, of {', '.join((*SOURCES, _PREDICTIONS))}, or a file "
            f"({', '.join(_ENDINGS)}), got {what}.{hint}",
            text,
        )
    return found


def _others() -> dict[str, importlib.metadata.EntryPoint]:
    """Return the prefixes of other packages."""
    return {each.name: each for each in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def _loader(prefix: str) -> Callable[[str, LoadOptions], Any]:
    if prefix in SOURCES:
        module, _, function = SOURCES[prefix].partition(":")
        try:
            found: Callable[[str, LoadOptions], Any] = getattr(
                importlib.import_module(module), function
            )
        except ModuleNotFoundError as error:
            if error.name not in _EXTRAS:
                raise
            raise MissingExtraError(error.name, _EXTRAS[error.name]) from None
        return found
    entry = _others()[prefix]
    try:
        loaded = entry.load()
    except SnellenError:
        raise
    # Another package may fail to be imported in any way.
    except Exception as error:
        raise InputError(
            f'expected {entry.value} to load models of "{prefix}:", its package'
            f"{_package(entry)} cannot be imported: {one_line(error)}",
            f"entry points {ENTRY_POINTS}",
        ) from error
    if not callable(loaded):
        raise InputError(
            f'expected a function load(name, options) for models of "{prefix}:", got '
            f"{type(loaded).__name__} from {entry.value}{_package(entry)}",
            f"entry points {ENTRY_POINTS}",
        )
    called: Callable[[str, LoadOptions], Any] = loaded
    return called


def _package(entry: importlib.metadata.EntryPoint) -> str:
    return f" ({entry.dist.name})" if entry.dist is not None else ""
