"""Splits: what they promise, whatever the data."""

from __future__ import annotations

import hashlib
import unicodedata
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.errors import ClassError, DataWarning, IdError, InputError, ShapeError
from snellen.splits.continuous import bin_edges
from snellen.splits.folds import k_fold, leave_one_group_out
from snellen.splits.groups import groups_by_pattern
from snellen.splits.hashing import hash_order, hash_ranks, normalised_keys
from snellen.splits.hold_out import hold_out
from snellen.splits.split import Split
from snellen.splits.strata import Strata
from snellen.threads import set_threads


def keys_of(n: int) -> list[str]:
    return [f"folder/{i:05d}.jpg" for i in range(n)]


def objects(n: int, n_classes: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return counts of objects with a long tail: the first class is in half of the images."""
    random = np.random.default_rng(seed)
    share = np.maximum(0.5 / np.arange(1, n_classes + 1), 8 / max(1, n))
    crowd = random.gamma(1.0, 1.0, (n, 1))
    return random.poisson(share * crowd)


@pytest.fixture(autouse=True)
def _small_classes_are_expected() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


# ---- Keys ---------------------------------------------------------------------------------------


def test_ranks_are_those_of_the_standard_library() -> None:
    texts = ["", "a", "Käse/1.jpg", "x" * 500, *map(str, range(50))]
    for seed in (0, 1, 2**64 - 1):
        expected = [
            int(
                hashlib.blake2b(
                    seed.to_bytes(8, "little") + text.encode(), digest_size=8
                ).hexdigest(),
                16,
            )
            for text in texts
        ]
        assert hash_ranks(texts, seed).tolist() == expected


def test_keys_are_normalised() -> None:
    composed, apart = "caf\u00e9/1.jpg", unicodedata.normalize("NFD", "caf\u00e9\\1.jpg")
    assert normalised_keys([apart]) == [composed]
    assert normalised_keys(["./a/b.jpg", ".\\a\\c.jpg", "a/./d.jpg"]) == [
        "a/b.jpg",
        "a/c.jpg",
        "a/./d.jpg",
    ]
    assert normalised_keys(np.array([3, -1])) == ["3", "-1"]
    assert normalised_keys([np.int64(3), 4, "x", 5.0]) == ["3", "4", "x", "5"]
    assert normalised_keys([]) == []


@pytest.mark.parametrize(
    ("keys", "error", "expected"),
    [
        (["a", ""], InputError, r"empty text - at keys\[1\]"),
        (["a", 0.5], InputError, r"got 0\.5 - at keys\[1\]"),
        (["a", None], InputError, "got None"),
        ([True, False], InputError, "got True"),
        ([["a"], ["b"]], InputError, "one axis"),
        (["a", "b", "a"], IdError, "1 that come again: a"),
        (["a/b", "c", "a\\b"], IdError, "come again: a/b"),
        (["\ud800"], InputError, "UTF-8"),
    ],
)
def test_keys_that_are_none(keys: list[Any], error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected):
        hold_out(keys, "50/50")


def test_equal_ranks_are_ordered_by_key() -> None:
    rank = np.array([5, 1, 5, 5], np.uint64)
    assert hash_order(["c", "x", "a", "b"], rank, "keys").tolist() == [1, 2, 3, 0]
    with pytest.raises(IdError, match="come again: c"):
        hash_order(["c", "x", "c", "b"], rank, "keys")


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_out_of_range(seed: int) -> None:
    with pytest.raises(InputError, match="seed from 0"):
        hold_out(["a", "b"], "50/50", seed=seed)


# ---- What holds for every way of splitting ------------------------------------------------------


def data(kind: str, n: int, seed: int = 0) -> dict[str, Any]:
    """Return the labels and groups of one kind of data."""
    random = np.random.default_rng(seed)
    labels = random.choice(10, n, p=np.arange(10, 0, -1) / 55)
    groups = random.integers(0, max(1, n // 5), n)
    return {
        "plain": {},
        "classes": {"labels": labels},
        "targets": {"targets": random.normal(50, 10, n)},
        "objects": {"labels": objects(n, 12, seed)},
        "groups": {"groups": groups},
        "classes in groups": {"labels": labels, "groups": groups},
        "objects in groups": {"labels": objects(n, 12, seed), "groups": groups},
    }[kind]


KINDS = (
    "plain",
    "classes",
    "targets",
    "objects",
    "groups",
    "classes in groups",
    "objects in groups",
)


def taken(columns: dict[str, Any], rows: Any) -> dict[str, Any]:
    return {name: column[rows] for name, column in columns.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 7, 300, 2000])
def test_the_order_of_the_samples_does_not_matter(kind: str, n: int) -> None:
    keys, columns = keys_of(n), data(kind, n)
    shuffled = np.random.default_rng(1).permutation(n)
    first = hold_out(keys, "60/20/20", seed=3, **columns)
    other = hold_out([keys[i] for i in shuffled], "60/20/20", seed=3, **taken(columns, shuffled))
    assert first.assignment() == other.assignment()
    assert sum(len(first.indices(name)) for name in first.names) == n
    if n >= 10:
        folds = k_fold(keys, 4, repeats=2, seed=3, **columns)
        others = k_fold(
            [keys[i] for i in shuffled], 4, repeats=2, seed=3, **taken(columns, shuffled)
        )
        for one, two in zip(folds.rounds, others.rounds, strict=True):
            assert one.assignment() == two.assignment()
        assert folds.rounds[0].assignment() != folds.rounds[1].assignment()


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_threads_does_not_matter(kind: str) -> None:
    columns = data(kind, 40_000 if kind == "classes" else 2000)
    keys = keys_of(40_000 if kind == "classes" else 2000)
    try:
        set_threads(1)
        alone = hold_out(keys, "60/20/20", **columns).part
        set_threads(3)
        assert np.array_equal(alone, hold_out(keys, "60/20/20", **columns).part)
    finally:
        set_threads(None)


@pytest.mark.parametrize("kind", ["groups", "classes in groups", "objects in groups"])
@pytest.mark.parametrize("n", [3, 40, 2000])
def test_groups_are_never_cut(kind: str, n: int) -> None:
    columns = data(kind, n)
    split = hold_out(keys_of(n), "60/20/20", **columns)
    pairs = set(zip(columns["groups"].tolist(), split.part.tolist(), strict=True))
    assert len(pairs) == len(np.unique(columns["groups"]))


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_as_large_as_asked(kind: str) -> None:
    n = 2000
    split = hold_out(keys_of(n), "60/20/20", **data(kind, n))
    assert np.abs(split.sizes() - [1200, 400, 400]).max() <= 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ratios", ["80/20", "60/20/20"])
def test_a_sample_more_moves_few_others(kind: str, ratios: str) -> None:
    """At least 99 % of the test part stays, on average; where classes are simple, always.

    20 samples are added, one at a time, to 5,000. Objects in groups of five are the exception:
    24 counts (presence and objects of 12 classes) and 1,000 groups leave less room.
    """
    n = 5000
    keys, columns = keys_of(n + 20), data(kind, n + 20)
    before = set()
    stayed = []
    for size in range(n, n + 21):
        rows = np.arange(size)
        split = hold_out(keys[:size], ratios, **taken(columns, rows))
        test = {split.keys[i] for i in split.indices("test")}
        if before:
            stayed.append(len(before & test) / len(before))
        before = test
    assert np.mean(stayed) >= (0.97 if kind == "objects in groups" else 0.99)
    if kind in ("plain", "classes", "targets"):
        assert min(stayed) >= 0.99
    assert min(stayed) >= 0.9


def test_another_seed_is_another_split() -> None:
    # Two independent test parts of 20 % share 20 % of their samples, 80 ± 8 of 400.
    keys = keys_of(2000)
    one, two = (set(hold_out(keys, "80/20", seed=seed).indices("test")) for seed in (0, 1))
    assert 40 < len(one & two) < 120


def test_a_split_stays_as_it_was() -> None:
    """Worked out with hashlib: the highest tenth of the hashes is the test part."""
    keys = keys_of(100)
    rank = {key: hashlib.blake2b(bytes(8) + key.encode(), digest_size=8).digest() for key in keys}
    last = sorted(keys, key=rank.__getitem__)[-10:]
    split = hold_out(keys, "90/10")
    assert sorted(last) == [split.keys[i] for i in split.indices("test")]


# ---- Classes ------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=60),
    st.sampled_from(["60/20/20", "80/20", "25/25/25/25"]),
    st.integers(0, 5),
)
def test_every_class_is_spread(labels: list[int], ratios: str, seed: int) -> None:
    split = hold_out(range(len(labels)), ratios, labels=labels, seed=seed)
    counts = split.class_counts()
    assert counts.sum() == len(labels)
    n_parts = len(split.names)
    for name, column in zip(split.classes, counts.T, strict=True):
        size = labels.count(int(name))
        assert column.sum() == size
        if size == 1:
            assert column[0] == 1
        elif size == 2:
            assert column[0] == column[-1] == 1
        elif size >= n_parts:
            assert column.min() >= 1


def test_small_classes_warn_or_are_refused() -> None:
    labels = ["a"] * 10 + ["b"] * 2 + ["c"]
    with pytest.warns(DataWarning, match=r"2 of 3 classes have fewer samples .* b \(2\), c \(1\)"):
        hold_out(range(13), "60/20/20", labels=labels)
    with pytest.raises(ClassError, match="--strict"):
        hold_out(range(13), "60/20/20", labels=labels, strict=True)
    with pytest.warns(DataWarning, match=r"folds \(5\)"):
        k_fold(range(13), 5, labels=labels)
    with pytest.raises(ClassError, match=r"b \(2\), c \(1\)"):
        k_fold(range(13), 5, labels=labels, strict=True)
    with pytest.raises(ClassError, match="fewer groups"):
        hold_out(range(12), "50/50", labels=labels[:12], groups=[*range(10), 11, 11], strict=True)


def test_labels_of_every_form_mean_the_same() -> None:
    names = ["b", "a", "c", "a", "b", "a"] * 10
    codes = [{"a": 0, "b": 1, "c": 2}[name] for name in names]
    keys = keys_of(60)
    one = hold_out(keys, "60/20/20", labels=names)
    assert one.classes == ("a", "b", "c")
    assert one.class_counts().sum(1).tolist() == [36, 12, 12]
    indicator = np.eye(3, dtype=np.int64)[codes]
    lists = [[name] for name in names]
    several = hold_out(keys, "60/20/20", labels=lists)
    matrix = hold_out(keys, "60/20/20", labels=indicator, classes=["a", "b", "c"])
    assert several.assignment() == matrix.assignment()
    assert np.array_equal(several.class_counts(), matrix.class_counts())
    twice = hold_out(keys, "60/20/20", labels=[[name, name] for name in names])
    assert np.array_equal(twice.class_counts(objects=True), 2 * twice.class_counts())


@pytest.mark.parametrize("kind", [int, bool, float, np.uint8])
@pytest.mark.parametrize("row", [list, tuple])
def test_lists_of_0_and_1_are_an_indicator_matrix(kind: Any, row: Any) -> None:
    matrix = np.random.default_rng(0).integers(0, 2, (40, 3))
    lists = [row(map(kind, each)) for each in matrix.tolist()]
    names = ["a", "b", "c"]
    for classes in (None, names):
        one = hold_out(keys_of(40), "60/20/20", labels=matrix, classes=classes)
        other = hold_out(keys_of(40), "60/20/20", labels=lists, classes=classes)
        assert other.classes == one.classes == tuple(classes or "012")
        assert np.array_equal(other.class_counts(objects=True), one.class_counts(objects=True))
        assert other.assignment() == one.assignment()


@pytest.mark.parametrize(
    ("labels", "classes", "objects"),
    [
        # Lists of classes, one an object: of other numbers, other lengths, one each, texts, sets.
        ([[3, 7], [2, 5]], None, {"2": 1, "3": 1, "5": 1, "7": 1}),
        ([[0, 1], [0, 2]], None, {"0": 2, "1": 1, "2": 1}),
        ([[1, 0], [1]], None, {"0": 1, "1": 2}),
        ([[1], [0]], None, {"0": 1, "1": 1}),
        ([[1, 1], []], None, {"1": 2}),
        ([["0", "1"], ["1", "0"]], None, {"0": 2, "1": 2}),
        ([{0, 1}, {0, 1}], None, {"0": 2, "1": 2}),
        ([[], []], None, {}),
        # Rows of a matrix.
        ([[1, 0], [1, 0]], None, {"0": 2, "1": 0}),
        ([[True], [False]], None, {"0": 1}),
        ([[1], [0]], ["cat"], {"cat": 1}),
        ([[2, 0], [0, 3]], ["cat", "dog"], {"cat": 2, "dog": 3}),
        ([["a", "b"], ["b", "b"]], ["cat", "dog"], {"a": 1, "b": 3}),
    ],
)
def test_what_lists_of_labels_mean(
    labels: Any, classes: list[str] | None, objects: dict[str, int]
) -> None:
    split = hold_out(["a", "b"], "50/50", labels=labels, classes=classes)
    counts = split.class_counts(objects=True).sum(0).tolist()
    assert dict(zip(split.classes, counts, strict=True)) == objects


def test_classes_of_a_matrix_in_any_order() -> None:
    matrix = objects(200, 4)
    one = hold_out(keys_of(200), "80/20", labels=matrix, classes=["d", "b", "a", "c"])
    other = hold_out(keys_of(200), "80/20", labels=matrix[:, [2, 1, 3, 0]], classes=list("abcd"))
    assert one.classes == other.classes == ("a", "b", "c", "d")
    assert np.array_equal(one.class_counts(), other.class_counts())
    assert one.assignment() == other.assignment()


@pytest.mark.parametrize(
    ("columns", "error", "expected"),
    [
        ({"labels": [1, 2]}, ShapeError, "each of 3 keys, got 2"),
        ({"labels": [1, 2, 0.5]}, InputError, r"labels\[2\]"),
        ({"labels": np.array([[1], [-1], [0]])}, InputError, "got -1"),
        ({"labels": np.array([[1], [0.5], [0]])}, InputError, "whole numbers"),
        ({"labels": np.array([[1], [np.inf], [0]])}, InputError, "whole numbers"),
        ({"labels": [[1], [0.5], [0]], "classes": ["a"]}, InputError, "whole numbers"),
        ({"labels": [[1, 0], [0, 1]]}, ShapeError, "each of 3 keys, got 2"),
        ({"labels": np.eye(3), "classes": ["a", "b"]}, ShapeError, "3 different class names"),
        ({"labels": np.eye(3), "classes": ["a", "a", "b"]}, ShapeError, "class names"),
        ({"labels": [1, 2, 3], "targets": [1, 2, 3]}, InputError, "got both"),
        ({"targets": [1, 2]}, ShapeError, "got 2"),
        ({"targets": [1, 2, np.nan]}, InputError, "nan"),
        ({"targets": [1, 2, 3], "bins": 1}, InputError, "2 bins"),
        ({"groups": [1, 2]}, ShapeError, "got 2"),
        ({"groups": ["a", "", "b"]}, InputError, r"groups\[1\]"),
    ],
)
def test_columns_that_do_not_fit(
    columns: dict[str, Any], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        hold_out(["a", "b", "c"], "50/50", **columns)


# ---- Objects ------------------------------------------------------------------------------------


def test_presence_and_objects_are_spread() -> None:
    n = 3000
    matrix = objects(n, 20)
    split = hold_out(keys_of(n), "60/20/20", labels=matrix)
    asked = np.array(split.ratios.shares)[:, None]
    presence = split.class_counts()
    assert np.abs(presence - asked * (matrix > 0).sum(0)).max() < 3
    counted = split.class_counts(objects=True)
    assert counted.sum(0).tolist() == matrix.sum(0).tolist()
    # Chance would leave them off by sqrt(Σ count² r (1 - r)): four times as much, at least.
    chance = np.sqrt((matrix**2).sum(0) * 0.16)
    assert np.mean(np.abs(counted - asked * matrix.sum(0)) / chance) < 0.25


def test_rare_classes_of_objects_follow_the_rule_of_small_classes() -> None:
    n = 1000
    matrix = objects(n, 3)
    rare = np.zeros((n, 3), np.int64)
    rare[5, 0] = 1
    rare[[7, 8], 1] = 1
    rare[[20, 21, 22], 2] = 1
    split = hold_out(keys_of(n), "60/20/20", labels=np.hstack([matrix, rare]))
    counts = split.class_counts()[:, 3:]
    assert counts.T.tolist() == [[1, 0, 0], [1, 0, 1], [1, 1, 1]]


def test_samples_without_objects() -> None:
    split = hold_out(keys_of(100), "60/20/20", labels=np.zeros((100, 3), np.int64))
    assert split.sizes().tolist() == [60, 20, 20]
    half = np.zeros((100, 1), np.int64)
    half[:50] = 2
    split = hold_out(keys_of(100), "60/20/20", labels=half)
    assert split.class_counts().tolist() == [[30], [10], [10]]
    assert split.sizes().tolist() == [60, 20, 20]


# ---- Groups -------------------------------------------------------------------------------------


def test_few_groups_leave_no_part_empty() -> None:
    for seed in range(10):
        split = hold_out(range(30), "60/20/20", groups=[i // 10 for i in range(30)], seed=seed)
        assert split.sizes().tolist() == [10, 10, 10]
        split = hold_out(range(2), "60/20/20", groups=["a", "a"], seed=seed)
        assert sorted(split.sizes().tolist()) == [0, 0, 2]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.sets(st.integers(0, 3))), min_size=2, max_size=40),
    st.booleans(),
)
def test_no_fold_is_empty(samples: list[tuple[int, set[int]]], grouped: bool) -> None:
    labels = [sorted(held) for _, held in samples]
    groups = [group for group, _ in samples] if grouped else None
    n_units = len(set(groups)) if groups else len(samples)
    for n_folds in range(2, n_units + 1):
        folds = k_fold(range(len(samples)), n_folds, labels=labels, groups=groups)
        assert folds.rounds[0].sizes().min() >= 1


def test_groups_of_one_class_in_two_groups() -> None:
    labels = ["a"] * 20 + ["b"] * 5
    groups = [*range(20), 20, 20, 20, 21, 21]
    split = hold_out(range(25), "60/20/20", labels=labels, groups=groups)
    # Two groups: the larger one to the first part, the smaller one to the last.
    assert split.class_counts()[:, 1].tolist() == [3, 0, 2]


def test_groups_by_a_pattern() -> None:
    keys = ["p1_a", "p1_b", "p2_a", "alone"]
    assert groups_by_pattern(keys, r"^(p\d)_") == (["p1", "p1", "p2", "alone"], 1)
    assert groups_by_pattern(keys, r"^p\d") == (["p1", "p1", "p2", "alone"], 1)
    with pytest.raises(InputError, match="found in none"):
        groups_by_pattern(keys, "^q")
    with pytest.raises(InputError, match="regular expression"):
        groups_by_pattern(keys, "(")


def test_leave_one_group_out() -> None:
    folds = leave_one_group_out(range(6), [10, 9, 10, 2, 2, 2])
    assert folds.rounds[0].names == ("2", "9", "10")
    assert [test.tolist() for _, test in folds] == [[3, 4, 5], [1], [0, 2]]
    assert [train.tolist() for train, _ in folds] == [[0, 1, 2], [0, 2, 3, 4, 5], [1, 3, 4, 5]]
    with pytest.raises(InputError, match="2 to"):
        leave_one_group_out(range(3), ["a"] * 3)
    with pytest.raises(IdError):
        leave_one_group_out(["a", "a"], [0, 1])


# ---- Folds --------------------------------------------------------------------------------------


def test_folds() -> None:
    folds = k_fold(range(23), 5, labels=[0, 1, 2, 3] * 5 + [0, 0, 1])
    assert len(folds) == 5
    assert sorted(i for _, test in folds for i in test) == list(range(23))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(23))
    counts = folds.rounds[0].class_counts()
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(1)) <= 1


@pytest.mark.parametrize("n_folds", [1, 0, 6])
def test_number_of_folds(n_folds: int) -> None:
    with pytest.raises(InputError, match="from 2 folds to as many as there are samples"):
        k_fold(range(5), n_folds)


def test_more_folds_than_groups() -> None:
    with pytest.raises(InputError, match=r"groups \(2\), got 3"):
        k_fold(range(6), 3, groups=[0, 0, 0, 1, 1, 1])


# ---- Numbers as targets -------------------------------------------------------------------------


def test_bins_have_round_edges() -> None:
    values = np.random.default_rng(0).normal(50, 10, 10_000)
    edges = bin_edges(values, 4)
    # Quartiles of this normal distribution: 43.3, 50, 56.7; a tenth of a bin is about 0.8.
    assert edges.tolist() == [43.0, 50.0, 57.0]
    assert bin_edges(np.array([1.0, 1.0, 1.0]), 4).tolist() == []
    assert bin_edges(np.array([0.0] * 5 + [1.0] * 5), 2).tolist() == [1.0]
    assert bin_edges(np.array([]), 4).tolist() == []
    # Farther apart than any number is large; of as few digits as 0 is none.
    assert bin_edges(np.array([-1.7e308, 1.7e308]), 2).tolist() == [0.0]
    # Six zeros of ten: a bin of their own, and the rest.
    assert bin_edges(np.array([0.0] * 6 + [1.0, 2.0, 3.0, 4.0]), 2).tolist() == [1.0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50, unique=True), st.integers(2, 8))
def test_bins_hold_about_equally_many(values: list[float], n_bins: int) -> None:
    edges = bin_edges(np.array(values), n_bins)
    sizes = np.bincount(np.searchsorted(edges, values, side="right"))
    assert sizes.min() >= 1
    assert len(edges) <= n_bins - 1
    # Each edge is at most a tenth of a bin off, and rounding takes one value more at either end.
    if len(edges) == n_bins - 1:
        assert sizes.max() <= len(values) / n_bins * 1.2 + 2


def test_targets_are_spread() -> None:
    values = np.random.default_rng(0).normal(50, 10, 1000)
    split = hold_out(keys_of(1000), "80/20", targets=values)
    assert split.sizes().tolist() == [800, 200]
    train, test = (values[split.indices(name)] for name in ("train", "test"))
    # By chance the means differ by 0.8 (one standard deviation), in ten bins by a third of it.
    assert abs(train.mean() - test.mean()) < 0.4


# ---- Frozen parts -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_part_takes_nothing_new(kind: str) -> None:
    n = 600
    columns = data(kind, n)
    rows = np.arange(500)
    if "groups" in columns:  # new samples are of new groups
        columns["groups"][500:] += 10_000
    keys = keys_of(n)
    old = hold_out(keys[:500], "60/20/20", **taken(columns, rows))
    frozen = {old.keys[i]: "test" for i in old.indices("test")}
    new = hold_out(keys, "60/20/20", frozen=frozen, **columns)
    assert {new.keys[i] for i in new.indices("test")} == set(frozen)
    ratio = len(new.indices("train")) / (n - len(frozen))
    assert abs(ratio - 0.75) < 0.01
    assert new.method["frozen"] == ["test"]
    again = hold_out(keys[:500], "60/20/20", frozen=frozen, **taken(columns, rows))
    assert np.mean(again.part == old.part) > 0.9


def test_frozen_parts_and_groups() -> None:
    old = {"a": "test"}
    with pytest.raises(IdError, match="of frozen ones: b"):
        hold_out(["a", "b", "c"], "50/50", groups=[1, 1, 2], frozen=old)
    with pytest.raises(InputError, match='Did you mean "test"'):
        hold_out(["a", "b"], "50/50", frozen={"a": "tset"})
    with pytest.raises(InputError, match="all are frozen"):
        hold_out(["a", "b"], "50/50", frozen={"a": "test", "b": "train"})


# ---- What a split says about itself -------------------------------------------------------------


def split_by_hand() -> Split:
    """Return 10 samples, 6 of class a and 4 of b: 3 + 2 in one half, 3 + 2 in the other."""
    return hold_out(range(10), "50/50", labels=list("aaaaaabbbb"), names=["one", "two"])


def test_deviation_and_divergence() -> None:
    split = split_by_hand()
    assert split.class_counts().tolist() == [[3, 2], [3, 2]]
    assert split.deviation().tolist() == [0.0, 0.0]
    assert split.chi_square() == (0.0, 1)
    assert split.js_divergence() == 0.0
    apart = Split(
        split.samples,
        np.array([0] * 6 + [1] * 4, np.int32),
        split.names,
        split.ratios,
        split.method,
    )
    # a: 6 and 0 instead of 3 and 3, b: 0 and 4 instead of 2 and 2.
    assert apart.deviation().tolist() == [0.5, 0.5]
    assert apart.chi_square() == (9 / 3 * 2 + 4 / 2 * 2, 1)
    assert apart.js_divergence() == 1.0  # nothing in common: one bit
    assert apart.size_deviation() == pytest.approx(0.1)


def test_text_and_plain_values() -> None:
    split = split_by_hand()
    text = str(split)
    assert "one         5  50.00 %   50 %" in text
    assert "classes are off by 0.00 % at most" in text
    value = split.to_dict()
    assert value["parts"] == [
        {"name": "one", "asked": 0.5, "got": 0.5, "n": 5},
        {"name": "two", "asked": 0.5, "got": 0.5, "n": 5},
    ]
    assert value["classes"] == {"a": [3, 3], "b": [2, 2]}
    assert repr(split) == "Split(one=5, two=5)"
    with pytest.raises(InputError, match='Did you mean "one"'):
        split.indices("onee")
    many = hold_out(range(100), "50/50", labels=[i % 20 for i in range(100)])
    assert "… 10 more classes" in str(many)


def test_no_samples() -> None:
    for kind in KINDS:
        split = hold_out([], "60/20/20", **data(kind, 0))
        assert split.sizes().tolist() == [0, 0, 0]
        assert str(split)
        assert split.to_dict()["n"] == 0


def test_a_class_without_samples() -> None:
    strata = Strata.of_codes(["a", "b"], np.zeros(10, np.int32))
    split = hold_out(range(10), "50/50", labels=strata)
    assert split.class_counts().tolist() == [[5, 0], [5, 0]]
    assert np.isnan(split.deviation()).tolist() == [False, True]
    assert "b" not in str(split).split("class")[1].split()
