"""J and F are those of TrackEval 1.3.0 to the last bit, of each sequence and over all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.rle_masks import RleMasks
from snellen.tracking.j_and_f import JAndF
from snellen.tracking.tracks import Tracks

mask_api = pytest.importorskip("pycocotools.mask")
metrics = pytest.importorskip("trackeval.metrics")
pytest.importorskip("skimage")
pytest.importorskip("cv2")
# Of pycocotools 2.0.11 under NumPy 2, and of quarters and objects that are none.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),
]

NAMES = {
    "J-Mean": "J_mean",
    "J-Recall": "J_recall",
    "J-Decay": "J_decay",
    "F-Mean": "F_mean",
    "F-Recall": "F_recall",
    "F-Decay": "F_decay",
    "J&F": "J_and_F",
}


def side_of(name: str, masks: list[tuple[int, int, Any]], n_frames: int) -> dict[str, Any]:
    """Return one side of what TrackEval takes, of (frame, track, mask) triples."""
    tracks = sorted({track for _, track, _ in masks})
    ids: list[Any] = [[] for _ in range(n_frames)]
    dets: list[Any] = [[] for _ in range(n_frames)]
    for frame, track, mask in masks:
        ids[frame].append(tracks.index(track))
        dets[frame].append(mask_api.encode(np.asfortranarray(mask)))
    return {
        f"num_{name}_ids": len(tracks),
        f"{name}_ids": [np.array(each, int) for each in ids],
        f"{name}_dets": dets,
    }


def theirs(truth: Any, pred: Any, n_frames: int) -> dict[str, Any]:
    data = {"num_timesteps": n_frames, **side_of("gt", truth, n_frames)}
    result: dict[str, Any] = metrics.JAndF().eval_sequence(
        {**data, **side_of("tracker", pred, n_frames)}
    )
    return result


def tracks_of(masks: list[tuple[int, int, Any]], size: Any, n_frames: int, name: str) -> Tracks:
    pixels = np.array([mask for *_, mask in masks], np.uint8).reshape(-1, *size)
    return Tracks.from_masks(
        RleMasks.from_arrays(pixels),
        track_id=[track for _, track, _ in masks],
        frame=[frame for frame, *_ in masks],
        sequence=name,
        n_frames={name: n_frames},
        frames=np.arange(n_frames),
    )


def drawn(random: Any, size: Any, n_frames: int, n_tracks: int, overlapping: bool) -> Any:
    """Return masks of blobs that move, come and go; some rows of no pixels."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    taken = np.zeros((n_frames, height, width), bool)
    found = []
    for track in random.permutation(40)[:n_tracks].tolist():
        y, x, radius = random.random() * height, random.random() * width, 1 + random.random() * 9
        for frame in range(n_frames):
            if random.random() < 0.25:
                continue
            y, x = y + random.normal(), x + random.normal()
            blob = (rows - y) ** 2 + (columns - x) ** 2 / 2 <= radius**2
            blob[random.random(blob.shape) < 0.03] ^= True
            if not overlapping:
                blob &= ~taken[frame]
                taken[frame] |= blob
            found.append((frame, track, blob))
    return found


def moved(random: Any, masks: Any) -> Any:
    """Return a prediction of masks: other ids, shifted, some switched, some lost."""
    ids = random.permutation(100)
    shift = random.integers(-2, 3, 2)
    found = {}
    for frame, track, mask in masks:
        given = int(ids[(track + (random.random() < 0.1)) % 100])
        if random.random() < 0.9:
            found[frame, given] = np.roll(mask, shift, (0, 1))
    return [(frame, track, mask) for (frame, track), mask in found.items()]


def compared(truth: Any, pred: Any, size: Any, n_frames: int, name: str, metric: JAndF) -> Any:
    """Compare a sequence with TrackEval's numbers, which are returned; add it to a metric."""
    wanted = theirs(truth, pred, n_frames)
    sides = [tracks_of(masks, size, n_frames, name) for masks in (truth, pred)]
    (ours,) = JAndF().update(*sides).compute().per_sequence()
    for their_name, our_name in NAMES.items():
        assert ours[our_name] == wanted[their_name], our_name
    assert ours["n_objects"] == wanted["num_gt_tracks"]
    metric.update(*sides)
    return wanted


@pytest.mark.parametrize("overlapping", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_blobs(seed: int, overlapping: bool) -> None:
    random = np.random.default_rng([seed, overlapping])
    metric, wanted = JAndF(), {}
    for k in range(3):
        size = tuple(random.integers(4, 70, 2).tolist())
        n_frames = int(random.integers(1, 14))
        truth = drawn(random, size, n_frames, int(random.integers(1, 10)), overlapping)
        pred = moved(random, truth)
        if k == 1:  # nothing to do with truth: many more, or fewer
            pred = drawn(random, size, n_frames, int(random.integers(0, 14)), overlapping)
        if not truth:
            continue
        name = f"sequence {k}"
        wanted[name] = compared(truth, pred, size, n_frames, name, metric)
    whole = metrics.JAndF().combine_sequences(wanted)
    result = metric.compute()
    for their_name, our_name in NAMES.items():
        assert result.metrics[our_name] == whole[their_name], our_name


def test_ties() -> None:
    """Copies of one mask: which track an object is given is the solver's choice."""
    random = np.random.default_rng(3)
    for n_truth, n_pred in ((3, 3), (4, 2), (2, 6), (5, 5)):
        blobs = [random.random((6, 7)) < 0.5 for _ in range(2)]
        sides = [
            [
                (frame, track, blobs[int(random.integers(2))])
                for frame in range(5)
                for track in range(n)
                if random.random() < 0.8
            ]
            for n in (n_truth, n_pred)
        ]
        compared(*sides, (6, 7), 5, "a", JAndF())


def test_predictions_of_nothing() -> None:
    random = np.random.default_rng(5)
    truth = drawn(random, (20, 30), 6, 4, overlapping=False)
    compared(truth, [], (20, 30), 6, "a", JAndF())
    empty = [(frame, 1, np.zeros((20, 30), bool)) for frame in range(6)]
    compared(truth, empty, (20, 30), 6, "a", JAndF())


def test_up_to_255_frames_and_beyond() -> None:
    random = np.random.default_rng(6)
    for n_frames in (254, 255, 256, 300):
        truth = drawn(random, (5, 6), n_frames, 2, overlapping=False)
        pred = moved(random, truth)
        wanted = theirs(truth, pred, n_frames)
        sides = [tracks_of(masks, (5, 6), n_frames, "a") for masks in (truth, pred)]
        (ours,) = JAndF().update(*sides).compute().per_sequence()
        differing = [name for theirs_, name in NAMES.items() if ours[name] != wanted[theirs_]]
        # Edges in 8 bits; see the notes of JAndF.
        assert differing == ([] if n_frames <= 255 else ["J_decay", "F_decay"])
