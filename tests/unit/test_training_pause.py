"""A training that is only stopped for now does not look at its test part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from snellen.errors import DataWarning, InputError  # noqa: E402
from snellen.training.callbacks.stop_after import StopAfter  # noqa: E402
from snellen.training.cross_validation import cross_validate  # noqa: E402
from snellen.training.data.source import open_data  # noqa: E402
from snellen.training.description import Every, read_description  # noqa: E402
from snellen.training.training import train  # noqa: E402

DESCRIPTION = {"data": "digits", "network": "fc", "epochs": 2}


def test_the_test_part_is_measured_after_the_last_epoch_only(tmp_path: Path) -> None:
    paused = train(DESCRIPTION, out=tmp_path / "run", callbacks=[StopAfter(Every(1, "ep"))])
    assert (paused.measured_on, paused.result) == ("validation", None)
    assert not (tmp_path / "run" / "test").exists()
    assert train(DESCRIPTION, out=tmp_path / "run", resume=True).measured_on == "test"


def test_a_time_limit_is_an_end() -> None:
    run = train({**DESCRIPTION, "time_limit": 1e-9})
    assert run.stop_reason
    assert run.measured_on == "test"


def test_a_cross_validation_that_is_stopped_has_no_test() -> None:
    done = cross_validate(
        read_description({**DESCRIPTION, "n_folds": 2}), callbacks=[StopAfter(Every(3, "ba"))]
    )
    assert done.final is not None
    assert done.final.result is None


def test_maps_of_void_alone_have_no_loss() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (8, 3, 8, 8), dtype=np.uint8)
    maps = (images[:, 0] > 128).astype(np.uint8)
    data = open_data(
        {
            "train": (images, maps),
            "validation": (images[:2], np.full((2, 8, 8), 255, np.uint8)),
            "classes": ["dark", "light"],
        }
    )
    layers = [{"name": "conv", "out": 2}]
    run = train({"data": "maps", "network": layers, "batch_size": 4, "epochs": 1}, data=data)
    assert np.isnan(run.history[0]["val_loss"])


def test_what_sums_depend_on_is_said_where_a_run_goes_on_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    description = {**DESCRIPTION, "threads": 1}
    train(description, out=tmp_path / "run", callbacks=[StopAfter(Every(3, "ba"))])
    with pytest.warns(DataWarning, match="^threads was 1, is 2: the run goes on equal to rounding"):
        train(
            {**description, "threads": 2},
            out=tmp_path / "run",
            callbacks=[StopAfter(Every(3, "ba"))],
            resume=True,
        )
    monkeypatch.setattr(torch, "__version__", "9.0")
    with pytest.warns(DataWarning, match=r"torch was .*, is 9\.0: the run"):
        train({**description, "threads": 2}, out=tmp_path / "run", resume=True)


def test_a_seed_below_0_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match=r"expected a seed from 0 to 2\*\*64 - 1.* - at seed"):
        read_description({"data": "digits", "seed": -1})
