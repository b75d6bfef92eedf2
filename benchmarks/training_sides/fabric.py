"""Lightning Fabric around the barest loop."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from torch.nn.functional import cross_entropy

from training_sides import BATCH_SIZE, LEARNING_RATE, N_LOSSES, Clock, Setting, Trained
from training_sides.plain_torch import accuracy, made_network, normalised, tensors


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    fabric = Fabric(accelerator="cpu", devices=1)
    network = made_network(setting)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    network, optimizer = fabric.setup(network, optimizer)
    images, labels = tensors(setting.train_images, setting.train_labels)
    losses = []
    for order in torch.from_numpy(setting.orders):
        clock.mark()
        for rows in order.split(BATCH_SIZE):
            loss = cross_entropy(network(normalised(images[rows])), labels[rows])
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            if len(losses) < N_LOSSES:
                losses.append(loss.detach())
    clock.mark()
    return Trained(torch.stack(losses).tolist(), accuracy(network, setting))
