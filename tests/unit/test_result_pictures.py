"""What every result has for papers and notebooks: pictures, tables, HTML."""

from __future__ import annotations

import dataclasses
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from snellen.displays import BarsDisplay
from snellen.displays.tables import TextTable, as_latex, as_markdown
from snellen.errors import InputError
from snellen.result import Interval, Result, Undefined
from snellen.state import PackedState

NAN = math.nan
EVIL = "</script><img src=x onerror=alert(1)>"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Made(Result):
    """A result whose numbers a test gives."""

    records: tuple[Mapping[str, Any], ...] = ()

    @property
    def task(self) -> str:
        return "made"

    def __str__(self) -> str:
        return "made"

    def composition(self) -> str:
        return "images       3\nprotocol     by hand, IoU 0.50:0.95\nundefined    none"

    def per_class(self) -> list[dict[str, Any]]:
        return [dict(record) for record in self.records]

    def _pack(self) -> bytes:
        return b""

    @classmethod
    def _of_packed(cls, packed: PackedState) -> Made:
        raise NotImplementedError


def made(metrics: Mapping[str, float], *records: Mapping[str, Any], **settings: Any) -> Made:
    given = {"protocol": {"name": "p"}, "undefined": (), "data": {}} | settings
    return Made(metrics=metrics, records=records, **given)


def interval(low: float, high: float) -> Interval:
    return Interval(low, high, 0.95, "bootstrap", "image")


PLAIN = made(
    {"AP": 0.4119, "AP_small": NAN, "n_images": 1, "mae": 12.5, "AR": 1.0},
    {"class": "cat", "id": 1_000, "n_truth": 1_234, "AP": 0.5},
    {"class": EVIL, "id": 2, "n_truth": 0, "AP": NAN},
    intervals={"AP": interval(0.3981, 0.4267), "AR": interval(NAN, NAN)},
    undefined=(Undefined("AP_small", "nothing is small"),),
)


# ---------------------------------------------------------------------------------------------
# Pictures.


def test_headline_numbers_between_0_and_1_are_bars() -> None:
    (display,) = PLAIN.displays()
    assert isinstance(display, BarsDisplay)
    # One image is a count, although it is 1; an error of 12.5 is on another scale.
    assert display.records() == [
        {"category": "AP", "value": 0.4119, "value low": 0.3981, "value high": 0.4267},
        {"category": "AP_small", "value": None, "value low": None, "value high": None},
        {"category": "AR", "value": 1.0, "value low": None, "value high": None},
    ]
    words = display.words
    assert words.finding == "AP is 0.412 (0.398 to 0.427 with 95 % confidence)."
    assert words.protocol == "by hand, IoU 0.50:0.95"
    assert words.note == "Beyond 0 to 1, in the table only: n_images, mae."


def test_pictures_are_found_by_name() -> None:
    display = PLAIN.plot(name="metrics")
    assert display.ax_.get_xlim() == (0.0, 1.0)
    assert PLAIN.plot().name == "metrics"
    assert list(PLAIN.figure("metrics").data[0].x) == [0.4119, None, 1.0]
    with pytest.raises(InputError, match=r'expected .*: metrics, got "metric"\. Did you mean'):
        PLAIN.plot(name="metric")
    with pytest.raises(InputError, match="at name, of Made"):
        PLAIN.figure("x")


def test_results_without_a_number_have_an_honest_picture() -> None:
    nothing = made({"AP": NAN})
    assert nothing.displays()[0].words.finding == "No number is defined."
    assert nothing.plot().lack == "the only value is undefined"
    assert made({"mae": 3.0}).plot().lack == "there are no bars"


# ---------------------------------------------------------------------------------------------
# Tables.


def test_markdown() -> None:
    assert PLAIN.to_markdown().splitlines() == [
        "| metric | value [95 % interval] |",
        "| --- | ---: |",
        "| AP | 0.412 [0.398, 0.427] |",
        "| AP\\_small | – |",
        "| n\\_images | 1 |",
        "| mae | 12.500 |",
        "| AR | 1.000 |",
    ]
    assert PLAIN.to_markdown("classes", digits=2).splitlines() == [
        "| class | id | n\\_truth | AP |",
        "| --- | ---: | ---: | ---: |",
        "| cat | 1000 | 1,234 | 0.50 |",
        "| &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; | 2 | 0 | – |",
    ]
    assert made({}).to_markdown("classes") == "| class |\n| --- |"


def test_markdown_of_texts_that_look_like_markdown() -> None:
    table = TextTable(["a"], [["x|y"], ["*b* `c` \\ $d$ ~e~ [f](g)"], [""], ["g & h"]], [False])
    assert as_markdown(table).splitlines()[2:] == [
        "| x\\|y |",
        "| \\*b\\* \\`c\\` \\\\ \\$d\\$ \\~e\\~ [f\\](g) |",
        "|   |",
        "| g &amp; h |",
    ]


def test_latex() -> None:
    assert PLAIN.to_latex(caption="100 % of A_B", label="tab:one").splitlines() == [
        "\\begin{table}",
        "\\centering",
        "\\caption{100 \\% of A\\_B}",
        "\\label{tab:one}",
        "\\begin{tabular}{lr}",
        "\\toprule",
        "metric & value {[}95 \\% interval] \\\\",
        "\\midrule",
        "AP & 0.412 {[}0.398, 0.427] \\\\",
        "AP\\_small & – \\\\",
        "n\\_images & 1 \\\\",
        "mae & 12.500 \\\\",
        "AR & 1.000 \\\\",
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    assert "{table}" not in PLAIN.to_latex("classes")


SPECIAL = r"\ % & _ # $ { } ~ ^ < > | [ *"


def test_latex_of_texts_that_look_like_latex() -> None:
    (row,) = [line for line in _special_latex().splitlines() if "textbackslash" in line]
    assert row == (
        r"\textbackslash{} \% \& \_ \# \$ \{ \} \textasciitilde{} \textasciicircum{} "
        r"\textless{} \textgreater{} \textbar{} {[} {*} \\"
    )
    assert "\n{[}x & 1 \\\\" not in as_latex(TextTable(["a"], [["é – 猫"]], [False]))
    assert "é – 猫" in as_latex(TextTable(["a"], [["é – 猫"]], [False]))


def test_what_is_infinite_in_latex() -> None:
    """pdfTeX stops at the letters for it: they are written as mathematics."""
    rows = made({"hd": math.inf, "psnr": -math.inf}).to_latex().splitlines()
    assert rows[4:6] == [r"hd & $\infty$ \\", r"psnr & $-$$\infty$ \\"]


def test_a_cell_is_one_line() -> None:
    table = TextTable(["a\nb"], [["c\r\nd"], ["e\u2028f"]], [False])
    assert as_markdown(table).splitlines() == [
        "| a\\\\nb |", "| --- |", "| c\\\\r\\\\nd |", "| e\\\\u2028f |",
    ]  # fmt: skip
    assert as_latex(table).splitlines()[2::2] == [
        r"a\textbackslash{}nb \\",
        r"c\textbackslash{}r\textbackslash{}nd \\",
        r"\bottomrule",
    ]


def _special_latex() -> str:
    rows = [[SPECIAL], ["[behind the end of a line"], ["* too"], ["∞ −∞"]]
    return as_latex(TextTable(["a"], rows, [False]))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(tmp_path: Path) -> None:
    tables = [_special_latex(), PLAIN.to_latex("classes", caption=SPECIAL, label="a:b")]
    document = "\n".join(
        [
            r"\documentclass{article}\usepackage{booktabs}\begin{document}",
            *tables,
            r"\end{document}",
        ]
    )
    (tmp_path / "a.tex").write_text(document, encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=tmp_path, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]


def test_labels_of_latex_are_checked() -> None:
    with pytest.raises(InputError, match=r"in a label, got \"a}b\" - at label"):
        PLAIN.to_latex(label="a}b")


def test_unknown_tables_suggest_one() -> None:
    with pytest.raises(InputError, match=r'got "class"\. Did you mean "classes"'):
        PLAIN.to_markdown("class")
    with pytest.raises(InputError, match="expected a table metrics or classes"):
        PLAIN.to_latex("x")


# ---------------------------------------------------------------------------------------------
# Notebooks.


class Texts(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert {name for name, _ in attrs} <= {"class", "scope"}
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def test_a_notebook_shows_numbers_intervals_and_the_protocol() -> None:
    page = Texts(PLAIN._repr_html_())
    assert {"AP", "0.4119", "0.3981 to 0.4267", "95 % interval"} <= set(page.found)
    assert "protocol: by hand, IoU 0.50:0.95" in page.found
    assert "AP_small: nothing is small" in page.found
    assert "2 classes" in page.found
    assert EVIL in page.found
    assert not {"script", "img"} & page.tags


def test_the_style_is_that_of_its_own_elements_only() -> None:
    (style,) = re.findall("<style>(.*)</style>", PLAIN._repr_html_())
    selectors = [each for rule in re.findall(r"([^{}]+)\{", style) for each in rule.split(",")]
    assert selectors
    assert all(selector.startswith(".snellen-result ") for selector in selectors)
    assert "currentColor" in style
    assert not re.search(r"#[0-9a-f]{3}|rgba?\(|\b(black|white)\b", style)


@pytest.mark.parametrize(("n", "rows", "more"), [(50, 50, ""), (1_250, 50, "1,200 more: ")])
def test_at_most_50_classes(n: int, rows: int, more: str) -> None:
    html = made({"AP": 0.5}, *({"class": f"c{k}", "AP": 0.5} for k in range(n)))._repr_html_()
    assert html.count('<th scope="row">c') == rows
    assert (">1,200 more: " in html) == bool(more)
    assert f"{n:,} classes" in html


def test_results_without_classes_and_intervals() -> None:
    page = Texts(made({"AP": NAN})._repr_html_())
    assert "0 classes" in page.found
    assert "–" in page.found
    assert not [text for text in page.found if "interval" in text]
