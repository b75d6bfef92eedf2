"""What metrics of tracking keep: rows of numbers of whole sequences, frames of open ones."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.errors import ClassError, IdError, ShapeError, first_few
from snellen.state import Keys, Ledger, prefixed, unprefixed
from snellen.tracking.frames import Frames, Pairs, Side
from snellen.tracking.sequence_rows import (
    BASE,
    CLASS,
    LEDGERS,
    OF_PRED_TRACKS,
    OF_TRUTH_TRACKS,
    sequence_rows,
)
from snellen.tracking.tracks import SEQUENCE, UNLABELLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from snellen.tracking.family import Family, Settings

    Rows = dict[str, NDArray[Any]]

__all__ = ["Batch", "Kept", "SequenceState"]

_TRACK: Final = "track id"


class Batch(NamedTuple):
    """Frames of one sequence that are to be absorbed.

    Attributes
    ----------
    sequence : int or str
        Its id.
    number : ndarray, shape (F,), int64
        The frames that were looked at, ascending.
    classes : mapping of str to Frames
        The frames of each class.
    n_frames : int
        How many frames the sequence has, where these are all; else -1.
    kinds : mapping of (str, str) to int
        What must be the same of all frames that come, by side and name: whether track ids are
        texts, how many coordinates points have, whether objects have classes.
    """

    sequence: int | str
    number: NDArray[np.int64]
    classes: Mapping[str, Frames]
    n_frames: int
    kinds: Mapping[tuple[str, str], int]


class Kept(NamedTuple):
    """What a state holds, in canonical order: by sequence, then class.

    Attributes
    ----------
    sequences : Keys
        The S sequences.
    classes : Keys
        The K classes that rows have, by name.
    truth_tracks, pred_tracks : Keys
        The ids of objects.
    n_frames : ndarray, shape (S,), int64
        How many frames each sequence has.
    rows : dict of str to ndarray
        Of each sequence and class: ``sequence`` and ``label``, positions, numbers of frames and
        objects, and the columns of families, each with the family's name before it.
    tracks, preds : dict of str to ndarray
        Of each object of truth, and of predictions; empty without the CLEAR family.
    events : dict of str to ndarray
        What happened, where that was asked for.
    """

    sequences: Keys
    classes: Keys
    truth_tracks: Keys
    pred_tracks: Keys
    n_frames: NDArray[np.int64]
    rows: Rows
    tracks: Rows
    preds: Rows
    events: Rows


class _Open:
    """A sequence of which more frames may come."""

    __slots__ = ("classes", "frames", "last")

    def __init__(self) -> None:
        self.frames: set[int] = set()
        self.last = 0
        self.classes: dict[str, list[Frames]] = {}

    def numbers(self) -> NDArray[np.int64]:
        """Return the frames that were looked at, ascending."""
        return np.array(sorted(self.frames), np.int64)

    def add(self, frames: Iterable[int], classes: Mapping[str, Iterable[Frames]]) -> None:
        """Add frames that were checked, and the parts of each class."""
        numbers = list(frames)
        self.frames.update(numbers)
        self.last = max(self.last, *numbers) if numbers else self.last
        for name, parts in classes.items():
            self.classes.setdefault(name, []).extend(parts)

    def check(self, sequence: int | str, frames: Iterable[int]) -> None:
        """Refuse frames that came."""
        again = sorted(self.frames.intersection(frames))
        if again:
            raise IdError(
                f"expected each frame once, got {len(again):,} of sequence {sequence} that came "
                f"before: {first_few(again)}",
                "frame",
            )


class SequenceState:
    """Sequences, each once: closed ones as rows of numbers, open ones as frames.

    Parameters
    ----------
    families : tuple of Family
        What is measured of each sequence and class.
    settings : Settings
        What they are told.
    events : bool
        Whether what happens in each frame is kept, too.
    listed : bool
        Whether the rules list the classes; else they are those that objects have.
    """

    __slots__ = (
        "_closed",
        "_events",
        "_keeps_events",
        "_kinds",
        "_listed",
        "_open",
        "_preds",
        "_rows",
        "_tracks",
        "families",
        "named",
        "settings",
    )

    def __init__(
        self,
        families: tuple[Family, ...],
        settings: Settings,
        *,
        events: bool,
        listed: bool = False,
    ) -> None:
        self.families = families
        self.settings = settings
        self.named: bool | None = None
        self._keeps_events = events
        self._listed = listed
        self._closed: dict[int | str, int] = {}  # and how many frames it has
        self._open: dict[int | str, _Open] = {}
        self._kinds: dict[tuple[str, str], int] = {}
        columns = {f"{f.name}.{c}": dtype for f in families for c, dtype in f.columns.items()}
        codes = {"sequence": np.int32, "label": np.int32}
        self._rows = Ledger(
            ("sequence", "label"), **codes, **dict.fromkeys(BASE, np.int64), **columns
        )
        self._tracks = Ledger(
            ("sequence", "label", "track"),
            **codes,
            track=np.int32,
            **dict.fromkeys(OF_TRUTH_TRACKS, np.int64),
        )
        self._preds = Ledger(
            ("sequence", "label", "track"),
            **codes,
            track=np.int32,
            **dict.fromkeys(OF_PRED_TRACKS, np.int64),
        )
        self._events = Ledger(
            ("sequence", "label", "truth", "pred"),
            **codes,
            truth=np.int32,
            pred=np.int32,
            frame=np.int64,
            kind=np.int32,
            similarity=np.float64,
        )

    def __len__(self) -> int:
        return len(self._closed) + len(self._open)

    @property
    def keeps_events(self) -> bool:
        """Whether what happens in each frame is kept."""
        return self._keeps_events

    def empty(self) -> SequenceState:
        """Return a state of the same kind without data."""
        return SequenceState(
            self.families, self.settings, events=self._keeps_events, listed=self._listed
        )

    def without_events(self) -> SequenceState:
        """Return a state of its own with the same content but for events."""
        none = SequenceState(self.families, self.settings, events=False)
        twin = self.copy()
        twin._events, twin._keeps_events = none._events, False
        return twin

    # ---------------------------------------------------------------------------------- absorbing

    def unnamed_sequence(self, *, whole: bool) -> int:
        """Return the number of the sequence without a name that frames belong to.

        The open one, or the next for frames of a whole one or where none is open.
        """
        begun = [number for number in self._open if isinstance(number, int)]
        if begun and not whole and self.named is False:
            return begun[0]
        return len(self) if self.named is False else 0

    def last_frame(self, sequence: int | str) -> int:
        """Return the greatest number of a frame of an open sequence; 0 where there is none."""
        return self._open[sequence].last if sequence in self._open else 0

    def check_naming(self, named: bool) -> None:
        """Refuse sequences with names among those without.

        Raises
        ------
        IdError
        """
        if self.named not in (None, named):
            raise IdError(
                "expected sequence ids with all updates or with none, got some with and some "
                "without",
                "sequence",
            )

    def check(self, batch: Batch) -> None:
        """Refuse frames of a sequence that is closed, and frames that came.

        Raises
        ------
        IdError, InputError
        """
        for name in (*itertools.islice(self._closed, 1), *itertools.islice(self._open, 1)):
            if isinstance(name, str) != isinstance(batch.sequence, str):
                Keys([name, batch.sequence], SEQUENCE)  # says that they are of two kinds
        self._check_kinds(batch.kinds)
        if batch.sequence in self._closed:
            raise IdError(
                f"expected each sequence once, {batch.sequence} was absorbed whole before: frames "
                "that come one by one go without n_frames, and before end_sequence",
                "sequence",
            )
        if batch.n_frames >= 0:
            if batch.sequence in self._open:
                raise IdError(
                    f"expected a whole sequence or frames of it, got both of {batch.sequence}",
                    "sequence",
                )
            return
        if batch.sequence in self._open:
            self._open[batch.sequence].check(batch.sequence, batch.number.tolist())

    def _check_kinds(self, kinds: Mapping[tuple[str, str], int]) -> None:
        """Refuse what is of another kind than what came before."""
        for (side, what), kind in kinds.items():
            known = self._kinds.get((side, what), kind)
            if known == kind:
                continue
            if what == "track_id":
                words = ("numbers", "texts")
                raise IdError(
                    f"expected track ids of {side} that are {words[known]} as before, got "
                    f"{words[kind]}",
                    what,
                )
            if what == "label":
                words = ("without classes", "with classes")
                raise ClassError(
                    f"expected objects of {side} {words[known]} as before, got some {words[kind]}",
                    what,
                )
            raise ShapeError(
                f"expected places of {side} of {known} coordinates as before, got {kind}", what
            )

    @property
    def kinds(self) -> Mapping[tuple[str, str], int]:
        """What has come so far; see `Batch`."""
        return self._kinds

    def absorb(self, batches: Iterable[Batch], *, named: bool) -> None:
        """Add frames that were checked."""
        for batch in batches:
            self.named = named
            self._kinds |= batch.kinds
            if batch.n_frames >= 0:
                self._close(batch.sequence, batch.classes, batch.n_frames)
                continue
            opened = self._open.setdefault(batch.sequence, _Open())
            opened.add(batch.number.tolist(), {n: [f] for n, f in batch.classes.items()})

    def end(self, sequence: int | str | None = None) -> None:
        """Close a sequence, or all: no more frames of it are to come.

        Raises
        ------
        IdError
            For one that is not open.
        """
        if sequence is not None and sequence not in self._open:
            opened = first_few(self._open) or "none"
            raise IdError(
                f"expected a sequence of which frames came, got {sequence}; open: {opened}",
                "sequence",
            )
        for name in list(self._open) if sequence is None else [sequence]:
            opened_now = self._open[name]
            classes = {label: Frames.joined(p) for label, p in opened_now.classes.items()}
            self._close(name, classes, len(opened_now.frames))
            del self._open[name]

    def merge(self, other: SequenceState) -> None:
        """Add another's sequences; frames of a sequence that is open in both are joined.

        Raises
        ------
        IdError
            Where both have closed one, or have the same frames; then nothing was added.
        """
        if other.named is None:
            return
        self.check_naming(other.named)
        self._check_kinds(other._kinds)
        shift = 0
        if other.named:
            self._check_merge(other)
        else:
            shift = len(self)
            if shift:
                # Frames without a name that come later are of this state's open sequence.
                other = other.copy()
                other.end()
        self.named = other.named
        self._kinds |= other._kinds
        for ledger, theirs in zip(self._ledgers(), other._ledgers(), strict=True):
            ledger.merge(theirs, sequence=shift)
        for name, n_frames in other._closed.items():
            self._closed[name + shift if isinstance(name, int) else name] = n_frames
        for name, opened in other._open.items():
            self._open.setdefault(name, _Open()).add(opened.frames, opened.classes)

    def _check_merge(self, other: SequenceState) -> None:
        """Refuse sequences of another kind, closed ones of both, and frames of both."""
        theirs = (*other._closed, *other._open)
        for name in (*itertools.islice(self._closed, 1), *itertools.islice(self._open, 1)):
            for their in theirs[:1]:
                if isinstance(name, str) != isinstance(their, str):
                    Keys([name, their], SEQUENCE)  # says that they are of two kinds
        again = sorted(
            name
            for name in theirs
            if name in self._closed or (name in self._open and name in other._closed)
        )
        if again:
            raise IdError(
                f"expected each sequence once, got {len(again):,} in both: {first_few(again)}",
                "sequence",
            )
        for name in self._open.keys() & other._open.keys():
            self._open[name].check(name, other._open[name].frames)

    def copy(self) -> SequenceState:
        """Return a state of its own with the same content."""
        twin = self.empty()
        twin.named = self.named
        for ledger, mine in zip(twin._ledgers(), self._ledgers(), strict=True):
            ledger.merge(mine)
        twin._closed = dict(self._closed)
        twin._kinds = dict(self._kinds)
        for name, opened in self._open.items():
            twin._open[name] = _Open()
            twin._open[name].add(opened.frames, opened.classes)
        return twin

    def _ledgers(self) -> tuple[Ledger, ...]:
        """Return the ledgers in the order of `LEDGERS`."""
        return (self._rows, self._tracks, self._preds, self._events)

    # ------------------------------------------------------------------------------------ closing

    def _close(self, sequence: int | str, classes: Mapping[str, Frames], n_frames: int) -> None:
        """Measure all classes of a sequence, then keep their rows."""
        rows = [
            each
            for name, frames in classes.items()
            for each in sequence_rows(
                self.families,
                self.settings,
                {"sequence": Keys([sequence], SEQUENCE), "label": Keys([name], CLASS)},
                frames.coded(n_frames),
                events=self._keeps_events,
            )
        ]
        self._closed[sequence] = n_frames
        ledgers = dict(zip(LEDGERS, self._ledgers(), strict=True))
        for ledger, keys, columns in rows:
            ledgers[ledger].append(keys, **columns)

    # ------------------------------------------------------------------------------------ reading

    def kept(self) -> Kept:
        """Return the rows of closed sequences, in canonical order."""
        tables: dict[str, list[Keys]] = {}
        for ledger in self._ledgers():
            for name, parts in ledger.tables().items():
                tables.setdefault(name, []).extend(parts)
        truth_tables = [*self._tracks.tables()["track"], *self._events.tables()["truth"]]
        pred_tables = [*self._preds.tables()["track"], *self._events.tables()["pred"]]
        sequences = Keys(sorted(self._closed), SEQUENCE)
        classes = Keys.union(tables["label"], CLASS)
        truth_tracks = Keys.union(truth_tables, _TRACK)
        pred_tracks = Keys.union(pred_tables, _TRACK)
        keys = {"sequence": sequences, "label": classes}
        rows = _ordered(self._rows.columns(keys))
        tracks = _ordered(self._tracks.columns({**keys, "track": truth_tracks}), "track")
        preds = _ordered(self._preds.columns({**keys, "track": pred_tracks}), "track")
        events = _ordered(
            self._events.columns({**keys, "truth": truth_tracks, "pred": pred_tracks})
        )
        # A row without an object of one side holds a place for it.
        events["truth"] = np.where(events["kind"] == 3, np.int32(-1), events["truth"])
        events["pred"] = np.where(events["kind"] == 2, np.int32(-1), events["pred"])
        n_frames = np.array([self._closed[name] for name in sequences.ids.tolist()], np.int64)
        kept = Kept(
            sequences, classes, truth_tracks, pred_tracks, n_frames, rows, tracks, preds, events
        )
        return _of_labelled(kept) if self._is_labelled(classes) else kept

    def _is_labelled(self, classes: Keys) -> bool:
        """Return whether objects have classes: these, or those of sequences that are open.

        A frame with nothing in it may come without classes among others that have some.
        """
        names = {
            *classes.ids.tolist(),
            *(name for one in self._open.values() for name in one.classes),
        }
        return not self._listed and not names <= {UNLABELLED}

    # -------------------------------------------------------------------------------------- bytes

    def store(self, content: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Put everything into a state of bytes."""
        kept = self.kept()
        content["named"] = self.named
        content["kinds"] = sorted([side, what, kind] for (side, what), kind in self._kinds.items())
        arrays["n_frames"] = kept.n_frames
        for name in ("sequences", "classes", "truth_tracks", "pred_tracks"):
            getattr(kept, name).store(name, content, arrays)
        for name in ("rows", "tracks", "preds", "events"):
            arrays |= prefixed(f"{name}.", getattr(kept, name))
        opened = []
        is_labelled = self._is_labelled(kept.classes)
        for i, sequence in enumerate(sorted(self._open)):
            one = self._open[sequence]
            arrays[f"open{i}.number"] = one.numbers()
            described: dict[str, Any] = {"sequence": sequence, "classes": []}
            for label in sorted(one.classes):
                frames = Frames.joined(one.classes[label]).filled()
                if is_labelled and label == UNLABELLED and not len(frames) + sum(frames.left_out):
                    continue
                prefix = f"open{i}.{len(described['classes'])}."
                entry: dict[str, Any] = {"class": label, "left_out": list(frames.left_out)}
                _store_frames(prefix, frames, entry, arrays)
                described["classes"].append(entry)
            opened.append(described)
        content["open"] = opened

    def take(self, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `store` put into bytes; only in a state without data.

        Raises
        ------
        KeyError, TypeError, ValueError, IdError
            Where it is not whole.
        """
        self.named = content["named"]
        sequences = Keys.stored("sequences", SEQUENCE, content, arrays)
        classes = Keys.stored("classes", CLASS, content, arrays)
        truth_tracks = Keys.stored("truth_tracks", _TRACK, content, arrays)
        pred_tracks = Keys.stored("pred_tracks", _TRACK, content, arrays)
        self._closed = dict(zip(sequences.ids.tolist(), arrays["n_frames"].tolist(), strict=True))
        self._kinds = {(side, what): int(kind) for side, what, kind in content["kinds"]}
        keys = {"sequence": sequences, "label": classes}
        tables: dict[str, tuple[Ledger, dict[str, Keys]]] = {
            "rows": (self._rows, keys),
            "tracks": (self._tracks, {**keys, "track": truth_tracks}),
            "preds": (self._preds, {**keys, "track": pred_tracks}),
            "events": (self._events, {**keys, "truth": truth_tracks, "pred": pred_tracks}),
        }
        for name, (ledger, tables_of) in tables.items():
            columns = unprefixed(f"{name}.", arrays)
            for key, table in tables_of.items():
                least = -1 if key in ("truth", "pred") else 0
                if ((columns[key] < least) | (columns[key] >= max(len(table), 0))).any():
                    raise ValueError(f"a row of {name} has no {key}")
            if len(columns["sequence"]):
                ledger.append(tables_of, **columns)
        for i, described in enumerate(content["open"]):
            of_classes = {
                entry["class"]: [_stored_frames(f"open{i}.{j}.", entry, arrays)]
                for j, entry in enumerate(described["classes"])
            }
            self._open[described["sequence"]] = _Open()
            self._open[described["sequence"]].add(arrays[f"open{i}.number"].tolist(), of_classes)


def _of_labelled(kept: Kept) -> Kept:
    """Return what is kept without rows of frames that have no class, for want of objects."""
    names = kept.classes.ids.tolist()
    if UNLABELLED not in names:
        return kept
    code = names.index(UNLABELLED)
    has_objects = np.any([kept.rows[name] > 0 for name in BASE[1:]], axis=0)
    chosen = (kept.rows["label"] != code) | has_objects
    rows = {name: column[chosen] for name, column in kept.rows.items()}
    if (rows["label"] == code).any():
        return kept._replace(rows=rows)  # a class of that name
    tables = {"rows": rows, "tracks": kept.tracks, "preds": kept.preds, "events": kept.events}
    moved: dict[str, Any] = {
        table: {**columns, "label": columns["label"] - (columns["label"] > code)}
        for table, columns in tables.items()
    }
    return kept._replace(classes=Keys([*names[:code], *names[code + 1 :]], CLASS), **moved)


def _ordered(columns: Rows, *then: str) -> Rows:
    order = np.lexsort((*(columns[name] for name in then), columns["label"], columns["sequence"]))
    return {name: column[order] for name, column in columns.items()}


def _store_frames(
    prefix: str, frames: Frames, entry: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> None:
    arrays[f"{prefix}number"] = frames.number
    for name, side in (("truth", frames.truth), ("pred", frames.pred)):
        arrays[f"{prefix}{name}.begin"] = side.begin
        if side.centre is not None:
            arrays[f"{prefix}{name}.centre"] = side.centre
        if side.track.dtype.kind == "U":
            entry[f"{name}_track"] = side.track.tolist()
        else:
            arrays[f"{prefix}{name}.track"] = side.track
    arrays |= prefixed(f"{prefix}pairs.", frames.pairs._asdict())


def _stored_frames(
    prefix: str, entry: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Frames:
    def side(name: str) -> Side:
        track = entry.get(f"{name}_track")
        return Side(
            arrays[f"{prefix}{name}.begin"],
            arrays[f"{prefix}{name}.track"] if track is None else np.array(track, np.str_),
            arrays.get(f"{prefix}{name}.centre"),
        )

    pairs = Pairs(**unprefixed(f"{prefix}pairs.", arrays))
    truth_left, pred_left = entry["left_out"]
    frames = Frames(
        arrays[f"{prefix}number"], side("truth"), side("pred"), pairs, (truth_left, pred_left)
    )
    frames.coded(-1)  # checks that all fits
    return frames
