from __future__ import annotations

import configparser
import hashlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from snellen.errors import InputError
from snellen.samples.lots import Lots
from snellen.samples.pavement import (
    FULL,
    HEIGHT,
    OCCLUDER,
    PALETTE,
    PEDESTRIAN,
    WIDTH,
    make_pavement,
    picture,
)
from snellen.samples.tracking import TrackingSample, make_tracking_sample

Box = tuple[float, float, float, float]
Frames = dict[int, dict[int, Box]]


class Row(NamedTuple):
    frame: int
    track: int
    box: Box
    rest: tuple[str, ...]


def rows(path: Path) -> list[Row]:
    found = []
    for line in path.read_text().splitlines():
        fields = line.split(",")
        left, top, wide, tall = map(float, fields[2:6])
        found.append(Row(int(fields[0]), int(fields[1]), (left, top, wide, tall), (*fields[6:],)))
    return found


def frames(found: list[Row]) -> Frames:
    by_frame: Frames = defaultdict(dict)
    for row in found:
        by_frame[row.frame][row.track] = row.box
    return by_frame


def truth_of(made: TrackingSample, name: str) -> list[Row]:
    return rows(made.truth / name / "gt" / "gt.txt")


def people(found: list[Row]) -> list[Row]:
    return [row for row in found if row.rest[1] == str(PEDESTRIAN)]


def digest(paths: list[Path]) -> str:
    content = hashlib.sha256()
    for path in paths:
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> TrackingSample:
    return make_tracking_sample(tmp_path_factory.mktemp("default"))


def test_the_same_bytes_everywhere(default: TrackingSample) -> None:
    # Found once; they change only where the sample is changed on purpose.
    found = {
        "truth": digest(sorted(default.truth.rglob("gt.txt"))),
        "seqinfo": digest(sorted(default.truth.rglob("seqinfo.ini"))),
        "pictures": digest(sorted(default.truth.rglob("*.png"))),
        "predictions": digest(sorted(default.predictions.iterdir())),
        "predictions_b": digest(sorted(default.predictions_b.iterdir())),
    }
    assert found == BYTES


BYTES = {
    "truth": "4e5e8c14dbad78e9",
    "seqinfo": "7ccb380143055418",
    "pictures": "04b343d2c251c5dc",
    "predictions": "3cc93a819fb4703c",
    "predictions_b": "708ead142dfc0a09",
}


# --- what the files hold --------------------------------------------------------------------------


def test_truth(default: TrackingSample) -> None:
    assert default.sequences == ("WALK-01", "WALK-02", "WALK-03")
    for name in default.sequences:
        found = truth_of(default, name)
        assert found == sorted(found, key=lambda row: (row.track, row.frame))
        assert {row.frame for row in found} == set(range(1, 121))
        assert len({(row.frame, row.track) for row in found}) == len(found)
        kinds = {row.track: row.rest[1] for row in found}
        # Twelve pedestrians, and one of each other class of MOT17 that the sample has.
        assert Counter(kinds.values()) == {"1": 12, "2": 1, "4": 1, "7": 1, "9": 1, "12": 1}
        for row in found:
            flag, kind, visibility = row.rest
            assert flag == ("1" if kind == "1" else "0")
            assert 0 <= float(visibility) <= 1
            left, _, wide, tall = row.box
            assert wide > 0 < tall
            assert left < WIDTH
            assert left + wide > 0
    line = (default.truth / "WALK-01/gt/gt.txt").read_text().splitlines()[0].split(",")
    assert len(line) == 9
    assert all(len(number.split(".")[1]) == 2 for number in line[2:6])


def test_information(default: TrackingSample) -> None:
    parser = configparser.ConfigParser()
    parser.read(default.truth / "WALK-02" / "seqinfo.ini")
    assert dict(parser["Sequence"]) == {
        "name": "WALK-02",
        "imdir": "img1",
        "framerate": "25",
        "seqlength": "120",
        "imwidth": str(WIDTH),
        "imheight": str(HEIGHT),
        "imext": ".png",
    }


def test_predictions(default: TrackingSample) -> None:
    for folder in (default.predictions, default.predictions_b):
        assert sorted(path.stem for path in folder.iterdir()) == [*default.sequences]
        for path in folder.iterdir():
            found = rows(path)
            assert found == sorted(found)
            assert len({(row.frame, row.track) for row in found}) == len(found)
            assert {row.frame for row in found} <= set(range(1, 121))
            for row in found:
                assert row.box[2] >= 1 <= row.box[3]
                assert 0 < float(row.rest[0]) < 1
                assert row.rest[1:] == ("-1", "-1", "-1")
            # Ids count tracks in the order in which they begin.
            firsts = list(dict.fromkeys(row.track for row in found))
            assert firsts == list(range(1, len(firsts) + 1))


def test_pictures(default: TrackingSample) -> None:
    folder = default.truth / "WALK-01" / "img1"
    names = [f"{frame:06d}.png" for frame in range(1, 121, 10)]
    assert sorted(path.name for path in folder.iterdir()) == names
    with Image.open(folder / "000001.png") as first, Image.open(folder / "000011.png") as second:
        assert first.size == second.size == (WIDTH, HEIGHT)
        assert not np.array_equal(np.asarray(first), np.asarray(second))


# --- what happens ---------------------------------------------------------------------------------


def overlap(a: Box, b: Box) -> float:
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    tall = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    return wide * tall / (a[2] * a[3] + b[2] * b[3] - wide * tall)


def events(truth: Frames, pred: Frames) -> dict[str, int]:
    """Count what a tracker does, by a rule simple enough to be read.

    A pair of the frame before stays while its IoU is 0.5; the rest pairs greedily, best first.
    """
    count: Counter[str] = Counter()
    current: dict[int, int] = {}
    last: dict[int, int] = {}
    hits: Counter[int] = Counter()
    length: Counter[int] = Counter()
    off: Counter[int] = Counter()
    for t in sorted(truth):
        length.update(pred[t].keys())
        pairs = [
            (current.get(g) == p, overlap(box, other), g, p)
            for g, box in truth[t].items()
            for p, other in pred[t].items()
            if overlap(box, other) >= 0.5
        ]
        now: dict[int, int] = {}
        for _, _, g, p in sorted(pairs, reverse=True):
            if g not in now and p not in now.values():
                now[g] = p
        for g, p in now.items():
            hits[p] += 1
            count["match"] += 1
            if g not in last:
                count["late"] += t > min(k for k in truth if g in truth[k]) + 1
            elif last[g] != p:
                count["switch"] += 1
            if g in last and g not in current:
                count["fragment"] += 1
            last[g] = p
        for p in pred[t]:
            # A track that was right leaves its person: for as long as a slip takes.
            off[p] = 0 if p in now.values() else off[p] + (hits[p] > 0)
            count["drift"] += off[p] == 7
        count["miss"] += len(truth[t].keys() - now.keys())
        current = now
    count["ghost"] = sum(length[p] >= 4 and not hits[p] for p in length)
    return count


@pytest.mark.parametrize("seed", [0, 1])
def test_everything_that_can_happen_happens(tmp_path: Path, seed: int) -> None:
    made = make_tracking_sample(tmp_path, seed=seed, draw_images=False)
    for name in made.sequences:
        # All that look like people: a ghost is on nobody, a distractor included.
        truth = frames(
            [row for row in truth_of(made, name) if row.rest[1] in ("1", "2", "7", "12")]
        )
        first = events(truth, frames(rows(made.predictions / f"{name}.txt")))
        second = events(truth, frames(rows(made.predictions_b / f"{name}.txt")))
        for kind in ("match", "switch", "fragment", "miss", "ghost", "late", "drift"):
            assert first[kind] >= 1, (name, kind)
        assert second["match"] > first["match"]
        assert second["switch"] < first["switch"]
        assert second["miss"] < first["miss"]


def test_tracks_change_persons_where_two_cross(default: TrackingSample) -> None:
    # What was on a is on b, and the other way round.
    found = 0
    for name in default.sequences:
        truth = frames(people(truth_of(default, name)))
        pred = frames(rows(default.predictions / f"{name}.txt"))
        on: dict[int, list[int]] = defaultdict(list)
        for t in sorted(truth):
            for person, box in truth[t].items():
                track = max(pred[t], key=lambda p: overlap(box, pred[t][p]), default=0)
                if track and overlap(box, pred[t][track]) >= 0.6:
                    on[track].append(person)
        # The first two persons of each track of twenty boxes or more.
        first = [list(dict.fromkeys(on[p]))[:2] for p in on if len(on[p]) >= 20]
        found += sum([b, a] in first for a, b in (pair for pair in first if len(pair) == 2))
    assert found >= 1


def test_trackers_follow_distractors(default: TrackingSample) -> None:
    for kind in ("2", "7", "12"):
        hits = 0
        for name in default.sequences:
            truth = frames([row for row in truth_of(default, name) if row.rest[1] == kind])
            pred = frames(rows(default.predictions / f"{name}.txt"))
            hits += sum(
                any(overlap(box, other) >= 0.5 for other in pred[t].values())
                for t in truth
                for box in truth[t].values()
            )
        assert hits >= 20, kind


def test_somebody_is_hidden_for_long(default: TrackingSample) -> None:
    for name in default.sequences:
        longest = run = 0
        before = (0, 0)
        for row in people(truth_of(default, name)):
            follows = before == (row.track, row.frame - 1)
            run = (run if follows else 0) + 1 if float(row.rest[2]) == 0 else 0
            longest = max(longest, run)
            before = (row.track, row.frame)
        assert longest > 10


# --- the pavement ---------------------------------------------------------------------------------


def test_what_is_seen_of_a_box() -> None:
    scene = make_pavement(Lots(5, 61), 60, 9, pans=True)
    assert scene.there.any(1).all()
    for t in (0, 17, 59):
        drawn = np.flatnonzero(scene.there[:, t])
        for k in drawn.tolist():
            left, top, wide, tall = scene.box[k, t].tolist()
            points = 0
            for i in range(16):
                for j in range(32):
                    x, y = left + wide * (2 * i + 1) // 32, top + tall * (2 * j + 1) // 64
                    hidden = any(
                        scene.depth[other, t] < scene.depth[k, t]
                        and scene.kind[other] not in (4, 12)
                        and 0 <= x - scene.box[other, t, 0] < scene.box[other, t, 2]
                        and 0 <= y - scene.box[other, t, 1] < scene.box[other, t, 3]
                        for other in drawn.tolist()
                    )
                    points += (0 <= x < 100 * WIDTH and 0 <= y < 100 * HEIGHT) and not hidden
            assert scene.seen[k, t] == points
    assert FULL == 16 * 32
    kiosk = int(np.flatnonzero(scene.kind == OCCLUDER)[0])
    assert (scene.behind != kiosk).all()
    assert (scene.behind >= 0).any()


def test_nobody_comes_back() -> None:
    scene = make_pavement(Lots(2, 61), 300, 20, pans=True)
    steps = np.diff(scene.there.astype(np.int64), axis=1, prepend=0)
    assert ((steps == 1).sum(1) == 1).all()


def test_what_stands_nearer_is_drawn_over_what_stands_farther() -> None:
    scene = make_pavement(Lots(0, 61), 120, 12, pans=False)
    kiosk = int(np.flatnonzero(scene.kind == OCCLUDER)[0])
    # When the first person is behind the kiosk, its wall and window are all that is to be seen.
    hidden = np.flatnonzero((scene.seen[0] == 0) & scene.there[0])
    alone = [
        t
        for t in hidden.tolist()
        if not (scene.there[1:, t] & (scene.depth[1:, t] < scene.depth[kiosk, t])).any()
    ]
    pixels = picture(scene, (alone or hidden.tolist())[0])
    assert pixels.shape == (HEIGHT, WIDTH)
    left, top, wide, tall = (scene.box[kiosk, 0] // 100).tolist()
    body = pixels[top + tall // 20 + 2 : top + tall * 13 // 100, left + 2 : left + wide - 2]
    assert {PALETTE[k] for k in np.unique(body).tolist()} == {(196, 160, 60)}


# --- numbers --------------------------------------------------------------------------------------


def test_nothing_depends_on_pictures(tmp_path: Path) -> None:
    size: dict[str, Any] = {"n_sequences": 2, "n_frames": 20, "n_objects": 5}
    made = [
        make_tracking_sample(tmp_path / "drawn", **size),
        make_tracking_sample(tmp_path / "plain", **size, draw_images=False),
        make_tracking_sample(tmp_path / "other", **size, draw_images=False, seed=1),
    ]
    assert not list((tmp_path / "plain").rglob("*.png"))
    found = [digest(sorted(each.truth.parent.rglob("*.txt"))) for each in made]
    assert found[0] == found[1] != found[2]


def test_more_sequences_leave_the_first_ones_as_they_are(tmp_path: Path) -> None:
    size: dict[str, Any] = {"n_frames": 20, "n_objects": 5, "draw_images": False}
    few = make_tracking_sample(tmp_path / "few", n_sequences=1, **size)
    many = make_tracking_sample(tmp_path / "many", n_sequences=3, **size)
    for part in ("truth/WALK-01/gt/gt.txt", "predictions/WALK-01.txt", "predictions_b/WALK-01.txt"):
        assert (few.truth.parent / part).read_bytes() == (many.truth.parent / part).read_bytes()


def test_edges(tmp_path: Path) -> None:
    none = make_tracking_sample(tmp_path / "none", n_sequences=0)
    assert none.sequences == ()
    assert list(none.truth.iterdir()) == list(none.predictions.iterdir()) == []
    still = make_tracking_sample(tmp_path / "still", n_sequences=1, n_frames=1, n_objects=4)
    assert len(people(truth_of(still, "WALK-01"))) == 4
    nobody = make_tracking_sample(tmp_path / "nobody", n_sequences=1, n_objects=0)
    assert people(truth_of(nobody, "WALK-01")) == []
    assert len(rows(nobody.predictions / "WALK-01.txt")) > 0  # distractors and ghosts


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_sequences": -1}, "expected at least 0, got -1 - at n_sequences"),
        ({"n_frames": 0}, "expected at least 1, got 0 - at n_frames"),
        ({"n_objects": 2.5}, "expected a whole number, got 2.5 - at n_objects"),
        ({"seed": -4}, "expected at least 0, got -4 - at seed"),
    ],
)
def test_bad_arguments(tmp_path: Path, numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make_tracking_sample(tmp_path / "never", **numbers)
    assert str(caught.value) == message
    assert not (tmp_path / "never").exists()
