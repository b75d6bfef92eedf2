"""The convolutional network in plain PyTorch, handed over to Snellen's loop as a module.

As a description says it: ``network = "own_module:ConvNet"``, in the folder of this file.
"""

from __future__ import annotations

import argparse

from course_data import course_data
from torch import Tensor, nn

from snellen.training import open_data, train


class ConvNet(nn.Module):
    """Two convolutions with pooling, two linear layers."""

    def __init__(self, input_shape: tuple[int, int, int] = (1, 28, 28), n_outputs: int = 10):
        super().__init__()
        channels, height, width = input_shape
        self.conv1 = nn.Conv2d(channels, 32, 3, padding="same")
        self.conv2 = nn.Conv2d(32, 64, 3, padding="same")
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(64 * (height // 4) * (width // 4), 128)
        self.output = nn.Linear(128, n_outputs)

    def forward(self, images: Tensor) -> Tensor:
        """Return scores; no softmax, which the loss brings."""
        found = self.pool(self.conv1(images).relu())
        found = self.pool(self.conv2(found).relu())
        return self.output(self.hidden(found.flatten(1)).relu())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="by default Fashion-MNIST, or where it is not, digits")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", help="the folder of the run")
    asked = parser.parse_args()
    description = {
        "data": asked.data or course_data(),
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "batch_size": 128,
        "epochs": asked.epochs,
    }
    data = open_data(description["data"])
    # Its weights are those that it comes with.
    network = ConvNet(data.train.input_shape, data.n_outputs)
    run = train(description, data=data, network=network, out=asked.out)
    for epoch in run.history:
        print("epoch {epoch}  loss {loss:.4f}  val_accuracy {val_accuracy:.4f}".format(**epoch))
    print(run)
