"""What a file of `export` says of its network beside its layers, for those who run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from snellen.training.trained_network import TrainedNetwork

__all__ = ["FACTS_FILE", "FACTS_PREFIX", "facts_as_json", "facts_of"]

FACTS_PREFIX: Final = "snellen."
"""What the facts' names begin with in an ONNX file's metadata."""

FACTS_FILE: Final = "snellen.json"
"""The file that holds them inside a ``.pt2`` or ``.keras`` file."""


def facts_of(trained: TrainedNetwork) -> dict[str, Any]:
    """Return what a network is for, what its outputs are, and how its images were made.

    Parameters
    ----------
    trained : TrainedNetwork
        The network, as it is written.

    Returns
    -------
    dict
        ``task``; ``classes``, names or None; ``scores``, as of `TrainedNetwork`; of images also
        ``fit``, how files of them are made to its size; ``made_by``.
    """
    images = {"fit": trained.fit} if len(trained.input_shape) == 3 else {}
    return {
        "task": trained.task,
        "classes": None if trained.classes is None else list(trained.classes.names),
        "scores": trained.scores,
        **images,
        "made_by": "snellen",
    }


def facts_as_json(facts: dict[str, Any]) -> str:
    """Return facts as what `FACTS_FILE` holds."""
    return json.dumps(facts, ensure_ascii=False)
