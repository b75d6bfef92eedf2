"""Tables whose ids of images and classes have names beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen.errors import SchemaError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth

HEAD = "image_id,file_name,label,class_name,x,y,w,h,score\n"
ROWS = "9,b.jpg,3,dog,1,2,3,4,1\n7,a.jpg,1,cat,5,6,7,8,1\n9,b.jpg,1,cat,1,2,3,9,1\n"


def test_names_of_ids(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ROWS)
    read = read_detection_truth(path)
    assert read.boxes.images.ids.tolist() == [7, 9]
    assert read.names == ("a.jpg", "b.jpg")
    assert read.boxes.classes.keys.ids.tolist() == [1, 3]
    assert read.boxes.classes.names == ("cat", "dog")
    # Predictions by names of files and of classes.
    other = tmp_path / "b.csv"
    other.write_text("image,class,x,y,w,h,score\nb,dog,1,2,3,4,.5\n")
    pred = read_detection_predictions(other, read)
    assert pred.boxes.image.tolist() == [1]
    assert pred.boxes.label.tolist() == [1]
    # Names that are ids, and those that an option gives, have no others.
    path.write_text(HEAD + ROWS.replace("9,b", "x9,b"))
    assert read_detection_truth(path).names is None
    path.write_text(HEAD + ROWS)
    (tmp_path / "n.json").write_text('{"1": "bird", "3": "fish"}')
    named = read_detection_truth(path, classes=tmp_path / "n.json", images=[7, 9])
    assert named.boxes.classes.names == ("bird", "fish")
    assert named.names is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("b.jpg,1", "c.jpg,1", r'one name of file 9, got "b\.jpg" and "c\.jpg" - .*line 4'),
        ("cat,5", "dog,5", r'one name of class 1, got "dog" and "cat" - .*line 4'),
    ],
)
def test_two_names_of_one_id(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + ROWS.replace(old, new))
    with pytest.raises(SchemaError, match=said):
        read_detection_truth(path)
