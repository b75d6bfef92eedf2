"""Pictures of tracking: HOTA over the threshold, and when objects changed their track."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.displays import Bars, BarsDisplay, Line, LinesDisplay, Span, SpansDisplay, Words

if TYPE_CHECKING:
    from snellen.tracking.tracking_result import TrackingResult

__all__ = ["hota_curve", "sequence_numbers", "switch_timeline"]

_CURVES: Final = ("HOTA", "DetA", "AssA", "LocA")
_OBJECTS: Final = 25  # of the timeline
_SEQUENCES: Final = 40


def hota_curve(result: TrackingResult) -> LinesDisplay | None:
    """Return HOTA and its parts over the localisation threshold; None without HOTA."""
    if not any("HOTA" in family.per_alpha for family in result.families) or not result.classes:
        return None
    alphas = result.alphas
    values = {name: result.curve(name) for name in _CURVES}
    # Curves have the reference's numbers, 0 or 1, where nothing is there or nothing matches.
    if np.isnan(result.metrics["DetRe"]):
        finding = "There is nothing to track."
    elif np.isnan(result.metrics["AssA"]):
        finding = "HOTA is 0: no prediction matches an object at any threshold."
    else:
        half = int(np.argmin(np.abs(alphas - 0.5)))
        found, kept = float(values["DetA"][half]), float(values["AssA"][half])
        finding = (
            f"HOTA is {result.metrics['HOTA']:.3f} on average. At threshold 0.5 DetA is "
            f"{found:.3f} and AssA {kept:.3f}"
        )
        if found == 0:
            finding += ": no prediction fits an object so well"
        elif min(found, kept) < 1:
            weaker = "finding objects (DetA)" if found < kept else "keeping their identity (AssA)"
            finding += f": what holds it back is {weaker}"
        finding += "."
    return LinesDisplay(
        words=Words(
            name="hota",
            title="HOTA over the localisation threshold",
            about="HOTA is made of finding objects (DetA) and keeping their identity (AssA); going "
            "right, boxes must fit better. LocA says how well those fit that count.",
            finding=finding,
            protocol=str(result.rules.name),
        ),
        lines=tuple(Line(name, alphas, values[name]) for name in _CURVES),
        x_label="localisation threshold α",
        y_label="value",
        y_range=(0.0, 1.0),
    )


def sequence_numbers(result: TrackingResult) -> BarsDisplay | None:
    """Return the main number of each sequence, the lowest first; None for one sequence."""
    name = next((each for each in ("HOTA", "MOTA", "IDF1") if each in result.metrics), None)
    if name is None or len(result.sequences) < 2:
        return None
    has_truth = _with_truth(result)
    values: dict[str, list[float]] = defaultdict(list)
    for record in result.per_sequence():
        if (record["sequence"], record["class"]) in has_truth and not np.isnan(record[name]):
            values[str(record["sequence"])].append(record[name])
    order = sorted((sum(each) / len(each), sequence) for sequence, each in values.items())
    shown = order[:_SEQUENCES]
    average = "" if len(result.classes) == 1 else ", mean of the classes that its truth has"
    return BarsDisplay(
        words=Words(
            name="sequences",
            title=f"{name} of each sequence",
            about="Where tracking is hard: a sequence that is much lower than the others is where "
            "to look.",
            finding=(
                f"{name} goes from {order[0][0]:.3f} ({order[0][1]}) to {order[-1][0]:.3f} "
                f"({order[-1][1]})."
                if order
                else "No sequence has anything to track."
            ),
            protocol=f"{result.rules.name}{average}",
            note=(
                f"The {_SEQUENCES} lowest of {len(order):,} sequences."
                if order[_SEQUENCES:]
                else ""
            ),
        ),
        categories=tuple(sequence for _, sequence in shown),
        bars=(Bars(name, np.array([value for value, _ in shown], np.float64)),),
        value_label=name,
    )


def _with_truth(result: TrackingResult) -> set[tuple[int | str, str]]:
    """Return the sequences and classes in which truth has objects."""
    rows, kept = result.kept.rows, result.kept
    chosen = rows["n_truth"] > 0
    return set(
        zip(
            kept.sequences.ids[rows["sequence"][chosen]].tolist(),
            kept.classes.ids[rows["label"][chosen]].tolist(),
            strict=True,
        )
    )


class _Life(NamedTuple):
    """What happened to an object, frame by frame."""

    name: str
    frames: list[tuple[int, str, Any]]  # frame, event, track

    @property
    def n_switches(self) -> int:
        return sum(event == "switch" for _, event, _ in self.frames)


def switch_timeline(result: TrackingResult) -> SpansDisplay | None:
    """Return when the objects with the most identity switches were followed, lost and switched.

    None where events are not kept.
    """
    lives: dict[tuple[Any, ...], _Life] = {}
    several = len(result.sequences) > 1
    n_switches = 0
    for sequence, class_name, frame, event, truth, pred, _ in result.event_rows():
        if event not in ("match", "switch", "miss"):
            continue
        key = (sequence, class_name, truth)
        if key not in lives:
            lives[key] = _Life(f"{sequence}: {truth}" if several else str(truth), [])
        lives[key].frames.append((frame, event, pred))
        n_switches += event == "switch"
    if not lives:
        return None
    switched = [life for life in lives.values() if life.n_switches]
    shown = sorted(switched, key=lambda life: -life.n_switches)[:_OBJECTS]
    if shown:
        finding = (
            f"{n_switches:,} identity {'switch' if n_switches == 1 else 'switches'} of "
            f"{len(switched):,} {'object' if len(switched) == 1 else 'objects'}; most, "
            f"{shown[0].n_switches}, of {shown[0].name}."
        )
    else:
        finding = "No object ever changed its track."
    return SpansDisplay(
        words=Words(
            name="identity_switches",
            title="When identities were switched",
            about="A line is an object: where it is followed, where it is lost, and where it goes "
            "over to another track.",
            finding=finding,
            protocol=f"{result.rules.name}, threshold {result.settings.threshold:g}",
            note=(
                f"The {_OBJECTS} of {len(switched):,} objects with the most switches."
                if switched[_OBJECTS:]
                else ""
            ),
        ),
        # What is followed comes first, and has the first colour.
        spans=tuple(
            sorted(
                (span for life in shown for span in _spans(life)),
                key=lambda span: ("followed", "lost", "switch").index(span.kind),
            )
        ),
        x_label="frame",
        row_label="object",
    )


def _spans(life: _Life) -> list[Span]:
    """Return stretches of frames of one track, or of none, and the switches between them."""
    found: list[Span] = []
    switches: list[Span] = []
    start, last, now, held = None, 0, "", None
    before = None
    for frame, event, pred in sorted(life.frames, key=lambda each: each[0]):
        kind = "lost" if event == "miss" else "followed"
        if start is not None and (kind != now or pred != held or frame != last + 1):
            found.append(_stretch(life.name, start, last, now, held))
            start = None
        if event == "switch":
            switches.append(
                Span(life.name, frame, frame, "switch", f"from track {before} to {pred}")
            )
        if start is None:
            start = frame
        now, held, last = kind, pred, frame
        if event != "miss":
            before = pred
    if start is not None:
        found.append(_stretch(life.name, start, last, now, held))
    return [*found, *switches]


def _stretch(name: str, start: int, last: int, kind: str, track: Any) -> Span:
    said = "lost" if kind == "lost" else f"track {track}"
    return Span(name, start, last + 1, kind, said)
