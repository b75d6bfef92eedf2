"""``snellen report``: pages, pictures and tables of stored runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from snellen.cli.report import _refuse_input
from snellen.report.run_pictures import figures_of
from snellen.run.stored_run import StoredRun

from .conftest import Run, results_document, truth_document

HOSTILE = "</script><img src=x onerror=alert(1)>|$&_%"


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two runs of one protocol, one of another, and one of another task."""
    home = tmp_path_factory.mktemp("reports")
    document = truth_document()
    document["categories"][1]["name"] = HOSTILE
    (home / "truth.json").write_text(json.dumps(document))
    for name, results in (("a", results_document()), ("b", results_document()[:2])):
        (home / f"{name}.json").write_text(json.dumps(results))
        done = run(
            "evaluate", "detection", "truth.json", f"{name}.json", "--out", f"runs/{name}",
            "--intervals", "--replicates", "10", "--quiet", cwd=home,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    run(
        "evaluate", "detection", "truth.json", "a.json", "--out", "runs/other", "--quiet",
        "--max-detections", "7", cwd=home,
    )  # fmt: skip
    (home / "y.csv").write_text("id,target,prediction\n1,1.0,1.5\n2,2.0,2.0\n")
    done = run(
        "evaluate", "regression", "y.csv", "--target", "target", "--prediction", "prediction",
        "--out", "runs/y", "--quiet", cwd=home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return home


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- Pages --------------------------------------------------------------------------------------


def test_a_page_and_the_same_again(run: Run, folder: Path, tmp_path: Path) -> None:
    """A page is a function of what the folder holds: truth and predictions are not there."""
    shutil.copytree(folder / "runs", tmp_path / "runs")
    before = snapshot(tmp_path)
    pages = []
    for _ in range(2):
        done = run("report", "runs/a", "-o", "page.html", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "page.html\n"
        pages.append((tmp_path / "page.html").read_bytes())
    assert pages[0] == pages[1]
    assert HOSTILE.encode() not in pages[0]
    (tmp_path / "page.html").unlink()
    assert snapshot(tmp_path) == before


def test_a_page_without_intervals_says_how_to_get_them(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    for name, wanted in (("a", False), ("other", True)):
        page = tmp_path / f"{name}.html"
        done = run("report", f"runs/{name}", "-o", str(page), cwd=folder)
        assert done.returncode == 0, done.stderr
        text = page.read_text(encoding="utf-8")
        assert ("none were asked for: snellen evaluate detection … --intervals" in text) is wanted
        assert ("over images: bootstrap, basic" in text) is not wanted


def test_report_html_in_the_run_is_that_page(run: Run, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "runs" / "a", tmp_path / "a")
    run("report", "a", "-o", "a/report.html", cwd=tmp_path)
    first = (tmp_path / "a" / "report.html").read_bytes()
    run("report", "a", "-o", "page.html", cwd=tmp_path)
    page = (tmp_path / "page.html").read_bytes()
    assert len(first) > 10_000
    # But for the way from the page to the folder of the run.
    assert first == page or first.count(b"\n") == page.count(b"\n")


def test_several_runs_and_their_names(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = run("report", "runs/a", "runs/b", "-o", out, "--names", "before,after", cwd=folder)
    assert done.returncode == 0, done.stderr
    page = out.read_text(encoding="utf-8")
    assert "before and after" in page
    for names in ("before", "x,x", "x,", "a,b,c"):
        done = run("report", "runs/a", "runs/b", "-o", out, "--names", names, cwd=folder)
        assert done.returncode == 2
        assert f"expected 2 different names, got {names}" in done.stderr


def test_assets_are_shared(run: Run, folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        done = run(
            "report", folder / "runs" / name, "-o", f"{name}.html", "--assets", "shared",
            cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert 'data-address="shared/plotly.min.js"' in page
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["plotly.min.js"]
    assert len(page) < 1_000_000


def test_of_a_file_of_the_run(run: Run, folder: Path, tmp_path: Path) -> None:
    done = run("report", folder / "runs" / "a" / "state.bin", "-o", tmp_path / "p.html", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# ---- Pictures and tables ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_every_figure_as_a_picture(run: Run, folder: Path, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    names = [*figures_of(StoredRun.open(folder / "runs" / "a"))]
    assert "precision_recall" in names
    done = run("report", "runs/a", "-o", tmp_path / "made", "--format", kind, cwd=folder)
    assert done.returncode == 0, done.stderr
    found = snapshot(tmp_path / "made")
    assert sorted(Path(path).name for path in found) == sorted(f"{name}.{kind}" for name in names)
    magic = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[kind]
    assert all(data.startswith(magic) for data in found.values())
    one = tmp_path / f"one.{kind}"
    done = run("report", "runs/a", "-o", one, "--figure", "precision_recall", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert one.read_bytes() == found[str(tmp_path / "made" / f"precision_recall.{kind}")]


def test_pictures_of_several_runs_begin_with_their_names(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    done = run(
        "report", "runs/a", "runs/b", "-o", tmp_path / "pr.svg", "--figure", "precision_recall",
        "--width", "3.3", "--names", "../x,../X", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-x-pr.svg", "2-X-pr.svg"]


def test_tables_in_markdown(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.md"
    assert run("report", "runs/a", "-o", out, cwd=folder).returncode == 0
    text = out.read_text(encoding="utf-8")
    assert text.startswith("# detection: headline numbers of a, with 95 % intervals\n")
    assert "\n| AP | 1.000 |\n" in text  # of whichever images: no interval
    assert "| precision\\_recall | Precision over recall |" in text
    assert "<" not in text
    rows = [line for line in text.splitlines() if "img src" in line]
    # Its own pipe is escaped, so that the row has the cells of the head.
    assert len(rows) > 0
    assert rows[0].replace("\\|", "").count("|") == next(
        line.count("|") for line in text.splitlines() if line.startswith("| class |")
    )
    assert run("report", "runs/b", "-o", out, cwd=folder).returncode == 0
    # One of two cats found, (51 / 101 + 1) / 2; draws have one image twice, or both.
    text_of_b = out.read_text(encoding="utf-8")
    assert "\n| AP | 0.752 [0.505, 1.000] |\n" in text_of_b
    assert run("report", "runs/a", "runs/b", "-o", out, cwd=folder).returncode == 0
    both = out.read_text(encoding="utf-8")
    assert "\n| metric | a | b |\n| --- | ---: | ---: |\n" in both
    # Findings, and what they are of, are those of each run.
    for name, alone in (("a", text), ("b", text_of_b)):
        figures = alone.split("\n## Figures\n")[1]
        assert f"\n## Figures of {name}\n{figures.rstrip()}\n" in both
        made_of = alone.split("\n| made of |\n")[1].split("\n\n")[0]
        assert f"\n| {name} is made of |\n{made_of}\n\n" in both
    assert text.split("\n## Figures\n")[1] != text_of_b.split("\n## Figures\n")[1]


def test_tables_in_latex(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.tex"
    assert run("report", "runs/b", "-o", out, cwd=folder).returncode == 0
    assert "AP50 & 0.752 {[}0.505, 1.000] \\\\" in out.read_text(encoding="utf-8")
    assert run("report", "runs/a", "-o", out, cwd=folder).returncode == 0
    text = out.read_text(encoding="utf-8")
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 3
    body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert "<" not in body
    assert "\\&\\_\\%" in body


def test_tables_of_several_runs_in_latex(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.tex"
    done = run("report", "runs/a", "runs/b", "-o", out, "--names", "x_1,%\n2", cwd=folder)
    assert done.returncode == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    for place, name in ((1, "x\\_1"), (2, "\\%")):
        assert f"\\label{{tab:figures:{place}}}" in text
        assert f"\\caption{{Figures of {name}" in text
    assert "\n% x_1 is made of:\n" in text
    assert "\n% %\\n2 is made of:\n" in text  # a comment ends with its line


# ---- Bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs/a", "-o", "o.txt"], "expected -o with .html, .htm, .png, .pdf, .svg, .md, .tex"),
        (["runs/a", "-o", "o"], 'or --format; got "o" alone'),
        (["runs/a", "-o", "o.pdf"], "expected --figure NAME with one file, or a folder"),
        (["runs/a", "-o", "o.html", "--figure", "x"], "expected --figure with a picture"),
        (["runs/a", "-o", "o.md", "--assets", "x"], "expected --assets with a page"),
        (["runs/a", "-o", "o.html", "--width", "6"], "expected --width with pictures (png"),
        (["runs/a", "-o", "o.md", "--width", "3.3"], "expected --width with pictures (png"),
        (["-o", "o.html"], "Missing argument"),
        (["runs/a"], "Missing option '-o'"),
    ],
)
def test_wrong_usage(run: Run, folder: Path, arguments: list[str], message: str) -> None:
    done = run("report", *arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs/a", "runs/y"], "expected runs of one task, a is of detection and y of regression"),
        (
            ["runs/a", "runs/b", "runs/other"],
            "max_detections is [1,10,100] in a and [1,7] in other",
        ),
        (["runs/nowhere"], "expected the folder of a run, there is none - at runs/nowhere"),
        (["runs"], "got one without run.json and result.json"),
        (["runs/a", "--figure", "precision_recal"], 'Did you mean "precision_recall"?'),
    ],
)
def test_what_cannot_be_shown(
    run: Run, folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    out = tmp_path / ("o.svg" if "--figure" in arguments else "o.html")
    done = run("report", *arguments, "-o", out, cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert message.replace("[1,7]", "") in done.stderr.replace("[1,7,7]", "").replace("[1,7]", "")
    assert len(done.stderr.splitlines()) == 1
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("file", ["run.json", "result.json", "state.bin", "examples/examples.json"])
@pytest.mark.parametrize("content", [b"", b"[1]", b'{"schema": "snellen.run/9", "task": "x"}'])
def test_broken_runs_give_one_line(
    run: Run, folder: Path, tmp_path: Path, file: str, content: bytes
) -> None:
    shutil.copytree(folder / "runs" / "a", tmp_path / "a")
    (tmp_path / "a" / "examples").mkdir()
    (tmp_path / "a" / file).write_bytes(content)
    done = run("report", "a", "-o", "o.html", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("snellen: error: expected ")
    assert done.stderr.rstrip().split(" $")[0].endswith(f"a/{file}")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "o.html").exists()


@pytest.mark.parametrize(
    "out", ["a", "a/state.bin", "a/states", "a/examples/x.html", "a/result.json", "a/index.html"]
)
def test_a_run_is_not_written_over(run: Run, folder: Path, tmp_path: Path, out: str) -> None:
    shutil.copytree(folder / "runs" / "a", tmp_path / "a")
    (tmp_path / "a" / "examples").mkdir()
    before = snapshot(tmp_path)
    done = run("report", "a", "-o", out, "--format", "html", cwd=tmp_path)
    assert done.returncode == 1
    assert "expected a place of its own for what is written, got a part of the run" in done.stderr
    assert snapshot(tmp_path) == before


def test_a_benchmark_is_not_written_over(run: Run, folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "bench"
    shutil.copytree(folder / "runs" / "a", home / "models" / "a")
    content = {
        "schema": "snellen.benchmark-result/1",
        "models": [{"name": "a"}],
        "table": [{"name": "a", "top1": 0.5}],
    }
    (home / "result.json").write_text(json.dumps(content))
    (home / "predictions").mkdir()
    for name in ("index.html", "table.csv", "predictions/0.bin"):
        (home / name).write_text("{}")
    before = snapshot(tmp_path)
    for out, kind in (
        *((name, "html") for name in ("index.html", "predictions/x.html", "models")),
        *(("result.json", "md"), ("table.csv", "md"), ("models/a/state.bin", "tex")),
        *(("models", "png"), (".", "png"), ("predictions", "svg")),
    ):
        done = run("report", "bench", "-o", home / out, "--format", kind, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "expected a place of its own for what is written" in done.stderr
        assert snapshot(tmp_path) == before
    _refuse_input(home / "report.html", [*StoredRun.open(home).models])  # may be written


def test_folders_that_there_are_not(run: Run, folder: Path, tmp_path: Path) -> None:
    for more in (["-o", "no/o.html"], ["-o", "o.html", "--assets", "no/js"]):
        done = run("report", folder / "runs" / "a", *more, cwd=tmp_path)
        assert done.returncode == 1
        assert "expected a folder to write into, there is none: make it" in done.stderr
    (tmp_path / "o").write_text("")
    done = run("report", folder / "runs" / "a", "-o", "o", "--format", "png", cwd=tmp_path)
    assert "expected a folder for the pictures, got a file" in done.stderr
    (tmp_path / "p.html").mkdir()
    done = run("report", folder / "runs" / "a", "-o", "p.html", cwd=tmp_path)
    assert "expected a file for the page, got a folder" in done.stderr


def test_path_escapes_and_missing_pictures(run: Run, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "runs" / "a", tmp_path / "a")
    examples: dict[str, Any] = {
        "schema": "snellen.examples/1",
        "task": "detection",
        "rule": "the worst",
        "n_images": 2,
        "images": [{"id": "1", "name": HOSTILE, "picture": "gone.png"}],
    }
    (tmp_path / "a" / "examples").mkdir()
    path = tmp_path / "a" / "examples" / "examples.json"
    path.write_text(json.dumps(examples))
    done = run("report", "a", "-o", "o.html", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert HOSTILE.encode() not in (tmp_path / "o.html").read_bytes()
    examples["images"][0]["picture"] = "../../../etc/passwd"
    path.write_text(json.dumps(examples))
    done = run("report", "a", "-o", "o.html", cwd=tmp_path)
    assert done.returncode == 1
    assert "expected the name of a file in the same folder" in done.stderr
    assert "$.images[0].picture" in done.stderr
