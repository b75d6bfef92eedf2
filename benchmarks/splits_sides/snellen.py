"""Snellen, by its Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen import hold_out
from splits_sides import class_deviation, object_deviation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def classes(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """One class a sample."""
    keys, label = arrays["key"].tolist(), arrays["label"]
    return lambda: class_deviation(label, hold_out(keys, "80/20", labels=label).indices("test"))


def classes_in_groups(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """One class a sample, and groups that stay whole."""
    keys, label, group = arrays["key"].tolist(), arrays["label"], arrays["group"]

    def work() -> Numbers:
        split = hold_out(keys, "80/20", labels=label, groups=group)
        return class_deviation(label, split.indices("test"))

    return work


def objects(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Several classes a sample."""
    keys, member = arrays["key"].tolist(), arrays["member"]
    return lambda: object_deviation(member, hold_out(keys, "80/20", labels=member).indices("test"))
