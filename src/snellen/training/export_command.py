"""What ``snellen export`` does."""

from __future__ import annotations

import torch

from snellen.errors import InputError
from snellen.training.data.source import open_data
from snellen.training.exporting import export
from snellen.training.measuring import some_inputs
from snellen.training.run_folder import RunFolder
from snellen.training.trained_network import load_trained

__all__ = ["exported"]

_CHECKED = 64  # samples


def exported(run: str, path: str, kind: str | None, tolerance: float) -> str:
    """Export the network of a run; return what was written, and how exact it is.

    It is checked on the first samples of the test part, or of the training part without one; where
    the data are not there any more, on random bytes.

    Raises
    ------
    InputError
        Where the exported network does not give what the network gives.
    """
    trained = load_trained(run)
    inputs = _real_inputs(run)
    if inputs is None:
        generator = torch.Generator().manual_seed(0)
        shape = (_CHECKED, *trained.input_shape)
        inputs = torch.randint(0, 256, shape, generator=generator).to(torch.uint8)
    return str(export(trained, path, kind, inputs=inputs, tolerance=tolerance))


def _real_inputs(run: str) -> torch.Tensor | None:
    description = RunFolder(run).description()
    try:
        data = open_data(description.data, task=description.task, seed=description.seed)
    except (InputError, OSError):
        return None
    part = data.test or data.train
    found: torch.Tensor = some_inputs(part, list(range(min(_CHECKED, part.n or _CHECKED))))
    return found
