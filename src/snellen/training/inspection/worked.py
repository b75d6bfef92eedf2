"""Single neurons, weights and losses worked out with their actual numbers."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from snellen.training.inspection.tensor_statistics import short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snellen.training.inspection.layer_calls import LayerCall

__all__ = ["Worked", "sum_text", "worked_layer", "worked_loss"]

# As many products are written out; of the others the sum is.
N_TERMS = 4


@dataclasses.dataclass(frozen=True)
class Worked:
    """One number, computed again by its formula.

    Attributes
    ----------
    what : str
        Which number.
    formula : str
        In letters.
    numbers : str
        The same with the numbers in it, rounded for the eye.
    value : float
        What the formula gives, in float64.
    actual : float
        What torch computed.
    """

    what: str
    formula: str
    numbers: str
    value: float
    actual: float


def _signed(value: float) -> str:
    text = short(value)
    return f"({text})" if text.startswith("−") else text


def sum_text(
    factors: Sequence[tuple[float, float]], extra: Sequence[float] = (), *, many: str = "products"
) -> tuple[str, float]:
    """Return a sum of products as text and as a number.

    Parameters
    ----------
    factors : sequence of pairs
        The factors of each product.
    extra : sequence of float
        What is added besides.
    many : str
        What the products are, where they are too many to write out.

    Examples
    --------
    >>> sum_text([(0.5, 2.0), (-1.0, 3.0)], [0.25])
    ('0.5·2 + (−1)·3 + 0.25 = −1.75', -1.75)
    """
    products = [a * b for a, b in factors]
    shown = range(len(products))
    if len(products) > N_TERMS + 1:
        # The largest, in their order.
        largest = sorted(shown, key=lambda k: -abs(products[k]))[:N_TERMS]
        shown = sorted(largest)  # type: ignore[assignment]
    parts = [f"{_signed(factors[k][0])}·{_signed(factors[k][1])}" for k in shown]
    rest = len(products) - len(parts)
    if rest:
        left_out = math.fsum(products) - math.fsum(products[k] for k in shown)
        parts.append(f"[{rest:,} more {many}: {short(left_out)}]")
    parts += [_signed(value) for value in extra]
    value = math.fsum([*products, *extra])
    return f"{' + '.join(parts) or '0'} = {short(value)}", value


def _numbers(tensor: Tensor) -> list[float]:
    return [float(value) for value in tensor.detach().to("cpu", torch.float64).flatten()]


def _worked_linear(call: LayerCall, sample: int, unit: int, shared: frozenset[int]) -> list[Worked]:
    module = call.module
    assert isinstance(module, nn.Linear)
    if call.inputs.ndim != 2:
        return []
    weights, inputs = _numbers(module.weight[unit]), _numbers(call.inputs[sample])
    bias = [] if module.bias is None else _numbers(module.bias[unit])
    text, value = sum_text(list(zip(weights, inputs, strict=True)), bias)
    found = [
        Worked(
            f"output of unit {unit}",
            f"z[{unit}] = Σⱼ w[{unit},j]·x[j]" + (f" + b[{unit}]" if bias else ""),
            text,
            value,
            float(call.output[sample, unit]),
        )
    ]
    gradient = call.output_gradient
    if gradient is None:
        return found
    if module.weight.grad is not None and id(module.weight) not in shared:
        entry = int(module.weight.grad[unit].abs().argmax())
        text, value = sum_text(
            list(zip(_numbers(gradient[:, unit]), _numbers(call.inputs[:, entry]), strict=True)),
            many="samples",
        )
        found.append(
            Worked(
                f"gradient of weight [{unit},{entry}]",
                f"∂L/∂w[{unit},{entry}] = Σ over samples ∂L/∂z[{unit}]·x[{entry}]",
                text,
                value,
                float(module.weight.grad[unit, entry]),
            )
        )
    bias_gradient = None if module.bias is None else module.bias.grad
    if bias_gradient is not None and id(module.bias) not in shared:
        text, value = sum_text(
            [(each, 1.0) for each in _numbers(gradient[:, unit])], many="samples"
        )
        found.append(
            Worked(
                f"gradient of bias [{unit}]",
                f"∂L/∂b[{unit}] = Σ over samples ∂L/∂z[{unit}]·1",
                text,
                value,
                float(bias_gradient[unit]),
            )
        )
    if call.input_gradient is not None:
        entry = int((module.weight[unit].detach().abs() * (call.inputs[sample] != 0)).argmax())
        text, value = sum_text(
            list(zip(_numbers(module.weight[:, entry]), _numbers(gradient[sample]), strict=True))
        )
        found.append(
            Worked(
                f"gradient of input [{entry}]",
                f"∂L/∂x[{entry}] = Σₖ w[k,{entry}]·∂L/∂z[k]",
                text,
                value,
                float(call.input_gradient[sample, entry]),
            )
        )
    return found


def _padding(module: nn.Conv2d) -> tuple[int, int, int, int]:
    """Return the zeros on the left, right, top and bottom."""
    if isinstance(module.padding, str):
        if module.padding == "valid":
            return 0, 0, 0, 0
        rows, columns = (
            d * (k - 1) for d, k in zip(module.dilation, module.kernel_size, strict=True)
        )
        # As torch has it: the odd one on the right and at the bottom.
        return columns // 2, columns - columns // 2, rows // 2, rows - rows // 2
    return module.padding[1], module.padding[1], module.padding[0], module.padding[0]


def _worked_conv(call: LayerCall, sample: int, unit: int, shared: frozenset[int]) -> list[Worked]:
    module = call.module
    assert isinstance(module, nn.Conv2d)
    if call.inputs.ndim != 4 or module.padding_mode != "zeros":
        return []
    _, _, height, width = call.output.shape
    k, place = divmod(unit, height * width)
    y, x = divmod(place, width)
    left, right, top, bottom = _padding(module)
    padded = nn.functional.pad(call.inputs, (left, right, top, bottom))
    group = k // (module.out_channels // module.groups)
    n_channels = module.in_channels // module.groups
    channels = slice(group * n_channels, (group + 1) * n_channels)
    sizes = zip((y, x), module.stride, module.dilation, module.kernel_size, strict=True)
    rows, columns = (
        slice(at * stride, at * stride + dilation * (size - 1) + 1, dilation)
        for at, stride, dilation, size in sizes
    )
    patch = padded[sample, channels, rows, columns]
    bias = [] if module.bias is None else _numbers(module.bias[k])
    text, value = sum_text(
        list(zip(_numbers(module.weight[k]), _numbers(patch), strict=True)), bias
    )
    found = [
        Worked(
            f"output [{k},{y},{x}]",
            f"z[{k},{y},{x}] = Σ over channels c and the filter's places "
            f"w[{k},c,i,j]·x[c,{_place(y, module, 0, top)},{_place(x, module, 1, left)}]"
            + (f" + b[{k}]" if bias else ""),
            text,
            value,
            float(call.output[sample, k, y, x]),
        )
    ]
    gradient = call.output_gradient
    if gradient is None:
        return found
    if module.weight.grad is not None and id(module.weight) not in shared:
        c, i, j = (
            int(each)
            for each in torch.unravel_index(
                module.weight.grad[k].abs().argmax(), module.weight.shape[1:]
            )
        )
        # All places that this weight is laid on.
        seen = padded[
            :,
            channels.start + c,
            i * module.dilation[0] :: module.stride[0],
            j * module.dilation[1] :: module.stride[1],
        ][:, :height, :width]
        text, value = sum_text(
            list(zip(_numbers(gradient[:, k]), _numbers(seen), strict=True)),
            many="samples and places",
        )
        found.append(
            Worked(
                f"gradient of weight [{k},{c},{i},{j}]",
                f"∂L/∂w[{k},{c},{i},{j}] = Σ over samples and places ∂L/∂z[{k},·,·]·"
                "(the input this weight lies on there)",
                text,
                value,
                float(module.weight.grad[k, c, i, j]),
            )
        )
    bias_gradient = None if module.bias is None else module.bias.grad
    if bias_gradient is not None and id(module.bias) not in shared:
        text, value = sum_text(
            [(each, 1.0) for each in _numbers(gradient[:, k])], many="samples and places"
        )
        found.append(
            Worked(
                f"gradient of bias [{k}]",
                f"∂L/∂b[{k}] = Σ over samples and places ∂L/∂z[{k},·,·]·1",
                text,
                value,
                float(bias_gradient[k]),
            )
        )
    return found


def _place(at: int, module: nn.Conv2d, axis: int, padding: int) -> str:
    """Return the input's index of a filter's place as text: ``3+i``."""
    start = at * module.stride[axis] - padding
    letter = "ij"[axis]
    step = module.dilation[axis]
    move = letter if step == 1 else f"{step}{letter}"
    return f"{start}+{move}".replace("-", "−") if start else move


def _worked_norm(call: LayerCall, sample: int, unit: int) -> list[Worked]:
    module = call.module
    assert isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))
    n_places = math.prod(call.output.shape[2:])
    c = unit // n_places
    channel = call.inputs[:, c].detach().double()
    if module.training or module.running_mean is None or module.running_var is None:
        mean, variance, whose = channel.mean().item(), channel.var(correction=0).item(), "batch"
    else:
        mean, variance = float(module.running_mean[c]), float(module.running_var[c])
        whose = "training so far"
    x = float(call.inputs[sample].flatten()[unit])
    scale = 1.0 if module.weight is None else _numbers(module.weight[c])[0]
    shift = 0.0 if module.bias is None else _numbers(module.bias[c])[0]
    value = scale * (x - mean) / math.sqrt(variance + module.eps) + shift
    return [
        Worked(
            f"output {index_text(unit, call.output.shape[1:])}",
            f"y = γ·(x − μ)/√(σ² + ε) + β, with μ and σ² of channel {c} over the {whose}",
            f"{_signed(scale)}·({short(x)} − {_signed(mean)})/√({short(variance)} + {module.eps:g})"
            f" + {_signed(shift)} = {short(value)}",
            value,
            float(call.output[sample].flatten()[unit]),
        )
    ]


def _elementwise(
    module: nn.Module,
) -> tuple[str, str, Callable[[float], tuple[float, float]]] | None:
    """Return a function of one number: in letters, its derivative's, and both as numbers."""
    if isinstance(module, nn.ReLU):
        return "max(0, z)", "1 if z > 0 else 0", lambda z: (max(0.0, z), float(z > 0))
    if isinstance(module, nn.LeakyReLU):
        slope = module.negative_slope
        return (
            f"z if z > 0 else {slope:g}·z",
            f"1 if z > 0 else {slope:g}",
            lambda z: (z, 1.0) if z > 0 else (slope * z, slope),
        )
    if isinstance(module, nn.Tanh):
        return "tanh z", "1 − tanh² z", lambda z: (math.tanh(z), 1 - math.tanh(z) ** 2)
    if isinstance(module, nn.Sigmoid):
        return (
            "σ(z) = 1/(1 + e⁻ᶻ)",
            "σ(z)·(1 − σ(z))",
            lambda z: (_sigmoid(z), _sigmoid(z) * _sigmoid(-z)),
        )
    if isinstance(module, nn.SiLU):
        return (
            "z·σ(z)",
            "σ(z) + z·σ(z)·(1 − σ(z))",
            lambda z: (z * _sigmoid(z), _sigmoid(z) + z * _sigmoid(z) * _sigmoid(-z)),
        )
    if isinstance(module, nn.GELU) and module.approximate == "none":
        return (
            "z·Φ(z)",
            "Φ(z) + z·φ(z)",
            lambda z: (
                z * _normal(z),
                _normal(z) + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
            ),
        )
    return None


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def _normal(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2


def _worked_elementwise(call: LayerCall, sample: int, unit: int) -> list[Worked]:
    known = _elementwise(call.module)
    if known is None:
        return []
    letters, derivative_letters, function = known
    name = index_text(unit, call.output.shape[1:])
    z = float(call.inputs[sample].flatten()[unit])
    value, derivative = function(z)
    found = [
        Worked(
            f"output {name}",
            f"a = {letters}",
            f"z = {short(z)}, so a = {short(value)}",
            value,
            float(call.output[sample].flatten()[unit]),
        )
    ]
    if call.output_gradient is not None and call.input_gradient is not None:
        above = float(call.output_gradient[sample].flatten()[unit])
        found.append(
            Worked(
                f"gradient of input {name}",
                f"∂L/∂z = ∂L/∂a·f′(z), f′(z) = {derivative_letters}",
                f"{_signed(above)}·{_signed(derivative)} = {short(above * derivative)}",
                above * derivative,
                float(call.input_gradient[sample].flatten()[unit]),
            )
        )
    return found


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _worked_pool(call: LayerCall, sample: int, unit: int) -> list[Worked]:
    module = call.module
    assert isinstance(module, nn.MaxPool2d)
    if call.inputs.ndim != 4 or module.return_indices or _pair(module.dilation) != (1, 1):
        return []
    _, _, height, width = call.output.shape
    c, place = divmod(unit, height * width)
    y, x = divmod(place, width)
    slices = []
    for at, size, stride, padding in zip(
        (y, x),
        _pair(module.kernel_size),
        _pair(module.stride),
        _pair(module.padding),
        strict=True,
    ):
        start = at * stride - padding
        slices.append(slice(max(0, start), start + size))
    window = _numbers(call.inputs[sample, c, slices[0], slices[1]])
    listed = ", ".join(short(each) for each in window[:9]) + (", …" if len(window) > 9 else "")
    return [
        Worked(
            f"output [{c},{y},{x}]",
            "a = the largest of its window; the gradient goes to that one alone",
            f"max({listed}) = {short(max(window))}",
            max(window),
            float(call.output[sample, c, y, x]),
        )
    ]


def index_text(unit: int, shape: Sequence[int]) -> str:
    """Return a unit's number as its indices.

    Examples
    --------
    >>> index_text(7, (2, 2, 3)), index_text(3, (5,)), index_text(0, ())
    ('[1,0,1]', '[3]', '')
    """
    if not shape:
        return ""
    indices = []
    for size in reversed(shape):
        unit, index = divmod(unit, size)
        indices.append(index)
    return f"[{','.join(str(index) for index in reversed(indices))}]"


def worked_layer(
    call: LayerCall, sample: int, units: Sequence[int], shared: frozenset[int] = frozenset()
) -> list[Worked]:
    """Return numbers of one call worked out, for some output units of one sample.

    Of layers whose formula is known here: linear, convolution, batch normalisation, the usual
    activations, maximum pooling. Others have none.

    Parameters
    ----------
    call : LayerCall
        With its gradients.
    sample : int
        Whose numbers.
    units : sequence of int
        Numbers of the sample's flattened output.
    shared : frozenset of int
        The ids of parameters that other calls use too: their gradient is a sum over these, and
        not worked out here.
    """
    module = call.module
    found: list[Worked] = []
    for unit in units:
        if isinstance(module, nn.Linear):
            found += _worked_linear(call, sample, unit, shared)
        elif isinstance(module, nn.Conv2d):
            found += _worked_conv(call, sample, unit, shared)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            found += _worked_norm(call, sample, unit)
        elif isinstance(module, nn.MaxPool2d):
            found += _worked_pool(call, sample, unit)
        else:
            found += _worked_elementwise(call, sample, unit)
    return found


def worked_loss(output: Tensor, target: Tensor, gradient: Tensor, sample: int) -> list[Worked]:
    """Return the gradient of the loss with respect to a sample's outputs, worked out.

    Which loss it is shows in the numbers: cross-entropy where ∂L/∂z is (softmax − target)/n, the
    mean squared error where it is 2·(output − target)/n. Of others there is nothing.
    """
    if output.ndim != 2 or output.shape != gradient.shape:
        return []
    z, g = output.detach().double().cpu(), gradient.double().cpu()
    aim = target.detach().cpu()
    n, k = z.shape
    if not aim.is_floating_point() and aim.shape == (n,) and bool(((aim >= 0) & (aim < k)).all()):
        aim = nn.functional.one_hot(aim.long(), k)
    aim = aim.double()
    if aim.shape != z.shape:
        return []
    found = []
    share = torch.softmax(z, 1)
    if torch.allclose((share - aim) / n, g, rtol=1e-3, atol=1e-6):
        summed = ", ".join(short(each) for each in z[sample].tolist()[:6])
        for unit in sorted({int(aim[sample].argmax()), int((share * (1 - aim))[sample].argmax())}):
            p, y = float(share[sample, unit]), float(aim[sample, unit])
            found += [
                Worked(
                    f"probability of class {unit}",
                    f"p[{unit}] = e^z[{unit}] / Σₖ e^z[k]",
                    f"z = ({summed}{', …' if k > 6 else ''}), so p[{unit}] = {short(p)}",
                    p,
                    float(torch.softmax(output[sample].detach(), 0)[unit]),
                ),
                Worked(
                    f"gradient of output [{unit}]",
                    f"∂L/∂z[{unit}] = (p[{unit}] − y[{unit}])/n",
                    f"({short(p)} − {short(y)})/{n} = {short((p - y) / n)}",
                    (p - y) / n,
                    float(gradient[sample, unit]),
                ),
            ]
    elif torch.allclose(2 * (z - aim) / (n * k), g, rtol=1e-3, atol=1e-7):
        for unit in range(min(k, 2)):
            value = float(2 * (z - aim)[sample, unit] / (n * k))
            found.append(
                Worked(
                    f"gradient of output [{unit}]",
                    f"∂L/∂z[{unit}] = 2·(z[{unit}] − y[{unit}])/n",
                    f"2·({short(float(z[sample, unit]))} − {_signed(float(aim[sample, unit]))})"
                    f"/{n * k} = {short(value)}",
                    value,
                    float(gradient[sample, unit]),
                )
            )
    return found
