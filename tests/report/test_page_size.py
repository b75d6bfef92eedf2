"""Large runs: what a page of them weighs; how long it takes is printed, not tested."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np

from snellen.report.parts import Column, RunParts, Table
from snellen.report.results_page import page_of_views
from snellen.report.run_view import RunView
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject
from tests.report.conftest import Open
from tests.report.small_gallery import matrix
from tests.report.views_of_runs import precision_curve, scores_curve, words

N_IMAGES, N_CLASSES = 200, 80


def large_view(view: RunView, n_classes: int) -> RunView:
    """Return a run of 200 thumbnails of 20 kB each, with 7 objects and 30 detections an image."""
    rng = random.Random(1)
    names = [f"class number {k}" for k in range(n_classes)]

    def box() -> list[float]:
        return [
            rng.uniform(0, 500),
            rng.uniform(0, 300),
            rng.uniform(10, 130),
            rng.uniform(10, 150),
        ]

    images = [
        Example(
            str(k),
            f"{k:012}.jpg",
            640,
            480,
            picture=f"{k}.jpg",
            truth=[TrueObject(rng.choice(names), box()) for _ in range(7)],
            found=[
                FoundObject(
                    rng.choice(names),
                    box(),
                    rng.random(),
                    "right" if j < 5 else "wrong",
                    truth=j if j < 5 else None,
                    overlap=rng.random(),
                )
                for j in range(30)
            ],
        )
        for k in range(N_IMAGES)
    ]
    counts = np.random.default_rng(1).poisson(2.0, (n_classes + 1, n_classes + 1)).astype(float)
    counts[-1, -1] = np.nan
    keys = ("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_1", "AR_10", "AR_100")
    return replace(
        view,
        parts=RunParts(
            confusion=matrix(tuple(names), counts),
            curves=(precision_curve(names), scores_curve()),
            classes=Table(
                words("classes", "Every class"),
                (Column("class", "class"), *(Column(key, key, 3) for key in keys)),
                [{"class": name, **{key: rng.random() for key in keys}} for name in names],
            ),
        ),
        examples=Examples(SCHEMA, "detection", "the 200 worst of 5,000 images", 5000, images, 0.4),
        picture=lambda _: b"\xff\xd8\xff" + rng.randbytes(20_000),
    )


def test_two_hundred_thumbnails_and_eighty_classes(open_page: Open, sample_view: RunView) -> None:
    view = large_view(sample_view, N_CLASSES)
    start = time.perf_counter()
    html = page_of_views([view])
    written = time.perf_counter() - start
    size = len(html.encode()) / 1e6
    page = open_page(html)
    page.wait_for_selector(".tile-button")
    loaded, ready = page.evaluate(
        """() => [performance.getEntriesByType("navigation")[0].domInteractive,
          performance.getEntriesByName("gallery")[0].startTime]"""
    )
    page.locator(".more").click()
    page.locator(".more").click()
    page.locator(".more").click()
    page.locator(".more").click()
    assert page.locator(".tile-button").count() == N_IMAGES
    moved = page.locator(".score input").evaluate(
        """async (range) => {
          const start = performance.now();
          range.value = 0.1;
          range.dispatchEvent(new Event("input"));
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return performance.now() - start;
        }"""
    )
    print(  # noqa: T201 - for whoever runs it with -s
        f"\n200 thumbnails, 80 classes: written in {written:.2f} s, {size:.2f} MB; read in "
        f"{loaded / 1000:.2f} s, gallery after {ready / 1000:.2f} s; score "
        f"moved with all 200 images shown in {moved:.0f} ms"
    )
    assert size < 12


def test_a_thousand_classes(open_page: Open, sample_view: RunView) -> None:
    page = open_page(page_of_views([large_view(sample_view, 1000)]))
    page.wait_for_selector("#classes tbody tr")
    assert page.locator("#classes tbody tr").count() == 1000
    times = page.locator("#classes .rows").evaluate(
        """async (rows) => {
          rows.scrollIntoView();
          const times = [];
          let before = performance.now();
          for (let k = 0; k < 40; k += 1) {
            rows.scrollTop += 300;
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - before);
            before = performance.now();
          }
          return times.sort((a, b) => a - b);
        }"""
    )
    assert page.locator("#classes .rows").evaluate("each => each.scrollTop") > 8000
    start = time.perf_counter()
    page.locator("#classes thead button").nth(1).click()
    print(  # noqa: T201 - for whoever runs it with -s
        f"\n1,000 classes: a frame while scrolling takes {times[20]:.0f} ms (median), "
        f"{times[-1]:.0f} ms at most; sorted in {time.perf_counter() - start:.2f} s"
    )
    page.get_by_label("Search").fill("number 999")
    assert page.locator("#classes tbody tr").count() == 1
