"""ReaL: what people found on each image of ImageNet's validation set, any number of classes.

Beyer et al., "Are we done with ImageNet?", 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from snellen.benchmark.devkit_labels import image_number
from snellen.benchmark.imagenet import IMAGENET_IDS, imagenet_index
from snellen.errors import ClassError, InputError, SchemaError
from snellen.readers.message_text import few
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["real_labels"]


def real_labels(
    path: str, ids: Sequence[str], classes: Sequence[str], notes: list[str]
) -> list[tuple[int, ...]]:
    """Return the classes that count as right for each image, as places in `classes`.

    An image without any is not counted; so is one that has none of the classes that there are.

    Parameters
    ----------
    path : str
        JSON: a list of indices for each image, in the order of the validation set.
    ids : sequence of str
        The images; the number in their name says which of them they are.
    classes : sequence of str
        The classes of the data, of ImageNet.
    notes : list of str
        It is added how many are not counted.

    Raises
    ------
    SchemaError, InputError
        For another file.
    ClassError
        For other classes.
    """
    indices = [imagenet_index(name) for name in classes]
    if None in indices:
        raise ClassError(
            "expected classes of ImageNet, to which ReaL labels belong, got "
            f'"{classes[indices.index(None)]}"',
            path,
        )
    place = {index: k for k, index in enumerate(indices)}
    try:
        every = msgspec.json.decode(read_bytes(path), type=list[list[int]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(
            f"expected ReaL labels, a list of indices for each image: {error}", path
        ) from None
    found: list[tuple[int, ...]] = []
    for name in ids:
        number = image_number(name)
        if number is None or number > len(every):
            raise InputError(
                f"expected images called ILSVRC2012_val_00000001 to {len(every):08d}, whose ReaL "
                f"labels are given, got {few([name])}",
                path,
            )
        labels = every[number - 1]
        bad = next((each for each in labels if not 0 <= each < len(IMAGENET_IDS)), None)
        if bad is not None:
            raise SchemaError(
                f"expected indices from 0 to {len(IMAGENET_IDS) - 1}, got {bad}",
                f"{path} $[{number - 1}]",
            )
        found.append(tuple(place[each] for each in dict.fromkeys(labels) if each in place))
    n_empty = sum(not each for each in found)
    notes.append(f"ReaL labels: {len(found) - n_empty:,} images have one, {n_empty:,} do not count")
    return found
