"""The page of a run: whole, escaped, and with the numbers that it was given."""

from __future__ import annotations

import base64
import math
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from tests.page_reader import Page

from snellen.classification.classification import Classification
from snellen.report.charts import Line, heat_map, line_chart, range_bar, ticks
from snellen.report.markup import count, element, figure, plain_value, table, text
from snellen.samples.png import encode_png
from snellen.training.description import Description
from snellen.training.pages.curves import best_epoch
from snellen.training.run_page import run_page

NAMES = ["cat", "dog", "eel"]
COUNTS = [[8, 2, 0], [1, 9, 0], [0, 0, 10]]
PNG = encode_png(np.zeros((2, 2), np.uint8), [(0, 0, 0)])


def result() -> dict[str, Any]:
    truth = [NAMES[row] for row, line in enumerate(COUNTS) for n in line for _ in range(n)]
    pred = [NAMES[column] for line in COUNTS for column, n in enumerate(line) for _ in range(n)]
    metric = Classification(classes=NAMES).update(truth, pred)
    found = metric.compute().to_dict()
    found["intervals"] = {
        "accuracy": {
            "low": 0.75, "high": 0.9625, "level": 0.95, "method": "Wilson", "unit": "sample",
            "note": "",
        }
    }  # fmt: skip
    return found


def run(**changes: Any) -> dict[str, Any]:
    description = Description.of({"data": "digits", "network": "cnn", "epochs": 3, "seed": 7})
    return {
        "description": {**description.plain(), "task": "classification"},
        "history": [
            {
                "epoch": k,
                "step": 10 * k,
                "loss": 1 / k,
                "accuracy": 1 - 0.5 / k,
                "val_loss": [0.9, 0.5, 0.75][k - 1],
                "val_accuracy": 0.7,
                "learning_rate": 0.1 / k,
                "seconds": 30.0 * k,
            }
            for k in (1, 2, 3)
        ],
        "best_epoch": 2,
        "data": {"parts": {"train": 1200, "test": 30}},
        "network": {
            "input_shape": [1, 6, 6],
            "layers": [
                {"name": "0_conv", "kind": "Conv2d", "output_shape": [8, 4, 4],
                 "n_parameters": 80, "n_macs": 1152, "n_bytes": 512},
                {"name": "1_linear", "kind": "Linear", "output_shape": None,
                 "n_parameters": 387, "n_macs": 384, "n_bytes": 12},
            ],
            "n_parameters": 467,
            "n_macs": 1536,
            "n_bytes": 2048,
        },
        "rewrites": [
            {"name": "relu in place", "where": ["1_relu", "4_relu"], "taken": True,
             "proof": "bit-equal"},
        ],
        "choices": [{"setting": "memory_format", "value": "contiguous",
                     "seconds": {"contiguous": 0.0125, "channels_last": 0.25}}],
        "seconds": {"data": 5.0, "forward": 25.0, "backward": 60.0, "other": 10.0},
        "result": result(),
        "confusion": {"classes": NAMES, "counts": COUNTS},
        "images": [{"png": PNG, "id": "a-1", "truth": "cat", "pred": "dog", "score": 0.875}],
        "versions": {"snellen": "0.1.0", "torch": "2.13.0"},
        "notes": ["2 images were left out"],
        **changes,
    }  # fmt: skip


def test_a_whole_page() -> None:
    page = Page(run_page(run()))
    said = page.text
    assert "cnn on digits finished: 3 epochs" in said
    # 27 of 30 are right.
    assert "accuracy 0.9000 0.7500 to 0.9625" in said
    assert "30 samples, with the weights of epoch 2; intervals of 95 % confidence" in said
    assert "best epoch 2" in said
    assert "training time 1:30 min" in said
    assert "Where the time went: 1:40 min data 5.0 s, 5.0 %" in said
    assert "backward 1:00 min, 60.0 %" in said
    assert "train samples 1,200 test samples 30 parameters 467" in said
    assert "0_conv Conv2d 8 × 4 × 4 80 1,152 512 B 1_linear Linear – 387 384 12 B" in said
    assert "all 467 1,536 2.0 KiB" in said
    assert "relu in place 1_relu, 4_relu yes bit-equal" in said
    assert "memory format: contiguous (contiguous 12.5 ms, channels_last 250 ms a step)" in said
    # Of 10 cats 2 are taken for dogs, of 10 dogs 1 for a cat.
    assert "cat dog 2 20.0 % dog cat 1 10.0 %" in said
    assert "2 images were left out" in said
    assert said.endswith("snellen 0.1.0, torch 2.13.0")
    # cat: 8 of 10, precision 8 of 9; dog: 9 of 10, 9 of 11. F1: 16 / 19 and 18 / 21.
    assert "cat 10 0.8889 0.8000 0.8421 dog 10 0.8182 0.9000 0.8571 eel 10 1.0000" in said
    assert "cat → dog 0.88 a-1" in said
    # loss, accuracy, learning rate and the heat map, and a bar for each interval
    assert page.tags.count("svg") == 5


def test_the_page_needs_nothing_but_itself() -> None:
    page = run_page(run())
    found = Page(page)
    assert found.sources == [f"data:image/png;base64,{base64.b64encode(PNG).decode()}"]
    assert not {"script", "link", "iframe", "object"} & {*found.tags}
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_what_comes_from_data_is_escaped() -> None:
    bad = "</style><script>alert('x')</script>\"'&\x1b[31m"
    content = run(
        confusion={"classes": [bad, "b"], "counts": [[1, 2], [3, 4]]},
        images=[{"png": PNG, "id": bad, "truth": bad, "pred": bad, "score": 0.5}],
        notes=[bad],
        versions={bad: bad},
        rewrites=[{"name": bad, "where": [bad], "taken": False, "proof": bad}],
        data={"parts": {bad: 1}},
        choices=[{"setting": bad, "value": bad, "seconds": {bad: bad}}, bad],
        seconds={bad: 1.0},
        stop_reason=bad,
        description={"network": bad, "data": {"name": bad}, bad: [bad, {"name": bad, bad: bad}]},
        history=[{"epoch": 1, "step": 1, bad: 0.5, "learning_rate": 0.1}],
        network={"layers": [{"name": bad, "kind": bad, "output_shape": [bad], "n_macs": 1}]},
    )
    content["result"] = {
        "task": bad,
        "metrics": {bad: 0.5},
        "intervals": {bad: {"low": 0.1, "high": 0.2, "level": 0.95, "method": bad}},
        "per_class": [{"class": bad, "f1": 0.5}, {"class": "b", "f1": 0.5}],
        "undefined": [{"metric": bad, "reason": bad}],
    }
    page = run_page(content)
    assert "script" not in Page(page).tags
    assert "<script" not in page
    assert "\x1b" not in page
    assert Page(page).text.count("alert") > 10


@pytest.mark.parametrize("left_out", [*run()])
def test_what_a_run_lacks_is_left_out(left_out: str) -> None:
    content = run()
    del content[left_out]
    Page(run_page(content))


def test_pages_of_runs_without_anything() -> None:
    assert "no epoch is done yet" in Page(run_page({})).text
    assert "svg" not in Page(run_page({})).tags


def test_a_running_training_and_one_that_was_ended() -> None:
    half = run()
    half["history"] = half["history"][:2]
    del half["result"], half["confusion"], half["images"]
    assert "running: 2 of 3 epochs are done" in Page(run_page(half)).text
    half |= {
        "stop_reason": "the time limit",
        "metrics": {"accuracy": 0.75},
        "measured_on": "validation",
    }
    said = Page(run_page(half)).text
    assert "ended after 2 of 3 epochs: the time limit" in said
    assert "accuracy 0.7500 On the validation part" in said


def test_another_task_and_undefined_numbers() -> None:
    content = run(
        result={
            "task": "regression",
            "metrics": {"r2": None, "rmse": 0.125, "mae": 0.0625},
            "per_class": [{"class": "width", "rmse": 0.5}, {"class": "height", "rmse": None}],
            "undefined": [{"metric": "r2", "reason": "all targets are equal"}],
            "data": {"n_samples": 4},
        }
    )
    del content["confusion"], content["images"]
    said = Page(run_page(content)).text
    assert "RMSE 0.1250 MAE 0.0625 R2 –" in said
    assert "width 0.5000 height –" in said
    assert "R2 – all targets are equal" in said


def test_the_name_and_where_it_ran() -> None:
    page = Page(run_page(run(name="fashion-<cnn>", device="NVIDIA H200", threads=3)))
    assert "fashion-<cnn> cnn on digits finished" in page.text
    assert "device NVIDIA H200" in page.text
    assert "threads 3" not in page.text  # of the CPU
    page = Page(run_page(run(device="cpu", threads=3)))
    assert "device cpu threads 3" in page.text


def test_one_epoch_is_a_table_and_no_curve() -> None:
    content = run(history=run()["history"][:1])
    del content["confusion"]
    del content["result"]
    page = Page(run_page(content))
    assert "svg" not in page.tags
    assert "loss 1.0000 0.9000 accuracy 0.5000 0.7000" in page.text
    rows = [{"step": k, "loss": 1 / k, "learning_rate": 0.1} for k in (1, 2, 3)]
    page = Page(run_page({**content, "step_rows": rows}))
    assert page.tags.count("svg") == 2  # over steps there are curves


def test_a_long_network_is_folded() -> None:
    layers = [{"name": str(k), "kind": "ReLU", "output_shape": [1]} for k in range(41)]
    page = run_page({"network": {"layers": layers}})
    assert "<details><summary>41 layers</summary>" in page
    assert "<details>" not in run_page({"network": {"layers": layers[:40]}})


def test_what_is_not_default_is_marked() -> None:
    page = run_page(run())
    assert '<div class="set"><dt>seed</dt><dd>7</dd></div>' in page
    assert "<div><dt>batch size</dt><dd>128</dd></div>" in page


def test_the_best_epoch_is_that_of_the_run_or_of_the_least_loss() -> None:
    content = run()
    assert best_epoch(content) == 2
    del content["best_epoch"]
    assert best_epoch(content) == 2  # 0.5 is less than 0.9 and 0.75
    content["history"][1]["val_loss"] = math.nan
    assert best_epoch(content) == 3
    assert best_epoch({}) is None


# --- charts


def drawing(page: str) -> ET.Element:
    found = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert found
    return ET.fromstring(found[0])


@pytest.mark.parametrize(
    ("low", "high", "n", "expected"),
    [
        (0, 1, 5, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.29, 0.31, 4, [0.29, 0.295, 0.3, 0.305, 0.31]),
        (-3, 3, 6, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]),
        (0, 1e-7, 5, [0.0, 2e-8, 4e-8, 6e-8, 8e-8, 1e-7]),
        (0, 93_800, 5, [0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0]),
        (2, 2, 5, [2]),
    ],
)
def test_ticks(low: float, high: float, n: int, expected: list[float]) -> None:
    assert ticks(low, high, n) == pytest.approx(expected, rel=1e-12)


def test_line_chart_puts_points_where_they_belong() -> None:
    points = [(0.0, 0.0), (5.0, 1.0), (10.0, 0.5)]
    chart = line_chart("A", [Line("a", "training", points)], x_label="x", from_zero=True)
    circles = drawing(chart).findall("circle")
    across = [float(each.attrib["cx"]) for each in circles]
    down = [float(each.attrib["cy"]) for each in circles]
    assert across == [52, 52 + 414 / 2, 466]
    # Between the axis (270 - 40) and 14 below the top lies 0 to 1.06, 6 % more than the highest.
    assert down == pytest.approx([230, 230 - 216 / 1.06, 230 - 108 / 1.06], abs=0.06)
    title = circles[1].find("title")
    assert title is not None
    assert title.text == "a x 5: 1.0000"


def test_line_chart_leaves_a_gap_where_there_is_no_number() -> None:
    points = [(1.0, 1.0), (2.0, math.nan), (3.0, 2.0), (4.0, math.inf), (5.0, 1.0), (6.0, 1.0)]
    path = drawing(line_chart("A", [Line("a", "rate", points)], x_label="x")).find("path")
    assert path is not None
    assert re.sub(r"[\d. ]", "", path.attrib["d"]) == "MMML"
    nothing = [Line("a", "rate", [(1.0, math.nan)]), Line("b", "rate", [])]
    assert line_chart("A", nothing, x_label="x") == ""


def test_line_chart_of_one_point_and_of_equal_ones() -> None:
    for points in ([(3.0, 0.5)], [(3.0, 0.5), (4.0, math.nan)]):
        assert line_chart("A", [Line("a", "training", points)], x_label="x") == ""
    for points in ([(1.0, 2.0), (2.0, 2.0)], [(1.0, 0.0), (2.0, 0.0)]):
        chart = line_chart("A", [Line("a", "training", points)], x_label="x")
        assert "nan" not in chart
        assert len(drawing(chart).findall("circle")) == len(points)


def test_line_chart_holds_steps() -> None:
    line = Line("a", "rate", [(0.0, 1.0), (1.0, 0.0)], stepped=True)
    path = drawing(line_chart("A", [line], x_label="x", from_zero=True)).find("path")
    assert path is not None
    numbers = [tuple(map(float, each.split())) for each in re.split("[ML]", path.attrib["d"])[1:]]
    assert numbers[1][1] == numbers[0][1]  # first to the right, then down
    assert numbers[1][0] == numbers[2][0]


def test_a_marked_epoch_is_drawn() -> None:
    line = Line("a", "training", [(1.0, 1.0), (2.0, 2.0)])
    chart = line_chart("A", [line], x_label="epoch", marked=(2.0, "best: epoch 2"))
    marks = [each for each in drawing(chart) if each.get("class") == "mark"]
    assert [each.attrib["x1"] for each in marks] == ["466.0"]
    outside = line_chart("A", [line], x_label="epoch", marked=(9.0, "best"))
    assert 'class="mark"' not in outside


def test_heat_map_cells() -> None:
    svg = drawing(heat_map(NAMES, COUNTS))
    cells = [each for each in svg.findall("rect") if each.get("class") in ("right", "wrong")]
    titles = [title.text for each in cells if (title := each.find("title")) is not None]
    assert titles == [
        "cat → cat: 8 (80.0 %)",
        "cat → dog: 2 (20.0 %)",
        "dog → cat: 1 (10.0 %)",
        "dog → dog: 9 (90.0 %)",
        "eel → eel: 10 (100.0 %)",
    ]
    assert [each.attrib["class"] for each in cells] == ["right", "wrong", "wrong", "right", "right"]
    # 0.06 + 0.94 times the root of the share
    assert float(cells[1].attrib["fill-opacity"]) == pytest.approx(0.06 + 0.56 * 0.2**0.5, abs=5e-4)
    texts = [each.text for each in svg.findall("text") if "cell" in each.attrib["class"]]
    assert texts == ["8", "2", "1", "9", "10"]


def test_heat_maps_of_many_classes_and_of_one_without_samples() -> None:
    many = [str(k) for k in range(30)]
    counts = [[5 * (row == column) for column in range(30)] for row in range(30)]
    counts[3][3] = 0
    svg = drawing(heat_map(many, counts))
    assert len([each for each in svg.findall("rect") if each.get("class") == "right"]) == 29
    assert not [each for each in svg.findall("text") if "cell" in each.attrib["class"]]
    page = run_page({"confusion": {"classes": [*map(str, range(61))], "counts": [[0] * 61] * 61}})
    assert "svg" not in Page(page).tags


def test_range_bar() -> None:
    rects = drawing(range_bar(0.5, 0.25, 1.5)).findall("rect")
    assert [each.attrib.get("x") for each in rects] == [None, None, "25.00"]
    assert [each.attrib["width"] for each in rects] == ["100", "50.00", "75.00"]


# --- markup


def test_markup_of_values() -> None:
    assert figure(math.nan) == figure(None) == "–"
    assert (figure(0.0), figure(1234.5), figure(-0.25), figure(2)) == (
        "0.0000", "1,234.5000", "-0.2500", "2",
    )  # fmt: skip
    assert (figure("<"), figure(True)) == ("&lt;", "True")
    assert (count(12_345), count(math.nan), count(2e9)) == ("12.3 k", "–", "2.00 G")
    assert plain_value([{"name": "a<", "x": [1, 2]}]) == "<ul><li>a&lt;, x 1, 2</li></ul>"
    assert (plain_value(True), plain_value(0.1), plain_value("auto")) == ("yes", "0.1", "auto")
    assert text("a\nb") == r"a\nb"
    assert element("p", class_=None) == "<p></p>"
    assert table(["a", "n"], [["x", "1"]]) == (
        '<div class="scroll" tabindex="0"><table><thead><tr><th>a</th><th class="n">n</th></tr>'
        '</thead><tbody><tr><td>x</td><td class="n">1</td></tr></tbody></table></div>'
    )
