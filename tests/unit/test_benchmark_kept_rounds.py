"""Rounds that an interrupted benchmark left: taken where all is the same, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snellen.benchmark.kept_rounds import KeptRounds
from snellen.benchmark.speed import EndToEnd, Latency, Memory, Round, Throughput

KEY = {"machine": {"cpu": "some"}, "models": {"a": {"digest": "1"}, "b": {"digest": "2"}}}
ROUND = Round(
    Latency(100, 10, 1e-3, 2e-3, 3e-3, 0.1, 1.0),
    (Throughput(1, 9, 3, 500.0, 0.1, 1.0), Throughput(8, 9, 3, 900.0, 0.1, 1.0)),
    EndToEnd(64, 8, 700.0, 1e-4, 2e-4, 3e-4, 1e-3, 1.0),
)
OTHER = Round(None, (), None)
BEGAN = 1_000_000.0


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "rounds.json"
    kept = KeptRounds(path, KEY, BEGAN)
    assert (kept.n_taken, kept.rounds("a"), kept.memory("a")) == (0, [], None)
    kept.add("a", ROUND, Memory(10, 5))
    kept.add("a", OTHER, Memory(8, 7))
    kept.add("b", OTHER, Memory(1, 1, 3))
    for one in (kept, KeptRounds(path, dict(reversed(KEY.items())), BEGAN)):
        assert one.n_taken == 3
        assert one.rounds("a") == [ROUND, OTHER]
        assert one.rounds("b") == [OTHER]
        assert one.memory("a") == Memory(10, 7, None)
        assert one.memory("b") == Memory(1, 1, 3)


def test_the_most_memory_counts(tmp_path: Path) -> None:
    kept = KeptRounds(tmp_path / "rounds.json", KEY, BEGAN)
    for each in (Memory(10, 5, None), Memory(9, 6, 4), Memory(11, 1, 2)):
        kept.note_memory("a", each)
    assert kept.memory("a") == Memory(11, 6, 4)


def test_those_of_another_benchmark_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "rounds.json"
    KeptRounds(path, KEY, BEGAN).add("a", ROUND, Memory(10, 5))
    other = KeptRounds(path, {**KEY, "machine": {"cpu": "another"}}, BEGAN)
    assert other.n_taken == 0
    assert other.memory("a") is None
    other.add("a", OTHER, Memory(1, 1))
    assert KeptRounds(path, KEY, BEGAN).n_taken == 0  # it has gone


def _without(name: str) -> Callable[[Any], Any]:
    return lambda found: {key: value for key, value in found.items() if key != name}


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: [],
        lambda _: None,
        lambda found: {**found, "schema": "another/1"},
        lambda found: {**found, "rounds": []},
        lambda found: {**found, "rounds": {"a": 7}},
        lambda found: {**found, "rounds": {"a": [{"latency": {"n": 1}}]}},
        lambda found: {**found, "memory": {"a": {"more": 1}}},
        _without("key"),
        _without("rounds"),
        _without("memory"),
        _without("sessions"),
        lambda found: {**found, "sessions": 7},
        lambda found: {**found, "sessions": [[1.0]]},
        lambda found: {**found, "sessions": [["1", 2.0]]},
        lambda found: {**found, "sessions": [[1.0, -2.0]]},
        lambda found: {**found, "sessions": [[1e300, 2.0]]},
    ],
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: Callable[[Any], Any]) -> None:
    path = tmp_path / "rounds.json"
    KeptRounds(path, KEY, BEGAN).add("a", ROUND, Memory(10, 5))
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    kept = KeptRounds(path, KEY, BEGAN)
    assert (kept.n_taken, kept.memory("a")) == (0, None)
    kept.add("a", OTHER, Memory(1, 1))
    assert KeptRounds(path, KEY, BEGAN).rounds("a") == [OTHER]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"schema": "'])
def test_a_file_that_is_no_json_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rounds.json"
    path.write_bytes(content)
    assert KeptRounds(path, KEY, BEGAN).n_taken == 0


def test_forgetting(tmp_path: Path) -> None:
    path = tmp_path / "rounds.json"
    kept = KeptRounds(path, KEY, BEGAN)
    kept.forget()  # there is none
    kept.add("a", ROUND, Memory(10, 5))
    assert path.is_file()
    kept.forget()
    assert list(tmp_path.iterdir()) == []


def test_when_rounds_were_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rounds.json"
    for k in range(3):
        began = BEGAN + 1000 * k
        monkeypatch.setattr("time.time", lambda began=began: began + 7)
        kept = KeptRounds(path, KEY, began)
        assert kept.earlier == [(BEGAN + 1000 * i, 7) for i in range(k)]
        kept.add("a", OTHER, Memory(1, 1))
        kept.add("b", OTHER, Memory(1, 1))
    assert KeptRounds(path, {**KEY, "other": 1}, BEGAN).earlier == []
