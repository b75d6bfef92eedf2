"""Each rule of other tools on boxes whose AP is worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, ExplanationResult, Masks, RleMasks, average_precision, explain
from snellen.detection.explanation import explain_each
from snellen.detection.explanation_result import ExplainedStep, tools_table
from snellen.detection.tools import TOOLS, start_rules
from snellen.errors import InputError, SchemaError
from snellen.state import pack, unpack

SQUARE = [0.0, 0.0, 10.0, 10.0]


def boxes(xywh: Any, label: Any = 1, *, image: Any = 1, **columns: Any) -> Boxes:
    columns.setdefault("image_ids", [1, 2])
    columns.setdefault("classes", {1: "cat", 2: "dog"})
    return Boxes.from_xywh(
        np.array(xywh, float).reshape(-1, 4), image_id=image, label=label, **columns
    )


def step(truth: Boxes, pred: Boxes, tool: str, rule: str) -> ExplainedStep:
    (found,) = (step for step in explain(truth, pred, against=tool).steps if step.rule == rule)
    return found


def test_truth_of_id_0_is_never_found() -> None:
    truth = boxes([SQUARE], id=[0])
    pred = boxes([SQUARE], score=[0.9])
    assert (
        step(truth, pred, "pycocotools", "truth ids").change
        == -explain(truth, pred, against="pycocotools").AP
    )
    assert explain(truth, pred, against="pycocotools").tool_AP == 0


def test_spacing() -> None:
    """A perfect AP is 1 / (1 + 2^-52) in COCO's rules."""
    truth, pred = boxes([SQUARE]), boxes([SQUARE], score=[0.9])
    found = explain(truth, pred, against="faster-coco-eval")
    assert math.isclose(found.AP, 1, abs_tol=1e-15)
    assert found.AP < 1
    assert found.tool_AP == 1
    assert found.steps[-1].change == found.steps[-1].alone == 1 - found.AP


def test_32_bit_thresholds() -> None:
    """IoU 11 / 20 reaches 0.55, and not 0.55 in 32 bits, which is more."""
    truth = boxes([[0, 0, 20, 10]])
    pred = boxes([[0, 0, 11, 10]], score=[0.9])
    found = step(truth, pred, "torchmetrics", "IoU grid")
    assert math.isclose(found.change, -0.1)
    assert math.isclose(found.AP, 0.1)


def test_32_bit_recalls() -> None:
    """7 of 100 reach recall 0.07, and not 0.07 in 32 bits, which is more: 8 points, then 7."""
    n = 100
    truth = boxes([[20 * i, 0, 10, 10] for i in range(n)])
    pred = boxes([[20 * i, 0, 10, 10] for i in range(7)], score=np.linspace(0.9, 0.8, 7))
    found = step(truth, pred, "torchmetrics", "recall grid")
    assert math.isclose(found.alone, (7 - 8) / 101, rel_tol=1e-9)


def test_32_bit_answer() -> None:
    truth = boxes([[0, 0, 10, 10], [20, 0, 10, 10]])
    pred = boxes([SQUARE], score=[0.9])
    found = explain(truth, pred, against="torchmetrics")
    assert found.tool_AP == float(np.float32(51 / 101))
    assert found.tool_AP != 51 / 101


def test_crowds_are_no_truth() -> None:
    """What lies in a crowd is left out, or the first false positive: precision 1, then 1 / 2."""
    truth = boxes([SQUARE, [100, 0, 50, 50]], crowd=[0, 1])
    pred = boxes([[110, 10, 10, 10], SQUARE], score=[0.9, 0.8])
    assert math.isclose(step(truth, pred, "ultralytics", "crowds").change, -0.5, abs_tol=1e-12)
    # Pascal VOC looks for it, too: it is missed, and 51 of 101 points are reached.
    found = step(truth, pred, "voc12", "crowds")
    assert math.isclose(found.AP, 51 / 101 * 0.5)


def test_score_cut() -> None:
    truth = boxes([SQUARE, [20, 0, 10, 10]])
    pred = boxes([SQUARE, [20, 0, 10, 10]], score=[0.9, 0.001])
    found = step(truth, pred, "ultralytics", "score cut")
    assert math.isclose(found.change, 51 / 101 - 1, abs_tol=1e-12)


@pytest.mark.parametrize(("tool", "n_truth", "change"), [("tidecv", 1, -1), ("ultralytics", 1, 0)])
def test_caps_of_an_image(tool: str, n_truth: int, change: float) -> None:
    """100 better predictions of another class, and one of this."""
    truth = boxes([SQUARE] * n_truth)
    pred = boxes([[200, 0, 10, 10]] * 100 + [SQUARE], [2] * 100 + [1], score=[0.9] * 100 + [0.5])
    assert math.isclose(step(truth, pred, tool, "caps").change, change, abs_tol=1e-12)


def test_the_cap_grows_with_the_fullest_image() -> None:
    place = [[20.0 * i, 0, 10, 10] for i in range(400)]
    truth = boxes(place)
    pred = boxes(place, score=np.linspace(0.9, 0.1, 400))
    # 100 of 400: 26 of 101 points.
    assert math.isclose(explain(truth, pred, against="ultralytics").AP, 26 / 101)
    # All are found. Yet at recall 1 the curve has fallen to 0: of 100 trapezoids the last is half.
    assert math.isclose(explain(truth, pred, against="ultralytics").tool_AP, 0.995)
    # 300 of 400 are found: 1 to recall 0.75, and from there in a straight line to 0.
    found = explain(truth, pred, against="ultralytics-8.3")
    assert math.isclose(found.tool_AP, 0.75 + 0.25 / 2)


def test_1e_7_of_a_union() -> None:
    """Of a box of 0.001 × 0.0001 the union is 1e-7, and so is what is added: IoU 1 / 2."""
    tiny = [[0, 0, 0.001, 0.0001]]
    truth, pred = boxes(tiny), boxes(tiny, score=[0.9])
    found = step(truth, pred, "ultralytics", "IoU")
    assert found.AP < 0.2
    assert found.alone < -0.8


def test_straight_lines() -> None:
    """One of two is found, at precision 1: all the way to recall 1 / 2, at which it ends.

    Down at once: 50 parts of 1, half of that from 0.5 to 0.51. To recall 1 in a straight line: 1 /
    2 + 1 / 4.
    """
    truth = boxes([SQUARE, [20, 0, 10, 10]])
    pred = boxes([SQUARE], score=[0.9])
    found = {
        tool: step(truth, pred, tool, "interpolation").AP
        for tool in ("ultralytics", "ultralytics-8.3")
    }
    assert math.isclose(found["ultralytics-8.3"], 0.75)
    # At recall 0.5 itself the envelope is what it falls to.
    assert math.isclose(found["ultralytics"], 0.495)


def test_the_first_of_equally_similar_truth() -> None:
    """The first prediction is as near to both; the second is near the later one alone."""
    truth = boxes([[0, 0, 10, 10], [4, 0, 10, 10]])
    pred = boxes([[2, 0, 10, 10], [6, 0, 10, 10]], score=[0.9, 0.8])
    # 2 / 3 each: at four thresholds; 51 of 101 points, then all.
    found = step(truth, pred, "ultralytics", "equal IoU")
    assert math.isclose(found.change, 0.4 * 50 / 101, abs_tol=1e-12)


@pytest.mark.parametrize("tool", ["ultralytics-8.3", "voc12"])
def test_the_best_truth_alone(tool: str) -> None:
    """The second prediction is most similar to what is taken, and yet to 2 / 3 to another."""
    truth = boxes([[0, 0, 10, 10], [3, 0, 10, 10]])
    pred = boxes([[0, 0, 10, 10], [1, 0, 10, 10]], score=[0.9, 0.8])
    found = step(truth, pred, tool, "matching")
    assert found.change < -0.1
    assert found.AP50 < 0.51


def test_ignored_truth() -> None:
    truth = boxes([SQUARE, [20, 0, 10, 10]], ignored=[0, 1])
    pred = boxes([SQUARE], score=[0.9])
    for tool, rule in (("supervision", "ignored truth"), ("voc12", "difficult")):
        assert math.isclose(step(truth, pred, tool, rule).change, 50 / 101, abs_tol=1e-12)


def test_precision_of_32_bits() -> None:
    """1 / 3 in 32 bits."""
    truth = boxes([SQUARE])
    pred = boxes([[50, 0, 10, 10], [70, 0, 10, 10], SQUARE], score=[0.9, 0.8, 0.7])
    assert explain(truth, pred, against="supervision").tool_AP == float(np.float32(1 / 3))


def test_true_positives_before_false_ones() -> None:
    truth = boxes([SQUARE])
    pred = boxes([[50, 0, 10, 10], SQUARE], score=[0.5, 0.5])
    assert math.isclose(step(truth, pred, "fiftyone", "equal scores").change, 0.5, abs_tol=1e-12)
    # Also where false ones are of an image before.
    pred = boxes([SQUARE, SQUARE], image=[1, 2], score=[0.5, 0.5])
    truth = boxes([SQUARE], image=[2])
    assert math.isclose(step(truth, pred, "fiftyone", "equal scores").change, 0.5, abs_tol=1e-12)


def test_as_much_as_the_threshold_of_a_crowd() -> None:
    """Half of a prediction lies in a crowd: left out, or a false positive."""
    truth = boxes([SQUARE, [100, 0, 50, 50]], crowd=[0, 1])
    pred = boxes([[95, 0, 10, 10], SQUARE], score=[0.9, 0.8])
    found = step(truth, pred, "tidecv", "crowds")
    assert math.isclose(found.change, -0.5, abs_tol=1e-12)


def test_predicted_classes_without_truth() -> None:
    truth = boxes([SQUARE])
    pred = boxes([SQUARE, SQUARE], [1, 2], score=[0.9, 0.8])
    found = explain(truth, pred, against="tidecv")
    assert math.isclose(step(truth, pred, "tidecv", "class set").change, -0.5, abs_tol=1e-12)
    assert found.per_class()[0]["AP"] == found.AP
    assert math.isnan(found.class_AP[1])
    assert found.class_tool_AP.tolist() == [1, 0]


def test_pixels_are_inclusive() -> None:
    """4 of 9 pixels overlap, 5 of 10 do: IoU 4 / 14 and 5 / 15, of 10 wide 8 / 12 and 9 / 13."""
    truth, pred = boxes([[0, 0, 10, 10]]), boxes([[2, 0, 10, 10]], score=[0.9])
    # 8 · 10 / (2 · 100 − 80) = 0.667 and 9 · 11 / (2 · 121 − 99) = 0.692: four thresholds both.
    assert step(truth, pred, "voc12", "pixels").alone == 0
    truth, pred = boxes([[0, 0, 4, 4]]), boxes([[1, 0, 4, 4]], score=[0.9])
    # 12 / 20 = 0.6 and 20 / 30 = 0.667: three thresholds and four.
    assert math.isclose(step(truth, pred, "voc12", "pixels").alone, 0.1, abs_tol=1e-12)


def test_steps_add_up() -> None:
    truth = boxes([SQUARE, [20, 0, 10, 10], [40, 0, 10, 10]], [1, 1, 2], crowd=[0, 0, 1])
    pred = boxes([SQUARE, [21, 0, 10, 10], [41, 0, 5, 5]], [1, 1, 2], score=[0.5, 0.5, 0.5])
    for found in explain_each(truth, pred):
        last = found.AP
        for each in found.steps:
            assert each.change == each.AP - last
            last = each.AP
        assert found.tool_AP == last
        # The first rule is alone where it comes first.
        assert found.steps[0].change == found.steps[0].alone


def test_no_truth_counts() -> None:
    found = explain(boxes([]), boxes([SQUARE], score=[0.9]), against="ultralytics")
    assert math.isnan(found.AP)
    assert math.isnan(found.tool_AP)
    assert {entry.metric for entry in found.undefined} == {"AP", "tool_AP", "AP50", "tool_AP50"}
    assert "-" in str(found)
    # TIDE counts a class of false positives, and so has a number.
    found = explain(boxes([]), boxes([SQUARE], score=[0.9]), against="tidecv")
    assert math.isnan(found.AP)
    assert found.tool_AP == 0


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_at_all(tool: str) -> None:
    found = explain(boxes([]), boxes([], score=[]), against=tool)
    assert math.isnan(found.tool_AP)
    assert found.to_dict()["metrics"]["tool_AP"] is None
    assert explain(boxes([SQUARE]), boxes([], score=[]), against=tool).tool_AP == 0


def test_kinds() -> None:
    mask = RleMasks.from_arrays([np.ones((4, 4), np.uint8)])
    truth = Masks(boxes([[0, 0, 4, 4]]), mask)
    pred = Masks(boxes([[0, 0, 4, 4]], score=[1 / 3]), mask)
    found = explain(truth, pred, against="torchmetrics")
    assert [each.rule for each in found.steps[:2]] == ["images", "scores"]
    assert found.tool_AP == 1
    assert [each.tool.split()[0] for each in explain_each(truth, pred)] == [
        "pycocotools",
        "faster-coco-eval",
        "torchmetrics",
        "tidecv",
    ]
    with pytest.raises(
        InputError,
        match=r"the rules of ultralytics are known, got masks \(known of masks: ",
    ):
        explain(truth, pred, against="ultralytics")
    with pytest.raises(
        InputError,
        match=r"the rules of voc12 are known, got masks \(known of masks: ",
    ):
        explain_each(truth, pred, against=["tidecv", "voc"])


def test_unknown_tool() -> None:
    with pytest.raises(InputError, match='Did you mean "torchmetrics"'):
        explain(boxes([SQUARE]), boxes([SQUARE], score=[0.9]), against="torchmetric")


def test_text() -> None:
    truth = boxes([SQUARE, [20, 0, 10, 10]])
    pred = boxes([SQUARE], score=[0.9])
    found = explain(truth, pred, against="faster-coco-eval")
    head, first, *_, last = str(found).splitlines()
    assert head.split() == ["rule", "AP", "change", "alone", "AP50"]
    assert first.split() == ["coco", "0.504950", "0.504950"]
    assert last.split() == ["faster-coco-eval", "1.8.0", "0.504950", "+1e-16", "0.504950"]
    assert "truth of id 0 is never found" in str(found)
    assert "images       2" in found.composition()
    table = tools_table(explain_each(truth, pred, against=["ultralytics", "voc"]))
    assert [line.split()[0] for line in table.splitlines()] == [
        "tool",
        "ours",
        "ultralytics",
        "Pascal",
    ]
    assert "interpolation -0.01" in table


def test_plain_values_and_files(tmp_path: Any) -> None:
    truth = boxes([SQUARE, [20, 0, 10, 10]])
    pred = boxes([SQUARE], score=[0.9])
    found = explain(truth, pred, against="ultralytics")
    plain = found.to_dict()
    assert plain["steps"][0]["rule"] == "crowds"
    assert plain["tool"] == "ultralytics 8.4.190"
    assert plain["protocol"]["ours"]["name"] == "coco"
    assert plain["protocol"]["tool"]["curve"] == "straight"
    found.save(tmp_path / "explanation.bin")
    again = ExplanationResult.load(tmp_path / "explanation.bin")
    assert str(again) == str(found)
    assert again.to_dict() == plain


@pytest.mark.parametrize("steps", [[1], [["crowds"]], None])
def test_files_of_damaged_steps(tmp_path: Path, steps: Any) -> None:
    """What goes wrong beyond the fields that all results have is said of the file, too."""
    box = boxes([SQUARE])
    path = tmp_path / "explanation.bin"
    explain(box, boxes([SQUARE], score=[0.9]), against="ultralytics").save(path)
    packed = unpack(path.read_bytes())
    path.write_bytes(pack(packed.name, {**packed.content, "steps": steps}, packed.arrays))
    with pytest.raises(SchemaError, match=r"whole ExplanationResult: .* - at .*explanation\.bin"):
        ExplanationResult.load(path)


def test_every_rule_says_something_else() -> None:
    """No step leaves the rules as they were, and the start is `coco`."""
    for tool, kind in [(each, kind) for each in TOOLS.values() for kind in each.kinds]:
        rules = start_rules(kind)
        for each in tool.steps_of(kind):
            assert each.applied(rules) != rules, (tool.name, kind, each.rule)
            rules = each.applied(rules)
            assert len(each.says) < 110
        names = [each.rule for each in tool.steps_of(kind)]
        assert len(set(names)) == len(names)


def test_images_without_truth() -> None:
    """Torchmetrics leaves out such images of masks: the false positive is the best prediction."""
    mask = RleMasks.from_arrays([np.ones((4, 4), np.uint8)])
    truth = Masks(boxes([[0, 0, 4, 4]], image=[2]), mask)
    pred = Masks(boxes([[0, 0, 4, 4]] * 2, image=[1, 2], score=[0.9, 0.8]), mask[[0, 0]])
    found = explain(truth, pred, against="torchmetrics")
    assert math.isclose(found.steps[0].change, 0.5, abs_tol=1e-12)
    assert found.tool_AP == 1
    # Of boxes it keeps them.
    assert explain(truth.boxes, pred.boxes, against="torchmetrics").tool_AP == 0.5


def test_the_start_is_ours() -> None:
    random = np.random.default_rng(0)
    truth = boxes(random.random((30, 4)) * 50, random.integers(1, 3, 30))
    pred = boxes(random.random((200, 4)) * 50, random.integers(1, 3, 200), score=random.random(200))
    assert explain(truth, pred, against="voc").AP == average_precision(truth, pred).AP
