"""The accumulator of events: frames come in one by one."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from snellen import _core
from snellen.compat.motmetrics.event_columns import EventColumns, as_numbers
from snellen.compat.motmetrics.event_tables import (
    event_index,
    event_table,
    event_table_of_lists,
    frame_index,
    merged_counts,
    merged_event_tables,
    new_event_table,
    taken,
)
from snellen.compat.motmetrics.failed_assertion import FailedAssertionError
from snellen.errors import InputError, ShapeError
from snellen.tracking.motmetrics_list import ASCEND, FP, KINDS, MIGRATE, MISS, SWITCH, TRANSFER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["MOTAccumulator"]

# Frames that wait before the kernel gets them: its call costs as much as a small frame.
_BATCH = 256
# Sums of so large distances would be infinite; one frame has fewer rows than 2^31.
_LARGEST = 1e290
_LINE = "%s %d %d %d %d %d\n"
_SHORT_LINE = "%s %d %d\n"


class _Codes(dict[Any, int]):
    """Numbers 0, 1, 2, … of ids in the order of their first use."""

    def __missing__(self, key: Any) -> int:
        code = self[key] = len(self)
        return code

    def of(self, ids: NDArray[Any]) -> NDArray[np.int32]:
        """Return the numbers of ids. Each NaN is an id of its own, as it equals no other."""
        return np.fromiter(map(self.__getitem__, ids.tolist()), np.int32, len(ids))


class _Rows(NamedTuple):
    """Frames as the kernel takes them, without the times; pair_pred counts within each frame."""

    truth_size: NDArray[Any]
    pred_size: NDArray[Any]
    truth: NDArray[np.int32]
    pred: NDArray[np.int32]
    pair_size: NDArray[Any]
    pair_pred: NDArray[Any]
    distance: NDArray[np.float64]


class MOTAccumulator:
    """Events of objects and hypotheses, frame by frame.

    Parameters
    ----------
    auto_id : bool
        Frames are numbered 0, 1, 2, …; else each has an id that `update` is given.
    max_switch_time : float
        An object that was away for longer than this does not switch: a difference of frame ids.

    Attributes
    ----------
    events : pandas.DataFrame
        All events, one row each, indexed by frame id and number within the frame: their type (RAW,
        FP, MISS, SWITCH, MATCH, TRANSFER, ASCEND, MIGRATE), object, hypothesis, distance.

    Notes
    -----
    Ids may be numbers or texts. Where all texts are numbers, the data frame has numbers, as that of
    the package; where they are not, it has the texts, where the package stops.
    """

    def __init__(self, auto_id: bool = False, max_switch_time: float = float("inf")) -> None:
        self.auto_id = auto_id
        self.max_switch_time = max_switch_time
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._kernel = _core.MotEvents(max_switch_time=float(self.max_switch_time))
        self._truth_codes, self._pred_codes = _Codes(), _Codes()
        self._frame_ids: list[Any] = []
        self._times: list[float] = []
        self._first_time = 0
        self._waiting: list[_Rows] = []
        self._n_told = 0
        # Frame number, kind, object, hypothesis (codes), distance of events.
        self._told: list[tuple[NDArray[Any], ...]] = []
        self._columns: EventColumns | None = None
        self._table: Any = None

    def update(
        self,
        oids: ArrayLike,
        hids: ArrayLike,
        dists: ArrayLike,
        frameid: Any = None,
        vf: Any = "",
    ) -> Any:
        """Absorb one frame.

        Parameters
        ----------
        oids, hids : array-like, shape (n,) and (m,)
            Ids of objects and hypotheses.
        dists : array-like, n * m numbers
            Distances; NaN or infinite where a pair is not allowed.
        frameid : optional
            The frame's id; not with ``auto_id``.
        vf : file, optional
            Open for texts: gets a line for each error. ``AS``, ``SW``: frame before, hypothesis
            before, frame and hypothesis of an object that switched (to a new hypothesis, or not);
            ``MI``, ``TR``: the same of a hypothesis; ``FN`` and ``FP``.

        Returns
        -------
        The frame's id.

        Raises
        ------
        FailedAssertionError
            For a frame id with ``auto_id``, or none without.
        ShapeError
            Where there are not n * m distances.
        InputError
            For distances beyond 1e290, and for a frame id that is no number where
            ``max_switch_time`` needs one.
        """
        truth, pred = np.asarray(oids), np.asarray(hids)
        distance = np.asarray(dists, np.float64)
        if distance.size != len(truth) * len(pred):
            raise ShapeError(
                f"expected {len(truth)} x {len(pred)} distances, got {distance.size}", "dists"
            )
        distance = distance.reshape(len(truth), len(pred))
        allowed = np.isfinite(distance)
        rows, columns = allowed.nonzero()
        distance = distance[allowed]
        if distance.size and np.abs(distance).max() > _LARGEST:
            raise InputError(f"expected distances up to {_LARGEST:g}, got larger ones", "dists")
        row = _Rows(
            np.array([len(truth)]),
            np.array([len(pred)]),
            self._truth_codes.of(truth),
            self._pred_codes.of(pred),
            np.bincount(rows, minlength=len(truth)),
            columns,
            distance,
        )
        if vf != "":
            self._tell()
            before = self._kernel.memory()
        frameid = self._begin_frame(frameid)
        self._waiting.append(row)
        if vf != "":
            self._tell()
            self._write(vf, frameid, before)
        elif len(self._waiting) >= _BATCH:
            self._tell()
        return frameid

    def _begin_frame(self, frameid: Any) -> Any:
        if frameid is None:
            if not self.auto_id:
                raise FailedAssertionError(
                    "expected a frame id without auto_id, got none", "frameid"
                )
            frameid = self._frame_ids[-1] + 1 if self._frame_ids else 0
        elif self.auto_id:
            raise FailedAssertionError(
                f"expected no frame id where auto_id numbers frames, got {frameid!r}", "frameid"
            )
        time = 0.0
        if self.max_switch_time != float("inf"):
            if not isinstance(frameid, numbers.Real):
                raise InputError(
                    f"expected a number with max_switch_time, got {frameid!r}",
                    "frameid",
                )
            # Whole numbers may need more digits than a float has; their differences do not.
            if not self._frame_ids:
                self._first_time = int(frameid) if isinstance(frameid, numbers.Integral) else 0
            time = float(frameid - self._first_time)  # type: ignore[arg-type]  # Real has it
        self._frame_ids.append(frameid)
        self._times.append(time)
        self._columns = self._table = None
        return frameid

    def update_many(
        self,
        frame_ids: Sequence[Any],
        truth_begin: NDArray[np.int64],
        pred_begin: NDArray[np.int64],
        oids: NDArray[Any],
        hids: NDArray[Any],
        pair_begin: NDArray[np.int64],
        pair_pred: NDArray[np.int32],
        distance: NDArray[np.float64],
    ) -> None:
        """Absorb many frames at once, which the package does not have.

        Parameters
        ----------
        frame_ids : sequence
        truth_begin, pred_begin : ndarray, shape (n_frames + 1,)
            Rows of frame t are ``begin[t]`` … ``begin[t + 1] - 1``.
        oids, hids : ndarray, shape (n rows,)
        pair_begin : ndarray, shape (n rows of objects + 1,)
            Pairs of object row i are ``pair_begin[i]`` … ``pair_begin[i + 1] - 1``.
        pair_pred : ndarray, shape (n pairs,)
            Rows of hypotheses of the same frame, ascending for each object.
        distance : ndarray, shape (n pairs,)
            Finite.
        """
        for frame_id in frame_ids:
            self._begin_frame(frame_id)
        first_pred = np.repeat(pred_begin[:-1], np.diff(pair_begin[truth_begin]))
        self._waiting.append(
            _Rows(
                np.diff(truth_begin),
                np.diff(pred_begin),
                self._truth_codes.of(oids),
                self._pred_codes.of(hids),
                np.diff(pair_begin),
                pair_pred - first_pred,
                distance,
            )
        )
        self._tell()

    def _tell(self) -> None:
        """Give the kernel what waits."""
        if not self._waiting:
            return
        rows = _Rows(*(np.concatenate(parts) for parts in zip(*self._waiting, strict=True)))
        self._waiting = []
        truth_begin, pred_begin = _begins(rows.truth_size), _begins(rows.pred_size)
        pair_begin = _begins(rows.pair_size)
        pairs_of_frame = np.diff(pair_begin[truth_begin])
        frame, kind, truth, pred, distance = self._kernel.update(
            truth_begin,
            pred_begin,
            rows.truth,
            rows.pred,
            pair_begin,
            (rows.pair_pred + np.repeat(pred_begin[:-1], pairs_of_frame)).astype(np.int32),
            rows.distance,
            np.array(self._times),
            n_truth_tracks=len(self._truth_codes),
            n_pred_tracks=len(self._pred_codes),
            raw=True,
        )
        self._times = []
        self._told.append(
            (
                frame + self._n_told,
                kind,
                np.append(rows.truth, np.int32(-1))[truth],
                np.append(rows.pred, np.int32(-1))[pred],
                distance,
            )
        )
        self._n_told = len(self._frame_ids)

    def _all_told(self) -> tuple[NDArray[Any], ...]:
        """Return frame number, kind, object, hypothesis and distance of all events."""
        self._tell()
        if len(self._told) != 1:
            none = [
                (
                    np.empty(0, np.int64),
                    np.empty(0, np.uint8),
                    np.empty(0, np.int32),
                    np.empty(0, np.int32),
                    np.empty(0),
                )
            ]
            self._told = [
                tuple(np.concatenate(parts) for parts in zip(*(none + self._told), strict=True))
            ]
        return self._told[0]

    def _write(self, vf: Any, frame_id: Any, before: tuple[Any, ...]) -> None:
        """Write the lines of the frame that was told last; before: the kernel's memory."""
        _, pred_of_truth, _, frame_of_truth, truth_of_pred, frame_of_pred = before
        truth_ids, pred_ids = list(self._truth_codes), list(self._pred_codes)
        frame_ids = self._frame_ids
        _, kinds, truths, preds, _ = self._told[-1]
        beside: set[int] = set()
        for kind, o, h in zip(kinds.tolist(), truths.tolist(), preds.tolist(), strict=True):
            if kind in (ASCEND, MIGRATE, TRANSFER):
                beside.add(kind)
                continue
            if kind == SWITCH:
                past = truth_ids[o], frame_ids[frame_of_truth[o]], pred_ids[pred_of_truth[o]]
                word = "AS" if ASCEND in beside else "SW"
                vf.write(_LINE % (word, *past, frame_id, pred_ids[h]))
            if TRANSFER in beside:
                past = pred_ids[h], frame_ids[frame_of_pred[h]], truth_ids[truth_of_pred[h]]
                word = "MI" if MIGRATE in beside else "TR"
                vf.write(_LINE % (word, *past, frame_id, truth_ids[o]))
            beside.clear()
            if kind == MISS:
                vf.write(_SHORT_LINE % ("FN", frame_id, truth_ids[o]))
            if kind == FP:
                vf.write(_SHORT_LINE % ("FP", frame_id, pred_ids[h]))

    def __getstate__(self) -> dict[str, Any]:
        self._tell()
        return {**self.__dict__, "_kernel": self._kernel.memory()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._kernel = _core.MotEvents(max_switch_time=float(self.max_switch_time))
        self._kernel.restore(*state["_kernel"])

    @property
    def columns(self) -> EventColumns:
        """All events as columns, which metrics are computed from."""
        if self._columns is None:
            frame, kind, truth, pred, distance = self._all_told()
            # Two ids may be one number: 1 and "1".
            truth_code, truth_ids = pd.factorize(as_numbers(list(self._truth_codes)))
            pred_code, pred_ids = pd.factorize(as_numbers(list(self._pred_codes)))
            frame_code, _ = pd.factorize(frame_index(self._frame_ids).codes[0])
            self._columns = EventColumns(
                frame_code[frame],
                kind,
                np.append(truth_code, -1)[truth],
                np.append(pred_code, -1)[pred],
                distance,
                truth_ids,
                pred_ids,
            )
        return self._columns

    @property
    def events(self) -> Any:
        """All events as a data frame."""
        if self._table is None:
            frame, kind, truth, pred, distance = self._all_told()
            self._table = event_table(
                pd.Categorical.from_codes(kind, categories=list(KINDS)),
                taken(as_numbers(list(self._truth_codes)), truth),
                taken(as_numbers(list(self._pred_codes)), pred),
                distance,
                event_index(self._frame_ids, frame),
            )
        return self._table

    @property
    def mot_events(self) -> Any:
        """The events that are not RAW, as a data frame."""
        return self.events[self.events["Type"] != "RAW"]

    new_event_dataframe = staticmethod(new_event_table)
    new_event_dataframe_with_data = staticmethod(event_table_of_lists)
    merge_event_dataframes = staticmethod(merged_event_tables)
    merge_analysis = staticmethod(merged_counts)


def _begins(sizes: NDArray[Any]) -> NDArray[np.int64]:
    begin = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=begin[1:])
    return begin
