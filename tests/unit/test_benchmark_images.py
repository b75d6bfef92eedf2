"""Labelled images of every kind that a benchmark reads: which image has which class, and how."""

import concurrent.futures
import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snellen.benchmark.decoding import decoded
from snellen.benchmark.devkit_labels import devkit_codes
from snellen.benchmark.imagenet import IMAGENET_IDS, imagenet_names
from snellen.benchmark.open_images import open_images
from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.splits import hold_out, manifest_bytes


def picture(value: int) -> bytes:
    """A picture that its grey tells from others."""
    data = io.BytesIO()
    Image.new("L", (4, 3), value).save(data, "PNG")
    return data.getvalue()


def write(folder: Path, files: dict[str, int]) -> Path:
    for name, value in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(value))
    return folder


def grey(images, row: int) -> int:
    return int(decoded(images.reader.data(row), "L", images.ids[row])[0, 0, 0])


def labelled(images) -> dict[str, str]:
    return {
        name: images.classes[k] for name, k in zip(images.ids, images.labels.tolist(), strict=True)
    }


def val(k: int) -> str:
    return f"ILSVRC2012_val_{k:08d}.JPEG"


# ---- Folders of classes -------------------------------------------------------------------------


def test_a_folder_for_each_class(tmp_path):
    write(tmp_path, {"dog/b.png": 2, "dog/a.png": 1, "cat/deep/c.png": 3, ".hidden/d.png": 9})
    (tmp_path / "eel").mkdir()
    (tmp_path / "dog" / "notes.md").write_text("x")
    (tmp_path / "dog" / ".DS_Store").write_text("x")
    images = open_images(str(tmp_path))
    assert images.ids == ["cat/deep/c.png", "dog/a.png", "dog/b.png"]
    assert images.classes == ["cat", "dog", "eel"]
    assert images.labels.tolist() == [0, 1, 1]
    assert images.labels.dtype == np.int64
    assert [grey(images, row) for row in range(3)] == [3, 1, 2]
    assert images.source == {"data": str(tmp_path), "kind": "class folders"}
    assert images.notes == [
        "1 classes without images: eel",
        "1 files left out that are no images, or lie in no class folder",
    ]
    assert images.also is None
    assert len(images) == 3


def test_folders_called_by_wordnet_ids_are_shown_by_name(tmp_path):
    write(tmp_path, {"n03126707/a.png": 1, "n01440764/b.png": 2})
    images = open_images(str(tmp_path))
    assert images.classes == ["tench", "crane (n03126707)"]
    assert labelled(images) == {"n03126707/a.png": "crane (n03126707)", "n01440764/b.png": "tench"}
    assert "WordNet ids are shown as ImageNet's names of classes" in images.notes
    # An id that is none of the thousand: all stay as they are.
    write(tmp_path, {"n00000001/c.png": 3})
    assert open_images(str(tmp_path)).classes == ["n00000001", "n01440764", "n03126707"]


def test_folders_called_by_numbers_are_in_their_order(tmp_path):
    write(tmp_path, {f"{k}/x.png": k for k in range(12)})
    images = open_images(str(tmp_path))
    assert images.classes == [str(k) for k in range(12)]
    assert {name: grey(images, row) for row, name in enumerate(images.ids)} == {
        f"{k}/x.png": k for k in range(12)
    }
    assert all(
        grey(images, row) == int(images.classes[k]) for row, k in enumerate(images.labels.tolist())
    )


def test_a_thousand_numbers_are_imagenets(tmp_path):
    for k in range(1000):
        (tmp_path / str(k)).mkdir()
    write(tmp_path, {"0/a.png": 1, "207/b.png": 2, "999/c.png": 3})
    images = open_images(str(tmp_path))
    assert images.classes == list(imagenet_names())
    assert labelled(images)["207/b.png"] == "golden retriever"
    assert any("0 … 999" in note for note in images.notes)


def test_letters_composed_in_two_ways(tmp_path):
    composed, apart = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    write(tmp_path / "one", {f"{apart}/{apart}.png": 7})
    images = open_images(str(tmp_path / "one"))
    assert images.classes == [composed]
    assert grey(images, 0) == 7
    write(tmp_path / "two", {f"{apart}/a.png": 1, f"{composed}/b.png": 2})
    with pytest.raises(ClassError, match="each class in one folder, got two that are called é"):
        open_images(str(tmp_path / "two"))


def test_parts_as_folders(tmp_path):
    write(tmp_path, {"train/a/1.png": 1, "val/a/2.png": 2, "val/b/3.png": 3})
    images = open_images(str(tmp_path))
    assert images.ids == ["a/2.png", "b/3.png"]
    assert "validation is measured on" in images.notes[0]
    assert open_images(str(tmp_path), part="train").ids == ["a/1.png"]
    # ImageNet's test images lie in no class folders.
    write(tmp_path, {"test/4.png": 4})
    assert open_images(str(tmp_path)).ids == ["a/2.png", "b/3.png"]
    with pytest.raises(SchemaError, match=r"got 1 images without either - at .*test"):
        open_images(str(tmp_path), part="test")
    write(tmp_path, {"test/a/5.png": 5})
    assert [grey(open_images(str(tmp_path)), 0)] == [5]
    with pytest.raises(InputError, match=r'one of the parts test, train, validation, got "dev2"'):
        open_images(str(tmp_path), part="dev2")
    write(tmp_path, {"valid/a/5.png": 5})
    with pytest.raises(InputError, match="expected one folder of the part validation"):
        open_images(str(tmp_path))


def test_folders_that_are_no_labelled_images(tmp_path):
    with pytest.raises(InputError, match="there is nothing of this name"):
        open_images(str(tmp_path / "none"))
    with pytest.raises(SchemaError, match=r"a file of labels beside the images \(labels\)"):
        open_images(str(write(tmp_path / "flat", {"a.png": 1})))
    (tmp_path / "empty" / "a").mkdir(parents=True)
    with pytest.raises(SchemaError, match="expected images in the 1 folders, there are none"):
        open_images(str(tmp_path / "empty"))
    (tmp_path / "a.xyz").write_text("x")
    with pytest.raises(InputError, match="got another kind of file"):
        open_images(str(tmp_path / "a.xyz"))
    with pytest.raises(InputError, match="expected folders train, val or test"):
        open_images(str(tmp_path / "flat"), part="test")


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes only there")
def test_names_of_bytes_that_are_no_text(tmp_path):
    write(tmp_path, {"a/1.png": 1, "b/2.png": 2})
    try:
        (tmp_path / "a" / "1.png").rename(tmp_path / "a" / "\udcff.png")
        (tmp_path / "b").rename(tmp_path / "b\udcfe")
    except OSError:
        pytest.skip("this file system takes texts alone")
    images = open_images(str(tmp_path))
    assert images.ids == [r"a/\xff.png", r"b\xfe/2.png"]
    assert images.classes == ["a", r"b\xfe"]
    assert [grey(images, row) for row in range(2)] == [1, 2]
    assert len(open_images(str(tmp_path), limit=1)) == 1
    (tmp_path / "a" / "\udcff.png").unlink()
    with pytest.raises(InputError) as caught:
        images.reader.data(0)
    str(caught.value).encode()
    with pytest.raises(InputError, match=r"written in UTF-8, got .*b\\xfe"):
        open_images(str(tmp_path / "b\udcfe"))


def test_a_folder_with_braces_is_no_pattern(tmp_path):
    images = open_images(str(write(tmp_path / "x{1}", {"a/1.png": 1})))
    assert images.ids == ["a/1.png"]


def test_a_file_that_is_gone_is_an_error_when_it_is_read(tmp_path):
    images = open_images(str(write(tmp_path, {"a/1.png": 1, "a/2.png": 2})))
    (tmp_path / "a" / "1.png").unlink()
    with pytest.raises(InputError, match="expected a readable image, got: No such file"):
        images.reader.data(0)
    assert grey(images, 1) == 2


# ---- Digests, limits, names ---------------------------------------------------------------------


def test_the_digest_tells_what_changed(tmp_path):
    folder = write(tmp_path / "x", {"a/1.png": 1, "b/2.png": 2})
    os.utime(folder / "a" / "1.png", ns=(10**18, 10**18))
    first = open_images(str(folder)).digest
    assert open_images(str(folder)).digest == first
    os.utime(folder / "a" / "1.png", ns=(10**18, 10**18 + 1))
    second = open_images(str(folder)).digest
    os.utime(folder / "a" / "1.png", ns=(10**18, 10**18))
    assert open_images(str(folder)).digest == first != second
    (tmp_path / "names.txt").write_text("b\na\n")
    assert open_images(str(folder), classes=str(tmp_path / "names.txt")).digest != first
    assert open_images(str(folder), limit=1).digest != first
    (folder / "c").mkdir()
    assert open_images(str(folder)).digest != first


def test_a_limit_takes_the_same_images_whatever_lies_beside_them(tmp_path):
    write(tmp_path, {f"{'ab'[k % 2]}/{k:02d}.png": k for k in range(40)})
    whole = open_images(str(tmp_path))
    some = open_images(str(tmp_path), limit=10)
    assert len(some) == 10
    assert [name for name in whole.ids if name in set(some.ids)] == some.ids
    assert labelled(some).items() <= labelled(whole).items()
    assert [grey(some, row) for row in range(10)] == [int(name[2:4]) for name in some.ids]
    assert some.notes == ["10 of 40 images, chosen at random (seed 0)"]
    assert open_images(str(tmp_path), limit=10).ids == some.ids
    assert open_images(str(tmp_path), limit=10, seed=1).ids != some.ids
    assert set(some.ids) < set(open_images(str(tmp_path), limit=11).ids)
    assert open_images(str(tmp_path), limit=99).ids == whole.ids
    with pytest.raises(InputError, match="expected a limit from 1, got 0"):
        open_images(str(tmp_path), limit=0)


def test_readers_go_to_other_processes_and_threads(tmp_path):
    write(tmp_path, {f"a/{k:03d}.png": k for k in range(60)})
    reader = pickle.loads(pickle.dumps(open_images(str(tmp_path)).reader))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: decoded(reader.data(row), "L", "")[0, 0, 0], range(60)))
    assert found == list(range(60))


def test_a_file_of_class_names(tmp_path):
    folder = write(tmp_path / "x", {"1/a.png": 1, "0/b.png": 2})
    names = tmp_path / "names.txt"
    names.write_text("cat\ndog\neel\n")
    images = open_images(str(folder), classes=str(names))
    assert images.classes == ["cat", "dog", "eel"]
    assert labelled(images) == {"0/b.png": "cat", "1/a.png": "dog"}
    assert images.source["classes"] == str(names)
    names.write_text("cat\n")
    with pytest.raises(ClassError, match=r"expected labels of 1 classes \(cat\), got \"1\""):
        open_images(str(folder), classes=str(names))
    names.write_text("crane\ncrane\n")
    assert open_images(str(folder), classes=str(names)).classes == ["crane (0)", "crane (1)"]


def test_some_of_imagenets_classes_by_number_or_id(tmp_path):
    for folder in ("207", "n02099601"):
        files = write(tmp_path / folder, {f"{folder}/a.png": 1})
        images = open_images(str(files), classes="imagenet")
        assert images.classes == list(imagenet_names())
        assert list(labelled(images).values()) == ["golden retriever"]
    with pytest.raises(ClassError, match="1000"):
        open_images(str(write(tmp_path / "x", {"1000/a.png": 1})), classes="imagenet")


def test_names_in_an_order_of_their_own(tmp_path):
    folder = write(tmp_path / "x", {"dog/a.png": 1, "cat/b.png": 2})
    (tmp_path / "names.txt").write_text("eel\ndog\ncat\n")
    images = open_images(str(folder), classes=str(tmp_path / "names.txt"))
    assert images.classes == ["eel", "dog", "cat"]
    assert labelled(images) == {"dog/a.png": "dog", "cat/b.png": "cat"}
    (tmp_path / "names.json").write_text('{"9": "dog", "4": "cat"}')
    images = open_images(str(folder), classes=str(tmp_path / "names.json"))
    assert labelled(images) == {"dog/a.png": "dog", "cat/b.png": "cat"}


def test_wordnet_ids_with_words(tmp_path):
    folder = write(tmp_path / "x", {"n00000002/a.png": 1, "n00000001/b.png": 2})
    words = tmp_path / "synset_words.txt"
    words.write_text("n00000002 dog, hound\nn00000001 cat\nn00000003 dog, boor\n")
    images = open_images(str(folder), classes=str(words))
    assert images.classes == ["dog (n00000002)", "cat", "dog (n00000003)"]
    assert labelled(images) == {"n00000002/a.png": "dog (n00000002)", "n00000001/b.png": "cat"}


# ---- A folder of images and a file of labels ----------------------------------------------------


FLAT = {"a 1.png": 1, "b.png": 2, "c.png": 3}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.txt", "b.png dog\na 1.png great white\nc.png dog\n"),
        ("l.txt", "filename,label\nb.png,dog\na 1.png,great white\nc.png,dog\n"),
        ("l.csv", "file,label\nb.png,dog\na 1.png,great white\nc.png,dog\n"),
        ("l.csv", "label,name\ndog,b\ngreat white,a 1\ndog,c\n"),
        ("l.csv", "b.png,dog\na 1.png,great white\nc.png,dog\n"),
        ("l.tsv", "dog\tx/b.png\ngreat white\tx/a 1.png\ndog\tx/c.png\n"),
        ("l.jsonl", '{"image": "b.png", "label": "dog"}\n{"image": "a 1.png", "label": '
                    '"great white"}\n{"image": "c.png", "label": "dog"}\n'),
        ("l.txt", "great white\ndog\ndog\n\n"),
        ("l.csv", "label\ngreat white\ndog\ndog\n"),
    ],
)  # fmt: skip
def test_labels_in_a_file(tmp_path, name, text):
    folder = write(tmp_path / "x", FLAT)
    (tmp_path / name).write_text(text)
    images = open_images(str(folder), labels=str(tmp_path / name))
    assert labelled(images) == {"a 1.png": "great white", "b.png": "dog", "c.png": "dog"}
    assert [grey(images, row) for row in range(3)] == [1, 2, 3]
    assert images.source["labels"] == str(tmp_path / name)


def test_labels_that_are_indices(tmp_path):
    folder = write(tmp_path / "x", FLAT)
    (tmp_path / "l.txt").write_text("b.png 3\na 1.png 0\nc.png 10\n")
    images = open_images(str(folder), labels=str(tmp_path / "l.txt"))
    assert images.classes == [str(k) for k in range(11)]
    assert images.labels.tolist() == [0, 3, 10]
    np.save(tmp_path / "l.npy", np.array([2, 0, 1]))
    images = open_images(str(folder), labels=str(tmp_path / "l.npy"))
    assert images.labels.tolist() == [2, 0, 1]
    assert "in the order of the files' names" in images.notes[0]
    (tmp_path / "l.txt").write_text("-1\n-1\n-1\n")
    with pytest.raises(ClassError, match="from 0, got -1: is this a test set without labels"):
        open_images(str(folder), labels=str(tmp_path / "l.txt"))


def test_labels_and_images_that_do_not_fit(tmp_path):
    folder = write(tmp_path / "x", FLAT)
    labels = tmp_path / "l.txt"

    def opened(text, **options):
        labels.write_text(text)
        return open_images(str(folder), labels=str(labels), **options)

    with pytest.raises(InputError, match=r"for each of 3 images, .* got 2: give lines with a file"):
        opened("dog\ncat\n")
    images = opened("b.png dog\nz.png cat\n")
    assert labelled(images) == {"b.png": "dog"}
    assert images.notes[:2] == [
        "2 images without a label left out",
        "1 labels without an image left out",
    ]
    with pytest.raises(InputError, match="got 2 images without a label"):
        opened("b.png dog\n", strict=True)
    with pytest.raises(IdError, match=r'one label for each image, got two for "b.png"'):
        opened("b.png dog\nb.png cat\nc.png cat\n")
    with pytest.raises(InputError, match=r"expected labels of the images \(a 1.png, b.png, …\)"):
        opened("x.png dog\ny.png cat\n")
    with pytest.raises(SchemaError, match=r'a file and a label in each line.*got "b.png"'):
        opened("a 1.png dog\nb.png\n")
    with pytest.raises(SchemaError, match="expected labels, the file is empty"):
        opened("\n")
    with pytest.raises(InputError, match="expected a readable file"):
        open_images(str(folder), labels=str(tmp_path / "absent.txt"))
    write(folder, {"deep/b.png": 4})
    with pytest.raises(IdError, match="that several folders have"):
        opened("b dog\nc cat\n")
    assert labelled(opened("deep/b.png dog\nc.png cat\n")) == {"deep/b.png": "dog", "c.png": "cat"}


def test_a_table_without_a_column_of_labels(tmp_path):
    folder = write(tmp_path / "x", FLAT)
    (tmp_path / "l.csv").write_text("file,width,height\nb.png,3,4\nc.png,3,4\n")
    with pytest.raises(SchemaError, match='expected a column "label", got file, width, height'):
        open_images(str(folder), labels=str(tmp_path / "l.csv"))


# ---- ImageNet's validation set ------------------------------------------------------------------

# An order that is no other: as the development kit's, it is not that of the ids.
KIT = [IMAGENET_IDS[(k * 7 + 3) % 1000] for k in range(1000)]


@pytest.fixture
def validation(tmp_path):
    """Three images of the validation set, of the kit's classes 5, 1000 and 1."""
    write(tmp_path / "val", {val(1): 1, val(2): 2, val(3): 3})
    (tmp_path / "truth.txt").write_text("5\n1000\n1\n")
    return tmp_path


def written_kit(path: Path) -> dict[str, str]:
    names = {"map": "map_clsloc.txt", "ids": "ids.txt", "mat": "meta.mat"}
    files = {what: str(path / name) for what, name in names.items()}
    lines = [f"{wnid} {k} name_{k}" for k, wnid in enumerate(KIT, 1)]
    Path(files["map"]).write_text("\n".join(lines[::-1]) + "\n")
    Path(files["ids"]).write_text("\n".join(KIT) + "\n")
    from scipy.io import savemat

    above = ["n00001740"]  # what all are
    rows = np.zeros(1001, [("ILSVRC2012_ID", object), ("WNID", object), ("words", object)])
    rows["ILSVRC2012_ID"] = list(range(1, 1002))
    rows["WNID"] = KIT + above
    rows["words"] = ["x"] * 1001
    savemat(files["mat"], {"synsets": rows[:, None]})
    return files


@pytest.mark.parametrize("what", ["map", "ids", "mat"])
def test_the_kits_numbers_with_what_explains_them(validation, what):
    kit = validation / "kit"
    kit.mkdir()
    synsets = written_kit(kit)[what]
    images = open_images(
        str(validation / "val"), labels=str(validation / "truth.txt"), synsets=synsets
    )
    assert images.classes == list(imagenet_names())
    wanted = [KIT[4], KIT[999], KIT[0]]
    assert [IMAGENET_IDS[k] for k in images.labels.tolist()] == wanted
    assert images.source["synsets"] == synsets


def test_the_kits_numbers_alone_are_refused(validation):
    labels = str(validation / "truth.txt")
    with pytest.raises(ClassError, match=r"numbers from 1 to 1000: .* map_clsloc.txt \(synsets\)"):
        open_images(str(validation / "val"), labels=labels)
    # Few of them have no 1000; the file's name tells.
    truth = validation / "ILSVRC2012_validation_ground_truth.txt"
    truth.write_text("5\n999\n1\n")
    with pytest.raises(ClassError, match=r"numbers from 1 to 999: .*\(synsets\)"):
        open_images(str(validation / "val"), labels=str(truth))
    # What lies beside them is taken.
    written_kit(validation)
    images = open_images(str(validation / "val"), labels=str(truth))
    assert [IMAGENET_IDS[k] for k in images.labels.tolist()] == [KIT[4], KIT[998], KIT[0]]
    images = open_images(str(validation / "val"), labels=labels)
    assert [IMAGENET_IDS[k] for k in images.labels.tolist()] == [KIT[4], KIT[999], KIT[0]]
    assert any("meta.mat explains" in note for note in images.notes)


def test_what_explains_nothing(validation):
    def opened(text, labels="5\n1000\n1\n", name="s.txt"):
        (validation / name).write_text(text)
        (validation / "truth.txt").write_text(labels)
        return open_images(
            str(validation / "val"),
            labels=str(validation / "truth.txt"),
            synsets=str(validation / name),
        )

    good = "\n".join(KIT)
    assert len(opened(good)) == 3
    with pytest.raises(ClassError, match=r"in ascending order: give its meta.mat"):
        opened("\n".join(IMAGENET_IDS))
    with pytest.raises(ClassError, match="each once, got 999 of them"):
        opened("\n".join(KIT[:-1]))
    with pytest.raises(SchemaError, match=r'a WordNet id, .* got "kit" - at .*s.txt line 1'):
        opened("kit fox\n")
    with pytest.raises(ClassError, match="numbers, 1 to 1000, because synsets are given, got 0"):
        opened(good, "0\n1\n2\n")
    with pytest.raises(InputError, match='because synsets are given, got "cat"'):
        opened(good, "cat\ndog\ncat\n")
    with pytest.raises(SchemaError, match=r"expected meta.mat of ImageNet's development kit"):
        opened(good, name="meta.mat")


def test_every_number_of_the_kit(tmp_path):
    files = written_kit(tmp_path)
    found = [devkit_codes(range(1, 1001), files[what], "x").tolist() for what in files]
    assert found[0] == found[1] == found[2] == [(k * 7 + 3) % 1000 for k in range(1000)]


def test_a_part_of_the_validation_set_and_the_labels_of_all(tmp_path):
    write(tmp_path / "val", {val(9): 9, val(4): 4, val(10): 10})
    (tmp_path / "l.txt").write_text("".join(f"{k * 11}\n" for k in range(12)))
    images = open_images(str(tmp_path / "val"), labels=str(tmp_path / "l.txt"))
    assert images.classes == list(imagenet_names())
    assert images.labels.tolist() == [33, 88, 99]
    assert images.ids == [val(4), val(9), val(10)]


def test_kaggles_table(tmp_path):
    write(tmp_path / "val", {val(1): 1, val(2): 2})
    (tmp_path / "LOC_val_solution.csv").write_text(
        "ImageId,PredictionString\n"
        "ILSVRC2012_val_00000002,n03995372 85 1 499 272 \n"
        "ILSVRC2012_val_00000001,n01440764 1 1 9 9 n01440764 2 2 8 8 \n"
    )
    images = open_images(str(tmp_path / "val"), labels=str(tmp_path / "LOC_val_solution.csv"))
    assert labelled(images) == {val(1): "tench", val(2): "power drill"}


def test_real_labels(tmp_path):
    write(tmp_path / "val", {f"n01440764/{val(3)}": 3, f"n01443537/{val(1)}": 1})
    write(tmp_path / "val", {f"n01443537/{val(4)}": 4})
    (tmp_path / "real.json").write_text("[[1, 0, 1], [7], [5], []]")
    images = open_images(str(tmp_path / "val"), real=str(tmp_path / "real.json"))
    assert images.classes == ["tench", "goldfish"]
    # The third has a class that is none of the two, the fourth has none at all.
    assert images.also == [(), (1, 0), ()]
    assert images.notes[-1] == "ReaL labels: 1 images have one, 2 do not count"
    assert images.source["real"] == str(tmp_path / "real.json")


def test_real_labels_that_cannot_be(tmp_path):
    folder = write(tmp_path / "val", {f"n01440764/{val(3)}": 3})
    real = tmp_path / "real.json"
    for text, error, message in (
        ("[[0], [1]]", InputError, "expected images called ILSVRC2012_val_00000001 to 00000002"),
        ("[[0], [1], [1000]]", SchemaError, r"from 0 to 999, got 1000 - at .* \$\[2\]"),
        ('{"a": 1}', SchemaError, "expected ReaL labels, a list of indices for each image"),
    ):
        real.write_text(text)
        with pytest.raises(error, match=message):
            open_images(str(folder), real=str(real))
    real.write_text("[[0]]")
    with pytest.raises(ClassError, match=r'expected classes of ImageNet, .* got "cat"'):
        open_images(str(write(tmp_path / "x", {f"cat/{val(1)}": 1})), real=str(real))


# ---- Manifests and tables -----------------------------------------------------------------------


def test_a_manifest_of_a_split(tmp_path):
    write(tmp_path / "x", {f"{'cd'[k % 2]}/{k:02d}.png": k for k in range(20)})
    keys = open_images(str(tmp_path / "x")).ids
    split = hold_out(keys, "60/20/20", labels=[key[0] for key in keys])
    path = tmp_path / "split.csv"
    path.write_bytes(manifest_bytes(split, {}))
    with pytest.raises(InputError, match=r"expected 4 files, 4 are not there .* \(root\)"):
        open_images(str(path))
    parts = {
        part: open_images(str(path), root=str(tmp_path / "x"), part=part)
        for part in ("train", "val", "test")
    }
    assert [len(images) for images in parts.values()] == [12, 4, 4]
    assert sorted(name for images in parts.values() for name in images.ids) == keys
    for images in parts.values():
        assert images.classes == ["c", "d"]
        assert all(name[0] == label for name, label in labelled(images).items())
        assert [grey(images, row) for row in range(len(images))] == [
            int(name[2:4]) for name in images.ids
        ]
    assert open_images(str(path), root=str(tmp_path / "x")).ids == parts["test"].ids
    (tmp_path / "x" / parts["test"].ids[1]).unlink()
    assert len(open_images(str(path), root=str(tmp_path / "x"))) == 4
    with pytest.raises(InputError, match=f"4 files, 1 are not there .{parts['test'].ids[1]}"):
        open_images(str(path), root=str(tmp_path / "x"), strict=True)
    path.write_bytes(manifest_bytes(hold_out(keys, "50/50"), {}))
    with pytest.raises(SchemaError, match="expected a column label"):
        open_images(str(path), root=str(tmp_path / "x"))


def test_a_table_of_images(tmp_path):
    write(tmp_path, {"x/b.png": 2, "x/a.png": 1})
    (tmp_path / "t.csv").write_text("path,label\nx/b.png,dog\nx/a.png,cat\n")
    images = open_images(str(tmp_path / "t.csv"))
    assert labelled(images) == {"x/b.png": "dog", "x/a.png": "cat"}
    assert [grey(images, row) for row in range(2)] == [2, 1]
    assert images.source["kind"] == "table of images"
    (tmp_path / "u.tsv").write_text("b.png\t1\na.png\t0\n")
    images = open_images(str(tmp_path / "u.tsv"), root=str(tmp_path / "x"))
    assert images.labels.tolist() == [1, 0]
    assert [grey(images, row) for row in range(2)] == [2, 1]
    with pytest.raises(InputError, match="expected 2 files, 2 are not there"):
        open_images(str(tmp_path / "u.tsv"), root=str(tmp_path / "absent"))
    (tmp_path / "t.csv").write_text("path,label\nx/b.png,dog\nx/b.png,cat\n")
    with pytest.raises(IdError, match="expected each key once"):
        open_images(str(tmp_path / "t.csv"))
    (tmp_path / "t.csv").write_text("path,label\n")
    with pytest.raises(SchemaError, match="the table has no rows"):
        open_images(str(tmp_path / "t.csv"))
    (tmp_path / "t.csv").write_text("path,width,height\na,1,2\n")
    with pytest.raises(SchemaError, match='expected a column "label", got path, width, height'):
        open_images(str(tmp_path / "t.csv"))


def test_a_column_of_texts_that_no_file_can_be_called(tmp_path):
    (tmp_path / "t.csv").write_text(f"id,label\n{'x' * 5000},dog\n{'y' * 5000},cat\n")
    images = open_images(str(tmp_path / "t.csv"))
    assert images.reader is None
    assert list(labelled(images).values()) == ["dog", "cat"]


def test_a_table_of_labels_alone(tmp_path):
    (tmp_path / "t.csv").write_text("id,label\n7.jpg,dog\n8.jpg,cat\n")
    images = open_images(str(tmp_path / "t.csv"))
    assert images.reader is None
    assert labelled(images) == {"7.jpg": "dog", "8.jpg": "cat"}
    assert "only stored predictions can be measured" in images.notes[-1]
    np.save(tmp_path / "labels.npy", np.array([2, 0, 2]))
    images = open_images(str(tmp_path / "labels.npy"))
    assert images.ids == ["0", "1", "2"]
    assert images.classes == ["0", "1", "2"]
    assert images.labels.tolist() == [2, 0, 2]
    np.savez(tmp_path / "t.npz", label=np.array([1, 0]), classes=np.array(["cat", "dog"]))
    images = open_images(str(tmp_path / "t.npz"), limit=2)
    assert labelled(images) == {"0": "dog", "1": "cat"}
    np.savez(tmp_path / "t.npz", label=np.array([2, 0]), classes=np.array(["cat", "dog"]))
    with pytest.raises(SchemaError, match="a name for each of 3 classes, got 2"):
        open_images(str(tmp_path / "t.npz"))


# ---- IDX files ----------------------------------------------------------------------------------


def write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    data = head + array.astype(np.uint8).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


@pytest.mark.parametrize("form", ["-{}-ubyte", "-{}-ubyte.gz", ".{}-ubyte"])
def test_mnists_files(tmp_path, form):
    random = np.random.default_rng(1)
    arrays = {}
    for name, n in (("train", 6), ("t10k", 4)):
        arrays[name] = random.integers(0, 256, (n, 5, 7), np.uint8)
        write_idx(tmp_path / f"{name}-images{form.format('idx3')}", arrays[name])
        write_idx(tmp_path / f"{name}-labels{form.format('idx1')}", np.arange(n))
    images = open_images(str(tmp_path))
    assert images.ids == ["test/0", "test/1", "test/2", "test/3"]
    assert images.classes == ["0", "1", "2", "3"]
    assert images.labels.tolist() == [0, 1, 2, 3]
    assert np.array_equal(decoded(images.reader.data(2), "L", "")[..., 0], arrays["t10k"][2])
    assert len(open_images(str(tmp_path), part="train")) == 6
    one = open_images(str(tmp_path / f"train-images{form.format('idx3')}"), limit=3)
    assert np.array_equal(
        one.reader.data(1)[..., 0], arrays["train"][int(one.ids[1].split("/")[1])]
    )
    assert images.digest == open_images(str(tmp_path)).digest
    write_idx(tmp_path / f"t10k-images{form.format('idx3')}", np.zeros((4, 5, 8)))
    assert images.digest != open_images(str(tmp_path)).digest


def test_idx_files_that_do_not_fit(tmp_path):
    images, labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte"
    write_idx(images, np.zeros((3, 2, 2)))
    with pytest.raises(InputError, match="expected the labels t10k-labels-idx1-ubyte beside"):
        open_images(str(images))
    write_idx(labels, np.zeros(2))
    with pytest.raises(SchemaError, match=r"a label for each of 3 images, got 2 - at .*labels"):
        open_images(str(tmp_path))
    write_idx(labels, np.zeros((3, 1, 1)))
    with pytest.raises(SchemaError, match="expected bytes with 1 axes, got uint8 with 3"):
        open_images(str(tmp_path))
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(SchemaError, match="as its head says"):
        open_images(str(tmp_path))
    with pytest.raises(InputError, match='expected one of the parts test, got "train"'):
        open_images(str(tmp_path), part="train")
    with pytest.raises(InputError, match="expected no part for these data"):
        open_images(str(images), part="test")
    images.unlink()
    write_idx(tmp_path / "x", np.zeros((3, 2, 2)))
    with pytest.raises(InputError, match="expected a file called …-images-idx3-ubyte"):
        open_images(str(tmp_path / "x"))
    for name in ("emnist-letters-test", "emnist-digits-test"):
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", np.zeros((3, 2, 2)))
    with pytest.raises(InputError, match="expected one file of images of each part"):
        open_images(str(tmp_path))


def test_fashion_mnist_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("SNELLEN_CACHE", str(tmp_path))
    for name, n in (("train", 4), ("t10k", 3)):
        folder = tmp_path / "fashion-mnist"
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", np.full((n, 28, 28), n))
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", np.array([9, 0, 1, 1])[:n])
    images = open_images("fashion-mnist")
    assert list(labelled(images).values()) == ["Ankle boot", "T-shirt/top", "Trouser"]
    assert len(images.classes) == 10
    assert images.reader.data(0)[0, 0, 0] == 3
    assert open_images("fashion-mnist", part="train").reader.data(0)[0, 0, 0] == 4


# ---- Shards -------------------------------------------------------------------------------------


def write_shard(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))


def test_shards(tmp_path):
    for k in range(3):
        write_shard(
            tmp_path / "s" / f"{k:02d}.tar",
            {f"{i}.{kind}": data for i in (2 * k, 2 * k + 1)
             for kind, data in (("png", picture(i)), ("cls", str(i % 4).encode()))},
        )  # fmt: skip
    for data in (str(tmp_path / "s"), str(tmp_path / "s" / "{00..02}.tar")):
        images = open_images(data)
        assert images.ids == [f"{i // 2:02d}.tar/{i}" for i in range(6)]
        assert images.labels.tolist() == [0, 1, 2, 3, 0, 1]
        reader = pickle.loads(pickle.dumps(images.reader))
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            found = list(pool.map(reader.data, range(6)))
        assert found == [picture(i) for i in range(6)]
    assert len(open_images(str(tmp_path / "s" / "01.tar"))) == 2
    some = open_images(data, limit=2)
    assert [grey(some, row) for row in range(2)] == [int(name[-1]) for name in some.ids]


def test_labels_of_shards_as_json_and_text(tmp_path):
    write_shard(
        tmp_path / "a.tar",
        {"0.png": picture(0), "0.json": json.dumps({"label": "dog"}).encode(),
         "1.png": picture(1), "1.txt": b"great white\n"},
    )  # fmt: skip
    assert labelled(open_images(str(tmp_path / "a.tar"))) == {
        "a.tar/0": "dog",
        "a.tar/1": "great white",
    }
    write_shard(tmp_path / "b.tar", {"0.png": picture(0), "0.json": b'{"label": [1]}'})
    with pytest.raises(SchemaError, match=r"the index or the name of a class, got \[1\]"):
        open_images(str(tmp_path / "b.tar"))


def test_shards_that_are_broken(tmp_path):
    path = tmp_path / "a.tar"
    write_shard(path, {"0.png": os.urandom(3000), "0.cls": b"1", "1.png": os.urandom(9000)})
    whole = path.read_bytes()
    path.write_bytes(whole[:7000])
    with pytest.raises(SchemaError, match=r"expected a tar file, got: unexpected end .*a.tar"):
        open_images(str(path))
    path.write_bytes(b"no tar file" * 100)
    with pytest.raises(SchemaError, match="expected a tar file"):
        open_images(str(path))
    with pytest.raises(InputError, match="expected a readable shard"):
        open_images(str(tmp_path / "{1..2}.tar"))
    (tmp_path / "b.tar.gz").write_bytes(gzip.compress(whole))
    with pytest.raises(SchemaError, match="unpack it"):
        open_images(str(tmp_path / "b.tar.gz"))
    write_shard(path, {"0.png": os.urandom(3000), "0.cls": b"1"})
    images = open_images(str(path))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SchemaError, match="expected 3,000 bytes, the shard ends before"):
        images.reader.data(0)


@pytest.mark.parametrize(
    ("data", "options", "named"),
    [
        ("folder", {"synsets": "x"}, "synsets"),
        ("folder", {"root": "x"}, "root"),
        ("fashion-mnist", {"labels": "x"}, "labels"),
        ("a.tar", {"part": "test"}, "part"),
        ("t.csv", {"labels": "x"}, "labels"),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path, monkeypatch, data, options, named):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"folder/a/1.png": 1})
    (tmp_path / "t.csv").write_text("path,label\nx,y\n")
    with pytest.raises(InputError, match=f'expected no {named} for these data, got "'):
        open_images(data, **options)
