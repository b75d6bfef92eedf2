"""Real label maps: the numbers of scikit-learn 1.9.1, torchmetrics 1.9.0, scalabel, by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Segmentation, SegmentationResult
from snellen.errors import IdError
from snellen.readers.label_counts import count_label_files
from snellen.readers.label_encodings import encodings_of
from snellen.readers.label_image import read_label_image
from snellen.readers.label_pairs import find_pairs
from snellen.segmentation.label_scheme import scheme_of

# torchmetrics counts in int64 but divides in float32: 24 bits.
FLOAT32 = 2.0**-23


def evaluated(truth: Path, pred: Path, classes: Any, **options: Any) -> SegmentationResult:
    """Return what `snellen evaluate segmentation` does."""
    scheme = scheme_of(classes, ignore_index=options.pop("ignore_index", None))
    metric = Segmentation(scheme, **options)
    files = find_pairs(truth, pred)
    counted = count_label_files(files, scheme)
    encodings = encodings_of(counted, files, scheme)
    metric.update_pairs(
        counted.pairs,
        image_id=files.image_ids,
        truth_encoding=encodings.truth,
        pred_encoding=encodings.pred,
    )
    return metric.compute()


def reference_of(folder: Path) -> dict[str, Any]:
    if not (folder / "reference.json").is_file():
        pytest.skip(f"no reference in {folder}")
    reference: dict[str, Any] = json.loads((folder / "reference.json").read_text())
    return reference


def plain(values: Any) -> list[float | None]:
    """Return numbers with None for what is undefined."""
    return [None if math.isnan(value) else value for value in values.tolist()]


def check_all_numbers(result: SegmentationResult, wanted: dict[str, Any]) -> None:
    """Compare with everything that a reference.json says of a data set."""
    k = wanted["num_classes"]
    assert result.data["n_images"] == wanted["images"]
    assert result.data["n_pixels"] - result.data["n_void"] == wanted["valid_pixels"]
    assert result.matrix[:k, :k].tolist() == wanted["confusion_matrix_rows_are_gt"]
    assert not result.matrix[:k, k].any()
    values = result.class_values()
    for name in ("iou", "dice", "recall"):
        assert plain(values[name]) == wanted[name], name
    metrics = result.metrics
    by_sklearn = wanted["sklearn"]
    assert metrics["pixel_accuracy"] == wanted["pixel_acc"] == by_sklearn["accuracy"]
    assert metrics["fwIoU"] == pytest.approx(wanted["freq_weighted_iou"], rel=1e-15, abs=0)
    assert metrics["fwIoU"] == pytest.approx(by_sklearn["jaccard_weighted"], rel=1e-15, abs=0)
    assert metrics["mIoU"] == wanted["miou_present_in_gt_or_pred"]
    assert metrics["mIoU"] == by_sklearn["jaccard_macro_seen_labels"]
    assert result.by_rule["truth-classes"] == wanted["miou_present_in_gt"]
    assert metrics["IoU_micro"] == by_sklearn["jaccard_micro"]
    assert metrics["mDice"] == pytest.approx(by_sklearn["f1_macro_seen_labels"], rel=2e-15, abs=0)
    assert metrics["mRecall"] == wanted["mean_recall_present_in_gt"]
    assert metrics["mRecall"] == by_sklearn["balanced_accuracy"]
    by_torch = wanted["torchmetrics"]
    assert metrics["mIoU"] == pytest.approx(by_torch["jaccard_macro"], rel=FLOAT32)
    assert metrics["IoU_micro"] == pytest.approx(by_torch["jaccard_micro"], rel=FLOAT32)
    assert metrics["fwIoU"] == pytest.approx(by_torch["jaccard_weighted"], rel=4 * FLOAT32)
    assert metrics["mRecall"] == pytest.approx(by_torch["accuracy_macro"], rel=FLOAT32)
    assert metrics["mDice"] == pytest.approx(by_torch["f1_macro"], rel=FLOAT32)
    # torchmetrics says 0 of what nobody has.
    assert np.nan_to_num(values["iou"]) == pytest.approx(by_torch["jaccard_none"], rel=FLOAT32)


def check_images(result: SegmentationResult, wanted: dict[str, Any]) -> None:
    found = {record["image"]: record for record in result.per_image()}
    assert len(found) == len(wanted)
    for name, record in wanted.items():
        mine = found[Path(name).stem]
        assert mine["n_pixels"] == record["valid_pixels"]
        assert mine["pixel_accuracy"] == record["pixel_acc"]
        # Of these images truth has all classes that are predicted.
        assert mine["mIoU"] == pytest.approx(record["miou_present_in_gt_or_pred"], rel=1e-15, abs=0)


def test_three_images_of_ade20k(conformance_data: Path) -> None:
    folder = conformance_data / "segmentation/ade20k_sample3"
    wanted = reference_of(folder)
    sides = folder / "annotations", folder / "predictions"
    # The reference has 0, void, as a class that truth ignores.
    result = evaluated(*sides, wanted["num_classes"], ignore_index=0)
    check_all_numbers(result, wanted)
    check_images(result, wanted["per_image"])
    # The built-in list has no class for it.
    built_in = evaluated(*sides, "ade20k")
    matrix = np.array(wanted["confusion_matrix_rows_are_gt"])
    assert built_in.matrix[:150, :150].tolist() == matrix[1:, 1:].tolist()
    assert plain(built_in.class_values()["iou"]) == wanted["iou"][1:]
    assert built_in.classes.names[:3] == ("wall", "building", "sky")
    assert built_in.metrics["pixel_accuracy"] == wanted["pixel_acc"]


@pytest.mark.parametrize("n_classes", [19, 20])
def test_a_frame_of_bdd100k_as_scalabel_has_it(conformance_data: Path, n_classes: int) -> None:
    folder = conformance_data / "segmentation/scalabel_sem_seg"
    wanted = reference_of(folder)
    maps = {path.stem.rsplit("_", 1)[1]: path for path in (folder / "maps").iterdir()}
    result = evaluated(maps["gt"], maps["pred"], n_classes, ignore_index=255)
    published = wanted["published_by_scalabel_test"]
    # What scalabel calls accuracy divides by what was predicted: it is precision.
    for name, its_name in (
        ("mIoU", "mIoU"),
        ("mPrecision", "mAcc"),
        ("fwIoU", "fIoU"),
        ("pixel_accuracy", "pAcc"),
    ):
        assert 100 * result.metrics[name] == pytest.approx(published[its_name], rel=1e-14, abs=0), (
            name
        )
    if n_classes == 20:
        check_all_numbers(result, wanted)
        (record,) = result.per_image()
        (image,) = wanted["per_image"].values()
        assert record["mIoU"] == pytest.approx(
            image["miou_present_in_gt_or_pred"], rel=1e-15, abs=0
        )
    else:
        # The reference's 20th class is what was not predicted: here it is no class of the list, and
        # in this frame nothing is of it.
        matrix = np.array(wanted["confusion_matrix_rows_are_gt"])
        assert result.matrix[:19].tolist() == matrix[:19].tolist()
        assert plain(result.class_values()["iou"]) == wanted["iou"][:19]


def test_cityscapes_classes_are_those_of_the_frame(conformance_data: Path) -> None:
    """BDD100K has the trainIds of Cityscapes: the built-in list gives the same, and groups."""
    folder = conformance_data / "segmentation/scalabel_sem_seg"
    wanted = reference_of(folder)
    maps = {path.stem.rsplit("_", 1)[1]: path for path in (folder / "maps").iterdir()}
    result = evaluated(maps["gt"], maps["pred"], "cityscapes", protocol="cityscapes")
    assert list(result.classes.names) == wanted["class_names"]
    assert plain(result.class_values()["iou"]) == wanted["iou"][:19]
    assert result.metrics["mIoU"] == pytest.approx(
        wanted["miou_present_in_gt_or_pred"], rel=1e-15, abs=0
    )
    # Flat is road and sidewalk, the first two classes.
    flat = next(record for record in result.per_group() if record["group"] == "flat")
    matrix = np.array(wanted["confusion_matrix_rows_are_gt"])
    both = matrix[:2, :2].sum()
    assert flat["iou"] == both / (matrix[:2].sum() + matrix[:, :2].sum() - both)


def test_binary_masks_of_pysodmetrics(conformance_data: Path) -> None:
    folder = conformance_data / "segmentation/pysod3"
    wanted = reference_of(folder)["per_image_plain"]
    assert len(wanted) == 3
    metric = Segmentation(["background", "object"], ignore_index=None)
    for name, record in wanted.items():
        sides = []
        for side in ("masks", "preds"):
            image = read_label_image(folder / side / name)
            assert list(image.values.shape[:2]) == record["shape"]
            # One mask is stored as RGB, of three equal channels.
            gray = image.values if image.kind == "ids" else image.values[..., 0]
            sides.append((gray >= 128).astype(np.uint8))
        own = Segmentation(["background", "object"], ignore_index=None).update(*sides).compute()
        (_, object_) = own.per_class()
        assert object_["n_truth"] == record["gt_pixels"]
        assert object_["iou"] == record["iou_at_128"]
        assert object_["dice"] == record["dice_at_128"]
        metric.update(*sides, image_id=[name])
    # Of the image without an object there is no IoU of the object, though what was found in it
    # counts for the IoU of all pixels.
    (_, object_) = metric.compute().per_class()
    ious = [record["iou_at_128"] for record in wanted.values() if record["gt_pixels"]]
    assert object_["iou_I"] == pytest.approx(sum(ious) / 2, rel=1e-15, abs=0)
    assert object_["n_images"] == 2


def test_ten_pixels_square_of_bdd100k(conformance_data: Path) -> None:
    folder = conformance_data / "segmentation/bdd100k_seg"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    result = evaluated(folder / "gt", folder / "pred", 2)
    # Six pixels are of the object; of three predicted ones two are among them.
    assert result.matrix[:2, :2].tolist() == [[93, 1], [4, 2]]
    assert result.class_values()["iou"].tolist() == [93 / 98, 2 / 7]
    assert result.mIoU == (93 / 98 + 2 / 7) / 2
    # The other folder has an image more.
    with pytest.raises(IdError, match=r"1 label image has no prediction \(b\)"):
        evaluated(folder / "gt+", folder / "pred", 2)


def test_lanes_of_bdd100k(conformance_data: Path) -> None:
    """Bits of an attribute each, as ids: 255 is no lane, which is a class here."""
    from sklearn.metrics import confusion_matrix, jaccard_score

    folder = conformance_data / "segmentation/bdd100k_lane"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    ids = [0, 3, 4, 6, 7, 255]
    result = evaluated(folder / "gts", folder / "res", {k: f"lane {k}" for k in ids})
    maps: list[Any] = [
        np.concatenate([read_label_image(path).values.ravel() for path in sorted(side.iterdir())])
        for side in (folder / "gts", folder / "res")
    ]
    assert result.data["n_images"] == 4
    assert np.array_equal(result.matrix[:6, :6], confusion_matrix(*maps, labels=ids))
    assert result.class_values()["iou"].tolist() == (
        jaccard_score(*maps, labels=ids, average=None).tolist()
    )
    assert not np.array_equal(*maps)
