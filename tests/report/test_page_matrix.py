"""The confusion matrix: counts and shares in words, and by keyboard."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from tests.report.conftest import Open
from tests.report.small_gallery import matrix, small_view


@pytest.fixture
def page(open_page: Open, sample_view: RunView) -> Any:
    page = open_page(page_of_views([small_view(sample_view)]))
    page.wait_for_selector("table.confusion")
    return page


def cells(page: Any) -> list[list[str]]:
    return [
        [str(each) for each in row.locator("td").all_inner_texts()]
        for row in page.locator("table.confusion tbody tr").all()
    ]


def test_counts_then_shares(page: Any) -> None:
    assert cells(page) == [
        ["14", "2", "", "4"],
        ["1", "5", "", "2"],
        ["", "", "3", ""],
        ["", "1", "", ""],
    ]
    page.get_by_label("% of each true").check(force=True)
    # Of 20 dogs 14, 2, 4; of 8 cats 1, 5, 2: 12.5 and 62.5 are rounded to whole percents.
    assert cells(page)[0] == ["70", "10", "", "20"]
    assert cells(page)[1] == ["13", "63", "", "25"]
    page.get_by_label("% of each predicted").check(force=True)
    # 15 are called dog, 8 cat, 3 bird; 6 are missed.
    assert cells(page)[0] == ["93", "25", "", "67"]


@pytest.mark.parametrize(
    ("form", "cell", "sentence"),
    [
        ("counts", "0,1", "of true dog, 10 % (2 of 20) called cat"),
        ("counts", "0,3", "of true dog, 20 % (4 of 20) missed"),
        ("% of each predicted", "0,1", "of predicted cat, 25 % (2 of 8) were dog"),
        ("% of each predicted", "3,1", "of predicted cat, 13 % (1 of 8) were false alarms"),
        ("counts", "3,1", "of all false alarms, 100 % (1 of 1) called cat"),
    ],
)
def test_a_cell_in_words(page: Any, form: str, cell: str, sentence: str) -> None:
    page.get_by_label(form).check(force=True)
    page.locator(f"td[data-at='{cell}']").hover()
    assert page.locator(".matrix-words").inner_text() == sentence
    assert page.locator(f"td[data-at='{cell}']").get_attribute("aria-label") == sentence


def test_nothing_is_said_of_what_is_neither_there_nor_found(page: Any) -> None:
    corner = page.locator("td[data-at='3,3']")
    assert corner.inner_text() == ""
    corner.click()
    assert not page.locator(".chip").count()


def test_one_cell_is_in_the_order_of_tabs_and_arrows_move(page: Any) -> None:
    assert page.locator("table.confusion td[tabindex='0']").count() == 1
    page.locator("td[data-at='0,0']").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.dataset.at") == "0,1"
    assert page.locator("table.confusion td[tabindex='0']").count() == 1
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.at") == "0,3"
    page.keyboard.press("Enter")
    assert page.locator(".chip").inner_text().startswith("showing: missed dog")
    assert page.evaluate("document.activeElement.className") == "chip"


def test_pairs_are_listed_most_frequent_first(page: Any) -> None:
    rows = page.locator(".pairs-place tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["dog", "cat", "2", "10.0"],
        ["cat", "dog", "1", "12.5"],
    ]
    page.locator(".pair").nth(1).click()
    assert page.locator(".chip").inner_text().startswith("showing: true cat taken for dog")


def test_of_many_classes_the_pairs_come_first(open_page: Open, sample_view: RunView) -> None:
    n = 60
    counts = np.diag(np.arange(n + 1, dtype=float))
    counts[n, n] = np.nan
    counts[3, 7], counts[50, 2], counts[4, n] = 9, 8, 7
    view = small_view(sample_view)
    display = matrix(tuple(f"class {k}" for k in range(n)), counts)
    page = open_page(page_of_views([replace(view, parts=replace(view.parts, confusion=display))]))
    page.wait_for_selector("canvas")
    assert not page.locator("table.confusion").count()
    firsts = page.locator(".matrix-body > div").evaluate_all("all => all.map(e => e.className)")
    assert firsts == ["pairs-place", "heat-place"]
    assert [
        row.split("\t")[:3] for row in page.locator(".pairs-place tbody tr").all_inner_texts()
    ] == [
        ["class 3", "class 7", "9"],
        ["class 50", "class 2", "8"],
    ]
    # Row 3, column 7 of 61: its middle is at 7.5 and 3.5 of 61 parts.
    box = page.locator("canvas").bounding_box()
    page.mouse.move(0, 0)
    page.locator("canvas").click(
        position={"x": box["width"] * 7.5 / 61, "y": box["height"] * 3.5 / 61}
    )
    assert (
        page.locator(".matrix-words").inner_text()
        == "of true class 3, 75 % (9 of 12) called class 7"
    )
    assert page.locator(".chip").inner_text().startswith("showing: true class 3 taken for class 7")
    drawn = page.locator("canvas").evaluate(
        """(canvas) => {
          const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          const at = (row, column) => {
            const x = Math.round(((column + 0.5) * canvas.width) / 61);
            const y = Math.round(((row + 0.5) * canvas.height) / 61);
            return [...all.slice(4 * (y * canvas.width + x)).slice(0, 4)];
          };
          return [at(3, 7), at(59, 59), at(10, 11)];
        }"""
    )
    mistake, right, nothing = drawn
    assert mistake[0] > mistake[2]  # orange
    assert right[2] > right[0]  # blue
    assert nothing[3] == 0
