"""The folder of a run: what is written is read again, and nothing else is taken for it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from snellen import Boxes, Classes
from snellen.classification.classification import Classification
from snellen.detection.average_precision import AveragePrecision
from snellen.errors import InputError, SchemaError, StateVersionError
from snellen.regression.regression import Regression
from snellen.report.paper_tables import paper_tables
from snellen.run.examples import (
    MOST_IMAGES,
    Example,
    Examples,
    FoundObject,
    TrueObject,
    read_examples,
)
from snellen.run.merged_run import merged_examples
from snellen.run.stored_run import RunRecord, StoredRun, write_run
from snellen.statistics.bootstrap import intervals

PNG = b"\x89PNG\r\n\x1a\n and so on"


def classified(seed: int = 0) -> Classification:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 40)
    pred = np.where(rng.random(40) < 0.7, truth, rng.integers(0, 3, 40))
    ids = np.arange(40) + 40 * seed
    return Classification([0, 1, 2]).update(truth, pred, sample_id=ids)


def some_examples(task: str = "classification", **image: Any) -> Examples:
    one = Example(**{"id": "7", "name": "a/7.png", "picture": "7.png", "badness": 2.0, **image})
    return Examples("snellen.examples/1", task, "the worst", 40, [one])


def write(folder: Path, metric: Any = None, **more: Any) -> Path:
    metric = classified() if metric is None else metric
    result = metric.compute()
    record = RunRecord(
        task=result.task,
        command=["snellen", "evaluate"],
        protocol=dict(result.protocol),
        metrics={name: float(value) for name, value in result.metrics.items()},
    )
    write_run(folder, record=record, metric=metric, result=more.pop("result", result), **more)
    return folder


def test_a_picture_that_is_gone_is_not_that_of_another_part(tmp_path: Path) -> None:
    """Both parts have a picture of this name, the first one's was deleted."""
    parts = []
    for seed, image in enumerate(("day/7.png", "night/7.png")):
        examples = some_examples(id=image, name=image, layers={"errors": "7-errors.png"})
        folder = write(
            tmp_path / str(seed),
            classified(seed),
            examples=msgspec.structs.replace(examples, at_most=9),
            pictures={"7.png": PNG, "7-errors.png": PNG},
        )
        parts.append(StoredRun.open(folder))
    for file in ("7.png", "7-errors.png"):
        (tmp_path / "0" / "examples" / file).unlink()
    found = merged_examples(parts, lambda: None)
    assert found is not None
    assert [(each.name, each.picture, each.layers) for each in found.examples.images] == [
        ("day/7.png", "", {}),
        ("night/7.png", "7.png", {"errors": "7-errors.png"}),
    ]


def test_tables_of_runs_keep_classes_of_one_name(tmp_path: Path) -> None:
    classes = Classes([1, 2, 3], ["car", "car", "dog"])
    runs = []
    for name, pred in (("a", [1, 1, 2, 1, 3]), ("b", [1, 1, 2, 2, 3])):
        metric = Classification(classes).update([1, 1, 2, 2, 3], pred)
        runs.append(StoredRun.open(write(tmp_path / name, metric)))
    text = paper_tables(runs, ["a", "b"], "md")
    table = text[text.index("## Classes") :].splitlines()
    # Of what a calls 1 two of three are; all else is right.
    assert table[2:7] == [
        "| class (precision) | a | b |",
        "| --- | ---: | ---: |",
        "| car | 0.667 | 1.000 |",
        "| car | 1.000 | 1.000 |",
        "| dog | 1.000 | 1.000 |",
    ]


def read_all(folder: Path) -> None:
    run = StoredRun.open(folder)
    run.result()
    run.examples()


def names_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    metric, labels = classified(), classified(1)
    example = some_examples()
    folder = write(
        tmp_path / "new" / "run",
        metric,
        states={"labels": labels},
        examples=example,
        pictures={"7.png": PNG},
    )
    assert names_in(folder) == [
        "examples/7.png",
        "examples/examples.json",
        "result.json",
        "run.json",
        "state.bin",
        "states/labels.bin",
    ]
    run = StoredRun.open(folder)
    assert run.name == "run"
    assert (run.kind, run.record.task) == ("evaluation", "classification")
    assert run.metric().to_bytes() == metric.to_bytes()
    assert run.metric() is run.metric()
    assert run.state_names() == ["labels"]
    labels_again = run.state("labels")
    assert labels_again is not None
    assert labels_again.to_bytes() == labels.to_bytes()
    assert run.state("others") is None
    assert run.stored == json.loads((folder / "result.json").read_bytes())
    assert run.result().metrics == metric.compute().metrics
    assert run.examples() == example
    assert run.picture("7.png") == PNG
    assert run.picture("8.png") is None
    assert run.models == ()
    assert str(folder) in repr(run)


@pytest.mark.parametrize("file", ["", "run.json", "state.bin", "result.json"])
def test_a_file_of_the_folder_stands_for_it(tmp_path: Path, file: str) -> None:
    folder = write(tmp_path / "run")
    assert StoredRun.open(folder / file).path == folder


def test_the_name_of_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path / "here"))
    assert StoredRun.open(".").name == "here"
    (tmp_path / "here" / "states").mkdir()
    monkeypatch.chdir(tmp_path / "here" / "states")
    assert StoredRun.open("..").name == "here"


def test_intervals_come_back_though_the_state_has_none(tmp_path: Path) -> None:
    import dataclasses

    metric = classified()
    found = intervals(metric, replicates=20)
    result = dataclasses.replace(metric.compute(), intervals=found)
    again = StoredRun.open(write(tmp_path / "run", metric, result=result)).result()
    assert set(again.intervals) == set(found) > {"accuracy"}
    for name, each in found.items():
        assert [*again.intervals[name]] == [
            pytest.approx(value, nan_ok=True) if isinstance(value, float) else value
            for value in each
        ]


def test_undefined_numbers_are_those_of_the_state(tmp_path: Path) -> None:
    """No box of truth: every AP is NaN, which is null in the file."""
    metric = AveragePrecision()
    run = StoredRun.open(write(tmp_path / "run", metric))
    assert math.isnan(run.result().metrics["AP"])
    assert run.stored["metrics"]["AP"] is None


def test_without_run_json_the_result_says_what_is_known(tmp_path: Path) -> None:
    """As folders of models in a benchmark, and runs of development versions."""
    folder = write(tmp_path / "run")
    (folder / "run.json").unlink()
    run = StoredRun.open(folder)
    assert (run.kind, run.record.task) == ("evaluation", "classification")
    assert run.record.command == []
    assert run.record.metrics == run.stored["metrics"]
    assert run.protocol == run.stored["protocol"]


# ---- Writing ------------------------------------------------------------------------------------


def test_what_an_earlier_run_left_goes_and_nothing_else(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "run",
        states={"labels": classified(1)},
        examples=some_examples(layers={"errors": "7-errors.png"}),
        pictures={"7.png": PNG, "7-errors.png": PNG},
    )
    (folder / "report.html").write_text("of the numbers before")
    (folder / "notes.txt").write_text("mine")
    (folder / "examples" / "mine.png").write_bytes(PNG)
    write(folder)
    assert names_in(folder) == [
        "examples/mine.png",
        "notes.txt",
        "result.json",
        "run.json",
        "state.bin",
    ]
    assert not (folder / "states").exists()


@pytest.mark.parametrize("beside", [None, '{"name": "of another program"}'])
def test_a_report_html_beside_no_run_of_ours_stays(tmp_path: Path, beside: str | None) -> None:
    folder = tmp_path / "run"
    (folder / "states").mkdir(parents=True)
    (folder / "report.html").write_text("mine")
    (folder / "states" / "a.bin").write_text("mine")
    if beside is None:
        write(folder)
    else:
        (folder / "run.json").write_text(beside)
        with pytest.raises(InputError, match=r"got one with a run\.json of another program"):
            write(folder)
        assert (folder / "run.json").read_text() == beside
    assert (folder / "report.html").read_text() == "mine"
    assert (folder / "states" / "a.bin").read_text() == "mine"


def test_all_or_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "states" / "labels.bin").mkdir(parents=True)  # no file can come to be here
    before = sorted(folder.rglob("*"))
    (folder / "states" / "labels.bin" / "in").write_text("the way")
    with pytest.raises(OSError, match=r"labels\.bin"):
        write(folder, states={"labels": classified(1)})
    assert names_in(folder) == ["states/labels.bin/in"]
    assert len(before) == 2


def test_a_folder_that_was_made_for_nothing_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("snellen.run.written_run.write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "run", examples=some_examples(), pictures={"7.png": PNG})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["description.json"], "expected a folder for a run, got that of a training"),
        (["models/a/result.json", "result.json"], "got that of a benchmark"),
    ],
)
def test_folders_of_something_else_stay(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=message):
        write(tmp_path)
    assert names_in(tmp_path) == sorted(files)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="expected a folder, got a file"):
        write(tmp_path / "run")


@pytest.mark.parametrize("name", ["../out.png", "/out.png", "", ".hidden.png", "a\\b.png", "a b"])
def test_pictures_cannot_be_written_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(SchemaError, match="expected the name of a file in the same folder"):
        write(tmp_path / "run", examples=some_examples(), pictures={name: PNG})
    assert names_in(tmp_path) == []


def test_numbers_of_images_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    numbers = {"IoU": math.nan, "n_missed": 3.0, "far": math.inf}
    folder = write(tmp_path / "run", examples=some_examples(numbers=numbers))
    found = StoredRun.open(folder).examples()
    assert found is not None
    assert found.images[0].numbers == {"n_missed": 3.0}


# ---- Reading what is broken ---------------------------------------------------------------------


def changed(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("file", ["run.json", "result.json", "examples/examples.json"])
@pytest.mark.parametrize(
    ("version", "error", "message"),
    [
        ("2", StateVersionError, r'got "snellen\.{0}/2", which a newer release.*update Snellen'),
        ("0", SchemaError, r'expected schema "snellen\.{0}/1", got "snellen\.{0}/0"'),
        ("x", SchemaError, r'expected schema "snellen\.{0}/1", got "snellen\.{0}/x"'),
    ],
)
def test_other_versions(
    tmp_path: Path, file: str, version: str, error: type[Exception], message: str
) -> None:
    folder = write(tmp_path / "run", examples=some_examples(), pictures={"7.png": PNG})
    kind = Path(file).stem
    changed(folder / file, schema=f"snellen.{kind}/{version}")
    with pytest.raises(error, match=message.format(kind)) as caught:
        read_all(folder)
    assert str(caught.value).endswith(str(folder / file))


@pytest.mark.parametrize("file", ["run.json", "result.json", "examples/examples.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema": 3}', b"[" * 99_999]
)
def test_what_is_no_json_of_ours(tmp_path: Path, file: str, content: bytes) -> None:
    folder = write(tmp_path / "run", examples=some_examples())
    (folder / file).write_bytes(content)
    with pytest.raises(SchemaError, match=str(folder / file)):
        read_all(folder)


def test_a_state_that_ends_early(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    state = folder / "state.bin"
    whole = state.read_bytes()
    for n in (0, 10, len(whole) // 2, len(whole) - 1):
        state.write_bytes(whole[:n])
        with pytest.raises(SchemaError, match=r"state\.bin"):
            StoredRun.open(folder).result()


def test_state_and_result_of_different_runs(tmp_path: Path) -> None:
    folder = write(tmp_path / "run")
    (folder / "state.bin").write_bytes(classified(3).to_bytes())
    with pytest.raises(
        SchemaError, match=r"expected result\.json and state\.bin of one evaluation"
    ):
        StoredRun.open(folder).result()


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"metrics": 3}, "$.metrics"),
        ({"metrics": {"accuracy": "high"}}, "$.metrics[...]"),
        ({"intervals": {"accuracy": [1]}}, "$.intervals[...]"),
    ],
)
def test_results_that_hold_something_else(
    tmp_path: Path, wrong: dict[str, Any], place: str
) -> None:
    folder = write(tmp_path / "run")
    changed(folder / "result.json", **wrong)
    with pytest.raises(SchemaError, match="expected a result, got another content") as caught:
        StoredRun.open(folder).result()
    assert str(caught.value).endswith(f"{folder / 'result.json'} {place}")


def test_places_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the folder of a run, there is none"):
        StoredRun.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"got one without run\.json and result\.json"):
        StoredRun.open(tmp_path)
    folder = write(tmp_path / "run")
    (folder / "state.bin").unlink()
    with pytest.raises(InputError, match="expected the state of a run, there is none"):
        StoredRun.open(folder).metric()


def test_examples_of_another_task(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", examples=some_examples("detection"))
    with pytest.raises(SchemaError, match='expected examples of classification, got "detection"'):
        StoredRun.open(folder).examples()


OBJECT = {"label": "cat", "box": [0.0, 0.0, 4.0, 4.0]}
FOUND = {**OBJECT, "score": 0.5, "outcome": "wrong"}


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ({"picture": "../../etc/passwd"}, "$.images[0].picture"),
        ({"picture": "/etc/passwd.png"}, "$.images[0].picture"),
        ({"picture": "a.svg"}, "$.images[0].picture"),
        ({"picture": "javascript:alert(1)"}, "$.images[0].picture"),
        ({"layers": {"truth": "..\\7.png"}}, "$.images[0].layers.truth"),
        ({"truth": [{**OBJECT, "box": [0.0]}]}, "$.images[0].truth[0].box"),
        ({"truth": [{**OBJECT, "outline": '"><script>'}]}, "$.images[0].truth[0].outline"),
        ({"truth": [{**OBJECT, "keypoints": [[1.0]]}]}, "$.images[0].truth[0].keypoints"),
        ({"found": [{**FOUND, "outcome": "fine"}]}, "$.images[0].found[0].outcome"),
        ({"found": [{**FOUND, "truth": 0}]}, "$.images[0].found[0].truth"),
        ({"found": [{**FOUND, "taken_for": -1}]}, "$.images[0].found[0].taken_for"),
        ({"width": "wide"}, "$.images[0].width"),
        ({"name": None}, "$.images[0].name"),
    ],
)
def test_examples_that_would_lead_astray(tmp_path: Path, image: dict[str, Any], place: str) -> None:
    path = write(tmp_path / "run", examples=some_examples()) / "examples" / "examples.json"
    content = json.loads(path.read_text())
    content["images"][0] |= image
    path.write_text(json.dumps(content))
    with pytest.raises(SchemaError) as caught:
        read_examples(path)
    assert str(caught.value).endswith(f"{path} {place}")


def test_good_examples_of_detection_are_read(tmp_path: Path) -> None:
    truth = [TrueObject("cat", [0.0, 0.0, 4.0, 4.0], outline="M0 0L4 0L4 4Z")]
    found = [FoundObject("dog", [0.0, 0.0, 4.0, 3.0], 0.5, "wrong", overlap=0.75, taken_for=0)]
    path = tmp_path / "examples.json"
    kept = some_examples("detection", truth=truth, found=found)
    path.write_bytes(kept.to_bytes())
    assert read_examples(path) == kept
    assert [*kept.picture_names()] == ["7.png"]


def test_examples_of_huge_size(tmp_path: Path) -> None:
    path = tmp_path / "examples.json"
    with path.open("wb") as file:
        file.truncate((64 << 20) + 1)  # sparse: it takes no room
    with pytest.raises(SchemaError, match="expected at most 64 MiB, got 64 MiB"):
        read_examples(path)
    one = some_examples().images[0]
    many = msgspec.structs.replace(some_examples(), images=[one] * (MOST_IMAGES + 1))
    path.write_bytes(many.to_bytes())
    with pytest.raises(SchemaError, match="expected at most 2,000 images, got 2,001"):
        read_examples(path)


def test_pictures_are_pictures_of_the_folder(tmp_path: Path) -> None:
    run = StoredRun.open(write(tmp_path / "run", examples=some_examples()))
    pictures = run.path / "examples"
    assert run.picture("7.png") is None  # it was listed, and is gone
    (pictures / "8.png").write_bytes(b"<svg onload=alert(1)>")
    with pytest.raises(SchemaError, match="expected a PNG, JPEG or WebP"):
        run.picture("8.png")
    (tmp_path / "secret.png").write_bytes(PNG)
    (pictures / "9.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(SchemaError, match="got a link out of its folder"):
        run.picture("9.png")
    with (pictures / "10.png").open("wb") as file:
        file.truncate((4 << 20) + 1)
    with pytest.raises(SchemaError, match="expected a thumbnail of at most 4 MiB"):
        run.picture("10.png")
    for name in ("../run.json", "/etc/passwd", "examples.json", "..\\..\\x.png", "a.png\0"):
        with pytest.raises(SchemaError):
            run.picture(name)


# ---- Other folders ------------------------------------------------------------------------------


def test_a_training_that_was_not_tested(tmp_path: Path) -> None:
    (tmp_path / "description.json").write_text('{"task": "classification", "data": "digits"}')
    with pytest.raises(InputError, match=r"a training that was begun, there is no run\.json"):
        StoredRun.open(tmp_path)
    schema = '"schema": "snellen.training-run/1"'
    (tmp_path / "run.json").write_text(f'{{{schema}, "seconds": {{"training": 2.5, "test": 0.5}}}}')
    run = StoredRun.open(tmp_path)
    assert (run.kind, run.record.task, run.record.seconds) == ("training", "classification", 3.0)
    with pytest.raises(InputError, match="expected a training that was tested, this one has no"):
        run.result()
    (tmp_path / "run.json").write_text(f'{{{schema}, "seconds": 3}}')
    with pytest.raises(SchemaError, match=r"expected object, got int - at .*run\.json \$\.seconds"):
        StoredRun.open(tmp_path)


def test_models_of_a_benchmark_in_its_order(tmp_path: Path) -> None:
    """The folder of a name that was there before has a number behind it."""
    names = ["z", "a/b", "a:b"]
    for name, seed in (("z", 0), ("a-b", 1), ("a-b-2", 2)):
        write(tmp_path / "models" / name, classified(seed))
        (tmp_path / "models" / name / "run.json").unlink()
    write(tmp_path / "models" / "of-an-earlier-one", classified(3))
    content = {
        "schema": "snellen.benchmark-result/1",
        "models": [{"name": name} for name in names],
        "table": [{"name": "z", "top1": 0.8}],
        "library": "0",
    }
    (tmp_path / "result.json").write_text(json.dumps(content))
    run = StoredRun.open(tmp_path)
    assert run.kind == "benchmark"
    assert run.record.metrics == {"top1": 0.8}
    assert [model.name for model in run.models] == ["z", "a-b", "a-b-2"]
    assert [model.parent for model in run.models] == [run] * 3
    assert run.models[2].metric().to_bytes() == classified(2).to_bytes()
    # Without run.json it is known from the task.
    assert run.models[2].record.lower_is_better == ["hamming"]


def test_a_record_of_an_earlier_release(tmp_path: Path) -> None:
    path = write(tmp_path) / "run.json"
    content = json.loads(path.read_text())
    del content["neither_is_better"]
    path.write_text(json.dumps(content))
    assert StoredRun.open(tmp_path).record.neither_is_better == []


def test_regressions_and_detections_too(tmp_path: Path) -> None:
    boxes = {"image_id": [1], "label": [1]}
    truth = Boxes.from_xywh([[0, 0, 10, 10]], **boxes)
    pred = Boxes.from_xywh([[0, 0, 10, 10]], score=[0.5], **boxes)
    metrics: list[Any] = [
        AveragePrecision().update(truth, pred),
        Regression(["y"]).update([[1.0], [2.0]], [[1.5], [2.0]]),
    ]
    for k, metric in enumerate(metrics):
        run = StoredRun.open(write(tmp_path / str(k), metric))
        assert run.metric().to_bytes() == metric.to_bytes()
        assert run.result().metrics == pytest.approx(metric.compute().metrics, nan_ok=True)
