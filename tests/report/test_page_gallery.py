"""The gallery: what is drawn, and what score, kind, class and cell leave of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snellen.report.parts import RunParts
from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject
from tests.report.conftest import Open
from tests.report.small_gallery import matrix, small_view
from tests.report.views_of_runs import picture


@pytest.fixture
def page(open_page: Open, sample_view: RunView) -> Any:
    page = open_page(page_of_views([small_view(sample_view)]))
    page.wait_for_selector(".tile-button")
    return page


def counts(page: Any) -> dict[str, int]:
    """Return how many objects of each kind the page says there are."""
    found = {}
    for each in page.locator(".told-count").all_inner_texts():
        number, kind = each.split()
        found[kind] = int(number)
    return found


def two_frames(page: Any) -> None:
    """Wait for what is drawn in the next frame."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def slide(page: Any, value: float) -> None:
    page.locator(".score input").evaluate(
        "(range, value) => { range.value = value; range.dispatchEvent(new Event('input')); }", value
    )
    two_frames(page)


def names(page: Any) -> list[str]:
    return [str(each) for each in page.locator(".tile-name").all_inner_texts()]


def test_what_is_drawn_at_first(page: Any) -> None:
    assert counts(page) == {"right": 1, "wrong": 2, "missed": 2}
    assert names(page) == ["a.png", "b.png", "c.png"]
    assert page.locator(".tile-facts").all_inner_texts() == [
        "1 wrong · 1 missed · 1 right",
        "1 missed",
        "1 wrong",
    ]
    assert page.locator(".score output").inner_text() == "0.50"


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.35, {"right": 2, "wrong": 2, "missed": 1}),
        (0.2, {"right": 2, "wrong": 3, "missed": 1}),
        (0.58, {"right": 1, "wrong": 1, "missed": 2}),
        (0.95, {"right": 0, "wrong": 0, "missed": 3}),
    ],
)
def test_detections_below_the_score_vanish_and_their_truth_is_missed(
    page: Any, score: float, expected: dict[str, int]
) -> None:
    slide(page, score)
    assert counts(page) == expected
    drawn = {
        kind: page.locator(f".stage .object.{kind} .ink").count()
        for kind in ("right", "wrong", "missed")
    }
    assert drawn == expected


def test_keys_move_the_slider(page: Any) -> None:
    page.locator(".score input").focus()
    for _ in range(15):
        page.keyboard.press("ArrowLeft")
    two_frames(page)
    assert page.locator(".score output").inner_text() == "0.35"
    assert counts(page)["right"] == 2


def test_kinds_differ_in_colour_in_line_and_in_label(page: Any) -> None:
    drawn = {
        kind: page.locator(f".stage .object.{kind} .ink").first.evaluate(
            "each => { const s = getComputedStyle(each); return [s.stroke, s.strokeDasharray]; }"
        )
        for kind in ("right", "wrong", "missed")
    }
    assert len({colour for colour, _ in drawn.values()}) == 3
    assert len({line for _, line in drawn.values()}) == 3
    labels = page.locator("li:first-child .label").all_inner_texts()
    assert {each[0] for each in labels} >= {"✓", "✕"}


def test_a_kind_is_left_out_and_put_back(page: Any) -> None:
    button = page.get_by_role("button", name="missed", exact=True)
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert counts(page)["missed"] == 0
    assert names(page) == ["a.png", "c.png"]
    button.click()
    assert names(page) == ["a.png", "b.png", "c.png"]


def test_a_class_is_chosen(page: Any) -> None:
    page.get_by_role("combobox", name="Class").select_option("cat")
    # In a the cat that was taken for a dog and is missed; in c the cat where nothing is.
    assert names(page) == ["a.png", "c.png"]
    assert counts(page) == {"right": 0, "wrong": 2, "missed": 1}


@pytest.mark.parametrize(
    ("cell", "images", "expected", "said"),
    [
        ("1,0", ["a.png"], {"right": 0, "wrong": 1, "missed": 0}, "true cat taken for dog"),
        ("0,3", ["b.png"], {"right": 0, "wrong": 0, "missed": 1}, "missed dog"),
        ("3,1", ["c.png"], {"right": 0, "wrong": 1, "missed": 0}, "false alarms of cat"),
        ("0,0", ["a.png"], {"right": 1, "wrong": 0, "missed": 0}, "dog, found right"),
        # From 0.5 on the cat that is not found lies under a dog: it is confused, not missed.
        ("1,3", [], {"right": 0, "wrong": 0, "missed": 0}, "missed cat"),
    ],
)
def test_a_cell_of_the_matrix_filters(
    page: Any, cell: str, images: list[str], expected: dict[str, int], said: str
) -> None:
    page.locator(f"td[data-at='{cell}']").click()
    chip = page.locator(".chip")
    assert chip.inner_text().startswith(f"showing: {said} ×")
    assert names(page) == images
    assert counts(page) == expected
    chip.click()
    assert names(page) == ["a.png", "b.png", "c.png"]
    assert not page.locator(".chip").count()


def test_other_objects_are_faint(page: Any) -> None:
    page.locator("td[data-at='1,0']").click()
    assert (
        page.locator(".stage .object.faint").count() == 2
    )  # the dog that is right, the missed cat
    assert page.locator(".stage .object.wrong:not(.faint)").count() == 1


def test_an_image_without_picture_is_a_grey_tile_with_its_name(page: Any) -> None:
    tile = page.locator(".tile-button").nth(2)
    assert not tile.locator("img").count()
    # The name stands once, below what is drawn.
    assert tile.locator(".lost").inner_text() == "no picture"
    assert tile.locator(".tile-name").inner_text() == "c.png"
    assert tile.locator(".object.wrong").count() == 1
    assert page.locator(".tile-button img").count() == 2
    shown = page.locator(".tile-button img").first.evaluate("each => each.naturalWidth")
    assert shown == 100


def test_an_image_is_enlarged_by_keyboard(page: Any) -> None:
    page.locator(".tile-button").first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog")
    assert dialog.is_visible()
    assert dialog.locator("h2").inner_text() == "a.png"
    kinds = dialog.locator("tbody .kind").all_inner_texts()
    assert kinds == ["✕ wrong", "○ missed", "✓ right"]
    assert dialog.locator("tbody tr").first.inner_text().split() == [
        *("✕", "wrong", "dog", "0.600", "1.00", "cat")
    ]
    page.keyboard.press("ArrowRight")
    assert dialog.locator("h2").inner_text() == "b.png"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert dialog.locator("h2").inner_text() == "c.png"
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement.className") == "tile-button"


def test_the_first_24_then_more(open_page: Open, sample_view: RunView) -> None:
    images = [Example(str(k), f"{k}.png", 40, 30, badness=-k) for k in range(90)]
    examples = Examples(SCHEMA, "detection", "all", 90, [*images])
    examples.images[0].truth = small_view(sample_view).examples.images[0].truth  # type: ignore[union-attr]
    page = open_page(page_of_views([replace(sample_view, examples=examples)]))
    page.wait_for_selector(".tile-button")
    assert page.locator(".tile-button").count() == 24
    more = page.locator(".more")
    assert more.inner_text() == "Show 48 more of 66"
    more.click()
    assert page.locator(".tile-button").count() == 72
    focused = page.evaluate("document.activeElement.querySelector('.tile-name').innerText")
    assert focused == "24.png"
    more.click()
    assert page.locator(".tile-button").count() == 90
    assert not more.is_visible()


def labelled(view: RunView) -> RunView:
    rows = [("dog", "cat"), ("dog", "dog"), ("cat", "dog"), ("dog", "cat")]
    images = [
        Example(
            str(k), f"{k}.png", 28, 28, picture=f"{k}.png", label=label, predicted=predicted,
            scores=[(predicted, 0.7), ("bird", 0.3)],
        )
        for k, (label, predicted) in enumerate(rows)
    ]  # fmt: skip
    return replace(
        small_view(view),
        examples=Examples(SCHEMA, "classification", "all images", 4, images),
        picture=lambda _: picture(28, 28),
    )


def test_more_scores_than_a_call_has_arguments(open_page: Open, sample_view: RunView) -> None:
    # All below the score from which objects are drawn.
    found = [FoundObject("dog", [1.0, 1.0, 5.0, 5.0], -k / 1e6, "wrong") for k in range(150_001)]
    images = [Example("1", "1.png", 100, 80, found=found)]
    examples = Examples(SCHEMA, "detection", "all images", 1, images, 0.5)
    page = open_page(page_of_views([replace(small_view(sample_view), examples=examples)]))
    page.wait_for_selector(".score input")
    ends = page.locator(".score input").evaluate("range => [range.min, range.max]")
    assert ends == ["-0.15", "1"]


def test_classification_by_true_and_predicted_class(open_page: Open, sample_view: RunView) -> None:
    page = open_page(page_of_views([labelled(sample_view)]))
    page.wait_for_selector(".tile-button")
    assert counts(page) == {"right": 1, "wrong": 3}
    assert not page.locator(".score").count()
    page.locator("td[data-at='0,1']").click()
    assert names(page) == ["0.png", "3.png"]
    assert page.get_by_role("combobox", name="True class").input_value() == "dog"
    assert page.get_by_role("combobox", name="Predicted").input_value() == "cat"
    page.locator(".chip").click()
    page.get_by_role("button", name="wrong", exact=True).click()
    assert names(page) == ["1.png"]
    page.locator(".tile-button").first.click()
    assert page.locator("dialog .score-bars li").count() == 2


def test_layers_stand_side_by_side(open_page: Open, sample_view: RunView) -> None:
    layers = {name: f"1-{name}.png" for name in ("truth", "predicted", "errors")}
    image = Example("1", "1.png", 48, 32, picture="1.png", layers=layers, numbers={"IoU": 0.5})
    view = replace(
        sample_view,
        examples=Examples(SCHEMA, "segmentation", "all", 1, [image]),
        picture=lambda file: picture(shade=len(file) * 5),
    )
    page = open_page(page_of_views([view]))
    page.wait_for_selector(".tile-button")
    assert page.locator(".strip img").count() == 4
    assert page.locator(".layer small").all_inner_texts() == ["truth", "predicted", "errors"]
    assert page.locator(".tile-facts").inner_text() == "IoU 0.500"
    page.locator(".tile-button").click()
    assert page.locator("dialog figcaption").all_inner_texts() == [
        "image",
        "truth",
        "predicted",
        "errors",
    ]


def test_colours_of_label_maps_are_explained(open_page: Open, sample_view: RunView) -> None:
    image = Example("1", "1.png", 48, 32, layers={"truth": "1-truth.png"})
    colours = {"</ul><b>road": "#102030", "sky": "red;background:url(http://x)"}
    view = replace(
        sample_view,
        examples=Examples(SCHEMA, "segmentation", "all", 1, [image], about={"colours": colours}),
        picture=lambda _: picture(),
    )
    page = open_page(page_of_views([view]))
    legend = page.get_by_role("list", name="colours of classes")
    # What is no colour has none.
    assert legend.get_by_role("listitem").all_inner_texts() == ["</ul><b>road"]
    shown = legend.locator("i").evaluate("swatch => getComputedStyle(swatch).backgroundColor")
    assert shown == "rgb(16, 32, 48)"


def test_the_map_of_errors_is_explained_whatever_the_number_of_classes(
    open_page: Open, sample_view: RunView
) -> None:
    image = Example("1", "1.png", 48, 32, layers={"errors": "1-errors.png"})
    about = {
        "colours": {f"class {k}": "#102030" for k in range(133)},
        "outcomes": {"missed segment": "#f0c828", "false segment": "#c83c14"},
    }
    view = replace(
        sample_view,
        examples=Examples(SCHEMA, "panoptic", "all", 1, [image], about=about),
        picture=lambda _: picture(),
    )
    page = open_page(page_of_views([view]))
    legend = page.get_by_role("list", name="colours of the map of errors")
    assert legend.get_by_role("listitem").all_inner_texts() == ["missed segment", "false segment"]
    classes = page.get_by_role("list", name="colours of classes")
    assert classes.get_by_role("listitem").all_inner_texts()[-1] == "and 93 more"


def test_a_cell_of_a_matrix_of_pixels_filters(open_page: Open, sample_view: RunView) -> None:
    """The image with the most such pixels comes first, and no other but those that have some."""

    def image(name: str, *pairs: tuple[str, str, int]) -> Example:
        return Example(name, f"{name}.png", 48, 32, numbers={"mIoU": 0.5}, pairs=list(pairs))

    view = replace(
        sample_view,
        parts=RunParts(confusion=matrix()),
        examples=Examples(
            SCHEMA,
            "segmentation",
            "all",
            3,
            [
                image("a", ("dog", "dog", 90), ("dog", "cat", 2)),
                image("b", ("dog", "dog", 50)),
                image("c", ("dog", "cat", 1234)),
            ],
        ),
    )
    page = open_page(page_of_views([view]))
    page.wait_for_selector(".tile-button")
    page.locator('td[data-at="0,1"]').click()
    assert page.locator(".tile-name").all_inner_texts() == ["c.png", "a.png"]
    assert page.locator(".tile-facts").all_inner_texts() == [
        "1,234 pixels of this cell", "2 pixels of this cell",
    ]  # fmt: skip
    assert "true dog taken for cat" in page.locator(".chip").inner_text()
    page.locator(".chip").click()
    assert page.locator(".tile-name").all_inner_texts() == ["a.png", "b.png", "c.png"]
    assert page.locator(".tile-facts").first.inner_text() == "mIoU 0.500"
