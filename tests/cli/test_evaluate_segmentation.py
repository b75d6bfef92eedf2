"""``snellen evaluate segmentation``, as a user types it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import Segmentation, metric_from_bytes
from snellen.cli.root import run as command_line
from snellen.segmentation.label_scheme import SCHEMES
from snellen.segmentation.protocols import PROTOCOLS

from .conftest import Run

Maps = list[Any]

# Road (0), car (1), sky (2); 255 is void.
TRUTH = [
    [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1], [2, 2, 2, 2, 2, 255]],
    [[0, 0, 0, 2, 2, 2], [0, 0, 0, 2, 2, 2], [0, 0, 0, 2, 2, 255]],
]
PRED = [
    [[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], [2, 2, 2, 2, 2, 2]],
    [[0, 0, 0, 0, 2, 2], [0, 0, 0, 0, 2, 2], [0, 0, 0, 0, 2, 0]],
]
# road: 15 both; 17 true, 3 more predicted (the pixel on void does not count) -> 15 / 20
# car: 4 both; 4 true, 2 more predicted -> 4 / 6
# sky: 5 + 5 both; 5 + 8 true, none more predicted -> 10 / 13
IOU = {"road": 15 / 20, "car": 4 / 6, "sky": 10 / 13}
# Images: (6/8 + 4/6 + 5/5) / 3, and (9/12 + 5/8) / 2, in which there is no car.
IMAGES = {"0": (6 / 8 + 4 / 6 + 5 / 5) / 3, "1": (9 / 12 + 5 / 8) / 2}
COLOURS = np.array([[128, 64, 128], [0, 0, 142], [70, 130, 180]], np.uint8)
CLASSES = [
    {"id": k, "name": name, "color": COLOURS[k].tolist()}
    for k, name in enumerate(("road", "car", "sky"))
]


def write(folder: Path, maps: Maps, ending: str = "png", *, name: str = "{}") -> Path:
    """Write label maps as files of a folder: 0.png, 1.png, …"""
    folder.mkdir(parents=True)
    for k, values in enumerate(maps):
        path = folder / f"{name.format(k)}.{ending}"
        if ending == "npy":
            np.save(path, np.asarray(values))
        else:
            Image.fromarray(np.asarray(values)).save(path)
    return folder


def small(maps: Any, dtype: Any = np.uint8) -> Maps:
    return [np.array(each, dtype) for each in maps]


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Return a folder with truth/, pred/ and classes.json of two images."""
    write(tmp_path / "truth", small(TRUTH))
    write(tmp_path / "pred", small(PRED))
    (tmp_path / "classes.json").write_text(json.dumps(CLASSES))
    return tmp_path


def evaluated(run: Run, *arguments: str | Path) -> dict[str, Any]:
    done = run("evaluate", "segmentation", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of_classes(result: dict[str, Any], name: str) -> dict[str, float]:
    return {record["class"]: record[name] for record in result["per_class"]}


IGNORING = ("--ignore-index", "255")


def test_numbers_of_two_images(run: Run, street: Path) -> None:
    sides = street / "truth", street / "pred", "--classes", street / "classes.json", *IGNORING
    found = evaluated(run, *sides)
    assert of_classes(found, "iou") == IOU
    assert found["metrics"]["mIoU"] == pytest.approx(sum(IOU.values()) / 3, abs=1e-15)
    assert found["metrics"]["pixel_accuracy"] == (15 + 4 + 10) / 34
    assert found["data"]["n_void"] == 2
    worst_first = [(record["image"], record["mIoU"]) for record in found["per_image"]]
    assert worst_first == [("1", IMAGES["1"]), ("0", pytest.approx(IMAGES["0"], abs=1e-15))]
    assert found["intervals"]["mIoU"]["unit"] == "image"
    # Where a list of classes says nothing of void, 255 is void.
    assert evaluated(run, *sides[:4]) == found
    # In the state there is all of it, and on stdout nothing else.
    out = street / "made/out"
    done = run("evaluate", "segmentation", *sides, "--out", out, "--quiet", "--no-intervals")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = json.loads((out / "result.json").read_text())
    assert "intervals" not in written
    assert written["metrics"] == found["metrics"]
    metric = metric_from_bytes((out / "state.bin").read_bytes())
    assert isinstance(metric, Segmentation)
    assert metric.compute().metrics == found["metrics"]
    assert sorted(path.name for path in out.iterdir()) == ["result.json", "run.json", "state.bin"]


def test_the_report_is_on_stdout_and_what_was_decided_on_stderr(run: Run, street: Path) -> None:
    sides = street / "truth", street / "pred", "--classes", street / "classes.json", *IGNORING
    done = run("evaluate", "segmentation", *sides)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    # precision 15/18, recall 15/17, Dice 30/35
    assert ["road", "0.7500", "0.8571", "0.8333", "0.8824", "17"] in lines
    assert any(line[:4] == ["mean", "IoU", "mIoU", "0.7286"] for line in lines)
    assert "pixels       36, 2 of them void in truth" in done.stdout
    assert "1  0.6875  sky 0.6250\n0  0.8056  car 0.6667\n" in done.stdout
    # Of 13 pixels of sky 3 were taken for road, of 17 of road 2 for a car.
    assert "sky → road  3  23.1 % of sky\nroad → car  2  11.8 % of road\n" in done.stdout
    assert "intervals    95 %, over images: bootstrap, basic" in done.stdout
    every = run("evaluate", "segmentation", *sides, "--per-class", "--no-intervals")
    assert "n_predicted_no_class" in every.stdout
    assert "(0." not in every.stdout
    assert "intervals" not in every.stdout


def test_halves_merge_to_the_whole(run: Run, street: Path) -> None:
    arguments = ("--classes", street / "classes.json", *IGNORING, "--no-intervals", "--quiet")
    for k in (0, 1):
        for side in ("truth", "pred"):
            (street / f"half{k}" / side).mkdir(parents=True)
            (street / side / f"{k}.png").rename(street / f"half{k}" / side / f"{k}.png")
        done = run(
            "evaluate",
            "segmentation",
            *(street / f"half{k}" / side for side in ("truth", "pred")),
            *arguments,
            "--out",
            street / f"out{k}",
        )
        assert done.returncode == 0, done.stderr
    whole = Segmentation(["road", "car", "sky"], ignore_index=255)
    whole.update(np.array(TRUTH), np.array(PRED), image_id=["0", "1"])
    merged = run("merge", street / "out1", street / "out0", "--json", "-", "--out", street / "all")
    assert merged.returncode == 0, merged.stderr
    assert json.loads(merged.stdout)["metrics"] == whole.compute().metrics
    again = run("merge", street / "all", street / "out1")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("snellen: error: expected each image once")
    # A state of another metric is no half of it.
    sides = (street / "half0" / side for side in ("truth", "pred"))
    run("evaluate", "boundary", *sides, *arguments, "--out", street / "other")
    mixed = run("merge", street / "out0", street / "other")
    assert (mixed.returncode, mixed.stdout) == (1, "")
    assert mixed.stderr == (
        f"snellen: error: expected the state of Segmentation, as {street / 'out0'} is, got that "
        f"of BoundaryQuality - at {street / 'other'}\n"
    )


def test_two_runs_are_compared(run: Run, street: Path) -> None:
    write(street / "perfect", small(TRUTH))
    for name in ("pred", "perfect"):
        done = run(
            *("evaluate", "segmentation", street / "truth", street / name, *IGNORING, "--quiet"),
            *("--classes", street / "classes.json", "--out", street / "runs" / name),
        )
        assert done.returncode == 0, done.stderr
    done = run("compare", street / "runs/pred", street / "runs/perfect", "--json", "-")
    assert done.returncode == 0, done.stderr
    found = {each["metric"]: each for each in json.loads(done.stdout)["differences"]}
    assert found["mIoU"]["difference"] == pytest.approx(1 - sum(IOU.values()) / 3)


def test_gates(run: Run, street: Path) -> None:
    arguments = ("evaluate", "segmentation", street / "truth", street / "pred", *IGNORING)
    arguments += ("--classes", street / "classes.json", "--quiet")
    # 29 / 34 = 0.853
    assert run(*arguments, "--fail-under", "pixel_accuracy=0.85").returncode == 0
    failed = run(*arguments, "--fail-under", "mIoU=0.73", "--fail-under", "pixel_accuracy=0.86")
    assert failed.returncode == 3
    assert failed.stderr.splitlines() == [
        "snellen: mIoU is 0.728632, below 0.73",
        "snellen: pixel_accuracy is 0.852941, below 0.86",
    ]
    unknown = run(*arguments, "--fail-under", "miou=0.9")
    assert unknown.returncode == 2
    assert 'Did you mean "mIoU"' in unknown.stderr


def test_each_protocol_has_its_mean(tmp_path: Path) -> None:
    # Class 3 is nowhere, and class 2 only predicted; one pixel is predicted as no class.
    write(tmp_path / "t", small([[[0, 0, 1, 1]], [[0, 0, 0, 0]]]))
    write(tmp_path / "p", small([[[0, 0, 1, 2]], [[0, 0, 0, 255]]]))
    # Images: [1, 1/2, 0, -] and [3/4, -, -, -]; all: 5/6, 1/2, 0, -.
    wanted = {
        "snellen": (5 / 6 + 1 / 2 + 0) / 3,
        "cityscapes": (5 / 6 + 1 / 2 + 0) / 3,
        "mmseg": (5 / 6 + 1 / 2 + 0) / 3,
        "torchmetrics-jaccard": (5 / 6 + 1 / 2 + 0) / 3,
        "keras": (5 / 5 + 1 / 2 + 0) / 3,
        "sklearn": (5 / 6 + 1 / 2 + 0 + 0) / 4,
        "smp": (5 / 6 + 1 / 2 + 0 + 1) / 4,
        "truth-classes": (5 / 6 + 1 / 2) / 2,
        "torchmetrics": (1 + 1 / 2 + 0 + 3 / 4) / 4,
        "smp-imagewise": (1 + 1 / 2 + 0 + 1 + 3 / 4 + 1 + 1 + 1) / 8,
        "monai": ((1 + 1 / 2) / 2 + 3 / 4) / 2,
        "monai-batch": ((1 + 3 / 4) / 2 + 1 / 2) / 2,
    }
    assert wanted.keys() == PROTOCOLS.keys()
    (tmp_path / "classes.txt").write_text("a\nb\nc\nd\n")
    for name, value in wanted.items():
        out = tmp_path / "out.json"
        arguments = ("evaluate", "segmentation", tmp_path / "t", tmp_path / "p", *IGNORING)
        arguments += ("--classes", tmp_path / "classes.txt", "--protocol", name, "--json", out)
        # In this process: twelve starts take seconds.
        assert command_line([*map(str, arguments), "--no-intervals", "--quiet"]) == 0
        found = json.loads(out.read_text())
        assert found["metrics"]["mIoU"] == pytest.approx(value, abs=1e-15), name
        assert found["protocol"]["name"] == name
        assert found["by_rule"] == pytest.approx(wanted, abs=1e-15)


def test_an_ignored_class_is_ignored_in_truth_and_the_report_says_so(
    run: Run, street: Path
) -> None:
    (street / "names.txt").write_text("road\ncar\nsky\nvoid\n")
    write(street / "t", small([np.array(each) % 252 for each in TRUTH]))  # 255 is 3
    done = run(
        *("evaluate", "segmentation", street / "t", street / "pred"),
        *("--classes", street / "names.txt", "--ignore-index", "3", "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert of_classes(found, "iou") == {**IOU, "void": None}
    assert "snellen: pixels whose truth is void (ids 3) are ignored: " in done.stderr
    # Without the sky's pixels none is taken for road but road.
    fewer = evaluated(
        *(run, street / "t", street / "pred", "--classes", street / "names.txt"),
        *("--ignore-index", "3", "--ignore-index", "2"),
    )
    assert of_classes(fewer, "iou") == {"road": 15 / 17, "car": 4 / 6, "sky": None, "void": None}


def test_reduce_zero_label(run: Run, street: Path) -> None:
    one_more = [np.where(np.array(each) == 255, 0, np.array(each) + 1) for each in TRUTH]
    write(street / "from1", small(one_more))
    classes = ("--classes", street / "classes.json", "--reduce-zero-label")
    assert of_classes(evaluated(run, street / "from1", street / "pred", *classes), "iou") == IOU
    # Predictions from 1, too; said, for values alone do not tell.
    write(street / "pred1", [each + 1 for each in small(PRED)])
    found = evaluated(
        *(run, street / "from1", street / "pred1", *classes),
        *("--prediction-encoding", "ids from 1"),
    )
    assert of_classes(found, "iou") == IOU


def test_predictions_that_are_one_class_off_are_doubted(run: Run, street: Path) -> None:
    """A network that has no class for void, whose list has one: the commonest mistake."""
    (street / "names.txt").write_text("void\nroad\ncar\nsky\n")
    one_more = [np.where(np.array(each) == 255, 0, np.array(each) + 1) for each in TRUTH]
    write(street / "from1", small(one_more))
    arguments = (street / "from1", street / "pred", "--classes", street / "names.txt")
    done = run("evaluate", "segmentation", *arguments, "--no-intervals")
    assert done.returncode == 0
    # Right would be 29 of 36 pixels: all of them are counted, for void is a class of this list. As
    # it is, two pixels of road that were taken for a car agree, and one void one for road.
    assert done.stderr.startswith("snellen: 8.3% of the pixels agree, but 80.6% would if each ")
    assert done.stderr.endswith(" See --reduce-zero-label\n")


KINDS: dict[str, Callable[[Path], Path]] = {
    "palette": lambda to: palette_images(to, small(PRED)),
    "16 bits": lambda to: write(to, small(PRED, np.uint16)),
    "TIFF": lambda to: write(to, small(PRED), "tif"),
    "TIFF of 16 bits": lambda to: write(to, small(PRED, np.uint16), "tiff"),
    "BMP": lambda to: write(to, small(PRED), "bmp"),
    "NPY": lambda to: write(to, small(PRED, np.int64), "npy"),
    "colours": lambda to: write(to, [COLOURS[each] for each in small(PRED)]),
    "other names": lambda to: write(to, small(PRED), name="{}_leftImg8bit_pred"),
}


def palette_images(folder: Path, maps: Maps) -> Path:
    """Write indices of a palette, whose colours are of no matter."""
    folder.mkdir()
    for k, values in enumerate(maps):
        image = Image.fromarray(values).convert("P")
        image.putdata(values.ravel().tolist())
        image.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0])
        image.save(folder / f"{k}.png")
    return folder


def test_colours_at_other_indices_of_palettes(run: Run, street: Path) -> None:
    made = street / "made"
    made.mkdir()
    for k, ids in enumerate(small(PRED)):
        image = Image.fromarray(np.array([2, 0, 1], np.uint8)[ids])
        image.putpalette(COLOURS[[1, 2, 0]].tobytes())
        image.save(made / f"{k}.png")
    sides = street / "truth", made, *IGNORING, "--classes", street / "classes.json"
    done = run("evaluate", "segmentation", *sides, "--no-intervals", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert of_classes(json.loads(done.stdout), "iou") == IOU
    assert done.stderr == (
        "snellen: predictions are colours, through palettes: they have those of classes.json, at "
        "other indices than its ids\n"
    )
    as_ids = evaluated(run, *sides, "--prediction-encoding", "ids")
    assert of_classes(as_ids, "iou") != IOU
    # What looks at shapes sees the same.
    write(street / "gray", small(PRED))
    found = [
        run(
            *("evaluate", "boundary", street / "truth", pred, *IGNORING, "--no-intervals"),
            *("--classes", street / "classes.json", "--json", "-"),
        )
        for pred in (made, street / "gray")
    ]
    assert [each.returncode for each in found] == [0, 0], found[0].stderr
    results = [json.loads(each.stdout)["metrics"] for each in found]
    assert results[0] == results[1]


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_every_kind(run: Run, street: Path, kind: str) -> None:
    made = KINDS[kind](street / "made")
    done = run(
        *("evaluate", "segmentation", street / "truth", made, *IGNORING, "--no-intervals"),
        *("--classes", street / "classes.json", "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    assert of_classes(json.loads(done.stdout), "iou") == IOU
    said = {
        "colours": "snellen: predictions are colours: by the table of classes.json\n",
        "other names": "snellen: files are paired by their path without what says what a file is\n",
    }
    assert done.stderr == said.get(kind, "")


def test_help_names_every_scheme(run: Run) -> None:
    shown = " ".join(run("evaluate", "segmentation", "--help").stdout.split())
    for name in SCHEMES:
        assert re.search(rf" {name}[,;]", shown), name


def test_lists_and_single_files(run: Run, street: Path) -> None:
    classes = ("--classes", street / "classes.json", *IGNORING)
    (street / "pairs.txt").write_text("truth/0.png\tpred/0.png\n\ntruth/1.png\tpred/1.png\n")
    (street / "pairs.csv").write_text("truth/0.png, pred/0.png\ntruth/1.png, pred/1.png\n")
    for name in ("pairs.txt", "pairs.csv"):
        found = evaluated(run, street / name, *classes)
        assert of_classes(found, "iou") == IOU
        assert {record["image"] for record in found["per_image"]} == {"truth/0", "truth/1"}
    found = evaluated(run, street / "truth/0.png", street / "pred/0.png", *classes)
    assert found["metrics"]["mIoU"] == pytest.approx(IMAGES["0"], abs=1e-15)


def test_images_that_one_side_lacks_are_left_out_on_demand(run: Run, street: Path) -> None:
    (street / "pred/1.png").rename(street / "pred/7.png")
    done = run(
        *("evaluate", "segmentation", street / "truth", street / "pred", *IGNORING),
        *("--classes", street / "classes.json", "--missing", "ignore"),
    )
    assert done.returncode == 0
    assert done.stderr == (
        "snellen: warning: left out: 1 label image has no prediction (1) and 1 prediction belongs "
        "to no label image (7)\n"
    )
    assert "images       1\n" in done.stdout


def test_unknown_values_are_void_on_demand(run: Run, street: Path) -> None:
    maps = small(PRED)
    maps[1][:, 4:] = 9  # of six pixels five were sky, one was void
    write(street / "odd", maps)
    arguments = ("evaluate", "segmentation", street / "truth", street / "odd", *IGNORING)
    arguments += ("--classes", street / "classes.json", "--unknown", "ignore", "--json", "-")
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "snellen: warning: predictions: expected ids (0 to 2, 255), got 9 (6 pixels); taken as "
        f"misses, as no class; first in {street / 'odd/1.png'}\n"
    )
    found = json.loads(done.stdout)
    assert found["data"]["n_predicted_no_class"] == 5
    assert of_classes(found, "iou") == {**IOU, "sky": 5 / 13}
    assert run(*arguments, "--quiet").stderr == ""


def test_threads_change_no_byte(run: Run, tmp_path: Path) -> None:
    run("sample", "segmentation", tmp_path, "--images", 6, "--no-images", "--quiet")
    sides = tmp_path / "truth", tmp_path / "predictions", "--classes", tmp_path / "classes.json"
    for n in ("1", "2"):
        done = run(
            *("evaluate", "segmentation", *sides, "--threads", n, "--out", tmp_path / n, "--quiet")
        )
        assert done.returncode == 0, done.stderr
    for name in ("state.bin", "result.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    # What the sample's own files hold, counted here.
    labels = json.loads((tmp_path / "classes.json").read_text())
    labels = labels["classes"] if isinstance(labels, dict) else labels
    ids = [each["id"] for each in labels if not each.get("ignore")]
    both = dict.fromkeys(ids, 0)
    either = dict.fromkeys(ids, 0)
    for path in sorted((tmp_path / "truth").iterdir()):
        with Image.open(path) as a, Image.open(tmp_path / "predictions" / path.name) as b:
            truth, pred = np.asarray(a), np.asarray(b)
        counted = np.isin(truth, ids)
        for k in ids:
            both[k] += int(((truth == k) & (pred == k)).sum())
            either[k] += int((((truth == k) | (pred == k)) & counted).sum())
    found = json.loads((tmp_path / "1/result.json").read_text())
    assert {record["id"]: record["iou"] for record in found["per_class"]} == {
        k: both[k] / either[k] if either[k] else None for k in ids
    }


# --- Cityscapes: labelIds road 7, person 24, car 26; trainIds 0, 11, 13. -----------------------


LABEL_IDS = [[7, 7, 24, 24, 26, 0], [7, 7, 24, 24, 26, 26]]
INSTANCE_IDS = [[7, 7, 24000, 24001, 26000, 0], [7, 7, 24000, 24001, 26000, 26001]]
PREDICTED = [[7, 7, 24, 7, 26, 7], [7, 24, 24, 24, 26, 7]]
CITY_IOU = {"road": 3 / 6, "person": 3 / 5, "car": 2 / 3}


def train_ids(label_ids: Any) -> Any:
    return np.select([np.array(label_ids) == k for k in (7, 24, 26)], [0, 11, 13], 255)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    name = "aachen_{:06d}_000019_gtFine_labelIds"
    write(tmp_path / "truth/aachen", small([LABEL_IDS]), name=name)
    write(
        tmp_path / "train",
        small([train_ids(LABEL_IDS)]),
        name=name.replace("labelIds", "labelTrainIds"),
    )
    for side, values in (("labels", PREDICTED), ("trained", train_ids(PREDICTED))):
        write(tmp_path / side, small([values]), name="aachen_{:06d}_000019_leftImg8bit")
    return tmp_path


def test_label_ids_and_train_ids_are_told_apart(run: Run, city: Path) -> None:
    said = "snellen: truth is labelIds: so their files are named\n"
    for side, said_of_pred in (
        ("labels", "predictions are labelIds: values up to 26"),
        ("trained", "predictions are trainIds: "),
    ):
        done = run(
            *("evaluate", "segmentation", city / "truth", city / side, "--no-intervals"),
            *("--classes", "cityscapes", "--json", "-"),
        )
        assert done.returncode == 0, done.stderr
        found = {k: v for k, v in of_classes(json.loads(done.stdout), "iou").items() if v}
        assert found == CITY_IOU
        assert said in done.stderr
        assert said_of_pred in done.stderr
    found = evaluated(
        *(run, city / "train", city / "trained", "--classes", "cityscapes"),
        *("--truth-encoding", "trainIds", "--prediction-encoding", "trainIds"),
    )
    assert {k: v for k, v in of_classes(found, "iou").items() if v} == CITY_IOU
    # As labelIds trainIds mean something else: 7 is road, and no 7 is there.
    wrong = evaluated(
        *(run, city / "truth", city / "trained", "--classes", "cityscapes"),
        *("--prediction-encoding", "labelIds"),
    )
    assert wrong["metrics"]["mIoU"] == 0


def test_values_of_two_encodings_are_said(run: Run, tmp_path: Path) -> None:
    # Unlabelled, road, sidewalk, building as labelIds; as trainIds road, traffic sign, vegetation,
    # person. Nothing tells which, so what was taken is said, and what to say if it was not that.
    for side in ("truth", "pred"):
        write(tmp_path / side, small([[[0, 7, 8, 11]]]))
    sides = tmp_path / "truth", tmp_path / "pred", "--classes", "cityscapes", "--no-intervals"
    done = run("evaluate", "segmentation", *sides, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "snellen: truth is taken as trainIds (0 to 18, 255), which are fewest: values up to 11 "
        "could be labelIds too; if so, say --truth-encoding",
        "snellen: predictions are trainIds: 100.0% of the pixels agree with truth so, at most 0.0% "
        "else",
    ]
    # Predictions then follow truth: by agreement.
    said = evaluated(run, *sides, "--truth-encoding", "labelIds")
    assert {k for k, v in of_classes(said, "iou").items() if v} == {"road", "sidewalk", "building"}


def test_instances_beside_label_ids(run: Run, city: Path) -> None:
    sides = city / "truth", city / "labels", "--classes", "cityscapes", "--no-intervals"
    needed = run("evaluate", "segmentation", *sides, "--instances", "--out", city / "out")
    assert needed.returncode == 1
    assert needed.stderr.startswith("snellen: error: expected a file of instanceIds beside it")
    assert not (city / "out").exists()
    name = "aachen_{:06d}_000019_gtFine_instanceIds"
    made = write(city / "more", small([INSTANCE_IDS], np.uint16), name=name)
    for path in made.iterdir():
        path.rename(city / "truth/aachen" / path.name)
    done = run("evaluate", "segmentation", *sides, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert "snellen: iIoU is from the files of instanceIds beside truth\n" in done.stderr
    weighted = of_classes(json.loads(done.stdout), "iiou")
    # Persons are a pixels on average (cityscapesScripts). Of one's 2 pixels both are found, of the
    # other's 1: TP = a + a / 2, FN = a / 2, and one pixel of road is FP.
    a = 3462.4756337644
    assert weighted["person"] == pytest.approx(1.5 * a / (2 * a + 1), rel=1e-12)
    # One car's 2 pixels are found, and the other's 1 is not, whatever the average size.
    assert weighted["car"] == 0.5
    assert of_classes(json.loads(done.stdout), "iou")["person"] == CITY_IOU["person"]
    without = evaluated(run, *sides, "--no-instances")
    assert "iIoU" not in without["metrics"]
    # Where an image lacks them there is no iIoU, and that is said.
    for side, values in (("truth/aachen", LABEL_IDS), ("labels", PREDICTED)):
        Image.fromarray(np.array(values, np.uint8)).save(
            city / side / "aachen_000001_000019_gtFine_labelIds.png"
        )
    partly = run("evaluate", "segmentation", *sides, "--json", "-")
    assert partly.returncode == 0, partly.stderr
    assert "no iIoU: 1 of 2 images have no file of instanceIds" in partly.stderr
    assert "iIoU" not in json.loads(partly.stdout)["metrics"]
