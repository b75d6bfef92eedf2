"""What a benchmark shows while it runs: lines, and on a terminal a bar."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from snellen.benchmark.progress import Progress, no_progress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def console(*, terminal: bool, width: int = 100) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    made = Console(
        file=file, force_terminal=terminal, width=width, highlight=False, color_system=None,
        _environ={},
    )  # fmt: skip
    return made, file


def test_lines_stay_whole_and_as_they_are() -> None:
    there, file = console(terminal=False, width=20)
    progress = Progress(there)
    text = f"[bold]net[/bold]: {'long ' * 30}12"
    progress.line(text)
    progress.images("net", 3, 10)  # no terminal: nothing
    progress.close()
    assert file.getvalue() == f"{text}\n"


def test_a_bar_on_a_terminal() -> None:
    there, file = console(terminal=True)
    clock = Clock()
    progress = Progress(there, clock=clock)
    progress.images("net [x]", 100, 1300)
    first = file.getvalue()
    assert "net [x]" in first
    assert "100 of 1,300" in first
    assert "images/s" not in first  # there is no speed yet
    clock.now += 0.1
    progress.images("net [x]", 150, 1300)
    assert file.getvalue() == first  # too soon
    clock.now += 1.9
    progress.images("net [x]", 300, 1300)
    # 200 images in 2 seconds, of 1,000 that are left: those that had been there do not count.
    assert "300 of 1,300  100 images/s  10 s left" in file.getvalue()
    progress.close()
    before = file.getvalue()
    progress.close()
    assert file.getvalue() == before


def test_the_next_network_begins_anew() -> None:
    there, file = console(terminal=True)
    clock = Clock()
    progress = Progress(there, clock=clock)
    progress.images("first", 100, 1000)
    clock.now += 0.01  # a new network is shown at once
    progress.images("second", 10, 1000)
    assert "10 of 1,000" in file.getvalue()
    clock.now += 1
    progress.images("second", 30, 1000)
    assert "20 images/s" in file.getvalue()
    assert "first" not in file.getvalue().rpartition("second")[2]
    progress.close()


def test_without_a_console_stderr_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().line("so far")
    assert capsys.readouterr() == ("", "so far\n")


def test_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    nobody = no_progress()
    nobody.line("something")
    nobody.images("net", 1, 2)
    nobody.close()
    assert capsys.readouterr() == ("", "")
