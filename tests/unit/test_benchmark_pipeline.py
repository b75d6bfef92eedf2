"""Images on their way to a network: the same batches from any number of threads."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.pipeline import Pipeline
from snellen.benchmark.preprocessing import Preprocessing
from snellen.errors import InputError, SchemaError

N = 23
PLAIN = Preprocessing(8, 6, shorter_side=9, mean=(100.0,), std=(50.0,))


@dataclasses.dataclass
class Images:
    """Pictures in memory, and what happens when they are asked for."""

    files: list[bytes]
    before: Callable[[int], None] = lambda _: None
    n_read: int = 0

    def data(self, row: int) -> bytes:
        self.n_read += 1
        self.before(row)
        return self.files[row]


def pictures(n: int = N) -> list[NDArray[np.uint8]]:
    random = np.random.default_rng(5)
    return [
        random.integers(0, 256, (*random.integers(5, 40, 2), 3)).astype(np.uint8) for _ in range(n)
    ]


def png(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def labelled(reader: Images) -> LabelledImages:
    n = len(reader.files)
    ids = [f"{k:03d}.png" for k in range(n)]
    return LabelledImages(ids, np.zeros(n, np.int64), ["only"], reader, {}, "digest")


def images(**options: Callable[[int], None]) -> Images:
    return Images([png(each) for each in pictures()], **options)


def parts(size: int, n: int = N) -> list[NDArray[np.int64]]:
    return [np.arange(k, min(k + size, n)) for k in range(0, n, size)]


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("colours", ["RGB", "BGR", "L"])
@pytest.mark.parametrize("threads", [1, 3])
def test_batches_are_those_of_the_preprocessing(
    dtype: str, layout: str, colours: str, threads: int
) -> None:
    n_channels = 1 if colours == "L" else 3
    wanted = Preprocessing(
        7,
        5,
        filter="bicubic",
        colours=colours,  # type: ignore[arg-type]
        scale=1 / 255,
        mean=(0.485, 0.456, 0.406)[:n_channels],
        std=(0.229, 0.224, 0.225)[:n_channels],
        layout=layout,  # type: ignore[arg-type]
        dtype=dtype,  # type: ignore[arg-type]
    )
    grey = [np.asarray(Image.fromarray(each).convert("L"))[..., None] for each in pictures()]
    decoded = grey if colours == "L" else pictures()
    pixels = [wanted.pixels(each) for each in decoded]
    n = 0
    for batch in Pipeline(labelled(images()), wanted, threads=threads).batches(parts(10)):
        expected = wanted.batch([pixels[row] for row in batch.rows.tolist()])
        assert batch.inputs.dtype == expected.dtype
        assert batch.inputs.flags.c_contiguous
        np.testing.assert_array_equal(batch.inputs, expected)
        n += len(batch.rows)
    assert n == N


def test_the_order_is_that_asked_for_whoever_is_quick() -> None:
    random = np.random.default_rng(3)
    late = random.uniform(0, 0.01, N)
    rows = random.permutation(N)
    asked = [rows[:4], rows[4:5], rows[5:17], rows[17:]]
    found = {}
    for threads in (1, 2, 5):
        reader = images(before=lambda row: time.sleep(late[row]))
        pipeline = Pipeline(labelled(reader), PLAIN, threads=threads)
        found[threads] = [(b.rows.tolist(), b.inputs.tobytes()) for b in pipeline.batches(asked)]
    assert [each for each, _ in found[1]] == [each.tolist() for each in asked]
    assert found[1] == found[2] == found[5]


def test_not_all_images_are_read_ahead() -> None:
    reader = images()
    with contextlib.closing(
        Pipeline(labelled(reader), PLAIN, threads=2).batches(parts(2))
    ) as batches:
        next(batches)
        time.sleep(0.2)
        assert reader.n_read <= 6  # this batch and two more
        next(batches)
        time.sleep(0.2)
        assert reader.n_read <= 8


def test_on_one_thread_nothing_happens_ahead() -> None:
    reader = images(before=lambda _: seen.append(threading.current_thread()))
    seen: list[threading.Thread] = []
    for k, _ in enumerate(Pipeline(labelled(reader), PLAIN, threads=1).batches(parts(4)), 1):
        assert reader.n_read == min(4 * k, N)
    assert set(seen) == {threading.current_thread()}


def test_memory_is_used_again() -> None:
    pipeline = Pipeline(labelled(images()), PLAIN, threads=2)
    places = [batch.inputs.ctypes.data for batch in pipeline.batches(parts(2))]
    assert len(places) == 12
    assert len(set(places)) == 3


def test_broken_images_are_left_out_and_named() -> None:
    reader = images()
    whole = {
        row: one.copy()
        for batch in Pipeline(labelled(reader), PLAIN, threads=1).batches(parts(5))
        for row, one in zip(batch.rows.tolist(), batch.inputs, strict=True)
    }
    for row in (3, 10, 11, 12, 13, 14, 22):
        reader.files[row] = reader.files[row][:60]
    left_out = []
    for batch in Pipeline(labelled(reader), PLAIN, threads=3).batches(parts(5)):
        left_out += batch.left_out
        assert len(batch.inputs) == len(batch.rows)
        for row, one in zip(batch.rows.tolist(), batch.inputs, strict=True):
            np.testing.assert_array_equal(one, whole.pop(row))
    assert [each.row for each in left_out] == [3, 10, 11, 12, 13, 14, 22] == list(whole)
    assert all(f"{row:03d}.png" in reason for row, reason in left_out)


@pytest.mark.parametrize("threads", [1, 4])
def test_strict_stops_at_the_first_in_order(threads: int) -> None:
    reader = images(before=lambda row: time.sleep(0.1 if row == 4 else 0))
    for row in (4, 6):
        reader.files[row] = b"nothing"
    pipeline = Pipeline(labelled(reader), PLAIN, threads=threads, strict=True)
    batches = pipeline.batches(parts(3))
    assert next(batches).rows.tolist() == [0, 1, 2]
    with pytest.raises(SchemaError, match=r"004\.png"):
        list(batches)


def test_what_cannot_be_read_is_left_out() -> None:
    def refuse(row: int) -> None:
        if row == 1:
            raise InputError("expected a readable image, got: it is gone", "001.png")

    (batch,) = Pipeline(labelled(images(before=refuse)), PLAIN, threads=2).batches(parts(99))
    assert batch.left_out == ((1, "expected a readable image, got: it is gone - at 001.png"),)


@pytest.mark.parametrize("threads", [1, 2])
def test_mistakes_of_ours_are_no_broken_images(threads: int) -> None:
    def fail(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Pipeline(labelled(images(before=fail)), PLAIN, threads=threads).batches(parts(4)))


def test_threads_end_with_the_batches() -> None:
    before = threading.active_count()
    endless = (np.arange(k, k + 4) % N for k in itertools.count(0, 4))
    batches = Pipeline(labelled(images()), PLAIN, threads=3).batches(endless)
    for _ in range(10):
        next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_phases_are_told_apart() -> None:
    pause = 0.01
    big = np.random.default_rng(0).integers(0, 256, (600, 600, 3)).astype(np.uint8)
    reader = Images([png(big)] * 4, before=lambda _: time.sleep(pause))
    tiny = Preprocessing(2, 2, filter="box")
    for threads in (1, 2):
        pipeline = Pipeline(labelled(reader), tiny, threads=threads)
        (batch,) = pipeline.batches([np.arange(4)])
        read, decode, preprocess = batch.phases
        assert read >= 4 * pause
        # A PNG of noise takes longer than averages of its pixels; waiting is no work.
        assert read > preprocess > 0
        assert decode > preprocess


def test_a_table_without_images_has_none() -> None:
    table = dataclasses.replace(labelled(images()), reader=None)
    with pytest.raises(InputError, match="table of labels"):
        Pipeline(table, PLAIN, threads=1)
