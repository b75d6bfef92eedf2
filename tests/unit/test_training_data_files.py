"""Images in folders, manifests, tables, shards and label maps as parts."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.splits import hold_out, k_fold, manifest_bytes
from snellen.training.choices import Choice
from snellen.training.data.loading import memory_for_data
from snellen.training.data.parts import Order
from snellen.training.data.resident import ResidentPart
from snellen.training.data.shard_files import expanded
from snellen.training.data.source import open_data
from snellen.training.data.streamed import StreamedPart


def opened(path, **options):
    task = options.pop("task", "auto")
    return open_data(Choice(str(path), options, "run.toml line 1 data"), task=task)


def save(path: Path, value: int, size=(4, 3), mode: str = "L") -> None:
    """Save an image of one colour; size is width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 255 - value)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Twelve images of cat, ten, two: image i has the grey value i."""
    names = [f"{name}/{i}.png" for name in ("cat", "10", "2") for i in range(4)]
    for value, name in enumerate(names):
        save(tmp_path / "set" / name, value)
    return tmp_path / "set"


def grey_by_id(part) -> dict[str, int]:
    found = {}
    for batch in part.batches(Order(part.n, 3, shuffled=False), 0):
        for row, image in zip(batch.rows.tolist(), batch.inputs, strict=True):
            assert len(image.unique()) == 1
            found[part.ids[row]] = int(image.flatten()[0])
    return found


@pytest.mark.parametrize("keep", ["device", "stream"])
def test_class_folders(folder, keep):
    data = opened(folder, keep=keep, validation=3, test=0.25)
    # Numbers come first, by value.
    assert data.classes.names == ("2", "10", "cat")
    assert [(name, part.n) for name, part in data.parts()] == [
        ("train", 6),
        ("validation", 3),
        ("test", 3),
    ]
    grey = {}
    for _, part in data.parts():
        assert isinstance(part, ResidentPart if keep == "device" else StreamedPart)
        assert part.input_shape == (1, 3, 4)
        grey |= grey_by_id(part)
        for name, target in zip(part.ids, part.targets.tolist(), strict=True):
            assert data.classes.names[target] == name.split("/")[0]
    assert grey["cat/0.png"] == 0
    assert grey["10/0.png"] == 4
    assert grey["2/3.png"] == 11
    assert torch.bincount(data.test.targets).tolist() == [1, 1, 1]


def test_the_test_part_does_not_depend_on_the_validation_part(folder):
    parts = [opened(folder, test=0.25, validation=v).test.ids for v in (0, 3, 0.5)]
    assert parts[0] == parts[1] == parts[2]


def test_folders_of_parts(tmp_path):
    for part, values in (("train", [1, 2]), ("val", [3]), ("test", [4])):
        for value in values:
            save(tmp_path / part / "a" / f"{value}.png", value)
            save(tmp_path / part / "b" / f"{value}.png", value)
    data = opened(tmp_path)
    assert [(name, part.n) for name, part in data.parts()] == [
        ("train", 4),
        ("validation", 2),
        ("test", 2),
    ]
    assert grey_by_id(data.validation) == {"val/a/3.png": 3, "val/b/3.png": 3}


def test_a_class_that_only_the_test_part_has(tmp_path):
    save(tmp_path / "train" / "a" / "1.png", 1)
    save(tmp_path / "train" / "b" / "1.png", 1)
    save(tmp_path / "test" / "c" / "1.png", 1)
    with pytest.raises(ClassError, match="classes of test that are in train too, got c"):
        opened(tmp_path, validation=0)


def test_a_class_that_a_part_lacks_is_said(tmp_path):
    for name in ("a", "b"):
        save(tmp_path / "train" / name / "1.png", 1)
    save(tmp_path / "test" / "a" / "1.png", 1)
    assert opened(tmp_path, validation=0).notes == ("test has no sample of 1 class: b",)


def test_an_empty_part(tmp_path):
    save(tmp_path / "train" / "a" / "1.png", 1)
    (tmp_path / "test" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match="images in the part test, there are none - at"):
        opened(tmp_path, validation=0)


@pytest.mark.parametrize("keep", ["device", "stream"])
def test_damaged_images_are_named_counted_and_left_out(folder, keep):
    whole = (folder / "cat" / "1.png").read_bytes()
    (folder / "cat" / "1.png").write_bytes(whole[:45])
    (folder / "10" / "2.png").write_bytes(b"no image")
    data = opened(folder, keep=keep, validation=0)
    assert data.train.n == 10
    assert {"cat/1.png", "10/2.png"}.isdisjoint(data.train.ids)
    assert data.notes == (
        "1 image that cannot be read left out: 10/2.png",
        "1 file that cannot be read left out: cat/1.png",
    )
    assert set(grey_by_id(data.train)) == set(data.train.ids)
    with pytest.raises(SchemaError, match=r"2\.png"):
        opened(folder, keep=keep, validation=0, strict=True)


def test_streams_whose_heads_alone_were_read_fail_at_the_damaged_image(folder):
    whole = (folder / "cat" / "1.png").read_bytes()
    (folder / "cat" / "1.png").write_bytes(whole[:45])
    data = opened(folder, keep="stream", check="head", validation=0)
    assert data.train.n == 12
    with pytest.raises(SchemaError, match=r"expected a whole image, got: .*cat/1\.png"):
        list(data.train.batches(Order(12, 4), 0))


def test_images_of_several_sizes_need_a_size(folder):
    save(folder / "cat" / "9.png", 9, size=(8, 8))
    with pytest.raises(InputError, match=r"3 × 4 .* and 8 × 8 \(cat/9.png\).*image_size"):
        opened(folder)
    assert opened(folder, image_size=[6, 5]).train.input_shape == (1, 6, 5)
    assert opened(folder, image_size=6).train.input_shape == (1, 6, 6)


def test_cropping_keeps_proportions_and_stretching_keeps_all(tmp_path):
    # Left half 0, right half 255, twice as wide as high.
    pixels = np.zeros((8, 16), np.uint8)
    pixels[:, 8:] = 255
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for name in ("a", "b"):
        Image.fromarray(pixels).save(tmp_path / name / "1.png")
    crop = opened(tmp_path, image_size=8, validation=0).train.inputs[0, 0]
    # The middle 8 columns: 4 black, 4 white.
    assert crop[0].tolist() == [0] * 4 + [255] * 4
    stretch = opened(tmp_path, image_size=8, fit="stretch", validation=0).train.inputs[0, 0]
    assert (stretch[0, 0], stretch[0, -1]) == (0, 255)


def test_colours_and_grey(folder):
    assert opened(folder, mode="RGB").train.input_shape == (3, 3, 4)
    save(folder / "cat" / "9.png", 200, mode="RGB")
    data = opened(folder, validation=0)
    row = data.train.ids.index("cat/9.png")
    assert data.train.inputs[row, :, 0, 0].tolist() == [200, 0, 55]
    assert data.train.inputs[data.train.ids.index("cat/3.png"), :, 0, 0].tolist() == [3, 3, 3]
    assert opened(folder, mode="L").train.input_shape == (1, 3, 4)


def test_grey_of_sixteen_bits_keeps_its_high_byte(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.fromarray(np.full((2, 2), 0x1234, np.uint16)).save(tmp_path / name / "1.png")
    assert opened(tmp_path, validation=0).train.inputs.unique().tolist() == [0x12]


def test_pictures_that_lie_on_their_side_are_put_up(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 2), 9).save(tmp_path / name / "1.png", exif=exif)
    assert opened(tmp_path, validation=0).train.input_shape == (1, 4, 2)


def test_arrays_as_images(tmp_path):
    for name, value in (("a", 1.5), ("b", 2.5)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "1.npy", np.full((5, 6, 3), value))
    data = opened(tmp_path, validation=0)
    assert data.train.inputs.shape == (2, 3, 5, 6)
    assert data.train.inputs[:, 0, 0, 0].tolist() == [1.5, 2.5]
    np.save(tmp_path / "a" / "2.npy", np.full((5, 6, 3), np.nan))
    data = opened(tmp_path, validation=0)
    assert data.train.n == 2
    assert "2.npy" in data.notes[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"imagesize": 3}, r'option of a folder of classes, got "imagesize"\. Did you mean'),
        ({"mode": "rgb"}, "mode"),
        ({"validation": 12}, "part validation of 1 to 11 of 12 samples, or a share of them, got"),
        ({"validation": -0.1}, "part validation of 1 to 11"),
        ({"image_size": 0}, "image_size from 1"),
        ({"fold": 2}, "a manifest"),
        ({"threads": 0, "keep": "stream"}, "threads from 1"),
        ({"threads": 0}, "threads from 1, got 0"),
        ({"threads": -1}, "threads from 1, got -1"),
    ],
)
def test_options_that_cannot_be(folder, options, message):
    with pytest.raises(InputError, match=message) as caught:
        opened(folder, **options)
    assert "run.toml line 1 data" in str(caught.value)


def test_what_is_not_there_or_no_data(tmp_path):
    with pytest.raises(InputError, match='Did you mean "fashion-mnist"'):
        opened("fashon-mnist")
    (tmp_path / "x.docx").write_text("x")
    with pytest.raises(SchemaError, match=r"got a file \.docx"):
        opened(tmp_path / "x.docx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SchemaError, match="a folder of images for each class"):
        opened(tmp_path / "empty")


# ---- Manifests ----------------------------------------------------------------------------------


def write_manifest(folder: Path, path: Path, *, folds: int | None = None) -> None:
    keys = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    labels = [key.split("/")[0] for key in keys]
    if folds:
        result = k_fold(keys, folds, labels=labels, repeats=2)
    else:
        result = hold_out(keys, "50/25/25", labels=labels)
    path.write_bytes(manifest_bytes(result, {}))


def test_the_parts_of_a_manifest(folder, tmp_path):
    write_manifest(folder, folder / "split.csv")
    data = opened(folder / "split.csv")
    assert [(name, part.n) for name, part in data.parts()] == [
        ("train", 6),
        ("validation", 3),
        ("test", 3),
    ]
    assert data.classes.names == ("2", "10", "cat")
    for _, part in data.parts():
        for name, target in zip(part.ids, part.targets.tolist(), strict=True):
            assert data.classes.names[target] == name.split("/")[0]
    beside = opened(folder, split=str(folder / "split.csv"))
    assert {n: sorted(p.ids) for n, p in beside.parts()} == {
        n: sorted(p.ids) for n, p in data.parts()
    }
    (folder / "split.csv").rename(tmp_path / "split.csv")
    with pytest.raises(InputError, match=r"none is there .*root"):
        opened(tmp_path / "split.csv")
    moved = opened(tmp_path / "split.csv", root=str(folder))
    assert moved.train.ids == data.train.ids


def test_the_folds_of_a_manifest(folder, tmp_path):
    path = tmp_path / "folds.csv"
    write_manifest(folder, path, folds=3)
    data = opened(path, root=str(folder))
    assert [(name, part.n) for name, part in data.parts()] == [("train", 8), ("validation", 4)]
    folds = [data.fold(k, 3) for k in range(3)]
    assert sorted(name for fold in folds for name in fold.validation.ids) == sorted(
        data.train.ids + data.validation.ids
    )
    for k, fold in enumerate(folds):
        named = opened(path, root=str(folder), fold=k + 1)
        assert sorted(named.validation.ids) == sorted(fold.validation.ids)
        assert set(fold.train.ids).isdisjoint(fold.validation.ids)
        assert fold.test is None
    second = opened(path, root=str(folder), split_round=2)
    assert sorted(second.validation.ids) != sorted(data.validation.ids)
    with pytest.raises(InputError, match="the 3 folds of the manifest, got 4"):
        data.fold(0, 4)
    with pytest.raises(InputError, match="a fold from 1 to 3, got 4"):
        opened(path, root=str(folder), fold=4)
    with pytest.raises(InputError, match="a round from 1 to 2, got 3"):
        opened(path, root=str(folder), split_round=3)


def test_images_of_a_manifest_that_are_gone(folder):
    write_manifest(folder, folder / "split.csv")
    (folder / "cat" / "1.png").unlink()
    data = opened(folder / "split.csv")
    assert "1 image that cannot be read left out" in data.notes[0]
    with pytest.raises(InputError, match="12 samples of the manifest, 1 are not there"):
        opened(folder, split=str(folder / "split.csv"))


# ---- Tables -------------------------------------------------------------------------------------


def test_a_table_of_numbers(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"r{i},{i},{2 * i},{i / 2},note" for i in range(10)]
    path.write_text("\n".join(["id,a,b,target,comment", *rows]))
    data = opened(path)
    assert (data.task, data.n_outputs, data.classes) == ("regression", 1, None)
    assert [(n, p.n) for n, p in data.parts()] == [("train", 9), ("validation", 1)]
    assert data.description["features"] == ["a", "b"]
    assert data.notes == ("columns not used: comment",)
    for name, row, target in zip(
        data.train.ids, data.train.inputs, data.train.targets, strict=True
    ):
        i = int(name[1:])
        assert row.tolist() == [i, 2 * i]
        assert target.tolist() == [i / 2]
    both = opened(path, target=["target", "b"], features=["a"], validation=0)
    assert both.n_outputs == 2
    assert both.train.targets[3].tolist() == [1.5, 6.0]


@pytest.mark.parametrize("index", ["Unnamed: 0", "__index_level_0__"])
def test_the_numbers_of_rows_are_no_feature(tmp_path, index):
    path = tmp_path / "t.csv"
    path.write_text("\n".join([f"{index},a,target", *(f"{i},{9 - i},{i / 2}" for i in range(10))]))
    assert opened(path).description["features"] == ["a"]


def test_a_table_of_classes_and_parts(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i},{'xy'[i % 2]},{'train' if i < 6 else 'test'}" for i in range(8)]
    path.write_text("\n".join(["a,class,part", *rows]))
    data = opened(path, validation=2)
    assert data.classes.names == ("x", "y")
    assert [(n, p.n) for n, p in data.parts()] == [("train", 4), ("validation", 2), ("test", 2)]
    assert data.test.targets.tolist() == [0, 1]
    assert data.test.inputs.flatten().tolist() == [6, 7]


def test_whole_numbers_are_classes_or_amounts(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1.5,0\n2.5,1\n3.5,0\n")
    data = opened(path, target="y", validation=0)
    assert data.task == "classification"
    assert 'say task = "regression"' in data.notes[0]
    data = opened(path, target="y", validation=0, task="regression")
    assert data.train.targets.tolist() == [[0.0], [1.0], [0.0]]
    assert data.notes == ()


def test_a_table_of_images(folder):
    keys = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    lines = [f"{key},{len(key) + i / 2}" for i, key in enumerate(keys)]
    (folder / "t.csv").write_text("\n".join(["file,age", *lines]))
    data = opened(folder / "t.csv", target="age", keep="stream", validation=2)
    assert data.task == "regression"
    assert isinstance(data.train, StreamedPart)
    batch = next(iter(data.train.batches(Order(10, 10, shuffled=False), 0)))
    assert batch.targets.shape == (10, 1)
    for row, target in zip(batch.rows.tolist(), batch.targets, strict=True):
        i = keys.index(data.train.ids[row])
        assert target.item() == len(keys[i]) + i / 2


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n", {}, "a column to predict"),
        ("a,y\n1,nan\n2,1\n", {"target": "y"}, "NaN or infinity in 1 rows - at .*line 2"),
        ("a,y\nnan,1.5\n2,2.5\n", {"target": "y"}, "finite inputs, got NaN or infinity in 1 of 2"),
        ("a,y\nu,1.5\nv,2.5\n", {"target": "y"}, "columns of numbers"),
        ("a,y\n1,x\n2,\n", {"target": "y"}, "a cell in y, got nothing - at .*line 3"),
        ("a,y,part\n1,x,train\n2,x,tset\n", {"target": "y"}, 'got "tset" - at .*line 3'),
        ("a,y,part\n1,x,test\n2,x,test\n", {"target": "y"}, "rows of train in part, got none"),
        ("a,y\n1,x\n2,y\n", {"target": "z"}, 'a column "z"'),
        ("a,y\n1,x\n2,y\n", {"target": ()}, "columns as target, got none"),
        ("a,y\n1,x\n2,y\n", {"target": "y", "features": ()}, "columns as features, got none"),
        (
            "name,a,y,part\nu,1,p,train\nu,2,q,train\nv,3,p,test\nw,4,q,test\nv,5,q,test\n",
            {"target": "y"},
            r"test part once, got 1 that come again: v: .*\(id_column\)",
        ),
    ],
)
def test_tables_that_cannot_be_trained_on(tmp_path, text, options, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        opened(tmp_path / "t.csv", validation=0, **options)


# ---- Label maps ---------------------------------------------------------------------------------


@pytest.fixture
def scenes(tmp_path):
    """Six images of 6 × 8 pixels: the left half class 0, the right half class i % 2 + 1."""
    for i in range(6):
        save(tmp_path / "s" / "images" / f"{i}.png", i, size=(8, 6))
        label = np.zeros((6, 8), np.uint8)
        label[:, 4:] = i % 2 + 1
        label[0, 0] = 255
        (tmp_path / "s" / "labels").mkdir(exist_ok=True)
        Image.fromarray(label).save(tmp_path / "s" / "labels" / f"{i}.png")
    return tmp_path / "s"


@pytest.mark.parametrize("keep", ["device", "stream"])
def test_images_and_label_maps(scenes, keep):
    data = opened(scenes, keep=keep, validation=2)
    assert (data.task, data.n_outputs) == ("segmentation", 3)
    assert (data.train.n, data.validation.n, data.test) == (4, 2, None)
    (batch,) = data.train.batches(Order(4, 4), 0)
    assert batch.targets.dtype == torch.int64
    assert batch.targets.shape == (4, 6, 8)
    for row, image, target in zip(batch.rows.tolist(), batch.inputs, batch.targets, strict=True):
        i = int(data.train.ids[row].split(".")[0])
        assert image.unique().tolist() == [i]
        assert target[0, 0] == 255
        assert target[1, 0] == 0
        assert target[1, 7] == i % 2 + 1


@pytest.mark.parametrize("name", ["truth", "masks", "annotations", "gt"])
def test_label_maps_by_other_names(scenes, name):
    (scenes / "labels").rename(scenes / name)
    data = opened(scenes, validation=0)
    assert (data.task, data.train.n, data.n_outputs) == ("segmentation", 6, 3)


def test_label_maps_follow_the_size_without_mixing_classes(scenes):
    data = opened(scenes, image_size=3, validation=0, classes=["ground", "a", "b"])
    assert data.train.targets.shape == (6, 3, 3)
    assert set(data.train.targets.unique().tolist()) <= {0, 1, 2, 255}
    assert data.classes.names == ("ground", "a", "b")


def test_parts_of_images_and_label_maps(scenes, tmp_path):
    for layout in ("outside", "inside"):
        for part, names in (("train", "012"), ("test", "345")):
            for kind in ("images", "labels"):
                way = (part, kind) if layout == "outside" else (kind, part)
                target = tmp_path.joinpath(layout, *way)
                target.mkdir(parents=True)
                for name in names:
                    content = (scenes / kind / f"{name}.png").read_bytes()
                    (target / f"{name}.png").write_bytes(content)
        data = opened(tmp_path / layout, validation=0)
        assert [(n, p.n) for n, p in data.parts()] == [("train", 3), ("test", 3)]


def test_label_maps_that_do_not_fit(scenes):
    with pytest.raises(ClassError, match="class ids from 0 to 1 and 255 for void, got 2"):
        opened(scenes, classes=2)
    Image.new("L", (3, 3), 0).save(scenes / "labels" / "4.png")
    with pytest.raises(InputError, match=r"6 × 8 pixels, as the image has, got 3 × 3 - at .*4.png"):
        opened(scenes, strict=True)
    data = opened(scenes, validation=0)
    assert data.train.n == 5
    assert "4.png" in data.notes[0]
    (scenes / "labels" / "4.png").unlink()
    with pytest.raises(InputError, match=r"each of 6 images, 1 have none \(4.png\)"):
        opened(scenes)


# ---- Shards -------------------------------------------------------------------------------------


def write_shard(path: Path, samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for key, files in samples:
            for suffix, content in files.items():
                if not isinstance(content, bytes):
                    data = io.BytesIO()
                    Image.new("L", (4, 3), content).save(data, "PNG")
                    content = data.getvalue()
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


@pytest.fixture
def shards(tmp_path):
    for shard in range(3):
        write_shard(
            tmp_path / f"{shard:02d}.tar",
            [
                (f"d/{i:03d}", {"png": i, "cls": str(i % 2).encode()})
                for i in range(shard * 4, shard * 4 + 4)
            ],
        )
    return tmp_path


@pytest.mark.parametrize("keep", ["device", "stream"])
def test_shards(shards, keep):
    data = opened(f"{shards}/{{00..01}}.tar", test=f"{shards}/02.tar", validation=2, keep=keep)
    assert [(n, p.n) for n, p in data.parts()] == [("train", 6), ("validation", 2), ("test", 4)]
    assert data.test.ids == [f"02.tar/d/{i:03d}" for i in range(8, 12)]
    assert data.test.targets.tolist() == [0, 1, 0, 1]
    for _, part in data.parts():
        for name, value in grey_by_id(part).items():
            assert int(name[-3:]) == value
    assert opened(shards, validation=0).train.n == 12


def test_targets_of_shards_in_json(tmp_path):
    write_shard(
        tmp_path / "a.tar",
        [
            (f"{i}", {"json": json.dumps({"age": i / 2, "label": "xy"[i % 2]}).encode(), "png": i})
            for i in range(4)
        ],
    )
    data = opened(tmp_path / "a.tar", validation=0)
    assert data.classes.names == ("x", "y")
    data = opened(tmp_path / "a.tar", validation=0, target="age")
    assert data.task == "regression"
    assert data.train.targets.tolist() == [[0.0], [0.5], [1.0], [1.5]]
    with pytest.raises(SchemaError, match=r'expected "size", got age, label'):
        opened(tmp_path / "a.tar", target="size")
    files = [{"json": json.dumps({"label": label}).encode(), "png": 0} for label in ("x", None)]
    write_shard(tmp_path / "b.tar", [(f"{i}", each) for i, each in enumerate(files)])
    with pytest.raises(SchemaError, match=r"expected a target, got null - at .*b\.tar 1\.json"):
        opened(tmp_path / "b.tar", validation=0)


def test_shards_that_cannot_be_read(tmp_path):
    write_shard(tmp_path / "a.tar", [("0", {"png": 1})])
    with pytest.raises(SchemaError, match=r"a \.cls, \.json or \.txt beside the image"):
        opened(tmp_path / "a.tar")
    write_shard(tmp_path / "b.tar", [("0", {"cls": b"1"})])
    with pytest.raises(SchemaError, match="one image of each sample"):
        opened(tmp_path / "b.tar")
    write_shard(tmp_path / "c.tar", [("0", {"cls": b"1", "png": 1}), ("0", {"cls": b"2"})])
    with pytest.raises(IdError, match=r"one \.cls of 0, got two"):
        opened(tmp_path / "c.tar")
    (tmp_path / "d.tar").write_bytes(b"x" * 2000)
    with pytest.raises(SchemaError, match="expected a tar file"):
        opened(tmp_path / "d.tar")
    with pytest.raises(InputError, match="No such file"):
        opened(tmp_path / "e.tar")
    write_shard(
        tmp_path / "f.tar",
        [("0", {"cls": b"0", "png": b"bad"}), ("1", {"cls": b"0", "png": 1})],
    )
    data = opened(tmp_path / "f.tar", validation=0)
    assert (data.train.n, data.notes) == (
        1,
        ("1 image that cannot be read left out: f.tar/0",),
    )


def test_patterns_of_shards():
    assert expanded("a{8..10}b{0..1}") == ["a8b0", "a8b1", "a9b0", "a9b1", "a10b0", "a10b1"]
    with pytest.raises(InputError, match="the lower number first"):
        expanded("a{3..1}")


def test_a_quarter_of_the_memory_is_for_data():
    assert 0 < memory_for_data() < 1 << 46


def test_parts_of_other_names(folder):
    keys = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    split = hold_out(
        keys, "50/50", labels=[key.split("/")[0] for key in keys], names=["a", "train"]
    )
    (folder / "split.csv").write_bytes(manifest_bytes(split, {}))
    with pytest.raises(SchemaError, match="parts called train, val and test, got a: split anew"):
        opened(folder / "split.csv")


def test_a_manifest_without_a_part_to_train_on(folder):
    manifest = folder / "split.csv"
    write_manifest(folder, manifest)
    text = manifest.read_text()
    manifest.write_text(text.replace(",train,", ",val,"))
    for place, options in ((folder, {"split": str(manifest)}), (manifest, {})):
        with pytest.raises(InputError, match="part train in the manifest, got validation, test"):
            opened(place, **options)


def test_a_manifest_without_labels(folder):
    keys = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.png"))
    (folder / "split.csv").write_bytes(manifest_bytes(hold_out(keys, "50/50"), {}))
    with pytest.raises(SchemaError, match="a column label"):
        opened(folder / "split.csv")
    assert opened(folder, split=str(folder / "split.csv"), validation=0).test.n == 6
