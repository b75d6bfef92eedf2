"""Several runs: differences, one scale, and which of them is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Classes, Classification, SurfaceDistance
from snellen.report.comparison import comparison, headline_comparison
from snellen.report.parts import RunParts
from snellen.report.results_page import page_of_views
from snellen.report.run_differences import run_differences
from snellen.report.run_view import RunView
from snellen.statistics import compare
from tests.report.conftest import Open
from tests.report.small_gallery import COUNTS, matrix
from tests.report.views_of_runs import detection_view, record

SAMPLE = {"n_images": 24, "n_boxes": 150, "n_classes": 8}


@pytest.fixture(scope="module")
def views(sample_view: RunView, tmp_path_factory: pytest.TempPathFactory) -> list[RunView]:
    folder = tmp_path_factory.mktemp("other")
    return [sample_view, detection_view(folder, "fewer", n_detections=250, **SAMPLE)]  # type: ignore[arg-type]


def test_differences_are_those_of_compare(views: list[RunView]) -> None:
    first, second = views
    found = run_differences(first, second)
    names = list(first.result.metrics)
    expected = compare(
        first.metric,
        second.metric,
        names=["detector", "fewer"],
        metrics=names,
        replicates=400,  # type: ignore[arg-type]
    )
    for each in expected.differences:
        mine = found.numbers[each.metric]
        assert mine.interval == each.interval
        assert mine.value == second.result.metrics[each.metric] - first.result.metrics[each.metric]
    ordered = [each.value for each in found.classes]
    assert ordered == sorted(ordered)
    assert {each.name for each in found.classes} == {
        each.class_name for each in expected.class_differences if each.difference == each.difference
    }
    assert "400 draws of 24 images" in found.about


def test_without_states_there_are_no_intervals_and_it_is_said(views: list[RunView]) -> None:
    first, second = views
    found = run_differences(first, replace(second, metric=None))
    assert "no units" in found.about
    assert all(each.interval is None for each in (*found.numbers.values(), *found.classes))
    ap = {each["class"]: each["AP"] for each in first.result.per_class()}
    other = {each["class"]: each["AP"] for each in second.result.per_class()}
    assert {each.name: each.value for each in found.classes} == {
        name: other[name] - ap[name]
        for name in ap
        if other[name] == other[name] and ap[name] == ap[name]
    }


def test_numbers_that_units_do_not_have_are_without_interval(views: list[RunView]) -> None:
    both = [
        replace(view, result=replace(view.result, metrics={**view.result.metrics, "more": more}))
        for view, more in zip(views, (0.25, 0.75), strict=True)
    ]
    found = run_differences(*both)
    assert found.numbers["more"] == ("more", 0.25, 0.75, None)
    assert found.numbers["AP"].interval is not None
    assert found.numbers == {**run_differences(*views).numbers, "more": found.numbers["more"]}


def test_numbers_that_the_first_run_has_not_are_shown(views: list[RunView]) -> None:
    """Of the networks of a benchmark some have scores, some labels alone."""
    first, second = views
    more = {**second.result.metrics, "log_loss": 0.625}
    both = [first, replace(second, result=replace(second.result, metrics=more))]
    said = headline_comparison(both, [run_differences(*both)])
    row = said[said.index("<td>log_loss</td>") :].partition("</tr>")[0]
    assert re.findall("<td[^>]*>([^<]*)</td>", row) == ["log_loss", "–", "0.6250", "–", ""]


def test_classes_of_one_name_are_kept_apart(views: list[RunView]) -> None:
    both = []
    for name, pred in (("a", [1, 1, 2, 1, 3]), ("b", [1, 1, 2, 2, 3])):
        metric = Classification(Classes([1, 2, 3], ["car", "car", "dog"]))
        result = metric.update([1, 1, 2, 2, 3], pred).compute()
        both.append(replace(views[0], name=name, result=result, metric=None))
    found = run_differences(*both)
    # Of what a calls 1 two of three are; all else is right.
    assert [(each.name, each.first, each.second) for each in found.classes] == [
        ("car", 1.0, 1.0), ("dog", 1.0, 1.0), ("car", 2 / 3, 1.0),
    ]  # fmt: skip


def test_of_other_images_there_are_no_intervals(views: list[RunView], tmp_path: Path) -> None:
    other = detection_view(tmp_path, n_images=10, n_boxes=60, n_detections=100, n_classes=8)
    found = run_differences(views[0], other)
    assert found.about.startswith("Without intervals of the differences: expected ")


def test_classes_of_distances_without_intervals() -> None:
    """Images of other names cannot be paired: what is better is known from the records."""
    truth = np.zeros((12, 12), np.uint8)
    truth[2:6, 2:6], truth[7:11, 7:11] = 1, 2
    views = []
    for name, by in (("near", 1), ("far", 3)):
        pred = np.zeros_like(truth)
        pred[2:6, 2 + by : 6 + by], pred[7:11, 3 + by : 7 + by] = 1, 2  # off by `by`, and 4 - by
        metric = SurfaceDistance({1: "heart", 2: "lung"}, dimensions=2)
        metric.update(truth[None], pred[None], image_id=[name])
        units = metric.empty().units()
        views.append(
            RunView(
                name=name,
                record=record("surface", lower_is_better=sorted(units.lower_is_better)),
                result=metric.compute(),
                parts=RunParts(),
                metric=metric,
            )
        )
    found = run_differences(*views)
    assert found.about.startswith("Without intervals of the differences: expected ")
    assert found.class_metric == "hd"
    # Named as people call them; more of a distance is the greatest loss.
    assert [each.name for each in found.classes] == ["heart", "lung"]
    assert [each.value for each in found.classes] == [2.0, -2.0]
    said = comparison(views, [found])
    assert "far is better than near in 1 of 2 classes and worse in 1" in said
    assert "First is heart: +" in said


def test_what_is_restored_after_a_reload_is_what_is_shown(views: list[RunView]) -> None:
    radios = re.findall(r"<input [^>]*type=\"radio\"[^>]*>", page_of_views(views))
    assert len(radios) == 2
    assert all('autocomplete="off"' in each for each in radios)


def test_the_run_that_is_chosen_is_shown(open_page: Open, views: list[RunView]) -> None:
    page = open_page(page_of_views(views))
    page.wait_for_selector("#gallery .tile-button")
    blocks = page.locator("#gallery .of-run")
    assert [blocks.nth(k).is_visible() for k in (0, 1)] == [True, False]
    page.get_by_role("radio", name="fewer").check(force=True)
    assert [blocks.nth(k).is_visible() for k in (0, 1)] == [False, True]
    page.wait_for_selector("#curves .of-run:not([hidden]) .main-svg")


def test_a_cell_of_the_other_run_shows_its_gallery(open_page: Open, views: list[RunView]) -> None:
    page = open_page(page_of_views(views))
    page.wait_for_selector("#comparison .matrix td")
    second = page.locator("#comparison .matrix").nth(1)
    second.locator("td[data-at='0,0']").click()
    assert page.locator("#gallery .of-run").nth(1).is_visible()
    assert page.locator("#gallery .of-run").nth(1).locator(".chip").count() == 1


def test_matrices_have_one_scale(open_page: Open, views: list[RunView]) -> None:
    """15 of the second run is as dark as 15 of the first one, which has 14 at most."""
    larger = COUNTS.copy()
    larger[0, 0], larger[1, 1] = 100, 14
    both = [
        replace(view, parts=replace(view.parts, confusion=matrix(counts=counts)), examples=None)
        for view, counts in zip(views, (COUNTS, larger), strict=True)
    ]
    page = open_page(page_of_views(both))
    page.wait_for_selector("#comparison .matrix td")
    strength = "each => parseFloat(each.style.getPropertyValue('--s'))"
    matrices = page.locator("#comparison .matrix")
    # 14 in both: the root of 14 / 100.
    for run, cell in ((0, "0,0"), (1, "1,1")):
        shown = matrices.nth(run).locator(f"td[data-at='{cell}']").evaluate(strength)
        assert shown == pytest.approx(100 * np.sqrt(0.14), abs=0.06)
    assert "the darkest is 100" in page.locator("#comparison").inner_text()
    # Alone, its own largest count is the darkest.
    alone = page.locator("#confusion .of-run").nth(0).locator("td[data-at='0,0']")
    assert alone.evaluate(strength) == 100


def test_curves_are_drawn_over_each_other(open_page: Open, views: list[RunView]) -> None:
    page = open_page(page_of_views(views))
    card: Any = page.locator("[data-source='all-by_score-data']")
    card.locator(".main-svg").first.wait_for()
    assert card.locator(".legend bdi").all_inner_texts() == [
        f"{run}: {line}" for run in ("detector", "fewer") for line in ("F1", "precision", "recall")
    ]
    single = page.locator("[data-source='all-precision_recall-data'] .legend bdi")
    assert single.all_inner_texts() == ["detector", "fewer"]
