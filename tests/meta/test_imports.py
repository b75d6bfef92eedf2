"""What may be imported, by whom, and at what price."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import snellen

HEAVY = (
    "torch",
    "pandas",
    "matplotlib",
    "plotly",
    "scipy",
    "sklearn",
    "ray",
    "PIL",
    "pyarrow",
    "nibabel",
)
# Each layer may import those above it (and its own); the last ones stand at the edge.
LAYERS = (
    ("snellen._core",),
    ("snellen.errors", "snellen.mapped_file"),
    (
        "snellen.state",
        "snellen.image_ids",
        "snellen.parameters",
        "snellen.arrays",
        "snellen.atomic_files",
        "snellen.digests",
        "snellen.threads",
    ),
    (
        "snellen.metric",
        "snellen.result",
        "snellen.stored_results",
        "snellen.displays",
        "snellen.classes",
        "snellen.table_text",
        "snellen.mask_forms",
        "snellen.name_order",
        "snellen.presented",
        "snellen.rle_masks",
    ),
    (
        "snellen.detection",
        "snellen.classification",
        "snellen.regression",
        "snellen.segmentation",
        "snellen.tracking",
    ),
    ("snellen.readers", "snellen.samples"),
    ("snellen.writers",),
    ("snellen.splits", "snellen.statistics"),
    ("snellen.run",),
    ("snellen.report",),
    ("snellen.testing",),
    ("snellen.compat", "snellen.training", "snellen.benchmark", "snellen.loggers"),
    ("snellen.cli", "snellen.__main__"),
)
PACKAGE = Path(snellen.__file__).parent
MODULES = sorted(
    ".".join(("snellen", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for path in PACKAGE.rglob("*.py")
)


def modules_after(statement: str) -> set[str]:
    """Return the top-level names that a fresh interpreter has imported after a statement."""
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def layer(module: str) -> int:
    for number, names in enumerate(LAYERS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return number
    raise AssertionError(f"{module} has no place in LAYERS: give it one")


def imported_modules(module: str) -> set[str]:
    """Return the modules of Snellen that a module's source imports, also for types or lazily."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in MODULES else node.module for name in names}
            if node.module == "snellen" and any(name.name == "_core" for name in node.names):
                found = found - {"snellen"} | {"snellen._core"}
    return {name for name in found if name.startswith("snellen")}


def test_import_snellen_imports_nothing_heavy() -> None:
    loaded = modules_after("import snellen")
    assert not loaded.intersection(HEAVY)
    assert "numpy" not in loaded
    assert "click" not in loaded


@pytest.mark.parametrize(
    "package", ["snellen.training.callbacks", "snellen.loggers", "snellen.benchmark"]
)
def test_by_a_short_import(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {package}; print('torch' in sys.modules)"],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stdout == "False\n"
    module = importlib.import_module(package)
    assert {*module.__all__} == {*module._HOME} == {*dir(module)}
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match=f"module {package} has no attribute Sleep"):
        _ = module.Sleep


def test_the_api_imports_no_framework() -> None:
    loaded = modules_after("from snellen import *")
    assert "numpy" in loaded
    assert not loaded.intersection(HEAVY)
    assert not loaded.intersection({"click", "rich", "hypothesis"})


@pytest.mark.parametrize(
    "module",
    [
        "snellen.cli.root",
        "snellen.readers.coco_file",
        "snellen.readers.background",
        "snellen.readers.detection_formats",
        "snellen.readers.track_text_ahead",
    ],
)
def test_what_runs_before_numpy_needs_no_numpy(module: str) -> None:
    loaded = modules_after(f"import {module}")
    assert not loaded.intersection({"numpy", "rich", "msgspec", *HEAVY})


@pytest.mark.parametrize("module", [name for name in MODULES if name != "snellen"])
def test_direction_of_dependence(module: str) -> None:
    for imported in imported_modules(module):
        if imported == "snellen":  # the version
            continue
        assert layer(imported) <= layer(module), f"{module} imports {imported}"


def test_the_direction_test_sees_imports() -> None:
    assert "snellen.state" in imported_modules("snellen.detection.average_precision")
    assert "snellen._core" in imported_modules("snellen.detection.average_precision")
    assert "snellen.readers.coco" in imported_modules("snellen.cli.detection_input")
    assert layer("snellen.cli.evaluate") > layer("snellen.readers.coco")
