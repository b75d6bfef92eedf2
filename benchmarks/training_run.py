"""One way to train in a process of its own: ``training_run.py SIDE NETWORK ARRAYS OUT THREADS``.

SIDE is a file of ``training_sides``, NETWORK "fc" or "cnn". ARRAYS, an .npz, has images and labels
of both parts, the orders of the epochs, the weights that training starts from (``weights_0``, …),
and the seed. OUT gets, as JSON, seconds of each epoch (wall and CPU), the first losses, accuracy.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Do what the arguments say."""
    side, network, arrays, out, threads = sys.argv[1:]
    # Before anything is imported that counts processors when it is.
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = threads

    import importlib
    import json
    import tempfile
    from pathlib import Path

    import numpy as np
    from training_sides import Clock, Setting

    with np.load(arrays) as stored:
        found = dict(stored)
    weights = tuple(found[f"weights_{k}"] for k in range(sum("weights" in key for key in found)))
    images = {
        f"{part}_{kind}": found[f"{part}_{kind}"]
        for part in ("train", "test")
        for kind in ("images", "labels")
    }
    module = importlib.import_module(f"training_sides.{side}")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(int(threads))
    with tempfile.TemporaryDirectory(prefix="snellen-bench-") as folder:
        setting = Setting(
            network=network,
            **images,
            weights=weights,
            orders=found["orders"],
            seed=int(found["seed"]),
            threads=int(threads),
            folder=Path(folder),
        )
        clock = Clock()
        trained = module.train(setting, clock)
    content = {"wall": clock.wall, "cpu": clock.cpu, **trained._asdict()}
    Path(out).write_text(json.dumps(content))


if __name__ == "__main__":
    main()
