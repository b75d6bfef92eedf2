"""Errors, fit and correlation of predicted numbers."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_finite, to_numpy
from snellen.errors import InputError, ShapeError
from snellen.parameters import refuse_other_parameters
from snellen.regression.exact_fit import rounded, rounded_root
from snellen.regression.order import Ranking, SortedValues, quantile_of_sorted
from snellen.regression.result import Numbers, RegressionResult
from snellen.regression.rows import KeptSamples, coded
from snellen.regression.sums import RegressionSums
from snellen.regression.terms import terms_of, there_is_tweedie
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.regression.exact_fit import Fit
    from snellen.regression.rows import Rows
    from snellen.state import PackedState

    Real = NDArray[np.float64]

__all__ = ["Regression", "regression_scores"]

_LARGEST_VALUE = 1e150  # the largest whose square, and sums of that, float64 can hold
_LARGEST_WEIGHT = 1e100
_NO_SAMPLES = "there are no samples"


@dataclasses.dataclass(frozen=True)
class _Parameters:
    outputs: tuple[str, ...] | None
    keep_samples: bool
    huber_delta: float
    quantiles: tuple[float, ...]
    tweedie_power: float | None
    mape_epsilon: float | None
    force_finite: bool
    error_quantiles: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }


class Regression:
    """How far predicted numbers are from the truth, and how well they go with it.

    Mean absolute and squared error and their kin, R², explained variance, Pearson's and Lin's
    correlation, relative and logarithmic errors, Huber and pinball loss, deviances; with
    `keep_samples` the median absolute error, quantiles of the error, Spearman's and Kendall's
    rank correlation. One output or several.

    Parameters
    ----------
    outputs : sequence of str, optional
        The names of the outputs; without, they are numbered from 0.
    keep_samples : bool
        Whether to keep every sample: for the numbers that follow from the order of samples, and
        for resampling.
    huber_delta : float
        Where Huber's loss turns from quadratic to linear.
    quantiles : sequence of float
        Levels between 0 and 1 of pinball losses.
    tweedie_power : float, optional
        The power of a further deviance; not between 0 and 1.
    mape_epsilon : float, optional
        What the relative error divides by where the absolute truth is smaller: 2.220446e-16 in
        scikit-learn, 1.17e-6 in torchmetrics. Without, MAPE is undefined where a truth is 0.
    force_finite : bool
        Whether R² and explained variance of a constant truth are 1 for an exact prediction and 0
        for any other, as in scikit-learn, and not undefined.
    error_quantiles : sequence of float
        Levels from 0 to 1 of the quantiles of the error, with `keep_samples`.

    Notes
    -----
    State
        Exact sums of truth, predictions, their products and the errors, the largest error, counts:
        constant in the number of samples. With `keep_samples` also a row for each sample: 16
        bytes, 16 for each output, and its id.
    Merge
        Adds; exact. Samples with ids that both have absorbed are refused.
    Ties
        Share their mean rank in Spearman's correlation; Kendall's is tau-b.
    Undefined
        NaN, with the reason: no or one sample, constant sides, values outside of an error's domain.
    Agrees with
        scikit-learn 1.9.1 and SciPy 1.17.1 to 1e-12 or better, torchmetrics 1.9.0 and PyTorch
        (tests/oracle).

    Examples
    --------
    >>> from snellen import Regression
    >>> result = Regression().update([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]).compute()
    >>> result.mae, result.mse, round(result.r2, 4)
    (0.5, 0.375, 0.9486)
    """

    __slots__ = ("_kept", "_parameters", "_sums", "_terms")

    def __init__(
        self,
        outputs: Sequence[str] | None = None,
        *,
        keep_samples: bool = False,
        huber_delta: float = 1.0,
        quantiles: Sequence[float] = (),
        tweedie_power: float | None = None,
        mape_epsilon: float | None = None,
        force_finite: bool = False,
        error_quantiles: Sequence[float] = (0.05, 0.95),
    ) -> None:
        if tweedie_power is not None and not there_is_tweedie(tweedie_power):
            raise InputError(
                f"expected a number up to 0 or from 1, got {tweedie_power!r}", "tweedie_power"
            )
        self._parameters = _Parameters(
            outputs=_names(outputs),
            keep_samples=bool(keep_samples),
            huber_delta=_positive(huber_delta, "huber_delta"),
            quantiles=_levels(quantiles, "quantiles", open_ended=True),
            tweedie_power=None if tweedie_power is None else float(tweedie_power),
            mape_epsilon=None if mape_epsilon is None else _positive(mape_epsilon, "mape_epsilon"),
            force_finite=bool(force_finite),
            error_quantiles=_levels(error_quantiles, "error_quantiles", open_ended=False),
        )
        self._terms = terms_of(
            huber_delta=self._parameters.huber_delta,
            quantiles=self._parameters.quantiles,
            tweedie_power=self._parameters.tweedie_power,
            mape_epsilon=self._parameters.mape_epsilon,
        )
        # Made with the first samples, which say how many outputs there are.
        self._sums: RegressionSums | None = None
        self._kept: KeptSamples | None = None

    def __repr__(self) -> str:
        n = 0 if self._sums is None else int(self._sums.counts["n_samples"])
        return f"Regression({n} samples)"

    def update(
        self,
        truth: ArrayLike,
        pred: ArrayLike,
        *,
        weight: ArrayLike | None = None,
        sample_id: ArrayLike | None = None,
        group: ArrayLike | None = None,
    ) -> Self:
        """Absorb a batch of n samples of m outputs.

        Parameters
        ----------
        truth, pred : array-like of shape (n,) or (n, m)
            Numbers of any type; (n,) is one output.
        weight : array-like of shape (n,), optional
            How much each sample counts: not negative; one of weight 0 is as if not there.
        sample_id : array-like of shape (n,), optional
            The id of each sample, each once. Needs `keep_samples`.
        group : array-like of shape (n,), optional
            The unit of independence that each sample belongs to: a patient, a scene. Needs
            `keep_samples`.

        Raises
        ------
        ShapeError, IdError, InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        truth, pred = _sides(truth, pred)
        n, n_outputs = truth.shape
        weights = None if weight is None else _weights(weight, n)
        has = {"sample": sample_id is not None, "group": group is not None}
        if any(has.values()) and not self._parameters.keep_samples:
            raise InputError(
                "expected no sample_id or group where samples are not kept: "
                "make the metric with keep_samples=True"
            )
        ids = {"sample": coded(sample_id, n, "sample"), "group": coded(group, n, "group")}
        if not n:
            return self
        self._check_outputs(n_outputs)
        tables = {name: keys for name, (keys, _) in ids.items()}
        if self._kept is not None:
            self._kept.check(has, tables)
        if self._sums is None:
            self._sums = RegressionSums(n_outputs, self._terms)
            self._kept = KeptSamples(n_outputs, has) if self._parameters.keep_samples else None
        self._sums.add(truth, pred, weights)
        if self._kept is not None:
            codes = {name: code for name, (_, code) in ids.items()}
            self._kept.append(truth, pred, weights, tables, codes)
        return self

    def merge(self, other: Regression, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ShapeError, IdError
            Where the samples don't go together.
        """
        refuse_other_parameters(self, self._parameters.to_dict(), other._parameters.to_dict())
        if other._sums is None:
            return self
        self._check_outputs(other._sums.n_outputs)
        if self._kept is not None and other._kept is not None:
            self._kept.check_other(other._kept)
        if self._sums is None:
            self._sums = RegressionSums(other._sums.n_outputs, self._terms)
        self._sums.merge(other._sums)
        if other._kept is not None:
            if self._kept is None:
                self._kept = KeptSamples(other._sums.n_outputs, other._kept.has)
            self._kept.merge(other._kept)
        return self

    def empty(self) -> Regression:
        """Return a metric of the same parameters without data."""
        return type(self)(**dataclasses.asdict(self._parameters))

    def compute(self) -> RegressionResult:
        """Return the result of all that was absorbed."""
        sums, names = self._sums, self._output_names()
        data = {"n_samples": 0, "n_outputs": len(names), "n_weightless": 0, "n_reweighted": 0}
        if sums is not None:
            data |= {name: int(sums.counts[name]) for name in data if name != "n_outputs"}
        if self._kept is not None and self._kept.has["group"]:
            data["n_groups"] = self._kept.n_groups
        numbers = Numbers(names)
        if sums is None or not data["n_samples"]:
            for name in self._headlines():
                numbers.put(name, [(math.nan, _NO_SAMPLES)] * len(names))
        else:
            self._put_numbers(numbers, sums)
        if len(names) > 1:
            self._put_weighted_by_variance(numbers, sums, data["n_samples"])
        return numbers.result(
            self._headlines(),
            protocol={"name": "regression", **self._parameters.to_dict()},
            data=data,
        )

    def samples(self) -> Rows | None:
        """Return the samples that are kept, in a canonical order; None where none are."""
        return None if self._kept is None else self._kept.rows()

    def units(self, *, each: bool = False) -> Units:
        """Return the samples, or their groups where they have some, as units for resampling.

        Parameters
        ----------
        each : bool
            Whether units must have ids.

        Raises
        ------
        InputError
            Where samples are not kept, or have no ids and `each` asks for them.
        """
        from snellen.regression.resampled import regression_units

        if not self._parameters.keep_samples:
            raise InputError(
                "expected a metric that keeps its samples: make it with keep_samples=True"
            )
        has = {"sample": False, "group": False} if self._kept is None else self._kept.has
        if each and self._kept is not None and not any(has.values()):
            raise InputError("expected samples with ids: give update a sample_id")
        names = self._output_names() or ("0",)
        kept = KeptSamples(len(names), has) if self._kept is None else self._kept
        return regression_units(
            kept.rows(),
            self._terms,
            self._headlines(),
            names,
            force_finite=self._parameters.force_finite,
            error_quantiles=self._parameters.error_quantiles,
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content: dict[str, Any] = {"parameters": self._parameters.to_dict(), "n_outputs": None}
        arrays: dict[str, NDArray[Any]] = {}
        if self._sums is not None:
            content["n_outputs"] = self._sums.n_outputs
            arrays = self._sums.arrays()
        if self._kept is not None:
            content["kept"], rows = self._kept.state()
            arrays |= rows
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Regression:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        return restored(data, cls.__name__, cls._of_packed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> Regression:
        metric = cls(**packed.content["parameters"])
        n_outputs = packed.content["n_outputs"]
        if n_outputs is None:
            return metric
        metric._check_outputs(n_outputs)
        metric._sums = RegressionSums(n_outputs, metric._terms)
        metric._sums.restore(packed.arrays)
        if metric._parameters.keep_samples:
            metric._kept = KeptSamples.of_state(packed.content["kept"], packed.arrays)
            if len(metric._kept) != metric._sums.counts["n_samples"]:
                raise ValueError("rows are missing")
        return metric

    def _check_outputs(self, n_outputs: int) -> None:
        known = self._parameters.outputs
        expected = len(known) if known is not None else None
        if self._sums is not None:
            expected = self._sums.n_outputs
        if expected is not None and n_outputs != expected:
            raise ShapeError(f"expected {expected} outputs, got {n_outputs}")

    def _output_names(self) -> tuple[str, ...]:
        if self._parameters.outputs is not None:
            return self._parameters.outputs
        return () if self._sums is None else tuple(map(str, range(self._sums.n_outputs)))

    def _headlines(self) -> list[str]:
        """Return the names of the headline numbers, as they are printed."""
        parameters, kept = self._parameters, self._parameters.keep_samples
        several = len(self._output_names()) > 1
        after_mean = [term.name for term in self._terms if term.name not in _NAMED_TERMS]
        return [
            *("mae", "mse", "rmse"),
            *(["median_absolute_error"] if kept else []),
            *("max_error", "mean_error"),
            *([f"error_q{level:g}" for level in parameters.error_quantiles] if kept else []),
            *("r2", "explained_variance"),
            *(["r2_variance_weighted", "explained_variance_weighted"] if several else []),
            *("pearson", "concordance"),
            *(["spearman", "kendall"] if kept else []),
            *("mape", "smape", "msle", "rmsle"),
            *after_mean,
        ]

    def _put_numbers(self, numbers: Numbers, sums: RegressionSums) -> None:
        n = int(sums.counts["n_samples"])
        fits = sums.fits()
        numbers.put("mse", [(rounded(fit.squared_error), "") for fit in fits])
        numbers.put("rmse", [(rounded_root(fit.squared_error), "") for fit in fits])
        numbers.put("mean_error", [(rounded(fit.mean_error), "") for fit in fits])
        numbers.put("max_error", [(largest, "") for largest in sums.largest.tolist()])
        numbers.put("r2", [self._explained(fit.squared_error, fit, n) for fit in fits])
        numbers.put(
            "explained_variance", [self._explained(fit.error_variance, fit, n) for fit in fits]
        )
        constant = "there is one sample" if n == 1 else "a side is constant"
        numbers.put("pearson", [(fit.pearson(), constant) for fit in fits])
        numbers.put(
            "concordance", [(fit.concordance(), "both sides are one constant") for fit in fits]
        )
        outside, beyond = sums.counts["outside"].tolist(), sums.counts["beyond"].tolist()
        means = sums.means()
        for k, term in enumerate(self._terms):
            found = []
            for j in range(len(fits)):
                reason = ""
                if outside[j][k]:
                    reason = f"in {outside[j][k]:,} of {n:,} samples {term.why_outside}"
                elif beyond[j][k]:
                    reason = f"in {beyond[j][k]:,} of {n:,} samples it is beyond float64"
                found.append((math.nan if reason else rounded(means[k][j]), reason))
            numbers.put(term.name, found)
            if term.name == "msle":
                roots = [
                    (math.nan if reason else rounded_root(means[k][j]), reason)
                    for j, (_, reason) in enumerate(found)
                ]
                numbers.put("rmsle", roots)
        if self._kept is not None:
            self._put_ordered(numbers, self._kept)

    def _explained(self, left: Fraction, fit: Fit, n: int) -> tuple[float, str]:
        """Return 1 - left / variance of truth."""
        if n < 2:
            return math.nan, "there is one sample, it needs two"
        if fit.truth_variance:
            return rounded(1 - left / fit.truth_variance), ""
        if self._parameters.force_finite:
            return float(not left), ""
        return math.nan, "truth is constant"

    def _put_weighted_by_variance(
        self, numbers: Numbers, sums: RegressionSums | None, n: int
    ) -> None:
        """Put R² and explained variance of all outputs together."""
        names = ("r2_variance_weighted", "explained_variance_weighted")
        if sums is None or not n:
            for name in names:
                numbers.put_overall(name, math.nan, _NO_SAMPLES)
            return
        fits = sums.fits()
        spread = sum((fit.truth_variance for fit in fits), Fraction(0))
        # An output whose truth is constant has no weight.
        varied = [fit for fit in fits if fit.truth_variance]
        for name, lefts, each in (
            (names[0], [fit.squared_error for fit in varied], "r2"),
            (names[1], [fit.error_variance for fit in varied], "explained_variance"),
        ):
            if n > 1 and spread:
                numbers.put_overall(name, rounded(1 - sum(lefts, Fraction(0)) / spread), "")
            elif n > 1 and self._parameters.force_finite:
                numbers.put_overall(name, numbers.mean(each)[0], "")
            else:
                reason = "truth is constant" if n > 1 else "there is one sample, it needs two"
                numbers.put_overall(name, math.nan, reason)

    def _put_ordered(self, numbers: Numbers, kept: KeptSamples) -> None:
        # Sums of weights are rounded: then the order of samples must be one.
        rows = kept.rows(ordered=False)
        weighted = rows.is_weighted
        if weighted:
            rows = kept.rows()
        levels = self._parameters.error_quantiles
        found: dict[str, list[tuple[float, str]]] = {}
        for j in range(rows.truth.shape[1]):
            truth, pred = rows.truth[:, j], rows.pred[:, j]
            error = pred - truth
            for errors, wanted in (
                (np.abs(error), {"median_absolute_error": 0.5}),
                (error, {f"error_q{level:g}": level for level in levels}),
            ):
                for name, value in _quantiles(errors, wanted, rows.weight if weighted else None):
                    found.setdefault(name, []).append((value, ""))
            if weighted:
                unranked = (math.nan, "samples have weights, ranks have none")
                found.setdefault("spearman", []).append(unranked)
                found.setdefault("kendall", []).append(unranked)
                continue
            reason = "there is one sample" if len(truth) == 1 else "a side is constant"
            ranking = Ranking(truth, pred)
            once = np.ones((1, len(truth)), np.int64)
            found.setdefault("spearman", []).append((ranking.spearman(once).item(), reason))
            found.setdefault("kendall", []).append((ranking.kendall(once).item(), reason))
        for name, values in found.items():
            numbers.put(name, values)


# These have a place of their own among the headline numbers.
_NAMED_TERMS = frozenset({"mae", "mape", "smape", "msle"})


def _quantiles(
    values: Real, levels: Mapping[str, float], weight: Real | None
) -> list[tuple[str, float]]:
    """Return quantiles by the names of their levels."""
    if not levels:
        return []
    if weight is None:
        ascending = np.sort(values)
        return [(name, quantile_of_sorted(ascending, level)) for name, level in levels.items()]
    ordered = SortedValues(values)
    return [(name, ordered.quantiles(level, weight[None]).item()) for name, level in levels.items()]


def _sides(truth: Any, pred: Any) -> tuple[Real, Real]:
    """Return both sides as (n, m)."""
    sides = []
    for value, name in (truth, "truth"), (pred, "pred"):
        array = to_numpy(value, name, np.float64)
        if array.ndim not in (1, 2) or (array.ndim == 2 and not array.shape[1]):
            raise ShapeError(f"expected shape (n,) or (n, m), got {array.shape}", name)
        columns = None if array.ndim == 1 else array.shape[1]
        finite = to_finite(array, name, width=columns).reshape(len(array), columns or 1)
        large = np.abs(finite) > _LARGEST_VALUE
        if large.any():
            i, j = np.argwhere(large)[0].tolist()
            raise InputError(
                f"expected numbers up to {_LARGEST_VALUE:g}, got {finite[i, j]}",
                f"{name}[{i}]" if columns is None else f"{name}[{i}, {j}]",
            )
        sides.append(finite + 0.0)  # -0 becomes 0: they are equal and must have equal bytes
    if sides[0].shape != sides[1].shape:
        (n, m), (k, o) = sides[0].shape, sides[1].shape
        raise ShapeError(
            "expected truth and pred of the same samples and outputs, got "
            f"{n} of {m} and {k} of {o}"
        )
    return sides[0], sides[1]


def _weights(values: Any, n: int) -> Real:
    weights = to_finite(values, "weight")
    if len(weights) != n:
        raise ShapeError(f"expected {n} weights, one for each sample, got {len(weights)}", "weight")
    wrong = np.flatnonzero((weights < 0) | (weights > _LARGEST_WEIGHT))
    if len(wrong):
        raise InputError(
            f"expected weights from 0 to {_LARGEST_WEIGHT:g}, got {weights[wrong[0]]}",
            f"weight[{wrong[0]}]",
        )
    return weights + 0.0


def _names(outputs: Sequence[str] | None) -> tuple[str, ...] | None:
    if outputs is None:
        return None
    names = tuple(outputs)
    if isinstance(outputs, str) or not names or not all(isinstance(name, str) for name in names):
        raise InputError(f"expected a name for each output, got {outputs!r}", "outputs")
    if len(set(names)) != len(names):
        raise InputError(f"expected each name once, got {', '.join(names)}", "outputs")
    return names


def _positive(value: Any, name: str) -> float:
    if not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InputError(f"expected a number above 0, got {value!r}", name)
    return float(value)


def _levels(values: Sequence[float], name: str, *, open_ended: bool) -> tuple[float, ...]:
    levels = tuple(values)
    for level in levels:
        inside = isinstance(level, (int, float)) and (
            0 < level < 1 if open_ended else 0 <= level <= 1
        )
        if not inside:
            between = "between 0 and 1" if open_ended else "from 0 to 1"
            raise InputError(f"expected levels {between}, got {level!r}", name)
    if len({f"{level:g}" for level in levels}) != len(levels):
        raise InputError(f"expected each level once, got {levels}", name)
    return tuple(sorted(float(level) for level in levels))


def regression_scores(
    truth: ArrayLike,
    pred: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    keep_samples: bool = True,
    **parameters: Any,
) -> RegressionResult:
    """Return errors, fit and correlation of predicted numbers; see `Regression`."""
    metric = Regression(keep_samples=keep_samples, **parameters)
    return metric.update(truth, pred, weight=weight).compute()
