"""The root of the command line, and what becomes of errors."""

from __future__ import annotations

import os
import sys
import time

import click

from snellen.cli.lazy_commands import LazyCommands
from snellen.cli.recording import Invocation
from snellen.errors import SnellenError

__all__ = ["run", "snellen"]


def run(arguments: list[str] | None) -> int:
    """Run a command; return the exit code."""
    try:
        typed = Invocation(tuple(sys.argv[1:] if arguments is None else arguments), time.time())
        code = snellen.main(args=arguments, prog_name="snellen", standalone_mode=False, obj=typed)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        raise KeyboardInterrupt from None
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
        reason = " ".join(str(error).split())[:300]
        return _fail(
            f"this is our mistake, please report it: {type(error).__name__}: {reason} "
            "(SNELLEN_DEBUG=1 shows where)"
        )


def _fail(message: str) -> int:
    from snellen.table_text import printable

    # Names come from data: what would move the cursor or break the line is shown as its escape.
    click.echo(f"snellen: error: {printable(message)}", err=True)
    return 1


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from snellen import __version__, _core

        click.echo(f"snellen {__version__} (core: {_core.build_description})")
        context.exit()


@click.group(
    commands=LazyCommands(
        benchmark="snellen.cli.benchmark",
        check="snellen.cli.check",
        compare="snellen.cli.compare",
        convert="snellen.cli.convert",
        diagnose="snellen.cli.diagnose",
        evaluate="snellen.cli.evaluate",
        explain="snellen.cli.explain",
        export="snellen.cli.export",
        inspect="snellen.cli.inspect",
        merge="snellen.cli.merge",
        predict="snellen.cli.predict",
        protocol="snellen.cli.protocol",
        report="snellen.cli.report",
        runs="snellen.cli.runs",
        sample="snellen.cli.sample",
        search="snellen.cli.search",
        split="snellen.cli.split",
        train="snellen.cli.train",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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
