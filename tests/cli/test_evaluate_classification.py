"""``snellen evaluate classification``, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Classification, metric_from_bytes

Run = Callable[..., Any]

TRUTH = "id,label,scene\n1.png,cat,a\n2.png,dog,a\n3.png,dog,b\n4.png,eel,b\n"
# Other order, other order of classes; 3.png is taken for a cat.
SCORES = (
    "id,dog,cat,eel\n4.png,0.1,0.2,0.7\n3.png,0.4,0.5,0.1\n2.png,0.8,0.1,0.1\n1.png,0.3,0.6,0.1\n"
)
LABELS = "filename,prediction\n4.png,eel\n3.png,cat\n2.png,dog\n1.png,cat\n"


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    (tmp_path / "truth.csv").write_text(TRUTH)
    (tmp_path / "scores.csv").write_text(SCORES)
    (tmp_path / "labels.csv").write_text(LABELS)
    return tmp_path


def evaluated(run: Run, *arguments: str | Path) -> dict[str, Any]:
    done = run("evaluate", "classification", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("predictions", ["scores.csv", "labels.csv"])
def test_samples_are_joined_by_id_and_classes_by_name(
    run: Run, tables: Path, predictions: str
) -> None:
    found = evaluated(run, tables / "truth.csv", tables / predictions)
    assert found["metrics"]["accuracy"] == 0.75
    # cat: precision 1/2; dog: recall 1/2; eel: both 1.
    assert [record["class"] for record in found["per_class"]] == ["cat", "dog", "eel"]
    assert [record["precision"] for record in found["per_class"]] == [0.5, 1.0, 1.0]
    assert [record["recall"] for record in found["per_class"]] == [1.0, 0.5, 1.0]
    assert found["intervals"]["accuracy"]["method"] == "Wilson"
    assert ("log_loss" in found["metrics"]) == (predictions == "scores.csv")


def test_the_report_is_on_stdout_and_what_was_decided_on_stderr(run: Run, tables: Path) -> None:
    done = run("evaluate", "classification", tables / "truth.csv", tables / "scores.csv")
    assert done.returncode == 0
    assert "true \\ predicted  cat  dog  eel" in done.stdout
    assert "accuracy           0.7500 (" in done.stdout
    assert "3 columns of scores (dog, cat, eel)" in done.stderr
    quiet = run(
        "evaluate", "classification", tables / "truth.csv", tables / "scores.csv", "--quiet"
    )
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_groups_are_the_unit_of_intervals(run: Run, tables: Path) -> None:
    found = evaluated(
        run, tables / "truth.csv", tables / "labels.csv", "--group", "scene", "--replicates", "50"
    )
    assert found["intervals"]["accuracy"]["unit"] == "group"
    none = evaluated(run, tables / "truth.csv", tables / "labels.csv", "--no-intervals")
    assert "intervals" not in none


def test_states_of_shards_merge(run: Run, tables: Path) -> None:
    whole = evaluated(run, tables / "truth.csv", tables / "scores.csv", "--no-intervals")
    head, *rows = TRUTH.splitlines()
    for k in (0, 1):
        part = [head, *rows[k::2]]
        (tables / f"part{k}.csv").write_text("\n".join(part) + "\n")
        ids = {row.split(",")[0] for row in part}
        kept = [line for line in SCORES.splitlines() if line.split(",")[0] in {*ids, "id"}]
        (tables / f"scores{k}.csv").write_text("\n".join(kept) + "\n")
        # A class that a shard's truth does not have is no matter.
        done = run(
            "evaluate",
            "classification",
            tables / f"part{k}.csv",
            tables / f"scores{k}.csv",
            "--out",
            tables / f"out{k}",
            "--quiet",
        )
        assert done.returncode == 0, done.stderr
    done = run("merge", tables / "out1", tables / "out0", "--json", "-", "--no-intervals")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"] == whole["metrics"]
    metric = metric_from_bytes((tables / "out0/state.bin").read_bytes())
    assert isinstance(metric, Classification)
    again = run("merge", tables / "out1", tables / "out1")
    assert again.returncode == 1
    assert "expected each sample once" in again.stderr


def test_gates(run: Run, tables: Path) -> None:
    arguments = ("evaluate", "classification", tables / "truth.csv", tables / "labels.csv")
    assert run(*arguments, "--fail-under", "accuracy=0.7", "--quiet").returncode == 0
    failed = run(*arguments, "--fail-under", "f1_macro=0.9", "--quiet")
    assert failed.returncode == 3
    assert "f1_macro is 0.777778, below 0.9" in failed.stderr
    unknown = run(*arguments, "--fail-under", "f1=0.9")
    assert unknown.returncode == 2
    assert "expected a metric of accuracy" in unknown.stderr


def test_top_k_beyond_the_classes_is_answered_where_it_is_asked_for(run: Run, tables: Path) -> None:
    arguments = (tables / "truth.csv", tables / "scores.csv")
    assert {"top1"} == {name for name in evaluated(run, *arguments)["metrics"] if "top" in name}
    found = evaluated(run, *arguments, "--top-k", "2,3,4")
    assert [found["metrics"][f"top{k}"] for k in (2, 3, 4)] == [1.0, 1.0, None]
    reasons = {entry["metric"]: entry["reason"] for entry in found["undefined"]}
    assert reasons["top4"] == "there are 3 classes"


def test_binary_with_one_score(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,label\na,0\nb,1\nc,1\nd,0\n")
    (tmp_path / "pred.csv").write_text("id,score\na,0.1\nb,0.8\nc,0.4\nd,0.6\n")
    found = evaluated(run, tmp_path / "truth.csv", tmp_path / "pred.csv")
    # Of the pairs (b, a), (b, d), (c, a), (c, d) three are in order.
    assert found["metrics"]["auc"] == 0.75
    assert found["metrics"]["precision"] == 0.5
    assert found["protocol"]["labels"]["positive"] == 1


def test_sets_of_labels(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,label\na,cat|dog\nb,dog\nc,\n")
    (tmp_path / "pred.csv").write_text("id,label\na,cat\nb,dog\nc,cat\n")
    found = evaluated(run, tmp_path / "truth.csv", tmp_path / "pred.csv", "--multilabel")
    assert found["metrics"]["subset_accuracy"] == pytest.approx(1 / 3)
    assert found["metrics"]["hamming"] == pytest.approx(2 / 6)


def test_weighted_sets_of_labels_have_no_intervals(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,label,w\na,cat|dog,1\nb,dog,3\n")
    (tmp_path / "pred.csv").write_text("id,label\na,cat|dog\nb,cat\n")
    arguments = ("evaluate", "classification", tmp_path / "truth.csv", tmp_path / "pred.csv")
    done = run(*arguments, "--weight", "w", "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["subset_accuracy"] == 0.25
    assert "no intervals: expected sets of labels without weights" in done.stderr
    assert run(*arguments, "--weight", "w", "--intervals").returncode == 1


def test_image_folder(run: Run, tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "eel/none.txt", ".git/x.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "pred.csv").write_text("id,label\ncat/1.png,cat\ncat/2.png,dog\ndog/1.png,dog\n")
    found = evaluated(run, tmp_path / "images", tmp_path / "pred.csv")
    # eel has no images, and shifts nothing.
    assert [record["class"] for record in found["per_class"]] == ["cat", "dog", "eel"]
    assert [record["tp"] for record in found["per_class"]] == [1, 1, 0]


def test_arrays(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "truth.npy", np.array([0, 1, 2, 1]))
    scores = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    np.save(tmp_path / "scores.npy", scores)
    found = evaluated(run, tmp_path / "truth.npy", tmp_path / "scores.npy")
    assert found["metrics"]["accuracy"] == 0.75


def bad(truth: str | bytes, predictions: str | bytes, *options: str, says: str) -> Any:
    return pytest.param(truth, predictions, options, says, id=says[:40])


@pytest.mark.parametrize(
    ("truth", "predictions", "options", "says"),
    [
        bad(TRUTH, "id,label\n1.png,cat\n", says="2.png"),
        bad(TRUTH, LABELS + "9.png,cat\n", says="9.png"),
        bad(TRUTH + "1.png,cat,a\n", LABELS, says="1.png"),
        bad(TRUTH, SCORES.replace("0.8", "nan"), says="nan"),
        bad(
            TRUTH, SCORES.replace("0.8", "-0.8"), says="expected probabilities, in [0, 1], got -0.8"
        ),
        bad(TRUTH, SCORES.replace("0.8", "0.7"), says='say --scores "logits" or "any"'),
        bad(TRUTH, "", says="- at "),
        bad("", LABELS, says="- at "),
        bad(TRUTH, "id,label\n1.png,cat,x\n", says="line 2"),
        bad(TRUTH, "id,label\n1.png,caf\xe9\n".encode("latin-1"), says="line 2"),
        bad(
            "id,label\n" + "".join(f"{i},x{i}\n" for i in range(2000)),
            "id,label\n" + "".join(f"{i},x{i}\n" for i in range(2000)),
            says="it looks like an id column; name the column of labels with --label - at",
        ),
        bad(TRUTH, "id,label\n1.png,cat\n2.png,dog\n3.png,dog\n", says="with --missing ignore"),
        bad(TRUTH, LABELS, "--label", "lable", says='Did you mean "label"'),
        bad(TRUTH, LABELS, "--positive", "fox", says="fox"),
        bad(TRUTH, LABELS, "--positive=--1", says="--1"),
        bad("id,label\n1,cat\n2,dog\n", "id,label\n1,0\n2,1\n", says="expected labels of one kind"),
    ],
)
def test_bad_input_is_one_line(
    run: Run,
    tmp_path: Path,
    truth: str | bytes,
    predictions: str | bytes,
    options: tuple[str, ...],
    says: str,
) -> None:
    paths = []
    for name, content in (("truth.csv", truth), ("pred.csv", predictions)):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(path)
    done = run("evaluate", "classification", *paths, *options, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stdout
    errors = [line for line in done.stderr.splitlines() if line.startswith("snellen: error: ")]
    assert len(errors) == 1
    assert says in errors[0]
    assert "Traceback" not in done.stderr
    assert "our mistake" not in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "out").exists()


def test_samples_that_one_side_lacks_are_left_out_on_demand(run: Run, tables: Path) -> None:
    (tables / "few.csv").write_text("id,label\n1.png,cat\n2.png,dog\n7.png,dog\n")
    done = run(
        "evaluate",
        "classification",
        tables / "truth.csv",
        tables / "few.csv",
        "--missing",
        "ignore",
    )
    assert done.returncode == 0
    assert "snellen: warning: " in done.stderr
    assert "7.png" in done.stderr
    assert "samples      2" in done.stdout


def test_a_single_class_in_truth_has_no_auc(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,label\na,1\nb,1\n")
    (tmp_path / "pred.csv").write_text("id,score\na,0.1\nb,0.8\n")
    found = evaluated(run, tmp_path / "truth.csv", tmp_path / "pred.csv")
    assert found["metrics"]["auc"] is None
    reasons = {entry["metric"]: entry["reason"] for entry in found["undefined"]}
    assert reasons["auc"] == "all samples have the class"


def test_the_report_says_what_its_intervals_are(run: Run, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("id,label\na,x\nb,x\nc,y\n")
    (tmp_path / "pred.csv").write_text("id,label\na,x\nb,x\nc,x\n")
    arguments = ("evaluate", "classification", tmp_path / "truth.csv", tmp_path / "pred.csv")
    lines = run(*arguments, "--level", "0.9").stdout.splitlines()
    assert "intervals    90 %, over samples: Wilson; bootstrap, basic" in lines
    # Without the one sample of y in a draw, all is of one class: (2/3)³ of the draws, some 30 %.
    assert any("kappa, kappa_linear" in line and "of 1,000 replicates" in line for line in lines)
    assert "intervals" not in run(*arguments, "--no-intervals").stdout
