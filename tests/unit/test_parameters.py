"""What a refused merge says of parameters that differ."""

from __future__ import annotations

from typing import Any

import pytest

from snellen.errors import MergeError
from snellen.parameters import differing, refuse_other_parameters


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ({"k": 1}, {"k": 2}, "k 2 instead of 1"),
        ({"k": None}, {"k": 0.5}, "k 0.5 instead of nothing"),
        ({"k": 0.1 + 0.2}, {"k": 0.3}, "k 0.3 instead of 0.30000000000000004"),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 1, "d": 3}}}, "a.b.d 3 instead of 2"),
        ({"k": [1, 2, 3]}, {"k": [1, 5, 4]}, "k[1] 5 instead of 2"),
        ({"k": [1, 2]}, {"k": [1]}, "k [1] instead of [1, 2]"),
        ({"k": (1.0,)}, {"k": tuple(range(10))}, "k [0, 1, 2, …] (10) instead of [1]"),
        ({"k": [["all", 0, 1]]}, {"k": [["all", 0, 2]]}, "k[0][2] 2 instead of 1"),
        # Other keys: the mapping is the value.
        ({"k": {"1": "cat"}}, {"k": {"2": "cat"}}, "k 2: cat instead of 1: cat"),
        ({"k": "a\nb"}, {"k": "c" * 99}, f"k {'c' * 59}… instead of a b"),
        ({"k": [(1, 2), (3, 4)]}, {"k": ([1, 2], [3, 5])}, "k[1][1] 5 instead of 4"),
        ({"m": "nothing"}, {}, "m nothing instead of nothing"),
        ({"k": 1, "m": 1}, {"k": 2}, "k 2 instead of 1; m nothing instead of 1"),
        (
            dict.fromkeys("abcdef", 1), dict.fromkeys("abcdef", 2),
            "a 2 instead of 1; b 2 instead of 1; c 2 instead of 1; d 2 instead of 1; and 2 more",
        ),
    ],
)  # fmt: skip
def test_what_differs(mine: dict[str, Any], theirs: dict[str, Any], said: str) -> None:
    assert differing(mine, theirs) == said
    with pytest.raises(MergeError) as refused:
        refuse_other_parameters(3, mine, theirs)
    assert str(refused.value) == f"expected the state of int with the same parameters, got {said}"
    refuse_other_parameters(3, mine, dict(mine))


def test_a_list_is_no_other_value_than_a_tuple() -> None:
    mine = {"a": (1, 2), "b": {"c": [(1, 2), "x"]}}
    theirs = {"a": [1, 2], "b": {"c": ([1, 2], "x")}}
    assert differing(mine, theirs) == ""
    refuse_other_parameters(3, mine, theirs)
    assert differing(mine | {"d": 1}, theirs | {"d": 2}) == "d 2 instead of 1"
