"""The overlaps of an evaluation, each made when it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snellen.compat.pycocotools.evaluation import Evaluation

__all__ = ["Overlaps"]


class Overlaps(dict[Any, Any]):
    """The overlaps of (image, category).

    A dict, as others ask whether it is one. What is asked of it beside its keys, its length and
    single values makes all of them first.

    Parameters
    ----------
    overlaps : mapping, optional
        All of them; `of` gives those of an evaluation.
    """

    _evaluation: Evaluation | None = None
    _image: dict[Any, int]
    _label: dict[Any, int]

    @classmethod
    def of(cls, evaluation: Evaluation) -> Overlaps:
        """Return the overlaps of an evaluation."""
        overlaps = cls()
        overlaps._evaluation = evaluation
        overlaps._image = {each: i for i, each in enumerate(evaluation.rules.images)}
        overlaps._label = {each: k for k, each in enumerate(evaluation.rules.categories)}
        return overlaps

    def _is_evaluated(self, key: Any) -> bool:
        return (
            self._evaluation is not None
            and isinstance(key, tuple)
            and len(key) == 2
            and key[0] in self._image
            and key[1] in self._label
        )

    def __missing__(self, key: Any) -> Any:
        if self._evaluation is None or not self._is_evaluated(key):
            raise KeyError(key)
        value = self._evaluation.overlap(self._image[key[0]], self._label[key[1]])
        super().__setitem__(key, value)
        return value

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the overlap of an image and a category, or a default."""
        return self[key] if key in self else default  # noqa: SIM401  # which is this method

    def __contains__(self, key: Any) -> bool:
        return self._is_evaluated(key) or super().__contains__(key)

    def __iter__(self) -> Iterator[Any]:
        if self._evaluation is None:
            yield from super().__iter__()
            return
        for image in self._image:
            for category in self._label:
                yield image, category

    def __len__(self) -> int:
        if self._evaluation is None:
            return super().__len__()
        return len(self._image) * len(self._label)

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self._is_evaluated(key):
            self.fill()
        super().__setitem__(key, value)

    def __repr__(self) -> str:
        if self._evaluation is None:
            return super().__repr__()
        return f"<overlaps of {len(self)} cells, each made when it is looked at>"

    def __reduce__(self) -> Any:
        return dict, (dict(self.fill().items()),)

    def fill(self) -> Overlaps:
        """Make all overlaps, in their order: from now on this is a dict like others."""
        if self._evaluation is not None:
            values = {key: self[key] for key in self}
            self._evaluation = None
            super().clear()
            super().update(values)
        return self


def _filled(name: str) -> Any:
    whole = getattr(dict, name)

    def method(self: Overlaps, *arguments: Any, **named: Any) -> Any:
        return whole(self.fill(), *arguments, **named)

    method.__name__ = name
    method.__doc__ = whole.__doc__
    return method


for _name in (
    *("keys", "values", "items", "pop", "popitem", "setdefault", "update", "clear", "copy"),
    *("__delitem__", "__eq__", "__ne__", "__or__", "__ror__", "__ior__", "__reversed__"),
):
    setattr(Overlaps, _name, _filled(_name))
del _name
