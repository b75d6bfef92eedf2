"""The benchmark's own sides run, and give the reference's numbers; their speed is no test."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import (
    AveragePrecision,
    Segmentation,
    Tracking,
    read_coco_predictions,
    read_coco_truth,
)
from snellen.readers.tracking_files import read_tracking
from snellen.samples.detection import make_detection_sample
from snellen.samples.street_scene import street_scene

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run_side(side: str, mode: str, *arguments: str | Path, task: str = "detection") -> None:
    done = subprocess.run(
        [sys.executable, "run_side.py", f"{task}_sides.{side}", mode, *map(str, arguments)],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_sides_agree(tmp_path: Path) -> None:
    made = make_detection_sample(
        tmp_path, n_images=20, n_boxes=150, n_detections=900, n_classes=5, draw_images=False
    )
    truth = read_coco_truth(made.truth)
    pred = read_coco_predictions(made.predictions, truth)
    expected = AveragePrecision(protocol="coco-strict").update(truth, pred).compute()
    rows = np.column_stack(
        [
            truth.images.ids[pred.image],
            pred.xywh,
            pred.score if pred.score is not None else [],
            truth.classes.keys.ids[pred.label],
        ]
    )
    np.save(tmp_path / "rows.npy", rows)
    for side in ("snellen", "pycocotools"):
        out = tmp_path / side
        run_side(side, "numbers", out, made.truth, made.predictions)
        assert np.array_equal(np.load(f"{out}.npy"), expected.precision)
    for side in ("snellen", "snellen_rows", "pycocotools"):
        out = tmp_path / f"{side}-rows"
        run_side(side, "from_arrays", out, made.truth, tmp_path / "rows.npy")
        assert json.loads(Path(f"{out}.json").read_text())["numbers"] == list(
            expected.metrics.values()
        )


@pytest.mark.parametrize(
    ("sample", "kind", "peers"),
    [
        ("masks", "segm", {"pycocotools": "pycocotools", "hotcoco": "hotcoco"}),
        ("keypoints", "keypoints", {"pycocotools": "pycocotools", "hotcoco": "hotcoco"}),
        ("lvis", "lvis", {"lvis_api": "lvis", "vernier": "vernier"}),
        ("objects365", "bbox", {"pycocotools": "pycocotools", "vernier": "vernier"}),
    ],
)
def test_the_sides_of_kinds_of_detection_agree(
    tmp_path: Path, sample: str, kind: str, peers: dict[str, str]
) -> None:
    made = subprocess.run(
        [sys.executable, "detection_kinds_sample.py", str(tmp_path), sample, "0.001", "3"],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    files = tmp_path / "truth.json", tmp_path / "predictions.json"
    assert len(json.loads(files[1].read_text())) >= 60
    run_side("snellen", "numbers", tmp_path / "snellen", *files, kind)
    ours = np.load(tmp_path / "snellen.npy")
    assert ours.max() > 0.1
    for side, module in peers.items():
        if importlib.util.find_spec(module) is None:
            continue
        run_side(side, "numbers", tmp_path / side, *files, kind)
        theirs = np.load(tmp_path / f"{side}.npy")
        assert theirs.tobytes() == ours.tobytes(), side


@pytest.mark.parametrize("side", ["snellen_shim", "hotcoco"])
def test_the_parts_of_detection(tmp_path: Path, side: str) -> None:
    if side == "hotcoco" and importlib.util.find_spec(side) is None:
        pytest.skip(f"{side} is not installed")
    made = make_detection_sample(
        tmp_path, n_images=20, n_boxes=150, n_detections=900, n_classes=5, draw_images=False
    )
    run_side(side, "phases", tmp_path / "parts", made.truth, made.predictions)
    found = json.loads((tmp_path / "parts.json").read_text())
    assert list(found)[:2] == ["evaluate(), accumulate()", "evalImgs, one cell"]
    assert len(found) == (4 if side == "snellen_shim" else 2)
    assert all(seconds > 0 for seconds in found.values())


STREETS = np.stack([street_scene(seed, 96, 48) for seed in range(4)])
# Every pixel of a class: of one that is predicted as void, peers differ.
FILLED = np.where(STREETS == 255, 0, STREETS)
LABELS = {"truth": STREETS[:2], "pred": FILLED[2:]}
KNOWN = {"truth": FILLED[:2], "pred": FILLED[2:]}
BUILDINGS = {side: (labels == 2).astype(np.uint8) for side, labels in LABELS.items()}
# Ids of three bytes.
SEGMENTS = {
    side: np.stack([labels, 255 - labels, labels // 3], axis=-1) for side, labels in LABELS.items()
}


@pytest.mark.parametrize(
    ("side", "module", "task", "arrays", "tolerance"),
    [
        ("snellen_numbers", "snellen", "counting", LABELS, 0),
        ("numpy_bincount", "numpy", "counting", LABELS, 0),
        ("numpy_blocks", "numpy", "counting", LABELS, 0),
        ("scikit_learn", "sklearn", "counting", LABELS, 0),
        ("torchmetrics", "torchmetrics", "counting", LABELS, 0),
        ("panopticapi", "panopticapi", "panoptic_pairs", SEGMENTS, 0),
        ("opencv", "cv2", "boundary_masks", KNOWN, 0),
        ("opencv", "cv2", "boundary_iou", KNOWN, 0),
        ("monai", "monai", "hd95", BUILDINGS, 1e-6),  # float32
        ("surface_distance", "surface_distance", "hd95_contour", BUILDINGS, 1e-12),
    ],
)
def test_the_sides_of_segmentation_agree(
    tmp_path: Path,
    side: str,
    module: str,
    task: str,
    arrays: dict[str, np.ndarray],
    tolerance: float,
) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    np.savez(tmp_path / "arrays.npz", **arrays)
    found = []
    for name in ("snellen", side):
        out = tmp_path / name
        run_side(name, "task", out, task, tmp_path / "arrays.npz", "1", task="segmentation")
        found.append(json.loads(Path(f"{out}.json").read_text())["numbers"])
    ours, theirs = found
    assert theirs
    assert {name: ours[name] for name in theirs} == pytest.approx(theirs, abs=0, rel=tolerance)


def test_label_files_as_others_count_them(tmp_path: Path) -> None:
    for side, labels in LABELS.items():
        (tmp_path / side).mkdir()
        for k, each in enumerate(labels):
            Image.fromarray(each).save(tmp_path / side / f"{k}.png")
    out = tmp_path / "numbers.json"
    folders = tmp_path / "truth", tmp_path / "pred"
    run_side("pillow_bincount", "from_files", *folders, "2", out, task="segmentation")
    expected = Segmentation(19).update(LABELS["truth"], LABELS["pred"]).compute()
    found = json.loads(out.read_text())
    assert found["mIoU"] == expected.mIoU
    assert found["pixels"] == expected.data["n_pixels"] - expected.data["n_void"]


def made_crowds(folder: Path) -> tuple[Path, Path]:
    """Return the folders of truth and predictions of the sequences that tracking is measured on."""
    make = (
        "import sys; from pathlib import Path; from tracking_sample import Crowds; "
        "print(*Crowds.made(Path(sys.argv[1]), 60), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", make, str(folder / "crowds")],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    truth, pred = map(Path, done.stdout.splitlines())
    return truth, pred


@pytest.mark.parametrize("side", ["trackeval", "motrics", "trackers", "motmetrics"])
def test_the_sides_of_tracking_agree(tmp_path: Path, side: str) -> None:
    if importlib.util.find_spec(side) is None:
        pytest.skip(f"{side} is not installed")
    folders = made_crowds(tmp_path)
    out = tmp_path / "numbers.json"
    run_side(side, "from_files", *folders, out, task="tracking")
    theirs = json.loads(out.read_text())
    metric = Tracking(protocol="mot20", metrics=["hota", "clear", "identity", "vace", "count"])
    for truth, pred in read_tracking(*folders, protocol="mot20").batches():
        metric.update(truth, pred)
    ours = metric.compute().metrics
    if side == "trackeval":
        shared = {name: ours[name] for name in theirs if name in ours}
        assert len(shared) == 46
        assert {name: theirs[name] for name in shared} == shared
        return
    # The others err somewhere, or have rules of their own, but it is the same data.
    for name in ("MOTA", "IDF1"):
        assert theirs[name] == pytest.approx(ours[name], abs=0, rel=0.05)
    if side == "motmetrics":  # which says neither how many matched nor how many there are
        assert theirs["GT_IDs"] == ours["GT_IDs"]
    else:
        assert theirs["CLR_TP"] + theirs["CLR_FN"] == ours["GT_Dets"]


@pytest.mark.parametrize("side", ["snellen", "trackeval"])
def test_the_phases_of_tracking(tmp_path: Path, side: str) -> None:
    folders = made_crowds(tmp_path)
    run_side(side, "phases", tmp_path / "phases", *folders, task="tracking")
    found = json.loads((tmp_path / "phases.json").read_text())
    phases = ["load", "similarity", "preprocessing", "HOTA", "CLEAR", "Identity", "VACE"]
    assert list(found) == phases
    assert all(seconds > 0 for seconds in found.values())


N_IMAGES = 1000  # 8 batches; the last one is smaller


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that sides of training read: bright squares, whose place is their class."""
    drawing = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    for part, n in (("train", N_IMAGES), ("test", 200)):
        labels = drawing.integers(0, 10, n)
        images = drawing.integers(0, 100, (n, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = 5 + 10 * (label // 5), 1 + 5 * (label % 5)
            image[row : row + 6, column : column + 4] += 100
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    orders = np.stack([drawing.permutation(N_IMAGES) for _ in range(2)])
    path = tmp_path_factory.mktemp("pictures") / "arrays.npz"
    shapes = (512, 784), (512,), (10, 512), (10,)
    weights = [drawing.uniform(-0.04, 0.04, shape).astype(np.float32) for shape in shapes]
    named = {f"weights_{k}": weight for k, weight in enumerate(weights)}
    np.savez(path, **arrays, **named, orders=orders, seed=0)
    return path


def trained_by(side: str, arrays: Path, out: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "training_run.py", side, "fc", str(arrays), str(out), "1"],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_the_sides_of_training_agree(tmp_path: Path, pictures: Path) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    sides = {
        side: trained_by(side, pictures, tmp_path / f"{side}.json")
        for side in ("bare", "bare_fused", "dataloader")
    }
    bare = sides["bare"]
    assert len(bare["losses"]) == 16  # both epochs'
    # With weights this small, outputs are about 0: every class is as likely.
    assert bare["losses"][0] == pytest.approx(np.log(10), abs=0.3)
    assert bare["losses"][-1] < 0.5 * bare["losses"][0]
    assert bare["accuracy"] > 0.8
    assert sides["dataloader"]["losses"] == bare["losses"]
    assert sides["dataloader"]["accuracy"] == bare["accuracy"]
    # Fused Adam rounds elsewhere.
    assert sides["bare_fused"]["losses"] == pytest.approx(bare["losses"], abs=1e-6)
    for found in sides.values():
        assert len(found["wall"]) == len(found["cpu"]) == 2
        assert all(seconds > 0 for seconds in found["wall"] + found["cpu"])


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of networks and images that sides of running networks are given."""
    for module in ("onnxruntime", "onnxscript", "torch"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("pretrained")
    done = subprocess.run(
        [sys.executable, "-m", "pretrained_sides.made", str(folder)],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def ran_by(side: str, *words: str | Path) -> tuple[dict[str, Any], list[float]]:
    """Return what a side gives to compare, and what it measures in a turn."""
    done = subprocess.run(
        [sys.executable, "pretrained_run.py", side, *map(str, words)],
        cwd=BENCHMARKS,
        input="0.01\n",
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    given, times = map(json.loads, done.stdout.splitlines())
    return given, times


@pytest.mark.parametrize(
    ("task", "network", "peer"),
    [
        ("resident", "onnx", "bare_onnxruntime"),
        ("resident", "torch", "bare_torch"),
        ("end_to_end", "cheap", "pillow_loop"),
    ],
)
def test_the_sides_of_running_networks_agree(
    pretrained: Path, task: str, network: str, peer: str
) -> None:
    words = task, network, "4", "1", pretrained
    (ours, our_times), (theirs, their_times) = (ran_by(side, *words) for side in ("snellen", peer))
    assert ours.keys() == theirs.keys()
    if "pixels" in theirs:
        assert ours == theirs
    else:
        assert np.shape(theirs["scores"]) == (2, 10)
        assert np.ptp(theirs["scores"], axis=0).min() > 1e-3  # of two images
        np.testing.assert_allclose(ours["scores"], theirs["scores"], rtol=0, atol=1e-5)
    for wall, cpu in (our_times, their_times):
        assert 0 < wall < 10
        assert 0 < cpu < 10
