"""One side in a process of its own: ``run_side.py MODULE MODE …``.

MODULE is one of a folder such as ``detection_sides``, which says what its functions take. Only that
side is imported.

* ``from_files FILE…``: the whole work, from files to printed numbers; measured from outside.
* ``numbers OUT FILE…``: once, unmeasured: the array and the numbers to compare with other sides'.
  OUT.npy gets the array, OUT.json its digest and the numbers.
* ``task OUT NAME ARRAYS.npz CALLS``: the work called NAME on arrays that lie in memory, so many
  times after a first one; OUT.json gets the seconds of each and the numbers. Where the work's
  outcome is no numbers but maps, say, it returns what makes numbers of it, which is not measured.
* ``phases OUT FILE…``: the work from files, in parts; OUT.json gets the seconds of each part.
* ``from_arrays OUT FILE… ROWS.npy``: the work on arrays that lie in memory; measured here, around
  the work alone. OUT.json gets the seconds and the numbers.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main() -> None:
    """Do what the arguments say."""
    module, mode, *arguments = sys.argv[1:]
    side = importlib.import_module(module)
    if mode == "from_files":
        side.from_files(*arguments)
    elif mode == "numbers":
        _numbers(side, *arguments)
    elif mode == "from_arrays":
        _from_arrays(side, *arguments)
    elif mode == "task":
        _task(side, *arguments)
    elif mode == "phases":
        _phases(side, *arguments)
    else:
        sys.exit(f"expected from_files, numbers, from_arrays, task or phases, got {mode}")


def _numbers(side: Any, out: str, *files: str) -> None:
    import hashlib
    import json
    from pathlib import Path

    import numpy as np

    array, numbers = side.numbers(*files)
    if array.dtype != np.float64:
        sys.exit(f"expected an array of float64, got {array.dtype}")
    array = np.ascontiguousarray(array)
    np.save(f"{out}.npy", array)
    found = {
        "shape": array.shape,
        "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
        "numbers": [float(number) for number in numbers],
    }
    Path(f"{out}.json").write_text(json.dumps(found))


def _phases(side: Any, out: str, *files: str) -> None:
    import json
    from pathlib import Path

    Path(f"{out}.json").write_text(json.dumps(side.phases(*files)))


def _from_arrays(side: Any, out: str, *files: str) -> None:
    import json
    import time
    from pathlib import Path

    import numpy as np

    *others, rows_file = files
    work = side.from_arrays(*others, np.load(rows_file))
    wall, cpu = time.perf_counter(), time.process_time()
    numbers = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = {"wall": wall, "cpu": cpu, "numbers": [float(number) for number in numbers]}
    Path(f"{out}.json").write_text(json.dumps(found))


def _task(side: Any, out: str, name: str, arrays_file: str, calls: str) -> None:
    import json
    import time
    from pathlib import Path

    import numpy as np

    with np.load(arrays_file) as stored:
        arrays = dict(stored)
    work = getattr(side, name)(arrays)
    numbers = work()  # also imports what the tool imports late, and warms what it caches
    walls, cpus = [], []
    for _ in range(int(calls)):
        wall, cpu = time.perf_counter(), time.process_time()
        numbers = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    if callable(numbers):
        numbers = numbers()
    found = {"wall": walls, "cpu": cpus, "numbers": {k: float(v) for k, v in numbers.items()}}
    Path(f"{out}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
