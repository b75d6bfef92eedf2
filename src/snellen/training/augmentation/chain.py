"""All that is done to a batch of training images, in the order of the description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from snellen.errors import InputError, ShapeError
from snellen.training.augmentation.erasing import Cutout, Erasing
from snellen.training.augmentation.flips import AlternatingFlip, Flip, VerticalFlip
from snellen.training.augmentation.images import Images
from snellen.training.augmentation.light import Brightness, Contrast
from snellen.training.augmentation.mixing import Cutmix, Mixup
from snellen.training.augmentation.shifts import crop, translate
from snellen.training.augmentation.warps import Affine, ResizedCrop, rotate
from snellen.training.choices import made, picked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from snellen.training.augmentation.images import Change
    from snellen.training.augmentation.mixing import Mixing
    from snellen.training.choices import Choice
    from snellen.training.randomness import Draws

__all__ = ["AUGMENTATIONS", "Augmentation", "augmentation"]

_CHANGES: dict[str, Callable[..., Change]] = {
    "flip": Flip,
    "alternating_flip": AlternatingFlip,
    "vertical_flip": VerticalFlip,
    "crop": crop,
    "translate": translate,
    "erasing": Erasing,
    "cutout": Cutout,
    "brightness": Brightness,
    "contrast": Contrast,
    "rotate": rotate,
    "affine": Affine,
    "resized_crop": ResizedCrop,
}
_MIXINGS: dict[str, Callable[..., Mixing]] = {"mixup": Mixup, "cutmix": Cutmix}

#: What a description can choose, by name: functions whose keyword-only parameters are the options.
AUGMENTATIONS: dict[str, Callable[..., Change] | Callable[..., Mixing]] = {**_CHANGES, **_MIXINGS}


def augmentation(choices: Sequence[Choice], n_classes: int, task: str) -> Augmentation:
    """Return what a description does to training images.

    Parameters
    ----------
    choices : sequence of Choice
        In order; those that mix samples come after all others, wherever they stand.
    n_classes : int
        The classes, for targets that are mixed.
    task : {"classification", "regression", "segmentation"}
        What the targets are.

    Raises
    ------
    InputError
        For an unknown name or option, or one that the task has no use for.
    """
    changes: list[tuple[Choice, Change]] = []
    mixings: list[tuple[Choice, Mixing]] = []
    for choice in choices:
        picked(choice, AUGMENTATIONS, "an augmentation")
        if choice.name in _CHANGES:
            changes.append((choice, made(choice, _CHANGES, "an augmentation")))
            continue
        if task == "segmentation" or (task == "regression" and choice.name == "cutmix"):
            raise InputError(
                f"expected an augmentation for {task}, got {choice.name}, which averages "
                f"{'label maps' if task == 'segmentation' else 'numbers by areas'}: leave it out",
                choice.place,
            )
        mixings.append((choice, made(choice, _MIXINGS, "an augmentation")))
    return Augmentation(changes, mixings, n_classes, task)


class Augmentation:
    """What is done to each batch of training images: a pure function of the batch and the draws.

    Parameters
    ----------
    changes : sequence of (Choice, Change)
        What is done to each image by itself, in order.
    mixings : sequence of (Choice, Mixing)
        What mixes samples. Of several, each batch gets one, all alike often.
    n_classes : int
        The classes.
    task : str
        What the targets are.

    Attributes
    ----------
    changes_images : bool
        Whether `before` does anything.
    mixes : bool
        Whether `after` does anything: then it needs the whole batch, wherever it is processed.
    """

    def __init__(
        self,
        changes: Sequence[tuple[Choice, Change]],
        mixings: Sequence[tuple[Choice, Mixing]],
        n_classes: int,
        task: str,
    ) -> None:
        self._changes = tuple(changes)
        self._mixings = tuple(mixings)
        self._n_classes = n_classes
        self._task = task
        self.changes_images = bool(changes)
        self.mixes = bool(mixings)

    def __repr__(self) -> str:
        names = [choice.name for choice, _ in (*self._changes, *self._mixings)]
        return f"Augmentation({', '.join(names)})"

    def before(
        self, inputs: Tensor, targets: Tensor, rows: Tensor, draws: Draws
    ) -> tuple[Tensor, Tensor]:
        """Return changed images, before they are normalised; label maps move with them.

        Parameters
        ----------
        inputs : Tensor, shape (N, C, H, W), uint8 or floating
            The images; bytes stay bytes.
        targets : Tensor
            Their targets.
        rows : Tensor, shape (N,), int64
            Their sample numbers.
        draws : Draws
            The random numbers of this step, for these rows of the batch.

        Raises
        ------
        ShapeError
            If the inputs are no images, or too small.
        """
        moving = self._task == "segmentation"
        images = Images(inputs, targets if moving else None, rows)
        for choice, change in self._changes:
            if inputs.ndim != 4:
                raise ShapeError(
                    f"expected images (N, C, H, W) for {choice.name}, got inputs "
                    f"{tuple(inputs.shape)}: only mixup takes these",
                    choice.place,
                )
            try:
                images = change(images, draws)
            except InputError as error:
                raise error.within(choice.place) from None
        return images.inputs, targets if images.labels is None else images.labels

    def after(self, inputs: Tensor, targets: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return mixed inputs and targets, after normalisation.

        Parameters
        ----------
        inputs : Tensor, shape (N, …), floating
            The whole batch.
        targets : Tensor, shape (N,) or (N, K); for regression (N, D)
            Classes or parts of classes, or numbers.
        draws : Draws
            The random numbers of this step, after those of `before`.

        Returns
        -------
        inputs : Tensor
            Of the same shape.
        targets : Tensor, shape (N, K), float32
            Parts of classes, also where a batch was left as it is; for regression (N, D).

        Raises
        ------
        ShapeError
            If this is not the whole batch.
        """
        if not self._mixings:
            return inputs, targets
        if len(inputs) != draws.n:
            raise ShapeError(
                f"expected the whole batch of {draws.n} samples to mix, got {len(inputs)} of them"
            )
        if self._task == "classification" and not targets.is_floating_point():
            targets = functional.one_hot(targets, self._n_classes).to(torch.float32)
        which = 0
        if len(self._mixings) > 1:
            # Any number between 0 and 1, alike, on the CPU: nothing waits for the device.
            which = int(float(draws.beta(1.0)) * len(self._mixings))
        choice, mixing = self._mixings[min(which, len(self._mixings) - 1)]
        try:
            return mixing(inputs, targets, draws)
        except InputError as error:
            raise error.within(choice.place) from None
