"""Streets for `segmentation.py`: label maps, seeded, in files that Pillow wrote."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from snellen.samples.segmentation import make_segmentation_sample

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Streets", "copies", "panoptic_copies"]

SIDES = ("truth", "predictions")


class Streets(NamedTuple):
    """Truth and predictions of streets of 2048 × 1024 pixels, as folders of label images.

    Attributes
    ----------
    truth, predictions : pathlib.Path
        Gray PNG of 8 bits: train ids of Cityscapes, 255 is void.
    panoptic_truth, panoptic_predictions : pathlib.Path
        JSON, with a folder of colour PNG beside it.
    """

    truth: Path
    predictions: Path
    panoptic_truth: Path
    panoptic_predictions: Path

    @classmethod
    def made(cls, folder: Path, n: int) -> Streets:
        """Return n streets in a folder; they are made where it is not there."""
        here = cls(
            *(folder / name for name in SIDES),
            *(folder / "panoptic" / f"{name}.json" for name in SIDES),
        )
        if not folder.exists():
            make_segmentation_sample(folder, n_images=n, width=2048, height=1024, draw_images=False)
            for path in sorted(folder.rglob("*.png")):
                # As other tools write them: gray where there was a palette, filtered, compressed.
                Image.fromarray(np.asarray(Image.open(path))).save(path)
        return here

    def maps(self, n: int) -> tuple[Any, Any]:
        """Return the label maps of the first streets, truth and predictions, (n, H, W)."""
        return _stacked(self.truth, n), _stacked(self.predictions, n)

    def segments(self, n: int) -> tuple[Any, Any]:
        """Return the colours of their segments, truth and predictions, (n, H, W, 3)."""
        return (
            _stacked(self.panoptic_truth.with_suffix(""), n),
            _stacked(self.panoptic_predictions.with_suffix(""), n),
        )


def copies(streets: Streets, folder: Path, n: int) -> list[str]:
    """Return folders of truth and of predictions with n pairs, made where they are not there."""
    targets = [folder / name for name in SIDES]
    if not folder.exists():
        for source, target in zip((streets.truth, streets.predictions), targets, strict=True):
            _copy(sorted(source.iterdir()), target, n)
    return [str(target) for target in targets]


def panoptic_copies(streets: Streets, folder: Path, n: int) -> list[str]:
    """Return JSON of truth and of predictions with n pairs, made where they are not there."""
    targets = [folder / f"{name}.json" for name in SIDES]
    if not folder.exists():
        for source, target in zip(streets[2:], targets, strict=True):
            content = json.loads(source.read_text())
            listed = content["annotations"]
            paths = [source.with_suffix("") / each["file_name"] for each in listed]
            names = _copy(paths, target.with_suffix(""), n)
            content["annotations"] = [
                {**listed[k % len(listed)], "image_id": k, "file_name": name}
                for k, name in enumerate(names)
            ]
            content.pop("images", None)
            target.write_text(json.dumps(content))
    return [str(target) for target in targets]


def _copy(paths: Sequence[Path], folder: Path, n: int) -> list[str]:
    """Copy files in turn until there are n, and return what they are called."""
    folder.mkdir(parents=True)
    names = [f"{k:05d}.png" for k in range(n)]
    for k, name in enumerate(names):
        shutil.copyfile(paths[k % len(paths)], folder / name)
    return names


def _stacked(folder: Path, n: int) -> Any:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())[:n]])
