"""Whatever `snellen benchmark` knows is written down, and what is written down works."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import snellen.benchmark
from snellen.benchmark import Settings, benchmark
from snellen.benchmark.keras_model import _SETTINGS as KERAS
from snellen.benchmark.model import Facts
from snellen.benchmark.open_images import _TABLES
from snellen.benchmark.predictions_file import PREDICTION_SETTINGS
from snellen.benchmark.preprocessing import CHOICES, Preprocessing
from snellen.benchmark.preprocessing_settings import (
    _ALIASES,
    _SPELLINGS,
    PREPROCESSING_KEYS,
    PRESETS,
)
from snellen.benchmark.result import BenchmarkResult, measured_model
from snellen.benchmark.sources import _ENDINGS, ENTRY_POINTS, SOURCES
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Round, Speed, Throughput
from snellen.cli.root import snellen as command_line
from snellen.errors import InputError

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


GUIDE = document("guide/benchmark.md")
DATA = document("guide/benchmark-data.md")
MODELS = document("reference/models.md")
JSON = document("reference/result-json.md").partition("# The JSON of a benchmark")[2]


def row(text: str, name: str) -> str:
    """Return the row of a table that is about something."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    found = [line for line in rows if f"`{name}" in line.split("|")[1]]
    assert found, f"no row is about {name}"
    return found[0]


def codes(text: str) -> set[str]:
    """Return what stands as code within the lines of a text."""
    lines = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return set(re.findall(r"`([^`]+)`", lines))


def missing(names: set[str], text: str) -> set[str]:
    return {name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}


# ---- The command --------------------------------------------------------------------------------


def parameters(path: list[str]) -> list[click.Parameter] | None:
    """Return the parameters of the command that a line calls; None where it names no command."""
    command: click.Command = command_line
    for word in path:
        if not isinstance(command, click.Group):
            break
        if word not in command.commands:
            return None
        command = command.commands[word]
    return command.params


OPTIONS = [option for option in parameters(["benchmark"]) or () if isinstance(option, click.Option)]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: str(option.name))
def test_every_option_is_in_the_guide_with_its_default(option: click.Option) -> None:
    table = GUIDE[GUIDE.index("## Options") : GUIDE.index("## Going on")]
    name = option.opts[0]
    written = row(table, name)
    assert not missing({*option.opts, *option.secondary_opts}, written)
    default = option.default
    if isinstance(default, (int, float, str)) and not isinstance(default, bool):
        assert str(default) in written.split("|")[2]


def test_every_option_of_data_is_on_their_page() -> None:
    page = DATA[DATA.index("## Options") : DATA.index("## ImageNet")]
    for name in ("labels", "synsets", "real", "classes", "part", "root", "limit", "seed", "strict"):
        assert f"`--{name}" in page or f"`--{name}`" in DATA


def commands() -> list[tuple[str, str]]:
    """Return each command that a document shows, with the document's name."""
    found = []
    for path in DOCUMENTS:
        for block in re.findall(r"^```[a-z]*\n(.*?)^```", path.read_text("utf-8"), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                words = re.sub(r"(^|\s)#.*", "", line).strip()
                if words.startswith("snellen ") and not words.startswith("snellen: "):
                    found.append((path.name, words))
    return found


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_have_the_options_that_are_shown(page: str, line: str) -> None:
    words = line.split()[1:]
    known = parameters(words)
    if known is None:
        assert words[0].startswith("-"), f"{page}: there is no command {line}"
        return
    options = {name for option in known for name in (*option.opts, *option.secondary_opts)}
    shown = {word.partition("=")[0] for word in words if re.match("--[a-z]", word)}
    assert shown <= options | {"--help"}, f"{page}: {line}"


def test_the_commands_are_seen() -> None:
    assert len([line for _, line in commands() if line.startswith("snellen benchmark")]) > 10


def test_settings_of_the_api_are_in_the_guide() -> None:
    text = GUIDE[GUIDE.index("## In Python") : GUIDE.index("## Networks that other packages")]
    assert {field.name for field in dataclasses.fields(Settings)} <= codes(text)


def test_every_table_that_is_read_is_on_the_page() -> None:
    assert not missing(set(_TABLES), row(DATA, ".parquet").replace("`", " "))


# ---- Models -------------------------------------------------------------------------------------


def own_settings() -> dict[str, set[str]]:
    """Return the settings of each source."""
    found: dict[str, set[str]] = {"predictions": set(PREDICTION_SETTINGS) - {"name"}}
    for prefix, place in SOURCES.items():
        module = importlib.import_module(place.partition(":")[0])
        found[prefix] = set(getattr(module, "_SETTINGS", None) or module.TORCH_SETTINGS)
    return found


@pytest.mark.parametrize(("prefix", "known"), own_settings().items())
def test_every_source_has_its_settings(prefix: str, known: set[str]) -> None:
    table = MODELS[MODELS.index("## Sources") : MODELS.index("### onnx")]
    assert f"### {prefix}\n" in MODELS
    written = codes(row(table, f"{prefix}`").split("|")[3])
    assert written == known - set(PREPROCESSING_KEYS)
    explained = MODELS[MODELS.index("| setting | what it is |") : MODELS.index("## What is done")]
    for name in written:
        row(explained, name)


def test_sources_whose_settings_of_images_are_not_all() -> None:
    whole = set(PREPROCESSING_KEYS)
    part = {prefix: known & whole for prefix, known in own_settings().items()}
    assert {prefix for prefix, known in part.items() if known != whole} == {
        "snellen",
        "predictions",
    }
    assert not part["predictions"]
    text = MODELS[MODELS.index("### snellen") : MODELS.index("### predictions")]
    text = " ".join(text.split())
    listed = codes(text[text.index("of the settings of images") :])
    assert listed == part["snellen"]
    assert {"weights", "layout"} <= set(KERAS)


def test_settings_of_predictions_have_rows() -> None:
    text = MODELS[MODELS.index("### predictions") : MODELS.index("## What is done")]
    for name in set(PREDICTION_SETTINGS) - {"name"}:
        row(text, name)


def test_every_setting_of_images_has_a_row_with_its_values() -> None:
    text = MODELS[MODELS.index("## What is done") : MODELS.index("| preset | size")]
    for name in set(PREPROCESSING_KEYS) - set(_ALIASES):
        written = row(text, name)
        cells = written.split("|")
        assert codes(cells[1]) == {name}
        assert codes(cells[2]) == {also for also, meant in _ALIASES.items() if meant == name}
        values = {*CHOICES.get(name, ()), *_SPELLINGS.get(name, ())}
        assert values <= codes(cells[3])
    names = re.findall(r"^\| `(\w+)` \|", text, re.M)
    assert set(names) == set(PREPROCESSING_KEYS) - set(_ALIASES)


@pytest.mark.parametrize(("name", "preset"), PRESETS.items())
def test_presets_are_what_is_written(name: str, preset: dict[str, Any]) -> None:
    text = MODELS[MODELS.index("| preset | size") :]
    _, called, size, scale, mean, std, colours, _ = row(text, name + "`").split("|")
    assert called.strip() == f"`{name}`"
    above, _, below = scale.strip().partition("/")
    assert float(above) / float(below or 1) == preset["scale"]
    assert tuple(map(float, mean.split())) == preset["mean"]
    assert tuple(map(float, std.split())) == preset["std"]
    if "height" in preset:
        shorter, middle = preset["shorter_side"], preset["height"]
        assert size.strip() == f"shorter side {shorter}, middle {middle}"
        assert colours.strip().startswith(preset["colours"])
    else:
        assert size.strip() == "open"
        assert "colours" not in preset


def test_there_are_no_other_presets() -> None:
    text = MODELS[MODELS.index("| preset | size") :]
    assert set(re.findall(r"^\| `([\w-]+)` \|", text, re.M)) == set(PRESETS)


def test_every_ending_is_taken_for_its_source() -> None:
    for ending, prefix in _ENDINGS.items():
        written = row(MODELS[: MODELS.index("## Sources")], f"{ending}`")
        assert f"`{prefix}:`" in written.split("|")[2]


# ---- The result ---------------------------------------------------------------------------------


def a_result() -> BenchmarkResult:
    rng = np.random.default_rng(0)
    truth = np.arange(24) % 6
    whole = Round(
        Latency(1, 1, 1.0, 1.0, 1.0, 0.0, 1.0),
        (Throughput(32, 1, 1, 1.0, 0.0, 1.0),),
        EndToEnd(1, 32, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    )
    models = [
        measured_model(
            name,
            f"onnx:{name}.onnx",
            truth=truth,
            ids=[f"{k}.png" for k in range(24)],
            classes=list("abcdef"),
            kind="logits",
            scores=rng.normal(size=(24, 6)),
            also=[(k,) for k in truth.tolist()],
            speed=Speed([whole], Memory(1, 1)),
            facts=Facts("cpu", "float32", 1, {"onnxruntime": "1"}, "d"),
            preprocessing=Preprocessing(8, 8),
        )
        for name in ("one", "two")
    ]
    return BenchmarkResult(models, [f"{k}.png" for k in range(24)], truth, list("abcdef"))


def test_every_column_of_the_table_is_written_down() -> None:
    text = JSON[JSON.index("## Columns of the table") :]
    cells = re.findall(r"^\| (`.*?) \|", text, re.M)
    names = {name for cell in cells for name in codes(cell)}
    assert names == set(a_result().table()[0])


def test_every_field_of_the_result_is_written_down() -> None:
    plain = a_result().to_dict()
    assert plain["schema"] in JSON
    assert not missing(set(plain), JSON)
    model = plain["models"][0]
    text = JSON[JSON.index("Of `models`:") : JSON.index("## Columns")]
    assert set(model) == {
        name for cells in re.findall(r"^\| (`.*?) \|", text, re.M) for name in codes(cells)
    }
    for key in ("facts", "preprocessing", "real", "confusion"):
        assert set(model[key]) <= codes(row(text, f"{key}`"))
    speed = model["speed"]
    assert not missing({*speed, *speed["latency"], *speed["throughput"][0]}, text)
    assert not missing({*speed["end_to_end"], *speed["memory"]}, text)
    assert not missing({*plain["disagreements"], *plain["class_spreads"][0]}, JSON)


# ---- What is quoted works -----------------------------------------------------------------------


def test_the_example_is_quoted_as_it_is() -> None:
    code = (ROOT / "examples/model_source.py").read_text(encoding="utf-8")
    assert f"```python\n{code[code.index('class Linear') :]}```" in GUIDE


@pytest.fixture
def linear_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder; the example is installed as a package, by the entry point of the guide."""
    package = tmp_path / "site"
    information = package / "zoo-1.dist-info"
    information.mkdir(parents=True)
    (package / "model_source.py").write_bytes((ROOT / "examples/model_source.py").read_bytes())
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1\n")
    found = re.search(r'entry-points\."([\w.]+)"\]\n(\w+) = "([\w:]+)"\n', GUIDE)
    assert found is not None
    assert found[1] == ENTRY_POINTS
    (information / "entry_points.txt").write_text(f"[{found[1]}]\n{found[2]} = {found[3]}\n")
    monkeypatch.syspath_prepend(package)
    monkeypatch.delitem(sys.modules, "model_source", raising=False)
    return tmp_path


def test_the_example_is_a_source(linear_package: Path) -> None:
    """Grey images of one level each: weights that say dark or light have them all right."""
    image = pytest.importorskip("PIL.Image")
    for name, level in (("dark", 20), ("light", 230)):
        folder = linear_package / "data" / name
        folder.mkdir(parents=True)
        for k in range(4):
            image.new("L", (28, 28), level + k).save(folder / f"{k}.png")
    weights = np.stack([-np.ones(784), np.ones(784)], axis=1).astype(np.float32)
    path = linear_package / "w.npz"
    np.savez(path, weights=weights, bias=np.array([392, -392], np.float32))
    result = benchmark(
        [f"linear:{path}"],
        str(linear_package / "data"),
        out=linear_package / "out",
        settings=Settings(threads=1, rounds=1, seconds=0.01),
    )
    model = result["w"]
    assert model.top1 == 1.0
    assert model.facts is not None
    assert model.facts.runtime == "NumPy"
    assert model.speed is not None
    assert model.speed.end_to_end is not None
    with pytest.raises(InputError, match='expected a setting of this source, got "crop"'):
        snellen.benchmark.load_model(f"linear:{path},crop=5")


def test_sections_that_are_linked_are_there() -> None:
    """Links within the pages of the benchmark, to headings as GitHub calls them."""
    pages = ("guide/benchmark.md", "guide/benchmark-data.md", "reference/models.md",
             "reference/result-json.md")  # fmt: skip
    for name in pages:
        path = ROOT / "docs" / name
        for link, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document(name)):
            target = (path.parent / link).resolve() if link else path
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.M)
            known = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            assert heading in known, f"{name} links {link}#{heading}"
