"""What is typed for a model: prefixes, files, settings, names, and images' preprocessing."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from snellen.benchmark.model import LoadOptions
from snellen.benchmark.output_names import chosen_class_names, class_names_of, read_class_names
from snellen.benchmark.outputs import (
    chosen_scores,
    of_sum_one,
    probabilities_of_yes_or_no,
    score_rows,
)
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.preprocessing_settings import (
    PRESETS,
    Takes,
    chosen_preprocessing,
    refuse_unknown_settings,
)
from snellen.benchmark.sources import display_names, is_predictions, load_model, parsed
from snellen.errors import ClassError, InputError, SchemaError, ShapeError

# ---- What was typed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "prefix", "name", "settings"),
    [
        ("keras:ResNet50", "keras", "ResNet50", {}),
        ("onnx:a/b.onnx,resize=256,crop=224", "onnx", "a/b.onnx", {"resize": "256", "crop": "224"}),
        ("torch:pkg.nets:make,mean=0.1:0.2:0.3", "torch", "pkg.nets:make", {"mean": "0.1:0.2:0.3"}),
        # Commas before the first setting are the file's.
        ("onnx:big, old.onnx,name=Big", "onnx", "big, old.onnx", {"name": "Big"}),
        ("nets/small.onnx,scale=1/255", "onnx", "nets/small.onnx", {"scale": "1/255"}),
        ("x.pt2", "torch", "x.pt2", {}),
        ("x.PT2", "torch", "x.PT2", {}),
        ("x.keras", "keras", "x.keras", {}),
        ("x.hdf5", "keras", "x.hdf5", {}),
        ("weights.safetensors", "snellen", "weights.safetensors", {}),
        ("p.csv.gz", "predictions", "p.csv.gz", {}),
        ("predictions:p.npy,missing=ignore", "predictions", "p.npy", {"missing": "ignore"}),
        ("timm:vit_small_patch16_224.augreg", "timm", "vit_small_patch16_224.augreg", {}),
        # Colons in a bare file's settings are no prefix.
        ("a.onnx,mean=0.5:0.5:0.5", "onnx", "a.onnx", {"mean": "0.5:0.5:0.5"}),
    ],
)
def test_taken_apart(text: str, prefix: str, name: str, settings: dict[str, str]) -> None:
    found = parsed(text)
    assert (found.prefix, found.name, found.settings, found.text) == (prefix, name, settings, text)
    assert is_predictions(text) == (prefix == "predictions")


def test_a_run_folder_needs_no_prefix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"got one without network\.json"):
        parsed(str(tmp_path))
    (tmp_path / "network.json").write_text("{}")
    assert parsed(str(tmp_path)).prefix == "snellen"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kerras:ResNet50", r'got "kerras"\. Did you mean "keras"\?'),
        ("tensorflow:x", "a prefix of keras, onnx, predictions, snellen, timm, torch, torchvision"),
        ("ResNet50", r'a name without prefix\. Perhaps "keras:ResNet50"\?'),
        ("nets.small:make", r'Perhaps "torch:nets.small:make"\?'),
        ("nets:make", r'got "nets"\. Perhaps "torch:nets:make", of a function\?'),
        ("small.onx", r'a name without prefix\. Did you mean "\.onnx"\?'),
        ("a.onnx,Crop=224", 'expected a setting as key=value, got "Crop=224"'),
        ("keras:a.h5,crop", 'expected a setting as key=value, got "crop"'),
        ("onnx:", "expected the name of a model, got none"),
        ("onnx:a.onnx,crop=224,resize", 'expected a setting as key=value, got "resize"'),
        ("onnx:a.onnx,crop=", 'expected a setting as key=value, got "crop="'),
        ("onnx:a.onnx,crop=1,crop=2", 'expected each setting once, got "crop" twice'),
    ],
)
def test_texts_that_stand_for_no_model(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parsed(text)


def test_a_file_of_an_unknown_kind(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"")
    with pytest.raises(InputError, match="got a file of an unknown kind"):
        parsed(str(tmp_path / "x.bin"))


def test_names_to_show() -> None:
    texts = ["a/net.onnx", "b/net.onnx", "torch:nets:small", "keras:ResNet50", "preds/x.csv.gz"]
    assert display_names(texts) == ["a/net.onnx", "b/net.onnx", "small", "ResNet50", "x"]
    # The same file twice, once with another size; a name that is given stays.
    texts = ["a.onnx", "a.onnx", "a.onnx,size=64", "b.onnx,name=a"]
    assert display_names(texts) == ["a.onnx (1)", "a.onnx (2)", "a.onnx,size=64", "a"]
    assert display_names(["timm:vit_small.augreg_in21k"]) == ["vit_small.augreg_in21k"]
    with pytest.raises(InputError, match='expected each name once, got "a" 2 times'):
        display_names(["x.onnx,name=a", "y.onnx,name=a"])


def test_what_is_refused_before_anything_is_loaded() -> None:
    with pytest.raises(InputError, match="got stored predictions, which run nowhere"):
        load_model("predictions:x.csv")
    with pytest.raises(InputError, match=r'got "cuda0"\. Did you mean "cuda"\?'):
        load_model("onnx:x.onnx", device="cuda0")
    with pytest.raises(InputError, match="expected a whole number from 1, got 0"):
        load_model("onnx:x.onnx", threads=0)


# ---- Other packages' prefixes -------------------------------------------------------------------


def installed(root: Path, prefix: str, target: str, module: str) -> None:
    (root / "strange_nets.py").write_text(module)
    information = root / "strange_nets-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: strange-nets\nVersion: 1\n")
    (information / "entry_points.txt").write_text(f"[snellen.models]\n{prefix} = {target}\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "strange_nets", raising=False)
    return tmp_path


def test_a_prefix_of_another_package(packages: Path) -> None:
    installed(packages, "strange", "strange_nets:load", "def load(*all): return all")
    loaded = load_model("strange:net,crop=5,name=N", device="cpu", threads=2)
    # `name` is for people: the source does not see it.
    assert loaded == ("net", LoadOptions("cpu", 2, {"crop": "5"}))
    with pytest.raises(InputError, match=r'Did you mean "strange"\?'):
        parsed("strangee:net")


def test_a_package_cannot_take_a_prefix_of_ours(packages: Path) -> None:
    installed(packages, "onnx", "strange_nets:load", "def load(*all): return all")
    pytest.importorskip("onnxruntime")
    with pytest.raises(InputError, match="expected an ONNX file, there is none"):
        load_model("onnx:none.onnx")


@pytest.mark.parametrize(
    ("target", "module", "said"),
    [
        ("strange_nets:load", "raise RuntimeError('no\\nluck')", r"\(strange-nets\).*: no luck"),
        ("strange_nets:missing", "", "cannot be imported: module 'strange_nets' has no attribute"),
        ("strange_nets:load", "load = 5", r"got int from strange_nets:load \(strange-nets\)"),
    ],
)
def test_a_broken_package(packages: Path, target: str, module: str, said: str) -> None:
    installed(packages, "strange", target, module)
    with pytest.raises(InputError, match=said):
        load_model("strange:net")


# ---- Preprocessing ------------------------------------------------------------------------------


def chosen(takes: Takes | None = None, own: Preprocessing | None = None, **settings: str) -> object:
    return chosen_preprocessing(settings, own, "net", takes or Takes())


def test_presets_are_what_the_libraries_do() -> None:
    imagenet = chosen(preset="imagenet")
    assert imagenet == Preprocessing(
        224, 224, 256, scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    )
    image = np.array([[[0, 128, 255]]], np.uint8)
    tf = chosen(preset="imagenet-tf", size="1", resize="none")
    assert tf.batch([image]).ravel() == pytest.approx([-1, 128 / 127.5 - 1, 1], abs=1e-6)
    caffe = chosen(preset="imagenet-caffe", size="1", resize="none")
    assert caffe.batch([image]).ravel() == pytest.approx(
        [255 - 103.939, 128 - 116.779, 0 - 123.68], rel=1e-5
    )
    unit = chosen(preset="unit", size="1")
    assert unit.batch([image]).ravel() == pytest.approx([0, 128 / 255, 1])
    assert chosen(preset="bytes", size="1").batch([image]).ravel().tolist() == [0, 128, 255]
    assert set(PRESETS) == {"imagenet", "imagenet-tf", "imagenet-caffe", "unit", "bytes"}


def test_single_settings() -> None:
    found = chosen(
        resize="40",
        crop="32x24",
        interpolation="cubic",
        channels="bgr",
        scale="1/255",
        mean="0.1:0.2:0.3",
        std="0.5",
        layout="nhwc",
    )
    assert found == Preprocessing(
        *(32, 24, 40, "bicubic", "BGR", 1 / 255, (0.1, 0.2, 0.3), (0.5,)),
        layout="channels_last",
    )
    assert chosen(size="8", dtype="bytes", colours="grey") == Preprocessing(
        8, 8, colours="L", dtype="uint8"
    )
    assert chosen(size="8", scale="2", fit="fill").fit == "fill"


def test_settings_change_what_the_model_knows() -> None:
    own = Preprocessing(20, 30, 25, "lanczos", scale=0.5, mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))
    assert chosen(own=own) == own
    assert chosen(own=own, resize="50").shorter_side == 50
    stretched = chosen(own=own, resize="none")
    assert (stretched.fit, stretched.shorter_side, stretched.scale) == ("stretch", None, 0.5)
    assert chosen(own=own, fit="fill").shorter_side is None
    # What was of red stays of red.
    turned = chosen(own=own, colours="BGR")
    assert (turned.mean, turned.std) == ((3.0, 2.0, 1.0), (6.0, 5.0, 4.0))
    given = chosen(own=own, colours="BGR", mean="7:8:9")
    assert (given.mean, given.std) == ((7.0, 8.0, 9.0), (6.0, 5.0, 4.0))
    # A preset that leaves the size open keeps it.
    unit = chosen(own=own, preset="unit")
    assert (unit.height, unit.width, unit.shorter_side, unit.filter) == (20, 30, 25, "lanczos")
    assert (unit.scale, unit.mean) == (1 / 255, (0.0,))


def test_what_the_network_takes_is_filled_in() -> None:
    takes = Takes(10, 12, 1, "channels_last", "float32")
    found = chosen(takes, scale="1/255")
    assert found == Preprocessing(
        10, 12, colours="L", scale=1 / 255, layout="channels_last", fit="stretch"
    )
    # Bytes need no more to be known.
    assert chosen(Takes(4, 4, 3, "channels_first", "uint8")).dtype == "uint8"


@pytest.mark.parametrize(
    ("takes", "settings", "said"),
    [
        (Takes(8, 8), {}, r"nothing is known of how the images .*preset=imagenet.* - at net$"),
        (Takes(8, 8), {"resize": "9"}, "nothing is known"),
        (Takes(), {"preset": "unit"}, 'the network leaves open: say it, as in ",size=224"'),
        (Takes(299, 299), {"preset": "imagenet"}, r'takes 299 × 299: say ",size=299x299"'),
        (
            Takes(8, 8, 1),
            {"preset": "imagenet", "size": "8", "resize": "9"},
            r'images in RGB, the network takes 1 of a pixel: say ",colours=L"',
        ),
        (
            Takes(layout="channels_first"),
            {"preset": "imagenet", "layout": "nhwc"},
            "expected channels_last, the network takes channels_first",
        ),
        (
            Takes(dtype="uint8"),
            {"preset": "imagenet"},
            r"expected bytes as they are .* got a scale, mean or std.*preset=bytes",
        ),
        (Takes(dtype="float32"), {"preset": "imagenet", "dtype": "uint8"}, "takes float32"),
        (Takes(), {"preset": "imagnet"}, r'got "imagnet"\. Did you mean "imagenet"\?'),
        (Takes(), {"preset": "imagenet", "filter": "bicubc"}, r'Did you mean "bicubic"\?'),
        # 256 is for 224, and would show a small or too large a part of the image.
        (Takes(), {"preset": "imagenet", "crop": "299"}, r"beside the size 299 × 299.*resize=342"),
        (Takes(), {"preset": "imagenet", "crop": "64"}, r"256 belongs to 224 × 224.*resize=73"),
        (
            Takes(),
            {"preset": "imagenet", "size": "0"},
            "whole number from 1, got .0. - at net size",
        ),
        (Takes(), {"preset": "imagenet", "size": "1x2x3"}, "a size N or HxW"),
        (Takes(), {"preset": "imagenet", "scale": "1/0"}, 'a number, got "1/0"'),
        (Takes(), {"preset": "imagenet", "mean": "0.4/0.4/0.4"}, 'several with ":" between'),
        (Takes(), {"preset": "imagenet", "mean": "1:2"}, r"one mean or 3, got 2 - at net$"),
        (Takes(8, 8, 1), {"scale": "1", "mean": "1:2:3"}, r"expected one mean, got 3 - at net$"),
        # Means of parts of 1 would be taken off bytes.
        (Takes(8, 8), {"mean": "0.5"}, r'multiplied by before mean and std, as in ",scale=1/255"'),
        (Takes(8, 8), {"std": "0.5", "size": "8"}, "multiplied by before mean and std"),
        (Takes(8, 8), {"dtype": "float32"}, "nothing is known"),
        (Takes(), {"preset": "imagenet", "size": "3", "crop": "4"}, "one of size and crop"),
        (Takes(), {"preset": "imagenet", "resize": "9", "fit": "fill"}, "got resize=9"),
        (Takes(8, 8), {"preset": "unit", "fit": "shorter"}, "with fit=shorter"),
    ],
)
def test_preprocessing_that_is_refused(takes: Takes, settings: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        chosen(takes, **settings)


def test_unknown_settings() -> None:
    refuse_unknown_settings({"crop": "5"}, ("crop", "resize"), "net")
    with pytest.raises(InputError, match=r'got "crops"\. Did you mean "crop"\? - at net'):
        refuse_unknown_settings({"crops": "5"}, ("crop", "resize"), "net")
    with pytest.raises(InputError, match=r"There are crop, resize - at net"):
        refuse_unknown_settings({"batch": "5"}, ("resize", "crop"), "net")


# ---- Names of classes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "cat\n dog \n\n", ("cat", "dog")),
        ("a.txt", "n01440764 tench, Tinca tinca\nn01443537 goldfish\n", ("n01440764", "n01443537")),
        ("a.json", '["cat", "dog"]', ("cat", "dog")),
        ("a.json", '{"1": "dog", "0": "cat"}', ("cat", "dog")),
        ("a.json", '{"dog": 1, "cat": 0}', ("cat", "dog")),
        ("a.json", '{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}', None),
        # Two words of ImageNet stand for two classes each: both stay.
        ("a.txt", "crane\ncrane\n", ("crane", "crane")),
    ],
)
def test_files_of_names(
    tmp_path: Path, name: str, content: str, expected: tuple[str, ...] | None
) -> None:
    (tmp_path / name).write_text(content)
    found = read_class_names(tmp_path / name)
    assert found == (expected or ("n01440764", "n01443537"))


def test_numbers_of_ten_and_more_are_in_order(tmp_path: Path) -> None:
    names = [f"c{k}" for k in range(12)]
    (tmp_path / "a.json").write_text(json.dumps({str(k): name for k, name in enumerate(names)}))
    assert read_class_names(tmp_path / "a.json") == tuple(names)


def test_names_in_metadata() -> None:
    assert class_names_of("{0: 'cat', 1: 'dog'}", "net names") == ("cat", "dog")
    assert class_names_of('["cat", "dog"]', "net names") == ("cat", "dog")


@pytest.mark.parametrize(
    ("name", "content", "kind", "said"),
    [
        ("a.txt", "cat\n\ndog", SchemaError, r"empty line - at .*a\.txt line 2"),
        ("a.txt", "", SchemaError, "got"),
        ("a.json", "{", SchemaError, "expected JSON"),
        ("a.json", "[]", SchemaError, "expected names of classes, got none"),
        ("a.json", "5", SchemaError, "expected names of classes, got none"),
        ("a.json", '{"0": "cat", "2": "dog"}', ClassError, "the numbers 0 … 1"),
        ("a.json", '["cat", 5]', ClassError, "expected a name of class 1, got 5"),
        ("a.json", '["cat", ""]', ClassError, "expected a name of class 1"),
    ],
)
def test_files_without_names(
    tmp_path: Path, name: str, content: str, kind: type[Exception], said: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(kind, match=said):
        read_class_names(tmp_path / name)


def test_as_many_names_as_scores(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("cat\ndog\n")
    settings = {"classes": str(tmp_path / "a.txt")}
    assert chosen_class_names({}, None, 2, "net") is None
    assert chosen_class_names({}, ["x", "y"], 2, "net") == ("x", "y")
    assert chosen_class_names(settings, ["x", "y"], 2, "net") == ("cat", "dog")
    with pytest.raises(ClassError, match=r"each of the 3 scores of net, got 2 - at .*a\.txt"):
        chosen_class_names(settings, None, 3, "net")
    with pytest.raises(ClassError, match="got 2 - at net"):
        chosen_class_names({}, ["x", "y"], 3, "net")


# ---- Scores -------------------------------------------------------------------------------------


def test_rows_of_scores() -> None:
    assert score_rows(np.zeros((2, 3, 1, 1), np.float16), 2, "net").shape == (2, 3)
    assert score_rows(np.zeros((2, 3), np.float16), 2, "net").dtype == np.float32
    assert score_rows(np.zeros((2, 3)), 2, "net").dtype == np.float64
    assert score_rows(np.zeros((2, 1, 1, 3)), 2, "net").shape == (2, 3)
    assert score_rows(np.zeros((2, 1, 1)), 2, "net").shape == (2, 1)
    for shape in [(2,), (2, 3, 2), (1, 3), (2, 0), (3, 2), (0, 1, 1), (2, 3, 1, 2)]:
        with pytest.raises(ShapeError, match=r"expected a score for each class, \(2, K\)"):
            score_rows(np.zeros(shape, np.float32), 2, "net")
    with pytest.raises(ShapeError, match="expected numbers from the network, got bool"):
        score_rows(np.zeros((2, 3), bool), 2, "net")


def test_what_scores_are() -> None:
    shares = np.array([[0.2, 0.8], [1.0, 0.0]])
    assert chosen_scores({}, shares, "net").scores == "probabilities"
    assert "taken for probabilities" in chosen_scores({}, shares, "net").notes[0]
    assert chosen_scores({}, shares, "net", softmax=True).notes == ()
    assert chosen_scores({}, shares, "net", known="logits") == ("logits", ())
    assert chosen_scores({"scores": "probabilities"}, shares, "net", known="logits").scores == (
        "probabilities"
    )
    assert chosen_scores({"scores": "logits"}, shares, "net") == ("logits", ())
    assert chosen_scores({}, shares * 2 - 0.5, "net") == ("logits", ())
    sigmoid = chosen_scores({}, np.array([[0.9, 0.8]]), "net", softmax=True)
    assert sigmoid.scores == "logits"
    assert "do not sum to 1" in sigmoid.notes[0]
    with pytest.raises(InputError, match=r'got "logit" - at net scores'):
        chosen_scores({"scores": "logit"}, shares, "net")


def test_probabilities_that_were_rounded() -> None:
    rounded = np.array([[0.497, 0.5]])  # in 8 bits 1/512 may be missing of each
    assert chosen_scores({}, rounded, "net").scores == "logits"
    assert chosen_scores({}, rounded, "net", half=True).scores == "probabilities"
    assert of_sum_one(rounded).sum() == pytest.approx(1, abs=1e-15)


def test_scores_that_are_not_what_was_said() -> None:
    said = {"scores": "probabilities"}
    for rows, got in [
        (np.array([[0.9, 0.8]]), r"sums of 1 ± 0\.7: leave"),
        (np.array([[-2.0, 3.0], [0.0, 1.0]]), "-2 … 3: leave"),
    ]:
        with pytest.raises(InputError, match=f"probabilities, from 0 to 1 and of sum 1, got {got}"):
            chosen_scores(said, rows, "net")


def test_probabilities_of_a_yes_or_no_for_each_class() -> None:
    # Sigmoids 1/2 and 3/4 of the logits 0 and ln 3: by their sum 2/5 and 3/5.
    found = probabilities_of_yes_or_no(np.array([[0, np.log(3)]], np.float32))
    assert found.ravel() == pytest.approx([0.4, 0.6])
    # All tiny: sigmoids e^-800 and e^-801 are 0 as floats, and their shares are not.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = probabilities_of_yes_or_no(np.array([[-800.0, -801.0]]))
    assert found.ravel() == pytest.approx([np.e / (1 + np.e), 1 / (1 + np.e)])
