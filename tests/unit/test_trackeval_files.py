"""The reference's files, by what it writes for sequences worked out by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest

from snellen import Tracking, TrackingResult, Tracks
from snellen.errors import IdError
from snellen.tracking.protocols import TrackingProtocol
from snellen.tracking.trackeval_files import trackeval_files, trackeval_numbers

FIVE = ("hota", "clear", "identity", "vace", "count")
# Sequence: of each frame, where objects of truth and predictions are; boxes of 10 by 10.
Frames = list[tuple[dict[int, float], dict[int, float]]]
SEQUENCES: dict[str, Frames] = {
    # Two matches, the second of another track.
    "b-2": [({1: 0}, {7: 0}), ({1: 0}, {8: 0})],
    "a-10": [({1: 0}, {}), ({1: 0, 2: 100}, {})],
    "a-9": [({}, {7: 0, 8: 100}), ({}, {7: 0}), ({}, {})],
}


def tracks(frames: Frames, side: int, **columns: Any) -> Tracks:
    rows = [(t, i, x) for t, each in enumerate(frames, 1) for i, x in each[side].items()]
    return Tracks.from_xywh(
        [[x, 0.0, 10.0, 10.0] for _, _, x in rows],
        track_id=[i for _, i, _ in rows],
        frame=[t for t, _, _ in rows],
        n_frames=len(frames),
        **columns,
    )


def result_of(metrics: tuple[str, ...] = FIVE) -> TrackingResult:
    metric = Tracking(metrics=metrics)
    for name, frames in SEQUENCES.items():
        metric.update(*(tracks(frames, side, sequence=name) for side in (0, 1)))
    return metric.compute()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_names_of_files() -> None:
    assert sorted(trackeval_files(result_of())) == ["object_detailed.csv", "object_summary.txt"]


@pytest.mark.parametrize("name", ["../up", "truck/bus", "a\\b", "C:x", "50%", "a\n", "two words"])
def test_names_of_classes_that_files_cannot_have(name: str, tmp_path: Path) -> None:
    metric = Tracking(metrics=["clear"])
    side = tracks([({1: 0}, {})], 0, label=[name])
    found = trackeval_files(metric.update(side, side).compute())
    stems = [each.rpartition("_")[0] for each in found]
    assert len(set(stems)) == 1
    assert unquote(stems[0]) == name  # as in an address: so no two are the same
    assert not set(stems[0]) & set("/\\:\n")
    assert (stems[0] == name) == (name == "two words")
    for each, data in found.items():
        (tmp_path / each).write_bytes(data)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(found)


def test_a_sequence_that_is_called_as_all_together() -> None:
    metric = Tracking(metrics=["clear"])
    for name in ("a", "COMBINED"):
        metric.update(*(tracks(SEQUENCES["b-2"], side, sequence=name) for side in (0, 1)))
    result = metric.compute()
    for called in (trackeval_numbers, trackeval_files):
        with pytest.raises(IdError, match=r"other names than COMBINED, .* - at sequence"):
            called(result)


def test_summary() -> None:
    text = trackeval_files(result_of(("clear", "count", "identity")))["object_summary.txt"]
    assert text.endswith(b"\r\n")
    names, values = (line.split(" ") for line in text.decode().splitlines())
    # The order of its summaries: sMOTA after the counts of CLEAR.
    assert names == [
        *("MOTA", "MOTP", "MODA", "CLR_Re", "CLR_Pr", "MTR", "PTR", "MLR"),
        *("CLR_TP", "CLR_FN", "CLR_FP", "IDSW", "MT", "PT", "ML", "Frag", "sMOTA"),
        *("IDF1", "IDR", "IDP", "IDTP", "IDFN", "IDFP"),
        *("Dets", "GT_Dets", "IDs", "GT_IDs"),
    ]
    got = dict(zip(names, values, strict=True))
    # 2 matches, 3 misses, 3 false positives, a switch: (2 - 3 - 1) / 5.
    assert got["MOTA"] == "-40"
    assert got["MOTP"] == "100"
    assert got["CLR_Re"] == "40"
    # Three tracks of truth, one of them found: five digits.
    assert (got["MTR"], got["MLR"]) == ("33.333", "66.667")
    assert (got["CLR_TP"], got["CLR_FN"], got["CLR_FP"], got["IDSW"]) == ("2", "3", "3", "1")
    assert (got["IDTP"], got["IDF1"]) == ("1", "20")
    assert (got["Dets"], got["GT_Dets"], got["IDs"], got["GT_IDs"]) == ("5", "5", "4", "3")


def test_summary_of_all_families() -> None:
    names = trackeval_files(result_of())["object_summary.txt"].decode().splitlines()[0].split(" ")
    assert names[:12] == [
        *("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA"),
        *("HOTA(0)", "LocA(0)", "HOTALocA(0)"),
    ]
    # What is not in its list comes last.
    assert names[-2:] == ["SFDA", "ATA"]


def test_detailed() -> None:
    rows = rows_of(trackeval_files(result_of())["object_detailed.csv"])
    # By name, as texts, COMBINED last.
    assert [row["seq"] for row in rows] == ["a-10", "a-9", "b-2", "COMBINED"]
    names = list(rows[0])
    assert names[:5] == ["seq", "HOTA(0)", "LocA(0)", "HOTALocA(0)", "HOTA___5"]
    # A column for each of 19 thresholds, and for the mean.
    assert [n for n in names if n.startswith("AssA")] == [
        *(f"AssA___{k}" for k in (5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75)),
        *("AssA___80", "AssA___85", "AssA___90", "AssA___95", "AssA___AUC"),
    ]
    combined = rows[-1]
    assert combined["DetA___50"] == repr(2 / (2 + 3 + 3))
    assert combined["HOTA_TP___AUC"] == "2.0"
    assert combined["IDSW"] == "1"
    assert combined["Frag"] == "0.0"
    assert combined["MOTP_sum"] == "2.0"


@pytest.mark.parametrize(
    ("sequence", "wanted"),
    [
        # No predictions: misses and lost tracks, and MLR 1; all else of CLEAR is 0.
        (
            "a-10",
            {
                "clear": {"CLR_FN": 3, "ML": 2, "MLR": 1, "MOTA": 0, "CLR_Frames": 0},
                "hota": {"LocA": 1, "LocA(0)": 1, "HOTA": 0, "AssA": 0, "HOTA_FN": 3, "OWTA": 0},
                "identity": {"IDFN": 3, "IDF1": 0, "IDR": 0, "IDP": 0},
                "vace": {"STDA": 0, "SFDA": 0, "num_non_empty_timesteps": 2},
                "count": {"GT_Dets": 3, "GT_IDs": 2, "Dets": 0, "IDs": 0, "Frames": 2},
            },
        ),
        # No truth: false positives; MLR is 1 though nothing is lost.
        (
            "a-9",
            {
                "clear": {"CLR_FP": 3, "ML": 0, "MLR": 1, "MOTA": 0, "FP_per_frame": 0},
                "hota": {"LocA": 1, "LocA(0)": 1, "HOTA": 0, "HOTA_FP": 3, "HOTALocA(0)": 0},
                "identity": {"IDFP": 3, "IDF1": 0},
                "vace": {"VACE_IDs": 2, "VACE_GT_IDs": 0, "num_non_empty_timesteps": 2},
                "count": {"Dets": 3, "IDs": 2, "Frames": 3},
            },
        ),
        (
            "COMBINED",
            {
                # Only the frames of the sequence with both sides: 3 false positives of 2 frames.
                "clear": {"CLR_Frames": 2, "FP_per_frame": 3 / 2, "MLR": 2 / 3, "Frag": 0},
                "hota": {"LocA": 1, "AssA": 0.5, "HOTA_TP": 2},
                "vace": {"num_non_empty_timesteps": 6, "VACE_IDs": 4, "VACE_GT_IDs": 3},
            },
        ),
    ],
)
def test_what_it_gives_outright(sequence: str, wanted: dict[str, dict[str, float]]) -> None:
    numbers = trackeval_numbers(result_of())["object"][sequence]
    for family, fields in wanted.items():
        for name, value in fields.items():
            assert (np.asarray(numbers[family][name]) == value).all(), (family, name)


def test_our_own_count_all_frames() -> None:
    result = result_of()
    assert result.FP_per_frame == 3 / 7
    assert result.data["n_frames"] == 7


def test_averages_of_classes() -> None:
    """All classes are in the mean there, those without truth too; groups are of all objects."""
    rules = TrackingProtocol(
        "ours", classes=("car", "bus", "cat"), groups={"vehicle": ("car", "bus")}
    )
    rows = [("car", 1, 0.0), ("car", 2, 100.0), ("bus", 3, 200.0)]
    found = [("car", 7, 0.0), ("bus", 8, 200.0), ("bus", 9, 300.0), ("cat", 6, 400.0)]
    truth, pred = (
        Tracks.from_xywh(
            [[x, 0.0, 10.0, 10.0] for _, _, x in side],
            track_id=[i for _, i, _ in side],
            frame=[1] * len(side),
            label=[label for label, _, _ in side],
            sequence="s",
            n_frames=1,
        )
        for side in (rows, found)
    )
    result = Tracking(metrics=FIVE, protocol=rules).update(truth, pred).compute()
    numbers = trackeval_numbers(result)
    assert list(numbers) == ["car", "bus", "cat", "cls_comb_cls_av", "cls_comb_det_av", "VEHICLE"]

    def clear(name: str, field: str) -> float:
        return float(numbers[name]["COMBINED"]["clear"][field])

    # A car is missed, a bus is false: (1 - 0) / 2, (1 - 1) / 1, and 0 of nothing: a false cat is
    # -1 of at least 1.
    assert [clear(name, "MOTA") for name in ("car", "bus", "cat")] == [0.5, 0.0, -1.0]
    assert clear("cls_comb_cls_av", "MOTA") == (0.5 + 0.0 - 1.0) / 3
    # Ours leaves out classes without truth.
    assert result.MOTA == 0.25
    assert clear("cls_comb_det_av", "MOTA") == (2 - 2) / 3
    assert clear("VEHICLE", "MOTA") == (2 - 1) / 3
    for name, wanted in (("cls_comb_cls_av", 2), ("cls_comb_det_av", 2), ("VEHICLE", 1)):
        assert clear(name, "CLR_FP") == wanted
    # Averages have no sequences.
    assert list(numbers["VEHICLE"]) == ["COMBINED"]
    files = trackeval_files(result)
    assert sorted(files) == [
        f"{name}_{kind}"
        for name in ("VEHICLE", "bus", "car", "cat", "cls_comb_cls_av", "cls_comb_det_av")
        for kind in ("detailed.csv", "summary.txt")
    ]
    assert [row["seq"] for row in rows_of(files["VEHICLE_detailed.csv"])] == ["COMBINED"]
    assert rows_of(files["car_detailed.csv"])[0]["MOTA"] == "0.5"


def test_frames_of_averages() -> None:
    """A class counts its frames where both sides have it, and only there."""
    rows = [("car", 0.0), ("bus", 100.0)]
    truth, pred = (
        Tracks.from_xywh(
            [[x, 0.0, 10.0, 10.0] for _, x in side],
            track_id=np.arange(len(side)),
            frame=[1] * len(side),
            label=[label for label, _ in side],
            sequence="s",
            n_frames=4,
        )
        for side in (rows, [("car", 0.0), ("car", 200.0)])
    )
    numbers = trackeval_numbers(Tracking(metrics=["clear"]).update(truth, pred).compute())
    # The sequence has 4 frames, in which only cars are on both sides; one of them is false.
    for name in ("cls_comb_cls_av", "cls_comb_det_av"):
        assert numbers[name]["COMBINED"]["clear"]["CLR_Frames"] == 4
    assert numbers["cls_comb_det_av"]["COMBINED"]["clear"]["FP_per_frame"] == 1 / 4
    assert numbers["cls_comb_cls_av"]["COMBINED"]["clear"]["FP_per_frame"] == (1 / 4 + 0) / 2


def test_saved_results_write_the_same_files(tmp_path: Path) -> None:
    result = result_of()
    result.save(tmp_path / "result")
    assert trackeval_files(TrackingResult.load(tmp_path / "result")) == trackeval_files(result)
