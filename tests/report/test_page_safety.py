"""Nothing in the data can become part of the page."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from snellen.displays import Line, LinesDisplay
from snellen.report.page_data import safe_json
from snellen.report.parts import Column, Facts, RunParts, Table
from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject
from tests.report.conftest import Open
from tests.report.small_gallery import DOG, matrix
from tests.report.views_of_runs import bars, picture, words

HOSTILE = (
    "</script><img src=x onerror=document.title='broken'>",
    "\"><svg onload=document.title='broken'>",
    "{{constructor.constructor('document.title=1')()}}",
    "<!--<script>",
    "</title></style><h1>broken</h1>",
    "javascript:document.title='broken'",
    "<b>bold</b> & &lt;i&gt; $x^2$ %{x}",
    "\u202eright to left\u202c",
    "שלום",
    "a\u2028b\u2029c\x00d",
    "role:p0",
    "x" * 10_000,
)


def hostile_view(view: RunView) -> RunView:
    n = len(HOSTILE)
    counts = np.ones((n + 1, n + 1))
    counts[-1, -1] = np.nan
    records = [{"class": name, "AP": 0.1 * k} for k, name in enumerate(HOSTILE)]
    x = np.linspace(0, 1, 5)
    return replace(
        view,
        name=HOSTILE[0],
        record=msgspec.structs.replace(
            view.record,
            command=["snellen", *HOSTILE[:4]],
            config={HOSTILE[0]: HOSTILE[1]},
            machine={"cpu": HOSTILE[4]},
        ),
        parts=RunParts(
            facts=Facts(HOSTILE[0], HOSTILE),
            confusion=matrix(HOSTILE, counts),
            curves=(
                LinesDisplay(
                    words=words(
                        "lines", HOSTILE[0], HOSTILE[1], protocol=HOSTILE[4], note=HOSTILE[0]
                    ),
                    lines=tuple(Line(name, x, x * k) for k, name in enumerate(HOSTILE)),
                    x_label=HOSTILE[0],
                    y_label=HOSTILE[6],
                ),
            ),
            errors=(bars(HOSTILE),),
            classes=Table(
                words("classes", HOSTILE[0]),
                (Column("class", HOSTILE[0]), Column("AP", HOSTILE[1], 3, HOSTILE[1])),
                records,
            ),
        ),
        examples=Examples(
            SCHEMA,
            "detection",
            HOSTILE[0],
            n,
            [
                Example(
                    str(k),
                    name,
                    60,
                    60,
                    picture="p.png" if k % 2 else "",
                    truth=[TrueObject(name, DOG, outline="M0 0L5 5z")],
                    found=[
                        FoundObject(
                            HOSTILE[k - 1], DOG, 0.9, "wrong", taken_for=0, outline='"/><script>'
                        )
                    ],
                    numbers={name: 0.5},
                )
                for k, name in enumerate(HOSTILE)
            ],
        ),
        picture=lambda _: picture(60, 60),
    )


def test_hostile_names_are_text(open_page: Open, sample_view: RunView) -> None:
    page = open_page(page_of_views([hostile_view(sample_view)]))
    title = page.title()
    page.wait_for_selector(".tile-button")
    page.wait_for_selector("table.confusion")
    page.wait_for_selector("#curves .main-svg")
    page.locator("td[data-at='0,1']").hover()
    page.locator(".pair").first.click()
    page.locator(".chip").click()
    page.locator(".tile-button").first.click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert page.title() == title
    assert "onerror" in title
    assert not page.locator("img[src=x]").count()
    assert not page.locator("h1:has-text('broken')").filter(has_text=re.compile("^broken$")).count()
    assert page.locator("h1").count() == 1
    assert not page.evaluate(
        "[...document.querySelectorAll('*')]"
        ".some(e => [...e.attributes].some(a => /^on/i.test(a.name)))"
    )
    # Nothing is wider than the page, however long a name is.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    legend = page.locator("#curves .legend bdi").all_inner_texts()
    assert "<b>bold</b> & &lt;i&gt; $x^2$ %{x}" in legend
    # What turns the direction of writing around is shown, not done.
    assert any("\\u202e" in each for each in page.locator("#classes bdi").all_inner_texts())


def test_json_cannot_leave_its_element() -> None:
    value = {name: [name, float("nan"), np.arange(2)] for name in HOSTILE}
    shown = safe_json(value)
    assert not re.search("[<>&\u2028\u2029\x00]", shown)
    assert json.loads(shown) == {name: [name, None, [0, 1]] for name in HOSTILE}


def test_half_of_a_surrogate_pair_is_written_as_its_escape() -> None:
    assert json.loads(safe_json(["\ud800<", 1.5])) == ["\\ud800<", 1.5]


def scripts() -> list[Any]:
    folder = files("snellen.report").joinpath("scripts")
    return [each for each in folder.iterdir() if each.name.endswith(".js")]


FORBIDDEN = (
    *("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"),
    *("fetch(", "XMLHttpRequest", "WebSocket", "import("),
)


@pytest.mark.parametrize("script", scripts(), ids=lambda each: each.name)
def test_no_script_makes_markup_or_code_of_text(script: Any) -> None:
    source = script.read_text(encoding="utf-8")
    for forbidden in FORBIDDEN:
        assert forbidden not in source


def test_every_script_is_part_of_the_page() -> None:
    from snellen.report.page_document import _SCRIPTS

    assert sorted(_SCRIPTS) == sorted(each.name for each in scripts())


_PUT_IN = """
<script>document.title='broken'</script>
<img src='data:,' onerror="document.title='broken'">
<script src='https://example.org/x.js'></script>
"""


def test_the_policy_stops_a_script_that_was_put_in(
    browser: Any, sample_view: RunView, tmp_path: Path
) -> None:
    """The policy is a second wall: were the first one broken, nothing would run."""
    view = replace(sample_view, examples=None, parts=RunParts())
    for plotly in ("inline", "assets/plotly.min.js"):
        html = page_of_views([view], plotly=plotly)
        put = html.replace("<main", _PUT_IN + "<main", 1)
        path = tmp_path / "page.html"
        path.write_text(put, encoding="utf-8")
        page = browser.new_page()
        refused: list[str] = []
        page.on("console", lambda message, refused=refused: refused.append(message.text))
        page.goto(path.as_uri())
        deadline = time.monotonic() + 30
        while sum("Content Security Policy" in each for each in refused) < 3:
            assert time.monotonic() < deadline, refused
            page.wait_for_timeout(20)
        assert page.title() != "broken"
        page.close()
