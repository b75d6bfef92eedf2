"""Label images that cannot be evaluated: one clear line, exit code 1, nothing written."""

from __future__ import annotations

import functools
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from snellen.cli.root import run as command_line

from .conftest import Run

SIZE = (40, 60)
COLOURS = np.array([[128, 64, 128], [0, 0, 142], [70, 130, 180]], np.uint8)


def ids(k: int, n: int = 3) -> Any:
    """Return a map of blocks of the ids 0 … n - 1, another one for each k."""
    blocks = np.arange(24).reshape(4, 6) * (k + 1) % n
    return np.kron(blocks, np.ones((10, 10), np.int64)).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with t/ and p/, three images each, and lists of classes."""
    for side in ("t", "p"):
        save(tmp_path / side, *map(ids, range(3)))
    (tmp_path / "names.txt").write_text("road\ncar\nsky\n")
    described = [
        {"id": k, "name": name, "color": COLOURS[k].tolist()}
        for k, name in enumerate(("road", "car", "sky"))
    ]
    (tmp_path / "classes.json").write_text(json.dumps(described))
    # A list that says what is void, and that is not 255.
    void = {"id": 99, "name": "void", "ignore": True}
    (tmp_path / "with-void.json").write_text(json.dumps([*described, void]))
    return tmp_path


def save(folder: Path, *maps: Any, name: str = "{}.png") -> None:
    """Write maps as 0.png, 1.png, …"""
    folder.mkdir(parents=True, exist_ok=True)
    for k, values in enumerate(maps):
        Image.fromarray(values).save(folder / name.format(k))


def refused(
    capsys: pytest.CaptureFixture[str], home: Path, *arguments: str | Path, task: str
) -> str:
    """Evaluate in this process; return the one line that says why that is impossible."""
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    options = () if "--out" in arguments else ("--out", home / "out")
    code = command_line(["evaluate", task, *map(str, arguments), *map(str, options)])
    out, err = capsys.readouterr()
    assert (code, out) == (1, ""), err
    assert err.startswith("snellen: error: "), err
    assert err.count("\n") == 1, err
    assert len(err) < 1000
    assert "Traceback" not in err
    assert "our mistake" not in err
    assert before == {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    return err.removeprefix("snellen: error: ").rstrip("\n")


# --- what happens to p/ -------------------------------------------------------------------------


def change_all(change: Callable[[Any], Any], p: Path) -> None:
    save(p, *(change(ids(k)) for k in range(3)))


def smaller(p: Path) -> None:
    save(p, ids(0), ids(1)[:, :50])


def enlarged_with_interpolation(p: Path) -> None:
    """Ids 0, 40, 80 as an editor enlarges them: every mixture comes, too."""
    for k in range(3):
        small = Image.fromarray(ids(k) * np.uint8(40)).resize((120, 80))
        small.resize((240, 160), Image.Resampling.BILINEAR).save(p / f"{k}.png")
        Image.fromarray(ids(k).repeat(4, 0).repeat(4, 1)).save(p.parent / f"t/{k}.png")


def with_unknown_colour(p: Path) -> None:
    pictures = [COLOURS[ids(k)] for k in range(3)]
    pictures[1][:2, :3] = (1, 2, 3)
    save(p, *pictures)


def jpeg(p: Path, *, ending: str) -> None:
    for path in p.iterdir():
        with Image.open(path) as image:
            path.unlink()
            image.save(path.with_suffix(ending), format="JPEG")


def cut_off(p: Path) -> None:
    (p / "1.png").write_bytes((p / "1.png").read_bytes()[:-40])


def flipped_bit(p: Path) -> None:
    data = bytearray((p / "1.png").read_bytes())
    data[data.index(b"IDAT") + 9] ^= 1
    (p / "1.png").write_bytes(data)


def emptied(p: Path) -> None:
    (p / "1.png").write_bytes(b"")


def text_named_png(p: Path) -> None:
    (p / "1.png").write_text("<html>404</html>")


def chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def bomb(p: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    (p / "1.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def one_is_a_picture(p: Path) -> None:
    save(p, ids(0), COLOURS[ids(1)])


def transparent(p: Path) -> None:
    alpha = np.full((*SIZE, 1), 255, np.uint8)
    alpha[0, :7] = 0
    save(p, *(np.dstack([COLOURS[ids(k)], alpha]) for k in range(3)))


def as_npy(p: Path, dtype: Any) -> None:
    for k in range(3):
        (p / f"{k}.png").unlink()
        np.save(p / f"{k}.npy", ids(k).astype(dtype))


def renamed(p: Path) -> None:
    for path in p.iterdir():
        path.rename(path.with_stem(f"x{path.stem}y"))


def one_less(p: Path) -> None:
    (p / "2.png").rename(p / "9.png")


def twice(p: Path) -> None:
    Image.fromarray(ids(2)).save(p / "2.tif")


def without_files(p: Path) -> None:
    for path in p.iterdir():
        path.unlink()


class Bad(NamedTuple):
    change: Callable[[Path], None]
    says: tuple[str, ...]
    options: tuple[str, ...] = ()


BAD = {
    "size": Bad(
        smaller,
        ("one size, got 60 × 40 in {t}/1.png and 50 × 40: resize the prediction", "at {p}/1.png"),
    ),
    "unknown id": Bad(
        functools.partial(change_all, lambda m: np.where(m == 2, 7, m).astype(np.uint8)),
        # Of each map's 24 blocks of 100 pixels a third is sky, and of the third map all are road.
        ("expected ids (0 to 2, 255), got 7 (1,600 pixels): add them to the classes, or take",
         "--unknown ignore - at predictions, first in {p}/0.png"),
    ),
    "ids from 1": Bad(
        functools.partial(change_all, lambda m: m + np.uint8(1)),
        ("got 3 (1,600 pixels): do ids begin at 1? Then see --reduce-zero-label",),
    ),
    "void": Bad(
        functools.partial(change_all, lambda m: np.where(m == 2, 255, m).astype(np.uint8)),
        ("255 (1,600 pixels)", "leave it out with --ignore-index=255 - at"),
        ("--classes", "with-void.json"),
    ),
    "mask of 0 and 255": Bad(
        functools.partial(change_all, lambda m: np.where(m > 0, 255, 0).astype(np.uint8)),
        ("got 0 and 255 alone, and 255 is void: of masks give a class file with these ids",
         "if 255 is void, say --ignore-index=255"),
    ),
    "interpolated": Bad(
        enlarged_with_interpolation,
        ("expected ids (0 to 2, 255)", "different ones): many values of few pixels each",
         "resized with interpolation", "resize with nearest"),
    ),
    "colours without a table": Bad(
        functools.partial(change_all, lambda m: COLOURS[m]),
        ("expected ids, got colours (such as (128, 64, 128)", "names.txt has no table of colours",
         "give a class file in which each class has its color", "such as {p}/0.png"),
        ("--classes", "names.txt"),
    ),
    "gray as RGB": Bad(
        functools.partial(change_all, lambda m: np.dstack([m, m, m])),
        ("expected one channel of ids", "three equal ones", "store ids as a gray image"),
    ),
    "unknown colour": Bad(
        with_unknown_colour,
        ("got (1, 2, 3) (6 pixels): add them to a class file", "first in {p}/1.png"),
    ),
    "JPEG": Bad(
        functools.partial(jpeg, ending=".jpg"),
        ("got none among 3 files: JPEG changes the values of pixels, store labels as PNG",),
    ),
    "JPEG named PNG": Bad(
        functools.partial(jpeg, ending=".png"),
        ("expected a lossless label image, got JPEG", "save label images as PNG - at {p}/0.png"),
    ),
    "cut off": Bad(cut_off, ("expected a whole PNG file", "cut off", "at {p}/1.png byte ")),
    "corrupt": Bad(flipped_bit, ("chunk IDAT whose checksum is wrong", "at {p}/1.png byte 33")),
    "zero bytes": Bad(emptied, ("got an empty file - at {p}/1.png",)),
    "no image": Bad(text_named_png, ("expected a label image (PNG, TIFF", "at {p}/1.png")),
    "bomb": Bad(
        bomb,
        ("at most 178,956,970 pixels, got 60,000 × 60,000: where that is meant, raise "
         "--max-pixels - at {p}/1.png",),
    ),
    "two kinds": Bad(
        one_is_a_picture,
        ("expected files of one kind on a side, got ids in {p}/0.png and colours", "{p}/1.png"),
    ),
    "transparent": Bad(transparent, ("7 pixels that are not opaque: save it without alpha",)),
    "scaled to 16 bits": Bad(
        functools.partial(change_all, lambda m: m * np.uint16(257)),
        ("got 257 (1,600 pixels), 514",
         "multiples of 257, as of 8-bit ids scaled to 16 bits: divide by 257"),
    ),
    "bytes swapped": Bad(
        functools.partial(change_all, lambda m: m * np.uint16(256)),
        ("multiples of 256", "divide by 256"),
    ),
    "floats": Bad(
        functools.partial(as_npy, dtype=np.float32),
        ("expected integers, height × width", "got float32 of shape (40, 60): save class ids"),
    ),
    "negative": Bad(lambda p: as_npy_less(p), ("got -1 (",)),
    "no common name": Bad(
        renamed, ("names in common, got none: truth has 0, predictions have x0y", "{t} and {p}")
    ),
    "other images": Bad(
        one_less,
        ("1 label image has no prediction (2) and 1 prediction belongs to no label image (9): "
         "leave them out with --missing ignore",),
    ),
    "two files of an image": Bad(
        twice,
        ('got {p}/2.png and {p}/2.tif, which are both of "2": take one away, or name pairs',),
    ),
    "empty folder": Bad(without_files, ("expected label images (", "none among 0 files - at {p}")),
}  # fmt: skip


def as_npy_less(p: Path) -> None:
    as_npy(p, np.int64)
    np.save(p / "1.npy", ids(1).astype(np.int64) - 1)


@pytest.mark.parametrize("name", BAD)
def test_bad_predictions(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    name: str,
) -> None:
    monkeypatch.chdir(home)
    bad = BAD[name]
    bad.change(home / "p")
    options = bad.options or ("--classes", "classes.json")
    for task in ("segmentation", "boundary"):
        message = refused(capsys, home, "t", "p", *options, task=task)
        for text in bad.says:
            assert text.format(t="t", p="p") in message


@pytest.mark.parametrize(
    "name", ["size", "unknown id", "zero bytes", "cut off", "mask of 0 and 255", "floats"]
)
def test_bad_truth(capsys: pytest.CaptureFixture[str], home: Path, name: str) -> None:
    BAD[name].change(home / "t")
    message = refused(
        *(capsys, home, home / "t", home / "p", "--classes", home / "classes.json"),
        task="segmentation",
    )
    assert str(home / "t") in message
    if name == "unknown id":
        assert " - at truth, first in " in message


def test_no_image_is_too_large_where_that_is_meant(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    arguments = (home / "t", home / "p", "--classes", home / "classes.json", "--max-pixels")
    for task in ("segmentation", "boundary"):
        message = refused(capsys, home, *arguments, 40 * 60 - 1, task=task)
        assert "expected at most 2,399 pixels, got 60 × 40" in message
        assert command_line(["evaluate", task, *map(str, arguments), "2400", "--quiet"]) == 0


def test_places_that_are_not_what_they_should_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.chdir(home)
    (home / "list.txt").write_text("t/0.png\tp/0.png\nt/1.png\tp/7.png\n")
    (home / "spaces.txt").write_text("t/0.png p/0.png\n")
    (home / "twice.txt").write_text("t/0.png,p/0.png\nt/0.png,p/1.png\n")
    (home / "nothing.txt").write_text("\n")
    (home / "bad.json").write_text('[{"id": "x", "name": "road"}]')
    (home / "same.json").write_text('[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]')
    (home / "empty.txt").write_text("")
    classes = ("--classes", "classes.json")
    city = ("--classes", "cityscapes")
    for arguments, says in (
        (("t", "absent", *classes), "expected a file or a folder, there is none - at absent"),
        (("t/0.png", "p", *classes), "got the file t/0.png and the folder p"),
        (("t", "p/0.png", *classes), "got the file p/0.png and the folder t"),
        (("t", *classes), "expected predictions beside a folder of label images, got none"),
        (("t/0.png", *classes), "expected a prediction beside a label image, got none"),
        (("absent.txt", *classes), "No such file or directory - at absent.txt"),
        (("list.txt", *classes), "expected a file, there is no p/7.png - at list.txt line 2"),
        (("spaces.txt", *classes), 'got "t/0.png p/0.png" - at spaces.txt line 1'),
        (("twice.txt", *classes), "got t/0.png again - at twice.txt line 2"),
        (("nothing.txt", *classes), "expected pairs of files, got none - at nothing.txt"),
        (("t", "p", "--classes", "absent.txt"), "or a file of classes, got neither"),
        (("t", "p", "--classes", "cityscape"), 'Did you mean "cityscapes"?'),
        (("t", "p", "--classes", "VOC"), 'Did you mean "voc"?'),
        (("t", "p", "--classes", "t"), "at t"),
        (("t", "p", "--classes", "t/0.png"), "at t/0.png"),
        (("t", "p", "--classes", "bad.json"), "bad.json"),
        (("t", "p", "--classes", "same.json"), "same.json"),
        (("t", "p", "--classes", "empty.txt"), "empty.txt"),
        (("t", "p", *city, "--truth-encoding", "labelids"),
         'Did you mean "labelIds"? - at --truth-encoding'),
        (("t", "p", *city, "--prediction-encoding", "ids"),
         'cityscapes (trainIds, labelIds, instanceIds, colours), got "ids" - at '
         "--prediction-encoding"),
        (("t", "p", *classes, "--truth-encoding", "colours"),
         "expected colours (encoding colours), got ids: name another encoding"),
        (("t", "p", *classes, "--out", "t/0.png/out"), "t/0.png"),
        (("t", "p", *classes, "--json", "absent/x.json"), "absent"),
    ):  # fmt: skip
        for task in ("segmentation", "boundary"):
            assert says in refused(capsys, home, *arguments, task=task)


def test_instance_ids_where_label_ids_are_wanted(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    instances = ids(1).astype(np.uint16) + 24_000
    save(home / "city", instances)
    save(home / "labels", np.full(SIZE, 24, np.uint8))
    arguments = (home / "city", home / "labels", "--classes", "cityscapes")
    message = refused(capsys, home, *arguments, task="segmentation")
    assert "truth is probably instanceIds (1000 × id + number); give labelIds, or say" in message
    assert "--truth-encoding" in message
    # That it is so has been said: they are read as what they are.
    done = ["evaluate", "segmentation", *map(str, arguments), "--truth-encoding", "instanceIds"]
    assert command_line([*done, "--quiet", "--fail-under", "mIoU=1"]) == 0
    other = (home / "labels", home / "city", "--classes", "cityscapes")
    assert "predictions are probably instanceIds" in refused(capsys, home, *other, task="boundary")


def test_a_process_of_its_own_says_the_same(run: Run, home: Path) -> None:
    emptied(home / "p")
    for task in ("segmentation", "boundary"):
        done = run(
            *("evaluate", task, home / "t", home / "p", "--classes", home / "names.txt"),
            *("--out", home / "out", "--threads", "2"),
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"snellen: error: expected a label image, got an empty file - at {home / 'p/1.png'}\n"
        )
        assert not (home / "out").exists()
        usage = run("evaluate", task, home / "t", home / "p")
        assert usage.returncode == 2
        assert "Missing option '--classes'" in usage.stderr
