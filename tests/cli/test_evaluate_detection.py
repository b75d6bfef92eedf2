"""``snellen evaluate detection`` and ``snellen merge``, as typed."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, results_document, truth_document

Files = tuple[Path, Path]

# By hand. Class cat: two truth boxes, both found first, then a false one: precision 1 (less 2^-52
# at the first) to recall 1. Class dog: its one box found. So AP 1 everywhere that is defined. The
# areas are 400, 1600 and 100: two small boxes, one medium, none large.
SUMMARY = """\
 Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000
 Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 1.000
 Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 1.000
 Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 1.000
 Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 1.000
 Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = nan
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 1.000
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = 1.000
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000
 Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 1.000
 Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 1.000
 Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = nan
"""


def test_prints_the_twelve_lines_and_what_they_were_made_of(run: Run, files: Files) -> None:
    done = run("evaluate", "detection", *files)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith(SUMMARY)
    rest = " ".join(done.stdout.removeprefix(SUMMARY).split())
    assert "images 2" in rest
    assert "truth boxes 3" in rest
    assert "predictions 4, none dropped" in rest
    assert "classes 2, 2 with truth" in rest
    assert "protocol coco: IoU 0.50:0.95 (10), 101 recall points" in rest
    assert "AP_large: no truth box counts in area range large" in rest


def test_strict_prints_minus_one_where_undefined(run: Run, files: Files) -> None:
    done = run("evaluate", "detection", *files, "--protocol", "coco-strict")
    assert done.returncode == 0
    assert done.stdout.startswith(SUMMARY.replace("nan", "-1.000"))


def test_json_to_stdout_is_one_object_and_nothing_else(run: Run, files: Files) -> None:
    done = run("evaluate", "detection", *files, "--json", "-")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["schema"] == "snellen.result/1"
    assert document["task"] == "detection"
    assert document["protocol"]["name"] == "coco"
    # Cat's second hit has precision 2 / (2 + 2^-52) = 1, which is the maximum to the right of all
    # recall points; dog's only one has 1 / (1 + 2^-52).
    cat, dog = document["per_class"]
    assert cat["AP50"] == 1.0
    assert dog["AP50"] == pytest.approx(0.9999999999999998, abs=1e-15)
    assert dog["AP50"] < 1.0
    assert document["metrics"]["AP_large"] is None
    assert [record["class"] for record in document["per_class"]] == ["cat", "dog"]
    assert [record["n_truth"] for record in document["per_class"]] == [2, 1]
    undefined = [(entry["metric"], entry.get("class")) for entry in document["undefined"]]
    # Of both classes nothing is large; dog has one box, of 40 x 40, which is medium.
    assert sorted(undefined, key=str) == sorted(
        [
            *((name, None) for name in ("AP_large", "AR_large")),
            *((name, label) for name in ("AP_large", "AR_large") for label in ("cat", "dog")),
            *((name, "cat") for name in ("AP_medium", "AR_medium")),
            *((name, "dog") for name in ("AP_small", "AR_small")),
        ],
        key=str,
    )
    assert document["data"]["n_predictions"] == 4


def test_json_to_a_file_prints_too(run: Run, files: Files, tmp_path: Path) -> None:
    done = run("evaluate", "detection", *files, "--json", tmp_path / "r.json")
    assert done.returncode == 0
    assert done.stdout.startswith(SUMMARY)
    assert json.loads((tmp_path / "r.json").read_text())["metrics"]["AR_1"] == 1.0


def test_quiet_prints_nothing(run: Run, files: Files, tmp_path: Path) -> None:
    done = run("evaluate", "detection", *files, "--quiet", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "result.json",
        "run.json",
        "state.bin",
    ]


def test_per_class(run: Run, files: Files) -> None:
    done = run("evaluate", "detection", *files, "--per-class")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    (cat,) = [row for row in rows if row[:1] == ["cat"]]
    assert cat[:4] == ["cat", "1", "2", "1.000"]


def test_gates(run: Run, files: Files) -> None:
    done = run("evaluate", "detection", *files, "--fail-under", "AP=0.99")
    assert done.returncode == 0
    done = run("evaluate", "detection", *files, "--fail-under", "AP=1.01")
    assert done.returncode == 3
    assert done.stdout.startswith(SUMMARY)
    assert "AP is 1, below 1.01" in done.stderr
    # An undefined number reaches nothing.
    done = run("evaluate", "detection", *files, "--fail-under", "AP_large=0", "--json", "-")
    assert done.returncode == 3
    assert "AP_large is undefined (no truth box counts in area range large)" in done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--fail-under", "AP5=0.4"], 'Did you mean "AP50"?'),
        (["--fail-under", "AP"], "expected a metric and a number"),
        (["--fail-under", "AP=nan"], "expected a metric and a number"),
        (["--max-detections", "0"], "expected whole numbers from 1"),
        (["--max-detections", "1,x"], "expected whole numbers from 1"),
        (["--max-detections", "5,5"], "expected whole numbers from 1"),
        (["--max-detections", "99999999999999999999"], "expected whole numbers from 1"),
        (["--threads", "0"], "0 is not in the range"),
        (["--protocol", "voc"], "expected one of coco, coco-strict, "),
        (["--similarity", "giou"], "'giou' is not one of"),
        (["--nonsense"], "No such option"),
    ],
)
def test_usage_errors(run: Run, files: Files, options: list[str], expected: str) -> None:
    done = run("evaluate", "detection", *files, *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_caps(run: Run, files: Files) -> None:
    done = run("evaluate", "detection", *files, "--max-detections", "300", "--json", "-")
    document = json.loads(done.stdout)
    assert document["protocol"]["max_detections"] == [1, 10, 300]
    assert list(document["metrics"])[6:9] == ["AR_1", "AR_10", "AR_300"]
    done = run("evaluate", "detection", *files, "--max-detections", "1", "--json", "-")
    # Image 2 has two detections of class cat: the weaker is dropped.
    assert json.loads(done.stdout)["data"]["n_dropped_by_cap"] == 1


def test_threads_change_no_byte(run: Run, tmp_path: Path) -> None:
    run("sample", "detection", tmp_path, "--no-images", "--images", 30, "--boxes", 200,
        "--detections", 3000)  # fmt: skip
    outputs = set()
    for threads in (1, 2, 8):
        out = tmp_path / str(threads)
        done = run("evaluate", "detection", tmp_path / "truth.json",
                   tmp_path / "predictions.json", "--threads", threads, "--out", out)  # fmt: skip
        assert done.returncode == 0
        outputs.add((out / "result.json").read_bytes() + (out / "state.bin").read_bytes())
    assert len(outputs) == 1


def write_parts(folder: Path, truth: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Split a data set by image into two halves, each with its own files."""
    ids = [image["id"] for image in truth["images"]]
    for number, part in enumerate((ids[::2], ids[1::2])):
        home = folder / f"part{number}"
        home.mkdir()
        (home / "truth.json").write_text(json.dumps({
            "images": [image for image in truth["images"] if image["id"] in part],
            "annotations": [box for box in truth["annotations"] if box["image_id"] in part],
            "categories": truth["categories"],
        }))  # fmt: skip
        (home / "results.json").write_text(
            json.dumps([box for box in results if box["image_id"] in part])
        )


def test_merge_gives_the_number_of_the_whole(run: Run, tmp_path: Path) -> None:
    run("sample", "detection", tmp_path, "--no-images", "--images", 40, "--boxes", 300,
        "--detections", 2000)  # fmt: skip
    whole = run("evaluate", "detection", tmp_path / "truth.json", tmp_path / "predictions.json",
                "--out", tmp_path / "whole")  # fmt: skip
    write_parts(
        tmp_path,
        json.loads((tmp_path / "truth.json").read_text()),
        json.loads((tmp_path / "predictions.json").read_text()),
    )
    for part in ("part0", "part1"):
        home = tmp_path / part
        done = run("evaluate", "detection", home / "truth.json", home / "results.json", "--out",
                   home)  # fmt: skip
        assert done.returncode == 0
    # A folder or the state in it; any order.
    merged = run("merge", tmp_path / "part1" / "state.bin", tmp_path / "part0", "--out",
                 tmp_path / "merged")  # fmt: skip
    assert merged.returncode == 0
    assert merged.stdout == whole.stdout
    for name in ("state.bin", "result.json"):
        assert (tmp_path / "merged" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    done = run("merge", tmp_path / "part0", tmp_path / "part0")
    assert done.returncode == 1
    assert "20 that were absorbed before" in done.stderr
    assert done.stdout == ""

    home = tmp_path / "part1"
    run("evaluate", "detection", home / "truth.json", home / "results.json", "--out",
        tmp_path / "other", "--max-detections", "50")  # fmt: skip
    done = run("merge", tmp_path / "part0", tmp_path / "other")
    assert done.returncode == 1
    assert "max_detections[2] 50 instead of 100" in done.stderr


def test_merge_of_what_is_no_state(run: Run, files: Files, tmp_path: Path) -> None:
    for name, expected in [
        (files[0], "expected a state written by Snellen"),
        (tmp_path, "No such file"),
        (tmp_path / "absent", "No such file"),
    ]:
        done = run("merge", name)
        assert done.returncode == 1
        assert expected in done.stderr
        assert done.stderr.count("\n") == 1
    assert run("merge").returncode == 2


def test_gzipped_files(run: Run, files: Files) -> None:
    packed = []
    for path in files:
        packed.append(path.with_suffix(".json.gz"))
        packed[-1].write_bytes(gzip.compress(path.read_bytes()))
    assert run("evaluate", "detection", *packed).stdout.startswith(SUMMARY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a thing of POSIX")
def test_pipes(files: Files, tmp_path: Path) -> None:
    """What a shell's <(…) gives: no size, one reading."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    evaluation = subprocess.Popen(
        [sys.executable, "-m", "snellen", "evaluate", "detection", str(files[0]), str(fifo)],
        stdout=subprocess.PIPE,
        text=True,
    )
    fifo.write_bytes(files[1].read_bytes())
    out, _ = evaluation.communicate(timeout=60)
    assert out.startswith(SUMMARY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a thing of POSIX")
def test_interrupted(files: Files, tmp_path: Path) -> None:
    """An evaluation that waits for a pipe nobody writes to."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with (
        subprocess.Popen(
            [sys.executable, "-m", "snellen", "evaluate", "detection", str(files[0]), str(fifo)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as evaluation,
        fifo.open("wb"),  # waits until the evaluation has opened the other end
    ):
        time.sleep(1)  # by when it has imported all that it needs, and waits
        evaluation.send_signal(signal.SIGINT)
        out, err = evaluation.communicate(timeout=60)
    assert (evaluation.returncode, out, err.strip()) == (130, "", "snellen: interrupted")


def test_names_that_would_disturb_a_terminal(run: Run, files: Files) -> None:
    document = truth_document()
    document["categories"][0]["name"] = "[bold]a\n\x1b[31m:smile:</script>"
    files[0].write_text(json.dumps(document))
    done = run("evaluate", "detection", *files, "--per-class")
    assert "[bold]a\\n\\x1b[31m:smile:</script>" in done.stdout
    assert "\x1b" not in done.stdout


def test_drop_unknown(run: Run, files: Files) -> None:
    records = results_document()
    records.append({"image_id": 99, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1})
    records.append({"image_id": 1, "category_id": 9, "bbox": [0, 0, 1, 1], "score": 1})
    files[1].write_text(json.dumps(records))
    done = run("evaluate", "detection", *files, "--drop-unknown")
    assert done.returncode == 0
    assert done.stdout.startswith(SUMMARY)
    assert "2 records of unknown images or categories left out" in done.stderr
    assert done.stderr.count("\n") == 1


def test_missing_area_is_completed_and_said(run: Run, files: Files) -> None:
    document = truth_document()
    for record in document["annotations"]:
        del record["area"], record["iscrowd"], record["id"]
    files[0].write_text(json.dumps(document))
    done = run("evaluate", "detection", *files)
    assert done.returncode == 0
    assert done.stdout.startswith(SUMMARY)
    assert "3 boxes have no area" in done.stderr
    done = run("evaluate", "detection", *files, "--protocol", "coco-strict")
    assert done.returncode == 1
    assert 'expected the key "area" in every record, 3 lack it' in done.stderr


def test_no_predictions_is_a_valid_result(run: Run, files: Files) -> None:
    files[1].write_text("[]")
    done = run("evaluate", "detection", *files, "--json", "-")
    assert json.loads(done.stdout)["metrics"]["AP"] == 0.0
    done = run("evaluate", "detection", *files, "--protocol", "coco-strict")
    assert done.returncode == 1
    assert "expected at least one prediction" in done.stderr


def test_version_and_help(run: Run) -> None:
    import snellen

    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(f"snellen {snellen.__version__} (core: C++20, ")
    for arguments in (["--help"], ["-h"], ["evaluate", "--help"], ["merge", "--help"]):
        done = run(*arguments)
        assert done.returncode == 0
        assert "Usage: snellen" in done.stdout


def test_output_into_a_closed_pipe(files: Files) -> None:
    done = subprocess.run(
        f"{sys.executable} -m snellen evaluate detection {files[0]} {files[1]} | true",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""


def test_installed_command(files: Files) -> None:
    command = Path(sys.executable).with_name("snellen")
    done = subprocess.run(
        [command, "evaluate", "detection", *files], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(SUMMARY)


def of_all_kinds(folder: Path) -> Files:
    """Write truth and its copy as predictions: each with a box, a mask and 17 keypoints."""
    corners = [10, 10, 50, 10, 50, 50, 10, 50]
    shape = {
        "image_id": 1,
        "category_id": 1,
        "bbox": [10, 10, 40, 40],
        "segmentation": [corners],
        "keypoints": [10, 10, 2, *[50, 50, 2] * 16],
    }
    kept = {**shape, "id": 1, "area": 1600, "iscrowd": 0, "num_keypoints": 17}
    truth, pred = folder / "kinds.json", folder / "kinds-found.json"
    truth.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "width": 80, "height": 60}],
                "annotations": [kept],
                "categories": [{"id": 1, "name": "person"}],
            }
        )
    )
    pred.write_text(json.dumps([{**shape, "score": 0.5}]))
    return truth, pred


@pytest.mark.parametrize(
    ("rules", "what", "measure"),
    [
        ("coco-keypoints", "poses", "OKS"),
        ({"base": "coco-keypoints-strict"}, "poses", "OKS"),
        ({"similarity": "mask"}, "masks", "IoU"),
        ({"similarity": "boundary"}, "masks", "boundary IoU"),
        ({"similarity": "box"}, "boxes", "IoU"),
        ({}, "boxes", "IoU"),
    ],
)
def test_rules_say_what_is_compared(
    run: Run, tmp_path: Path, rules: str | dict[str, str], what: str, measure: str
) -> None:
    # Predictions have all kinds: without rules that say it, boxes would be compared.
    name = rules if isinstance(rules, str) else "mine.json"
    if not isinstance(rules, str):
        (tmp_path / name).write_text(json.dumps(rules))
        name = str(tmp_path / name)
    files = of_all_kinds(tmp_path)
    for command in (("evaluate", "detection"), ("diagnose",)):
        done = run(*command, *files, "--protocol", name)
        assert (done.returncode, done.stderr) == (0, "")
        if command == ("evaluate", "detection"):
            assert " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all" in done.stdout
            assert f"truth {what}" in done.stdout
            assert f": {measure} 0.50:0.95 (10)" in done.stdout
            assert "] = 1.000\n" in done.stdout
