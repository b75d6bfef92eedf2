"""States of detection that real ranks send each other, with torch.distributed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs/guide/detection-in-training.md"
RANK = """
import sys
import numpy as np
import torch
from snellen import AveragePrecision

{of_all_ranks}

def image(seed):
    random = np.random.default_rng(seed)
    n = seed % 4
    corner = random.integers(0, 9, (n, 2))
    boxes = torch.tensor(np.concatenate([corner, corner + random.integers(1, 9, (n, 2))], 1))
    masks = torch.zeros(n, 20, 20, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes.tolist()):
        mask[top:bottom, left:right] = True
    truth = {{
        "boxes": boxes,
        "masks": masks,
        "keypoints": torch.tensor(random.integers(1, 9, (n, 17, 3))),
        "labels": torch.tensor(random.integers(0, 3, n)),
    }}
    scored = {{"scores": torch.tensor(random.integers(0, 5, n) / 4)}}
    pred = {{**truth, **scored, "labels": truth["labels"].flip(0)}}
    return truth, pred

rank, n_ranks, place = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.distributed.init_process_group(
    "gloo", init_method="file://" + place, rank=rank, world_size=n_ranks
)
for similarity in "box", "mask", "keypoints":
    mine, alone = (AveragePrecision(similarity=similarity) for _ in range(2))
    for i in range(14):
        truth, pred = image(i)
        alone.update([truth], [pred], image_id=[i])
        if i % n_ranks == rank and rank != 2:  # the last rank has no image
            mine.update([truth], [pred], image_id=[i])
        elif i % n_ranks == 2 and rank == 0:
            mine.update([truth], [pred], image_id=[i])
    whole = of_all_ranks(mine)
    assert whole.to_bytes() == alone.to_bytes()
    assert 0 < whole.compute().AP < 1
torch.distributed.destroy_process_group()
print("equal")
"""


def test_every_rank_has_the_number_of_all(tmp_path: Path) -> None:
    distributed = pytest.importorskip("torch").distributed
    if not (distributed.is_available() and distributed.is_gloo_available()):
        pytest.skip("this torch has no gloo")
    guide = GUIDE.read_text(encoding="utf-8")
    (of_all_ranks,) = re.findall(
        r"^```python\n(import torch.distributed\n.*?)^```", guide, re.M | re.S
    )
    script = tmp_path / "rank.py"
    script.write_text(RANK.format(of_all_ranks=of_all_ranks), encoding="utf-8")
    n_ranks = 3
    ranks = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(n_ranks), str(tmp_path / "meeting")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(n_ranks)
    ]
    for rank in ranks:
        out, errors = rank.communicate(timeout=120)
        assert (rank.returncode, out) == (0, "equal\n"), errors
