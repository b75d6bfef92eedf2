"""Which output of a network stands for which class; ImageNet's ids and names."""

import numpy as np
import pytest

from snellen.benchmark.class_places import placed
from snellen.benchmark.imagenet import (
    IMAGENET_IDS,
    folded,
    imagenet_index,
    imagenet_indices,
    imagenet_names,
    is_imagenet_in_order,
)
from snellen.errors import ClassError

# As keras.applications and torchvision call them: two pairs alike.
FIRST_WORDS = [name.split(" (")[0] for name in imagenet_names()]


def check(found, n_outputs):
    """Every output has a class of its own, and classes are unique."""
    assert sorted(found.places.tolist()) == list(range(n_outputs))
    assert len(set(found.classes)) == len(found.classes) == n_outputs
    assert found.places.dtype == np.int64


def test_the_classes_of_imagenet():
    assert len(IMAGENET_IDS) == len(set(IMAGENET_IDS)) == 1000
    assert list(IMAGENET_IDS) == sorted(IMAGENET_IDS)
    assert len(set(imagenet_names())) == 1000
    # Well known: a dog, a cat, the two cranes, the last.
    assert IMAGENET_IDS[207] == "n02099601"
    assert imagenet_names()[207] == "golden retriever"
    assert imagenet_names()[281] == "tabby"
    assert imagenet_names()[134] == "crane (n02012849)"
    assert imagenet_names()[517] == "crane (n03126707)"
    assert (IMAGENET_IDS[999], imagenet_names()[999]) == ("n15075141", "toilet tissue")


def test_what_names_mean():
    assert imagenet_index("n02099601") == imagenet_index("Golden_Retriever") == 207
    assert imagenet_index("tench, Tinca tinca") == imagenet_index("Tinca tinca") == 0
    assert imagenet_index("crane") is None
    assert imagenet_index("Maillot") is None
    assert imagenet_index("crane (n03126707)") == 517
    # A dog and a garment: told apart by their capital.
    assert imagenet_index("Cardigan") == 264
    assert imagenet_index("cardigan") == 474
    assert imagenet_index("CARDIGAN") is None
    # The first word of one class is a further one of another.
    assert imagenet_index("missile") == 657
    assert imagenet_index("cat") is None
    for k, name in enumerate(imagenet_names()):
        assert imagenet_index(name) == k
    assert folded("Great__white-Shark ") == "great white shark"


def test_whose_classes_data_have():
    assert imagenet_indices(["n03126707", "n01440764"]) == [517, 0]
    assert imagenet_indices([str(k) for k in range(1000)]) == list(range(1000))
    assert imagenet_indices([str(k) for k in range(10)]) is None
    assert imagenet_indices(["n01440764", "n00000001"]) is None
    assert imagenet_indices(["tench"]) is None
    assert imagenet_indices([]) is None


def test_order_is_recognised_by_half_of_the_names():
    assert is_imagenet_in_order(FIRST_WORDS)
    assert is_imagenet_in_order(IMAGENET_IDS)
    assert is_imagenet_in_order([name.replace(" ", "_").upper() for name in FIRST_WORDS])
    other_words = [f"x{k}" if k % 3 == 0 else name for k, name in enumerate(FIRST_WORDS)]
    assert is_imagenet_in_order(other_words)
    assert not is_imagenet_in_order(FIRST_WORDS[1:] + FIRST_WORDS[:1])
    assert not is_imagenet_in_order(FIRST_WORDS[:-1])
    assert not is_imagenet_in_order([f"x{k}" for k in range(1000)])


def test_an_order_of_which_a_part_is_another_is_not_the_usual_one():
    turned = FIRST_WORDS[:900] + FIRST_WORDS[:899:-1]  # 900 in their place, 100 not
    assert not is_imagenet_in_order(turned)
    unique = [name for name in imagenet_names() if "(" not in name]
    found = placed(unique, turned, 1000, "m")
    assert [turned[k] for k in np.argsort(found.places)[: len(unique)]] == unique
    # Of ids two are enough.
    ids = list(IMAGENET_IDS)
    ids[3], ids[700] = ids[700], ids[3]
    found = placed(imagenet_names(), ids, 1000, "m")
    assert [IMAGENET_IDS[k] for k in found.places.tolist()] == ids


def test_equal_names_in_another_order():
    found = placed(["a", "b", "c"], ["c", "a", "b"], 3, "m.onnx")
    assert found.places.tolist() == [2, 0, 1]
    assert found.classes == ("a", "b", "c")
    assert found.rule == "equal names"
    assert not found.assumed


def test_names_in_another_case():
    found = placed(["T-shirt/top", "Ankle boot"], ["ANKLE_BOOT", "t shirt/top"], 2, "m.onnx")
    assert found.places.tolist() == [1, 0]
    assert "blanks" in found.rule


def test_case_decides_where_it_must():
    found = placed(["cardigan", "Cardigan"], ["Cardigan", "cardigan"], 2, "m")
    assert found.places.tolist() == [1, 0]
    with pytest.raises(ClassError, match=r"and none for 1 \(CARDIGAN\)"):
        placed(["CARDIGAN", "x"], ["cardigan", "Cardigan", "x"], 3, "m")


def test_classes_that_only_the_network_knows_come_last():
    found = placed(["dog", "ant"], ["ant", "bee", "cat", "dog"], 4, "m")
    assert found.classes == ("dog", "ant", "bee", "cat")
    assert found.places.tolist() == [1, 2, 3, 0]
    check(found, 4)


def test_names_that_come_twice_are_not_matched_but_stay_apart():
    found = placed(["dog"], ["dog", "crane", "crane"], 3, "m")
    assert found.classes == ("dog", "crane", "crane (output 2)")
    with pytest.raises(ClassError, match=r"none for 1 \(crane\)"):
        placed(["crane", "dog"], ["dog", "crane", "crane"], 3, "m")


@pytest.mark.parametrize(
    "model",
    [
        None,
        FIRST_WORDS,
        [name.replace(" ", "_") for name in FIRST_WORDS],
        list(IMAGENET_IDS),
        [str(k) for k in range(1000)],
    ],
)
def test_all_of_imagenet_whatever_the_outputs_are_called(model):
    found = placed(imagenet_names(), model, 1000, "m")
    assert found.places.tolist() == list(range(1000))
    assert found.classes == imagenet_names()
    assert found.assumed == (model is None or model[0] == "0")


def test_wordnet_ids_of_a_few_classes():
    data = ["n03126707", "n01440764"]  # the machine that is a crane, the tench
    found = placed(data, FIRST_WORDS, 1000, "m")
    assert found.places[517] == 0
    assert found.places[0] == 1
    assert found.classes[:4] == ("n03126707", "n01440764", "goldfish", "great white shark")
    check(found, 1000)


def test_ids_in_an_order_of_their_own():
    ids = list(IMAGENET_IDS[::-1])
    found = placed(imagenet_names(), ids, 1000, "m")
    assert found.places.tolist() == list(range(999, -1, -1))
    more = ["n00000001", *ids]  # as of a network for ImageNet-21k
    found = placed(imagenet_names()[:5], more, 1001, "m")
    assert found.places[1000] == 0
    assert found.classes[5] == "n00000001"
    check(found, 1001)


@pytest.mark.parametrize("model", [None, ["background", *FIRST_WORDS]])
def test_a_background_in_front_of_imagenet(model):
    found = placed(imagenet_names(), model, 1001, "m")
    assert found.places.tolist() == [1000, *range(1000)]
    assert found.classes[-1] == "background"
    assert "background" in found.rule


def test_numbers_are_indices_of_outputs():
    found = placed(["0", "1", "2"], ["dress", "coat", "bag"], 3, "m")
    assert found.places.tolist() == [0, 1, 2]
    assert found.assumed
    assert found.classes == ("0", "1", "2")
    found = placed(["2", "10"], None, 11, "m")
    assert found.places[[2, 10]].tolist() == [0, 1]
    check(found, 11)
    # Named by numbers on both sides: that is no assumption.
    assert not placed(["0", "1"], ["0", "1"], 2, "m").assumed


DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.mark.parametrize(
    "names",
    [
        sorted(DIGITS),  # as programs sort folders: eight comes first
        [f"class_{k}" for k in (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)],
        [str(k) if k % 2 else f"digit {DIGITS[k]}" for k in range(9, -1, -1)],
    ],
)
def test_numbers_are_what_outputs_are_called_rather_than_where_they_are(names):
    found = placed([str(k) for k in range(10)], names, 10, "m")
    number = [next(k for k in range(10) if str(k) in name or DIGITS[k] in name) for name in names]
    assert found.places.tolist() == number
    assert not found.assumed
    # Also of some of them.
    found = placed(["0", "7"], names, 10, "m")
    assert [number[k] for k in np.argsort(found.places)[:2]] == [0, 7]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        # From 1, or with gaps: whose index would be meant?
        ([str(k) for k in range(10)], [str(k + 1) for k in range(10)]),
        ([str(k) for k in range(10)], [f"label {k + 1}" for k in range(10)]),
        (["0", "1", "2"], ["one", "two", "three"]),
        # Fewer than there are, and called otherwise: a network for digits, or one for letters?
        ([str(k) for k in range(9)], list("ABCDEFGHIJ")),
        ([str(k) for k in range(10)], FIRST_WORDS),
        ([str(k) for k in range(10)], list(IMAGENET_IDS)),
        ([str(k) for k in range(999)], FIRST_WORDS),
    ],
)
def test_numbers_that_outputs_deny_are_refused(data, names):
    with pytest.raises(ClassError):
        placed(data, names, len(names), "m")


@pytest.mark.parametrize("n_outputs", [1000, 1001])
@pytest.mark.parametrize("named", [False, True])
def test_some_numbers_are_not_imagenets(n_outputs, named):
    """MNIST is no part of ImageNet, though ten of its outputs have these indices."""
    names = [str(k) for k in range(n_outputs)] if named else None
    with pytest.raises(ClassError, match=r"what the data's numbers mean \(classes: "):
        placed([str(k) for k in range(10)], names, n_outputs, "m")


def test_the_kits_numbers_are_no_positions():
    numbers = [str(k) for k in range(1, 1001)]
    with pytest.raises(ClassError, match="its development kit's numbers"):
        placed(numbers, None, 1000, "m")
    # A thousand others that count from 1 may be what they seem.
    assert placed([str(k) for k in range(1, 11)], None, 10, "m").places.tolist() == list(range(10))


def test_numbers_that_others_sort_as_texts_are_said():
    assert "counts 0, 1, 10, 11, …" in placed([str(k) for k in range(12)], None, 12, "m").rule
    assert "counts" not in placed([str(k) for k in range(10)], None, 10, "m").rule
    assert "counts 1, 10, 2, 3" in placed([str(k) for k in range(1, 11)], None, 10, "m").rule


def test_what_folders_cannot_be_called():
    found = placed(["Ankle boot", "T-shirt-top"], ["T-shirt/top", "Ankle boot"], 2, "m")
    assert found.places.tolist() == [1, 0]
    found = placed(["caf\u00e9", "x"], ["x", "cafe\u0301"], 2, "m")
    assert found.places.tolist() == [1, 0]


def test_by_position_where_the_network_names_nothing():
    found = placed(["cat", "dog"], None, 2, "m")
    assert found.places.tolist() == [0, 1]
    assert found.assumed
    assert "position" in found.rule
    with pytest.raises(ClassError, match=r"expected 2 outputs.*\(cat, dog\), got 2, called x, y"):
        placed(["cat", "dog"], ["x", "y"], 2, "m.onnx")


@pytest.mark.parametrize(
    ("data", "model", "n_outputs", "message"),
    [
        (["cat", "dog"], None, 3, r"expected 2 outputs, one for each class .*, got 3: .* - at m$"),
        (["cat"], None, 1000, r"got 1,000 \(1,000 outputs are as a rule ImageNet's classes\)"),
        (["cat"], None, 1001, r"got 1,001 \(1,001 outputs .* behind a background\)"),
        ([str(k) for k in range(900)], None, 1001, r"expected 900 outputs.*got 1,001"),
        (["0", "7"], ["a", "b"], 2, r"got one of 2 for 1 by the numbers .*, and none for 1 \(7\)"),
        (["cat", "dog"], ["cat"], 1, r"got one of 1 for 1 by equal names, and none for 1 \(dog\)"),
        (["cat", "Dog", "eel"], ["CAT", "dog"], 2, r"for 2 by names, in any case.*\(eel\)"),
        (["cat"], ["cat", "dog"], 3, "a name for each of 3 outputs, got 2"),
        (["n01440764", "n00000001"], FIRST_WORDS, 1000, r"none for 1 \(n00000001\)"),
    ],
)
def test_outputs_that_do_not_fit(data, model, n_outputs, message):
    with pytest.raises(ClassError, match=message):
        placed(data, model, n_outputs, "m")


def test_one_output_for_two_classes_is_refused():
    # A word and the id of one class.
    with pytest.raises(ClassError, match=r"none for 2 \(tench, n01440764\)"):
        placed(["tench", "n01440764"], ["goldfish", "tench", "x"], 3, "m")
