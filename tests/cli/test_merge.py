"""``snellen merge`` of every task: the page of the parts is that of the whole, to the last bit."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from snellen.cli.root import run as run_here
from snellen.report.run_parts import parts_of
from snellen.run.stored_run import StoredRun
from snellen.samples.classification import make_classification_sample
from snellen.samples.detection import make_detection_sample
from snellen.samples.regression import make_regression_sample
from snellen.samples.segmentation import make_segmentation_sample
from snellen.samples.tracking import make_tracking_sample

Capture = pytest.CaptureFixture[str]
N_PARTS = 3
BY_ID = ("classification", "multilabel", "regression", "outputs")
DETECTIONS = ("boxes", "masks", "keypoints")
SEGMENTATIONS = ("segmentation", "boundary", "surface")


def part_of(name: object) -> int:
    return zlib.crc32(str(name).encode()) % N_PARTS


# ---- What a page shows -------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return anything that a page shows as texts, lists and dicts: equal where it is the same."""
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, plain(value.tolist())]
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    slots = [] if isinstance(value, (str, bytes)) else getattr(type(value), "__slots__", [])
    if slots:
        return {name: plain(getattr(value, name)) for name in slots}
    return repr(value)


def shown(folder: Path) -> dict[str, Any]:
    """Return all that the page of a run shows, but for where it came from."""
    run = StoredRun.open(folder)
    result = run.result()
    examples = run.examples()
    images = [] if examples is None else msgspec.to_builtins(examples.images)
    for image in images:
        for key in ("picture", "layers"):  # names of files: they begin with the rank in a part
            image[key] = key in image
    return {
        "parts": plain(parts_of(run, result)),
        "result": plain(result.to_dict()),
        "images": images,
        "threshold": None if examples is None else (examples.score_threshold, examples.order),
    }


# ---- Data in parts -----------------------------------------------------------------------------


def whole_detection(home: Path, kind: str) -> list[str]:
    make_detection_sample(
        home, n_images=40, n_boxes=260, n_detections=900, n_classes=5, draw_images=False,
        masks=kind == "masks",
    )  # fmt: skip
    if kind == "masks":
        (found,) = home.glob("*mask*.json")
        shutil.copy(found, home / "predictions.json")
    if kind == "keypoints":
        add_keypoints(home)
    return ["detection", "truth.json", "predictions.json"]


def add_keypoints(home: Path) -> None:
    """Give every person of truth and every detection 17 keypoints about its box."""
    random = np.random.default_rng(3)
    place = random.random((17, 2))
    truth, found = (json.loads((home / f"{n}.json").read_text()) for n in ("truth", "predictions"))
    for record in (*truth["annotations"], *found):
        left, top, width, height = record["bbox"]
        at = place + random.normal(0, 0.05 if "score" in record else 0, (17, 2))
        at = at * (width, height) + (left, top)
        points = np.concatenate([at.round(1), np.full((17, 1), 2)], axis=1)
        record["keypoints"] = points.ravel().tolist()
        record.pop("segmentation", None)
        if "score" not in record:
            record |= {"num_keypoints": 17, "segmentation": [[0, 0, 1, 0, 1, 1]]}
    (home / "truth.json").write_text(json.dumps(truth))
    (home / "predictions.json").write_text(json.dumps(found))


def split_coco(home: Path, parts: list[Path]) -> None:
    truth, found = (json.loads((home / f"{n}.json").read_text()) for n in ("truth", "predictions"))
    for k, part in enumerate(parts):
        own = {
            key: [
                each for each in truth[key]
                if part_of(each["id" if key == "images" else "image_id"]) == k
            ]
            for key in ("images", "annotations")
        }  # fmt: skip
        (part / "truth.json").write_text(json.dumps({**truth, **own}))
        is_list = isinstance(found, list)
        records = found if is_list else found["annotations"]
        records = [each for each in records if part_of(each["image_id"]) == k]
        (part / "predictions.json").write_text(
            json.dumps(records if is_list else {**found, "annotations": records})
        )
        for side in ("truth", "predictions"):
            if (home / side).is_dir():
                shutil.copytree(home / side, part / side)


def whole_by_id(home: Path, kind: str) -> list[str]:
    if kind == "regression":
        make_regression_sample(home, n_samples=300, n_people=80)
        return ["regression", "truth.csv", "predictions.csv"]
    if kind == "outputs":
        random = np.random.default_rng(8)
        for name, noise in (("truth", 0), ("predictions", 1)):
            values = np.linspace(0, 9, 90)[:, None] * (1, 300) + noise * random.normal(
                scale=(1, 200), size=(90, 2)
            )
            rows = [f"s{k:02},{x},{y}" for k, (x, y) in enumerate(values.tolist())]
            (home / f"{name}.csv").write_text("\n".join(["id,width,height", *rows]) + "\n")
        return ["regression", "truth.csv", "predictions.csv"]
    if kind == "multilabel":
        random = np.random.default_rng(5)
        score = random.random((200, 3)).round(2)
        with (home / "both.csv").open("w") as file:
            file.write("id,label,cat,dog,cow\n")
            for k, row in enumerate(score.tolist()):
                names = [n for n, s in zip(("cat", "dog", "cow"), row, strict=True) if s > 0.4]
                file.write(f"{k:03},{'|'.join(names[: 1 + k % 3])},{','.join(map(str, row))}\n")
        return ["classification", "both.csv"]
    make_classification_sample(home, n_images=200, n_scenes=40, draw_images=False)
    return ["classification", "truth.csv", "a.csv"]


def split_by_id(home: Path, parts: list[Path]) -> None:
    for path in home.glob("*.csv"):
        head, *rows = csv.reader(path.read_text().splitlines())
        for k, part in enumerate(parts):
            with (part / path.name).open("w") as file:
                csv.writer(file, lineterminator="\n").writerows(
                    [head, *(row for row in rows if part_of(row[0]) == k)]
                )


def whole_of_maps(home: Path, kind: str) -> list[str]:
    if kind == "panoptic":
        make_segmentation_sample(home / "all", n_images=9, width=96, height=64, draw_images=False)
        for path in (home / "all" / "panoptic").iterdir():
            shutil.move(path, home / path.name)
        return ["panoptic", "truth.json", "predictions.json"]
    if kind == "tracking":
        make_tracking_sample(home, n_sequences=4, n_frames=40, n_objects=6, draw_images=False)
    else:
        make_segmentation_sample(home, n_images=9, width=96, height=64, draw_images=False)
    return [kind, "truth", "predictions"]


def split_sides(home: Path, parts: list[Path]) -> None:
    for side in ("truth", "predictions"):
        for k, path in enumerate(sorted((home / side).iterdir())):
            to = parts[k % N_PARTS] / side / path.name
            to.parent.mkdir(exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, to)  # type: ignore[operator]


def evaluated(home: Path, arguments: Sequence[str], out: Path, *options: str) -> None:
    task, *names = arguments
    if task in SEGMENTATIONS:
        classes = next(parent / "whole" / "classes.json" for parent in [out.parent])
        options = ("--classes", str(classes), *options)
    paths = [str(home / name) for name in names]
    given = ["evaluate", task, *paths, "--out", str(out), "--quiet", "--no-intervals", *options]
    assert run_here(given) == 0


@pytest.fixture
def in_parts(tmp_path: Path) -> Callable[..., tuple[Path, list[Path]]]:
    """Return what evaluates a data set as a whole, and part by part."""

    def both(kind: str, *options: str) -> tuple[Path, list[Path]]:
        home = tmp_path / "whole"
        parts = [tmp_path / f"data{k}" for k in range(N_PARTS)]
        for folder in (home, *parts):
            folder.mkdir()
        if kind in DETECTIONS:
            make, split = whole_detection, split_coco
        elif kind in BY_ID:
            make, split = whole_by_id, split_by_id
        else:
            make, split = whole_of_maps, split_coco if kind == "panoptic" else split_sides
        arguments = make(home, kind)
        split(home, parts)
        if kind == "keypoints":
            options = ("--similarity", "keypoints", *options)
        if kind == "masks":
            options = ("--similarity", "mask", *options)
        evaluated(home, arguments, tmp_path / "run", *options)
        runs = [tmp_path / f"part{k}" for k in range(N_PARTS)]
        for part, run in zip(parts, runs, strict=True):
            evaluated(part, arguments, run, *options)
        return tmp_path / "run", runs

    return both


def merged(runs: Sequence[Path], out: Path, *options: str) -> Path:
    assert run_here(["merge", *map(str, runs), "--out", str(out), "--no-intervals", *options]) == 0
    return out


@pytest.mark.parametrize("kind", [*DETECTIONS, *BY_ID, *SEGMENTATIONS, "panoptic", "tracking"])
def test_the_page_of_the_parts_is_that_of_the_whole(
    kind: str, in_parts: Any, tmp_path: Path, capsys: Capture
) -> None:
    whole, runs = in_parts(kind, "--report")
    expected = shown(whole)
    if kind in DETECTIONS:
        assert expected["parts"]["confusion"] is not None
        # Each part chose a score of its own; it is the whole's that counts.
        own = {StoredRun.open(run).examples().score_threshold for run in runs}  # type: ignore[union-attr]
        assert len(own | {expected["threshold"][0]}) > 1
    if kind == "tracking":
        assert "identity_switches" in str(expected["parts"]["own"])
    for order in ((0, 1, 2), (2, 0, 1)):
        out = merged([runs[k] for k in order], tmp_path / f"all{order[0]}", "--report", "--quiet")
        assert capsys.readouterr() == ("", "")  # nothing was left out
        found = shown(out)
        for name, value in expected.items():
            assert found[name] == value, name
        files = [path.relative_to(whole) for path in whole.rglob("*.bin")]
        for name in (Path("result.json"), *files):
            assert (out / name).read_bytes() == (whole / name).read_bytes(), name
        assert (out / "report.html").is_file()
    # Step by step gives the same.
    two = merged(runs[:2], tmp_path / "two", "--quiet")
    assert shown(merged([runs[2], two], tmp_path / "steps", "--quiet")) == expected


def test_no_more_images_than_were_asked_for(in_parts: Any, tmp_path: Path) -> None:
    whole, runs = in_parts("regression", "--report", "--examples", "20")
    found = shown(merged(runs, tmp_path / "all", "--quiet"))["images"]
    assert len(found) == 20
    assert found == shown(whole)["images"]
    examples = StoredRun.open(tmp_path / "all").examples()
    assert examples is not None
    assert examples.rule == (
        "20 of the 300 samples of 3 parts, of those that the parts kept: the largest errors first"
    )


def test_detections_are_counted_anew_for_examples_only(
    in_parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many detections it takes long."""
    counted = []
    monkeypatch.setattr(
        "snellen.report.detection.examples.counted_anew",
        lambda metric: counted.append(metric) or (lambda examples: examples),
    )
    _, runs = in_parts("boxes", "--examples", "0")
    merged(runs, tmp_path / "without", "--quiet")
    assert counted == []
    evaluated(
        tmp_path / "data1", ["detection", "truth.json", "predictions.json"], runs[1],
        "--examples", "1",
    )  # fmt: skip
    examples = StoredRun.open(merged(runs, tmp_path / "with", "--quiet")).examples()
    assert len(counted) == 1
    assert examples is not None
    assert re.match(
        "1 of the [0-9]+ images of 1 part, of those that the part kept: ", examples.rule
    )


# ---- What cannot be merged ---------------------------------------------------------------------


def test_events_that_not_all_parts_have(in_parts: Any, tmp_path: Path, capsys: Capture) -> None:
    _, runs = in_parts("tracking", "--report")
    evaluated(tmp_path / "data1", ["tracking", "truth", "predictions"], tmp_path / "bare")
    evaluated(tmp_path / "whole", ["tracking", "truth", "predictions"], tmp_path / "without")
    for names in (
        (runs[0], tmp_path / "bare", runs[2]),
        (tmp_path / "bare", runs[0], runs[2]),
    ):
        out = merged(names, tmp_path / "all")
        said = capsys.readouterr().err
        assert f"events are left out, {tmp_path / 'bare'} was evaluated without --events" in said
        assert (out / "state.bin").read_bytes() == (tmp_path / "without/state.bin").read_bytes()
    evaluated(tmp_path / "data2", ["tracking", "truth", "predictions"], tmp_path / "bare2")
    merged((runs[0], tmp_path / "bare", tmp_path / "bare2"), tmp_path / "few")
    said = capsys.readouterr().err
    assert f"{tmp_path / 'bare'}, {tmp_path / 'bare2'} were evaluated without --events" in said
    page = shown(tmp_path / "all")["parts"]
    assert "identity_switches" not in str(page["own"])
    assert "is not shown: no events were kept" in str(page["facts"])
    # No number follows from events: runs with and without are compared.
    assert run_here(["compare", str(tmp_path / "run"), str(tmp_path / "without")]) == 0
    assert "the same rules" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("classification", ("--beta", "2"), "beta 2 instead of 1"),
        ("classification", ("--top-k", "1,3"), "k[1] 3 instead of 5"),
        ("classification", ("--bins", "10"), "bins 10 instead of 15"),
        ("classification", ("--zero-division", "1"), "zero_division 1 instead of 0"),
        ("regression", ("--huber-delta", "3"), "huber_delta 3 instead of 1"),
        ("boxes", ("--protocol", "coco-strict"), "got name coco-strict instead of coco; "),
        ("boxes", ("--max-detections", "1,10"), "max_detections [1, 10] instead of [1, 10, 100]"),
        ("segmentation", ("--unknown", "ignore"), "got unknown ignore instead of error"),
        ("segmentation", ("--ignore-index", "3"), "got ignored_classes [wall] instead of []"),
        ("boundary", ("--ratio", "0.05"), "got ratio 0.05 instead of 0.02"),
        ("boundary", ("--ignore-index", "3"), "ignore_index [3, 255] instead of [255]"),
        ("surface", ("--percentile", "90"), "got percentile 90 instead of 95"),
        ("surface", ("--ignore-index", "3"), "[3] instead of []"),
        ("panoptic", ("--boundary",), "got iou boundary instead of mask; boundary_ratio 0.02 "),
        ("tracking", ("--threshold", "0.6"), "got threshold 0.6 instead of 0.5"),
        ("tracking", ("--protocol", "mot17"), "got protocol.name mot17 instead of plain; "),
    ],
)
def test_what_differs_is_said_in_a_line(
    kind: str, options: tuple[str, ...], said: str, in_parts: Any, tmp_path: Path, capsys: Capture
) -> None:
    _, runs = in_parts(kind)
    task = {"boxes": "detection"}.get(kind, kind)
    names = {
        "classification": ["truth.csv", "a.csv"],
        "regression": ["truth.csv", "predictions.csv"],
        "boxes": ["truth.json", "predictions.json"],
        "panoptic": ["truth.json", "predictions.json"],
    }.get(kind, ["truth", "predictions"])
    evaluated(tmp_path / "data1", [task, *names], tmp_path / "other", *options)
    capsys.readouterr()
    out = tmp_path / "all"
    assert run_here(["merge", str(runs[0]), str(tmp_path / "other"), "--out", str(out)]) == 1
    _, error = capsys.readouterr()
    assert said in error
    assert error.startswith("snellen: error: expected the state of ")
    assert error.endswith(f" - at {tmp_path / 'other'}\n")
    assert error.count("\n") == 1
    assert len(error) < 700
    assert not out.exists()


def test_states_of_other_tasks_and_benchmarks(
    in_parts: Any, tmp_path: Path, capsys: Capture
) -> None:
    _, runs = in_parts("classification")
    make_regression_sample(tmp_path / "ages", n_samples=20, n_people=9)
    evaluated(
        tmp_path / "ages", ["regression", "truth.csv", "predictions.csv"], tmp_path / "ages_run"
    )
    capsys.readouterr()
    assert run_here(["merge", str(runs[0]), str(tmp_path / "ages_run")]) == 1
    assert capsys.readouterr().err == (
        f"snellen: error: expected the state of Classification, as {runs[0]} is, got that of "
        f"Regression - at {tmp_path / 'ages_run'}\n"
    )
    # The state of a training is that of its test part; a benchmark has one for each network.
    training = tmp_path / "training"
    (training / "test").mkdir(parents=True)
    (training / "description.json").write_text("{}")
    shutil.copy(runs[1] / "state.bin", training / "test" / "state.bin")
    assert run_here(["merge", str(runs[0]), str(training), "--json", "-", "--no-intervals"]) == 0
    both = json.loads(capsys.readouterr().out)
    assert run_here(["merge", *map(str, runs[:2]), "--json", "-", "--no-intervals"]) == 0
    assert json.loads(capsys.readouterr().out) == both
    (tmp_path / "bench" / "models").mkdir(parents=True)
    assert run_here(["merge", str(runs[0]), str(tmp_path / "bench")]) == 1
    assert "got a benchmark: name the folders of its networks" in capsys.readouterr().err
