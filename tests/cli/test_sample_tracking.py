from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_sample(run: Run, tmp_path: Path) -> None:
    done = run(
        *("sample", "tracking", tmp_path, "--sequences", 2, "--frames", 15, "--objects", 3),
        "--no-images",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(tmp_path / name) for name in ("truth", "predictions", "predictions_b")
    ]
    names = ["WALK-01", "WALK-02"]
    assert sorted(path.name for path in (tmp_path / "truth").iterdir()) == names
    for side in ("predictions", "predictions_b"):
        assert sorted(path.stem for path in (tmp_path / side).iterdir()) == names
    assert not list(tmp_path.rglob("*.png"))
    quiet = run(
        *("sample", "tracking", tmp_path / "q", "--sequences", 1, "--frames", 11, "--seed", 3),
        "--quiet",
    )
    assert (quiet.returncode, quiet.stdout) == (0, "")
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["000001.png", "000011.png"]


def test_bad_numbers(run: Run, tmp_path: Path) -> None:
    done = run("sample", "tracking", tmp_path / "never", "--frames", 0)
    assert done.returncode == 2
    assert "0 is not in the range x>=1" in done.stderr
    assert not (tmp_path / "never").exists()
