"""Truncated and mutated files by the thousand: refused or evaluated, never a crash, never a hang.

They are read in one process (starting thousands would take minutes), which must live to the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .conftest import results_document, truth_document

# Reads every document of the two folders with both readers; one line a file.
READ_ALL = """
import sys
from pathlib import Path
from snellen import AveragePrecision, read_coco_predictions, read_coco_truth
from snellen.errors import SnellenError
import warnings
warnings.simplefilter("ignore")
truth_folder, results_folder, good_truth = map(Path, sys.argv[1:])
whole = read_coco_truth(good_truth)
n_read = n_refused = 0
for path in sorted([*truth_folder.iterdir(), *results_folder.iterdir()]):
    try:
        if path.parent == truth_folder:
            read_coco_truth(path)
        else:
            pred = read_coco_predictions(path, whole)
            AveragePrecision().update(whole, pred).compute()
        n_read += 1
    except SnellenError as error:
        assert str(path) in str(error), error
        assert len(str(error)) < 1000
        n_refused += 1
print(n_read, n_refused)
"""

TOKENS = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"-", b"1e999", b"NaN", b"null", b"true",
    b"\x00", b"\xff", b"\xed\xa0\x80", b"},{", b'"image_id"', b'"bbox"', b"[[[[", b"0", b".", b"e",
)  # fmt: skip


def mutations(document: bytes, n: int, seed: int) -> list[bytes]:
    """Return seeded variants: bytes removed, repeated, replaced, tokens put in, parts swapped."""
    # A linear congruential generator (Knuth's MMIX constants): seeded, and the same everywhere.
    state = seed

    def draw(limit: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % limit

    made = []
    for _ in range(n):
        text = bytearray(document)
        for _ in range(1 + draw(3)):
            at, length = draw(len(text)), draw(12)
            kind = draw(5)
            if kind == 0:
                del text[at : at + length]
            elif kind == 1:
                text[at:at] = text[at : at + length]
            elif kind == 2:
                text[at] = draw(256)
            elif kind == 3:
                text[at : at + draw(2)] = TOKENS[draw(len(TOKENS))]
            else:
                other = draw(len(text))
                text[at:at] = text[other : other + length]
            text = text or bytearray(b" ")
        made.append(bytes(text))
    return made


def read_all(folder: Path, truths: list[bytes], results: list[bytes]) -> tuple[int, int]:
    good = folder / "good.json"
    good.write_text(json.dumps(truth_document()))
    for name, documents in (("truths", truths), ("results", results)):
        (folder / name).mkdir()
        for number, document in enumerate(documents):
            (folder / name / f"{number:05}.json").write_bytes(document)
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, folder / "truths", folder / "results", good],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    n_read, n_refused = map(int, done.stdout.split())
    return n_read, n_refused


def test_truncated_at_every_byte(tmp_path: Path) -> None:
    truth = json.dumps(truth_document()).encode()
    results = json.dumps(results_document(), indent=1).encode()
    # Every proper beginning of a document is no document.
    assert read_all(
        tmp_path,
        [truth[:size] for size in range(len(truth))],
        [results[:size] for size in range(len(results))],
    ) == (0, len(truth) + len(results))


def test_mutated_by_the_thousand(tmp_path: Path) -> None:
    truth = json.dumps(truth_document()).encode()
    results = json.dumps(results_document()).encode()
    n_read, n_refused = read_all(
        tmp_path, mutations(truth, 2500, seed=1), mutations(results, 2500, seed=2)
    )
    assert n_read + n_refused == 5000
    assert n_read > 100  # harmless changes are harmless
    assert n_refused > 1000


def test_real_files_mutated(tmp_path: Path, conformance_data: Path) -> None:
    home = conformance_data / "detection"
    pairs = [
        (home / "fce_small/gt_dataset.json", home / "fce_small/dt_dataset.json"),
        (home / "coco_val2017_d2test/gt.json", home / "coco_val2017_d2test/dt.json"),
    ]
    truths, results = [], []
    for seed, (truth, result) in enumerate(pairs):
        truths += mutations(truth.read_bytes(), 500, seed)
        results += mutations(result.read_bytes(), 500, seed + 100)
    n_read, n_refused = read_all(tmp_path, truths, results)
    assert n_read + n_refused == 2000
