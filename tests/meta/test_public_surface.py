"""The public surface is one screen, whole, documented, and what the documents say it is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

import snellen
import snellen.benchmark
from snellen.cli.root import snellen as command_line

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(
    group: click.Command = command_line, path: str = "snellen"
) -> list[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        return [
            found
            for name, command in group.commands.items()
            for found in commands(command, f"{path} {name}")
        ]
    return [(path, group)]


def test_all_is_the_public_surface() -> None:
    assert set(snellen.__all__) == set(snellen._HOME)
    for name in snellen.__all__:
        assert getattr(snellen, name).__name__ == name
    assert set(dir(snellen)) == {*snellen.__all__, "__version__"}


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute nonsense"):
        _ = snellen.nonsense


PUBLIC = [
    *((snellen, name) for name in snellen.__all__),
    *((snellen.benchmark, name) for name in snellen.benchmark.__all__),
]


@pytest.mark.parametrize(
    ("package", "name"), PUBLIC, ids=lambda each: getattr(each, "__name__", each)
)
def test_public_names_are_documented(package: ModuleType, name: str) -> None:
    thing = getattr(package, name)
    assert inspect.getdoc(thing)
    if not inspect.isclass(thing):
        return
    for attribute, value in vars(thing).items():
        if attribute.startswith("_") or not callable(getattr(value, "__func__", value)):
            continue
        assert inspect.getdoc(getattr(thing, attribute)), f"{name}.{attribute}"


def test_metrics_have_the_notes_block() -> None:
    for line in ("State", "Merge", "Ties", "Undefined", "Agrees with"):
        assert re.search(rf"^\s*{line}$", snellen.AveragePrecision.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize(("path", "command"), commands())
def test_commands_are_documented(path: str, command: click.Command) -> None:
    assert command.help
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    assert path in text, f"no document shows {path}"
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "help":
            assert option.help or option.show_default, f"{path} {option.opts}"


def test_detection_protocol_names_of_the_command_line() -> None:
    from snellen.cli.detection_rules import OF_KEYPOINTS, PROTOCOL_NAMES
    from snellen.detection.protocols import PROTOCOLS, SIMILARITIES

    assert list(PROTOCOL_NAMES) == list(PROTOCOLS)
    compared = {name: rules.similarity for name, rules in PROTOCOLS.items()}
    assert compared == dict.fromkeys(PROTOCOLS, "own") | dict.fromkeys(OF_KEYPOINTS, "keypoints")
    (evaluate,) = [command for path, command in commands() if path.endswith("evaluate detection")]
    (option,) = [option for option in evaluate.params if option.name == "similarity"]
    assert isinstance(option.type, click.Choice)
    assert ["own", *option.type.choices] == list(SIMILARITIES)


@pytest.mark.parametrize("name", ["evaluate detection", "check", "convert", "explain", "diagnose"])
def test_box_layouts_of_the_command_line(name: str) -> None:
    from snellen.detection.box_layouts import LAYOUTS

    (command,) = [command for path, command in commands() if path == f"snellen {name}"]
    (option,) = [option for option in command.params if option.name == "box"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(LAYOUTS)


def test_segmentation_protocol_names_of_the_command_line() -> None:
    from snellen.segmentation.protocols import PROTOCOLS

    (evaluate,) = [
        command for path, command in commands() if path.endswith("evaluate segmentation")
    ]
    (option,) = [option for option in evaluate.params if option.name == "protocol"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(PROTOCOLS)


def test_panoptic_protocol_names_of_the_command_line() -> None:
    from snellen.segmentation.panoptic_rules import PROTOCOLS

    (evaluate,) = [command for path, command in commands() if path.endswith("evaluate panoptic")]
    (option,) = [option for option in evaluate.params if option.name == "protocol"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(PROTOCOLS)


def test_names_of_tracking_of_the_command_line() -> None:
    from snellen.cli import evaluate_tracking
    from snellen.readers.tracking_formats import FORMATS
    from snellen.tracking.families import FAMILIES
    from snellen.tracking.protocols import PROTOCOLS, SIMILARITIES
    from snellen.tracking.track_map_protocols import TRACK_MAP_PROTOCOLS

    (evaluate,) = [command for path, command in commands() if path.endswith("evaluate tracking")]
    choices = {
        option.name: list(option.type.choices)
        for option in evaluate.params
        if isinstance(option.type, click.Choice)
    }
    assert choices["protocol"] == list(dict.fromkeys([*PROTOCOLS, *TRACK_MAP_PROTOCOLS]))
    assert choices["similarity"] == list(SIMILARITIES)
    assert choices["input_format"] == list(FORMATS)
    assert list(evaluate_tracking._FAMILIES) == list(FAMILIES)
    (metrics,) = [option for option in evaluate.params if option.name == "metrics"]
    assert isinstance(metrics, click.Option)
    assert f"Of {', '.join(FAMILIES)};" in str(metrics.help)


def test_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert snellen.__version__ == version("snellen")


def test_signatures_of_the_extension_are_up_to_date(tmp_path: Path) -> None:
    pytest.importorskip("nanobind")
    made = tmp_path / "_core.pyi"
    subprocess.run(
        [sys.executable, "-m", "nanobind.stubgen", "-q", "-m", "snellen._core", "-o", str(made)],
        check=True,
        timeout=60,
    )
    kept = ROOT / "src/snellen/_core.pyi"
    described = re.compile(r"^build_description: str = .*$", re.MULTILINE)
    assert described.sub("", made.read_text()) == described.sub("", kept.read_text()), (
        "make stubs brings it up to date"
    )


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
