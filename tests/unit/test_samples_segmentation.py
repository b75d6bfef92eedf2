from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen.errors import InputError
from snellen.readers.label_pairs import find_pairs
from snellen.readers.label_scheme_file import read_label_scheme
from snellen.samples.png import encode_png, encode_rgb_png
from snellen.samples.segmentation import SegmentationSample, make_segmentation_sample
from snellen.samples.street_scene import Ellipse, Slab, Stroke, Thing, box, draw, street_scene
from snellen.segmentation.label_scheme import scheme_of


def digest(paths: list[Path]) -> str:
    content = hashlib.sha256()
    for path in paths:
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> SegmentationSample:
    return make_segmentation_sample(tmp_path_factory.mktemp("default"))


def labels(default: SegmentationSample) -> tuple[Any, Any]:
    return (
        np.stack([pixels(path) for path in sorted(default.truth.iterdir())]),
        np.stack([pixels(path) for path in sorted(default.predictions.iterdir())]),
    )


def test_the_same_bytes_everywhere(default: SegmentationSample) -> None:
    # Found once; they change only where the sample is changed on purpose.
    assert default.images is not None
    home = default.classes.parent
    found = {
        name: digest(sorted((home / name).iterdir()))
        for name in (
            *("truth", "predictions", "images"),
            *("panoptic/truth", "panoptic/predictions"),
        )
    }
    found["json"] = digest([default.classes, default.panoptic_truth, default.panoptic_predictions])
    assert found == BYTES


BYTES = {
    "truth": "fe4601ab28ed6120",
    "predictions": "25883e58c8b1945a",
    "images": "f2be2d18d0298b93",
    "panoptic/truth": "4a4f8c17f0870295",
    "panoptic/predictions": "42afe25ab136cabd",
    "json": "ade75b9e1655fa5c",
}


def test_what_it_holds(default: SegmentationSample) -> None:
    truth, pred = labels(default)
    assert truth.shape == pred.shape == (20, 192, 320)
    assert truth.dtype == np.uint8
    assert set(np.unique(truth).tolist()) <= {*range(19), 255}
    assert set(np.unique(pred).tolist()) <= set(range(19))  # the network knows no void
    n = np.bincount(truth.ravel(), minlength=256)
    # All that a street always has is there; classes are long-tailed.
    assert (n[[0, 1, 2, 5, 8, 10, 11, 13, 255]] > 0).all()
    assert n[:19].max() > 100 * n[[5, 6, 7]].min()


def test_how_good_the_network_is(default: SegmentationSample) -> None:
    truth, pred = labels(default)
    valid = truth != 255
    assert 0.85 < (truth == pred)[valid].mean() < 0.95
    iou = {
        k: ((truth == k) & (pred == k)).sum() / ((truth == k) | ((pred == k) & valid)).sum()
        for k in (0, 5, 10, 13)
    }
    assert iou[10] > iou[0] > iou[13] > iou[5] > 0.2  # sky, road, car, pole
    # No image is perfect, and errors are more than wobbly boundaries.
    inner = np.ones_like(valid)
    for axis in (1, 2):
        for step in range(-5, 6):
            inner &= np.roll(truth, step, axis) == truth
    assert 0.005 < ((truth != pred) & valid & inner).sum() / (valid & inner).sum() < 0.08


def test_files_can_be_looked_at(default: SegmentationSample) -> None:
    scheme = scheme_of("cityscapes")
    assert scheme.colours is not None
    for folder in (default.truth, default.predictions):
        with Image.open(folder / "0003.png") as image:
            assert image.mode == "P"
            ids, seen = np.asarray(image), np.asarray(image.convert("RGB"))
        known = ids < 255
        assert np.array_equal(seen[known], scheme.colours[ids[known]])
        assert (seen[~known] == 0).all()
    assert default.images is not None
    assert pixels(default.images / "0003.png").shape == (192, 320, 3)


def test_its_own_readers(default: SegmentationSample) -> None:
    pairs = find_pairs(default.truth, default.predictions)
    assert len(pairs.image_ids) == 20
    scheme = read_label_scheme(default.classes)
    city = scheme_of("cityscapes")
    assert scheme.classes.names == city.classes.names
    assert scheme.groups == city.groups
    assert scheme.has_instances.tolist() == city.has_instances.tolist()
    truth, _ = labels(default)
    values, counts = np.unique(truth, return_counts=True)
    for each in (scheme, city):
        encoding, _ = each.recognise(values, counts, "palette")
        assert encoding.codes_of(values).tolist() == [*values[:-1].tolist(), -1]


@pytest.mark.parametrize("side", ["truth", "predictions"])
def test_panoptic(default: SegmentationSample, side: str) -> None:
    path = default.panoptic_truth if side == "truth" else default.panoptic_predictions
    document = json.loads(path.read_text())
    folder = default.truth if side == "truth" else default.predictions
    assert [each["image_id"] for each in document["annotations"]] == list(range(1, 21))
    crowds = 0
    for annotation in document["annotations"]:
        colours = pixels(path.with_suffix("") / annotation["file_name"]).astype(np.int64)
        ids = colours[..., 0] + 256 * colours[..., 1] + 65536 * colours[..., 2]
        infos = annotation["segments_info"]
        assert {info["id"] for info in infos} == set(np.unique(ids).tolist()) - {0}
        assert len({info["id"] for info in infos}) == len(infos)
        ids_of_stuff = [info["category_id"] for info in infos if info["category_id"] < 11]
        assert len(ids_of_stuff) == len(set(ids_of_stuff))  # one segment for each stuff
        kinds = pixels(folder / annotation["file_name"])
        assert np.array_equal(ids == 0, kinds == 255)
        for info in infos:
            segment = ids == info["id"]
            assert set(kinds[segment].tolist()) == {info["category_id"]}
            y, x = np.nonzero(segment)
            assert info["area"] == len(x)
            left, top, width, height = info["bbox"]
            assert (left, top) == (x.min(), y.min())
            assert (left + width - 1, top + height - 1) == (x.max(), y.max())
            crowds += info["iscrowd"]
    if side == "truth":
        assert crowds > 0
        assert len(document["categories"]) == 19
        assert document["images"][0] == {
            "id": 1,
            "file_name": "0001.png",
            "width": 320,
            "height": 192,
        }
    else:
        assert crowds == 0


def test_edges(tmp_path: Path) -> None:
    none = make_segmentation_sample(tmp_path / "none", n_images=0)
    assert list(none.truth.iterdir()) == []
    assert json.loads(none.panoptic_truth.read_text())["annotations"] == []
    small = make_segmentation_sample(tmp_path / "small", n_images=3, width=16, height=90)
    assert pixels(small.truth / "0001.png").shape == (90, 16)


def test_nothing_depends_on_pictures(tmp_path: Path) -> None:
    size: dict[str, Any] = {"n_images": 2, "width": 64, "height": 48}
    made = make_segmentation_sample(tmp_path / "drawn", **size)
    plain = make_segmentation_sample(tmp_path / "plain", **size, draw_images=False)
    other = make_segmentation_sample(tmp_path / "other", **size, draw_images=False, seed=1)
    assert plain.images is None
    assert not (tmp_path / "plain" / "images").exists()
    found = [
        digest([*sorted(each.truth.iterdir()), *sorted(each.predictions.iterdir())])
        for each in (made, plain, other)
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_images": -1}, "expected at least 0, got -1 - at n_images"),
        ({"width": 15}, "expected at least 16, got 15 - at width"),
        ({"height": 2.5}, "expected a whole number, got 2.5 - at height"),
        ({"seed": -4}, "expected at least 0, got -4 - at seed"),
    ],
)
def test_bad_arguments(tmp_path: Path, numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make_segmentation_sample(tmp_path / "never", **numbers)
    assert str(caught.value) == message
    assert not (tmp_path / "never").exists()


# --- drawing --------------------------------------------------------------------------------------


def test_shapes_hold_the_pixels_whose_centres_they_hold() -> None:
    # 64 pixels high: the centre of pixel k lies at 32 k + 16 units, a whole number.
    size = 64
    x, y = (np.arange(size) * 32 + 16)[None, :], (np.arange(size) * 32 + 16)[:, None]
    for shape, within in (
        (box(100, 200, 1000, 900), (x >= 100) & (x <= 1000) & (y >= 200) & (y <= 900)),
        (box(-50, -50, 48, 48), (x <= 48) & (y <= 48)),
        (box(16, 48, 48, 80), (x <= 48) & (y >= 48) & (y <= 80)),
        (
            Ellipse(1000, 1000, 500, 250),
            ((x - 1000) / 500) ** 2 + ((y - 1000) / 250) ** 2 <= 1,
        ),
        (
            Slab(0, 1024, 512, 1024, 0, 2048),
            (y <= 1024) & (2 * x >= 1024 - y) & (2 * x < 2048 + 2 * y) & (x < 2048),
        ),
    ):
        things = [
            Thing(3, (Stroke(box(0, 0, 2048, 2048), (0, 0, 0)),)),
            Thing(7, (Stroke(shape, (9, 9, 9)),)),
        ]
        assert np.array_equal(draw(things, size, size).labels == 7, within)


def test_what_comes_later_hides_what_was_there() -> None:
    whole = Stroke(box(0, 0, 2048, 2048), (1, 2, 3))
    half = Stroke(box(0, 0, 1024, 2048), (4, 5, 6))
    drawing = draw([Thing(3, (whole, half)), Thing(5, (half,))], 4, 4)
    assert drawing.labels.tolist() == [[5, 5, 3, 3]] * 4
    assert drawing.thing.tolist() == [[1, 1, 0, 0]] * 4
    assert drawing.colours[drawing.stroke][0].tolist() == [[4, 5, 6]] * 2 + [[1, 2, 3]] * 2


def test_street_scene() -> None:
    scene = street_scene(7, 2048, 1024)
    assert scene.shape == (1024, 2048)
    assert scene.dtype == np.uint8
    assert hashlib.sha256(scene.tobytes()).hexdigest()[:16] == SCENE
    # The same street at another size: four pixels become one.
    small = street_scene(7, 512, 256)
    assert (scene[2::4, 2::4] == small).mean() > 0.97
    assert set(np.unique(street_scene(7, 256, 128, 4)).tolist()) == {0, 1, 2, 3, 255}
    many = np.unique(np.stack([street_scene(k, 256, 128, 150) for k in range(20)]))
    assert len(many) > 60
    assert set(many.tolist()) <= {*range(150), 255}
    assert not np.array_equal(scene, street_scene(8, 2048, 1024))


SCENE = "aaf217f45e352ef4"


def test_very_wide_streets() -> None:
    assert street_scene(1, 4000, 40).shape == (40, 4000)
    assert street_scene(1, 1, 1).shape == (1, 1)


# --- PNG ------------------------------------------------------------------------------------------


def test_png_of_many_colours(tmp_path: Path) -> None:
    ids = np.arange(300 * 251).astype(np.uint8).reshape(300, 251)
    palette = [(k, 255 - k, 7) for k in range(256)]
    path = tmp_path / "a.png"
    path.write_bytes(encode_png(ids, palette))
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), ids)
        assert np.array_equal(np.asarray(image.convert("RGB")), np.array(palette, np.uint8)[ids])


def test_png_of_any_colours(tmp_path: Path) -> None:
    colours = (np.arange(200 * 131 * 3) * 7 % 256).astype(np.uint8).reshape(200, 131, 3)
    path = tmp_path / "a.png"
    path.write_bytes(encode_rgb_png(colours))
    assert np.array_equal(pixels(path), colours)
    with pytest.raises(InputError, match="height × width × 3, got uint8 of shape"):
        encode_rgb_png(colours[..., 0])
