"""`LVISVis` of the shim: pictures worked out by hand, and what cannot be drawn."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image

from snellen.compat.lvis import LVIS, LVISResults, LVISVis
from snellen.compat.lvis.colormap import colormap
from snellen.errors import MissingExtraError, SchemaError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

BLUE, RED, YELLOW = (0, 0.447, 0.741), (0.85, 0.325, 0.098), (0.929, 0.694, 0.125)
# Of 6 × 4 pixels, column by column: 5 outside, 2 inside, 17 outside. Column 1, rows 1 and 2.
RUNS = {"size": [4, 6], "counts": [5, 2, 17]}


@pytest.fixture(autouse=True)
def _no_figure_stays() -> Iterator[None]:
    yield
    plt.close("all")


def annotation(number: int, category: int, box: list[float], shape: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": 7,
        "category_id": category,
        "bbox": box,
        "segmentation": shape,
        "area": box[2] * box[3],
    }


@pytest.fixture
def truth(tmp_path: Path) -> LVIS:
    """Three objects in an image of 6 × 4 pixels, which are all (10, 20, 30)."""
    pixels = np.full((4, 6, 3), (10, 20, 30), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "seven.png")
    document = {
        "images": [
            {"id": 7, "height": 4, "width": 6, "coco_url": "http://images.example/of/seven.png"},
            {"id": 8, "height": 4, "width": 6, "coco_url": "http://images.example/of/eight.png"},
        ],
        "categories": [{"id": 1, "synset": "dog.n.01"}, {"id": 5, "synset": "hot_dog.n.12"}],
        "annotations": [
            annotation(1, 1, [0, 0, 2, 1], [[0, 0, 2, 0, 2, 1]]),
            annotation(2, 5, [1, 1, 4, 3], [[1, 1, 5, 1, 5, 4], [2, 2, 3, 3, 1, 3]]),
            annotation(3, 1, [1, 1, 1, 2], RUNS),
        ],
    }
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(document))
    return LVIS(str(path))


def axes_of_the_figure() -> Any:
    (number,) = plt.get_fignums()
    (axes,) = plt.figure(number).axes
    return axes


def test_annotations_from_the_largest_on(truth: LVIS, tmp_path: Path) -> None:
    LVISVis(truth, img_dir=str(tmp_path)).vis_img(7, show_boxes=True, show_classes=True)
    axes = axes_of_the_figure()
    # 6 × 4 pixels, 75 to an inch, the image from edge to edge.
    np.testing.assert_allclose(axes.figure.get_size_inches(), (6 / 75, 4 / 75))
    np.testing.assert_allclose(axes.get_position().bounds, (0, 0, 1, 1), atol=1e-12)
    assert axes.axis() == (-0.5, 5.5, 3.5, -0.5)
    image, tint = axes.images
    assert np.unique(image.get_array().reshape(-1, 3), axis=0).tolist() == [[10, 20, 30]]
    # Of boxes of 2, 12 and 2 pixels the second comes first; its colour is the second one's.
    drawn = [
        (type(each).__name__, np.round(each.get_edgecolor()[:3], 3).tolist())
        for each in axes.patches
    ]
    assert drawn == [
        *[("Rectangle", list(RED)), ("Polygon", list(RED)), ("Polygon", list(RED))],
        *[("Rectangle", list(BLUE)), ("Polygon", list(BLUE)), ("Rectangle", list(YELLOW))],
    ]
    assert axes.patches[2].get_xy().tolist() == [[2, 2], [3, 3], [1, 3], [2, 2]]
    assert [axes.patches[0].get_bbox().bounds] == [(1, 1, 4, 3)]
    texts = [(each.get_text(), each.get_position()) for each in axes.texts]
    assert texts == [("hot_dog.12", (1, -1)), ("dog.1", (0, -2)), ("dog.1", (1, -1))]
    # Run lengths: two pixels of the third colour, half to be seen through; nothing elsewhere.
    expected = np.zeros((4, 6, 4))
    expected[1:3, 1] = (*YELLOW, 0.5)
    np.testing.assert_allclose(tint.get_array(), expected, atol=1e-7)


def results_of(truth: LVIS) -> LVISResults:
    # 5, 2 and 17, which is 17 + 0 · 32: its sign would be in the last five bits.
    counts = "52a0"
    scores = {1: 0.25, 5: 0.704}
    return LVISResults(
        truth,
        [
            {
                "image_id": 7,
                "category_id": category,
                "score": score,
                "segmentation": {"size": [4, 6], "counts": counts},
            }
            for category, score in scores.items()
        ],
    )


def test_results_of_masks_above_a_score(truth: LVIS, tmp_path: Path) -> None:
    """lvis itself stops at run lengths, with which a detector of masks writes all results."""
    pictures = LVISVis(truth, results_of(truth), str(tmp_path))
    pictures.vis_result(7, show_classes=True, score_thrs=0.25)
    axes = axes_of_the_figure()
    assert [each.get_text() for each in axes.texts] == ["hot_dog.12: 0.70"]
    _, tint = axes.images
    inside = np.argwhere(tint.get_array()[..., 3] > 0)
    assert inside.tolist() == [[1, 1], [2, 1]]
    plt.close("all")
    pictures.vis_result(7, show_classes=True, show_scores=False, show_segms=False)
    axes = axes_of_the_figure()
    assert [each.get_text() for each in axes.texts] == ["dog.1", "hot_dog.12"]
    assert len(axes.images) == 1


def test_a_mask_of_another_size_changes_nothing_else(truth: LVIS, tmp_path: Path) -> None:
    truth.anns[3]["segmentation"] = {"size": [8, 9], "counts": [72]}
    LVISVis(truth, img_dir=str(tmp_path)).vis_img(7)
    axes = axes_of_the_figure()
    assert axes.axis() == (-0.5, 5.5, 3.5, -0.5)
    assert axes.images[1].get_array().shape == (8, 9, 4)


def test_categories_are_chosen(truth: LVIS, tmp_path: Path) -> None:
    LVISVis(truth, img_dir=str(tmp_path)).vis_img(7, show_classes=True, cat_ids_to_show={5})
    assert [each.get_text() for each in axes_of_the_figure().texts] == ["hot_dog.12"]


def test_nothing_to_draw_is_logged(
    truth: LVIS, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = LVISVis(truth, results_of(truth), str(tmp_path))
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="lvis.vis"):
        pictures.vis_img(8)
        pictures.vis_result(7, score_thrs=0.9)
    assert caplog.messages == [f"No gt anno found for img_id: {k}" for k in (8, 7)]
    assert plt.get_fignums() == []


def test_the_last_colours() -> None:
    colours = colormap(rgb=True)
    assert colours.shape == (79, 3)
    # Bright red; the first mixture; the greys at the end.
    assert colours[9].tolist() == [255, 0, 0]
    np.testing.assert_allclose(colours[15], (0.333 * 255, 0.333 * 255, 0), rtol=1e-6)
    assert colours[71].tolist() == [0, 0, 0]
    assert colours[78].tolist() == [255, 255, 255]
    assert colormap()[9].tolist() == [0, 0, 255]


# ---------------------------------------------------------------------------------------------
# What cannot be drawn.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no image", "expected an image, got a file of another kind"),
        (b"", "expected an image, got a file of another kind"),
        (b"\x89PNG\r\n\x1a\n", "expected an? .*image, got"),
        (None, "expected a whole image, got: "),
    ],
)
def test_a_damaged_image(truth: LVIS, tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "seven.png"
    path.write_bytes(path.read_bytes()[:45] if content is None else content)
    with pytest.raises(SchemaError, match=rf"^{message}.* - at .*seven\.png$"):
        LVISVis(truth, img_dir=str(tmp_path)).vis_img(7)
    assert plt.get_fignums() == []


def test_a_missing_image_is_downloaded(truth: LVIS, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    truth.imgs[7]["coco_url"] = (tmp_path / "seven.png").as_uri()
    pictures = LVISVis(truth, img_dir=str(inner))
    assert pictures.load_img(7).shape == (4, 6, 3)
    assert [each.name for each in inner.iterdir()] == ["seven.png"]
    truth.imgs[7]["coco_url"] = (tmp_path / "eight.png").as_uri()
    with pytest.raises(URLError, match=r"No such file"):
        pictures.load_img(7)
    assert [each.name for each in inner.iterdir()] == ["seven.png"]
    with pytest.raises(KeyError, match="1000"):
        pictures.load_img(1000)


def test_a_download_that_breaks_off_leaves_nothing(
    truth: LVIS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(url: str, path: str) -> None:
        Path(path).write_bytes(b"\x89PNG")
        raise ConnectionResetError(url)

    monkeypatch.setattr(sys.modules[LVIS.__module__], "urlretrieve", broken)
    with pytest.raises(ConnectionResetError):
        LVISVis(truth, img_dir=str(tmp_path)).load_img(8)
    assert not (tmp_path / "eight.png").exists()


@pytest.mark.parametrize(
    ("hidden", "named"),
    [("PIL.Image", "pillow"), ("matplotlib.pyplot", "matplotlib"), ("matplotlib", "matplotlib")],
)
def test_a_missing_package_is_named(
    truth: LVIS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str, named: str
) -> None:
    pictures = LVISVis(truth, img_dir=str(tmp_path))
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(
        MissingExtraError,
        match=rf"^expected the package {named}, it is not .*: pip install 'snellen\[plot\]'$",
    ):
        pictures.vis_img(7)


def test_a_broken_mask_is_refused(truth: LVIS, tmp_path: Path) -> None:
    truth.anns[3]["segmentation"] = {"size": [4, 6], "counts": [5, 30]}
    with pytest.raises(ValueError, match="Invalid RLE"):
        LVISVis(truth, img_dir=str(tmp_path)).vis_img(7)
