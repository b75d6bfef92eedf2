"""Whatever a description can say is written down, and what is quoted is what is there."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from snellen.training.augmentation.chain import AUGMENTATIONS
from snellen.training.choices import Choice
from snellen.training.data import normalisation
from snellen.training.description import _WORDS, Description
from snellen.training.loop import update
from snellen.training.losses import LOSSES
from snellen.training.network.initialisation import INITIALISATIONS
from snellen.training.network.layer_kinds import LAYERS
from snellen.training.network.named import NETWORKS
from snellen.training.optimizers import OPTIMIZERS
from snellen.training.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guide/training.md").read_text(encoding="utf-8")
KEYS = [field for field in dataclasses.fields(Description) if field.name != "place"]
ROWS = {
    name: default.strip()
    for name, default in re.findall(r"^\| `(\w+)` \|(.*?)\|", GUIDE, re.MULTILINE)
}

# What there is by name, and the page that has it.
NAMES = {
    "reference/layers.md": [*LAYERS, *NETWORKS, *INITIALISATIONS],
    "reference/optimizers.md": [
        *(name for losses in LOSSES.values() for name in losses),
        *OPTIMIZERS,
        *SCHEDULES,
    ],
    "reference/augmentation.md": [*AUGMENTATIONS],
    "guide/training.md": [*normalisation._KINDS],
    "guide/training-data.md": ["fashion-mnist", "digits", ".npz", "shards", "my_module:my_data"],
}


@pytest.mark.parametrize("field", KEYS, ids=lambda field: field.name)
def test_every_key_is_in_the_table_with_its_default(field: dataclasses.Field[object]) -> None:
    assert field.name in ROWS, f"docs/guide/training.md has no row of {field.name}"
    default, written = field.default, ROWS[field.name]
    if isinstance(default, tuple) and len(default) == 1:
        default = default[0]
    if isinstance(default, Choice):
        default = default.plain()
    if default is dataclasses.MISSING:
        assert written == ""
    elif default is None or default == ():
        assert written == ("as torch has it" if field.name == "threads" else "none")
    elif isinstance(default, bool):
        assert written == f"`{str(default).lower()}`"
    else:
        assert written == (f'`"{default}"`' if isinstance(default, str) else f"`{default}`")


def test_the_table_has_no_other_keys() -> None:
    table = GUIDE[GUIDE.index("## The description") : GUIDE.index("## The loop")]
    written = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert written == {field.name for field in KEYS}


@pytest.mark.parametrize(("key", "words"), _WORDS.items(), ids=str)
def test_every_word_of_a_key_is_in_its_row(key: str, words: tuple[str, ...]) -> None:
    row = next(line for line in GUIDE.splitlines() if line.startswith(f"| `{key}` |"))
    for word in words:
        assert word in row


@pytest.mark.parametrize(("page", "names"), NAMES.items(), ids=list(NAMES))
def test_every_name_is_on_its_page(page: str, names: list[str]) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    missing = [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    assert not missing, f"{page} does not name {', '.join(missing)}"


def test_the_loop_is_quoted_as_it_is() -> None:
    assert f"```python\n{inspect.getsource(update)}```" in GUIDE, (
        "docs/guide/training.md quotes another update() than snellen/training/loop.py has"
    )


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link).exists(), f"{path.name} links {link}"


def test_examples_have_descriptions_that_can_be_read() -> None:
    from snellen.training import read_description

    described = sorted((ROOT / "examples").glob("*.toml"))
    assert described
    for path in described:
        assert read_description(path).place == str(path)
