"""NaN is no number that an option takes: no limit holds it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen.cli.root import run as call

OF_DETECTION = ("t.json", "p.json")


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "detection", *OF_DETECTION, "--level", "nan"),
        ("evaluate", "classification", "t", "p", "--threshold", "nan"),
        ("evaluate", "classification", "t", "p", "--beta", "nan"),
        ("evaluate", "regression", "t", "p", "--huber-delta", "nan"),
        ("compare", "a", "b", "--level", "NaN"),
        ("evaluate", "tracking", "t", "p", "--threshold", "nan"),
        ("evaluate", "tracking", "t", "p", "--zero-distance", "nan"),
        ("evaluate", "boundary", "t", "p", "--classes", "voc", "--ratio", "nan"),
        ("evaluate", "boundary", "t", "p", "--classes", "voc", "--tolerance", "-nan"),
        ("evaluate", "surface", "t", "p", "--classes", "voc", "--tolerance", "nan"),
        ("evaluate", "surface", "t", "p", "--classes", "voc", "--percentile", "nan"),
        ("diagnose", *OF_DETECTION, "--iou-threshold", "nan"),
        ("diagnose", *OF_DETECTION, "--score-threshold", "nan"),
        ("diagnose", *OF_DETECTION, "--background", "nan"),
        ("diagnose", *OF_DETECTION, "--confident", "nan"),
        ("diagnose", *OF_DETECTION, "--duplicate", "nan"),
        ("diagnose", *OF_DETECTION, "--beta", "nan"),
        ("report", "a", "-o", "a.png", "--figure", "curve", "--width", "nan"),
        ("export", "a", "a.onnx", "--tolerance", "nan"),
        ("benchmark", "--data", "t.csv", "predictions:p.csv", "--seconds", "nan"),
    ],
)
def test_nan_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call([*arguments]) == 2
    said = capsys.readouterr().err
    assert arguments[-2] in said
    assert "expected a number, got nan" in said
