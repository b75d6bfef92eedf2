"""The folder of a run: everything that was asked for, and everything that came of it.

::

    description.json    what was trained, resolved
    run.json            data, network, rewrites, versions, where the time went, the plan
    epochs.csv          a row an epoch; epochs.jsonl the same
    checkpoints/        the last two
    weights.safetensors, network.json    the trained network
    test/               predictions, result.json, state.bin
    index.html          the page
    README.md           the model card
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from snellen.atomic_files import write_atomically
from snellen.errors import InputError, SchemaError
from snellen.training.checkpoint import Checkpoints
from snellen.training.description import Description

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import nn

__all__ = ["RunFolder", "plan_of", "versions"]

# What may be another when a run goes on: none of it changes a weight.
_FREE = frozenset(("checkpoint_every", "time_limit", "device", "threads", "devices", "nan_guard"))


class RunFolder:
    """The folder of a run.

    Parameters
    ----------
    path : path
        The folder; made when something is written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.checkpoints = Checkpoints(self.path / "checkpoints")

    def __str__(self) -> str:
        return str(self.path)

    @property
    def is_run(self) -> bool:
        """Whether a run was begun in it."""
        return (self.path / "description.json").is_file()

    def begin(self) -> None:
        """See that a new run can be written here; the folder is made with its first file.

        Raises
        ------
        InputError
            Where it holds a run already, or is a file.
        """
        # One that ended before its first checkpoint left nothing to go on from, or to lose.
        if self.is_run and (self.checkpoints.paths() or (self.path / "network.json").exists()):
            raise InputError(
                "expected a folder without a run, there is one: resume it, or name another folder",
                str(self.path),
            )
        if self.path.exists() and not self.path.is_dir():
            raise InputError("expected a folder, got a file", str(self.path))

    def description(self) -> Description:
        """Return the description of the run.

        Raises
        ------
        InputError
            Where there is no run.
        """
        if not self.is_run:
            raise InputError("expected the folder of a run, there is none", str(self.path))
        return Description.of(self.read("description.json"), str(self.path / "description.json"))

    def read(self, name: str) -> dict[str, Any]:
        """Return what one of its JSON files holds."""
        path = self.path / name
        try:
            content = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            raise InputError("expected a file of a run, there is none", str(path)) from None
        except msgspec.DecodeError as error:
            raise SchemaError(f"expected JSON, got: {error}", str(path)) from None
        return content

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of its JSON files, whole or not at all."""
        self.write_bytes(
            {name: msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"}
        )

    def write_bytes(self, contents: Mapping[str, bytes]) -> None:
        """Write files, whole or not at all; folders within it are made."""
        files: dict[str | os.PathLike[str], bytes] = {}
        for name, content in contents.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            files[path] = content
        write_atomically(files)


def plan_of(description: Description, fingerprint: str, network: nn.Module) -> dict[str, Any]:
    """Return what must be the same for a run to go on: description, data, and weights' shapes."""
    content = description.plain()
    return {
        **{name: content[name] for name in content if name not in _FREE},
        "data content": fingerprint,
        "weights": {name: list(value.shape) for name, value in network.state_dict().items()},
    }


def refuse_other_plan(
    written: Mapping[str, Any], now: Mapping[str, Any], place: str, *, why_not_longer: str = ""
) -> None:
    """Refuse to go on with another plan than the one that was begun with, by name.

    Parameters
    ----------
    written, now : mapping
        As `plan_of` returned them, then and now.
    place : str
        Where the first is written.
    why_not_longer : str
        Why another number of epochs is refused.

    Raises
    ------
    InputError
        With what differs.
    """
    found = []
    for name in {**written, **now}:
        before, after = written.get(name), now.get(name)
        if name == "weights":
            shapes: Any = (before, after)
            before, after = _weight_names(*shapes), _weight_names(*reversed(shapes))
        if before != after:
            reason = f" ({why_not_longer})" if name == "epochs" and why_not_longer else ""
            found.append(f"{name} was {_short(before)}, is {_short(after)}{reason}")
    if found:
        raise InputError(
            "expected the plan that the run was begun with, "
            f"{'; '.join(found)}: change it back, or begin another run",
            place,
        )


def _weight_names(some: Mapping[str, Any] | None, others: Mapping[str, Any] | None) -> list[str]:
    """Return the weights that others do not have, or have in another shape."""
    known = others or {}
    return [
        f"{name} {tuple(shape)}" for name, shape in (some or {}).items() if known.get(name) != shape
    ]


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}…"


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers may depend on."""
    import numpy as np
    import torch

    from snellen import __version__

    return {
        "snellen": __version__,
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
