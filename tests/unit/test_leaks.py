"""Leaks: small sets worked by hand, and pictures in other clothes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen.errors import DataWarning, IdError, InputError, ShapeError
from snellen.splits.contact_sheet import draw_contact_sheet
from snellen.splits.leaks import DuplicatePair, LeakReport, Overlap, find_duplicates

from .test_image_hash import scene


def hashes(*first_words: int) -> np.ndarray[Any, Any]:
    """Return hashes that differ in their first word alone."""
    return np.array([[word, 0, 0, 0] for word in first_words], np.uint64)


FAR = 2**40 - 1  # 40 bits


# a and b are 2 bits apart, b and c 2, a and c 4; d is far from all.
CHAIN = (hashes(0, 0b11, 0b1111, FAR), ["train", "test", "val", "test"], ["a", "b", "c", "d"])


def chain(distance: int) -> LeakReport:
    return find_duplicates(CHAIN[0], CHAIN[1], key=CHAIN[2], distance=distance)


def test_worked_by_hand() -> None:
    report = chain(2)
    assert report.parts == ("test", "train", "val")
    assert report.pairs == (
        DuplicatePair("a", "train", "b", "test", 2, False),
        DuplicatePair("b", "test", "c", "val", 2, False),
    )
    assert report.pairs_within == ()
    # a and c hang together by b.
    assert report.groups() == [("a", "b", "c")]
    assert report.group.tolist() == [0, 0, 0, 3]
    assert report.n_near_pairs == report.n_near_pairs_across == 2
    # b alone of the two test images has a duplicate, in each of the other parts.
    assert set(report.overlaps) == {
        Overlap("train", "test", 1, 0, 1),
        Overlap("val", "test", 1, 0, 1),
        Overlap("test", "train", 2, 0, 1),
        Overlap("test", "val", 2, 0, 1),
        Overlap("train", "val", 1, 0, 0),
        Overlap("val", "train", 1, 0, 0),
    }
    assert [overlap.share for overlap in report.overlaps] == [1, 1, 0.5, 0.5, 0, 0]
    assert report.leaks


def test_the_distance_decides() -> None:
    assert not chain(1).pairs
    assert not chain(1).leaks
    assert chain(1).groups() == []
    assert [(pair.key, pair.other) for pair in chain(4).pairs] == [
        ("a", "b"),
        ("b", "c"),
        ("a", "c"),
    ]


def test_every_leaking_image_is_named() -> None:
    # Three train images near one test image: its own nearest is the first of them, and each of
    # them names it.
    report = find_duplicates(
        hashes(0, 1, 2, 0), ["train", "train", "train", "test"], key=["a", "b", "c", "z"]
    )
    assert [(pair.key, pair.other, pair.distance) for pair in report.pairs] == [
        ("a", "z", 0),
        ("b", "z", 1),
        ("c", "z", 1),
    ]
    assert [(p.key, p.other, p.distance) for p in report.pairs_within] == [
        ("a", "b", 1),
        ("a", "c", 1),
    ]


def test_the_order_of_images_changes_nothing() -> None:
    random = np.random.default_rng(0)
    words = random.integers(0, 2**12, 300, np.uint64)
    parts = random.choice(["train", "val", "test"], 300)
    keys = [f"{row:03d}" for row in range(300)]
    want = find_duplicates(hashes(*words.tolist()), parts, key=keys, distance=1).to_dict()
    assert len(want["pairs"]) > 50
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(300)
        shuffled = find_duplicates(
            hashes(*words[order].tolist()), parts[order], key=[keys[i] for i in order], distance=1
        )
        assert shuffled.to_dict() == want


def test_names_by_default() -> None:
    report = find_duplicates(hashes(*[FAR] * 11))
    assert report.key[:2] == ("00", "01")
    assert report.parts == ("all",)
    assert report.overlaps == ()
    assert report.worst_pairs == report.pairs_within
    assert not report.leaks


def test_nothing() -> None:
    report = find_duplicates(hashes().reshape(0, 4))
    assert (report.key, report.pairs, report.groups(), report.n_near_pairs) == ((), (), [], 0)
    assert "0 images" in str(report)
    assert report.groups_csv() == "key,group\n"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"part": ["a"]}, ShapeError, "expected 2 of them, one an image, got 1 - at part"),
        ({"key": ["a"]}, ShapeError, "got 1 - at key"),
        ({"key": ["a", "a"]}, IdError, '"a" comes twice'),
        ({"distance": 256}, InputError, "from 0 to 255"),
    ],
)
def test_refused(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        find_duplicates(hashes(1, 2), **arguments)


def test_more_refused() -> None:
    with pytest.raises(InputError, match=r"at most 64 parts, got 65 .* are these classes"):
        find_duplicates(hashes(*range(65)), [str(row) for row in range(65)])
    with pytest.raises(InputError, match="expected a sequence of paths, got a single text"):
        find_duplicates("images")
    with pytest.raises(InputError, match="expected a sequence of paths, or hashes"):
        find_duplicates([[1, 2, 3, 4]])
    with pytest.raises(InputError, match="uint64, got float64"):
        find_duplicates(np.zeros((3, 4)))
    with pytest.raises(ShapeError, match=r"got \(4,\)"):
        find_duplicates(np.zeros(4, np.uint64))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Return a folder of pictures, and the part of each."""
    folder = tmp_path_factory.mktemp("pictures")
    scene(0).save(folder / "a0.png")
    scene(1).save(folder / "a1.jpg", quality=95)
    scene(2).save(folder / "a2.png")
    scene(3).save(folder / "a3.png")
    (folder / "b0.png").write_bytes((folder / "a0.png").read_bytes())
    scene(1).save(folder / "b1.jpg", quality=50)
    scene(2).resize((200, 150)).save(folder / "b2.webp")
    scene(4).save(folder / "b3.png")
    (folder / "broken1.jpg").write_bytes(b"the same bytes")
    (folder / "broken2.jpg").write_bytes(b"the same bytes")
    (folder / "empty1.jpg").touch()
    (folder / "empty2.jpg").touch()
    parts = {path.name: "ab"[path.name[0] == "b"] for path in folder.iterdir()}
    parts |= {"broken2.jpg": "a", "empty2.jpg": "a"}
    return folder, parts


def of_pictures(pictures: tuple[Path, dict[str, str]], **options: Any) -> LeakReport:
    folder, parts = pictures
    return find_duplicates(
        [folder / name for name in parts], list(parts.values()), key=list(parts), **options
    )


def test_pictures(pictures: tuple[Path, dict[str, str]]) -> None:
    with pytest.warns(DataWarning, match=r"4 images of 12 cannot be read \(broken1.jpg: no image"):
        report = of_pictures(pictures)
    assert [pair[:4] for pair in report.pairs[:2]] == [
        ("a0.png", "a", "b0.png", "b"),
        ("broken1.jpg", "b", "broken2.jpg", "a"),
    ]
    assert [pair.exact for pair in report.pairs] == [True, True, False, False]
    assert {pair[:4:2] for pair in report.pairs[2:]} == {
        ("a1.jpg", "b1.jpg"),
        ("a2.png", "b2.webp"),
    }
    assert report.pairs_within == ()
    assert report.groups() == [
        ("a0.png", "b0.png"),
        ("a1.jpg", "b1.jpg"),
        ("a2.png", "b2.webp"),
        ("broken1.jpg", "broken2.jpg"),
    ]
    assert report.n_exact_groups == 2
    # Pairs of pictures: the equal files look alike, too; the broken ones have no look.
    assert report.n_near_pairs == report.n_near_pairs_across == 3
    # Part a: a0 to a3 and broken2 can be compared, empty2 cannot; part b: b0 to b3 and broken1.
    assert set(report.overlaps) == {Overlap("a", "b", 5, 2, 2), Overlap("b", "a", 5, 2, 2)}
    assert [(e.key, e.part, e.by_bytes) for e in report.unreadable] == [
        ("broken1.jpg", "b", True),
        ("broken2.jpg", "a", True),
        ("empty1.jpg", "a", False),
        ("empty2.jpg", "a", False),
    ]


def test_equal_files_come_before_those_that_only_look_so(tmp_path: Path) -> None:
    # 0.bmp and 1.png have the same pixels, 1.png and 2.png the same bytes: distance 0 each.
    scene(0).save(tmp_path / "0.bmp")
    scene(0).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes())
    report = find_duplicates(sorted(tmp_path.iterdir()), ["train", "train", "test"])
    assert [(Path(p.key).name, Path(p.other).name, p.exact) for p in report.pairs] == [
        ("1.png", "2.png", True),
        ("0.bmp", "2.png", False),
    ]
    assert set(report.overlaps) == {
        Overlap("test", "train", 1, 1, 0),
        Overlap("train", "test", 2, 1, 1),
    }


def test_strict(pictures: tuple[Path, dict[str, str]]) -> None:
    with pytest.raises(InputError, match="expected images that can be read, 4 of 12 cannot"):
        of_pictures(pictures, strict=True)


def test_no_image_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(InputError, match=r"none of 1 can .*a.jpg: the file is empty"):
        find_duplicates([tmp_path / "a.jpg"])


def test_undefined_share() -> None:
    assert math.isnan(Overlap("a", "b", 0, 0, 0).share)


def test_a_part_that_cannot_be_read_has_no_share(tmp_path: Path) -> None:
    scene(0).save(tmp_path / "a.png")
    (tmp_path / "b.png").touch()
    with pytest.warns(DataWarning, match="1 image of 2 cannot be read"):
        report = find_duplicates([tmp_path / "a.png", tmp_path / "b.png"], ["train", "test"])
    assert [(overlap.part, overlap.share) for overlap in report.overlaps[:1]] == [("train", 0.0)]
    assert report.to_dict()["overlaps"][1]["share"] is None
    assert str(report).splitlines()[4].endswith(" -")


def test_text(pictures: tuple[Path, dict[str, str]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        text = str(of_pictures(pictures))
    assert "12 images in 2 parts; near: at most 30 of 256 bits" in text
    assert "a in b       5                 4      2     2  80.00 %" in text
    assert (
        "4 groups of duplicates, with 8 images, the largest with 2; 4 with images of several"
        in text
    )
    assert "2 sets of equal files; 3 near pairs, 3 of them across parts" in text
    assert "4 images without a hash; 2 of them compared byte for byte" in text
    assert "exact    a: a0.png " in text


def test_long_lists_are_cut_and_say_so() -> None:
    report = find_duplicates(hashes(*[1] * 60), ["train", "test"] * 30)
    # Each image's nearest of the other part is its first: 00 or 01.
    assert len(report.pairs) == 59
    assert str(report).splitlines()[-1] == "… and 39 more"
    assert str(report).count(" bits  ") == 20
    assert report.n_near_pairs_across == 900


def test_names_that_would_move_the_cursor() -> None:
    text = str(find_duplicates(hashes(1, 1), ["a\n", "b"], key=["x\x1b[2J", "y"]))
    assert "\x1b" not in text
    assert "a\\n: x\\x1b[2J" in text


def test_plain_values(pictures: tuple[Path, dict[str, str]]) -> None:
    with pytest.warns(DataWarning):
        report = of_pictures(pictures)
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain["schema"] == "snellen.leaks/1"
    assert plain["parts"] == {"a": 7, "b": 5}
    assert plain["pairs"][0] == {
        "key": "a0.png",
        "part": "a",
        "other": "b0.png",
        "other_part": "b",
        "distance": 0,
        "exact": True,
    }
    assert plain["groups"][0] == [{"key": "a0.png", "part": "a"}, {"key": "b0.png", "part": "b"}]
    assert len(plain["unreadable"]) == 4


def test_groups_as_a_table() -> None:
    report = find_duplicates(hashes(0, 1, FAR), key=['a "b"', "c,d", "e"], distance=1)
    rows = list(csv.reader(io.StringIO(report.groups_csv())))
    assert rows == [["key", "group"], ['a "b"', 'a "b"'], ["c,d", 'a "b"'], ["e", "e"]]


def test_sheet(pictures: tuple[Path, dict[str, str]]) -> None:
    folder, parts = pictures
    with pytest.warns(DataWarning):
        report = of_pictures(pictures)
    paths = {name: folder / name for name in parts}
    sheet = Image.open(io.BytesIO(draw_contact_sheet(report.pairs, paths)))
    assert sheet.format == "PNG"
    # The first pair is the equal files: its two images are drawn alike, and are no blank paper.
    left, right = (np.asarray(sheet.crop((x, 48, x + 220, 213))) for x in (16, 240))
    assert np.array_equal(left, right)
    assert len(np.unique(left)) > 50
    # The second pair cannot be read: its places are empty but for the frame.
    assert len(np.unique(np.asarray(sheet.crop((476, 48, 696, 213))))) == 2
    # Three pairs a row.
    assert sheet.size[0] == 3 * 460 + 16
    assert Image.open(io.BytesIO(draw_contact_sheet(report.pairs, paths, limit=1))).size[0] == 476
    assert sheet.size[1] > Image.open(io.BytesIO(draw_contact_sheet([], paths))).size[1]
    with pytest.raises(InputError, match="at least one pair, got 0"):
        draw_contact_sheet(report.pairs, paths, limit=0)


def test_sheet_of_names_in_any_script(tmp_path: Path) -> None:
    path = tmp_path / "日本語.png"
    scene(0).save(path)
    pair = DuplicatePair("日本語" * 40, "テスト", "é\n" * 200, "b", 3, False)
    drawn = draw_contact_sheet([pair], {pair.key: path, pair.other: path})
    assert hashlib.sha256(drawn).digest() == (
        hashlib.sha256(draw_contact_sheet([pair], {pair.key: path, pair.other: path})).digest()
    )
