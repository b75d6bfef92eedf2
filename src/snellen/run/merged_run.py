"""Runs of parts of a data set as the run of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from snellen.errors import MergeError, SnellenError, first_few
from snellen.run.id_order import id_keys
from snellen.run.run_record import plain_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snellen.metric import StoredMetric
    from snellen.run.examples import Example, Examples
    from snellen.run.stored_run import StoredRun

__all__ = ["MergedExamples", "merged_examples", "merged_from", "merged_states"]

# What examples are called; where nothing is said, images.
_EXAMPLES: Final = {"classification": "sample", "regression": "sample", "tracking": "frame"}


class MergedExamples(NamedTuple):
    """The worst images of several runs.

    Attributes
    ----------
    examples : Examples
        With pictures renamed where two runs have one of the same name.
    pictures : dict of str to bytes
        Those that there are.
    """

    examples: Examples
    pictures: dict[str, bytes]


def merged_states(runs: Sequence[StoredRun]) -> tuple[dict[str, StoredMetric[Any]], list[str]]:
    """Return the states of further diagnoses that all runs have, merged, and notes.

    What does not merge is left out with a note; so is what not all runs have.
    """
    names = [run.state_names() for run in runs]
    found: dict[str, StoredMetric[Any]] = {}
    notes = []
    for name in dict.fromkeys(name for each in names for name in each):
        without = [run.name for run, own in zip(runs, names, strict=True) if name not in own]
        if without:
            have = "has" if len(without) == 1 else "have"
            notes.append(f"states/{name}.bin is left out: {first_few(without)} {have} none")
            continue
        try:
            found[name] = _merged([run.state(name) for run in runs])
        except SnellenError as error:
            notes.append(f"states/{name}.bin is left out: {error}")
    return found, notes


def _merged(parts: Sequence[Any]) -> StoredMetric[Any]:
    whole = parts[0]
    for part in parts[1:]:
        if type(part) is not type(whole):
            raise MergeError(
                f"expected the state of {type(whole).__name__}, got that of {type(part).__name__}"
            )
        whole.merge(part)
    merged: StoredMetric[Any] = whole
    return merged


def merged_examples(
    runs: Sequence[StoredRun], anew: Callable[[], Callable[[Examples], Examples] | None]
) -> MergedExamples | None:
    """Return the worst of all images that runs kept; None where none kept any.

    Those that a part did not keep are not there, though the whole might have shown them.

    Parameters
    ----------
    runs : sequence of StoredRun
        Parts of one data set.
    anew : callable
        Gives what measures the examples of a part by the whole, or None where that changes nothing;
        called where there are examples, since it may count all detections.
    """
    kept = [(run, found) for run in runs if (found := run.examples()) is not None]
    if not kept:
        return None
    measured = anew()
    if measured is not None:
        kept = [(run, measured(found)) for run, found in kept]
    n = max(found.at_most or len(found.images) for _, found in kept)
    all_images = [(image, run) for run, found in kept for image in found.images]
    ids = np.array([image.id for image, _ in all_images], dtype=str)
    badness = np.array([image.badness for image, _ in all_images], dtype=np.float64)
    ranked = [all_images[k] for k in np.lexsort((*id_keys(ids), -badness))[:n].tolist()]
    n_images = sum(found.n_images for _, found in kept)
    first = kept[0][1]
    pictures: dict[str, bytes] = {}
    images = [_with_own_pictures(image, run, pictures) for image, run in ranked]
    parts = "part" if len(kept) == 1 else "parts"
    order = f": {first.order}" if first.order else ""
    rule = (
        f"{len(images):,} of the {n_images:,} {_called(first.task, n_images)} of {len(kept)} "
        f"{parts}, of those that the {parts} kept{order}"
    )
    examples = msgspec.structs.replace(
        first,
        rule=rule if images else first.rule,
        n_images=n_images,
        images=images,
        at_most=n,
        about=first.about if all(found.about == first.about for _, found in kept) else {},
    )
    return MergedExamples(examples, pictures)


def _called(task: str, n: int) -> str:
    """Return what the examples of a task are."""
    return _EXAMPLES.get(task, "image") + ("" if n == 1 else "s")


def _with_own_pictures(image: Example, run: StoredRun, pictures: dict[str, bytes]) -> Example:
    """Return an image whose pictures have names of their own, and add these."""

    def kept(file: str) -> str:
        data = run.picture(file)
        if data is None:  # gone: under its name there may be a picture of another part
            return ""
        name, k = file, 1
        while name in pictures:
            k += 1
            name = f"{k}-{file}"[:120]
        pictures[name] = data
        return name

    return msgspec.structs.replace(
        image,
        picture=kept(image.picture) if image.picture else "",
        layers={layer: name for layer, file in image.layers.items() if (name := kept(file))},
    )


def merged_from(runs: Sequence[StoredRun | None], places: Sequence[str]) -> list[dict[str, Any]]:
    """Return what ``config.merged_from`` says of the parts: where they lay, and how they began.

    Parameters
    ----------
    runs : sequence of StoredRun or None
        The parts; None for a state without a folder of a run.
    places : sequence of str
        As they were typed.
    """
    found = []
    for run, place in zip(runs, places, strict=True):
        about: dict[str, Any] = {"run": plain_text(place)}
        if run is not None:
            record = run.record
            about |= {
                "began": record.began,
                "command": record.command,
                "data": [msgspec.to_builtins(each) for each in record.data],
            }
        found.append(about)
    return found
