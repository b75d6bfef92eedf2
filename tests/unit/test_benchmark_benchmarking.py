"""How a benchmark goes: who predicts when, whose turn it is, what is taken from before."""

from __future__ import annotations

import calendar
import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from snellen.benchmark import benchmarking
from snellen.benchmark.bench import PredictionSummary
from snellen.benchmark.benchmarking import (
    Settings,
    benchmark,
    default_folder,
    refuse_unknown_metrics,
)
from snellen.benchmark.model import Facts
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Throughput
from snellen.benchmark.store import PredictionStore
from snellen.benchmark.worker import LoadedModel
from snellen.errors import InputError

N, K = 12, 3


@dataclasses.dataclass
class Log:
    """What processes did, and what they are to do."""

    done: list[str] = dataclasses.field(default_factory=list)
    alive: int = 0
    most: int = 0
    breaks_at: str = ""
    digest: str | None = None
    scale: float = 1.0

    def add(self, what: str) -> None:
        if what == self.breaks_at:
            raise KeyboardInterrupt
        self.done.append(what)


class InstantWorker:
    """A process that is none."""

    log: ClassVar[Log]

    def __init__(self, _: str, images: dict[str, Any], *, name: str, **options: Any) -> None:
        self.name = name
        self.images = benchmarking.open_images(**images)
        self.options = options

    def __enter__(self) -> InstantWorker:
        self.log.alive += 1
        self.log.most = max(self.log.most, self.log.alive)
        return self

    def __exit__(self, *_: object) -> None:
        self.log.alive -= 1

    def load(self) -> LoadedModel:
        self.log.add(f"{self.name} load")
        facts = Facts("cpu", "float32", self.options["threads"], {"none": "1"}, self.name)
        return LoadedModel(
            facts,
            Preprocessing(4, 4, scale=self.log.scale),
            None,
            "logits",
            K,
            self.log.digest or self.images.digest,
        )

    def predict(self, folder: Path, progress: Any) -> tuple[PredictionSummary, PredictionStore]:
        self.log.add(f"{self.name} predict")
        progress(N, N)
        store = PredictionStore(folder, {"model": self.name}, N)
        # Network k is right on all but k of the images.
        scores = np.eye(K)[(self.images.labels + (np.arange(N) < int(self.name[1:]))) % K]
        store.write(0, np.arange(N), scores)
        return PredictionSummary(N, 0, 0.5, [f"{self.name} was slow"]), store

    def latency(self, seconds: float) -> Latency:
        self.log.add(f"{self.name} latency")
        return Latency(100, 3, seconds, seconds, seconds, 0.0, 1.0)

    def throughput(self, size: int, _: float) -> Throughput:
        return Throughput(size, 9, 3, 10.0 * size, 0.0, 1.0)

    def end_to_end(self, seconds: float) -> EndToEnd:
        return EndToEnd(64, self.options["batch_size"], 50.0, 0.0, 0.0, 0.0, seconds, 1.0)

    def memory(self) -> Memory:
        return Memory(100 + len(self.log.done), 50)


class Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.n_closed = 0

    def line(self, text: str) -> None:
        self.lines.append(text)

    def images(self, what: str, done: int, total: int) -> None:
        self.lines.append(f"{what} {done}/{total}")

    def close(self) -> None:
        self.n_closed += 1


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    InstantWorker.log = Log()
    monkeypatch.setattr(benchmarking, "Worker", InstantWorker)
    yield InstantWorker.log
    assert InstantWorker.log.alive == 0


@pytest.fixture
def data(tmp_path: Path) -> str:
    folder = tmp_path / "data"
    for k in range(N):
        place = folder / "abc"[k % K]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{k}.png").write_bytes(b"nobody reads it")
    return str(folder)


MODELS = ["onnx:n0", "onnx:n1", "onnx:n2"]


def test_networks_take_turns(log: Log, data: str, tmp_path: Path) -> None:
    progress = Lines()
    settings = Settings(threads=1, batch_size=4, batch_sizes=(2, 4), rounds=4, seconds=0.5)
    found = benchmark(MODELS, data, out=tmp_path / "out", settings=settings, progress=progress)
    assert log.done == [
        *("n0 load", "n1 load", "n2 load", "n0 predict", "n1 predict", "n2 predict"),
        *("n0 latency", "n1 latency", "n2 latency"),
        *("n1 latency", "n2 latency", "n0 latency"),
        *("n2 latency", "n0 latency", "n1 latency"),
        *("n0 latency", "n1 latency", "n2 latency"),
    ]
    assert log.most == 3
    assert [model.top1 for model in found.models] == [1, (N - 1) / N, (N - 2) / N]
    speed = found.models[1].speed
    assert speed is not None
    assert len(speed.rounds) == 4
    assert [each.batch_size for each in speed.throughput] == [2, 4]
    assert found.models[1].notes[0] == "n1 was slow"
    assert not (tmp_path / "out/rounds.json").exists()
    assert "n2 12/12" in progress.lines
    assert "n2: 12 images predicted, 24 a second" in progress.lines
    assert progress.n_closed
    assert found.settings["batch_sizes"] == (2, 4)
    assert found.settings["threads"] == 1
    written = json.loads((tmp_path / "out/result.json").read_text())
    assert written == found.to_dict()


def test_of_more_networks_than_have_room_one_is_there(log: Log, data: str, tmp_path: Path) -> None:
    settings = Settings(threads=1, rounds=1, together=2)
    found = benchmark(MODELS, data, out=tmp_path / "out", settings=settings)
    assert log.most == 1
    assert log.done[:3] == ["n0 load", "n1 load", "n2 load"]
    assert log.done[3:9] == [f"n{k} {do}" for k in range(3) for do in ("load", "predict")]
    assert log.done[9:] == [f"n{k} {do}" for k in range(3) for do in ("load", "latency")]
    memories = [model.speed.memory.host_peak for model in found.models if model.speed is not None]
    assert memories == sorted(memories)


def interrupted(log: Log, data: str, out: Path, at: str, settings: Settings) -> None:
    log.breaks_at = at
    with pytest.raises(KeyboardInterrupt):
        benchmark(MODELS, data, out=out, settings=settings)
    log.breaks_at = ""
    log.done.clear()


def times(log: Log) -> list[str]:
    return [each.removesuffix(" latency") for each in log.done if each.endswith("latency")]


def test_rounds_of_an_interrupted_benchmark_are_taken(log: Log, data: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(threads=1, rounds=2)
    interrupted(log, data, out, "n1 latency", settings)
    assert not (out / "result.json").exists()
    progress = Lines()
    found = benchmark(MODELS, data, out=out, settings=settings, progress=progress)
    assert "speed: 1 of 6 measurements had been made" in progress.lines
    assert times(log) == ["n1", "n2", "n1", "n2", "n0"]
    assert all(model.speed is not None and len(model.speed.rounds) == 2 for model in found.models)
    log.done.clear()
    # Finished: the next one measures anew.
    benchmark(MODELS, data, out=out, settings=settings)
    assert len(times(log)) == 6


def record_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "run.json").read_bytes())
    return found


@pytest.mark.usefixtures("log")
def test_what_run_json_says_of_a_call_in_python(data: str, tmp_path: Path) -> None:
    before = int(time.time())
    settings = Settings(threads=1, rounds=2, seconds=0.5, batch_size=4, batch_sizes=(2,))
    found = benchmark(MODELS, data, out=tmp_path / "out", seed=9, settings=settings)
    record = record_of(tmp_path / "out")
    assert (record["schema"], record["task"], record["command"]) == (
        "snellen.run/1", "benchmark", [],
    )  # fmt: skip
    began = calendar.timegm(time.strptime(record["began"], "%Y-%m-%dT%H:%M:%SZ"))
    assert before <= began <= began + record["seconds"] <= time.time() + 1
    config = record["config"]
    assert (config["models"], config["seed"], config["rounds"]) == (MODELS, 9, 2)
    assert "sessions" not in config
    assert [each["name"] for each in config["networks"]] == ["n0", "n1", "n2"]
    assert [each["digest"] for each in config["networks"]] == ["n0", "n1", "n2"]
    assert record["versions"]["none"] == "1"  # what runs the networks
    machine = {name: found.machine[name] for name in ("cpu", "processors", "load_before")}
    assert {name: record["machine"][name] for name in machine} == machine
    assert record["machine"]["devices"] == ["cpu"]
    assert record["protocol"]["metrics_of"] == "n0"
    assert record["protocol"]["n_images"] == N
    speed = record["protocol"]["speed"]
    assert (speed["rounds"], speed["seconds"], speed["threads"]) == (2, 0.5, 1)
    assert speed["batch_sizes"] == [2, 4]
    row = found.table()[0]
    assert record["metrics"]["end_to_end_fps"] == row["end_to_end_fps"] == 50.0
    assert record["metrics"]["top1"] == 1.0
    assert record["headline"] == ["top1", "end_to_end_fps", "latency_p50_ms"]
    assert {"latency_p50_ms", "memory_host_peak"} <= set(record["lower_is_better"])
    assert not {"top1", "end_to_end_fps"} & set(record["lower_is_better"])
    (digest,) = record["data"]
    assert (digest["role"], digest["name"], digest["files"]) == ("data", data, N)


def test_run_json_of_an_interrupted_benchmark(
    log: Log, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began with the first command whose rounds are taken, and took the time of both."""
    out = tmp_path / "out"
    settings = Settings(threads=1, rounds=2)
    now = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    latency = InstantWorker.latency

    def slow(worker: InstantWorker, seconds: float) -> Latency:
        found = latency(worker, seconds)
        now[0] += 10
        return found

    monkeypatch.setattr(InstantWorker, "latency", slow)
    interrupted(log, data, out, "n2 latency", settings)  # two rounds of ten seconds are kept
    assert not (out / "run.json").exists()
    now[0] = 2_000_000.0
    benchmark(MODELS, data, out=out, settings=settings)  # four are measured
    record = record_of(out)
    assert record["began"] == "1970-01-12T13:46:40Z"
    assert record["seconds"] == 60.0
    assert record["config"]["sessions"] == [
        {"began": "1970-01-12T13:46:40Z", "seconds": 20.0},
        {"began": "1970-01-24T03:33:20Z", "seconds": 40.0},
    ]
    # One that is interrupted leaves the record with the result that it is of.
    now[0] = 3_000_000.0
    interrupted(log, data, out, "n0 latency", settings)
    assert record_of(out) == record
    benchmark(MODELS, data, out=out, settings=settings)
    assert record_of(out)["began"] == "1970-02-04T17:20:00Z"
    assert "sessions" not in record_of(out)["config"]


def test_run_json_without_speeds(log: Log, data: str, tmp_path: Path) -> None:
    settings = Settings(threads=1, speed=False)
    benchmark(MODELS, data, out=tmp_path, settings=settings)
    record = record_of(tmp_path)
    assert record["protocol"]["name"] == "top-1"
    assert record["protocol"]["speed"] is None
    assert record["headline"] == ["top1"]
    assert not times(log)


@pytest.mark.parametrize(
    ("files", "what"),
    [(["description.json"], "a training"), (["run.json", "state.bin"], "an evaluation")],
)
def test_folders_of_something_else_stay(
    log: Log, data: str, tmp_path: Path, files: list[str], what: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in files:
        (out / name).write_text("{}")
    with pytest.raises(InputError, match=f"expected a folder for a benchmark, got that of {what}"):
        benchmark(MODELS, data, out=out)
    assert sorted(each.name for each in out.iterdir()) == files
    assert not log.done


def test_rounds_of_another_benchmark_are_not_taken(log: Log, data: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(threads=1, rounds=2)
    interrupted(log, data, out, "n2 latency", settings)
    other = dataclasses.replace(settings, seconds=0.2)
    interrupted(log, data, out, "n0 latency", other)
    benchmark(MODELS, data, out=out, settings=other)
    assert len(times(log)) == 6
    # Other images to the same network: end to end it is another speed.
    interrupted(log, data, out, "n2 latency", settings)
    log.scale = 2.0
    benchmark(MODELS, data, out=out, settings=settings)
    assert len(times(log)) == 6


def test_without_speeds_rounds_stay(log: Log, data: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = Settings(threads=1, rounds=1)
    interrupted(log, data, out, "n2 latency", settings)
    found = benchmark(MODELS, data, out=out, settings=dataclasses.replace(settings, speed=False))
    assert not times(log)
    assert all(model.speed is None for model in found.models)
    benchmark(MODELS, data, out=out, settings=settings)
    assert times(log) == ["n2"]


def test_stored_predictions_run_nowhere(log: Log, data: str, tmp_path: Path) -> None:
    ids = [f"{'abc'[k % K]}/{k}.png" for k in range(N)]
    wrong = [ids[0]]
    (tmp_path / "theirs.csv").write_text(
        "image,prediction\n"
        + "".join(f"{each},{'b' if each in wrong else each[0]}\n" for each in ids)
    )
    models = [f"predictions:{tmp_path}/theirs.csv,name=theirs", "onnx:n2"]
    settings = Settings(threads=1, rounds=1)
    found = benchmark(models, data, out=tmp_path / "out", settings=settings)
    assert [model.name for model in found.models] == ["theirs", "n2"]
    assert [model.top1 for model in found.models] == [(N - 1) / N, (N - 2) / N]
    assert found.models[0].speed is None
    assert times(log) == ["n2"]
    log.done.clear()
    benchmark(models[:1], data, out=tmp_path / "alone", settings=settings)
    assert not log.done


def test_images_that_change_meanwhile(log: Log, data: str, tmp_path: Path) -> None:
    log.digest = "of others"
    with pytest.raises(InputError, match="the images to stay as they are"):
        benchmark(MODELS, data, out=tmp_path / "out", settings=Settings(threads=1))


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"rounds": 0}, "rounds"),
        ({"together": 0}, "together"),
        ({"threads": 0}, "threads"),
        ({"seconds": 0.0}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seconds": float("inf")}, "seconds"),
        ({"batch_sizes": (1, 0)}, "batch_sizes"),
    ],
)
def test_settings_that_there_are_not(changed: dict[str, Any], place: str) -> None:
    with pytest.raises(InputError) as caught:
        Settings(**changed)
    assert caught.value.place == place


def test_sizes() -> None:
    assert Settings().sizes == [32]
    assert Settings(batch_size=8, batch_sizes=(32, 1, 8)).sizes == [1, 8, 32]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("fashion-mnist", "fashion-mnist"),
        ("my pictures/", "my-pictures"),
        ("a/imagenette", "imagenette"),
        ("a/imagenet/val", "imagenet-val"),
        ("test", "test"),
        ("labels.csv.gz", "labels"),
        ("shards/{000..009}.tar", "000"),
        ("/", "data"),
        (".hidden", "hidden"),
    ],
)
def test_folders_by_default(
    data: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_folder(data) == f"runs/benchmark-{name}"


def test_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flowers/below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "flowers")
    assert default_folder(".") == "runs/benchmark-flowers"
    monkeypatch.chdir(tmp_path / "flowers/below")
    assert default_folder("..") == "runs/benchmark-flowers"


def test_unknown_metrics() -> None:
    refuse_unknown_metrics(["accuracy", "f1_macro", "top5", "ece", "log_loss"])
    with pytest.raises(InputError, match='Did you mean "accuracy"'):
        refuse_unknown_metrics(["acuracy"])
    with pytest.raises(InputError, match=r"There are accuracy, .*top5"):
        refuse_unknown_metrics(["accuracy", "zzzzzzzz"])
