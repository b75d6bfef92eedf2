"""What the page of a tracker shows, from the state of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from snellen.displays import Words
from snellen.report.class_table import class_table
from snellen.report.parts import Column, Facts, RunParts, Table
from snellen.tracking.track_displays import hota_curve, sequence_numbers, switch_timeline
from snellen.tracking.tracking_result import TrackingResult

if TYPE_CHECKING:
    from snellen.displays import Display
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]

_MOST_TRACKS: Final = 500
_FACTS: Final = 3


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a tracker.

    Parameters
    ----------
    run : StoredRun
        The run; everything follows from the result.
    result : Result
        Its result.
    """
    del run
    classes = class_table(result) if len(result.per_class()) > 1 else None
    if not isinstance(result, TrackingResult):
        return RunParts(curves=result.displays(), classes=classes)
    own: list[Display | Table] = [
        each for each in (hota_curve(result), switch_timeline(result)) if each is not None
    ]
    tracks = result.per_track()
    if tracks:
        own.append(_tracks(tracks))
    sequences = sequence_numbers(result)
    slices: list[Display | Table] = [] if sequences is None else [sequences]
    if len(result.sequences) > 1:
        slices.append(_sequences(result))
    return RunParts(
        facts=_facts(tracks, has_events=bool(len(result.kept.events["kind"]))),
        slices=tuple(slices),
        classes=classes,
        own=tuple(own),
    )


def _facts(tracks: list[dict[str, Any]], *, has_events: bool) -> Facts | None:
    """Return how many objects were lost, who was switched most, and what cannot be shown."""
    if not tracks:
        return None
    n = {
        status: sum(track["status"] == status for track in tracks)
        for status in ("mostly tracked", "partly tracked", "mostly lost")
    }
    lines = [
        f"Of {len(tracks):,} objects: {n['mostly tracked']:,} mostly tracked, "
        f"{n['partly tracked']:,} partly, {n['mostly lost']:,} mostly lost."
    ]
    lines += [
        f"Object {track['track']} of {track['sequence']} changed its track {track['switches']} "
        f"{'time' if track['switches'] == 1 else 'times'} in {track['frames']:,} frames."
        for track in sorted(tracks, key=lambda track: -track["switches"])[:_FACTS]
        if track["switches"]
    ]
    if not has_events:
        lines.append(
            "When identities were switched is not shown: no events were kept. --report or --events "
            "at the evaluation, of each part of a merged run, keeps them."
        )
    return Facts("What to look at first", tuple(lines))


def _tracks(tracks: list[dict[str, Any]]) -> Table:
    """Return the objects, the least covered first."""
    worst = tracks[0]
    note = "" if len(tracks) <= _MOST_TRACKS else f"The {_MOST_TRACKS} least covered."
    return Table(
        Words(
            name="tracks",
            title="Objects, the least covered first",
            about="How each object of truth was followed: in how many of its frames, by how many "
            "tracks, and how often it was lost.",
            finding=f"Least covered is {worst['track']} of {worst['sequence']}: "
            f"{worst['coverage']:.0%} of its {worst['frames']:,} frames.",
            note=note,
        ),
        [
            Column("track", "object"),
            Column("sequence", "sequence"),
            Column("class", "class"),
            Column("status", "status"),
            Column("coverage", "covered", 3, "the share of its frames in which it was matched"),
            Column("frames", "frames"),
            Column("matched", "matched"),
            Column("switches", "switches", None, "how often it went over to another track"),
            Column("fragments", "fragments", None, "how often it was lost and found again"),
            Column("first_frame", "from"),
            Column("last_frame", "to"),
        ],
        [{**track, "track": str(track["track"])} for track in tracks[:_MOST_TRACKS]],
    )


def _sequences(result: TrackingResult) -> Table:
    """Return the numbers of each sequence and class."""
    records = [record for record in result.per_sequence() if "class" in record]
    keys = [key for key in records[0] if key not in ("sequence", "class")] if records else []
    several = len(result.classes) > 1
    columns = [Column("sequence", "sequence")]
    if several:
        columns.append(Column("class", "class"))
    for key in keys:
        whole = not any(isinstance(record[key], float) for record in records)
        columns.append(Column(key, key, None if whole else 3))
    return Table(
        Words(
            name="sequence_numbers",
            title="Sequences",
            about="Every sequence with its numbers.",
            finding=f"There are {len(result.sequences):,} sequences.",
            protocol=str(result.rules.name),
        ),
        columns,
        [{**record, "sequence": str(record["sequence"])} for record in records],
    )
