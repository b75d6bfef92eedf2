"""Text of tracks is read as TrackEval reads it, to the bit."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.readers.track_text import TextTracks, mot_tracks, read_track_columns

datasets = pytest.importorskip("trackeval.datasets")

N_FRAMES = 40
DIALECTS = {
    "plain": (",", "\n", ""),
    "blanks after commas": (", ", "\r\n", ""),
    "a comma at the end": (",", "\n", ","),
    "semicolons": (";", "\n", ""),
    "tabs": ("\t", "\n", ""),
    "blanks": (" ", "\n", ""),
    "runs of blanks": ("   ", "\r\n", "  "),
}


def number(random: np.random.Generator, low: float, high: float) -> str:
    """Write a number in one of the ways that trackers do."""
    value = random.uniform(low, high)
    way = random.integers(8)
    if way == 0:
        return str(int(value))
    if way == 1:
        return repr(float(value))
    if way == 2:
        return f"{value:.18e}"
    if way == 3:
        return f"{np.float32(value):.9g}"
    if way == 4:
        return f"{value:.25f}"
    if way == 5:
        return f"{int(value)}."
    return f"{value:.{random.integers(1, 8)}f}"


def text_of(
    random: np.random.Generator, dialect: tuple[str, str, str], n_columns: int, *, whole: bool
) -> str:
    """Write rows in any order; whole numbers with a fraction unless `whole`."""
    delimiter, line_end, tail = dialect
    lines = []
    for frame in range(1, N_FRAMES + 1):
        for track in random.permutation(12)[: random.integers(0, 12)]:
            cells = [str(frame), str(int(track) * 10**7)]
            if not whole:
                cells = [cell + random.choice(["", ".0", ".", "e0"]) for cell in cells]
            cells += [number(random, *bounds) for bounds in ((-9, 2000),) * 2 + ((0, 500),) * 2]
            cells.append(random.choice(["1", "0", "-1", "0.5", "0.987654321012345678"]))
            cells.append(random.choice(["1", "7", "-1", "1.9", "12"]))
            cells += [number(random, 0, 1) for _ in range(8, 10)]
            lines.append(delimiter.join(cells[:n_columns]) + tail)
    return line_end.join(random.permutation(lines).tolist()) + line_end


class Benchmark:
    """A folder that TrackEval takes, and its loader."""

    def __init__(self, folder: Path, gt: str, pred: str) -> None:
        self.gt = folder / "gt/MOT17-train/S/gt/gt.txt"
        self.pred = folder / "trackers/MOT17-train/T/data/S.txt"
        for path, text in ((self.gt, gt), (self.pred, pred)):
            path.parent.mkdir(parents=True)
            path.write_bytes(text.encode())
        self.loader = datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(folder / "gt"),
                "TRACKERS_FOLDER": str(folder / "trackers"),
                "SEQ_INFO": {"S": N_FRAMES},
                "PRINT_CONFIG": False,
            }
        )

    def raw(self, *, is_gt: bool) -> Any:
        return self.loader._load_raw_file("T", "S", is_gt)


def stacked(frames: list[Any], width: int | None = None) -> Any:
    shape = (0,) if width is None else (0, width)
    return np.concatenate([np.zeros(shape), *frames])


def same(got: Any, wanted: Any) -> bool:
    """Whether floats are equal to the bit."""
    got = np.asarray(got, np.float64)
    return got.shape == wanted.shape and got.tobytes() == wanted.astype(np.float64).tobytes()


def check(columns: TextTracks, raw: Any, side: str) -> None:
    bounds = np.searchsorted(columns.frame, np.arange(1, N_FRAMES + 2))
    assert np.diff(bounds).tolist() == [len(ids) for ids in raw[f"{side}_ids"]]
    assert columns.track.tolist() == stacked(raw[f"{side}_ids"]).tolist()
    assert same(columns.xywh, stacked(raw[f"{side}_dets"], 4))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dialect", DIALECTS)
def test_columns(tmp_path: Path, dialect: str, seed: int) -> None:
    random = np.random.default_rng([seed, len(dialect)])
    texts = [
        text_of(random, DIALECTS[dialect], n, whole=seed % 2 == 0)
        for n in (9, int(random.choice([7, 8, 10])))
    ]
    benchmark = Benchmark(tmp_path, *texts)
    raw = benchmark.raw(is_gt=True)
    columns = read_track_columns(benchmark.gt, is_truth=True, n_frames=N_FRAMES)
    check(columns, raw, "gt")
    assert columns.class_id is not None
    assert columns.class_id.tolist() == stacked(raw["gt_classes"]).tolist()
    tracks = mot_tracks(columns, "S", classes={k: str(k) for k in (1, 7, -1, 12)})
    assert tracks.counted is not None
    marked = stacked([frame["zero_marked"] for frame in raw["gt_extras"]])
    assert tracks.counted.tolist() == (marked != 0).tolist()

    raw = benchmark.raw(is_gt=False)
    columns = read_track_columns(benchmark.pred, is_truth=False, n_frames=N_FRAMES)
    check(columns, raw, "tracker")
    assert same(columns.mark, stacked(raw["tracker_confidences"]))
    if columns.n_columns >= 8:
        assert columns.class_id is not None
        assert columns.class_id.tolist() == stacked(raw["tracker_classes"]).tolist()


def test_all_columns_as_text(tmp_path: Path) -> None:
    # What the loader of all of TrackEval's text formats returns: cells by frame.
    random = np.random.default_rng(11)
    path = tmp_path / "a.txt"
    path.write_bytes(text_of(random, DIALECTS["plain"], 9, whole=False).encode())
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "a.txt")
    load = datasets.MotChallenge2DBox._load_simple_text_file
    plain, _ = load(str(path))
    zipped, _ = load("a.txt", is_zipped=True, zip_file=str(archive))
    wanted = [row for frame in sorted(plain, key=int) for row in plain[frame]]
    assert zipped == plain
    cells = np.array([[float(cell) for cell in row] for row in wanted])
    for source in (path, (archive, "a.txt")):
        columns = read_track_columns(source, is_truth=True)
        assert same(columns.frame, cells[:, 0])
        assert same(columns.track, cells[:, 1])
        assert same(columns.xywh, cells[:, 2:6])
        assert same(columns.mark, cells[:, 6])
        assert same(columns.class_id, np.trunc(cells[:, 7]))
        assert same(columns.visibility, cells[:, 8])


@pytest.mark.parametrize("row", ["0,1,2,3,4,5,1,1,1", f"{N_FRAMES + 1},1,2,3,4,5,1,1,1"])
def test_frames_that_both_refuse(tmp_path: Path, row: str) -> None:
    benchmark = Benchmark(tmp_path, row, row)
    with pytest.raises(Exception, match="invalid timesteps"):
        benchmark.raw(is_gt=True)
    with pytest.raises(ValueError, match="expected frames from 1"):
        read_track_columns(benchmark.gt, is_truth=True, n_frames=N_FRAMES)
