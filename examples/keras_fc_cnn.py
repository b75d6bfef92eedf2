"""Both networks of the course as Keras models: the same first weights, trained by Keras' own fit.

`SnellenMetrics` measures them on the validation part after each epoch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from course_data import course_data

from snellen.training import build_network, open_data, read_description
from snellen.training.data.normalisation import make_normalisation
from snellen.training.data.parts import Order
from snellen.training.keras import SnellenMetrics, to_keras  # takes torch where no backend is set

HERE = Path(__file__).parent


def arrays(part, normalisation) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of a part as Keras takes them: (N, H, W, C), normalised, and classes."""
    order = Order(part.n, 1000, shuffled=False)
    batches = [
        (normalisation.apply(batch.inputs).movedim(1, -1).numpy(), batch.targets.numpy())
        for batch in part.batches(order, epoch=0)
    ]
    inputs, targets = (np.concatenate(side) for side in zip(*batches, strict=True))
    return inputs, targets


def fit(path: Path, data, epochs: int | None) -> SnellenMetrics:
    """Train the network of a description with Keras."""
    import keras

    described = read_description(path)
    epochs = epochs or described.epochs
    normalisation = make_normalisation(described.normalise, data.train)
    network = build_network(
        described.network,
        data.train.input_shape,
        data.n_outputs,
        initialisation=described.initialisation,
        seed=described.seed,
        task=data.task,
    )
    model = to_keras(network, name=path.stem.replace("-", "_"))
    inputs, targets = arrays(data.train, normalisation)
    n_steps = epochs * -(-len(inputs) // described.batch_size)
    keras.utils.set_random_seed(described.seed)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(described.learning_rate, n_steps), epsilon=1e-8
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    model.summary()
    ours = SnellenMetrics(arrays(data.validation, normalisation), scores="logits")
    model.fit(
        inputs,
        targets,
        batch_size=described.batch_size,
        epochs=epochs,
        callbacks=[ours],
        verbose=2,
    )
    return ours


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="by default Fashion-MNIST, or where it is not, digits")
    parser.add_argument("--epochs", type=int, help="by default as the descriptions say")
    asked = parser.parse_args()
    data = open_data(asked.data or course_data())
    for name in ("fashion-fc.toml", "fashion-cnn.toml"):
        print(fit(HERE / name, data, asked.epochs).result)
