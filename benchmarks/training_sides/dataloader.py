"""What tutorials write: a DataLoader over a Dataset that normalises each image."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from training_sides import BATCH_SIZE, LEARNING_RATE, N_LOSSES, Clock, Setting, Trained
from training_sides.plain_torch import Given, Images, accuracy, made_network, tensors


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    network = made_network(setting)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    images = Images(*tensors(setting.train_images, setting.train_labels))
    loader = torch.utils.data.DataLoader(images, BATCH_SIZE, sampler=Given(setting))
    losses = []
    for _ in range(setting.epochs):
        clock.mark()
        for some, of_them in loader:
            loss = cross_entropy(network(some), of_them)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if len(losses) < N_LOSSES:
                losses.append(loss.detach())
    clock.mark()
    return Trained(torch.stack(losses).tolist(), accuracy(network, setting))
