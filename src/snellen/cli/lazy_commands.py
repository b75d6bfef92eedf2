"""Commands that are imported when they are asked for: most calls are of one."""

from __future__ import annotations

import importlib
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

__all__ = ["LazyCommands"]


class LazyCommands(MutableMapping[str, "click.Command"]):
    """The commands of a group, each the one of its name in a module of its own.

    Parameters
    ----------
    **modules : str
        The module of each command.
    """

    def __init__(self, **modules: str) -> None:
        self._modules = modules
        self._known: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._known:
            self._known[name] = getattr(importlib.import_module(self._modules[name]), name)
        return self._known[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._modules[name] = command.__module__
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        del self._modules[name]
        self._known.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
