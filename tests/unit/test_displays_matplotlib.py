"""Displays drawn with Matplotlib: artists hold the numbers, nothing global is touched."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

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
from snellen.displays.colours import ROLES
from snellen.errors import InputError, MissingExtraError

NAN = math.nan
WORDS = Words("name", "Title", "What it is.", "What it shows.")
THREE = np.array([1.0, 2.0, 3.0])
ROW = np.array([0.25, NAN, 1.0])
# Mathematics for Matplotlib, of which the second has an error; nothing for legends; HTML.
NAMES = ("$x^2$", "$\\frac{$", "_hidden", "</script><img src=x onerror=alert(1)>", "a\nb")

LINES = LinesDisplay(
    words=WORDS,
    lines=(
        Line("a", THREE, ROW, ROW - 0.1, ROW + 0.2),
        Line("b", THREE, THREE, stepped=True),
        Line("c", THREE, THREE / 2, muted=True),
    ),
    x_label="x",
    y_label="y",
    x_range=(0.0, 4.0),
    y_range=(0.0, 5.0),
    marks=(Mark("best", 2.0, 1.5),),
    diagonal=True,
)
BARS = BarsDisplay(
    words=WORDS,
    categories=("p", "q", "r"),
    bars=(Bars("AP", ROW, ROW - 0.1, ROW + 0.2),),
    value_label="value",
    value_range=(0.0, 1.0),
)
STACK = BarsDisplay(
    words=WORDS,
    categories=("p", "q", "r"),
    bars=(Bars("small", ROW), Bars("large", THREE)),
    value_label="mistakes",
    lying=False,
    stacked=True,
)
HISTOGRAM = HistogramDisplay(
    words=WORDS,
    edges=np.array([0.0, 1.0, 2.0, 4.0]),
    counts=(Bars("right", THREE), Bars("wrong", THREE[::-1])),
    x_label="score",
)
MATRIX = MatrixDisplay(
    words=WORDS,
    rows=("cat", "dog", "false alarm"),
    columns=("cat", "dog", "missed"),
    counts=np.array([[3.0, 1.0, 0.0], [0.0, 4.0, 2.0], [5.0, 0.0, NAN]]),
    margins=True,
)
POINTS = PointsDisplay(
    words=WORDS,
    points=(
        Points("models", THREE, ROW, ("m", "n", "o"), ROW - 0.1, ROW + 0.2),
        Points("front", THREE[::-1], THREE, joined=True),
    ),
    x_label="fps",
    y_label="top-1",
    log_x=True,
    level=0.5,
    diagonal=True,
    named=True,
)
SPANS = SpansDisplay(
    words=WORDS,
    spans=(Span("1", 0, 4, "tracked"), Span("2", 1, 3, "missed"), Span("1", 4, 4, "switch")),
    x_label="frame",
    row_label="person",
)
ALL = [LINES, BARS, STACK, HISTOGRAM, MATRIX, POINTS, SPANS]
KINDS = ["lines", "bars", "stack", "histogram", "matrix", "points", "spans"]


# ---------------------------------------------------------------------------------------------
# Artists.


def test_lines_are_drawn_as_they_are() -> None:
    ax = LINES.plot().ax_
    by_place = [line.get_xydata() for line in ax.lines]
    diagonal, muted, stepped, first, mark = by_place
    np.testing.assert_array_equal(diagonal, [[0, 0], [4, 4]])  # of what both axes show
    np.testing.assert_array_equal(muted, np.c_[THREE, THREE / 2])
    np.testing.assert_array_equal(stepped, np.c_[THREE, THREE])
    np.testing.assert_array_equal(first, np.c_[THREE, ROW])
    np.testing.assert_array_equal(mark, [[2, 1.5]])
    assert ax.lines[2].get_drawstyle() == "steps-post"
    assert to_hex(ax.lines[1].get_color()) == ROLES["mark"]
    assert to_hex(ax.lines[3].get_color()) == ROLES["p0"]
    assert ax.lines[2].get_linestyle() != ax.lines[3].get_linestyle()
    assert ax.lines[2].get_marker() != ax.lines[3].get_marker()
    assert ax.lines[3].get_zorder() > ax.lines[1].get_zorder()
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert {0.15, 0.45} <= set(heights.round(12))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "best"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.get_xlim() == (0.0, 4.0)
    assert ax.get_ylim() == (0.0, 5.0)


def test_few_lines_are_named_at_their_ends() -> None:
    lines = (Line("upper", THREE, THREE), Line("lower", THREE, THREE / 3))
    display = LinesDisplay(words=WORDS, lines=lines, x_label="x", y_label="y", x_range=(1, 3))
    ax = display.plot().ax_
    assert ax.get_legend() is None
    assert [(text.get_text(), text.xy[1]) for text in ax.texts] == [("upper", 3.0), ("lower", 1.0)]
    # Names would lie on each other.
    close = (Line("upper", THREE, THREE), Line("lower", THREE, THREE - 0.01))
    ax = dataclasses.replace(display, lines=close).plot().ax_
    assert not ax.texts
    assert len(ax.get_legend().get_texts()) == 2


def test_an_axis_at_the_right() -> None:
    display = dataclasses.replace(
        LINES,
        lines=(LINES.lines[0], Line("rate", THREE, THREE * 10, right=True)),
        right_label="learning rate",
    )
    left, right = display.plot().figure_.axes
    np.testing.assert_array_equal(right.lines[0].get_ydata(), THREE * 10)
    assert right.get_ylabel() == "learning rate"
    assert "rate" in [text.get_text() for text in left.get_legend().get_texts()]


def test_bars_are_as_long_as_numbers_and_intervals_as_wide() -> None:
    ax = BARS.plot().ax_
    # The bar that is undefined is not there, and said.
    assert [bar.get_width() for bar in ax.patches] == [0.25, 1.0]
    assert [bar.get_y() + bar.get_height() / 2 for bar in ax.patches] == [0.0, 2.0]
    (container,) = [each for each in ax.containers if hasattr(each, "has_xerr")]
    (segments,) = container[2]
    np.testing.assert_allclose(
        [segment[:, 0] for segment in segments.get_segments()], [[0.15, 0.45], [0.9, 1.2]]
    )
    assert [label.get_text() for label in ax.get_yticklabels()] == ["p", "q", "r"]
    assert ax.get_ylim() == (2.5, -0.5)  # the first above
    assert [(text.get_text(), text.xy) for text in ax.texts] == [
        ("0.250", (0.45, 0.0)),
        ("undefined", (0.0, 1.0)),
        ("1", (1.2, 2.0)),
    ]


def test_stacked_bars_stand_on_each_other() -> None:
    ax = STACK.plot().ax_
    low, high = [bar.get_height() for bar in ax.patches[:2]], ax.patches[2:]
    assert low == [0.25, 1.0]
    assert [bar.get_height() for bar in high] == [1.0, 2.0, 3.0]
    assert [bar.get_y() for bar in high] == [0.25, 0.0, 1.0]
    assert ax.patches[0].get_hatch() != high[0].get_hatch()


def test_histograms_have_counts_between_edges() -> None:
    ax = HISTOGRAM.plot().ax_
    drawn = [patch.get_data() for patch in ax.patches]
    for step, counts in zip(drawn, [THREE, THREE, THREE[::-1], THREE[::-1]], strict=True):
        np.testing.assert_array_equal(step.values, counts)
        np.testing.assert_array_equal(step.edges, [0, 1, 2, 4])


def test_cells_of_a_matrix() -> None:
    ax = MATRIX.plot().ax_
    (mesh,) = ax.collections
    drawn = mesh.get_array().reshape(3, 3)
    # Zeros, and what cannot be, have no colour.
    assert drawn.mask.tolist() == [
        [False, False, True],
        [True, False, False],
        [False, True, True],
    ]
    np.testing.assert_array_equal(drawn.filled(NAN), MATRIX.strengths())
    right, wrong = mesh.cmap(mesh.norm(1.0)), mesh.cmap(mesh.norm(-1.0))
    assert (to_hex(right), to_hex(wrong)) == (ROLES["right"], ROLES["wrong"])
    assert mesh.cmap(mesh.norm(0.02))[3] < 0.05 < 0.95 < right[3]
    written = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in ax.texts}
    assert written == {(0, 0): "3", (0, 1): "1", (1, 1): "4", (1, 2): "2", (2, 0): "5"}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "false alarm"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog", "missed"]
    assert ax.get_ylim() == (2.5, -0.5)
    # The margins stand apart.
    assert [line.get_xdata()[0] for line in ax.lines][:1] == [1.5]
    assert [line.get_ydata()[0] for line in ax.lines][1:] == [1.5]


def test_a_large_matrix_has_no_counts_and_fewer_names() -> None:
    n = 80
    names = tuple(f"class {k}" for k in range(n))
    display = MatrixDisplay(words=WORDS, rows=names, columns=names, counts=np.eye(n))
    ax = display.plot().ax_
    assert not ax.texts
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert 10 < len(shown) < n
    assert [ax.get_yticks()[k] for k in (0, 1)] == [0, int(shown[1].split()[1])]


def test_margins_of_a_large_matrix_keep_their_names() -> None:
    n = 80
    rows = (*(f"class {k}" for k in range(n)), "false alarm")
    columns = (*rows[:-1], "missed")
    display = MatrixDisplay(
        words=WORDS, rows=rows, columns=columns, counts=np.ones((n + 1, n + 1)), margins=True
    )
    ax = display.plot().ax_
    for axis, last in ((ax.yaxis, "false alarm"), (ax.xaxis, "missed")):
        places = axis.get_ticklocs()
        assert axis.get_ticklabels()[-1].get_text() == last
        assert places[-1] == n
        step = places[1] - places[0]
        assert (np.diff(places) >= step).all()


def test_a_high_legend_takes_nothing_from_the_picture() -> None:
    one = dataclasses.replace(LINES, lines=LINES.lines[:1], marks=())
    many = tuple(Line(f"a line with a rather long name {k}", THREE, THREE * k) for k in range(9))
    several = dataclasses.replace(one, lines=many, y_range=None)
    heights = []
    for display in (one, several):
        display.plot()
        display.figure_.draw_without_rendering()
        heights.append(display.ax_.get_position().height * display.figure_.get_figheight())
    assert heights[1] > 0.9 * heights[0]


def test_points_are_where_they_are() -> None:
    ax = POINTS.plot().ax_
    assert ax.get_xscale() == "log"
    models, front = [line for line in ax.lines if line.get_marker() in ("o", "s")]
    np.testing.assert_array_equal(models.get_xydata(), np.c_[THREE, ROW])
    np.testing.assert_array_equal(front.get_xydata(), [[1, 3], [2, 2], [3, 1]])  # to the right
    assert front.get_linestyle() != "None"
    assert models.get_linestyle() == "None"
    # What has no place has no name.
    assert [text.get_text() for text in ax.texts] == ["m", "o"]
    level = [line.get_ydata() for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    assert [list(heights) for heights in level] == [[0.5, 0.5]]


def test_spans_lie_on_their_rows() -> None:
    ax = SPANS.plot().ax_
    first, second = (collection.get_paths()[0].get_extents() for collection in ax.collections)
    np.testing.assert_allclose(first.get_points(), [[0, -0.3], [4, 0.3]])
    np.testing.assert_allclose(second.get_points(), [[1, 0.7], [3, 1.3]])
    (events,) = ax.lines
    np.testing.assert_array_equal(events.get_xydata(), [[4, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["tracked", "missed", "switch"]


# ---------------------------------------------------------------------------------------------
# Names.


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_as_they_are(name: str) -> None:
    displays: list[Display] = [
        dataclasses.replace(
            LINES, lines=(Line(name, THREE, THREE), Line("b", THREE, THREE)), x_label=name
        ),
        dataclasses.replace(BARS, categories=(name, "q", "r"), value_label=name),
        dataclasses.replace(STACK, categories=(name, "q", "r")),
        dataclasses.replace(HISTOGRAM, x_label=name),
        dataclasses.replace(MATRIX, rows=(name, "b", "c"), columns=(name, "b", "c")),
        dataclasses.replace(
            POINTS, points=(Points(name, THREE, THREE, (name, "b", "c")), POINTS.points[1])
        ),
        SpansDisplay(words=WORDS, spans=(Span(name, 0, 1, name),), x_label=name, row_label="r"),
    ]
    for display in displays:
        display.plot()
        display.figure_.draw_without_rendering()  # which raises where mathematics has an error
    shown = displays[0].ax_.get_legend().get_texts()
    assert len(shown) == 3
    text, is_mathematics = shown[0]._preprocess_math(shown[0].get_text())
    assert not is_mathematics
    assert text.strip() == name.replace("\n", "\\n")


# ---------------------------------------------------------------------------------------------
# Figures, axes, files.


@pytest.mark.parametrize("display", ALL, ids=KINDS)
@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_files_are_the_same_every_time(display: Display, ending: str, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    one, other = tmp_path / f"one.{ending}", tmp_path / f"other.{ending.upper()}"
    display.save(one)
    assert display.ax_ is None or display.figure_ is not None
    display.save(other)
    content = one.read_bytes()
    assert content == other.read_bytes()
    assert content.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending])
    assert b"CreationDate" not in content
    assert b"<dc:date>" not in content
    assert b"/Type3" not in content  # fonts that publishers refuse
    assert dict(mpl.rcParams) == before
    assert sorted(tmp_path.iterdir()) == [one, other]


def test_files_have_the_width_that_was_asked_for(tmp_path: Path) -> None:
    from PIL import Image

    for width in (3.3, 10.0):
        LINES.save(tmp_path / "a.png", width=width)
        with Image.open(tmp_path / "a.png") as image:
            assert image.width == round(200 * width)
    with pytest.raises(InputError, match="expected a width from 1 to 100 inches, got nan"):
        LINES.save(tmp_path / "b.png", width=NAN)


def test_another_ending_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r'ends with .*\.svg\. Did you mean "png".* - at .*a\.pngg'
    ):
        LINES.save(tmp_path / "a.pngg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("display", ALL, ids=KINDS)
def test_on_given_axes_only_they_are_drawn_on(display: Display) -> None:
    before = dict(mpl.rcParams)
    figure = Figure(figsize=(3.3, 2.5))
    left, right = figure.subplots(1, 2)
    drawn = display.plot(right)
    assert drawn is display
    assert drawn.ax_ is right
    assert drawn.figure_ is figure
    figure.draw_without_rendering()
    assert not left.has_data()
    assert right.has_data()
    assert dict(mpl.rcParams) == before
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


@pytest.mark.parametrize("display", ALL, ids=KINDS)
def test_in_a_part_of_a_figure(display: Display) -> None:
    figure = Figure(figsize=(6.0, 3.0), layout="constrained")
    part = figure.subfigures(1, 2)[1]
    drawn = display.plot(part.subplots())
    assert drawn.figure_ is part
    figure.draw_without_rendering()
    # A notebook shows the whole figure: a part of one cannot be written.
    picture = display._repr_png_()
    assert picture is not None
    assert picture.startswith(b"\x89PNG")


def test_a_dark_style_stays() -> None:
    with mpl.rc_context({"axes.labelcolor": "yellow", "axes.facecolor": "black"}):
        ax = Figure().add_subplot()
    MATRIX.plot(ax)
    assert {text.get_color() for text in ax.texts} == {"yellow"}
    assert to_hex(ax.get_facecolor()) == "#000000"


def test_names_are_only_text_for_tex_too() -> None:
    """With ``text.usetex`` all text goes through LaTeX, which stops at an underscore."""
    bars = dataclasses.replace(BARS, categories=("traffic_light", "R&D", "50 % of $"))
    cells = dataclasses.replace(MATRIX, normalise="rows")
    with mpl.rc_context({"text.usetex": True}):
        names = bars.plot().ax_.get_yticklabels()
        written = [text.get_text() for text in cells.plot().ax_.texts]
    assert [name.get_text() for name in names] == [r"traffic\_light", r"R\&D", r"50 \% of \$"]
    assert written
    assert all(text.endswith(r" \%") for text in written)


def test_what_is_no_axes_is_refused() -> None:
    with pytest.raises(InputError, match="expected axes of Matplotlib, got Figure - at ax"):
        LINES.plot(Figure())


def test_a_notebook_shows_what_was_drawn() -> None:
    display = dataclasses.replace(LINES)
    assert display._repr_png_() is None
    display.plot()
    picture = display._repr_png_()
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    # What pyplot made, the notebook shows by itself.
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg"}):
        figure, ax = plt.subplots()
        assert display.plot(ax)._repr_png_() is None
        plt.close(figure)


def test_a_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[plot\]'"):
        LINES.plot()


def test_pyplot_is_not_imported_and_nothing_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np, snellen.displays as d\n"
        "assert not {'matplotlib', 'plotly'} & set(sys.modules)\n"
        "w = d.Words('n', 't', 'a', 'f')\n"
        "one = d.Line('a', np.arange(3.0), np.arange(3.0))\n"
        "x = d.LinesDisplay(words=w, lines=(one,), x_label='x', y_label='y')\n"
        "x.records(), x.specification()\n"
        "assert not {'matplotlib', 'plotly'} & set(sys.modules)\n"
        f"x.plot().figure_.savefig({str(tmp_path / 'a.svg')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_numbers_are_written_where_rows_have_room() -> None:
    values = np.linspace(0.1, 0.9, 30)
    many = BarsDisplay(
        words=WORDS,
        categories=tuple(map(str, range(30))),
        bars=(Bars("share", values),),
        value_label="share",
    )
    assert len(many.plot().ax_.texts) == 30
    # 30 rows in 2 inches are 4.8 points each.
    small = Figure(figsize=(3.3, 2.6)).add_axes((0.2, 0.1, 0.7, 2 / 2.6))
    assert len(many.plot(small).ax_.texts) == 0


def test_a_legend_is_no_wider_than_axes_of_others() -> None:
    lines = tuple(Line(f"a long name of a line, number {k}", THREE, ROW) for k in range(2))
    display = LinesDisplay(words=WORDS, lines=lines, x_label="x", y_label="y")
    # Libraries that other tests import set sizes of their own.
    with mpl.rc_context(mpl.rcParamsDefault):
        wide, narrow = (
            Figure(figsize=(width, 3)).add_axes((0.1, 0.1, 0.8, 0.8)) for width in (9.0, 3.3)
        )
        sizes = [
            display.plot(ax).ax_.get_legend().get_texts()[0].get_size() for ax in (wide, narrow)
        ]
    assert sizes[0] == 10
    assert 5 <= sizes[1] < 9
