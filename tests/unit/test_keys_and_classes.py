from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import Classes
from snellen.errors import ClassError, IdError
from snellen.state import Keys


def keys(values: Any) -> Keys:
    return Keys(values, "image id")


def test_keys_are_distinct_and_ascend() -> None:
    assert keys([3, 1, 3, -2]).ids.tolist() == [-2, 1, 3]
    assert keys(["b", "a", "10", "9"]).ids.tolist() == ["10", "9", "a", "b"]
    assert keys([2**63 - 1, -(2**63), 2**60]).ids.tolist() == [-(2**63), 2**60, 2**63 - 1]
    assert len(keys([1, 1])) == 1
    assert not len(keys([]))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16, np.uint64])
def test_keys_of_any_whole_type(dtype: Any) -> None:
    ids = keys(np.array([3, 1], dtype)).ids
    assert ids.dtype == np.int64
    assert ids.tolist() == [1, 3]


def test_keys_of_objects_that_are_texts() -> None:
    assert keys(np.array(["b", "a"], object)).ids.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.5, 2.0], "whole numbers of 64 bits or texts, got float64"),
        ([True, False], "whole numbers of 64 bits or texts, got bool"),
        ([2**64], "whole numbers of 64 bits or texts, got"),
        (np.array([2**63], np.uint64), "whole numbers of 64 bits or texts, got uint64"),
        ([1, "a"], "all numbers or all texts, got both"),
        ([None, "a"], "whole numbers of 64 bits or texts, got object"),
        ([[1], [2]], "one axis, got an array of 2 axes"),
        (5, "one axis, got an array of 0 axes"),
        (np.array([b"a"]), "whole numbers of 64 bits or texts"),
    ],
)
def test_keys_refuse(values: Any, message: str) -> None:
    with pytest.raises(IdError) as caught:
        keys(values)
    assert message in str(caught.value)
    assert "image id" in str(caught.value)


def test_codes_are_positions() -> None:
    numbers = keys([10, 20, 2**60])
    assert numbers.codes([2**60, 10, 15, 20, -1]).tolist() == [2, 0, -1, 1, -1]
    assert numbers.codes([2**60]).dtype == np.int32
    texts = keys(["a", "bb", "ccc"])
    assert texts.codes(["ccc", "b", "bb", "", "dddd"]).tolist() == [2, -1, 1, -1, -1]
    # Ids of the other kind are unknown, not an error: the caller knows what to say.
    assert numbers.codes(["10"]).tolist() == [-1]
    assert texts.codes([1]).tolist() == [-1]
    assert keys([]).codes([1, 2]).tolist() == [-1, -1]
    assert keys([]).codes(["a"]).tolist() == [-1]
    assert numbers.codes([]).tolist() == []


def test_same_as() -> None:
    one = keys([1, 2])
    assert one.same_as(one)
    assert one.same_as(keys([2, 1, 1]))
    assert not one.same_as(keys([1, 3]))
    assert not one.same_as(keys([1]))
    assert not one.same_as(keys(["1", "2"]))
    assert keys([]).same_as(keys([]))


def test_union() -> None:
    assert Keys.union([keys([3, 1]), keys([2, 3])], "image id").ids.tolist() == [1, 2, 3]
    assert Keys.union([keys(["bb"]), keys(["a"])], "image id").ids.tolist() == ["a", "bb"]
    # No ids go with both kinds.
    assert Keys.union([keys([]), keys(["a"]), keys([])], "image id").ids.tolist() == ["a"]
    assert len(Keys.union([], "image id")) == 0
    assert len(Keys.union([keys([]), keys([])], "image id")) == 0
    with pytest.raises(
        IdError, match=r'got numbers \(such as 1\) and texts \(such as "a"\): convert one side'
    ):
        Keys.union([keys([1]), keys(["a"])], "image id")


def test_keys_repr_says_what_they_are() -> None:
    assert repr(keys([5, 4])) == "Keys(2 image ids: 4, 5)"
    assert repr(keys(range(9))) == "Keys(9 image ids: 0, 1, 2, 3, 4, …)"


def test_classes_are_ordered_by_id() -> None:
    classes = Classes([20, 10], ["dog", "cat"])
    assert classes.keys.ids.tolist() == [10, 20]
    assert classes.names == ("cat", "dog")
    assert len(classes) == 2
    assert repr(classes) == "Classes(cat, dog)"


def test_classes_without_names_show_their_ids() -> None:
    assert Classes([7, 3]).names == ("", "")
    assert Classes([7, 3], ["", "cat"]).display_names() == ["cat", "7"]


@pytest.mark.parametrize(
    ("ids", "names", "message"),
    [
        ([5, 1, 5], None, "expected each class id once, got 5 2 times"),
        (["a", "a"], None, "expected each class id once, got a 2 times"),
        ([1, 2], ["cat"], "expected 2 class names, got 1"),
    ],
)
def test_classes_refuse(ids: Any, names: Any, message: str) -> None:
    with pytest.raises(ClassError, match=message):
        Classes(ids, names)


def test_classes_of() -> None:
    classes = Classes([1], ["cat"])
    assert Classes.of(classes) is classes
    of_mapping = Classes.of({2: "dog", 1: "cat"})
    assert (of_mapping.keys.ids.tolist(), of_mapping.names) == ([1, 2], ("cat", "dog"))
    of_names = Classes.of(["cat", "dog"])
    assert (of_names.keys.ids.tolist(), of_names.names) == ([0, 1], ("cat", "dog"))
    assert len(Classes.of([])) == 0
    assert Classes.of({"x": "cat"}).keys.ids.tolist() == ["x"]


@pytest.mark.parametrize("description", ["cityscapes", b"ab", 19, None, 2.5])
def test_classes_of_what_is_no_list(description: Any) -> None:
    with pytest.raises(ClassError, match="a list of class names or a mapping of id to name, got"):
        Classes.of(description)
    assert Classes.of(name for name in "ab").names == ("a", "b")


def test_classes_same_as() -> None:
    one = Classes([1, 2], ["cat", "dog"])
    assert one.same_as(Classes([2, 1], ["dog", "cat"]))
    assert not one.same_as(Classes([1, 2], ["cat", ""]))
    assert not one.same_as(Classes([1, 3], ["cat", "dog"]))


def test_classes_union() -> None:
    union = Classes.union([Classes([3, 1], ["", "cat"]), Classes([3, 2], ["dog", ""])])
    assert union.keys.ids.tolist() == [1, 2, 3]
    assert union.names == ("cat", "", "dog")
    one = Classes([1])
    assert Classes.union([one, Classes([1])]) is one
    assert len(Classes.union([Classes([]), Classes([])])) == 0
    # In any order.
    assert Classes.union([Classes([3, 2], ["dog", ""]), Classes([3, 1], ["", "cat"])]).same_as(
        union
    )


def test_classes_union_refuses_two_names() -> None:
    with pytest.raises(
        ClassError, match='expected one name for class 1, got "cat" and "dog": do these data'
    ):
        Classes.union([Classes([1], ["cat"]), Classes([1], ["dog"])])


def test_classes_union_refuses_two_kinds_of_id() -> None:
    with pytest.raises(IdError, match="expected class ids of one kind"):
        Classes.union([Classes([1]), Classes(["1"])])


@pytest.mark.parametrize("ids", [[3, 1, 2**60], ["b", "é\U0001f600", ""], []])
def test_keys_and_classes_in_states(ids: Any) -> None:
    content: dict[str, Any] = {"first": 0}
    arrays: dict[str, Any] = {}
    keys(ids).store("ids", content, arrays)
    classes = Classes(ids, [f"n{i}" for i in ids])
    classes.store(content, arrays)
    whole = ids == [] or isinstance(ids[0], int)
    assert list(content) == ["first", *([] if whole else ["ids"]), "class_names"] + (
        [] if whole else ["class_ids"]
    )
    assert list(arrays) == (["ids", "class_ids"] if whole else [])
    assert Keys.stored("ids", "image id", content, arrays).same_as(keys(ids))
    assert Classes.stored(content, arrays).same_as(classes)
    with pytest.raises(KeyError):
        Keys.stored("others", "image id", content, arrays)


def test_keys_that_must_not_repeat() -> None:
    assert Keys.once_each([3, 1], "sample id").ids.tolist() == [1, 3]
    with pytest.raises(IdError) as caught:
        Keys.once_each([3, 1, 3, 2, 2, 2], "sample id", "sample_id")
    assert str(caught.value) == (
        "expected each sample once, got 2 more than once: 2, 3 - at sample_id"
    )
    with pytest.raises(IdError, match="each image once, got 1 more than once: a"):
        Keys.stored("ids", "image id", {"ids": ["a", "a"]}, {})
