"""What the files of `snellen export` say of themselves, whatever their format."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import msgspec

from snellen.benchmark.preprocessing import Fit, Preprocessing
from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.benchmark.model import Scores
    from snellen.benchmark.preprocessing_settings import Takes

__all__ = ["FITS", "ExportedNetwork"]

FITS: Final[dict[str, Fit]] = {"crop": "fill", "stretch": "stretch"}
"""What training calls the ways to fit images, and `Preprocessing`."""

_SCORES: Final[dict[str, Scores]] = {
    "logits": "logits",
    "probabilities": "probabilities",
    # Made of its outputs by `probabilities_of_yes_or_no`.
    "binary_logits": "probabilities",
}


@dataclasses.dataclass(frozen=True)
class ExportedNetwork:
    """A network that classifies images, as its file describes it.

    Attributes
    ----------
    classes : object
        The names of its outputs, as they stand there; None without.
    scores : {"logits", "probabilities"} or None
        What it gives; None where the file does not say it.
    is_yes_or_no : bool
        Whether each output is the logit of a yes or no.
    fit : {"fill", "stretch"} or None
        How its images were fitted; None in the files of releases that did not say it.
    """

    classes: Any
    scores: Scores | None
    is_yes_or_no: bool
    fit: Fit | None

    @classmethod
    def of(
        cls, facts: Mapping[str, Any], settings: Mapping[str, str], place: str
    ) -> ExportedNetwork | None:
        """Return what facts say (`snellen.training.export_facts`); None where there are none.

        Raises
        ------
        InputError
            For a network that does something else than classify, and where a setting contradicts.
        SchemaError
            For facts that nobody writes.
        """
        task = facts.get("task")
        if task is None:
            return None
        if task != "classification":
            raise InputError(f"expected a network for classification, got one for {task}", place)
        scores, fit = facts.get("scores"), facts.get("fit")
        for name, value, known in (("scores", scores, _SCORES), ("fit", fit, FITS)):
            if value is not None and not (isinstance(value, str) and value in known):
                raise SchemaError(
                    f"expected {name} of {', '.join(known)} in what snellen export says, got "
                    f'"{value}"',
                    place,
                )
        if scores is not None and "scores" in settings:
            raise InputError(
                f'expected no setting "scores" for a file that says what they are: {scores}', place
            )
        return cls(
            facts.get("classes"),
            None if scores is None else _SCORES[scores],
            scores == "binary_logits",
            None if fit is None else FITS[fit],
        )

    @classmethod
    def of_json(
        cls, text: str | bytes, settings: Mapping[str, str], place: str
    ) -> ExportedNetwork | None:
        """Return what the file inside a file says; see `of`. None for an empty one."""
        if not text:
            return None
        try:
            facts = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise SchemaError(f"expected facts of snellen export as JSON: {error}", place) from None
        return cls.of(facts, settings, place)

    def preprocessing(self, takes: Takes, place: str) -> Preprocessing:
        """Return how its images are made: bytes, or numbers from 0 to 255, which it scales itself.

        Raises
        ------
        SchemaError
            For a network of something else than images.
        """
        if takes.layout is None or not takes.height or not takes.width:
            raise SchemaError("expected a network of images as snellen export writes them", place)
        return Preprocessing(
            takes.height,
            takes.width,
            colours="L" if takes.n_channels == 1 else "RGB",
            layout=takes.layout,
            dtype=takes.dtype or "float32",
            fit=self.fit or "fill",
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know."""
        if self.fit is not None:
            return ()
        return ("the file does not say how images were fitted in training: cut, as is usual there",)
