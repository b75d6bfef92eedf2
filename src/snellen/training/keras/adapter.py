"""A Keras model as a torch module that does what torch modules do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import torch
from torch import nn

from snellen.errors import InputError, SchemaError, first_few
from snellen.training.keras.backend import keras_on_torch
from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import NoReturn

    from torch import Tensor
    from typing_extensions import Self

__all__ = ["KerasModule", "layers_in", "load_keras"]

Layout = Literal["auto", "channels_first", "channels_last"]

# From (N, C, H, W) to (N, H, W, C), and back.
_TO_LAST, _TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


class KerasModule(nn.Module):
    """A Keras model (of the backend torch) as a torch module.

    A Keras model is a torch module already, but ``train()`` does not switch its dropout and batch
    normalisation on, its state holds names that change from one model to the next, and its
    statistics are parameters. Here ``training`` is passed on at each call; parameters and
    buffers are named by the position of their layer (``"0_conv2d.kernel"``), so that weights go
    from a model to one that is built alike; and statistics are buffers.

    Parameters
    ----------
    model : keras.Model
        Built, with one input. It is not copied: the parameters here are its variables.
    layout : {"auto", "channels_first", "channels_last"}
        How the model takes images. Images come as (N, C, H, W), as anywhere in Snellen, and are
        turned for a model that takes channels last, and so are maps that it returns. ``"auto"``:
        as its layers say.
    logits : bool
        Whether to return what goes into a last softmax or sigmoid, as losses here take it, and not
        what comes out of it.

    Attributes
    ----------
    model : keras.Model
        The model.
    channels_last : bool
        Whether it takes images as (N, H, W, C).
    logits : bool
        As given.

    Raises
    ------
    InputError
        For a model that is not built or has several inputs, or another backend.

    Notes
    -----
    Refused, because it would be wrong without a word: copies (``copy.deepcopy``, and so torch's
    ``AveragedModel``: use `snellen.training.moving_average.MovingAverage`, which copies no module),
    ``torch.func.functional_call``, ``torch.compile``, and other types of numbers (``double()``,
    ``to(dtype)``: set Keras' dtype policy before the model is built). ``torch.export`` works; the
    program has the weights as constants.

    In training, layers that keep a random state of their own (dropout with a seed, random flips)
    draw it from torch's generator at each call: so what they do can be repeated.
    """

    def __init__(self, model: Any, *, layout: Layout = "auto", logits: bool = True) -> None:
        super().__init__()
        self._keras = keras_on_torch()
        if not isinstance(model, self._keras.Model):
            raise InputError(f"expected a Keras model, got {type(model).__name__}")
        if not model.built:
            raise InputError(
                "expected a Keras model that is built, got one without weights: "
                "call its build(input_shape)"
            )
        # Subclasses of Model do not always say what they take.
        inputs = getattr(model, "inputs", None)
        if inputs is not None and len(inputs) != 1:
            raise InputError(f"expected a Keras model of one input, got {len(inputs)}")
        # Not by assignment, which would make it a module of this one, with parameters of its own.
        object.__setattr__(self, "model", model)
        self.channels_last = _takes_channels_last(self._keras, model, layout)
        self.logits = logits
        self._seeds = list(_seeds(model))
        # Of each variable: the module that holds it here, its name there, and the variable.
        self._parameter_homes: list[tuple[nn.Module, str, Any]] = []
        self._buffer_homes: list[tuple[nn.Module, str, Any]] = []
        self._register(self, model, set())
        homes = (*self._parameter_homes, *self._buffer_homes)
        found = {id(variable) for _, _, variable in homes}
        lost = [each.path for each in model.weights if id(each) not in found]
        if lost:
            raise InputError(
                "expected a Keras model whose weights belong to layers, these belong to none: "
                f"{first_few(lost)}"
            )
        self._buffers_here = self._tie_buffers()
        # Made here, since it takes torch's compiler, which takes a second to import.
        outside: Any = torch.compiler.disable
        object.__setattr__(self, "_refuse_compilation", outside(_refuse_compilation))

    model: Any
    _refuse_compilation: Callable[[], NoReturn]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return what the model returns, in the mode that ``train()`` and ``eval()`` set.

        Raises
        ------
        InputError
            Where it is called with other weights than the model's own, or compiled.
        """
        # An exported program has the weights as constants: those of now, and these are the model's.
        if not torch.compiler.is_exporting():
            if torch.compiler.is_compiling():
                self._refuse_compilation()
            self._check_own_weights()
            if self.training:
                self._draw_seeds()
        turned = self.channels_last and inputs.ndim == 4
        with self._keras.device(_device_name(inputs)):
            output = self.model(
                inputs.permute(_TO_LAST) if turned else inputs, training=self.training
            )
        if self.logits:
            # Keras leaves them there for its own losses, for the same reason.
            output = getattr(output, "_keras_logits", output)
        if self.channels_last and output.ndim == 4:
            output = output.permute(_TO_FIRST)
        result: Tensor = output
        return result

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        """Refuse: the order of the copy's parameters would be another."""
        raise InputError(
            "expected no copy of a Keras model, whose weights get another order: average weights "
            "by MovingAverage, or load the state_dict into a second KerasModule"
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        for tensor in (*self.parameters(), *self.buffers()):
            kind = fn(tensor.detach().new_empty(0)).dtype
            if kind != tensor.dtype:
                raise InputError(
                    f"expected a Keras model to keep {_name(tensor.dtype)}, got {_name(kind)}: its "
                    "layers would turn numbers back; call keras.config.set_dtype_policy before "
                    "the model is built"
                )
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch's
        # Buffers are replaced by it: the model's variables become what they are now.
        for home, name, variable in self._buffer_homes:
            buffer = home._buffers[name]
            assert buffer is not None
            variable.value.data = buffer
        for seed in self._seeds:
            seed.value.data = fn(seed.value.data)
        self._buffers_here = self._tie_buffers()
        # Made here, since it takes torch's compiler, which takes a second to import.
        outside: Any = torch.compiler.disable
        object.__setattr__(self, "_refuse_compilation", outside(_refuse_compilation))
        return self

    @property
    def returns_probabilities(self) -> bool:
        """Whether what is returned went through a last softmax."""
        layers = layers_in(self.model)
        if self.logits or not layers:
            return False
        softmax = self._keras.activations.softmax
        last = layers[-1]
        return isinstance(last, self._keras.layers.Softmax) or (
            getattr(last, "activation", None) is softmax
        )

    def layers(self) -> list[tuple[str, nn.Module, list[Tensor]]]:
        """Return the layers that compute something or hold weights, each with what is learnt.

        Their names are those of the weights here: ``"0_conv2d"``, ``"1_sequential.0_dense"``.
        """
        return _named_layers(self.model, "", set())

    def structure(self) -> dict[str, Any] | None:
        """Return plain values from which `of_structure` makes a module alike, without weights.

        None where Keras cannot make the model again without code that is the user's: of layers and
        classes that are not registered, and of ``Lambda``.
        """
        found = {
            "model": self._plain_model(),
            "layout": "channels_last" if self.channels_last else "channels_first",
            "logits": self.logits,
        }
        try:
            again = type(self).of_structure(found)
        # What Keras raises for what it cannot make again is anything.
        except Exception:
            return None
        return found if _shapes(again) == _shapes(self) else None

    @classmethod
    def of_structure(cls, structure: Mapping[str, Any]) -> Self:
        """Return a module of another model with first weights, as `structure` says, on the CPU."""
        keras = keras_on_torch()
        with unchanged_randomness(), keras.device("cpu"):
            model = keras.saving.deserialize_keras_object(dict(structure["model"]), safe_mode=True)
        return cls(model, layout=structure["layout"], logits=structure["logits"])

    def _plain_model(self) -> Any:
        try:
            found = self._keras.saving.serialize_keras_object(self.model)
            # How it was compiled for `fit` is no part of it.
            found.pop("compile_config", None)
            return msgspec.json.decode(msgspec.json.encode(found))
        # What Keras raises for what it cannot write down is anything; the weights are kept alone.
        except Exception:
            return None

    def _draw_seeds(self) -> None:
        for seed in self._seeds:
            first = int(torch.randint(2**31 - 1, ()))
            seed.value.data.copy_(torch.tensor([first, 0]))

    def _register(self, home: nn.Module, layer: Any, seen: set[int]) -> None:
        """Give a module the variables of a layer, and a module each for the layers in it."""
        seen.add(id(layer))
        for k, inner in enumerate(layers_in(layer)):
            if id(inner) not in seen:
                part = nn.Module()
                self._register(part, inner, seen)
                if any(True for _ in (*part.parameters(), *part.buffers())):
                    home.add_module(f"{k}_{type(inner).__name__.lower()}", part)
        # `trainable_variables` would be empty for a frozen layer: these are what it was made with.
        for variable in layer._trainable_variables:
            name = _free_name(home, variable.name)
            home.register_parameter(name, variable.value)
            self._parameter_homes.append((home, name, variable))
        seeds = {id(each) for each in _seeds(layer)}
        for variable in layer._non_trainable_variables:
            if id(variable) not in seeds:
                name = _free_name(home, variable.name)
                home.register_buffer(name, variable.value.detach())
                self._buffer_homes.append((home, name, variable))

    def _tie_buffers(self) -> list[Tensor]:
        """Return the buffers, each a view of its variable's numbers."""
        made = []
        for home, name, variable in self._buffer_homes:
            buffer: Tensor = variable.value.detach()
            home._buffers[name] = buffer
            made.append(buffer)
        return made

    def _check_own_weights(self) -> None:
        replaced = any(
            home._parameters[name] is not variable.value
            for home, name, variable in self._parameter_homes
        ) or any(
            home._buffers[name] is not buffer
            for (home, name, _), buffer in zip(self._buffer_homes, self._buffers_here, strict=True)
        )
        if replaced:
            raise InputError(
                "expected a Keras model to be called with its own weights, got others (by "
                "torch.func.functional_call, or load_state_dict with assign=True), which it would "
                "not use: load weights by load_state_dict"
            )


def load_keras(
    source: str | os.PathLike[str] | Any, *, layout: Layout = "auto", logits: bool = True
) -> KerasModule:
    """Return a Keras model, or that of a file, as a torch module.

    Parameters
    ----------
    source : path or keras.Model
        A ``.keras`` file, which is read in Keras' safe mode (without code that it brings), or a
        model.
    layout, logits
        As of `KerasModule`.

    Raises
    ------
    InputError
        If there is no such file, or the model is one that `KerasModule` refuses.
    SchemaError
        If the file cannot be read: with Keras' reason.
    """
    keras = keras_on_torch()
    if not isinstance(source, (str, os.PathLike)):
        return KerasModule(source, layout=layout, logits=logits)
    path = Path(source)
    if not path.is_file():
        raise InputError("expected a file with a Keras model, there is none", str(path))
    try:
        model = keras.saving.load_model(path, compile=False)
    # What Keras raises for a file that is none, or of layers that it does not know, is anything.
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise SchemaError(
            f"expected a file with a Keras model, Keras cannot read it: "
            f"{reason[0] if reason else type(error).__name__}",
            str(path),
        ) from error
    try:
        return KerasModule(model, layout=layout, logits=logits)
    except InputError as error:
        raise error.within(str(path)) from None


def _refuse_compilation() -> NoReturn:
    # Raised in compiled code it would be taken as a sign to run the code uncompiled.
    raise InputError(
        "expected a Keras model not to be compiled by torch.compile, which cuts it into pieces and "
        "compiles them again and again: leave compile off"
    )


def layers_in(layer: Any) -> list[Any]:
    """Return the layers directly in a layer, in order."""
    listed = getattr(layer, "layers", None)
    if isinstance(listed, list):
        return listed
    return list(layer._flatten_layers(recursive=False, include_self=False))


def _named_layers(
    layer: Any, path: str, seen: set[int]
) -> list[tuple[str, nn.Module, list[Tensor]]]:
    found = []
    for k, inner in enumerate(layers_in(layer)):
        if id(inner) in seen:
            continue
        seen.add(id(inner))
        name = f"{path}{k}_{type(inner).__name__.lower()}"
        learnt = [each.value for each in inner._trainable_variables]
        if learnt or not layers_in(inner):
            found.append((name, inner, learnt))
        found += _named_layers(inner, f"{name}.", seen)
    return found


def _shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}


def _seeds(layer: Any) -> Iterator[Any]:
    """Return the states of random number generators: no weights."""
    for inner in layer._flatten_layers():
        for maker in getattr(inner, "_seed_generators", ()):
            yield maker.state


def _free_name(home: nn.Module, name: str) -> str:
    wanted = name.replace(".", "_")
    found, k = wanted, 0
    while found in home._parameters or found in home._buffers or hasattr(nn.Module, found):
        k += 1
        found = f"{wanted}_{k}"
    return found


def _takes_channels_last(keras: Any, model: Any, layout: Layout) -> bool:
    if layout != "auto":
        return layout == "channels_last"
    said = [getattr(each, "data_format", None) for each in model._flatten_layers()]
    known = [each for each in said if each in ("channels_first", "channels_last")]
    first: str = known[0] if known else keras.config.image_data_format()
    return first == "channels_last"


def _device_name(tensor: Tensor) -> str:
    """Return the device as Keras calls it."""
    device = tensor.device
    return device.type if device.index is None else f"{device.type}:{device.index}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
