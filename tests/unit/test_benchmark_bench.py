"""All that is measured of one network: what it is given, what is kept, what is refused."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen.benchmark.bench import ModelBench
from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.model import Facts, Scores
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.stored_images import ArrayImages
from snellen.errors import InputError, SchemaError, ShapeError

N, K, BATCH = 45, 3, 4
WEIGHTS = np.random.default_rng(1).normal(size=(6 * 6, K)).astype(np.float32)

Changed = Callable[[NDArray[Any], int], NDArray[Any]]


def unchanged(scores: NDArray[Any], _: int) -> NDArray[Any]:
    return scores


class Linear:
    """A network of one layer, whose scores something happens to."""

    preprocessing = Preprocessing(6, 6, colours="L", scale=1 / 255)
    classes = None
    scores: Scores = "logits"

    def __init__(
        self, changed: Changed = unchanged, *, pause: float = 0.0, facts: Facts | None = None
    ) -> None:
        self.changed = changed
        self.pause = pause
        self.facts = facts or Facts("cpu", "float32", 1, {"none": "1"}, "digest of weights")
        self.resident_batches: list[NDArray[Any]] = []
        self.ran: list[int] = []

    def resident(self, batch: NDArray[Any]) -> NDArray[Any]:
        self.resident_batches.append(batch)
        return batch

    def run(self, resident: NDArray[Any]) -> NDArray[Any]:
        self.ran.append(len(resident))
        time.sleep(self.pause)
        # In float64 an image's scores do not depend on the batch that it is in.
        exact = resident.reshape(len(resident), -1).astype(np.float64) @ WEIGHTS
        return self.changed(exact.astype(np.float32), len(self.ran))

    def predict(self, batch: NDArray[Any]) -> NDArray[Any]:
        return self.run(batch)

    def close(self) -> None: ...


def labelled(n: int = N, *, broken: tuple[int, ...] = ()) -> LabelledImages:
    images = np.random.default_rng(2).integers(0, 256, (n, 6, 6, 1)).astype(np.uint8)

    @dataclasses.dataclass
    class Some(ArrayImages):
        def data(self, row: int) -> NDArray[np.uint8]:
            if row in broken:
                raise SchemaError("expected a whole image", f"{row}.png")
            return super().data(row)

    labels = np.zeros(n, np.int64)
    ids = [f"{k}.png" for k in range(n)]
    return LabelledImages(ids, labels, ["a", "b", "c"], Some(images, []), {}, "digest of images")


def bench_of(model: Linear, images: LabelledImages | None = None, **options: Any) -> ModelBench:
    return ModelBench(model, images or labelled(), "net", **{"batch_size": BATCH, **options})


def expected(images: LabelledImages) -> NDArray[np.float32]:
    reader = images.reader
    assert isinstance(reader, ArrayImages)
    batch = Linear.preprocessing.batch(list(reader.images))
    return Linear().run(batch)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.benchmark.bench._CHUNK", 10)  # so 12 images: whole batches


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("threads", [1, 3])
def test_scores_of_all_images_are_kept(tmp_path: Path, threads: int) -> None:
    images, told = labelled(), list[tuple[int, int]]()
    bench = bench_of(Linear(), images, threads=threads)
    store = bench.store(tmp_path)
    assert (store.chunk_rows, store.n_chunks) == (12, 4)
    summary = bench.predict(store, lambda *done: told.append(done))
    assert (summary.n_predicted, summary.n_stored, summary.notes) == (N, 0, [])
    assert told == [(min(k, N), N) for k in range(BATCH, N + BATCH, BATCH)]
    found = store.read()
    assert found.rows.tolist() == list(range(N))
    np.testing.assert_array_equal(found.scores, expected(images))


@pytest.mark.usefixtures("small_chunks")
def test_a_second_run_predicts_nothing(tmp_path: Path) -> None:
    first = bench_of(Linear())
    first.predict(first.store(tmp_path))
    model = Linear()
    again = bench_of(model)
    summary = again.predict(again.store(tmp_path))
    assert (summary.n_predicted, summary.n_stored) == (0, N)
    assert model.ran == []


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("threads", [1, 2])
def test_what_was_interrupted_goes_on(tmp_path: Path, threads: int) -> None:
    def interrupted(done: int, _: int) -> None:
        if done > 30:
            raise KeyboardInterrupt

    bench = bench_of(Linear(), threads=threads)
    with pytest.raises(KeyboardInterrupt):
        bench.predict(bench.store(tmp_path / "a"), interrupted)
    assert bench.store(tmp_path / "a").missing() == [2, 3]
    model = Linear()
    again = bench_of(model, threads=threads)
    summary = again.predict(again.store(tmp_path / "a"))
    assert (summary.n_predicted, summary.n_stored) == (N - 24, 24)
    whole = bench_of(Linear(), threads=threads)
    whole.predict(whole.store(tmp_path / "b"))
    folders = [each.folder for each in (again.store(tmp_path / "a"), whole.store(tmp_path / "b"))]
    chunks = [{p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders]
    assert chunks[0] == chunks[1]
    assert len(chunks[0]) == 5


@pytest.mark.usefixtures("small_chunks")
def test_what_was_damaged_is_predicted_again(tmp_path: Path) -> None:
    bench = bench_of(Linear())
    store = bench.store(tmp_path)
    bench.predict(store)
    before = store.read().scores
    file = sorted(store.folder.glob("*.scores"))[1]
    file.write_bytes(file.read_bytes()[:100])
    summary = bench.predict(bench.store(tmp_path))
    assert (summary.n_predicted, summary.n_stored) == (12, 33)
    assert "images 13 to 24 were damaged" in summary.notes[0]
    np.testing.assert_array_equal(store.read().scores, before)


def test_other_settings_are_other_scores(tmp_path: Path) -> None:
    facts = Linear().facts
    others = [
        dataclasses.replace(facts, digest="other weights"),
        dataclasses.replace(facts, threads=2),
        dataclasses.replace(facts, device="cuda:0"),
        dataclasses.replace(facts, dtype="bfloat16"),
        dataclasses.replace(facts, versions={"none": "2"}),
        dataclasses.replace(facts, runtime="another"),
    ]
    benches = [bench_of(Linear(facts=each)) for each in (facts, *others)]
    benches.append(bench_of(Linear(), batch_size=5))
    benches.append(bench_of(Linear(), dataclasses.replace(labelled(), digest="other")))
    folders = {each.store(tmp_path).folder for each in benches}
    assert len(folders) == len(benches) == 9
    # What scores do not depend on.
    same = bench_of(Linear(facts=dataclasses.replace(facts, macs=5, notes=("x",))), strict=True)
    assert same.store(tmp_path).folder in folders


@pytest.mark.usefixtures("small_chunks")
def test_broken_images_are_left_out(tmp_path: Path) -> None:
    broken = (0, 7, *range(24, 28), 44)
    bench = bench_of(Linear(), labelled(broken=broken))
    summary = bench.predict(store := bench.store(tmp_path))
    assert summary.n_predicted == N
    found = store.read()
    assert [each.row for each in found.left_out] == list(broken)
    assert found.left_out[1].reason == "expected a whole image - at 7.png"
    np.testing.assert_array_equal(found.scores, expected(labelled())[found.rows])


@pytest.mark.usefixtures("small_chunks")
def test_strict_stops_at_a_broken_image_also_where_it_was_left_out_before(tmp_path: Path) -> None:
    images = labelled(broken=(17, 30))
    lenient = bench_of(Linear(), images)
    lenient.predict(lenient.store(tmp_path))
    for folder in (tmp_path, tmp_path / "new"):
        strict = bench_of(Linear(), images, strict=True)
        with pytest.raises(SchemaError, match=r"at 17\.png"):
            strict.predict(strict.store(folder))


@pytest.mark.usefixtures("small_chunks")
def test_what_can_be_read_again_is_predicted_then(tmp_path: Path) -> None:
    """As where a disk comes back: names, sizes and times are what they were."""
    for broken, n in (((3, 17, 30), N), ((3, 17, 30), 0), ((3,), 24), ((3,), 0)):
        images = labelled(broken=broken)
        bench = bench_of(Linear(), images)
        summary = bench.predict(store := bench.store(tmp_path))
        assert (summary.n_predicted, summary.n_stored) == (n, N - n)
        found = store.read()
        assert [each.row for each in found.left_out] == list(broken)
        np.testing.assert_array_equal(found.scores, expected(images)[found.rows])


def test_images_none_of_which_can_be_read_are_no_images(tmp_path: Path) -> None:
    bench = bench_of(Linear(), labelled(6, broken=tuple(range(6))))
    bench.predict(store := bench.store(tmp_path))
    assert len(store.read().left_out) == 6
    for measure in (
        bench.latency,
        lambda: bench.throughput(4),
        lambda: bench.end_to_end(0.01),
    ):
        with pytest.raises(InputError, match="images that can be read, got none"):
            measure()


def spoilt(place: tuple[int, int], value: float, call: int) -> Changed:
    def changed(scores: NDArray[Any], n: int) -> NDArray[Any]:
        if n == call:
            scores[place] = value
        return scores

    return changed


def test_scores_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    # Calls: one black image, the first batch, again, its first image, the second batch.
    bench = bench_of(Linear(spoilt((2, 1), np.nan, 5)))
    with pytest.raises(InputError, match=r'nan as output 1 of image "6\.png".* - at net$'):
        bench.predict(bench.store(tmp_path))
    bench = bench_of(Linear(spoilt((0, 2), -np.inf, 6)))
    with pytest.raises(InputError, match=r'-inf as output 2 of image "8\.png"'):
        bench.predict(bench.store(tmp_path))


def test_scores_too_large_for_float32_are_no_numbers(tmp_path: Path) -> None:
    bench = bench_of(Linear(lambda scores, _: scores.astype(np.float64) * 1e60))
    with pytest.raises(InputError, match=r"finite scores, got -?inf"):
        bench.predict(bench.store(tmp_path))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda scores, _: scores[:, 0], r"\(1, K\) of 1 images, got \(1,\)"),
        (lambda scores, _: scores[..., None], r"got \(1, 3, 1\)"),
        (lambda scores, n: scores[:-1] if n == 2 else scores, r"\(4, 3\) of 4 images, got \(3, 3"),
        (lambda scores, n: scores[:, :2] if n == 2 else scores, r"\(4, 3\) of 4 images, got \(4, "),
    ],
)
def test_scores_of_another_shape_are_refused(tmp_path: Path, changed: Changed, said: str) -> None:
    bench = bench_of(Linear(changed))
    with pytest.raises(ShapeError, match=said):
        bench.predict(bench.store(tmp_path))


def noise(scores: NDArray[Any], n: int) -> NDArray[Any]:
    kept = np.random.default_rng(n).integers(0, 2, scores.shape)
    return (scores * 2 * kept).astype(np.float32)


def normalised(scores: NDArray[Any], _: int) -> NDArray[Any]:
    return scores - scores.mean(axis=0) / 2


def in_steps(scores: NDArray[Any], _: int) -> NDArray[Any]:
    step = (np.abs(scores).max() or 1) / 127
    return np.float32(np.round(scores / step) * step)


def test_dropout_that_is_left_on_is_found(tmp_path: Path) -> None:
    bench = bench_of(Linear(noise))
    with pytest.raises(InputError, match="dropout left on"):
        bench.predict(bench.store(tmp_path))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_none_at_times_are_found(tmp_path: Path, value: float) -> None:
    # Calls: one black image, the first batch, the same again.
    bench = bench_of(Linear(spoilt((1, 1), value, 3)))
    with pytest.raises(InputError, match=r"the same scores .*, got others by inf%"):
        bench.predict(bench.store(tmp_path))


def test_a_network_that_gives_zeros_is_steady(tmp_path: Path) -> None:
    bench = bench_of(Linear(lambda scores, _: scores * 0))
    assert bench.predict(bench.store(tmp_path)).notes == []


def test_batch_normalisation_that_learns_is_found(tmp_path: Path) -> None:
    bench = bench_of(Linear(normalised))
    with pytest.raises(InputError, match="batch normalisation learn"):
        bench.predict(bench.store(tmp_path))


def test_quantisation_by_batch_is_only_said(tmp_path: Path) -> None:
    bench = bench_of(Linear(in_steps))
    summary = bench.predict(bench.store(tmp_path))
    assert "depend on the other images" in summary.notes[0]


def test_last_bits_may_differ(tmp_path: Path) -> None:
    last = np.float32(1 + 3e-7)
    bench = bench_of(Linear(lambda scores, n: scores * (last if n % 2 else 1)))
    assert bench.predict(bench.store(tmp_path)).notes == []
    half = dataclasses.replace(Linear().facts, dtype="float16")
    coarse = np.float32(1 + 8e-4)
    changed = bench_of(Linear(lambda scores, n: scores * (coarse if n % 2 else 1), facts=half))
    assert changed.predict(changed.store(tmp_path)).notes == []


def test_outputs_are_counted_before_images_are_read() -> None:
    model = Linear()
    bench = bench_of(model, labelled(broken=tuple(range(N))))
    assert bench.n_outputs == K
    assert bench.n_outputs == K
    assert model.ran == [1]


@pytest.mark.parametrize("threads", [1, 2])
def test_latency_is_of_real_images_one_by_one(threads: int) -> None:
    model = Linear(pause=0.004)
    images = labelled(broken=(1,))
    found = bench_of(model, images, threads=threads).latency(seconds=0.1, least_calls=30)
    assert set(model.ran) == {1}
    assert found.n >= 30
    assert found.n + found.n_warm_up == len(model.ran)
    assert 0.004 <= found.p50 <= found.p90 <= found.p99
    reader = images.reader
    assert isinstance(reader, ArrayImages)
    real = Linear.preprocessing.batch([reader.images[k] for k in (0, 2, 3, 4, 5, 6, 7, 8)])
    np.testing.assert_array_equal(np.concatenate(model.resident_batches), real)


def test_throughput_is_of_real_images_that_repeat_where_they_must() -> None:
    model = Linear(pause=0.01)
    found = bench_of(model, labelled(5), batch_size=2).throughput(12, seconds=0.05, least_calls=7)
    assert set(model.ran) == {12}
    assert found.n >= 7
    assert found.batch_size == 12
    assert found.images_per_second <= 12 / 0.01
    (batch,) = model.resident_batches
    np.testing.assert_array_equal(batch[:5], batch[5:10])
    np.testing.assert_array_equal(batch[:2], batch[10:])
    assert not np.array_equal(batch[0], batch[1])


@pytest.mark.parametrize("threads", [1, 2])
def test_end_to_end_is_of_whole_batches(threads: int) -> None:
    model = Linear(pause=0.005)
    found = bench_of(model, threads=threads).end_to_end(0.2)
    assert set(model.ran) == {BATCH}  # 45 is none: after the last image comes the first
    assert found.n % BATCH == 0
    assert 0 < found.n < BATCH * len(model.ran)  # the first batches do not count
    assert found.images_per_second <= BATCH / 0.005
    assert found.inference >= 0.005 / BATCH
    assert min(found.read, found.decode, found.preprocess, found.waited) > 0
    assert found.decode + found.preprocess < found.inference


def test_end_to_end_counts_what_was_read() -> None:
    found = bench_of(Linear(), labelled(8, broken=(2, 3, 4)), batch_size=8).end_to_end(0.05)
    assert found.n % 5 == 0


def test_a_gpu_is_not_judged_by_the_processor() -> None:
    facts = dataclasses.replace(Linear().facts, device="cuda:0")
    for measured, waited in ((facts, 1.0), (Linear().facts, 2.0)):
        bench = bench_of(Linear(pause=0.01, facts=measured))
        found = bench.throughput(4, seconds=0.05).waited
        assert found == 1.0 if waited == 1.0 else found > waited


def test_memory_is_that_of_the_process() -> None:
    bench = bench_of(Linear())
    before = bench.memory()
    assert before.host_peak >= before.host_loaded > 10 << 20
    assert before.device_peak is None
    more = before.host_peak - before.host_loaded + (64 << 20)
    np.ones(more, np.uint8)
    after = bench.memory()
    assert after.host_loaded == before.host_loaded
    assert after.host_peak >= before.host_peak + (32 << 20)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"threads": 0}])
def test_sizes_are_from_one(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="from 1"):
        bench_of(Linear(), **wrong)
