"""LVIS' annotation files: what they say beside COCO's."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from snellen import AveragePrecision, Boxes, VerifiedLabels, average_precision, read_lvis_truth
from snellen.detection.protocols import LVIS_FIXED
from snellen.errors import ClassError, DataWarning, SchemaError

Record = dict[str, Any]


def document(*annotations: Record, **sections: Any) -> Record:
    return {
        "info": {"annotations": [1, {"ignore": 3}]},
        "images": [
            {"id": 5, "neg_category_ids": [2], "not_exhaustive_category_ids": []},
            {"id": 3, "neg_category_ids": [], "not_exhaustive_category_ids": [1]},
        ],
        "annotations": [
            {"id": k, "image_id": 5, "category_id": 1, "bbox": [k, 0, 2, 2], "area": 4, **given}
            for k, given in enumerate(annotations, 1)
        ],
        "categories": [
            {"id": 1, "name": "é", "frequency": "r"},
            {"id": 2, "name": "b", "frequency": "f"},
        ],
        **sections,
    }


def read(tmp_path: Path, content: Record, name: str = "truth.json", **options: Any) -> Boxes:
    text = json.dumps(content, ensure_ascii=False).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return read_lvis_truth(path, **options)


@pytest.mark.parametrize("name", ["truth.json", "truth.json.gz", ""])
def test_what_was_looked_for(tmp_path: Path, name: str) -> None:
    content = document({"ignore": 1}, {}, {"ignore": False}, {"ignore": True})
    truth = read(tmp_path, content, name) if name else read_lvis_truth(content)
    assert truth.groups == ("rare", "frequent")
    verified = truth.verified
    assert verified is not None
    listed = zip(
        truth.images.ids[verified.image].tolist(),
        truth.classes.keys.ids[verified.label].tolist(),
        verified.exhaustive.tolist(),
        strict=True,
    )
    assert sorted(listed) == [(3, 1, 0), (5, 2, 1)]
    assert truth.ignored is not None
    assert truth.ignored.tolist() == [1, 0, 0, 1]
    assert truth.crowd is not None
    assert not truth.crowd.any()


def test_nothing_is_ignored_where_no_record_says(tmp_path: Path) -> None:
    assert read(tmp_path, document({}, {})).ignored is None


def test_ignored_are_those_of_the_records_that_are_left(tmp_path: Path) -> None:
    content = document({"ignore": 1}, {"image_id": 9, "ignore": 1}, {}, {"ignore": 1})
    with pytest.warns(DataWarning, match="1 records of unknown images"):
        truth = read(tmp_path, content, drop_unknown=True)
    assert truth.xywh[:, 0].tolist() == [1, 3, 4]
    assert truth.ignored is not None
    assert truth.ignored.tolist() == [1, 0, 1]


@pytest.mark.parametrize("mark", ["yes", None, [1], 0.5])
def test_other_marks_are_refused(tmp_path: Path, mark: Any) -> None:
    with pytest.raises(
        SchemaError, match=r"expected 0, 1, true or false - at .*annotations\[1\]\.ignore"
    ):
        read(tmp_path, document({"ignore": 1}, {"ignore": mark}))


def test_faults_name_their_place(tmp_path: Path) -> None:
    images = [{"id": 5, "neg_category_ids": [2]}]
    with pytest.raises(SchemaError, match=r"not_exhaustive_category_ids.* - at .*\$\.images\[0\]"):
        read(tmp_path, document(images=images))
    lacking = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    assert read(tmp_path, document(categories=lacking)).groups is None
    with pytest.raises(SchemaError, match=r"expected a frequency, got none - at .*categories\[0\]"):
        read(tmp_path, document(categories=lacking), complete=True)


def test_what_was_looked_for_may_be_said_otherwise() -> None:
    """Where a file does not say it, the message names the other way."""
    image = {"id": 5, "neg_category_ids": [2]}
    document: dict[str, Any] = {"images": [image], "annotations": [], "categories": [{"id": 2}]}
    with pytest.raises(SchemaError, match=r'"not_exhaustive_category_ids"\. .*--image-labels'):
        read_lvis_truth(document)
    image["not_exhaustive_category_ids"] = []
    document["categories"][0]["frequency"] = "x"
    with pytest.raises(SchemaError, match="frequency") as fault:
        read_lvis_truth(document)
    assert "--image-labels" not in str(fault.value)


def with_groups(image: int, label: str, *groups: str) -> Boxes:
    """Return truth of one object, its classes being those of `label` alone."""
    truth = Boxes.from_xywh([[0, 0, 9, 9]], image_id=image, label=label)
    verified = VerifiedLabels.from_ids(
        image_id=[], label=[], images=truth.images, classes=truth.classes
    )
    return dataclasses.replace(truth, verified=verified, groups=groups)


def test_parts_whose_truth_does_not_know_a_class() -> None:
    # Predictions of each part have both classes, truth only one, and so the group of it alone.
    parts = []
    for image, label, group in ((1, "cat", "rare"), (2, "dog", "common")):
        pred = Boxes.from_xywh(
            [[0, 0, 9, 9]] * 2, image_id=image, label=["cat", "dog"], score=[0.9, 0.8]
        )
        parts.append((with_groups(image, label, group), pred))
    first, second = (AveragePrecision(protocol="lvis").update(*each) for each in parts)
    both = AveragePrecision(protocol="lvis").update(*parts[0]).update(*parts[1])
    assert both.groups() == ("rare", "common")
    second = AveragePrecision.from_bytes(second.to_bytes())
    assert second.merge(first).to_bytes() == both.to_bytes()
    result = both.compute()
    assert round(result.AP_rare, 9) == round(result.AP_common, 9) == 1


def test_a_class_of_two_groups_is_refused() -> None:
    metric = AveragePrecision(protocol="lvis")
    pred = Boxes.from_xywh([], image_id=[], label=[], score=[])
    metric.update(with_groups(1, "cat", "rare"), pred)
    with pytest.raises(ClassError, match='class cat in the group "rare", as before, got "common"'):
        metric.update(with_groups(2, "cat", "common"), pred)


def test_what_is_left_out_is_told_from_what_a_cap_drops() -> None:
    truth = with_groups(1, "cat", "rare")
    pred = Boxes.from_xywh(
        [[0, 0, 9, 9], [0, 0, 0, 9], [1, 0, 9, 9]],
        image_id=1,
        label=["cat", "cat", "dog"],
        score=[0.9, 0.8, 0.7],
    )
    result = average_precision(truth, pred, protocol="lvis")
    counts = {name: result.data[name] for name in ("n_unverified", "n_empty", "n_dropped_by_cap")}
    assert counts == {"n_unverified": 1, "n_empty": 1, "n_dropped_by_cap": 0}
    assert "left out     1 predictions whose box or mask is empty\n" in result.composition()
    one = dataclasses.replace(LVIS_FIXED, per_class=1)
    more = Boxes.from_xywh([[0, 0, 9, 9]] * 3, image_id=1, label="cat", score=[0.9, 0.8, 0.7])
    assert average_precision(truth, more, protocol=one).data["n_dropped_by_cap"] == 2
