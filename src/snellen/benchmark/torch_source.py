"""Where networks of torch come from: functions, TorchScript, programs of ``torch.export``.

A network is code: a function is run as any Python is, and files are programs that torch runs. No
pickle of theirs is loaded that is more than tensors; other than that, files from people whom nobody
knows are for a machine on which nothing is to be had.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import sys
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from snellen.benchmark.exported_network import ExportedNetwork
from snellen.benchmark.fingerprints import source_of
from snellen.benchmark.image_inputs import takes_of
from snellen.benchmark.output_names import class_names_of
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.preprocessing_settings import refuse_unknown_settings
from snellen.benchmark.torch_model import TORCH_SETTINGS, TorchModel, device_of, known_of
from snellen.errors import InputError, SchemaError, SnellenError, one_line
from snellen.training.choices import Choice
from snellen.training.export_facts import FACTS_FILE
from snellen.training.network.foreign import imported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from snellen.benchmark.model import LoadOptions

__all__ = ["load"]

# What torch calls constants that it would unpickle, and by what it is told to refuse other pickles.
_PICKLED: Final = "opaque_obj_"
_TENSORS_ALONE: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


def load(name: str, options: LoadOptions) -> TorchModel:
    """Return a network of torch.

    Parameters
    ----------
    name : str
        ``package.module:function``: the function takes nothing and returns a module, or a module
        and its `Preprocessing` (or `Preprocessing.to_dict`'s values); a module may also have it as
        an attribute ``preprocessing``, and names of classes as ``classes``. Or a file of
        TorchScript, or of ``torch.export``.
    options : LoadOptions
        See `TorchModel`.

    Raises
    ------
    InputError
        Where there is no such function or file, and as `TorchModel`.
    SchemaError
        For a file of weights alone, and for other files.
    """
    if ":" in name and not Path(name).exists():
        refuse_unknown_settings(options.settings, TORCH_SETTINGS, name)
        return _of_function(name, options)
    if _kind_of(name) == "script":
        refuse_unknown_settings(options.settings, TORCH_SETTINGS, name)
        return _of_script(name, options)
    # The types of its numbers are written into a program.
    known = [key for key in TORCH_SETTINGS if key != "precision"]
    refuse_unknown_settings(options.settings, known, name)
    return _of_program(name, options)


def _of_function(name: str, options: LoadOptions) -> TorchModel:
    try:
        made = imported(Choice(name))()
    except SnellenError:
        raise
    # The user's code may raise anything.
    except Exception as error:
        raise InputError(
            f"expected a function that returns a network, it fails: {type(error).__name__}: "
            f"{one_line(error)}",
            name,
        ) from error
    module, said = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(module, nn.Module):
        raise InputError(
            "expected a torch.nn.Module, or one and its preprocessing, got "
            f"{type(module).__name__}",
            name,
        )
    own = getattr(module, "preprocessing", None) if said is None else said
    if said is None and isinstance(own, nn.Module):
        own = None  # a layer of its own
    if isinstance(own, Mapping):
        own = Preprocessing.of_dict(own)
    if own is not None and not isinstance(own, Preprocessing):
        raise InputError(
            "expected a Preprocessing, or a mapping of its values, as a module's preprocessing, "
            f"got {type(own).__name__}",
            name,
        )
    classes = getattr(module, "classes", None)
    return TorchModel(
        module,
        options,
        name,
        own=own,
        classes=None if classes is None else class_names_of(classes, f"{name} classes"),
        also=[source_of(sys.modules[name.partition(":")[0]])],
    )


def _kind_of(path: str) -> str:
    """Return what is in a file: ``"script"`` or ``"program"``."""
    if not Path(path).is_file():
        raise InputError(
            "expected a file of TorchScript or of torch.export, or package.module:function, there "
            "is none",
            path,
        )
    try:
        with zipfile.ZipFile(path) as archive:
            names = {each.partition("/")[2] for each in archive.namelist()}
            names |= set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        with Path(path).open("rb") as file:
            names = {"data.pkl"} if file.read(1) == b"\x80" else set()
    if "archive_format" in names or "serialized_exported_program.json" in names:
        if any(f"/{_PICKLED}" in each for each in names):
            raise _of_pickles(path)
        return "program"
    if "constants.pkl" in names:
        return "script"
    if "data.pkl" in names:
        raise SchemaError(
            "expected a network, got a pickle of torch.save: weights alone are no network, and a "
            "pickled module could run any code. Name the function that makes the network "
            "(torch:package.module:function), or save it by torch.export.save",
            path,
        )
    raise SchemaError("expected a file of TorchScript or of torch.export, got another", path)


def _of_script(path: str, options: LoadOptions) -> TorchModel:
    try:
        with warnings.catch_warnings():
            # TorchScript is old and many files of it are about.
            warnings.filterwarnings("ignore", ".*torch.jit.load", DeprecationWarning)
            read: Any = torch.jit.load  # without types
            module: nn.Module = read(path, map_location=device_of(options.device, path))
    except RuntimeError as error:
        raise SchemaError(f"expected TorchScript, got: {one_line(error)}", path) from error
    return TorchModel(module, options, path, files=[path], kind="TorchScript")


def _of_program(path: str, options: LoadOptions) -> TorchModel:
    device = device_of(options.device, path)
    inside = {FACTS_FILE: ""}
    try:
        with _quiet("torch.export"), _tensors_alone():
            program = torch.export.load(path, extra_files=inside)
        if device.type != "cpu":
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, device)
    except pickle.UnpicklingError:
        raise _of_pickles(path) from None
    # What torch raises for a damaged program, or one of another release, is anything.
    except Exception as error:
        raise SchemaError(
            f"expected a program of torch.export, got: {one_line(error)}", path
        ) from error
    names = program.graph_signature.user_inputs
    inputs = [node.meta["val"] for node in program.graph.nodes if node.name in names]
    if len(inputs) != 1 or not isinstance(inputs[0], torch.Tensor):
        shown = ", ".join(map(str, names)) or "none"
        raise SchemaError(f"expected a program with one input, images, got {shown}", path)
    shape = [length if isinstance(length, int) else None for length in inputs[0].shape]
    dtype = str(inputs[0].dtype).removeprefix("torch.")
    takes = takes_of(shape, dtype, str(names[0]), path)
    ours = ExportedNetwork.of_json(inside[FACTS_FILE], options.settings, path)
    return TorchModel(
        _Program(program.module()),
        options,
        path,
        takes=takes,
        input_shape=shape,
        input_type=inputs[0].dtype,
        files=[path],
        kind="torch.export",
        **known_of(ours, takes, path),
    )


def _of_pickles(path: str) -> SchemaError:
    return SchemaError(
        "expected a program of tensors alone, got pickled objects, which could run any code", path
    )


class _Program(nn.Module):
    """An exported program, which is for evaluation or for training for good."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: torch.Tensor) -> Any:
        return self.program(images)

    def train(self, mode: bool = True) -> Self:
        del mode  # a program refuses
        return self


@contextlib.contextmanager
def _tensors_alone() -> Iterator[None]:
    """Let torch read no pickle but those of tensors, which it would in a program."""
    before = os.environ.get(_TENSORS_ALONE)
    os.environ[_TENSORS_ALONE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_TENSORS_ALONE]
        else:
            os.environ[_TENSORS_ALONE] = before


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep the traceback from the terminal that torch logs before it raises."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
