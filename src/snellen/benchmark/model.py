"""What a pretrained network is to a benchmark, whatever library runs it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Protocol

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.preprocessing import Preprocessing

__all__ = ["Facts", "LoadOptions", "Model", "Scores"]

Scores = Literal["logits", "probabilities"]


@dataclasses.dataclass(frozen=True)
class LoadOptions:
    """What a source is told beside the name of a model.

    Attributes
    ----------
    device : str
        ``"auto"`` (a GPU where the library can use one), ``"cpu"``, ``"cuda"``, ``"cuda:1"``; of
        ONNX Runtime also ``"tensorrt"``.
    threads : int
        Of the processor, for one network.
    settings : mapping of str to str
        What stands behind the model's name: ``resize=256,crop=224``. A source takes what it knows
        and refuses the rest.
    """

    device: str = "auto"
    threads: int = 1
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a model besides its scores.

    Attributes
    ----------
    device, dtype : str
        Where it runs, and the type that it computes in.
    threads : int
        Of the processor.
    versions : mapping of str to str
        Of the libraries that run it.
    digest : str
        Of its weights, structure and file: that of a model that changed is another.
    parameters, macs, file_bytes : int or None
        Weights and biases; multiplications with additions of one image; the size of the file (or
        of the weights). None where they are not known.
    runtime : str
        What runs it, in words: ``"ONNX Runtime, CPUExecutionProvider"``.
    notes : sequence of str
        What people should know.
    """

    device: str
    dtype: str
    threads: int
    versions: Mapping[str, str]
    digest: str
    parameters: int | None = None
    macs: int | None = None
    file_bytes: int | None = None
    runtime: str = ""
    notes: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {**dataclasses.asdict(self), "notes": list(self.notes)}

    @classmethod
    def of_dict(cls, plain: Mapping[str, Any]) -> Facts:
        """Return what `to_dict` gave.

        Raises
        ------
        InputError
            For anything else.
        """
        try:
            return cls(**{**plain, "notes": tuple(plain["notes"])})
        except (KeyError, TypeError) as error:
            raise InputError(f"expected the facts of a model: {error!r}") from None


class Model(Protocol):
    """A network that is loaded and ready.

    Attributes
    ----------
    preprocessing : Preprocessing
        What it wants done to images.
    classes : sequence of str or None
        The name of each output; None where the model knows none.
    scores : {"logits", "probabilities"}
        What it gives.
    facts : Facts
        What else is known.
    """

    @property
    def preprocessing(self) -> Preprocessing: ...  # noqa: D102

    @property
    def classes(self) -> Sequence[str] | None: ...  # noqa: D102

    @property
    def scores(self) -> Scores: ...  # noqa: D102

    @property
    def facts(self) -> Facts: ...  # noqa: D102

    def resident(self, batch: NDArray[Any]) -> Any:
        """Return a batch (what `Preprocessing.batch` gives) where the network wants it.

        It is copied to the GPU where the network is there; all is done when this returns.
        """
        ...

    def run(self, resident: Any) -> Any:
        """Return the outputs of a resident batch; when this returns they have been computed."""
        ...

    def predict(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Return the scores of a batch, shape (n, K), float32 or float64, here.

        Raises
        ------
        ShapeError
            Where the network takes another shape, or gives what is no score of each class.
        """
        ...

    def close(self) -> None:
        """Give back memory and threads."""
        ...
