"""Options that have no say in what a command was asked to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["refuse_unused"]


def refuse_unused(what: str, used: Container[str]) -> None:
    """Refuse what was typed and has no say in what the running command does.

    Parameters
    ----------
    what : str
        The option that says what it does.
    used : container of str
        The names of the parameters that have a say in it.

    Raises
    ------
    click.UsageError
        With the first that has none.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) != click.core.ParameterSource.COMMANDLINE:
            continue
        if name not in used:
            is_option = isinstance(parameter, click.Option)
            said = parameter.opts[0] if is_option else parameter.human_readable_name
            raise click.UsageError(f"expected no {said} with {what}, it has no say there.")
