"""The moving average of weights: by hand, bit for bit where weights stand still."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from snellen.errors import InputError, SchemaError
from snellen.training.moving_average import MovingAverage


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2))


def change(net: nn.Module, amount: float) -> None:
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):
            tensor.add_(amount if tensor.is_floating_point() else 1)


def test_by_hand() -> None:
    net = nn.Linear(1, 1, bias=False)
    net.weight.data.fill_(8.0)
    mean = MovingAverage(net, 0.75, warm_up=False)
    net.weight.data.fill_(0.0)
    mean.update()
    assert mean.weights["weight"].item() == 6.0  # 0.75 * 8
    net.weight.data.fill_(2.0)
    mean.update()
    assert mean.weights["weight"].item() == 5.0  # 0.75 * 6 + 0.25 * 2
    assert mean.n_updates == 2


def test_the_decay_rises() -> None:
    mean = MovingAverage(nn.Linear(1, 1), 0.99)
    # (1 + t) / (10 + t): 2/11, 3/12; 0.99 is reached at 1 + t = 9.9 + 0.99 t, t = 890.
    assert mean.decay_at(1) == 2 / 11
    assert mean.decay_at(2) == 0.25
    assert mean.decay_at(889) < 0.99
    assert mean.decay_at(891) == 0.99
    assert MovingAverage(nn.Linear(1, 1), 0.99, warm_up=False).decay_at(1) == 0.99


def test_agrees_with_torch() -> None:
    net, other = network(), network()
    mean = MovingAverage(net, 0.9, warm_up=False)
    theirs = torch.optim.swa_utils.AveragedModel(
        other, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9), use_buffers=True
    )
    theirs.update_parameters(other)  # theirs begins with its first update
    for k in range(20):
        for each in (net, other):
            change(each, 0.1 * (k % 3))
        mean.update()
        theirs.update_parameters(other)
    for name, tensor in theirs.module.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(mean.weights[name], tensor)


@pytest.mark.parametrize("warm_up", [True, False])
@pytest.mark.parametrize("decay", [0.3, 0.9, 0.999])
def test_of_constant_weights_it_is_these_bit_for_bit(decay: float, *, warm_up: bool) -> None:
    net = network()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    mean = MovingAverage(net, decay, warm_up=warm_up)
    for _ in range(30):
        mean.update()
    for name, tensor in before.items():
        assert torch.equal(mean.weights[name], tensor)


def test_counters_are_copied_and_buffers_averaged() -> None:
    net = network()
    mean = MovingAverage(net, 0.5, warm_up=False)
    change(net, 2.0)
    mean.update()
    assert mean.weights["1.num_batches_tracked"].item() == 1
    # From 0 and 1, half of the way to 2 and 3.
    assert mean.weights["1.running_mean"].tolist() == [1.0, 1.0]
    assert mean.weights["1.running_var"].tolist() == [2.0, 2.0]


def test_applied_and_given_back() -> None:
    net = network()
    mean = MovingAverage(net, 0.9)
    change(net, 1.0)
    own = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    parameters = [id(each) for each in net.parameters()]
    with mean.applied():
        for name, tensor in net.state_dict().items():
            assert torch.equal(tensor, mean.weights[name])
    with pytest.raises(RuntimeError, match="in the middle"), mean.applied():  # noqa: PT012
        assert not torch.equal(net[0].weight, own["0.weight"])
        raise RuntimeError("in the middle")
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, own[name])
    # The optimizer has these very parameters.
    assert [id(each) for each in net.parameters()] == parameters


def test_tied_weights_are_one() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    mean = MovingAverage(net, 0.5, warm_up=False)
    start = net[0].weight.detach().clone()
    change(net, 1.0)
    mean.update()
    torch.testing.assert_close(mean.weights["0.weight"], start + 0.5)


def test_half_floats_are_averaged_in_float32() -> None:
    net = nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    net.weight.data.fill_(1.0)
    mean = MovingAverage(net, 0.999, warm_up=False)
    net.weight.data.fill_(2.0)
    for _ in range(10):
        mean.update()
    # 2 - 0.999 ** 10; in bfloat16 the first step of 0.001 would be lost.
    assert mean.weights["weight"].item() == pytest.approx(2 - 0.999**10, abs=1e-6)
    with mean.applied():
        assert net.weight.dtype == torch.bfloat16


def test_state_goes_and_comes_back() -> None:
    net = network()
    mean = MovingAverage(net, 0.9)
    for _ in range(3):
        change(net, 1.0)
        mean.update()
    other = MovingAverage(network(), 0.9)
    other.load_state_dict(mean.state_dict())
    assert other.n_updates == 3
    for name, tensor in mean.weights.items():
        assert torch.equal(other.weights[name], tensor)
        assert other.weights[name] is not tensor


def test_refused() -> None:
    net = network()
    mean = MovingAverage(net, 0.9)
    with pytest.raises(SchemaError, match=r"or of another shape: 0.bias, 0.weight, 1"):
        MovingAverage(nn.Sequential(nn.Linear(3, 3)), 0.9).load_state_dict(mean.state_dict())
    net.append(nn.Linear(2, 2))
    with pytest.raises(InputError, match=r"got others: 4.bias, 4.weight"):
        mean.update()
    with pytest.raises(InputError, match="expected a decay between 0 and 1, got 1"):
        MovingAverage(net, 1)
