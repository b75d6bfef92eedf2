"""Folders of label images as DAVIS has them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import set_threads
from snellen.errors import DataWarning, IdError, InputError, SchemaError, ShapeError
from snellen.readers.track_davis import find_davis, read_davis, read_davis_frames
from snellen.tracking.j_and_f import JAndF

FRAMES = np.zeros((3, 4, 5), np.uint8)
FRAMES[0, :2, :2] = 1
FRAMES[0, 2:, 3:] = 255
FRAMES[1, 1:3, :2] = 1
FRAMES[1, :, 4] = 7


def write(folder: Path, maps: Any, names: Any = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, values in enumerate(maps):
        image = Image.fromarray(values)
        image.putpalette(list(range(256)) * 3)
        image.save(folder / f"{names[i] if names else f'{i:05d}'}.png")
    return folder


def test_truth(tmp_path: Path) -> None:
    files = [str(path) for path in sorted(write(tmp_path / "bear", FRAMES).iterdir())]
    for n_threads in (1, 3):
        set_threads(n_threads)
        tracks = read_davis_frames(files, side="truth", sequence="bear")
        assert tracks.frame.tolist() == [0, 0, 1, 1]
        assert tracks.track.tolist() == [1, 255, 1, 7]
        assert tracks.region is not None
        assert tracks.region.tolist() == [0, 1, 0, 0]
        assert tracks.shape[:].areas().tolist() == [4, 4, 4, 4]  # type: ignore[attr-defined]  # masks
        assert tracks.n_frames.tolist() == [3]
        assert tracks.seen[:, 1].tolist() == [0, 1, 2]
    set_threads(None)


def test_255_of_a_prediction_is_an_id(tmp_path: Path) -> None:
    write(tmp_path / "a", FRAMES)
    ((truth, pred),) = read_davis(tmp_path / "a", tmp_path / "a")
    assert truth.region is not None
    assert truth.region.sum() == 1
    assert pred.region is None
    assert pred.track.tolist() == [1, 255, 1, 7]
    assert truth.sequences.ids.tolist() == pred.sequences.ids.tolist() == ["a"]


def test_sequences_by_folder(tmp_path: Path) -> None:
    for name in ("swan", "bear"):
        write(tmp_path / "truth/480p" / name, FRAMES)
        write(tmp_path / "pred" / name, FRAMES[:, ::-1])
    (tmp_path / "truth/480p/readme.txt").write_text("not an image")
    found = find_davis(tmp_path / "truth", tmp_path / "pred")
    assert [each.name for each in found] == ["bear", "swan"]
    assert [Path(path).name for path in found[0].pred] == ["00000.png", "00001.png", "00002.png"]
    metric = JAndF()
    for truth, pred in read_davis(tmp_path / "truth", tmp_path / "pred"):
        metric.update(truth, pred)
    result = metric.compute()
    assert result.data["n_objects"] == 4
    assert [record["sequence"] for record in result.per_sequence()] == ["bear", "swan"]


def test_sequences_of_one_name(tmp_path: Path) -> None:
    for part in ("train", "val"):
        write(tmp_path / part / "bear", FRAMES)
    found = find_davis(tmp_path, tmp_path)
    assert [each.name for each in found] == ["train/bear", "val/bear"]


def test_what_one_side_lacks(tmp_path: Path) -> None:
    write(tmp_path / "truth/bear", FRAMES)
    write(tmp_path / "truth/swan", FRAMES)
    write(tmp_path / "pred/bear", FRAMES)
    write(tmp_path / "pred/camel", FRAMES)
    with pytest.raises(IdError, match=r"each of 2 sequences, none of 1: swan - at .*pred"):
        find_davis(tmp_path / "truth", tmp_path / "pred")
    write(tmp_path / "pred/swan", FRAMES[:2])
    with (
        pytest.raises(IdError, match="1 are not in pred: 00002 - at sequence swan"),
        pytest.warns(DataWarning, match="1 sequences without truth are left out: camel"),
    ):
        find_davis(tmp_path / "truth", tmp_path / "pred")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(tmp_path / "pred/swan", FRAMES, ["00000", "00001", "2"])
        with pytest.raises(IdError, match="1 are not in pred: 00002"):
            find_davis(tmp_path / "truth", tmp_path / "pred")
        write(tmp_path / "pred/swan", FRAMES[:1], ["00002"])
        with pytest.raises(IdError, match="1 are not in truth: 2"):
            find_davis(tmp_path / "truth", tmp_path / "pred")


def test_files_that_will_not_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="readable folder"):
        find_davis(tmp_path / "absent", tmp_path)
    with pytest.raises(InputError, match="there are none"):
        find_davis(tmp_path, tmp_path)
    folder = write(tmp_path / "a", FRAMES)
    (folder / "00001.bmp").write_bytes(b"")
    with pytest.raises(IdError, match="one file a frame"):
        find_davis(folder, folder)
    colours = tmp_path / "colours.png"
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(colours)
    with pytest.raises(SchemaError, match=r"got colours: .* - at .*colours\.png"):
        read_davis_frames([str(colours)], side="pred", sequence="a")
    small = tmp_path / "small.png"
    Image.fromarray(FRAMES[0, :3]).save(small)
    with pytest.raises(ShapeError, match=r"4 × 5 pixels as in .*, got 3 × 5 - at .*small\.png"):
        read_davis_frames([str(folder / "00000.png"), str(small)], side="pred", sequence="a")
    with pytest.raises(InputError, match="at least one frame"):
        read_davis_frames([], side="pred", sequence="a")
    with pytest.raises(InputError, match="at most 10 pixels"):
        read_davis_frames([str(small)], side="pred", sequence="a", max_pixels=10)
