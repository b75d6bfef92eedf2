"""What is trained, on what and how: one short, flat description.

A description is a TOML, YAML or JSON file, or a mapping in Python::

    data = "fashion-mnist"
    network = "cnn"
    optimizer = {name = "sgd", momentum = 0.9, nesterov = true}
    learning_rate = 0.1
    schedule = "one_cycle"
    batch_size = 128
    epochs = 10
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.training.choices import Choice
from snellen.training.description_lines import lines_of

__all__ = ["KEYS", "Description", "read_description"]

_CHOICES = ("data", "initialisation", "loss", "optimizer")


@dataclasses.dataclass(frozen=True)
class Description:
    """Everything that training needs.

    What can be chosen by name is written as a name, or as a table with ``name`` and options.

    Attributes
    ----------
    data : Choice
        The labelled data: ``"fashion-mnist"``, ``"digits"``, a path, ``"module:function"``.
    task : str
        ``"auto"``, ``"classification"``, ``"regression"`` or ``"segmentation"``.
    network : Choice or tuple of Choice
        A name (``"fc"``, ``"cnn"``, ``"module:function"``, ``"timm:…"``, ``"keras:…"``), or the
        layers, in order.
    initialisation : Choice
        How weights are drawn.
    loss : Choice
        What is minimised; ``"auto"`` is that of the task.
    optimizer : Choice
        How weights are updated.
    learning_rate : float
        The highest learning rate; the schedule takes parts of it.
    schedule : tuple of Choice
        What part of the learning rate is taken when; several are one after the other.
    batch_size : int
        The samples of one update.
    micro_batch_size : int or None
        How many of these go through the network at a time; None: all. Batch normalisation takes
        its statistics of these.
    epochs : int
        How often all samples are gone through.
    seed : int
        What all randomness is a function of.
    augment : tuple of Choice
        What is done to training images, in order.
    test_views : tuple of str
        Of what the test part's and later predictions are averaged over: ``"flip"``,
        ``"vertical_flip"``, ``"translate"``. Without, of the image as it is.
    normalise : Choice
        How inputs are scaled: ``"channel"`` (mean and spread of each channel of the training part),
        ``"pixel"`` (of each pixel), ``"unit"`` (to 0 … 1), ``"none"``, or ``"fixed"`` with mean
        and std.
    sampling : str
        ``"shuffled"``, or ``"balanced"``: every class is drawn equally often.
    class_weights : "none", "balanced", or tuple of float
        What each class counts in the loss.
    clip_norm, clip_value : float or None
        The greatest norm of all gradients, and of each of their numbers.
    ema : float or None
        The decay of the running mean of the weights, which is then what is measured and kept.
    early_stopping : int or None
        After how many epochs without a better `monitor` training ends.
    monitor : str
        The number of the validation part by which the best weights are chosen; ``"auto"`` is
        accuracy, mIoU, or of a regression the loss.
    validate_every, checkpoint_every : str
        A number of epochs, batches, or a part of the whole: ``"1ep"``, ``"500ba"``, ``"0.1dur"``.
    time_limit : float or None
        Seconds after which training ends.
    nan_guard : str
        What becomes of a loss that is not a number: ``"stop"``, ``"roll_back"`` or ``"off"``.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
    devices : int
        How many processes, each with a device.
    precision : str
        ``"float32"``, ``"bfloat16"`` or ``"float16"`` (mixed), ``"float64"``, or ``"auto"``:
        measured.
    memory_format : str
        ``"channels_last"``, ``"contiguous"``, or ``"auto"``: measured.
    compile : bool or "auto"
        Whether the network is compiled; ``"auto"``: measured.
    threads : int or None or "auto"
        Of the CPU; None: as torch has it; ``"auto"``: measured.
    rewrites : bool
        Whether layers are reordered where that is faster and changes no number, and updates made
        by torch's fused optimizers, which round some of them otherwise.
    n_folds : int or None
        Train so many times, each with another fold as the validation part.
    place : str
        The file it comes from; empty for a description made in Python.
    """

    data: Choice
    network: Choice | tuple[Choice, ...] = Choice("cnn")
    task: str = "auto"
    initialisation: Choice = Choice("auto")
    loss: Choice = Choice("auto")
    optimizer: Choice = Choice("adam")
    learning_rate: float = 1e-3
    schedule: tuple[Choice, ...] = (Choice("cosine"),)
    batch_size: int = 128
    micro_batch_size: int | None = None
    epochs: int = 10
    seed: int = 0
    augment: tuple[Choice, ...] = ()
    test_views: tuple[str, ...] = ()
    normalise: Choice = Choice("channel")
    sampling: str = "shuffled"
    class_weights: str | tuple[float, ...] = "none"
    clip_norm: float | None = None
    clip_value: float | None = None
    ema: float | None = None
    early_stopping: int | None = None
    monitor: str = "auto"
    validate_every: str = "1ep"
    checkpoint_every: str = "1ep"
    time_limit: float | None = None
    nan_guard: str = "stop"
    device: str = "auto"
    devices: int = 1
    precision: str = "float32"
    memory_format: str = "channels_last"
    compile: bool | str = False
    threads: int | str | None = None
    rewrites: bool = True
    n_folds: int | None = None
    place: str = ""

    def __post_init__(self) -> None:
        for name in ("batch_size", "micro_batch_size", "epochs", "devices", "early_stopping"):
            value = getattr(self, name)
            if value is not None and value < 1:
                self._refuse(name, "a whole number from 1")
        if not 0 <= self.seed < 2**64:
            self._refuse("seed", "a seed from 0 to 2**64 - 1")
        if self.n_folds is not None and self.n_folds < 2:
            self._refuse("n_folds", "a whole number from 2")
        for name in ("learning_rate", "clip_norm", "clip_value", "time_limit"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                self._refuse(name, "a number above 0")
        if self.ema is not None and not 0 < self.ema < 1:
            self._refuse("ema", "a decay between 0 and 1")
        for name, known in _WORDS.items():
            value = getattr(self, name)
            if isinstance(value, str) and value not in known:
                self._refuse(name, f"one of {', '.join(known)}", did_you_mean(value, known))
        if isinstance(self.threads, int) and self.threads < 1:
            self._refuse("threads", "a whole number from 1")
        if self.devices > self.batch_size:
            self._refuse("batch_size", f"a sample for each of {self.devices} devices in each batch")
        for name in ("validate_every", "checkpoint_every"):
            Every.parsed(getattr(self, name), self._at(name))

    def _at(self, name: str) -> str:
        return f"{self.place} {name}".strip()

    def _refuse(self, name: str, expected: str, hint: str = "") -> None:
        raise InputError(f"expected {expected}, got {getattr(self, name)!r}.{hint}", self._at(name))

    @classmethod
    def of(cls, content: Mapping[str, Any], place: str = "", text: str = "") -> Description:
        """Return the description that plain values stand for.

        Parameters
        ----------
        content : mapping of str to object
            As a file holds it.
        place : str
            The file.
        text : str
            What is in it, so that messages can name lines.

        Raises
        ------
        SchemaError
            For a key that there is not (with the nearest one), or a value of another type.
        """
        lines = lines_of(text)

        def at(*path: str | int) -> str:
            line = lines.get(path) or lines.get(path[:1])
            where = "".join(f"[{part}]" if isinstance(part, int) else part for part in path)
            return " ".join(filter(None, [place, f"line {line}" if line else "", where]))

        found: dict[str, Any] = {}
        for name, value in content.items():
            if name not in KEYS:
                hint = did_you_mean(name, KEYS) or f" There are {', '.join(KEYS)}."
                raise SchemaError(f'expected a key of a description, got "{name}".{hint}', at(name))
            found[name] = _read(name, value, at)
        if "data" not in found:
            raise SchemaError('expected data, such as "fashion-mnist" or a folder of images', place)
        return cls(**found, place=place)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values: what `of` reads, every key given."""
        return {
            field.name: _plain(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.name != "place"
        }

    def changed(self, **changes: Any) -> Description:
        """Return it with other values, written as in a file; the others keep their places."""
        content = {**self.plain(), **changes}
        made = type(self).of({name: value for name, value in content.items() if value is not None})
        kept = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in changes
        }
        return dataclasses.replace(made, **kept)


KEYS = tuple(field.name for field in dataclasses.fields(Description) if field.name != "place")

_WORDS = {
    "task": ("auto", "classification", "regression", "segmentation"),
    "sampling": ("shuffled", "balanced"),
    "class_weights": ("none", "balanced"),
    "nan_guard": ("stop", "roll_back", "off"),
    "precision": ("auto", "float32", "bfloat16", "float16", "float64"),
    "memory_format": ("auto", "channels_last", "contiguous"),
    "compile": ("auto",),
    "threads": ("auto",),
}


class Every:
    """How often something is done: in epochs, batches, or parts of the whole.

    Parameters
    ----------
    amount : float
        Above 0.
    unit : {"ep", "ba", "dur"}
        Epochs, batches (updates), or the part of the whole duration.

    Examples
    --------
    >>> Every.parsed("0.5ep").steps(n_steps=1000, n_epoch=100)
    50
    """

    __slots__ = ("amount", "unit")

    def __init__(self, amount: float, unit: str) -> None:
        self.amount = amount
        self.unit = unit

    @classmethod
    def parsed(cls, text: str, place: str = "") -> Every:
        """Read ``"2ep"``, ``"500ba"`` or ``"0.1dur"``.

        Raises
        ------
        InputError
            For anything else.
        """
        for unit in ("ep", "ba", "dur"):
            if text.endswith(unit):
                try:
                    amount = float(text.removesuffix(unit))
                except ValueError:
                    break
                if 0 < amount < math.inf:
                    return cls(amount, unit)
        raise InputError(
            'expected how often, such as "1ep" (epoch), "500ba" (batches) or "0.1dur" (of the '
            f'whole), got "{text}"',
            place,
        )

    def steps(self, *, n_steps: int, n_epoch: int) -> int:
        """Return how many updates that is, at least one.

        Parameters
        ----------
        n_steps, n_epoch : int
            The updates of the whole training, and of an epoch.
        """
        whole = {"ep": n_epoch, "ba": 1, "dur": n_steps}[self.unit]
        return max(1, round(self.amount * whole))


def read_description(source: str | os.PathLike[str] | Mapping[str, Any]) -> Description:
    """Read a description from a file (TOML, YAML, JSON), or from plain values.

    Raises
    ------
    InputError
        Where the file cannot be read, or a value cannot be trained with.
    SchemaError
        Where it is no description; the message names the line.
    """
    if isinstance(source, Mapping):
        return Description.of(source)
    path = Path(source)
    place = os.fspath(source)
    kinds = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml, ".json": _json}
    if path.suffix.lower() not in kinds:
        raise InputError("expected a description: a file of .toml, .yaml or .json", place)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"expected a readable description, got: {error.strerror}", place) from None
    except UnicodeDecodeError:
        raise SchemaError("expected a description in UTF-8", place) from None
    content = kinds[path.suffix.lower()](text, place)
    if not isinstance(content, dict):
        raise SchemaError("expected keys and values", place)
    return Description.of(content, place, text)


def _toml(text: str, place: str) -> Any:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"expected TOML, got: {error}", place) from None


def _yaml(text: str, place: str) -> Any:
    from snellen.errors import MissingExtraError

    try:
        import yaml
    except ImportError:
        raise MissingExtraError("pyyaml", "train") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SchemaError(f"expected YAML, got: {' '.join(str(error).split())}", place) from None


def _json(text: str, place: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise SchemaError(f"expected JSON, got: {error}", place) from None


def _read(name: str, value: Any, at: Any) -> Any:
    """Return the value of a key in the type of its field."""
    if name in _CHOICES or name == "normalise":
        return Choice.of(value, at(name))
    if name in ("schedule", "augment") or (name == "network" and isinstance(value, Sequence)):
        if name == "network" and isinstance(value, str):
            return Choice.of(value, at(name))
        several = [value] if isinstance(value, (str, Mapping)) else value
        if not isinstance(several, (list, tuple)):
            raise SchemaError(
                f"expected a name, a table, or a list of them, got {value!r}", at(name)
            )
        return tuple(Choice.of(each, at(name, k)) for k, each in enumerate(several))
    if name == "network":
        return Choice.of(value, at(name))
    try:
        return msgspec.convert(value, get_type_hints(Description)[name])
    except msgspec.ValidationError as error:
        reason = str(error)
        raise SchemaError(f"{reason[0].lower()}{reason[1:]}: {value!r}", at(name)) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Choice):
        return value.plain()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
