"""One way to run a network, in a process that works when it is asked.

``pretrained_run.py SIDE TASK NETWORK BATCH_SIZE THREADS FOLDER``: SIDE is a file of
``pretrained_sides``, TASK a function of it, FOLDER what `pretrained_sides.made` made. When it is
ready it prints a line of JSON, what the side gives to compare; then for each line that it reads, a
number of seconds to work for, the seconds of an image, wall and CPU. It ends with its input.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Do what the arguments say."""
    side, task, network, batch_size, threads, folder = sys.argv[1:]
    # What libraries print is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    import importlib
    import json

    from pretrained_sides import Setting

    def answer(content: object) -> None:
        print(json.dumps(content), file=answers, flush=True)

    setting = Setting(network, int(batch_size), int(threads), folder)
    module = importlib.import_module(f"pretrained_sides.{side}")
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(setting.threads)
    ready = getattr(module, task)(setting)
    answer(ready.given)
    for line in sys.stdin:
        answer(ready.turn(float(line)))


if __name__ == "__main__":
    main()
