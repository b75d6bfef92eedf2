"""What a network answered for the test part, in files that ``snellen evaluate`` reads."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.training.label_files import png_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from snellen.training.trained_network import TrainedNetwork

__all__ = ["answer_files"]

_MOST_CELLS = 5_000_000  # of a table as text


def answer_files(
    trained: TrainedNetwork, ids: Sequence[str], answers: NDArray[Any], targets: NDArray[Any]
) -> dict[str, bytes]:
    """Return files with what is true and what was answered, by name.

    Parameters
    ----------
    trained : TrainedNetwork
        Which answered.
    ids : sequence of n str
        What samples are called.
    answers : ndarray
        As `TrainedNetwork.predict` gives them: (n, K) probabilities, (n, D) numbers, (n, H, W)
        classes.
    targets : ndarray
        (n,) classes or (n, K) shares of them; (n, D) numbers; (n, H, W) classes.

    Returns
    -------
    dict of str to bytes
        ``truth.csv`` and ``predictions.csv``, of very many numbers ``predictions.npz``; of label
        maps ``truth/`` and ``predictions/`` with a PNG each.
    """
    if trained.task == "segmentation":
        sides = {"truth": targets, "predictions": answers}
        return {
            f"{side}/{_file_name(name)}.png": png_bytes(labels.astype(np.uint8))
            for side, maps in sides.items()
            for name, labels in zip(ids, maps, strict=True)
        }
    if trained.task == "regression":
        n = answers.shape[1]
        columns = ["target"] if n == 1 else [f"target_{k}" for k in range(n)]
        told = ["prediction"] if n == 1 else [f"pred_{k}" for k in range(n)]
        return {
            "truth.csv": _table(["id", *columns], ids, targets.tolist()),
            "predictions.csv": _table(["id", *told], ids, answers.tolist()),
        }
    assert trained.classes is not None
    names = np.asarray(trained.classes.display_names())
    truth = names[targets if targets.ndim == 1 else targets.argmax(1)]
    pred = names[answers.argmax(1)]
    files = {"truth.csv": _table(["id", "label"], ids, ([name] for name in truth.tolist()))}
    columns = [f"prob_{name}" for name in names.tolist()]
    if answers.size > _MOST_CELLS:
        buffer = io.BytesIO()
        arrays = dict(zip(columns, answers.T, strict=True))
        np.savez(buffer, allow_pickle=False, id=np.asarray(ids), prediction=pred, **arrays)
        return {**files, "predictions.npz": buffer.getvalue()}
    rows = zip(pred.tolist(), answers.tolist(), strict=True)
    files["predictions.csv"] = _table(
        ["id", "prediction", *columns], ids, ([name, *scores] for name, scores in rows)
    )
    return files


def _file_name(name: str) -> str:
    """Return a sample's name without what would leave the folder, or its own ending."""
    stem = name.rsplit(".", 1)[0] if "." in name.rsplit("/", 1)[-1] else name
    return "/".join(part for part in stem.split("/") if part not in ("", ".", ".."))


def _table(header: list[str], ids: Sequence[str], rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows([name, *row] for name, row in zip(ids, rows, strict=True))
    return text.getvalue().encode()
