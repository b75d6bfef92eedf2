"""Draw noisy pictures of discs; targets are the column and row of the centre, and the radius."""

from __future__ import annotations

import argparse

import numpy as np


def circles(n: int, rng: np.random.Generator, size: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, size, size), and (n, 3) numbers in pixels."""
    radius = rng.uniform(2, size / 4, n)
    column, row = rng.uniform(radius, size - radius, (2, n))
    rows, columns = np.mgrid[:size, :size] + 0.5
    distance = np.hypot(columns - column[:, None, None], rows - row[:, None, None])
    # The border is a pixel wide, so that a picture says more than whole pixels.
    disc = np.clip(radius[:, None, None] - distance + 0.5, 0, 1)
    noisy = 50 + 150 * disc + rng.normal(0, 15, disc.shape)
    return noisy.round().clip(0, 255).astype(np.uint8), np.stack([column, row, radius], 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--out", default="circles.npz")
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    x_train, y_train = circles(asked.samples, rng)
    x_test, y_test = circles(asked.samples // 4, rng)
    np.savez(asked.out, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    print(f"{asked.out}: {asked.samples} pictures to learn from, {asked.samples // 4} to test")
