"""Real sequences, and ones full of ties: every number of TrackEval's and py-motmetrics' runs."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Tracking, TrackingResult, set_threads
from snellen.readers.tracking_files import read_tracking
from snellen.tracking.trackeval_files import trackeval_files, trackeval_numbers

# The file of expected numbers, and what it is of: folder, protocol, tracker.
SETS = {
    "trackeval_mot17val_exp1": ("mot17val", "mot17", "exp1_06f3054"),
    "trackeval_mot17val_test1_inter": ("mot17val", "mot17", "test1_inter_results_06f3054"),
    "trackeval_mot20": ("mot20", "mot20", "UCMCTrack"),
    "trackeval_dance": ("dance", "dancetrack", "perturbed"),
    "trackeval_tud": ("tud", "mot15", "motmetrics"),
    "trackeval_ties": ("ties", "mot17", "x"),
    "trackeval_mots": ("mots", "mots", "perturbed"),
    "trackeval_kitti_CIWT": ("kitti", "kitti", "CIWT"),
}
FAMILIES = {
    "HOTA": "hota",
    "CLEAR": "clear",
    "Identity": "identity",
    "VACE": "vace",
    "Count": "count",
}
PUBLISHED = {
    "exp1_06f3054": ("mot17val", "mot17", "pedestrian"),
    "test1_inter_results_06f3054": ("mot17val", "mot17", "pedestrian"),
    "CIWT": ("kitti", "kitti", "car"),
}
# py-motmetrics moves boxes by a pixel, which changes the last bits where they are no whole numbers.
MOTMETRICS = {
    "tud/motmetrics": 0.0,
    "mot20/UCMCTrack": 1e-12,
    "dance/perturbed": 1e-12,
    "ties/x": 0.0,
    "mot17val/exp1_06f3054": 1e-12,
}


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    yield
    set_threads(None)


def fed(
    home: Path, folder: str, protocol: str, tracker: str, metrics: tuple[str, ...], **more: Any
) -> Tracking:
    """Return a metric that has absorbed all sequences of a folder."""
    files = read_tracking(
        home / "tracking" / folder / "gt",
        home / "tracking" / folder / "trackers",
        protocol=protocol,
        tracker=tracker,
    )
    metric = Tracking(metrics=metrics, protocol=files.protocol, **more)
    for truth, pred in files.batches():
        metric.update(truth, pred)
    return metric


@functools.cache
def result_of(
    home: Path, folder: str, protocol: str, tracker: str, *, blocked_sums: bool = False
) -> TrackingResult:
    return fed(
        home, folder, protocol, tracker, tuple(FAMILIES.values()), blocked_sums=blocked_sums
    ).compute()


@pytest.mark.parametrize("name", SETS)
def test_every_number_of_trackeval(conformance_data: Path, name: str) -> None:
    path = conformance_data / "tracking" / "expected" / f"{name}.json"
    expected = json.loads(path.read_text())["results"]
    numbers = trackeval_numbers(result_of(conformance_data, *SETS[name]))
    n_compared = 0
    for sequence, of_classes in expected.items():
        place = "COMBINED" if sequence == "COMBINED_SEQ" else sequence
        for class_name, of_families in of_classes.items():
            for family, fields in of_families.items():
                got = numbers[class_name][place][FAMILIES[family]]
                for field, wanted in fields.items():
                    if place == "COMBINED" and field == "Frames":
                        continue  # of a sequence only
                    where = (place, class_name, family, field)
                    assert np.array_equal(got[field], np.asarray(wanted, np.float64)), where
                    n_compared += np.size(wanted)
    # 12 arrays of 19 thresholds and some 30 numbers for each.
    n_families = len(next(iter(next(iter(expected.values())).values())))
    n_classes = len(next(iter(expected.values())))
    assert n_families == (4 if name == "trackeval_kitti_CIWT" else 5)
    assert n_compared > 250 * len(expected) * n_classes


def rows_by_name(text: str) -> dict[str, dict[str, float]]:
    """Return a detailed file: number by name, by sequence."""
    return {
        row.pop("seq"): {
            # OWTA had another name in 2022.
            column.replace("RHOTA", "OWTA"): float(value)
            for column, value in row.items()
        }
        for row in csv.DictReader(io.StringIO(text))
    }


@pytest.mark.parametrize("tracker", PUBLISHED)
def test_published_tables(conformance_data: Path, tracker: str) -> None:
    """What others computed and published, value for value.

    NumPy added in another order then, which shows where a table of tracks has more than 8192
    cells; see below.
    """
    folder, protocol, class_name = PUBLISHED[tracker]
    result = result_of(conformance_data, folder, protocol, tracker, blocked_sums=True)
    trackers = conformance_data / "tracking" / folder / "trackers"
    (path,) = trackers.glob(f"**/{tracker}/{class_name}_detailed.csv")
    published = rows_by_name(path.read_text())
    got = rows_by_name(trackeval_files(result)[f"{class_name}_detailed.csv"].decode())
    if folder == "kitti":
        # Of 21 sequences; 8 are here, and theirs are all that can be compared.
        published = {name: row for name, row in published.items() if name in result.sequences}
        assert len(published) == 8
        del got["COMBINED"]
    assert list(got) == list(published)
    n_values = 0
    for sequence, wanted in published.items():
        for name, value in wanted.items():
            # Counts of tracks are not in every one of the files.
            assert got[sequence][name] == value, (sequence, name)
            n_values += 1
    assert n_values == len(published) * 275


def test_the_order_of_sums_shows(conformance_data: Path) -> None:
    """In the last bits, where a table of tracks has more than 8192 cells."""
    old, new = (
        trackeval_numbers(
            result_of(conformance_data, *SETS["trackeval_mot20"], blocked_sums=blocked)
        )["pedestrian"]["MOT20-01"]
        for blocked in (True, False)
    )
    assert int(new["count"]["IDs"]) * int(new["count"]["GT_IDs"]) > 8192
    for name in ("AssA", "AssRe", "AssPr", "HOTA"):
        assert not np.array_equal(old["hota"][name], new["hota"][name])
        assert np.allclose(old["hota"][name], new["hota"][name], rtol=1e-14, atol=0)
    for name in ("HOTA_TP", "LocA", "DetA"):
        assert np.array_equal(old["hota"][name], new["hota"][name])


@pytest.mark.parametrize("tracker", ["exp1_06f3054", "test1_inter_results_06f3054"])
def test_published_summary(conformance_data: Path, tracker: str) -> None:
    folder, protocol, class_name = PUBLISHED[tracker]
    result = result_of(conformance_data, folder, protocol, tracker)
    trackers = conformance_data / "tracking" / folder / "trackers"
    (path,) = trackers.glob(f"**/{tracker}/{class_name}_summary.txt")
    wanted_names, wanted = (line.split() for line in path.read_text().splitlines())
    text = trackeval_files(result)[f"{class_name}_summary.txt"].decode()
    names, values = (line.split() for line in text.splitlines())
    assert "OWTA" in names
    got = dict(zip(names, values, strict=True))
    got["RHOTA"] = got["OWTA"]
    assert [got[name] for name in wanted_names] == wanted
    # VACE was not asked for there; all the others come in the same order.
    ours = [name.replace("OWTA", "RHOTA") for name in names if name not in ("SFDA", "ATA")]
    assert ours == wanted_names


@pytest.mark.parametrize("name", MOTMETRICS)
def test_every_number_of_motmetrics(conformance_data: Path, name: str) -> None:
    path = conformance_data / "tracking" / "expected" / "motmetrics.json"
    expected = json.loads(path.read_text())["results"][f"{name}/compare_to_groundtruth"]
    overall = expected.pop("OVERALL")
    folder, tracker = name.split("/")
    files = read_tracking(
        conformance_data / "tracking" / folder / "gt",
        conformance_data / "tracking" / folder / "trackers",
        tracker=tracker,
    )
    metric = Tracking(metrics=["motmetrics"], protocol=files.protocol)
    for truth, pred in files.batches():
        if truth.sequences.ids[0] in expected:
            metric.update(truth, pred)
    records = {record["sequence"]: record for record in metric.compute().per_sequence()}
    assert len(records) == len(expected) + 1
    for sequence, wanted in {**expected, "COMBINED": overall}.items():
        for number, value in wanted.items():
            got = records[sequence][number]
            if number == "motp" and MOTMETRICS[name]:
                assert got == pytest.approx(value, rel=MOTMETRICS[name], abs=0)
            else:
                assert got == value, (sequence, number)


@pytest.mark.parametrize("name", ["trackeval_ties", "trackeval_tud", "trackeval_mots"])
def test_threads_change_no_byte(conformance_data: Path, name: str) -> None:
    states = []
    for n_threads in (1, 2, 5):
        set_threads(n_threads)
        metrics = ("hota", "clear", "identity", "vace", "count", "ideucl", "motmetrics")
        states.append(fed(conformance_data, *SETS[name], metrics, events=True).to_bytes())
    assert states[0] == states[1] == states[2]


def test_sequences_over_shards(conformance_data: Path) -> None:
    """Each in a process of its own, merged in another order."""
    files = read_tracking(
        conformance_data / "tracking" / "mot17val" / "gt",
        conformance_data / "tracking" / "mot17val" / "trackers",
        protocol="mot17",
        tracker="exp1_06f3054",
    )
    metrics = list(FAMILIES.values())
    whole = Tracking(metrics=metrics, protocol="mot17")
    shards = []
    for truth, pred in files.batches():
        whole.update(truth, pred)
        shard = Tracking(metrics=metrics, protocol="mot17").update(truth, pred)
        shards.append(Tracking.from_bytes(shard.to_bytes()))
    merged = whole.empty()
    for shard in shards[::-1]:
        merged.merge(shard)
    assert merged.to_bytes() == whole.to_bytes()
    assert merged.compute().to_dict() == whole.compute().to_dict()
