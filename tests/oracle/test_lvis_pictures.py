"""The shim's LVISVis against that of the installed lvis: what is drawn, and called, and logged."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image
from tests.coco_scenes import HEIGHT, WIDTH
from tests.lvis_scenes import federated_scene
from tests.lvis_sides import OURS, THEIRS, Side, both, data_set

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


def polygons_only(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a scene without run lengths, of which lvis can draw none."""
    document, results = federated_scene(seed)
    document["annotations"] = [
        each for each in document["annotations"] if isinstance(each["segmentation"], list)
    ]
    return document, [
        {key: value for key, value in each.items() if key != "segmentation"} for each in results
    ]


def pictures_of(side: Side, folder: Path, tmp_path: Path, seed: int = 5) -> Any:
    document, results = polygons_only(seed)
    truth = data_set(side, tmp_path, document)
    return side.pictures(truth, side.results(truth, results), str(folder))


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
            getattr(pictures, which)(2, **ALL)
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
