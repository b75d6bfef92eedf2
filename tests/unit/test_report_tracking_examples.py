"""Which frames of trackers are kept for their pages, and what is drawn on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Tracking, Tracks
from snellen.readers.tracking_files import read_tracking
from snellen.report.tracking.examples import FrameGallery
from snellen.report.tracking.worst_frames import APART, worst_frames
from snellen.run.examples import Example, Examples
from snellen.samples.tracking import make_tracking_sample

LEFT, RIGHT, STILL, FAR = [0, 0, 10, 10], [100, 0, 10, 20], [200, 0, 10, 10], [300, 50, 4, 4]

# Frame, id, class, box. The person at the left is 1, the one at the right 2; 50 does not count.
TRUTH: dict[str, list[tuple[int, int, int, list[int]]]] = {
    "A": [
        (t, each, label, box)
        for t in (1, 2, 3, 20, 21, 30)
        for each, label, box in ((1, 1, LEFT), (2, 1, RIGHT), (50, 7, STILL))
    ],
    "B": [(t, 1, 1, LEFT) for t in (5, 14)],
}
# A: in frame 2 the track at the left is another; in 20 and 21 one box is wrong and both persons are
# missed; in 30 there is none. B: in frame 5 two are wrong, in 14 one is missed.
PRED: dict[str, list[tuple[int, int, list[int]]]] = {
    "A": [
        *((1, 7, LEFT), (1, 8, RIGHT)),
        *((2, 12, LEFT), (2, 8, RIGHT), (2, 60, STILL)),
        *((3, 12, LEFT), (3, 8, RIGHT)),
        *((20, 12, FAR), (21, 12, FAR)),
    ],
    "B": [(5, 7, LEFT), (5, 8, FAR), (5, 9, RIGHT)],
}


def sides(name: str) -> tuple[Tracks, Tracks]:
    frame, track, label, box = zip(*TRUTH[name], strict=True)
    truth = Tracks.from_xywh(
        box,
        track_id=track,
        frame=frame,
        sequence=name,
        label=label,
        classes={1: "pedestrian", 7: "static_person"},
        n_frames=30,
    )
    at, ids, boxes = zip(*PRED[name], strict=True)
    return truth, Tracks.from_xywh(boxes, track_id=ids, frame=at, sequence=name, n_frames=30)


def shown(
    *parts: tuple[Tracks, Tracks], n: int = 60, images: Any = lambda _: None, **parameters: Any
) -> tuple[Examples, dict[str, bytes]]:
    metric, gallery = Tracking(events=True, **parameters), FrameGallery(n)
    for truth, pred in parts:
        part = metric.empty().update(truth, pred)
        gallery.add(gallery.found(part.compute(), truth, pred))
        metric.merge(part)
    return gallery.examples(metric.compute(), images)


@pytest.fixture
def by_hand() -> Examples:
    return shown(sides("A"), sides("B"), protocol="mot17")[0]


def named(examples: Examples, name: str) -> Example:
    (found,) = (each for each in examples.images if each.name == name)
    return found


def test_the_worst_frames_come_first_and_no_neighbours(by_hand: Examples) -> None:
    assert [(each.name, each.badness) for each in by_hand.images] == [
        ("A/000020", 3.0),
        ("B/000005", 2.0),
        ("A/000030", 1.0),  # 2 errors, halved
        ("A/000002", pytest.approx(1 / 3)),
    ]
    # In 21 are as many errors as in 20, and in 14 of B one: both are near one that is shown.
    assert [each.group for each in by_hand.images] == ["A", "B", "A", "A"]
    assert by_hand.n_images == 60
    assert by_hand.rule.startswith("4 of 60 frames, the most wrong, missed and switched")
    assert "matched as clear does, at similarity 0.5" in by_hand.rule.lower()


def test_as_many_as_are_asked_for_in_any_order() -> None:
    some = shown(sides("B"), sides("A"), n=2, protocol="mot17")[0]
    assert [each.name for each in some.images] == ["A/000020", "B/000005"]
    assert some.at_most == 2


def test_a_switch_is_marked_with_the_tracks_before_and_after(by_hand: Examples) -> None:
    frame = named(by_hand, "A/000002")
    assert frame.numbers == {"wrong": 0, "missed": 0, "switched": 1, "right": 1}
    switched, right, left_out = frame.found
    assert (switched.outcome, switched.was, switched.track) == ("switched", "7", "12")
    assert (right.outcome, right.was, right.track) == ("right", "", "8")
    assert [frame.truth[each.truth or 0].track for each in (switched, right)] == ["1", "2"]
    assert (switched.overlap, switched.label) == (1.0, "pedestrian")
    # A person that stands still does not count, and so nor does who follows it.
    assert (left_out.outcome, left_out.truth) == ("ignored", None)
    assert [each.ignored for each in frame.truth] == [False, False, True]
    assert frame.truth[1].box == [100, 0, 10, 20]


def test_wrong_and_missed_objects(by_hand: Examples) -> None:
    frame = named(by_hand, "A/000020")
    (wrong,) = frame.found
    assert (wrong.outcome, wrong.truth, wrong.track, wrong.box) == ("wrong", None, "12", FAR)
    assert frame.numbers == {"wrong": 1, "missed": 2, "switched": 0, "right": 0}
    assert named(by_hand, "A/000030").found == []
    of_b = named(by_hand, "B/000005")
    assert [each.outcome for each in of_b.found] == ["right", "wrong", "wrong"]


def test_the_threshold_is_that_of_clear() -> None:
    """At IoU 0.6 a half that lies on a person is wrong, and the person missed."""
    truth = Tracks.from_xywh([LEFT], track_id=[1], frame=[1], sequence="A", n_frames=1)
    pred = Tracks.from_xywh([[0, 0, 10, 5.5]], track_id=[4], frame=[1], sequence="A", n_frames=1)
    assert shown((truth, pred))[0].images == []
    strict = shown((truth, pred), threshold=0.6)[0]
    assert strict.images[0].numbers == {"wrong": 1, "missed": 1, "switched": 0, "right": 0}


def test_nothing_is_wrong() -> None:
    truth, _ = sides("B")
    examples = shown((truth, truth))[0]
    assert (examples.images, examples.rule) == (
        [],
        "no frame has an error: there is none to be shown",
    )


def test_points_are_not_drawn() -> None:
    points = Tracks.from_points([[0.0, 0.0]], track_id=[1], frame=[1], sequence="A", n_frames=2)
    none = points[:0]
    examples = shown((points, none), similarity="distance")[0]
    assert examples.images == []
    assert examples.rule == "no frames are shown: points cannot be drawn on images"


def test_masks_have_outlines() -> None:
    mask = np.zeros((1, 6, 8), np.uint8)
    mask[0, 1:3, 2:7] = 1
    truth = Tracks.from_masks(mask, track_id=[3], frame=[1], sequence="A", n_frames=1)
    examples = shown((truth, truth[:0]), similarity="mask_iou")[0]
    (frame,) = examples.images
    assert (frame.width, frame.height) == (8, 6)
    assert frame.truth[0].box == [2, 1, 5, 2]
    assert frame.truth[0].outline == "M2 1L7 1L7 3L2 3Z"


def test_ids_that_are_texts_and_two_classes() -> None:
    truth = Tracks.from_xywh(
        [LEFT, RIGHT], track_id=["a", "b"], frame=1, label=["car", "bus"], sequence="x/y"
    )
    pred = Tracks.from_xywh([LEFT], track_id=["t"], frame=1, label=["bus"], sequence="x/y")
    frame = shown((truth, pred))[0].images[0]
    assert (frame.id, frame.group) == ("x/y/000001", "x/y")
    assert [(each.label, each.track) for each in frame.truth] == [("car", "a"), ("bus", "b")]
    assert [(each.label, each.track, each.outcome) for each in frame.found] == [
        ("bus", "t", "wrong")
    ]


def test_pictures_are_asked_for_by_sequence_and_number() -> None:
    from PIL import Image

    from snellen.report.thumbnails import encoded

    asked = []

    def images(name: str) -> bytes | None:
        asked.append(name)
        return encoded(Image.new("RGB", (64, 48))) if name.startswith("A") else None

    examples, pictures = shown(sides("A"), sides("B"), protocol="mot17", images=images)
    assert asked == [each.name for each in examples.images]
    assert sorted(pictures) == ["000-000020.jpg", "002-000030.jpg", "003-000002.jpg"]
    first, second = examples.images[:2]
    assert (first.picture, first.width, first.height) == ("000-000020.jpg", 64, 48)
    assert (second.picture, second.width) == ("", 0)


# ---- Against a plain version ---------------------------------------------------------------------


def plain_choice(events: list[dict[str, Any]]) -> list[tuple[float, str, int]]:
    """Return badness, sequence and number of all frames that may be shown."""
    errors: dict[str, dict[int, int]] = {}
    for event in events:
        if event["event"] in ("switch", "miss", "false positive"):
            frames = errors.setdefault(event["sequence"], {})
            frames[event["frame"]] = frames.get(event["frame"], 0) + 1
    found = []
    for sequence, frames in errors.items():
        rank = 1
        while frames:
            worst = min(frames, key=lambda each: (-frames[each], each))
            found.append((-frames[worst] / rank, sequence, worst))
            frames = {each: n for each, n in frames.items() if abs(each - worst) >= APART}
            rank += 1
    return sorted(found)


def test_against_a_plain_version(tmp_path: Path) -> None:
    sample = make_tracking_sample(
        tmp_path, n_sequences=3, n_frames=70, n_objects=8, draw_images=False
    )
    files = read_tracking(sample.truth, sample.predictions, protocol="mot17")
    metric = Tracking(protocol=files.protocol, events=True)
    for batch in files.batches():
        metric.update(*batch)
    result = metric.compute()
    events = result.events()
    expected = plain_choice(events)
    assert len(expected) > 12
    for n in (1, 5, 100):
        frames = worst_frames(result, n)
        assert [(-each.badness, each.sequence, each.number) for each in frames] == expected[:n]
    before: dict[tuple[Any, Any], Any] = {}
    n_switches = 0
    happened: dict[tuple[Any, Any], list[Any]] = {}
    for event in sorted(events, key=lambda each: (each["sequence"], each["frame"])):
        if event["event"] == "transfer":
            continue
        was = before.get((event["sequence"], event["truth"]))
        switch = event["event"] == "switch"
        happened.setdefault((event["sequence"], event["frame"]), []).append(
            (event["event"], event["truth"], event["pred"], was if switch else None)
        )
        if event["event"] in ("match", "switch"):
            before[event["sequence"], event["truth"]] = event["pred"]
    for frame in worst_frames(result, 100):
        n_switches += sum(each.kind == "switch" for each in frame.happenings)
        own = [(each.kind, each.truth, each.pred, each.was) for each in frame.happenings]
        assert sorted(own, key=str) == sorted(happened[frame.sequence, frame.number], key=str)
    assert n_switches > 5
