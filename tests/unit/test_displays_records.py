"""The numbers of displays, what is drawn of many, and what is said where there are none."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest

from snellen.displays import (
    Bars,
    BarsDisplay,
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
    thinning,
)
from snellen.errors import InputError, ShapeError

NAN = math.nan
WORDS = Words("name", "Title", "What it is.", "What it shows.")


def lines(*drawn: Line, **settings: Any) -> LinesDisplay:
    return LinesDisplay(words=WORDS, lines=drawn, x_label="recall", y_label="precision", **settings)


def line(label: str, y: list[float], **settings: Any) -> Line:
    return Line(label, np.arange(len(y), dtype=float), np.array(y), **settings)


def matrix(counts: list[list[float]], **settings: Any) -> MatrixDisplay:
    names = tuple("abcdef"[: len(counts)])
    named: dict[str, Any] = {"rows": names, "columns": names, **settings}
    return MatrixDisplay(words=WORDS, counts=np.array(counts or np.empty((0, 0)), float), **named)


# ---------------------------------------------------------------------------------------------
# Records.


def test_records_of_lines() -> None:
    display = lines(
        line("all", [1.0, NAN], low=np.array([0.5, NAN]), high=np.array([1.5, NAN])),
        line("dog", [0.25]),
        marks=(Mark("best", 0.5, 0.75),),
    )
    assert display.records() == [
        {"line": "all", "recall": 0.0, "precision": 1.0, "low": 0.5, "high": 1.5},
        {"line": "all", "recall": 1.0, "precision": None, "low": None, "high": None},
        {"line": "dog", "recall": 0.0, "precision": 0.25, "low": None, "high": None},
        {"line": "best", "recall": 0.5, "precision": 0.75, "low": None, "high": None},
    ]


def test_records_of_lines_on_two_axes() -> None:
    display = LinesDisplay(
        words=WORDS,
        lines=(line("loss", [2.0]), line("rate", [0.1], right=True)),
        x_label="epoch",
        y_label="loss",
        right_label="learning rate",
    )
    assert display.records() == [
        {"line": "loss", "epoch": 0.0, "loss": 2.0, "learning rate": None},
        {"line": "rate", "epoch": 0.0, "loss": None, "learning rate": 0.1},
    ]


def test_keys_of_records_differ_also_where_labels_are_equal() -> None:
    display = LinesDisplay(words=WORDS, lines=(line("a", [3.0]),), x_label="line", y_label="line")
    assert display.records() == [{"line": "a", "line (2)": 0.0, "line (3)": 3.0}]


def test_records_of_bars() -> None:
    display = BarsDisplay(
        words=WORDS,
        categories=("x", "y"),
        bars=(
            Bars("AP", np.array([0.5, NAN]), np.array([0.25, NAN]), np.array([0.75, NAN])),
            Bars("AR", np.array([1.0, 0.0])),
        ),
        value_label="value",
    )
    assert display.records() == [
        {"category": "x", "AP": 0.5, "AP low": 0.25, "AP high": 0.75, "AR": 1.0},
        {"category": "y", "AP": None, "AP low": None, "AP high": None, "AR": 0.0},
    ]


def test_records_of_a_histogram() -> None:
    display = HistogramDisplay(
        words=WORDS,
        edges=np.array([0.0, 0.5, 2.0]),
        counts=(Bars("right", np.array([3.0, 0.0])), Bars("wrong", np.array([1.0, 7.0]))),
        x_label="score",
    )
    assert display.records() == [
        {"from": 0.0, "to": 0.5, "right": 3.0, "wrong": 1.0},
        {"from": 0.5, "to": 2.0, "right": 0.0, "wrong": 7.0},
    ]


def test_records_of_a_matrix_are_its_cells_that_are_not_zero() -> None:
    display = matrix([[6.0, 2.0, 0.0], [0.0, 3.0, 1.0], [2.0, 0.0, NAN]], margins=True)
    # Rows have 8, 4 and 2; columns 8, 5 and 1.
    keys = ("true", "predicted", "count", "share of row", "share of column")
    assert [tuple(record) for record in display.records()] == [keys] * 5
    assert [tuple(record.values()) for record in display.records()] == [
        ("a", "a", 6.0, 6 / 8, 6 / 8),
        ("a", "b", 2.0, 2 / 8, 2 / 5),
        ("b", "b", 3.0, 3 / 4, 3 / 5),
        ("b", "c", 1.0, 1 / 4, 1.0),
        ("c", "a", 2.0, 1.0, 2 / 8),
    ]


def test_records_of_points() -> None:
    named = Points("model", np.array([1.0, 2.0]), np.array([0.5, NAN]), ("m", "n"))
    front = Points("front", np.array([1.0]), np.array([0.5]), low=np.array([0.4]), high=np.ones(1))
    display = PointsDisplay(words=WORDS, points=(named, front), x_label="fps", y_label="top-1")
    nothing = {"low": None, "high": None}
    assert display.records() == [
        {"kind": "model", "name": "m", "fps": 1.0, "top-1": 0.5, **nothing},
        {"kind": "model", "name": "n", "fps": 2.0, "top-1": None, **nothing},
        {"kind": "front", "name": None, "fps": 1.0, "top-1": 0.5, "low": 0.4, "high": 1.0},
    ]


def test_records_of_spans() -> None:
    display = SpansDisplay(
        words=WORDS,
        spans=(Span("1", 0, 4, "tracked", "as 7"), Span("1", 4, 4, "switch")),
        x_label="frame",
        row_label="person",
    )
    assert display.records() == [
        {"person": "1", "start": 0.0, "end": 4.0, "kind": "tracked", "label": "as 7"},
        {"person": "1", "start": 4.0, "end": 4.0, "kind": "switch", "label": ""},
    ]


# ---------------------------------------------------------------------------------------------
# Many numbers.


def test_a_long_line_keeps_its_ends_and_the_extremes_of_each_span() -> None:
    n = 5_000
    x = np.linspace(0.0, 1.0, n)
    y = np.sin(37 * x)
    y[2_345], y[777] = 9.0, -9.0
    kept = thinning.of_line(x, y)
    expected = {0, n - 1}
    for span in range(500):
        inside = [
            k for k in range(n) if min(int((x[k] - x[0]) / (x[-1] - x[0]) * 500), 499) == span
        ]
        expected |= {min(inside, key=lambda k: y[k]), max(inside, key=lambda k: y[k])}
    assert kept.tolist() == sorted(expected)
    assert {777, 2_345} <= expected


def test_gaps_of_a_long_line_stay() -> None:
    x = np.linspace(0.0, 1.0, 4_000)
    y = np.ones(4_000)
    y[1_000:3_000] = NAN
    y[3_500] = NAN  # alone
    kept = thinning.of_line(x, y)
    assert np.isnan(y[kept]).sum() >= 250
    assert 3_500 in kept
    before, after = kept[kept < 1_000].max(), kept[(kept >= 3_000)].min()
    assert np.isnan(y[kept][(kept > before) & (kept < after)]).all()


def test_a_long_line_keeps_the_extremes_of_its_bounds() -> None:
    x = np.linspace(0.0, 1.0, 3_000)
    low, high = np.zeros(3_000), np.ones(3_000)
    low[1_111], high[2_222] = -5.0, 5.0
    kept = thinning.of_line(x, np.full(3_000, 0.5), (low, high))
    assert {1_111, 2_222} <= set(kept.tolist())


def test_spans_of_a_logarithmic_axis_are_equal_there() -> None:
    x = np.geomspace(1e-6, 1.0, 5_000)
    rng = np.random.default_rng(0)
    y = rng.random(5_000)
    kept = thinning.of_line(x, y, log=True)
    # As many of the decade from 1e-6 to 1e-5 as of the last one: a sixth.
    first, last = (x[kept] < 1e-5).sum(), (x[kept] > 1e-1).sum()
    assert abs(int(first) - int(last)) <= 4
    assert kept.size > 900


def test_a_long_line_that_goes_to_the_left() -> None:
    x = np.linspace(1.0, 0.0, 3_000)
    y = np.zeros(3_000)
    y[1_234] = 4.0
    kept = thinning.of_line(x, y)
    assert 1_234 in kept
    assert (np.diff(kept) > 0).all()


@pytest.mark.parametrize("x", [np.full(2_000, 0.5), np.full(2_000, NAN)])
def test_a_long_line_at_one_place(x: np.ndarray) -> None:
    kept = thinning.of_line(x, np.arange(2_000.0))
    assert kept.tolist() == [0, 1_999]


def test_the_rule_is_said_once_and_the_data_have_all() -> None:
    long = Line("long", np.arange(1_001.0), np.zeros(1_001))
    display = lines(long, long)
    assert display.words.note == thinning.LINE_RULE
    assert len(display.records()) == 2_002
    again = dataclasses.replace(display, x_label="x")
    assert again.words.note == thinning.LINE_RULE
    assert lines(line("short", [1.0] * 1_000)).words.note == ""


def test_many_points_keep_extremes() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 10_000))
    kept = thinning.of_points(x, y)
    assert {x.argmin(), x.argmax(), y.argmin(), y.argmax()} <= set(kept.tolist())
    assert 2_000 <= kept.size <= 2_004
    gaps = np.diff(kept)
    assert gaps.max() <= 6
    display = PointsDisplay(words=WORDS, points=(Points("p", x, y),), x_label="a", y_label="b")
    assert display.words.note == thinning.POINTS_RULE
    assert len(display.records()) == 10_000


def test_many_bars_keep_the_first_and_last() -> None:
    names = tuple(f"c{k}" for k in range(101))
    display = BarsDisplay(
        words=WORDS, categories=names, bars=(Bars("AP", np.arange(101.0)),), value_label="AP"
    )
    assert display.drawn().tolist() == [*range(50), *range(51, 101)]
    assert "first 50 and the last 50" in display.words.note
    assert len(display.records()) == 101


def test_of_many_classes_those_with_most_mistakes_are_drawn() -> None:
    n = 130
    counts = np.diag(np.full(n, 50.0))
    for k in range(100):  # classes 30 to 129 are mistaken for the one before, or are taken for it
        counts[30 + k, 29 + (k or 1)] += 1 + k
    names = tuple(f"c{k}" for k in range(n))
    display = MatrixDisplay(words=WORDS, rows=names, columns=names, counts=counts)
    rows, columns = display.drawn()
    assert rows.tolist() == columns.tolist() == list(range(30, 130))
    assert "100 with the most mistakes" in display.words.note
    assert len(display.specification()["data"][0]["z"]) == 100


def test_of_many_rows_of_spans_the_first_are_drawn() -> None:
    spans = tuple(Span(str(k), 0, 1, "tracked") for k in range(150))
    display = SpansDisplay(words=WORDS, spans=spans, x_label="frame", row_label="person")
    assert display.drawn()[0] == [str(k) for k in range(100)]
    assert "first 100" in display.words.note
    assert len(display.records()) == 150


# ---------------------------------------------------------------------------------------------
# Matrices.


def test_strengths_are_roots_of_shares_and_mistakes_are_below_zero() -> None:
    display = matrix([[3.0, 1.0], [0.0, 4.0]])
    # Rows have 4 and 4; 0.06 for any, and 0.56 more for all of the row.
    assert display.strengths() == pytest.approx(
        np.array([[0.06 + 0.56 * math.sqrt(0.75), -0.06 - 0.56 * 0.5], [NAN, 0.62]]), nan_ok=True
    )
    columns = matrix([[3.0, 1.0], [0.0, 4.0]], normalise="columns")
    assert columns.strengths()[0, 1] == pytest.approx(-0.06 - 0.56 * math.sqrt(1 / 5))


def test_margins_are_never_right() -> None:
    display = matrix(
        [[3.0, 1.0], [2.0, NAN]], rows=("missed", "x"), columns=("missed", "x"), margins=True
    )
    signs = np.sign(display.strengths())
    assert signs[0, 0] == 1
    assert signs[0, 1] == signs[1, 0] == -1
    assert np.isnan(signs[1, 1])


def test_of_two_classes_of_one_name_one_is_not_the_other() -> None:
    names = ("car", "car", "dog")
    display = matrix([[3.0, 1.0, 0.0], [2.0, 5.0, 1.0], [0.0, 0.0, 4.0]], rows=names, columns=names)
    expected = [[1, -1, 0], [-1, 1, -1], [0, 0, 1]]
    assert np.nan_to_num(np.sign(display.strengths())).tolist() == expected
    # Other classes in columns are found by their names.
    other = matrix([[3.0, 1.0]], rows=("dog",), columns=("car", "dog"))
    assert np.sign(other.strengths()).tolist() == [[-1, 1]]


def test_cell_texts() -> None:
    counts = [[0.0, 1_234.0], [250_000.0, 0.5]]
    assert matrix(counts).cell_texts() == [["", "1,234"], ["250k", "0.5"]]
    # Of the rows: 0 and all; 250,000 and 0.5 of 250,000.5.
    assert matrix(counts, normalise="rows").cell_texts() == [["", "100 %"], ["100 %", "0 %"]]


# ---------------------------------------------------------------------------------------------
# Nothing, and what does not fit.


@pytest.mark.parametrize(
    ("display", "lack"),
    [
        (lines(), "there are no lines"),
        (lines(line("a", [])), "the lines have no points"),
        (lines(line("a", [NAN, NAN])), "all 2 values are undefined"),
        (
            BarsDisplay(words=WORDS, categories=(), bars=(), value_label="v"),
            "there are no bars",
        ),
        (
            BarsDisplay(
                words=WORDS, categories=("a",), bars=(Bars("v", np.array([NAN])),), value_label="v"
            ),
            "the only value is undefined",
        ),
        (
            HistogramDisplay(
                words=WORDS,
                edges=np.array([0.0, 1.0]),
                counts=(Bars("n", np.zeros(1)),),
                x_label="x",
            ),
            "all counts are 0",
        ),
        (
            HistogramDisplay(words=WORDS, edges=np.zeros(0), counts=(), x_label="x"),
            "there are no values",
        ),
        (matrix([]), "there are no classes"),
        (matrix([[0.0]]), "all counts are 0"),
        (matrix([[NAN]]), "all counts are undefined"),
        (PointsDisplay(words=WORDS, points=(), x_label="x", y_label="y"), "there are no points"),
        (
            PointsDisplay(
                words=WORDS,
                points=(Points("p", np.array([1.0, NAN]), np.array([NAN, 1.0])),),
                x_label="x",
                y_label="y",
            ),
            "of all 2 points a number is undefined",
        ),
        (SpansDisplay(words=WORDS, spans=(), x_label="x", row_label="r"), "there are no spans"),
        (
            SpansDisplay(words=WORDS, spans=(Span("a", NAN, 1, "k"),), x_label="x", row_label="r"),
            "the times of all spans are undefined",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)  # fmt: skip
def test_what_has_nothing_to_draw_says_why(display: LinesDisplay, lack: str) -> None:
    assert display.lack == lack
    specification = display.specification()
    json.dumps(specification, allow_nan=False)
    (note,) = specification["layout"]["annotations"]
    assert note["text"] == f"no data: {lack}"
    drawn = display.plot().ax_
    assert " ".join(drawn.texts[0].get_text().split()) == f"no data: {lack}"


def test_what_has_something_to_draw_lacks_nothing() -> None:
    assert lines(line("a", [NAN, 1.0])).lack == ""
    assert matrix([[1.0, 0.0], [0.0, 0.0]]).lack == ""


def test_numbers_that_do_not_fit_are_named() -> None:
    with pytest.raises(ShapeError, match=r"expected 2 numbers.*shape \(3,\) - at y of the line a"):
        Line("a", np.zeros(2), np.zeros(3))
    with pytest.raises(ShapeError, match="at low of AP"):
        Bars("AP", np.zeros(2), np.zeros(1), np.zeros(2))
    with pytest.raises(ShapeError, match="at values of AP"):
        BarsDisplay(words=WORDS, categories=("a",), bars=(Bars("AP", np.zeros(2)),), value_label="")
    with pytest.raises(ShapeError, match="expected 2 names, one a point, got 1 - at names of p"):
        Points("p", np.zeros(2), np.zeros(2), ("only",))
    with pytest.raises(ShapeError, match=r"shape \(2, 2\).*got \(2, 1\) - at the matrix name"):
        matrix([[1.0], [2.0]])
    with pytest.raises(ShapeError, match="each above the one before - at edges"):
        HistogramDisplay(words=WORDS, edges=np.array([0.0, 0.0]), counts=(), x_label="x")
    with pytest.raises(InputError, match=r'got "row"\. Did you mean "rows"'):
        matrix([[1.0]], normalise="row")
    with pytest.raises(InputError, match="expected a range above 0"):
        lines(log_x=True, x_range=(0.0, 1.0))
