"""Fashion-MNIST from files that are there, and from files that are fetched; IDX files; digits."""

import functools
import gzip
import hashlib
import http.server
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from snellen.errors import InputError, SchemaError
from snellen.readers.idx import read_idx
from snellen.training.choices import Choice
from snellen.training.data import fashion_mnist_files as module
from snellen.training.data.fashion_mnist_files import CLASSES, cache_folder, download
from snellen.training.data.source import open_data

SYSTEM = Path("/usr/share/datasets/fashion-mnist")
NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def idx_bytes(array: np.ndarray, code: int) -> bytes:
    head = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def write_set(folder: Path, n_train: int = 40, n_test: int = 20) -> dict[str, str]:
    """Write a tiny set of the same form; return the MD5 of each file."""
    random = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for name, n in (("train", n_train), ("t10k", n_test)):
        arrays[f"{name}-images-idx3-ubyte.gz"] = random.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{name}-labels-idx1-ubyte.gz"] = np.arange(n).astype(np.uint8) % 10
    sums = {}
    for name, array in arrays.items():
        data = gzip.compress(idx_bytes(array, 8))
        (folder / name).write_bytes(data)
        sums[name] = hashlib.md5(data).hexdigest()
    return sums


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No files in the cache, nor where Debian puts them."""
    monkeypatch.setenv("SNELLEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_SYSTEM", str(tmp_path / "no system"))
    return tmp_path


def test_idx_files_of_bytes_and_of_wide_numbers(tmp_path):
    cube = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a").write_bytes(idx_bytes(cube, 8))
    assert read_idx(tmp_path / "a").tolist() == cube.tolist()
    wide = np.array([-2, 70000], ">i4")
    (tmp_path / "b.gz").write_bytes(gzip.compress(idx_bytes(wide, 0x0C)))
    assert read_idx(tmp_path / "b.gz").tolist() == [-2, 70000]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected an IDX file"),
        (b"PK\3\4", "expected an IDX file"),
        (b"\0\0\x08\2\0\0\0\3", "lengths of 2 axes, the file ends before"),
        (b"\0\0\x08\1\0\0\0\3ab", "expected 11 bytes, as its head says, got 10"),
        (b"\0\0\x08\1\0\0\0\1ab", "expected 9 bytes, as its head says, got 10"),
    ],
)
def test_damaged_idx_files(tmp_path, data, message):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(SchemaError, match=message):
        read_idx(tmp_path / "x")


def test_a_packed_file_that_is_cut_off(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"\0\0\x08\1\0\0\0\1a")[:-6])
    with pytest.raises(InputError, match="expected a gzip file"):
        read_idx(tmp_path / "x.gz")


def test_the_folder_that_is_named(tmp_path):
    write_set(tmp_path)
    data = open_data(Choice("fashion-mnist", {"folder": str(tmp_path), "validation": 10}))
    assert [(name, part.n) for name, part in data.parts()] == [
        ("train", 30),
        ("validation", 10),
        ("test", 20),
    ]
    assert data.train.inputs.shape == (30, 1, 28, 28)
    assert data.train.inputs.dtype == torch.uint8
    assert data.classes.names == CLASSES
    assert (data.task, data.n_outputs) == ("classification", 10)
    # 4 samples of each class, of which one is in the validation part.
    assert torch.bincount(data.validation.targets).tolist() == [1] * 10


def test_without_a_validation_part_all_is_trained_on(tmp_path):
    write_set(tmp_path)
    data = open_data(Choice("fashion-mnist", {"folder": str(tmp_path), "validation": 0}))
    assert data.train.n == 40
    assert data.validation is None
    assert data.train.ids[:2] == ["train/0", "train/1"]
    assert data.train.targets[:3].tolist() == [0, 1, 2]


def test_unpacked_files_are_read_too(tmp_path):
    write_set(tmp_path)
    for name in NAMES:
        packed = tmp_path / name
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    data = open_data(Choice("fashion-mnist", {"folder": str(tmp_path), "validation": 0}))
    assert data.train.n == 40


def test_without_files_the_message_says_where_to_put_them(nowhere):
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz") as caught:
        open_data(Choice("fashion-mnist", {"download_missing": False}))
    assert str(nowhere / "cache" / "fashion-mnist") in str(caught.value)


def test_files_are_downloaded_into_the_cache_once(nowhere, monkeypatch):
    sums = write_set(nowhere / "site")
    monkeypatch.setattr(module, "_FILES", sums)

    asked = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=nowhere / "site")
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        choice = Choice("fashion-mnist", {"url": url, "validation": 0})
        assert open_data(choice).train.n == 40
        assert asked == [f"/{name}" for name in NAMES]
        cached = nowhere / "cache" / "fashion-mnist"
        assert sorted(path.name for path in cached.iterdir()) == sorted(NAMES)
        assert open_data(choice).train.n == 40
        assert len(asked) == 4
        with pytest.raises(
            InputError, match=r"got: File not found: put the file into .* - at http"
        ):
            download(url, nowhere / "other", {"absent.gz": "0"})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_file_of_another_check_sum_is_not_kept(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.gz").write_bytes(b"something else")
    url = (tmp_path / "site").as_uri()
    with pytest.raises(SchemaError, match="expected a file of MD5 00, got"):
        download(url, tmp_path / "to", {"a.gz": "00"})
    assert list((tmp_path / "to").iterdir()) == []
    good = hashlib.md5(b"something else").hexdigest()
    download(url, tmp_path / "to", {"a.gz": good})
    assert (tmp_path / "to" / "a.gz").read_bytes() == b"something else"


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"expected a download of a\.gz, got"):
        download("http://127.0.0.1:1", tmp_path, {"a.gz": "0"})
    assert list(tmp_path.iterdir()) == []


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("SNELLEN_CACHE", "/x")
    assert cache_folder() == Path("/x")
    monkeypatch.delenv("SNELLEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/y")
    assert cache_folder() == Path("/y/snellen")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "snellen"


@pytest.mark.skipif(not SYSTEM.is_dir(), reason="needs Debian's dataset-fashion-mnist")
def test_the_real_set():
    from snellen.training.data.normalisation import Normalisation

    data = open_data(Choice("fashion-mnist", {"folder": str(SYSTEM)}))
    assert [(name, part.n) for name, part in data.parts()] == [
        ("train", 55_000),
        ("validation", 5_000),
        ("test", 10_000),
    ]
    assert torch.bincount(data.validation.targets).tolist() == [500] * 10
    # The numbers that everybody uses, of all 60,000.
    whole = open_data(Choice("fashion-mnist", {"folder": str(SYSTEM), "validation": 0}))
    found = Normalisation.of(whole.train)
    assert found.mean.item() == pytest.approx(0.2860, abs=5e-5)
    assert found.std.item() == pytest.approx(0.3530, abs=5e-5)


def test_digits_come_with_scikit_learn():
    data = open_data("digits")
    assert sum(part.n for _, part in data.parts()) == 1797
    assert data.train.input_shape == (1, 8, 8)
    assert data.test.n == 359
    assert int(data.train.inputs.max()) == 255
    rest = open_data(Choice("digits", {"validation": 0}))
    assert rest.test.ids == data.test.ids
    assert rest.validation is None
