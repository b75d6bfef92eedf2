"""The shim's LVISVis against that of the installed lvis: what is drawn, and called, and logged."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.coco_scenes import HEIGHT, WIDTH
from tests.lvis_sides import OURS, THEIRS, Side, both, pictures_of

from snellen.compat.lvis.colormap import colormap

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
their_colormap = pytest.importorskip("lvis.colormap")

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2, and of lvis 0.5.3 (its log).
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*'warn' method is deprecated:DeprecationWarning"),
]

STEPS = (
    *("coco_segm_to_poly", "get_synset", "setup_figure", "vis_bbox", "vis_text", "vis_mask"),
    *("get_color", "load_img", "vis_img", "vis_result"),
)


@pytest.fixture(autouse=True)
def _no_figure_stays() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the scene's images, of every kind that LVIS has and some that it has not."""
    path = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(3)
    pixels = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.save(path / "2.jpg")
    picture.convert("L").save(path / "9.jpg")
    picture.save(path / "16.jpg", exif=turned, quality=40)
    picture.convert("RGBA").save(path / "23.jpg", format="png")
    picture.save(path / "30.jpg", progressive=True, subsampling=0)
    return path


def seen_of_figures() -> list[Any]:
    """Return what was drawn into all figures, artist by artist, and their pixels; close them."""
    seen = []
    for number in plt.get_fignums():
        figure = plt.figure(number)
        (axes,) = figure.axes
        figure.canvas.draw()
        seen.append(
            [
                *(figure.get_size_inches(), figure.dpi, figure.get_frameon()),
                *(axes.get_position().bounds, axes.get_title(), axes.axison, axes.axis()),
                [(image.get_array(), image.get_extent()) for image in axes.images],
                [
                    *(
                        [
                            *(type(each).__name__, each.get_path().vertices),
                            *(each.get_patch_transform().get_matrix(), each.get_fill()),
                            *(each.get_facecolor(), each.get_edgecolor(), each.get_alpha()),
                            *(each.get_linewidth(), each.get_linestyle(), each.get_zorder()),
                        ]
                        for each in axes.patches
                    )
                ],
                [
                    [
                        *(each.get_text(), each.get_position(), each.get_color()),
                        *(each.get_fontsize(), each.get_family(), each.get_zorder()),
                        *(each.get_bbox_patch().get_alpha(), each.get_bbox_patch().get_fill()),
                        each.get_bbox_patch().get_boxstyle().pad,
                    ]
                    for each in axes.texts
                ],
                [type(each).__name__ for each in axes.get_children()],
                np.asarray(figure.canvas.buffer_rgba()),
            ]
        )
        plt.close(figure)
    return seen


ALL = {"show_boxes": True, "show_classes": True}
CALLS: dict[str, Callable[[Any], Any]] = {
    **{
        f"{name} of {image} with {options}": (
            lambda v, n=name, i=image, o=options: getattr(v, n)(i, **o)
        )
        for name, extra in (
            ("vis_img", [{}]),
            (
                "vis_result",
                [{"score_thrs": 0.5, **ALL}, {"show_scores": False, **ALL}, {"score_thrs": 2}],
            ),
        )
        for image in (2, 9, 16, 23, 30)
        for options in [
            *({}, {"show_boxes": True}, {"show_classes": True}, {"show_segms": False}, ALL),
            {"show_segms": False, **ALL},
            {"cat_ids_to_show": [1, 7], **ALL},
            {"cat_ids_to_show": {4: "as in a dict"}, **ALL},
            {"cat_ids_to_show": [], **ALL},
            *extra,
        ]
    },
    "annotations by position": lambda v: v.vis_img(2, True, False, True, [1, 4]),
    "results by position": lambda v: v.vis_result(9, True, False, True, [1, 4], 0.3, True),
    "an image that is not there": lambda v: v.vis_img(1000),
    "results in an image that is not there": lambda v: v.vis_result(1000),
    "an image that cannot be hashed": lambda v: v.vis_img([2]),
    "categories that hold nothing": lambda v: v.vis_img(2, cat_ids_to_show=4),
    "a score that compares with nothing": lambda v: v.vis_result(2, score_thrs="0.5"),
}


@pytest.mark.parametrize("name", CALLS)
def test_pictures(folder: Path, tmp_path: Path, name: str) -> None:
    both(
        lambda side: (CALLS[name](pictures_of(side, folder, tmp_path)), seen_of_figures()),
    )


def test_the_same_is_drawn_in_many_scenes(folder: Path, tmp_path: Path) -> None:
    for seed in range(6):

        def drawn(side: Side, seed: int = seed) -> Any:
            pictures = pictures_of(side, folder, tmp_path, seed)
            for image in (2, 9, 16, 23, 30):
                pictures.vis_img(image, **ALL)
                pictures.vis_result(image, score_thrs=0.4, **ALL)
            return seen_of_figures()

        seen, _ = both(drawn)
        assert len(seen) >= 8


# ---------------------------------------------------------------------------------------------
# The steps one by one.

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
STEP_CALLS: dict[str, Callable[[Any], Any]] = {
    "vertices": lambda v: v.coco_segm_to_poly([1, 2.5, 3, 4, 5, 6]),
    "vertices of an array": lambda v: v.coco_segm_to_poly(_list=np.arange(8)),
    "no vertices": lambda v: v.coco_segm_to_poly([]),
    "half a vertex": lambda v: v.coco_segm_to_poly([1, 2, 3]),
    "vertices of a number": lambda v: v.coco_segm_to_poly(3),
    **{f"synset of {k}": (lambda v, k=k: v.get_synset(k)) for k in (1, 4, 1000, "1", [1])},
    **{
        f"colour {k!r}": (lambda v, k=k: v.get_color(k))
        for k in (0, 78, 79, -1, 200, np.int64(3), True)
    },
    **{f"image {k!r}": (lambda v, k=k: v.load_img(k)) for k in (2, 9, 16, 23, 30, 1000)},
}


@pytest.mark.parametrize("name", STEP_CALLS)
def test_steps(folder: Path, tmp_path: Path, name: str) -> None:
    both(lambda side: STEP_CALLS[name](pictures_of(side, folder, tmp_path)))


SYNSETS = ["cat", "cat.n.01", "a.b.c.007", "cat.n.x", "", ".", "3.4", 5, None, "cat. 7 "]


@pytest.mark.parametrize("synset", SYNSETS)
def test_synsets(folder: Path, tmp_path: Path, synset: Any) -> None:
    def text(side: Side) -> Any:
        pictures = pictures_of(side, folder, tmp_path)
        pictures.lvis_gt.cats[1]["synset"] = synset
        return pictures.get_synset(1)

    both(text)


@pytest.mark.parametrize("options", [{}, {"dpi": 10}, {"title": "of it"}, {"title": "a", "dpi": 4}])
def test_figures_by_themselves(folder: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    def figure(side: Side) -> Any:
        pictures = pictures_of(side, folder, tmp_path)
        found = pictures.setup_figure(GREY, **options)
        assert type(found) is tuple
        made, axes = found
        assert made.axes == [axes]
        assert type(axes) is plt.Axes
        results = [
            pictures.vis_bbox(axes, (1, 2, 3, 4)),
            pictures.vis_bbox(axes, np.array([0.5, 1, 3, 2]), 0.9, edgecolor="r", linestyle="-"),
            pictures.vis_text(axes, [2, 3], "text"),
            pictures.vis_text(axes, [2, 3, 0], "text", color="b"),
            pictures.vis_mask(axes, np.array([[1, 1], [5, 1], [3, 4]]), (0.2, 0.4, 0.6)),
            pictures.vis_mask(ax=axes, segm=[[0, 0], [2, 0], [2, 2]], color="k"),
        ]
        return results, seen_of_figures()

    both(figure)


def test_colours() -> None:
    for rgb in (False, True, 0, 1, "any", None):
        theirs = their_colormap.colormap(rgb)
        np.testing.assert_array_equal(colormap(rgb), theirs, strict=True)
    np.testing.assert_array_equal(colormap(), their_colormap.colormap(), strict=True)


# ---------------------------------------------------------------------------------------------
# The surface.


def test_steps_have_the_same_arguments() -> None:
    theirs = {name for name in vars(THEIRS.pictures) if not name.startswith("_")}
    assert theirs == set(STEPS)
    for name in ("__init__", *STEPS):
        expected = inspect.signature(getattr(THEIRS.pictures, name)).parameters
        given = inspect.signature(getattr(OURS.pictures, name)).parameters
        assert list(given) == list(expected)
        for argument in given:
            assert given[argument].kind == expected[argument].kind
            assert given[argument].default == expected[argument].default


def test_steps_that_are_overridden_are_called(folder: Path, tmp_path: Path) -> None:
    def called(side: Side) -> Any:
        calls: list[Any] = []
        pictures = pictures_of(side, folder, tmp_path)
        for name in STEPS:
            step = getattr(pictures, name)

            def noted(*args: Any, n: str = name, step: Any = step, **options: Any) -> Any:
                calls.append((n, [a for a in args if not isinstance(a, plt.Axes)], options))
                return step(*args, **options)

            setattr(pictures, name, noted)
        pictures.vis_img(2, **ALL)
        pictures.vis_result(9, score_thrs=0.3, **ALL)
        assert {name for name, _, _ in calls} == set(STEPS)
        return calls

    both(called)
