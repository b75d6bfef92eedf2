"""Results for the services that show them: a protocol of two methods, and what calls them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.displays import Display
    from snellen.result import Result

__all__ = ["ResultLogger", "log_result"]


class ResultLogger(Protocol):
    """Where results go: two methods, so that any service is one small class away.

    `TensorBoardResults`, `WandBResults` and `MLflowResults` have them. Whoever opened a run or a
    writer closes it.
    """

    def log_numbers(self, numbers: Mapping[str, float], *, step: int) -> None:
        """Hand on numbers by name, all of them finite.

        Parameters
        ----------
        numbers : mapping of str to float
            The numbers.
        step : int
            When they were measured: an epoch, a number of updates, or 0.
        """
        ...

    def log_display(self, display: Display, *, name: str, step: int) -> None:
        """Hand on a picture.

        Parameters
        ----------
        display : Display
            The picture: `Display.plot` and `Display.figure` draw it.
        name : str
            What it is called there.
        step : int
            When it was made.
        """
        ...


def log_result(
    result: Result, logger: ResultLogger, *, step: int = 0, prefix: str = "", pictures: bool = True
) -> None:
    """Hand a result's headline numbers and pictures to a logger.

    What is undefined is left out: services take no NaN, or show it as 0.

    Parameters
    ----------
    result : Result
        Of any metric.
    logger : ResultLogger
        Where they go.
    step : int
        When it was measured: an epoch, a number of updates.
    prefix : str
        What stands before each name: ``"test/"``.
    pictures : bool
        Whether pictures are handed on, too.

    Examples
    --------
    >>> from snellen import regression_scores
    >>> class Printed:
    ...     def log_numbers(self, numbers, *, step):
    ...         print(step, {name: round(value, 3) for name, value in numbers.items()}["test/mae"])
    ...     def log_display(self, display, *, name, step):
    ...         print(step, name)
    >>> log_result(regression_scores([1.0, 2.0], [1.5, 2.0]), Printed(), step=3, prefix="test/")
    3 0.25
    3 test/metrics
    """
    numbers = {
        f"{prefix}{name}": float(value)
        for name, value in result.metrics.items()
        if math.isfinite(value)
    }
    if numbers:
        logger.log_numbers(numbers, step=step)
    if pictures:
        for display in result.displays():
            logger.log_display(display, name=f"{prefix}{display.name}", step=step)
