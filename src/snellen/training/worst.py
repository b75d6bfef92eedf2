"""The images that a classifier was most wrong about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from snellen.samples.png import encode_png, encode_rgb_png
from snellen.training.measuring import some_inputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from snellen.training.data.training_data import TrainingData
    from snellen.training.measuring import Outputs

__all__ = ["worst_images"]

_GREYS = [(grey, grey, grey) for grey in range(256)]


def worst_images(
    data: TrainingData, outputs: Outputs, answers: NDArray[Any], n: int = 24
) -> list[dict[str, Any]]:
    """Return the test images that got the least of their true class, the worst first.

    Parameters
    ----------
    data : TrainingData
        Of images and classes; of anything else nothing is returned.
    outputs : Outputs
        Of the test part.
    answers : ndarray, shape (N, K)
        The probabilities that these stand for.
    n : int
        How many at most.

    Returns
    -------
    list of dict
        ``png`` (bytes), ``id``, ``truth``, ``pred``, ``score``.
    """
    test = data.test
    if test is None or data.classes is None or data.task != "classification":
        return []
    if len(test.input_shape) != 3 or test.input_shape[0] not in (1, 3):
        return []
    scores = torch.from_numpy(answers)
    truth = outputs.targets if outputs.targets.ndim == 1 else outputs.targets.argmax(1)
    pred = scores.argmax(1)
    of_truth = scores.gather(1, truth[:, None])[:, 0]
    wrong = (pred != truth).nonzero()[:, 0]
    chosen = wrong[of_truth[wrong].argsort(stable=True)[:n]]
    if not len(chosen):
        return []
    rows = outputs.rows[chosen].tolist()
    pictures = some_inputs(test, rows)
    return [
        {
            "png": _picture(pictures[k]),
            "id": str(row) if test.ids is None else test.ids[row],
            "truth": data.classes.names[int(truth[place])],
            "pred": data.classes.names[int(pred[place])],
            "score": float(scores[place, pred[place]]),
        }
        for k, (row, place) in enumerate(zip(rows, chosen.tolist(), strict=True))
    ]


def _picture(image: Tensor) -> bytes:
    """Return an image (C, H, W) as a PNG file."""
    if image.dtype != torch.uint8:
        low, high = image.min(), image.max()
        image = ((image - low) / (high - low).clamp(min=1e-12) * 255).round().to(torch.uint8)
    array: NDArray[np.uint8] = image.permute(1, 2, 0).contiguous().numpy()
    return encode_png(array[:, :, 0], _GREYS) if array.shape[2] == 1 else encode_rgb_png(array)
