"""Stored predictions, paired with labelled images, and real ones beside their reference numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.open_images import open_images
from snellen.benchmark.predictions_file import StoredScores, read_predictions
from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError, ShapeError

SCORES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.0, 0.1, 0.9]])


class Reader:
    """That of images which nobody reads here."""

    shape = None

    def data(self, row: int) -> bytes:
        raise AssertionError(row)


def images(
    ids: tuple[str, ...] = ("cat/1.png", "cat/2.png", "dog/3.png", "eel/4.png"),
    classes: tuple[str, ...] = ("cat", "dog", "eel"),
    *,
    of_files: bool = True,
) -> LabelledImages:
    labels = np.array([0, 0, 1, 2][: len(ids)])
    return LabelledImages(
        ids, labels, classes, Reader() if of_files else None, {"data": "pictures"}, "digest"
    )


def read(path: Path, data: LabelledImages | None = None, **settings: str) -> StoredScores:
    return read_predictions(path, data or images(), settings)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# ---- Rows and images ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["eel/4.png", "cat/2.png", "dog/3.png", "cat/1.png"],
        [
            "/data/val/eel/4.png",
            "/data/val/cat/2.png",
            "/data/val/dog/3.png",
            "/data/val/cat/1.png",
        ],
        ["4.png", "2.png", "3.png", "1.png"],
        ["4", "2", "3", "1"],
    ],
)
def test_rows_are_found_by_their_ids(tmp_path: Path, names: list[str]) -> None:
    lines = [
        f"{name},{label}" for name, label in zip(names, ["eel", "dog", "cat", "cat"], strict=True)
    ]
    found = read(written(tmp_path / "p.csv", "\n".join(["image,prediction", *lines])))
    # In the order of the images: 1 is cat, 2 is dog, 3 is cat, 4 is eel.
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 0, 2]
    assert (found.classes, found.n_outputs, found.kind) == (("cat", "dog", "eel"), 3, "labels")
    assert found.scores is None


def test_images_of_one_folder(tmp_path: Path) -> None:
    flat = images(("a.png", "b.png"))
    found = read(
        written(tmp_path / "p.csv", "file,prediction\nval/b.png,dog\nval/a.png,cat\n"), flat
    )
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1]


def test_images_without_prediction(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", "image,prediction\n3.png,dog\n1.png,cat\n9.png,cat\n")
    with pytest.raises(
        IdError,
        match=r"2 samples have no prediction \(cat/2\.png, eel/4\.png\) and 1 prediction belongs "
        r"to no sample \(9\.png\)",
    ):
        read(path)
    with pytest.warns(DataWarning, match="2 samples have no prediction"):
        found = read(path, missing="ignore")
    assert found.rows.tolist() == [0, 2]
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1]
    with pytest.raises(InputError, match=r'missing=error or missing=ignore, got "drop" - at .*'):
        read(path, missing="drop")


def test_arrays_have_the_order_of_the_images(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", SCORES.astype(np.float32))
    found = read(tmp_path / "p.npy")
    assert found.scores is not None
    assert np.array_equal(found.scores, SCORES.astype(np.float32))
    assert (found.kind, found.classes, found.n_outputs) == ("probabilities", None, 3)
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert "predictions have the order of the images: no ids" in found.notes
    np.save(tmp_path / "p.npy", SCORES[:3])
    with pytest.raises(ShapeError, match=r"a prediction for each of 4 images, .* got 3 - at"):
        read(tmp_path / "p.npy")


def test_a_table_without_ids(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", "prediction,confidence\ncat,1\ndog,0.5\ndog,0.25\neel,0\n")
    with pytest.raises(IdError, match=r"say that rows have the order .*,id_column=none"):
        read(path)
    for found in (read(path, id_column="none"), read(path, images(of_files=False))):
        assert found.labels is not None
        assert found.labels.tolist() == [0, 1, 1, 2]
        assert found.kind == "labels"
        assert found.confidence is not None
        assert found.confidence.tolist() == [1, 0.5, 0.25, 0]


def test_a_column_of_ids_that_is_named(tmp_path: Path) -> None:
    text = "image,real,prediction\nx,1,cat\nx,2,cat\nx,3,dog\nx,4,eel\n"
    found = read(written(tmp_path / "p.csv", text), id_column="real")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 0, 1, 2]
    with pytest.raises(SchemaError, match=r'expected a column "reel".*Did you mean "real"'):
        read(tmp_path / "p.csv", id_column="reel")


# ---- Labels -------------------------------------------------------------------------------------


def test_whole_numbers_are_positions(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([2, 0, 1, 1], np.uint16))
    found = read(tmp_path / "p.npy")
    assert found.labels is not None
    assert found.labels.tolist() == [2, 0, 1, 1]
    assert (found.classes, found.n_outputs) == (("cat", "dog", "eel"), 3)
    np.save(tmp_path / "p.npy", np.array([2, 0, 1, 3]))
    with pytest.raises(ClassError, match="labels from 0 to 2, the positions of classes, got 3"):
        read(tmp_path / "p.npy")


def test_classes_that_are_called_by_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([3, 1, 7, 2]))
    found = read(tmp_path / "p.npy", images(classes=("1", "2", "3")))
    assert found.labels is not None
    # The names, not the positions; 7 is a class that only the model knows.
    assert (found.classes, found.labels.tolist()) == (("1", "2", "3", "7"), [2, 0, 3, 1])


def test_classes_that_the_data_do_not_have(tmp_path: Path) -> None:
    text = "image,prediction\n1.png,cat\n2.png,yak\n3.png,dog\n4.png,ape\n"
    found = read(written(tmp_path / "p.csv", text))
    assert found.labels is not None
    assert (found.classes, found.labels.tolist()) == (
        ("cat", "dog", "eel", "ape", "yak"),
        [0, 4, 1, 3],
    )
    # Where no name is known they stay alone: the data may call the same classes otherwise.
    other = read(tmp_path / "p.csv", images(classes=("n1", "n2", "n3")))
    assert other.classes == ("ape", "cat", "dog", "yak")


def test_labels_of_classes_that_are_given(tmp_path: Path) -> None:
    names = written(tmp_path / "names.txt", "eel\ndog\ncat\n")
    np.save(tmp_path / "p.npy", np.array([2, 0, 1, 1]))
    found = read(tmp_path / "p.npy", classes=str(names))
    assert found.labels is not None
    assert (found.classes, found.labels.tolist()) == (("eel", "dog", "cat"), [2, 0, 1, 1])
    path = written(tmp_path / "p.csv", "image,prediction\n1,cat\n2,dgo\n3,dog\n4,cat\n")
    with pytest.raises(ClassError, match=r'labels of 3 classes .*got "dgo"\. Did you mean "dog"'):
        read(path, classes=str(names))


# ---- Scores -------------------------------------------------------------------------------------


def test_columns_that_are_called_like_classes(tmp_path: Path) -> None:
    rows = ["image,prob_eel,prob_cat,prob_dog"]
    rows += [f"{k + 1}.png,{e},{c},{d}" for k, (c, d, e) in enumerate(SCORES)]
    found = read(written(tmp_path / "p.csv", "\n".join(rows)))
    assert found.scores is not None
    assert found.classes == ("eel", "cat", "dog")
    assert np.array_equal(found.scores, SCORES[:, [2, 0, 1]])
    assert (found.labels, found.kind) == (None, "probabilities")


def test_labels_beside_scores(tmp_path: Path) -> None:
    # Somebody took a threshold: the label is not the class of the largest score.
    np.savez(
        tmp_path / "p.npz", ground_truth=[0, 0, 1, 2], predictions=SCORES, pred_label=[1, 1, 1, 1]
    )
    found = read(tmp_path / "p.npz")
    assert found.labels is not None
    assert found.scores is not None
    assert found.labels.tolist() == [1, 1, 1, 1]
    assert np.array_equal(found.scores, SCORES)
    assert found.kind == "probabilities"
    # The largest scores are of 0, 2, 1, 2.
    assert found.notes[-2].startswith("predicted is what ")
    assert found.notes[-2].endswith("not the class of the largest score for 3 images")
    np.savez(tmp_path / "p.npz", predictions=SCORES, pred_label=[0, 2, 1, 2])
    assert not any("largest score" in note for note in read(tmp_path / "p.npz").notes)


def test_names_of_columns_of_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "p.npz", scores=SCORES, classes=np.array(["eel", "cat", "dog"]))
    assert read(tmp_path / "p.npz").classes == ("eel", "cat", "dog")
    np.save(tmp_path / "p.npy", SCORES)
    names = written(tmp_path / "names.json", '{"0": "eel", "1": "cat", "2": "dog"}')
    assert read(tmp_path / "p.npy", classes=str(names)).classes == ("eel", "cat", "dog")
    short = written(tmp_path / "short.txt", "eel\ncat\n")
    with pytest.raises(ClassError, match=r"each of 3 columns of scores, got 2 - at .*short\.txt"):
        read(tmp_path / "p.npy", classes=str(short))


@pytest.mark.parametrize(
    ("scores", "kind", "note"),
    [
        (SCORES, "probabilities", "scores were taken for probabilities"),
        (np.log(SCORES + 1e-9), "logits", None),
        (SCORES / 2, "any", "scores lie in 0 … 1 and do not sum to 1"),
    ],
)
def test_what_scores_are(tmp_path: Path, scores: np.ndarray, kind: str, note: str | None) -> None:
    np.save(tmp_path / "p.npy", scores)
    found = read(tmp_path / "p.npy")
    assert found.kind == kind
    assert [said for said in found.notes if "scores" in said] == (
        [] if note is None else [said for said in found.notes if said.startswith(note)]
    )
    assert (note is None) == (len(found.notes) == 1)
    assert read(tmp_path / "p.npy", scores="logits").kind == "logits"
    with pytest.raises(InputError, match=r'scores=probabilities, got "logit" - at .* scores'):
        read(tmp_path / "p.npy", scores="logit")
    if kind == "logits":
        with pytest.raises(InputError, match="expected probabilities, from 0 to 1 and of sum 1"):
            read(tmp_path / "p.npy", scores="probabilities")


def test_settings_that_would_change_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", SCORES)
    with pytest.raises(InputError, match=r'no setting "missing" .* rows belong to the images by'):
        read(tmp_path / "p.npy", missing="ignore")
    with pytest.raises(InputError, match=r'no setting "positive" .* no single score of two'):
        read(tmp_path / "p.npy", positive="cat")
    path = written(tmp_path / "p.csv", "image,prediction\n1,cat\n2,cat\n3,dog\n4,cat\n")
    for name, value in {"scores": "logits", "positive": "cat"}.items():
        with pytest.raises(InputError, match=f'no setting "{name}" for this file: there '):
            read(path, **{name: value})


def test_one_score_of_two_classes(tmp_path: Path) -> None:
    two = images(classes=("no", "yes"))
    np.save(tmp_path / "p.npy", np.array([0.25, 0.5, 1.0, 0.0]))
    found = read(tmp_path / "p.npy", two)
    assert found.scores is not None
    assert found.scores.tolist() == [[0.75, 0.25], [0.5, 0.5], [0, 1], [1, 0]]
    other = read(tmp_path / "p.npy", two, positive="no")
    assert other.scores is not None
    assert other.scores[:, 0].tolist() == [0.25, 0.5, 1, 0]
    with pytest.raises(ClassError, match="a column of scores for each of 3 classes"):
        read(tmp_path / "p.npy")


def test_scores_that_are_no_numbers(tmp_path: Path) -> None:
    scores = SCORES.copy()
    scores[2, 1] = np.nan
    np.save(tmp_path / "p.npy", scores)
    with pytest.raises(
        InputError, match=r"expected scores that are finite numbers, got nan .* row"
    ):
        read(tmp_path / "p.npy")


def test_nothing_was_predicted(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", "image,part\n1.png,a\n2.png,b\n3.png,a\n4.png,a\n")
    with pytest.raises(SchemaError, match="expected a column of predicted labels"):
        read(path)
    with pytest.raises(InputError, match="expected a readable file"):
        read(tmp_path / "none.csv")
    with pytest.raises(InputError, match=r'got "clases"\. Did you mean "classes"'):
        read(path, clases="x")


def test_check_sums(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", SCORES)
    first, again = read(tmp_path / "p.npy"), read(tmp_path / "p.npy")
    other = read(tmp_path / "p.npy", scores="logits")
    assert first.digest == again.digest != other.digest


# ---- Real ones ----------------------------------------------------------------------------------


def reference(data: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (data / "classification" / f"reference_{name}.json").read_text()
    )
    return content


def right(found: StoredScores, data: LabelledImages) -> float:
    """Return the accuracy, by the labels, else by the largest score."""
    assert found.classes in (None, tuple(data.classes))
    codes = found.labels
    if codes is None:
        assert found.scores is not None
        codes = found.scores.argmax(1)
    return float((codes == data.labels[found.rows]).mean())


@pytest.mark.parametrize(
    ("labels", "predictions", "name", "n"),
    [
        (
            "cleanlab_imagenet_val_labels.npy",
            "cleanlab_imagenet_val_argmax.npy",
            "imagenet_val_argmax",
            50000,
        ),
        ("cleanlab_cifar10_labels.npy", "cleanlab_cifar10_pyx.npy", "cleanlab_cifar10", 10000),
        ("cleanlab_mnist_labels.npy", "cleanlab_mnist_pyx.npy", "cleanlab_mnist", 10000),
        ("cifar10_lenet_probs.npz", "cifar10_lenet_probs.npz", "cifar10_lenet", 10000),
        (
            "reliability_ImageNet_torchvision_resnet101.csv.gz",
            "reliability_ImageNet_torchvision_resnet101.csv.gz",
            "reliability_ImageNet_torchvision_resnet101",
            50000,
        ),
    ],
)
def test_recorded_predictions(
    conformance_data: Path, labels: str, predictions: str, name: str, n: int
) -> None:
    folder = conformance_data / "classification"
    data = open_images(str(folder / labels))
    found = read_predictions(folder / predictions, data, {})
    assert len(found.rows) == n
    assert right(found, data) == reference(conformance_data, name)["sklearn"]["accuracy"]


def test_keras_names_of_imagenet(conformance_data: Path) -> None:
    folder = conformance_data / "classification"
    data = open_images(str(folder / "cleanlab_imagenet_val_labels.npy"))
    settings = {"classes": str(folder / "imagenet_class_index.json")}
    found = read_predictions(folder / "cleanlab_imagenet_val_argmax.npy", data, settings)
    assert found.classes is not None
    # The first of each two: the WordNet ids, of which none comes twice.
    assert (found.classes[0], len(set(found.classes))) == ("n01440764", 1000)
    assert found.labels is not None
    assert found.labels[:3].tolist() == [48, 391, 693]
