"""Running commands as a user does, and small files to run them on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def run() -> Run:
    """Return a function that runs `snellen` in a process of its own."""

    def run_snellen(
        *arguments: str | Path, timeout: float = 60, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "snellen", *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
            **options,
        )

    return run_snellen


def truth_document() -> dict[str, Any]:
    """Return two images, three boxes, two categories."""
    return {
        "info": {"description": "three boxes"},
        "images": [
            {"id": 1, "width": 100, "height": 100, "file_name": "1.png"},
            {"id": 2, "width": 100, "height": 100, "file_name": "2.png"},
        ],
        "annotations": [
            annotation(1, 1, 1, [10, 10, 20, 20]),
            annotation(2, 1, 2, [50, 50, 40, 40]),
            annotation(3, 2, 1, [0, 0, 10, 10]),
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def annotation(annotation_id: int, image: int, category: int, bbox: list[float]) -> dict[str, Any]:
    return {
        "id": annotation_id,
        "image_id": image,
        "category_id": category,
        "bbox": bbox,
        "area": bbox[2] * bbox[3],
        "iscrowd": 0,
    }


def results_document() -> list[dict[str, Any]]:
    """Return a perfect detection of each box, and a false one."""
    return [
        {"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.9},
        {"image_id": 1, "category_id": 2, "bbox": [50, 50, 40, 40], "score": 0.8},
        {"image_id": 2, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.7},
        {"image_id": 2, "category_id": 1, "bbox": [60, 60, 10, 10], "score": 0.6},
    ]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return a truth and a results file."""
    truth, results = tmp_path / "truth.json", tmp_path / "results.json"
    truth.write_text(json.dumps(truth_document()))
    results.write_text(json.dumps(results_document()))
    return truth, results
