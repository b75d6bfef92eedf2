"""trackers, by the function that its documentation shows."""

from __future__ import annotations

from trackers.eval import evaluate_mot_sequences

from tracking_sides import write_numbers


def from_files(truth: str, pred: str, out: str) -> None:
    """Folders to the numbers of all sequences: no VACE; the rules are those of MOT17."""
    found = evaluate_mot_sequences(truth, pred, metrics=["CLEAR", "HOTA", "Identity"])
    together = found.aggregate
    numbers = {}
    for family in (together.CLEAR, together.HOTA, together.Identity):
        numbers |= {
            name: value
            for name, value in family.to_dict().items()
            if isinstance(value, int | float) and not name.startswith("HOTA_")
        }
    write_numbers(out, numbers)
