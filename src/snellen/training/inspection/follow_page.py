"""One batch on its way through a network and back, as a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.training.inspection.html import details, document, escape, table
from snellen.training.inspection.inline_png import gray_picture, signed_picture
from snellen.training.inspection.tensor_statistics import (
    TensorStatistics,
    ratio_text,
    share_text,
    short,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from snellen.training.inspection.follow import (
        FollowedBatch,
        FollowedLayer,
        FollowedParameter,
        FollowedSample,
    )
    from snellen.training.inspection.worked import Worked

__all__ = ["FOLLOW_STYLE", "follow_page", "followed_parts"]

FOLLOW_STYLE = """
.layer > details > summary { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem;
  align-items: baseline; }
.layer > details > summary b { font-size: 1.08rem; }
.layer > details > summary::before { content: "▸"; color: var(--soft); }
.layer > details[open] > summary::before { content: "▾"; }
.flow { text-align: center; line-height: 1.1; margin: -.35rem 0; font-size: .88rem; }
.flow .fw { color: var(--forward); } .flow .bw { color: var(--backward); }
.fw { color: var(--forward); } .bw { color: var(--backward); }
.worked { margin: .5rem 0; padding-left: .7rem; border-left: .18rem solid var(--line); }
.worked .formula { display: block; }
.worked .numbers { display: block; white-space: normal; }
.maps { display: flex; flex-wrap: wrap; gap: .5rem; }
.maps img { width: 84px; height: auto; image-rendering: pixelated; border: 1px solid var(--line);
  display: block; }
.maps figure { margin: 0; width: 118px; }
.maps figcaption { font-size: .75rem; color: var(--soft); }
.heat td { min-width: 4.4rem; }
"""


def follow_page(followed: FollowedBatch, *, title: str = "One batch, forward and back") -> str:
    """Return a self-contained page of a followed batch.

    Parameters
    ----------
    followed : FollowedBatch
        What `follow_batch` returned.
    title : str
        Plain text.
    """
    return document(title, f"<h1>{escape(title)}</h1>{followed_parts(followed)}", FOLLOW_STYLE)


def followed_parts(followed: FollowedBatch) -> str:
    """Return what the page says, without its frame."""
    rates = ", ".join(f"{rate:g}" for rate in followed.learning_rates)
    parts = [
        f"<p>{followed.n_samples:,} samples went through {len(followed.layers)} layers. The loss "
        f"was <b>{short(followed.loss)}</b>; one step of {escape(followed.optimizer)} with rate "
        f"{escape(rates)} later it is <b>{short(followed.loss_after)}</b> for the same samples."
        "</p>",
        "<p class='soft'><span class='fw'>↓ values go forward</span>, <span class='bw'>↑ gradients "
        "come back</span>: each layer multiplies what comes from below, ∂L/∂output, by its own "
        "local derivative ∂output/∂input. This is the chain rule. Open a layer for its "
        "numbers.</p>",
        _chain(followed),
        "<h2>Layer by layer</h2>",
    ]
    if followed.picture is not None:
        parts.append(
            "<div class='card'><b>Input</b> of the chosen sample"
            f"<div class='maps'><figure><img alt='input' src='{gray_picture(followed.picture)}'>"
            "</figure></div></div>"
        )
    for k, layer in enumerate(followed.layers):
        parts.append(_flow(layer.inputs, layer.input_gradient))
        parts.append(
            f"<div class='card layer'>{details(_summary(layer), _layer(layer), shown=k == 0)}</div>"
        )
    last = followed.layers[-1] if followed.layers else None
    if last is not None:
        parts.append(_flow(last.output, last.output_gradient))
    parts.append(
        "<div class='card'><b>Loss</b> "
        f"L = {short(followed.loss)}; here the way back begins, with ∂L/∂L = 1."
        f"{_all_worked(followed.loss_worked)}</div>"
    )
    if followed.other_parameters:
        parts.append(
            "<h3>Weights of no layer</h3><div class='card'>"
            + "".join(_parameter(each) for each in followed.other_parameters)
            + "</div>"
        )
    parts.append(_after(followed))
    return "\n".join(parts)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(str(size) for size in shape) or "one number"


def _chain(followed: FollowedBatch) -> str:
    """Draw how large values and gradients are, layer by layer."""
    layers = followed.layers
    if not layers:
        return ""
    row, left, width = 30, 190, 860
    middle = (left + width) / 2
    top = 34
    height = top + row * len(layers) + 14
    forward = [layer.output.std for layer in layers]
    back = [
        math.nan if layer.output_gradient is None else layer.output_gradient.norm
        for layer in layers
    ]
    parts = [
        "<text class='strong' x='0' y='18'>layer</text>",
        f"<text x='{left}' y='18' style='fill:var(--forward)'>↓ deviation of the output</text>",
        f"<text x='{middle + 20}' y='18' style='fill:var(--backward)'>↑ norm of ∂L/∂output</text>",
    ]
    room = middle - left - 70
    for k, layer in enumerate(layers):
        y = top + row * k
        name = layer.name if len(layer.name) <= 14 else layer.name[:13] + "…"
        parts.append(
            f"<text class='strong' x='0' y='{y + 15}'>{escape(name)}</text>"
            f"<text x='{left - 14}' y='{y + 15}' text-anchor='end'>{escape(layer.kind[:15])}</text>"
        )
        for values, start, colour in (
            (forward, left, "forward"),
            (back, middle + 20, "backward"),
        ):
            value = values[k]
            largest = max((v for v in values if math.isfinite(v)), default=0.0)
            if not math.isfinite(value):
                parts.append(f"<text x='{start}' y='{y + 15}'>none</text>")
                continue
            length = room * value / largest if largest else 0.0
            parts.append(
                f"<rect x='{start}' y='{y + 3}' width='{max(length, 1):.1f}' height='16' rx='2' "
                f"style='fill:var(--{colour})'/>"
                f"<text x='{start + max(length, 1) + 6:.1f}' y='{y + 15}'>{short(value)}</text>"
            )
    return (
        f"<div class='card'><svg viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        "role='img' aria-label='Values and gradients by layer'>"
        f"{''.join(parts)}</svg></div>"
    )


def _flow(values: TensorStatistics, gradient: TensorStatistics | None) -> str:
    back = "no gradient" if gradient is None else f"norm {short(gradient.norm)}"
    return (
        f"<div class='flow'><span class='fw'>↓ {_shape(values.shape)}, mean {short(values.mean)}, "
        f"deviation {short(values.std)}</span> &ensp; <span class='bw'>↑ {back}</span></div>"
    )


def _summary(layer: FollowedLayer) -> str:
    gone = ""
    if layer.parameters:
        ratios = [each.ratio for each in layer.parameters if math.isfinite(each.ratio)]
        moved = f"moved by {short(max(ratios))} of their norm" if ratios else "moved from 0"
        gone = f"<span class='soft'>weights {moved}</span>"
    return (
        f"<b>{escape(layer.name)}</b><code>{escape(layer.text.splitlines()[0])}</code>"
        f"<span class='soft'>→ {_shape(layer.output.shape)}</span>{gone}"
    )


def _layer(layer: FollowedLayer) -> str:
    parts = [_statistics_table(layer)]
    if layer.n_uses > 1:
        parts.append(
            f"<p class='soft'>{layer.n_uses} layers take this output: the gradients of their paths "
            "add up.</p>"
        )
    if layer.maps is not None:
        parts.append(_maps("Output", layer.maps))
    if layer.gradient_maps is not None:
        parts.append(_maps("∂L/∂output", layer.gradient_maps))
    parts += [_sample(sample) for sample in layer.samples]
    if not math.isnan(layer.product_difference):
        apart = layer.product_difference
        parts.append(
            "<p>∂L/∂output · ∂output/∂input, of this layer run alone, "
            + (
                "<b>equals</b> the ∂L/∂input that autograd sent on, bit for bit.</p>"
                if apart == 0
                else f"differs from the ∂L/∂input that autograd sent on by {apart:.0e} of the "
                "largest.</p>"
            )
        )
    parts.append(_all_worked(layer.worked))
    parts += [_parameter(parameter) for parameter in layer.parameters]
    return "".join(parts)


def _statistics_table(layer: FollowedLayer) -> str:
    rows = [("", "shape", "mean", "deviation", "least", "greatest", "zeros", "norm")]
    for name, values in (
        ("input", layer.inputs),
        ("output", layer.output),
        ("∂L/∂output", layer.output_gradient),
        ("∂L/∂input", layer.input_gradient),
    ):
        if values is None:
            rows.append((name, "none", "", "", "", "", "", ""))
            continue
        rows.append(
            (
                name,
                _shape(values.shape),
                short(values.mean),
                short(values.std),
                short(values.minimum),
                short(values.maximum),
                share_text(values.zeros),
                short(values.norm),
            )
        )
    return table(rows)


def _maps(title: str, maps: np.ndarray[Any, Any]) -> str:
    shown = "".join(
        f"<figure><img alt='' src='{signed_picture(channel)}'><figcaption>channel {k}<br>"
        f"{short(float(channel.min()))} … {short(float(channel.max()))}</figcaption></figure>"
        for k, channel in enumerate(maps)
    )
    return (
        f"<h3>{escape(title)} as pictures</h3><p class='soft small'>Blue above 0, orange below; "
        f"each channel to its own largest.</p><div class='maps'>{shown}</div>"
    )


def _shaded(value: float, largest: float) -> str:
    part = abs(value) / largest if largest and math.isfinite(value) else 0.0
    colour = "217,119,6" if value < 0 else "37,99,235"
    return f"<td style='background:rgba({colour},{0.55 * part:.2f})'>{short(value)}</td>"


def _sample(sample: FollowedSample) -> str:
    parts = [f"<h3>Numbers of sample {sample.sample}</h3><div class='columns'>"]
    for what, letter, units, values, gradients in (
        ("input", "x", sample.input_units, sample.inputs, sample.input_gradients),
        ("output", "z", sample.output_units, sample.outputs, sample.output_gradients),
    ):
        rows = [(what, letter, f"∂L/∂{letter}")]
        rows += [
            (unit, short(value), short(gradients[k]) if gradients else "none")
            for k, (unit, value) in enumerate(zip(units, values, strict=True))
        ]
        parts.append(f"<div>{table(rows)}</div>")
    if sample.derivative:
        largest = max((abs(v) for row in sample.derivative for v in row), default=0.0)
        head = "".join(f"<th>x{escape(unit)}</th>" for unit in sample.input_units)
        body = "".join(
            f"<tr><td>z{escape(unit)}</td>{''.join(_shaded(v, largest) for v in row)}</tr>"
            for unit, row in zip(sample.output_units, sample.derivative, strict=True)
        )
        parts.append(
            f"<div><table class='heat'><thead><tr><th>∂z/∂x</th>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )
    return "".join(parts) + "</div>"


def _all_worked(worked: Sequence[Worked]) -> str:
    if not worked:
        return ""
    return "<h3>Worked out</h3>" + "".join(_worked(each) for each in worked)


def _worked(worked: Worked) -> str:
    scale = max(abs(worked.value), abs(worked.actual))
    apart = abs(worked.value - worked.actual)
    agrees = "✓" if apart <= 1e-4 * scale + 1e-6 else f"torch has {short(worked.actual)}"
    return (
        f"<div class='worked'><span class='soft'>{escape(worked.what)}</span>"
        f"<span class='formula'>{escape(worked.formula)}</span>"
        f"<span class='formula numbers'>{escape(worked.numbers)} "
        f"<span class='soft'>{escape(agrees)}</span></span></div>"
    )


def _parameter(parameter: FollowedParameter) -> str:
    gradient = parameter.gradient
    rows = [("weight", "before", "∂L/∂w", "update", "after")]
    rows += [
        (
            f"{parameter.name}{weight.index}",
            short(weight.before),
            "none" if math.isnan(weight.gradient) else short(weight.gradient),
            short(weight.update),
            short(weight.after),
        )
        for weight in parameter.weights
    ]
    worked = next((weight.worked for weight in parameter.weights if weight.worked), None)
    return (
        f"<h3>{escape(parameter.name)}, {_shape(parameter.before.shape)}</h3>"
        f"<p class='soft small'>norm {short(parameter.before.norm)}; gradient "
        f"{'none' if gradient is None else short(gradient.norm)}; update "
        f"{short(parameter.update.norm)}, that is {ratio_text(parameter.ratio)} of the weights. "
        f"The largest gradients:</p>{table(rows)}" + ("" if worked is None else _worked(worked))
    )


def _after(followed: FollowedBatch) -> str:
    change = followed.loss_after - followed.loss
    how = "fell" if change < 0 else "rose" if change > 0 else "stayed"
    kept = (
        "The network has taken this step."
        if followed.kept
        else "Network, optimizer and random numbers were put back as they were."
    )
    by = "" if change == 0 else f" by {short(abs(change))}"
    return f"<p>After the update the loss of these samples {how}{by}. {kept}</p>"
