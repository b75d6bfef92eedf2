"""Check sums of models: a model that changed has another."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from torch import nn

__all__ = ["digest_of_files", "digest_of_module"]

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
    """Return the check sum of a module's weights, buffers, structure and code, and of texts.

    The code is that of its classes, and all of the user's own that has been imported: functions and
    constants of a file beside a class change what it gives. Of what is installed the code is that
    of the release, which stands beside it.
    """
    import torch

    found = hashlib.blake2b(digest_size=_SIZE)
    for text in (repr(module), *_code(module), *_own_files(), *also):
        found.update(f"\0{text}".encode())
    for kind in (module.named_parameters(), module.named_buffers()):
        for name, tensor in kind:
            found.update(f"\0{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _code(module: nn.Module) -> list[str]:
    """Return the source of the classes of a module that are the user's own."""
    kinds = {type(part) for part in module.modules()}
    own = [kind for kind in kinds if not kind.__module__.startswith("torch.")]
    return sorted(_source(kind) for kind in own)


def _source(kind: type) -> str:
    import inspect

    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):  # made while it ran
        return kind.__qualname__


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
