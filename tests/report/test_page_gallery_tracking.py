"""The gallery of a tracker: tracks with their ids, switches, and what kind and sequence leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snellen.report.parts import RunParts
from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject
from tests.report.conftest import Open
from tests.report.views_of_runs import picture

LEFT, MIDDLE, RIGHT = [5.0, 20.0, 20.0, 40.0], [40.0, 20.0, 10.0, 40.0], [70.0, 20.0, 20.0, 40.0]
EVIL = "</script><img src=x onerror=alert(1)>"

# A: the object 3 is followed by 12, by 7 before; 4 is missed; 20 is nobody; 30 does not count.
# B: the object 5 is followed by 9; its picture is missing.
FRAMES = [
    Example(
        "A/000002",
        "A/000002",
        100,
        80,
        picture="a.png",
        truth=[
            TrueObject("car", LEFT, track="3"),
            TrueObject("bus", RIGHT, track="4"),
            TrueObject("tram", MIDDLE, ignored=True, track="6"),
        ],
        found=[
            FoundObject("car", LEFT, 1.0, "switched", 0, 0.8, track="12", was="7"),
            FoundObject("car", [40.0, 60.0, 9.0, 9.0], 1.0, "wrong", track="20"),
            FoundObject("car", MIDDLE, 1.0, "ignored", track="30"),
        ],
        numbers={"wrong": 1.0, "missed": 1.0, "switched": 1.0, "right": 0.0},
        group="A",
    ),
    Example(
        "B/000009",
        "B/000009",
        100,
        80,
        truth=[TrueObject("car", LEFT, track="5"), TrueObject("car", RIGHT, track=EVIL)],
        found=[FoundObject("car", LEFT, 1.0, "right", 0, 0.9, track="9")],
        group="B",
    ),
]


def html(view: RunView, frames: list[Example] | None = None) -> str:
    frames = FRAMES if frames is None else frames
    return page_of_views(
        [
            replace(
                view,
                parts=RunParts(),
                examples=Examples(SCHEMA, "tracking", "two frames", 9, frames),
                picture=lambda _: picture(100, 80),
            )
        ]
    )


@pytest.fixture
def page(open_page: Open, sample_view: RunView) -> Any:
    page = open_page(html(sample_view))
    page.locator(".tile-button .object.missed").first.wait_for(state="attached")
    return page


def counts(page: Any) -> dict[str, int]:
    """Return how many objects of each kind the page says there are."""
    texts = [each.split() for each in page.locator(".told-count").all_inner_texts()]
    return {kind: int(number) for number, kind in texts}


def names(page: Any) -> list[str]:
    return [str(each) for each in page.locator(".tile-name").all_inner_texts()]


def labels(page: Any, within: str) -> set[str]:
    return set(page.locator(f"{within} .label").all_inner_texts())


def test_tracks_are_drawn_with_their_ids(page: Any) -> None:
    assert counts(page) == {"wrong": 1, "missed": 2, "switched": 1, "right": 1}
    assert page.locator(".told").inner_text().startswith("2 frames")
    assert page.locator(".tile-facts").all_inner_texts() == [
        "1 wrong · 1 missed · 1 switched",
        "1 missed · 1 right",
    ]
    assert labels(page, "li:first-child") == {"⇄ was 7, now 12", "✕ 20", "○ 4"}
    assert "✓ 9" in labels(page, "li:nth-child(2)")
    # All boxes of a tracker count: there is no score to be raised.
    assert page.locator(".score").count() == 0


def test_a_switch_differs_in_colour_and_in_line(page: Any) -> None:
    drawn = [
        page.locator(f".stage .object.{kind} .ink").first.evaluate(
            "each => { const s = getComputedStyle(each); return [s.stroke, s.strokeDasharray]; }"
        )
        for kind in ("right", "wrong", "missed", "switched")
    ]
    assert len({colour for colour, _ in drawn}) == 4
    assert len({line for _, line in drawn}) == 4


def test_switches_alone(page: Any) -> None:
    for kind in ("wrong", "missed", "right"):
        page.get_by_role("button", name=kind, exact=True).click()
    assert names(page) == ["A/000002"]
    assert counts(page) == {"wrong": 0, "missed": 0, "switched": 1, "right": 0}
    page.get_by_role("button", name="switched", exact=True).click()
    assert names(page) == []
    assert page.locator(".nothing").inner_text() == "No frame of this gallery has any of these."


def test_a_sequence_is_chosen(page: Any) -> None:
    sequence = page.get_by_role("combobox", name="Sequence")
    assert sequence.locator("option").all_inner_texts() == ["all", "A", "B"]
    sequence.select_option("B")
    assert names(page) == ["B/000009"]
    assert counts(page) == {"wrong": 0, "missed": 1, "switched": 0, "right": 1}
    assert page.locator(".told").inner_text().startswith("1 of 2 frames")
    sequence.select_option("")
    assert names(page) == ["A/000002", "B/000009"]


def test_a_class_is_chosen_of_those_that_count(page: Any) -> None:
    chosen = page.get_by_role("combobox", name="Class")
    assert chosen.locator("option").all_inner_texts() == ["all", "bus", "car"]
    chosen.select_option("bus")
    assert names(page) == ["A/000002"]
    assert counts(page) == {"wrong": 0, "missed": 1, "switched": 0, "right": 0}


def test_a_frame_in_large_lists_its_tracks(page: Any) -> None:
    page.locator(".tile-button").first.click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    rows = [
        [each.strip() for each in row.locator("td").all_inner_texts()]
        for row in dialog.locator("tbody tr").all()
    ]
    assert rows == [
        ["⇄ switched", "car", "12", "7", "3", "0.80"],
        ["✕ wrong", "car", "20", "", "", ""],
        ["○ missed", "bus", "", "", "4", ""],
        ["· ignored", "tram", "", "", "6", ""],
        ["· ignored", "car", "30", "", "", ""],
    ]
    assert labels(page, "dialog") == {"⇄ car was 7, now 12", "✕ car 20", "○ bus 4"}
    page.keyboard.press("ArrowRight")
    dialog.get_by_text("2 of 2").wait_for()
    assert dialog.get_by_role("heading").first.inner_text() == "B/000009"


def test_one_sequence_and_one_class_need_no_choice(open_page: Open, sample_view: RunView) -> None:
    page = open_page(html(sample_view, FRAMES[1:]))
    page.locator(".tile-button .object.missed").wait_for(state="attached")
    assert page.locator(".gallery-tools select").count() == 0
    page.locator(".tile-button").click()
    page.get_by_role("dialog").wait_for()
    assert "✓ 9" in labels(page, "dialog")


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_page(open_page: Open, sample_view: RunView, width: int) -> None:
    page = open_page(html(sample_view), width=width)
    page.locator(".tile-button").first.wait_for()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
