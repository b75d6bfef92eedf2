"""Figures: drawn in the page's colours, read without a pointer, and without their script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snellen.report.parts import RunParts
from snellen.report.plotly_script import write_plotly
from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from tests.report.conftest import Open
from tests.report.views_of_runs import bars

pytest.importorskip("plotly")


def drawn(page: Any) -> Any:
    page.wait_for_selector("#curves figure:nth-child(2) .main-svg")
    return page.locator("#curves figure").nth(1)


def wait_for_style(plot: Any, of: str, expected: str) -> None:
    """Wait until an expression of a plot is that; it is drawn anew after the event."""
    plot.page.wait_for_function(
        "([each, expected]) => (" + of + ")(each) === expected",
        arg=[plot.element_handle(), expected],
    )


def wait_for_all(page: Any) -> None:
    for plot in page.locator(".plot").all():
        plot.locator(".main-svg").first.wait_for()


@pytest.fixture
def without_images(sample_view: RunView) -> RunView:
    return replace(sample_view, examples=None)


def test_all_figures_are_drawn_with_their_words(open_page: Open, without_images: RunView) -> None:
    page = open_page(page_of_views([without_images]))
    drawn(page)
    wait_for_all(page)
    displays = (
        *without_images.parts.curves,
        *without_images.parts.errors,
        *without_images.parts.slices,
        *without_images.parts.own,
    )
    for display in displays:
        card = page.locator(f"[data-source='run0-{display.words.name}-data']")
        assert card.locator("h3").inner_text() == display.words.title
        assert card.locator(".about").inner_text() == display.words.about
        assert card.locator(".finding").inner_text() == display.words.finding
        named = card.locator(".plot").evaluate(
            "each => each.getAttribute('aria-labelledby').split(' ')"
            ".map(id => document.getElementById(id).textContent)"
        )
        assert named == [display.words.title, display.words.finding]


def test_curves_have_the_colours_of_the_theme(open_page: Open, without_images: RunView) -> None:
    page = open_page(page_of_views([without_images]), color_scheme="light")
    card = drawn(page)
    colour = "each => each.closest('figure').querySelector('.xtick text').style.fill"
    line = "each => each.querySelector('.scatterlayer .js-line').style.stroke"
    light = card.locator(".plot").evaluate(colour)
    first = card.evaluate(line)
    assert light == "rgb(95, 94, 90)"  # --soft
    page.emulate_media(color_scheme="dark")
    wait_for_style(card.locator(".plot"), colour, "rgb(169, 168, 161)")
    assert card.evaluate(line) != first
    # Paper is light whatever the screen is.
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wait_for_style(card.locator(".plot"), colour, light)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    wait_for_style(card.locator(".plot"), colour, "rgb(169, 168, 161)")


def test_lines_are_switched_off_and_on(open_page: Open, without_images: RunView) -> None:
    page = open_page(page_of_views([without_images]))
    card = drawn(page)
    lines = card.locator(".scatterlayer .js-line")
    assert lines.count() == 3
    button = card.get_by_role("button", name="precision")
    button.focus()
    page.keyboard.press("Enter")
    assert lines.count() == 2
    assert card.get_by_role("button", name="precision").get_attribute("aria-pressed") == "false"
    assert page.evaluate("document.activeElement.innerText") == "precision"
    page.keyboard.press("Enter")
    assert lines.count() == 3
    # A single line needs no legend.
    assert not page.locator("#curves figure").nth(0).locator(".legend button").count()


def test_arrows_go_from_point_to_point(open_page: Open, without_images: RunView) -> None:
    page = open_page(page_of_views([without_images]))
    wait_for_all(page)  # a figure that is given its size shows no label any more
    plot = drawn(page).locator(".plot")
    plot.focus()
    said = "each => each.querySelector('.hoverlayer').textContent"
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"each => ({said})(each) !== ''", arg=plot.element_handle())
    first = plot.evaluate(said)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"([each, first]) => !['', first].includes(({said})(each))",
        arg=[plot.element_handle(), first],
    )


def test_the_script_is_shared(open_page: Open, without_images: RunView, tmp_path: Path) -> None:
    """The page is opened as a file, where scripts have no origin that a policy could name."""
    path = write_plotly(tmp_path / "assets")
    assert path.name == "plotly.min.js"
    html = page_of_views([without_images], plotly="assets/plotly.min.js")
    assert len(html) < 600_000
    page = open_page(html)
    drawn(page)


def test_without_the_shared_script_the_numbers_are_still_there(
    browser: Any, without_images: RunView, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(page_of_views([without_images], plotly="gone/plotly.min.js"), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    said = page.locator("#curves .plot p").first
    said.wait_for()
    assert "could not be drawn" in said.inner_text()
    card = page.locator("#curves figure").first
    card.locator("summary").click()
    card.locator("tbody tr").first.wait_for()  # the table is made by an event after the click
    page.close()


def test_figures_of_a_hidden_run_stay_as_they_are(open_page: Open, without_images: RunView) -> None:
    """On paper names of bars are broken in lines; behind another run nothing is measured."""
    long = bars(("taken for a class that looks alike", "found in a place that is empty"))
    run = replace(without_images, parts=RunParts(errors=(long,)))
    page = open_page(
        page_of_views([replace(run, name=name) for name in ("one", "two")]), color_scheme="light"
    )
    plots = [page.locator(f"[data-source='run{k}-errors-data'] .plot") for k in (0, 1)]
    # Asked for in frames, which make the browser look at what has come near.
    is_drawn = "each => each.querySelector('.main-svg[role=img]') !== null"
    page.wait_for_function(is_drawn, arg=plots[0].element_handle())
    look = (
        "each => [each._fullLayout.height, each.layout.yaxis.categoryarray.join(), "
        "each.querySelector('.xtick text').style.fill].join(' ')"
    )
    before = plots[0].evaluate(look)
    assert "<br>" not in before
    page.get_by_role("radio", name="two").check(force=True)
    page.wait_for_function(is_drawn, arg=plots[1].element_handle())
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("each => each.layout.width < 420", arg=plots[1].element_handle())
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    wait_for_style(plots[1], look, before)
    page.get_by_role("radio", name="one").check(force=True)
    wait_for_style(plots[0], look, before)
    # In another theme it is drawn when it is shown.
    page.get_by_role("radio", name="two").check(force=True)
    page.emulate_media(color_scheme="dark")
    wait_for_style(plots[1], look, before.replace("rgb(95, 94, 90)", "rgb(169, 168, 161)"))
    page.get_by_role("radio", name="one").check(force=True)
    wait_for_style(plots[0], look, before.replace("rgb(95, 94, 90)", "rgb(169, 168, 161)"))


def test_on_paper_everything_is_drawn(open_page: Open, sample_view: RunView) -> None:
    page = open_page(page_of_views([sample_view]), color_scheme="dark")
    drawn(page)
    wait_for_all(page)
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    page.emulate_media(media="print")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    for hidden in (".gallery-tools", ".contents", ".tools", "fieldset.choice", ".matrix-words"):
        assert page.locator(hidden).count()
        assert not page.locator(hidden).first.is_visible()
    # As wide as a sheet of A4 with margins of 12 mm, nothing is cut or lies over what follows.
    page.set_viewport_size({"width": 703, "height": 1000})
    on_paper, on_screen = page.locator("html[data-paper]"), page.locator("html:not([data-paper])")
    page.emulate_media(media="screen", color_scheme="dark")
    on_screen.wait_for(state="attached")
    page.emulate_media(media="print", color_scheme="dark")
    on_paper.wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    tables = page.locator(".card > .rows table, .matrix-body table").evaluate_all(
        """each => each.map(table => {
          const [box, region] = [table, table.parentElement].map(e => e.getBoundingClientRect());
          return [box.right - region.right, box.bottom - region.bottom,
            region.bottom - table.parentElement.parentElement.getBoundingClientRect().bottom,
            table.parentElement.hasAttribute("data-cut")];
        })"""
    )
    assert tables
    assert all(cut or beyond <= 1 for beyond, _, _, cut in tables)
    assert all(max(below, over) <= 1 for _, below, over, _ in tables)
    figures = page.locator(".plot .main-svg:first-of-type").evaluate_all(
        """each => each.map(svg => [svg.getBoundingClientRect().width,
          svg.closest(".card").clientWidth,
          svg.closest("figure").querySelector(".xtick text")?.style.fill])"""
    )
    assert len(figures) > 3
    assert all(width <= card for width, card, _ in figures)
    assert {fill for *_, fill in figures} <= {"rgb(95, 94, 90)", "rgb(27, 27, 26)", None}
    page.emulate_media(media="screen", color_scheme="dark")
    on_screen.wait_for(state="attached")
    tick = page.locator(".plot .xtick text").first
    assert tick.evaluate("each => each.style.fill") == "rgb(169, 168, 161)"
