"""Which number is watched, and whether more of it is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["direction", "watched"]

# A name is taken apart at "_", and its last known part decides: val_f1_macro, val_log_loss.
_LESS = frozenset(
    "loss nll error mae mse rmse rmsle msle mape smape hamming brier ece mce rmsce huber deviance "
    "perplexity".split()
)
_MORE = frozenset(
    "accuracy acc f1 fbeta auc ap map iou miou jaccard dice precision recall sensitivity specificity "
    "npv mcc kappa r2 pearson spearman kendall concordance variance top1 top5".split()
)


def direction(name: str, place: str = "") -> str:
    """Return whether less or more of a number is better, by its name.

    Parameters
    ----------
    name : str
        Such as ``"val_loss"``.
    place : str
        Where it was chosen, for the message.

    Returns
    -------
    str
        ``"min"`` or ``"max"``.

    Raises
    ------
    InputError
        Where the name does not tell.

    Examples
    --------
    >>> direction("val_loss"), direction("val_f1_macro")
    ('min', 'max')
    """
    for part in reversed(name.casefold().split("_")):
        if part in _LESS:
            return "min"
        if part in _MORE:
            return "max"
    raise InputError(
        f'expected mode "min" or "max": the name "{name}" does not tell whether less of it is '
        "better, or more",
        place,
    )


def watched(name: str, metrics: Mapping[str, float], place: str = "") -> float:
    """Return the number of that name.

    Raises
    ------
    InputError
        Where there is none: with the nearest name, or with all.
    """
    if name in metrics:
        return float(metrics[name])
    hint = did_you_mean(name, metrics)
    raise InputError(
        f'expected a number of the training to watch, got "{name}".{hint} '
        f"There are {', '.join(metrics) or 'none'}",
        place,
    )
