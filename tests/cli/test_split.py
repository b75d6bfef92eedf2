"""``snellen split`` on data sets of every kind, and on bad ones."""

from __future__ import annotations

import csv
import json
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen.cli.root import run as run_here
from snellen.errors import InputError
from snellen.splits.from_folder import images_below
from snellen.splits.hold_out import hold_out

from .conftest import Run


class Done(NamedTuple):
    code: int
    out: str
    err: str


Split = Callable[..., Done]


@pytest.fixture
def split(capsys: pytest.CaptureFixture[str]) -> Split:
    """Return a function that runs `snellen split` in this process."""

    def call(*arguments: str | Path | int) -> Done:
        code = run_here(["split", *map(str, arguments)])
        return Done(code, *capsys.readouterr())

    return call


def write_table(path: Path, n: int = 100, **more: Any) -> Path:
    random = np.random.default_rng(0)
    columns = {
        "image": [f"{i:04d}.jpg" for i in range(n)],
        "label": random.choice(["cat", "dog", "owl"], n).tolist(),
        "patient": [f"p{i // 4}" for i in range(n)],
        "age": random.normal(50, 10, n).round(2).tolist(),
        **more,
    }
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        assert file.readline().startswith("# {")
        return list(csv.DictReader(file))


def header(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text().split("\n", 1)[0][2:])
    return value


def write_images(root: Path, n: int = 40) -> Path:
    for i in range(n):
        image = root / ("cat" if i % 4 else "dog") / f"{i}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(bytes([i]))
    return root


def coco_document(n: int = 30) -> dict[str, Any]:
    return {
        "info": {"year": 2017, "ratio": 1.50},
        "images": [{"id": 7 + i, "file_name": f"{i}.jpg", "width": 4} for i in range(n)],
        "annotations": [
            {"id": k, "image_id": 7 + k % n, "category_id": 1 + k % 3 * 5, "bbox": [0, 0, 1.0, 2]}
            for k in range(2 * n)
        ],
        "categories": [{"id": 1 + 5 * k, "name": name} for k, name in enumerate("abc")],
    }


def write_yolo(root: Path, names: str = "names: [cat, 'big dog']\n") -> Path:
    for folder in ("images", "labels"):
        (root / folder / "a").mkdir(parents=True)
    for i in range(20):
        (root / f"images/a/{i}.jpg").write_bytes(b"x")
        if i < 15:
            lines = f"{i % 2} 0.5 0.5 0.1 0.1\n" * (1 + i % 3)
            (root / f"labels/a/{i}.txt").write_text(lines)
    (root / "data.yaml").write_text(f"path: .\ntrain: images\n{names}nc: 2\n")
    return root


def write_mot(root: Path) -> Path:
    for name, n_frames in (("S-01-DPM", 30), ("S-01-SDP", 30), ("S-02", 20), ("S-03", 20)):
        (root / name).mkdir(parents=True)
        (root / name / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={n_frames}\n")
    (root / "S-04" / "gt").mkdir(parents=True)
    (root / "S-04/gt/gt.txt").write_text("1,1,0,0,5,5,1,1,1\n20,1,0,0,5,5,1,1,1\n")
    return root


# ---- Tables -------------------------------------------------------------------------------------


def test_a_table(run: Run, tmp_path: Path) -> None:
    table, manifest = write_table(tmp_path / "data.csv"), tmp_path / "split.csv"
    done = run("split", table, "--ratios", "60/20/20", "--out", manifest)
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout
    assert "60.00 %" in done.stdout
    assert "a table of 100 samples, named by image" in done.stderr
    assert "stratified by label: 3 classes" in done.stderr
    rows = read_rows(manifest)
    assert [row["key"] for row in rows] == [f"{i:04d}.jpg" for i in range(100)]
    assert sorted({row["part"] for row in rows}) == ["test", "train", "val"]
    head = header(manifest)
    assert head["schema"] == "snellen.split/1"
    assert [part["n"] for part in head["parts"]] == [60, 20, 20]
    assert [sum(counts) for counts in zip(*head["classes"].values(), strict=True)] == [60, 20, 20]
    for part in head["parts"]:
        assert part["n"] == sum(row["part"] == part["name"] for row in rows)
    again = run("split", table, "--verify", manifest)
    assert again.returncode == 0
    assert "all 100 samples are where they should be" in again.stdout


def test_rows_in_another_order_give_the_same_file(split: Split, tmp_path: Path) -> None:
    table = write_table(tmp_path / "data.csv")
    assert split(table, "--folds", 4, "--group", "patient", "--out", tmp_path / "a.csv").code == 0
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *reversed(lines[1:])]))
    assert split(table, "--folds", 4, "--group", "patient", "--out", tmp_path / "b.csv").code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_json(split: Split, tmp_path: Path) -> None:
    table = write_table(tmp_path / "data.csv")
    done = split(table, "--ratios", "80/20", "--json", "-")
    assert json.loads(done.out)["parts"][0] == {"name": "train", "asked": 0.8, "got": 0.8, "n": 80}
    assert split(table, "--ratios", "80/20", "--json", tmp_path / "x.json", "--quiet") == (
        0,
        "",
        "",
    )
    assert json.loads((tmp_path / "x.json").read_text()) == json.loads(done.out)


def test_columns(split: Split, tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "data.csv", site=["x", "y"] * 50, wrong=[""] * 100, no=range(100)
    )
    done = split(table, "--ratios", "80/20", "--stratify", "site", "--group", "patient")
    assert "stratified by site: 2 classes" in done.err
    assert "kept together by patient: 25 groups" in done.err
    done = split(table, "--ratios", "80/20", "--target", "age", "--bins", 4)
    assert "stratified by 4 bins of age" in done.err
    done = split(table, "--ratios", "80/20", "--stratify", "none", "--group", r"^(\d\d)")
    assert "kept together by ^(\\d\\d): 1 groups" in done.err
    done = split(table, "--ratios", "80/20", "--key", "no")
    assert done.code == 0
    assert "named by no" in done.err
    for column in ("--stratify", "--group", "--key"):
        done = split(table, "--ratios", "80/20", column, "wrong")
        assert (done.code, done.out) == (1, "")
        assert 'expected a value of "wrong" in each row, 100 have none' in done.err
    done = split(table, "--ratios", "80/20", "--group", "patiant")
    assert 'Did you mean "patient"?' in done.err


def test_other_tables(split: Split, tmp_path: Path) -> None:
    records = [{"id": i, "label": "ab"[i % 2]} for i in range(20)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    (tmp_path / "b.json").write_text(json.dumps(records))
    (tmp_path / "c.tsv").write_text(
        "id\tlabel\n" + "".join(f"{i}\t{'ab'[i % 2]}\n" for i in range(20))
    )
    manifests = []
    for name in ("a.jsonl", "b.json", "c.tsv"):
        manifest = tmp_path / f"{name}.manifest.csv"
        assert split(tmp_path / name, "--ratios", "50/50", "--out", manifest).code == 0
        manifests.append(manifest.read_bytes())
    assert len(set(manifests)) == 1


def test_repeated_folds(split: Split, tmp_path: Path) -> None:
    table, manifest = write_table(tmp_path / "data.csv"), tmp_path / "folds.csv"
    done = split(table, "--folds", 5, "--repeats", 2, "--out", manifest)
    assert "round 2 of 2" in done.out
    rows = read_rows(manifest)
    for column in ("part_1", "part_2"):
        names = [row[column] for row in rows]
        assert {name: names.count(name) for name in set(names)} == {
            f"fold{i}": 20 for i in range(1, 6)
        }
    assert any(row["part_1"] != row["part_2"] for row in rows)
    assert split(table, "--verify", manifest).code == 0


def test_leaving_groups_out(split: Split, tmp_path: Path) -> None:
    table, manifest = write_table(tmp_path / "data.csv"), tmp_path / "folds.csv"
    done = split(table, "--folds", "groups", "--group", "patient", "--out", manifest)
    assert done.code == 0
    assert all(row["part"] == row["group"] for row in read_rows(manifest))
    assert split(table, "--verify", manifest).code == 0
    done = split(table, "--folds", "groups")
    assert (done.code, done.out) == (1, "")
    assert "name them (--group)" in done.err


def test_no_fold_is_empty(split: Split, tmp_path: Path) -> None:
    """One large group and five samples that stand alone: the folds share these."""
    patient = ["large"] * 25 + [f"p{i}" for i in range(5)]
    table = write_table(tmp_path / "data.csv", 30, label=["a", "b"] * 15, patient=patient)
    for n_folds in (3, 6):
        done = split(table, "--folds", n_folds, "--group", "patient", "--json", "-", "--quiet")
        sizes = sorted(part["n"] for part in json.loads(done.out)["rounds"][0]["parts"])
        assert sizes[0] >= 1
        assert sizes[-1] == 25


def test_small_classes(split: Split, tmp_path: Path) -> None:
    table = write_table(tmp_path / "data.csv", label=["a"] * 97 + ["b", "b", "c"])
    done = split(table, "--ratios", "60/20/20")
    assert done.code == 0
    assert "warning: 2 of 3 classes have fewer samples" in done.err
    done = split(table, "--ratios", "60/20/20", "--strict")
    assert (done.code, done.out) == (1, "")
    assert "b (2), c (1)" in done.err


# ---- Verifying and freezing ---------------------------------------------------------------------


def test_verify_names_what_differs(split: Split, tmp_path: Path) -> None:
    table, manifest = write_table(tmp_path / "data.csv"), tmp_path / "split.csv"
    split(table, "--ratios", "60/20/20", "--out", manifest)
    written = manifest.read_text()

    head, *rows = written.splitlines()
    moved = [row.replace(",train,", ",val,") if row.startswith("0000.jpg") else row for row in rows]
    if moved == rows:
        moved = [
            row.replace(",val,", ",train,").replace(",test,", ",train,")
            if row.startswith("0000.jpg")
            else row
            for row in rows
        ]
    manifest.write_text("\n".join([head, *moved]) + "\n")
    done = split(table, "--verify", manifest)
    assert (done.code, done.out) == (1, "")
    assert "1 keys are in another part than recomputed: 0000.jpg" in done.err

    manifest.write_text(written)
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:5], *lines[6:], "new.jpg,cat,p99,50"]))
    done = split(table, "--verify", manifest)
    assert done.code == 1
    assert "1 keys are gone: 0004.jpg" in done.err
    assert "1 keys are new: new.jpg" in done.err

    table.write_text(
        "\n".join(
            [
                *lines[:5],
                lines[5]
                .replace("cat", "x")
                .replace("dog", "cat")
                .replace("owl", "dog")
                .replace("x", "dog"),
                *lines[6:],
            ]
        )
    )
    done = split(table, "--verify", manifest)
    assert done.code == 1
    assert "same keys have other classes or groups" in done.err


def test_freeze(split: Split, tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    split(write_table(tmp_path / "data.csv", 100), "--ratios", "60/20/20", "--out", old)
    table = write_table(tmp_path / "data.csv", 150)
    lines = table.read_text().splitlines()
    frozen = {row["key"] for row in read_rows(old) if row["part"] == "test"}
    gone = sorted(frozen)[0]
    table.write_text("\n".join(line for line in lines if not line.startswith(gone)))
    done = split(table, "--ratios", "60/20/20", "--freeze", "test", "--from", old, "--out", new)
    assert done.code == 0, done.err
    assert f"1 frozen samples are gone from the data: {gone}" in done.err
    assert {row["key"] for row in read_rows(new) if row["part"] == "test"} == frozen - {gone}
    assert header(new)["frozen"] == ["test"]
    assert split(table, "--verify", new).code == 0
    done = split(table, "--ratios", "60/20/20", "--freeze", "tset", "--from", old)
    assert 'Did you mean "test"?' in done.err
    other = write_table(tmp_path / "other.csv", image=[f"x{i}" for i in range(100)])
    done = split(other, "--ratios", "60/20/20", "--freeze", "test", "--from", old)
    assert done.code == 1
    assert "all are gone" in done.err


# ---- Folders and annotation files ---------------------------------------------------------------


def test_an_image_folder(split: Split, tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    (images / "eel").mkdir()
    (images / ".ipynb_checkpoints").mkdir()
    (images / ".ipynb_checkpoints" / "0.png").write_bytes(b"x")
    (images / "cat" / "readme.txt").write_text("x")
    parts = tmp_path / "parts"
    done = split(images, "--ratios", "60/20/20", "--copy", parts)
    assert done.code == 0, done.err
    assert "an image folder of 40 images, 3 classes" in done.err
    assert "class folders without images: eel" in done.err
    assert "1 files are left out" in done.err
    copied = sorted(path.relative_to(parts).parts[1:] for path in parts.rglob("*.png"))
    assert copied == sorted(path.relative_to(images).parts for path in images.glob("[cd]*/*.png"))
    assert len(list((parts / "test").rglob("*.png"))) == 8
    assert len(list((parts / "test/dog").iterdir())) == 2
    for path in parts.rglob("*.png"):
        assert path.read_bytes() == (images / path.parent.name / path.name).read_bytes()

    links = tmp_path / "links"
    assert split(images, "--folds", 4, "--link", links, "--quiet") == (0, "", "")
    assert sorted(path.name for path in links.iterdir()) == [f"fold{i}" for i in range(1, 5)]
    assert all(path.is_symlink() and path.read_bytes() for path in links.rglob("*.png"))


def test_images_without_classes(split: Split, tmp_path: Path) -> None:
    for i in range(10):
        (tmp_path / f"{i}.jpg").write_bytes(b"x")
    done = split(tmp_path, "--ratios", "80/20")
    assert done.code == 0
    assert "a folder of 10 images without classes" in done.err


def test_coco(split: Split, tmp_path: Path) -> None:
    document = coco_document()
    (tmp_path / "all.json").write_text(json.dumps(document))
    done = split(
        tmp_path / "all.json",
        "--ratios",
        "60/20/20",
        "--coco",
        tmp_path / "parts",
        "--out",
        tmp_path / "split.csv",
    )
    assert done.code == 0, done.err
    assert "a COCO file of 30 images, named by file_name, with 60 objects of 3 classes" in done.err
    parts = {
        name: json.loads((tmp_path / f"parts/{name}.json").read_text())
        for name in ("train", "val", "test")
    }
    assert [len(part["images"]) for part in parts.values()] == [18, 6, 6]
    for field in ("images", "annotations"):
        together = [record for part in parts.values() for record in part[field]]
        assert sorted(together, key=lambda record: record["id"]) == document[field]
    for part in parts.values():
        assert part["categories"] == document["categories"]
        assert part["info"] == document["info"]
        ids = {image["id"] for image in part["images"]}
        assert {record["image_id"] for record in part["annotations"]} <= ids
    assert split(tmp_path / "all.json", "--verify", tmp_path / "split.csv").code == 0
    done = split(tmp_path / "all.json", "--folds", 3, "--coco", tmp_path / "folds")
    assert done.code == 0
    fold = {
        name: json.loads((tmp_path / f"folds/fold2/{name}.json").read_text())["images"]
        for name in ("train", "test")
    }
    assert (len(fold["train"]), len(fold["test"])) == (20, 10)


def test_coco_without_file_names(split: Split, tmp_path: Path) -> None:
    document = coco_document()
    document["images"][3]["file_name"] = "0.jpg"
    (tmp_path / "all.json").write_text(json.dumps(document))
    assert "named by id" in split(tmp_path / "all.json", "--ratios", "80/20").err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d["annotations"][3].update(image_id=99), "expected image ids that the file"),
        (lambda d: d["annotations"][3].update(category_id=99), "got 1 unknown ones: 99"),
        (lambda d: d["images"].append(d["images"][0]), "each id once"),
        (lambda d: d["categories"].append(d["categories"][0]), "$.categories"),
        (lambda d: d.pop("images"), "images"),
        (lambda d: d["images"][0].pop("id"), "`$.images[0]`"),
        (lambda d: d.update(images=[], annotations=[]), "lists none"),
    ],
)
def test_bad_coco(split: Split, tmp_path: Path, change: Any, expected: str) -> None:
    document = coco_document()
    change(document)
    (tmp_path / "all.json").write_text(json.dumps(document))
    done = split(tmp_path / "all.json", "--ratios", "80/20", "--coco", tmp_path / "parts")
    check_refused(done, expected)
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize(
    "names",
    [
        "names: [cat, 'big dog']\n",
        "names:\n- cat\n- big dog  # a comment\n",
        'names:\n  0: cat\n  1: "big dog"\n',
        "names: {0: cat, 1: 'big dog'}\n",
    ],
)
def test_yolo(split: Split, tmp_path: Path, names: str) -> None:
    data, lists = write_yolo(tmp_path / "data", names), tmp_path / "lists"
    done = split(data, "--ratios", "60/20/20", "--yolo", lists, "--json", tmp_path / "x.json")
    assert done.code == 0, done.err
    assert "a YOLO folder of 20 images with 30 objects of 2 classes" in done.err
    assert "5 images have no label file" in done.err
    value = json.loads((tmp_path / "x.json").read_text())
    assert {name: sum(counts) for name, counts in value["classes"].items()} == {
        "cat": 8,
        "big dog": 7,
    }
    assert {name: sum(counts) for name, counts in value["objects"].items()} == {
        "cat": 16,
        "big dog": 14,
    }
    paths = {
        name: (lists / f"{name}.txt").read_text().splitlines() for name in ("train", "val", "test")
    }
    assert [len(each) for each in paths.values()] == [12, 4, 4]
    assert all(Path(path).is_file() for each in paths.values() for path in each)
    assert (lists / "data.yaml").read_text().splitlines() == [
        "train: train.txt",
        "val: val.txt",
        "test: test.txt",
        "names:",
        '  0: "cat"',
        '  1: "big dog"',
    ]
    copied = tmp_path / "copied"
    assert split(data, "--ratios", "60/20/20", "--copy", copied).code == 0
    assert len(list(copied.glob("train/images/a/*.jpg"))) == 12
    for label in copied.rglob("*.txt"):
        assert Path(str(label).replace("/labels/", "/images/")).with_suffix(".jpg").is_file()


def test_bad_yolo(split: Split, tmp_path: Path) -> None:
    data = write_yolo(tmp_path / "data")
    (data / "labels/a/3.txt").write_text("0 0 0 1 1\ncat 0 0 1 1\n")
    done = split(data, "--ratios", "80/20")
    check_refused(
        done, 'expected a class number from 0 and a box, got "cat 0 0 1 1"', "3.txt line 2"
    )


def test_mot(split: Split, tmp_path: Path) -> None:
    data = write_mot(tmp_path / "mot")
    done = split(data, "--ratios", "60/20/20", "--out", tmp_path / "split.csv")
    assert done.code == 0, done.err
    assert "5 MOT sequences of 120 frames" in done.err
    assert "4 videos" in done.err
    rows = read_rows(tmp_path / "split.csv")
    assert len({(row["group"], row["part"]) for row in rows}) == 4
    assert len({row["group"] for row in rows}) == 4
    assert {row["part"] for row in rows} == {"train", "val", "test"}
    done = split(data, "--ratios", "60/20/20", "--copy", tmp_path / "parts")
    check_refused(done, "samples that are files")


def test_the_folder_one_is_in(
    split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = write_mot(tmp_path / "mot") / "S-01-DPM"
    monkeypatch.chdir(sequence)
    assert split(".", "--ratios", "100", "--out", "split.csv").code == 0
    rows = read_rows(sequence / "split.csv")
    assert (rows[0]["key"], rows[0]["group"]) == ("S-01-DPM/000001", "S-01")
    assert split(sequence, "--verify", "split.csv").code == 0
    data = write_yolo(tmp_path / "yolo")
    monkeypatch.chdir(data)
    assert split(".", "--ratios", "50/50", "--yolo", "../lists", "--copy", "../parts").code == 0
    listed = (tmp_path / "lists/train.txt").read_text().splitlines()
    assert all(Path(path).parent == data / "images/a" for path in listed)
    assert len(list(tmp_path.glob("parts/*/images/a/*.jpg"))) == 20


# ---- Bad input ----------------------------------------------------------------------------------


def check_refused(done: Done, *expected: str) -> None:
    assert done.code == 1, done
    assert done.out == ""
    *notes, last = done.err.splitlines()
    assert last.startswith("snellen: error: ")
    assert "our mistake" not in last
    for text in expected:
        assert text in last
    assert not any(note.startswith("snellen: error") for note in notes)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--ratios", "60/20/30"], "60/20/30 = 110"),
        (["--ratios", "3/1"], "did you mean 75/25?"),
        (["--ratios", "many"], "such as 60/20/20"),
        (["--ratios", "60/20/20", "--names", "a,b"], "3 names for 3 parts"),
        (["--ratios", "60/40", "--names", "a,A"], "different names"),
        (["--ratios", "60/40", "--names", "a,../b"], "can name a folder"),
        (["--folds", "101"], "as many as there are samples (100), got 101"),
        (["--folds", "26", "--group", "patient"], "groups (25), got 26"),
        (["--ratios", "60/40", "--stratify", "lable"], 'Did you mean "label"?'),
        (["--ratios", "60/40", "--stratify", "age"], "--target bins them"),
        (["--ratios", "60/40", "--stratify", "image"], "another value in each of 100 rows"),
        (["--ratios", "60/40", "--target", "label"], 'expected numbers in column "label"'),
        (["--ratios", "60/40", "--target", "age", "--stratify", "label"], "got both"),
        (["--ratios", "60/40", "--key", "label"], "each key once, got 3 that come again"),
        (["--ratios", "60/40", "--key", "label"], "data.csv keys"),
        (["--ratios", "60/40", "--group", "^q(.)"], "found in none"),
        (["--ratios", "60/40", "--group", "("], "regular expression"),
        (["--ratios", "60/40", "--coco", "{}/parts"], "expected a COCO file"),
        (["--ratios", "60/40", "--yolo", "{}/parts"], "expected a YOLO folder"),
        (["--ratios", "60/40", "--copy", "{}/parts"], "100 are missing"),
        (["--ratios", "60/40", "--copy", "{}"], "this one holds files"),
        (["--ratios", "60/40", "--copy", "{}/data.csv"], "this is a file"),
        (["--ratios", "60/40", "--copy", "{}/no/parts"], "there is none: make it"),
        (["--ratios", "60/40", "--out", "{}/no/split.csv"], "there is none: make it"),
        (["--ratios", "60/40", "--json", "{}/no/split.json"], "there is none: make it"),
        (["--ratios", "60/40", "--out", "{}/split.json"], "a name that ends in .csv for --out"),
        (["--verify", "{}/data.csv"], "expected a manifest"),
        (["--verify", "{}/absent.csv"], "absent.csv"),
        (["--ratios", "60/40", "--freeze", "test", "--from", "{}/data.csv"], "expected a manifest"),
    ],
)
def test_refused(split: Split, tmp_path: Path, arguments: list[str], expected: str) -> None:
    table = write_table(tmp_path / "data.csv")
    before = sorted(tmp_path.rglob("*"))
    done = split(table, *(text.replace("{}", str(tmp_path)) for text in arguments))
    expected = expected.replace("3 names for 3 parts", "3 names for 3 parts, got 2")
    check_refused(done, expected)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "either --ratios"),
        (["--ratios", "60/40", "--folds", "5"], "either --ratios"),
        (["--folds", "1"], "from 2 to"),
        (["--folds", "x"], "or groups"),
        (["--folds", "5", "--names", "a,b"], "--names goes with --ratios"),
        (["--ratios", "60/40", "--repeats", "3"], "--repeats goes with"),
        (["--ratios", "60/40", "--freeze", "test"], "go together"),
        (["--ratios", "60/40", "--from", "x.csv"], "go together"),
        (["--ratios", "60/40", "--bins", "3"], "--bins goes with"),
        (["--ratios", "60/40", "--seed", "-1"], "--seed"),
        (["--verify", ""], "expected a path, got nothing"),
        (["--verify", "x.csv", "--seed", "3"], "drop --seed"),
        (
            ["--verify", "x.csv", "--from", "y.csv", "--freeze", "test", "--json", "-"],
            "drop --freeze, --from, --json",
        ),
    ],
)
def test_usage(run: Run, tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = run("split", write_table(tmp_path / "data.csv"), *arguments)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.csv", "", "empty"),
        ("header.csv", "id,label\n", "rows"),
        ("nokey.csv", "a,label\n1,x\n2,y\n", "(--key)"),
        ("twice.csv", "id,label\n1,x\n1,y\n", "come again: 1"),
        ("ragged.csv", "id,label\n1,x\n2\n", "line 3"),
        ("list.json", "[1, 2]", "list.json"),
        ("broken.json", '{"images": [', "expected a COCO annotation file"),
        ("picture.bmp", "BM", "expected a table"),
    ],
)
def test_bad_files(split: Split, tmp_path: Path, name: str, content: str, expected: str) -> None:
    (tmp_path / name).write_text(content)
    check_refused(split(tmp_path / name, "--ratios", "60/40"), expected)


def test_bad_folders(split: Split, tmp_path: Path) -> None:
    check_refused(split(tmp_path / "absent", "--ratios", "60/40"), "there is none", "absent")
    (tmp_path / "none").mkdir()
    check_refused(split(tmp_path / "none", "--ratios", "60/40"), "expected images")
    images = write_images(tmp_path / "images")
    check_refused(split(images, "--ratios", "60/40", "--key", "x"), "expected a table for --key x")
    check_refused(split(images, "--ratios", "60/40", "--stratify", "x"), "auto or none")
    check_refused(split(images, "--ratios", "60/40", "--target", "x"), "--target x")


def test_manifests_of_others(split: Split, tmp_path: Path) -> None:
    table, manifest = write_table(tmp_path / "data.csv"), tmp_path / "split.csv"
    split(table, "--ratios", "60/20/20", "--out", manifest)
    written = manifest.read_text()
    manifest.write_text(written.replace("snellen.split/1", "snellen.split/2"))
    check_refused(split(table, "--verify", manifest), 'got "snellen.split/2"')
    manifest.write_text(written.replace('"seed":0,"strict"', '"seed":"x","strict"', 1))
    check_refused(split(table, "--verify", manifest), "expected a recipe")
    manifest.write_text(written.replace("hash-blocks/1", "hash-blocks/9"))
    check_refused(split(table, "--verify", manifest), "it was split by hash-blocks/9")
    lines = written.splitlines()
    manifest.write_text("\n".join([*lines, lines[-1]]))
    check_refused(split(table, "--verify", manifest), "each key once")


def at(place: Path, arguments: list[str]) -> list[str]:
    return [text.replace("{}", str(place)) for text in arguments]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--out", "{}/data.csv"], ["--out", "DATA"]),
        (["--json", "{}/../here/data.csv"], ["--json", "DATA"]),
        (["--out", "{}/linked.csv"], ["--out", "DATA"]),
        (["--freeze", "test", "--from", "{}/old.csv", "--out", "{}/old.csv"], ["--out", "--from"]),
        (["--out", "{}/new.csv", "--json", "{}/new.csv"], ["--out", "--json"]),
        (["--out", "{}/new.csv", "--coco", "{}/new.csv"], ["--out", "--coco"]),
        (["--copy", "{}/parts", "--link", "{}/parts"], ["--copy", "--link"]),
        (["--copy", "{}/empty", "--link", "{}/empty"], ["--copy", "--link"]),
    ],
)
def test_nothing_is_written_over_another_thing(
    split: Split, tmp_path: Path, arguments: list[str], named: list[str]
) -> None:
    here = tmp_path / "here"
    (here / "empty").mkdir(parents=True)
    table = write_table(here / "data.csv", 4)
    for name in (f"{i:04d}.jpg" for i in range(4)):
        (here / name).write_bytes(b"x")
    (here / "linked.csv").symlink_to(table)
    assert split(table, "--ratios", "50/50", "--out", here / "old.csv").code == 0
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    done = split(table, "--ratios", "50/50", *at(here, arguments))
    assert (done.code, done.out) == (2, "")
    last = done.err.splitlines()[-1]
    assert last.startswith("Error: expected ")
    assert all(name in last for name in named)
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("refused", ["--coco", "--yolo"])
def test_what_is_refused_leaves_nothing_behind(split: Split, tmp_path: Path, refused: str) -> None:
    images = write_images(tmp_path / "images")
    done = split(
        images, "--ratios", "50/50", "--copy", tmp_path / "a", "--link", tmp_path / "b",
        refused, tmp_path / "c", "--out", tmp_path / "split.csv",
    )  # fmt: skip
    check_refused(done, "got image folder data")
    assert list(tmp_path.iterdir()) == [images]


def test_copies_are_not_put_among_the_data(split: Split, tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    for option in ("--copy", "--link"):
        done = split(images, "--ratios", "50/50", option, images / "cat" / "parts")
        check_refused(done, f"a folder for {option} outside of DATA")
    assert split(images, "--ratios", "50/50", "--out", images / "split.csv").code == 0
    assert split(images, "--verify", images / "split.csv").code == 0


APART = unicodedata.normalize("NFD", "Käfer/é")
COMPOSED = unicodedata.normalize("NFC", APART)


def test_names_that_are_not_composed(split: Split, tmp_path: Path) -> None:
    """As macOS's archives have them: keys are composed, files are found."""
    for i in range(6):
        image = tmp_path / f"images/{APART}{i}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(bytes([i]))
    manifest, parts, links = (tmp_path / name for name in ("split.csv", "parts", "links"))
    done = split(
        tmp_path / "images", "--ratios", "50/50", "--out", manifest, "--copy", parts,
        "--link", links,
    )  # fmt: skip
    assert done.code == 0, done.err
    keys = [f"{COMPOSED}{i}.png" for i in range(6)]
    part = hold_out(keys, "50/50", labels=["Käfer"] * 6).assignment()
    assert {row["key"]: row["part"] for row in read_rows(manifest)} == part
    for folder in (parts, links):
        copied = {
            path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")
        }
        assert copied == {f"{part[key]}/{APART}{i}.png": bytes([i]) for i, key in enumerate(keys)}


@pytest.mark.parametrize("column", [COMPOSED, APART])
def test_a_table_of_names_that_are_not_composed(split: Split, tmp_path: Path, column: str) -> None:
    table = tmp_path / "data.csv"
    table.write_text("image\n" + "".join(f"{column}{i}.png\n" for i in range(4)))
    (tmp_path / APART).parent.mkdir()
    for i in range(4):
        (tmp_path / f"{APART}{i}.png").write_bytes(bytes([i]))
    done = split(table, "--ratios", "50/50", "--copy", tmp_path / "parts")
    assert done.code == 0, done.err
    copied = {
        path.relative_to(path.parents[1]).as_posix() for path in tmp_path.rglob("parts/*/*/*")
    }
    assert copied == {f"{APART}{i}.png" for i in range(4)}


def test_a_yolo_folder_of_names_that_are_not_composed(split: Split, tmp_path: Path) -> None:
    data, lists = tmp_path / APART, tmp_path / "lists"
    for folder in ("images", "labels"):
        (data / folder).mkdir(parents=True)
    name = unicodedata.normalize("NFD", "é")
    for i in range(6):
        (data / f"images/{name}{i}.jpg").write_bytes(b"x")
        # The label of one image is spelt another way than the image.
        spelt = name if i else unicodedata.normalize("NFC", name)
        (data / f"labels/{spelt}{i}.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    done = split(
        data, "--ratios", "50/50", "--yolo", lists, "--copy", tmp_path / "parts",
        "--out", tmp_path / "split.csv",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "a YOLO folder of 6 images with 6 objects of 1 classes" in done.err
    keys = [f"images/é{i}.jpg" for i in range(6)]
    assert [row["key"] for row in read_rows(tmp_path / "split.csv")] == keys
    paths = [
        Path(line)
        for part in ("train", "test")
        for line in (lists / f"{part}.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert sorted(paths) == sorted((data / "images").iterdir())
    copied = {path.name for path in tmp_path.rglob("parts/*/*/*")}
    assert copied == {path.name for path in (*data.rglob("*.jpg"), *data.rglob("*.txt"))}


def test_mot_names_that_are_not_composed(split: Split, tmp_path: Path) -> None:
    for sequence in ("é1", "é2"):
        frames = tmp_path / "mot" / unicodedata.normalize("NFD", sequence) / "img1"
        frames.mkdir(parents=True)
        (frames.parent / "seqinfo.ini").write_text("[Sequence]\nseqLength=2\n")
        for i in (1, 2):
            (frames / f"{i:06d}.jpg").write_bytes(b"x")
    done = split(tmp_path / "mot", "--ratios", "50/50", "--copy", tmp_path / "parts")
    assert done.code == 0, done.err
    copied = {path.relative_to(path.parents[2]) for path in tmp_path.rglob("parts/**/*.jpg")}
    assert copied == {path.relative_to(tmp_path / "mot") for path in tmp_path.rglob("mot/**/*.jpg")}


@pytest.mark.skipif(os.name == "nt", reason="such names are none there")
def test_names_that_lists_and_tables_find_hard(split: Split, tmp_path: Path) -> None:
    """A name that begins like another one, but for a blank, is one of its own."""
    names = [" 1", "1", "1 ", "#2", "back\\slash", "line\nbreak", 'quote"', "\t3", "4;5,6"]
    for name in names:
        image = tmp_path / f"images/ cat /{name}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(name.encode())
    manifest, parts = tmp_path / "split.csv", tmp_path / "parts"
    done = split(tmp_path / "images", "--ratios", "50/50", "--out", manifest, "--copy", parts)
    assert done.code == 0, done.err
    assert split(tmp_path / "images", "--verify", manifest).code == 0
    keys = sorted(f" cat /{name}.png".replace("\\", "/") for name in names)
    assert [row["key"] for row in read_rows(manifest)] == keys
    assert {row["label"] for row in read_rows(manifest)} == {" cat "}
    assert sorted(path.read_text() for path in parts.rglob("*.png")) == sorted(names)

    flat = tmp_path / "flat"
    (flat / "images").mkdir(parents=True)
    (flat / "labels").mkdir()
    (flat / "images/line\nbreak.png").write_bytes(b"x")
    (flat / "images/2.png").write_bytes(b"x")
    (flat / "labels/2.TXT").write_text("0 0 0 1 1\n")
    done = split(flat, "--ratios", "50/50", "--yolo", tmp_path / "lists")
    check_refused(done, "without line breaks")
    assert "2 images with 1 objects" in done.err
    assert not (tmp_path / "lists").exists()


def test_manifests_are_as_the_csv_module_writes_them(split: Split, tmp_path: Path) -> None:
    """But for rows whose blanks would be lost."""
    images = tmp_path / "images"
    images.mkdir()
    for name in (" 1", "1", "a,b"):
        (images / f"{name}.png").write_bytes(b"x")
    assert split(images, "--ratios", "100", "--out", tmp_path / "split.csv").code == 0
    rows = (tmp_path / "split.csv").read_text().splitlines()[1:]
    assert rows == ["key,part", '" 1.png","all"', "1.png,all", '"a,b.png",all']


def test_a_target_of_huge_numbers(split: Split, tmp_path: Path) -> None:
    table = write_table(tmp_path / "data.csv", 8, age=[-1.7e308] * 4 + [1.7e308] * 4)
    done = split(
        table, "--ratios", "50/50", "--stratify", "none", "--target", "age", "--bins", 2,
        "--json", "-",
    )  # fmt: skip
    assert json.loads(done.out)["classes"] == {
        "bin 1: -inf to 0": [2, 2],
        "bin 2: 0 to inf": [2, 2],
    }


def test_links_that_lead_back(split: Split, tmp_path: Path) -> None:
    data = write_yolo(tmp_path / "data")
    (data / "images" / "again").symlink_to(data)
    done = split(data, "--ratios", "80/20")
    assert "a YOLO folder of 20 images" in done.err


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="readable folder, got: No such file"):
        images_below(tmp_path / "absent")


def test_keys_in_any_spelling(split: Split, tmp_path: Path) -> None:
    names = ["ä.jpg", 'quote".jpg', "comma,.jpg", "a b.jpg", "日本.jpg"]
    rows = "".join(
        '"' + name.replace('"', '""') + f'",{"xy"[i % 2]}\n' for i, name in enumerate(names)
    )
    (tmp_path / "data.csv").write_text(f"image,label\n{rows}", encoding="utf-8")
    manifest = tmp_path / "split.csv"
    assert split(tmp_path / "data.csv", "--ratios", "60/40", "--out", manifest).code == 0
    with manifest.open(newline="", encoding="utf-8") as file:
        file.readline()
        assert sorted(row["key"] for row in csv.DictReader(file)) == sorted(names)
    assert split(tmp_path / "data.csv", "--verify", manifest).code == 0
