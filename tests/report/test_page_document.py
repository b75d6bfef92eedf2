"""The page as text: what is in it, in which order, and what it allows."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import re
import zlib
from dataclasses import replace
from html import unescape
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from msgspec import structs

from snellen.errors import InputError, MissingExtraError
from snellen.report.gallery import gallery
from snellen.report.parts import RunParts
from snellen.report.plotly_script import plotly_source
from snellen.report.results_page import page_of_views, results_page
from snellen.report.run_view import RunView
from snellen.result import Interval
from snellen.run.examples import SCHEMA, Example, Examples
from snellen.run.stored_run import StoredRun, write_run
from tests.report.views_of_runs import picture

plotly = pytest.importorskip("plotly")


def text_of(html: str) -> str:
    """Return what a page says, without its scripts and styles."""
    told = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", told)).split())


def policy_of(html: str) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert found is not None
    return found[1]


def test_sections_are_in_the_order_in_which_they_are_read(sample_view: RunView) -> None:
    html = page_of_views([sample_view, replace(sample_view, name="other")])
    sections = re.findall(r'<section id="(\w+)"', html)
    assert sections == [
        "numbers", "look", "gallery", "comparison", "confusion", "curves", "errors", "slices",
        "classes", "more", "made",
    ]  # fmt: skip
    assert 'id="comparison"' not in page_of_views([sample_view])


def test_what_a_run_does_not_have_has_no_section(sample_view: RunView) -> None:
    of_python = structs.replace(sample_view.record, command=[])
    html = page_of_views([replace(sample_view, parts=RunParts(), examples=None, record=of_python)])
    assert re.findall(r'<section id="(\w+)"', html) == ["numbers", "made"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("snellen", "evaluate", "detection"), True),
        (("snellen", "evaluate", "classification"), True),
        (("snellen", "evaluate", "segmentation"), True),
        (("snellen", "evaluate", "regression"), True),
        (("snellen", "evaluate", "tracking"), False),
        (("snellen", "evaluate", "panoptic"), True),
        (("snellen", "evaluate", "boundary"), False),
        (("snellen", "merge", "detection"), False),
        ((), False),
    ],
)
def test_without_images_it_says_how_to_keep_some(
    sample_view: RunView, command: tuple[str, ...], *, says: bool
) -> None:
    record = structs.replace(sample_view.record, command=list(command))
    told = text_of(page_of_views([replace(sample_view, examples=None, record=record)]))
    assert ("evaluate again with --examples 60 --images DIR" in told) is says
    assert ("Gallery of mistakes" in told) is says
    # Two runs, of which one has images: the other says it in its place.
    both = page_of_views(
        [sample_view, replace(sample_view, name="b", examples=None, record=record)]
    )
    assert ("evaluate again with --examples" in text_of(both)) is says


def test_headline_numbers_with_intervals_and_the_protocol(sample_view: RunView) -> None:
    ap = sample_view.result.AP
    interval = Interval(0.25, 0.5, 0.95, "bootstrap, basic", "image")
    result = replace(sample_view.result, intervals={"AP": interval})
    told = text_of(page_of_views([replace(sample_view, result=result)]))
    assert f"AP {ap:.4f} 0.2500 to 0.5000" in told
    assert "Protocol coco: IoU 0.50:0.95 (10), 101 recall points" in told
    assert "95 %, over images: bootstrap, basic" in told


@pytest.mark.parametrize("way", ["lower_is_better", "neither_is_better"])
def test_only_shares_have_a_line_from_0_to_1(sample_view: RunView, way: str) -> None:
    interval = Interval(0.1, 0.3, 0.95, "bootstrap, basic", "image", "")
    result = replace(sample_view.result, metrics={"x": 0.2}, intervals={"x": interval})
    view = replace(sample_view, result=result)
    assert 'class="range"' in page_of_views([view])
    known = structs.replace(view.record, **{way: ["x"]})
    assert 'class="range"' not in page_of_views([replace(view, record=known)])


def test_how_it_was_made(sample_view: RunView) -> None:
    told = text_of(page_of_views([sample_view]))
    assert "snellen evaluate detection truth.json 'predictions of mine.json'" in told
    assert "2026-11-30 10:27:03 UTC" in told
    assert "abababababababab" in told
    assert "Some CPU" in told


def test_scripts_are_named_by_their_digests(sample_view: RunView) -> None:
    html = page_of_views([sample_view])
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.S)
    packed = re.search(r'<script type="text/plain" id="plotly-packed">(.*?)</script>', html)
    assert packed is not None
    source = zlib.decompress(base64.b64decode(packed[1]))
    assert source.decode() == plotly_source()
    folder = Path(plotly.__file__).parent / "package_data"
    assert source == (folder / "plotly.min.js").read_bytes()
    allowed = re.search(r"script-src ([^;]+);", policy_of(html))
    assert allowed is not None
    assert allowed[1].split() == [
        f"'sha256-{base64.b64encode(hashlib.sha256(each).digest()).decode()}'"
        for each in (script.encode(), source)
    ]


def test_the_policy_allows_nothing_else(sample_view: RunView) -> None:
    rules = dict(
        each.strip().split(" ", 1) for each in policy_of(page_of_views([sample_view])).split(";")
    )
    rules.pop("script-src")
    assert rules == {
        "default-src": "'none'",
        "img-src": "data: blob:",
        "style-src": "'unsafe-inline'",
        "connect-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_same_run_gives_the_same_page(sample_view: RunView) -> None:
    assert page_of_views([sample_view]) == page_of_views([sample_view])


def test_without_plotly(sample_view: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "plotly" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[report\]'"):
        page_of_views([sample_view])
    assert "plotly-linked" in page_of_views([sample_view], plotly="assets/plotly.min.js")


def test_an_address_of_the_script_is_escaped(sample_view: RunView) -> None:
    html = page_of_views([sample_view], plotly='"><script>alert(1)</script>')
    assert "<script>alert" not in html


def test_pictures_up_to_a_limit(sample_view: RunView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.report.results_page.PICTURE_BYTES", 10_000)
    images = [Example(str(k), f"{k}.png", 48, 32, picture=f"{k}.png") for k in range(30)]
    view = replace(
        sample_view,
        examples=Examples(SCHEMA, "detection", "the 30 worst", 30, images),
        picture=lambda _: picture(),
    )
    size = len(base64.b64encode(picture())) + len("data:image/png;base64,")
    held = 10_000 // size
    assert 0 < held < 30
    html = page_of_views([view])
    assert html.count("data:image/png") == held
    said = f"room for 0.01 MB of this run's pictures; those of {30 - held} of the 30"
    assert f"{said} images are left out and lie in" in text_of(html)
    linked = page_of_views([replace(view, folder="../run")])
    assert "left out, and linked" in text_of(linked)
    monkeypatch.setattr("snellen.report.results_page.PICTURE_BYTES", 5_500)
    frames = structs.replace(view.examples, task="tracking")
    both = text_of(page_of_views([replace(view, name=name, examples=frames) for name in "ab"]))
    held = 2_750 // size
    said = f"room for 0.00275 MB of this run's pictures; those of {30 - held} of the 30 frames"
    assert both.count(said) == 2


def test_a_picture_that_is_gone_is_not_left_out(sample_view: RunView) -> None:
    """A link to it would lead nowhere."""
    images = [Example(str(k), f"{k}.png", 48, 32, picture=f"{k}.png") for k in range(3)]
    view = replace(
        sample_view,
        examples=Examples(SCHEMA, "detection", "all", 3, images),
        picture=lambda file: None if file == "1.png" else picture(),
    )
    size = len(base64.b64encode(picture())) + len("data:image/png;base64,")
    made = gallery(view, "run0", at_most=size)
    assert "those of 1 of the 3 images are left out" in text_of(made)
    (content, *_) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', made, re.S)
    marked = {each["id"]: each.get("missing", False) for each in json.loads(content)["images"]}
    assert marked == {"0": False, "1": False, "2": True}


def test_what_is_no_picture_is_not_shown(sample_view: RunView) -> None:
    images = [Example("1", "1.svg", 48, 32, picture="1.svg")]
    view = replace(
        sample_view,
        examples=Examples(SCHEMA, "detection", "all", 1, images),
        picture=lambda _: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    )
    html = page_of_views([view])
    assert "svg+xml" not in html
    assert "onload=" not in html


def test_many_numbers_are_folded(sample_view: RunView) -> None:
    metrics = {f"number_{k}": 0.5 for k in range(30)}
    html = page_of_views(
        [replace(sample_view, result=replace(sample_view.result, metrics=metrics))]
    )
    # Four in large, ten below.
    assert "16 more numbers" in text_of(html)
    assert html.index("number_13<") < html.index("16 more numbers") < html.index("number_14<")


def test_counts_among_the_numbers_are_whole(sample_view: RunView) -> None:
    metrics = {"HOTA": 1.0, "IDSW": 72.0, "rate": 0.25}
    html = page_of_views(
        [replace(sample_view, result=replace(sample_view.result, metrics=metrics))]
    )
    assert "HOTA 1.0000 IDSW 72 rate 0.2500" in text_of(html)


def test_a_stored_run(sample_view: RunView, tmp_path: Path) -> None:
    images = [
        Example("1", "one.png", 48, 32, picture="one.png"),
        Example("2", "two.png", 48, 32),
    ]
    write_run(
        tmp_path / "stored",
        record=sample_view.record,
        metric=sample_view.metric,
        result=sample_view.result,
        examples=Examples(SCHEMA, "detection", "the 2 worst", 24, images),
        pictures={"one.png": picture()},
    )
    run = StoredRun.open(tmp_path / "stored")
    html = results_page([run])
    told = text_of(html)
    assert f"AP {sample_view.result.AP:.4f}" in told
    assert "The 2 worst." in told
    assert html.count("data:image/png") == 1
    assert str(tmp_path) not in html
    both = text_of(results_page([run, run], names=["a", "b"]))
    assert "a and b" in both
    with pytest.raises(InputError, match="expected 2 different names, got a, a"):
        results_page([run, run], names=["a", "a"])


def test_names_of_runs_differ() -> None:
    with pytest.raises(InputError, match="expected 1 different names, got none - at names"):
        results_page([])
