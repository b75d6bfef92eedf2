"""The head of a run's page: what was trained, how far it is, and how good it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.report.charts import range_bar
from snellen.report.markup import count, element, figure, plain_value, text, words
from snellen.training.callbacks.progress import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HEADLINES", "head", "name_of"]

# The first of these that there are stand in the tiles.
HEADLINES = {
    "classification": (
        "accuracy", "balanced_accuracy", "f1_macro", "top5", "auc_macro", "log_loss", "ece",
    ),
    "regression": ("rmse", "mae", "r2", "median_absolute_error", "spearman", "mape"),
    "segmentation": ("mIoU", "mDice", "pixel_accuracy", "fwIoU"),
}  # fmt: skip
_TILES = 6
# Of these the interval is drawn: they lie between 0 and 1, and more is better.
_SHARES = frozenset(
    (
        "accuracy", "balanced_accuracy", "f1_macro", "top5", "auc_macro", "r2", "mIoU", "mDice",
        "pixel_accuracy", "fwIoU",
    )
)  # fmt: skip


def name_of(choice: Any) -> str:
    """Return the name of a choice as a description writes it, as text of a page."""
    if isinstance(choice, dict):
        return text(choice.get("name", "–"))
    if isinstance(choice, (list, tuple)):
        return f"{len(choice)} layers"
    return text(choice)


def head(run: Mapping[str, Any]) -> str:
    """Return the heading, the state of the training, and the numbers that matter."""
    description = run.get("description", {})
    network, data = (name_of(description.get(key, key)) for key in ("network", "data"))
    what, named = f"{network} on {data}", text(run.get("name") or "")
    parts = [
        element("h1", named or what),
        element("p", what, class_="soft") if named else "",
        element("span", _status(run), class_="status"),
        _tiles(run),
        _facts(run),
    ]
    return element("header", "".join(parts))


def _status(run: Mapping[str, Any]) -> str:
    done = len(run.get("history", ()))
    epochs = run.get("description", {}).get("epochs", done)
    stopped = run.get("stop_reason") or ""
    if not done and not stopped:
        return "no epoch is done yet"
    if stopped:
        return f"ended after {done} of {figure(epochs)} epochs: {text(stopped)}"
    if done >= epochs:
        return f"finished: {done} {'epoch' if done == 1 else 'epochs'}"
    return f"running: {done} of {figure(epochs)} epochs are done"


def _tiles(run: Mapping[str, Any]) -> str:
    result = run.get("result") or {}
    metrics = result.get("metrics") or run.get("metrics") or {}
    if not metrics:
        return ""
    intervals = result.get("intervals") or {}
    task = result.get("task") or run.get("description", {}).get("task", "")
    wanted = HEADLINES.get(task, ())
    names = [name for name in wanted if name in metrics] or list(metrics)
    tiles = [_tile(name, metrics[name], intervals.get(name)) for name in names[:_TILES]]
    of = "test" if result else str(run.get("measured_on", "test"))
    n = (result.get("data") or {}).get("n_samples")
    level = next((each.get("level") for each in intervals.values()), None)
    said = f"On the {text(of)} part"
    if n is not None:
        said += f", {figure(n)} samples"
    if run.get("best_epoch") is not None:
        said += f", with the weights of epoch {figure(run['best_epoch'])}"
    if level is not None:
        said += f"; intervals of {100 * level:g} % confidence"
    return element("div", "".join(tiles), class_="tiles") + element("p", said, class_="soft")


def _tile(name: str, value: Any, interval: Mapping[str, Any] | None) -> str:
    parts = [element("small", words(name)), element("b", figure(value))]
    low, high = (interval or {}).get("low"), (interval or {}).get("high")
    if low is not None and high is not None:
        if name in _SHARES and value is not None:
            parts.append(range_bar(value, low, high))
        parts.append(element("small", f"{figure(low)} to {figure(high)}"))
    return element("div", "".join(parts), class_="tile")


def _facts(run: Mapping[str, Any]) -> str:
    history = run.get("history") or []
    network = run.get("network") or {}
    seconds = run.get("seconds") or {}
    facts = []
    if run.get("best_epoch") is not None:
        facts.append(("best epoch", figure(run["best_epoch"])))
    spent = history[-1].get("seconds") if history else None
    if spent is None and seconds:
        spent = sum(seconds.values())
    if isinstance(spent, (int, float)) and math.isfinite(spent):
        facts.append(("training time", text(duration(spent))))
    parts = (run.get("data") or {}).get("parts") or {}
    facts += [(f"{text(name)} samples", figure(n)) for name, n in parts.items()]
    for name, key in (("parameters", "n_parameters"), ("multiply-adds a sample", "n_macs")):
        if network.get(key) is not None:
            facts.append((name, count(network[key])))
    description = run.get("description", {})
    facts += [
        (key.replace("_", " "), plain_value(description[key]))
        for key in ("batch_size", "learning_rate")
        if key in description
    ]
    device = run.get("device") or description.get("device")
    if device:
        facts.append(("device", plain_value(device)))
    if run.get("threads") and run.get("device") == "cpu":
        facts.append(("threads", figure(run["threads"])))
    if "optimizer" in description:
        facts.append(("optimizer", name_of(description["optimizer"])))
    items = "".join(element("li", f"{name} {element('b', value)}") for name, value in facts)
    return element("ul", items, class_="facts") if items else ""
