"""Files as parts: looked through once, then kept on the device or loaded when they are due."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
import torch

from snellen.errors import ClassError, InputError, SnellenError
from snellen.readers.message_text import few
from snellen.threads import usable_threads
from snellen.training.data.resident import ResidentPart
from snellen.training.data.streamed import StreamedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["Files", "Keep", "Loaded", "Loading", "memory_for_data", "part_of_files", "without_bad"]

Keep = Literal["auto", "device", "stream"]
T = TypeVar("T")
_MIB = 1 << 20


class Loading(NamedTuple):
    """How files become parts.

    Attributes
    ----------
    keep : {"auto", "device", "stream"}
        Whether decoded arrays are kept, or files decoded each time; ``"auto"`` keeps what fits in
        a quarter of the memory.
    threads : int or None
        How many decode; None: one for each processor.
    check : {"whole", "head"}
        Whether files that are streamed are decoded once before training, to find the damaged
        ones, or only their heads are read.
    strict : bool
        Whether a file that cannot be read is an error; else it is left out and said.
    device : str
        Where kept arrays will be.
    """

    keep: Keep = "auto"
    threads: int | None = None
    check: Literal["whole", "head"] = "whole"
    strict: bool = False
    device: str = "cpu"


class Files(NamedTuple):
    """The files of a part.

    Attributes
    ----------
    ids : list of str
        What samples are called.
    paths : list of str
        Where they are.
    """

    ids: list[str]
    paths: list[str]

    def only(self, rows: Sequence[int]) -> Files:
        """Return some of them."""
        return Files([self.ids[row] for row in rows], [self.paths[row] for row in rows])


class Loaded(NamedTuple, Generic[T]):
    """What became of a job on each of many files.

    Attributes
    ----------
    rows : list of int
        The files that could be read.
    values : list
        What the job made of each of these.
    errors : list of SnellenError
        Of the others.
    """

    rows: list[int]
    values: list[T]
    errors: list[SnellenError]


def without_bad(
    job: Callable[[int], T], names: Sequence[str], loading: Loading, what: str, notes: list[str]
) -> Loaded[T]:
    """Do a job for each of some files by threads; leave out those that cannot be read, and say so.

    Raises
    ------
    SnellenError
        The first file's, where `loading` is strict, or all are bad.
    """

    def tried(row: int) -> T | SnellenError:
        try:
            return job(row)
        except ClassError:
            raise  # the file is whole: what is meant by it has to be said
        except InputError as error:
            return error

    if loading.threads is not None and loading.threads < 1:
        raise InputError(f"expected threads from 1, got {loading.threads}")
    rows, values, errors, bad = [], [], [], []
    with ThreadPoolExecutor(loading.threads or usable_threads()) as pool:
        for row, value in enumerate(pool.map(tried, range(len(names)))):
            if isinstance(value, SnellenError):
                if loading.strict:
                    pool.shutdown(cancel_futures=True)
                    raise value
                errors.append(value)
                bad.append(names[row])
            else:
                rows.append(row)
                values.append(value)
    if errors:
        if not rows:
            raise errors[0]
        s = "" if len(errors) == 1 else "s"
        notes.append(f"{len(bad):,} {what}{s} that cannot be read left out: {few(bad)}")
    return Loaded(rows, values, errors)


def part_of_files(
    load: Callable[[int], tuple[NDArray[Any], Any]],
    files: Files,
    targets: Tensor | None,
    shape: tuple[int, ...],
    dtype: torch.dtype,
    *,
    keep: bool,
    loading: Loading,
    notes: list[str],
) -> ResidentPart | StreamedPart:
    """Return files as a part, the damaged ones left out.

    Parameters
    ----------
    load : callable
        Returns the inputs and the target of the file of a number.
    files : Files
        All files of the part.
    targets : Tensor or None
        Of all files, where they are not in files themselves.
    shape, dtype
        Of a sample's inputs.
    keep : bool
        Whether the arrays are kept.
    loading : Loading
        How.
    notes : list of str
        What is left out is added.
    """
    n = len(files.ids)
    if keep:
        inputs = torch.empty((n, *shape), dtype=dtype)
        room = inputs.numpy()

        def filled(row: int) -> Any:
            room[row], target = load(row)
            return target

        found = without_bad(filled, files.ids, loading, "file", notes)
        rows = torch.tensor(found.rows)
        if found.errors:
            inputs = inputs[rows]
        kept = targets[rows] if targets is not None else torch.from_numpy(np.stack(found.values))
        return ResidentPart(inputs, kept, files.only(found.rows).ids)
    rows = torch.arange(n)
    if loading.check == "whole":

        def looked(row: int) -> None:
            load(row)

        rows = torch.tensor(without_bad(looked, files.ids, loading, "file", notes).rows)
    sizes = torch.zeros(n, dtype=torch.int64)
    for row, path in enumerate(files.paths):
        with contextlib.suppress(OSError):
            sizes[row] = Path(path).stat().st_size
    part = StreamedPart(
        load,
        n,
        targets,
        files.ids,
        input_shape=shape,
        dtype=dtype,
        marks=sizes,
        threads=loading.threads,
        device=loading.device,
    )
    return part if len(rows) == n else part.take(rows)


def memory_for_data(device: str = "cpu") -> int:
    """Return how many bytes arrays may take: a quarter of the memory of where they will be."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1] // 4)
    limits: list[int] = []
    with contextlib.suppress(OSError, ValueError, AttributeError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # "max": no limit
            limits.append(int(Path(path).read_text(encoding="ascii")))
    return min(limits, default=4096 * _MIB) // 4


def fits(sizes: Iterable[int], loading: Loading) -> bool:
    """Return whether arrays of so many bytes are kept."""
    if loading.keep == "auto":
        return sum(sizes) <= memory_for_data(loading.device)
    return loading.keep == "device"
