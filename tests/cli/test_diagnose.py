"""``snellen diagnose``, as typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from snellen.cli.diagnose import PARTS
from snellen.detection import diagnosis_result

from .conftest import Run, annotation, results_document

Files = tuple[Path, Path]


@pytest.fixture
def pair(tmp_path: Path) -> Files:
    """Return one image with a cat and a dog that are found, a cat taken for a dog, and a ghost."""
    truth, results = tmp_path / "truth.json", tmp_path / "results.json"
    boxes = [[10, 10, 20, 20], [50, 50, 40, 40], [10, 60, 20, 20], [60, 5, 30, 30]]
    truth.write_text(
        json.dumps(
            {
                "images": [
                    {"id": 1, "width": 100, "height": 100, "file_name": "day/a.png"},
                    {"id": 2, "width": 100, "height": 100, "file_name": "night/b.png"},
                ],
                "annotations": [
                    annotation(i, 1, category, boxes[i - 1])
                    for i, category in ((1, 1), (2, 2), (3, 1))
                ],
                "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
            }
        )
    )
    results.write_text(
        json.dumps(
            [
                {"image_id": 1, "category_id": category, "bbox": boxes[i], "score": score}
                for i, category, score in ((0, 1, 0.9), (1, 2, 0.8), (2, 2, 0.7), (3, 1, 0.2))
            ]
        )
    )
    return truth, results


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_one_screen(run: Run, pair: Files) -> None:
    done = run("diagnose", *pair)
    assert done.returncode == 0
    assert done.stderr == ""
    lines = words(done.stdout)
    # One cat of two is found, and is first: precision 1 at 51 of 101 recall points. The dog is
    # found first, too.
    assert lines[0].startswith("AP 0.752 AP50 0.752 AP75 0.752")
    assert "2 images · 3 objects · 4 predictions · 2 classes · rules coco" in lines
    # TIDE: the cat taken for a dog, mended, is a true positive: AP 1 of cats, so 0.4950 / 2.
    assert any(line.startswith("cls 1 0.2475 right place, wrong class █") for line in lines)
    assert any(line.startswith("bkg 1 0.0000 nothing there") for line in lines)
    # At 0.8: two of three are found, nothing else is kept. F1 = 2 · 2 / (2 · 2 + 0 + 1).
    assert "best F1 of all objects 0.8000 1.0000 0.6667 0.8000" in lines
    assert (
        "Confusion (score from 0.8, IoU 0.5): 2 right, 0 of another class, 1 missed, 0 false alarms"
        in lines
    )
    # Cat 0.5 (one of two is missed), dog 0.
    assert "oLRP 0.250 (0 is perfect; each class at the score of its least error)" in lines
    # In bins of 1/15 all four are alone: |0.9 − 1| + |0.8 − 1| + |0.7 − 0| + |0.2 − 0| over 4.
    assert any(line.startswith("ECE 0.3000 MCE 0.7000 mean score 0.6500") for line in lines)
    assert "cat 2 0.505 0.505 0.900 1.000 0.500 0.667 0.500 0.150" in lines
    assert "1 2 0 1 0.800 1.000" in lines
    assert "1 of 2 images without an error (score from 0.8)" in lines
    assert (
        "Likely errors of truth (score from 0.5): 1 wrong label, 0 missing objects, 0 duplicates"
        in lines
    )
    assert "wrong label cat dog 0.700 1 10.0, 60.0, 20.0, 20.0" in lines
    at = lines.index("What to look at next")
    assert "Wrong classes cost 0.248 AP (1 detection; most: dog 1)." in lines[at:]


def test_parts_are_those_of_the_diagnosis() -> None:
    assert PARTS == diagnosis_result.PARTS


@pytest.mark.parametrize("part", [part for part in PARTS if part != "slices"])
def test_only_one_part(run: Run, pair: Files, part: str) -> None:
    done = run("diagnose", *pair, "--only", part, "--json", "-")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert [name for name in PARTS if name in document] == [part]
    assert document["average_precision"]["metrics"]["AP50"] == pytest.approx(0.7524752)
    shown = run("diagnose", *pair, "--only", part).stdout
    titles = {
        "errors": "What costs AP",
        "confusion": "Confusion (",
        "points": "threshold to deploy",
        "lrp": "oLRP",
        "calibration": "ECE",
        "images": "worst images",
        "labels": "Likely errors of truth",
    }
    heads = [line.split("  ")[0] for line in shown.splitlines()]
    for name, title in titles.items():
        assert any(head.startswith(title) for head in heads) == (name == part), name


def test_several_parts_in_any_spelling(run: Run, pair: Files) -> None:
    done = run("diagnose", *pair, "--only", "lrp,errors", "--only", "points", "--json", "-")
    document = json.loads(done.stdout)
    assert [name for name in PARTS if name in document] == ["errors", "points", "lrp"]


def test_thresholds(run: Run, pair: Files) -> None:
    options = ("--score-threshold", "0.1", "--iou-threshold", "0.75", "--confident", "0.75")
    done = run("diagnose", *pair, *options, "--beta", "2", "--bins", "1", "--json", "-")
    document = json.loads(done.stdout)
    assert document["iou_threshold"] == 0.75
    assert document["confusion"]["protocol"]["score_threshold"] == 0.1
    assert document["confusion"]["protocol"]["iou_threshold"] == 0.75
    assert document["images"]["protocol"]["score_threshold"] == 0.1
    assert document["lrp"]["protocol"]["iou_threshold"] == 0.75
    assert document["points"]["protocol"]["beta"] == 2
    # The cat taken for a dog scores less than 0.75.
    assert document["labels"]["suspicions"] == []
    # One bin: |2.6 − 2| / 4.
    assert document["calibration"]["metrics"]["ece"] == pytest.approx(0.15)
    assert document["confusion"]["cells"] == [
        {"truth": "cat", "prediction": "cat", "n": 1},
        {"truth": "cat", "prediction": "dog", "n": 1},
        {"truth": "dog", "prediction": "dog", "n": 1},
        {"truth": None, "prediction": "cat", "n": 1},
    ]


def test_every_table_is_written(run: Run, pair: Files, tmp_path: Path) -> None:
    out = tmp_path / "new" / "diagnosis"
    done = run("diagnose", *pair, "--out", out, "--slice-by", "area", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    tables = {
        path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in out.glob("*.csv")
    }
    assert set(tables) == {
        "average_precision",
        "points",
        "points_curves",
        "lrp",
        *(
            f"{part}{end}"
            for part in ("errors", "confusion", "calibration", "images", "labels", "slices")
            for end in ("", "_of_classes")
        ),
    }
    assert {path.name for path in out.iterdir()} == {
        "diagnosis.json",
        *(f"{name}.csv" for name in tables),
    }
    assert [row["error"] for row in tables["errors"]] == [
        *("cls", "loc", "both", "dupe", "bkg", "miss", "fp", "fn")
    ]
    # The points of the classes are on their curves, where F1 is highest.
    curves = tables["points_curves"]
    assert curves
    found = [each for each in tables["points"] if each["threshold"]]
    assert found
    for row in found:
        own = [each for each in curves if each["class"] == row["class"]]
        assert {name: value for name, value in row.items() if name != "n_truth"} in own
        assert max(float(each["f1"]) for each in own) == float(row["f1"])
    assert tables["images"][0]["image"] == "1"
    assert tables["images"][1]["mean_iou"] == ""
    assert tables["labels"][0]["truth_left"] == "10.0"
    assert [row["slice"] for row in tables["slices"]] == ["all", "small", "medium", "large"]
    document = json.loads((out / "diagnosis.json").read_text())
    assert document["schema"] == "snellen.diagnosis/1"
    metrics = document["average_precision"]["metrics"]
    for size in ("small", "medium", "large"):
        (row,) = [each for each in document["slices"]["slices"] if each["slice"] == size]
        assert row["AP"] == metrics[f"AP_{size}"]
        assert row["AR_100"] == metrics[f"AR_{size}"]


def test_says_where_it_wrote(run: Run, pair: Files, tmp_path: Path) -> None:
    done = run("diagnose", *pair, "--only", "labels", "--out", tmp_path / "out")
    assert done.stderr == f"wrote diagnosis.json and 3 tables to {tmp_path / 'out'}\n"
    assert (tmp_path / "out/labels.csv").read_text().startswith("kind,suspicion,image,")


def test_tables_without_rows_have_names(run: Run, files: Files, tmp_path: Path) -> None:
    done = run(
        "diagnose", *files, "--only", "labels", "--confident", "2", "--out", tmp_path / "out"
    )
    assert done.returncode == 0
    (line,) = (tmp_path / "out/labels.csv").read_text().splitlines()
    assert line.split(",")[:3] == ["kind", "suspicion", "image"]


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("image", ["day/a.png", "night/b.png"]),
        ("file", ["a.png", "b.png"]),
        ("image_id", ["1", "2"]),
    ],
)
def test_slices_by_a_column(
    run: Run, pair: Files, tmp_path: Path, head: str, names: list[str]
) -> None:
    table = tmp_path / "scenes.csv"
    table.write_text(f"{head},weather\n{names[0]},sun\n{names[1]},rain\nother.png,rain\n")
    done = run("diagnose", *pair, "--slice-by", f"{table}:weather", "--only", "errors")
    assert (done.returncode, done.stderr) == (0, "")
    lines = words(done.stdout)
    assert "sun 1 3 0.752 0.752 0.752 0.750" in lines
    assert "rain 1 0 - - - -" in lines


def test_images_of_no_slice_are_counted(run: Run, pair: Files, tmp_path: Path) -> None:
    table = tmp_path / "scenes.csv"
    table.write_text("image,weather\n1,sun\n2,\n")
    done = run("diagnose", *pair, "--slice-by", f"{table}:weather")
    assert done.returncode == 0
    assert done.stderr == f"snellen: {table}:weather: 1 of 2 images are in no slice\n"
    assert "rain" not in done.stdout


def test_slices_by_crowding(run: Run, pair: Files) -> None:
    done = run("diagnose", *pair, "--slice-by", "crowding", "--only", "slices")
    assert "1 to 4 objects 1 3 0.752 0.752 0.752 0.750" in words(done.stdout)


def test_few_classes_or_all(run: Run, pair: Files) -> None:
    few = words(run("diagnose", *pair, "--classes-shown", "1").stdout)
    assert any(line.startswith("classes, the 1 of 2 with lowest AP") for line in few)
    assert not any(line.startswith("dog ") for line in few)
    everything = words(run("diagnose", *pair, "--classes-shown", "1", "--all").stdout)
    assert any(line.startswith("dog 1 1.000") for line in everything)


def test_threads_change_nothing(run: Run, pair: Files) -> None:
    one, two = (run("diagnose", *pair, "--threads", n).stdout for n in ("1", "2"))
    assert one == two


def test_no_predictions(run: Run, pair: Files, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.json"
    nothing.write_text("[]")
    done = run("diagnose", pair[0], nothing, "--json", tmp_path / "a.json", "--slice-by", "area")
    assert done.returncode == 0
    assert done.stdout.endswith("What to look at next\n  There are no predictions.\n")
    assert json.loads((tmp_path / "a.json").read_text())["points"]["metrics"]["f1_micro"] == 0


def test_no_truth(run: Run, pair: Files, tmp_path: Path) -> None:
    document = json.loads(pair[0].read_text())
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({**document, "annotations": []}))
    done = run("diagnose", empty, pair[1])
    assert done.returncode == 0
    assert done.stdout.endswith("Truth has no object that counts: nothing can be measured.\n")


def changed(results: Path, change: Any, n: int = 25) -> None:
    """Write many results, each changed by a function."""
    records = [record for record in results_document() for _ in range(n)]
    results.write_text(json.dumps([{**record, **change(record)} for record in records]))


def many(truth: Path) -> None:
    """Write truth with every box 25 times."""
    document = json.loads(truth.read_text())
    boxes = [each for each in document["annotations"] for _ in range(25)]
    document["annotations"] = [{**each, "id": i} for i, each in enumerate(boxes, 1)]
    truth.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda record: {
                "bbox": [
                    *record["bbox"][:2],
                    record["bbox"][0] + record["bbox"][2],
                    record["bbox"][1] + record["bbox"][3],
                ]
            },
            "are they left, top, right, bottom where width and height should be?",
        ),
        (
            lambda record: {"bbox": [value / 100 for value in record["bbox"]]},
            "are they parts of the image where pixels should be?",
        ),
        (
            lambda record: {"score": 100 * record["score"]},
            "Scores go from 60 to 90: they are no probabilities",
        ),
        (lambda _: {}, "No prediction scores below 0.6: AP is the area under a curve"),
        (
            lambda record: {"category_id": 3 - record["category_id"]},
            "% of what is in the right place is of another class",
        ),
        (lambda record: {"image_id": 3 - record["image_id"]}, "Next to nothing matches"),
    ],
    ids=["corners", "parts", "percent", "cut", "classes", "images"],
)
def test_what_is_wrong_with_files_is_seen(
    run: Run, files: Files, change: Any, sentence: str
) -> None:
    # No box of truth is as wide as it is far from the left, but one at the corner.
    document = json.loads(files[0].read_text())
    document["annotations"][0]["bbox"] = [30, 30, 20, 20]
    files[0].write_text(json.dumps(document))
    many(files[0])
    changed(
        files[1],
        lambda record: change(
            record if record["bbox"][0] != 10 else {**record, "bbox": [30, 30, 20, 20]}
        ),
    )
    done = run("diagnose", *files)
    assert done.returncode == 0
    assert sentence in done.stdout.partition("What to look at next")[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "eror"], 'got "eror". Did you mean "errors"?'),
        (["--only", "slices"], "expected --slice-by"),
        (["--slice-by", ""], "expected a path, got nothing"),
        (["--iou-threshold", "1"], "--iou-threshold"),
        (["--background", "0"], "--background"),
        (["--duplicate", "1.5"], "--duplicate"),
        (["--beta", "0"], "--beta"),
        (["--bins", "0"], "--bins"),
        (["--protocol", "cocoo"], 'Did you mean "coco"?'),
        (["--similarity", "oriented"], "expected other files than COCO's"),
    ],
    ids=lambda each: each[-1] if isinstance(each, list) else "",
)
def test_bad_options(run: Run, pair: Files, options: list[str], message: str) -> None:
    done = run("diagnose", *pair, *options)
    assert done.returncode == 2
    assert message in done.stderr.replace("\n", " ")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("slice_by", "message"),
    [
        ("size", 'expected TABLE:COLUMN, got "size"'),
        ("nothing.csv:weather", "nothing.csv"),
        ("scenes.csv:wether", "weather"),
        ("others.csv:weather", "expected rows about the images"),
        ("twice.csv:weather", "expected each image once"),
        ("whole.csv:weather", 'got "all"; give it another name'),
    ],
)
def test_bad_slices(run: Run, pair: Files, tmp_path: Path, slice_by: str, message: str) -> None:
    (tmp_path / "scenes.csv").write_text("image,weather\n1,sun\n2,rain\n")
    (tmp_path / "others.csv").write_text("image,weather\n7,sun\n")
    (tmp_path / "twice.csv").write_text("image,weather\n1,sun\n1,rain\n")
    (tmp_path / "whole.csv").write_text("image,weather\n1,sun\n2,all\n")
    done = run("diagnose", *pair, "--slice-by", slice_by, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("snellen: error: ")
    assert message in done.stderr
    assert done.stdout == ""


def test_bad_files_write_nothing(run: Run, pair: Files, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": 1}]')
    out = tmp_path / "out"
    done = run("diagnose", pair[0], broken, "--out", out)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "bbox" in done.stderr
    assert not out.exists()
    (tmp_path / "file").write_text("")
    done = run("diagnose", *pair, "--out", tmp_path / "file" / "out")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    done = run("diagnose", *pair, "--json", tmp_path / "none" / "a.json")
    assert done.returncode == 1
    assert "expected a folder to write into" in done.stderr


def test_names_cannot_move_the_cursor(run: Run, pair: Files) -> None:
    for path in pair[:1]:
        document = json.loads(path.read_text())
        document["categories"][0]["name"] = "c\x1b[2Jt"
        path.write_text(json.dumps(document))
    done = run("diagnose", *pair)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "c\\x1b[2Jt" in done.stdout
