"""TrackEval: the reference."""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from trackeval import Evaluator
from trackeval.datasets import MotChallenge2DBox
from trackeval.metrics import CLEAR, HOTA, VACE, Identity

from tracking_sides import BENCHMARK, PHASES, write_numbers

_CLASS = "pedestrian"


def _dataset(truth: str, pred: str) -> Any:
    gt_folder = Path(truth).parent
    tracker_folder = Path(pred).parent
    return MotChallenge2DBox(
        {
            "GT_FOLDER": str(gt_folder),
            "TRACKERS_FOLDER": str(tracker_folder.parents[1]),
            "TRACKERS_TO_EVAL": [tracker_folder.name],
            "BENCHMARK": BENCHMARK,
            "PRINT_CONFIG": False,
        }
    )


def from_files(truth: str, pred: str, out: str, processes: str = "1") -> None:
    """Folders to the numbers of all sequences; nothing printed on the way, nothing drawn."""
    evaluator_options = {
        "USE_PARALLEL": int(processes) > 1,
        "NUM_PARALLEL_CORES": int(processes),
        "PRINT_RESULTS": False,
        "PRINT_CONFIG": False,
        "TIME_PROGRESS": False,
        "OUTPUT_SUMMARY": False,
        "OUTPUT_DETAILED": False,
        "PLOT_CURVES": False,
    }
    options = {"PRINT_CONFIG": False}
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = _dataset(truth, pred)
        metrics = [HOTA(), CLEAR(options), Identity(options), VACE(options)]
        results, _ = Evaluator(evaluator_options).evaluate([dataset], metrics)
    (of_tracker,) = results[dataset.get_name()].values()
    numbers = {}
    for family in of_tracker["COMBINED_SEQ"][_CLASS].values():
        for name, value in family.items():
            # HOTA's counts at each threshold are not of interest here, their means not either.
            if np.ndim(value) == 0:
                numbers[name] = value
            elif not name.startswith("HOTA_"):
                numbers[name] = np.mean(value)
    write_numbers(out, numbers)


def phases(truth: str, pred: str) -> dict[str, float]:
    """Seconds of each phase, summed over the sequences."""
    seconds = dict.fromkeys(PHASES, 0.0)
    options = {"PRINT_CONFIG": False}
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = _dataset(truth, pred)
        metrics = {
            "HOTA": HOTA(),
            "CLEAR": CLEAR(options),
            "Identity": Identity(options),
            "VACE": VACE(options),
        }
        trackers, names, _ = dataset.get_eval_info()
        load_file = dataset._load_raw_file

        def timed_load(*arguments: Any, **named: Any) -> Any:
            start = time.perf_counter()
            found = load_file(*arguments, **named)
            seconds["load"] += time.perf_counter() - start
            return found

        dataset._load_raw_file = timed_load
        for name in sorted(names):
            start, loaded = time.perf_counter(), seconds["load"]
            raw = dataset.get_raw_seq_data(trackers[0], name)
            # What is left of this call is similarities.
            seconds["similarity"] += time.perf_counter() - start - (seconds["load"] - loaded)
            start = time.perf_counter()
            data = dataset.get_preprocessed_seq_data(raw, _CLASS)
            seconds["preprocessing"] += time.perf_counter() - start
            for phase, metric in metrics.items():
                start = time.perf_counter()
                metric.eval_sequence(data)
                seconds[phase] += time.perf_counter() - start
    return seconds
