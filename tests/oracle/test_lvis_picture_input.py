"""The shim's LVISVis against that of the installed lvis: images, data sets, odd annotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from tests.lvis_sides import OURS, THEIRS, Side, both, data_set, pictures_of, polygons_only

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2, and of lvis 0.5.3 (its log).
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*'warn' method is deprecated:DeprecationWarning"),
]

# ---------------------------------------------------------------------------------------------
# Images.

PIXELS = np.random.default_rng(2).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def saved(path: Path, kind: str, scale: int) -> None:
    """Write an image of soft colours; of scale 1 of noise."""
    size = (13 * scale, 9 * scale)
    picture = Image.fromarray(PIXELS).resize(size, Image.Resampling.BICUBIC)
    turned = Image.Exif()
    if kind.startswith("turned"):
        turned[0x0112] = int(kind[-1])
        picture.save(path, "jpeg", exif=turned)
    elif kind.startswith("quality"):
        picture.save(path, "jpeg", quality=int(kind.split()[1]), subsampling=int(kind[-1]))
    elif kind == "progressive":
        picture.save(path, "jpeg", progressive=True)
    elif kind == "16 bits":
        sixteen = np.arange(picture.width * picture.height, dtype=np.uint16) * 257
        Image.fromarray(sixteen.reshape(picture.height, -1)).save(path, "png")
    elif kind == "see-through":
        picture.putalpha(picture.convert("L"))
        picture.save(path, "png")
    else:
        form, mode = kind.split()
        picture.convert(mode).save(path, form)


KINDS = [
    *(f"turned {k}" for k in range(1, 9)),
    *(f"quality {q} subsampled {k}" for q in (20, 75, 95, 100) for k in range(3)),
    *("progressive", "16 bits", "see-through", "jpeg L", "png L", "png LA", "png P", "png 1"),
    *("png RGB", "bmp RGB"),
]


def loaded_images(folder: Path, kind: str, scale: int) -> list[Any]:
    saved(folder / "2.jpg", kind, scale)
    return [
        pictures_of(side, folder, folder).load_img(2)  # whatever its name says it is
        for side in (THEIRS, OURS)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_images(tmp_path: Path, kind: str) -> None:
    for scale in (1, 7):
        theirs, ours = loaded_images(tmp_path, kind, scale)
        np.testing.assert_array_equal(ours, theirs, strict=True)
        assert ours.flags.writeable
        assert ours.flags.c_contiguous
        assert ours.max() > ours.min()


def test_images_in_four_inks(tmp_path: Path) -> None:
    theirs, ours = loaded_images(tmp_path, "jpeg CMYK", 7)
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=1)


# ---------------------------------------------------------------------------------------------
# What it is made from.


class Given(NamedTuple):
    """What pictures can be made from."""

    truth: Any
    truth_path: str
    results: list[Any]
    results_path: str


MADE: dict[str, Callable[[Side, Given], Any]] = {
    "objects": lambda s, g: s.pictures(g.truth, s.results(g.truth, g.results)),
    "files": lambda s, g: s.pictures(g.truth_path, g.results_path, "of", 200),
    "a list": lambda s, g: s.pictures(g.truth, g.results, img_dir=""),
    "no results": lambda s, g: s.pictures(g.truth, None, "a", dpi=9),
    "results as truth": lambda s, g: s.pictures(s.results(g.truth_path, g.results_path)),
    "an empty list": lambda s, g: s.pictures(g.truth, []),
    "a path": lambda s, g: s.pictures(Path(g.truth_path)),
    "a dict": lambda s, g: s.pictures(g.truth.dataset),
    "nothing": lambda s, g: s.pictures(g.truth and None),
    "a missing file": lambda s, g: s.pictures(g.truth_path + "x"),
    "results by path": lambda s, g: s.pictures(g.truth, Path(g.results_path)),
    "a tuple of results": lambda s, g: s.pictures(g.truth, tuple(g.results)),
    "truth as results": lambda s, g: s.pictures(g.truth, g.truth.dataset),
    "a folder of another kind": lambda s, g: s.pictures(g.truth, img_dir=Path("of")),
    "no folder": lambda s, g: s.pictures(g.truth, img_dir=None),
    "the current folder": lambda s, g: s.pictures(g.truth, img_dir="."),
    "results that are not there": lambda s, g: s.pictures(g.truth).vis_result(2),
}


@pytest.mark.parametrize("name", MADE)
def test_made_from(tmp_path: Path, name: str) -> None:
    document, results = polygons_only(5)
    truth_path, results_path = tmp_path / "scene.json", tmp_path / "results.json"
    truth_path.write_text(json.dumps(document))
    results_path.write_text(json.dumps(results))

    def made(side: Side) -> Any:
        truth = side.lvis(str(truth_path))
        given = Given(truth, str(truth_path), polygons_only(5)[1], str(results_path))
        fields = dict(vars(MADE[name](side, given)))
        truth, pred = fields.pop("lvis_gt"), fields.pop("lvis_dt")
        # A logger is the same one of both.
        return (
            *(type(truth).__name__, truth.anns),
            *(pred and type(pred).__name__, pred and pred.anns),
            fields,
        )

    both(made)


def test_data_sets_of_the_other(tmp_path: Path) -> None:
    """What lvis itself read is taken, as the rest of the shim takes it."""
    document, results = polygons_only(5)
    truth = data_set(THEIRS, tmp_path, document)
    pred = THEIRS.results(truth, results)
    pictures = OURS.pictures(truth, pred, "a")
    assert pictures.lvis_gt is truth
    assert pictures.lvis_dt is pred


# ---------------------------------------------------------------------------------------------
# Fields that are missing or odd.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    saved(tmp_path / "2.jpg", "progressive", 4)
    return tmp_path


CHANGES: dict[str, Callable[[Any], Any]] = {
    **{f"no {name}": (lambda a, n=name: a.pop(n)) for name in ("bbox", "segmentation", "id")},
    "no category": lambda a: a.pop("category_id"),
    "an unknown category": lambda a: a.update(category_id=1000),
    "a box of three": lambda a: a.update(bbox=[1, 2, 3]),
    "a box of texts": lambda a: a.update(bbox=["1", "2", "3", "4"]),
    "a box that is no number": lambda a: a.update(bbox=[1, 2, float("nan"), 4]),
    "a box of less than nothing": lambda a: a.update(bbox=[9, 9, -3, -4]),
    "no box": lambda a: a.update(bbox=None),
    "no polygons": lambda a: a.update(segmentation=[]),
    "no vertices": lambda a: a.update(segmentation=[[]]),
    "one vertex": lambda a: a.update(segmentation=[[4, 5]]),
    "half a vertex": lambda a: a.update(segmentation=[[4, 5, 6]]),
    "a polygon without a list": lambda a: a.update(segmentation=[4, 5, 6, 7]),
    "vertices outside": lambda a: a.update(segmentation=[[-50, -5, 500, 5, 50, 700]]),
    "no shape": lambda a: a.update(segmentation=None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_odd_annotations(folder: Path, tmp_path: Path, name: str) -> None:
    def drawn(side: Side, which: str) -> Any:
        pictures = pictures_of(side, folder, tmp_path)
        data = pictures.lvis_gt if which == "vis_img" else pictures.lvis_dt
        CHANGES[name](data.img_ann_map[2][1])
        try:
            getattr(pictures, which)(2, show_boxes=True, show_classes=True)
        finally:
            figures = len(plt.get_fignums())
            plt.close("all")
        return figures

    for which in ("vis_img", "vis_result"):
        both(lambda side, w=which: drawn(side, w))


RUNS = [
    {"size": [50, 64], "counts": [7, 3193]},
    {"size": [50, 64], "counts": "7iS3"},
    {"size": [50, 64], "counts": b"7iS3"},
]


@pytest.mark.parametrize("runs", RUNS)
def test_run_lengths_are_drawn_where_the_other_stops(
    folder: Path, tmp_path: Path, runs: dict[str, Any]
) -> None:
    for which in ("vis_img", "vis_result"):
        for side in (THEIRS, OURS):
            pictures = pictures_of(side, folder, tmp_path)
            data = pictures.lvis_gt if which == "vis_img" else pictures.lvis_dt
            data.img_ann_map[2][0]["segmentation"] = runs
            if side is THEIRS:
                with pytest.raises(ValueError, match=r"not enough values to unpack|must be 2D"):
                    getattr(pictures, which)(2)
                plt.close("all")
            else:
                getattr(pictures, which)(2)
        (axes,) = plt.gcf().axes
        (_, tint) = axes.images
        assert (tint.get_array()[..., 3] > 0).sum() == 3193
        plt.close("all")
