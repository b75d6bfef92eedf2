"""Every file of real tracks is found, and read as NumPy reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen.readers.track_folders import find_sequences
from snellen.readers.track_text import read_track_columns

# What is there, and how many sequences each tracker has.
TRACKERS = [
    ("mot17val", "exp1_06f3054", 7),
    ("mot17val", "test1_inter_results_06f3054", 7),
    ("mot20", None, 1),
    ("dance", None, 2),
    ("tud", None, 2),
    ("ties", None, 1),
]


@pytest.mark.parametrize(("name", "tracker", "n"), TRACKERS)
def test_all_files(conformance_data: Path, name: str, tracker: str | None, n: int) -> None:
    folder = conformance_data / "tracking" / name
    found = find_sequences(folder / "gt", folder / "trackers", tracker=tracker)
    assert len(found.sequences) == n
    for sequence in found.sequences:
        assert sequence.n_frames is not None
        for source, is_truth in ((sequence.truth, True), (sequence.pred, False)):
            assert isinstance(source, str)
            columns = read_track_columns(source, is_truth=is_truth, n_frames=sequence.n_frames)
            wanted = np.loadtxt(source, delimiter=",", ndmin=2)
            wanted = wanted[np.argsort(wanted[:, 0], kind="stable")]
            assert columns.n_columns == wanted.shape[1]
            assert columns.frame.tolist() == wanted[:, 0].tolist()
            assert columns.track.tolist() == wanted[:, 1].tolist()
            assert columns.xywh.tobytes() == wanted[:, 2:6].tobytes()
            assert columns.mark is not None
            assert columns.mark.tolist() == wanted[:, 6].tolist()
            assert columns.class_id is not None
            assert columns.class_id.tolist() == np.trunc(wanted[:, 7]).tolist()


def test_other_formats_lie_in_the_same_folders(conformance_data: Path) -> None:
    kitti = conformance_data / "tracking" / "kitti"
    found = find_sequences(kitti / "gt", kitti / "trackers")
    # The fourth column of the seqmap.
    assert {each.name: each.n_frames for each in found.sequences} == {
        "0000": 154,
        "0002": 233,
        "0003": 144,
        "0005": 297,
        "0010": 294,
        "0012": 78,
        "0014": 106,
        "0018": 339,
    }
    mots = conformance_data / "tracking" / "mots"
    (sequence,) = find_sequences(mots / "gt", mots / "trackers").sequences
    assert (sequence.name, sequence.n_frames) == ("MOTS20-05", 60)
