from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_sample(run: Run, tmp_path: Path) -> None:
    done = run(
        *("sample", "segmentation", tmp_path, "--images", 2, "--width", 64, "--height", 32),
        "--no-images",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(tmp_path / name)
        for name in (
            *("classes.json", "truth", "predictions"),
            *("panoptic/truth.json", "panoptic/predictions.json"),
        )
    ]
    assert len(list((tmp_path / "truth").iterdir())) == 2
    quiet = run("sample", "segmentation", tmp_path / "q", "--images", 1, "--quiet")
    assert (quiet.returncode, quiet.stdout) == (0, "")
    assert len(list((tmp_path / "q/images").iterdir())) == 1
