"""Arrays, datasets, loaders, generators and functions as the data of a training; folds."""

import random
import sys
import types

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from snellen.errors import ClassError, InputError, SchemaError, ShapeError
from snellen.training.callbacks.stop_after import StopAfter
from snellen.training.choices import Choice
from snellen.training.data.iterable import IterablePart
from snellen.training.data.parts import Order
from snellen.training.data.resident import ResidentPart
from snellen.training.data.source import open_data
from snellen.training.data.streamed import StreamedPart
from snellen.training.description import Every, read_description
from snellen.training.engine import Engine
from snellen.training.preparation import prepare
from snellen.training.training import train

RANDOM = np.random.default_rng(5)
IMAGES = RANDOM.integers(0, 256, (20, 4, 4), dtype=np.uint8)
LABELS = np.arange(20) % 2


class Squares(Dataset):
    """Samples that say what they are."""

    def __len__(self):
        return 12

    def __getitem__(self, row):
        return torch.full((1, 2, 2), row / 10), row % 3


class Flow(IterableDataset):
    def __iter__(self):
        return iter((torch.full((2,), float(row)), row % 2) for row in range(9))


def test_arrays_of_one_part_get_a_validation_part():
    data = open_data({"train": (IMAGES, LABELS)})
    assert (data.train.n, data.validation.n, data.test) == (18, 2, None)
    assert isinstance(data.train, ResidentPart)
    names = [*data.train.ids, *data.validation.ids]
    assert sorted(names) == sorted(f"train/{row}" for row in range(20))
    # Another share moves few samples, and folds do not depend on it at all.
    other = open_data({"train": (IMAGES, LABELS), "hold_out": 5})
    assert set(data.validation.ids) <= set(other.validation.ids)
    assert set(data.fold(1, 4).validation.ids) == set(other.fold(1, 4).validation.ids)
    assert data.train.input_shape == (1, 4, 4)
    assert data.train.inputs.dtype == torch.uint8
    assert (data.task, data.n_outputs, data.classes.names) == ("classification", 2, ("0", "1"))
    assert open_data((IMAGES, LABELS)).fingerprint() == data.fingerprint()


def test_parts_that_are_given_are_taken():
    data = open_data(
        {
            "train": (IMAGES, LABELS),
            "validation": (IMAGES[:4], LABELS[:4]),
            "test": (IMAGES[:2], LABELS[:2]),
            "classes": ["even", "odd"],
        }
    )
    assert [(n, p.n) for n, p in data.parts()] == [("train", 20), ("validation", 4), ("test", 2)]
    assert data.classes.names == ("even", "odd")
    # As Keras' data sets come.
    data = open_data(((IMAGES, LABELS), (IMAGES[:3], LABELS[:3])))
    assert (data.train.n, data.test.n) == (18, 3)


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((5, 3, 8, 8), "auto", (3, 8, 8)),
        ((5, 8, 9, 3), "auto", (3, 8, 9)),
        ((5, 8, 8), "auto", (1, 8, 8)),
        ((5, 7), "auto", (7,)),
        ((5,), "auto", (1,)),
        ((5, 3, 8, 3), "channels_first", (3, 8, 3)),
        ((5, 3, 8, 3), "channels_last", (3, 3, 8)),
    ],
)
def test_shapes_of_inputs(tmp_path, shape, layout, expected):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros(shape), y=np.arange(5) % 2)
    data = open_data(Choice(str(path), {"layout": layout, "validation": 0}))
    assert data.train.input_shape == expected
    assert data.train.inputs.dtype == torch.float32


def test_channels_last_are_moved_not_mixed():
    images = np.arange(2 * 5 * 6 * 3, dtype=np.uint8).reshape(2, 5, 6, 3)
    data = open_data({"train": (images, [0, 1]), "hold_out": 0})
    assert data.train.inputs[1, 2, 3, 4] == images[1, 3, 4, 2]


@pytest.mark.parametrize(
    ("targets", "task", "expected", "found"),
    [
        (np.array([0, 2, 1]), "auto", [0, 2, 1], "classification"),
        (np.array([[0], [2], [1]]), "auto", [0, 2, 1], "classification"),
        (np.array([True, False, True]), "auto", [1, 0, 1], "classification"),
        (np.array(["b", "a", "b"]), "auto", [1, 0, 1], "classification"),
        (np.array([0.0, 2.0, 1.0]), "classification", [0, 2, 1], "classification"),
        (np.array([[0, 1], [1, 0], [0, 1]]), "auto", [1, 0, 1], "classification"),
        (np.array([0.5, 2.0, 1.0]), "auto", [[0.5], [2.0], [1.0]], "regression"),
        (np.array([0, 2, 1]), "regression", [[0.0], [2.0], [1.0]], "regression"),
        (
            np.array([[0.5, 0.5], [1, 0], [0, 1]]),
            "classification",
            [[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]],
            "classification",
        ),
        (np.array([[0.5, 3], [1, 0], [0, 1]]), "auto", [[0.5, 3], [1, 0], [0, 1]], "regression"),
    ],
)
def test_kinds_of_targets(targets, task, expected, found):
    data = open_data({"train": (np.zeros((3, 2)), targets), "hold_out": 0}, task=task)
    assert data.task == found
    assert data.train.targets.tolist() == expected
    wide = data.train.targets.ndim == 2
    assert data.train.targets.dtype == (torch.float32 if wide else torch.int64)


def test_label_maps():
    maps = np.zeros((3, 4, 4), np.int32)
    maps[1, 2, 3] = 1
    maps[0, 0, 0] = 255
    data = open_data({"train": (IMAGES[:3], maps), "classes": ["a", "b"], "hold_out": 0})
    assert (data.task, data.n_outputs) == ("segmentation", 2)
    (batch,) = data.train.batches(Order(3, 3, shuffled=False), 0)
    assert torch.equal(batch.targets, torch.from_numpy(maps).long())
    with pytest.raises(ShapeError, match=r"label maps of the images' size, got \(4, 4\)"):
        open_data({"train": (np.zeros((3, 5, 5)), maps)})
    assert open_data({"train": (IMAGES[:3], maps), "hold_out": 0}).n_outputs == 2


@pytest.mark.parametrize(
    ("objects", "task", "message"),
    [
        ({"train": (IMAGES, LABELS[:5])}, "auto", "target for each of 20 inputs, got 5 - at train"),
        ({"train": (IMAGES, LABELS), "tset": None}, "auto", 'got "tset"\\. Did you mean "test"'),
        ({"test": (IMAGES, LABELS)}, "auto", "a part train, got none"),
        ({"train": (IMAGES, LABELS)}, "regresion", "data for regresion, got data for class"),
        ({"train": (np.array([[1.0], [np.nan]]), [0, 1])}, "auto", "in 1 of 2 samples: row 1 - at"),
        ({"train": (np.array([[1e39], [0]]), [0, 1])}, "auto", "finite inputs"),
        ({"train": (np.zeros((2, 1)), [0.5, np.inf])}, "auto", "finite targets"),
        ({"train": (np.zeros((2, 1)), [0.5, 1.5])}, "classification", "whole numbers as classes"),
        ({"train": (np.zeros((2, 1)), [0, -1]), "hold_out": 0}, "auto", "labels from 0 to 0"),
        (
            {"train": (np.zeros((2, 1)), [0, 5]), "classes": ["a", "b"], "hold_out": 0},
            "auto",
            "labels from 0 to 1, one for each of 2 classes, got 5 in train",
        ),
        ({"train": (np.zeros((2, 1)), [[0, 3], [1, 1]])}, "auto", "add up to 1"),
        ({"train": (np.zeros((2, 1, 1, 1, 1)), [0, 1])}, "auto", "inputs \\(N, F\\)"),
        ({"train": (np.zeros((2, 3, 5, 3)), [0, 1])}, "auto", "say which"),
        ({"train": (np.array(["a", "b"]), [0, 1])}, "auto", "numbers as inputs"),
        (
            {"train": (np.zeros((0, 2)), np.zeros(0, int)), "hold_out": 0},
            "auto",
            "train, it is emp",
        ),
        (
            {"train": (np.zeros((2, 2)), [0, 1]), "test": (np.zeros((2, 3)), [0, 1])},
            "auto",
            "inputs of one shape",
        ),
        (
            {"train": (np.zeros((2, 2)), [0, 1]), "test": (np.zeros((2, 2)), [0.5, 1])},
            "auto",
            "of one kind in all parts, got those of classification in train and regression in test",
        ),
        ({"train": iter([1])}, "auto", "give the function that returns it"),
        ({"train": 3}, "auto", "arrays, a Dataset, a DataLoader or a function"),
        ((1, 2, 3, 4), "auto", "got 4 objects"),
    ],
)
def test_objects_that_cannot_be_trained_on(objects, task, message):
    with pytest.raises(InputError, match=message):
        open_data(objects, task=task)


def test_a_dataset_is_read_by_index_in_our_order():
    data = open_data({"train": Squares(), "hold_out": 3})
    assert isinstance(data.train, StreamedPart)
    assert (data.train.n, data.validation.n, data.n_outputs) == (9, 3, 3)
    assert torch.bincount(data.validation.targets).tolist() == [1, 1, 1]
    assert data.notes == ("train was gone through once for its targets",)
    for batch in data.train.batches(Order(9, 4, seed=1), 0):
        for image, target in zip(batch.inputs, batch.targets, strict=True):
            assert round(float(image[0, 0, 0]) * 10) % 3 == target


def test_targets_of_a_dataset_that_knows_them_are_not_loaded():
    class Known(Squares):
        targets = tuple(row % 3 for row in range(12))
        n_loaded = 0

        def __getitem__(self, row):
            Known.n_loaded += 1
            return super().__getitem__(row)

    data = open_data({"train": Known(), "hold_out": 0})
    assert data.train.targets.tolist() == list(Known.targets)
    assert Known.n_loaded == 1  # to see the shape
    assert data.notes == ()


def test_targets_that_a_dataset_changes_are_those_that_it_gives():
    class Changed(Squares):
        targets = tuple(row % 3 + 1 for row in range(12))  # as torchvision keeps them: raw

        def target_transform(self, target):
            return target - 1

        def __getitem__(self, row):
            return super().__getitem__(row)[0], self.target_transform(self.targets[row])

    data = open_data({"train": Changed(), "hold_out": 0})
    assert data.train.targets.tolist() == [row % 3 for row in range(12)]
    assert data.classes.names == ("0", "1", "2")


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", None, "b", float("nan"), "b", "a"], dtype=object),
        ["a", float("nan"), "b", None, "b", "a"],
        "object", "string", "category",
    ],
)  # fmt: skip
def test_a_sample_without_a_label_is_no_class_of_its_own(labels):
    inputs = np.zeros((6, 2))
    if isinstance(labels, str):  # a kind of column
        series = pytest.importorskip("pandas").Series
        labels = series(["a", None, "b", None, "b", "a"], dtype=labels)
    with pytest.raises(InputError, match=r"nothing in 2 of 6 samples: row 1, 3 - at train"):
        open_data({"train": (inputs, labels), "hold_out": 0})
    named = open_data({"train": (inputs, ["a", "nan", "None", "nan", "b", "a"]), "hold_out": 0})
    assert named.classes.names == ("None", "a", "b", "nan")  # who writes these words means them


def test_drawing_classes_equally_often_goes_by_the_greatest_of_shares():
    # Six samples of class 0, two of class 1, of which one is not sure.
    shares = np.array([[1, 0]] * 6 + [[0, 1], [0.4, 0.6]], np.float32)
    data = {"train": (np.zeros((8, 2)), shares), "validation": (np.zeros((8, 2)), shares)}
    asked = {"data": "given", "network": "fc", "task": "classification", "sampling": "balanced"}
    opened = open_data(data, task="classification")
    description = read_description({**asked, "batch_size": 4})
    order = prepare(description, opened, Engine(torch.device("cpu")), settle=False).order
    drawn = shares.argmax(1)[order.rows(0).numpy()]
    assert np.bincount(drawn).tolist() == [4, 4]


def test_numbers_of_which_each_is_another_are_no_classes():
    prices = 100_000 + 1_000 * np.arange(20)
    with pytest.raises(InputError, match='Say task = "regression" where targets are amounts'):
        open_data({"train": (np.zeros((20, 2)), prices)})
    assert open_data({"train": (np.zeros((20, 2)), prices)}, task="regression").n_outputs == 1


@pytest.mark.parametrize("share", [float("nan"), float("inf"), -1])
def test_shares_that_are_none(share):
    with pytest.raises(InputError, match=f"of 20 samples, or a share of them, got {share}"):
        open_data({"train": (IMAGES, LABELS), "hold_out": share})


def test_a_dataset_of_tensors_is_kept():
    data = open_data(TensorDataset(torch.zeros(10, 3), torch.arange(10) % 2))
    assert isinstance(data.train, ResidentPart)


def test_a_loader_keeps_its_order():
    loader = DataLoader(Squares(), batch_size=5)
    data = open_data({"train": loader, "validation": Squares()})
    assert isinstance(data.train, IterablePart)
    assert (data.train.n, data.train.input_shape, data.n_outputs) == (12, (1, 2, 2), 3)
    batches = list(data.train.batches(Order(12, 4), 0))
    assert [batch.targets.tolist() for batch in batches] == [
        [0, 1, 2, 0],
        [1, 2, 0, 1],
        [2, 0, 1, 2],
    ]
    with pytest.raises(InputError, match="a part validation, or validation = 0: a stream"):
        open_data({"train": loader, "hold_out": 0.1})
    assert open_data(loader).validation is None


def test_streams_and_generators():
    data = open_data({"train": Flow(), "test": lambda: iter(Flow())})
    assert (data.train.n, data.test.n, data.n_outputs) == (9, 9, 2)
    (batch,) = data.train.batches(Order(9, 9), 0)
    assert batch.inputs[:, 0].tolist() == list(range(9))
    numbers = open_data({"train": lambda: ((np.zeros(2), row / 4) for row in range(5))})
    assert (numbers.task, numbers.n_outputs) == ("regression", 1)
    with pytest.raises(InputError, match="an order of its own"):
        numbers.fold(0, 2)


def test_a_part_may_be_made_by_hand():
    part = ResidentPart(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))
    assert open_data({"train": part, "hold_out": 0}).train is part


@pytest.fixture
def module():
    made = types.ModuleType("data_of_a_user")
    sys.modules["data_of_a_user"] = made
    yield made
    del sys.modules["data_of_a_user"]


def test_a_function_of_the_user(module):
    def build(n=10):
        return {"train": (np.zeros((n, 2)), np.arange(n) % 2), "hold_out": 2}

    module.build = build
    data = open_data(Choice("data_of_a_user:build", {"n": 8}))
    assert (data.train.n, data.validation.n) == (6, 2)
    assert data.description["data"] == "data_of_a_user:build"
    module.whole = lambda: data
    assert open_data("data_of_a_user:whole").train is data.train
    assert open_data(data).train is data.train
    with pytest.raises(SchemaError, match=r"unexpected keyword argument 'm' - at a\.toml"):
        open_data(Choice("data_of_a_user:build", {"m": 8}, "a.toml"))
    with pytest.raises(InputError, match=r'got "biuld".* Did you mean "build"'):
        open_data("data_of_a_user:biuld")
    with pytest.raises(InputError, match='can be imported, got "no_such_module"'):
        open_data("no_such_module:build")


def test_a_function_in_the_working_directory(tmp_path, monkeypatch):
    """Where a console script does not look by itself."""
    (tmp_path / "data_right_here.py").write_text(
        "def build():\n    return {'train': ([[0.0], [1.0]], [0, 1]), 'hold_out': 0}\n"
    )
    (tmp_path / "data_that_needs_more.py").write_text("import no_such_module\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", str(tmp_path))])
    monkeypatch.delitem(sys.modules, "data_right_here", raising=False)
    assert open_data("data_right_here:build").n_outputs == 2
    assert str(tmp_path) not in sys.path
    with pytest.raises(InputError, match=r'_needs_more": No module named .no_such_module'):
        open_data("data_that_needs_more:build")


def test_array_files(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(
        path,
        x_train=IMAGES,
        y_train=LABELS,
        x_val=IMAGES[:4],
        y_val=LABELS[:4],
        x_test=IMAGES[:3],
        y_test=LABELS[:3],
        classes=np.array(["even", "odd"]),
    )
    data = open_data(str(path))
    assert [(n, p.n) for n, p in data.parts()] == [("train", 20), ("validation", 4), ("test", 3)]
    assert data.classes.names == ("even", "odd")
    np.savez(path, x_train=IMAGES, x_test=IMAGES)
    with pytest.raises(SchemaError, match="x_train alone of the part train"):
        open_data(str(path))
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_tset=IMAGES)
    with pytest.raises(SchemaError, match=r'got x_train, y_train, x_tset\. Did you mean "x_test"'):
        open_data(str(path))
    np.savez(path, x=IMAGES, y=np.array([{}] * 20, dtype=object))
    with pytest.raises(InputError, match=r"an \.npz of arrays, got: Object arrays"):
        open_data(str(path))
    path.write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"an \.npz of arrays"):
        open_data(str(path))


# ---- Folds and fingerprints ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["resident", "streamed"])
def test_folds_divide_train_and_validation_and_leave_test(kind):
    labels = np.repeat([0, 1, 2], 10)
    inputs = np.arange(30, dtype=np.float32)[:, None]
    train = (inputs, labels)
    if kind == "streamed":
        train = StreamedPart(lambda row: (inputs[row], 0), 30, torch.from_numpy(labels))
    data = open_data({"train": train, "test": (inputs[:3], labels[[0, 10, 20]]), "hold_out": 6})
    folds = [data.fold(k, 5, seed=1) for k in range(5)]
    seen = []
    for fold in folds:
        assert (fold.train.n, fold.validation.n) == (24, 6)
        assert torch.bincount(fold.validation.targets).tolist() == [2, 2, 2]
        assert fold.test is data.test
        assert fold.description["parts"] == {"train": 24, "validation": 6, "test": 3}
        (batch,) = fold.validation.batches(Order(6, 6, shuffled=False), 0)
        seen += batch.inputs.flatten().tolist()
    assert sorted(seen) == list(range(30))
    again = data.fold(2, 5, seed=1)
    assert again.validation.targets.tolist() == folds[2].validation.targets.tolist()
    assert len({fold.fingerprint() for fold in folds}) == 5
    with pytest.raises(InputError, match="a fold from 0 to 4, got 5"):
        data.fold(5, 5)


def test_parts_of_two_kinds_cannot_be_divided_together():
    data = open_data({"train": (np.zeros((12, 2, 2)), np.arange(12) % 3), "validation": Squares()})
    with pytest.raises(InputError, match="parts of one kind to join them"):
        data.fold(0, 3)


def test_folds_of_numbers_have_them_spread():
    inputs = np.arange(40, dtype=np.float32)[:, None]
    data = open_data({"train": (inputs, inputs[:, 0] / 2), "hold_out": 0})
    for k in range(4):
        # Of each quarter of the numbers some are in each fold.
        targets = data.fold(k, 4).validation.targets[:, 0]
        assert torch.bincount((targets / 5).long()).tolist() == pytest.approx([2.5] * 4, abs=1.5)


def test_classes_too_rare_to_divide_are_said_in_the_notes():
    data = open_data({"train": (np.zeros((9, 1)), [0] * 8 + [1]), "hold_out": 2})
    assert any("fewer samples than there are parts" in note for note in data.notes)
    assert data.notes[-1] == "validation has no sample of 1 class: 1"
    assert any("folds" in note for note in data.fold(0, 3).notes)


def test_fingerprints_change_with_the_data():
    def opened(images=IMAGES, labels=LABELS, **options):
        return open_data({"train": (images, labels), **options}).fingerprint()

    first = opened()
    assert first == opened()
    other = IMAGES.copy()
    other[3, 1, 1] ^= 1
    assert opened(other) != first
    assert opened(labels=1 - LABELS) != first
    assert opened(hold_out=0.2) != first
    assert open_data({"train": (IMAGES, LABELS)}, seed=1).fingerprint() != first


def test_the_class_of_data_says_how_many():
    assert repr(open_data({"train": (IMAGES, LABELS)})) == "TrainingData(train=18, validation=2)"
    with pytest.raises(ClassError, match="classes of test that are in train too, got 1"):
        open_data({"train": (IMAGES, LABELS * 0), "test": (IMAGES, LABELS), "hold_out": 0})


class Jittered(Dataset):
    """Samples that are changed at random, as the transforms of torchvision change them."""

    targets = tuple(row % 2 for row in range(48))

    def __len__(self):
        return 48

    def __getitem__(self, row):
        noise = torch.randn(4).numpy() + np.random.randn(4) + random.random()  # noqa: NPY002
        return (row % 2 + noise).astype(np.float32), row % 2


def _samples():
    for row in range(48):
        yield Jittered()[row]


@pytest.mark.parametrize(
    "make",
    [
        Jittered,
        lambda: DataLoader(Jittered(), batch_size=5, shuffle=True),
        lambda: _samples,
    ],
    ids=["dataset", "loader", "generator"],
)
def test_what_a_users_code_draws_is_a_function_of_seed_and_place(make, tmp_path):
    dropout = {"name": "dropout", "p": 0.5}
    description = {
        "data": "jittered",
        "network": [{"name": "linear", "out": 8}, "relu", dropout, "linear"],
        "normalise": "none",
        "batch_size": 8,
        "epochs": 2,
    }

    def weights(number, **options):
        random.seed(number)
        np.random.seed(number)  # noqa: NPY002
        torch.manual_seed(number)
        before = random.getstate(), torch.get_rng_state()
        run = train(description, data={"train": make(), "hold_out": 0}, test=False, **options)
        assert random.getstate() == before[0]
        assert torch.equal(torch.get_rng_state(), before[1])
        return {name: value.tolist() for name, value in run.network.network.state_dict().items()}

    whole = weights(1)
    assert weights(2) == whole
    stop = StopAfter(Every(9, "ba"))  # within the second epoch
    train(
        description,
        data={"train": make(), "hold_out": 0},
        out=tmp_path / "run",
        callbacks=[stop],
        test=False,
    )
    assert weights(3, out=tmp_path / "run", resume=True) == whole


def test_what_is_drawn_while_data_are_opened_is_the_same_each_time():
    def drawn(_epoch):
        for _ in range(12):
            number = np.random.rand()  # noqa: NPY002
            yield np.array([number]), int(number > 0.5)

    fingerprints = set()
    for seed in range(3):
        np.random.seed(seed)  # noqa: NPY002
        fingerprints.add(open_data({"train": drawn}).fingerprint())
    assert len(fingerprints) == 1


def test_a_dataset_that_draws_says_so_and_processes_share_its_samples():
    data = open_data({"train": Jittered(), "hold_out": 0})
    assert data.notes[0].startswith("train draws random numbers")
    order = Order(48, 8)
    whole = [batch.inputs for batch in data.train.batches(order, 1)]
    halves = [
        [batch.inputs for batch in data.train.batches(order, 1, within=slice(rank, None, 2))]
        for rank in range(2)
    ]
    for batch, first, second in zip(whole, *halves, strict=True):
        assert torch.equal(batch[::2], first)
        assert torch.equal(batch[1::2], second)
    (again, *_) = data.train.batches(order, 1, start=3)
    assert torch.equal(again.inputs, whole[3])
