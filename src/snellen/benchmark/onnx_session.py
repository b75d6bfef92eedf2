"""A session of ONNX Runtime: where it runs, what it takes, batches that stay where it is."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.benchmark.image_inputs import parts_of
from snellen.errors import InputError, MissingExtraError, ShapeError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BoundBatch", "OnnxInput", "OnnxSession"]

# What ONNX calls types, and NumPy.
_TYPES: Final = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(uint8)": "uint8",
}
_SPIN_DURATION_SINCE: Final = [1, 26]
_CPU: Final = "CPUExecutionProvider"
_CUDA: Final = "CUDAExecutionProvider"
_PROVIDERS: Final = {
    "cpu": (_CPU,),
    "cuda": (_CUDA, _CPU),
    "tensorrt": ("TensorrtExecutionProvider", _CUDA, _CPU),
}


class OnnxInput(NamedTuple):
    """What a network takes, as its file says it; None for a length that may be any."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


class BoundBatch(NamedTuple):
    """A batch where the network wants it.

    Attributes
    ----------
    n : int
        How many images.
    bindings : list
        Of ONNX Runtime: one, or several of a network that takes a fixed number of images.
    held : list
        The memory that they read.
    """

    n: int
    bindings: list[Any]
    held: list[Any]


class OnnxSession:
    """An ONNX file, loaded.

    Parameters
    ----------
    path : str
        The file.
    device : str
        As in `LoadOptions`.
    threads : int
        Of the processor.
    output : str, optional
        The name of the output that is wanted; by default the first of two axes.

    Attributes
    ----------
    input : OnnxInput
        What it takes.
    output : str
        Which output is taken.
    device, provider, version : str
        Where it runs, what runs it there, and the release of ONNX Runtime.
    metadata : dict of str to str
        What the file says of itself.
    notes : list of str
        What people should know.

    Raises
    ------
    InputError
        Where ONNX Runtime cannot load it; for a device or an output that is not there.
    ShapeError
        Where it takes more than one input, or one of another type.
    MissingExtraError
        Without ONNX Runtime.
    """

    def __init__(self, path: str, device: str, threads: int, output: str | None = None) -> None:
        runtime = _runtime()
        if not Path(path).is_file():
            raise InputError("expected an ONNX file, there is none", path)
        self._path = path
        self.notes: list[str] = []
        self.version = str(runtime.__version__)
        names, index = _providers(runtime, device)
        try:
            self._session: Any = _loaded(runtime, path, names, index, threads)
        except InputError:
            if device != "auto" or names == _PROVIDERS["cpu"]:
                raise
            self._session = _loaded(runtime, path, _PROVIDERS["cpu"], 0, threads)
        self.provider: str = self._session.get_providers()[0]
        if self.provider != names[0]:
            self._say_not_started(names[0], device)
        on_cpu = self.provider == _CPU
        self._on = ("cpu", 0) if on_cpu else ("cuda", index)
        self.device = "cpu" if on_cpu else "cuda" if index == 0 else f"cuda:{index}"
        self._value = runtime.OrtValue.ortvalue_from_numpy
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        self.input = self._find_input()
        self.output = self._find_output(output)

    def bound(self, batch: NDArray[Any]) -> BoundBatch:
        """Return a batch of its input's shape and type bound to it.

        A network of a fixed number of images gets as many at a time. On a CPU the memory may be
        that of the batch.
        """
        made = BoundBatch(len(batch), [], [])
        for part in parts_of(batch, self.input.shape[0]):
            value = self._value(np.ascontiguousarray(part, self.input.dtype), *self._on)
            binding = self._session.io_binding()
            binding.bind_ortvalue_input(self.input.name, value)
            binding.bind_output(self.output, *self._on)
            binding.synchronize_inputs()
            made.bindings.append(binding)
            made.held.append(value)
        return made

    def run(self, batch: BoundBatch) -> BoundBatch:
        """Compute the outputs of a batch; they stay where they are, in its bindings.

        Of all ways this costs least besides the network: on a CPU 5 µs a call, of which 7 are
        needed by ``session.run`` and 37 by ``run_with_ort_values``.
        """
        try:
            for binding in batch.bindings:
                self._session.run_with_iobinding(binding)
                binding.synchronize_outputs()
        # ONNX Runtime's errors have no class in common.
        except Exception as error:
            raise InputError(
                f"expected a network that ONNX Runtime can run, got: {_reason(error)}", self._path
            ) from error
        return batch

    def outputs(self, batch: BoundBatch) -> NDArray[Any]:
        """Return what `run` computed."""
        parts = [binding.get_outputs()[0].numpy() for binding in batch.bindings]
        found = np.concatenate(parts) if len(parts) > 1 else np.array(parts[0])
        return found[: batch.n] if self.input.shape[0] else found

    def close(self) -> None:
        """Give back memory and threads."""
        self._session = None

    def _find_input(self) -> OnnxInput:
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            names = ", ".join(each.name for each in inputs) or "none"
            raise ShapeError(f"expected a network with one input, images, got {names}", self._path)
        found = inputs[0]
        if found.type not in _TYPES:
            raise ShapeError(
                f"expected a network that takes numbers or bytes ({', '.join(_TYPES)}), got "
                f"{found.type} for {found.name}",
                self._path,
            )
        # A length that may be any has a name or nothing; some files say -1 or 0.
        shape = tuple(
            length if isinstance(length, int) and length > 0 else None for length in found.shape
        )
        return OnnxInput(found.name, _TYPES[found.type], shape)

    def _find_output(self, wanted: str | None) -> str:
        outputs = {each.name: each for each in self._session.get_outputs()}
        if wanted is not None:
            if wanted not in outputs:
                hint = did_you_mean(wanted, outputs) or f" There are {', '.join(outputs)}"
                raise InputError(
                    f'expected an output of the network, got "{wanted}".{hint}',
                    f"{self._path} output",
                )
            return wanted
        flat = [name for name, each in outputs.items() if len(each.shape) == 2]
        found: str = (flat or list(outputs))[0]
        if len(outputs) > 1:
            self.notes.append(f"of its outputs {', '.join(outputs)} {found} was taken")
        return found

    def _say_not_started(self, provider: str, device: str) -> None:
        said = (
            f"ONNX Runtime has {provider} and could not start it, as where CUDA or cuDNN are "
            "missing or of another release"
        )
        if device != "auto":
            raise InputError(
                f"expected to run on {device}, {said}: pip install 'onnxruntime-gpu[cuda,cudnn]', "
                "or take the device cpu",
                self._path,
            )
        self.notes.append(said)


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError:
        raise MissingExtraError("onnxruntime", "onnx") from None


def _providers(runtime: Any, device: str) -> tuple[tuple[str, ...], int]:
    """Return the providers to try in turn, and the number of the GPU."""
    available = runtime.get_available_providers()
    kind, _, index = device.partition(":")
    if kind == "auto":
        kind = "cuda" if _CUDA in available else "cpu"
    names = _PROVIDERS[kind]
    if names[0] not in available:
        raise InputError(
            f"expected to run on {device}, this ONNX Runtime has no {names[0]}, but "
            f"{', '.join(available)}: pip install onnxruntime-gpu in place of onnxruntime, or take "
            "the device cpu",
            "device",
        )
    return names, int(index or 0)


def _loaded(runtime: Any, path: str, names: tuple[str, ...], index: int, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised
    options.add_session_config_entry(*_spinning(str(runtime.__version__)))
    if names[0] != _CPU and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # CUDA and cuDNN out of Python packages, where they are there
    settings = [{} if name == _CPU else {"device_id": str(index)} for name in names]
    try:
        # On its own it would print to stdout, and go on with another provider.
        return runtime.InferenceSession(path, options, list(names), settings, enable_fallback=0)
    # ONNX Runtime's errors have no class in common.
    except Exception as error:
        raise InputError(
            f"expected a network that ONNX Runtime {runtime.__version__} can load, got: "
            f"{_reason(error)}",
            path,
        ) from error


def _spinning(version: str) -> tuple[str, str]:
    """Return the setting by which threads that wait let others have the processor soon.

    By default they spin on for milliseconds after a call, and take the cores from those that decode
    images meanwhile; without spinning, networks are slower. On two cores, by what the default gives
    (medians of five interleaved rounds, 100 µs / none between calls / none at all): three networks
    alone at batch 1 0.99 to 1.01 / 0.81 to 0.98 / 0.52 to 0.92; JPEG to scores, of a network that
    costs nothing, 1.61 / 1.61 / 1.69.
    """
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    if numbers >= _SPIN_DURATION_SINCE:
        return "session.intra_op.spin_duration_us", "100"
    return "session.force_spinning_stop", "1"  # no spinning between calls


def _reason(error: Exception) -> str:
    """Return what ONNX Runtime says, in a line, without its own numbers and places in its code."""
    text = " ".join(str(error).split())
    text = text.rpartition("[ONNXRuntimeError] : ")[2]
    number, _, rest = text.partition(" : ")
    if number.isdigit():
        text = rest.partition(" : ")[2] or rest
    if " failed:" in text:
        text = text.partition(" failed:")[2]
    if text.startswith("/"):  # a file and a function of its own
        text = text.partition(") ")[2] or text
    return text[:300] or type(error).__name__
