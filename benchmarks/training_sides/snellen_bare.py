"""Snellen's data, rewritten network, loss and optimizer in a bare loop: what all else costs."""

from __future__ import annotations

import torch

from snellen.training.engine import Engine
from snellen.training.freed_memory import kept_memory
from snellen.training.preparation import prepare
from training_sides import N_LOSSES, Clock, Setting, Trained
from training_sides.plain_torch import accuracy
from training_sides.snellen_parts import description_of, made_network, training_data


def train(setting: Setting, clock: Clock) -> Trained:
    """Train as the module says."""
    engine = Engine(torch.device("cpu"))
    given = description_of(setting), training_data(setting)
    prepared = prepare(*given, engine, network=made_network(setting))
    network, optimizer = prepared.network, prepared.optimizer
    loss_function, feed = prepared.loss_function, prepared.feed(engine)
    network.train()
    losses = []
    with kept_memory(engine.device):
        for epoch in range(setting.epochs):
            clock.mark()
            for batch in feed.epoch(epoch):
                loss = loss_function(network(batch.inputs), batch.targets)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                if len(losses) < N_LOSSES:
                    losses.append(loss.detach())
        clock.mark()
    return Trained(torch.stack(losses).tolist(), accuracy(network, setting))
