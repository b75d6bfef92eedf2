"""All that was looked at, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import InputError
from snellen.training.inspection.follow_page import FOLLOW_STYLE, followed_parts
from snellen.training.inspection.html import details, document, escape, table, verdict
from snellen.training.inspection.line_chart import line_chart
from snellen.training.inspection.tensor_statistics import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.training.inspection.first_loss import FirstLoss
    from snellen.training.inspection.follow import FollowedBatch
    from snellen.training.inspection.gradient_check import CheckedTensor, GradientCheck
    from snellen.training.inspection.layer_statistics import LayerStatistics
    from snellen.training.inspection.overfit import OverfitBatch
    from snellen.training.inspection.rate_range import RateRange

__all__ = ["inspection_page"]


def inspection_page(
    *,
    followed: FollowedBatch | None = None,
    gradient_check: GradientCheck | None = None,
    first_loss: FirstLoss | None = None,
    overfit: OverfitBatch | None = None,
    rate_range: RateRange | None = None,
    statistics: LayerStatistics | None = None,
    summary: str = "",
    title: str = "Inside a network",
) -> str:
    """Return a self-contained page of what was looked at.

    Parameters
    ----------
    followed, gradient_check, first_loss, overfit, rate_range, statistics : optional
        What the functions of this package returned; at least one.
    summary : str
        Plain text that is shown as it is, such as the table of the network.
    title : str
        Plain text.
    """
    parts: list[tuple[str, str, str]] = []
    if first_loss is not None:
        parts.append(("first-loss", "The first loss", _first_loss(first_loss)))
    if gradient_check is not None:
        parts.append(("gradients", "Gradients against differences", _gradients(gradient_check)))
    if overfit is not None:
        parts.append(("overfit", "One batch by heart", _overfit(overfit)))
    if rate_range is not None:
        parts.append(("rates", "Learning rates", _rates(rate_range)))
    if statistics is not None:
        parts.append(("layers", "Layers while training", statistics.charts()))
    if followed is not None:
        parts.append(("batch", "One batch, forward and back", followed_parts(followed)))
    if not parts:
        raise InputError("expected at least one result to show, got none", "inspection_page")
    body = [f"<h1>{escape(title)}</h1>"]
    if len(parts) > 1:
        links = " · ".join(f"<a href='#{name}'>{escape(head)}</a>" for name, head, _ in parts)
        body.append(f"<p>{links}</p>")
    if summary:
        body.append(
            f"<div class='card'>{details('The network', f'<pre>{escape(summary)}</pre>')}</div>"
        )
    body += [f"<h2 id='{name}'>{escape(head)}</h2>{part}" for name, head, part in parts]
    return document(title, "\n".join(body), FOLLOW_STYLE + "a { color: var(--forward); }")


def _first_loss(found: FirstLoss) -> str:
    return (
        "<p class='soft'>A network that knows nothing says all classes alike, or the mean: what "
        "that costs is known before training.</p>" + verdict(found.verdict, found.ok, found.causes)
    )


def _gradients(found: GradientCheck) -> str:
    whole = [*found.parameters, *([] if found.inputs is None else [found.inputs])]
    return (
        "<p class='soft'>Each entry is moved a little both ways, in float64; the loss must change "
        "as the backward pass says.</p>"
        + verdict(found.verdict, found.ok, found.notes)
        + "<div class='card'>"
        + _checked(whole)
        + details("Each layer alone", _checked(found.layers), shown=not found.ok)
        + "</div>"
    )


def _checked(tensors: Sequence[CheckedTensor]) -> str:
    rows = [("gradient of", "entries", "worst error", "backward", "differences", "verdict")]
    rows += [
        (
            each.name,
            str(each.n_entries),
            f"{each.worst_error:.1e}",
            short(each.backward) if each.reached else "none",
            short(each.differences),
            each.verdict,
        )
        for each in tensors
    ]
    return table(rows)


def _overfit(found: OverfitBatch) -> str:
    steps = [float(step) for step in range(len(found.losses))]
    chart = line_chart(
        {"loss": (steps, found.losses)},
        title="Loss of the one batch",
        x_label="step",
        y_label="loss",
        log_y=True,
        level=("goal", found.goal),
    )
    return verdict(found.verdict, found.ok, found.causes) + f"<div class='card'>{chart}</div>"


def _rates(found: RateRange) -> str:
    marks = {}
    if found.steepest is not None and found.tenth_of_minimum is not None:
        marks = {
            f"steepest {found.steepest:.2g}": found.steepest,
            f"minimum/10 {found.tenth_of_minimum:.2g}": found.tenth_of_minimum,
        }
    # A last value far above the others would flatten all else.
    top = 2 * max(found.smoothed[0], min(found.smoothed))
    shown = [k for k, loss in enumerate(found.smoothed) if loss <= top or top <= 0]
    rates = [found.rates[k] for k in shown]
    chart = line_chart(
        {
            "smoothed": (rates, [found.smoothed[k] for k in shown]),
            "each batch": (
                rates,
                [min(found.losses[k], top) if top > 0 else found.losses[k] for k in shown],
            ),
        },
        title="Loss while the rate rises",
        x_label="learning rate",
        y_label="loss",
        log_x=True,
        marks=marks,
        faint=("each batch",),
        width=680,
    )
    return verdict(found.verdict, found.suggested is not None) + f"<div class='card'>{chart}</div>"
