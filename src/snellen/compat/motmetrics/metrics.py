"""Metrics of events, which may depend on each other; and those of several sequences together."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snellen.compat.motmetrics.event_columns import EventColumns
from snellen.compat.motmetrics.failed_assertion import FailedAssertionError
from snellen.compat.motmetrics.id_assignment import IdAssignment, IdCounts
from snellen.compat.motmetrics.mot import MOTAccumulator
from snellen.errors import did_you_mean
from snellen.tracking.motmetrics_list import (
    ASCEND,
    FP,
    KINDS,
    MATCH,
    MIGRATE,
    MISS,
    RAW,
    SWITCH,
    TRANSFER,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "DataFrameMap",
    "MetricsHost",
    "create",
    "events_to_df_map",
    "extract_counts_from_df_map",
    "motchallenge_metrics",
]

motchallenge_metrics = [
    "idf1",
    "idp",
    "idr",
    "recall",
    "precision",
    "num_unique_objects",
    "mostly_tracked",
    "partially_tracked",
    "mostly_lost",
    "num_false_positives",
    "num_misses",
    "num_switches",
    "num_fragmentations",
    "mota",
    "motp",
    "num_transfer",
    "num_ascend",
    "num_migrate",
]
"""The metrics of the MOTChallenge tables, which are computed where none are named."""


class DataFrameMap:
    """Events in four cuts; the first argument of each metric.

    Parameters
    ----------
    full : pandas.DataFrame
        All events.
    raw, noraw : pandas.DataFrame
        The events of type RAW; those that say of each object or hypothesis what it is: FP, MISS,
        SWITCH, MATCH.
    extra : pandas.DataFrame
        All but those of type RAW.
    """

    def __init__(self, full: Any, raw: Any, noraw: Any, extra: Any) -> None:
        self.full = full
        self.raw = raw
        self.noraw = noraw
        self.extra = extra

    @cached_property
    def columns(self) -> EventColumns:
        """All events as columns."""
        return EventColumns.of_frame(self.full)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of events of each kind."""
        return np.bincount(self.columns.kind, minlength=len(KINDS))


class _EventMap(DataFrameMap):
    """The same, where data frames are made when a metric of a user asks for them."""

    def __init__(self, source: Any) -> None:
        self._source = source
        if isinstance(source, MOTAccumulator):
            self.__dict__["columns"] = source.columns

    @cached_property
    def full(self) -> Any:
        source = self._source
        return source.events if isinstance(source, MOTAccumulator) else source

    @cached_property
    def raw(self) -> Any:
        return self.full[self.columns.kind == RAW]

    @cached_property
    def noraw(self) -> Any:
        return self.full[self.columns.is_single]

    @cached_property
    def extra(self) -> Any:
        return self.full[self.columns.kind != RAW]


def events_to_df_map(df: Any) -> DataFrameMap:
    """Return the cuts of a data frame of events, or of an accumulator."""
    return _EventMap(df)


class MetricsHost:
    """Metrics by name, and what they depend on.

    Attributes
    ----------
    metrics : dict
        What `register` was told of each metric.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, dict[str, Any]] = {}

    def register(
        self,
        fnc: Callable[..., Any],
        deps: str | Sequence[str] | None = "auto",
        name: str | None = None,
        helpstr: str | None = None,
        formatter: Callable[[Any], str] | None = None,
        fnc_m: Callable[..., Any] | None = None,
        deps_m: str | Sequence[str] | None = "auto",
    ) -> None:
        """Add a metric, or replace one.

        Parameters
        ----------
        fnc : function
            Of a `DataFrameMap` and the values of the metrics that it depends on. One with default
            values is also given ``ana``.
        deps : list of names, None, or "auto"
            What it depends on; else the names of its arguments.
        name : str, optional
            Else the function's.
        helpstr : str, optional
            A description; else the function's docstring.
        formatter : function, optional
            Makes a text of the value.
        fnc_m, deps_m : optional
            The same for several sequences: of a list of dictionaries of their values and the values
            for all of the metrics that it depends on. Else that of the built-in metric of that
            name, if there is one.
        """
        if fnc is None:
            raise FailedAssertionError(f"expected a function, got none for {name}", "fnc")
        if name is None:
            name = fnc.__name__
        if helpstr is None:
            helpstr = " ".join((inspect.getdoc(fnc) or "No description.").split())
        if fnc_m is None:
            fnc_m = globals().get(f"{name}_m")
        self.metrics[name] = {
            "name": name,
            "fnc": fnc,
            "fnc_m": fnc_m,
            "deps": _dependencies(fnc, deps),
            "deps_m": None if fnc_m is None else _dependencies(fnc_m, deps_m),
            "help": helpstr,
            "formatter": formatter,
        }

    @property
    def names(self) -> list[str]:
        """The names of all metrics."""
        return list(self.metrics)

    @property
    def formatters(self) -> dict[str, Callable[[Any], str]]:
        """The formatters of the metrics that have one, for `io.render_summary`."""
        found = {name: each["formatter"] for name, each in self.metrics.items()}
        return {name: formatter for name, formatter in found.items() if formatter is not None}

    def list_metrics(self, include_deps: bool = False) -> Any:
        """Return names and descriptions as a data frame, and what metrics depend on if wanted."""
        columns = {"Name": "name", "Description": "help"}
        if include_deps:
            columns["Dependencies"] = "deps"
        rows = [[each[key] for key in columns.values()] for each in self.metrics.values()]
        return pd.DataFrame(rows, columns=list(columns))

    def list_metrics_markdown(self, include_deps: bool = False) -> str:
        """Return the same as a Markdown table."""
        table = self.list_metrics(include_deps)
        line = pd.DataFrame([[":---"] * len(table.columns)], columns=table.columns)
        return str(pd.concat([line, table]).to_csv(sep="|", index=False))

    def compute(
        self,
        df: Any,
        ana: Any = None,
        metrics: str | Sequence[str] | None = None,
        return_dataframe: bool = True,
        return_cached: bool = False,
        name: Any = None,
    ) -> Any:
        """Compute metrics of one sequence.

        Parameters
        ----------
        df : MOTAccumulator or pandas.DataFrame
            Events.
        ana : optional
            Goes to metrics that have default values.
        metrics : str or list of str, optional
            Else `motchallenge_metrics`.
        return_dataframe : bool
            A data frame of one row, else a dictionary.
        return_cached : bool
            With the metrics that these depend on.
        name : optional
            The row's name.
        """
        wanted = _names(metrics)
        events = _EventMap(df)
        values: dict[str, Any] = {}
        for metric in wanted:
            values[metric] = self._value(metric, "fnc", "deps", events, values, {"ana": ana})
        return _as_asked(values, wanted, return_dataframe, return_cached, name)

    def compute_overall(
        self,
        partials: Sequence[Mapping[str, Any]],
        metrics: str | Sequence[str] | None = None,
        return_dataframe: bool = True,
        return_cached: bool = False,
        name: Any = None,
    ) -> Any:
        """Compute metrics of several sequences together.

        Parameters
        ----------
        partials : list of dict
            What `compute` gives of each with ``return_dataframe=False, return_cached=True``.
        metrics, return_dataframe, return_cached, name
            As those of `compute`.
        """
        wanted = _names(metrics)
        values: dict[str, Any] = {}
        for metric in wanted:
            values[metric] = self._value(metric, "fnc_m", "deps_m", partials, values, {})
        return _as_asked(values, wanted, return_dataframe, return_cached, name)

    def compute_many(
        self,
        dfs: Sequence[Any],
        anas: Sequence[Any] | None = None,
        metrics: str | Sequence[str] | None = None,
        names: Sequence[Any] | None = None,
        generate_overall: bool = False,
    ) -> Any:
        """Compute metrics of several sequences, one row each.

        Parameters
        ----------
        dfs : list of MOTAccumulator or pandas.DataFrame
        anas : list, optional
            ``ana`` of each.
        metrics : str or list of str, optional
            Else `motchallenge_metrics`.
        names : list, optional
            Names of rows, else 0, 1, 2, …
        generate_overall : bool
            With a last row OVERALL.
        """
        wanted = _names(metrics)
        if names is None:
            names = range(len(dfs))
        if len(names) != len(dfs):
            raise FailedAssertionError(f"expected {len(dfs)} names, got {len(names)}", "names")
        partials = [
            self.compute(each, ana, wanted, return_dataframe=False, return_cached=True)
            for each, ana in zip(dfs, [None] * len(dfs) if anas is None else anas, strict=False)
        ]
        rows = [
            _as_asked(values, wanted, True, False, name)
            for values, name in zip(partials, names, strict=False)
        ]
        if generate_overall:
            rows.append(self.compute_overall(partials, wanted, name="OVERALL"))
        return pd.concat(rows)

    def _value(
        self,
        name: str,
        function: str,
        dependencies: str,
        data: Any,
        known: dict[str, Any],
        options: dict[str, Any],
    ) -> Any:
        """Return a metric's value; those that it depends on are added to the known ones."""
        if known.get(name) is not None:
            return known[name]
        if name not in self.metrics:
            raise FailedAssertionError(
                f'expected a metric that is registered, got "{name}".'
                + did_you_mean(name, self.metrics)
            )
        metric = self.metrics[name]
        if metric[function] is None:
            raise FailedAssertionError(
                f"expected metrics that can be merged (fnc_m), got {name}", "metrics"
            )
        arguments = []
        for each in metric[dependencies]:
            if known.get(each) is None:
                known[each] = self._value(each, function, dependencies, data, known, options)
            arguments.append(known[each])
        if not inspect.getfullargspec(metric[function]).defaults:
            options = {}
        return metric[function](data, *arguments, **options)


def _names(metrics: str | Sequence[str] | None) -> Sequence[str]:
    if metrics is None:
        return motchallenge_metrics
    return [metrics] if isinstance(metrics, str) else metrics


def _dependencies(function: Callable[..., Any], given: str | Sequence[str] | None) -> Sequence[str]:
    if given is None:
        return []
    if given != "auto":
        return given
    spec = inspect.getfullargspec(function)
    return spec.args[1 : len(spec.args) - len(spec.defaults or ())]


def _as_asked(
    values: dict[str, Any], wanted: Sequence[str], as_frame: bool, with_cached: bool, name: Any
) -> Any:
    data = values if with_cached else {metric: values[metric] for metric in wanted}
    return pd.DataFrame(data, index=[0 if name is None else name]) if as_frame else data


def _ratio(part: Any, whole: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.true_divide(part, whole)


def num_frames(df: DataFrameMap) -> int:
    """Frames."""
    return int(df.columns.frame.max()) + 1 if len(df.columns.frame) else 0


def obj_frequencies(df: DataFrameMap) -> Any:
    """In how many frames each object is."""
    columns = df.columns
    return _frequencies("OId", columns.truth_ids, columns.truth[columns.is_single])


def pred_frequencies(df: DataFrameMap) -> Any:
    """In how many frames each prediction is."""
    columns = df.columns
    return _frequencies("HId", columns.pred_ids, columns.pred[columns.is_single])


def num_unique_objects(df: DataFrameMap, obj_frequencies: Any) -> int:
    """Different objects."""
    del df
    return len(obj_frequencies)


def num_matches(df: DataFrameMap) -> Any:
    """Objects in frames that were matched, without a switch."""
    return df.counts[MATCH]


def num_switches(df: DataFrameMap) -> Any:
    """Objects that were matched to another prediction than before."""
    return df.counts[SWITCH]


def num_transfer(df: DataFrameMap) -> Any:
    """Predictions that were matched to another object than before."""
    return df.counts[TRANSFER]


def num_ascend(df: DataFrameMap) -> Any:
    """Switches to a prediction that was never matched before."""
    return df.counts[ASCEND]


def num_migrate(df: DataFrameMap) -> Any:
    """Transfers to an object that was never matched before."""
    return df.counts[MIGRATE]


def num_false_positives(df: DataFrameMap) -> Any:
    """Predictions in frames that were not matched."""
    return df.counts[FP]


def num_misses(df: DataFrameMap) -> Any:
    """Objects in frames that were not matched."""
    return df.counts[MISS]


def num_detections(df: DataFrameMap, num_matches: Any, num_switches: Any) -> Any:
    """Objects in frames that were matched."""
    del df
    return num_matches + num_switches


def num_objects(df: DataFrameMap, obj_frequencies: Any) -> Any:
    """Objects, counted in every frame."""
    del df
    return obj_frequencies.sum()


def num_predictions(df: DataFrameMap, pred_frequencies: Any) -> Any:
    """Predictions, counted in every frame."""
    del df
    return pred_frequencies.sum()


def track_ratios(df: DataFrameMap, obj_frequencies: Any) -> Any:
    """In which part of its frames each object was matched."""
    columns = df.columns
    found = columns.is_single & (columns.kind != MISS)
    tracked = _frequencies("OId", columns.truth_ids, columns.truth[found])
    return tracked.div(obj_frequencies).fillna(0.0)


def mostly_tracked(df: DataFrameMap, track_ratios: Any) -> Any:
    """Objects that were matched in at least 80 percent of their frames."""
    del df
    return np.int64((track_ratios >= 0.8).sum())


def partially_tracked(df: DataFrameMap, track_ratios: Any) -> Any:
    """Objects that were matched in at least 20 percent of their frames, but not in 80."""
    del df
    return np.int64(((track_ratios >= 0.2) & (track_ratios < 0.8)).sum())


def mostly_lost(df: DataFrameMap, track_ratios: Any) -> Any:
    """Objects that were matched in less than 20 percent of their frames."""
    del df
    return np.int64((track_ratios < 0.2).sum())


def num_fragmentations(df: DataFrameMap, obj_frequencies: Any) -> Any:
    """How often objects were lost and found again."""
    del obj_frequencies
    columns = df.columns
    row = np.flatnonzero(columns.is_single & (columns.truth >= 0))
    row = row[np.argsort(columns.truth[row], kind="stable")]
    truth, found = columns.truth[row], columns.kind[row] != MISS
    starts = found.copy()
    starts[1:] &= ~(found[:-1] & (truth[1:] == truth[:-1]))
    runs = np.bincount(truth[starts], minlength=len(columns.truth_ids))
    return np.int64(np.maximum(runs - 1, 0).sum())


def motp(df: DataFrameMap, num_detections: Any) -> Any:
    """Mean distance of matched pairs."""
    columns = df.columns
    distance = columns.distance[columns.is_single]
    return _ratio(np.sum(np.where(np.isnan(distance), 0.0, distance)), num_detections)


def motp_m(partials: Sequence[Mapping[str, Any]], num_detections: Any) -> Any:
    """Mean distance of matched pairs of all sequences."""
    total = sum(each["motp"] * each["num_detections"] for each in partials)
    return _ratio(total, num_detections)


def mota(
    df: Any, num_misses: Any, num_switches: Any, num_false_positives: Any, num_objects: Any
) -> Any:
    """1 - (misses + switches + false positives) / objects."""
    del df
    return 1.0 - _ratio(num_misses + num_switches + num_false_positives, num_objects)


def precision(df: Any, num_detections: Any, num_false_positives: Any) -> Any:
    """Return the part of predictions that is matched."""
    del df
    return _ratio(num_detections, num_false_positives + num_detections)


def recall(df: Any, num_detections: Any, num_objects: Any) -> Any:
    """Return the part of objects that is matched."""
    del df
    return _ratio(num_detections, num_objects)


def extract_counts_from_df_map(
    df: DataFrameMap,
) -> tuple[dict[Any, int], dict[Any, int], dict[tuple[Any, Any], int]]:
    """Return in how many frames each object, each prediction, and each allowed pair is."""
    found = IdCounts(df.columns)
    truth, pred = (ids.tolist() for ids in (found.truth_ids, found.pred_ids))
    rows, columns, counts = (each.tolist() for each in found.pairs())
    return (
        dict(zip(truth, found.n_truth.tolist(), strict=True)),
        dict(zip(pred, found.n_pred.tolist(), strict=True)),
        {
            (truth[row], pred[column]): count
            for row, column, count in zip(rows, columns, counts, strict=True)
        },
    )


def id_global_assignment(df: DataFrameMap, ana: Any = None) -> dict[str, Any]:
    """Objects and predictions, one to one for good, with the fewest errors in all frames."""
    del ana
    return IdAssignment(IdCounts(df.columns))


def _id_errors(assignment: Mapping[str, Any], which: str) -> Any:
    if isinstance(assignment, IdAssignment):
        return getattr(assignment, f"id{which}")
    return assignment[f"{which}matrix"][assignment["rids"], assignment["cids"]].sum()


def idfp(df: Any, id_global_assignment: Mapping[str, Any]) -> Any:
    """Predictions in frames that are wrong after the global assignment."""
    del df
    return _id_errors(id_global_assignment, "fp")


def idfn(df: Any, id_global_assignment: Mapping[str, Any]) -> Any:
    """Objects in frames that are not found after the global assignment."""
    del df
    return _id_errors(id_global_assignment, "fn")


def idtp(df: Any, id_global_assignment: Any, num_objects: Any, idfn: Any) -> Any:
    """Objects in frames that are right after the global assignment."""
    del df, id_global_assignment
    return num_objects - idfn


def idp(df: Any, idtp: Any, idfp: Any) -> Any:
    """Right predictions among all, after the global assignment."""
    del df
    return _ratio(idtp, idtp + idfp)


def idr(df: Any, idtp: Any, idfn: Any) -> Any:
    """Right objects among all, after the global assignment."""
    del df
    return _ratio(idtp, idtp + idfn)


def idf1(df: Any, idtp: Any, num_objects: Any, num_predictions: Any) -> Any:
    """Twice the right objects among all objects and predictions, after the global assignment."""
    del df
    return _ratio(2 * idtp, num_objects + num_predictions)


def _frequencies(name: str, ids: NDArray[Any], codes: NDArray[Any]) -> Any:
    """Return how often each id occurs, in the order that pandas gives them."""
    return pd.Series(ids[codes[codes >= 0]], name=name).value_counts()


def _added(name: str) -> Callable[[Sequence[Mapping[str, Any]]], Any]:
    def add(partials: Sequence[Mapping[str, Any]]) -> Any:
        return sum(each[name] for each in partials)

    add.__name__ = f"{name}_m"
    add.__doc__ = f"The sum of {name} over sequences."
    return add


# What is computed of other metrics is computed so of their sums. `register` finds these by name.
mota_m, precision_m, recall_m = mota, precision, recall
idp_m, idr_m, idf1_m = idp, idr, idf1
num_frames_m = _added("num_frames")
num_unique_objects_m = _added("num_unique_objects")
num_matches_m = _added("num_matches")
num_switches_m = _added("num_switches")
num_transfer_m = _added("num_transfer")
num_ascend_m = _added("num_ascend")
num_migrate_m = _added("num_migrate")
num_false_positives_m = _added("num_false_positives")
num_misses_m = _added("num_misses")
num_detections_m = _added("num_detections")
num_objects_m = _added("num_objects")
num_predictions_m = _added("num_predictions")
mostly_tracked_m = _added("mostly_tracked")
partially_tracked_m = _added("partially_tracked")
mostly_lost_m = _added("mostly_lost")
num_fragmentations_m = _added("num_fragmentations")
idfp_m = _added("idfp")
idfn_m = _added("idfn")
idtp_m = _added("idtp")


def create() -> MetricsHost:
    """Return a host of all metrics."""
    host = MetricsHost()
    function: Callable[..., Any]
    whole, short, percent = "{:d}".format, "{:.3f}".format, "{:.1%}".format
    for function in (
        num_frames,
        obj_frequencies,
        pred_frequencies,
        num_matches,
        num_switches,
        num_transfer,
        num_ascend,
        num_migrate,
        num_false_positives,
        num_misses,
        num_detections,
        num_objects,
        num_predictions,
        num_unique_objects,
    ):
        host.register(function, formatter=whole)
    host.register(track_ratios)
    for function in (mostly_tracked, partially_tracked, mostly_lost):
        host.register(function, formatter=whole)
    host.register(num_fragmentations)
    host.register(motp, formatter=short)
    for function in (mota, precision, recall):
        host.register(function, formatter=percent)
    for function in (id_global_assignment, idfp, idfn, idtp):
        host.register(function)
    for function in (idp, idr, idf1):
        host.register(function, formatter=percent)
    return host
