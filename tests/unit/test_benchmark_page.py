"""The page of a benchmark: whole, escaped, and with the numbers of its result."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.page_reader import Page

from snellen.benchmark.measured_model import measured_model
from snellen.benchmark.model import Facts
from snellen.benchmark.page import page
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.result import BenchmarkResult
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Round, Speed, Throughput
from snellen.report.axes import Axes, log_ticks
from snellen.report.charts import heat_map
from snellen.report.log_lines import ColouredLine, log_lines
from snellen.report.scatter import Point, scatter
from snellen.samples.png import encode_png

PNG = encode_png(np.zeros((2, 2), np.uint8), [(0, 0, 0)])
HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "x" * 3000]


def a_speed(fps: float) -> Speed:
    one = Round(
        Latency(200, 20, 1 / fps, 2 / fps, 4 / fps, 0.1, 1.0),
        tuple(Throughput(size, 20, 5, fps * size**0.5, 0.1, 1.0) for size in (1, 8, 64)),
        EndToEnd(100, 8, fps / 2, 0.001, 0.002, 0.003, 1 / fps, 1.0),
    )
    return Speed([one], Memory(2**30, 2**29, None), 1)


def made(
    names: list[str], classes: list[str], *, n: int = 60, seed: int = 0, timed: bool = True
) -> BenchmarkResult:
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, len(classes), n)
    ids = [f"{classes[label]}/{k}" for k, label in enumerate(truth)]
    models = []
    for k, name in enumerate(names):
        scores = draw.normal(size=(n, len(classes)))
        scores[np.arange(n), truth] += 0.5 + 0.2 * k
        models.append(
            measured_model(
                name,
                f"onnx:{name}",
                truth=truth,
                ids=ids,
                classes=classes,
                kind="logits",
                scores=scores,
                speed=a_speed(1000.0 / (k + 1)) if timed else None,
                facts=Facts("cpu", "float32", 1, {"onnxruntime": "1.27.0"}, "d", 1000, 2000, 3000),
                preprocessing=Preprocessing(8, 8),
                class_rule="by name",
                notes=["<i>said</i>"],
            )
        )
    return BenchmarkResult(
        models,
        ids,
        truth,
        classes,
        data={"data": "digits & <more>"},
        settings={"batch_sizes": [1, 8, 64]},
        machine={"cpu": "a processor"},
        left_out=[("broken.png", "it is no image")],
        notes=["labels & <folders>"],
    )


def test_a_whole_page() -> None:
    result = made(["first", "second", "third"], ["cat", "dog", "eel"])
    asked: list[int] = []

    def thumbnail(row: int) -> bytes:
        asked.append(row)
        return PNG

    found = Page(page(result, thumbnail))
    said = found.text
    assert "3 networks on digits & <more> 60 images of 3 classes; 1 left out" in said
    for heading in (
        "Accuracy and speed", "How good", "How fast, how large", "Where the time goes",
        "Which differences are real", "Where they disagree", "Classes in which they differ",
        "What is taken for what", "How sure they are", "How they were run", "Settings", "Notes",
        "1 image left out",
    ):  # fmt: skip
        assert heading in said, heading
    # Each network's row has the numbers of its result.
    rows = {row[0]: row for row in found.rows if len(row) > 6}
    for each in result.table():
        assert f"{each['top1']:.4f}" in " ".join(cell for row in found.rows for cell in row)
    assert set(rows) >= {"first", "second", "third"}
    first = [row for row in found.rows if row and row[0] == "first"][1]
    # Images a second, then read, decode, resize, infer; the network alone at 1, 8, 64; latencies.
    assert first[1:12] == [
        "500", "1.00", "2.00", "3.00", "1.00", "1,000", "2,828", "8,000", "1.00", "2.00", "4.00",
    ]  # fmt: skip
    assert "labels & <folders>" in said
    assert "<i>said</i>" in said
    assert "broken.png it is no image" in said
    assert "stretched to 8 × 8, bilinear" in said
    assert len(asked) <= 36
    assert found.sources == [f"data:image/png;base64,{base64.b64encode(PNG).decode()}"] * len(asked)
    disagreeing = result.disagreements
    assert set(asked) <= {
        *disagreeing.wrong_together, *disagreeing.divided, *disagreeing.only_best,
        *disagreeing.only_second,
    }  # fmt: skip


def test_the_page_needs_nothing_but_itself_and_runs_its_own_script_only() -> None:
    made_page = page(made(["a", "b"], ["x", "y"]))
    found = Page(made_page)
    assert not found.sources
    assert not {"link", "iframe", "object", "img"} & {*found.tags}
    assert "http" not in made_page.replace("http-equiv", "")
    assert "url(" not in made_page
    [script] = re.findall(r"<script>(.*?)</script>", made_page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in made_page


def test_files_beside_the_page_are_linked() -> None:
    result = made(["a b", "c"], ["x", "y"])
    found = Page(page(result, beside={"a b": "models/a-b", "c": "models/javascript:c"}))
    assert found.sources == [
        "table.csv", "result.json", "models/javascript%3Ac/confusion.csv",
        "models/javascript%3Ac/classes.csv", "models/a-b/confusion.csv", "models/a-b/classes.csv",
    ]  # fmt: skip
    assert not Page(page(result)).sources


def test_whatever_comes_from_data_is_escaped() -> None:
    classes = ["<b>", "eel\x1b[2J", "&amp;"]
    result = made(HOSTILE, classes)
    made_page = page(result, lambda _: PNG)
    found = Page(made_page)
    assert found.tags.count("script") == 1
    assert found.tags.count("img") == made_page.count("data:image/png")
    assert "onerror" not in made_page.replace("onerror=alert", "")
    assert "\x1b" not in made_page
    assert HOSTILE[0] in found.text
    # A long name is cut where it is seen.
    assert max(len(each) for each in found.texts) < 3500
    assert "xxxx…xxxx" in found.text


def test_what_was_not_measured_is_left_out() -> None:
    result = made(["only"], ["x", "y"], timed=False)
    said = Page(page(result)).text
    assert "1 network on" in said
    for heading in ("Accuracy and speed", "Where the time goes", "Which differences"):
        assert heading not in said
    labels = measured_model(
        "m", "m", truth=np.array([0, 1]), ids=["a", "b"], classes=["x", "y"], kind="labels",
        labels=np.array([0, 0]),
    )  # fmt: skip
    said = Page(page(BenchmarkResult([labels], ["a", "b"], np.array([0, 1]), ["x", "y"]))).text
    assert "How sure" not in said
    assert "What went wrong" in said


def test_many_networks_and_classes() -> None:
    result = made([f"network {k}" for k in range(40)], [f"class {k}" for k in range(60)], n=300)
    made_page = page(result, lambda _: None)
    said = Page(made_page).text
    assert "… and 30 more classes and 32 more networks" in said
    assert "names find no room" in said
    assert "no picture" in said
    assert len(made_page) < 3_000_000


def test_the_same_bytes_again() -> None:
    names, classes = ["a", "b", "c"], ["x", "y", "z"]
    assert page(made(names, classes)) == page(made(names, classes))


def drawing(markup: str) -> ET.Element:
    [svg] = re.findall(r"<svg.*?</svg>", markup, re.DOTALL)
    return ET.fromstring(svg)


def points(n: int, seed: int = 0) -> list[Point]:
    draw = np.random.default_rng(seed)
    return [
        Point(float(x), float(y), f"a network {k}", f"said {k}", k < 4, float(y), float(y))
        for k, (x, y) in enumerate(zip(10 ** draw.random(n), draw.random(n), strict=True))
    ]


@pytest.mark.parametrize("n", [1, 5, 60])
def test_names_in_a_scatter_do_not_overlap(n: int) -> None:
    svg = drawing(scatter("t", points(n), x_label="x", y_label="y"))
    boxes = []
    for each in svg.iter("text"):
        if "name" not in (each.get("class") or ""):
            continue
        width = 6.7 * len(each.text or "")
        x, y = float(each.get("x") or 0), float(each.get("y") or 0)
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[each.get("text-anchor") or ""]
        boxes.append((left, y - 10, left + width, y + 2))
    assert len(boxes) >= min(n, 4)
    for i, one in enumerate(boxes):
        assert one[0] > 50
        assert one[2] < 1080
        for other in boxes[:i]:
            apart = one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
            assert apart
    assert len(list(svg.iter("circle"))) == n


def test_a_scatter_has_its_points_where_they_belong() -> None:
    def point(x: float, y: float, strong: bool) -> Point:
        return Point(x, y, f"{x:g}", "", strong, y, y)

    svg = drawing(
        scatter(
            "t",
            [
                point(10, 0.9, True),
                point(100, 0.7, True),
                point(1000, 0.5, True),
                point(10, 0.5, False),
            ],
            x_label="x",
            y_label="y",
        )
    )  # fmt: skip
    # Weak points are drawn first. Equal factors are equally far apart.
    weak, a, b, c = ((float(e.get("cx") or 0), float(e.get("cy") or 0)) for e in svg.iter("circle"))
    assert weak == (a[0], c[1])
    assert b[0] - a[0] == pytest.approx(c[0] - b[0], abs=0.2)
    assert b[1] - a[1] == pytest.approx(c[1] - b[1], abs=0.2)
    stairs = next(e for e in svg.iter("path") if e.get("class") == "stairs").get("d") or ""
    # From each point down, to the right and down again.
    assert re.findall(r"H([\d.]+)", stairs) == [f"{x:.1f}" for x, _ in (a, b, c)]


def test_log_ticks() -> None:
    assert log_ticks(1, 100) == [1, 2, 5, 10, 20, 50, 100]
    assert log_ticks(0.3, 40) == [0.5, 1, 2, 5, 10, 20]
    assert log_ticks(3, 3) == [3]


def test_axes() -> None:
    axes = Axes(100, 100, (1, 100), (0, 1), log_x=True, left=10, right=10, top=10, bottom=10)
    assert axes.across(10) == pytest.approx(50)
    assert (axes.down(0), axes.down(1)) == (90, 10)


def test_lines_over_sizes() -> None:
    line = ColouredLine("a<b", "red", [(1.0, 10.0), (8.0, 40.0), (64.0, 160.0)])
    svg = drawing(log_lines("t", [line], x_label="n"))
    places = [(float(e.get("cx") or 0), float(e.get("cy") or 0)) for e in svg.iter("circle")]
    # Factors of 8 and of 4: a straight line.
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.2)
    assert places[1][1] - places[0][1] == pytest.approx(places[2][1] - places[1][1], abs=0.2)
    assert log_lines("t", [ColouredLine("a", "red", [(1.0, 2.0)])], x_label="n") == ""


def test_a_heat_map_of_shares() -> None:
    counts = [[3, 1], [0, 0]]
    written = [e.text for e in drawing(heat_map(["a", "b"], counts)).iter("text")][4:]
    shares = [e.text for e in drawing(heat_map(["a", "b"], counts, shares=True)).iter("text")][4:]
    assert (written, shares) == (["3", "1"], ["75", "25"])


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
def test_a_click_on_a_heading_sorts(tmp_path: Path) -> None:
    result = made(["b", "a", "c"], ["x", "y"])
    made_page = page(result)
    # A second script that clicks: the page's own rule against it is taken out for the test.
    click = (
        "<script>const t=document.querySelector('table.sortable');const r=[];"
        "const read=()=>r.push([...t.tBodies[0].rows].map((e)=>e.cells[0].textContent).join(''));"
        "read();for(const k of [0,0,1,1]){t.tHead.rows[0].cells[k].click();read();}"
        "document.title=JSON.stringify(r);</script></body>"
    )
    made_page = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", made_page)
    path = tmp_path / "page.html"
    path.write_text(made_page.replace("</body>", click), encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()],
        capture_output=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    title = re.findall(r"<title>(.*?)</title>", done.stdout)[0]  # others are of drawings
    best = "".join(row["name"] for row in result.table())
    read: Any = json.loads(title.replace("&quot;", '"'))
    assert read == [best, "abc", "cba", best, best[::-1]]
