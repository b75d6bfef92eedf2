"""Objects as lines of texts: of cells, parted by blanks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.writers.detections import Detections

__all__ = ["joined", "lines_of_images", "lines_of_labels"]


def joined(*columns: Sequence[str]) -> list[str]:
    """Return the cells of each row in one line.

    Examples
    --------
    >>> joined(["cat", "dog"], ["1 2", "3 4"])
    ['cat 1 2', 'dog 3 4']
    """
    return [" ".join(cells) for cells in zip(*columns, strict=True)]


def lines_of_images(data: Detections, lines: Sequence[str]) -> list[bytes]:
    """Return the text of each image, with a line for each of its objects."""
    return [_text([lines[row] for row in rows]) for rows in data.rows_of_images()]


def lines_of_labels(data: Detections, lines: Sequence[str]) -> list[bytes]:
    """Return the text of each class; objects are in the order of images."""
    of_label: list[list[str]] = [[] for _ in range(len(data.boxes.classes))]
    label = data.boxes.label.tolist()
    for rows in data.rows_of_images():
        for row in rows:
            of_label[label[row]].append(lines[row])
    return [_text(each) for each in of_label]


def _text(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
