"""Training by Lightning's Trainer, for the sides that differ in what it does beside."""

from __future__ import annotations

from typing import Any

import torch
from lightning import LightningModule, Trainer
from torch import Tensor
from torch.nn.functional import cross_entropy

from training_sides import BATCH_SIZE, LEARNING_RATE, N_LOSSES, Clock, Setting, Trained
from training_sides.plain_torch import Given, Images, accuracy, made_network, tensors

__all__ = ["trained_by"]


class _Module(LightningModule):
    def __init__(self, setting: Setting, clock: Clock, logs: bool) -> None:
        super().__init__()
        self.network = made_network(setting)
        self.clock, self.logs = clock, logs
        self.losses: list[Tensor] = []

    def on_train_epoch_start(self) -> None:
        self.clock.mark()

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        loss = cross_entropy(self.network(images), labels)
        if self.logs:
            self.log("train_loss", loss, prog_bar=True)
        if len(self.losses) < N_LOSSES:
            self.losses.append(loss.detach())
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


def trained_by(setting: Setting, clock: Clock, *, logs: bool, **options: Any) -> Trained:
    """Train by a Trainer with these options; an epoch's time includes what it does at its end."""
    module = _Module(setting, clock, logs)
    images = Images(*tensors(setting.train_images, setting.train_labels))
    loader = torch.utils.data.DataLoader(images, BATCH_SIZE, sampler=Given(setting))
    trainer = Trainer(
        max_epochs=setting.epochs,
        accelerator="cpu",
        devices=1,
        default_root_dir=setting.folder,
        **options,
    )
    trainer.fit(module, loader)
    clock.mark()
    return Trained(torch.stack(module.losses).tolist(), accuracy(module.network, setting))
