"""Networks of one's own may call their parts whatever they like."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from snellen.training import train  # noqa: E402
from snellen.training.callbacks.stop_after import StopAfter  # noqa: E402
from snellen.training.description import Every  # noqa: E402
from snellen.training.run_folder import RunFolder  # noqa: E402


class Wrapped(nn.Module):
    """A network with a part called as what several processes wrap one in calls it."""

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU())
        self.last = nn.Linear(8, 10)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.last(self.module(inputs))
        return outputs


def made() -> Wrapped:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Wrapped()


def test_all_of_a_network_with_a_part_called_module_is_kept(tmp_path: Path) -> None:
    description = {"data": "digits", "epochs": 2}
    whole = train(description, network=made())
    stop = StopAfter(Every(15, "ba"))
    train(description, network=made(), out=tmp_path / "run", callbacks=[stop])
    kept, _path, _passed = RunFolder(tmp_path / "run").checkpoints.latest()
    assert kept["network"].keys() == made().state_dict().keys()
    assert kept["best"]["weights"].keys() == made().state_dict().keys()
    again = train(description, network=made(), out=tmp_path / "run", resume=True)
    for one, other in zip(
        whole.network.network.parameters(), again.network.network.parameters(), strict=True
    ):
        assert torch.equal(one, other)
