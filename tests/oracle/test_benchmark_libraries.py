"""Images as timm and torchvision themselves make them for each of their networks."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")

from PIL import Image  # noqa: E402

from snellen.benchmark import timm_model, torchvision_model  # noqa: E402
from snellen.benchmark.preprocessing import Preprocessing  # noqa: E402
from snellen.errors import InputError  # noqa: E402

SIZES = [(375, 500), (333, 499), (97, 301), (301, 97), (31, 17), (224, 225)]


def _pictures() -> list[Any]:
    random = np.random.default_rng(0)
    return [
        Image.fromarray(
            random.integers(0, 256, (height // 7 + 2, width // 7 + 2, 3), np.uint8)
        ).resize((width, height), Image.Resampling.BICUBIC)
        for height, width in SIZES
    ]


def _assert_same(own: Preprocessing, theirs: Any, name: str) -> None:
    for picture in _pictures():
        found = own.batch([own.pixels(np.asarray(picture))])[0]
        expected = theirs(picture).numpy()
        # Bytes are the same; they scale in another order, of numbers up to 1 / std.
        tolerance = 4e-7 * max(1, np.abs(expected).max())
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance, err_msg=name)


def test_torchvision() -> None:
    checked: set[Preprocessing] = set()
    for name in torchvision.models.list_models():
        for weights in torchvision.models.get_model_weights(name):
            try:
                own = torchvision_model._own_preprocessing(weights, name)
            except InputError:
                assert "ImageClassification" not in repr(weights.transforms)
                continue
            if own not in checked:
                checked.add(own)
                _assert_same(own, weights.transforms(), str(weights))
    assert len(checked) > 20


def test_timm() -> None:
    checked: set[str] = set()
    n_refused = 0
    names = timm.list_models(pretrained=True)
    for name in names:
        config = timm.get_pretrained_cfg(name).to_dict()
        module = types.SimpleNamespace(pretrained_cfg=config)
        made = timm.data.resolve_model_data_config(module, use_test_size=True)
        try:
            own = timm_model._own_preprocessing(timm, module, {}, name)
        except InputError:
            assert made["crop_mode"] != "center" or made["input_size"][1] != made["input_size"][2]
            n_refused += 1
            continue
        if str(made) not in checked:
            checked.add(str(made))
            _assert_same(own, timm.data.create_transform(**made, is_training=False), name)
    assert len(checked) > 50
    assert n_refused < len(names) / 20
