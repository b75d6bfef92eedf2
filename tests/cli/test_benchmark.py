"""``snellen benchmark`` as a user calls it: five networks made here, of all kinds, on a folder."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

os.environ.setdefault("KERAS_BACKEND", "torch")

for _library in ("onnx", "onnxruntime", "torch", "keras"):
    pytest.importorskip(_library)

from snellen.cli.root import run as call  # noqa: E402
from tests.benchmark_networks import (  # noqa: E402
    CLASSES,
    N_OF_CLASS,
    SIDE,
    K,
    N,
    softmax,
    truth,
    write_images,
    write_networks,
)
from tests.cli.conftest import Run  # noqa: E402

DATA = "my pictures"
LINEAR = "linear.onnx,preset=unit"
WAITING = f"torch:somebodys:waiting,preset=unit,size={SIDE}"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
PATIENCE = 240  # seconds that several libraries may take to start on a busy machine


class Whole(NamedTuple):
    """Five networks and their images in a folder, and what the command said of them."""

    folder: Path
    names: Mapping[str, str]
    scores: Mapping[str, NDArray[np.float64]]
    done: subprocess.CompletedProcess[str]

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "out/result.json").read_text())
        return found

    def model(self, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.result["models"] if each["name"] == name]
        return dict(found)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Whole:
    folder = tmp_path_factory.mktemp("five networks")
    write_images(folder / DATA)
    names, scores = write_networks(folder)
    done = run(
        "benchmark", "--data", DATA, *names.values(), "--rounds", "1", "--seconds", "0.05",
        "--batch-size", "16", "--batch-sizes", "4,8", "--threads", "1", "--out", "out",
        cwd=folder, env=ENVIRONMENT, timeout=PATIENCE,
    )  # fmt: skip
    return Whole(folder, names, scores, done)


@pytest.fixture
def there(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> Whole:
    """Go to the folder of the five networks."""
    monkeypatch.chdir(whole.folder)
    return whole


def numbers_of_scikit_learn(scores: NDArray[np.float64]) -> dict[str, float]:
    right, predicted = truth(), scores.argmax(axis=1)
    found = {
        "accuracy": metrics.accuracy_score(right, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(right, predicted),
        "mcc": metrics.matthews_corrcoef(right, predicted),
        "top5": metrics.top_k_accuracy_score(right, scores, k=5),
    }
    for how in ("macro", "weighted"):
        numbers = metrics.precision_recall_fscore_support(
            right, predicted, average=how, zero_division=0
        )
        found |= dict(
            zip((f"precision_{how}", f"recall_{how}", f"f1_{how}"), numbers, strict=False)
        )
    return {key: float(value) for key, value in found.items()}


NAMES = ("linear", "convolution, small", "hidden", "exported", "red")


@pytest.mark.parametrize("name", NAMES)
def test_quality_is_that_of_scikit_learn(whole: Whole, name: str) -> None:
    assert whole.done.returncode == 0, whole.done.stderr
    assert list(whole.names) == list(NAMES)
    assert whole.done.stdout.startswith("90 images of 6 classes, 5 networks")
    scores = whole.scores[name]
    model = whole.model(name)
    found = model["result"]["metrics"]
    wanted = numbers_of_scikit_learn(scores)
    assert {key: found[key] for key in wanted} == pytest.approx(wanted, abs=1e-12)
    assert model["confusion"]["classes"] == list(CLASSES)
    counts = metrics.confusion_matrix(truth(), scores.argmax(axis=1))
    assert model["confusion"]["counts"] == counts.tolist()
    np.testing.assert_allclose(model["confusion"]["by_truth"], counts / N_OF_CLASS, atol=1e-12)
    probabilities = scores if abs(scores.sum() - N) < 1e-6 else softmax(scores)
    assert model["scores"] == ("probabilities" if probabilities is scores else "logits")
    loss = metrics.log_loss(truth(), probabilities)
    assert found["log_loss"] == pytest.approx(loss, abs=1e-5)


def test_the_folder_of_a_result(whole: Whole) -> None:
    out = whole.folder / "out"
    top1 = {
        name: float((scores.argmax(axis=1) == truth()).mean())
        for name, scores in whole.scores.items()
    }
    with (out / "table.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert list(rows) == sorted(top1, key=lambda name: -top1[name])
    for name, row in rows.items():
        assert float(row["top1"]) == pytest.approx(top1[name], abs=1e-12)
        assert row["source"] == whole.names[name]
        assert row["n_images"] == str(N)
        speeds = [float(row[f"fps_batch_{size}"]) for size in (4, 8, 16)]
        assert float(row["best_fps"]) == max(speeds)
        assert int(row["best_batch"]) == (4, 8, 16)[int(np.argmax(speeds))]
        assert 0 < float(row["latency_p50_ms"]) <= float(row["latency_p99_ms"])
        assert float(row["end_to_end_fps"]) > 0
        assert int(row["memory_host_peak"]) > 10e6
        assert (row["device"], row["threads"]) == ("cpu", "1")
    # By hand: 192 numbers by 6 classes; 4 kernels of 27 at 6 × 6 places, 144 numbers by 6.
    assert rows["linear"]["parameters"] == rows["linear"]["macs"] == str(192 * 6)
    assert rows["convolution, small"]["parameters"] == str(4 * 27 + 144 * 6)
    assert rows["convolution, small"]["macs"] == str(4 * 27 * 36 + 144 * 6)
    assert rows["red"]["layout"] == "channels_last"
    assert rows["exported"]["runtime"].endswith("torch.export")
    assert rows["hidden"]["runtime"].endswith("eager")
    page = (out / "index.html").read_text()
    assert all(name in page for name in NAMES)
    assert whole.result["n_images"] == N
    assert whole.result["data"]["data"] == DATA
    assert len(whole.result["comparison"]["differences"]) == 10
    assert not (out / "rounds.json").exists()
    assert sorted(each.name for each in (out / "models").iterdir()) == [
        "convolution--small", "exported", "hidden", "linear", "red",
    ]  # fmt: skip


def test_what_run_json_says(whole: Whole) -> None:
    record = json.loads((whole.folder / "out/run.json").read_bytes())
    assert record["schema"] == "snellen.run/1"
    assert record["task"] == "benchmark"
    assert record["command"][:4] == ["snellen", "benchmark", "--data", DATA]
    assert record["command"][4:9] == list(whole.names.values())
    assert record["config"]["batch-sizes"] == [4, 8]
    assert record["config"]["speed"] is True
    assert not {"out", "json", "quiet", "report", "fail-under"} & set(record["config"])
    networks = {each["name"]: each for each in record["config"]["networks"]}
    assert {name: each["source"] for name, each in networks.items()} == whole.names
    assert len({each["digest"] for each in networks.values()}) == len(NAMES)
    assert {"onnxruntime", "torch", "keras", "snellen", "core"} <= set(record["versions"])
    # By hashlib: the file of each network (that of Python has none), and all images.
    models = {each["name"]: each for each in record["data"] if each["role"] == "model"}
    files = ("linear.onnx", "convolution, small.onnx", "exported.pt2", "dense.keras")
    assert list(models) == list(files)
    for name, digest in models.items():
        content = (whole.folder / name).read_bytes()
        assert digest["sha256"] == hashlib.sha256(content).hexdigest()
        assert digest["bytes"] == len(content)
    (data,) = [each for each in record["data"] if each["role"] == "data"]
    assert (data["name"], data["files"]) == (DATA, N)
    lines = hashlib.sha256()
    for path in sorted((whole.folder / DATA).rglob("*.*")):
        content = path.read_bytes()
        name = path.relative_to(whole.folder / DATA).as_posix()
        lines.update(f"{name}\0{len(content)}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    assert data["sha256"] == lines.hexdigest()
    best = whole.result["table"][0]
    assert record["protocol"]["metrics_of"] == best["name"]
    assert record["metrics"] == {name: best[name] for name in record["metrics"]}
    assert len(record["metrics"]) > 20
    assert record["machine"]["load_before"] == whole.result["machine"]["load_before"]


def test_the_folder_is_a_run_among_others(there: Whole, capsys: pytest.CaptureFixture[str]) -> None:
    best = there.result["table"][0]
    assert call(["runs", "out"]) == 0
    (_, line) = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == [".", "benchmark"]
    assert f"{best['name']}: top1 {best['top1']:.4f}  end_to_end_fps " in line
    assert "latency_p50_ms 0." in line
    assert call(["runs", "out", "--task", "benchmark", "--json", "-"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["kind"], run["task"], run["metrics_of"]) == ("benchmark", "benchmark", best["name"])
    assert run["metrics"]["top1"] == best["top1"]
    assert call(["report", "out", "-o", "tables.md"]) == 0
    assert all(name.replace(", ", "--") in Path("tables.md").read_text() for name in NAMES)
    capsys.readouterr()
    for command in (
        ["merge", "out", "out", "--out", "merged"],
        ["compare", "out", "out/models/red"],
    ):
        assert call(command) == 1
        (said,) = capsys.readouterr().err.splitlines()
        assert "got a benchmark: name the folders of its networks, in models - at out" in said


def test_what_a_model_prints_is_no_result(whole: Whole) -> None:
    assert "past Python" not in whole.done.stdout
    assert "past Python" in whole.done.stderr
    assert "imported" in whole.done.stderr


def test_compare_reads_the_folders_of_models(
    there: Whole, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["compare", "out/models/linear", "out/models/hidden", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    right = [there.scores[name].argmax(axis=1) == truth() for name in ("linear", "hidden")]
    (accuracy,) = [each for each in found["differences"] if each["metric"] == "accuracy"]
    assert accuracy["difference"] == pytest.approx(right[1].mean() - right[0].mean(), abs=1e-12)


def test_a_second_run_reads_predictions(whole: Whole, run: Run) -> None:
    shutil.copytree(whole.folder / "out", whole.folder / "again")
    before = chunks(whole.folder / "again")
    assert len(before) == len(NAMES)
    some = ("linear", "hidden")
    done = run(
        "benchmark", "--data", DATA, *(whole.names[name] for name in some), "--no-speed",
        "--batch-size", "16", "--threads", "1", "--out", "again", "--json", "-",
        cwd=whole.folder, env=ENVIRONMENT, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in some:
        assert f"{name}: 90 images had been predicted" in done.stderr
    assert chunks(whole.folder / "again") == before
    result = json.loads(done.stdout)  # one object and nothing else
    assert done.stdout.startswith("{")
    for name, model in zip(some, result["models"], strict=True):
        assert model["result"] == whole.model(name)["result"]
        assert model["confusion"] == whole.model(name)["confusion"]
        assert model["speed"] is None
    assert "fps_batch_16" not in result["table"][0]
    assert json.loads((whole.folder / "again/result.json").read_text()) == result


def chunks(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return when each file of predictions was written, and what is in it."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*.scores"))
    }


def test_threads_and_turns_change_nothing(there: Whole, capfd: pytest.CaptureFixture[str]) -> None:
    """Three networks of which one stays in memory, on two threads: what one thread gave."""
    three = [LINEAR, f"{LINEAR},name=again", there.names["convolution, small"]]
    code = call(
        [
            *("benchmark", "--data", DATA, *three, "--rounds", "2", "--seconds", "0.01"),
            *("--threads", "2", "--together", "1", "--out", "three", "--quiet", "--json", "-"),
        ]
    )
    shown = capfd.readouterr()
    assert (code, shown.err) == (0, "")
    found = json.loads(shown.out)
    for name, as_name in (("linear", "linear"), ("again", "linear")):
        (model,) = [each for each in found["models"] if each["name"] == name]
        wanted = there.scores[as_name].argmax(axis=1)
        assert model["confusion"]["counts"] == metrics.confusion_matrix(truth(), wanted).tolist()
        assert len(model["speed"]["rounds"]) == 2
    (between,) = [
        each
        for each in found["comparison"]["differences"]
        if {each["first"], each["second"]} == {"linear", "again"}
    ]
    assert between["difference"] == 0
    # Both are the same network: what one predicted the other one reads.
    assert len(list(Path("three/predictions").iterdir())) == 2


def test_numbers_that_are_to_be_reached(there: Whole, capfd: pytest.CaptureFixture[str]) -> None:
    names = [LINEAR, there.names["convolution, small"]]
    command = ["benchmark", "--data", DATA, *names, "--no-speed", "--threads", "1", "--out", "gate"]
    assert call([*command, "--quiet", "--fail-under", "accuracy=0.6"]) == 0
    assert capfd.readouterr() == ("", "")
    assert call([*command, "--fail-under", "accuracy=0.9", "--fail-under", "top5=0.1"]) == 3
    shown = capfd.readouterr()
    assert "images/s" not in shown.out
    lines = [line for line in shown.err.splitlines() if line.startswith("snellen:")]
    assert lines == ["snellen: convolution, small: accuracy is 0.633333, below 0.9"]
    assert call([*command, "--quiet", "--fail-under", "acuracy=0.9"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "accuracy" in line
    assert '"acuracy"' in line


@pytest.mark.usefixtures("there")
def test_some_of_the_images(capfd: pytest.CaptureFixture[str]) -> None:
    command = [
        *("benchmark", "--data", DATA, LINEAR, "--no-speed", "--threads", "1", "--limit", "20"),
        *("--out", "some", "--json", "some.json"),
    ]
    assert call(command) == 0
    shown = capfd.readouterr()
    found = json.loads(Path("some.json").read_text())
    assert found["n_images"] == 20
    assert "20 images of 6 classes" in shown.out
    assert "20 of 90 images, chosen at random (seed 0)" in shown.out
    first = Path("some/models/linear/state.bin").read_bytes()
    assert call([*command, "--seed", "1", "--quiet"]) == 0
    assert Path("some/models/linear/state.bin").read_bytes() != first  # others
    assert call([*command, "--seed", "0", "--quiet"]) == 0
    assert Path("some/models/linear/state.bin").read_bytes() == first


@pytest.mark.usefixtures("there")
def test_without_a_folder_one_is_named_for_the_data(capfd: pytest.CaptureFixture[str]) -> None:
    command = ["benchmark", "--data", f"{DATA}/", LINEAR, "--no-speed", "--threads", "1"]
    assert call(command) == 0
    shown = capfd.readouterr()
    assert Path("runs/benchmark-my-pictures/index.html").is_file()
    assert "wrote runs/benchmark-my-pictures" in shown.err


def large(folder: Path) -> None:
    """Write images for two chunks, as IDX files."""
    random = np.random.default_rng(5)
    pixels = random.integers(0, 256, (1200, SIDE, SIDE)).astype(np.uint8)
    labels = random.integers(0, K, 1200).astype(np.uint8)
    folder.mkdir(exist_ok=True)
    for name, array in (("images-idx3", pixels), ("labels-idx1", labels)):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        (folder / f"t10k-{name}-ubyte").write_bytes(head + array.tobytes())


def interrupted(arguments: list[str], folder: Path, pattern: str) -> subprocess.Popen[str]:
    """Run the command, and press Ctrl-C when there is a file and the network waits."""
    (folder / "hold").write_text(pattern)
    process = subprocess.Popen(
        [sys.executable, "-m", "snellen", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=folder,
        env=ENVIRONMENT,
    )
    end = time.monotonic() + PATIENCE
    while not list(folder.glob(pattern)) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    return process


def test_an_interrupted_benchmark_goes_on(whole: Whole, run: Run) -> None:
    folder = whole.folder
    large(folder / "large")
    command = [
        *("benchmark", "--data", "large", WAITING + ",colours=RGB", "--threads", "1"),
        *("--rounds", "2", "--seconds", "0.01", "--batch-size", "64"),
    ]
    parts = [*command, "--out", "parts"]
    # While it predicts: of two chunks there is one.
    process = interrupted(parts, folder, "parts/predictions/*/*.scores")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert "predictions so far are kept in parts: the same command goes on" in err
    assert "Traceback" not in err
    kept = chunks(folder / "parts")
    assert len(kept) == 1
    assert not (folder / "parts/result.json").exists()
    assert not (folder / "parts/run.json").exists()

    # While speeds are measured: of two rounds there is one.
    process = interrupted(parts, folder, "parts/rounds.json")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, "")
    assert "176 images predicted" in err
    assert "1,024 had been" in err
    more = chunks(folder / "parts")
    assert len(more) == 2
    assert kept.items() <= more.items()
    first_round = json.loads((folder / "parts/rounds.json").read_text())["rounds"]["waiting"]
    assert len(first_round) == 1

    (folder / "hold").unlink()
    done = run(*parts, cwd=folder, env=ENVIRONMENT, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "1,200 images had been predicted" in done.stderr
    assert "speed: 1 of 2 measurements had been made" in done.stderr
    assert "round 1 of 2" not in done.stderr
    assert not (folder / "parts/rounds.json").exists()
    result = json.loads((folder / "parts/result.json").read_text())
    rounds = result["models"][0]["speed"]["rounds"]
    assert len(rounds) == 2
    assert rounds[0] == first_round[0]
    # It began with the command that measured the first of these rounds, not with the last one.
    record = json.loads((folder / "parts/run.json").read_text())
    sessions = record["config"]["sessions"]
    assert len(sessions) == 2
    assert record["began"] == sessions[0]["began"] < sessions[1]["began"]
    assert record["seconds"] == pytest.approx(sum(each["seconds"] for each in sessions), abs=0.1)
    (data,) = [each for each in record["data"] if each["role"] == "data"]
    assert (data["name"], data["files"]) == ("large", 2)  # images and labels

    done = run(
        *command, "--no-speed", "--out", "at once", cwd=folder, env=ENVIRONMENT, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert {name: content for name, (_, content) in chunks(folder / "at once").items()} == {
        name: content for name, (_, content) in more.items()
    }
    state = "models/waiting/state.bin"
    assert (folder / "at once" / state).read_bytes() == (folder / "parts" / state).read_bytes()
