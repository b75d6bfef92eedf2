"""Everybody can read the page: axe's rules, order, keyboard, at two widths and in two themes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from tests.report.conftest import Open


@pytest.fixture(scope="session")
def html(sample_view: RunView) -> str:
    return page_of_views([sample_view, replace(sample_view, name="other")])


def settled(page: Any) -> None:
    page.wait_for_selector(".tile-button")
    page.wait_for_selector("table.confusion")
    page.wait_for_selector("#curves .main-svg")
    page.wait_for_selector("#classes tbody tr")
    page.wait_for_timeout(400)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_axe_finds_nothing(open_page: Open, html: str, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(html, width=width, color_scheme=scheme)
    settled(page)
    page.locator("#curves summary").first.click()
    for dialog in (False, True):
        if dialog:
            page.locator(".tile-button").first.click()
        found = axe.Axe().run(page).response["violations"]
        said = [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]
        assert said == []


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_page(open_page: Open, html: str, width: int) -> None:
    page = open_page(html, width=width)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_headings_are_in_order(open_page: Open, html: str) -> None:
    page = open_page(html)
    settled(page)
    levels = page.evaluate(
        "[...document.querySelectorAll('main h1, main h2, main h3, main h4')]"
        ".filter(e => e.checkVisibility()).map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_every_section_is_in_the_table_of_contents(open_page: Open, html: str) -> None:
    page = open_page(html)
    links = page.locator(".contents a").evaluate_all("all => all.map(e => e.hash)")
    sections = page.locator("main > section").evaluate_all("all => all.map(e => `#${e.id}`)")
    assert links == sections
    assert len(set(links)) == len(links)


def test_the_skip_link_comes_first(open_page: Open, html: str) -> None:
    page = open_page(html)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "results"


def test_text_on_the_cells_of_the_matrix_is_read(open_page: Open, html: str) -> None:
    """The contrast of each number with its cell, by the formula of WCAG 2."""
    for scheme in ("light", "dark"):
        page = open_page(html, color_scheme=scheme)
        settled(page)
        least = page.evaluate(
            """() => {
              const pen = document.createElement("canvas").getContext("2d",
                { willReadFrequently: true });
              const light = (colour) => {
                pen.fillStyle = colour;
                pen.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
                  .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
              };
              const contrast = (cell) => {
                const style = getComputedStyle(cell);
                const [a, b] = [light(style.color), light(style.backgroundColor)]
                  .sort((x, y) => y - x);
                return (a + 0.05) / (b + 0.05);
              };
              return Math.min(...[...document.querySelectorAll(".confusion td")]
                .filter((cell) => cell.textContent).map(contrast));
            }"""
        )
        assert least >= 4.5


def test_identifiers_are_not_repeated(open_page: Open, html: str) -> None:
    page = open_page(html)
    settled(page)
    names = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id).filter(Boolean)")
    own = [each for each in names if not each.startswith(("clip", "topdefs", "defs", "legend"))]
    assert len(own) == len(set(own))
