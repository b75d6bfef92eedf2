"""Which data the course's networks train on here: Fashion-MNIST, or what scikit-learn brings.

As a program it prints the name: ``snellen train … --data $(python examples/course_data.py)``.
"""

from __future__ import annotations

import sys

from snellen.errors import InputError
from snellen.training import Choice, open_data


def course_data() -> str:
    """Return ``"fashion-mnist"`` where its files are, without a download; else ``"digits"``."""
    try:
        open_data(Choice("fashion-mnist", {"download_missing": False}))
    except InputError as error:
        print(
            f"Fashion-MNIST is not here ({error}). Scikit-learn's digits, 1,797 pictures of "
            "8 × 8 pixels, are taken in its place: numbers are not those of Fashion-MNIST.",
            file=sys.stderr,
        )
        return "digits"
    return "fashion-mnist"


if __name__ == "__main__":
    print(course_data())
