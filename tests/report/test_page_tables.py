"""Tables and downloads: order, search, and the bytes of the files."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snellen.report.parts import Column, RunParts, Table
from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from tests.report.conftest import Open
from tests.report.views_of_runs import words

NAMES = ("dog", "cat", '=SUM("A1")', "Élan", "a,b\nc", "\n=1")
VALUES = (0.30000000000000004, None, 0.9, float("nan"), 0.1, 0.2)
TABLE = Table(
    words("classes", "Every class"),
    (Column("class", "class"), Column("n", "objects"), Column("AP", "AP", 3, "what AP is")),
    [
        {"class": name, "n": 10 * k, "AP": value}
        for k, (name, value) in enumerate(zip(NAMES, VALUES, strict=True))
    ],
)


@pytest.fixture
def page(open_page: Open, sample_view: RunView) -> Any:
    page = open_page(
        page_of_views([replace(sample_view, parts=RunParts(classes=TABLE), examples=None)])
    )
    page.wait_for_selector("#classes tbody tr")
    return page


def column(page: Any, place: int) -> list[str]:
    return [
        str(each)
        for each in page.locator(f"#classes tbody tr > :nth-child({place})").all_inner_texts()
    ]


def test_numbers_are_sorted_as_numbers_and_undefined_ones_are_last(page: Any) -> None:
    head = page.get_by_role("columnheader", name="AP")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, 3) == ["0.900", "0.300", "0.200", "0.100", "–", "–"]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, 3) == ["0.100", "0.200", "0.300", "0.900", "–", "–"]
    page.get_by_role("button", name="class", exact=True).click()
    assert head.get_attribute("aria-sort") is None
    assert column(page, 1)[-3:] == ["cat", "dog", "Élan"]


def test_search_leaves_the_rows_with_the_text(page: Any) -> None:
    page.get_by_label("Search").fill("éLAN")
    assert column(page, 1) == ["Élan"]
    assert page.locator("#classes .shown").inner_text() == "1 of 6 rows"
    page.get_by_label("Search").fill("")
    assert len(column(page, 1)) == 6


def downloaded(page: Any, place: str, kind: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.locator(f"{place} .download", has_text=kind).click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_the_csv_has_every_digit_and_no_formula(page: Any) -> None:
    page.get_by_label("Search").fill("dog")  # the file has all rows nevertheless
    name, data = downloaded(page, "#classes", "CSV")
    assert name == "classes.csv"
    assert data == (
        b"class,n,AP\r\n"
        b"dog,0,0.30000000000000004\r\n"
        b"cat,10,\r\n"
        b'"\'=SUM(""A1"")",20,0.9\r\n'
        + "Élan,30,\r\n".encode()
        + b'"a,b\nc",40,0.1\r\n"\'\n=1",50,0.2\r\n'
    )
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows[5] == ["a,b\nc", "40", "0.1"]


def test_the_json_has_records(page: Any) -> None:
    name, data = downloaded(page, "#classes", "JSON")
    assert name == "classes.json"
    assert json.loads(data) == [
        {"class": name, "n": 10 * k, "AP": None if value is None or value != value else value}
        for k, (name, value) in enumerate(zip(NAMES, VALUES, strict=True))
    ]


def test_the_numbers_of_a_real_result_come_out_whole(open_page: Open, sample_view: RunView) -> None:
    page = open_page(page_of_views([sample_view]))
    page.wait_for_selector("#classes tbody tr")
    _, data = downloaded(page, "#classes", "CSV")
    found = list(csv.DictReader(io.StringIO(data.decode())))
    expected = sample_view.result.per_class()
    assert [each["class"] for each in found] == [each["class"] for each in expected]
    assert [float(each["AP"]) for each in found] == [each["AP"] for each in expected]


def test_the_table_behind_a_figure_is_made_when_it_is_opened(
    open_page: Open, sample_view: RunView
) -> None:
    page = open_page(page_of_views([sample_view]))
    card = page.locator("#curves figure").nth(0)
    card.wait_for()
    page.wait_for_selector("#curves .main-svg")
    assert not card.locator("tbody tr").count()
    card.locator("summary").click()
    display = sample_view.parts.curves[0]
    n = len(display.records())  # type: ignore[union-attr]
    assert n > 200
    card.locator("tbody tr").first.wait_for()  # made by an event that comes after the click
    assert card.locator("tbody tr").count() == 200
    assert (
        card.locator("details p").inner_text() == f"The first 200 of {n} rows; the files have all."
    )
    _, data = downloaded(page, "#curves figure:first-child", "JSON")
    assert len(json.loads(data)) == n
