"""The process of its own in which a network is measured: it does what its parent asks."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from typing import TYPE_CHECKING, Any, Final, TextIO

from snellen.benchmark.channel import Channel
from snellen.errors import DataWarning, InputError, SnellenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.benchmark.bench import ModelBench

__all__ = ["main"]

_PAUSE: Final = 0.1  # seconds between two messages of progress
_WATCH: Final = 1000  # milliseconds after which a parent is looked for that left its pipe to others
_LONGEST: Final = 300  # characters of what a library says
_NO_MEMORY: Final = ("not enough memory", "allocate memory", "out of memory")


def main(incoming: int, outgoing: int) -> None:
    """Answer requests until the parent says stop, or has gone.

    Parameters
    ----------
    incoming, outgoing : int
        File descriptors of requests and answers.
    """
    # Ctrl-C is the parent's affair, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for pipe in (incoming, outgoing):
        os.set_inheritable(pipe, False)  # what the model's code starts would keep them open
    channel = Channel(incoming, outgoing)
    watch = (incoming, os.getppid())
    threading.Thread(target=_end_with_parent, args=watch, daemon=True).start()
    _forward_warnings(channel)
    desk = _Desk(channel)
    try:
        while True:
            request = channel.receive()
            answer = desk.answer(request["do"], request["with"])
            try:
                channel.send(answer)
            # Somebody's model said of itself what is no plain value.
            except (TypeError, ValueError, InputError) as error:
                channel.send(desk.failed(error))
            if request["do"] == "stop":
                break
    except (EOFError, BrokenPipeError):
        pass
    sys.stderr.flush()
    # Libraries take long to end, and some hang; there is nothing left to do.
    os._exit(0)


def _end_with_parent(incoming: int, parent: int) -> None:
    """End this process, whatever it does, when its parent has closed the pipe or was killed."""
    gone = select.poll()
    gone.register(incoming, 0)  # nothing but its end
    while not gone.poll(_WATCH) and os.getppid() == parent:
        pass
    os._exit(0)


def _forward_warnings(channel: Channel) -> None:
    """Send warnings about data to the parent; others are shown here."""
    usual = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, DataWarning):
            channel.send({"kind": "warning", "text": str(message)})
        else:
            usual(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    warnings.simplefilter("always", DataWarning)
    # Of tags that are damaged, and the like: nothing that changes pixels.
    warnings.filterwarnings("ignore", module=r"PIL\.")


class _Desk:
    """What can be asked for, by name."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._bench: ModelBench | None = None
        self._name = "the model"
        self._told = 0.0

    def answer(self, do: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return what comes of a request: ``done`` with a value, or ``failed`` with the error."""
        works: dict[str, Callable[..., Any]] = {
            "load": self._load,
            "predict": self._predict,
            "latency": lambda **given: self._loaded.latency(**given)._asdict(),
            "throughput": lambda **given: self._loaded.throughput(**given)._asdict(),
            "end_to_end": lambda **given: self._loaded.end_to_end(**given)._asdict(),
            "memory": lambda: self._loaded.memory()._asdict(),
            "stop": self._stop,
        }
        try:
            return {"kind": "done", "value": works[do](**given)}
        except BrokenPipeError:
            raise
        # What is wrong with a model or its library may be anything: the parent says it in a line.
        except Exception as error:
            return self.failed(error)

    def failed(self, error: Exception) -> dict[str, Any]:
        """Return what the parent is told of an error."""
        if os.environ.get("SNELLEN_DEBUG"):
            traceback.print_exception(error)
        return {"kind": "failed", **self._described(error)}

    @property
    def _loaded(self) -> ModelBench:
        assert self._bench is not None, "load comes first"
        return self._bench

    def _load(
        self,
        *,
        name: str,
        model: str,
        images: dict[str, Any],
        device: str,
        threads: int,
        batch_size: int,
        strict: bool,
    ) -> dict[str, Any]:
        self._name = name
        from snellen.benchmark.bench import ModelBench
        from snellen.benchmark.open_images import open_images
        from snellen.benchmark.sources import load_model

        with warnings.catch_warnings():
            # The parent has opened the same images, and has said it.
            warnings.simplefilter("ignore", DataWarning)
            opened = open_images(**images)
        loaded = load_model(model, device=device, threads=threads)
        self._bench = bench = ModelBench(
            loaded, opened, name, threads=threads, batch_size=batch_size, strict=strict
        )
        classes = loaded.classes
        return {
            "facts": loaded.facts.to_dict(),
            "preprocessing": loaded.preprocessing.to_dict(),
            "classes": None if classes is None else list(classes),
            "scores": loaded.scores,
            "n_outputs": bench.n_outputs,
            "images_digest": opened.digest,
        }

    def _predict(self, *, folder: str) -> dict[str, Any]:
        bench = self._loaded
        store = bench.store(folder)
        done = bench.predict(store, self._tell)
        return {
            "summary": done._asdict(),
            "store": {
                "folder": folder,
                "key": bench.key(),
                "n_images": store.n_images,
                "chunk_rows": store.chunk_rows,
            },
        }

    def _tell(self, n_done: int, n_images: int) -> None:
        now = time.monotonic()
        if now - self._told >= _PAUSE or n_done == n_images:
            self._told = now
            self._channel.send({"kind": "progress", "done": n_done, "of": n_images})

    def _stop(self) -> None:
        if self._bench is not None:
            self._bench.model.close()

    def _described(self, error: Exception) -> dict[str, Any]:
        if isinstance(error, SnellenError):
            names = [each.__name__ for each in type(error).__mro__]
            return {"names": names, "message": _text(error.message), "place": _text(error.place)}
        if isinstance(error, OSError) and error.errno is not None:
            name = None if error.filename is None else _text(error.filename)
            return {"os": [error.errno, _text(error.strerror), name]}
        reason = " ".join(_text(error).split())[:_LONGEST]
        if isinstance(error, MemoryError) or any(text in reason.lower() for text in _NO_MEMORY):
            message = f"expected enough memory, there is not; a smaller batch takes less ({reason})"
        else:
            message = (
                f"expected the model to run, got {type(error).__name__}: {reason} "
                "(SNELLEN_DEBUG=1 shows where)"
            )
        return {"names": [InputError.__name__], "message": message, "place": self._name}


def _text(value: object) -> str:
    """Return what is said, as a message can hold it, whatever it is."""
    try:
        text = os.fsdecode(value) if isinstance(value, (bytes, os.PathLike)) else str(value)
    except Exception:  # of others' classes
        text = f"a {type(value).__name__} that cannot be shown"
    return text.encode("utf-8", "backslashreplace").decode()
