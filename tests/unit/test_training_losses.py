from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from snellen.errors import ClassError, InputError, SchemaError, ShapeError
from snellen.training.choices import Choice
from snellen.training.class_loss import VOID
from snellen.training.losses import LOSSES, Loss, make_loss

K = 4
CLASS_OPTIONS = {
    "cross_entropy": {"label_smoothing": 0.1},
    "bce": {"label_smoothing": 0.1, "positive_weight": 2.0},
    "focal": {"gamma": 1.5, "alpha": [0.2, 0.5, 1.0, 0.7]},
    "sigmoid_focal": {"gamma": 1.5},
    "poly": {"epsilon": 2.0},
    "hinge": {"margin": 0.7, "squared": True},
    "dice": {"cross_entropy": 0.5},
}
WEIGHTS = torch.tensor([1.0, 2.0, 3.0, 1.0], dtype=torch.float64)
ALL = [
    (task, name, weighted)
    for task, losses in LOSSES.items()
    for name in losses
    for weighted in ((False, True) if task != "regression" else (False,))
]


def a_loss(task: str, name: str, *, weighted: bool = False, **options: object) -> Loss:
    return make_loss(
        Choice(name, options or CLASS_OPTIONS.get(name, {})),
        task=task,
        n_outputs=K,
        class_weights=WEIGHTS if weighted else None,
    )


def a_batch(task: str, n: int = 13, *, soft: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = torch.Generator().manual_seed(3)
    shape = (n, K, 5, 3) if task == "segmentation" else (n, K)
    output = torch.randn(shape, generator=drawn, dtype=torch.float64, requires_grad=True)
    if task == "regression":
        return output, torch.randn(shape, generator=drawn, dtype=torch.float64)
    if soft:
        return output, torch.rand(shape, generator=drawn, dtype=torch.float64).softmax(1)
    target = torch.randint(0, K, (n, *shape[2:]), generator=drawn)
    if task == "segmentation":
        target[torch.rand(target.shape, generator=drawn) < 0.2] = VOID
        target[2] = VOID  # a whole image
    return output, target


@pytest.mark.parametrize(("task", "name", "weighted"), ALL)
def test_a_batch_in_parts_is_the_whole_batch(task: str, name: str, weighted: bool) -> None:
    loss = a_loss(task, name, weighted=weighted)
    output, target = a_batch(task)
    whole = loss(output, target)
    (gradient,) = torch.autograd.grad(whole, output)
    parts = [slice(0, 5), slice(5, 10), slice(10, 13)]
    weight = sum(loss.weight(target[part]) for part in parts)
    total = torch.zeros((), dtype=torch.float64)
    of_parts = torch.zeros_like(output)
    for part in parts:
        of_part = loss.total(output[part], target[part]) / weight
        of_parts += torch.autograd.grad(of_part, output)[0]
        total += of_part.detach()
    assert abs(total - whole) <= 1e-15 * max(1, abs(whole))
    assert (of_parts - gradient).abs().max() <= 1e-15


def test_a_mean_of_means_is_not() -> None:
    loss = a_loss("classification", "cross_entropy")
    output, target = a_batch("classification")
    means = [loss(output[part], target[part]) for part in (slice(5), slice(5, 10), slice(10, 13))]
    assert abs(sum(means) / 3 - loss(output, target)) > 1e-3


@pytest.mark.parametrize(
    ("task", "name"),
    [(task, name) for task, name, weighted in ALL if weighted and name != "dice"],
)
def test_class_weights_are_samples_that_appear_so_often(task: str, name: str) -> None:
    output, target = a_batch(task)
    if task == "segmentation":  # Pixels, not images, are what appears often.
        output = output.movedim(1, -1).reshape(-1, K, 1, 1)
        target = target.reshape(-1, 1, 1)
    times = torch.tensor([int(WEIGHTS[k]) if k != VOID else 1 for k in target.flatten().tolist()])
    # torch weighs the part that label smoothing adds by the classes that it is spread over.
    options = {"label_smoothing": 0.0} if name == "cross_entropy" else CLASS_OPTIONS[name]
    often = a_loss(task, name, **options)(
        output.repeat_interleave(times, 0), target.repeat_interleave(times, 0)
    )
    weighted = a_loss(task, name, weighted=True, **options)(output, target)
    assert weighted.item() == pytest.approx(often.item(), rel=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 7, 128, 1000])
def test_means_are_those_of_torch_bit_for_bit(dtype: torch.dtype, n: int) -> None:
    drawn = torch.Generator().manual_seed(n)
    output = torch.randn(n, K, generator=drawn, dtype=dtype) * 3
    values = torch.randn(n, K, generator=drawn, dtype=dtype)
    classes = torch.randint(0, K, (n,), generator=drawn)
    soft = values.softmax(1)
    hot = functional.one_hot(classes, K).to(dtype)
    weights = WEIGHTS.to(dtype)
    maps = torch.randn(n, K, 2, 2, generator=drawn, dtype=dtype)
    pixels = torch.randint(0, K, (n, 2, 2), generator=drawn)
    pixels[:, 0, 1] = VOID

    def ours(task: str, name: str, weighted: bool = False, **options: object) -> Loss:
        given = weights if weighted else None
        return make_loss(Choice(name, options), task=task, n_outputs=K, class_weights=given)

    cls, reg, seg = "classification", "regression", "segmentation"
    cross, binary = functional.cross_entropy, functional.binary_cross_entropy_with_logits
    pairs = [
        (ours(cls, "auto")(output, classes), cross(output, classes)),
        (ours(cls, "cross_entropy")(output, soft), cross(output, soft)),
        (
            ours(cls, "cross_entropy", label_smoothing=0.2)(output, classes),
            cross(output, classes, label_smoothing=0.2),
        ),
        (
            ours(cls, "cross_entropy", True, label_smoothing=0.2)(output, classes),
            cross(output, classes, weights, label_smoothing=0.2),
        ),
        (ours(cls, "cross_entropy", True)(output, soft), cross(output, soft, weights)),
        (ours(seg, "auto")(maps, pixels), cross(maps, pixels, ignore_index=VOID)),
        (
            ours(seg, "cross_entropy", True)(maps, pixels),
            cross(maps, pixels, weights, ignore_index=VOID),
        ),
        (ours(cls, "bce")(output, classes), binary(output, hot)),
        (ours(cls, "bce")(output, soft), binary(output, soft)),
        (
            ours(cls, "bce", positive_weight=3.0)(output, classes),
            binary(output, hot, pos_weight=torch.tensor(3.0, dtype=dtype)),
        ),
        (ours(cls, "hinge")(output, classes), functional.multi_margin_loss(output, classes)),
        (ours(reg, "auto")(output, values), functional.mse_loss(output, values)),
        (ours(reg, "mae")(output, values), functional.l1_loss(output, values)),
        (
            ours(reg, "huber", delta=0.5)(output, values),
            functional.huber_loss(output, values, delta=0.5),
        ),
        (
            ours(reg, "smooth_l1", beta=0.5)(output, values),
            functional.smooth_l1_loss(output, values, beta=0.5),
        ),
        (
            ours(reg, "poisson")(output, values.abs()),
            functional.poisson_nll_loss(output, values.abs()),
        ),
    ]
    for k, (mine, reference) in enumerate(pairs):
        assert mine.dtype == dtype
        assert torch.equal(mine, reference), k


@pytest.mark.parametrize(("task", "name", "weighted"), ALL)
def test_the_mean_is_the_total_by_the_weight(task: str, name: str, weighted: bool) -> None:
    loss = a_loss(task, name, weighted=weighted)
    batches = [a_batch(task)]
    if task != "regression" and name != "hinge":
        batches.append(a_batch(task, soft=True))
    for output, target in batches:
        mean = (loss.total(output, target) / loss.weight(target)).detach()
        assert loss(output, target).item() == pytest.approx(float(mean), rel=1e-14)


@pytest.mark.parametrize(("task", "name", "weighted"), ALL)
def test_gradients_are_the_finite_differences(task: str, name: str, weighted: bool) -> None:
    loss = a_loss(task, name, weighted=weighted)
    output, target = a_batch(task, n=4)
    assert torch.autograd.gradcheck(lambda x: loss(x, target), output)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [name for name in LOSSES["classification"] if name != "hinge"])
def test_class_numbers_are_shares_of_one(name: str, weighted: bool) -> None:
    output, target = a_batch("classification")
    loss = a_loss("classification", name, weighted=weighted)
    hot = functional.one_hot(target, K).double()
    assert loss.total(output, hot).item() == pytest.approx(loss.total(output, target).item())
    if name == "cross_entropy" and weighted:
        # As in torch.
        assert int(loss.weight(hot)) == 13
    else:
        assert int(loss.weight(hot)) == int(loss.weight(target))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "name", [name for name in LOSSES["segmentation"] if name in LOSSES["classification"]]
)
def test_label_maps_are_their_pixels(name: str, weighted: bool, soft: bool) -> None:
    output, target = a_batch("segmentation", soft=soft)
    maps = a_loss("segmentation", name, weighted=weighted)(output, target)
    rows = output.movedim(1, -1).reshape(-1, K)
    of_rows = target.movedim(1, -1).reshape(-1, K) if soft else target.flatten()
    valid = slice(None) if soft else of_rows != VOID
    pixels = a_loss("classification", name, weighted=weighted)(rows[valid], of_rows[valid])
    assert maps.item() == pytest.approx(pixels.item(), rel=1e-13)


@pytest.mark.parametrize(("task", "name", "weighted"), ALL)
def test_no_number_is_read_from_the_device(task: str, name: str, weighted: bool) -> None:
    # Tensors of the device "meta" have none: what looks at one raises.
    output, target = (each.detach().to("meta") for each in a_batch(task))
    loss = a_loss(task, name, weighted=weighted)
    assert loss(output, target).shape == ()
    assert loss.total(output, target).shape == loss.weight(target).shape == ()


def test_losses_by_hand() -> None:
    output = torch.tensor([[0.0, 0.0]], dtype=torch.float64)
    target = torch.tensor([1])

    def of(name: str, task: str = "classification", **options: object) -> float:
        loss = make_loss(Choice(name, options), task=task, n_outputs=2)
        return loss(output, target).item()

    # p = 1/2 of the true class.
    assert of("cross_entropy") == pytest.approx(math.log(2))
    assert of("focal", gamma=2.0) == pytest.approx(math.log(2) / 4)
    assert of("focal", gamma=1.0, alpha=[1.0, 0.5]) == pytest.approx(math.log(2) / 4)
    assert of("poly", epsilon=3.0) == pytest.approx(math.log(2) + 1.5)
    assert of("bce") == pytest.approx(math.log(2))
    # A yes of 0.9 and a no of 0.1, at one half; the yes counts three times.
    expected = ((3 * 0.9 + 0.1) + (3 * 0.1 + 0.9)) * math.log(2) / 2
    assert of("bce", label_smoothing=0.2, positive_weight=3.0) == pytest.approx(expected)
    # Both classes: ln 2 × 1/4, times 0.25 for the yes and 0.75 for the no; the mean of the two.
    assert of("sigmoid_focal") == pytest.approx(math.log(2) / 4 * (0.25 + 0.75) / 2)
    # The other class lacks the whole margin of 1; by two classes.
    assert of("hinge") == pytest.approx(0.5)


def test_values_by_hand() -> None:
    output = torch.tensor([[0.0], [3.0]], dtype=torch.float64)
    target = torch.tensor([[0.5], [1.0]], dtype=torch.float64)

    def of(name: str, **options: object) -> float:
        loss = make_loss(Choice(name, options), task="regression", n_outputs=1)
        return loss(output, target).item()

    assert of("mse") == pytest.approx((0.25 + 4) / 2)
    assert of("mae") == pytest.approx(1.25)
    assert of("huber") == pytest.approx((0.125 + 1.5) / 2)
    assert of("smooth_l1", beta=2.0) == pytest.approx((0.25 / 4 + 1) / 2)
    # 0.5 too low costs q each, 2 too high 1 - q each.
    assert of("quantile", q=0.9) == pytest.approx((0.45 + 0.2) / 2)
    assert of("log_cosh") == pytest.approx((math.log(math.cosh(0.5)) + math.log(math.cosh(2))) / 2)
    # exp(output) - target × output
    assert of("poisson") == pytest.approx((1 - 0 + math.exp(3) - 3) / 2)


def test_log_cosh_does_not_overflow() -> None:
    loss = make_loss(Choice("log_cosh"), task="regression", n_outputs=1)
    far = loss(torch.tensor([[1000.0]]), torch.tensor([[0.0]]))
    assert float(far) == pytest.approx(1000 - math.log(2))


def test_dice_by_hand() -> None:
    # Two classes, one image of four pixels, all logits 0: p = 1/2 everywhere. True: 1, 1, 0, void.
    output = torch.zeros(1, 2, 2, 2, dtype=torch.float64)
    target = torch.tensor([[[1, 1], [0, VOID]]])
    loss = make_loss(Choice("dice"), task="segmentation", n_outputs=2)
    # Class 0: 1 - (2 × 0.5 + 1) / (1 + 1.5 + 1); class 1: 1 - (2 × 1 + 1) / (2 + 1.5 + 1).
    expected = ((1 - 2 / 3.5) + (1 - 3 / 4.5)) / 2
    assert loss(output, target).item() == pytest.approx(expected)
    both = make_loss(Choice("dice", {"cross_entropy": 2.0}), task="segmentation", n_outputs=2)
    assert both(output, target).item() == pytest.approx(expected + 2 * math.log(2))


def test_dice_of_classes_that_weigh() -> None:
    # As above; class 1 weighs three times what class 0 does.
    target = torch.tensor([[[1, 1], [0, VOID]]])
    weights = torch.tensor([1.0, 3.0])
    loss = make_loss(Choice("dice"), task="segmentation", n_outputs=2, class_weights=weights)
    expected = ((1 - 2 / 3.5) + 3 * (1 - 3 / 4.5)) / 4
    assert loss(torch.zeros(1, 2, 2, 2), target).item() == pytest.approx(expected)


def test_dice_of_what_is_right_is_nothing() -> None:
    _, target = a_batch("segmentation")
    sure = functional.one_hot(target.masked_fill(target == VOID, 0), K).movedim(-1, 1) * 1e4
    loss = a_loss("segmentation", "dice", smooth=1.0)
    assert loss(sure.double(), target).item() == 0


def test_the_minimum_of_a_smoothed_cross_entropy_is_the_entropy_of_its_targets() -> None:
    # Share 0.1 over 4 classes: the true class has 0.925, the others 0.025 each.
    shares = torch.tensor([[0.925, 0.025, 0.025, 0.025]], dtype=torch.float64)
    loss = a_loss("classification", "cross_entropy", label_smoothing=0.1)
    at_minimum = loss(shares.log().requires_grad_(), torch.tensor([0]))
    assert float(at_minimum.detach()) == pytest.approx(-float((shares * shares.log()).sum()))


@pytest.mark.parametrize("name", list(LOSSES["segmentation"]))
def test_void_pixels_count_nothing(name: str) -> None:
    output, target = a_batch("segmentation")
    loss = a_loss("segmentation", name)
    (gradient,) = torch.autograd.grad(loss(output, target), output)
    void = (target == VOID).unsqueeze(1).expand_as(output)
    assert gradient[void].abs().max() == 0
    with torch.no_grad():
        other = torch.where(void, torch.full_like(output, 7.0), output)
    assert loss(other, target).item() == loss(output.detach(), target).item()


def test_images_of_void_alone_have_no_loss() -> None:
    output, target = a_batch("segmentation")
    target = torch.full_like(target, VOID)
    loss = a_loss("segmentation", "cross_entropy")
    value = loss(output, target)
    value.backward()
    assert value.item() == 0
    assert output.grad is not None
    assert not output.grad.any()
    assert int(loss.weight(target)) == 0


def test_a_class_255_is_no_void_in_classification() -> None:
    loss = make_loss(Choice("cross_entropy"), task="classification", n_outputs=300)
    target = torch.tensor([255, 3])
    assert int(loss.weight(target)) == 2
    assert loss(torch.zeros(2, 300), target).item() == pytest.approx(math.log(300))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_slopes_are_finite_where_all_is_right(gamma: float) -> None:
    for name in ("focal", "sigmoid_focal"):
        output = torch.tensor([[300.0, -300.0, -300.0, -300.0]], requires_grad=True)
        a_loss("classification", name, gamma=gamma)(output, torch.tensor([0])).backward()
        assert output.grad is not None
        assert output.grad.isfinite().all()


def test_half_precision_is_summed_in_float32() -> None:
    for task, name, _ in ALL:
        output, target = a_batch(task)
        loss = a_loss(task, name)
        half = output.detach().bfloat16()
        value = loss(half, target)
        assert value.dtype == torch.float32
        assert torch.equal(value, loss(half.float(), target))


def test_refusals() -> None:
    place = "a.toml line 3 loss"

    def refused(name: str, options: dict[str, object], task: str = "classification") -> str:
        with pytest.raises(InputError) as error:
            make_loss(Choice(name, options, place), task=task, n_outputs=K)
        return str(error.value)

    assert refused("cross_entropi", {}) == (
        'expected a loss of classification, got "cross_entropi". Did you mean "cross_entropy"?'
        f" - at {place}"
    )
    assert "expected a loss of regression" in refused("dice", {}, "regression")
    assert refused("cross_entropy", {"label_smoothing": 1.0}) == (
        f"expected label_smoothing from 0 and below 1, got 1 - at {place}"
    )
    assert "gamma from 0, got nan" in refused("focal", {"gamma": math.nan})
    assert "alpha of 4 classes, got 2" in refused("focal", {"alpha": [1.0, 2.0]})
    assert "delta above 0, got 0" in refused("huber", {"delta": 0}, "regression")
    with pytest.raises(SchemaError, match=r'got "delta"\. It has none'):
        make_loss(Choice("mse", {"delta": 1.0}), task="regression", n_outputs=1)


def test_class_weights_that_cannot_be() -> None:
    def weighted(*weights: float, task: str = "classification") -> None:
        given = torch.tensor(weights)
        make_loss(Choice("auto"), task=task, n_outputs=2, class_weights=given)

    with pytest.raises(ClassError, match="a weight for each of 2 classes, got 3"):
        weighted(1.0, 1.0, 1.0)
    with pytest.raises(InputError, match="the weight of class 1 from 0, got -1"):
        weighted(1.0, -1.0)
    with pytest.raises(InputError, match="the weight of class 0 from 0, got nan"):
        weighted(math.nan, 1.0)
    with pytest.raises(InputError, match="all weigh 0"):
        weighted(0.0, 0.0)
    with pytest.raises(InputError, match="a regression has no classes"):
        weighted(1.0, 1.0, task="regression")


def test_shapes_and_mixed_targets_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"the targets \(3, 1\), got \(3,\)"):
        a_loss("regression", "mse")(torch.zeros(3), torch.zeros(3, 1))
    with pytest.raises(ShapeError, match=r"of shape \(3, 4\) for targets of shape \(3,\) and 4"):
        a_loss("classification", "cross_entropy")(torch.zeros(3, 5), torch.tensor([0, 1, 2]))
    for name in LOSSES["segmentation"]:
        with pytest.raises(ShapeError, match=r"of shape \(3, 4, 8, 8\) for .*, got \(3, 4, 4, 4\)"):
            a_loss("segmentation", name)(
                torch.zeros(3, 4, 4, 4), torch.zeros(3, 8, 8, dtype=torch.int64)
            )
    with pytest.raises(InputError, match="without mixup and cutmix"):
        a_loss("classification", "hinge")(*a_batch("classification", soft=True))
