from __future__ import annotations

from pathlib import Path

import pytest

from snellen.errors import DataWarning, IdError, InputError, SchemaError
from snellen.readers.label_pairs import LabelPairs, find_pairs


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def shown(pairs: LabelPairs) -> list[tuple[str, str, str]]:
    return [
        (name, truth.name, pred.name)
        for name, truth, pred in zip(pairs.image_ids, pairs.truth, pairs.pred, strict=True)
    ]


def test_two_files(tmp_path: Path) -> None:
    touch(tmp_path, "a_gt.png", "b.npy")
    pairs = find_pairs(tmp_path / "a_gt.png", tmp_path / "b.npy")
    assert shown(pairs) == [("a", "a_gt.png", "b.npy")]
    assert pairs.rule == "two files"


def test_by_path(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "x/1.png", "y/1.png", "y/2.nii.gz", ".hidden/9.png")
    pred = touch(tmp_path / "p", "x/1.tif", "y/1.npy", "y/2.nii")
    pairs = find_pairs(truth, pred)
    assert shown(pairs) == [
        ("x/1", "1.png", "1.tif"),
        ("y/1", "1.png", "1.npy"),
        ("y/2", "2.nii.gz", "2.nii"),
    ]
    assert pairs.rule == "their path without its ending"
    assert pairs.notes == ()
    assert pairs.instance_files == (None, None, None)


def test_by_name(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "x/1.png", "y/2.png")
    pred = touch(tmp_path / "p", "1.png", "2.png")
    pairs = find_pairs(truth, pred)
    assert shown(pairs) == [("1", "1.png", "1.png"), ("2", "2.png", "2.png")]
    assert pairs.rule == "their name without its ending"


@pytest.mark.parametrize(
    ("truth", "pred", "image_id"),
    [
        (
            "f_000000_000294_gtFine_labelIds.png",
            "f_000000_000294_leftImg8bit.png",
            "f_000000_000294",
        ),
        ("f_1_gtCoarse_labelTrainIds.png", "f_1_pred.png", "f_1"),
        ("0001TP_006690_L.png", "0001TP_006690.png", "0001TP_006690"),
        ("7_mask.png", "7.npy", "7"),
        ("7.png", "7_prediction.png", "7"),
        ("gt_7.png", "pred_7.png", "7"),
        ("7-label.png", "7.seg.png", "7"),
        ("CASE_seg.nii.gz", "CASE.nii.gz", "CASE"),
    ],
)
def test_by_name_without_its_kind(tmp_path: Path, truth: str, pred: str, image_id: str) -> None:
    touch(tmp_path / "t", f"x/{truth}")
    touch(tmp_path / "p", pred)
    pairs = find_pairs(tmp_path / "t", tmp_path / "p")
    assert shown(pairs) == [(image_id, truth, pred)]
    assert pairs.rule == "their name without what says what a file is"


def test_by_path_without_its_kind(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "x/1_gt.png", "y/1_gt.png")
    pred = touch(tmp_path / "p", "x/1_pred.png", "y/1_pred.png")
    pairs = find_pairs(truth, pred)
    assert pairs.image_ids == ("x/1", "y/1")
    assert [path.parent.name for path in pairs.pred] == ["x", "y"]


def test_the_rule_that_pairs_most(tmp_path: Path) -> None:
    # One path is the same by chance; all belong together without their kind.
    truth = touch(tmp_path / "t", "1_gt.png", "2_gt.png", "3.png")
    pred = touch(tmp_path / "p", "1.png", "2.png", "3.png")
    assert find_pairs(truth, pred).image_ids == ("1", "2", "3")


def test_a_name_that_is_nothing_but_a_kind(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "a/mask.png", "b/mask.png")
    pred = touch(tmp_path / "p", "a/mask.png", "b/mask.png")
    assert find_pairs(truth, pred).image_ids == ("a/mask", "b/mask")


def test_one_of_the_kinds_of_cityscapes(tmp_path: Path) -> None:
    kinds = ("labelIds.png", "labelTrainIds.png", "instanceIds.png", "color.png", "polygons.json")
    truth = touch(tmp_path / "t", *(f"aachen/a_1_gtFine_{kind}" for kind in kinds))
    pred = touch(tmp_path / "p", "a_1_leftImg8bit.png")
    pairs = find_pairs(truth, pred)
    assert shown(pairs) == [("a_1", "a_1_gtFine_labelIds.png", "a_1_leftImg8bit.png")]
    assert pairs.instance_files == (truth / "aachen/a_1_gtFine_instanceIds.png",)
    assert pairs.notes == (
        f"{truth}: *_labelTrainIds, *_instanceIds, *_color left out where an image has *_labelIds",
        f"{truth}: 1 file of other kinds (.json)",
        "files are paired by their name without what says what a file is",
    )
    (truth / "aachen/a_1_gtFine_labelIds.png").unlink()
    assert find_pairs(truth, pred).truth[0].name == "a_1_gtFine_labelTrainIds.png"


def test_colours_beside_predictions_are_for_looking_at(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "a_1_gtFine_labelIds.png", "a_2_gtFine_labelIds.png")
    pred = touch(tmp_path / "p", "a_1.png", "a_1_color.png", "a_2_color.png")
    pairs = find_pairs(truth, pred)
    # Of a_2 there is nothing else.
    assert [path.name for path in pairs.pred] == ["a_1.png", "a_2_color.png"]
    notes = (
        f"{pred}: *_color left out where an image has another file",
        "files are paired by their path without what says what a file is",
    )
    assert pairs.notes == notes
    (truth / "a_2_gtFine_labelIds.png").unlink()
    (pred / "a_2_color.png").unlink()
    assert find_pairs(truth, pred).notes == notes


def test_label_ids_of_some_images_and_train_ids_of_others(tmp_path: Path) -> None:
    truth = touch(
        *(tmp_path / "t", "a_1_gtFine_labelIds.png", "a_1_gtFine_labelTrainIds.png"),
        "a_2_gtFine_labelTrainIds.png",
    )
    pred = touch(tmp_path / "p", "a_1.png", "a_2.png")
    with pytest.raises(SchemaError, match=r"got \*_labelIds and \*_labelTrainIds: take one kind"):
        find_pairs(truth, pred)


def test_two_files_of_one_image(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "1.png", "1.npy", "2.png")
    pred = touch(tmp_path / "p", "1.png", "2.png")
    with pytest.raises(IdError) as caught:
        find_pairs(truth, pred)
    assert str(caught.value) == (
        f"expected one file for each image, got {truth / '1.npy'} and {truth / '1.png'}, which are "
        f'both of "1": take one away, or name pairs in a text file - at {truth}'
    )


def test_files_without_partner(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", *(f"{k}.png" for k in range(9)))
    pred = touch(tmp_path / "p", "0.png", "x.png")
    with pytest.raises(IdError) as caught:
        find_pairs(truth, pred)
    assert str(caught.value) == (
        "expected one prediction for each label image, paired by their path without its ending, "
        "but 8 label images have no prediction (1, 2, 3, 4, 5, …) and 1 prediction belongs to no "
        f'label image (x): leave them out with missing="ignore" - at {truth} and {pred}'
    )
    with pytest.warns(DataWarning, match="left out: 8 label images") as caught_warnings:
        pairs = find_pairs(truth, pred, missing="ignore")
    assert len(caught_warnings) == 1
    assert shown(pairs) == [("0", "0.png", "0.png")]
    assert pairs.notes == ()  # the warning has said it


def test_no_pair(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "x/1.png")
    pred = touch(tmp_path / "p", "y/2.png")
    with pytest.raises(IdError, match="got none: truth has x/1, predictions have y/2"):
        find_pairs(truth, pred, missing="ignore")


def test_folders_without_label_images(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "1.png")
    pred = touch(tmp_path / "p", "1.jpg", "2.jpg")
    with pytest.raises(SchemaError, match="got none among 2 files: JPEG changes the values of"):
        find_pairs(truth, pred)
    with pytest.raises(SchemaError, match="got none among 0 files - at"):
        find_pairs(truth, touch(tmp_path / "e", "x/.hidden.png"))


def test_what_is_not_there(tmp_path: Path) -> None:
    truth = touch(tmp_path / "t", "1.png")
    with pytest.raises(InputError, match="expected a file or a folder, there is none - at"):
        find_pairs(truth, tmp_path / "p")
    with pytest.raises(InputError, match="expected two files or two folders, got the file"):
        find_pairs(truth, truth / "1.png")
    with pytest.raises(InputError, match='expected missing="error" or "ignore", got "drop"'):
        find_pairs(truth, truth, missing="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize("sign", ["\t", ",", " , "])
def test_a_list_of_pairs(tmp_path: Path, sign: str) -> None:
    touch(tmp_path, "t/1.png", "p/a.png", "t/2.png", "p/b.npy")
    path = tmp_path / "pairs.txt"
    path.write_text(f"t/1.png{sign}p/a.png\n\nt/2.png{sign}p/b.npy\n")
    pairs = find_pairs(path)
    assert shown(pairs) == [("t/1", "1.png", "a.png"), ("t/2", "2.png", "b.npy")]
    assert pairs.rule == f"the list {path}"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("t/1.png\n", SchemaError, 'a tab or comma, and prediction, got "t/1.png" - at'),
        ("t/1.png,p/9.png\n", InputError, "expected a file, there is no p/9.png - at"),
        ("t/1.png,t/1.png\nt/1.png,t/1.png", IdError, "each file of truth once, got t/1.png again"),
        ("\n", SchemaError, "expected pairs of files, got none"),
    ],
)
def test_bad_lists(tmp_path: Path, text: str, error: type[Exception], message: str) -> None:
    touch(tmp_path, "t/1.png")
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    with pytest.raises(error) as caught:
        find_pairs(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match="expected a text of pairs of files"):
        find_pairs(tmp_path / "x.txt")
    with pytest.raises(InputError, match="expected a prediction beside a label image, got none"):
        find_pairs(tmp_path / "x.png")
    with pytest.raises(InputError, match="expected predictions beside a folder of label images"):
        find_pairs(tmp_path)
    with pytest.raises(InputError, match="expected a text of pairs of files, got: No such file"):
        find_pairs(tmp_path / "none.txt")
