"""Augmentation: small images worked by hand; ranks, types and label maps."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import functional

from snellen.errors import InputError, SchemaError, ShapeError
from snellen.training.augmentation import AUGMENTATIONS, augmentation, averaged, test_views
from snellen.training.choices import Choice
from snellen.training.randomness import Draws

VOID = 255
MIXINGS = ("mixup", "cutmix")
CHANGES = [name for name in AUGMENTATIONS if name not in MIXINGS]
# Each kind as it is, and with those options that take another way through it.
VARIANTS: list[Any] = [
    *CHANGES,
    {"name": "crop", "border": "edge", "padding": 2},
    {"name": "crop", "border": "zero", "padding": 3},
    {"name": "erasing", "fill": "noise", "probability": 1.0},
    {"name": "erasing", "fill": 7, "probability": 1.0},
    {"name": "cutout", "size": 3, "fill": "noise"},
    {"name": "affine", "shear": 10, "border": "reflect"},
    {"name": "rotate", "degrees": 90, "border": "edge"},
]


def made(*choices: Any, task: str = "classification", n_classes: int = 4) -> Any:
    return augmentation([Choice.of(each, "here") for each in choices], n_classes, task)


def draws(n: int, epoch: int = 3, rows: slice = slice(None)) -> Draws:
    return Draws(1, epoch, 5, n, rows)


def batch(n: int = 13, dtype: torch.dtype = torch.uint8, channels: int = 2) -> Any:
    made_by = torch.Generator().manual_seed(0)
    inputs = torch.randint(0, 256, (n, channels, 9, 12), generator=made_by, dtype=torch.uint8)
    labels = torch.randint(0, 4, (n, 9, 12), generator=made_by)
    return inputs.to(dtype), labels, torch.randperm(500, generator=made_by)[:n]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("choice", VARIANTS, ids=str)
def test_the_rows_of_a_rank_are_those_of_the_whole_batch(choice: Any, dtype: torch.dtype) -> None:
    inputs, labels, rows = batch(dtype=dtype)
    before = inputs.clone(), labels.clone()
    change = made(choice, "flip", task="segmentation")
    images, maps = change.before(inputs, labels, rows, draws(13))
    assert images.shape == inputs.shape
    assert images.dtype == dtype
    assert maps.shape == labels.shape
    assert maps.dtype == torch.int64
    # The batch itself stays as it was; the same draws change it in the same way.
    assert torch.equal(inputs, before[0])
    assert torch.equal(labels, before[1])
    assert not torch.equal(images, inputs)
    again, _ = change.before(inputs, labels, rows, draws(13))
    assert torch.equal(again, images)
    other, _ = change.before(inputs, labels, rows, Draws(2, 3, 5, 13))
    assert not torch.equal(other, images)
    for rank in range(3):
        here = slice(rank, None, 3)
        part, part_maps = change.before(
            inputs[here], labels[here], rows[here], draws(13, rows=here)
        )
        assert torch.equal(part, images[here])
        assert torch.equal(part_maps, maps[here])


@pytest.mark.parametrize("name", [*CHANGES])
def test_label_maps_move_with_their_images(name: str) -> None:
    """An image that shows its labels shows them afterwards, save where pixels are averaged."""
    _, labels, rows = batch()
    # The same label in blocks: inside a block an average is the label itself.
    labels = labels[:, :4, :3].repeat_interleave(9, 1).repeat_interleave(9, 2)
    options = {"erasing": {"fill": 9}, "cutout": {"fill": 9}}.get(name, {})
    images, maps = made({"name": name, **options}, task="segmentation").before(
        labels[:, None].float() * 10, labels, rows, draws(13)
    )
    if name in ("brightness", "contrast"):
        assert torch.equal(maps, labels)
        return
    shown, wanted = images[:, 0], torch.where(maps == VOID, 0, maps * 10)
    taken_away = (maps == VOID) & (shown == 9)
    same = (shown == wanted) | taken_away
    if name in ("rotate", "affine", "resized_crop"):
        # Where all labels around are the same, so are all pixels that are averaged.
        most, least = (sign * functional.max_pool2d(sign * maps.float(), 5, 1) for sign in (1, -1))
        inner = functional.pad(most == least, (2, 2, 2, 2))
        assert inner.float().mean() > 0.1
        assert ((shown - wanted).abs() < 0.01)[inner].all()
    else:
        assert same.all()


def test_flip_of_a_row() -> None:
    x = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8)
    y = torch.tensor([0])
    flipped, _ = made({"name": "flip", "probability": 1}).before(x, y, y, draws(1))
    assert flipped.tolist() == [[[[3, 2, 1]]]]
    kept, _ = made({"name": "flip", "probability": 0}).before(x, y, y, draws(1))
    assert torch.equal(kept, x)
    turned, _ = made({"name": "vertical_flip", "probability": 1}).before(x.mT, y, y, draws(1))
    assert turned.flatten().tolist() == [3, 2, 1]


def test_flip_takes_about_half() -> None:
    x = torch.arange(2, dtype=torch.uint8).expand(4000, 1, 1, 2)
    y = torch.zeros(4000, dtype=torch.int64)
    flipped, _ = made("flip").before(x, y, y, draws(4000))
    # 2000 expected, of standard deviation sqrt(4000 / 4) = 31.6: four of them.
    assert abs(int(flipped[..., 0].sum()) - 2000) < 127


def test_alternating_flip_shows_each_image_both_ways_in_two_epochs() -> None:
    n = 4000
    x = torch.arange(2, dtype=torch.uint8).expand(n, 1, 1, 2)
    y, rows = torch.zeros(n, dtype=torch.int64), torch.arange(n)
    change = made("alternating_flip")
    first, second, third = (
        change.before(x, y, rows, draws(n, epoch))[0][:, 0, 0, 0] for epoch in (0, 1, 2)
    )
    assert (first ^ second).all()
    assert torch.equal(first, third)
    assert abs(int(first.sum()) - n // 2) < 127
    # Whether neighbours agree is by chance, too: half of them, no pattern of even and odd.
    assert abs(int((first[1:] == first[:-1]).sum()) - n // 2) < 127
    # A sample has its phase in any batch.
    shuffled = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    mixed, _ = change.before(x, y, shuffled, draws(n, 0))
    assert torch.equal(mixed[:, 0, 0, 0], first[shuffled])


@pytest.mark.parametrize("border", ["reflect", "edge", "zero"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_crop_is_a_window_of_the_padded_image(border: str, dtype: torch.dtype) -> None:
    inputs, labels, rows = batch(60, dtype)
    change = made({"name": "crop", "padding": 2, "border": border}, task="segmentation")
    images, maps = change.before(inputs, labels, rows, draws(60))
    offsets = draws(60).integers(0, 5, 2).tolist()
    mode = {"reflect": "reflect", "edge": "replicate", "zero": "constant"}[border]
    fill = {"value": VOID} if border == "zero" else {}
    large = functional.pad(inputs.double(), (2, 2, 2, 2), mode=mode)
    large_maps = functional.pad(labels.double()[:, None], (2, 2, 2, 2), mode=mode, **fill)[:, 0]
    for k, (down, right) in enumerate(offsets):
        assert torch.equal(images[k].double(), large[k, :, down : down + 9, right : right + 12])
        assert torch.equal(maps[k].double(), large_maps[k, down : down + 9, right : right + 12])
    assert len({tuple(each) for each in offsets}) > 15  # of 25 places


def test_translate_brings_in_zeros_and_moves_both_ways() -> None:
    x = torch.full((200, 1, 3, 3), 5, dtype=torch.uint8)
    y = torch.zeros(200, dtype=torch.int64)
    moved, _ = made({"name": "translate", "pixels": 1}).before(x, y, y, draws(200))
    counts = (moved == 5).sum((1, 2, 3))
    # Moved in no direction, one, or two: 9, 6 or 4 pixels remain.
    assert counts.unique().tolist() == [4, 6, 9]
    assert (moved[:, 0, 0, 0] == 0).any()
    assert (moved[:, 0, 2, 2] == 0).any()


def test_channels_last_images_are_cropped_alike() -> None:
    inputs, labels, rows = batch()
    plain, _ = made("crop", "flip").before(inputs, labels, rows, draws(13))
    other, _ = made("crop", "flip").before(
        inputs.contiguous(memory_format=torch.channels_last), labels, rows, draws(13)
    )
    assert torch.equal(plain, other)


def test_erasing_takes_one_rectangle_of_the_areas_wanted() -> None:
    n = 500
    x = torch.ones(n, 1, 20, 20)
    y = torch.zeros(n, dtype=torch.int64)
    options = {"name": "erasing", "probability": 0.8, "area": [0.1, 0.2], "aspect": 2, "fill": 0}
    erased, _ = made(options).before(x, y, y, draws(n))
    gone = erased[:, 0] == 0
    some = gone.any(2).any(1)
    assert abs(int(some.sum()) - 400) < 4 * math.sqrt(500 * 0.16)
    for each in gone[some]:
        rows, columns = each.any(1).nonzero(), each.any(0).nonzero()
        h = int(rows[-1] - rows[0]) + 1
        w = int(columns[-1] - columns[0]) + 1
        assert int(each.sum()) == h * w  # one full rectangle
        # Sides are rounded to whole pixels: of 5.3 … 12.6, by half a pixel each.
        assert 40 * 0.8 <= h * w <= 80 * 1.2
        assert max(h / w, w / h) < 2 * 1.25


def test_erasing_fills_with_the_mean_of_each_channel() -> None:
    # Means 10 / 4 = 2.5, which rounds to the even 2, and 100.
    x = torch.tensor([[[[0, 0], [0, 10]], [[100, 100], [100, 100]]]], dtype=torch.uint8)
    y = torch.zeros(1, dtype=torch.int64)
    erased, _ = made({"name": "erasing", "probability": 1, "area": [1, 1], "aspect": 1}).before(
        x, y, y, draws(1)
    )
    assert erased.tolist() == [[[[2, 2], [2, 2]], [[100, 100], [100, 100]]]]


def test_noise_stays_within_the_image() -> None:
    x = torch.linspace(-3, 2, 100).reshape(1, 1, 10, 10)
    y = torch.zeros(1, dtype=torch.int64)
    options = {"name": "cutout", "size": 30, "fill": "noise"}
    noisy, _ = made(options).before(x, y, y, draws(1))
    assert -3 <= float(noisy.min()) < float(noisy.max()) <= 2
    assert not torch.equal(noisy, x)


def test_cutout_is_a_square_that_may_hang_over() -> None:
    n = 300
    x = torch.ones(n, 1, 8, 8)
    y = torch.zeros(n, dtype=torch.int64)
    cut, _ = made({"name": "cutout", "size": 4, "fill": 0}).before(x, y, y, draws(n))
    sizes = (cut == 0).sum((1, 2, 3))
    # Whole squares have 16 pixels; with the centre in a corner 2 x 2 remain.
    assert int(sizes.max()) == 16
    assert int(sizes.min()) == 4


def test_light_by_hand() -> None:
    x = torch.tensor([[[[10, 200]]]], dtype=torch.uint8)
    y = torch.zeros(1, dtype=torch.int64)
    factor = 1 + 0.5 * (2 * float(draws(1).uniform()) - 1)
    bright, _ = made({"name": "brightness", "strength": 0.5}).before(x, y, y, draws(1))
    assert bright.flatten().tolist() == [round(10 * factor), min(round(200 * factor), 255)]
    # Mean 105: 105 -+ 95 * factor.
    contrast, _ = made({"name": "contrast", "strength": 0.5}).before(x, y, y, draws(1))
    wanted = [105 - 95 * factor, 105 + 95 * factor]
    assert contrast.flatten().tolist() == [min(max(round(each), 0), 255) for each in wanted]
    floating, _ = made({"name": "contrast", "strength": 0.5}).before(x / 255, y, y, draws(1))
    torch.testing.assert_close(floating.flatten() * 255, torch.tensor(wanted), rtol=0, atol=1e-4)


def test_rotation_by_its_angle() -> None:
    """A picture that is linear in x and y is turned exactly by linear interpolation."""
    v, u = torch.meshgrid(torch.arange(11.0) - 5, torch.arange(11.0) - 5, indexing="ij")
    x = (u + 3 * v).expand(4, 1, 11, 11).contiguous()
    y = torch.zeros(4, dtype=torch.int64)
    turned, _ = made({"name": "rotate", "degrees": 30}).before(x, y, y, draws(4))
    angles = (2 * draws(4).uniform(5)[:, 0] - 1) * math.radians(30)
    inside = u**2 + v**2 <= 16
    for k, angle in enumerate(angles.tolist()):
        # The pixel (u, v) shows what was at (cos u + sin v, -sin u + cos v).
        cos, sin = math.cos(angle), math.sin(angle)
        wanted = cos * u + sin * v + 3 * (-sin * u + cos * v)
        torch.testing.assert_close(turned[k, 0][inside], wanted[inside], rtol=0, atol=1e-4)


def test_affine_without_any_change_is_the_image() -> None:
    inputs, labels, rows = batch()
    options = {"name": "affine", "degrees": 0, "translate": 0, "scale": [1, 1]}
    images, maps = made(options, task="segmentation").before(inputs, labels, rows, draws(13))
    assert torch.equal(images, inputs)
    assert torch.equal(maps, labels)
    whole = {"name": "resized_crop", "area": [1, 1], "aspect": 1}
    images, maps = made(whole, task="segmentation").before(inputs, labels, rows, draws(13))
    assert torch.equal(images, inputs)
    assert torch.equal(maps, labels)


def test_affine_moves_scales_and_shears() -> None:
    v, u = torch.meshgrid(torch.arange(21.0) - 10, torch.arange(21.0) - 10, indexing="ij")
    x = (u + 3 * v).expand(3, 1, 21, 21).contiguous()
    y = torch.zeros(3, dtype=torch.int64)
    options = {"degrees": 0, "translate": 0.1, "scale": [0.8, 1.2], "shear": 20}
    moved, _ = made({"name": "affine", **options}).before(x, y, y, draws(3))
    inside = u**2 + v**2 <= 9
    for k, (_, shear, scale, down, right) in enumerate(draws(3).uniform(5).tolist()):
        size, slope = 0.8 + 0.4 * scale, math.tan((2 * shear - 1) * math.radians(20))
        back_u = (u - (2 * right - 1) * 2.1) / size
        back_v = (v - (2 * down - 1) * 2.1) / size
        wanted = back_u + slope * back_v + 3 * back_v
        torch.testing.assert_close(moved[k, 0][inside], wanted[inside], rtol=0, atol=1e-4)


def test_resized_crop_shows_a_part_larger() -> None:
    x = torch.arange(32.0).expand(50, 1, 16, 32).contiguous()
    y = torch.zeros(50, dtype=torch.int64)
    options = {"name": "resized_crop", "area": [0.25, 0.25], "aspect": 1}
    parts, _ = made(options).before(x, y, y, draws(50))
    row = parts[:, 0, 8]
    # Half the width: each pixel is half a pixel of the image further.
    torch.testing.assert_close(row.diff(dim=1)[:, 2:-2], torch.full((50, 27), 0.5))
    middle = row.mean(1)
    assert float(middle.min()) < 11
    assert float(middle.max()) > 20


def test_mixup_by_hand() -> None:
    x, y = torch.eye(6)[:, None, None], torch.arange(6) % 3
    inputs, targets = made("mixup", n_classes=3).after(x, y, draws(6))
    drawn = draws(6)
    partner, weight = drawn.permutation(), float(drawn.beta(0.2))
    assert targets.dtype == torch.float32
    for k in range(6):
        torch.testing.assert_close(inputs[k], weight * x[k] + (1 - weight) * x[partner[k]])
        wanted = torch.zeros(3)
        wanted[y[k]] += weight
        wanted[y[partner[k]]] += 1 - weight
        torch.testing.assert_close(targets[k], wanted)


def test_cutmix_targets_are_the_parts_of_the_images() -> None:
    n = 8
    x = torch.arange(float(n))[:, None, None, None].expand(n, 2, 10, 10)
    y = torch.arange(n)
    changed = 0
    for step in range(20):
        inputs, targets = made("cutmix", n_classes=n).after(x, y, Draws(0, 0, step, n))
        torch.testing.assert_close(targets.sum(1), torch.ones(n))
        for k in range(n):
            parts = (inputs[k, 0].flatten().long().bincount(minlength=n)) / 100
            torch.testing.assert_close(targets[k], parts)
        changed += int(not torch.equal(inputs, x))
        assert torch.equal(inputs[:, 0], inputs[:, 1])
    assert changed > 10


def test_mixing_of_numbers_and_of_soft_targets() -> None:
    x = torch.arange(4.0)[:, None]
    y = torch.arange(4.0)[:, None] * 2
    inputs, targets = made("mixup", task="regression").after(x, y, draws(4))
    torch.testing.assert_close(targets, inputs * 2)
    soft = torch.eye(4)
    _, hard = made("mixup").after(x, torch.arange(4), draws(4))
    _, given = made("mixup").after(x, soft, draws(4))
    assert torch.equal(hard, given)


def test_of_two_mixings_each_has_its_batches() -> None:
    x = torch.arange(8.0)[:, None, None, None].expand(8, 1, 4, 4)
    change = made("mixup", {"name": "cutmix", "probability": 0.5})
    n_mixed = n_cut = n_kept = 0
    for step in range(200):
        inputs, targets = change.after(x, torch.arange(8) % 4, Draws(0, 0, step, 8))
        assert targets.shape == (8, 4)
        if torch.equal(inputs, x):
            n_kept += 1
        elif (inputs != inputs.round()).any():
            n_mixed += 1
        else:
            n_cut += 1
    # Half mixup; cutmix has the other half, of which half stay as they are.
    assert 70 < n_mixed < 130
    assert n_cut > 20
    assert n_kept > 40


def test_after_without_mixing_changes_nothing() -> None:
    x, y = torch.ones(2, 1), torch.arange(2)
    change = made("flip")
    assert not change.mixes
    assert change.changes_images
    assert change.after(x, y, draws(2)) == (x, y)
    assert made("cutmix").mixes
    assert not made("cutmix").changes_images


def test_mixing_needs_the_whole_batch() -> None:
    with pytest.raises(ShapeError, match="expected the whole batch of 6 samples to mix, got 3"):
        made("mixup").after(torch.ones(3, 1), torch.arange(3), draws(6))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("fliip", 'expected an augmentation, got "fliip". Did you mean "flip"? - at here'),
        ("cutmx", 'expected an augmentation, got "cutmx". Did you mean "cutmix"? - at here'),
        (
            {"name": "flip", "probability": 2},
            "expected probability from 0 to 1, got 2.0 - at here",
        ),
        ({"name": "crop", "padding": 0}, "expected padding from 1, got 0 - at here"),
        ({"name": "translate", "pixels": -1}, "expected pixels from 1, got -1 - at here"),
        (
            {"name": "erasing", "area": [0.5, 0.2]},
            "expected area = [least, greatest] between 0 and 1, got [0.5, 0.2] - at here",
        ),
        ({"name": "erasing", "aspect": 0.5}, "expected aspect from 1, got 0.5 - at here"),
        ({"name": "cutout", "size": 0}, "expected size from 1, got 0 - at here"),
        ({"name": "rotate", "degrees": 200}, "expected degrees from 0 to 180, got 200.0 - at here"),
        ({"name": "mixup", "alpha": 0}, "expected alpha above 0, got 0.0 - at here"),
        (
            {"name": "resized_crop", "area": [0, 1]},
            "expected area = [least, greatest] between 0 and 1, got [0.0, 1.0] - at here",
        ),
        (
            {"name": "affine", "scale": [0, 1]},
            "expected scale = [least, greatest] above 0, got [0.0, 1.0] - at here",
        ),
    ],
)
def test_refused(choice: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        made(choice)
    assert str(caught.value) == message


def test_unknown_option_is_refused() -> None:
    with pytest.raises(SchemaError, match='expected an option of crop, got "paddin"'):
        made({"name": "crop", "paddin": 3})


@pytest.mark.parametrize(
    ("name", "task"),
    [("mixup", "segmentation"), ("cutmix", "segmentation"), ("cutmix", "regression")],
)
def test_mixing_that_a_task_has_no_use_for(name: str, task: str) -> None:
    with pytest.raises(InputError, match=f"expected an augmentation for {task}, got {name}"):
        made(name, task=task)


def test_plain_inputs_are_no_images() -> None:
    y = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ShapeError, match=r"images \(N, C, H, W\) for flip, got inputs \(2, 5\)"):
        made("flip").before(torch.ones(2, 5), y, y, draws(2))
    with pytest.raises(ShapeError, match=r"for cutmix, got \(2, 5\)"):
        made("cutmix").after(torch.ones(2, 5), y, draws(2))


def test_images_too_small_to_be_mirrored() -> None:
    y = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ShapeError, match=r"more than 4 pixels a side .* got 3 × 8: .* at here"):
        made("crop").before(torch.ones(2, 1, 3, 8), y, y, draws(2))


def test_a_fill_that_is_no_byte() -> None:
    y = torch.zeros(2, dtype=torch.int64)
    x = torch.ones(2, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(InputError, match=r"from 0 to 255 for images of bytes, got -0.5 - at here"):
        made({"name": "cutout", "fill": -0.5}).before(x, y, y, draws(2))


def test_views_by_hand() -> None:
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    same, flipped = test_views(x, ["flip"])
    assert torch.equal(same, x)
    assert flipped[0, 0].tolist() == [[2, 1, 0], [5, 4, 3], [8, 7, 6]]
    _, up, down = test_views(x, ["translate"])
    # Up and left: row 1 comes first; what comes in is the row mirrored at the last, row 1 again.
    assert up[0, 0].tolist() == [[4, 5, 4], [7, 8, 7], [4, 5, 4]]
    assert down[0, 0].tolist() == [[4, 3, 4], [1, 0, 1], [4, 3, 4]]
    assert len(test_views(x, ["flip", "translate"])) == 6
    assert len(test_views(x, [])) == 1


def test_averages_of_views() -> None:
    x = torch.arange(8.0).reshape(2, 1, 2, 2)
    mean = averaged(lambda images: images[:, 0, 0], x, ["flip"])
    # (0, 1) and (1, 0): 0.5; (4, 5) and (5, 4): 4.5.
    assert mean.tolist() == [[0.5, 0.5], [4.5, 4.5]]


@pytest.mark.parametrize("names", [["flip"], ["flip", "vertical_flip"], ["vertical_flip", "flip"]])
def test_maps_of_mirrored_views_are_mirrored_back(names: list[str]) -> None:
    x = torch.arange(24.0).reshape(2, 1, 3, 4)
    assert torch.equal(averaged(lambda images: images * 2, x, names), x * 2)


def test_views_that_are_refused() -> None:
    x = torch.ones(1, 1, 3, 3)
    with pytest.raises(InputError, match=r'expected a view of images, got "flop". Did you mean'):
        test_views(x, ["flop"])
    with pytest.raises(ShapeError, match=r"expected images \(N, C, H, W\) to view, got \(1, 3\)"):
        test_views(torch.ones(1, 3), ["flip"])
    with pytest.raises(ShapeError, match='for the view "translate", got maps'):
        averaged(lambda images: images, x, ["translate"])
