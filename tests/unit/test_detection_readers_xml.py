"""Pascal VOC's and CVAT's XML."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen.errors import IdError, InputError, SchemaError, SnellenError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth

OBJECT = (
    "<object><name>{name}</name><truncated>1</truncated><difficult>{difficult}</difficult>"
    "<bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox>{more}</object>"
)
SIZE = "<size><width>100</width><height>50</height><depth>3</depth></size>"


def voc_object(*box: object, name: str = "cat", difficult: object = 0, more: str = "") -> str:
    return OBJECT.format(*box, name=name, difficult=difficult, more=more)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def annotation(*objects: str, size: str = SIZE) -> str:
    return f"<annotation><filename>other.jpg</filename>{size}{''.join(objects)}</annotation>"


def test_voc(tmp_path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    write(tmp_path / "Annotations/b.xml", annotation(
        voc_object(1, 2, 11, 22, difficult=1), voc_object("3.5", 4, 5, 6, name="dog", more=part)
    ))  # fmt: skip
    write(tmp_path / "Annotations/a.xml", annotation())
    for place in (tmp_path, tmp_path / "Annotations"):
        read = read_detection_truth(place)
        assert read.format == "voc-xml"
        assert read.boxes.images.ids.tolist() == ["a", "b"]
        assert read.boxes.classes.keys.ids.tolist() == ["cat", "dog"]
        assert read.boxes.image.tolist() == [1, 1]
        # As written: 11 - 1, not 11 - 1 + 1.
        assert read.boxes.xywh.tolist() == [[1, 2, 10, 20], [3.5, 4, 1.5, 2]]
        assert read.flags["difficult"].tolist() == [1, 0]
        assert read.flags["truncated"].tolist() == [1, 1]
        assert read.flags["occluded"].tolist() == [0, 0]
        assert read.sizes is not None
        assert read.sizes.tolist() == [[50, 100], [50, 100]]


def test_a_part_of_voc(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"Annotations/{name}.xml", annotation(voc_object(1, 1, 2, 2)))
    write(tmp_path / "val.txt", "c  1\na -1\n")
    read = read_detection_truth(tmp_path, images=tmp_path / "val.txt")
    assert read.boxes.images.ids.tolist() == ["a", "c"]
    assert len(read.boxes) == 2
    assert any("1 images and 1 boxes that are not of" in note for note in read.notes)


def test_a_list_of_names_that_end_in_numbers(tmp_path: Path) -> None:
    """They are no flags of a part of VOC, which all lines have."""
    for name in ("scan 0", "scan 1", "b"):
        write(tmp_path / f"Annotations/{name}.xml", annotation(voc_object(1, 1, 2, 2)))
    for text, images in (
        ("scan 1\nb\n", ["b", "scan 1"]),
        ("scan 0\n\nscan 1\nb\n", ["b", "scan 0", "scan 1"]),
    ):
        write(tmp_path / "val.txt", text)
        read = read_detection_truth(tmp_path, images=tmp_path / "val.txt")
        assert read.boxes.images.ids.tolist() == images
        assert len(read.boxes) == len(images)


def test_sizes_of_voc_may_lack(tmp_path: Path) -> None:
    zero = "<size><width>0</width><height>0</height></size>"
    for size in ("", zero):
        write(tmp_path / "a.xml", annotation(voc_object(1, 1, 2, 2), size=size))
        assert read_detection_truth(tmp_path).sizes is None


def test_predictions_in_voc_xml(tmp_path: Path) -> None:
    write(tmp_path / "t/a.xml", annotation(voc_object(1, 1, 2, 2)))
    truth = read_detection_truth(tmp_path / "t")
    scored = voc_object(1, 1, 2, 2, more="<score>0.25</score>")
    write(tmp_path / "p/a.xml", annotation(scored))
    read = read_detection_predictions(tmp_path / "p", truth)
    assert read.boxes.score is not None
    assert read.boxes.score.tolist() == [0.25]
    write(tmp_path / "p/a.xml", annotation(scored, voc_object(1, 1, 2, 2)))
    with pytest.raises(SchemaError, match=r"expected a <score> .*a\.xml object 2"):
        read_detection_predictions(tmp_path / "p", truth)


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + annotation()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (LAUGHS, SchemaError, 'got "<!DOCTYPE": remove it - at .*line 1'),
        ("\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><annotation/>", SchemaError, "line 2"),
        ("<!DOCTYPE a SYSTEM 'http://example.org/a.dtd'><annotation/>", SchemaError, "DOCTYPE"),
        (
            '<annotation xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/x"/>'
            "</annotation>",
            SchemaError,
            "xi:include",
        ),
        # In UTF-16 and in UTF-7 a declaration is other bytes.
        (LAUGHS.encode("utf-16"), SchemaError, "UTF-16"),
        (LAUGHS.encode("utf-16-le"), SchemaError, "UTF-16"),
        ('<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE', SchemaError, 'got "UTF-7"'),
        ('<?xml version="1.0" encoding="cp037"?><annotation/>', SchemaError, 'got "cp037"'),
        ("<annotation>", SchemaError, "expected XML, got: no element found"),
        ("<annotation>&nbsp;</annotation>", SchemaError, "undefined entity"),
        ("<annotation><object></annotation>", SchemaError, "mismatched tag"),
        ("<Annotations/>", SchemaError, "expected Pascal VOC annotations"),
        ("", SchemaError, "the file is empty"),
        (b"<annotation><object><name>\xff</name></object></annotation>", SchemaError, "XML"),
        (annotation(voc_object(5, 1, 2, 2)), InputError, "right and bottom of at least left"),
        (
            annotation(voc_object("nan", 1, 2, 2)),
            InputError,
            "finite number, got nan.*object 1 xmin",
        ),
        (annotation(voc_object(1, "1e999", 2, 2)), InputError, "finite number.*ymin"),
        (annotation(voc_object(1, "", 2, 2)), SchemaError, "expected a number, got nothing.*ymin"),
        (annotation(voc_object(1, "1_0", 2, 2)), SchemaError, 'got "1_0"'),
        (annotation(voc_object(1, 1, 2, 2, name="")), SchemaError, "a text in <name>"),
        (annotation(voc_object(1, 1, 2, 2, difficult=7)), SchemaError, "0 or 1.*difficult"),
        (annotation("<object><name>a</name></object>"), SchemaError, "in <bndbox>, got none"),
        (annotation("<object><name>a</name><polygon/></object>"), SchemaError, "got <polygon>"),
        (annotation(size="<size><width>-1</width></size>"), InputError, "size width"),
    ],
)
def test_bad_voc(
    tmp_path: Path, text: str | bytes, error: type[SnellenError], message: str
) -> None:
    write(tmp_path / "bad.xml", text)
    with pytest.raises(error, match=message) as raised:
        read_detection_truth(tmp_path, format="voc-xml")
    assert "bad.xml" in str(raised.value)


def test_latin_1(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + annotation(
        voc_object(1, 1, 2, 2, name="né")
    )
    write(tmp_path / "a.xml", text.encode("latin-1"))
    assert read_detection_truth(tmp_path).boxes.classes.keys.ids.tolist() == ["né"]


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><labels><label><name>car</name></label><label><name>bus</name></label></labels></task>
</meta>
<image id="0" name="x/1.jpg" width="100" height="50">{0}</image>
<image id="1" name="x/2.jpg" width="10" height="20"/>
</annotations>"""
BOX = '<box label="car" occluded="1" xtl="1" ytl="2" xbr="4" ybr="6.5"{0}>{1}</box>'


def test_cvat(tmp_path: Path) -> None:
    shapes = (
        BOX.format("", "")
        + '<polygon label="car" points="1,1;2,2;3,1"/><polygon label="bus" points="1,1;2,2;3,1"/>'
        + BOX.format(' rotation="30.5"', "")
        + BOX.format(' rotation="0.0"', "")
    )
    path = write(tmp_path / "annotations.xml", CVAT.format(shapes))
    for place in (path, tmp_path):
        read = read_detection_truth(place)
        assert read.format == "cvat"
        assert read.boxes.images.ids.tolist() == ["x/1.jpg", "x/2.jpg"]
        assert read.boxes.classes.keys.ids.tolist() == ["bus", "car"]
        assert read.boxes.xywh.tolist() == [[1, 2, 3, 4.5]] * 2
        assert read.flags["occluded"].tolist() == [1, 1]
        assert read.sizes is not None
        assert read.sizes.tolist() == [[50, 100], [20, 10]]
        assert any("left out: 2 polygon, 1 turned box" in note for note in read.notes)


def test_predictions_in_cvat(tmp_path: Path) -> None:
    truth = read_detection_truth(write(tmp_path / "t.xml", CVAT.format(BOX.format("", ""))))
    boxes = BOX.format(' score="0.5"', "") + BOX.format(
        "", '<attribute name="confidence">0.75</attribute>'
    )
    read = read_detection_predictions(write(tmp_path / "p.xml", CVAT.format(boxes)), truth)
    assert read.boxes.score is not None
    assert read.boxes.score.tolist() == [0.5, 0.75]
    with pytest.raises(SchemaError, match="expected a score of each box"):
        read_detection_predictions(tmp_path / "t.xml", truth)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (CVAT.format("<box xtl='1' ytl='1' xbr='2' ybr='2'/>"), SchemaError, "a label of each box"),
        (CVAT.format("<box label='a' xtl='1'/>"), SchemaError, 'got nothing.*"x/1.jpg" box 1 ytl'),
        (CVAT.replace("x/2", "x/1").format(""), IdError, "expected each image once"),
        (CVAT.replace('width="10"', 'width="0"').format(""), InputError, "whole number from 1"),
        ("<annotations><track/></annotations>", SchemaError, "got a video"),
        ("<annotations><image/></annotations>", SchemaError, "a name of each image"),
    ],
)
def test_bad_cvat(tmp_path: Path, text: str, error: type[SnellenError], message: str) -> None:
    with pytest.raises(error, match=message):
        read_detection_truth(write(tmp_path / "a.xml", text))
