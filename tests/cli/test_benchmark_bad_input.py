"""Bad input to ``snellen benchmark``: one line that says what to do, and nothing half-written."""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

for _library in ("onnx", "onnxruntime", "torch"):
    pytest.importorskip(_library)

from snellen.cli.root import run as call  # noqa: E402
from tests.benchmark_networks import (  # noqa: E402
    CLASSES,
    MODULE,
    SIDE,
    K,
    N,
    write_images,
    write_linear,
)
from tests.cli.conftest import Run  # noqa: E402

LINEAR = "linear.onnx,preset=unit"
IMAGES = f"preset=unit,size={SIDE}"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}

Refused = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_images(folder / "data")
    random = np.random.default_rng(2)
    numbers = 3 * SIDE * SIDE
    write_linear(folder / "linear.onnx", random.normal(size=(numbers, K)).astype("f4"))
    write_linear(folder / "many.onnx", random.normal(size=(numbers, K - 2)).astype("f4"))
    write_linear(
        folder / "dropping.onnx", random.normal(size=(numbers, K)).astype("f4"), dropout=True
    )
    write_linear(folder / "wrong.onnx", random.normal(size=(12, K)).astype("f4"))
    write_linear(folder / "nan.onnx", np.full((numbers, K), np.nan, "f4"))
    np.savez(
        folder / "hidden.npz",
        first=random.normal(size=(numbers, 4)).astype("f4"),
        second=random.normal(size=(4, K)).astype("f4"),
    )
    (folder / "somebodys.py").write_text(MODULE)
    (folder / "garbage.onnx").write_bytes(b"no network")
    (folder / "empty.pt").write_bytes(b"")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with links to what was made; what is written there is this test's own."""
    for each in made.iterdir():
        if each.name != "__pycache__":
            (tmp_path / each.name).symlink_to(each)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def benchmark(*arguments: str, data: str = "data") -> list[str]:
    return [
        *("benchmark", "--data", data, "--no-speed", "--threads", "1", "--out", "out"),
        *arguments,
    ]


@pytest.fixture
def refused(here: Path, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Return a function that runs the command, and returns the line that it ends with."""

    def refused_with(*arguments: str, data: str = "data") -> str:
        code = call(benchmark(*arguments, "--quiet", "--json", "-", data=data))
        shown = capfd.readouterr()
        assert code == 1, shown
        assert shown.out == ""
        assert "Traceback" not in shown.err
        line = shown.err.splitlines()[-1]
        assert line.startswith("snellen: error: expected ") or "nothing is known" in line, line
        assert [each for each in shown.err.splitlines() if each.startswith("snellen:")] == [line]
        assert "our mistake" not in line
        left = [path.name for path in here.glob("out/**/*") if path.is_file()]
        assert not left
        return line

    return refused_with


def test_networks_that_do_not_fit(refused: Refused) -> None:
    line = refused("many.onnx,preset=unit")
    assert "6 outputs" in line
    assert "got 4" in line
    assert line.endswith("- at many")
    line = refused("wrong.onnx,preset=unit")
    assert "Incompatible dimensions" in line
    assert line.endswith("- at wrong.onnx")
    line = refused(f"linear.onnx,{IMAGES.replace('8', '9')}")
    assert "9" in line
    assert "linear.onnx" in line
    line = refused("linear.onnx")
    assert ",preset=imagenet" in line


def test_scores_that_cannot_be_believed(refused: Refused) -> None:
    line = refused("nan.onnx,preset=unit")
    assert "finite scores, got nan" in line
    line = refused("dropping.onnx,preset=unit")
    assert "dropout" in line
    assert line.endswith("- at dropping")
    line = refused(f"torch:somebodys:counting,{IMAGES}")
    assert "the same scores of the same images" in line


def test_processes_that_end(refused: Refused) -> None:
    line = refused(f"torch:somebodys:dying,{IMAGES}")
    assert "ended by signal 9" in line
    assert line.endswith("- at dying")


def test_a_full_disk(refused: Refused, here: Path) -> None:
    line = refused(f"torch:somebodys:full,{IMAGES}")
    assert "the disk is full" in line
    assert not list(here.glob("out/**/*.tmp*"))


def test_a_limit_of_files(here: Path, run: Run) -> None:
    """What is larger than the system allows is named; what was predicted stays."""
    done = run(
        *benchmark(LINEAR),
        cwd=here,
        env=ENVIRONMENT,
        timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert [path.suffix for path in here.glob("out/**/*") if path.is_file()] == [
        ".json", ".scores",
    ]  # fmt: skip
    assert run(*benchmark(LINEAR), cwd=here, env=ENVIRONMENT, timeout=240).returncode == 0


def test_gpus_that_are_not_there(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    line = refused(LINEAR, "--device", "cuda")
    assert "CUDA" in line
    line = refused(f"torch:somebodys:hidden,{IMAGES}", "--device", "cuda:1")
    assert "expected to run on cuda:1" in line
    assert "none" in line
    line = refused(LINEAR, "--device", "gpu")
    assert "auto, cpu, cuda" in line


def test_names_of_models(refused: Refused, here: Path) -> None:
    assert 'Did you mean "onnx"?' in refused("onxx:linear.onnx")
    assert 'Did you mean "preset"?' in refused("linear.onnx,preste=unit")
    assert "there is none - at no.onnx" in refused("no.onnx,preset=unit")
    assert "garbage.onnx" in refused("garbage.onnx,preset=unit")
    assert "empty.pt" in refused("empty.pt,preset=unit")
    assert 'Perhaps "keras:ResNet50"?' in refused("ResNet50")
    assert "no weights here" in refused(f"torch:somebodys:failing,{IMAGES}")
    assert "no_such_package" in refused(f"torch:somebodys:needing,{IMAGES}")
    assert '"a" 2 times' in refused(f"{LINEAR},name=a", f"{LINEAR},name=a")
    assert not (here / "out").exists() or not list((here / "out").iterdir())


def test_the_second_of_two_networks(refused: Refused) -> None:
    """One that cannot be loaded is found before the first one predicts."""
    assert refused(LINEAR, "nothing.onnx,preset=unit").endswith("- at nothing.onnx")


def test_without_onnx_runtime(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "onnxruntime.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'onnxruntime'\", name='onnxruntime')"
    )
    assert call(benchmark(LINEAR, "--quiet")) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "onnxruntime" in line
    assert "snellen[onnx]" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "data"], "Missing argument 'MODEL"),
        ([LINEAR], "Missing option '--data'"),
        (["--data", "", LINEAR], "expected a path"),
        (["--data", "data", LINEAR, "--out", ""], "expected a path"),
        (["--data", "data", LINEAR, "--batch-size", "0"], "--batch-size"),
        (["--data", "data", LINEAR, "--batch-sizes", "8,x"], "1,8,32"),
        (["--data", "data", LINEAR, "--seconds", "0"], "--seconds"),
        (["--data", "data", LINEAR, "--seconds", "nan"], "--seconds"),
        (["--data", "data", LINEAR, "--seconds", "inf"], "--seconds"),
        (["--data", "data", LINEAR, "--limit", "-1"], "--limit"),
        (["--data", "data", LINEAR, "--fail-under", "accuracy"], "AP=0.40"),
        (["--data", "data", LINEAR, "--tresh", "1"], "--tresh"),
    ],
)
def test_flags(
    here: Path, arguments: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call(["benchmark", *arguments]) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert not (here / "out").exists()
    assert not (here / "runs").exists()


def test_places_that_cannot_be_written(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """They are refused before anything is loaded."""
    (here / "file").write_text("")
    command = ["benchmark", "--data", "data", "--quiet", "nothing.onnx,preset=unit"]
    for arguments, code, place in (
        (["--json", "no/such.json", "--out", "out"], 1, "no"),
        (["--out", "file"], 2, "file"),
        (["--out", "file/below"], 1, "file/below"),
    ):
        assert call([*command, *arguments]) == code
        line = capfd.readouterr().err.splitlines()[-1]
        assert place in line
        assert "nothing.onnx" not in line


def test_data_that_are_none(refused: Refused, here: Path) -> None:
    assert "there is nothing of this name" in refused(LINEAR, data="nowhere")
    (here / "hollow").mkdir()
    assert "hollow" in refused(LINEAR, data="hollow")
    (here / "hollow/ant").mkdir()
    assert "there are none" in refused(LINEAR, data="hollow")
    (here / "flat").mkdir()
    shutil.copy(here / "data/ant/000.png", here / "flat/000.png")
    assert "a file of labels" in refused(LINEAR, data="flat")
    np.save(here / "labels.npy", np.arange(K))
    line = refused(LINEAR, data="labels.npy")
    assert "got labels alone: only predictions:FILE" in line
    assert "nowhere.txt" in refused(LINEAR, "--labels", "nowhere.txt", data="flat")


def odd_images(here: Path) -> Path:
    """Copy the images, and make some of them what people really have."""
    folder = here / "odd"
    shutil.copytree(here / "data", folder)
    first = {name: sorted((folder / name).iterdir()) for name in CLASSES}
    random = np.random.default_rng(6)

    def rgb(path: Path) -> Image.Image:
        with Image.open(path) as image:
            return image.convert("RGB")

    def instead(path: Path, ending: str) -> Path:
        path.unlink()
        return path.with_suffix(ending)

    first["ant"][0].write_bytes(first["ant"][0].read_bytes()[:60])  # cut off
    first["ant"][1].write_bytes(b"no image at all")
    first["ant"][2].write_bytes(b"")
    rgb(first["bee"][0]).convert("CMYK").save(instead(first["bee"][0], ".jpg"))
    grey = random.integers(0, 65536, (SIDE, SIDE)).astype(np.uint16)
    Image.fromarray(grey).save(instead(first["bee"][1], ".png"))
    frames = [rgb(first["cat"][0]), rgb(first["cat"][1])]
    frames[0].save(
        instead(first["cat"][0], ".gif"), save_all=True, append_images=frames[1:], duration=50
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb(first["dog"][0]).resize((SIDE, 2 * SIDE)).save(instead(first["dog"][0], ".jpg"), exif=exif)
    rgb(first["eel"][0]).quantize(16).save(instead(first["eel"][0], ".png"))
    rgb(first["eel"][1]).convert("RGBA").save(instead(first["eel"][1], ".png"))
    (folder / ".hidden").mkdir()
    shutil.copy(first["fox"][0], folder / ".hidden/000.png")
    shutil.copy(first["fox"][0], folder / "fox/.000.png")
    (folder / "fox/notes.txt").write_text("foxes")
    return folder


def test_odd_images(here: Path, capfd: pytest.CaptureFixture[str], refused: Refused) -> None:
    """Whatever Pillow reads is measured; what it cannot read is named, counted, left out."""
    odd_images(here)
    line = refused(LINEAR, "--strict", data="odd")
    assert line.endswith("- at ant/000.png")

    assert call(benchmark(LINEAR, "--json", "result.json", data="odd")) == 0
    shown = capfd.readouterr()
    found = json.loads((here / "result.json").read_text())
    assert found["n_images"] == N - 3
    assert found["classes"] == list(CLASSES)
    assert [each["id"] for each in found["left_out"]] == [f"ant/00{k}.png" for k in range(3)]
    assert "empty file" in found["left_out"][2]["reason"]
    assert "3 images left out: ant/000.png" in shown.out
    assert "1 files left out that are no images" in shown.out
    # They were kept with the predictions: the second time nothing is read, and they are said again.
    assert call(benchmark(LINEAR, "--json", "again.json", data="odd")) == 0
    shown = capfd.readouterr()
    assert f"{N} images had been predicted" in shown.err
    assert json.loads((here / "again.json").read_text())["left_out"] == found["left_out"]
    assert call(benchmark(LINEAR, "--strict", data="odd")) == 1
    assert "ant/000.png" in capfd.readouterr().err.splitlines()[-1]


def test_images_none_of_which_can_be_read(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for k in range(4):
        place = here / "broken" / CLASSES[k % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{k}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    write_linear(here / "two.onnx", np.ones((3 * SIDE * SIDE, 2), "f4"))
    assert call(benchmark("two.onnx,preset=unit", "--quiet", data="broken")) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "expected images that all models predicted, got none" in line
    assert line.endswith("- at ant/0.png")
    assert not (here / "out/result.json").exists()


def test_classes_of_one_name(refused: Refused, here: Path) -> None:
    for name in ("caf\u00e9", "cafe\u0301"):
        (here / "twice" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(here / "data/ant/000.png", here / "twice" / name / "0.png")
    if len(list((here / "twice").iterdir())) < 2:
        pytest.skip("this file system takes both for one")
    assert "rename one" in refused(LINEAR, data="twice")


def test_an_empty_class_is_said(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(here / "data", here / "emptied")
    for each in (here / "emptied/fox").iterdir():
        each.unlink()
    assert call(benchmark(LINEAR, data="emptied")) == 0
    assert "1 classes without images: fox" in capfd.readouterr().out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(here / "data", here / "locked")
    (here / "locked/ant/000.png").chmod(0)
    assert call(benchmark(LINEAR, data="locked")) == 0
    assert "ant/000.png" in capfd.readouterr().out
