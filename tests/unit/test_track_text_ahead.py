"""Texts that are read ahead: what was read is handed over, what was not is read by who asks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from snellen.errors import InputError, SchemaError
from snellen.readers.track_text import read_track_columns
from snellen.readers.track_text_ahead import TextRequest, TextsAhead, requests_of_folders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = "1,7,0,0,10,10,1,-1,-1,-1\n"


def request_of(path: Path, *, n_frames: int | None = None) -> TextRequest:
    return TextRequest(str(path), False, 1, n_frames, ())


def test_what_was_read_is_handed_over_once(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(LINE)
    read = threading.Event()

    def requests() -> Iterator[TextRequest]:
        yield request_of(path)
        read.set()  # asked for more: the first was read

    ahead = TextsAhead(requests)
    assert read.wait(10)
    path.write_text("this would be refused\n")
    columns = read_track_columns(str(path), is_truth=False, ahead=ahead)
    assert columns.track.tolist() == [7]
    with pytest.raises(SchemaError):
        read_track_columns(str(path), is_truth=False, ahead=ahead)


def test_what_must_hold_of_it_may_not_differ(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(LINE.replace("1,", "5,", 1))
    read = threading.Event()

    def requests() -> Iterator[TextRequest]:
        yield request_of(path)
        read.set()

    ahead = TextsAhead(requests)
    assert read.wait(10)
    # It was read as one of any length.
    with pytest.raises(InputError, match="frame"):
        read_track_columns(str(path), is_truth=False, n_frames=3, ahead=ahead)


def test_who_asks_first_reads_and_nothing_more_is_read(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    for path in (first, second):
        path.write_text(LINE)
    go_on, ended = threading.Event(), threading.Event()

    def requests() -> Iterator[TextRequest]:
        assert go_on.wait(10)
        try:
            yield request_of(first)
            yield request_of(second)
        finally:
            ended.set()

    ahead = TextsAhead(requests)
    assert ahead.take(request_of(second)) is None
    go_on.set()
    assert ended.wait(10)
    assert ahead.take(request_of(first)) is None


def test_errors_are_left_to_who_asks(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(LINE + "1,7,0,0,10\n")

    def broken() -> Iterator[TextRequest]:
        raise OSError("not this way")
        yield

    for requests in (lambda: iter([request_of(path)]), broken):
        with pytest.raises(SchemaError, match=r"a\.txt line 2"):
            read_track_columns(str(path), is_truth=False, ahead=TextsAhead(requests))


def test_requests_are_those_of_the_first_sequences(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / "truth" / name / "gt").mkdir(parents=True)
        (tmp_path / "truth" / name / "gt" / "gt.txt").write_text(LINE)
        (tmp_path / "truth" / name / "seqinfo.ini").write_text("[Sequence]\nseqLength=9\n")
        (tmp_path / "pred").mkdir(exist_ok=True)
        (tmp_path / "pred" / f"{name}.txt").write_text(LINE)
    found = list(
        requests_of_folders(
            tmp_path / "truth", tmp_path / "pred", truth_regions=(13,), first_frame=1
        )
    )
    assert [(each.is_truth, each.n_frames, each.region_classes) for each in found] == [
        (True, 9, (13,)),
        (False, 9, ()),
    ] * 2
    assert [
        str(each.source).endswith(name)
        for each, name in zip(found, ["a/gt/gt.txt", "a.txt", "b/gt/gt.txt", "b.txt"], strict=True)
    ] == [True] * 4
