"""Check sums of models: a model that changed has another."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from torch import Tensor, nn

__all__ = ["digest_of_files", "digest_of_module", "source_of", "tensors_of"]

_BLOCK = 1 << 20
_SIZE = 16  # bytes
_INSTALLED = {"site-packages", "dist-packages"}


def digest_of_files(paths: Iterable[str | os.PathLike[str]], *, also: Sequence[str] = ()) -> str:
    """Return the check sum of what is in files, and of texts: settings that change scores."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for path in paths:
        with open(path, "rb") as file:  # noqa: PTH123 - a path given as text stays as it was given
            while block := file.read(_BLOCK):
                found.update(block)
    for text in also:
        found.update(f"\0{text}".encode())
    return found.hexdigest()


def digest_of_module(module: nn.Module, *, also: Sequence[str] = ()) -> str:
    """Return the check sum of a module's weights, buffers, structure, settings and code.

    The code is that of its classes, and all of the user's own that has been imported: functions and
    constants of a file beside a class change what it gives. Of what is installed the code is that
    of the release, which stands beside it.

    Parameters
    ----------
    module : nn.Module
        It stays as it is.
    also : sequence of str
        Texts that count, too.
    """
    import torch

    found = hashlib.blake2b(digest_size=_SIZE)
    for text in (repr(module), *_settings(module), *_code(module), *_own_files(), *also):
        found.update(f"\0{text}".encode())
    for name, tensor in tensors_of(module):
        found.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        plain = tensor.detach().cpu()
        plain = plain.dequantize() if plain.is_quantized else plain
        flat = plain.contiguous().reshape(-1)
        found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def tensors_of(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the name of each weight and buffer of a module, and it.

    Those of quantised layers are no parameters: they stand in the state alone, packed.
    """
    held = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for name, value in {**held, **module.state_dict()}.items():
        for tensor in _tensors_in(value):
            yield name, tensor


def _tensors_in(value: Any) -> Iterator[Tensor]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors_in(each)


def source_of(code: ModuleType | type) -> str:
    """Return the source of a module of Python, or of a class; its name where there is none."""
    import inspect

    try:
        return inspect.getsource(code)
    except (OSError, TypeError):  # made while it ran
        return code.__name__


def _settings(module: nn.Module) -> list[str]:
    """Return the plain values of a module's parts, of which their text need not tell."""
    return [
        f"{name}.{key}={value!r}"
        for name, part in module.named_modules()
        for key, value in sorted(vars(part).items())
        if key != "training" and _is_plain(value)
    ]


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


def _code(module: nn.Module) -> list[str]:
    """Return the source of the classes of a module that are the user's own."""
    kinds = {type(part) for part in module.modules()}
    own = [kind for kind in kinds if not kind.__module__.startswith("torch.")]
    return sorted(source_of(kind) for kind in own)


def _own_files() -> list[str]:
    """Return the source of modules that are neither installed, nor Python's, nor Snellen's."""
    pythons = Path(sysconfig.get_path("stdlib"))
    found = []
    for name, module in sorted(sys.modules.copy().items()):
        file = getattr(module, "__file__", None)
        if not file or not file.endswith(".py") or name.partition(".")[0] == "snellen":
            continue
        path = Path(file)
        if _INSTALLED.isdisjoint(path.parts) and pythons not in path.parents:
            found.append(_text(path))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # gone since it was imported
        return path.name
