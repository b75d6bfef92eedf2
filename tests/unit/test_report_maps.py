"""What is kept of segmentations for their pages, and what these and those of trackers show."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from snellen.displays import BarsDisplay, MatrixDisplay, SpansDisplay
from snellen.displays.notebook_html import notebook_html
from snellen.readers.label_pairs import find_pairs
from snellen.report.run_parts import parts_of
from snellen.report.segmentation.examples import class_colours, examples_of
from snellen.segmentation.boundary import BoundaryQuality
from snellen.segmentation.segmentation import Segmentation
from snellen.segmentation.surface_distance import SurfaceDistance
from snellen.segmentation.surface_distance_result import SurfaceDistanceResult
from snellen.tracking.metrics import Tracking
from snellen.tracking.track_displays import hota_curve, sequence_numbers, switch_timeline
from snellen.tracking.tracks import Tracks

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {0: "road", 1: "sky", 2: "car"}


def no_image(name: str) -> None:
    del name


class Run:
    """The state of a run, and what its result.json says, as a folder would hand them out."""

    def __init__(self, metric: Any, stored: dict[str, Any] | None = None) -> None:
        self._metric = metric
        self.stored = stored or {}

    kind = "evaluation"
    parent = None

    def metric(self) -> Any:
        return self._metric


def maps() -> tuple[np.ndarray, np.ndarray]:
    """Two images of 2 x 3 pixels: of the first one pixel of sky is taken for road."""
    truth = np.array([[[0, 0, 0], [1, 1, 255]], [[0, 0, 2], [1, 1, 1]]], np.uint8)
    pred = np.array([[[0, 0, 0], [1, 0, 2]], [[0, 0, 2], [1, 1, 1]]], np.uint8)
    return truth, pred


def measured() -> Segmentation:
    truth, pred = maps()
    return Segmentation(NAMES, ignore_index=255).update(truth, pred, image_id=["a", "b"])


def test_what_a_segmentation_shows() -> None:
    metric = measured()
    run: Any = Run(metric, {"per_slice": [{"slice": "night", "n_images": 1, "mIoU": 0.5}]})
    found = parts_of(run, metric.compute())
    assert isinstance(found.confusion, MatrixDisplay)
    # Road: 5 right; sky: 1 of the first and 3 of the second right, 1 taken for road; one car.
    assert found.confusion.counts.tolist() == [[5, 0, 0], [1, 4, 0], [0, 0, 1]]
    assert found.facts is not None
    # Road of a: 3 of 4; sky of a: 1 of 2.
    assert found.facts.lines == (
        "Of the pixels of sky 20% were taken for road.",
        "Lowest is image a: mIoU 0.625; there sky has IoU 0.500.",
    )
    (bars,) = found.slices
    assert bars.words.finding.startswith("mIoU is lowest in night: 0.500")  # type: ignore[union-attr]
    (iou,) = found.errors
    # 4 / 5, 5 / 6, 1 / 1.
    assert iou.categories == ("sky", "road", "car")  # type: ignore[union-attr]


class Maps:
    """The maps of both images, as a reader of files would hand them out."""

    void = 255

    def read(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        truth, pred = maps()
        return truth[i], pred[i]


def test_label_maps_side_by_side(tmp_path: Path) -> None:
    for side in ("truth", "pred"):
        (tmp_path / side).mkdir()
        for name in "ab":
            Image.new("L", (3, 2)).save(tmp_path / side / f"{name}.png")
    files = find_pairs(tmp_path / "truth", tmp_path / "pred")
    reader: Any = Maps()
    found, pictures = examples_of(files, reader, measured(), n=1, images=no_image)
    (image,) = found.images
    assert (image.id, image.width, image.height, image.picture) == ("a", 3, 2, "")
    assert image.numbers == {"mIoU": 0.625, "pixel accuracy": 0.8, "IoU of sky": 0.5}
    assert image.pairs == [("road", "road", 3), ("sky", "road", 1), ("sky", "sky", 1)]
    drawn = {
        what: np.array(Image.open(io.BytesIO(pictures[file])).convert("RGB"))
        for what, file in image.layers.items()
    }
    right, wrong, void = [225, 225, 222], [200, 60, 20], [255, 255, 255]
    assert drawn["errors"].tolist() == [[right] * 3, [right, wrong, void]]
    road, sky, car = class_colours(3).tolist()
    assert drawn["truth"].tolist() == [[road] * 3, [sky, sky, void]]
    assert drawn["predicted"].tolist() == [[road] * 3, [sky, road, car]]
    assert found.about["colours"]["car"] == "#" + bytes(car).hex()


def test_of_a_volume_the_slice_with_most_errors_is_shown(tmp_path: Path) -> None:
    """Pixels that do not count are no errors, however many they are."""
    truth = np.array([[[255, 255, 255]], [[0, 1, 1]]], np.uint8)
    pred = np.array([[[0, 1, 2]], [[0, 1, 0]]], np.uint8)
    metric = Segmentation(NAMES, ignore_index=255)
    metric.update(truth.reshape(1, 2, 3), pred.reshape(1, 2, 3), image_id=["a"])
    for side in ("truth", "pred"):
        (tmp_path / side).mkdir()
        Image.new("L", (3, 1)).save(tmp_path / side / "a.png")

    class Volume:
        void = 255

        def read(self, i: int) -> tuple[np.ndarray, np.ndarray]:
            del i
            return truth, pred

    reader: Any = Volume()
    files = find_pairs(tmp_path / "truth", tmp_path / "pred")
    found, pictures = examples_of(files, reader, metric, n=1, images=no_image)
    errors = Image.open(io.BytesIO(pictures[found.images[0].layers["errors"]])).convert("RGB")
    assert np.array(errors).tolist() == [[[225, 225, 222], [225, 225, 222], [200, 60, 20]]]


def test_colours_of_classes_differ() -> None:
    colours = class_colours(150)
    assert len(np.unique(colours, axis=0)) == 150
    assert colours.tolist()[:10] == class_colours(10).tolist()


def tracks(rows: list[tuple[str, int, int, float]]) -> Tracks:
    """Return boxes of sequence, frame, track, and left; all of 10 x 10 pixels."""
    sequence, frame, track, left = zip(*rows, strict=True)
    box = np.array([[x, 0, 10, 10] for x in left], np.float64)
    return Tracks.from_xywh(box, sequence=list(sequence), frame=list(frame), track_id=list(track))


def test_the_timeline_of_an_object() -> None:
    # Followed as 7 in frames 1 and 2, lost in 3, then as 8: a switch in 4.
    truth = tracks([("s", frame, 1, 0.0) for frame in (1, 2, 3, 4, 5)])
    pred = tracks([("s", 1, 7, 0), ("s", 2, 7, 0), ("s", 4, 8, 0), ("s", 5, 8, 0)])
    result = Tracking(metrics=["hota", "clear"], events=True).update(truth, pred).compute()
    picture = switch_timeline(result)
    assert isinstance(picture, SpansDisplay)
    assert [(span.start, span.end, span.kind, span.label) for span in picture.spans] == [
        (1, 3, "followed", "track 7"),
        (4, 6, "followed", "track 8"),
        (3, 4, "lost", "lost"),
        (4, 4, "switch", "from track 7 to 8"),
    ]
    assert picture.words.finding == "1 identity switch of 1 object; most, 1, of 1."


def test_hota_over_its_threshold() -> None:
    truth = tracks([("s", frame, 1, 0.0) for frame in (1, 2, 3)])
    pred = tracks([("s", frame, 1, 2.0) for frame in (1, 2, 3)])
    result = Tracking(metrics=["hota", "clear"]).update(truth, pred).compute()
    picture = hota_curve(result)
    assert picture is not None
    lines = {line.label: line for line in picture.lines}
    assert lines["HOTA"].y.tolist() == result.curve("HOTA").tolist()
    # IoU 8 / 12: right up to the threshold 0.65.
    assert lines["DetA"].y.tolist() == [1.0] * 13 + [0.0] * 6
    assert sequence_numbers(result) is None
    assert switch_timeline(result) is None


def hota_finding(truth: Tracks, pred: Tracks) -> str:
    picture = hota_curve(Tracking(metrics=["hota"]).update(truth, pred).compute())
    assert picture is not None
    return picture.words.finding


def test_what_is_said_of_hota() -> None:
    there = tracks([("s", frame, 1, 0.0) for frame in (1, 2)])
    # IoU 8 / 12, and 3 / 17: no match at threshold 0.5; none at all 50 pixels away.
    near, far, away = (tracks([("s", t, 7, x) for t in (1, 2)]) for x in (2.0, 7.0, 50.0))
    assert hota_finding(there, near).endswith("At threshold 0.5 DetA is 1.000 and AssA 1.000.")
    assert hota_finding(there, far).endswith(
        "DetA is 0.000 and AssA 0.000: no prediction fits an object so well."
    )
    nothing = "HOTA is 0: no prediction matches an object at any threshold."
    assert hota_finding(there, away) == hota_finding(there, there[:0]) == nothing
    assert hota_finding(there[:0], there) == "There is nothing to track."
    assert hota_finding(there[:0], there[:0]) == "There is nothing to track."
    # Two tracks of one object: AssA is 1 / 2. Half of the object: DetA is.
    split = tracks([("s", 1, 7, 0.0), ("s", 2, 8, 0.0)])
    assert hota_finding(there, split).endswith(
        "DetA is 1.000 and AssA 0.500: what holds it back is keeping their identity (AssA)."
    )
    more = tracks([("s", t, k, 50.0 * k) for t in (1, 2) for k in range(4)])
    assert hota_finding(there, more).endswith(
        "DetA is 0.250 and AssA 1.000: what holds it back is finding objects (DetA)."
    )


def test_sequences_are_of_the_classes_that_their_truth_has() -> None:
    """A false car in a sequence without cars is no car that was tracked badly."""

    def side(rows: list[tuple[str, int, float, str]]) -> Tracks:
        return Tracks.from_xywh(
            [[x, 0, 10, 10] for *_, x, _ in rows],
            track_id=[k for _, k, _, _ in rows],
            frame=[1] * len(rows),
            label=[label for *_, label in rows],
            sequence=[name for name, *_ in rows],
            classes={"car": "car", "bus": "bus"},
        )

    truth = [("a", 1, 0.0, "bus"), ("b", 1, 0.0, "bus"), ("b", 2, 50.0, "car")]
    false = [("a", 3, 90.0, "car")]
    for metrics in (["hota"], ["identity"]):
        metric = Tracking(metrics=metrics).update(side(truth), side([*truth[:2], *false]))
        bars: Any = sequence_numbers(metric.compute())
        # Of a the bus, 1; of b bus and car, (1 + 0) / 2.
        assert dict(zip(bars.categories, bars.bars[0].values, strict=True)) == {"b": 0.5, "a": 1.0}


def test_what_a_tracker_shows() -> None:
    truth = tracks([(name, frame, 1, 0.0) for name in "st" for frame in (1, 2)])
    pred = tracks([("s", 1, 1, 0), ("s", 2, 1, 0), ("t", 1, 1, 50), ("t", 2, 1, 50)])
    metric = Tracking(metrics=["hota", "clear"], events=True).update(truth, pred)
    run: Any = Run(metric)
    found = parts_of(run, metric.compute())
    assert [each.words.name for each in found.slices] == ["sequences", "sequence_numbers"]
    assert [each.words.name for each in found.own] == ["hota", "identity_switches", "tracks"]
    bars: Any = found.slices[0]
    assert bars.categories == ("t", "s")
    assert found.facts is not None
    assert found.facts.lines == ("Of 2 objects: 1 mostly tracked, 0 partly, 1 mostly lost.",)


def corners() -> tuple[np.ndarray, np.ndarray]:
    """Two images: a car that is a pixel off, and one that is not found; the sky is right."""
    truth, pred = np.zeros((2, 8, 8), np.uint8), np.zeros((2, 8, 8), np.uint8)
    truth[:, :2] = pred[:, :2] = 1
    truth[0, 4:7, 2:5] = pred[0, 4:7, 3:6] = 2
    truth[1, 4:7, 2:5] = 2
    return truth, pred


def test_what_surface_distances_show() -> None:
    truth, pred = corners()
    metric = SurfaceDistance(NAMES)
    for k, name in enumerate("ab"):
        metric.update(truth[k], pred[k], image_id=name)
    result = metric.compute()
    assert isinstance(result, SurfaceDistanceResult)
    run: Any = Run(metric)
    found = parts_of(run, result)
    # The headline numbers stand above already.
    assert [each.name for each in found.errors] == ["class_distances", "class_surface_dice"]
    assert found.curves == ()
    distances, shares = found.errors
    assert isinstance(distances, BarsDisplay)
    assert isinstance(shares, BarsDisplay)
    # The car that is missing is the diagonal away, sqrt(64 + 64); the sky is right.
    assert distances.categories[0] == "car"
    assert "sky" in distances.categories
    assert distances.value_label == "distance [px]"
    assert distances.words.finding.startswith("ASSD goes from ")
    assert distances.words.finding.endswith("0.0 px (sky).")
    assert shares.categories[0] == "car"
    assert found.classes is not None
    assert found.classes.columns[0].title == "class"
    assert "(car)" in found.classes.words.finding
    assert [result.unit_of(name) for name in result.names] == ["px", "px", "px", ""]
    assert result.protocol_text == (
        "monai: percentile 95, NSD within 1 px, structures missing or spurious count as the "
        "image's diagonal"
    )
    assert "<summary>3 classes</summary>" in notebook_html(result)


def test_what_boundaries_show() -> None:
    truth, pred = corners()
    metric = BoundaryQuality(NAMES)
    for k, name in enumerate("ab"):
        metric.update(truth[k], pred[k], image_id=name)
    run: Any = Run(metric)
    found = parts_of(run, metric.compute())
    (drawn,) = found.errors
    assert isinstance(drawn, BarsDisplay)
    assert [bars.label for bars in drawn.bars] == ["Boundary IoU", "boundary F", "mask IoU"]
    assert (drawn.categories[0], drawn.categories[-1]) == ("car", "sky")
    # Of the sky nothing is wrong.
    assert [float(bars.values[-1]) for bars in drawn.bars] == [1.0, 1.0, 1.0]
