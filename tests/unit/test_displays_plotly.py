"""Specifications: valid for Plotly, plain JSON, and with names that are only text."""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from snellen.displays import (
    Bars,
    BarsDisplay,
    Display,
    HistogramDisplay,
    Line,
    LinesDisplay,
    Mark,
    MatrixDisplay,
    Points,
    PointsDisplay,
    Span,
    SpansDisplay,
    Words,
)
from snellen.displays.colours import DASHES, PATTERNS, ROLES, SYMBOLS, nth
from snellen.displays.plotly_layout import label, labels, template
from snellen.errors import MissingExtraError

NAN = math.nan
EVIL = "</script><img src=x onerror=alert(1)>&%{x} $y$"
ESCAPED = "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&amp;%{x} &#36;y&#36;"
WORDS = Words("name", EVIL, EVIL, EVIL)
ROW = np.array([0.25, NAN, 1.0])
THREE = np.array([1.0, 2.0, 3.0])


def of_every_kind(name: str) -> list[Display]:
    """Return a display of each kind whose texts are all this name."""
    low, high = ROW - 0.1, ROW + 0.2
    return [
        LinesDisplay(
            words=WORDS,
            lines=(
                Line(name, THREE, ROW, low, high),
                Line(name, THREE, ROW, stepped=True, right=True),
                Line(name, THREE, ROW, muted=True),
            ),
            x_label=name,
            y_label=name,
            right_label=name,
            marks=(Mark(name, 1.0, 0.25),),
            diagonal=True,
            log_x=True,
            x_range=(0.1, 10.0),
            y_range=(0.0, 1.0),
        ),
        BarsDisplay(
            words=WORDS,
            categories=(name, "b", "c"),
            bars=(Bars(name, ROW, low, high), Bars(name, ROW)),
            value_label=name,
            value_range=(0.0, 1.0),
        ),
        BarsDisplay(
            words=WORDS,
            categories=(name, "b", "c"),
            bars=(Bars(name, ROW), Bars(name, ROW)),
            value_label=name,
            lying=False,
            stacked=True,
        ),
        HistogramDisplay(
            words=WORDS,
            edges=np.array([0.0, 1.0, 2.0, 4.0]),
            counts=(Bars(name, THREE), Bars(name, THREE)),
            x_label=name,
            y_label=name,
        ),
        *(
            MatrixDisplay(
                words=WORDS,
                rows=(name, "b", "false alarm"),
                columns=(name, "b", "missed"),
                counts=np.array([[5, 1, 2], [0, 3, 1], [1, 1, NAN]]),
                row_label=name,
                column_label=name,
                margins=True,
                normalise=normalise,
            )
            for normalise in ("", "rows", "columns")
        ),
        PointsDisplay(
            words=WORDS,
            points=(
                Points(name, THREE, ROW, (name, "b", "c"), low, high),
                Points(name, THREE, ROW, joined=True),
            ),
            x_label=name,
            y_label=name,
            log_x=True,
            level=0.5,
            diagonal=True,
            named=True,
        ),
        SpansDisplay(
            words=WORDS,
            spans=(
                Span(name, 0, 2, name, name),
                Span(name, 2, 2, name, name),
                Span("b", 1, 3, "k"),
            ),
            x_label=name,
            row_label=name,
        ),
    ]  # fmt: skip


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return []


DISPLAYS = of_every_kind("a name")
KINDS = [f"{type(each).__name__}-{k}" for k, each in enumerate(DISPLAYS)]


@pytest.mark.parametrize("display", DISPLAYS, ids=KINDS)
def test_specifications_are_plain_and_valid(display: Display) -> None:
    specification = display.specification()
    read = json.loads(json.dumps(specification, allow_nan=False))
    assert read == specification  # no tuples, no arrays
    figure = display.figure()
    assert isinstance(figure, go.Figure)  # which raised, had it not known a key or a value
    assert len(figure.data) == len(specification["data"])
    # Nobody's style is put over ours.
    assert "layout" not in figure.layout.template.to_plotly_json()
    assert "title" not in specification["layout"]
    assert specification == display.specification()


@pytest.mark.parametrize("display", DISPLAYS, ids=KINDS)
def test_colours_are_roles_and_fixed_in_figures(display: Display) -> None:
    roles = [text for text in texts(display.specification()) if text.startswith("role:")]
    assert roles
    assert {role.removeprefix("role:") for role in roles} <= set(ROLES)
    assert not re.findall("#[0-9a-f]{6}", json.dumps(display.specification()))
    made = display.figure().to_json()
    assert "role:" not in made
    assert ROLES["soft"] in made


@pytest.mark.parametrize("k", range(len(DISPLAYS)), ids=KINDS)
def test_names_are_shown_as_they_are(k: int) -> None:
    """Plotly reads tags in every text, and values in templates."""
    plain, evil = of_every_kind("a name")[k], of_every_kind(EVIL)[k]
    found = texts(evil.specification())
    assert any("onerror" in text for text in found)
    ours = {"<br>", "<extra>", "</extra>"}
    for text in found:
        assert set(re.findall(r"<[^>]*>", text)) <= ours, text
        assert "$" not in text
    # A name adds no place where a value would be put in.
    templates = [
        [text.count("%{") for trace in each.specification()["data"] for text in [
            *texts(trace.get("hovertemplate", "")), *texts(trace.get("texttemplate", ""))
        ]]
        for each in (plain, evil)
    ]  # fmt: skip
    assert templates[0] == templates[1]
    assert "title" not in evil.specification()["layout"]
    assert evil.figure().layout.title.text == ESCAPED


def test_labels() -> None:
    assert label(EVIL) == ESCAPED
    assert label("a\nb\x1b") == "a\\nb\\x1b"
    assert template("100 %{x}") == "100 %&#123;x}"
    assert label("role:p0") == "role&#58;p0"
    assert labels(("x", "<", "x")) == ["x", "&lt;", "x (2)"]


def test_a_class_called_as_a_colour_keeps_its_name() -> None:
    display = BarsDisplay(
        words=WORDS, categories=("role:p0",), bars=(Bars("v", np.ones(1)),), value_label="v"
    )
    assert display.figure().data[0].y == ("role&#58;p0",)


def test_classes_called_as_numbers_are_names() -> None:
    display = BarsDisplay(
        words=WORDS, categories=("10", "2"), bars=(Bars("v", np.ones(2)),), value_label="v"
    )
    axis = display.specification()["layout"]["yaxis"]
    assert axis["type"] == "category"
    assert axis["categoryarray"] == ["10", "2"]


def test_numbers_of_traces() -> None:
    drawn, bars, _, histogram, matrix, _, _, points, spans = (
        display.specification()["data"] for display in DISPLAYS
    )
    (line,) = [trace for trace in drawn if trace.get("customdata") and "y2" not in trace.values()]
    assert line["x"] == [1.0, 2.0, 3.0]
    assert line["y"] == [0.25, None, 1.0]
    assert line["customdata"] == [[0.15, 0.45], [None, None], [0.9, 1.2]]
    (band,) = [trace for trace in drawn if trace.get("fill") == "toself"]
    # Two pieces, for there is no number in the middle; each goes there and back.
    assert band["x"] == [1.0, 1.0, None, 3.0, 3.0]
    assert band["y"] == [0.15, 0.45, None, 0.9, 1.2]
    assert bars[0]["x"] == [0.25, None, 1.0]
    assert bars[0]["y"] == ["a name", "b", "c"]
    assert bars[0]["error_x"]["array"] == pytest.approx([0.2, 0.0, 0.2])
    assert bars[0]["error_x"]["arrayminus"] == pytest.approx([0.1, 0.0, 0.1])
    assert bars[2]["text"] == ["undefined"]
    assert bars[2]["y"] == ["b"]
    assert histogram[0]["x"] == [0.0, 1.0, 2.0]
    assert histogram[0]["width"] == [1.0, 1.0, 2.0]
    assert histogram[0]["y"] == [1.0, 2.0, 3.0]
    assert matrix[0]["text"] == [["5", "1", "2"], ["", "3", "1"], ["1", "1", ""]]
    assert matrix[0]["customdata"][0] == [[0, 0], [0, 1], [0, 2]]
    assert matrix[0]["customdata"][1][0] is None
    assert matrix[0]["z"][1][0] is None
    assert matrix[0]["z"][0][0] > 0 > matrix[0]["z"][0][1]
    # 1 of the 8 objects of the class; 1 of the 5 that were called b.
    assert matrix[0]["hovertext"][0][1] == (
        "a name a name, a name b: 1<br>12.5 % of a name a name<br>20.0 % of a name b"
    )
    assert matrix[0]["hovertext"][0][2] == "a name a name, missed: 2<br>25.0 % of a name a name"
    assert matrix[0]["hovertext"][2][1] == "false alarm, a name b: 1<br>20.0 % of a name b"
    assert [trace["mode"] for trace in points[1:]] == ["markers+text", "markers+lines"]
    assert spans[0]["base"] == [0.0]
    assert spans[0]["x"] == [2.0]
    assert spans[1]["x"] == [2.0]


def test_a_stepped_band_has_steps() -> None:
    display = LinesDisplay(
        words=WORDS,
        lines=(Line("a", THREE, THREE, THREE - 1, THREE + 1, stepped=True),),
        x_label="x",
        y_label="y",
    )
    band = display.specification()["data"][0]
    assert band["x"] == [1, 2, 2, 3, 3, 3, 3, 2, 2, 1]
    assert band["y"] == [0, 0, 1, 1, 2, 4, 3, 3, 2, 2]


def test_nothing_is_told_apart_by_colour_alone() -> None:
    lines = tuple(Line(str(k), THREE, THREE * k) for k in range(30))
    display = LinesDisplay(words=WORDS, lines=lines, x_label="x", y_label="y")
    looks = {
        (trace["line"]["color"], trace["line"]["dash"]) for trace in display.specification()["data"]
    }
    assert len(looks) == 30
    first = display.specification()["data"][-6:]
    assert len({trace["line"]["dash"] for trace in first}) == 6
    bars = BarsDisplay(
        words=WORDS,
        categories=("a",),
        bars=tuple(Bars(str(k), np.ones(1)) for k in range(8)),
        value_label="v",
    )
    fills = {trace["marker"]["pattern"]["shape"] for trace in bars.specification()["data"]}
    assert len(fills) == len(PATTERNS) == 8
    assert len({nth(k) for k in range(12)}) == 12
    assert len(set(DASHES)) == 6
    assert len(set(SYMBOLS)) == 8


def test_colours_are_those_of_the_page() -> None:
    from importlib.resources import files

    style = files("snellen.report").joinpath("page.css").read_text(encoding="utf-8")
    light = style[: style.index("@media")]
    for role, colour in ROLES.items():
        assert f"--{role}: {colour};" in light, role


def test_legends_name_the_first_line_first() -> None:
    lines = tuple(Line(name, THREE, THREE) for name in "abc")
    display = LinesDisplay(words=WORDS, lines=lines, x_label="x", y_label="y")
    traces = display.specification()["data"]
    assert [trace["name"] for trace in traces] == ["c", "b", "a"]  # the first lies above
    assert [t["name"] for t in sorted(traces, key=lambda t: t["legendrank"])] == ["a", "b", "c"]


def test_a_missing_plotly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    display = of_every_kind("x")[0]
    assert display.specification()["data"]
    with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[report\]'"):
        display.figure()
