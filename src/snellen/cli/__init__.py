"""The command line: one file a command, no logic.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 bad data or our failure,
2 usage, 3 a --fail-under gate failed, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from snellen.errors import SnellenError

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run a command and end the process with its code."""
    # NumPy's linear algebra starts a thread for each processor when it is imported; no command
    # needs them, and they compete with the kernels that read files meanwhile.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = _run(arguments)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 1
    # Ends here, not after the interpreter and a hundred megabytes have been taken apart piece by
    # piece: that is a tenth of an evaluation's time, and everything is written.
    os._exit(code)


def _run(arguments: list[str] | None) -> int:
    try:
        code = snellen.main(args=arguments, prog_name="snellen", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("snellen: interrupted", err=True)
        return 130
    except SnellenError as error:
        return _fail(str(error))
    except BrokenPipeError:
        return 1  # whoever read our output has gone; there is nobody to tell
    except OSError as error:
        named = f" - at {error.filename}" if error.filename is not None else ""
        return _fail(f"{error.strerror or error}{named}")
    except MemoryError:
        return _fail("expected enough memory for these data, there is not")
    except Exception as error:
        if os.environ.get("SNELLEN_DEBUG"):
            raise
        return _fail(
            f"this is our mistake, please report it: {type(error).__name__}: {error} "
            "(SNELLEN_DEBUG=1 shows where)"
        )


def _fail(message: str) -> int:
    click.echo(f"snellen: error: {message}", err=True)
    return 1


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from snellen import __version__, _core

        click.echo(f"snellen {__version__} (core: {_core.build_description})")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version of Snellen and of its core's build.",
)
def snellen() -> None:
    """Numbers about computer-vision models that one can trust."""


def _add_commands() -> None:
    from snellen.cli.evaluate import evaluate
    from snellen.cli.merge import merge
    from snellen.cli.sample import sample

    for command in (evaluate, merge, sample):
        snellen.add_command(command)


_add_commands()
