"""Snellen: what `snellen benchmark` measures and says, in a process as its own are."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pretrained_sides import Ready, Setting, Turn, first_scores, looped
from snellen.benchmark.bench import ModelBench
from snellen.benchmark.measured_model import measured_model
from snellen.benchmark.open_images import open_images
from snellen.benchmark.pipeline import Pipeline
from snellen.benchmark.sources import load_model

if TYPE_CHECKING:
    from snellen.benchmark.model import Model

_IMAGES: Final = 50_000
_CLASSES: Final = 1000


def _model(setting: Setting) -> Model:
    folder = setting.path
    source = {
        "onnx": f"onnx:{folder / 'onnx.onnx'},preset=imagenet",
        "cheap": f"onnx:{folder / 'cheap.onnx'},preset=imagenet",
        "torch": "torch:pretrained_sides.networks:mobile,preset=imagenet",
        "keras": f"keras:MobileNetV2,weights={folder / 'keras.weights.h5'}",
    }[setting.network]
    return load_model(source, device="cpu", threads=setting.threads)


def _bench(setting: Setting, model: Model) -> ModelBench:
    return ModelBench(
        model,
        open_images(str(setting.path / "images")),
        threads=setting.threads,
        batch_size=setting.batch_size,
    )


def resident(setting: Setting) -> Ready:
    """Measure throughput."""
    model = _model(setting)
    bench = _bench(setting, model)

    def turn(seconds: float) -> Turn:
        found = bench.throughput(setting.batch_size, seconds)
        taken = 1 / found.images_per_second
        return Turn(taken, taken * setting.threads / found.waited)

    batch = np.load(setting.path / "batch.npy")[: setting.batch_size]
    return Ready(turn, {"scores": first_scores(model.predict(batch))})


def scores(setting: Setting) -> Ready:
    """Predict the same batch, again and again, from NumPy to NumPy."""
    model = _model(setting)
    n = setting.batch_size
    batch = np.load(setting.path / "tf.npy")[:n]
    if model.preprocessing.layout == "channels_first":
        batch = np.ascontiguousarray(batch.transpose(0, 3, 1, 2))

    def call() -> Any:
        return model.predict(batch)

    return Ready(lambda seconds: looped(call, n, seconds), {"scores": first_scores(call())})


def end_to_end(setting: Setting) -> Ready:
    """Measure images per second, from files to scores."""
    model = _model(setting)
    bench = _bench(setting, model)
    size = setting.batch_size
    rows = np.arange(len(bench.images))
    pipeline = Pipeline(bench.images, model.preprocessing, threads=setting.threads)
    digest = hashlib.sha256()
    for batch in pipeline.batches(rows[k : k + size] for k in range(0, len(rows), size)):
        digest.update(batch.inputs.tobytes())

    def turn(seconds: float) -> Turn:
        found = bench.end_to_end(seconds)
        taken = 1 / found.images_per_second
        return Turn(taken, taken * setting.threads / found.waited)

    return Ready(turn, {"pixels": digest.hexdigest()})


def metrics(setting: Setting) -> Ready:
    """Compute all numbers of a network, with intervals, of as many images as ImageNet has."""
    del setting
    drawing = np.random.default_rng(0)
    truth = drawing.integers(0, _CLASSES, _IMAGES)
    logits = drawing.standard_normal((_IMAGES, _CLASSES), dtype=np.float32)
    logits[np.arange(_IMAGES), truth] += 3
    ids = [f"{k:08}.jpg" for k in range(_IMAGES)]
    names = [f"n{k:08}" for k in range(_CLASSES)]

    def turn(seconds: float) -> Turn:
        del seconds
        wall, cpu = time.perf_counter(), time.process_time()
        measured_model(
            "network", "network", truth=truth, ids=ids, classes=names, kind="logits", scores=logits
        )
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return Turn(wall / _IMAGES, cpu / _IMAGES)

    return Ready(turn, {})
