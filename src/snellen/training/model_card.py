"""What people should know of a trained network before they use it, as a model card."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from snellen.training.card_facts import Facts, mapping
from snellen.training.card_text import (
    is_number,
    joined,
    number,
    plain_text,
    table,
    yaml_lines,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["model_card"]

_OF_CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "classification": ("precision", "recall", "f1"),
    "segmentation": ("iou", "dice", "precision", "recall"),
}
# What the Hugging Face hub calls them; others keep their names.
_HUB_METRICS: Final = {
    "f1_macro": "f1",
    "precision_macro": "precision",
    "recall_macro": "recall",
    "auc_macro": "roc_auc",
    "mIoU": "mean_iou",
    "r2": "r_squared",
}
_PIPELINES: Final = {
    ("classification", 3): "image-classification",
    ("segmentation", 3): "image-segmentation",
    ("classification", 1): "tabular-classification",
    ("regression", 1): "tabular-regression",
}
_MOST_CLASSES = 30
_MOST_LAYERS = 40
_FEW_SAMPLES = 30  # of a class: its own numbers are hardly known


def model_card(run: Mapping[str, Any]) -> str:
    """Return the model card of a run, as Markdown with a head in YAML.

    In the layout of the Hugging Face hub. What is not known is not said.

    Parameters
    ----------
    run : mapping of str to object
        What ``run.json`` of the run's folder holds, and the ``result`` of its test part
        (`Result.to_dict`); any of it may be missing.

    Returns
    -------
    str
    """
    facts = Facts(run)
    sections = [
        _head(facts),
        _title(facts),
        _numbers(facts),
        _classes(facts),
        _use(facts),
        _data(facts),
        _training(facts),
        _network(facts),
        _limits(facts),
        _made_with(facts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(facts: Facts) -> str:
    head: dict[str, Any] = {"library_name": "snellen"}
    pipeline = _PIPELINES.get((facts.task, len(facts.input_shape)))
    if pipeline is not None:
        head["pipeline_tag"] = pipeline
    head["tags"] = [word for word in ("snellen", "pytorch", facts.task) if word]
    if facts.metrics:
        result: dict[str, Any] = {}
        if facts.task:
            result["task"] = {"type": pipeline or facts.task}
        if facts.data_name:
            result["dataset"] = {"name": facts.data_name, "type": facts.data_name}
            if facts.measured_on:
                result["dataset"]["split"] = facts.measured_on
        result["metrics"] = [
            {"type": _HUB_METRICS.get(name, name), "name": name, "value": round(value, 6)}
            for name, value in facts.metrics.items()
        ]
        head["metrics"] = [_HUB_METRICS.get(name, name) for name in facts.metrics]
        head["model-index"] = [{"name": facts.name, "results": [result]}]
    return "\n".join(["---", *yaml_lines(head), "---"])


def _title(facts: Facts) -> str:
    kind = f"A network for {facts.task}" if facts.task else "A network"
    of = f" of {len(facts.classes)} classes" if facts.classes else ""
    on = f", trained on {plain_text(facts.data_name)}" if facts.data_name else ""
    return f"# {plain_text(facts.name)}\n\n{kind}{of}{on} with Snellen."


def _numbers(facts: Facts) -> str:
    if not facts.metrics:
        return ""
    measured = mapping(facts.result.get("data"))
    n = measured.get("n_samples") or measured.get("n_images") or facts.parts.get(facts.measured_on)
    samples = f", {n:,} samples" if isinstance(n, int) else ""
    said = {
        "test": f"Of the test part{samples}, which took no part in training and chose nothing.",
        "validation": (
            f"Of the validation part{samples}, by which the weights were chosen: on other data the "
            "network is likely to be worse. There was no test part."
        ),
        "training": (
            f"Of the training part{samples}, which the network has seen: they say nothing of other "
            "data. There was neither a test nor a validation part."
        ),
    }.get(facts.measured_on, "")
    rows = [
        [name, number(value), _interval(facts.intervals.get(name))]
        for name, value in facts.metrics.items()
    ]
    columns = ["metric", "value", "interval"]
    if not any(row[2] for row in rows):
        rows, columns = [row[:2] for row in rows], columns[:2]
    lines = ["## Numbers", said, table(columns, rows)]
    first = next((mapping(one) for one in facts.intervals.values()), {})
    if "level" in first:
        methods = sorted({str(mapping(one).get("method")) for one in facts.intervals.values()})
        lines.append(
            f"Intervals hold {100 * first['level']:g} %, over {first.get('unit', 'sample')}s "
            f"({'; '.join(methods)}): what other samples of the same kind would give, not what "
            "another training would."
        )
    return joined(lines)


def _classes(facts: Facts) -> str:
    names = _OF_CLASSES.get(facts.task, ())
    records = facts.per_class
    columns = [name for name in names if any(name in record for record in records)]
    if not columns:
        return ""
    unit = "pixels" if facts.task == "segmentation" else "samples"
    worst = len(records) > _MOST_CLASSES
    if worst:
        records = sorted(records, key=lambda record: _order(record.get(columns[-1])))
        records = records[:_MOST_CLASSES]
    rows = [
        [_class_name(record), *(number(record.get(name)) for name in columns), _n_truth(record)]
        for record in records
    ]
    title = f"The {_MOST_CLASSES} worst of {len(facts.per_class)} classes" if worst else "Classes"
    return joined([f"## {title}", table(["class", *columns, unit], rows)])


def _use(facts: Facts) -> str:
    shape = ", ".join(map(str, facts.input_shape))
    given = {
        "classification": "probabilities, (N, classes)",
        "regression": "numbers, (N, outputs)",
        "segmentation": "classes of pixels, (N, H, W)",
    }.get(facts.task, "what it was trained for")
    kind = "uint8 images" if len(facts.input_shape) == 3 else "numbers"
    takes = f"  # {kind}, (N, {shape})" if shape else ""
    lines = [
        "## How to use it",
        "```python",
        "from snellen.training import load_trained",
        "",
        'network = load_trained("path/of/this/folder")',
        f"inputs = …{takes}",
        f"answers = network.predict(inputs)  # {given}",
        "```",
    ]
    if len(facts.input_shape) == 3:
        out = "predictions" if facts.task == "segmentation" else "predictions.csv"
        lines += [
            "",
            "Image files, as `snellen evaluate` reads predictions:",
            "",
            "```python",
            "from snellen.training.predicting import predict_files",
            "",
            f'predict_files(network, "folder/of/images", "{out}")',
            "```",
        ]
    elif facts.data.get("features"):
        lines += [
            "",
            "The rows of a table with the same columns, as `snellen evaluate` reads predictions:",
            "",
            "```python",
            "from snellen.training.predicting import predict_files",
            "",
            'predict_files(network, "table.csv", "predictions.csv")',
            "```",
        ]
    lines += ["", "Inputs are raw: their normalisation is a part of the network."]
    return lines[0] + "\n\n" + "\n".join(lines[1:])


def _data(facts: Facts) -> str:
    rows = []
    if facts.data_name:
        rows.append(["data", plain_text(facts.data_name)])
    rows += [[f"{name} samples", f"{n:,}"] for name, n in facts.parts.items() if n is not None]
    held = mapping(facts.data.get("validation_of_train"))
    if held:
        rows.append(
            ["validation part", f"taken of the training part, {held.get('amount')} of it, seeded"]
        )
    fold = mapping(facts.data.get("fold"))
    if fold:
        rows.append(["validation fold", f"{fold.get('k', 0) + 1} of {fold.get('n_folds')}"])
    if facts.input_shape:
        rows.append(["inputs", " × ".join(map(str, facts.input_shape))])
    if facts.classes:
        shown = ", ".join(map(plain_text, facts.classes[:_MOST_CLASSES]))
        rest = len(facts.classes) - _MOST_CLASSES
        rows.append(["classes", shown + (f" and {rest} more" if rest > 0 else "")])
    normalised = _normalisation(mapping(facts.run.get("normalisation")))
    if normalised:
        rows.append(["normalisation", normalised])
    if facts.data.get("fingerprint"):
        rows.append(["fingerprint", f"`{facts.data['fingerprint']}`"])
    notes = [f"- {plain_text(note)}" for note in facts.run.get("notes") or []]
    if not rows and not notes:
        return ""
    return joined(["## Data", table(["", ""], rows) if rows else "", "\n".join(notes)])


def _training(facts: Facts) -> str:
    lines = []
    history: Sequence[Any] = facts.run.get("history") or []
    steps = mapping(facts.run.get("steps")).get("epoch")
    if history:
        planned = facts.description.get("epochs")
        of = f" of {planned}" if planned else ""
        lines.append(f"- {len(history)}{of} epochs" + (f" of {steps:,} updates" if steps else ""))
    if facts.run.get("best_epoch"):
        monitor = facts.description.get("monitor")
        by = f" by {monitor}" if monitor and monitor != "auto" else ""
        lines.append(f"- weights of epoch {facts.run['best_epoch']}, the best{by}")
    if facts.run.get("stop_reason"):
        lines.append(f"- ended by {plain_text(facts.run['stop_reason'])}")
    seconds = [value for value in mapping(facts.run.get("seconds")).values() if value is not None]
    if seconds:
        lines.append(f"- {sum(seconds):.1f} seconds in all")
    for rewrite in facts.run.get("rewrites") or []:
        name, proof = (mapping(rewrite).get(key) for key in ("name", "proof"))
        if name and mapping(rewrite).get("taken", True):
            shown = f" ({plain_text(proof)})" if proof else ""
            lines.append(f"- layers rewritten for speed: {plain_text(name)}{shown}")
    settings = ""
    if facts.description:
        # Each setting on a line, so that two cards can be compared.
        text = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False, default=str)}"
            for name, value in facts.settings().items()
        )
        settings = f"The whole description:\n\n```json\n{{\n{text}\n}}\n```"
    if not lines and not settings:
        return ""
    return joined(["## Training", "\n".join(lines), settings])


def _network(facts: Facts) -> str:
    n = facts.network.get("n_parameters")
    if n is None:
        return ""
    macs = facts.network.get("n_macs")
    said = f"{n:,} parameters" + (f", {macs:,} multiplications a sample" if macs else "") + "."
    layers = [mapping(layer) for layer in facts.network.get("layers") or []]
    listed = ""
    if 0 < len(layers) <= _MOST_LAYERS:
        rows = [
            [
                plain_text(layer.get("name", "")),
                " × ".join(map(str, layer.get("output_shape") or ["-"])),
                f"{layer.get('n_parameters', 0):,}",
            ]
            for layer in layers
        ]
        listed = table(["layer", "output", "parameters"], rows)
    return joined(["## Network", said, listed])


def _limits(facts: Facts) -> str:
    lines = []
    if facts.task == "classification" and facts.classes:
        lines.append(
            f"Any input is taken for one of the {len(facts.classes)} classes, also what is none of "
            "them."
        )
    if len(facts.input_shape) == 3:
        _, height, width = facts.input_shape
        lines.append(f"It sees images at {height} × {width}; finer detail is lost before.")
    if facts.metrics and facts.measured_on == "test":
        lines.append("It was measured on one test part, of the same source as its training data.")
    if facts.description.get("seed") is not None:
        lines.append(
            f"One training with one seed ({facts.description['seed']}): another seed gives other "
            "numbers."
        )
    lines += _limits_of_classes(facts)
    lines.append("Not known here: a licence, and how it fares on data of another source.")
    return joined(["## Limits", "\n".join(f"- {line}" for line in lines)])


def _limits_of_classes(facts: Facts) -> list[str]:
    lines = []
    key = {"classification": "recall", "segmentation": "iou"}.get(facts.task, "")
    known = [record for record in facts.per_class if is_number(record.get(key))]
    if len(known) > 1:
        worst = min(known, key=lambda record: float(record[key]))
        lines.append(f"Worst class: {_class_name(worst)}, {key} {number(worst[key])}.")
    few = [
        f"{_class_name(record)} ({record['n_truth']:,.0f})"
        for record in facts.per_class
        if is_number(record.get("n_truth")) and record["n_truth"] < _FEW_SAMPLES
    ]
    if few and facts.task == "classification":
        more = f" and {len(few) - 10} more" if len(few) > 10 else ""
        lines.append(
            f"Hardly measured, by fewer than {_FEW_SAMPLES} samples: {', '.join(few[:10])}{more}."
        )
    return lines


def _made_with(facts: Facts) -> str:
    versions = mapping(facts.run.get("versions"))
    if not versions:
        return ""
    rows = [[plain_text(name), plain_text(version)] for name, version in versions.items()]
    return joined(["## Made with", table(["", ""], rows)])


def _normalisation(content: Mapping[str, Any]) -> str:
    if not {"mean", "std", "unit"} <= content.keys():
        return ""
    mean, std = (_flat(content[name]) for name in ("mean", "std"))
    before = f"divided by {content['unit']:g}, " if content["unit"] != 1 else ""
    if len(mean) > 4 or len(std) > 4:
        return f"{before}less a mean and over a spread of {max(len(mean), len(std)):,} numbers"
    if mean == [0.0] and std == [1.0]:
        return before.rstrip(", ") or "none"
    means, spreads = (", ".join(f"{value:.4g}" for value in values) for values in (mean, std))
    return f"{before}less {means}, over {spreads}"


def _flat(values: Any) -> list[float]:
    if isinstance(values, (list, tuple)):
        return [number for value in values for number in _flat(value)]
    return [float(values)]


def _order(value: Any) -> float:
    return float(value) if is_number(value) else math.inf


def _interval(value: Any) -> str:
    bounds = mapping(value)
    if not (is_number(bounds.get("low")) and is_number(bounds.get("high"))):
        return ""
    return f"{number(bounds['low'])} … {number(bounds['high'])}"


def _class_name(record: Mapping[str, Any]) -> str:
    return plain_text(record.get("class", ""))


def _n_truth(record: Mapping[str, Any]) -> str:
    n = record.get("n_truth")
    return f"{n:,.0f}" if is_number(n) else "-"
