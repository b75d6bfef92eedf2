"""Which images there are, and in which part: folders and manifests."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest

from snellen.errors import IdError, InputError, SchemaError
from snellen.splits.image_list import images_of_folders, images_of_manifest


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_folders_are_parts(tmp_path: Path) -> None:
    make(tmp_path, "train/cat/1.jpg", "train/2.PNG", "test/1.jpg", "test/notes.txt", "test/.h.jpg")
    listed = images_of_folders([tmp_path / "train", tmp_path / "test"])
    assert listed.key == ("test/1.jpg", "train/2.PNG", "train/cat/1.jpg")
    assert listed.part == ("test", "train", "train")
    assert [path.relative_to(tmp_path).as_posix() for path in listed.path] == list(listed.key)


def test_folders_of_one_folder_are_parts(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.jpg", "test/2.jpg", "3.jpg", ".ipynb_checkpoints/4.jpg")
    listed = images_of_folders([tmp_path])
    assert listed.key == ("3.jpg", "test/2.jpg", "train/a/1.jpg")
    assert listed.part == (".", "test", "train")


def test_parts_of_one_name_are_called_by_their_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/images/1.jpg", "b/images/1.jpg")
    monkeypatch.chdir(tmp_path)
    listed = images_of_folders(["a/images", "b/images"])
    assert listed.part == ("a/images", "b/images")
    assert listed.key == ("a/images/1.jpg", "b/images/1.jpg")


def test_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "x/1.jpg", "y/2.jpg")
    monkeypatch.chdir(tmp_path)
    assert images_of_folders(["."]).part == ("x", "y")
    assert images_of_folders(["x/", "./y"]).part == ("x", "y")


@pytest.mark.parametrize(
    ("folders", "text"),
    [
        (["absent", "train"], "expected a folder of images, got nothing - at .*absent"),
        (["train/1.jpg", "train"], "got a file"),
        (["empty"], "expected images, found none"),
        (["train", "empty"], "expected images, found none - at .*empty"),
        (["train", "train"], "share no image"),
        (["train", "."], "got one that lies in"),
    ],
)
def test_refused_folders(tmp_path: Path, folders: list[str], text: str) -> None:
    make(tmp_path, "train/1.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=text):
        images_of_folders([tmp_path / folder for folder in folders])


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links(tmp_path: Path) -> None:
    make(tmp_path, "store/1.jpg", "train/2.jpg")
    (tmp_path / "train/linked").symlink_to(tmp_path / "store")
    (tmp_path / "train/file.jpg").symlink_to(tmp_path / "store/1.jpg")
    (tmp_path / "train/round").symlink_to(tmp_path / "train")
    assert images_of_folders([tmp_path / "train"]).key == ("2.jpg", "file.jpg", "linked/1.jpg")


def test_names_are_composed(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "é.jpg")
    make(tmp_path, f"a/{decomposed}", "b/1.jpg")
    listed = images_of_folders([tmp_path])
    assert listed.key[0] == "a/é.jpg"
    assert listed.path[0].read_bytes()


def test_names_of_a_manifest_are_found_however_they_are_spelt(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    make(tmp_path, f"{apart}/{apart}1.jpg", f"{composed}/{apart}2.jpg")
    for spelt in (composed, apart):
        text = f"key,part\n{spelt}/{spelt}1.jpg,train\n"
        listed = images_of_manifest(write(tmp_path, text))
        assert listed.key == (f"{composed}/{composed}1.jpg",)
        assert listed.path[0].read_bytes() == f"{apart}/{apart}1.jpg".encode()


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems want text")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path / "a") + b"/\xff.jpg")).write_bytes(b"x")
    listed = images_of_folders([tmp_path])
    assert listed.key == ("a/1.jpg", "a/\\udcff.jpg")
    assert listed.path[1].read_bytes() == b"x"


MANIFEST = """\
# {"seed": 3, "parts": {"train": 0.5}}
key,part,label
a/2.jpg,test,"cat, small"
a/1.jpg,train,dog
"""


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "split.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_manifest(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "a/2.jpg")
    listed = images_of_manifest(write(tmp_path, MANIFEST))
    assert listed.key == ("a/1.jpg", "a/2.jpg")
    assert listed.part == ("train", "test")
    assert listed.path == (tmp_path / "a/1.jpg", tmp_path / "a/2.jpg")
    assert listed.absent == ()


def test_manifest_elsewhere(tmp_path: Path) -> None:
    make(tmp_path / "data", "a/1.jpg", "a/2.jpg")
    manifest = write(tmp_path, MANIFEST.replace("\n", "\r\n"))
    assert images_of_manifest(manifest, tmp_path / "data").part == ("train", "test")
    with pytest.raises(InputError, match=r"2 images .* 2 missing \(a/2.jpg, a/1.jpg\).*root"):
        images_of_manifest(manifest)
    with pytest.raises(InputError, match="2 missing"):
        images_of_manifest(manifest, missing="ignore")
    with pytest.raises(InputError, match=r"expected a folder, there is none - at .*nowhere"):
        images_of_manifest(manifest, tmp_path / "nowhere")


def test_missing_files(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg")
    manifest = write(tmp_path, MANIFEST)
    with pytest.raises(InputError, match=r"1 missing \(a/2.jpg\).*missing: ignore"):
        images_of_manifest(manifest)
    listed = images_of_manifest(manifest, missing="ignore")
    assert (listed.key, listed.absent) == (("a/1.jpg",), ("a/2.jpg",))
    with pytest.raises(InputError, match='expected "error" or "ignore"'):
        images_of_manifest(manifest, missing="drop")


def test_spreadsheets_write_a_byte_order_mark(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg")
    assert images_of_manifest(write(tmp_path, b"\xef\xbb\xbfpart,key\ntest,1.jpg\n")).key == (
        "1.jpg",
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", SchemaError, "expected"),
        ("# {}\n", SchemaError, "expected"),
        ("id,part\n", SchemaError, 'expected a column "key", got id, part'),
        ("key,part_1,part_2\n", SchemaError, 'expected a column "part"'),
        ("key,part\n", SchemaError, "lists none"),
        ("# {}\nkey,part\na.jpg\n", SchemaError, "expected 2 .*line 3"),
        ("key,part\na.jpg,\n", SchemaError, "expected a part, got nothing - at .* line 2"),
        ("key,part\n,train\n", SchemaError, "expected a key, got nothing"),
        ("key,part\n/etc/1.jpg,train\n", SchemaError, "expected a path below the root"),
        ("key,part\n../1.jpg,train\n", SchemaError, "expected a path below the root"),
        ("key,part\na\0.jpg,train\n", SchemaError, "expected .*line 2"),
        ('key,part\n"a.jpg,train\n', SchemaError, "quote"),
        ("key,part\n1.jpg,train\n1.jpg,test\n", IdError, '"1.jpg" comes twice'),
        (b"key,part\n\xff,train\n", SchemaError, "expected UTF-8 text, .*line 2"),
    ],
)
def test_refused_manifests(
    tmp_path: Path, text: str | bytes, error: type[Exception], message: str
) -> None:
    make(tmp_path, "1.jpg")
    with pytest.raises(error, match=message):
        images_of_manifest(write(tmp_path, text))


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a manifest, or folders of images, got nothing"):
        images_of_manifest(tmp_path / "absent.csv")
