"""Predictions for image files, and what `snellen evaluate` makes of them."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from torch import nn  # noqa: E402

from snellen import Classes, Classification, Regression, Segmentation  # noqa: E402
from snellen.cli.root import run as command_line  # noqa: E402
from snellen.errors import DataWarning, IdError, InputError, SchemaError  # noqa: E402
from snellen.training.data.normalisation import Normalisation  # noqa: E402
from snellen.training.label_files import to_original_size  # noqa: E402
from snellen.training.predicting import predict_files  # noqa: E402
from snellen.training.trained_network import TrainedNetwork  # noqa: E402
from snellen.training.training import train  # noqa: E402

BYTES = Normalisation(torch.tensor(0.0), torch.tensor(1.0), unit=255)
# A name that is also that of a column, and one that must be quoted.
NAMES = ["dark", "id", 'grey, "bright"']


class Brightness(nn.Module):
    """Scores of three classes: the nearest of 0, ½, 1 to the mean brightness."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        mean = inputs.mean((1, 2, 3))[:, None]
        return -8 * (mean - torch.tensor([0.0, 0.5, 1.0])).square()


class Pixels(nn.Module):
    """Scores of three classes of each pixel: the nearest of 0, ½, 1."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return -(inputs - torch.tensor([0.0, 0.5, 1.0])[:, None, None]).square()


class Means(nn.Module):
    """The mean brightness of each channel."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.mean((2, 3))


def classifier() -> TrainedNetwork:
    return TrainedNetwork(
        Brightness(), BYTES, Classes.of(NAMES), "classification", (1, 4, 4), {"data": "grey"}
    )


def grey(path: Path, value: int, size: tuple[int, int] = (4, 4)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)
    return path


def class_folders(root: Path) -> Path:
    # Two of each class; one of "id" is too dark.
    for folder, values in {"dark": (0, 40), "id": (128, 20), NAMES[2]: (250, 255)}.items():
        for k, value in enumerate(values):
            grey(root / folder / f"{k}.png", value)
    return root


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def evaluated(tmp_path: Path, *words: Any) -> dict[str, Any]:
    """Return what the command line measures."""
    out = tmp_path / "measured.json"
    words = (*words, "--json", out, "--quiet", "--no-intervals")
    assert command_line(["evaluate", *map(str, words)]) == 0
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


def test_labels_and_scores_of_a_folder(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "test")
    network = classifier()
    done = predict_files(network, images, tmp_path / "predictions.csv", batch_size=4)
    assert (done.n_samples, done.left_out) == (6, ())
    assert str(done).endswith("predictions.csv: 6 predictions")
    rows = rows_of(done.path)
    assert list(rows[0]) == ["id", "prediction", *(f"prob_{name}" for name in NAMES)]
    by_id = {row["id"]: row for row in rows}
    assert set(by_id) == {f"{name}/{k}.png" for name in NAMES for k in (0, 1)}
    # The row's numbers are the network's, to the last bit: softmax of -8 (0.0784 - c)².
    values = np.array([[[[20]]]], np.uint8).repeat(4, 2).repeat(4, 3)
    expected = network.predict(values)[0]
    assert [float(by_id["id/1.png"][f"prob_{name}"]) for name in NAMES] == expected.tolist()
    scores = np.exp(-8 * (20 / 255 - np.array([0, 0.5, 1])) ** 2)
    assert expected == pytest.approx(scores / scores.sum())
    assert by_id["id/1.png"]["prediction"] == "dark"


def test_the_command_line_evaluates_labels_and_scores(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "test")
    done = predict_files(classifier(), images, tmp_path / "predictions.csv")
    truth = tmp_path / "truth.csv"
    with truth.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "label"])
        table.writerows([row["id"], row["id"].rsplit("/", 1)[0]] for row in rows_of(done.path))
    measured = evaluated(tmp_path, "classification", truth, done.path)
    metric = Classification(NAMES, scores="probabilities")
    rows = rows_of(done.path)
    metric.update(
        [NAMES.index(row["id"].rsplit("/", 1)[0]) for row in rows],
        [[float(row[f"prob_{name}"]) for name in NAMES] for row in rows],
    )
    result = metric.compute()
    assert measured["metrics"]["accuracy"] == pytest.approx(5 / 6)
    for name in ("accuracy", "f1_macro", "log_loss", "auc_macro"):
        assert measured["metrics"][name] == pytest.approx(result.metrics[name], abs=1e-12)
    # The folder itself is as good as a table of truth.
    again = evaluated(tmp_path, "classification", images, done.path)
    assert again["metrics"]["log_loss"] == pytest.approx(result.log_loss, abs=1e-12)


@pytest.mark.parametrize("target", [None, "mass", ["red", "green", "blue"]])
def test_the_command_line_evaluates_numbers(target: Any, tmp_path: Path) -> None:
    channels = 3 if isinstance(target, list) else 1
    data = {"name": "table.csv"} if target is None else {"name": "table.csv", "target": target}
    network = TrainedNetwork(Means(), BYTES, None, "regression", (channels, 4, 4), {"data": data})
    colours = [(10, 20, 30), (40, 80, 70), (200, 90, 6)]
    for k, colour in enumerate(colours):
        image = (
            Image.new("RGB", (4, 4), colour) if channels == 3 else Image.new("L", (4, 4), colour[0])
        )
        image.save(tmp_path / f"{k}.png")
    done = predict_files(
        network, [tmp_path / f"{k}.png" for k in range(3)], tmp_path / "p.csv", root=tmp_path
    )
    names = target if isinstance(target, list) else [target or "prediction"]
    assert list(rows_of(done.path)[0]) == ["id", *names]
    expected = np.array(colours, np.float32)[:, :channels] / 255
    found = np.array([[float(row[name]) for name in names] for row in rows_of(done.path)])
    assert found == pytest.approx(expected, abs=1e-6)
    truth = tmp_path / "truth.csv"
    shifted = expected + np.array([[0.1], [-0.2], [0.3]])
    lines = [",".join(["id", *([target] if isinstance(target, str) else target or ["target"])])]
    lines += [",".join([f"{k}.png", *map(str, row)]) for k, row in enumerate(shifted.tolist())]
    truth.write_text("\n".join(lines) + "\n", "utf-8")
    measured = evaluated(tmp_path, "regression", truth, done.path)
    result = Regression().update(shifted, found).compute()
    assert measured["metrics"]["mae"] == pytest.approx(0.2, abs=1e-6)
    assert measured["metrics"]["rmse"] == pytest.approx(result.rmse, abs=1e-12)


@pytest.mark.parametrize("loss", ["bce", {"name": "sigmoid_focal", "gamma": 1.0}])
def test_a_yes_or_no_for_each_class_is_answered_by_sigmoids(loss: Any) -> None:
    network = TrainedNetwork(
        nn.Identity(), BYTES, Classes.of(NAMES), "classification", (3,), {"loss": loss}
    )
    assert network.scores == "binary_logits"
    # Sigmoids of 0, ln 3, -ln 3 are 1/2, 3/4, 1/4: by their sum of 3/2, 1/3, 1/2, 1/6. A softmax
    # would give 3/13, 9/13, 1/13.
    logits = torch.tensor([[0.0, np.log(3), -np.log(3)], [-800.0, -801.0, -900.0]])
    answers = network.answers(logits)
    np.testing.assert_allclose(answers[0], [1 / 3, 1 / 2, 1 / 6], rtol=1e-6)
    # All of them far below what floats hold: their ratio is e.
    np.testing.assert_allclose(answers[1], [np.e / (1 + np.e), 1 / (1 + np.e), 0], 1e-6, 1e-12)


def test_probabilities_of_a_network_trained_by_bce_are_calibrated() -> None:
    # Labels drawn by known probabilities: those are what the minimum of the loss gives. A softmax
    # of the same outputs has an ece of 0.12.
    random = torch.Generator().manual_seed(1)
    inputs = torch.randn(6000, 2, generator=random)
    chances = torch.cat([inputs, -inputs.sum(1, keepdim=True)], 1).softmax(1)
    labels = torch.multinomial(chances, 1, generator=random)[:, 0]
    run = train(
        {
            "data": "drawn",
            "network": {"name": "fc", "hidden": [64]},
            "loss": "bce",
            "learning_rate": 0.01,
            "epochs": 10,
        },
        data={"train": (inputs[:3000], labels[:3000]), "test": (inputs[3000:], labels[3000:])},
    )
    assert run.metrics["ece"] < 0.05


def segmenter(shape: tuple[int, int, int] = (1, 4, 4), **options: Any) -> TrainedNetwork:
    return TrainedNetwork(
        Pixels(),
        BYTES,
        Classes.of(["road", "car", "sky"]),
        "segmentation",
        shape,
        {"data": {"name": "street", **options}},
    )


def test_the_command_line_evaluates_label_images(tmp_path: Path) -> None:
    truth = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 2, 2], [2, 2, 2, 0]], np.uint8)
    (tmp_path / "images" / "a").mkdir(parents=True)
    (tmp_path / "labels" / "a").mkdir(parents=True)
    for name, wrong in (("a/0", 0), ("1", 1)):
        pixels = truth * np.uint8(127)
        pixels[0, :wrong] = 255  # road that looks like sky
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(truth).save(tmp_path / "labels" / f"{name}.png")
    done = predict_files(segmenter(), tmp_path / "images", tmp_path / "predicted")
    assert sorted(p.name for p in done.path.rglob("*.png")) == ["0.png", "1.png"]
    assert np.array_equal(np.asarray(Image.open(done.path / "a" / "0.png")), truth)
    classes = tmp_path / "classes.txt"
    classes.write_text("road\ncar\nsky\n", "utf-8")
    words = ("segmentation", tmp_path / "labels", done.path, "--classes", classes)
    measured = evaluated(tmp_path, *words)
    # Of two images road has 5 + 4 of 10, car 8 of 8, sky 14 of 15 pixels.
    assert measured["metrics"]["mIoU"] == pytest.approx((9 / 10 + 1 + 14 / 15) / 3)
    result = Segmentation(3)
    for name in ("a/0", "1"):
        result.update(truth, np.asarray(Image.open(done.path / f"{name}.png")), image_id=name)
    assert measured["metrics"]["mIoU"] == result.compute().mIoU


def test_label_images_have_the_size_of_their_image(tmp_path: Path) -> None:
    # Left half dark, right half bright, twice as large as what the network sees.
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:, 4:] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    done = predict_files(segmenter(), tmp_path / "a.png", tmp_path / "p", root=tmp_path)
    found = np.asarray(Image.open(done.path / "a.png"))
    assert found.shape == (8, 8)
    assert np.unique(found[:, :3]).tolist() == [0]
    assert np.unique(found[:, 5:]).tolist() == [2]
    assert done.notes == ()


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_what_the_network_does_not_see_is_no_class(fit: str, tmp_path: Path) -> None:
    # The middle 4 × 4 of 4 × 8, or all of it at half the width.
    pixels = np.array([[0, 0, 255, 255, 0, 0, 255, 255]] * 4, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    done = predict_files(segmenter(fit=fit), tmp_path / "wide.png", tmp_path / "p", root=tmp_path)
    found = np.asarray(Image.open(done.path / "wide.png"))
    if fit == "crop":
        assert found[0].tolist() == [255, 255, 2, 2, 0, 0, 255, 255]
        assert "1 images are wider or higher" in done.notes[0]
    else:
        assert found.shape == (4, 8)
        assert 255 not in found
        assert done.notes == ()


def test_maps_brought_back_by_hand() -> None:
    labels = np.array([[0, 1], [2, 3]], np.uint8)
    whole, cut = to_original_size(labels, (4, 2), "stretch", 4)
    assert whole.tolist() == [[0, 1], [0, 1], [2, 3], [2, 3]]
    assert not cut
    whole, cut = to_original_size(labels, (4, 2), "crop", 4)
    assert whole.tolist() == [[255, 255], [0, 1], [2, 3], [255, 255]]
    assert cut
    # Made smaller: the nearest of each.
    whole, _ = to_original_size(np.arange(9).reshape(3, 3), (1, 1), "crop", 9)
    assert whole.tolist() == [[4]]
    with pytest.raises(InputError, match="at most 255 classes"):
        to_original_size(labels, (4, 2), "crop", 256)


def test_images_of_other_sizes_and_colours(tmp_path: Path) -> None:
    grey(tmp_path / "in" / "large.png", 255, (9, 7))
    Image.new("RGB", (4, 4), (255, 255, 255)).save(tmp_path / "in" / "colour.jpg")
    np.save(tmp_path / "in" / "array.npy", np.full((4, 4), 255, np.uint8))
    done = predict_files(classifier(), tmp_path / "in", tmp_path / "p.csv")
    rows = rows_of(done.path)
    assert [row["id"] for row in rows] == ["array.npy", "colour.jpg", "large.png"]
    assert {row["prediction"] for row in rows} == {NAMES[2]}
    assert len({row["prob_dark"] for row in rows}) == 1


def test_images_that_cannot_be_read(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "test")
    (images / "dark" / "0.png").write_bytes(b"no image")
    whole = (images / "id" / "0.png").read_bytes()
    (images / "id" / "0.png").write_bytes(whole[:-20])
    with pytest.warns(
        DataWarning, match=r"^2 images that cannot be read left out: dark/0\.png, id/0\.png$"
    ):
        done = predict_files(classifier(), images, tmp_path / "p.csv", batch_size=2)
    assert done.n_samples == 4
    assert done.left_out == ("dark/0.png", "id/0.png")
    assert len(rows_of(done.path)) == 4
    assert done.notes == ()  # it was said once
    assert str(done).endswith("cannot be read: dark/0.png, id/0.png")
    # The rest can be measured.
    measured = evaluated(tmp_path, "classification", images, done.path, "--missing", "ignore")
    assert measured["metrics"]["accuracy"] == pytest.approx(3 / 4)
    before = done.path.read_bytes()
    with warnings.catch_warnings(), pytest.raises(SchemaError, match=r"dark.0\.png"):
        predict_files(classifier(), images, done.path, strict=True)
    assert done.path.read_bytes() == before
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"no image")
    for network, out in ((classifier(), "none.csv"), (segmenter(), "none")):
        with pytest.raises(SchemaError, match="expected an image"):
            predict_files(network, tmp_path / "bad", tmp_path / out)
        assert not (tmp_path / out).exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_what_images_are_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = grey(tmp_path / "a" / "0.png", 0)
    second = grey(tmp_path / "b" / "0.png", 255)
    monkeypatch.chdir(tmp_path)

    def called(images: Any, **options: Any) -> list[str]:
        done = predict_files(classifier(), images, tmp_path / "p.csv", **options)
        return [row["id"] for row in rows_of(done.path)]

    assert called(["a/0.png", "b/0.png"]) == ["a/0.png", "b/0.png"]
    assert called("a") == ["0.png"]
    assert called(["a", "b"]) == ["a/0.png", "b/0.png"]
    assert called([first, second], root=tmp_path) == ["a/0.png", "b/0.png"]
    with pytest.raises(IdError, match=r'got "a/0\.png" twice'):
        called(["a/0.png", "a"])
    with pytest.raises(InputError, match="expected images below"):
        called([first, second], root=tmp_path / "a")
    grey(tmp_path / "a" / "0.bmp", 0)
    with pytest.raises(IdError, match=r"0\.bmp and 0\.png"):
        predict_files(segmenter(), "a", tmp_path / "maps")
    assert not (tmp_path / "maps").exists()


def test_what_predict_refuses(tmp_path: Path) -> None:
    image = grey(tmp_path / "in" / "0.png", 0)
    out = tmp_path / "p.csv"
    with pytest.raises(InputError, match="there is none"):
        predict_files(classifier(), tmp_path / "absent", out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="got a folder without any"):
        predict_files(classifier(), tmp_path / "empty", out)
    with pytest.raises(InputError, match="expected images, got none"):
        predict_files(classifier(), [], out)
    with pytest.raises(InputError, match="batch_size"):
        predict_files(classifier(), image, out, batch_size=0)
    with pytest.raises(InputError, match="whole number from 1, got -1 - at threads"):
        predict_files(classifier(), image, out, threads=-1)
    with pytest.raises(InputError, match="expected a file for the table, got a folder"):
        predict_files(classifier(), image, tmp_path / "in")
    with pytest.raises(InputError, match="expected a new or empty folder"):
        predict_files(segmenter(), image, tmp_path / "in", root=tmp_path)
    link, before = tmp_path / "link.png", image.read_bytes()
    link.symlink_to(image)
    for place in (image, link):
        with pytest.raises(
            InputError, match="expected another path than that of what is predicted"
        ):
            predict_files(classifier(), tmp_path / "in", place)
    assert image.read_bytes() == before
    plain = TrainedNetwork(nn.Linear(3, 1), BYTES, None, "regression", (3,), {})
    with pytest.raises(InputError, match="a table, got one of 3 numbers without names"):
        predict_files(plain, image, out)
    assert not out.exists()


@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_images_are_read_as_for_training(fit: str, tmp_path: Path) -> None:
    from snellen.training.choices import Choice
    from snellen.training.data.source import open_data

    drawn = np.random.default_rng(2)
    for k in range(6):
        size = (5 + k, 9 - k, 3) if k % 2 else (5 + k, 9 - k)
        folder = tmp_path / "test" / NAMES[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn.integers(0, 256, size).astype(np.uint8)).save(folder / f"{k}.png")
    options = {"image_size": 4, "mode": "RGB", "fit": fit, "validation": 0}
    choice = Choice(str(tmp_path / "test"), options)
    part = open_data(choice).train
    assert part.ids is not None
    network = TrainedNetwork(
        nn.Sequential(nn.Flatten(), nn.Linear(48, 2)),
        BYTES,
        Classes.of(NAMES[:2]),
        "classification",
        part.input_shape,
        {"data": choice.plain()},
    )
    expected = dict(zip(part.ids, network.predict(part.inputs), strict=True))
    done = predict_files(network, tmp_path / "test", tmp_path / "p.csv")
    for row in rows_of(done.path):
        found = [float(row[f"prob_{name}"]) for name in NAMES[:2]]
        assert found == pytest.approx(expected[row["id"]], abs=1e-7)
    assert len(expected) == done.n_samples == 6


# --- tables


def sums(*features: str) -> TrainedNetwork:
    """Return a network that adds up its columns, with different weights."""
    network = nn.Linear(len(features), 1, bias=False)
    with torch.no_grad():
        network.weight.copy_(10.0 ** torch.arange(len(features)))
    as_it_is = Normalisation(torch.tensor(0.0), torch.tensor(1.0))
    shape = (len(features),)
    return TrainedNetwork(network, as_it_is, None, "regression", shape, {}, features)


def test_rows_of_a_table_by_the_names_of_its_columns(tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "p.csv"
    table.write_text("b,id,note,a\n1,x,good,2\n3,y,,4\n0.5,z,bad,0\n")
    done = predict_files(sums("a", "b"), table, out, batch_size=2)
    assert out.read_text() == "id,prediction\nx,12.0\ny,34.0\nz,5.0\n"
    assert (done.n_samples, done.left_out, done.notes) == (3, (), ())


def test_rows_without_ids_are_numbered(tmp_path: Path) -> None:
    table, out = tmp_path / "t.tsv", tmp_path / "p.csv"
    table.write_text("a\tb\n1\t1\n2\t2\n")
    done = predict_files(sums("a", "b"), [table], out)
    assert [row["id"] for row in rows_of(out)] == ["0", "1"]
    assert done.notes == ("ids are row numbers, from 0",)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("id,a\nx,1\n", SchemaError, r'expected a column "b", got id, a'),
        ("id,a,b\nx,1,two\n", SchemaError, r'expected numbers in column "b", got "two" - at'),
        ("id,a,b\nx,1,2\ny,nan,2\n", InputError, r"expected finite numbers in a, b.*line 3"),
        ("id,a,b\nx,1,2\nx,3,2\n", IdError, r'expected each id once in id, got "x" again.*line 3'),
    ],
)
def test_tables_that_are_refused(
    text: str, error: type[Exception], message: str, tmp_path: Path
) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "p.csv"
    table.write_text(text)
    with pytest.raises(error, match=message):
        predict_files(sums("a", "b"), table, out)
    with pytest.raises(InputError, match="expected one table for a network of columns, got 2"):
        predict_files(sums("a", "b"), [table, table], out)
    with pytest.raises(InputError, match="expected no root for the rows of a table"):
        predict_files(sums("a", "b"), table, out, root=tmp_path)
    with pytest.raises(InputError, match="expected another path than that of what is predicted"):
        predict_files(sums("a", "b"), table, table)
    assert table.read_text() == text
    assert not out.exists()


def test_a_network_of_columns_from_training_to_evaluation(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(200, 3))
    target = values @ [1.0, -2.0, 0.5] + 3
    table = tmp_path / "houses.csv"
    with table.open("w") as file:
        file.write("id,area,rooms,age,price\n")
        for k, (row, price) in enumerate(zip(values, target, strict=True)):
            file.write(f"h{k},{','.join(map(str, row))},{price}\n")
    run = tmp_path / "run"
    train(
        {
            "data": {
                "name": str(table),
                "target": "price",
                "features": ["rooms", "area", "age"],
            },
            "task": "regression",
            "network": ["linear"],
            "learning_rate": 0.1,
            "epochs": 30,
            "batch_size": 32,
        },
        out=run,
    )
    assert command_line(["predict", str(run), str(table), "--out", str(tmp_path / "p.csv")]) == 0
    found = evaluated(tmp_path, "regression", table, tmp_path / "p.csv", "--target", "price")
    assert found["metrics"]["r2"] > 0.99
    assert 'predict_files(network, "table.csv"' in (run / "README.md").read_text()
