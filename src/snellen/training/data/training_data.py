"""The data of a training: its parts, its classes, and what it is known by."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from typing_extensions import Self

from snellen.classes import Classes
from snellen.errors import ClassError, DataWarning, IdError, InputError, first_few
from snellen.splits import hold_out, k_fold
from snellen.splits.ratios import Ratios

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from snellen.training.data.found import Found
    from snellen.training.data.parts import Part

__all__ = ["TrainingData", "finished"]

# A sample of inputs goes into the fingerprint, and whole arrays up to so many bytes.
_HASHED_BYTES = 1 << 26
_MOST_BINS = 10
# The value of pixels that belong to no class.
_VOID = 255


@runtime_checkable
class Divisible(Protocol):
    """A part whose samples can be taken in any order."""

    def take(self, rows: Tensor) -> Part:
        """Return the part of some samples."""
        ...

    def joined(self, other: Self) -> Part:
        """Return these samples and then those of another part."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingData:
    """What is trained on, chosen by, and measured on.

    Attributes
    ----------
    train : Part
        What is trained on.
    validation : Part or None
        What the best weights are chosen by.
    test : Part or None
        What is measured once, at the end.
    task : str
        ``"classification"``, ``"regression"`` or ``"segmentation"``.
    classes : Classes or None
        Ids 0 … K - 1 with their names; None for regression.
    n_outputs : int
        How many classes, or columns of targets.
    description : mapping of str to object
        Plain values for the run folder: where all comes from, how many samples each part has.
    notes : tuple of str
        What was left out or decided, each said once.
    fold_of : mapping of str to str or None
        The folds of a manifest.
    """

    train: Part
    validation: Part | None
    test: Part | None
    task: str
    classes: Classes | None
    n_outputs: int
    description: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    fold_of: Mapping[str, str] | None = dataclasses.field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"TrainingData({', '.join(f'{name}={part.n}' for name, part in self.parts())})"

    def parts(self) -> list[tuple[str, Part]]:
        """Return the parts that there are, with their names."""
        named = [("train", self.train), ("validation", self.validation), ("test", self.test)]
        return [(name, part) for name, part in named if part is not None]

    def fingerprint(self) -> str:
        """Return a hash of what is trained on: another one for other data, targets or parts."""
        digest = hashlib.blake2b(digest_size=16, person=b"snellen data")
        for name, part in self.parts():
            digest.update(f"{name} {part.n} {part.input_shape}\n".encode())
            if part.ids is not None:
                digest.update("\n".join(part.ids).encode())
            known = (getattr(part, attribute, None) for attribute in ("inputs", "marks"))
            for tensor in (part.targets, *known):
                if tensor is not None:
                    _add(digest, tensor)
        return digest.hexdigest()

    def to(self, device: torch.device | str) -> TrainingData:
        """Return the data with their batches on a device."""
        moved: dict[str, Any] = {name: part.to(device) for name, part in self.parts()}
        return dataclasses.replace(self, **moved)

    def fold(self, k: int, n_folds: int, seed: int = 0) -> TrainingData:
        """Return the data with the k-th fold as their validation part; the test part stays.

        Parameters
        ----------
        k : int
            From 0 to `n_folds` - 1.
        n_folds : int
            In how many folds the training and the validation part are divided together.
        seed : int
            What the folds are a function of, where no manifest gives them.

        Raises
        ------
        InputError
            For data that come in an order of their own, and for other folds than the manifest's.
        """
        if not 0 <= k < n_folds:
            raise InputError(f"expected a fold from 0 to {n_folds - 1}, got {k}")
        whole = self.joined()
        notes: list[str] = []
        if self.fold_of is not None:
            place = self._written_fold(whole, k, n_folds)
        else:
            names = _names(whole)
            with _said(notes):
                folds = k_fold(
                    names,
                    n_folds,
                    seed=seed,
                    **_spread(whole, self.task, len(names) // n_folds),
                )
            place = torch.from_numpy(folds.rounds[0].part == k)
        train, validation = (
            _divisible(whole).take(rows.nonzero().flatten()) for rows in (~place, place)
        )
        description = {
            **self.description,
            "parts": {**self.description["parts"], "train": train.n, "validation": validation.n},
            "fold": {"k": k, "n_folds": n_folds, "seed": seed},
        }
        return dataclasses.replace(
            self,
            train=train,
            validation=validation,
            description=description,
            notes=(*self.notes, *notes),
        )

    def joined(self) -> Part:
        """Return the training and the validation part as one.

        Raises
        ------
        InputError
            For data that come in an order of their own, and where one part is kept on the device
            and the other is streamed.
        """
        if self.validation is None:
            return self.train
        if type(self.train) is not type(self.validation):
            raise InputError(
                "expected training and validation parts of one kind to join them, got "
                f"{self.train} and {self.validation}"
            )
        whole: Part = _divisible(self.train).joined(self.validation)
        return whole

    def _written_fold(self, whole: Part, k: int, n_folds: int) -> Tensor:
        assert self.fold_of is not None
        folds = sorted(set(self.fold_of.values()), key=lambda name: (len(name), name))
        if len(folds) != n_folds:
            raise InputError(
                f"expected the {len(folds)} folds of the manifest, got {n_folds}: ask for as many"
            )
        return torch.tensor([self.fold_of[name] == folds[k] for name in _names(whole)])


def finished(found: Found, *, task: str = "auto", seed: int = 0) -> TrainingData:
    """Return what a source holds as the data of a training.

    Parameters
    ----------
    found : Found
        The parts that the source has.
    task : str
        What the description asks for.
    seed : int
        What the validation part is a function of, where it is taken of the training part.

    Raises
    ------
    InputError
        For another task, an empty part, inputs of several shapes.
    IdError
        For samples of the test part that are called the same.
    ClassError
        For labels without a class, and for classes that training lacks.
    """
    if task not in ("auto", found.task):
        raise InputError(f"expected data for {task}, got data for {found.task}")
    parts = dict(found.parts)
    notes = list(found.notes)
    _refuse_empty(parts)
    held = {}
    # The test part first: it stays the same whatever is validated on.
    for name, amount in (("test", found.test), ("validation", found.validation)):
        if name not in parts and amount:
            with _said(notes):
                parts["train"], parts[name] = _held_out(
                    parts["train"], name, amount, found.task, seed
                )
            held[f"{name}_of_train"] = {"amount": amount, "seed": seed}
    if "test" in parts:
        _refuse_repeated(parts["test"], found)
    n_outputs, classes = _outputs(parts, found)
    if found.task == "classification":
        notes += _compare_classes(parts, n_outputs, classes)
    description = {
        **found.source,
        **held,
        "task": found.task,
        "parts": {name: part.n for name, part in parts.items()},
        "input_shape": list(parts["train"].input_shape),
    }
    return TrainingData(
        parts["train"],
        parts.get("validation"),
        parts.get("test"),
        found.task,
        classes,
        n_outputs,
        description,
        tuple(notes),
        found.fold_of,
    )


def _refuse_empty(parts: Mapping[str, Part]) -> None:
    for name, part in parts.items():
        if part.n == 0:
            raise InputError(f"expected samples in the part {name}, it is empty")
        if part.input_shape != parts["train"].input_shape:
            raise InputError(
                f"expected inputs of one shape, got {parts['train'].input_shape} in train and "
                f"{part.input_shape} in {name}"
            )


def _refuse_repeated(test: Part, found: Found) -> None:
    """Refuse names that the numbers of the test part would be refused for, after training."""
    times = Counter(test.ids or ())
    again = [name for name, n in times.items() if n > 1]
    if again:
        table = found.source.get("kind") == "table"
        raise IdError(
            f"expected each sample of the test part once, got {len(again):,} that come again: "
            f"{first_few(again)}"
            + (": name the column that tells them apart (id_column)" if table else "")
        )


def _held_out(
    train: Part, name: str, amount: int | float, task: str, seed: int
) -> tuple[Part, Part]:
    """Divide the training part in what is trained on and another part."""
    n = train.n
    if n is None or not isinstance(train, Divisible):
        raise InputError(f"expected a part {name}, or {name} = 0: a stream cannot be divided")
    whole = 0 <= amount < math.inf
    n_held = 0 if not whole else amount if amount >= 1 else round(amount * n)
    if n_held != int(n_held) or not 0 < n_held < n:
        raise InputError(
            f"expected a part {name} of 1 to {n - 1:,} of {n:,} samples, or a share of them, "
            f"got {amount}"
        )
    n_held = int(n_held)
    split = hold_out(
        _names(train),
        Ratios((n - n_held, n_held), n),
        names=["train", name],
        seed=seed,
        **_spread(train, task, min(n_held, n - n_held)),
    )
    rest, held = (train.take(torch.from_numpy(split.indices(each))) for each in split.names)
    if not held.n:
        raise InputError(
            f"expected samples for a part {name}, got none: every class has too few to give one. "
            f'Say task = "regression" where targets are amounts, or {name} = 0'
        )
    return rest, held


@contextlib.contextmanager
def _said(notes: list[str]) -> Iterator[None]:
    """Turn what splitting warns of into notes: classes with fewer samples than parts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        yield
    for each in caught:
        if issubclass(each.category, DataWarning):
            notes.append(str(each.message))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def _divisible(part: Part) -> Any:
    if not isinstance(part, Divisible):
        raise InputError(
            "expected data that can be divided in folds, got a stream with an order of its own"
        )
    return part


def _names(part: Part) -> list[str]:
    return list(part.ids) if part.ids is not None else [str(i) for i in range(part.n or 0)]


def _spread(part: Part, task: str, n_least: int) -> dict[str, Any]:
    """Return what parts, the least of so many samples, are to have in equal shares."""
    targets = part.targets
    if targets is None or task == "segmentation":
        return {}
    if task == "regression":
        # No more bins than samples of the least part, of which each gets one.
        bins = min(_MOST_BINS, n_least)
        return {"targets": targets[:, 0].double().numpy(), "bins": bins} if bins > 1 else {}
    if targets.ndim > 1:
        targets = targets.argmax(1)
    return {"labels": targets.numpy()}


def _outputs(parts: Mapping[str, Part], found: Found) -> tuple[int, Classes | None]:
    """Return how many outputs a network needs, and the classes."""
    known = [part.targets for part in parts.values() if part.targets is not None]
    if found.task == "regression":
        return (known[0].shape[1] if known else 1), None
    if found.class_names is not None:
        names = list(found.class_names)
        return len(names), Classes.of(names)
    if known and known[0].ndim == 2 and found.task == "classification":
        n = known[0].shape[1]
    elif known:
        if found.task == "segmentation":
            known = [targets[targets != _VOID] for targets in known]
        if not all(targets.numel() for targets in known):
            raise ClassError("expected pixels of some class in every part, got only void ones")
        n = 1 + max(int(targets.max()) for targets in known)
    else:
        raise ClassError("expected the names of the classes, or targets to count them by")
    return n, Classes.of([str(k) for k in range(n)])


def _compare_classes(
    parts: Mapping[str, Part], n_classes: int, classes: Classes | None
) -> list[str]:
    """Refuse labels that no class has, and say which classes a part lacks."""
    names = classes.display_names() if classes is not None else []
    notes: list[str] = []
    held = {}
    for name, part in parts.items():
        targets = part.targets
        if targets is None or targets.ndim > 1:
            continue
        if int(targets.min()) < 0 or int(targets.max()) >= n_classes:
            bad = targets[(targets < 0) | (targets >= n_classes)]
            raise ClassError(
                f"expected labels from 0 to {n_classes - 1}, one for each of {n_classes} classes, "
                f"got {int(bad[0])} in {name}"
            )
        held[name] = set(torch.unique(targets).tolist())
    if "train" not in held:
        return notes
    for name, labels in held.items():
        lacking = labels - held["train"]
        if lacking:
            shown = first_few(names[k] for k in sorted(lacking))
            raise ClassError(
                f"expected classes of {name} that are in train too, got {shown}: nothing can be "
                "learnt of them"
            )
        absent = sorted(set(range(n_classes)) - labels)
        if absent:
            s = "" if len(absent) == 1 else "es"
            shown = first_few(names[k] for k in absent)
            notes.append(f"{name} has no sample of {len(absent)} class{s}: {shown}")
    return notes


def _add(digest: Any, tensor: Tensor) -> None:
    """Hash a tensor; of a large one a part of its samples, evenly spread, and its sum."""
    digest.update(f"{tensor.dtype} {tuple(tensor.shape)}\n".encode())
    size = tensor.numel() * tensor.element_size()
    if size > _HASHED_BYTES:
        tensor = tensor[:: -(-size // _HASHED_BYTES)]
    digest.update(tensor.cpu().contiguous().view(torch.uint8).numpy().data)
