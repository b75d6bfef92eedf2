"""The digits that come with scikit-learn: 1,797 grey pictures of 8 × 8 pixels."""

from __future__ import annotations

import importlib

import torch

from snellen.errors import MissingExtraError
from snellen.splits import hold_out
from snellen.training.data.found import Found
from snellen.training.data.resident import ResidentPart

__all__ = ["digits"]

_LEVELS = 16


def digits(*, validation: int | float = 0.1, test: float = 0.2, split_seed: int = 0) -> Found:
    """Return the digits, in bytes: the 17 levels of grey are spread over 0 … 255.

    Parameters
    ----------
    validation : int or float
        How many training images, or what share of them, are the validation part.
    test : float
        What share of all images is the test part. Scikit-learn has none.
    split_seed : int
        What the test part is a function of.
    """
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError:
        raise MissingExtraError("scikit-learn", "train") from None
    bunch = datasets.load_digits()
    images = torch.from_numpy((bunch.images * 255 / _LEVELS).round().astype("uint8"))[:, None]
    labels = torch.from_numpy(bunch.target.astype("int64"))
    names = [f"digit/{i}" for i in range(len(images))]
    split = hold_out(
        names,
        [1 - test, test],
        labels=bunch.target,
        names=["train", "test"],
        seed=split_seed,
    )
    whole = ResidentPart(images, labels, names)
    return Found(
        {name: whole.take(torch.from_numpy(split.indices(name))) for name in split.names},
        task="classification",
        class_names=[str(k) for k in range(10)],
        source={"data": "digits", "test": test, "split_seed": split_seed},
        validation=validation,
    )
