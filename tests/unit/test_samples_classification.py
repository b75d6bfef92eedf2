from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import confusion_matrix
from snellen.errors import InputError
from snellen.samples.classification import ClassificationSample, make_classification_sample

CLASSES = ["cross", "diamond", "disc", "ring", "square", "triangle"]


def rows(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text(encoding="ascii").splitlines()]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def scores_of(path: Path) -> dict[str, list[float]]:
    return {name: [float(score) for score in scores] for name, *scores in rows(path)[1:]}


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> ClassificationSample:
    return make_classification_sample(tmp_path_factory.mktemp("default"))


def test_the_same_bytes_everywhere(default: ClassificationSample) -> None:
    # Found once; they change only where the sample is changed on purpose.
    assert default.images is not None
    tables = (default.truth, *default.predictions)
    assert [digest(path)[:16] for path in tables] == TABLES
    pictures = hashlib.sha256()
    for name, *_ in rows(default.truth)[1:]:
        pictures.update((default.images / name).read_bytes())
    assert pictures.hexdigest()[:16] == PICTURES


TABLES = ["3542b8ce8d694629", "07fffa92ae8c66c7", "6d26241b735e00ec"]
PICTURES = "a9d4f2b247ec6689"


def test_what_it_holds(default: ClassificationSample) -> None:
    truth = rows(default.truth)
    assert truth[0] == ["id", "label", "group"]
    assert len(truth) == 601
    assert default.n_images == 600
    assert default.n_scenes == len({group for _, _, group in truth[1:]}) <= 120
    assert all(name.split("/")[0] == label for name, label, _ in truth[1:])
    counts = Counter(label for _, label, _ in truth[1:])
    assert sorted(counts) == CLASSES
    assert max(counts.values()) > 3 * min(counts.values())
    orders = []
    for path in default.predictions:
        table = rows(path)
        assert table[0] == ["id", *CLASSES]
        orders.append([row[0] for row in table[1:]])
        assert sorted(orders[-1]) == sorted(row[0] for row in truth[1:])
        # Six digits each: their sum is one but for the rounding of decimals to binary.
        sums = np.array(list(scores_of(path).values())).sum(axis=1)
        assert np.abs(sums - 1).max() < 1e-15 * 8
    assert orders[0] != orders[1] != [row[0] for row in truth[1:]]


def test_b_is_a_bit_better_and_both_find_the_same_hard(default: ClassificationSample) -> None:
    truth = rows(default.truth)[1:]
    right = []
    for path in default.predictions:
        scores = scores_of(path)
        label = [CLASSES.index(label) for _, label, _ in truth]
        found = np.array([scores[name] for name, _, _ in truth])
        right.append(found.argmax(axis=1) == label)
        assert confusion_matrix(label, found).undefined == ()
    a, b = right
    assert 0.75 < a.mean() < b.mean() < 0.95
    assert b.mean() - a.mean() < 0.08
    # Errors in common: more than two networks would have that know nothing of each other.
    assert (~a & ~b).mean() > 1.3 * (~a).mean() * (~b).mean()


def test_copies(default: ClassificationSample) -> None:
    assert default.images is not None
    truth = {name: (label, group) for name, label, group in rows(default.truth)[1:]}
    by_content: dict[str, list[str]] = {}
    for name in truth:
        by_content.setdefault(digest(default.images / name), []).append(name)
    twins = [names for names in by_content.values() if len(names) > 1]
    assert len(twins) == 10  # one in sixty
    tables = [scores_of(path) for path in default.predictions]
    for one, other in twins:
        assert truth[one][0] == truth[other][0]
        assert truth[one][1] != truth[other][1]
        assert all(table[one] == table[other] for table in tables)


def test_near_copies(default: ClassificationSample) -> None:
    assert default.images is not None
    names = [name for name, _, _ in rows(default.truth)[1:]]
    pictures = [
        np.asarray(Image.open(default.images / name).convert("RGB"), np.int64) for name in names
    ]
    assert {picture.shape for picture in pictures} == {(64, 64, 3)}
    for i in (15, 45, 75):
        # One pixel to the right, lighter by 4; of one of the fourteen before it.
        same = [
            j
            for j in range(i - 14, i)
            if np.array_equal(pictures[j][:, :-1] + 4, pictures[i][:, 1:])
        ]
        assert len(same) == 1


@pytest.mark.parametrize(("n_images", "n_scenes"), [(0, 0), (1, 1), (40, 1), (16, 500)])
def test_edges(tmp_path: Path, n_images: int, n_scenes: int) -> None:
    made = make_classification_sample(tmp_path / "new", n_images=n_images, n_scenes=n_scenes)
    assert [len(rows(path)) for path in (made.truth, *made.predictions)] == [n_images + 1] * 3
    assert made.images is not None
    assert len(list(made.images.glob("*/*.png"))) == n_images


def test_tables_do_not_depend_on_pictures(tmp_path: Path) -> None:
    small: dict[str, Any] = {"n_images": 40, "n_scenes": 9}
    made = make_classification_sample(tmp_path / "drawn", **small)
    plain = make_classification_sample(tmp_path / "plain", **small, draw_images=False)
    other = make_classification_sample(tmp_path / "other", **small, draw_images=False, seed=1)
    assert plain.images is None
    assert not (tmp_path / "plain" / "images").exists()
    assert digest(made.truth) == digest(plain.truth) != digest(other.truth)
    for one, same, different in zip(
        made.predictions, plain.predictions, other.predictions, strict=True
    ):
        assert digest(one) == digest(same) != digest(different)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_images": -1}, "expected at least 0, got -1 - at n_images"),
        ({"n_scenes": 2.5}, "expected a whole number, got 2.5 - at n_scenes"),
        ({"seed": -4}, "expected at least 0, got -4 - at seed"),
        ({"n_scenes": 0}, "expected at least 1 scene for 600 images, got 0 - at n_scenes"),
    ],
)
def test_bad_arguments(tmp_path: Path, numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make_classification_sample(tmp_path / "never", **numbers)
    assert str(caught.value) == message
    assert not (tmp_path / "never").exists()
