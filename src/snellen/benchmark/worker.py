"""A network that is measured in a process of its own, seen from the process that asks."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen import errors
from snellen.benchmark.channel import Channel
from snellen.benchmark.model import Facts
from snellen.benchmark.preprocessing import Preprocessing
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Throughput
from snellen.benchmark.store import PredictionStore
from snellen.errors import DataWarning, InputError, SnellenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from snellen.benchmark.bench import PredictionSummary
    from snellen.benchmark.model import Scores

__all__ = ["LoadedModel", "Worker", "environment"]

_PATIENCE: Final = 10.0  # seconds for a process to end
# Of memory, as in training: bytes.
_LARGEST_KEPT: Final = str(1 << 30)
_MOST_KEPT: Final = str((1 << 31) - 1)
# Not -m: another process imports Snellen from where this one did.
_CODE: Final = (
    "import sys; incoming, outgoing, *sys.path = sys.argv[1:]; sys.argv = ['snellen']; "
    "from snellen.benchmark.worker_process import main; main(int(incoming), int(outgoing))"
)


class LoadedModel(NamedTuple):
    """What is known of a network when it has been loaded.

    Attributes
    ----------
    facts, preprocessing, classes, scores
        As in `snellen.benchmark.model.Model`.
    n_outputs : int
        How many scores it gives of an image.
    images_digest : str
        Of the images as the process found them.
    """

    facts: Facts
    preprocessing: Preprocessing
    classes: Sequence[str] | None
    scores: Scores
    n_outputs: int
    images_digest: str


class Worker:
    """A network, the images that it is measured on, and the process in which that happens.

    Its memory is that of one network alone; thread pools and GPU contexts of several libraries do
    not stand in each other's way. The process does nothing while it is not asked, so that several
    take turns. Use it in a ``with`` statement: the process ends with it.

    Parameters
    ----------
    model : str
        As in `snellen.benchmark.sources.load_model`.
    images : mapping
        Arguments of `snellen.benchmark.open_images.open_images`, plain values.
    name : str, optional
        What messages call the model; by default as it was typed.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ….
    threads : int
        Of the processor, for the network and for what prepares images.
    batch_size : int
        Of predictions and of end-to-end speed.
    strict : bool
        Whether an image that cannot be read is an error.

    Notes
    -----
    All methods raise what was raised in the process (`SnellenError`, `OSError`), and `InputError`
    where it has ended. What the model's code prints goes to stderr.
    """

    def __init__(
        self,
        model: str,
        images: Mapping[str, Any],
        *,
        name: str | None = None,
        device: str = "auto",
        threads: int = 1,
        batch_size: int = 32,
        strict: bool = False,
    ) -> None:
        self.name = model if name is None else name
        self._asked = {
            "name": self.name,
            "model": model,
            "images": dict(images),
            "device": device,
            "threads": threads,
            "batch_size": batch_size,
            "strict": strict,
        }
        with contextlib.ExitStack() as theirs:
            requests, answers = os.pipe(), os.pipe()
            theirs.callback(os.close, requests[0])
            theirs.callback(os.close, answers[1])
            self._channel = Channel(answers[0], requests[1])
            try:
                self._process = _started(requests[0], answers[1], threads)
            except BaseException:
                self._channel.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(ask=error is None)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def load(self) -> LoadedModel:
        """Load the model, and open the images; this comes first."""
        plain = self._ask("load", self._asked)
        return LoadedModel(
            **{
                **plain,
                "facts": Facts.of_dict(plain["facts"]),
                "preprocessing": Preprocessing.of_dict(plain["preprocessing"]),
            }
        )

    def predict(
        self, folder: str | os.PathLike[str], progress: Callable[[int, int], None] | None = None
    ) -> tuple[PredictionSummary, PredictionStore]:
        """Predict what is not in the store below a folder; see `ModelBench.predict`."""
        from snellen.benchmark.bench import PredictionSummary

        plain = self._ask("predict", {"folder": os.fspath(folder)}, progress)
        return PredictionSummary(**plain["summary"]), PredictionStore(**plain["store"])

    def latency(self, seconds: float = 2.0, least_calls: int = 100) -> Latency:
        """See `ModelBench.latency`."""
        given = {"seconds": seconds, "least_calls": least_calls}
        return Latency(**self._ask("latency", given))

    def throughput(self, batch_size: int, seconds: float = 2.0, least_calls: int = 3) -> Throughput:
        """See `ModelBench.throughput`."""
        given = {"batch_size": batch_size, "seconds": seconds, "least_calls": least_calls}
        return Throughput(**self._ask("throughput", given))

    def end_to_end(self, seconds: float = 3.0) -> EndToEnd:
        """See `ModelBench.end_to_end`."""
        return EndToEnd(**self._ask("end_to_end", {"seconds": seconds}))

    def memory(self) -> Memory:
        """See `ModelBench.memory`."""
        return Memory(**self._ask("memory", {}))

    def close(self, *, ask: bool = True) -> None:
        """End the process; again does nothing.

        Parameters
        ----------
        ask : bool
            Whether the model may end in order; else the process ends as it is.
        """
        try:
            if ask:
                with contextlib.suppress(BrokenPipeError, subprocess.TimeoutExpired):
                    self._channel.send({"do": "stop", "with": {}})
                    self._process.wait(_PATIENCE)
        finally:  # also where waiting is interrupted
            self._end()

    def _end(self) -> int:
        """Return how the process ended, which it does without its pipe."""
        self._channel.close()
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _ask(
        self,
        do: str,
        given: Mapping[str, Any],
        progress: Callable[[int, int], None] | None = None,
    ) -> Any:
        try:
            self._channel.send({"do": do, "with": given})
            while (answer := self._channel.receive())["kind"] not in ("done", "failed"):
                if answer["kind"] == "warning":
                    warnings.warn(answer["text"], DataWarning, stacklevel=3)
                elif progress is not None:
                    progress(answer["done"], answer["of"])
        except (EOFError, BrokenPipeError):
            raise InputError(_ended(self._end()), self.name) from None
        except BaseException:
            # Interrupted, or by what was called: the rest of the answer would be taken for another.
            self._channel.close()
            raise
        if answer["kind"] == "failed":
            raise _error(answer)
        return answer["value"]


def environment(threads: int) -> dict[str, str]:
    """Return what the environment of a process says in which a network is measured.

    The threads, because libraries count processors when they are imported, and know no better. And
    that the C library keeps the memory that is freed (where the user's environment says nothing of
    it). Else it gives large blocks back to the system, or does not, as it happens in a process, and
    activations come as new pages at each call: a bare loop of torch took 25 ms an image, at batches
    of 16, in one process, and 43 to 58 in the next. ONNX Runtime keeps memory by itself.
    """
    number = str(threads)
    said = {"OMP_NUM_THREADS": number, "MKL_NUM_THREADS": number}
    if not any(name.startswith(("MALLOC_", "GLIBC_TUN")) for name in os.environ):
        said |= {"MALLOC_MMAP_THRESHOLD_": _LARGEST_KEPT, "MALLOC_TRIM_THRESHOLD_": _MOST_KEPT}
    return said


def _ended(code: int) -> str:
    if code >= 0:
        return f"expected the process of the model to go on, it ended with code {code}"
    hint = " (is the memory too small for it?)" if -code == signal.SIGKILL else ""
    return f"expected the process of the model to go on, it ended by signal {-code}{hint}"


def _started(incoming: int, outgoing: int, threads: int) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        raise InputError("expected Linux or macOS: networks run in processes that share pipes")
    here = str(Path.cwd())
    path = [here, *(each for each in sys.path if each not in ("", here))]
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, str(incoming), str(outgoing), *path],
        pass_fds=(incoming, outgoing),
        stdin=subprocess.DEVNULL,
        stdout=2,  # of file descriptors: what frameworks print is no result
        env={**os.environ, **environment(threads)},
        start_new_session=True,  # the terminal's Ctrl-C goes to this process alone
    )


def _error(answer: Mapping[str, Any]) -> Exception:
    if "os" in answer:
        return OSError(*answer["os"])
    kind = next(
        (getattr(errors, name) for name in answer["names"] if name in errors.__all__), InputError
    )
    # MissingExtraError makes its own message, and this is one that is made.
    error: SnellenError = kind.__new__(kind)
    SnellenError.__init__(error, answer["message"], answer["place"])
    return error
