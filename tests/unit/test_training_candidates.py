"""What ``auto`` means is measured, used, written down, and taken again."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small_trainings import (
    LAYERS,
    PLAIN,
    equal,
    last_weights,
    linear_network,
    objects,
    small_train,
    stopped_after,
)

from snellen.errors import InputError
from snellen.training import Callback, candidates
from snellen.training.state import TrainingState

AUTO = {
    **PLAIN, "network": LAYERS, "threads": "auto", "memory_format": "auto", "precision": "auto",
}  # fmt: skip


@pytest.fixture
def fastest(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Say which values are fast, in place of a clock."""
    wanted: dict[str, Any] = {}

    def seconds(description: Any, *_rest: Any) -> float:
        return 1.0 - sum(getattr(description, name) == value for name, value in wanted.items()) / 9

    monkeypatch.setattr(candidates, "_step_seconds", seconds)
    return wanted


class Seen(Callback):
    def step_end(self, run: TrainingState) -> None:
        self.threads = torch.get_num_threads()
        self.description = run.description


def test_it_is_measured_in_earnest(tmp_path: Path) -> None:
    run = small_train({**AUTO, "epochs": 1}, out=tmp_path)
    content = json.loads((tmp_path / "run.json").read_text())
    description = json.loads((tmp_path / "description.json").read_text())
    chosen = {each["setting"]: each for each in content["choices"]}
    assert set(chosen) == {"threads", "memory_format", "precision"}
    assert set(chosen["memory_format"]["seconds"]) == {"contiguous", "channels_last"}
    assert {"float32", "bfloat16"} <= set(chosen["precision"]["seconds"])
    for name, each in chosen.items():
        assert description[name] == each["value"]
        assert each["seconds"][str(each["value"])] == min(each["seconds"].values())
        assert all(0 < value < 60 for value in each["seconds"].values())
    assert "auto" not in [description[name] for name in ("task", "monitor", *chosen, "compile")]
    assert math.isfinite(run.history[-1]["loss"])


def test_what_was_found_is_computed_with(fastest: dict[str, Any]) -> None:
    """As if it had been said: the same weights, bit for bit."""
    for precision in ("float32", "bfloat16"):
        for layout in ("contiguous", "channels_last"):
            fastest.update(precision=precision, memory_format=layout)
            said = {**AUTO, "threads": None, "precision": precision, "memory_format": layout}
            measured = last_weights({**AUTO, "threads": None})
            assert equal(measured, last_weights(said)), (precision, layout)
    assert not equal(measured, last_weights({**said, "precision": "float32"}))


def test_so_many_threads_as_were_found(fastest: dict[str, Any]) -> None:
    before = torch.get_num_threads()
    fastest.update(threads=1)
    torch.set_num_threads(2)
    try:
        seen = Seen()
        small_train({**AUTO, "epochs": 1}, callbacks=[seen])
        assert (seen.threads, seen.description.threads) == (1, 1)
        assert torch.get_num_threads() == 2
        small_train({**PLAIN, "epochs": 1, "threads": 1}, callbacks=[seen])
        assert seen.threads == 1
        small_train({**PLAIN, "epochs": 1}, callbacks=[seen])
        assert seen.threads == 2
    finally:
        torch.set_num_threads(before)


def test_a_resumed_run_takes_what_was_written(fastest: dict[str, Any], tmp_path: Path) -> None:
    fastest.update(precision="bfloat16", memory_format="contiguous", threads=1)
    whole = last_weights(AUTO)
    small_train(AUTO, out=tmp_path, callbacks=[stopped_after(7)])
    fastest.update(precision="float32", memory_format="channels_last", threads=2)
    seen = Seen()
    resumed = last_weights(AUTO, out=tmp_path, resume=True, callbacks=[seen])
    found = seen.description
    assert (found.precision, found.memory_format) == ("bfloat16", "contiguous")
    assert equal(resumed, whole)


def test_measuring_changes_no_weight_and_no_random_number(monkeypatch: pytest.MonkeyPatch) -> None:
    # One candidate: which of several is the fastest is not for a test to know.
    monkeypatch.setattr(candidates.os, "sched_getaffinity", lambda _: {0}, raising=False)
    said = {
        **AUTO, "threads": 1, "precision": "float32", "memory_format": "contiguous",
        "compile": False,
    }  # fmt: skip
    assert equal(last_weights(said), last_weights({**said, "threads": "auto"}))


def test_a_hopeless_candidate_is_tried_twice_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that says what steps take: 0.5 s the first one, 0.4 s the others."""
    now, steps = [0.0], []
    monkeypatch.setattr(candidates.time, "perf_counter", lambda: now[0])
    network = linear_network()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        now[0] += 0.4 if steps else 0.5
        steps.append(target)
        return torch.nn.functional.cross_entropy(output, target)

    batch = torch.zeros(4, 1, 6, 6), torch.zeros(4, dtype=torch.int64)
    engine = candidates.Engine(torch.device("cpu"))
    function: Any = loss
    for best, n_steps in ((0.1, 2), (0.15, 8), (math.inf, 8)):
        steps.clear()
        found = candidates._timed(network, *batch, function, optimizer, best, engine)
        assert (found, len(steps)) == (pytest.approx(0.4), n_steps)


def test_a_candidate_that_does_not_run_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    timed = candidates._timed

    def fails(*given: Any) -> float:
        if given[-1].precision == "bfloat16":
            raise RuntimeError("not implemented for BFloat16\nand more")
        return timed(*given)

    monkeypatch.setattr(candidates, "_timed", fails)
    small_train({**PLAIN, "precision": "auto", "epochs": 1}, out=tmp_path)
    assert json.loads((tmp_path / "description.json").read_text())["precision"] == "float32"
    written = json.loads((tmp_path / "run.json").read_text())["choices"][0]
    assert written["seconds"]["bfloat16"] is None
    assert written["failures"] == {"bfloat16": "not implemented for BFloat16"}
    page = (tmp_path / "index.html").read_text()
    assert "bfloat16 failed: not implemented for BFloat16" in page


def test_the_network_handed_over_is_not_trained_by_measuring() -> None:
    network = linear_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}

    class First(Callback):
        def start(self, run: TrainingState) -> None:
            self.same = equal(run.network.state_dict(), before)

    first = First()
    small_train({**PLAIN, "precision": "auto"}, network=network, callbacks=[first])
    assert first.same


def test_several_processes_need_a_precision() -> None:
    with pytest.raises(InputError, match="a precision for several devices, got auto"):
        small_train({**PLAIN, "precision": "auto", "devices": 2, "device": "cpu"}, data=objects())
