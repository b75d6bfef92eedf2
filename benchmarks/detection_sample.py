"""Make the benchmark's data: ``detection_sample.py FOLDER N_IMAGES N_BOXES N_DETECTIONS``.

FOLDER gets truth.json, predictions.json, rows.npy (the predictions as an array of image id, left,
top, width, height, score, category id), and sample.json: what it was made with, and digests.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from side_by_side import sha256_of

from snellen.samples.detection import make_detection_sample

N_CLASSES = 80
SEED = 0
# Above, one Python object a record would not fit into memory; no benchmark on arrays is as large.
MOST_ROWS = 1_000_000


def main() -> None:
    """Make what the arguments say."""
    folder = Path(sys.argv[1])
    n_images, n_boxes, n_detections = map(int, sys.argv[2:])
    made = make_detection_sample(
        folder,
        n_images=n_images,
        n_boxes=n_boxes,
        n_detections=n_detections,
        n_classes=N_CLASSES,
        seed=SEED,
        draw_images=False,
    )
    files = [Path(made.truth), Path(made.predictions)]
    if n_detections <= MOST_ROWS:
        files.append(folder / "rows.npy")
        np.save(files[-1], _rows(Path(made.predictions)))
    description = {
        "n_images": n_images,
        "n_boxes": n_boxes,
        "n_detections": n_detections,
        "sha256": {file.name: sha256_of(file) for file in files},
    }
    (folder / "sample.json").write_text(json.dumps(description))


def _rows(predictions: Path) -> np.ndarray:
    return np.array(
        [
            [record["image_id"], *record["bbox"], record["score"], record["category_id"]]
            for record in json.loads(predictions.read_text())
        ],
        dtype=np.float64,
    )


if __name__ == "__main__":
    main()
