"""Inputs scaled by the training part's numbers, and weights of classes."""

import numpy as np
import pytest
import torch

from snellen.errors import ClassError, InputError, SchemaError, ShapeError
from snellen.training.choices import Choice
from snellen.training.data.balance import class_weights
from snellen.training.data.iterable import IterablePart
from snellen.training.data.normalisation import Normalisation, make_normalisation
from snellen.training.data.resident import ResidentPart
from snellen.training.data.streamed import StreamedPart


def resident(inputs) -> ResidentPart:
    return ResidentPart(inputs, torch.zeros(len(inputs)).long())


def test_channels_of_bytes_by_hand():
    # Channel 0 holds 0, 0, 0, 255: mean 1/4, variance 1/4 - 1/16 = 3/16. Channel 1 holds 51 only:
    # mean 1/5, no spread, so 1.
    inputs = torch.tensor([[[[0, 0]], [[51, 51]]], [[[0, 255]], [[51, 51]]]], dtype=torch.uint8)
    normalisation = Normalisation.of(resident(inputs))
    assert normalisation.mean.flatten().tolist() == [0.25, 0.2]
    assert normalisation.std.flatten().tolist() == pytest.approx([(3 / 16) ** 0.5, 1.0])
    scaled = normalisation.apply(inputs)
    assert scaled.dtype == torch.float32
    root = (3 / 16) ** 0.5
    expected = torch.tensor([-0.25 / root, -0.25 / root, -0.25 / root, 0.75 / root])
    torch.testing.assert_close(scaled[:, 0].flatten(), expected)
    torch.testing.assert_close(scaled[:, 1].flatten(), torch.zeros(4), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["channel", "pixel"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_mean_and_spread_agree_with_numpy_over_many_blocks(kind, dtype):
    random = torch.Generator().manual_seed(1)
    inputs = torch.randint(0, 256, (5000, 2, 3, 2), generator=random).to(dtype)
    axes = (0, 2, 3) if kind == "channel" else 0
    unit = 255 if dtype == torch.uint8 else 1
    wide = inputs.double().numpy() / unit
    found = Normalisation.of(resident(inputs), kind)
    assert found.unit == unit
    np.testing.assert_allclose(found.mean.numpy().squeeze(), wide.mean(axes), rtol=1e-13)
    np.testing.assert_allclose(found.std.numpy().squeeze(), wide.std(axes), rtol=1e-13)
    scaled = found.apply(inputs).double().numpy()
    np.testing.assert_allclose(scaled.mean(axes), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axes), 1, atol=1e-6)


def test_float_inputs_with_a_large_mean_keep_their_spread():
    # One-pass sums of squares would lose it: 1e6 squared has no room for 1e-2.
    inputs = 1e6 + torch.arange(6000).remainder(4).double()[:, None] / 4
    found = Normalisation.of(resident(inputs))
    assert found.std.item() == pytest.approx(np.std([0, 0.25, 0.5, 0.75]), rel=1e-9)


def test_columns_of_plain_inputs_have_numbers_of_their_own():
    inputs = torch.tensor([[0.0, 10.0], [2.0, 30.0]])
    found = Normalisation.of(resident(inputs))
    assert found.mean.tolist() == [1.0, 20.0]
    assert found.std.tolist() == [1.0, 10.0]
    assert found.apply(inputs).tolist() == [[-1.0, -1.0], [1.0, 1.0]]


def test_streams_have_the_numbers_of_what_they_hold():
    inputs = torch.randint(0, 256, (130, 1, 2, 2), dtype=torch.uint8)
    expected = Normalisation.of(resident(inputs))
    streamed = StreamedPart(lambda row: (inputs[row], 0), 130, threads=2)
    assert Normalisation.of(streamed).plain() == expected.plain()
    iterable = IterablePart(lambda: ((each, 0) for each in inputs), 130)
    assert Normalisation.of(iterable).plain() == expected.plain()
    assert Normalisation.of(streamed).note == ""


def test_a_long_stream_is_measured_by_its_first_samples_which_is_said():
    part = IterablePart(lambda: ((np.float32([row % 2]), 0) for row in range(20_000)), 20_000)
    found = Normalisation.of(part)
    assert found.mean.tolist() == [0.5]
    assert "first 10,0" in found.note


def test_kinds_without_measuring():
    part = resident(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
    for kind, expected in (("unit", [0, 1]), ("none", [0, 255])):
        found = make_normalisation(Choice(kind), part)
        assert found.apply(part.inputs).flatten().tolist() == expected
    fixed = make_normalisation(Choice("fixed", {"mean": 0.5, "std": 0.25}), part)
    assert fixed.apply(part.inputs).flatten().tolist() == pytest.approx([-2.0, 2.0])
    wide = resident(torch.zeros(1, 3, 2, 2))
    fixed = make_normalisation(Choice("fixed", {"mean": [1, 2, 3], "std": 0.5}), wide)
    assert fixed.apply(wide.inputs)[0, :, 1, 1].tolist() == [-2.0, -4.0, -6.0]
    with pytest.raises(ShapeError, match="one for each of 3 channels, got 2"):
        make_normalisation(Choice("fixed", {"mean": [1, 2], "std": 1.0}), wide)
    with pytest.raises(InputError, match='Did you mean "channel"'):
        make_normalisation(Choice("chanel"), part)
    with pytest.raises(SchemaError, match=r'option of channel, got "mean"\. It has none'):
        make_normalisation(Choice("channel", {"mean": 1}), part)


def test_inputs_stay_as_they_were():
    inputs = torch.ones(2, 3)
    Normalisation(torch.tensor(1.0), torch.tensor(1.0)).apply(inputs)
    Normalisation(torch.ones(3), torch.ones(3)).apply(inputs)
    assert torch.equal(inputs, torch.ones(2, 3))


def test_float64_stays_float64():
    inputs = torch.full((1, 2), 1 / 3, dtype=torch.float64)
    found = Normalisation(torch.zeros(2), torch.full((2,), 3.0, dtype=torch.float64)).apply(inputs)
    assert found.dtype == torch.float64
    assert found[0, 0].item() == pytest.approx(1 / 9, rel=1e-15)


def test_plain_values_go_there_and_back():
    import json

    inputs = torch.randint(0, 256, (9, 3, 2, 2), dtype=torch.uint8)
    for kind in ("channel", "pixel"):
        first = Normalisation.of(resident(inputs), kind)
        second = Normalisation.from_plain(json.loads(json.dumps(first.plain())))
        assert torch.equal(first.apply(inputs), second.apply(inputs))
    with pytest.raises(SchemaError, match="expected mean, std and unit"):
        Normalisation.from_plain({"mean": [0]})


def test_the_layer_does_what_apply_does():
    inputs = torch.randint(0, 256, (9, 3, 2, 2), dtype=torch.uint8)
    found = Normalisation.of(resident(inputs))
    torch.testing.assert_close(found.module()(inputs), found.apply(inputs), rtol=1e-6, atol=1e-6)
    assert list(found.module().parameters()) == []


def test_inputs_that_are_no_numbers_are_named():
    inputs = torch.zeros(5000, 2)
    inputs[4321, 1] = float("nan")
    part = ResidentPart(inputs, torch.zeros(5000), [f"r{i}" for i in range(5000)])
    with pytest.raises(InputError, match="got NaN or infinity - at sample 4321 r4321"):
        Normalisation.of(part)


def test_a_spread_is_above_zero():
    with pytest.raises(InputError, match="a spread above 0"):
        Normalisation(torch.tensor(0.0), torch.tensor(0.0))
    with pytest.raises(InputError, match="a finite mean"):
        Normalisation(torch.tensor(float("nan")), torch.tensor(1.0))


def test_balanced_weights_agree_with_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    targets = torch.tensor([0, 0, 0, 1, 2, 2, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets.numpy())
    np.testing.assert_allclose(class_weights("balanced", targets, 3).numpy(), expected, rtol=1e-6)


def test_weights_of_label_maps_do_not_count_void():
    # 3 pixels of class 0 and 1 of class 1: 4 / (2 · 3) and 4 / (2 · 1).
    maps = torch.tensor([[[0, 0], [255, 1]], [[0, 255], [255, 255]]], dtype=torch.uint8)
    assert class_weights("balanced", maps, 2).tolist() == pytest.approx([4 / 6, 2.0])


def test_of_many_classes_the_one_of_number_255_is_no_void():
    from sklearn.utils.class_weight import compute_class_weight

    targets = torch.arange(300).repeat(2)[:599]  # one sample of the last class, two of the others
    expected = compute_class_weight("balanced", classes=np.arange(300), y=targets.numpy())
    found = class_weights("balanced", targets, 300)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)


def test_weights_that_cannot_be():
    assert class_weights("none", None, 2) is None
    assert class_weights((1.0, 3.0), None, 2).tolist() == [1.0, 3.0]
    with pytest.raises(ShapeError, match="3 class weights, got 2"):
        class_weights((1.0, 3.0), None, 3)
    with pytest.raises(InputError, match="class weights from 0"):
        class_weights((1.0, -3.0), None, 2)
    with pytest.raises(ClassError, match="class 1 has none"):
        class_weights("balanced", torch.tensor([0, 2]), 3)
    with pytest.raises(InputError, match="got a stream"):
        class_weights("balanced", None, 3)
    with pytest.raises(InputError, match='expected "none", "balanced" or numbers'):
        class_weights("balance", None, 3)
