"""Results as TrackEval writes them, so that scripts that read its files go on.

For each class ``CLASS_summary.txt`` (one line of names, one of values, over all sequences) and
``CLASS_detailed.csv`` (a row for each sequence, ``COMBINED`` last). What names of files cannot hold
is written as in an address: ``truck/bus`` as ``truck%2Fbus``.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import IdError
from snellen.tracking.family import ALPHAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.tracking.family import Family
    from snellen.tracking.tracking_result import TrackingResult

    Numbers = Mapping[str, NDArray[Any]]

__all__ = ["trackeval_files", "trackeval_numbers"]

# Its summaries begin with these, in this order; what is not among them comes after.
_FIRST: Final[tuple[str, ...]] = (
    *("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA"),
    *("HOTA(0)", "LocA(0)", "HOTALocA(0)"),
    *("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR"),
    *("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag", "sMOTA"),
    *("IDF1", "IDR", "IDP", "IDTP", "IDFN", "IDFP"),
    *("Dets", "GT_Dets", "IDs", "GT_IDs"),
)
COMBINED: Final = "COMBINED"
# What some system does not take in a name; and the sign itself, so that no two names become one.
_NO_NAME: Final = re.compile(r'[\x00-\x1f\x7f"%*/:<>?\\|]')


def trackeval_numbers(
    result: TrackingResult,
) -> dict[str, dict[str, Mapping[str, Numbers]]]:
    """Return numbers as the reference has them: 0, or 1, where they are undefined.

    Returns
    -------
    dict
        By class (and ``cls_comb_cls_av`` and ``cls_comb_det_av`` of several), sequence (and
        ``"COMBINED"``), family, and name; numbers of thresholds are (19,).

    Raises
    ------
    IdError
        For a sequence of the name that stands for all.
    """
    if COMBINED in map(str, result.sequences):
        raise IdError(
            f"expected sequences of other names than {COMBINED}, by which TrackEval's files call "
            "all together, got one: give it another name, or go without --format trackeval",
            "sequence",
        )
    found: dict[str, dict[str, Mapping[str, Numbers]]] = {}
    sums = result.class_sums
    for k, class_name in enumerate(result.classes):
        of_class: dict[str, Mapping[str, Numbers]] = {}
        for s, sequence in enumerate(result.sequences):
            of_class[str(sequence)] = {
                family.name: _of_sequence(
                    family, {n: c[s, k] for n, c in result.columns(family).items()}
                )
                for family in result.families
            }
        of_class[COMBINED] = {
            family.name: family.numbers(
                _reference_columns({n: c[k] for n, c in sums[family.name].items()})
            )
            for family in result.families
        }
        found[class_name] = of_class
    if len(result.classes) > 1:
        combined = [found[name][COMBINED] for name in result.classes]
        found["cls_comb_cls_av"] = {
            COMBINED: {
                family.name: {
                    name: (np.sum if name in family.counts else np.mean)(
                        [numbers[family.name][name] for numbers in combined], axis=0
                    )
                    for name in combined[0][family.name]
                }
                for family in result.families
            }
        }
        found["cls_comb_det_av"] = {COMBINED: _of_classes(result, None)}
        for group, names in result.rules.groups.items():
            found[group.upper()] = {COMBINED: _of_classes(result, names)}
    return found


def _of_classes(result: TrackingResult, names: tuple[str, ...] | None) -> dict[str, Numbers]:
    """Return numbers over all objects of some classes."""
    sums = result.sums_of_classes(names)
    return {
        family.name: family.numbers(_reference_columns(sums[family.name]))
        for family in result.families
    }


def _reference_columns(columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns with the reference's number of frames, which leaves some sequences out."""
    if "reference_frames" in columns:
        return {**columns, "frames": columns["reference_frames"]}
    return columns


def _of_sequence(family: Family, columns: dict[str, Any]) -> Numbers:
    """Return the numbers of a sequence; where a side is empty, those that it is given outright."""
    numbers = family.numbers(_reference_columns(columns))
    if family.name == "clear":
        no_pred = not int(columns["tp"]) + int(columns["fp"])
        no_truth = not int(columns["tp"]) + int(columns["fn"])
        if no_pred or no_truth:
            zero = {name: np.zeros_like(np.asarray(value)) for name, value in numbers.items()}
            kept = ("CLR_FN", "ML") if no_pred else ("CLR_FP",)
            numbers = {**zero, **{name: numbers[name] for name in kept}, "MLR": np.float64(1.0)}
    return numbers


def trackeval_files(result: TrackingResult) -> dict[str, bytes]:
    """Return the reference's files by name.

    Raises
    ------
    IdError
        As `trackeval_numbers`.
    """
    files = {}
    for class_name, of_class in trackeval_numbers(result).items():
        stem = _NO_NAME.sub(lambda sign: f"%{ord(sign[0]):02X}", class_name)
        combined = of_class[COMBINED]
        fields = {
            name: _summary_text(family, name, combined[family.name][name])
            for family in result.families
            for name in family.summary
        }
        ordered = [name for name in _FIRST if name in fields]
        ordered += [name for name in fields if name not in _FIRST]
        text = io.StringIO(newline="")
        summary = csv.writer(text, delimiter=" ")
        summary.writerow(ordered)
        summary.writerow([fields[name] for name in ordered])
        files[f"{stem}_summary.txt"] = text.getvalue().encode()
        text = io.StringIO(newline="")
        table = csv.writer(text)
        table.writerow(["seq", *_detailed_names(result.families)])
        for sequence, numbers in of_class.items():
            table.writerow([sequence, *_detailed_values(result.families, numbers)])
        files[f"{stem}_detailed.csv"] = text.getvalue().encode()
    return files


def _summary_text(family: Family, name: str, value: NDArray[Any]) -> str:
    if name in family.counts:
        return f"{int(value):d}"
    return f"{100 * float(np.mean(value)):1.5g}"


def _detailed_names(families: tuple[Family, ...]) -> list[str]:
    names: list[str] = []
    for family in families:
        for name in family.detailed:
            if name in family.per_alpha:
                names += [f"{name}___{int(100 * alpha)}" for alpha in ALPHAS.tolist()]
                names.append(f"{name}___AUC")
            else:
                names.append(name)
    return names


def _detailed_values(
    families: tuple[Family, ...], numbers: Mapping[str, Numbers]
) -> list[float | int]:
    values: list[float | int] = []
    for family in families:
        for name in family.detailed:
            value = np.asarray(numbers[family.name][name])
            if name in family.per_alpha:
                each = value.astype(np.float64)
                values += [*each.tolist(), float(np.mean(each))]
            elif name in family.counts and name != "Frag":  # a float there
                values.append(int(value))
            else:
                values.append(float(value))
    return values
