"""ONNX Runtime in a loop: a session with its defaults but for the threads.

The batch is bound once: `session.run` would copy it at each call.
"""

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
    batch = np.load(setting.path / "batch.npy")[: setting.batch_size]
    binding = session.io_binding()
    binding.bind_ortvalue_input(
        session.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(batch)
    )
    binding.bind_output(session.get_outputs()[0].name)

    def call() -> None:
        session.run_with_iobinding(binding)

    call()
    scores = binding.get_outputs()[0].numpy()
    return Ready(
        lambda seconds: looped(call, setting.batch_size, seconds), {"scores": first_scores(scores)}
    )
