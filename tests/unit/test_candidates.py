"""Candidates, and matching by them, against plain Python."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snellen import _core, get_threads, set_threads
from snellen.rle_masks import RleMasks

N_IMAGES, N_LABELS = 2, 2
BAR_OF_ONE = 1 - 1e-10


@dataclasses.dataclass(frozen=True)
class Truth:
    image: int = 0
    label: int = 0
    area: float = 50.0
    crowd: bool = False
    ignored: bool = False
    id: int = 1


@dataclasses.dataclass(frozen=True)
class Pred:
    score: float = 0.5
    image: int = 0
    label: int = 0
    area: float = 50.0
    exempt: bool = False
    # Row of truth to similarity.
    similar: dict[int, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Rules:
    thresholds: list[float] = dataclasses.field(default_factory=lambda: [0.5])
    areas: list[tuple[float, float]] = dataclasses.field(default_factory=lambda: [(0.0, 1e10)])
    cap: int = 100
    id_zero_is_no_match: bool = False
    best_only: bool = False


def column(rows: list[Any], name: str, dtype: Any) -> NDArray[Any]:
    return np.array([getattr(row, name) for row in rows], dtype)


def matched(
    truth: list[Truth], pred: list[Pred], rules: Rules, /, **changed: Any
) -> dict[str, Any]:
    """Return what the kernel says; `changed` replaces arguments."""
    listed = [sorted(row.similar.items()) for row in pred]
    arguments: dict[str, Any] = {
        "truth_image": column(truth, "image", np.int32),
        "truth_label": column(truth, "label", np.int32),
        "truth_area": column(truth, "area", np.float64),
        "truth_crowd": column(truth, "crowd", np.uint8),
        "truth_ignored": column(truth, "ignored", np.uint8),
        "truth_id": column(truth, "id", np.int64),
        "pred_image": column(pred, "image", np.int32),
        "pred_label": column(pred, "label", np.int32),
        "pred_area": column(pred, "area", np.float64),
        "pred_score": column(pred, "score", np.float64),
        "pred_exempt": column(pred, "exempt", np.uint8),
        "begin": np.cumsum([0, *map(len, listed)]),
        "truth": np.array([row for pairs in listed for row, _ in pairs], np.int32),
        "similarity": np.array([value for pairs in listed for _, value in pairs], np.float64),
        "n_images": N_IMAGES,
        "n_labels": N_LABELS,
        "iou_thresholds": rules.thresholds,
        "area_ranges": rules.areas,
        "max_detections": rules.cap,
        "id_zero_is_no_match": rules.id_zero_is_no_match,
        "best_only": rules.best_only,
        "with_matches": True,
    }
    return _core.match_candidates(**{**arguments, **changed})


def letters_of(outcome: NDArray[np.uint32], n_thresholds: int) -> list[list[str]]:
    """Return, for each detection and area range, a letter for each threshold."""
    letters = {(0, 0): ".", (1, 0): "T", (0, 1): "F"}
    return [
        [
            "".join(
                letters[int(words[t // 16]) >> t % 16 & 1, int(words[t // 16]) >> 16 + t % 16 & 1]
                for t in range(n_thresholds)
            )
            for words in row
        ]
        for row in outcome
    ]


class PlainCell:
    """The truth of a cell at one area range and threshold, and what is left of it."""

    def __init__(
        self, truth: list[Truth], rows: list[int], area: tuple[float, float], rules: Rules
    ) -> None:
        self.truth, self.rows, self.rules = truth, rows, rules
        self.counted = {
            row
            for row in rows
            if not (truth[row].crowd or truth[row].ignored)
            and area[0] <= truth[row].area <= area[1]
        }
        self.used: set[int] = set()

    def best(self, pred: Pred, bar: float, rows: list[int]) -> int:
        """Return the row of highest similarity that reaches the bar, or -1."""
        reaching = [(value, row) for row, value in pred.similar.items() if value >= bar]
        reaching = [(value, row) for value, row in reaching if row in rows]
        if not reaching:
            return -1
        if self.rules.best_only:
            return max(reaching, key=lambda pair: (pair[0], -pair[1]))[1]
        return max(reaching)[1]

    def taken(self, pred: Pred, threshold: float) -> int:
        """Return the row that a detection takes, or -1."""
        bar = min(threshold, BAR_OF_ONE)
        crowds = [row for row in self.rows if self.truth[row].crowd]
        if self.rules.best_only:
            row = self.best(pred, bar, [row for row in self.rows if row not in crowds])
            if row < 0 or row in self.used:
                row = self.best(pred, bar, crowds)
            if row in self.counted:
                self.used.add(row)
            return row
        free = [row for row in self.rows if row not in self.used]
        row = self.best(pred, bar, [row for row in free if row in self.counted])
        if row < 0:
            row = self.best(pred, bar, [row for row in free if row not in self.counted])
        if row >= 0 and row not in crowds:
            self.used.add(row)
        return row

    def fate(self, pred: Pred, row: int, area: tuple[float, float]) -> str:
        if row >= 0 and row not in self.counted:
            return "."
        if row >= 0 and (self.truth[row].id != 0 or not self.rules.id_zero_is_no_match):
            return "T"
        return "." if pred.exempt or not area[0] <= pred.area <= area[1] else "F"


def plain(truth: list[Truth], pred: list[Pred], rules: Rules) -> dict[str, list[Any]]:
    """Return what a reader of the rules would say."""
    found: dict[str, list[Any]] = {
        name: [] for name in ("truth_row", "pred_row", "fates", "matches")
    }
    for label in range(N_LABELS):
        for image in range(N_IMAGES):
            rows = [i for i, t in enumerate(truth) if (t.image, t.label) == (image, label)]
            kept = [i for i, p in enumerate(pred) if (p.image, p.label) == (image, label)]
            kept = sorted(kept, key=lambda i: -pred[i].score)[: rules.cap]
            found["truth_row"] += rows
            found["pred_row"] += kept
            fates = {i: [""] * len(rules.areas) for i in kept}
            matches: dict[int, list[int]] = {i: [] for i in kept}
            for a, area in enumerate(rules.areas):
                for threshold in rules.thresholds:
                    cell = PlainCell(truth, rows, area, rules)
                    for i in kept:
                        row = cell.taken(pred[i], threshold)
                        fates[i][a] += cell.fate(pred[i], row, area)
                        if a == 0:
                            matches[i].append(row)
            found["fates"] += fates.values()
            found["matches"] += matches.values()
    return found


def fates(truth: list[Truth], pred: list[Pred], rules: Rules) -> list[str]:
    """Return the letters of the first area range, by rank, after comparing with the plain twin."""
    columns = matched(truth, pred, rules)
    letters = letters_of(columns["pred_outcome"], len(rules.thresholds))
    assert letters == plain(truth, pred, rules)["fates"]
    return [row[0] for row in letters]


SIMILARITIES = st.sampled_from([0.0, 0.25, 0.5, 0.6, 0.75, np.nextafter(0.75, 1), BAR_OF_ONE, 1.0])
AREAS = st.sampled_from([0.0, 50.0, 100.0, 150.0])
FLAGS = st.sampled_from([False, False, False, True])


@st.composite
def tables(draw: Any) -> tuple[list[Truth], list[Pred]]:
    cells = st.integers(0, 1)
    truth = draw(
        st.lists(st.builds(Truth, cells, cells, AREAS, FLAGS, FLAGS, st.integers(0, 2)), max_size=9)
    )
    # Of other images and labels, too: nothing of that is matched.
    similar = (
        st.dictionaries(st.integers(0, len(truth) - 1), SIMILARITIES) if truth else st.just({})
    )
    scores = st.sampled_from([0.1, 0.2, 0.3])
    pred = draw(st.lists(st.builds(Pred, scores, cells, cells, AREAS, FLAGS, similar), max_size=12))
    return truth, pred


RULES = st.builds(
    Rules,
    st.sampled_from(
        [
            [0.5],
            [0.0, 0.5, 0.75, 1.0],
            [0.25, 0.6],
            np.linspace(0.1, 1, 17).tolist(),
            np.linspace(0.2, 0.8, 40).tolist(),
        ]
    ),
    st.sampled_from([[(0.0, 1e10)], [(0.0, 1e10), (0.0, 50.0), (50.0, 100.0), (1e6, 1e7)]]),
    st.sampled_from([1, 3, 100]),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=600, derandomize=True, database=None, deadline=None)
@given(tables=tables(), rules=RULES)
def test_matching_is_what_the_rules_say(
    tables: tuple[list[Truth], list[Pred]], rules: Rules
) -> None:
    truth, pred = tables
    wanted = plain(truth, pred, rules)
    columns = matched(truth, pred, rules)
    assert columns["truth_row"].tolist() == wanted["truth_row"]
    assert columns["pred_row"].tolist() == wanted["pred_row"]
    assert letters_of(columns["pred_outcome"], len(rules.thresholds)) == wanted["fates"]
    assert columns["pred_match"].tolist() == wanted["matches"]
    assert columns["pred_score"].tolist() == [pred[i].score for i in wanted["pred_row"]]
    assert columns["pred_label"].tolist() == [pred[i].label for i in wanted["pred_row"]]
    assert columns["pred_image"].tolist() == [pred[i].image for i in wanted["pred_row"]]
    assert columns["truth_label"].tolist() == [truth[i].label for i in wanted["truth_row"]]
    # Without matches, and without the columns that say nothing, all else stays.
    silent = {} if any(t.ignored for t in truth) else {"truth_ignored": None}
    if not any(p.exempt for p in pred):
        silent["pred_exempt"] = None
    others = matched(truth, pred, rules, with_matches=False, **silent)
    assert set(others) == set(columns) - {"truth_row", "pred_row", "pred_match"}
    for name, other in others.items():
        assert other.tobytes() == columns[name].tobytes(), name


def test_pred_takes_what_is_most_alike() -> None:
    truth = [Truth(), Truth()]
    pred = [Pred(0.9, similar={0: 0.6, 1: 0.8}), Pred(0.8, similar={0: 0.6, 1: 0.8})]
    assert fates(truth, pred, Rules([0.5, 0.7])) == ["TT", "TF"]
    assert matched(truth, pred, Rules([0.5, 0.7]))["pred_match"].tolist() == [[1, 1], [0, -1]]
    # One that looks at its best alone comes too late for it.
    assert fates(truth, pred, Rules([0.5, 0.7], best_only=True)) == ["TT", "FF"]


def test_ignored_truth() -> None:
    truth = [Truth(ignored=True), Truth()]
    pred = [Pred(score, similar={0: 0.9, 1: 0.6}) for score in (0.9, 0.8, 0.7)]
    # What counts first; then what is ignored, once.
    assert fates(truth, pred, Rules()) == ["T", ".", "F"]
    # It is the best of all three, however often it is looked at.
    assert fates(truth, pred, Rules(best_only=True)) == [".", ".", "."]
    crowd = [dataclasses.replace(truth[0], crowd=True), truth[1]]
    assert fates(crowd, pred, Rules()) == ["T", ".", "."]
    assert fates(crowd, pred, Rules(best_only=True)) == ["T", ".", "."]


def test_exempt_pred() -> None:
    pred = [Pred(score, exempt=True, similar={0: 0.9}) for score in (0.9, 0.8)]
    assert fates([Truth()], pred, Rules()) == ["T", "."]


def columns_of(n: int, code: int = 0) -> NDArray[np.int32]:
    return np.full(n, code, np.int32)


NO_FLAGS = np.zeros(2, np.uint8)
ONE_CELL: dict[str, int] = {"n_images": 1, "n_labels": 1}


def box_pairs(lowest: float, **more: Any) -> dict[str, Any]:
    boxes = np.array([[0, 0, 10, 10], [2, 0, 10, 10.0]])
    codes = columns_of(2)
    return _core.box_candidates(
        codes, codes, boxes, NO_FLAGS, codes, codes, boxes[::-1].copy(),
        lowest=lowest, across_labels=False, **{**ONE_CELL, **more},
    )  # fmt: skip


def test_box_candidates() -> None:
    found = box_pairs(0.7)
    assert found["begin"].tolist() == [0, 1, 2]
    assert found["truth"].tolist() == [1, 0]
    assert found["similarity"].tolist() == [1.0, 1.0]
    found = box_pairs(80 / 120)
    assert found["truth"].tolist() == [0, 1, 0, 1]
    assert found["similarity"].tolist() == [80 / 120, 1.0, 1.0, 80 / 120]
    assert [found[name].dtype for name in found] == [np.int64, np.int32, np.float64]
    # The second has the higher score.
    capped = box_pairs(0.7, pred_score=np.array([0.1, 0.2]), max_detections=1)
    assert capped["begin"].tolist() == [0, 0, 1]
    assert capped["truth"].tolist() == [0]


def random_masks(random: np.random.Generator, n: int) -> RleMasks:
    pixels = np.zeros((n, 24, 30), np.bool_)
    for mask in pixels:
        y, x = random.integers(0, [20, 26])
        h, w = random.integers(1, 16, 2)
        mask[y : y + h, x : x + w] = random.random(mask[y : y + h, x : x + w].shape) < 0.8
    return RleMasks.from_arrays(pixels)


def mask_pairs(
    truth: RleMasks, pred: RleMasks, columns: dict[str, Any], **rules: Any
) -> dict[str, Any]:
    return _core.mask_candidates(
        truth_runs=truth.runs,
        truth_offset=truth.offset,
        truth_size=truth.size,
        pred_runs=pred.runs,
        pred_offset=pred.offset,
        pred_size=pred.size,
        **columns,
        **rules,
    )


@pytest.mark.parametrize("across_labels", [False, True])
@pytest.mark.parametrize("lowest", [0.0, 1e-9, 0.3, 0.5])
def test_mask_candidates(lowest: float, across_labels: bool) -> None:
    random = np.random.default_rng(7)
    n_truth, n_pred = 90, 300
    truth, pred = random_masks(random, n_truth), random_masks(random, n_pred)
    columns: dict[str, Any] = {
        "truth_image": random.integers(0, 4, n_truth, np.int32),
        "truth_label": random.integers(0, 3, n_truth, np.int32),
        "truth_crowd": (random.random(n_truth) < 0.2).astype(np.uint8),
        "pred_image": random.integers(0, 4, n_pred, np.int32),
        "pred_label": random.integers(0, 3, n_pred, np.int32),
        "n_images": 4,
        "n_labels": 3,
    }
    before = get_threads()
    try:
        answers = []
        for n_threads in (1, 3):
            set_threads(n_threads)
            answers.append(
                mask_pairs(truth, pred, columns, lowest=lowest, across_labels=across_labels)
            )
    finally:
        set_threads(before)
    for name, array in answers[0].items():
        assert array.tobytes() == answers[1][name].tobytes(), name

    a, b = pred.to_arrays().astype(np.int64), truth.to_arrays().astype(np.int64)
    shared = np.einsum("nhw,mhw->nm", a, b)
    own = a.sum(axis=(1, 2))[:, None]
    whole = np.where(columns["truth_crowd"] != 0, own, own + b.sum(axis=(1, 2)) - shared)
    iou = shared / np.maximum(whole, 1)
    fits = columns["pred_image"][:, None] == columns["truth_image"]
    if not across_labels:
        fits &= columns["pred_label"][:, None] == columns["truth_label"]
    rows, wanted = np.nonzero(fits & (iou >= lowest))
    found = answers[0]
    assert found["begin"].tolist() == np.searchsorted(rows, np.arange(n_pred + 1)).tolist()
    assert found["truth"].tolist() == wanted.tolist()
    assert found["similarity"].tobytes() == iou[rows, wanted].tobytes()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"begin": np.array([0, 1])}, "expected 3 rows of begin, got 2"),
    ({"begin": np.array([0, 1, 3])}, "expected begins of candidates that ascend from 0 to 2"),
    ({"begin": np.array([0, 3, 2])}, "expected begins of candidates that ascend from 0 to 2"),
    ({"truth": np.array([0, 2], np.int32)}, "expected truth below 2, got 2 in row 1"),
    ({"truth": np.array([-1, 0], np.int32)}, "expected truth below 2, got -1 in row 0"),
    ({"truth": np.array([1, 1], np.int32)}, "ascends in each row of pred, got 1 in candidate 1"),
    ({"similarity": np.zeros(1)}, "expected 2 rows of similarity, got 1"),
    ({"truth_ignored": np.zeros(1, np.uint8)}, "expected 2 rows of ignored, got 1"),
    ({"pred_exempt": np.zeros(1, np.uint8)}, "expected 2 rows of exempt, got 1"),
    ({"pred_area": np.zeros(1)}, "expected 2 rows of area, got 1"),
    ({"pred_label": columns_of(2, 5)}, "expected label below 2, got 5 in row 0"),
    ({"iou_thresholds": [0.7, 0.5]}, "expected IoU thresholds in ascending order"),
    ({"area_ranges": [(0.0, 1.0)] * 33}, "expected at most 32 area ranges"),
]


@pytest.mark.parametrize(("changed", "message"), REFUSED)
def test_columns_that_do_not_fit_are_refused(changed: dict[str, Any], message: str) -> None:
    truth, pred = [Truth(), Truth()], [Pred(similar={0: 0.5, 1: 0.6}), Pred()]
    assert matched(truth, pred, Rules())["pred_score"].tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match=re.escape(message)):
        matched(truth, pred, Rules(), **changed)


def test_candidates_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected pred_score and max_detections, or neither"):
        box_pairs(0.5, max_detections=1)
    with pytest.raises(ValueError, match="expected 2 rows of score, got 1"):
        box_pairs(0.5, max_detections=1, pred_score=np.zeros(1))
    with pytest.raises(ValueError, match="expected image below 0, got 0 in row 0"):
        box_pairs(0.5, n_images=0)
    masks = random_masks(np.random.default_rng(0), 2)
    columns = {
        f"{side}_{name}": columns_of(2) for side in ("truth", "pred") for name in ("image", "label")
    }
    given: dict[str, Any] = {**columns, **ONE_CELL, "truth_crowd": NO_FLAGS}
    rules: dict[str, Any] = {"lowest": 0.5, "across_labels": False}
    assert mask_pairs(masks, masks, given, **rules)["begin"].tolist()[0] == 0
    with pytest.raises(ValueError, match="expected 2 rows of masks, got 1"):
        mask_pairs(masks, masks[:1], given, **rules)
    broken = RleMasks(masks.runs + 1, masks.offset, masks.size)
    with pytest.raises(ValueError, match="expected runs of together 720 pixels"):
        mask_pairs(masks, broken, given, **rules)
