"""Examples: the images that a page shows, with what is there and what was found."""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["SCHEMA", "Example", "Examples", "FoundObject", "TrueObject"]

SCHEMA: Final = "snellen.examples/1"


class TrueObject(msgspec.Struct, omit_defaults=True):
    """An object that is there.

    Attributes
    ----------
    label : str
        The name of its class.
    box : list of 4 float
        Left, top, width, height in pixels of the whole image.
    ignored : bool
        Whether it does not count: a crowd, a difficult one.
    outline : str
        The outline of a mask or of a turned box as an SVG path in pixels of the whole image; empty
        without one.
    keypoints : list of [x, y]
        Those that are labelled.
    """

    label: str
    box: list[float]
    ignored: bool = False
    outline: str = ""
    keypoints: list[list[float]] = []


class FoundObject(msgspec.Struct, omit_defaults=True):
    """A detection.

    Attributes
    ----------
    label, box, outline, keypoints
        As those of `TrueObject`.
    score : float
        Its score.
    outcome : {"right", "wrong", "ignored"}
        What became of it, with all detections of lower score left out (matching by falling score
        does not depend on them).
    truth : int or None
        The position of the true object that it was matched with, where it is right or ignored.
    overlap : float
        The IoU (or OKS) with that, else with the nearest object that is there.
    taken_for : int or None
        Where it is wrong: the position of the true object of another class, or of its own class,
        that it lies on with the IoU that counts; None where it lies on none.
    """

    label: str
    box: list[float]
    score: float
    outcome: str
    truth: int | None = None
    overlap: float = 0.0
    taken_for: int | None = None
    outline: str = ""
    keypoints: list[list[float]] = []


class Example(msgspec.Struct, omit_defaults=True):
    """An image of the gallery.

    Attributes
    ----------
    id, name : str
        Its id, and the name of its file.
    width, height : int
        Its size in pixels; 0 where unknown.
    picture : str
        The name of its thumbnail in the folder; empty where the image is missing.
    truth, found : list
        Its objects (detection).
    label, predicted : str
        The true and the predicted class (classification); the true and predicted value as texts
        (regression).
    scores : list of [str, float]
        The classes of highest score, falling (classification).
    layers : dict of str to str
        Further pictures of the same size by what they are: ``"truth"``, ``"predicted"``,
        ``"errors"`` (segmentation): names of files in the folder.
    numbers : dict of str to float
        Numbers of the image: ``n_missed``, ``IoU``, ``residual``.
    badness : float
        What it is sorted by, worst first.
    """

    id: str
    name: str
    width: int = 0
    height: int = 0
    picture: str = ""
    truth: list[TrueObject] = []
    found: list[FoundObject] = []
    label: str = ""
    predicted: str = ""
    scores: list[tuple[str, float]] = []
    layers: dict[str, str] = {}
    numbers: dict[str, float] = {}
    badness: float = 0.0


class Examples(msgspec.Struct):
    """The images that a page shows: ``examples/examples.json``.

    Attributes
    ----------
    schema, task : str
        `SCHEMA`, and the task.
    rule : str
        How they were chosen, in one sentence: ``"the 60 of 5,000 images with the most errors at
        IoU 0.5 and from score 0.31"``.
    n_images : int
        How many images were evaluated.
    score_threshold : float
        Where the score slider stands at first.
    images : list of Example
        Worst first.
    about : dict
        Further plain values of the task.
    """

    schema: str
    task: str
    rule: str
    n_images: int
    images: list[Example]
    score_threshold: float = 0.0
    about: dict[str, Any] = {}
