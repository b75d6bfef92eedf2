"""The pages: whole, alone, escaped, and with the numbers they are of."""

from __future__ import annotations

import base64
import re
import zlib
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from snellen.errors import InputError
from snellen.training.inspection import (
    LayerStatistics,
    check_first_loss,
    check_gradients,
    descent_page,
    follow_batch,
    follow_page,
    inspection_page,
    learning_rate_range,
    overfit_batch,
)
from snellen.training.inspection.inline_png import gray_picture, signed_picture, surface_picture
from snellen.training.inspection.line_chart import line_chart, tick_text, ticks

EVIL = "<script>alert('&')</script>"


class Balanced(HTMLParser):
    """Reads a page, and fails where a tag is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        self.addresses += [v for k, v in attributes if k in ("src", "href") and v]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        self.addresses += [v for k, v in attributes if k in ("src", "href") and v]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Balanced:
    reader = Balanced()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert page.startswith("<!doctype html>")
    # A page that stands alone: no script, nothing from elsewhere.
    assert "script" not in reader.tags
    assert all(a.startswith(("#", "data:image/png;base64,")) for a in reader.addresses)
    assert "prefers-color-scheme: dark" in page
    assert EVIL not in page
    return reader


def named_badly() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)

    class Odd(nn.Flatten):
        def extra_repr(self) -> str:
            return EVIL

    network = nn.Sequential()
    network.add_module(EVIL.replace(".", ""), nn.Conv2d(1, 2, 3))
    network.add_module("relu", nn.ReLU())
    network.add_module("flat", Odd())
    network.add_module("last", nn.Linear(32, 3))
    return network, torch.randn(6, 1, 6, 6), torch.arange(6) % 3


def test_page_of_a_followed_batch() -> None:
    network, inputs, targets = named_badly()
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    found = follow_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, samples=(0, 4))
    reader = read(follow_page(found, title=EVIL))
    text = "".join(reader.text)
    assert text.count(EVIL) >= 4  # shown, as text
    assert "Numbers of sample 4" in text
    assert "equals" in text
    for layer in found.layers:
        for each in layer.worked:
            assert each.numbers in text
    # The input, and two channels each of two layers' outputs and gradients.
    assert reader.tags.count("img") == 1 + 2 * 2 * 2
    assert reader.tags.count("details") == 4
    assert "were put back as they were" in text


def test_page_of_everything() -> None:
    network, inputs, targets = named_badly()
    loss = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    statistics = LayerStatistics(every=1, window=1)
    run: Any = SimpleNamespace(network=network, step=0)
    statistics.start(run)
    for _ in range(3):
        optimizer.zero_grad()
        loss(network(inputs), targets).backward()
        optimizer.step()
        run.step += 1
        statistics.step_end(run)
    statistics.end(run)
    results: dict[str, Any] = {
        "followed": follow_batch(network, loss, inputs, targets, optimizer),
        "gradient_check": check_gradients(network, loss, inputs, targets, n_entries=2),
        "first_loss": check_first_loss(network, loss, inputs, targets),
        "overfit": overfit_batch(network, loss, inputs, targets, optimizer, n_steps=20),
        "rate_range": learning_rate_range(
            network, loss, [(inputs, targets)], optimizer, n_steps=20
        ),
        "statistics": statistics,
    }
    reader = read(inspection_page(**results, summary=EVIL, title=EVIL))
    text = "".join(reader.text)
    for name in ("gradient_check", "first_loss", "overfit", "rate_range"):
        assert results[name].verdict in text
    assert reader.tags.count("h2") >= 6
    # Each alone is a page as well.
    for name, result in results.items():
        read(inspection_page(**{name: result}))
    with pytest.raises(InputError, match="at least one result"):
        inspection_page()


def test_page_of_statistics_without_records() -> None:
    text = "".join(read(inspection_page(statistics=LayerStatistics())).text)
    assert "Nothing was recorded." in text


def test_page_of_descent() -> None:
    page = descent_page(["bowl", "rosenbrock"], n_steps=15)
    reader = read(page)
    text = "".join(reader.text)
    assert "Rosenbrock's banana" in text
    assert "SGD, rate 2.05" in text
    assert "momentum 0.9, rate 0.05" in text
    # Two pictures of each problem with their losses.
    assert reader.tags.count("svg") == 8
    names = re.findall(r"clippath id='([^']*)'", page, flags=re.IGNORECASE)
    assert len(set(names)) == len(names) == 4


def test_descent_with_optimizers_of_ones_own() -> None:
    mine = {EVIL: lambda parameters, rate: torch.optim.SGD(parameters, rate)}
    page = descent_page(
        ["bowl"], rates=(0.1,), optimizers=mine, optimizer_rate=0.2, n_steps=3, title=EVIL
    )
    assert f"{EVIL}, rate 0.2" in "".join(read(page).text)
    with pytest.raises(InputError, match="a rate for these optimizers"):
        descent_page(["bowl"], optimizers=mine)
    with pytest.raises(InputError, match="at least one problem"):
        descent_page([])


def test_lost_paths_and_odd_losses_are_drawn() -> None:
    page = descent_page(["bowl"], rates=(50.0,), n_steps=30)
    assert "diverged" in page
    assert "nan" not in re.sub(r"base64,[^']*", "", page).lower()


def test_pictures_are_png() -> None:
    values = np.array([[0.0, 1.0, -2.0], [0.5, np.nan, 0.0]])
    address = signed_picture(values)
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert data[16:24] == (3).to_bytes(4, "big") + (2).to_bytes(4, "big")
    start = data.index(b"IDAT")
    size = int.from_bytes(data[start - 4 : start], "big")
    assert zlib.crc32(data[start : start + 4 + size]) == int.from_bytes(
        data[start + 4 + size : start + 8 + size], "big"
    )
    pixels = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + size]), np.uint8)
    # A line begins with its filter, 0; the fourth number of a pixel is how far it is from 0.
    pixels = pixels.reshape(2, 13)
    assert pixels[:, 0].tolist() == [0, 0]
    assert pixels[:, 4::4].tolist() == [[0, 128, 255], [64, 0, 0]]
    for other in (gray_picture(values[None]), gray_picture(np.zeros((3, 2, 2)))):
        assert other.startswith("data:image/png;base64,")
    assert surface_picture(np.zeros((2, 2))).startswith("data:image/png;base64,")


def test_a_logarithmic_axis_leaves_out_what_it_cannot_show() -> None:
    chart = line_chart(
        {"a": ([1, 2, 3, 4], [0.0, 1.0, float("nan"), 10.0])},
        title="t",
        x_label="x",
        y_label="y",
        log_y=True,
    )
    points = re.search(r"points='([^']*)'", chart)
    assert points is not None
    assert len(points[1].split()) == 2
    nothing = line_chart({"a": ([1], [-1])}, title="t", x_label="x", y_label="y", log_y=True)
    assert "no numbers to show" in nothing


def test_round_ticks() -> None:
    assert ticks(0, 60) == [0, 20, 40, 60]
    assert ticks(-3, 3) == [-2, 0, 2]
    assert ticks(1e-6, 10, log=True) == pytest.approx([1e-6, 1e-4, 1e-2, 1])
    assert ticks(5, 5) == [5]
    assert tick_text(1e-6, log=True) == "10⁻⁶"
    assert tick_text(0.1, log=True) == "0.1"
