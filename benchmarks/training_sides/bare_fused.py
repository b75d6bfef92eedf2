"""The barest loop with what torch has for speed.

Fused Adam, one gather an epoch, and a convolutional network in channels_last.
"""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from training_sides import BATCH_SIZE, LEARNING_RATE, N_LOSSES, Clock, Setting, Trained
from training_sides.plain_torch import accuracy, made_network, normalised, tensors


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    network = made_network(setting)
    if setting.network == "cnn":
        network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    images, labels = tensors(setting.train_images, setting.train_labels)
    losses = []
    for order in torch.from_numpy(setting.orders):
        clock.mark()
        of_epoch = images[order].split(BATCH_SIZE), labels[order].split(BATCH_SIZE)
        for some, of_them in zip(*of_epoch, strict=True):
            loss = cross_entropy(network(normalised(some)), of_them)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if len(losses) < N_LOSSES:
                losses.append(loss.detach())
    clock.mark()
    return Trained(torch.stack(losses).tolist(), accuracy(network, setting))
