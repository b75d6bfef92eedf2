"""Results of benchmarks: numbers worked by hand, and what may be said of them."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pytest

from snellen.benchmark.class_scores import class_probabilities
from snellen.benchmark.disagreements import class_spreads, disagreements, joint_predictions
from snellen.benchmark.measured_model import MeasuredModel, measured_model
from snellen.benchmark.model import Facts
from snellen.benchmark.page import page
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.result import BenchmarkResult
from snellen.benchmark.significance import compared
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Round, Speed, Throughput
from snellen.classification.classification import Classification
from snellen.errors import InputError, ShapeError, SnellenError
from snellen.statistics import compare, wilson

CLASSES = ("cat", "dog", "eel")
TRUTH = np.array([0, 0, 0, 1, 1, 1, 2, 2])
IDS = [f"i{k}" for k in range(8)]


def labelled(name: str, predicted: list[int], **more: Any) -> MeasuredModel:
    options: dict[str, Any] = {
        "truth": TRUTH, "ids": IDS, "classes": CLASSES, "kind": "labels", **more,
    }  # fmt: skip
    return measured_model(name, f"predictions:{name}.csv", labels=np.array(predicted), **options)


def a_speed(fps: float, *, waited: float = 1.0, sizes: tuple[int, ...] = (1, 8)) -> Speed:
    one = Round(
        Latency(200, 20, 1 / fps, 2 / fps, 4 / fps, 0.1, waited),
        tuple(Throughput(size, 20, 5, fps * (1 + size), 0.1, waited) for size in sizes),
        EndToEnd(100, 8, fps / 2, 0.001, 0.002, 0.003, 0.004, waited),
    )
    return Speed([one], Memory(2**30, 2**29, None), 1)


def facts() -> Facts:
    return Facts("cpu", "float32", 1, {"onnxruntime": "1.27.0"}, "d", 25_600_000, None, 1024)


def three() -> BenchmarkResult:
    """Right: a 6 of 8, b 4 of 8, c 6 of 8 like a, but slower."""
    a = labelled("a", [0, 0, 0, 1, 1, 2, 2, 0], speed=a_speed(100.0), facts=facts())
    b = labelled("b", [0, 0, 1, 1, 0, 2, 2, 0], speed=a_speed(300.0, sizes=(1, 4)))
    c = labelled("c", [0, 0, 0, 1, 1, 2, 2, 1], speed=a_speed(50.0, waited=1.5))
    return BenchmarkResult([b, a, c], IDS, TRUTH, CLASSES)


def test_the_table() -> None:
    rows = three().table()
    assert [row["name"] for row in rows] == ["a", "c", "b"]
    a, c, b = rows
    assert [row["top1"] for row in rows] == [0.75, 0.75, 0.5]
    assert (a["top1_low"], a["top1_high"]) == wilson(6, 8)
    # a: cat 3 right of 4 told and 3 true; dog 2 of 2 and 3; eel 1 of 2 and 2.
    assert a["precision_macro"] == pytest.approx((3 / 4 + 1 + 1 / 2) / 3)
    assert a["recall_macro"] == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert a["f1_macro"] == pytest.approx((6 / 7 + 4 / 5 + 1 / 2) / 3)
    assert a["f1_weighted"] == pytest.approx((3 * 6 / 7 + 3 * 4 / 5 + 2 * 1 / 2) / 8)
    assert a["balanced_accuracy"] == a["recall_macro"]
    assert math.isnan(a["top5"])
    assert math.isnan(a["log_loss"])
    assert a["end_to_end_fps"] == 50.0
    assert (a["read_ms"], a["decode_ms"], a["preprocess_ms"], a["inference_ms"]) == (1, 2, 3, 4)
    # Batch sizes stand in order, those that a network lacks are undefined.
    sizes = [name for name in a if name.startswith("fps_batch_")]
    assert sizes == ["fps_batch_1", "fps_batch_4", "fps_batch_8"]
    assert (a["fps_batch_1"], a["fps_batch_8"], b["fps_batch_4"]) == (200.0, 900.0, 1500.0)
    assert math.isnan(a["fps_batch_4"])
    assert (a["best_fps"], a["best_batch"]) == (900.0, 8)
    assert a["latency_p50_ms"] == 10.0
    assert (a["latency_p90_ms"], a["latency_p99_ms"]) == (20.0, 40.0)
    assert (a["parameters"], a["macs"], a["file_bytes"]) == (25_600_000, None, 1024)
    assert (a["memory_host_peak"], a["memory_device_peak"]) == (2**30, None)
    assert (a["noisy"], c["noisy"]) == (False, True)
    assert (a["versions"], b["versions"]) == ("onnxruntime 1.27.0", None)
    assert len({tuple(row) for row in rows}) == 1


def test_csv_is_the_table() -> None:
    result = three()
    read = list(csv.DictReader(io.StringIO(result.csv())))
    assert [row["name"] for row in read] == ["a", "c", "b"]
    assert read[0]["top1"] == "0.75"
    assert read[0]["top5"] == read[0]["macs"] == read[2]["fps_batch_8"] == ""
    assert list(read[0]) == list(result.table()[0])


def test_the_front() -> None:
    result = three()
    # c is as accurate as a, and slower.
    assert result.front == ["a", "b"]
    assert result.fps_kind == "end_to_end"
    assert [row["on_front"] for row in result.table()] == [True, False, True]


def test_of_equally_accurate_networks_the_faster_comes_first() -> None:
    same = [0, 0, 0, 1, 1, 2, 2, 0]
    models = [
        labelled("slow", same, speed=a_speed(10.0)),
        labelled("unknown", same),
        labelled("fast", same, speed=a_speed(20.0)),
    ]
    result = BenchmarkResult(models, IDS, TRUTH, CLASSES)
    assert [model.name for model in result.ranked] == ["fast", "slow", "unknown"]
    assert (result.disagreements.best, result.disagreements.second) == ("fast", "slow")


def test_the_front_without_end_to_end() -> None:
    one = Round(None, (Throughput(8, 20, 5, 70.0, 0.1, 1.0),), None)
    speed = Speed([one], Memory(1, 1), 1)
    a = labelled("a", [0] * 8, speed=speed)
    b = labelled("b", [1] * 8, speed=a_speed(1.0))
    result = BenchmarkResult([a, b, labelled("c", [2] * 8)], IDS, TRUTH, CLASSES)
    # Both have the network's own speed, only one that from files.
    assert result.fps_kind == "model"
    assert result.fps(a) == 70.0
    assert math.isnan(result.fps(result["c"]))
    assert result.front == ["a"]
    untimed = BenchmarkResult([labelled("c", [2] * 8)], IDS, TRUTH, CLASSES)
    assert (untimed.fps_kind, untimed.front) == ("", [])


def test_holm_over_all_pairs_by_hand() -> None:
    # Of 12 images: a all right; b wrong in 6; c wrong in 8, among them those of b.
    right = [np.ones(12, bool), np.arange(12) >= 6, np.arange(12) >= 8]
    found = compared(["a", "b", "c"], right)
    # 6 to 0: 2 / 2^6; 8 to 0: 2 / 2^8; 2 to 0: 2 / 2^2.
    assert [each.p for each in found.differences] == [1 / 32, 1 / 128, 1 / 2]
    # Times 3 for the smallest, 2 for the next, 1 for the largest.
    assert [each.adjusted_p for each in found.differences] == [2 / 32, 3 / 128, 1 / 2]
    assert [found.is_significant(each) for each in found.differences] == [False, True, False]
    assert found.better(found.differences[1]) == "a"


def test_tests_are_those_of_compare() -> None:
    draw = np.random.default_rng(4)
    truth = draw.integers(0, 3, 400)
    told = [
        np.where(draw.random(400) < share, truth, draw.integers(0, 3, 400))
        for share in (0.5, 0.6, 0.8)
    ]
    ours = compared(["a", "b", "c"], [each == truth for each in told])
    theirs = compare(
        *(Classification(CLASSES).update(truth, each, sample_id=np.arange(400)) for each in told),
        names=["a", "b", "c"],
        metrics=["accuracy"],
        per_class=False,
        replicates=2000,
    )
    assert ours.mcnemar == theirs.mcnemar
    for mine, other in zip(ours.differences, theirs.differences, strict=True):
        assert (mine.p, mine.adjusted_p) == (other.p, other.adjusted_p)
        assert mine.difference == pytest.approx(other.difference, abs=1e-15)
        # Another way to an interval: close, where images are many.
        assert mine.interval.low == pytest.approx(other.interval.low, abs=0.01)
        assert mine.interval.high == pytest.approx(other.interval.high, abs=0.01)


def test_the_interval_of_a_difference_by_hand() -> None:
    # b = 10, c = 30, N = 100: (20 ± 1.96 sqrt(41 - 20² / 102)) / 102.
    right = [np.arange(100) < 40, (np.arange(100) >= 10) & (np.arange(100) < 70)]
    interval = compared(["a", "b"], right).differences[0].interval
    half = 1.959964 * math.sqrt(41 - 400 / 102) / 102
    assert interval.low == pytest.approx(20 / 102 - half, abs=1e-7)
    assert interval.high == pytest.approx(20 / 102 + half, abs=1e-7)


def test_real_labels_by_hand() -> None:
    scores = np.array(
        [
            [0.5, 0.1, 0.1, 0.1, 0.1, 0.1],
            [0.1, 0.5, 0.1, 0.1, 0.1, 0.1],
            [0.05, 0.05, 0.5, 0.1, 0.1, 0.2],
            [0.4, 0.3, 0.1, 0.1, 0.06, 0.04],
        ]
    )
    also = [(1, 0), (), (3, 1), (5,)]
    found = measured_model(
        "m", "m", truth=np.array([0, 1, 2, 3]), ids=list("abcd"), classes=list("uvwxyz"),
        kind="probabilities", scores=scores, also=also,
    )  # fmt: skip
    # Of a, c and d (b is not counted): the first is right in a; the classes of c are those of rank
    # 2 and 4, that of d has rank 5, which is the sixth.
    assert found.real == {"real_top1": 1 / 3, "real_top5": 2 / 3}
    told = labelled("l", [1, 0, 0, 1, 1, 1, 2, 2], also=[(1,), (0, 1), (), (0,), (), (), (), (2,)])
    assert told.real == {"real_top1": 3 / 4}


def test_of_equal_scores_the_earlier_class_is_first() -> None:
    scores = np.zeros((1, 7))
    for right, real in ((4, 1.0), (5, 0.0)):
        found = measured_model(
            "m", "m", truth=np.array([right]), ids=["a"], classes=list("abcdefg"), kind="logits",
            scores=scores, also=[(right,)],
        )  # fmt: skip
        assert found.predicted.tolist() == [0]
        assert found.result.metrics["top5"] == real
        assert found.real == {"real_top1": 0.0, "real_top5": real}


def test_outputs_in_another_order() -> None:
    # Outputs are eel, yak, cat; dog has none.
    scores = np.log(np.array([[0.7, 0.1, 0.2], [0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]))
    found = measured_model(
        "m", "m", truth=np.array([2, 0, 1]), ids=list("abc"), classes=[*CLASSES, "yak"],
        n_classes=3, kind="logits", scores=scores, places=np.array([2, 3, 0]),
    )  # fmt: skip
    assert found.predicted.tolist() == [2, 0, 3]
    assert found.confidence == pytest.approx([0.7, 0.5, 0.8])
    assert found.top1 == 2 / 3
    # Of dog the probability is 0, which counts as the smallest number that float64 tells from it.
    expected = -(math.log(0.7) + math.log(0.5) + math.log(2.0**-52)) / 3
    assert found.result.metrics["log_loss"] == pytest.approx(expected)
    # Averages over the classes of the images: the yak that was told is no fourth class.
    assert found.number("recall_macro") == pytest.approx(2 / 3)
    assert found.number("f1_macro") == pytest.approx(2 / 3)
    # What gates read, too, and what is stored.
    assert found.result.metrics["f1_macro"] == found.number("f1_macro")
    stored = type(found.metric).from_bytes(found.metric.to_bytes())
    assert stored.compute().metrics == found.result.metrics
    assert "macro ones are over the first 3" in found.result.composition()
    assert "1 image was taken for classes that the data lack" in found.notes[0]
    sure = found.interval("f1_macro")
    assert sure is not None
    assert sure.low <= 2 / 3 <= sure.high


def test_scores_of_which_only_the_order_counts() -> None:
    scores = np.array([[9.0, -2.0, 4.0], [0.0, 1e20, 3.0], [5.0, 6.0, 7.0]])
    found = measured_model(
        "m", "m", truth=np.array([0, 2, 0]), ids=list("abc"), classes=CLASSES, kind="any",
        scores=scores, also=[(0,), (2,), (1,)],
    )  # fmt: skip
    assert found.predicted.tolist() == [0, 1, 2]
    assert found.top1 == 1 / 3
    assert found.confidence is None
    for name in ("log_loss", "ece", "brier", "mean_confidence"):
        assert math.isnan(found.number(name))
    assert found.real is not None
    assert found.real["real_top1"] == 1 / 3


def test_classes_without_an_output_come_last_of_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(5)
    scores = draw.normal(size=(40, 6)) * 1e3
    truth = draw.integers(0, 7, 40)
    options: dict[str, Any] = {
        "truth": truth, "ids": [str(k) for k in range(40)], "classes": list("abcdefg"),
        "kind": "any", "scores": scores, "places": np.array([6, 5, 4, 3, 2, 0]),
    }  # fmt: skip
    whole = measured_model("m", "m", **options)
    # Outputs are of the classes 6, 5, 4, 3, 2, 0: class 0 is output 5, class 6 output 0.
    place = {6: 0, 5: 1, 4: 2, 3: 3, 2: 4, 0: 5}
    rank = np.array(
        [
            6 if label == 1 else (scores[k] > scores[k, place[int(label)]]).sum()
            for k, label in enumerate(truth)
        ]
    )
    assert whole.result.metrics["top5"] == (rank < 5).mean()
    assert whole.top1 == (rank == 0).mean()
    # Where scores are not kept, they are moved to where thresholds are: in the same order.
    monkeypatch.setattr("snellen.benchmark.absorbed._EXACT", 100)
    counted = measured_model("m", "m", **options)
    assert counted.predicted.tolist() == whole.predicted.tolist()
    assert counted.result.metrics["top5"] == whole.result.metrics["top5"]
    assert counted.result.protocol["curves"] != whole.result.protocol["curves"]


def test_labels_and_how_sure_they_are() -> None:
    sure = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    found = labelled("m", [0, 0, 0, 1, 1, 2, 2, 0], kind="confidences", confidence=sure)
    assert found.top1 == 6 / 8
    assert found.number("mean_confidence") == pytest.approx(sure.mean())
    # Each has a bin of its own: the distance is 1 - sure where it is right, sure where it is not.
    right = np.array([1, 1, 1, 1, 1, 0, 1, 0])
    assert found.number("ece") == pytest.approx(np.abs(right - sure).mean())
    assert math.isnan(found.number("log_loss"))
    assert found.confidence is not None
    assert found.confidence.tolist() == sure.tolist()


def test_labels_beside_scores_are_what_is_predicted() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    found = measured_model(
        "m", "m", truth=np.array([1, 2]), ids=list("ab"), classes=CLASSES, kind="probabilities",
        scores=scores, labels=np.array([1, 2]),
    )  # fmt: skip
    assert found.top1 == 1.0
    assert found.predicted.tolist() == [1, 2]
    assert found.confidence == pytest.approx([0.3, 0.7])
    # Of scores there are the others.
    assert found.number("log_loss") == pytest.approx(-(math.log(0.3) + math.log(0.7)) / 2)


def test_logits_and_their_probabilities_are_measured_alike() -> None:
    draw = np.random.default_rng(1)
    logits = draw.normal(size=(50, 6))
    exponent = np.exp(logits)
    shares = exponent / exponent.sum(axis=1, keepdims=True)
    options: dict[str, Any] = {
        "truth": draw.integers(0, 6, 50),
        "ids": [str(k) for k in range(50)],
        "classes": list("abcdef"),
    }
    one = measured_model("m", "m", kind="logits", scores=logits, **options)
    other = measured_model("m", "m", kind="probabilities", scores=shares, **options)
    for name, value in one.result.metrics.items():
        assert other.result.metrics[name] == pytest.approx(value, abs=1e-12), name
    # States of both can be compared.
    found = compare(one.metric, other.metric, metrics=["accuracy"], per_class=False, replicates=20)
    assert found.differences[0].difference == 0


def test_far_logits_keep_their_order() -> None:
    # exp(-800) is 0 in float64, and so is exp(-4000): the truth is the second best all the same.
    for far in (800.0, 4e3, 3e38):
        logits = np.array([[far, -far, 0.0, -far / 2, -far / 4, -far / 8, -far / 16]], np.float32)
        shares = class_probabilities(logits, "logits", np.arange(7), 7)
        assert np.argsort(shares[0]).tolist() == np.argsort(logits[0]).tolist()
        assert len(np.unique(shares)) == 7
        assert shares.sum() == pytest.approx(1.0)
    equal = class_probabilities(np.array([[900.0, 0.0, 0.0]]), "logits", np.arange(3), 3)
    assert equal[0, 1] == equal[0, 2]


def test_many_scores_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    options: dict[str, Any] = {
        "truth": draw.integers(0, 4, 40),
        "ids": [str(k) for k in range(40)],
        "classes": list("abcd"),
        "kind": "logits",
        "scores": draw.normal(size=(40, 4)),
    }
    whole = measured_model("m", "m", **options)
    monkeypatch.setattr("snellen.benchmark.absorbed._EXACT", 100)
    monkeypatch.setattr("snellen.benchmark.absorbed._AT_ONCE", 28)
    counted = measured_model("m", "m", **options)
    assert counted.predicted.tolist() == whole.predicted.tolist()
    assert counted.result.metrics["log_loss"] == whole.result.metrics["log_loss"]
    assert counted.result.protocol["curves"] != whole.result.protocol["curves"]
    assert len(counted.metric.to_bytes()) > 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": np.array([[0.0, 1.0, np.nan]] * 8)}, "got nan - at m image i0"),
        ({"scores": np.zeros((7, 3))}, "expected scores of 8 images"),
        ({"scores": np.zeros((8, 1))}, "two classes or more"),
        ({"scores": np.ones((8, 3)), "kind": "probabilities"}, "sum to 1"),
        ({"scores": np.zeros((8, 3)), "kind": "odds"}, "confidences, labels, got 'odds'"),
        ({"scores": np.zeros((8, 2)), "places": np.array([0, 3])}, "got one for class 3"),
        ({"scores": np.zeros((8, 2)), "places": np.array([1, 1])}, "got one from two"),
        (
            {"scores": np.zeros((8, 2)), "places": np.array([1])},
            "the classes of 2 outputs",
        ),
        ({"kind": "labels", "labels": np.array([0] * 7 + [3])}, "got 3 - at m image i7"),
        ({"kind": "labels", "labels": np.zeros(8)}, "expected a label for each of 8 images"),
        ({"kind": "labels"}, "got none"),
        ({"kind": "any"}, "got none"),
        ({"kind": "any", "scores": np.full((8, 3), np.inf)}, "got inf - at m image i0"),
        (
            {"kind": "confidences", "labels": np.zeros(8, int), "confidence": np.zeros(7)},
            "a confidence for each of 8 images",
        ),
        (
            {"kind": "confidences", "labels": np.zeros(8, int), "confidence": np.full(8, 2.0)},
            "in [0, 1]",
        ),
        (
            {"kind": "any", "scores": np.zeros((8, 3)), "labels": np.full(8, 3)},
            "expected labels from 0 to 2, got 3",
        ),
        ({"ids": IDS[:5], "scores": np.zeros((8, 3))}, "got 5 - at m"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], said: str) -> None:
    options = {"truth": TRUTH, "ids": IDS, "classes": CLASSES, "kind": "logits", **changes}
    with pytest.raises(SnellenError) as caught:
        measured_model("m", "m", **options)
    assert said in str(caught.value)
    assert isinstance(caught.value, (InputError, ShapeError))


def test_results_that_cannot_be() -> None:
    a = labelled("a", [0] * 8)
    for models in ([], [a, a]):
        with pytest.raises(InputError, match="different names"):
            BenchmarkResult(models, IDS, TRUTH, CLASSES)
    with pytest.raises(InputError, match="7 images of 3 classes, got 8 of 3 - at a"):
        BenchmarkResult([a], IDS[:7], TRUTH[:7], CLASSES)
    with pytest.raises(InputError, match='got "aa"'):
        BenchmarkResult([a], IDS, TRUTH, CLASSES)["aa"]


def test_where_they_disagree() -> None:
    #                    0  1  2  3  4  5  6  7     truth is 0 0 0 1 1 1 2 2
    a = labelled("a", [0, 1, 0, 1, 1, 0, 2, 2])
    b = labelled("b", [0, 1, 1, 1, 2, 0, 2, 0])
    c = labelled("c", [0, 1, 2, 1, 2, 2, 2, 2])
    found = disagreements([a, b, c], TRUTH)
    assert found.wrong_together == [1]
    # In image 2 no two agree; in 4, 5 and 7 two do, and nobody is right in 5.
    assert found.divided == [2, 5, 4, 7]
    assert (found.best, found.second) == ("a", "c")
    assert found.only_best == [2, 4]
    assert found.only_second == []


def test_the_surest_first() -> None:
    scores = np.array([[0.0, 2.0], [0.0, 3.0], [0.0, 1.0], [1.0, 0.0]])
    truth = np.array([0, 0, 0, 1])
    sure = measured_model(
        "m", "m", truth=truth, ids=list("abcd"), classes=["x", "y"], kind="logits", scores=scores
    )
    assert disagreements([sure], truth).wrong_together == [1, 0, 2, 3]
    assert disagreements([sure], truth, most=2).wrong_together == [1, 0]


def test_classes_that_single_networks_know() -> None:
    a = labelled("a", [0, 3, 0, 1, 1, 1, 2, 2], classes=[*CLASSES, "yak"], n_classes=3)
    b = labelled("b", [0, 4, 3, 1, 1, 1, 2, 2], classes=[*CLASSES, "owl", "yak"], n_classes=3)
    names, predicted = joint_predictions([a, b])
    assert names == [*CLASSES, "yak", "owl"]
    assert predicted[:, :3].tolist() == [[0, 3, 0], [0, 3, 4]]
    result = BenchmarkResult([a, b], IDS, TRUTH, CLASSES)
    # Both take image 1 for a yak.
    assert result.disagreements.wrong_together == [1]
    found = result.class_comparison("a", "b", replicates=20)
    assert found.class_metric == "f1"
    assert found.names == ("a", "b")


def test_class_spreads_by_hand() -> None:
    a = labelled("a", [0, 0, 0, 1, 1, 1, 2, 2])
    b = labelled("b", [0, 0, 1, 1, 1, 1, 0, 0])
    found = class_spreads([a, b])
    # b: cat 2 of 4 told and 3 true, F1 4 / 7; dog 3 of 4 and 3, F1 6 / 7; eel is never told.
    assert [each.class_name for each in found] == ["eel", "cat", "dog"]
    assert found[0].f1 == (1.0, 0.0)
    assert found[1].recall == pytest.approx((1.0, 2 / 3))
    assert [each.spread for each in found] == pytest.approx([1.0, 3 / 7, 1 / 7])
    assert [each.n for each in found] == [2, 3, 3]


def test_the_text() -> None:
    shown = str(three())
    assert shown.startswith("8 images of 3 classes, 3 networks; the best top-1 accuracy first")
    lines = shown.splitlines()
    a = next(line for line in lines if line.startswith("a "))
    assert a.split()[:3] == ["a", "*", "0.7500•"]
    assert "--- means over classes --" in lines[2]
    c = next(line for line in lines if line.startswith("c "))
    # Its accuracy is as good as that of a, and nothing is wrong with it.
    assert c.split()[1] == "0.7500•"
    c = [line for line in lines if line.startswith("c ")][1]
    assert c.split()[1] == "~"
    # Nothing is known of top-5 and scores: no columns of dashes.
    assert "top-5" not in shown
    assert "log loss" not in shown
    speeds = [line for line in lines if line.startswith("a ")][1]
    assert speeds.split() == [
        "a", "*", "50.0", "1.00", "2.00", "3.00", "4.00", "900", "8", "10.0", "20.0", "40.0",
        "25.6", "M", "1.00", "GiB",
    ]  # fmt: skip
    assert "no difference between a and c can be claimed" in shown
    assert "~ noisy: the speed of 1 network cannot be believed" in shown


@pytest.mark.parametrize("n", [2, 50])
def test_the_text_fits(n: int) -> None:
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 10, 60)
    names = [f"keras_applications_{'x' * (5 * k % 60)}\x1b[31m_{k}" for k in range(n)]
    models = [
        measured_model(
            name, name, truth=truth, ids=[str(k) for k in range(60)], classes=list("abcdefghij"),
            kind="logits", scores=draw.normal(size=(60, 10)), speed=a_speed(20_000.0 + k),
            facts=facts(), notes=["a note"],
        )
        for k, name in enumerate(names)
    ]  # fmt: skip
    result = BenchmarkResult(
        models, [str(k) for k in range(60)], truth, list("abcdefghij"), left_out=[("q\n", "why")]
    )
    shown = str(result)
    assert "\x1b" not in shown
    table = [line for line in shown.splitlines() if line.startswith("keras")]
    assert len(table) >= 2 * n
    assert all(len(line) <= 120 for line in table)
    # Names that differ at their end only can be told apart.
    assert len({line.split()[0] for line in table[:n]}) == n
    assert len(shown.splitlines()) < 2 * n + 60


def test_no_difference_has_the_probability_0() -> None:
    # 1,100 images that one has right and the other wrong: 2 / 2^1100.
    truth = np.zeros(1100, np.int64)
    options: dict[str, Any] = {
        "truth": truth, "ids": [str(k) for k in range(1100)], "classes": CLASSES,
    }  # fmt: skip
    models = [labelled("a", [0] * 1100, **options), labelled("b", [1] * 1100, **options)]
    result = BenchmarkResult(models, options["ids"], truth, CLASSES)
    shown = str(result)
    assert "adjusted p < 1e-300" in shown
    assert "p = 0" not in shown
    assert "p &lt; 1e-300" in page(result)


def test_what_is_said_of_many_is_said_once() -> None:
    models = [
        labelled("a", [0] * 8, notes=["it was cut", "of a"], facts=facts()),
        labelled("b", [1] * 8, notes=["it was cut"]),
        labelled("c", [2] * 8),
    ]
    result = BenchmarkResult(models, IDS, TRUTH, CLASSES)
    shown = str(result)
    assert "note: a and b: it was cut" in shown
    assert shown.count("it was cut") == 1
    assert "note: a: of a" in shown
    assert page(result).count("it was cut") == 1
    everyone = BenchmarkResult(models[:2], IDS, TRUTH, CLASSES)
    assert "note: all networks: it was cut" in str(everyone)


def test_times_below_a_millisecond_are_microseconds() -> None:
    one = Round(
        Latency(200, 20, 3e-5, 4e-5, 2e-4, 0.1, 1.0),
        (Throughput(8, 20, 5, 1e5, 0.1, 1.0),),
        EndToEnd(100, 8, 3e4, 2.6e-7, 1.7e-6, 3e-6, 2e-5, 1.0),
    )
    model = labelled("a", [0] * 8, speed=Speed([one], Memory(1, 1), 1))
    lines = str(BenchmarkResult([model], IDS, TRUTH, CLASSES)).splitlines()
    place = next(k for k, line in enumerate(lines) if "decode" in line)
    assert "µs of an image" in lines[place - 1]
    assert "latency, µs" in lines[place - 1]
    assert lines[place + 1].split()[1:] == [
        "30,000", "0.26", "1.70", "3.00", "20.0", "100,000", "8", "30.0", "40.0", "200", "1", "B",
    ]  # fmt: skip


def of_classes(n_models: int, n_classes: int) -> BenchmarkResult:
    draw = np.random.default_rng(2)
    truth = np.arange(3 * n_classes) % n_classes
    classes = [f"class {k}, {'x' * (k % 70)}" for k in range(n_classes)]
    ids = [str(k) for k in range(len(truth))]
    models = [
        measured_model(
            f"keras_applications_{'y' * 30}_{k}", "m", truth=truth, ids=ids, classes=classes,
            kind="labels",
            labels=np.where(draw.random(len(truth)) < 0.6, truth, draw.integers(0, n_classes)),
            replicates=10,
        )
        for k in range(n_models)
    ]  # fmt: skip
    return BenchmarkResult(models, ids, truth, classes)


def test_the_table_of_classes() -> None:
    lines = three().class_table().splitlines()
    assert lines[0].startswith("recall and F1 of each class")
    assert lines[3].split() == ["images", "spread", *["recall", "F1"] * 3]
    # In order: a, c, b. cat: a has 3 of 3, F1 6/7; c 3 of 3, F1 1; b 2 of 3, F1 4/7.
    assert lines[4].split() == [
        "cat", "3", "0.4286", "1.0000", "0.8571", "1.0000", "1.0000", "0.6667", "0.5714",
    ]  # fmt: skip
    # One network: the worst class first, and no spread.
    lines = BenchmarkResult([three()["a"]], IDS, TRUTH, CLASSES).class_table().splitlines()
    assert "the lowest F1 first" in lines[0]
    assert [line.split()[0] for line in lines[4:]] == ["eel", "dog", "cat"]
    assert "spread" not in lines[3]


@pytest.mark.parametrize(("n_models", "n_classes"), [(2, 1000), (5, 3), (6, 60), (50, 60)])
def test_the_table_of_classes_fits(n_models: int, n_classes: int) -> None:
    lines = of_classes(n_models, n_classes).class_table().splitlines()
    assert max(map(len, lines)) <= 120
    rows = [line for line in lines if line.startswith("class ")]
    assert len(rows) == min(50, n_classes)
    assert any(line.startswith("…") for line in lines) == (n_classes > 50)
    if n_classes > 50:
        assert f"{n_classes - 50} more classes" in lines[-1]
    assert ("more networks" in lines[-1]) == (n_models == 50)


def test_plain_values() -> None:
    result = three()
    content = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert content["schema"] == "snellen.benchmark-result/1"
    assert content["table"][0]["top5"] is None
    assert content["front"]["models"] == ["a", "b"]
    assert content["models"][0]["name"] == "b"
    confusion = content["models"][1]["confusion"]
    assert confusion["counts"] == [[3, 0, 0], [0, 2, 1], [1, 0, 1]]
    assert confusion["by_truth"][2] == [0.5, 0.0, 0.5]
    assert content["comparison"]["schema"] == "snellen.comparison/1"
    # Image 7 is an eel: a and b say cat, c says dog.
    told = {each["id"]: each["predicted"] for each in content["disagreements"]["divided"]}
    assert told["i7"] == {"b": "cat", "a": "cat", "c": "dog"}
    assert json.dumps(result.to_dict()) == json.dumps(three().to_dict())


def test_many_classes_leave_matrices_out() -> None:
    classes = [str(k) for k in range(101)]
    truth = np.arange(101)
    model = measured_model(
        "m", "m", truth=truth, ids=classes, classes=classes, kind="labels", labels=truth,
        preprocessing=Preprocessing(2, 2),
    )  # fmt: skip
    content = BenchmarkResult([model], classes, truth, classes).to_dict()
    assert content["models"][0]["confusion"].startswith("of 101 classes")
    assert content["models"][0]["result"]["per_class"] is None
    assert content["models"][0]["preprocessing"]["height"] == 2
    assert len(content["class_spreads"]) == 101


def test_two_classes() -> None:
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.3, 0.7]])
    model = measured_model(
        "m", "m", truth=np.array([0, 1, 1, 1]), ids=list("abcd"), classes=["x", "y"],
        kind="probabilities", scores=scores,
    )  # fmt: skip
    row = BenchmarkResult([model], list("abcd"), np.array([0, 1, 1, 1]), ["x", "y"]).table()[0]
    assert row["top1"] == 0.75
    # x: precision 1/2, recall 1; y: precision 1, recall 2/3.
    assert row["f1_macro"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert math.isnan(row["top5"])
