"""Readers of tracking formats against TrackEval's loaders, on files that the tests make."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import DataWarning
from snellen.readers.track_bdd import read_bdd_tracks
from snellen.readers.track_burst import read_burst_predictions, read_burst_truth
from snellen.readers.track_coco import read_video_predictions, read_video_truth
from snellen.readers.track_kitti import read_kitti_tracks
from snellen.readers.track_personpath import head_tracking_meaning, person_path_meaning
from snellen.tracking.shapes import Boxes2D
from snellen.tracking.track_map import TrackMap
from snellen.tracking.tracks import Tracks

datasets = pytest.importorskip("trackeval.datasets")
TrackMAP = pytest.importorskip("trackeval.metrics.track_map").TrackMAP


def by_frame(tracks: Tracks, rows: Any, column: Any, frames: range) -> list[list[Any]]:
    """Return a column of some rows, frame by frame."""
    kept = np.zeros(len(tracks), np.bool_)
    kept[rows] = True
    return [column[kept & (tracks.frame == t)].tolist() for t in frames]


def corners(tracks: Tracks) -> Any:
    assert isinstance(tracks.shape, Boxes2D)
    return tracks.shape.xyxy


def plain(columns: Any) -> list[list[Any]]:
    return [np.asarray(column).tolist() for column in columns]


# ---- KITTI --------------------------------------------------------------------------------------


def kitti_lines(random: np.random.Generator, n_frames: int, *, truth: bool) -> str:
    names = ["Car", "Van", "Pedestrian", "Person", "Cyclist", "Tram", "Misc", "Truck", "car"]
    lines = []
    for frame in random.permutation(n_frames).tolist():
        for track in random.permutation(8)[: random.integers(0, 6)].tolist():
            x, y, w, h = np.round(random.random(4) * 100, 6).tolist()
            number = track - 1 if random.random() < 0.2 else track + 10  # some are negative
            fields = [
                *(frame, number, random.choice(names)),
                *((random.integers(0, 3), random.integers(0, 4)) if truth else (-1, -1)),
                *(-10, x, y, x + w, y + h, 1.5, 1.6, 3.7, 0, 1, 10, 0.5),
            ]
            lines.append([*fields, *([] if truth else [float(random.random())])])
        if truth and random.random() < 0.5:
            lines.append([frame, -1, "DontCare", -1, -1, -10, 1, 2, 30, 40, *([-1] * 7)])
    return "".join(" ".join(map(str, line)) + "\n" for line in lines)


@pytest.mark.parametrize("seed", range(4))
def test_kitti(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = range(12)
    (tmp_path / "gt/label_02").mkdir(parents=True)
    (tmp_path / "trackers/ours/data").mkdir(parents=True)
    (tmp_path / "gt/evaluate_tracking.seqmap.training").write_text("0007 empty 000000 000012\n")
    truth_file = tmp_path / "gt/label_02/0007.txt"
    pred_file = tmp_path / "trackers/ours/data/0007.txt"
    truth_file.write_text(kitti_lines(random, len(frames), truth=True))
    pred_file.write_text(kitti_lines(random, len(frames), truth=False))
    theirs = datasets.Kitti2DBox(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "PRINT_CONFIG": False,
        }
    )
    raw = theirs.get_raw_seq_data("ours", "0007")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        truth = read_kitti_tracks(truth_file, truth=True, n_frames=12)
        pred = read_kitti_tracks(pred_file, truth=False, n_frames=12)
    assert truth.region is not None
    objects, areas, every = truth.region == 0, truth.region == 1, slice(None)
    label, pred_label = truth.label + 1, pred.label + 1
    assert by_frame(truth, objects, truth.track, frames) == plain(raw["gt_ids"])
    assert by_frame(truth, objects, label, frames) == plain(raw["gt_classes"])
    assert by_frame(truth, objects, corners(truth), frames) == plain(raw["gt_dets"])
    regions = plain(raw["gt_crowd_ignore_regions"])
    assert by_frame(truth, areas, corners(truth), frames) == regions
    for name in ("truncation", "occlusion"):
        wanted = [extras[name].tolist() for extras in raw["gt_extras"]]
        assert by_frame(truth, objects, truth.extra[name], frames) == wanted
    assert by_frame(pred, every, pred.track, frames) == plain(raw["tracker_ids"])
    assert by_frame(pred, every, pred_label, frames) == plain(raw["tracker_classes"])
    assert by_frame(pred, every, corners(pred), frames) == plain(raw["tracker_dets"])
    assert by_frame(pred, every, pred.score, frames) == plain(raw["tracker_confidences"])


# ---- BDD100K ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_bdd(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    names = ["pedestrian", "rider", "other person", "car", "bus", "trailer", "other vehicle"]
    frames = range(6)

    def document(truth: bool) -> list[dict[str, Any]]:
        found = []
        for frame in random.permutation(len(frames)).tolist():
            labels = []
            for track in random.permutation(9)[: random.integers(0, 7)].tolist():
                x, y, w, h = (random.random(4) * 100).tolist()
                labels.append(
                    {
                        "id": str(track + 3),
                        "category": str(random.choice(names)),
                        "box2d": {"x1": x, "y1": y, "x2": x + w, "y2": y + h},
                    }
                )
                if truth and random.random() < 0.7:
                    labels[-1]["attributes"] = {"Crowd": bool(random.random() < 0.3)}
            found.append({"index": frame, "labels": labels})
        return found

    (tmp_path / "gt").mkdir()
    (tmp_path / "trackers/ours/data").mkdir(parents=True)
    truth_file, pred_file = tmp_path / "gt/s.json", tmp_path / "trackers/ours/data/s.json"
    truth_file.write_text(json.dumps(document(True)))
    pred_file.write_text(json.dumps(document(False)))
    theirs = datasets.BDD100K(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "PRINT_CONFIG": False,
        }
    )
    raw = theirs.get_raw_seq_data("ours", "s")
    truth, pred = read_bdd_tracks(truth_file, truth=True), read_bdd_tracks(pred_file, truth=False)
    assert truth.n_frames.tolist() == [raw["num_timesteps"]]
    assert truth.region is not None
    objects, areas, every = truth.region == 0, truth.region == 1, slice(None)
    assert by_frame(truth, objects, truth.track, frames) == plain(raw["gt_ids"])
    assert by_frame(truth, objects, truth.label + 1, frames) == plain(raw["gt_classes"])
    assert by_frame(truth, objects, corners(truth), frames) == plain(raw["gt_dets"])
    regions = plain(raw["gt_crowd_ignore_regions"])
    assert by_frame(truth, areas, corners(truth), frames) == regions
    assert by_frame(pred, every, pred.track, frames) == plain(raw["tracker_ids"])
    assert by_frame(pred, every, pred.label + 1, frames) == plain(raw["tracker_classes"])
    assert by_frame(pred, every, corners(pred), frames) == plain(raw["tracker_dets"])


# ---- MOT text of a meaning of its own -----------------------------------------------------------


@pytest.mark.parametrize("name", ["PersonPath22", "HeadTrackingChallenge"])
def test_truth_that_counts(tmp_path: Path, name: str) -> None:
    random = np.random.default_rng(5)
    n_frames, crowds = 40, name == "PersonPath22"
    rows = []
    for frame in range(1, n_frames + 1):
        for track in range(1, 6):
            label = random.choice([1, 1, 1, 2, 13] if crowds else [1, 1, 1, 2, 3])
            flag, visible = random.choice([0, 1, 0.5, -1, 1]), random.choice([0, 0.5, 1])
            rows.append([frame, track, *random.integers(1, 50, 4), flag, label, visible])
    folder = "person_path_22-test" if crowds else "HT-train"
    truth_file = tmp_path / "gt" / folder / "s/gt/gt.txt"
    truth_file.parent.mkdir(parents=True)
    truth_file.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    pred_file = tmp_path / "trackers" / folder / "ours/data/s.txt"
    pred_file.parent.mkdir(parents=True)
    pred_file.write_text("1,1,500,500,1,1,1,1,1\n")
    theirs = getattr(datasets, name)(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SEQ_INFO": {"s": n_frames},
            "PRINT_CONFIG": False,
        }
    )
    raw = theirs.get_raw_seq_data("ours", "s")
    data = theirs.get_preprocessed_seq_data(raw, "pedestrian")
    columns = np.array(rows, np.float64)
    flag, label, visibility = columns[:, 6], columns[:, 7].astype(np.int64), columns[:, 8]
    meaning = (
        person_path_meaning(flag, label)
        if crowds
        else head_tracking_meaning(flag, label, visibility)
    )
    counted = (meaning.counted == 1) & (meaning.region == 0) & (label == 1)
    boxes = columns[:, 2:6]
    for t in range(n_frames):
        of_frame = columns[:, 0] == t + 1
        assert data["gt_dets"][t].tolist() == boxes[of_frame & counted].tolist()
        wanted = raw["gt_crowd_ignore_regions"][t].tolist()
        assert wanted == boxes[of_frame & (meaning.region == 1)].tolist()
    assert 0 < counted.sum() < len(rows)
    assert (meaning.region.sum() > 0) == crowds


# ---- TAO and YouTube-VIS, up to track mAP -------------------------------------------------------


def tao_files(random: np.random.Generator) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return truth and results whose boxes lie on a grid of quarters: left + width is exact."""
    categories = [
        {"id": 1, "name": "cat", "merged": [{"id": 4, "name": "kitten"}]},
        {"id": 2, "name": "dog"},
        {"id": 3, "name": "cow"},
        {"id": 4, "name": "kitten"},
    ]
    videos, images, annotations, results = [], [], [], []
    tracks = []
    for video in (5, 2, 9):
        videos.append(
            {
                "id": video,
                "name": f"val/v{video}",
                "neg_category_ids": [3] if random.random() < 0.5 else [],
                "not_exhaustive_category_ids": [2] if random.random() < 0.5 else [],
            }
        )
        frames = list(range(0, 12 * 30, 30))
        for k, frame in enumerate(frames):
            images.append({"id": 100 * video + k, "video_id": video, "frame_index": frame})

        def box() -> list[float]:
            place = random.integers(0, 120, 2) / 4
            return [*place.tolist(), *(random.integers(1, 480, 2) / 4).tolist()]

        for track in range(4):
            label = int(random.choice([1, 2, 4]))
            tracks.append({"id": 10 * video + track, "category_id": label, "video_id": video})
            at = box()
            for k in sorted(random.permutation(12)[: random.integers(1, 13)].tolist()):
                annotations.append(
                    {
                        "image_id": 100 * video + k,
                        "video_id": video,
                        "track_id": 10 * video + track,
                        "category_id": label,
                        "bbox": at,
                    }
                )
                if random.random() < 0.8:
                    found = [at[0] + float(random.integers(0, 3)), *at[1:]]
                    results.append(
                        {
                            "image_id": 100 * video + k,
                            "track_id": track,  # in all videos: TrackEval numbers them anew
                            "category_id": label,
                            "bbox": found,
                            "score": float(random.choice([0.2, 0.5, 0.7])),
                        }
                    )
        for track in range(7, 10):
            label, at = int(random.choice([1, 2, 3])), box()
            results += [
                {
                    "image_id": 100 * video + k,
                    "track_id": track + video,
                    "category_id": label,
                    "bbox": at,
                    "score": float(random.choice([0.2, 0.5, 0.7])),
                }
                for k in random.permutation(12)[: random.integers(1, 13)].tolist()
            ]
    # By image, as results are written: tracks then come in the order in which they appear.
    position = {image["id"]: k for k, image in enumerate(images)}
    for records in (annotations, results):
        records.sort(key=lambda record: position[record["image_id"]])
    truth = {
        "videos": videos,
        "images": images,
        "categories": categories,
        "annotations": annotations,
        "tracks": tracks,
    }
    return truth, results


def combined(theirs: Any, tracker: str, metric: Any) -> dict[str, Any]:
    """Return what TrackEval computes of all sequences, by class."""
    raws = {seq: theirs.get_raw_seq_data(tracker, seq) for seq in sorted(theirs.seq_list)}
    return {
        name: metric.combine_sequences(
            {
                seq: metric.eval_sequence(theirs.get_preprocessed_seq_data(raw, name))
                for seq, raw in raws.items()
            }
        )
        for name in theirs.class_list
    }


def check_track_map(metric: TrackMap, wanted: dict[str, Any]) -> None:
    result = metric.compute()
    assert wanted
    for k, name in enumerate(result.classes.names):
        if name not in wanted:  # of which there is no truth
            assert (result.n_counted[k] == 0).all()
            continue
        assert result.precision[:, :, k].tolist() == wanted[name]["precision"].tolist()
        assert result.recall[:, k].tolist() == wanted[name]["recall"].tolist()


@pytest.mark.parametrize("max_per_image", [300, 3])
@pytest.mark.parametrize("seed", range(6))
def test_tao(tmp_path: Path, seed: int, max_per_image: int) -> None:
    truth_content, results = tao_files(np.random.default_rng(seed))
    (tmp_path / "gt").mkdir()
    (tmp_path / "trackers/ours/data").mkdir(parents=True)
    truth_file = tmp_path / "gt/truth.json"
    pred_file = tmp_path / "trackers/ours/data/pred.json"
    truth_file.write_text(json.dumps(truth_content))
    pred_file.write_text(json.dumps(results))
    theirs = datasets.TAO(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "MAX_DETECTIONS": max_per_image,
            "PRINT_CONFIG": False,
        }
    )
    truth = read_video_truth(truth_file)
    pred = read_video_predictions(pred_file, truth, max_per_image=max_per_image, unique_ids=True)
    metric = TrackMap(protocol="tao-strict").update(truth.tracks, pred, truth.judged)
    check_track_map(metric, combined(theirs, "ours", TrackMAP({"PRINT_CONFIG": False})))
    # And the objects themselves, in the frames that have truth.
    for seq in theirs.seq_list:
        raw = theirs.get_raw_seq_data("ours", seq)
        [code] = truth.tracks.sequences.codes([seq])
        filled = np.array(sorted(set(truth.tracks.frame[truth.tracks.sequence == code].tolist())))
        for tracks, side in ((truth.tracks, "gt"), (pred, "tracker")):
            rows = tracks.sequence == code
            frames = filled.tolist()
            n = len(frames)
            assert by_frame(tracks, rows, tracks.track, frames) == plain(raw[f"{side}_ids"][:n])
            xyxy = corners(tracks)
            xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
            assert by_frame(tracks, rows, xywh, frames) == plain(raw[f"{side}_dets"][:n])


@pytest.mark.parametrize("seed", range(6))
def test_youtube_vis(tmp_path: Path, seed: int) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    random = np.random.default_rng(seed)

    def runs(pixels: Any) -> dict[str, Any]:
        """Return run lengths as annotations have them."""
        flat = pixels.flatten(order="F")
        ends = np.flatnonzero(np.diff(np.concatenate([[0], flat])))
        return {
            "size": list(pixels.shape),
            "counts": np.diff([0, *ends.tolist(), flat.size]).tolist(),
        }

    def packed(pixels: Any) -> dict[str, Any]:
        code = mask.encode(np.asfortranarray(pixels))
        return {"size": code["size"], "counts": code["counts"].decode()}

    videos, annotations, results = [], [], []
    for video, n_frames in ((7, 5), (4, 3), (6, 8)):
        files = [f"video{video}/{t:05}.jpg" for t in range(n_frames)]
        videos.append({"id": video, "file_names": files})
        for track in range(5):
            label, crowd = int(random.choice([1, 2])), int(random.random() < 0.2)
            masks, found = [], []
            top, left = random.integers(0, 6, 2)
            for _ in range(n_frames):
                pixels = np.zeros((20, 18), np.uint8)
                pixels[top : top + 8, left : left + 7] = random.random((8, 7)) < 0.8
                masks.append(pixels if random.random() < 0.8 else None)
                found.append(pixels if random.random() < 0.8 else None)
            annotations.append(
                {
                    "id": 10 * video + track,
                    "video_id": video,
                    "category_id": label,
                    "iscrowd": crowd,
                    "height": 20,
                    "width": 18,
                    "segmentations": [None if m is None else runs(m) for m in masks],
                    "areas": [None if m is None else int(m.sum()) for m in masks],
                }
            )
            results += [
                {
                    "video_id": video,
                    "category_id": label,
                    "score": float(random.choice([0.2, 0.5, 0.7])),
                    "segmentations": [None if m is None else packed(m) for m in found],
                }
                for _ in range(int(random.integers(0, 3)))
            ]
    random.shuffle(results)
    folder = "youtube_vis_train_sub_split"
    (tmp_path / folder).mkdir()
    (tmp_path / "trackers" / folder / "ours/data").mkdir(parents=True)
    truth_file = tmp_path / folder / "truth.json"
    pred_file = tmp_path / "trackers" / folder / "ours/data/pred.json"
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    content = {"videos": videos, "annotations": annotations, "categories": categories}
    truth_file.write_text(json.dumps(content))
    pred_file.write_text(json.dumps(results))
    theirs = datasets.YouTubeVIS(
        {
            "GT_FOLDER": f"{tmp_path}/",
            "TRACKERS_FOLDER": f"{tmp_path}/trackers/",
            "PRINT_CONFIG": False,
        }
    )
    rules = {
        "AREA_RANGES": [[0, 128**2], [128**2, 256**2], [256**2, 1e10]],
        "USE_TIME_RANGES": False,
        "PRINT_CONFIG": False,
    }
    truth = read_video_truth(truth_file)
    pred = read_video_predictions(pred_file, truth)
    assert truth.judged is None
    metric = TrackMap(protocol="youtube-vis-strict").update(truth.tracks, pred, truth.judged)
    check_track_map(metric, combined(theirs, "ours", TrackMAP(rules)))


@pytest.mark.parametrize("exemplar_guided", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_burst(tmp_path: Path, seed: int, exemplar_guided: bool) -> None:
    mask = pytest.importorskip("pycocotools.mask")
    random = np.random.default_rng(seed)
    package = Path(datasets.__file__).parent
    categories = package / "burst_helpers/tao_categories.json"
    labels = [1, 5, 20, 34]  # 20 is a distractor

    def code(pixels: Any) -> str:
        return str(mask.encode(np.asfortranarray(pixels))["counts"].decode())

    def sequence(number: int, n_frames: int) -> tuple[dict[str, Any], dict[str, Any]]:
        common = {
            "id": number,
            "dataset": "YFCC100M",
            "seq_name": f"video{number}",
            "width": 18,
            "height": 20,
            "annotated_image_paths": [f"frame{30 * t:04}.jpg" for t in range(n_frames)],
        }
        of = {str(track): int(random.choice(labels)) for track in range(1, 6)}
        truth: list[dict[str, Any]] = [{} for _ in range(n_frames)]
        pred: list[dict[str, Any]] = [{} for _ in range(n_frames + 1)]
        for track in of:
            top, left = random.integers(0, 6, 2)
            for t in range(n_frames):
                pixels = np.zeros((20, 18), np.uint8)
                pixels[top : top + 8, left : left + 7] = random.random((8, 7)) < 0.8
                if random.random() < 0.8:
                    truth[t][track] = {"rle": code(pixels), "is_gt": True}
                if random.random() < 0.8:
                    pixels[0, 0] = 1
                    pred[t][track] = {"rle": code(pixels)}
                    if random.random() < 0.8:
                        pred[t][track]["score"] = float(random.choice([0.2, 0.5, 0.7]))
        pred[n_frames]["1"] = {"rle": code(np.ones((20, 18), np.uint8))}
        more = {
            "track_category_ids": of,
            "neg_category_ids": [34],
            "not_exhaustive_category_ids": [5] if random.random() < 0.5 else [],
        }
        images = [*common["annotated_image_paths"], "frame9999.jpg"]  # type: ignore[misc]
        return (
            {**common, **more, "segmentations": truth},
            {**common, **more, "annotated_image_paths": images, "segmentations": pred},
        )

    pairs = [sequence(number, n_frames) for number, n_frames in ((3, 5), (1, 4), (2, 11))]
    (tmp_path / "gt").mkdir()
    (tmp_path / "trackers/ours/data").mkdir(parents=True)
    truth_file = tmp_path / "gt/truth.json"
    pred_file = tmp_path / "trackers/ours/data/pred.json"
    for file, side in ((truth_file, 0), (pred_file, 1)):
        content = {"split": "val", "sequences": [pair[side] for pair in pairs]}
        file.write_text(json.dumps(content))
    theirs = datasets.BURST(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "EXEMPLAR_GUIDED": exemplar_guided,
            "PRINT_CONFIG": False,
        }
    )
    truth = read_burst_truth(truth_file, categories=categories)
    pred = read_burst_predictions(
        pred_file, truth, exemplar_guided=exemplar_guided, max_per_image=300
    )
    assert truth.tracks.sequences.ids.tolist() == sorted(theirs.seq_list)
    metric = TrackMap(protocol="tao-strict").update(truth.tracks, pred, truth.judged)
    wanted = combined(theirs, "ours", TrackMAP({"PRINT_CONFIG": False}))
    result = metric.compute()
    at = {name: k for k, name in enumerate(result.classes.names)}
    assert wanted
    for name, of_class in wanted.items():
        k = at[name]
        assert result.precision[:, :, k].tolist() == of_class["precision"].tolist()
        assert result.recall[:, k].tolist() == of_class["recall"].tolist()
    assert set(np.flatnonzero(result.n_counted[:, 0]).tolist()) == {at[name] for name in wanted}
