"""The barest loop: tensors, batches cut out by index, torch's defaults."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from training_sides import BATCH_SIZE, LEARNING_RATE, N_LOSSES, Clock, Setting, Trained
from training_sides.plain_torch import accuracy, made_network, normalised, tensors


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    network = made_network(setting)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    images, labels = tensors(setting.train_images, setting.train_labels)
    losses = []
    for order in torch.from_numpy(setting.orders):
        clock.mark()
        for rows in order.split(BATCH_SIZE):
            loss = cross_entropy(network(normalised(images[rows])), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if len(losses) < N_LOSSES:
                losses.append(loss.detach())
    clock.mark()
    return Trained(torch.stack(losses).tolist(), accuracy(network, setting))
