"""Networks of timm and torchvision, by stand-ins for both packages.

torchvision has no build for this environment, and timm needs it. The stand-ins have just the
functions and attributes that are used here, as the sources of timm 1.0.29 and torchvision 0.2x have
them; what they return for a network is written down from there.
"""

import enum
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from snellen.benchmark.imagenet import IMAGENET_IDS
from snellen.benchmark.model import LoadOptions
from snellen.errors import ClassError, InputError, MissingExtraError, SchemaError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from snellen.benchmark import timm_model, torchvision_model  # noqa: E402


class Small(nn.Module):
    def __init__(self, n_classes: int, channels: int = 3) -> None:
        super().__init__()
        self.num_classes = n_classes
        self.conv = nn.Conv2d(channels, 4, 3, stride=8)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, n_classes) if n_classes else nn.Identity()

    def forward(self, images: "torch.Tensor") -> "torch.Tensor":
        return self.head(self.drop(self.conv(images).mean((2, 3))))


class _Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def _options(**settings: str) -> LoadOptions:
    return LoadOptions("cpu", 1, settings)


def _conv_macs(side: int) -> int:
    return ((side - 3) // 8 + 1) ** 2 * 4 * 27


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

# What `timm.data.resolve_model_data_config` gives, by network.
TIMM: dict[str, dict[str, Any]] = {
    "resnet50": {
        "input_size": (3, 224, 224),
        "test": {"input_size": (3, 288, 288), "crop_pct": 0.95},
        "interpolation": "bicubic",
        "crop_pct": 0.875,
        "crop_mode": "center",
        **IMAGENET,
    },
    "convnext_384": {
        "input_size": (3, 64, 64),
        "interpolation": "bilinear",
        "crop_pct": 1.0,
        "crop_mode": "squash",
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
    },
    "nfnet": {
        "input_size": (3, 64, 64),
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "squash",
        **IMAGENET,
    },
    "bordered": {
        "input_size": (3, 64, 64),
        "interpolation": "bicubic",
        "crop_pct": 1.0,
        "crop_mode": "border",
        **IMAGENET,
    },
    "nearest": {
        "input_size": (3, 64, 64),
        "interpolation": "nearest",
        "crop_pct": 0.9,
        "crop_mode": "center",
        **IMAGENET,
    },
    "features": {
        "input_size": (3, 64, 64),
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "center",
        **IMAGENET,
    },
    "cats": {
        "input_size": (1, 64, 64),
        "interpolation": "bicubic",
        "crop_pct": 0.9,
        "crop_mode": "center",
        "mean": (0.5,),
        "std": (0.25,),
    },
}
N_CLASSES = {"features": 0, "cats": 2, "nfnet": 11}


class ImageNetInfo:
    def __init__(self, subset: str) -> None:
        assert subset == "imagenet-1k"

    def label_names(self) -> list[str]:
        return list(IMAGENET_IDS)


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    package, data = types.ModuleType("timm"), types.ModuleType("timm.data")

    def create_model(name: str, *, pretrained: bool) -> nn.Module:
        if pretrained:
            raise OSError("We couldn't connect to\n'https://huggingface.co'")
        bare = name.partition(".")[0]
        made = Small(N_CLASSES.get(bare, 1000), TIMM[bare]["input_size"][0])
        made.pretrained_cfg = {"label_names": ["cat", "dog"]} if bare == "cats" else {}
        made.name = bare
        return made

    # As of 1.0.9, where a pickle is run unless it is told not to.
    def load_checkpoint(module: nn.Module, path: str, *, weights_only: bool = False) -> None:
        module.load_state_dict(torch.load(path, weights_only=weights_only))

    def get_pretrained_cfg(name: str) -> types.SimpleNamespace:
        if name.endswith(".none"):
            raise RuntimeError("Invalid pretrained tag")
        if name == "nfnet":
            return types.SimpleNamespace(url="https://some.where/v0.1/nfnet-abc.pth")
        return types.SimpleNamespace(hf_hub_id="timm/" + name, hf_hub_filename=None, url=None)

    def resolve_model_data_config(model: nn.Module, *, use_test_size: bool) -> Mapping[str, Any]:
        found = dict(TIMM[model.name])
        test = found.pop("test", {})
        return {**found, **(test if use_test_size else {})}

    package.__version__ = "1.0.29"
    package.create_model = create_model
    package.get_pretrained_cfg = get_pretrained_cfg
    package.is_model = lambda name: name in TIMM
    package.list_models = lambda: list(TIMM)
    package.data = data
    package.models = types.SimpleNamespace(load_checkpoint=load_checkpoint)
    data.resolve_model_data_config = resolve_model_data_config
    data.infer_imagenet_subset = lambda model: "imagenet-1k" if model.num_classes == 1000 else None
    data.ImageNetInfo = ImageNetInfo
    monkeypatch.setitem(sys.modules, "timm", package)
    monkeypatch.setitem(sys.modules, "timm.data", data)
    return package


@pytest.mark.usefixtures("timm")
class TestTimm:
    def test_images_are_made_as_in_its_validation(self) -> None:
        model = timm_model.load("resnet50.a1_in1k", _options(weights="random"))
        made = model.preprocessing
        # 288 / 0.95 is 303.2: timm rounds down.
        assert (made.height, made.width, made.shorter_side, made.fit) == (288, 288, 303, "shorter")
        assert (made.filter, made.colours, made.layout) == ("bicubic", "RGB", "channels_first")
        assert (made.scale, made.mean, made.std) == (1 / 255, *IMAGENET.values())
        assert model.classes == IMAGENET_IDS
        assert model.scores == "logits"
        assert model.facts.versions["timm"] == "1.0.29"
        assert model.facts.macs == _conv_macs(288) + 4 * 1000
        assert model.facts.parameters == 4 * 27 + 4 + 4 * 1000 + 1000
        assert "its weights are random: its scores mean nothing" in model.facts.notes

    def test_stretched_images(self) -> None:
        model = timm_model.load("convnext_384", _options(weights="random"))
        made = model.preprocessing
        assert (made.height, made.shorter_side, made.fit) == (64, None, "stretch")
        batch = made.batch([np.full((64, 64, 3), 255, np.uint8)])
        np.testing.assert_allclose(batch, 1, atol=1e-6)  # (1 − 0.5) / 0.5

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("nfnet", 'by "squash" to 64 × 64 of 0.9: choose a way, as in ",fit=stretch" or '),
            ("bordered", 'by "border"'),
            ("nearest", 'by "nearest": choose one, as in ",filter=bilinear"'),
        ],
    )
    def test_what_cannot_be_done_here_is_refused(self, name: str, meant: str) -> None:
        with pytest.raises(InputError, match=meant):
            timm_model.load(name, _options(weights="random"))

    def test_what_cannot_be_done_can_be_chosen(self) -> None:
        made = timm_model.load("nfnet", _options(weights="random", fit="stretch")).preprocessing
        assert (made.fit, made.shorter_side, made.filter) == ("stretch", None, "bicubic")
        made = timm_model.load("bordered", _options(weights="random", resize="70")).preprocessing
        assert (made.fit, made.shorter_side) == ("shorter", 70)
        made = timm_model.load("nearest", _options(weights="random", filter="box")).preprocessing
        assert (made.filter, made.shorter_side) == ("box", 71)

    def test_own_classes_and_grey_images(self) -> None:
        model = timm_model.load("cats", _options(weights="random"))
        assert model.classes == ("cat", "dog")
        assert (model.preprocessing.colours, model.preprocessing.mean) == ("L", (0.5,))
        assert timm_model.load("nfnet", _options(weights="random", fit="stretch")).classes is None

    def test_random_weights_are_always_the_same(self) -> None:
        torch.manual_seed(5)
        before = torch.get_rng_state()
        first, second = (timm_model.load("cats", _options(weights="random")) for _ in range(2))
        assert torch.equal(torch.get_rng_state(), before)
        assert first.facts.digest == second.facts.digest
        batch = np.ones((3, 1, 64, 64), np.float32)
        np.testing.assert_array_equal(first.predict(batch), second.predict(batch))

    def test_a_file_of_weights(self, tmp_path: Path) -> None:
        weights = Small(2, 1).state_dict()
        path = tmp_path / "cats.pth"
        torch.save(weights, path)
        model = timm_model.load("cats", _options(weights=str(path)))
        assert (
            model.facts.digest != timm_model.load("cats", _options(weights="random")).facts.digest
        )
        assert not model.facts.notes
        with pytest.raises(InputError, match=r"timm cannot build resnet50: .*size mismatch"):
            timm_model.load("resnet50", _options(weights=str(path)))
        torch.save(_Bomb(tmp_path / "exploded"), path)
        with pytest.raises(SchemaError, match=r"a file of weights alone, got .* - at .*cats\.pth"):
            timm_model.load("cats", _options(weights=str(path)))
        assert not (tmp_path / "exploded").exists()
        with pytest.raises(InputError, match=r"weights=random or a file .* - at none\.pth"):
            timm_model.load("cats", _options(weights="none.pth"))

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            (
                "resnet50",
                "We couldn't connect to 'https://huggingface.co'. With no network, fetch "
                'model.safetensors where there is one ("hf download timm/resnet50") and bring the '
                "folder models--timm--resnet50 into the cache of Hugging Face",
            ),
            ("nfnet", "put nfnet-abc.pth of https://some.where/v0.1/nfnet-abc.pth into "),
            ("hf-hub:some/net", 'where there is one ("hf download some/net")'),
        ],
    )
    def test_without_network_it_says_which_file_is_wanted(self, name: str, said: str) -> None:
        with pytest.raises(InputError) as raised:
            timm_model.load(name, _options())
        assert said in str(raised.value)
        assert str(raised.value).endswith(f"weights=FILE - at {name}")
        assert "\n" not in str(raised.value)

    def test_weights_that_there_are_not(self) -> None:
        with pytest.raises(InputError, match=r"its weights: We couldn't connect .* - at cats.none"):
            timm_model.load("cats.none", _options())

    def test_no_such_network(self) -> None:
        with pytest.raises(InputError, match='got "resnet5"\\. Did you mean "resnet50"'):
            timm_model.load("resnet5", _options())
        with pytest.raises(InputError, match="gives classes, this one gives features"):
            timm_model.load("features", _options(weights="random"))
        with pytest.raises(InputError, match='Did you mean "weights"'):
            timm_model.load("cats", _options(weigths="random"))


def test_without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError, match=r"package timm.*snellen\[timm\]"):
        timm_model.load("resnet50", _options())


class InterpolationMode(enum.Enum):
    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"


class ImageClassification:
    def __init__(self, crop: int, resize: int, interpolation: InterpolationMode) -> None:
        self.crop_size, self.resize_size = [crop], [resize]
        self.mean, self.std = list(IMAGENET["mean"]), list(IMAGENET["std"])
        self.interpolation = interpolation
        self.antialias = True


class ObjectDetection:
    pass


class VideoClassification(ImageClassification):
    pass


class Weights:
    """As a member of torchvision's `WeightsEnum`, whose attributes are those of its value."""

    def __init__(self, name: str, transforms: Any, n_classes: int = 1000) -> None:
        self.name = name
        self.url = f"https://download.pytorch.org/models/{name.lower()}-0676ba61.pth"
        self.transforms = transforms
        # Two names of ImageNet stand for two classes each.
        self.meta = {"categories": ["crane"] * n_classes}

    def __str__(self) -> str:
        return f"Some_Weights.{self.name}"


class WeightsOf(dict[str, Weights]):
    """As the class of an enum: by name, the default under another name too."""

    @property
    def __members__(self) -> Mapping[str, Weights]:
        return self


def _weights(**made: Weights) -> WeightsOf:
    return WeightsOf(**made, DEFAULT=list(made.values())[-1])


TORCHVISION = {
    "resnet50": _weights(
        IMAGENET1K_V1=Weights(
            "IMAGENET1K_V1", lambda: ImageClassification(224, 256, InterpolationMode.BILINEAR)
        ),
        IMAGENET1K_V2=Weights(
            "IMAGENET1K_V2", lambda: ImageClassification(224, 232, InterpolationMode.BICUBIC)
        ),
    ),
    "boxes": _weights(COCO_V1=Weights("COCO_V1", ObjectDetection)),
    "clips": _weights(
        KINETICS=Weights(
            "KINETICS", lambda: VideoClassification(112, 128, InterpolationMode.BILINEAR), 400
        )
    ),
    "quantized_pets": _weights(
        PETS=Weights("PETS", lambda: ImageClassification(32, 36, InterpolationMode.BILINEAR), 37)
    ),
    "nearest": _weights(
        SOME=Weights("SOME", lambda: ImageClassification(32, 36, InterpolationMode.NEAREST))
    ),
    "pets": _weights(
        PETS=Weights("PETS", lambda: ImageClassification(32, 36, InterpolationMode.BILINEAR), 37)
    ),
}
TORCHVISION["pets"]["PETS"].meta["categories"] = [f"pet {k}" for k in range(37)]


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    package, models = types.ModuleType("torchvision"), types.ModuleType("torchvision.models")

    def get_model(name: str, *, weights: Weights | None, quantize: bool | None = None) -> nn.Module:
        assert quantize is (True if name.startswith("quantized_") else None)
        if weights is not None and name == "resnet50":
            raise URLError("[Errno -2] Name or service not known")
        return Small(37 if name.endswith("pets") else 1000)

    package.__version__ = "0.28.0"
    package.models = models
    models.list_models = lambda: sorted(TORCHVISION)
    models.get_model_weights = lambda name: TORCHVISION[name.lower()]
    models.get_model = get_model
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    return package


@pytest.mark.usefixtures("torchvision")
class TestTorchvision:
    @pytest.mark.parametrize(
        ("settings", "shorter", "filter"),
        [({}, 232, "bicubic"), ({"resize": "256", "filter": "bilinear"}, 256, "bilinear")],
    )
    def test_images_are_made_as_for_its_weights(
        self,
        settings: dict[str, str],
        shorter: int,
        filter: str,  # noqa: A002
    ) -> None:
        model = torchvision_model.load("resnet50", _options(weights="random", **settings))
        made = model.preprocessing
        assert (made.height, made.width, made.shorter_side) == (224, 224, shorter)
        assert (made.filter, made.scale, made.mean, made.std) == (
            filter,
            1 / 255,
            *IMAGENET.values(),
        )
        assert model.classes == IMAGENET_IDS
        assert model.facts.versions["torchvision"] == "0.28.0"
        assert model.facts.macs == _conv_macs(224) + 4 * 1000
        assert "its weights are random: its scores mean nothing" in model.facts.notes

    def test_classes_of_other_images(self) -> None:
        model = torchvision_model.load("pets", _options())
        assert model.classes == tuple(f"pet {k}" for k in range(37))
        assert "its weights are Some_Weights.PETS" in model.facts.notes

    def test_quantised_networks_are_built_as_such(self) -> None:
        model = torchvision_model.load("quantized_pets", _options())
        assert len(model.predict(np.zeros((1, 3, 32, 32), np.float32))[0]) == 37

    def test_names_of_classes_that_are_too_few(self, tmp_path: Path) -> None:
        names = tmp_path / "names.txt"
        names.write_text("cat\ndog\n")
        with pytest.raises(ClassError):
            torchvision_model.load("pets", _options(classes=str(names)))

    def test_without_network_it_says_which_file_is_wanted(self) -> None:
        for settings, name in [({"weights": "IMAGENET1K_V1"}, "V1"), ({}, "V2")]:
            with pytest.raises(InputError) as raised:
                torchvision_model.load("resnet50", _options(**settings))
            file = f"imagenet1k_{name.lower()}-0676ba61.pth"
            folder = Path(torch.hub.get_dir(), "checkpoints")
            assert str(raised.value) == (
                f"torchvision cannot load the weights Some_Weights.IMAGENET1K_{name}: <urlopen "
                "error [Errno -2] Name or service not known>. With no network, put "
                f"{file} of https://download.pytorch.org/models/{file} into {folder} - at resnet50"
            )

    def test_what_there_is_not(self) -> None:
        with pytest.raises(InputError, match='got "resnet5"\\. Did you mean "resnet50"'):
            torchvision_model.load("resnet5", _options())
        with pytest.raises(
            InputError, match='of IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT, random, got "V3"'
        ):
            torchvision_model.load("resnet50", _options(weights="V3"))
        for name, kind in {"boxes": "ObjectDetection", "clips": "VideoClassification"}.items():
            with pytest.raises(InputError, match=f"classifies images, .* by {kind} - at {name}"):
                torchvision_model.load(name, _options())
        with pytest.raises(InputError, match='resizes for this network by "nearest"'):
            torchvision_model.load("nearest", _options())


def test_without_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(MissingExtraError, match=r"package torchvision.*snellen\[torchvision\]"):
        torchvision_model.load("resnet50", _options())
