"""What every metric can do, and several metrics as one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from snellen.errors import MergeError, SchemaError, SnellenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

    from snellen.classes import Classes
    from snellen.state import Keys

__all__ = ["Metric", "MetricSet", "StoredMetric", "Units", "metric_from_bytes"]

Result_co = TypeVar("Result_co", covariant=True)


class Metric(Protocol[Result_co]):
    """Parameters in the constructor, one state, four methods.

    A metric never prints, plots, reads a file or talks to another process. Its laws (checked by
    `snellen.testing.check_metric_laws`): any sharding and any order of batches gives the same
    bytes; `empty` is neutral; `compute` is pure; `merge` leaves `other` as it was.
    """

    def update(self, truth: Any, pred: Any) -> Self:
        """Absorb a batch; return the metric itself."""
        ...

    def merge(self, other: Self, /) -> Self:
        """Absorb another metric of equal parameters; return the metric itself."""
        ...

    def compute(self) -> Result_co:
        """Return the result of all that was absorbed: any time, any number of times."""
        ...

    def empty(self) -> Self:
        """Return a metric of the same parameters without data."""
        ...


class StoredMetric(Metric[Result_co], Protocol[Result_co]):
    """A metric whose state goes to bytes and back."""

    def to_bytes(self) -> bytes:
        """Return the state: the same for any sharding, on any machine."""
        ...

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Self:
        """Return the metric that wrote the state."""
        ...


class Units(NamedTuple):
    """What a metric absorbed, as units that are independent of each other: for resampling.

    R is a number of data sets, made of the same units, each unit so often as its multiplicity
    says. What takes `other` joins the units of a second metric of equal parameters to them.

    Attributes
    ----------
    unit : str
        What a unit is: ``"sample"``, ``"image"``, ``"group"``.
    counts : ndarray, shape (U,), int64
        How many equal units there are of each of U kinds.
    ids : Keys or None
        The ids of the units, ascending, where each is a kind of its own and they have ids.
    values : callable
        From multiplicities (R, U) to the headline numbers by name, each (R,).
    class_metric : str
        The name of the main number of a class; ``""`` where there are no classes.
    classes : Classes or None
        The K classes of `class_values`.
    class_values : callable or None
        From multiplicities (R, U) to the main number of each class, (R, K).
    proportions : mapping of str to (ndarray, ndarray), shape (U,), bool
        Headline numbers that are plain proportions of independent units: which kinds are successes,
        and which are trials.
    headline : tuple of str
        The numbers that runs are compared by, unless others are asked for.
    lower_is_better : frozenset of str
        The numbers of which less is better: losses and errors. As in `neither_is_better`, what the
        metric has is named here whether or not it can be resampled.
    neither_is_better : frozenset of str
        The numbers of which neither more nor less is better: signed errors, sizes of data.
    ranges : mapping of str to (float, float)
        What numbers can be, where they are bounded; ``""`` stands for all that are not named.
    truth : ndarray, shape (U, …), or None
        What tells whether two runs have the same truth: equal rows for equal truth.
    correct : ndarray, shape (U,), bool, or None
        Where a unit is a sample with one label, and all count alike: whether the prediction is
        right.
    among : callable or None
        From classes that hold all of `classes` to the same units with those; None where the classes
        are fixed.
    without_interval : mapping of str to str
        Numbers that a bootstrap says nothing true of, and why: such as the least of few.
    content : object
        What the `values` of other units of the same metric read of these when they are joined.
    """

    unit: str
    counts: NDArray[Any]
    ids: Keys | None
    values: Callable[..., Mapping[str, NDArray[Any]]]
    class_metric: str
    classes: Classes | None
    class_values: Callable[..., NDArray[Any]] | None
    proportions: Mapping[str, tuple[NDArray[Any], NDArray[Any]]] = MappingProxyType({})
    headline: tuple[str, ...] = ()
    lower_is_better: frozenset[str] = frozenset()
    neither_is_better: frozenset[str] = frozenset()
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})
    truth: NDArray[Any] | None = None
    correct: NDArray[Any] | None = None
    among: Callable[[Classes], Units] | None = None
    without_interval: Mapping[str, str] = MappingProxyType({})
    content: Any = None

    def successes_and_trials(self, name: str) -> tuple[int, int]:
        """Return how many units make up one of the proportions, and of how many."""
        successes, trials = self.proportions[name]
        return int(self.counts[successes].sum()), int(self.counts[trials].sum())


class MetricSet:
    """Several metrics fed with the same data.

    Parameters
    ----------
    **metrics : Metric
        Metrics by name.

    Examples
    --------
    >>> from snellen import AveragePrecision, MetricSet
    >>> metrics = MetricSet(ap=AveragePrecision(), ap_300=AveragePrecision(max_detections=300))
    >>> sorted(metrics.compute())
    ['ap', 'ap_300']
    """

    __slots__ = ("_metrics",)

    def __init__(self, **metrics: Metric[Any]) -> None:
        self._metrics = metrics

    def __getitem__(self, name: str) -> Metric[Any]:
        return self._metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def update(self, truth: Any, pred: Any, **options: Any) -> Self:
        """Absorb a batch into every metric; options (such as ``image_id``) go to all of them.

        A metric that refuses the batch ends the update; those before it have absorbed it.
        """
        for metric in self._metrics.values():
            absorb: Any = metric.update  # what options there are is the metric's own matter
            absorb(truth, pred, **options)
        return self

    def merge(self, other: MetricSet, /) -> Self:
        """Absorb another set of the same names and parameters.

        Raises
        ------
        MergeError, or what a metric raises
            Where names or parameters differ, or data do not go together. Then nothing was
            absorbed.
        """
        if self._metrics.keys() != other._metrics.keys():
            raise MergeError(
                f"expected a set of the metrics {', '.join(self._metrics)}, "
                f"got {', '.join(other._metrics)}"
            )
        # On copies first, so that either all metrics merge or none.
        for name, metric in self._metrics.items():
            metric.empty().merge(metric).merge(other._metrics[name])
        for name, metric in self._metrics.items():
            metric.merge(other._metrics[name])
        return self

    def compute(self) -> Mapping[str, Any]:
        """Return the result of every metric by name."""
        return {name: metric.compute() for name, metric in self._metrics.items()}

    def empty(self) -> MetricSet:
        """Return a set of the same metrics without data."""
        return MetricSet(**{name: metric.empty() for name, metric in self._metrics.items()})


# Where the class that wrote a state is found; loaded when such a state is met.
_MODULES = {
    "AveragePrecision": "snellen.detection.average_precision",
    "BoundaryQuality": "snellen.segmentation.boundary",
    "CalibrationError": "snellen.classification.calibration",
    "Classification": "snellen.classification.classification",
    "Clear": "snellen.tracking.metrics",
    "ConfusionMatrix": "snellen.classification.confusion_matrix",
    "DetectionConfusion": "snellen.detection.detection_confusion",
    "DetectionErrors": "snellen.detection.error_types",
    "Hota": "snellen.tracking.metrics",
    "Identity": "snellen.tracking.metrics",
    "JAndF": "snellen.tracking.j_and_f",
    "LabelErrors": "snellen.detection.label_errors",
    "LocalizationRecallPrecision": "snellen.detection.localization_recall_precision",
    "MultilabelConfusion": "snellen.classification.multilabel_confusion",
    "PanopticQuality": "snellen.segmentation.panoptic",
    "ProbabilityLoss": "snellen.classification.probability",
    "ThresholdCurves": "snellen.classification.curves",
    "Segmentation": "snellen.segmentation.segmentation",
    "TopKAccuracy": "snellen.classification.top_k",
    "TrackMap": "snellen.tracking.track_map",
    "Regression": "snellen.regression.regression",
    "SurfaceDistance": "snellen.segmentation.surface_distance",
    "Tracking": "snellen.tracking.metrics",
    "Vace": "snellen.tracking.metrics",
}


def metric_from_bytes(data: bytes | memoryview, place: str = "") -> StoredMetric[Any]:
    """Return the metric that wrote a state, whichever it is.

    Parameters
    ----------
    data : bytes
        What a metric's ``to_bytes`` returned.
    place : str, optional
        Where it comes from, for messages.

    Raises
    ------
    SchemaError
        Where the bytes are not the state of a metric.
    StateVersionError
        Where a newer release wrote them.
    """
    import importlib

    from snellen.state import state_name, unpack

    name = state_name(data)
    if name not in _MODULES:
        packed = unpack(data, place)  # says it where that is no state at all
        raise SchemaError(
            f"expected the state of {', '.join(_MODULES)}, got one of {packed.name} "
            f"(written by Snellen {packed.library})",
            place,
        )
    metric_class = getattr(importlib.import_module(_MODULES[name]), name)
    try:
        metric: StoredMetric[Any] = metric_class.from_bytes(data)
    except SnellenError as error:
        raise error.within(place) from error
    return metric
