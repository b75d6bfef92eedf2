"""Events as pandas has them: data frames by frame and number, made, merged, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snellen.tracking.motmetrics_list import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "event_index",
    "event_table",
    "event_table_of_lists",
    "frame_index",
    "merged_counts",
    "merged_event_tables",
    "new_event_table",
    "taken",
]

_INDEX_NAMES = ("FrameId", "Event")


def event_table(kind: Any, truth: Any, pred: Any, distance: Any, index: Any) -> Any:
    """Return a data frame of events. Ids are numbers, unless they come as an array of objects."""

    def column(values: Any) -> Any:
        is_text = isinstance(values, np.ndarray) and values.dtype == object
        return pd.Series(values, index, dtype=object if is_text else float)

    return pd.DataFrame(
        {
            "Type": pd.Series(kind, index),
            "OId": column(truth),
            "HId": column(pred),
            "D": column(distance),
        }
    )


def taken(ids: NDArray[Any], codes: NDArray[Any]) -> NDArray[Any]:
    """Return the id of each code, NaN for -1."""
    found: NDArray[Any] = np.append(ids, np.array([np.nan], ids.dtype))[codes]
    return found


def frame_index(frame_ids: Sequence[Any]) -> Any:
    """Return ids of frames as the first level of an index, as pandas makes it of a list."""
    return pd.MultiIndex.from_arrays([frame_ids, [0] * len(frame_ids)])


def event_index(frame_ids: Sequence[Any], frame: NDArray[Any]) -> Any:
    """Return the index of events: the frames they are in, ascending, and numbers within each."""
    if not len(frame):
        return pd.MultiIndex.from_arrays([[], []], names=_INDEX_NAMES)
    frames = frame_index(frame_ids)
    first = np.flatnonzero(np.append(True, frame[1:] != frame[:-1]))
    size = np.diff(np.append(first, len(frame)))
    return pd.MultiIndex(
        levels=[frames.levels[0], np.arange(size.max())],
        codes=[frames.codes[0][frame], np.arange(len(frame)) - np.repeat(first, size)],
        names=_INDEX_NAMES,
        verify_integrity=False,
    )


def new_event_table() -> Any:
    """Return a data frame of no events."""
    none = pd.Categorical([], categories=list(KINDS))
    index = pd.MultiIndex(levels=[[], []], codes=[[], []], names=_INDEX_NAMES)
    return event_table(none, [], [], [], index)


def event_table_of_lists(
    indices: Mapping[str, Sequence[Any]], events: Mapping[str, Sequence[Any]]
) -> Any:
    """Return a data frame of events.

    Parameters
    ----------
    indices : mapping
        Lists "FrameId" and "Event".
    events : mapping
        Lists "Type", "OId", "HId" and "D".
    """
    if not events:
        return new_event_table()
    arrays = [indices[name] for name in _INDEX_NAMES]
    index = pd.MultiIndex.from_arrays(arrays, names=_INDEX_NAMES)
    kind = pd.Categorical(events["Type"], categories=list(KINDS))
    return event_table(kind, events["OId"], events["HId"], events["D"], index)


def merged_event_tables(
    dfs: Iterable[Any],
    update_frame_indices: bool = True,
    update_oids: bool = True,
    update_hids: bool = True,
    return_mappings: bool = False,
) -> Any:
    """Return the events of several accumulators or data frames as one data frame.

    Parameters
    ----------
    dfs : iterable of MOTAccumulator or pandas.DataFrame
    update_frame_indices : bool
        Frame ids, which must be numbers, go on behind those of the one before.
    update_oids, update_hids : bool
        Ids become texts "0", "1", …, none of them in two of the parts.
    return_mappings : bool
        Return also, for each part, what was changed: "frame_offset", and new ids by old as
        "oid_map" and "hid_map".
    """
    merged: list[Any] = []
    mappings: list[dict[str, Any]] = []
    n_ids = {"OId": 0, "HId": 0}
    largest: Any = None
    frames: set[Any] = set()
    for part in dfs:
        table = getattr(part, "events", part).copy()
        mapping: dict[str, Any] = {}
        frame = table.index.get_level_values(0)
        if update_frame_indices:
            offset = 0 if largest is None else max(largest + 1, len(frames))
            mapping["frame_offset"] = offset
            frame = frame + offset
            number = table.index.get_level_values(1)
            table.index = pd.MultiIndex.from_arrays([frame, number], names=_INDEX_NAMES)
        for column, name, wanted in (
            ("OId", "oid_map", update_oids),
            ("HId", "hid_map", update_hids),
        ):
            if not wanted:
                continue
            code, ids = pd.factorize(table[column])
            new = [str(n_ids[column] + i) for i in range(len(ids))]
            n_ids[column] += len(ids)
            mapping[name] = dict(zip(ids, new, strict=True))
            table[column] = taken(np.array([*new, None], object)[:-1], code)
        if len(frame):
            largest = frame.max() if largest is None else max(largest, frame.max())
            frames.update(frame.unique())
        merged.append(table)
        mappings.append(mapping)
    whole = pd.concat(merged) if merged else new_event_table()
    return (whole, mappings) if return_mappings else whole


def merged_counts(
    anas: Iterable[Mapping[str, Mapping[Any, int]] | None],
    infomap: Iterable[Mapping[str, Mapping[Any, str]]],
) -> dict[str, dict[int, int]] | None:
    """Return counts by new ids.

    Parameters
    ----------
    anas : iterable of mapping
        Of each part, for "obj" and "hyp", how often each id occurs (`utils.CLEAR_MOT_M`); or
        None, which makes the result None.
    infomap : iterable of mapping
        What `merge_event_dataframes` changed.
    """
    merged: dict[str, dict[int, int]] = {"hyp": {}, "obj": {}}
    for counts, mapping in zip(anas, infomap, strict=False):
        if counts is None:
            return None
        for side, of_side in counts.items():
            new = mapping[{"hyp": "hid_map", "obj": "oid_map"}[side]]
            for missing in (np.nan, "nan"):
                if missing in new:
                    merged[side][int(new[missing])] = 0
            for old, count in of_side.items():
                merged[side][int(new[old if old in new else str(old)])] = count
    return merged
