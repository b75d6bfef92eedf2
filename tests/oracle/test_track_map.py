"""Track mAP against TrackEval's TrackMAP: every cell of every array, ties and id 0 included."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.tracking.judged_classes import JudgedClasses
from snellen.tracking.track_map import TrackMap, TrackMapResult
from snellen.tracking.track_map_protocols import TAO_STRICT, YOUTUBE_VIS_STRICT, TrackMapProtocol
from snellen.tracking.tracks import Tracks

reference = pytest.importorskip("trackeval.metrics.track_map")

N_CLASSES = 2


@dataclasses.dataclass(frozen=True)
class Track:
    """A track of boxes or masks."""

    id: int
    label: int
    shapes: dict[int, Any]  # by frame
    scores: dict[int, float]  # by frame
    crowd: bool = False


@dataclasses.dataclass(frozen=True)
class Video:
    name: str
    truth: list[Track]
    pred: list[Track]
    negative: frozenset[int] = frozenset()
    not_exhaustive: frozenset[int] = frozenset()


def boxes_at(random: np.random.Generator, n: int, *, tied: bool) -> np.ndarray[Any, Any]:
    if tied:  # a few corners, so that many overlaps and areas are equal and on thresholds
        corner = random.integers(0, 3, (n, 2)) * 10
        size = random.choice(np.array([10, 20, 32, 96, 0]), (n, 2))
    else:
        corner, size = random.random((n, 2)) * 30, random.random((n, 2)) * 120
    return np.concatenate([corner, corner + size], axis=1).astype(np.float64)


def random_video(random: np.random.Generator, name: str, *, tied: bool, first_id: int) -> Video:
    n_frames = int(random.choice([2, 4, 12, 20]))

    def tracks(n: int, first: int) -> list[Track]:
        found = []
        for k in range(n):
            length = int(random.integers(1, n_frames + 1))
            frames = np.sort(random.choice(n_frames, length, replace=False)).tolist()
            boxes = boxes_at(random, length, tied=tied)
            if random.random() < 0.6:  # one that stands still overlaps well
                boxes[:] = boxes[0]
            scores = random.choice([0.1, 0.5, 0.9], length) if tied else random.random(length)
            if random.random() < 0.5:
                scores[:] = scores[0]
            found.append(
                Track(
                    first + k,
                    int(random.integers(N_CLASSES)),
                    dict(zip(frames, boxes, strict=True)),
                    dict(zip(frames, scores.tolist(), strict=True)),
                    bool(random.random() < 0.2),
                )
            )
        return found

    truth = tracks(int(random.integers(0, 6)), 1)
    pred = tracks(int(random.integers(0, 8)), first_id + 50)
    for k, track in enumerate(truth):  # most truth is found, more or less well
        if random.random() < 0.7:
            kept = {
                frame: box + (0 if random.random() < 0.5 else random.normal())
                for frame, box in track.shapes.items()
                if random.random() < 0.85
            }
            if kept:
                score = float(random.choice([0.1, 0.5, 0.9]))
                pred.append(
                    Track(
                        first_id + k,
                        track.label,
                        kept,
                        dict.fromkeys(kept, score),
                    )
                )
    classes = range(N_CLASSES)
    return Video(
        name,
        truth,
        pred,
        frozenset(k for k in classes if random.random() < 0.3),
        frozenset(k for k in classes if random.random() < 0.3),
    )


def as_tracks(video: Video, *, truth: bool, masks: bool = False) -> Tracks:
    """Return rows in the order in which a file would have them: frame by frame."""
    sides = video.truth if truth else video.pred
    rows = sorted(
        ((frame, k) for k, track in enumerate(sides) for frame in track.shapes),
        key=lambda row: row[0],
    )
    columns: dict[str, Any] = {
        "frame": np.array([frame for frame, _ in rows], np.int64),
        "track_id": np.array([sides[k].id for _, k in rows], np.int64),
        "label": np.array([sides[k].label for _, k in rows], np.int64),
        "sequence": video.name,
        "classes": {k: f"class {k}" for k in range(N_CLASSES)},
    }
    if truth:
        columns["extra"] = {"crowd": [float(sides[k].crowd) for _, k in rows]}
    else:
        columns["score"] = [sides[k].scores[frame] for frame, k in rows]
    boxes = [sides[k].shapes[frame] for frame, k in rows]
    if masks:
        return Tracks.from_masks(np.array(boxes, np.uint8).reshape(-1, 12, 14), **columns)
    return Tracks.from_xyxy(np.array(boxes, np.float64).reshape(-1, 4), **columns)


def appeared(tracks: list[Track]) -> list[Track]:
    """Return tracks in the order in which rows by frame name them."""
    return sorted(tracks, key=lambda track: (min(track.shapes), tracks.index(track)))


def reference_data(
    video: Video, label: int, rules: TrackMapProtocol, *, judged: bool, masks: bool
) -> dict[str, Any]:
    """Return what TrackEval's data sets hand to the metric."""

    def area(track: Track) -> float:
        if masks:
            filled = [mask.sum() for mask in track.shapes.values() if mask.any()]
            return float(np.mean(filled)) if filled else 0
        areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in track.shapes.values()]
        if rules.skip_empty:
            areas = [each for each in areas if each]
        return float(sum(areas) / max(1, len(areas)))

    def shapes(track: Track) -> dict[int, Any]:
        if not masks:
            return track.shapes
        encode = pytest.importorskip("pycocotools.mask").encode
        return {frame: encode(np.asfortranarray(mask)) for frame, mask in track.shapes.items()}

    truth = [track for track in appeared(video.truth) if track.label == label]
    pred = [track for track in appeared(video.pred) if track.label == label]
    if rules.ties_by_id:
        truth.sort(key=lambda track: track.id)
        pred.sort(key=lambda track: track.id)
    if judged and not truth and label not in video.negative:
        pred = []
    scores = [
        next(iter(track.scores.values()))
        if rules.given_scores
        else float(np.mean([track.scores[frame] for frame in sorted(track.scores)]))
        for track in pred
    ]
    order = np.argsort([-score for score in scores], kind="mergesort").tolist() if scores else []
    pred = [pred[k] for k in order]
    data: dict[str, Any] = {
        "gt_track_ids": [track.id for track in truth],
        "gt_tracks": [shapes(track) for track in truth],
        "gt_track_areas": [area(track) for track in truth],
        "gt_track_lengths": [len(track.shapes) for track in truth],
        "gt_track_iscrowd": [track.crowd for track in truth],
        "dt_track_ids": [track.id for track in pred],
        "dt_tracks": [shapes(track) for track in pred],
        "dt_track_areas": [area(track) for track in pred],
        "dt_track_lengths": [len(track.shapes) for track in pred],
        "dt_track_scores": [scores[k] for k in order],
        "not_exhaustively_labeled": judged and label in video.not_exhaustive,
        "iou_type": "mask" if masks else "bbox",
        "boxformat": "x0y0x1y1",
    }
    return data


def reference_metric(rules: TrackMapProtocol) -> Any:
    config: dict[str, Any] = {
        "PRINT_CONFIG": False,
        "AREA_RANGES": [[low, high] for _, low, high in rules.area_ranges],
        "USE_TIME_RANGES": bool(rules.length_ranges),
        "MAX_DETECTIONS": rules.max_tracks or 0,
    }
    return reference.TrackMAP(config)


def check(
    videos: list[Video], rules: TrackMapProtocol, *, judged: bool, masks: bool = False
) -> TrackMapResult:
    metric = TrackMap(protocol=rules)
    for video in videos:
        facts = JudgedClasses(
            frozenset((video.name, k) for k in video.negative),
            frozenset((video.name, k) for k in video.not_exhaustive),
        )
        metric.update(
            as_tracks(video, truth=True, masks=masks),
            as_tracks(video, truth=False, masks=masks),
            facts if judged else None,
        )
    result = metric.compute()
    theirs = reference_metric(rules)
    by_class = {}
    for label in range(N_CLASSES):
        of_video = {
            video.name: theirs.eval_sequence(
                reference_data(video, label, rules, judged=judged, masks=masks)
            )
            for video in sorted(videos, key=lambda video: video.name)
        }
        wanted = by_class[label] = theirs.combine_sequences(of_video)
        assert result.precision[:, :, label].tolist() == wanted["precision"].tolist()
        assert result.recall[:, label].tolist() == wanted["recall"].tolist()
        for a, name in enumerate(rules.range_labels):
            average = result.average_precision[:, label, a].tolist()
            assert average == wanted[f"AP_{name}"].tolist()
            assert result.recall[:, label, a].tolist() == wanted[f"AR_{name}"].tolist()
    means = theirs.combine_classes_class_averaged(by_class)
    for a, name in enumerate(rules.range_labels):
        suffix = "" if a == 0 else f"_{name}"
        for ours, their_name in ((f"AP{suffix}", f"AP_{name}"), (f"AR{suffix}", f"AR_{name}")):
            if (result.n_counted[:, a] > 0).any():
                assert result.metrics[ours] == np.mean(means[their_name])
            else:
                assert np.isnan(result.metrics[ours])
                assert (means[their_name] == -1).all()
    return result


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    tied=st.booleans(),
    judged=st.booleans(),
    first_id=st.sampled_from([1, 0, -3]),
    cap=st.sampled_from([None, 1, 2]),
)
def test_tao(seed: int, tied: bool, judged: bool, first_id: int, cap: int | None) -> None:
    random = np.random.default_rng(seed)
    videos = [random_video(random, name, tied=tied, first_id=first_id) for name in ("b", "a", "c")]
    check(videos, dataclasses.replace(TAO_STRICT, max_tracks=cap), judged=judged)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), first_id=st.sampled_from([1, 0]))
def test_masks(seed: int, first_id: int) -> None:
    pytest.importorskip("pycocotools")
    random = np.random.default_rng(seed)
    videos = [random_video(random, name, tied=True, first_id=first_id) for name in ("b", "a")]

    def painted(track: Track) -> Track:
        masks = {}
        for frame, box in track.shapes.items():
            left, top, right, bottom = (box / 8).astype(int)  # some without pixels
            mask = np.zeros((12, 14), np.uint8)
            mask[top:bottom, left:right] = random.random((12, 14))[top:bottom, left:right] < 0.9
            masks[frame] = mask
        score = dict.fromkeys(masks, next(iter(track.scores.values())))
        return dataclasses.replace(track, shapes=masks, scores=score)

    check(
        [
            dataclasses.replace(
                video,
                truth=[painted(track) for track in video.truth],
                pred=[painted(track) for track in video.pred],
            )
            for video in videos
        ],
        YOUTUBE_VIS_STRICT,
        judged=False,
        masks=True,
    )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tied=st.booleans(), first_id=st.sampled_from([1, 0]))
def test_youtube_vis(seed: int, tied: bool, first_id: int) -> None:
    random = np.random.default_rng(seed)
    videos = [random_video(random, name, tied=tied, first_id=first_id) for name in ("b", "a")]
    # A track has one score here.
    videos = [
        dataclasses.replace(
            video,
            pred=[
                dataclasses.replace(
                    track, scores=dict.fromkeys(track.shapes, next(iter(track.scores.values())))
                )
                for track in video.pred
            ],
        )
        for video in videos
    ]
    check(videos, YOUTUBE_VIS_STRICT, judged=False)


@pytest.mark.parametrize("protocol", ["tao", "youtube-vis"])
def test_the_defaults_differ_by_id_0_alone(protocol: str) -> None:
    def found(name: str, first_id: int) -> dict[str, float]:
        box = {frame: np.array([0.0, 0, 10, 10]) for frame in range(4)}
        truth = [Track(1, 0, box, {})]
        pred = [
            Track(first_id, 0, box, dict.fromkeys(box, 0.9)),
            Track(first_id + 1, 0, box, dict.fromkeys(box, 0.5)),
        ]
        video = Video("a", truth, pred)
        sides = as_tracks(video, truth=True), as_tracks(video, truth=False)
        rules = YOUTUBE_VIS_STRICT if protocol == "youtube-vis" else TAO_STRICT
        check([video], rules, judged=False)
        counted = TrackMap(protocol=name).update(*sides)._settled()[1]["outcome"]
        return {"first": int(counted[0, 0, 0]), "second": int(counted[1, 0, 0])}

    true, false = (1 << 10) - 1, ((1 << 10) - 1) << 16
    assert found(protocol, 1) == found(protocol, 0) == {"first": true, "second": false}
    strict = f"{protocol}-strict"
    assert found(strict, 1) == {"first": true, "second": false}
    assert found(strict, 0) == {"first": true, "second": true}
