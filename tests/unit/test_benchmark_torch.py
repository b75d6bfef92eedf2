"""Networks of torch as models of a benchmark: functions, TorchScript, exported programs."""

from __future__ import annotations

import contextlib
import itertools
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from snellen.benchmark.model import LoadOptions  # noqa: E402
from snellen.benchmark.preprocessing import Preprocessing  # noqa: E402
from snellen.benchmark.torch_model import TorchModel, device_of  # noqa: E402
from snellen.benchmark.torch_source import load  # noqa: E402
from snellen.errors import ClassError, InputError, SchemaError, ShapeError  # noqa: E402

K = 4
IMAGES = {"size": "6", "scale": "1/255"}
_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def small(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(128, K),
    )
    network(torch.randn(16, 3, 6, 6))  # so that the running numbers are not those it begins with
    return network


def by_numpy(network: nn.Module, batch: np.ndarray) -> np.ndarray:
    """Compute what `small` gives in evaluation, without torch's layers."""
    weights = {
        name: value.numpy().astype(np.float64) for name, value in network.state_dict().items()
    }
    windows = np.lib.stride_tricks.sliding_window_view(batch.astype(np.float64), (3, 3), (2, 3))
    maps = np.einsum("nchwij,ocij->nohw", windows, weights["0.weight"])
    maps += weights["0.bias"][:, None, None]
    maps -= weights["1.running_mean"][:, None, None]
    maps /= np.sqrt(weights["1.running_var"] + 1e-5)[:, None, None]
    maps = maps * weights["1.weight"][:, None, None] + weights["1.bias"][:, None, None]
    flat = np.maximum(maps, 0).reshape(len(batch), -1)
    return flat @ weights["5.weight"].T + weights["5.bias"]


def images(preprocessing: Preprocessing, n: int) -> np.ndarray:
    random = np.random.default_rng(n)
    size = (preprocessing.height, preprocessing.width, preprocessing.n_channels)
    return preprocessing.batch([random.integers(0, 256, size, np.uint8) for _ in range(n)])


def loaded(name: object, *, device: str = "cpu", threads: int = 1, **settings: str) -> TorchModel:
    return load(str(name), LoadOptions(device, threads, settings))


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return what writes a module into the working directory and gives its name."""
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> str:
        name = f"nets_of_a_test_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text("import torch\nfrom torch import nn\n" + text)
        return name

    return written


SMALL = f"""
def make():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(108, {K}))
"""


# ---- Functions ----------------------------------------------------------------------------------


def test_a_function_of_the_working_directory(module: Callable[[str], str]) -> None:
    model = loaded(module(SMALL) + ":make", **IMAGES)
    torch.manual_seed(0)
    layer = nn.Linear(108, K)
    batch = images(model.preprocessing, 3)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    assert model.predict(batch) == pytest.approx(
        batch.reshape(3, -1) @ weight.T + bias, rel=1e-4, abs=1e-5
    )
    facts = model.facts
    assert (facts.device, facts.dtype, facts.threads) == ("cpu", "float32", 1)
    assert (facts.parameters, facts.macs) == (109 * K, 108 * K)
    assert facts.file_bytes == 4 * 109 * K
    assert facts.versions == {"torch": torch.__version__}
    assert (model.scores, model.classes) == ("logits", None)


def test_a_function_that_knows_its_images_and_classes(module: Callable[[str], str]) -> None:
    name = module(
        SMALL
        + f"""
from snellen.benchmark.preprocessing import Preprocessing
OWN = Preprocessing(6, 6, 8, scale=0.5)
def pair():
    return make(), OWN.to_dict()
def attributes():
    network = make()
    network.preprocessing = OWN
    network.classes = {[f"c{k}" for k in range(K)]}
    return network
def layer():
    network = make()
    network.preprocessing = nn.Identity()
    return network
def few():
    network = attributes()
    network.classes = ["a", "b"]
    return network
"""
    )
    own = Preprocessing(6, 6, 8, scale=0.5)
    assert loaded(f"{name}:pair").preprocessing == own
    model = loaded(f"{name}:attributes")
    assert (model.preprocessing, model.classes) == (own, ("c0", "c1", "c2", "c3"))
    assert loaded(f"{name}:pair", resize="7").preprocessing.shorter_side == 7
    with pytest.raises(ClassError, match=r"each of the 4 scores of .*:few, got 2"):
        loaded(f"{name}:few")
    # A layer may be called so.
    assert loaded(f"{name}:layer", **IMAGES).preprocessing.scale == 1 / 255


@pytest.mark.parametrize(
    ("function", "kind", "said"),
    [
        (
            "def make(): return 5",
            InputError,
            "expected a torch.nn.Module, or one and its .* got int",
        ),
        ("def make(size): return nn.Flatten()", InputError, "it fails: TypeError: .*'size'"),
        ("def make(): raise OSError('no\\nweights')", InputError, "it fails: OSError: no weights"),
        (
            "def make():\n    net = nn.Flatten()\n    net.classes = 5\n    return net",
            SchemaError,
            "expected names of classes, got none - at .*:make classes",
        ),
        ("def make(): return nn.Flatten(), 5", InputError, "as a module's preprocessing, got int"),
        (
            "def make(): return nn.Flatten(), {'heigth': 5}",
            SchemaError,
            "expected a preprocessing of images, got: .*heigth",
        ),
        ("def maker(): pass", InputError, r'got "make"\. Did you mean "maker"\?'),
        ("def make(): (", InputError, "it fails: SyntaxError"),
        ("import no_such_package\ndef make(): pass", InputError, "no_such_package"),
    ],
)
def test_functions_that_give_no_network(
    module: Callable[[str], str], function: str, kind: type[Exception], said: str
) -> None:
    name = module(function)
    with pytest.raises(kind, match=said):
        loaded(f"{name}:make", **IMAGES)


def test_no_such_module() -> None:
    with pytest.raises(InputError, match=r'expected a module that can be imported, got "no\.such"'):
        loaded("no.such:make", **IMAGES)


def test_networks_that_do_not_give_scores(module: Callable[[str], str]) -> None:
    name = module(
        """
class Maps(nn.Module):
    def forward(self, images):
        return images
class Words(nn.Module):
    def forward(self, images):
        return "cat"
class Few(nn.Module):
    def forward(self, images):
        return images.sum((2, 3))[:1]
class Several(nn.Module):
    def forward(self, images):
        return {"logits": images.sum((2, 3)), "features": images}
"""
    )
    with pytest.raises(ShapeError, match=r"\(2, K\), from the network, got \(2, 3, 6, 6\)"):
        loaded(f"{name}:Maps", **IMAGES)
    with pytest.raises(InputError, match="expected a tensor from the network, got none"):
        loaded(f"{name}:Words", **IMAGES)
    with pytest.raises(ShapeError, match=r"got \(1, 3\)"):
        loaded(f"{name}:Few", **IMAGES)
    model = loaded(f"{name}:Several", **IMAGES)
    batch = images(model.preprocessing, 2)
    assert model.predict(batch) == pytest.approx(batch.sum((2, 3)), rel=1e-5)


def test_a_network_that_fails(module: Callable[[str], str]) -> None:
    name = module(SMALL)
    with pytest.raises(
        InputError, match=r"for batches \(2, 3, 7, 7\) of torch.float32, it fails: mat1"
    ) as caught:
        loaded(f"{name}:make", size="7", scale="1")
    assert isinstance(caught.value.__cause__, RuntimeError)


# ---- What is run --------------------------------------------------------------------------------


def model_of(network: nn.Module, **settings: str) -> TorchModel:
    return TorchModel(network, LoadOptions("cpu", 1, {**IMAGES, **settings}), "net")


def test_it_is_evaluated() -> None:
    network = small().train()
    model = model_of(network)
    batch = images(model.preprocessing, 5)
    found = model.predict(batch)
    # Dropout drops nothing and the running numbers stay.
    assert found == pytest.approx(by_numpy(network, batch), rel=1e-4, abs=1e-4)
    assert np.array_equal(found, model.predict(batch))


def test_what_is_timed_is_what_is_predicted() -> None:
    model = model_of(small())
    batch = images(model.preprocessing, 5)
    outputs = model.run(model.resident(batch))
    assert not outputs.requires_grad
    assert np.array_equal(outputs.numpy(), model.predict(batch))


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({"memory": "channels_last"}, 1e-5),
        ({"precision": "bfloat16"}, 0.05),
        ({"precision": "bfloat16", "memory": "channels_last"}, 0.05),
    ],
)
def test_precision_and_memory(settings: dict[str, str], tolerance: float) -> None:
    plain, other = model_of(small()), model_of(small(), **settings)
    batch = images(plain.preprocessing, 5)
    wanted, found = plain.predict(batch), other.predict(batch)
    assert found.dtype == np.float32
    assert found == pytest.approx(wanted, abs=tolerance * float(np.abs(wanted).max()))
    assert (found != wanted).any() or "memory" in settings
    assert other.facts.dtype == settings.get("precision", "float32")
    assert other.facts.digest != plain.facts.digest
    tensor = other.resident(batch)[1][0]
    last = settings.get("memory") == "channels_last"
    assert tensor.is_contiguous(memory_format=torch.channels_last) == last


def test_weights_of_another_type() -> None:
    model = model_of(small().double())
    batch = images(model.preprocessing, 2)
    assert model.facts.dtype == "float64"
    assert model.predict(batch).dtype == np.float64
    assert model.predict(batch) == pytest.approx(by_numpy(small(), batch), rel=1e-5)
    halved = model_of(small().bfloat16())
    assert halved.facts.dtype == "bfloat16"
    assert halved.predict(batch).dtype == np.float32
    assert model_of(small().double(), precision="float32").facts.dtype == "float32"


def test_quantised_weights_count() -> None:
    def quantised(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Flatten(), nn.Linear(108, K))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it will go, and networks like that are about
            return torch.ao.quantization.quantize_dynamic(network, {nn.Linear})

    models = [model_of(quantised(seed)) for seed in (0, 1, 0)]
    digests = [model.facts.digest for model in models]
    assert digests[0] == digests[2] != digests[1]
    facts = models[0].facts
    assert (facts.dtype, facts.parameters) == ("qint8", None)
    assert facts.file_bytes is not None
    assert 108 * K <= facts.file_bytes <= 108 * K + 4 * K + 16


def test_bytes_stay_bytes() -> None:
    class OfBytes(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            assert images.dtype == torch.uint8
            return images.float().sum((2, 3))

    model = TorchModel(OfBytes(), LoadOptions("cpu", 1, {"size": "6", "dtype": "uint8"}), "net")
    batch = images(model.preprocessing, 2)
    assert np.array_equal(model.predict(batch), batch.astype(np.float32).sum((2, 3)))


def test_a_batch_that_may_not_be_written_to() -> None:
    model = model_of(small())
    batch = images(model.preprocessing, 2)
    batch.flags.writeable = False
    assert len(model.predict(batch)) == 2


def test_probabilities() -> None:
    assert model_of(nn.Sequential(small(), nn.Softmax(1))).scores == "probabilities"
    assert not model_of(nn.Sequential(small(), nn.Softmax(1))).facts.notes

    class Hidden(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.sum((2, 3)).softmax(1)

    model = model_of(Hidden())
    assert model.scores == "probabilities"
    assert "taken for probabilities" in model.facts.notes[0]
    assert model_of(Hidden(), scores="logits").scores == "logits"


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_probabilities_in_16_bits_sum_to_one(precision: str) -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = small()

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return (20 * self.inner(images)).softmax(1)

    model = model_of(Hidden(), precision=precision)
    batch = images(model.preprocessing, 64)
    outputs = model.run(model.resident(batch)).double().numpy()
    apart = float(np.abs(outputs.sum(1) - 1).max())
    assert apart > (1e-3 if precision == "bfloat16" else 1e-5)  # or there would be nothing to do
    assert model.scores == "probabilities"
    found = model.predict(batch)
    assert found.sum(1) == pytest.approx(np.ones(64), abs=1e-6)
    assert np.array_equal(found.argmax(1), outputs.argmax(1))


def test_a_note_of_several_outputs() -> None:
    class Two(nn.Module):
        def forward(self, images: torch.Tensor) -> Any:
            return {"scores": images.mean((2, 3)), "more": [images, images]}

    assert model_of(Two()).facts.notes[-1] == "it returns 3 tensors, of which the first was taken"


def test_threads() -> None:
    TorchModel(small(), LoadOptions("cpu", 2, IMAGES), "net")
    assert torch.get_num_threads() == 2


def test_other_weights_have_another_check_sum() -> None:
    digests = [model_of(small(seed)).facts.digest for seed in (0, 1, 0)]
    assert digests[0] == digests[2] != digests[1]


def test_other_code_has_another_check_sum(module: Callable[[str], str]) -> None:
    text = (
        "class Net(nn.Module):\n    def forward(self, images):\n        return images.{}((2, 3))\n"
    )
    digests = [
        loaded(module(text.format(f)) + ":Net", **IMAGES).facts.digest for f in ("sum", "mean")
    ]
    assert digests[0] != digests[1]


def test_code_beside_a_network_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function and a constant of its file, and a file that this imports."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    text = (
        "import beside_a_net\n"
        "from torch import nn\n"
        "def mean(images):\n    return images.mean((2, 3)) * {}\n"
        "class Net(nn.Module):\n    def forward(self, images):\n        return mean(images)\n"
    )
    digests = []
    for content, factor in (("x = 1", 1), ("x = 1", 2), ("x = 2", 1), ("x = 1", 1)):
        (tmp_path / "beside_a_net.py").write_text(content)
        (tmp_path / "a_net_of_a_test.py").write_text(text.format(factor))
        digests.append(loaded("a_net_of_a_test:Net", **IMAGES).facts.digest)
        for name in ("beside_a_net", "a_net_of_a_test"):
            sys.modules.pop(name)
    assert len(set(digests[:3])) == 3
    assert digests[3] == digests[0]


def test_other_settings_have_another_check_sum(module: Callable[[str], str]) -> None:
    # Neither weights nor the text of a module tell them.
    text = """
class Net(nn.Module):
    def __init__(self, power):
        super().__init__()
        self.power = power
    def forward(self, images):
        return images.mean((2, 3)) ** self.power
def one():
    return Net(1)
def two():
    return Net(2)
FACTOR = {}
def scaled():
    return Net(FACTOR)
"""
    name = module(text.format(3))
    digests = [loaded(f"{name}:{function}", **IMAGES).facts.digest for function in ("one", "two")]
    assert digests[0] != digests[1]
    # What a function takes from its module counts, too.
    digests = []
    for factor in (3, 4, 3):
        name = module(text.format(factor))
        digests.append(loaded(f"{name}:one", **IMAGES).facts.digest)
        sys.modules.pop(name)  # each is loaded by a process of its own
    assert digests[0] == digests[2] != digests[1]


def test_devices() -> None:
    assert device_of("cpu", "net") == torch.device("cpu")
    with pytest.raises(InputError, match=r"a device of torch \(cpu, cuda\), got tensorrt"):
        device_of("tensorrt", "net")
    if not torch.cuda.is_available():
        assert device_of("auto", "net") == torch.device("cpu")
        with pytest.raises(InputError, match=r"expected to run on cuda:1, torch .* sees none"):
            device_of("cuda:1", "net")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("settings", [{}, {"memory": "channels_last"}])
def test_on_a_gpu(settings: dict[str, str]) -> None:
    network = small()
    model = TorchModel(network, LoadOptions("auto", 1, {**IMAGES, **settings}), "net")
    batch = images(model.preprocessing, 5)
    assert model.facts.device == "cuda"
    assert model.predict(batch) == pytest.approx(by_numpy(network.cpu(), batch), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"precision": "float61"}, r'got "float61"\. Did you mean "float16"\? - at .* precision'),
        ({"memory": "last"}, "expected one of contiguous, channels_last"),
        ({"providers": "cpu"}, 'expected a setting of this source, got "providers"'),
    ],
)
def test_settings_that_are_refused(
    module: Callable[[str], str], settings: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        loaded(module(SMALL) + ":make", **IMAGES, **settings)


# ---- Files --------------------------------------------------------------------------------------


def script(path: Path, network: nn.Module) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(network), path)
    return path


def program(path: Path, network: nn.Module, *, fixed: int | None = None) -> Path:
    example = torch.zeros((fixed or 2, 3, 6, 6))
    shapes = None if fixed else ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(network.eval(), (example,), dynamic_shapes=shapes), path)
    return path


def test_torchscript(tmp_path: Path) -> None:
    network = small()
    path = script(tmp_path / "net.pt", network)  # in training mode
    model = loaded(path, **IMAGES)
    batch = images(model.preprocessing, 3)
    assert model.predict(batch) == pytest.approx(by_numpy(network, batch), rel=1e-4, abs=1e-4)
    assert model.facts.file_bytes == path.stat().st_size
    assert model.facts.runtime == f"torch {torch.__version__}, TorchScript"
    assert model.facts.parameters == sum(p.numel() for p in network.parameters())


def test_an_exported_program(tmp_path: Path) -> None:
    network = small()
    path = program(tmp_path / "net.pt2", network)
    model = loaded(path, scale="1/255")  # it knows its size
    assert (model.preprocessing.height, model.preprocessing.width) == (6, 6)
    for n in (1, 3):
        batch = images(model.preprocessing, n)
        assert model.predict(batch) == pytest.approx(by_numpy(network, batch), rel=1e-4, abs=1e-4)
    assert model.facts.runtime == f"torch {torch.__version__}, torch.export"
    with pytest.raises(InputError, match=r"8 × 8, the network takes 6 × 6"):
        loaded(path, size="8", scale="1")


def test_an_exported_program_of_a_fixed_number_of_images(tmp_path: Path) -> None:
    network = small()
    model = loaded(program(tmp_path / "net.pt2", network, fixed=2), **IMAGES)
    batch = images(model.preprocessing, 5)
    assert model.predict(batch) == pytest.approx(by_numpy(network, batch), rel=1e-4, abs=1e-4)
    assert "it takes 2 images at a time, whatever the size of a batch" in model.facts.notes


class _Wide(nn.Module):
    """Takes numbers of any type and computes in that of its weights."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Linear(108, K).to(dtype)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images.flatten(1).to(self.layer.weight.dtype))


@pytest.mark.parametrize("taken", ["float16", "float32", "float64", "uint8"])
@pytest.mark.parametrize("inside", ["float16", "float32", "float64"])
def test_programs_of_every_type(tmp_path: Path, taken: str, inside: str) -> None:
    network = _Wide(getattr(torch, inside))
    path = tmp_path / "net.pt2"
    example = torch.zeros((2, 3, 6, 6), dtype=getattr(torch, taken))
    shapes = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(network, (example,), dynamic_shapes=shapes), path)
    model = loaded(path, **({} if taken == "uint8" else {"scale": "1"}))
    batch = images(model.preprocessing, 3)
    assert batch.dtype == (np.uint8 if taken == "uint8" else np.float32)
    assert model.facts.dtype == inside
    weight, bias = (each.detach().double().numpy() for each in network.layer.parameters())
    expected = batch.reshape(3, -1).astype(np.float64) @ weight.T + bias
    assert model.predict(batch) == pytest.approx(expected, rel=2e-2 if "16" in inside else 1e-4)


def test_a_program_keeps_its_types(tmp_path: Path) -> None:
    path = program(tmp_path / "net.pt2", small())
    with pytest.raises(InputError, match='a setting of this source, got "precision"'):
        loaded(path, scale="1", precision="bfloat16")


def test_a_program_of_whole_numbers(tmp_path: Path) -> None:
    example = torch.zeros((2, 3, 6, 6), dtype=torch.int64)
    exported = torch.export.export(_Wide(torch.float32), (example,))
    torch.export.save(exported, tmp_path / "net.pt2")
    with pytest.raises(
        ShapeError, match=r"takes numbers or bytes \(uint8, .*, got int64 for images"
    ):
        loaded(tmp_path / "net.pt2", scale="1")


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_a_program_that_leaves_all_open(tmp_path: Path, layout: str) -> None:
    class Mean(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean((2, 3) if layout == "channels_first" else (1, 2))

    names = {axis: torch.export.Dim(f"axis{axis}") for axis in range(4)}
    exported = torch.export.export(Mean(), (torch.zeros(2, 5, 7, 6),), dynamic_shapes=(names,))
    torch.export.save(exported, tmp_path / "net.pt2")
    model = loaded(tmp_path / "net.pt2", size="4x5", scale="1", layout=layout)
    batch = images(model.preprocessing, 2)
    axes = (2, 3) if layout == "channels_first" else (1, 2)
    assert model.predict(batch) == pytest.approx(batch.mean(axes), rel=1e-5)


def test_frozen_torchscript_says_nothing_of_its_parameters(tmp_path: Path) -> None:
    network = small().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.freeze(torch.jit.script(network)), tmp_path / "net.pt")
    model = loaded(tmp_path / "net.pt", **IMAGES)
    batch = images(model.preprocessing, 3)
    assert model.predict(batch) == pytest.approx(by_numpy(network, batch), rel=1e-4, abs=1e-4)
    assert model.facts.parameters is None
    # The reason, without the trace through TorchScript's code.
    with pytest.raises(InputError, match=r"it fails: (?!The following operation)[^\n]+ - at"):
        loaded(tmp_path / "net.pt", **IMAGES, precision="bfloat16")


def test_macs_of_all_kinds_agree(tmp_path: Path) -> None:
    # 3 × 3 × 3 products for each of 8 × 4 × 4 numbers, and 128 × 4.
    expected = 27 * 128 + 128 * K
    assert model_of(small()).facts.macs == expected
    assert loaded(program(tmp_path / "net.pt2", small()), **IMAGES).facts.macs == expected


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    for name, content in {"weights.pt": small().state_dict(), "whole.pt": small()}.items():
        torch.save(content, tmp_path / name)
        with pytest.raises(SchemaError, match=r"got a pickle of torch\.save: weights alone are no"):
            loaded(tmp_path / name, **IMAGES)
    torch.save(small().state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(SchemaError, match=r"got a pickle of torch\.save"):
        loaded(tmp_path / "old.pt", **IMAGES)


class _Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("kind", ["weight", "object"])
def test_pickles_inside_a_program_are_not_loaded(tmp_path: Path, kind: str) -> None:
    import io
    import json
    import pickle
    import zipfile

    bomb = _Bomb(tmp_path / "exploded")
    path = program(tmp_path / "net.pt2", small())
    if kind == "weight":
        file = io.BytesIO()
        torch.save(bomb, file)
        meta = "data/weights/model_weights_config.json"
        member, replaced, content = "data/weights/weight_0", "weight_0", file.getvalue()
    else:
        meta = "data/constants/model_constants_config.json"
        member, replaced = "data/constants/opaque_obj_0", "opaque_obj_0"
        content = pickle.dumps(bomb)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    top = next(iter(parts)).partition("/")[0]
    config = json.loads(parts[f"{top}/{meta}"])
    like = json.loads(parts[f"{top}/data/weights/model_weights_config.json"])["config"]
    entry = {**next(iter(like.values())), "path_name": replaced, "use_pickle": True}
    name = next(
        (name for name, each in config["config"].items() if each["path_name"] == replaced), "x"
    )
    config["config"][name] = entry
    parts[f"{top}/{meta}"] = json.dumps(config).encode()
    parts[f"{top}/{member}"] = content
    with zipfile.ZipFile(path, "w") as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    with pytest.raises(SchemaError, match=r"a program of tensors alone, got pickled"):
        loaded(path, scale="1")
    assert not (tmp_path / "exploded").exists()
    # So is what is here refused: torch itself runs it.
    with contextlib.suppress(Exception):
        torch.export.load(path)
    assert (tmp_path / "exploded").exists()


def test_files_that_are_no_networks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        InputError, match=r"or package\.module:function, there is none - at .*no\.pt"
    ):
        loaded(tmp_path / "no.pt", **IMAGES)
    (tmp_path / "x.pt").write_bytes(b"junk")
    with pytest.raises(SchemaError, match=r"a file of TorchScript or of torch\.export, got"):
        loaded(tmp_path / "x.pt", **IMAGES)
    import zipfile

    for kind, marker in {"TorchScript": "a/constants.pkl", "program": "a/archive_format"}.items():
        with zipfile.ZipFile(tmp_path / "y.pt2", "w") as archive:
            archive.writestr(marker, "pt2")
        with pytest.raises(SchemaError, match=f"expected .*{kind}.*, got: .* - at") as caught:
            loaded(tmp_path / "y.pt2", **IMAGES)
        assert "\n" not in str(caught.value)
    assert "Traceback" not in capfd.readouterr().err


def test_inputs_that_are_no_images(tmp_path: Path) -> None:
    class Rows(nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> Any:
            return a + b

    example = torch.zeros(2, 4)
    torch.export.save(torch.export.export(Rows(), (example, example)), tmp_path / "two.pt2")
    with pytest.raises(SchemaError, match="a program with one input, images, got a, b"):
        loaded(tmp_path / "two.pt2", **IMAGES)
    torch.export.save(
        torch.export.export(nn.Linear(5, 3), (torch.zeros(2, 5),)), tmp_path / "rows.pt2"
    )
    with pytest.raises(ShapeError, match=r"expected a network of images, .* is \(2, 5\)"):
        loaded(tmp_path / "rows.pt2", **IMAGES)
