"""``snellen report --slice-by``: parts of the data of a stored run of any task."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from snellen import Classification
from snellen.report.run_slices import RunSlices, slice_bars
from snellen.result import Interval
from snellen.run.stored_run import StoredRun
from snellen.statistics.unit_slices import UnitSlice, ids_of_units, unit_slices

from .conftest import Run, results_document, truth_document

MADE = {
    "classification": (["c/truth.csv", "c/a.csv"], ["--images", "60", "--scenes", "9"], "c"),
    "regression": (["g/truth.csv", "g/predictions.csv"], ["--samples", "60", "--people", "9"], "g"),
    "detection": (
        ["d/truth.json", "d/predictions.json"],
        ["--images", "12", "--boxes", "60", "--detections", "90", "--classes", "3"],
        "d",
    ),
    "segmentation": (
        ["s/truth", "s/predictions", "--classes", "s/classes.json"],
        ["--images", "4", "--width", "64", "--height", "48"],
        "s",
    ),
    "boundary": (["s/truth", "s/predictions", "--classes", "s/classes.json"], [], "s"),
    "surface": (["s/truth", "s/predictions", "--classes", "s/classes.json"], [], "s"),
    "panoptic": (["s/panoptic/truth.json", "s/panoptic/predictions.json"], [], "s"),
    "tracking": (
        ["t/truth", "t/predictions"],
        ["--sequences", "3", "--frames", "20", "--objects", "4"],
        "t",
    ),
}


@pytest.fixture(scope="module")
def home(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run of each task, and a table that has each image once."""
    folder = tmp_path_factory.mktemp("slices")
    for task, (inputs, options, sample) in MADE.items():
        if options:
            done = run("sample", task, sample, *options, "--quiet", cwd=folder)
            assert done.returncode == 0, done.stderr
        done = run("evaluate", task, *inputs, "--out", f"runs/{task}", "--quiet", cwd=folder)
        assert done.returncode == 0, done.stderr
        ids = ids_of_units(StoredRun.open(folder / "runs" / task).metric())
        rows = [f"{name},{'odd' if k % 2 else 'even'},{k}" for k, name in enumerate(ids)]
        (folder / f"{task}.csv").write_text("\n".join(["which,part,number", *rows]) + "\n")
    shutil.copytree(folder / "runs" / "classification", folder / "runs" / "same")
    for sample in "cgdst":
        shutil.rmtree(folder / sample)
    return folder


def table_below(text: str, title: str) -> list[list[str]]:
    """Return the cells of the Markdown table below a heading."""
    lines = text[text.index(f"## {title}") :].splitlines()[2:]
    rows = lines[: lines.index("")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("task", MADE)
def test_a_run_of_any_task_is_sliced_without_its_data(
    run: Run, home: Path, tmp_path: Path, task: str
) -> None:
    out = tmp_path / "tables.md"
    done = run("report", f"runs/{task}", "-o", out, "--slice-by", f"{task}.csv:part", cwd=home)
    assert (done.returncode, done.stderr) == (0, "")
    text = out.read_text(encoding="utf-8").replace("\\_", "_")
    head, _, *rows = table_below(text, "Slices by part")
    stored = StoredRun.open(home / "runs" / task)
    ids = ids_of_units(stored.metric())
    n = len(ids)
    assert [row[:2] for row in rows] == [["even", str((n + 1) // 2)], ["odd", str(n // 2)]]
    main = stored.record.headline[0]
    assert head[:3] == ["part", {"classification": "samples", "regression": "samples",
                                 "tracking": "sequences"}.get(task, "images"), main]  # fmt: skip
    parts = unit_slices(
        stored.metric(), {name: "odd" if k % 2 else "even" for k, name in enumerate(ids)}
    )
    assert [row[2].split()[0] for row in rows] == [f"{part.metrics[main]:.3f}" for part in parts]
    assert rows[0][2] != rows[1][2]


def test_the_page_shows_them(run: Run, home: Path, tmp_path: Path) -> None:
    options = ["--slice-by", "regression.csv:part", "--slice-by", "regression.csv:number"]
    pages = []
    for _ in range(2):
        done = run("report", "runs/regression", "-o", tmp_path / "a.html", *options, cwd=home)
        assert done.returncode == 0, done.stderr
        pages.append((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert pages[0] == pages[1]
    for said in ("mae by part", "Slices by part", "mae by number", "mae is highest in",
                 "regression.csv:part; 95 % intervals, over the samples of a slice"):  # fmt: skip
        assert said in pages[0]
    done = run(
        "report", "runs/regression", "-o", tmp_path / "a.svg", *options,
        "--figure", "slices_by_part", cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "even (30)" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_slices_of_two_runs_stand_side_by_side(run: Run, home: Path, tmp_path: Path) -> None:
    both = ["runs/classification", "runs/same", "--slice-by", "classification.csv:part"]
    done = run("report", *both, "-o", tmp_path / "a.tex", cwd=home)
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "a.tex").read_text(encoding="utf-8")
    assert "part (accuracy) & classification & same" in table
    assert r"\label{tab:slices:part}" in table
    done = run("report", *both, "-o", tmp_path / "a.html", cwd=home)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "classification: accuracy is lowest in" in page
    assert "same: accuracy is lowest in" in page


def test_many_slices_come_worst_first(run: Run, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.md"
    table = "regression.csv:number"
    done = run("report", "runs/regression", "-o", out, "--slice-by", table, cwd=home)
    assert (done.returncode, done.stderr) == (0, "")
    _, _, *rows = table_below(out.read_text(encoding="utf-8"), "Slices by number")
    errors = [float(row[2]) for row in rows]
    assert len(errors) == 60
    assert errors == sorted(errors, reverse=True)


def test_slices_by_columns_whose_names_look_alike_are_told_apart(
    run: Run, home: Path, tmp_path: Path
) -> None:
    ids = ids_of_units(StoredRun.open(home / "runs" / "regression").metric())
    columns = ["天気", "時間", "a b", "a/b", "part", "Part"]
    rows = [",".join([str(name), *(f"{c} {k % 2}" for c in columns)]) for k, name in enumerate(ids)]
    (tmp_path / "one.csv").write_text("\n".join([",".join(["id", *columns]), *rows]), "utf-8")
    (tmp_path / "two.csv").write_text(
        "\n".join(["id,part", *(f"{name},other" for name in ids)]), "utf-8"
    )
    (tmp_path / "more").mkdir()
    shutil.copy(tmp_path / "two.csv", tmp_path / "more" / "two.csv")
    sources = [*(f"one.csv:{c}" for c in columns), "two.csv:part", "more/two.csv:part"]
    options = [word for source in [*sources, sources[0]] for word in ("--slice-by", source)]
    shutil.copytree(home / "runs" / "regression", tmp_path / "run")
    done = run("report", "run", "-o", "a.html", *options, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    bars = re.findall(r'<script[^>]* id="(run0-slices_by_[^"]*-data)"', page)
    tables = re.findall(r'<script[^>]* id="(run0-slice_table_by_[^"]*-data)"', page)
    assert len(bars) == len(set(bars)) == len(tables) == len(set(tables)) == len(sources)
    titles = re.findall(r"<h3[^>]*>mae by ([^<]*)</h3>", page)
    assert titles == [
        *columns[:4], "part of one.csv", "Part", "part of two.csv", "part of more/two.csv",
    ]  # fmt: skip
    for kind in ("md", "tex"):
        done = run("report", "run", "-o", f"a.{kind}", *options, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    labels = re.findall(r"\\label\{(tab:slices:.*)\}", (tmp_path / "a.tex").read_text("utf-8"))
    assert len(labels) == len(set(labels)) == len(sources)
    done = run("report", "run", "-o", "pictures", "--format", "svg", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr  # Matplotlib may lack letters
    drawn = list((tmp_path / "pictures").glob("slices_by_*.svg"))
    assert len({path.name.casefold() for path in drawn}) == len(sources)
    seen = [path.read_text("utf-8") for path in drawn]
    for column in columns[2:5]:
        assert sum(f"{column} 0 (30)" in each for each in seen) == 1


def test_slices_of_several_runs_are_in_the_order_of_the_first() -> None:
    def sliced(names: str, n_units: int, level: float | None) -> RunSlices:
        parts = tuple(
            UnitSlice(
                name, 10, {"mae": float(k)}, {"mae": Interval(0.0, 9.0, 0.95, "basic", "sample")}
            )
            for k, name in enumerate(names)
        )
        return RunSlices(
            "t.csv:part", "part", "part", "rules", "sample", n_units, ("mae",), True, None,
            {"mae": 1.0}, parts, level,
        )  # fmt: skip

    shown = slice_bars([sliced("bca", 30, 0.95), sliced("abd", 34, None)], ["one", "two"])
    assert shown.categories == ("all", "b (10)", "c (10)", "a (10)", "d (10)")
    assert shown.words.note == (
        "two: 4 of 34 samples are in no slice: the table has no row, or no text, for them."
    )
    assert "one: rules; by t.csv:part; 95 % intervals" in shown.words.protocol
    assert shown.words.protocol.endswith(" · two: rules; by t.csv:part")


def test_names_of_files_are_looked_up_in_a_truth_that_is_unchanged(
    run: Run, tmp_path: Path
) -> None:
    document = truth_document()
    for image, name in zip(document["images"], ("in/a.png", "out/b.png"), strict=True):
        image["file_name"] = name
    (tmp_path / "truth.json").write_text(json.dumps(document))
    (tmp_path / "results.json").write_text(json.dumps(results_document()))
    (tmp_path / "t.csv").write_text("image,light\nin/a.png,lamp\n")
    run(
        "evaluate", "detection", "truth.json", "results.json", "--out", "run", "--quiet",
        cwd=tmp_path,
    )  # fmt: skip
    sliced = ["report", "run", "-o", "out.md", "--slice-by", "t.csv:light"]
    done = run(*sliced, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "| lamp | 1 |" in (tmp_path / "out.md").read_text()
    (tmp_path / "out.md").unlink()
    (tmp_path / "truth.json").write_text(json.dumps(document) + " ")
    done = run(*sliced, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "snellen: error: expected rows about the images, such as 1, 2, got in/a.png - at t.csv\n"
    )
    assert not (tmp_path / "out.md").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("part", 'expected TABLE:COLUMN, got "part"'),
        ("", 'expected TABLE:COLUMN, got ""'),
        ("nothing.csv:part", "nothing.csv"),
        ("regression.csv:size", 'expected a column "size", got which, part, number'),
        ("other.csv:part", "expected rows about the samples, such as"),
        ("twice.csv:part", "expected each sample once, got x again"),
    ],
)
def test_bad_slices(run: Run, home: Path, tmp_path: Path, source: str, message: str) -> None:
    (home / "other.csv").write_text("id,part\nnobody,a\n")
    (home / "twice.csv").write_text("id,part\nx,a\nx,b\n")
    for out in ("a.html", "a.md"):
        done = run(
            "report", "runs/regression", "-o", tmp_path / out, "--slice-by", source, cwd=home
        )
        assert done.returncode == 1
        assert done.stderr.startswith("snellen: error: ")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_samples_without_ids_cannot_be_sliced(run: Run, home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "classification", tmp_path / "run")
    metric = Classification().update(["a", "b"], ["a", "a"])
    (tmp_path / "run" / "state.bin").write_bytes(metric.to_bytes())
    stored = msgspec.json.encode(metric.compute().to_dict())
    (tmp_path / "run" / "result.json").write_bytes(stored)
    (tmp_path / "t.csv").write_text("id,part\nx,a\n")
    done = run("report", "run", "-o", "a.md", "--slice-by", "t.csv:part", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "snellen: error: expected samples with ids, to tell them apart - at run\n"
    )
