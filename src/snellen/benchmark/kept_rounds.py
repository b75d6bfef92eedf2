"""Rounds of speeds, kept while a benchmark runs, so that one that was interrupted goes on."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import msgspec

from snellen.atomic_files import write_atomically
from snellen.benchmark.record import Session
from snellen.benchmark.speed import Memory, Round
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["KeptRounds"]

_SCHEMA = "snellen.benchmark-rounds/1"


class KeptRounds:
    """The rounds so far, by model, in a file.

    Parameters
    ----------
    path : Path
        The file; what another benchmark left there is not taken.
    key : mapping of str to object
        What the speeds depend on: machine, settings, models with their versions.
    began : float
        When this command began, in seconds since the epoch.

    Attributes
    ----------
    earlier : list of Session
        The commands before this one whose rounds are there.
    """

    def __init__(self, path: Path, key: Mapping[str, Any], began: float) -> None:
        self._path = path
        encoded = msgspec.json.encode(key, order="deterministic")
        self._key = hashlib.blake2b(encoded, digest_size=16).hexdigest()
        self._rounds: dict[str, list[dict[str, Any]]] = {}
        self._memory: dict[str, dict[str, Any]] = {}
        self._began = began
        self.earlier: list[Session] = []
        try:
            found = msgspec.json.decode(path.read_bytes())
            if found["schema"] == _SCHEMA and found["key"] == self._key:
                rounds, memory = found["rounds"], found["memory"]
                for each in [one for of_model in rounds.values() for one in of_model]:
                    Round.of_dict(each)
                for each in memory.values():
                    Memory(**each)
                earlier = [_session(each, began) for each in found["sessions"]]
                self._rounds, self._memory, self.earlier = rounds, memory, earlier
        # No file, or another's, or a damaged one: all is measured, as without it.
        except (
            OSError,
            msgspec.DecodeError,
            InputError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ):
            pass

    @property
    def n_taken(self) -> int:
        """How many rounds there are, of all models."""
        return sum(map(len, self._rounds.values()))

    def rounds(self, model: str) -> list[Round]:
        """Return the rounds of a model."""
        return [Round.of_dict(each) for each in self._rounds.get(model, [])]

    def memory(self, model: str) -> Memory | None:
        """Return the most memory that a model had so far."""
        found = self._memory.get(model)
        return None if found is None else Memory(**found)

    def add(self, model: str, measured: Round, memory: Memory) -> None:
        """Keep a round.

        Raises
        ------
        OSError
            Where it cannot be written.
        """
        self._rounds.setdefault(model, []).append(measured.to_dict())
        self.note_memory(model, memory)
        content = {
            "schema": _SCHEMA,
            "key": self._key,
            "rounds": self._rounds,
            "memory": self._memory,
            "sessions": [*self.earlier, (self._began, max(0.0, time.time() - self._began))],
        }
        write_atomically({self._path: msgspec.json.encode(content)})

    def note_memory(self, model: str, memory: Memory) -> None:
        """Note what a model's process had; of several processes the most counts."""
        before = self.memory(model)
        if before is not None:
            devices = [
                each for each in (before.device_peak, memory.device_peak) if each is not None
            ]
            memory = Memory(
                max(before.host_peak, memory.host_peak),
                max(before.host_loaded, memory.host_loaded),
                max(devices, default=None),
            )
        self._memory[model] = memory._asdict()

    def forget(self) -> None:
        """Take the file away: the benchmark is finished, and another one measures anew."""
        self._path.unlink(missing_ok=True)


def _session(plain: Sequence[float], now: float) -> Session:
    """Return a command that a file tells of.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    began, seconds = plain
    if not (0 <= began <= now and seconds >= 0):
        raise ValueError("it began in the past")
    return Session(began, seconds)
