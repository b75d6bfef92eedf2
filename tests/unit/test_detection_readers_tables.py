"""Tables of boxes: Open Images and plain ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen.errors import ClassError, InputError, SchemaError, ShapeError, SnellenError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth

HEAD = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_open_images(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        HEAD + "a1,x,/m/01,1,0.25,0.75,0.5,1,0,-1,1\nb2,x,/m/02,1,0,1,0,0.5,1,0,0\n",
    )
    read = read_detection_truth(path)
    assert read.format == "open-images"
    assert read.relative
    assert read.boxes.xywh.tolist() == [[0.25, 0.5, 0.5, 0.5], [0, 0, 1, 0.5]]
    assert read.boxes.classes.keys.ids.tolist() == ["/m/01", "/m/02"]
    assert read.flags["group_of"].tolist() == [1, 0]
    assert read.flags["truncated"].tolist() == [0, 0]
    assert read.flags["occluded"].tolist() == [0, 1]
    assert read.boxes.crowd is not None
    assert read.boxes.crowd.tolist() == [1, 0]
    assert any("1 boxes of groups are crowds" in note for note in read.notes)
    sized = read_detection_truth(path, images={"a1": (10, 20), "b2": (100, 200), "c3": (1, 1)})
    assert sized.boxes.xywh.tolist() == [[5, 5, 10, 5], [0, 0, 200, 50]]
    assert len(sized.boxes.images) == 3
    pred = write(tmp_path / "p.csv", "ImageID,LabelName,Score,XMin,XMax,YMin,YMax\n"
                                     "b2,/m/02,0.5,0,0.5,0,0.5\n")  # fmt: skip
    for truth, want in ((read, [[0, 0, 0.5, 0.5]]), (sized, [[0, 0, 100, 50]])):
        found = read_detection_predictions(pred, truth)
        assert found.boxes.xywh.tolist() == want
        assert found.boxes.image.tolist() == [1]


def test_decimal_commas(tmp_path: Path) -> None:
    row = 'a,x,cat,,"0,25","0,75","0,5",1,,,\n'
    read = read_detection_truth(write(tmp_path / "t.csv", HEAD + row))
    assert read.boxes.xywh.tolist() == [[0.25, 0.5, 0.5, 0.5]]


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("a,x,cat,,0.5,0.25,0,1,,,\n", InputError, "right and bottom of at least left.*line 2"),
        ("a,x,cat,,nan,0.25,0,1,,,\n", InputError, "expected a finite XMin.*line 2"),
        ("a,x,cat,,x,0.25,0,1,,,\n", SchemaError, 'expected a number as XMin, got "x".*line 2'),
        ("a,x,cat,,5,25,0,1,,,\n", InputError, "parts of the image's size.*line 2"),
        ("a,x,cat,,0,1,0,1,2,,\n", SchemaError, "0, 1 or -1 as IsOccluded.*line 2"),
        ("a,x,cat,,0,1,0,1\n", SchemaError, "line 2"),
        (",x,cat,,0,1,0,1,,,\n", SchemaError, 'name in column "ImageID".*line 2'),
    ],
)
def test_bad_open_images(tmp_path: Path, row: str, error: type[SnellenError], message: str) -> None:
    with pytest.raises(error, match=message):
        read_detection_truth(write(tmp_path / "t.csv", HEAD + row))


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("xmin,ymin,xmax,ymax", "1,2,4,8"),
        ("x1,y1,x2,y2", "1,2,4,8"),
        ("Left,Top,Right,Bottom", "1,2,4,8"),
        ("x,y,w,h", "1,2,3,6"),
        ("left,top,width,height", "1,2,3,6"),
        ("xmin,ymin,w,h", "1,2,3,6"),
        ("cx,cy,w,h", "2.5,5,3,6"),
        ("x_center,y_center,width,height", "2.5,5,3,6"),
    ],
)
def test_the_names_of_columns_say_the_layout(tmp_path: Path, columns: str, row: str) -> None:
    path = write(tmp_path / "t.csv", f"image,class,{columns}\na.jpg,cat,{row}\n")
    read = read_detection_truth(path)
    assert read.format == "table"
    assert read.boxes.xywh.tolist() == [[1, 2, 3, 6]]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("left,top,w,h", "1,2,3,6"),
        ("xmin,ymin,w,h", "1,2,3,6"),
        ("x,y,w,h", "1,2,3,6"),
        ("cx,cy,w,h", "2.5,5,3,6"),
    ],
)
def test_width_and_height_of_the_image_beside_those_of_boxes(
    tmp_path: Path, columns: str, row: str
) -> None:
    path = write(tmp_path / "t.csv", f"image,class,{columns},width,height\na,cat,{row},20,10\n")
    read = read_detection_truth(path)
    assert read.boxes.xywh.tolist() == [[1, 2, 3, 6]]
    assert read.sizes is not None
    assert read.sizes.tolist() == [[10, 20]]


def test_more_columns(tmp_path: Path) -> None:
    # As TensorFlow's tutorials have it: the image's width and height stand beside.
    path = write(
        tmp_path / "t.csv",
        "filename,width,height,class,xmin,ymin,xmax,ymax,area,iscrowd,difficult\n"
        "b.jpg,200,100,cat,1,2,4,8,9,0,1\na.jpg,20,10,dog,0,0,1,1,1,1,0\n",
    )
    read = read_detection_truth(path)
    assert read.sizes is not None
    assert read.sizes.tolist() == [[10, 20], [100, 200]]
    assert read.boxes.images.ids.tolist() == ["a.jpg", "b.jpg"]
    assert read.boxes.image.tolist() == [1, 0]
    assert read.boxes.area is not None
    assert read.boxes.area.tolist() == [9, 1]
    assert read.boxes.crowd is not None
    assert read.boxes.crowd.tolist() == [0, 1]
    assert read.flags["difficult"].tolist() == [1, 0]
    pred = write(
        tmp_path / "p.tsv", "image\tlabel\tscore\tcx\tcy\tw\th\na\tcat\t0.5\t.5\t.5\t.5\t.5\n"
    )
    found = read_detection_predictions(pred, read)
    # Parts of 20 x 10.
    assert found.boxes.xywh.tolist() == [[5, 2.5, 10, 5]]
    assert any("without the ending" in note for note in found.notes)


def test_other_tables(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    columns = {"image_id": [3, 5], "category_id": [1, 2], "x": [1.0, 2], "y": [1.0, 2],
               "w": [3.0, 4], "h": [5.0, 6]}  # fmt: skip
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    read = read_detection_truth(tmp_path / "t.parquet", classes={1: "cat", 2: "dog", 3: "cow"})
    assert read.boxes.images.ids.tolist() == [3, 5]
    assert read.boxes.classes.names == ("cat", "dog", "cow")
    assert read.boxes.xywh.tolist() == [[1, 1, 3, 5], [2, 2, 4, 6]]
    rows = write(tmp_path / "p.jsonl",
                 '{"image_id": 5, "class": "dog", "score": 0.5, "bbox": [9, 9, 2, 2]}')  # fmt: skip
    found = read_detection_predictions(rows, read)
    assert found.boxes.xywh.tolist() == [[9, 9, 2, 2]]
    assert found.boxes.label.tolist() == [1]


TABLE = "image,class,xmin,ymin,xmax,ymax\n"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (TABLE + "a,cat,4,2,1,8\n", InputError, "right and bottom of at least left.*line 2"),
        (TABLE + "a,cat,1,2,nan,8\n", InputError, 'finite number, got nan.*line 2 column "xmax"'),
        (TABLE + "a,cat,1,2,x,8\n", SchemaError, 'expected numbers in column "xmax", got "x"'),
        (TABLE + "a,cat,1,2,3\n", SchemaError, "line 2"),
        (TABLE + "a,,1,2,3,4\nb,cat,1,2,3,4\n", SchemaError, 'name in column "class".*line 2'),
        (TABLE, InputError, "expected truth, there are no images"),
        ("image,class,q\na,cat,4\n", SchemaError, "expected columns of boxes"),
        ("class,x,y,w,h\ncat,1,2,3,4\n", SchemaError, "expected a column of images"),
        ("image,x,y,w,h\na,1,2,3,4\n", SchemaError, "expected a column of classes"),
        ("image,class,x,y,w,h,crowd\na,b,1,2,3,4,5\n", SchemaError, '0 or 1 in column "crowd"'),
        ("image,class,x,y,w,h,area\na,b,1,2,3,4,-5\n", InputError, "areas of at least 0, got -5"),
        (
            "image,class,x1,y1,x2,y2,height,width\na,b,1,2,3,4,5,6\na,b,1,2,3,4,5,7\n",
            ShapeError,
            "expected one size of each image.*line 3",
        ),
        ("image,class,x,y,w,h\n".encode("utf-16"), SchemaError, "UTF-8|NUL"),
    ],
)
def test_bad_tables(
    tmp_path: Path, text: str | bytes, error: type[SnellenError], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_detection_truth(write(tmp_path / "t.csv", text), format="table")


def test_predictions_need_scores_and_known_classes(tmp_path: Path) -> None:
    truth = read_detection_truth(write(tmp_path / "t.csv", TABLE + "a,cat,1,2,3,4\n"))
    with pytest.raises(SchemaError, match="expected a column of scores"):
        read_detection_predictions(tmp_path / "t.csv", truth)
    none = write(tmp_path / "n.csv", "image,class,score,xmin,ymin,xmax,ymax\n")
    assert len(read_detection_predictions(none, truth).boxes) == 0
    none = write(tmp_path / "o.csv", "ImageID,LabelName,Score,XMin,XMax,YMin,YMax\n")
    assert len(read_detection_predictions(none, truth).boxes) == 0
    scored = write(tmp_path / "p.csv", "image,class,score,xmin,ymin,xmax,ymax\na,cow,0.5,1,2,3,4\n")
    with pytest.raises(ClassError, match=r'got "cow".*p\.csv line 2'):
        read_detection_predictions(scored, truth)
    with pytest.raises(ClassError, match='got "cat"'):
        read_detection_truth(tmp_path / "t.csv", classes=["dog"])


def test_rows_and_records(tmp_path: Path) -> None:
    truth = read_detection_truth(
        {
            "images": [{"id": 1, "width": "wide", "height": 3, "file_name": 4}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4],
                             "area": 12, "iscrowd": 0}],
            "categories": [{"id": 2, "name": "cat"}],
        }
    )  # fmt: skip
    assert truth.format == "records"
    assert truth.sizes is None
    rows = np.array([[1, 1, 2, 3, 4, 0.5, 2]])
    np.save(tmp_path / "rows.npy", rows)
    records = [{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}]
    for source, written in ((rows, "rows"), (records, "records"), (tmp_path / "rows.npy", "coco")):
        found = read_detection_predictions(source, truth)
        assert found.format == written
        assert found.boxes.xywh.tolist() == [[1, 2, 3, 4]]


def test_images_that_a_table_does_not_mention(tmp_path: Path) -> None:
    """An image without objects is in no table: predictions there say what lists it."""
    header = "image,class,x1,y1,x2,y2{}\n"
    truth, pred = tmp_path / "t.csv", tmp_path / "p.csv"
    truth.write_text(header.format("") + "a,cat,1,2,30,40\n")
    pred.write_text(header.format(",score") + "b,cat,1,2,30,40,0.5\n")
    with pytest.raises(SnellenError, match=r"where images \(--images\) lists them"):
        read_detection_predictions(pred, read_detection_truth(truth))
    read = read_detection_truth(truth, images=["a", "b"])
    assert len(read_detection_predictions(pred, read).boxes) == 1
    listed = tmp_path / "t.json"
    listed.write_text(
        '{"images": [{"id": 1, "file_name": "a"}], "annotations": [], '
        '"categories": [{"id": 1, "name": "cat"}]}'
    )
    with pytest.raises(SnellenError, match="drop-unknown") as fault:
        read_detection_predictions(pred, read_detection_truth(listed))
    assert "--images" not in str(fault.value)
