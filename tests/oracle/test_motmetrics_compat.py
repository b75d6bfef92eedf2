"""snellen.compat.motmetrics gives what motmetrics 1.4.0 gives: frames, numbers and texts."""

from __future__ import annotations

import copy
import importlib
import io
import itertools
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.mot_sequences import Frame, mot_frames

from snellen.errors import ClassError, InputError, MissingExtraError, SchemaError, ShapeError

pd = pytest.importorskip("pandas")
theirs = pytest.importorskip("motmetrics")
preprocess_of_theirs = importlib.import_module("motmetrics.preprocess")
ours = importlib.import_module("snellen.compat.motmetrics")

DATA = Path(theirs.__file__).parent / "data"
SEEDS = range(24)
# Of the package itself, which reads files so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Operation with tuple is deprecated"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),
]


@pytest.fixture(autouse=True)
def restored_asfarray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give back to NumPy 2 what motmetrics 1.4.0 asks of it."""

    def asfarray(values: Any) -> Any:
        array = np.asarray(values)
        return array if np.issubdtype(array.dtype, np.inexact) else array.astype(float)

    monkeypatch.setattr(np, "asfarray", asfarray, raising=False)
    with theirs.lap.set_default_solver("scipy"):
        yield


def both(frames: list[Frame], frame_ids: Any = None, **options: Any) -> tuple[Any, Any]:
    """Return accumulators of both packages."""
    accumulators = ours.MOTAccumulator(**options), theirs.MOTAccumulator(**options)
    for number, frame in enumerate(frames):
        frame_id = None if frame_ids is None else frame_ids[number]
        told = [each.update(*frame, frameid=frame_id) for each in accumulators]
        assert told[0] == told[1]
    return accumulators


def frames_of(seed: int) -> list[Frame]:
    random = np.random.default_rng(seed)
    return mot_frames(
        seed,
        n_frames=int(random.integers(0, 30)),
        n_truth=int(random.integers(1, 9)),
        n_pred=int(random.integers(1, 9)),
        step=[None, 0.5, 0.25][seed % 3],
        forbidden=[0.5, 0.9, 0.0][seed // 3 % 3],
    )


def assert_same_frames(got: Any, want: Any) -> None:
    pd.testing.assert_frame_equal(got, want, check_exact=True)


def assert_same_values(got: dict[str, Any], want: dict[str, Any]) -> None:
    """Compare dictionaries of numbers, series and matrices, and the order of their names."""
    assert list(got) == list(want)
    for name in want:
        assert type(got[name]) is type(want[name]) or isinstance(want[name], (dict, int)), name
        if isinstance(want[name], pd.Series):
            pd.testing.assert_series_equal(got[name], want[name], check_exact=True)
        elif isinstance(want[name], dict):
            assert_same_values(got[name], want[name])
        else:
            np.testing.assert_array_equal(got[name], want[name], err_msg=name)


# Accumulators


@pytest.mark.parametrize("seed", SEEDS)
def test_events(seed: int) -> None:
    got, want = both(frames_of(seed), auto_id=True)
    assert_same_frames(got.events, want.events)
    assert_same_frames(got.mot_events, want.mot_events)
    assert got.events is got.events


@pytest.mark.parametrize(
    "frame_ids",
    [
        list(range(5, 35)),
        np.random.default_rng(0).permutation(30).tolist(),
        [0.5 * i for i in range(30)],
        [np.int32(i) for i in range(30)],
        [i // 2 for i in range(30)],
        [10**18 + i for i in range(30)],
    ],
    ids=["ints", "in no order", "floats", "int32", "twice", "large"],
)
@pytest.mark.parametrize("limit", [float("inf"), 3, 0.5])
def test_frame_ids(frame_ids: list[Any], limit: float) -> None:
    got, want = both(mot_frames(3, step=0.5), frame_ids, max_switch_time=limit)
    assert_same_frames(got.events, want.events)


@pytest.mark.parametrize("frame_ids", [list("badc"), [(1, 2), (1, 1), (2, 1), (0, 1)]])
def test_frame_ids_that_are_no_numbers(frame_ids: list[Any]) -> None:
    # Without a switch, whose time the package would compute.
    frames = [Frame([1, 2], [3], [[0.5], [np.nan]])] * 4
    got, want = both(frames, frame_ids)
    assert_same_frames(got.events, want.events)


def as_floats(ids: Any) -> Any:
    return ids + 0.5


def as_texts(ids: Any) -> Any:
    return ids.astype(str)


def as_objects(ids: Any) -> Any:
    return ids.astype(object)


@pytest.mark.parametrize("change", [list, as_floats, as_texts, as_objects])
@pytest.mark.parametrize("seed", [1, 2])
def test_kinds_of_ids(change: Any, seed: int) -> None:
    frames = [Frame(change(f.truth), change(f.pred), f.distance) for f in frames_of(seed)]
    got, want = both(frames, auto_id=True)
    assert_same_frames(got.events, want.events)


def test_ids_that_are_equal_and_ids_that_look_so() -> None:
    # 1 and 1.0 are the same id; 1 and "1" are not, but have the same number in the data frame; no
    # NaN is any other.
    nan = float("nan")
    one = [[0.5]]
    frames = [Frame([a], [b], one) for a, b in ((1, 2), (1.0, "2"), ("1", 2.0), (nan, 2), (nan, 2))]
    got, want = both(frames, auto_id=True)
    assert_same_frames(got.events, want.events)
    names = theirs.metrics.create().names
    got_values, want_values = (
        package.metrics.create().compute(each, metrics=names, return_dataframe=False)
        for package, each in ((ours, got), (theirs, want))
    )
    assert_same_values(got_values, want_values)


def test_texts_that_are_no_numbers() -> None:
    # The package stops here.
    accumulator = ours.MOTAccumulator(auto_id=True)
    accumulator.update(["a", "b"], ["x"], [[0.25], [np.nan]])
    accumulator.update(["a", "b"], ["x", "y"], [[np.nan, 0.5], [0.5, np.nan]])
    table = accumulator.mot_events
    assert table["Type"].tolist() == [
        *("MATCH", "MISS"),
        *("ASCEND", "SWITCH", "MIGRATE", "TRANSFER", "MATCH"),
    ]
    assert table["OId"].tolist() == ["a", "b", "a", "a", "b", "b", "b"]
    assert table["HId"].tolist()[2:] == ["y", "y", "x", "x", "x"]
    values = ours.metrics.create().compute(accumulator, return_dataframe=False)
    # Three of four objects are matched, one of them switched: 1 - (1 + 1) / 4.
    assert (values["recall"], values["mota"], values["num_unique_objects"]) == (0.75, 0.5, 2)


def test_numbers_beside_texts() -> None:
    accumulator = ours.MOTAccumulator(auto_id=True)
    accumulator.update([1, 2], [3], [[0.25], [np.nan]])
    accumulator.update(["a"], [3], [[0.25]])
    accumulator.update(["a", "b"], [], [])
    values = ours.metrics.create().compute(accumulator, return_dataframe=False)
    # Objects: 1, 2, a twice, b. Hypothesis 3 is once 1, then a.
    assert (values["num_unique_objects"], values["num_misses"], values["num_transfer"]) == (4, 3, 1)
    # 3 is 1 for good, or a: one of two is right, of 2 + 5 in all.
    assert values["idf1"] == 2 / 7


def test_repeated_ids_in_a_frame() -> None:
    random = np.random.default_rng(5)
    frames = [
        Frame(random.integers(0, 3, 4), random.integers(0, 3, 3), random.integers(0, 3, (4, 3)))
        for _ in range(40)
    ]
    got, want = both(frames, auto_id=True)
    assert_same_frames(got.events, want.events)
    names = [name for name in theirs.metrics.create().names if name != "num_fragmentations"]
    assert_same_values(
        ours.metrics.create().compute(got, metrics=names, return_dataframe=False),
        theirs.metrics.create().compute(want, metrics=names, return_dataframe=False),
    )


@pytest.mark.parametrize(
    "distances", [[], [[0.5, 1]], [0.5, 1], ((0.5,), (1,)), np.array([[1, 2]])]
)
def test_shapes_of_distances(distances: Any) -> None:
    n = np.size(distances)
    got, want = both([Frame(list(range(n)), [7], distances)], auto_id=True)
    assert_same_frames(got.events, want.events)


def test_wrong_calls() -> None:
    accumulator = ours.MOTAccumulator()
    with pytest.raises(AssertionError, match="expected a frame id"):
        accumulator.update([1], [2], [[0.5]])
    with pytest.raises(InputError, match="where auto_id numbers frames, got 3"):
        ours.MOTAccumulator(auto_id=True).update([1], [2], [[0.5]], frameid=3)
    with pytest.raises(ShapeError, match="expected 2 x 1 distances, got 3"):
        accumulator.update([1, 2], [2], [[0.5, 1, 2]], frameid=0)
    with pytest.raises(InputError, match="expected distances up to 1e"):
        accumulator.update([1], [2], [[1e300]], frameid=0)
    with pytest.raises(InputError, match="expected a number with max_switch_time, got 'a'"):
        ours.MOTAccumulator(max_switch_time=2).update([1], [2], [[0.5]], frameid="a")
    # None of them left a frame behind.
    assert accumulator.events.empty
    assert accumulator.update([1], [2], [[0.5]], frameid=0) == 0


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]
)
def test_an_accumulator_can_be_sent_to_another_process(duplicate: Any) -> None:
    frames = mot_frames(11, 40, step=0.5)
    _, want = both(frames, range(40), max_switch_time=5)
    got = ours.MOTAccumulator(max_switch_time=5)
    for number, frame in enumerate(frames):
        got.update(*frame, frameid=number)
        if number % 10 == 7:
            got = duplicate(got)
    assert_same_frames(got.events, want.events)


def test_many_frames_wait_for_the_kernel_and_reset_forgets_them() -> None:
    frames = mot_frames(12, 700)
    got, want = both(frames, auto_id=True)
    assert_same_frames(got.events, want.events)
    for each in (got, want):
        each.reset()
        each.update(*frames[0])
    assert_same_frames(got.events, want.events)


def test_lines_of_errors() -> None:
    # The package's lines, where every switch is to a new hypothesis and every transfer to a new
    # object: else it writes the word of an earlier line, or stops.
    frames = [
        Frame([1, 2], [3, 4, 5], [[0, 9, 9], [9, 0, 9]]),
        Frame([1], [5], [[0]]),
        Frame([2, 6], [4, 5], [[np.nan, np.nan], [np.nan, 0]]),
    ]
    texts = []
    for package in (ours, theirs):
        with io.StringIO() as file:
            accumulator = package.MOTAccumulator()
            for number, frame in enumerate(frames):
                accumulator.update(*frame, frameid=10 + number, vf=file)
            texts.append(file.getvalue())
    # Each line: what, id, frame before, id before, frame, id.
    assert texts[0] == "FP 10 5\nAS 1 10 3 11 5\nMI 5 11 1 12 6\nFN 12 2\nFP 12 4\n"
    assert texts[0] == texts[1]
    with io.StringIO() as file:
        accumulator = ours.MOTAccumulator(auto_id=True)
        accumulator.update([1, 2], [3, 4], [[0, 9], [9, 0]])
        accumulator.update([1, 2], [4, 3], [[0, np.nan], [np.nan, 0]], vf=file)
        assert file.getvalue().splitlines() == [
            *("SW 1 0 3 1 4", "TR 4 0 2 1 1"),
            *("SW 2 0 4 1 3", "TR 3 0 1 1 2"),
        ]


def test_data_frames_of_events() -> None:
    assert_same_frames(
        ours.MOTAccumulator.new_event_dataframe(), theirs.MOTAccumulator.new_event_dataframe()
    )
    indices = {"FrameId": [3, 3, 5], "Event": [0, 1, 0]}
    events = {"Type": ["RAW", "FP", "RAW"], "OId": [np.nan] * 3, "HId": [1, 2, "3"], "D": [0, 1, 2]}
    for given in (events, {}):
        assert_same_frames(
            ours.MOTAccumulator.new_event_dataframe_with_data(indices, given),
            theirs.MOTAccumulator.new_event_dataframe_with_data(indices, given),
        )


def test_merged_events() -> None:
    # DataFrame.append, which the package needs, is gone; its numbers do not depend on the names of
    # ids, so those of the parts' sums must come out.
    lists = [mot_frames(seed, step=0.5) for seed in range(3)]
    pairs = [both(frames, list(range(4, 34))) for frames in lists]
    merged, mappings = ours.MOTAccumulator.merge_event_dataframes(
        [got for got, _ in pairs], return_mappings=True
    )
    # Frames 4 … 33; the next part begins behind, at 4 + 34, and ends at 67.
    assert [each["frame_offset"] for each in mappings] == [0, 34, 68]
    ends = np.cumsum([0, *(len(got.events) for got, _ in pairs)])
    rows = merged.reset_index()
    parts = [rows.iloc[start:end] for start, end in itertools.pairwise(ends)]
    for part, mapping, (_, want) in zip(parts, mappings, pairs, strict=True):
        table = want.events.reset_index()
        np.testing.assert_array_equal(part["FrameId"], table["FrameId"] + mapping["frame_offset"])
        np.testing.assert_array_equal(part[["Event", "D"]], table[["Event", "D"]])
        assert part["Type"].tolist() == table["Type"].tolist()
        for column, name in (("OId", "oid_map"), ("HId", "hid_map")):
            new = [mapping[name].get(each, np.nan) for each in table[column].tolist()]
            assert repr(part[column].tolist()) == repr(new)
    for name in ("oid_map", "hid_map"):
        ids = [new for mapping in mappings for new in mapping[name].values()]
        assert ids == [str(i) for i in range(len(ids))]
    host = ours.metrics.create()
    names = [name for name in ours.metrics.motchallenge_metrics if name != "motp"]
    overall = theirs.metrics.create().compute_many(
        [want for _, want in pairs], metrics=names, names=list("abc"), generate_overall=True
    )
    assert_same_frames(host.compute(merged, metrics=names, name="OVERALL"), overall.iloc[-1:])


def test_merged_events_may_keep_their_names() -> None:
    got, want = both(mot_frames(2), auto_id=True)
    merged = ours.MOTAccumulator.merge_event_dataframes(
        [got, got.events], update_frame_indices=False, update_oids=False, update_hids=False
    )
    assert_same_frames(merged, pd.concat([want.events, want.events]))
    assert_same_frames(
        ours.MOTAccumulator.merge_event_dataframes([]), theirs.MOTAccumulator.new_event_dataframe()
    )


def test_merged_counts() -> None:
    counts = [{"hyp": {3: 5, 4: 1}, "obj": {1: 2}}, {"hyp": {3: 7}, "obj": {1: 4, 2: 6}}]
    maps = [
        {"hid_map": {3.0: "0", 4.0: "1"}, "oid_map": {1.0: "0", np.nan: "9"}},
        {"hid_map": {"3": "2"}, "oid_map": {1.0: "1", 2.0: "2", "nan": "8"}},
    ]
    for given in (counts, [counts[0], None]):
        assert ours.MOTAccumulator.merge_analysis(
            given, maps
        ) == theirs.MOTAccumulator.merge_analysis(given, maps)


# Metrics


@pytest.mark.parametrize("seed", SEEDS)
def test_all_metrics(seed: int) -> None:
    pair = both(frames_of(seed), auto_id=True)
    hosts = ours.metrics.create(), theirs.metrics.create()
    names = hosts[1].names
    assert hosts[0].names == names
    got, want = (
        host.compute(each, metrics=names, return_dataframe=False)
        for host, each in zip(hosts, pair, strict=True)
    )
    assert_same_values(got, want)
    # The same from data frames of events, and from a cut of one.
    for cut in (slice(None), slice(4, 11)):
        if len(pair[1].events):
            table = pair[1].events.loc[cut]
            got, want = (
                host.compute(table, metrics=names, return_dataframe=False) for host in hosts
            )
            assert_same_values(got, want)


@pytest.mark.parametrize("seed", SEEDS[:6])
def test_tables_of_metrics(seed: int) -> None:
    pair = both(mot_frames(seed), auto_id=True)
    hosts = ours.metrics.create(), theirs.metrics.create()
    for options in (
        {},
        {"metrics": "mota"},
        {"metrics": ["idf1", "num_frames"], "name": "x"},
        {"metrics": ["mota"], "return_cached": True},
        {"metrics": hosts[1].names},
    ):
        got, want = (host.compute(each, **options) for host, each in zip(hosts, pair, strict=True))
        assert_same_frames(got, want)
    got, want = (
        host.compute(each, metrics=["idf1", "mota"], return_cached=True, return_dataframe=False)
        for host, each in zip(hosts, pair, strict=True)
    )
    assert_same_values(got, want)


@pytest.mark.parametrize("options", [{}, {"generate_overall": True}, {"names": list("abcd")}])
@pytest.mark.parametrize("metrics", [None, "motp", ["num_frames", "idtp", "precision"]])
def test_metrics_of_several_sequences(options: dict[str, Any], metrics: Any) -> None:
    pairs = [both(frames_of(seed), auto_id=True) for seed in (3, 5, 6, 8)]
    got, want = (
        package.metrics.create().compute_many(accumulators, metrics=metrics, **options)
        for package, accumulators in zip((ours, theirs), zip(*pairs, strict=True), strict=True)
    )
    assert_same_frames(got, want)


def test_a_sequence_without_a_match_makes_motp_of_all_nan() -> None:
    pairs = [
        both([Frame([1], [2], [[0.5]])], auto_id=True),
        both([Frame([1], [], [])], auto_id=True),
    ]
    got, want = (
        package.metrics.create().compute_many(accumulators, generate_overall=True)
        for package, accumulators in zip((ours, theirs), zip(*pairs, strict=True), strict=True)
    )
    assert np.isnan(want.loc["OVERALL", "motp"])
    assert_same_frames(got, want)


def test_metrics_of_frames_in_no_order() -> None:
    # Where an object's frames are not in order the package cannot count fragments.
    frame_ids = np.random.default_rng(0).permutation(30).tolist()
    pair = both(mot_frames(1), frame_ids)
    names = [name for name in theirs.metrics.create().names if name != "num_fragmentations"]
    got, want = (
        package.metrics.create().compute(each, metrics=names, return_dataframe=False)
        for package, each in zip((ours, theirs), pair, strict=True)
    )
    assert_same_values(got, want)
    # As the frames came.
    in_order, _ = both(mot_frames(1), list(range(30)))
    host = ours.metrics.create()
    values = [
        host.compute(each, metrics="num_fragmentations", return_dataframe=False)
        for each in (pair[0], in_order)
    ]
    assert values[0] == values[1]
    assert values[0]["num_fragmentations"] > 0


def test_metrics_of_users() -> None:
    def switched(df: Any, num_switches: Any, limit: float = 0.5, ana: Any = None) -> Any:
        """Switches   at a
        distance.
        """
        assert ana == "given"
        far = limit < df.noraw[df.noraw.Type == "SWITCH"].D
        return num_switches, int(far.sum()), len(df.full), len(df.raw), len(df.extra)

    def num_frames(df: Any, ana: Any = None) -> int:
        del ana
        return len(df.raw)

    def half(df: Any, num_frames: int) -> float:
        del df
        return num_frames / 2

    def one(df: Any) -> int:
        del df
        return 1

    def one_m(partials: Any, half: Any) -> Any:
        del partials
        return half

    pair = both(mot_frames(7), auto_id=True)
    values = []
    for package, accumulator in zip((ours, theirs), pair, strict=True):
        host = package.metrics.create()
        host.register(num_frames, helpstr="h")
        host.register(half, deps=["num_frames"], fnc_m=len, deps_m=None)
        host.register(one, deps=None, name="unit", fnc_m=one_m)
        assert host.metrics["num_frames"]["fnc_m"] is package.metrics.num_frames_m
        assert host.metrics["num_frames"]["deps"] == []
        assert host.metrics["unit"]["deps_m"] == ["half"]
        values.append(host.compute(accumulator, metrics=["half", "unit"], return_dataframe=False))
        assert host.compute_overall([{}, {}], "unit", return_dataframe=False) == {"unit": 2}
        host.register(switched)
        assert host.metrics["switched"]["help"] == "Switches at a distance."
        assert host.metrics["switched"]["deps"] == ["num_switches"]
        values[-1]["cuts"] = switched(
            package.metrics.events_to_df_map(accumulator.events), 3, ana="given"
        )
    assert_same_values(*values)


def test_a_metric_with_options_is_given_them() -> None:
    host = ours.metrics.MetricsHost()

    def seen(df: Any, ana: Any = None) -> tuple[int, Any]:
        return len(df.full), ana

    host.register(seen)
    table = ours.MOTAccumulator.new_event_dataframe()
    got = host.compute(table, ana=5, metrics="seen", return_dataframe=False)
    assert got == {"seen": (0, 5)}


def test_lists_of_metrics() -> None:
    hosts = ours.metrics.create(), theirs.metrics.create()
    got, want = (host.list_metrics(include_deps=True) for host in hosts)
    # Descriptions are ours.
    assert_same_frames(got.drop(columns="Description"), want.drop(columns="Description"))
    assert got["Description"].str.len().min() > 5
    assert list(hosts[0].list_metrics()) == ["Name", "Description"]
    for include_deps in (False, True):
        got, want = (host.list_metrics_markdown(include_deps).splitlines() for host in hosts)
        assert got[:2] == want[:2]
        assert [line.split("|")[0] for line in got] == [line.split("|")[0] for line in want]
    assert list(hosts[0].formatters) == list(hosts[1].formatters)
    assert ours.metrics.motchallenge_metrics == theirs.metrics.motchallenge_metrics
    merges = [
        {name: (bool(each["fnc_m"]), each["deps_m"]) for name, each in host.metrics.items()}
        for host in hosts
    ]
    assert merges[0] == merges[1]


def test_metrics_that_are_not_there() -> None:
    host = ours.metrics.create()
    table = ours.MOTAccumulator.new_event_dataframe()
    with pytest.raises(AssertionError, match='got "mot"'):
        host.compute(table, metrics="mot")
    with pytest.raises(AssertionError, match=r"can be merged \(fnc_m\), got track_ratios"):
        host.compute_overall([{}], metrics="track_ratios")
    with pytest.raises(AssertionError, match="expected 1 names, got 2"):
        host.compute_many([table], names=["a", "b"])


def test_counts_of_ids() -> None:
    for seed in SEEDS:
        pair = both(frames_of(seed), auto_id=True)
        if not len(pair[1].events):
            continue
        got, want = (
            package.metrics.extract_counts_from_df_map(
                package.metrics.events_to_df_map(each.events)
            )
            for package, each in zip((ours, theirs), pair, strict=True)
        )
        assert got == want


def test_functions_of_metrics_can_be_called() -> None:
    pair = both(mot_frames(4), auto_id=True)
    want = theirs.metrics.id_global_assignment(theirs.metrics.events_to_df_map(pair[1].events))
    cuts = theirs.metrics.events_to_df_map(pair[1].events)
    own = ours.metrics.DataFrameMap(cuts.full, cuts.raw, cuts.noraw, cuts.extra)
    got = ours.metrics.id_global_assignment(own)
    for name in ("idfp", "idfn"):
        number = getattr(theirs.metrics, name)(cuts, want)
        # From matrices of the package, and from what was found here.
        assert getattr(ours.metrics, name)(own, want) == number
        assert getattr(ours.metrics, name)(own, got) == number
    assert "rids" in got
    assert got.get("nothing") is None
    assert_same_values(dict(got.items()), want)
    with pytest.raises(KeyError):
        got["nothing"]


# Distances and assignments


def test_iou_matrix() -> None:
    random = np.random.default_rng(0)
    for kind in (np.float64, np.float32, np.int64):
        for _ in range(20):
            objs, hyps = (
                (random.random((int(random.integers(0, 6)), 4)) * 9).astype(kind) for _ in range(2)
            )
            if kind is np.float64 and objs.size:
                objs[0, 0] = [1, np.nan, np.inf][random.integers(3)]
            for options in ({}, {"max_iou": 0.5}):
                with np.errstate(invalid="ignore"):
                    got = ours.distances.iou_matrix(objs, hyps, **options)
                    want = theirs.distances.iou_matrix(objs, hyps, **options)
                assert got.dtype == want.dtype
                np.testing.assert_array_equal(got, want)
    a, b = random.random((2, 3, 5, 4))
    np.testing.assert_array_equal(ours.distances.boxiou(a, b), theirs.distances.boxiou(a, b))
    with pytest.raises(AssertionError, match=r"expected boxes \(n, 4\), got shape \(2, 3\)"):
        ours.distances.iou_matrix(np.ones((2, 3)), np.ones((2, 4)))


def test_norm2squared_matrix() -> None:
    random = np.random.default_rng(0)
    for d in (1, 2, 3, 9):
        objs, hyps = random.random((4, d)), random.random((3, d))
        for options in ({}, {"max_d2": 0.3}):
            np.testing.assert_array_equal(
                ours.distances.norm2squared_matrix(objs, hyps, **options),
                theirs.distances.norm2squared_matrix(objs, hyps, **options),
            )
    assert ours.distances.norm2squared_matrix([], [[1, 2]]).shape == (0, 0)
    assert ours.distances.norm2squared_matrix([1, 2], [[1, 4]]).tolist() == [[4]]
    with pytest.raises(AssertionError, match="expected points of 2 numbers, got 3"):
        ours.distances.norm2squared_matrix([[1, 2]], [[1, 2, 3]])


@pytest.mark.parametrize("seed", SEEDS)
def test_linear_sum_assignment(seed: int) -> None:
    for frame in mot_frames(seed, step=[None, 0.5][seed % 2], forbidden=[0, 0.4, 0.9][seed % 3]):
        costs = frame.distance * (-1) ** seed
        before = costs.copy()
        got = ours.lap.linear_sum_assignment(costs)
        want = theirs.lap.linear_sum_assignment(costs, solver="scipy")
        assert [each.dtype for each in got] == [each.dtype for each in want]
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(costs, before)
        if costs.size:
            np.testing.assert_array_equal(
                ours.lap.add_expensive_edges(costs), theirs.lap.add_expensive_edges(costs)
            )


def test_solvers() -> None:
    costs = np.array([[1.0, 2.0], [2.0, 1.0]])

    def none(matrix: Any) -> tuple[list[int], list[int]]:
        assert matrix is costs
        return [], []

    assert ours.lap.available_solvers == ["scipy"]
    assert [each.tolist() for each in ours.lap.linear_sum_assignment(costs, none)] == [[], []]
    with ours.lap.set_default_solver(none):
        assert ours.lap.linear_sum_assignment(costs)[0].size == 0
    # What scripts name because it is the package's fastest.
    with ours.lap.set_default_solver("lap"):
        assert ours.lap.linear_sum_assignment(costs)[1].tolist() == [0, 1]
    assert ours.lap.default_solver == "scipy"
    with pytest.raises(AssertionError, match="got 'nonsense'"):
        ours.lap.linear_sum_assignment(costs, "nonsense")


# Files


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        ("TUD-Campus/gt.txt", "mot15-2D"),
        ("TUD-Campus/test.txt", "mot16"),
        ("TUD-Stadtmitte/gt.txt", "mot15-2D"),
        ("TUD-Stadtmitte/test.txt", "mot16"),
        ("iotest/motchallenge.txt", "mot15-2D"),
        ("iotest/vatic.txt", "vatic-txt"),
        ("iotest/detrac.mat", "detrac-mat"),
        ("iotest/detrac.xml", "detrac-xml"),
    ],
)
def test_files_of_the_package(name: str, fmt: str) -> None:
    path = str(DATA / name)
    want = theirs.io.loadtxt(path, fmt=fmt)
    assert_same_frames(ours.io.loadtxt(path, fmt=fmt), want)
    assert_same_frames(ours.io.loadtxt(Path(path), ours.io.Format(fmt)), want)


MOT_TEXTS = {
    "commas": "1,1,2.5,3,4,5,1,-1,-1,-1\n1,2,2.5,3,4,5,0.5,-1,-1,-1\n",
    "no end": "1,1,2.5,3,4,5,1,-1,-1,-1\n1,2,2.5,3,4,5,0.5,-1,-1,-1",
    "nine columns": "1,1,2,3,4,5,1,1,0.25\n2,1,2,3,4,5,0,1,1\n",
    "seven columns": "1,1,2,3,4,5,1\n2,1,2,3,4,5,1\n",
    "rows of two lengths": "1,1,2,3,4,5,1,1,0.25\n2,1,2,3,4,5,1\n",
    "comma at the end": "1,1,2,3,4,5,1,\n2,1,2,3,4,5,1,\n",
    "windows": "1,1,2,3,4,5,1,-1,-1,-1\r\n2,1,2,3,4,5,1,-1,-1,-1\r\n",
    "blank lines": "\n1,1,2,3,4,5,1,-1,-1,-1\n\n2,1,2,3,4,5,1,-1,-1,-1\n\n",
    "twelve columns": "1,1,2,3,4,5,1,-1,-1,-1,-1,-1\n",
    "blanks": "1 1 2.5 3 4 5 1 -1 -1 -1\n2 1 2.5 3 4 5 1 -1 -1 -1\n",
    "blanks in front": " 1 1 2.5 3 4 5\n",
    "blank at the end": "1 1 2.5 3 4 5 1 \n2 1 2.5 3 4 5 1 \n",
    "two blanks": "1  1  2.5  3  4  5  1\n",
    "tabs": "1\t1\t2.5\t3\t4\t5\t1\t-1\t-1\t-1\n",
    "digits": "1,1,0.1234567890123456789,3e-5,1e22,17.000000000000001,1,-1,-1,-1\n",
    "empty cells": "1,1,,3,4,5,1,-1,-1,-1\n2,1,2,3,4,5,1,-1,-1,-1\n",
    "seven, then ten columns": "1,1,2,3,4,5,1\n2,1,2,3,4,5,1,-1,-1,-1\n",
    "a lonely carriage return": "1,1,2,3,4,5,1\r2,1,2,3,4,5,1\n",
    "nothing": "",
    "texts": "1,1,2,3,4,5,1,-1,person\n",
}


@pytest.mark.parametrize("text", MOT_TEXTS.values(), ids=MOT_TEXTS)
def test_mot_texts(text: str, tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text(text, newline="")
    for options in ({}, {"min_confidence": 1}):
        want = theirs.io.loadtxt(str(path), **options)
        assert_same_frames(ours.io.loadtxt(str(path), **options), want)


def test_separators_of_users(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("1;1;2;3;4;5;1\n")
    assert_same_frames(ours.io.loadtxt(path, sep=";"), theirs.io.loadtxt(path, sep=";"))
    text = "1,1,2,3,4,5,1\n"
    assert_same_frames(ours.io.loadtxt(io.StringIO(text)), theirs.io.loadtxt(io.StringIO(text)))


def test_files_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    # A comma and a blank are two separators, and a row may have no more columns than the first or
    # than there are names for.
    row = "1,1,2,3,4,5,1"
    for text in (row.replace(",", ", "), f"{row}\n{row},1,1,1,1", f"{row},1,1,1\n{row},1,1,1,1"):
        path.write_text(text)
        messages = []
        for package in (ours, theirs):
            with pytest.raises(pd.errors.ParserError) as caught:
                package.io.loadtxt(str(path))
            messages.append(str(caught.value))
        assert messages[0] == messages[1]
    with pytest.raises(SchemaError, match=r"expected a MATLAB file of version 5, got another"):
        ours.io.loadtxt(path, "detrac-mat")
    whole = (DATA / "iotest/detrac.mat").read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(SchemaError, match=r"expected a whole MATLAB file, got"):
        ours.io.loadtxt(path, "detrac-mat")
    path.write_bytes(whole[:128])
    with pytest.raises(SchemaError, match=r"expected a variable gtInfo, got none"):
        ours.io.loadtxt(path, "detrac-mat")


@pytest.mark.parametrize("compressed", [False, True])
def test_matlab_files(compressed: bool, tmp_path: Path) -> None:
    scipy_io = pytest.importorskip("scipy.io")
    random = np.random.default_rng(0)
    path = tmp_path / "gt.mat"
    info = {name: random.random((5, 3)).round(3) * 100 for name in "XYHW"}
    info["X"][random.random((5, 3)) < 0.5] = 0
    info["frameNums"] = np.arange(1, 6, dtype=np.uint8)
    order = {name: info[name] for name in ("X", "Y", "H", "W", "frameNums")}
    scipy_io.savemat(path, {"other": "text", "gtInfo": order}, do_compression=compressed)
    assert_same_frames(
        ours.io.loadtxt(path, "detrac-mat"), theirs.io.loadtxt(str(path), fmt="detrac-mat")
    )
    del order["W"]
    scipy_io.savemat(path, {"gtInfo": order})
    with pytest.raises(SchemaError, match=r"frameNums in gtInfo, got no 'W'"):
        ours.io.loadtxt(path, "detrac-mat")


# Whole sequences


def tables(seed: int, n_frames: int = 25) -> tuple[Any, Any]:
    """Return truth and results as data frames; some frames have one side alone."""
    random = np.random.default_rng(seed)
    sides = []
    for n_tracks in (5, 6):
        rows = [
            (t, track, *np.round([t * 2 + track * 9, 20, 10, 30] + random.random(4) * 6, seed % 4))
            for t in range(1, n_frames + 1)
            for track in random.permutation(n_tracks) + 1
            if random.random() < 0.7 and t % 9 != n_tracks
        ]
        columns = ["FrameId", "Id", "X", "Y", "Width", "Height"]
        table = pd.DataFrame(rows, columns=columns)
        table["Confidence"] = 1.0 * (random.random(len(table)) < 0.8)
        table["ClassId"] = random.choice([1, 1, 1, 2, 7, 8, 12, 3], len(table))
        table["Visibility"] = random.choice([1.0, 0.5, 0.0, -0.1], len(table))
        sides.append(table.set_index(["FrameId", "Id"]))
    return sides[0], sides[1]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("dist", "limit"), [("iou", 0.5), ("IoU", 0.9), ("iou", 1.0), ("euc", 8.0), ("seuc", 80.0)]
)
def test_compare_to_groundtruth(seed: int, dist: str, limit: float) -> None:
    gt, dt = tables(seed)
    got, want = (
        package.utils.compare_to_groundtruth(gt, dt, dist, distth=limit)
        for package in (ours, theirs)
    )
    assert_same_frames(got.events, want.events)


@pytest.mark.parametrize("fields", [["X"], ["X", "Y"], ["X", "Y", "Width"]])
def test_fields_of_distances(fields: list[str]) -> None:
    gt, dt = tables(3)
    got, want = (
        package.utils.compare_to_groundtruth(gt, dt, "euc", distfields=fields, distth=5)
        for package in (ours, theirs)
    )
    assert_same_frames(got.events, want.events)


def test_tables_of_many_kinds() -> None:
    gt, dt = tables(5)
    # Rows in no order; frames that only the index knows; numbers of 32 bits, whole, or missing; no
    # rows at all.
    shuffled = gt.sample(frac=1, random_state=1), dt.sample(frac=1, random_state=2)
    some = gt[gt.index.get_level_values(0) % 3 == 0]
    holes = gt.copy()
    holes.iloc[3, 0] = np.nan
    for a, b in (
        shuffled,
        (some, some),
        (some, dt),
        (gt.astype(np.float32), dt.astype(np.float32)),
        (gt.astype(int), dt.astype(int)),
        (holes, dt),
        (gt, dt.iloc[:0]),
        (gt.iloc[:0], dt),
        (gt.iloc[:0], dt.iloc[:0]),
    ):
        got, want = (package.utils.compare_to_groundtruth(a, b) for package in (ours, theirs))
        assert_same_frames(got.events, want.events)


def test_a_distance_that_is_not_known() -> None:
    with pytest.raises(InputError, match='expected "iou", "euc" or "seuc", got "giou"'):
        ours.utils.compare_to_groundtruth(*tables(0), dist="giou")


def written(folder: Path, n_frames: int) -> Path:
    path = folder / "seqinfo.ini"
    path.write_text(f"[Sequence]\nname=x\nseqLength={n_frames}\n")
    return path


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("options", [{}, {"include_all": True}, {"dist": "euc", "distth": 60.0}])
def test_clear_mot_m(seed: int, options: dict[str, Any], tmp_path: Path) -> None:
    gt, dt = tables(seed)
    # Frames beyond the sequence's length are not looked at before they are judged.
    inifile = written(tmp_path, 20)
    assert_same_frames(
        ours.preprocess.preprocessResult(dt, gt, inifile),
        preprocess_of_theirs.preprocessResult(dt, gt, inifile),
    )
    (got, got_counts), (want, want_counts) = (
        package.utils.CLEAR_MOT_M(gt, dt, inifile, **options) for package in (ours, theirs)
    )
    assert_same_frames(got.events, want.events)
    assert got_counts == want_counts
    assert [list(each) for each in got_counts.values()] == [
        list(each) for each in want_counts.values()
    ]


def test_clear_mot_m_writes_lines(tmp_path: Path) -> None:
    gt, dt = tables(2)
    inifile = written(tmp_path, 25)
    with io.StringIO() as file:
        got, _ = ours.utils.CLEAR_MOT_M(gt, dt, inifile, vflag=file)
        lines = [line.split()[0] for line in file.getvalue().splitlines()]
    kinds = got.mot_events["Type"].value_counts()
    assert lines.count("FN") == kinds["MISS"]
    assert lines.count("FP") == kinds["FP"]
    assert lines.count("AS") + lines.count("SW") == kinds["SWITCH"]
    assert lines.count("AS") == kinds["ASCEND"]
    assert lines.count("MI") + lines.count("TR") == kinds["TRANSFER"]


def test_wrong_sequences(tmp_path: Path) -> None:
    gt, dt = tables(2)
    with pytest.raises(SchemaError, match="expected a whole number as seqLength of"):
        ours.preprocess.preprocessResult(dt, gt, tmp_path / "none.ini")
    gt["ClassId"] = 14
    with pytest.raises(ClassError, match="expected classes 1 … 13, got 14"):
        ours.preprocess.preprocessResult(dt, gt, written(tmp_path, 20))


def test_tud() -> None:
    names = ["TUD-Campus", "TUD-Stadtmitte"]
    texts, summaries = [], []
    for package in (ours, theirs):
        accumulators = [
            package.utils.compare_to_groundtruth(
                *(package.io.loadtxt(DATA / name / file) for file in ("gt.txt", "test.txt"))
            )
            for name in names
        ]
        host = package.metrics.create()
        summary = host.compute_many(accumulators, names=names, generate_overall=True)
        summaries.append(summary)
        titles = package.io.motchallenge_metric_names
        texts.append(
            [
                package.io.render_summary(summary, **options)
                for options in (
                    {"formatters": host.formatters, "namemap": titles},
                    {"formatters": host.formatters},
                    {"namemap": titles},
                    {},
                )
            ]
        )
    assert texts[0] == texts[1]
    assert_same_frames(*summaries)
    # As published in the package's own test, six decimals.
    published = {
        "TUD-Campus": (0.526462, 0.277201),
        "TUD-Stadtmitte": (0.564014, 0.345904),
        "OVERALL": (0.555116, 0.330177),
    }
    for name, (mota, motp) in published.items():
        row = summaries[0].loc[name]
        assert (round(row["mota"], 6), round(row["motp"], 6)) == (mota, motp)
    with io.StringIO() as file:
        assert ours.io.render_summary(summaries[0], buf=file) is None
        assert file.getvalue() == texts[0][3]


# The package


def test_public_names() -> None:
    assert set(theirs.__all__) <= set(ours.__all__)
    assert ours.__version__ == theirs.__version__
    # What scripts may use of each module: all but its imports and its solvers for other packages.
    for name in ("distances", "io", "lap", "metrics", "mot", "preprocess", "utils"):
        module = importlib.import_module(f"motmetrics.{name}")
        public = {
            each
            for each, value in vars(module).items()
            if not each.startswith("_")
            and getattr(value, "__module__", module.__name__) == module.__name__
            and not isinstance(value, type(sys))
        }
        own = importlib.import_module(f"snellen.compat.motmetrics.{name}")
        missing = {each for each in public if not hasattr(own, each)}
        assert missing <= {
            *("absolute_import", "division", "print_function"),
            *("lsa_solve_lapsolver", "lsa_solve_lapjv", "lsa_solve_munkres", "lsa_solve_ortools"),
            "find_scale_for_integer_approximation",
            *("one", "getSimpleAdd", "simple_add_func", "name"),
        }, name


def test_pandas_is_asked_for() -> None:
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "try: import snellen.compat.motmetrics\n"
        "except ImportError as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"MissingExtraError {MissingExtraError('pandas', 'frame')}"


def test_scipy_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import snellen.compat.motmetrics as mm\n"
        "a = mm.MOTAccumulator(auto_id=True); a.update([1], [2], [[0.5]])\n"
        "print(mm.metrics.create().compute(a, metrics='mota')['mota'].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[1.0]"
