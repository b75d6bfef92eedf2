"""The laws of metrics, over J and F of video objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.rle_masks import RleMasks
from snellen.state import Keys
from snellen.testing import LAWS, MetricCase
from snellen.tracking.j_and_f import JAndF, JAndFResult
from snellen.tracking.tracks import Tracks


class Named(JAndF):
    """The metric with the sequence as a positional argument, as the laws give it."""

    __slots__ = ()

    def update(self, truth: Any, pred: Any, sequence: Any = None) -> Any:
        return super().update(truth, pred, sequence=sequence)


def video(seed: int, n_frames: int, height: int, width: int) -> tuple[Any, Any]:
    """Return label maps of boxes that move, some void, and what is nearly them under other ids."""
    random = np.random.default_rng(seed)
    truth = np.zeros((n_frames, height, width), np.uint8)
    for value in [*range(1, int(random.integers(2, 6))), 255]:
        y, x = random.integers(0, height - 3), random.integers(0, width - 3)
        for frame in truth[int(random.integers(0, 2)) :]:
            y, x = (y + random.integers(0, 2)) % height, (x + random.integers(0, 2)) % width
            frame[y : y + 4, x : x + 5] = value
    pred = np.roll(truth, random.integers(-1, 2, 2), (1, 2))
    return truth, random.permutation(256).astype(np.uint8)[pred] * (pred > 0)


SIZES = [(5, 12, 17), (3, 20, 9), (1, 8, 8), (6, 12, 17)]
VIDEOS = [video(seed, *size) for seed, size in enumerate(SIZES)]
TEXTS = [(*maps, f"sequence {5 * i % 4}") for i, maps in enumerate(VIDEOS)]
NUMBERS = [(*maps, 40 - 3 * i) for i, maps in enumerate(VIDEOS)]
WITH_EMPTY = [
    *TEXTS,
    (np.zeros((2, 5, 5), np.uint8), VIDEOS[0][1][:2, :5, :5], "nothing there"),
    (np.zeros((0, 5, 5), np.uint8), np.zeros((0, 5, 5), np.uint8), "no frames"),
]


def tracks_of(maps: Any, side: str, sequence: Any, text: bool) -> dict[str, Any]:
    found = RleMasks.from_labels(maps)
    return {
        "masks": found.masks,
        "track_id": [f"id {each}" for each in found.value] if text else found.value,
        "frame": found.image,
        "sequence": [sequence] * len(found.value),
        "region": found.value == 255 if side == "truth" else np.zeros(len(found.value)),
    }


def joined(batches: list[Any], side: int, text: bool = False) -> Tracks:
    """Return the tracks of all batches at once, the rows of sequences in turn."""
    name = ("truth", "pred")[side]
    parts = [tracks_of(batch[side], name, batch[2], text) for batch in batches]
    masks = RleMasks.joined([part.pop("masks") for part in parts])
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.random.default_rng(0).permutation(len(masks))
    return Tracks.from_masks(
        masks[order],
        **{key: column[order] for key, column in columns.items()},
        n_frames={batch[2]: len(batch[0]) for batch in batches},
    )


def as_tracks(batch: Any) -> tuple[Tracks, Tracks]:
    return joined([batch], 0, text=True), joined([batch], 1, text=True)


ALIKE = [(joined([batch], 0), joined([batch], 1)) for batch in NUMBERS]
TEXT_IDS = [as_tracks(batch) for batch in TEXTS]

TRUTH, PRED, _ = TEXTS[0]
BAD: list[tuple[Any, ...]] = [
    (TRUTH, PRED[:-1], "new"),
    (TRUTH, PRED[:, :-1], "new"),
    (TRUTH, PRED * 0.5, "new"),
    (np.full(TRUTH.shape, np.nan), PRED, "new"),
    (np.full(TRUTH.shape, np.inf), PRED, "new"),
    (TRUTH[0], PRED[0], "new"),
    (TRUTH, PRED, 1.5),
    (ALIKE[0][0], ALIKE[1][1]),
    (ALIKE[0][0], PRED),
]
OTHERS: list[dict[str, Any]] = [{"match": "id"}, {"tolerance": 3}]
PERFECT = {"J_and_F": 1.0, "J_mean": 1.0, "F_mean": 1.0, "J_recall": 1.0, "J_decay": 0.0}


def case(batches: list[Any], perfect: Any, others: Any = OTHERS, **fields: Any) -> MetricCase:
    parameters = fields.pop("parameters", {})
    return MetricCase(
        lambda: Named(**parameters),
        batches,
        bad_batches=BAD,
        other_parameters=[
            lambda changed=changed: Named(**parameters | changed) for changed in others
        ],
        perfect=(perfect, PERFECT),
        **fields,
    )


SAME = VIDEOS[0][0] * (VIDEOS[0][0] < 255)
CASES = {
    "label maps named by texts": case(TEXTS, (SAME, SAME, "a")),
    "label maps named by numbers": case(
        NUMBERS, (SAME, SAME, 1), [{"match": "J"}, {"tolerance": 1}], parameters={"match": "id"}
    ),
    "sequences without objects, without frames": case(WITH_EMPTY, (SAME, SAME, "a")),
    "tracks": case(
        ALIKE,
        (joined([(SAME, SAME, 1)], 0), joined([(SAME, SAME, 1)], 0)),
        parameters={"tolerance": 1},
        whole=(joined(NUMBERS, 0), joined(NUMBERS, 1)),
    ),
    "tracks with texts as ids": case(
        TEXT_IDS,
        as_tracks((SAME, SAME, "a")),
        whole=(joined(TEXTS, 0, text=True), joined(TEXTS, 1, text=True)),
    ),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for each in CASES.values():
        batches = each.batches[:4]
        numbers = [str(each.fed(batches[:n]).compute().metrics) for n in range(1, 5)]
        assert len(set(numbers)) == len(numbers)


class ForgetsMatches(Named):
    """Merges all but which track an object was given."""

    def merge(self, other: Any, /) -> Any:
        kept = list(self._matches._pieces)
        super().merge(other)
        self._matches._pieces = kept
        return self


class KeepsTheOrder(Named):
    """Gives lengths of sequences back in the order in which they came."""

    def tables(self) -> Any:
        tables = super().tables()
        came = [keys.ids[0] for keys in self._sequences.tables()["sequence"]]
        order = tables.sequences.codes(came)
        lengths = {name: column[order] for name, column in tables.of_sequences.items()}
        return tables._replace(of_sequences=lengths)

    def compute(self) -> Any:
        return JAndFResult.of_tables(self.rules, super().tables())


class CountsBeforeItChecks(Named):
    """Counts a sequence before it looks at it."""

    def update(self, truth: Any, pred: Any, sequence: Any = None) -> Any:
        one = np.ones(1, np.int64)
        keys = {"sequence": Keys(["early"], "sequence id")}
        self._sequences.append(keys, sequence=np.zeros(1, np.int32), n_frames=one, n_pred=one)
        n = self._sequences.n_pieces
        super().update(truth, pred, sequence)
        del self._sequences._pieces[n - 1]
        return self


@pytest.mark.parametrize(
    ("law", "twin"),
    [
        ("sharding", ForgetsMatches),
        ("order", KeepsTheOrder),
        ("failed update changes nothing", CountsBeforeItChecks),
    ],
)
def test_laws_fail_on_broken_twins(law: str, twin: type[Named]) -> None:
    broken = CASES["label maps named by texts"]._replace(make_metric=twin, other_parameters=())
    with pytest.raises(AssertionError, match=f"law broken: {law}: "):
        LAWS[law](broken)
