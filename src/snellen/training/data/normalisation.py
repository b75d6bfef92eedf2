"""How inputs are scaled before the network sees them: by numbers of the training part alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from snellen.errors import InputError, SchemaError, ShapeError
from snellen.training.choices import Choice, made
from snellen.training.data.parts import Order, Part
from snellen.training.data.resident import ResidentPart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

__all__ = ["Normalisation", "make_normalisation"]

_BYTE = 255.0
# So many samples are looked at of a part that has to be decoded for it.
_MOST_STREAMED = 10_000
_BLOCK = 2048


class Normalisation:
    """Inputs less a mean, over a spread.

    Parameters
    ----------
    mean, std : Tensor
        Numbers, one for each channel (C, 1, 1), each pixel (C, H, W) or each feature (F,); or a
        single one, shape ().
    unit : float
        What inputs are divided by first: 255 for bytes, so that mean and std are of 0 … 1.
    note : str
        What people should know of how they came about.

    Examples
    --------
    >>> normalisation = Normalisation(torch.tensor(0.5), torch.tensor(0.25))
    >>> normalisation.apply(torch.tensor([[0.0, 1.0]])).tolist()
    [[-2.0, 2.0]]
    """

    def __init__(self, mean: Tensor, std: Tensor, *, unit: float = 1.0, note: str = "") -> None:
        if not bool((std > 0).all()) or not bool(torch.isfinite(std).all()):
            raise InputError("expected a spread above 0")
        if not bool(torch.isfinite(mean).all()):
            raise InputError("expected a finite mean")
        self.mean = mean.double().cpu()
        self.std = std.double().cpu()
        self.unit = float(unit)
        self.note = note
        # x / unit, less the mean, over std: one product and one sum.
        self._factors, self._offsets = 1 / (self.unit * self.std), -self.mean / self.std
        self._factor = float(self._factors) if self.std.numel() == 1 == self.mean.numel() else None
        if self._factor is not None:
            self._offsets = self._offsets.reshape(())
        self._tensors: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def __repr__(self) -> str:
        mean, std = ([round(x, 4) for x in t.flatten()[:4].tolist()] for t in (self.mean, self.std))
        return f"Normalisation(mean={mean}, std={std}, unit={self.unit:g})"

    @classmethod
    def of(cls, part: Part, kind: str = "channel") -> Normalisation:
        """Return the normalisation by mean and spread of a part.

        Parameters
        ----------
        part : Part
            The training part, and no other. Of a streamed part the first 10,000 samples count.
        kind : {"channel", "pixel"}
            Numbers for each channel, or for each pixel. Plain inputs have them for each column.
        """
        return make_normalisation(Choice(kind), part)

    def apply(self, inputs: Tensor) -> Tensor:
        """Return inputs normalised, as float32; what is float64 stays so."""
        kind = torch.float64 if inputs.dtype == torch.float64 else torch.float32
        factor, offset = self._on(inputs.device, kind)
        if self._factor is not None:
            # The fastest that there is on a CPU: one pass besides the conversion.
            return torch.add(offset, inputs.to(kind), alpha=self._factor)
        return inputs.to(kind, copy=True).mul_(factor).add_(offset)

    def module(self) -> nn.Module:
        """Return it as a layer, to put before an exported network."""
        return _Layer(self._factors.float(), self._offsets.float())

    def plain(self) -> dict[str, Any]:
        """Return plain values that `from_plain` reads."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist(), "unit": self.unit}

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Normalisation:
        """Return what `plain` wrote down.

        Raises
        ------
        SchemaError
            For anything else.
        """
        try:
            mean, std = (
                torch.tensor(content[name], dtype=torch.float64) for name in ("mean", "std")
            )
            return cls(mean, std, unit=float(content["unit"]))
        except (KeyError, TypeError, ValueError):
            raise SchemaError(f"expected mean, std and unit, got {content!r}") from None

    def _on(self, device: torch.device, kind: torch.dtype) -> tuple[Tensor, Tensor]:
        if (device, kind) not in self._tensors:
            self._tensors[device, kind] = (
                self._factors.to(device, kind),
                self._offsets.to(device, kind),
            )
        return self._tensors[device, kind]


class _Layer(nn.Module):
    """A normalisation in front of a network."""

    factor: Tensor
    offset: Tensor

    def __init__(self, factor: Tensor, offset: Tensor) -> None:
        super().__init__()
        self.register_buffer("factor", factor)
        self.register_buffer("offset", offset)

    def forward(self, inputs: Tensor) -> Tensor:
        normalised: Tensor = inputs.to(self.factor.dtype) * self.factor + self.offset
        return normalised


def make_normalisation(choice: Choice, part: Part) -> Normalisation:
    """Return the normalisation that a description chose, for a training part.

    Parameters
    ----------
    choice : Choice
        ``"channel"``, ``"pixel"``, ``"unit"``, ``"none"``, or ``"fixed"`` with mean and std.
    part : Part
        The training part.

    Raises
    ------
    InputError
        For an unknown kind, and for inputs that are not finite: their rows are named.
    """
    return made(choice, _KINDS, "a normalisation", part)


def _channel(part: Part) -> Normalisation:
    """Scale by mean and spread of each channel."""
    return _measured(part, by_pixel=False)


def _pixel(part: Part) -> Normalisation:
    """Scale by mean and spread of each pixel."""
    return _measured(part, by_pixel=True)


def _unit(part: Part) -> Normalisation:
    """Scale bytes to 0 … 1; leave other numbers alone."""
    return Normalisation(torch.tensor(0.0), torch.tensor(1.0), unit=_unit_of(_some(part)))


def _none(part: Part) -> Normalisation:
    """Leave inputs as they are."""
    del part
    return Normalisation(torch.tensor(0.0), torch.tensor(1.0))


def _fixed(
    part: Part, *, mean: float | tuple[float, ...], std: float | tuple[float, ...]
) -> Normalisation:
    """Scale by given numbers; those for bytes are of 0 … 1."""
    shape = part.input_shape
    wide = (-1, 1, 1) if len(shape) == 3 else (-1,)
    tensors = []
    for name, value in (("mean", mean), ("std", std)):
        tensor = torch.as_tensor(value, dtype=torch.float64)
        if tensor.ndim and len(tensor) not in (1, shape[0]):
            raise ShapeError(
                f"expected one {name}, or one for each of {shape[0]} channels, got {len(tensor)}"
            )
        tensors.append(tensor.reshape(wide) if tensor.ndim else tensor)
    return Normalisation(tensors[0], tensors[1], unit=_unit_of(_some(part)))


_KINDS: Mapping[str, Callable[..., Normalisation]] = {
    "channel": _channel,
    "pixel": _pixel,
    "unit": _unit,
    "none": _none,
    "fixed": _fixed,
}


def _some(part: Part) -> Tensor:
    """Return the inputs of one sample."""
    if isinstance(part, ResidentPart):
        return part.inputs[:1]
    for batch in part.batches(Order(part.n, 1, shuffled=False), 0):
        return batch.inputs
    raise InputError("expected samples to normalise by, got none")


def _unit_of(inputs: Tensor) -> float:
    return _BYTE if inputs.dtype == torch.uint8 else 1.0


def _measured(part: Part, *, by_pixel: bool) -> Normalisation:
    image = len(part.input_shape) == 3
    axes = (0, 2, 3) if image and not by_pixel else (0,)
    sums = _Sums(axes)
    resident = isinstance(part, ResidentPart)
    if isinstance(part, ResidentPart):
        for block in torch.split(part.inputs, _BLOCK):
            sums.add(block, part.ids)
    else:
        for batch in part.batches(Order(part.n, 64, shuffled=False), 0):
            sums.add(batch.inputs, part.ids)
            if sums.n_samples >= _MOST_STREAMED:
                break
    mean, std, unit = sums.result()
    note = ""
    if not resident and sums.n_samples != part.n:
        note = f"inputs are normalised by the first {sums.n_samples:,} samples"
    if image and not by_pixel:
        mean, std = mean[:, None, None], std[:, None, None]
    return Normalisation(mean, std, unit=unit, note=note)


class _Sums:
    """Mean and spread of what comes block by block.

    Bytes are summed as whole numbers: exact in any order. Of other numbers each block's mean and
    squared deviations are merged in float64 (Chan, Golub, LeVeque 1979).
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        self.axes = axes
        self.n_samples = 0
        self._n = 0
        self._first: Any = 0
        self._second: Any = 0
        self._bytes = False

    def add(self, inputs: Tensor, ids: Sequence[str] | None) -> None:
        n = inputs.numel() // max(1, inputs.sum(self.axes, dtype=torch.float64).numel())
        if inputs.dtype == torch.uint8:
            self._bytes = True
            wide = inputs.int()
            self._first = self._first + wide.sum(self.axes, dtype=torch.int64).cpu()
            self._second = self._second + (wide * wide).sum(self.axes, dtype=torch.int64).cpu()
        else:
            wide = inputs.double()
            mean = wide.mean(self.axes, keepdim=True)
            self._refuse_not_finite(inputs, mean, ids)
            squares = (wide - mean).square().sum(self.axes).cpu()
            mean = mean.squeeze(self.axes[1:] or 0).squeeze(0).cpu()
            mean = mean.reshape(squares.shape)
            step = mean - self._first
            whole = self._n + n
            self._second = self._second + squares + step * step * (self._n * n / whole)
            self._first = self._first + step * (n / whole)
        self._n += n
        self.n_samples += len(inputs)

    def _refuse_not_finite(self, inputs: Tensor, mean: Tensor, ids: Sequence[str] | None) -> None:
        if bool(torch.isfinite(mean).all()):
            return
        bad = (~torch.isfinite(inputs)).flatten(1).any(1).nonzero().flatten()
        row = self.n_samples + int(bad[0])
        raise InputError(
            "expected finite inputs, got NaN or infinity",
            f"sample {row}" if ids is None else f"sample {row} {ids[row]}",
        )

    def result(self) -> tuple[Tensor, Tensor, float]:
        """Return mean, spread and the unit that they are in; what never changes has spread 1."""
        if not self._n:
            raise InputError("expected samples to normalise by, got none")
        if self._bytes:
            # n Σx² − (Σx)² in whole numbers of any size: no rounding before the last division.
            first, second = self._first.flatten().tolist(), self._second.flatten().tolist()
            n, shape = self._n, self._first.shape
            mean = torch.tensor([a / n / _BYTE for a in first], dtype=torch.float64)
            variance = torch.tensor(
                [(n * b - a * a) / (n * n) for a, b in zip(first, second, strict=True)],
                dtype=torch.float64,
            )
            mean, std = mean.reshape(shape), variance.reshape(shape).sqrt() / _BYTE
            unit = _BYTE
        else:
            mean, std, unit = self._first, (self._second / self._n).sqrt(), 1.0
        return mean, torch.where(std > 0, std, torch.ones_like(std)), unit
