"""What models said on the way to numbers: on the images that all of them predicted."""

from __future__ import annotations

import numpy as np
import pytest

from snellen.benchmark.class_places import placed
from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.predicted import Predicted, in_all
from snellen.benchmark.predictions_file import StoredScores
from snellen.errors import ClassError, InputError

IDS = [f"{k}.png" for k in range(6)]
CLASSES = ("a", "b")
TRUTH = np.array([0, 1, 0, 1, 0, 1])
# Of all images but the third; right but for the last.
ROWS = np.array([0, 1, 3, 4, 5])
SCORES = np.array([[2.0, 0], [0, 2], [0, 2], [2, 0], [2, 0]])


def images(also: list[tuple[int, ...]] | None = None) -> LabelledImages:
    return LabelledImages(IDS, TRUTH, CLASSES, None, {}, "digest", also)


def scored(rows: np.ndarray = ROWS, scores: np.ndarray = SCORES, **more: object) -> Predicted:
    places = placed(CLASSES, ["b", "a"], 2, "net")
    return Predicted(
        "net",
        "onnx:net",
        rows,
        "logits",
        scores[:, ::-1],
        None,
        places,
        **more,  # type: ignore[arg-type]
    )


def labelled(rows: np.ndarray, labels: np.ndarray) -> Predicted:
    return Predicted(
        "file", "file.csv", rows, "labels", None, labels, placed(CLASSES, CLASSES, 2, "file")
    )


def test_images_that_all_predicted() -> None:
    found = scored(left_out=[(2, "expected an image, got none - at 2.png")])
    other = labelled(np.array([1, 2, 3, 5]), np.array([0, 0, 1, 1]))
    rows, left_out = in_all([found, other], images())
    assert rows.tolist() == [1, 3, 5]
    assert left_out == [
        ("0.png", "not predicted by all models"),
        ("2.png", "expected an image, got none - at 2.png"),
        ("4.png", "not predicted by all models"),
    ]
    # By hand: of rows 1, 3, 5 the scores miss the last, the labels miss the first.
    first, second = (each.measured(images(), rows, None) for each in (found, other))
    assert first.predicted.tolist() == [1, 1, 0]
    assert second.predicted.tolist() == [0, 1, 1]
    assert first.top1 == second.top1 == 2 / 3
    assert first.confusion.matrix.tolist() == [[0, 0], [1, 2]]


def test_all_images_of_a_model() -> None:
    rows, left_out = in_all([scored()], images())
    assert rows.tolist() == ROWS.tolist()
    assert [name for name, _ in left_out] == ["2.png"]
    assert scored().measured(images(), rows, None).top1 == 4 / 5


def test_labels_that_count_as_right() -> None:
    # Row 0 may be both, row 1 is not counted, row 5 is 0 as predicted: all that count are right.
    also: list[tuple[int, ...]] = [(0, 1), (), (0,), (1,), (0,), (0,)]
    found = scored().measured(images(also), ROWS, None)
    assert found.real is not None
    assert found.real["real_top1"] == 1.0
    few = scored().measured(images([(1,), (), (0,), (1,), (0,), (1,)]), ROWS, None)
    assert few.real is not None
    assert few.real["real_top1"] == 2 / 4


def test_no_image_that_all_predicted() -> None:
    some = labelled(np.array([0, 1]), np.array([0, 1]))
    others = labelled(np.array([4, 5]), np.array([0, 1]))
    with pytest.raises(InputError, match="that all models predicted, got none: not predicted"):
        in_all([some, others], images())


def test_classes_that_nothing_but_numbers_match() -> None:
    places = placed(CLASSES, None, 2, "net")
    found = Predicted("net", "onnx:net", ROWS, "logits", SCORES, None, places, notes=("made here",))
    notes = found.measured(images(), ROWS, None).notes
    assert notes[0] == "made here"
    assert "matched by position" in notes[1]
    assert len(scored().measured(images(), ROWS, None).notes) == 0


def stored(scores: np.ndarray | None, classes: tuple[str, ...] | None) -> StoredScores:
    return StoredScores(
        rows=ROWS,
        scores=scores,
        labels=np.array([0, 1, 1, 0, 0]),
        confidence=None,
        kind="labels" if scores is None else "logits",
        n_outputs=2,
        classes=classes,
        digest="digest",
        notes=("as it lies there",),
    )


def test_what_somebody_stored() -> None:
    of_scores = Predicted.of_file("x", "x.csv", stored(SCORES, None), images())
    assert of_scores.kind == "logits"
    assert of_scores.labels is not None  # they count, beside scores, too
    of_labels = Predicted.of_file("x", "x.csv", stored(None, ("b", "a")), images())
    assert (of_labels.kind, of_labels.scores) == ("labels", None)
    assert of_scores.measured(images(), ROWS, None).top1 == 4 / 5
    assert of_labels.measured(images(), ROWS, None).top1 == 1 / 5  # the classes are turned
    assert "as it lies there" in of_labels.measured(images(), ROWS, None).notes
    with pytest.raises(ClassError, match="called p, q"):
        Predicted.of_file("x", "x.csv", stored(SCORES, ("p", "q")), images())
