"""A real browser, and pages in it that must not ask for anything or complain."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snellen.report.run_view import RunView
from tests.report.views_of_runs import detection_view

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Return what opens HTML in a tab; whatever it asks for or complains of fails the test."""
    opened: list[tuple[Any, str, list[str]]] = []

    def open_html(html: str, *, width: int = 1280, **settings: Any) -> Any:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", **settings
        )
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(f"asked for {request.url}"[:200]))
        page.goto(path.as_uri())
        opened.append((context, path.as_uri(), complaints))
        return page

    yield open_html
    for context, address, complaints in opened:
        context.close()
        asked = [
            each
            for each in complaints
            if each != f"asked for {address}"
            and not each.startswith(("asked for data:", "asked for blob:"))
            and not ("assets/plotly.min.js" in each and each.startswith("asked for file:"))
        ]
        assert asked == []


@pytest.fixture(scope="session")
def sample_view(tmp_path_factory: pytest.TempPathFactory) -> RunView:
    """Return a run of the sample of detections: 8 classes, 24 images."""
    return detection_view(
        tmp_path_factory.mktemp("sample"),
        "detector",
        n_images=24,
        n_boxes=150,
        n_detections=500,
        n_classes=8,
    )
