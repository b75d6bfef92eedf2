"""ONNX Runtime in a loop: a session with its defaults but for the threads, an array of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime

from pretrained_sides import Ready, Setting, first_scores, looped


def session_of(setting: Setting) -> Any:
    """Return a session of the network."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = setting.threads
    options.inter_op_num_threads = 1
    path = setting.path / f"{setting.network}.onnx"
    return onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])


def resident(setting: Setting) -> Ready:
    """Run the same batch, again and again."""
    session = session_of(setting)
    name = session.get_inputs()[0].name
    given = {name: np.load(setting.path / "batch.npy")[: setting.batch_size]}
    return Ready(
        lambda seconds: looped(lambda: session.run(None, given), setting.batch_size, seconds),
        {"scores": first_scores(session.run(None, given)[0])},
    )
