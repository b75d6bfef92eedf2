from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen.classes import Classes
from snellen.errors import ClassError, InputError, SchemaError
from snellen.readers.label_scheme_file import read_label_scheme
from snellen.segmentation.label_scheme import (
    SCHEMES,
    STRAY,
    VOID,
    Encoding,
    LabelScheme,
    colour_value,
    scheme_of,
)
from snellen.segmentation.recognition import doubt
from snellen.segmentation.stray_values import stray_report


class Pairs(NamedTuple):
    """Pairs of values, as `ValuePairs` has them."""

    start: Any
    truth: Any
    pred: Any
    count: Any


def pairs(*rows: tuple[int, int, int]) -> Any:
    columns = np.array(rows, np.int64).T
    return Pairs(np.array([0, len(rows)]), *columns)


def recognised(name: str, values: list[int], **others: Any) -> str:
    kind = others.pop("kind", "ids")
    found, _ = scheme_of(name).recognise(values, [10] * len(values), kind, **others)
    return found.name


# --- what values mean -----------------------------------------------------------------------------


def test_codes() -> None:
    encoding = Encoding.of("ids", {7: 0, 9: 2, 8: VOID})
    codes = encoding.codes_of(np.array([[7, 8], [9, 10]], np.uint8))
    assert codes.tolist() == [[0, VOID], [2, STRAY]]
    assert codes.dtype == np.int32
    assert encoding.codes_of([-1, 2**40]).tolist() == [STRAY, STRAY]
    assert Encoding.of("none", {}).codes_of([3]).tolist() == [STRAY]


def test_values_as_text() -> None:
    encoding = Encoding.of("ids", {-3: 0, -1: VOID, 0: 1, 1: 1, 4: 2, 255: VOID})
    assert encoding.described() == "-3, 0 to 1, 4, 255"
    assert scheme_of("cityscapes").encoding("trainIds").described() == "0 to 18, 255"


def test_encodings_are_checked() -> None:
    with pytest.raises(ClassError, match="expected values that ascend - at ids"):
        Encoding("ids", np.array([1, 1]), np.array([0, 1], np.int32))
    with pytest.raises(ClassError, match="expected a code for each value, got 1 for 2"):
        Encoding("ids", np.array([1, 2]), np.array([0], np.int32))


def test_instances_are_class_times_a_thousand() -> None:
    encoding = scheme_of("cityscapes").encoding("instanceIds")
    # person 24, car 26, caravan 29 (ignored), road 7 (never counted), a group of cars (no number)
    assert encoding.codes_of([24000, 26017, 29003, 7001, 26, 34000]).tolist() == [
        *(11, 13, VOID, STRAY, 13, STRAY)
    ]


@pytest.mark.parametrize("name", SCHEMES)
def test_built_in(name: str) -> None:
    scheme = scheme_of(name)
    assert scheme.name == name
    assert scheme is scheme_of(scheme)
    assert len(set(scheme.classes.names)) == len(scheme)
    assert scheme.has_instances.shape == (len(scheme),)
    for encoding in scheme.encodings:
        # Every class can be written, and nothing is a class that is not there.
        assert set(encoding.codes[encoding.codes >= 0].tolist()) == set(range(len(scheme)))
        assert encoding.codes.min() >= VOID
    if scheme.colours is not None and name != "ade20k":
        red, green, blue = scheme.colours.astype(np.int64).T
        values = red + 256 * green + 65536 * blue
        assert scheme.encoding("colours").codes_of(values).tolist() == list(range(len(scheme)))


def test_voc() -> None:
    scheme = scheme_of("voc")
    codes = scheme.encoding("ids").codes_of([0, 15, 20, 21, 255])
    assert codes.tolist() == [0, 15, 20, STRAY, VOID]
    # The devkit's colour map: person 192 128 128, void 224 224 192.
    values = [colour_value(192, 128, 128), colour_value(224, 224, 192), colour_value(1, 2, 3)]
    assert scheme.encoding("colours").codes_of(values).tolist() == [15, VOID, STRAY]
    assert scheme.classes.names[15] == "person"


def test_ade20k() -> None:
    scheme = scheme_of("ade20k")
    assert len(scheme) == 150
    assert scheme.classes.names[:3] == ("wall", "building", "sky")
    assert scheme.encoding("raw").codes_of([0, 1, 150, 151]).tolist() == [VOID, 0, 149, STRAY]
    assert scheme.encoding("reduced").codes_of([0, 149, 150, 255]).tolist() == [
        *(0, 149, STRAY, VOID)
    ]
    # Road and skyscraper have one colour: colours cannot be read back.
    assert scheme.colours is not None
    assert scheme.colours[6].tolist() == scheme.colours[48].tolist() == [140, 140, 140]


def test_coco_stuff() -> None:
    scheme = scheme_of("coco-stuff")
    assert len(scheme) == 171
    assert int(scheme.has_instances.sum()) == 80
    names = scheme.classes.names
    # stop sign is 13 in COCO (12, street sign, has no pixels), and the 12th class
    code = names.index("stop sign")
    assert code == 11
    assert scheme.encoding("ids").codes_of([13, 12, 0]).tolist() == [code, STRAY, VOID]
    assert scheme.encoding("pixelmaps").codes_of([12, 11, 255, 181]).tolist() == [
        *(code, STRAY, VOID, 170)
    ]
    assert scheme.encoding("trainIds").codes_of([11, 170, 171, 255]).tolist() == [
        *(code, 170, STRAY, VOID)
    ]


def test_camvid_in_eleven_and_in_thirty_one_classes() -> None:
    few, many = scheme_of("camvid"), scheme_of("camvid-32")
    assert few.encoding("ids").codes_of([0, 10, 11, 255, 12]).tolist() == [
        *(0, 10, VOID, VOID, STRAY)
    ]
    assert many.classes.names[0] == "Animal"
    assert many.encoding("ids").codes_of([30, 31]).tolist() == [VOID, 30]
    colours = many.encoding("colours").values  # every colour of the 32 is one of the 11, or void
    codes = few.encoding("colours").codes_of(colours)
    assert STRAY not in codes
    assert int((codes == VOID).sum()) == 1
    truck, sidewalk, lane = (192, 128, 192), (0, 0, 192), (128, 0, 192)
    values = [colour_value(*colour) for colour in (truck, sidewalk, lane)]
    names = [few.classes.names[k] for k in few.encoding("colours").codes_of(values)]
    assert names == ["Car", "Pavement", "Road"]


def test_scheme_of_classes() -> None:
    assert scheme_of(3).encodings[0].codes_of([0, 2, 3]).tolist() == [0, 2, STRAY]
    assert scheme_of(["a", "b"]).classes.names == ("a", "b")
    assert scheme_of({255: "object", 0: "rest"}).encodings[0].codes_of([255]).tolist() == [1]
    assert scheme_of(Classes([4, 2])).classes.keys.ids.tolist() == [2, 4]
    with pytest.raises(InputError, match=r'got "cityscape"\. Did you mean "cityscapes"\?'):
        scheme_of("cityscape")
    with pytest.raises(ClassError, match="expected at least one class, got none"):
        scheme_of(0)
    with pytest.raises(ClassError, match="expected class ids that pixels can hold"):
        scheme_of(Classes(["cat", "dog"]))
    with pytest.raises(InputError, match="expected classes: a name"):
        scheme_of(2.5)  # type: ignore[arg-type]
    # A flag is no number of classes, and no machine has pixels for so many.
    with pytest.raises(InputError, match=r"expected classes: a name, .* got True"):
        scheme_of(True)
    for n in (65_536, 2**70):
        with pytest.raises(InputError, match="expected at most 65,535 classes"):
            scheme_of(n)
    with pytest.raises(InputError, match=r'got "labelId"\. Did you mean "labelIds"\?'):
        scheme_of("cityscapes").encoding("labelId")


def test_shapes_of_a_scheme_are_checked() -> None:
    with pytest.raises(ClassError, match="expected 2 values, one a class, got 1 - at groups"):
        LabelScheme("x", Classes([0, 1]), (), groups=("a",))


# --- void and the step ----------------------------------------------------------------------------


def test_a_value_of_no_class_becomes_void_on_both_sides() -> None:
    encoding = scheme_of(["a", "b"], ignore_index=255).encodings[0]
    for pred in (False, True):
        assert encoding.codes_of([0, 1, 2, 255], pred=pred).tolist() == [0, 1, STRAY, VOID]


def test_an_ignored_class_stays_a_class_of_predictions() -> None:
    scheme = scheme_of(["background", "cell"], ignore_index=[0, 9])
    assert len(scheme) == 2
    encoding = scheme.encodings[0]
    assert encoding.codes_of([0, 1, 9]).tolist() == [VOID, 1, VOID]
    assert encoding.codes_of([0, 1, 9], pred=True).tolist() == [0, 1, VOID]
    assert len(scheme.notes) == 1
    assert "background" in scheme.notes[0]
    assert "false positives" in scheme.notes[0]
    again = scheme_of(scheme, ignore_index=1).encodings[0]
    assert again.codes_of([0, 1, 9]).tolist() == [VOID, VOID, VOID]


def test_ignore_index_is_a_value_of_each_encoding() -> None:
    scheme = scheme_of("cityscapes", ignore_index=10)
    assert scheme.encoding("trainIds").codes_of([10, 9]).tolist() == [VOID, 9]  # sky
    assert scheme.encoding("labelIds").codes_of([10, 23]).tolist() == [VOID, 10]  # rail track
    assert len(scheme.notes) == 1
    assert scheme.encoding("colours").codes_of([10]).tolist() == [STRAY]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (2**70, "expected a value that pixels can have, got 1180591620717411303424"),
        ([0, -(2**63) - 1], "a value that pixels can have, got -9223372036854775809"),
        (2**63 - 1, "a value that pixels can have"),
        (True, "expected whole numbers, got True"),
        ([1, False], "expected whole numbers, got False"),
        (np.bool_(True), "expected whole numbers, got np.True_"),
        (2.5, "expected whole numbers, got 2.5"),
        ("255", "expected whole numbers, got '2'"),
    ],
)
def test_an_ignore_index_that_is_none(given: Any, message: str) -> None:
    for reduce_zero_label in (False, True):
        with pytest.raises(InputError) as caught:
            scheme_of(2, ignore_index=given, reduce_zero_label=reduce_zero_label)
        assert message in str(caught.value)
        assert str(caught.value).endswith("- at ignore_index")


def test_reduce_zero_label_as_mmsegmentation() -> None:
    # Its loader: 0 → 255, minus 1, 254 → 255.
    stored = np.arange(256)
    wanted = np.where(stored == 0, 255, stored)
    wanted = wanted - 1
    wanted[wanted == 254] = 255
    names = [f"class {k}" for k in range(20)]
    scheme = scheme_of(names, reduce_zero_label=True)
    truth, pred = scheme.encodings
    assert (truth.name, truth.sides, pred.sides) == ("ids from 1", ("truth", "pred"), ("pred",))
    expected = np.where(wanted == 255, VOID, np.where(wanted < 20, wanted, STRAY))
    assert truth.codes_of(stored).tolist() == expected.tolist()
    assert pred.codes_of([0, 19, 20]).tolist() == [0, 19, STRAY]
    # ignore_index counts after the step.
    ignoring = scheme_of(names, ignore_index=3, reduce_zero_label=True).encodings[0]
    assert ignoring.codes_of([3, 4, 5]).tolist() == [2, VOID, 4]


def test_predictions_beside_reduced_truth() -> None:
    scheme = scheme_of(3, reduce_zero_label=True)
    truth, _ = scheme.recognise([0, 1, 3], [5, 5, 5], "ids")
    assert truth.name == "ids from 1"
    usual, note = scheme.recognise([0, 1, 2], [5, 5, 5], "ids", side="pred", truth=truth)
    assert usual.name == "ids"
    assert note == (
        "predictions are taken as ids: values up to 2 could be ids from 1 too; if so, say what "
        "predictions are"
    )
    stepped, _ = scheme.recognise([1, 2, 3], [5, 5, 5], "ids", side="pred", truth=truth)
    assert stepped.name == "ids from 1"


def test_reduce_zero_label_of_schemes_that_have_both() -> None:
    ade = scheme_of("ade20k", reduce_zero_label=True)
    raw, reduced = ade.encodings
    assert (raw.name, reduced.name, reduced.sides) == ("raw", "reduced", ("pred",))
    assert raw.codes_of([0, 1, 150, 255]).tolist() == [VOID, 0, 149, VOID]
    # 255 no longer makes truth "reduced".
    assert ade.recognise([0, 1, 255], [1, 1, 1], "ids")[0] is raw
    stuff = scheme_of("coco-stuff", reduce_zero_label=True)
    assert [each.name for each in stuff.encodings] == [
        *("ids", "pixelmaps", "trainIds from 1", "trainIds")
    ]


# --- which encoding it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "others", "expected"),
    [
        ("cityscapes", [0, 7, 18, 255], {}, "trainIds"),
        ("cityscapes", [7, 8, 21, 26], {}, "labelIds"),
        ("cityscapes", [7, 8, 11], {}, "trainIds"),
        ("cityscapes", [7, 8, 11], {"names": ["a_gtFine_labelIds.png"]}, "labelIds"),
        ("cityscapes", [0, 1, 255], {"names": ["a_gtFine_labelTrainIds.png"]}, "trainIds"),
        # A name is no proof: values decide.
        ("cityscapes", [7, 21, 33], {"names": ["a_labelTrainIds.png"]}, "labelIds"),
        # It must be the name of all.
        ("cityscapes", [7, 8], {"names": ["a_labelIds.png", "b.png"]}, "trainIds"),
        ("cityscapes", [7, 26003], {"names": ["a_gtFine_instanceIds.png"]}, "instanceIds"),
        ("cityscapes", [0], {"kind": "colours"}, "colours"),
        # None knows 99; labelIds know most.
        ("cityscapes", [7, 21, 26, 33, 99], {}, "labelIds"),
        ("ade20k", [0, 1, 149], {}, "raw"),
        ("ade20k", [0, 150], {}, "raw"),
        ("ade20k", [0, 149, 255], {}, "reduced"),
        ("coco-stuff", [0, 12, 181, 255], {}, "pixelmaps"),
        ("coco-stuff", [0, 12, 255], {}, "pixelmaps"),
        ("coco-stuff", [11, 12, 255], {}, "trainIds"),  # 12 = street sign − 1 is never in maps
        ("coco-stuff", [0, 13, 182], {}, "ids"),
        ("voc", [0, 255], {"kind": "palette"}, "ids"),
    ],
)
def test_recognised(name: str, values: list[int], others: Any, expected: str) -> None:
    assert recognised(name, values, **others) == expected


def test_values_of_no_pixel_do_not_count() -> None:
    found, _ = scheme_of("cityscapes").recognise([0, 26], [5, 0], "ids")
    assert found.name == "trainIds"


def test_notes_say_why() -> None:
    city = scheme_of("cityscapes")
    assert city.recognise([7, 33], [1, 1], "ids", side="pred")[1] == (
        "predictions are labelIds: values up to 33"
    )
    assert city.recognise([7, 8], [1, 1], "ids", ["labelIds.png"])[1] == (
        "truth is labelIds: so their files are named"
    )
    assert city.recognise([7, 33], [1, 1], "ids", ["a_trainIds.png"])[1] == (
        "truth is labelIds: values up to 33, though files are named as trainIds"
    )
    assert city.recognise([7, 33, 99], [9, 1, 1], "ids")[1] == (
        "truth is labelIds: it knows most pixels, not all"
    )
    assert city.recognise([0, 255], [1, 1], "ids")[1] == (
        "truth is taken as trainIds (0 to 18, 255), which are fewest: values up to 255 could be "
        "labelIds too; if so, say what truth is"
    )
    assert scheme_of(2).recognise([0, 1], [1, 1], "ids")[1] == ""
    assert scheme_of("ade20k").recognise([0, 3], [1, 1], "ids")[1] == (
        "truth is taken as raw: values up to 3 could be reduced too; if so, say what truth is"
    )


def test_predictions_like_truth_where_values_fit_both() -> None:
    scheme = scheme_of("ade20k")
    for name in ("raw", "reduced"):
        found, note = scheme.recognise(
            [1, 2], [1, 1], "ids", side="pred", truth=scheme.encoding(name)
        )
        assert found.name == name
        assert "as truth is" in note


def test_agreement_decides_where_values_do_not() -> None:
    scheme = scheme_of("ade20k")
    raw = scheme.encoding("raw")
    # wall is 1 in truth; predicted 0 for most of its pixels: predictions are reduced
    seen = pairs((1, 0, 80), (1, 1, 5), (2, 1, 70), (2, 2, 10), (0, 3, 50))
    found, note = scheme.recognise(
        [0, 1, 2, 3], [80, 75, 10, 50], "ids", side="pred", truth=raw, pairs=seen
    )
    assert found.name == "reduced"
    # 150 of 215 pixels as reduced, 5 + 10 as raw
    assert note == (
        "predictions are reduced: 69.8% of the pixels agree with truth so, at most 7.0% else"
    )
    # Not clear: as truth is.
    seen = pairs((1, 0, 80), (1, 1, 50))
    found, _ = scheme.recognise([0, 1], [80, 50], "ids", side="pred", truth=raw, pairs=seen)
    assert found is raw


def test_twenty_classes_are_no_label_ids() -> None:
    scheme = scheme_of("cityscapes")
    with pytest.raises(ClassError, match="got 19 as the only one that trainIds"):
        scheme.recognise([0, 3, 19], [5, 5, 5], "ids", side="pred")
    ignoring = scheme_of("cityscapes", ignore_index=19)
    assert ignoring.recognise([0, 3, 19], [5, 5, 5], "ids", side="pred")[0].name == "trainIds"


def test_instance_ids_that_no_name_announces() -> None:
    with pytest.raises(ClassError, match=r"got 26003: truth is probably instanceIds \(1000 × id"):
        scheme_of("cityscapes").recognise([7, 26003], [5, 5], "ids")


def test_colours_where_ids_are_wanted() -> None:
    red = colour_value(200, 30, 40)
    with pytest.raises(ClassError, match=r"expected ids, got colours \(such as \(200, 30, 40\)\)"):
        scheme_of(5).recognise([red], [5], "colours")
    with pytest.raises(ClassError, match="ade20k has colours of two classes"):
        scheme_of("ade20k").recognise([red], [5], "colours")
    gray = [colour_value(k, k, k) for k in (1, 2)]
    with pytest.raises(ClassError, match=r"got three equal ones \(such as \(2, 2, 2\)\)"):
        scheme_of("cityscapes").recognise(gray, [5, 5], "colours")


def test_doubt_of_predictions_one_step_off() -> None:
    two = scheme_of(3).encodings[0]
    late = pairs((1, 0, 60), (2, 1, 30), (1, 1, 10))
    said = doubt(two, two, late)
    assert said.startswith(
        "10.0% of the pixels agree, but 90.0% would if each predicted class were the one after it"
    )
    assert "the one before it" in doubt(two, two, pairs((0, 1, 60), (1, 2, 30), (1, 1, 10)))
    assert doubt(two, two, pairs((0, 0, 60), (1, 2, 30))) == ""
    assert doubt(two, two, pairs((0, 2, 60), (2, 0, 30))) == ""  # wrong, but not by a step


# --- values that are not known --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "counts", "remedy"),
    [
        ([0, 1, 3, 7], [90, 5, 2, 3], "expected ids (0 to 1), got 7 (3 pixels), 3 (2 pixels)"),
        ([0, 1, 2], [9, 5, 1], "got 2 (1 pixel): do ids begin at 1? Then see reduce_zero_label"),
        ([0, 255], [9, 5], 'give a class file with these ids, such as {"0": "background", "255"'),
        ([0, 1, 255], [9, 5, 1], "255 is often void: leave it out with ignore_index=255"),
        ([0, 257, 514], [9, 5, 1], "multiples of 257, as of 8-bit ids scaled to 16 bits"),
        ([0, 256, 512], [9, 5, 1], "multiples of 256, as of 8-bit ids that were read as 16 bits"),
        ([0, 1001, 1002], [9, 5, 1], "look like instanceIds (1000 × id + number)"),
        ([0, 1, *range(10, 22)], [9000, 900, *[5] * 12], "resized with interpolation"),
        ([0, 1, *range(10, 22)], [9000, 900, *[5] * 12], "(12 different ones)"),
    ],
)
def test_stray_report(values: list[int], counts: list[int], remedy: str) -> None:
    assert remedy in stray_report(values, counts, scheme_of(2).encodings[0])


def test_areas_of_stray_values_are_no_interpolation() -> None:
    said = stray_report([0, *range(10, 22)], [100] * 13, scheme_of(2).encodings[0])
    assert "interpolation" not in said
    assert stray_report([0, 1, 9], [5, 5, 0], scheme_of(2).encodings[0]) == ""


def test_stray_colours() -> None:
    encoding = scheme_of("voc").encoding("colours")
    said = stray_report([0, colour_value(1, 2, 3)], [9, 5], encoding)
    assert "expected colours (22 colours), got (1, 2, 3) (5 pixels)" in said
    many = [colour_value(k, 2, 3) for k in range(9)]
    assert "stored as JPEG" in stray_report([0, *many], [9000, *[5] * 9], encoding)


# --- files ----------------------------------------------------------------------------------------


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_files_of_names(tmp_path: Path) -> None:
    text = read_label_scheme(write(tmp_path, "c.txt", "sky\nroad\n"))
    assert (text.name, text.classes.names) == ("c.txt", ("sky", "road"))
    listed = read_label_scheme(write(tmp_path, "c.json", '["sky", "road"]'))
    assert listed.classes.same_as(text.classes)
    mapped = read_label_scheme(write(tmp_path, "m.json", '{"255": "object", "0": "rest"}'))
    assert mapped.encodings[0].meaning() == {0: 0, 255: 1}
    within = read_label_scheme(
        write(tmp_path, "w.json", '{"name": "x", "classes": ["sky", "road"]}')
    )
    assert within.classes.same_as(text.classes)
    assert within.name == "x"
    assert read_label_scheme("voc") is scheme_of("voc")
    ignoring = read_label_scheme(tmp_path / "c.txt", ignore_index=255, reduce_zero_label=True)
    assert ignoring.encodings[0].codes_of([0, 1, 2, 255]).tolist() == [VOID, 0, 1, VOID]


def test_files_of_objects(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "c.json",
        """[{"id": 9, "name": "car", "color": [0, 0, 9], "isthing": 1, "group": "moving"},
            {"id": 2, "name": "road", "color": [0, 9, 0], "isthing": 0, "supercategory": "flat"},
            {"id": 0, "name": "void", "color": [0, 0, 0], "ignore": true}]""",
    )
    scheme = read_label_scheme(path)
    assert scheme.classes.names == ("road", "car")
    assert scheme.groups == ("flat", "moving")
    assert scheme.has_instances.tolist() == [False, True]
    assert scheme.encoding("ids").codes_of([0, 2, 9, 1]).tolist() == [VOID, 0, 1, STRAY]
    colours = [colour_value(0, 9, 0), 0, 1]
    assert scheme.encoding("colours").codes_of(colours).tolist() == [0, VOID, STRAY]


def test_files_of_colours(tmp_path: Path) -> None:
    path = write(tmp_path, "label_colors.txt", "64 128 64\tAnimal\n0 0 0\t\tVoid\n64 192 0\tWall\n")
    scheme = read_label_scheme(path)
    assert scheme.classes.names == ("Animal", "Wall")
    assert scheme.encoding("colours").codes_of([colour_value(64, 192, 0), 0]).tolist() == [1, VOID]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '[{"id": 9, "name": "car", "color": [0, 0, 9]}]'),
        ("c.json", '{"classes": [{"id": 9, "name": "car", "color": [0, 0, 9]}]}'),
        ("colours.txt", "0 0 9 car\n"),
        ("c.txt", "car\n"),
    ],
)
def test_a_byte_order_mark_changes_nothing(tmp_path: Path, name: str, text: str) -> None:
    plain, marked = (
        read_label_scheme(write(tmp_path, name, mark + text)) for mark in ("", "\ufeff")
    )
    assert marked.classes.same_as(plain.classes)
    assert marked.classes.names == ("car",)
    assert [each.meaning() for each in marked.encodings] == [
        each.meaning() for each in plain.encodings
    ]


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("c.csv", "/m/1,cat\n/m/2,dog\n", ClassError, "pixels can hold, got texts such as /m/1"),
        ("c.json", '[{"name": "car"}]', SchemaError, "missing required field `id`"),
        ("c.json", '[{"id": 1, "color": [0, "a", 0]}]', SchemaError, "c.json $[0].color[1]"),
        ("c.json", '[{"id": 1, "color": [0, 0, 300]}]', SchemaError, "c.json $[0].color"),
        (
            *("c.json", '{"categories": [{"id": 1}, {"id": 2, "color": 3}]}', SchemaError),
            "expected a list of classes: Expected `array | null`, got `int` - at ",
        ),
        ("c.json", '{"classes": [{"id": "x"}]}', SchemaError, "c.json $.classes[0].id"),
        (
            *(
                "c.json",
                '{"classes": ["a"], "encodings": [{"name": "x", "void": [9223372036854775808]}]}',
            ),
            *(SchemaError, "values that pixels can have, got 9223372036854775808"),
        ),
        (
            "c.json",
            '{"classes": [{"id": 1, "n": "q"}], "encodings": [{"name": "x", "value": "n"}]}',
            *(SchemaError, 'expected a whole number as n of 1, got "q"'),
        ),
        ("c.json", '{"classes": ["a"], "encodings": [{}]}', SchemaError, "c.json $.encodings[0]"),
        ("c.json", '[{"id": 1}, {"id": 1}]', ClassError, "expected each class id once, got 1 2"),
        ("c.json", '[{"id": 1, "ignore": true}]', ClassError, "at least one class"),
        ("c.json", '[{"id": 1, "color": [0, 0, 300]}]', SchemaError, "a colour of 0 to 255"),
        ("c.json", '{"classes": 3}', SchemaError, "expected a list of classes"),
        ("c.json", '{"cat": "dog"}', ClassError, "ids that pixels can hold, got texts such as cat"),
        ("c.json", "[", SchemaError, "expected JSON"),
        ("c.txt", "", ClassError, "expected a list of classes, it is empty"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, text: str, error: type, message: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(error) as caught:
        read_label_scheme(path)
    assert message in str(caught.value)
    assert f"- at {path}" in str(caught.value)
    assert str(caught.value).count(" - at ") == 1


def test_no_such_file() -> None:
    with pytest.raises(InputError, match=r'or a file of classes, got neither\. Did you mean "voc"'):
        read_label_scheme("vocc")
