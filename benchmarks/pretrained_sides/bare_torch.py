"""torch in a loop: the module in inference mode, a tensor."""

from __future__ import annotations

import numpy as np
import torch

from pretrained_sides import Ready, Setting, first_scores, looped
from pretrained_sides.networks import mobile


def resident(setting: Setting) -> Ready:
    """Run the same batch, again and again."""
    network = mobile()
    batch = torch.from_numpy(np.load(setting.path / "batch.npy")[: setting.batch_size])
    with torch.inference_mode():
        scores = network(batch).numpy()

    def call() -> None:
        with torch.inference_mode():
            network(batch)

    return Ready(
        lambda seconds: looped(call, setting.batch_size, seconds), {"scores": first_scores(scores)}
    )
