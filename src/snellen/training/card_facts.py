"""What a model card says in several places, out of a run of which any part may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from snellen.training.card_text import is_number

__all__ = ["Facts", "mapping", "name_of"]

_HEADLINES: Final[dict[str, tuple[str, ...]]] = {
    "classification": (
        "accuracy", "top5", "balanced_accuracy", "f1_macro", "precision_macro", "recall_macro",
        "auc_macro", "log_loss", "ece",
    ),
    "regression": ("rmse", "mae", "r2", "max_error", "mean_error", "pearson"),
    "segmentation": ("mIoU", "mDice", "pixel_accuracy", "mPrecision", "mRecall"),
}  # fmt: skip


class Facts:
    """What is said in several places, taken out of a run."""

    def __init__(self, run: Mapping[str, Any]) -> None:
        self.run = run
        self.description = mapping(run.get("description"))
        self.data = mapping(run.get("data"))
        self.result = mapping(run.get("result"))
        self.network = mapping(run.get("network"))
        self.parts = mapping(self.data.get("parts"))
        self.classes: list[str] = list(run.get("classes") or [])
        told = self.data.get("task") or self.result.get("task") or self.description.get("task")
        self.task = told if told in _HEADLINES else ""
        shape = self.data.get("input_shape") or self.network.get("input_shape") or ()
        self.input_shape = tuple(shape)
        self.measured_on = str(run.get("measured_on") or "")
        metrics = mapping(self.result.get("metrics") or run.get("metrics"))
        self.metrics = {
            name: float(metrics[name])
            for name in _HEADLINES.get(self.task, ())
            if is_number(metrics.get(name))
        }
        if len(self.classes) <= 5:
            self.metrics.pop("top5", None)  # of so few it says nothing
        self.intervals = mapping(self.result.get("intervals"))
        self.per_class: list[Mapping[str, Any]] = list(self.result.get("per_class") or [])

    @property
    def network_name(self) -> str:
        """How the description calls the network; empty for layers."""
        return name_of(self.description.get("network"))

    @property
    def data_name(self) -> str:
        """How the data are called: of a path its last part, the rest is the machine's own."""
        name = name_of(self.data.get("data")) or name_of(self.description.get("data"))
        return name.rstrip("/").rsplit("/", 1)[-1]

    @property
    def name(self) -> str:
        """What the trained network is called: as its description's file, or by what it is."""
        if self.run.get("name"):
            return str(self.run["name"])
        words = [self.network_name.replace(":", "-") or "network", self.data_name]
        return "-on-".join(word for word in words if word)

    def settings(self) -> dict[str, Any]:
        """Return the description, but for the folders that the data lie in on this machine."""
        settings = dict(self.description)
        data = settings.get("data")
        name = name_of(data)
        if name.startswith(("/", "~")) or ":\\" in name:
            short = "…/" + name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
            settings["data"] = {**data, "name": short} if isinstance(data, Mapping) else short
        return settings


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is; of anything else an empty one."""
    return value if isinstance(value, Mapping) else {}


def name_of(choice: Any) -> str:
    """Return the name of a choice as a description writes it; of a list of layers nothing."""
    name = choice.get("name") if isinstance(choice, Mapping) else choice
    return name if isinstance(name, str) else ""
