"""The state of metrics that absorb whole images: rows about their objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.detection.objects_of_images import object_batch
from snellen.errors import MergeError
from snellen.image_ids import ImageIds
from snellen.state import Counts, Ledger, prefixed, unprefixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Coded, Objects
    from snellen.detection.objects_of_images import ObjectBatch
    from snellen.detection.protocols import DetectionProtocol
    from snellen.state import Keys, PackedState

    Columns = dict[str, NDArray[Any]]

__all__ = ["ImageRows", "regions", "scores_of", "unverified_text"]


class ImageRows:
    """Tables of rows about the objects of images, with what they refer to.

    Every table has a column ``image``, and its pieces come in ascending order of it: all rows of
    an image are in one piece, so that a stable sort by image gives the same rows, in the same
    order, however the images were shared out.

    Parameters
    ----------
    labels : iterable of str
        The columns that hold classes, in whichever table.
    counts : iterable of str
        Names of whole numbers that add up.
    **tables : mapping of str to dtype
        The columns of each table.

    Attributes
    ----------
    images : ImageIds
    classes : Classes
    counts : Counts
    kind : str or None
        The kind of the objects; None before any came.
    """

    __slots__ = ("_labels", "_tables", "classes", "counts", "images", "kind")

    def __init__(
        self, labels: Iterable[str], counts: Iterable[str], **tables: Mapping[str, Any]
    ) -> None:
        self._labels = tuple(labels)
        self._tables = {
            name: Ledger(("image", *(each for each in self._labels if each in columns)), **columns)
            for name, columns in tables.items()
        }
        self.images = ImageIds()
        self.classes = Classes([])
        self.counts = Counts(**dict.fromkeys(counts, ()))
        self.kind: str | None = None

    def batch(
        self,
        truth: Objects | Sequence[Mapping[str, Any]],
        pred: Objects | Sequence[Mapping[str, Any]],
        image_id: ArrayLike | None,
        *,
        similarity: str,
        box_format: BoxLayout,
    ) -> ObjectBatch | None:
        """Return what an update was given as columns; changes nothing. See `object_batch`."""
        return object_batch(
            truth,
            pred,
            image_id,
            images=self.images,
            kind=self.kind,
            similarity=similarity,
            box_format=box_format,
        )

    def add(
        self,
        batch: ObjectBatch,
        codes: Coded,
        counts: Mapping[str, int],
        **tables: Columns,
    ) -> None:
        """Add rows about a batch that `batch` returned.

        Parameters
        ----------
        batch : ObjectBatch
        codes : Coded
            The images and classes that rows refer to.
        counts : mapping of str to int
        **tables : dict of str to ndarray
            Rows of each table, ascending by image.
        """
        classes = Classes.union([self.classes, codes.classes])
        keys = self._keys(codes.images, codes.classes)
        for name, columns in tables.items():
            self._tables[name].append(keys, **columns)
        self.counts.add(**counts)
        self.classes = classes
        self.kind = batch.truth.kind
        self.images.add(codes.images, anonymous=batch.anonymous)

    def merge(self, other: ImageRows) -> None:
        """Absorb another's rows; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the objects are of two kinds.
        IdError, ClassError
            Where both have the same image, or name a class differently.
        """
        if None not in (self.kind, other.kind) and self.kind != other.kind:
            raise MergeError(
                f"expected the state of objects of the kind {self.kind}, got {other.kind}"
            )
        self.images.check_merge(other.images)
        self.classes = Classes.union([self.classes, other.classes])
        shift = self.images.merge(other.images)
        for name, table in self._tables.items():
            table.merge(other._tables[name], image=shift)
        self.counts.merge(other.counts)
        self.kind = self.kind or other.kind

    def table(self, name: str) -> Columns:
        """Return the rows of a table, by image; positions are those in `images` and `classes`."""
        table = self._tables[name]
        keys = self._keys(self.images.keys(), self.classes)
        columns = table.columns(keys)
        if table.n_pieces > 1:
            order = np.argsort(columns["image"], kind="stable")
            columns = {column: values[order] for column, values in columns.items()}
            table.replace(keys, **columns)
        return columns

    def store(self, content: dict[str, Any], arrays: Columns) -> None:
        """Put everything into a state: the same for any sharding."""
        for name in self._tables:
            arrays.update(prefixed(f"{name}.", self.table(name)))
        content["kind"] = self.kind
        content["counts"] = {name: int(value) for name, value in self.counts.arrays().items()}
        self.images.store(content, arrays)
        self.classes.store(content, arrays)

    def restore(self, packed: PackedState) -> None:
        """Take over what `store` put into a state.

        Raises
        ------
        KeyError, ValueError, InputError
            Where it is not whole.
        """
        self.images = ImageIds.stored(packed.content, packed.arrays)
        if self.images.anonymous is None:
            return
        self.classes = Classes.stored(packed.content, packed.arrays)
        keys = self._keys(self.images.keys(), self.classes)
        for name, table in self._tables.items():
            columns = unprefixed(f"{name}.", packed.arrays)
            for column, known in keys.items():
                _check_positions(columns.get(column), len(known))
            table.append(keys, **columns)
        self.kind = packed.content["kind"]
        self.counts.add(**packed.content["counts"])

    def _keys(self, images: Keys, classes: Classes) -> dict[str, Keys]:
        return {"image": images, **dict.fromkeys(self._labels, classes.keys)}


def _check_positions(column: NDArray[Any] | None, n: int) -> None:
    if column is not None and len(column) and not 0 <= column.min() <= column.max() < n:
        raise ValueError(f"positions outside 0 to {n}")


def regions(truth: Boxes, protocol: DetectionProtocol) -> NDArray[np.bool_]:
    """Return which truth is no object to be found: crowds, and what the rules let be ignored."""
    found = np.zeros(len(truth), np.bool_)
    for column in (truth.crowd, truth.ignored if protocol.honours_ignored else None):
        if column is not None:
            found |= column.astype(np.bool_)
    return found


def scores_of(pred: Boxes) -> NDArray[np.float64]:
    """Return the scores of predictions; of none where there are no rows."""
    return np.zeros(0) if pred.score is None else pred.score


def unverified_text(data: Mapping[str, int]) -> str:
    """Return what is to be said of predictions of classes that nobody looked for."""
    n = data["n_unverified"]
    return f", {n:,} of classes that were not looked for" if n else ""
