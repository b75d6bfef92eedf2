"""The Cityscapes table equals that of cityscapesScripts."""

from __future__ import annotations

import numpy as np
import pytest

from snellen.segmentation.label_scheme import VOID, colour_value, scheme_of

labels = pytest.importorskip("cityscapesscripts.helpers.labels").labels

SCHEME = scheme_of("cityscapes")
EVALUATED = [label for label in labels if not label.ignoreInEval]


def test_classes() -> None:
    assert SCHEME.classes.names == tuple(label.name for label in EVALUATED)
    assert SCHEME.classes.keys.ids.tolist() == [label.id for label in EVALUATED]
    assert SCHEME.groups == tuple(label.category for label in EVALUATED)
    assert SCHEME.has_instances.tolist() == [label.hasInstances for label in EVALUATED]
    assert SCHEME.colours is not None
    assert SCHEME.colours.tolist() == [list(label.color) for label in EVALUATED]


@pytest.mark.parametrize("label", labels, ids=lambda label: label.name)
def test_labels(label: object) -> None:
    name, label_id, train_id, _, _, has_instances, ignored, colour = label  # type: ignore[misc]
    code = VOID if ignored else SCHEME.classes.names.index(name)
    assert SCHEME.encoding("labelIds").codes_of([label_id]).tolist() == [code]
    assert SCHEME.encoding("trainIds").codes_of([train_id]).tolist() == [code]
    assert SCHEME.encoding("instanceIds").codes_of([label_id]).tolist() == [code]
    if has_instances:
        assert SCHEME.encoding("instanceIds").codes_of([label_id * 1000 + 5]).tolist() == [code]
    # What is ignored may have the colour of a class: a group of poles, a license plate.
    sharing = [each for each in EVALUATED if each.color == colour]
    if sharing:
        code = SCHEME.classes.names.index(sharing[0].name)
    found = SCHEME.encoding("colours").codes_of([colour_value(*colour)])
    assert found.tolist() == [code]


def test_nothing_else_is_known() -> None:
    # As 8 bits −1 is 255.
    assert set(SCHEME.encoding("labelIds").values.tolist()) == {
        255,
        *(label.id for label in labels),
    }
    assert set(SCHEME.encoding("trainIds").values.tolist()) == {label.trainId for label in labels}
    assert len(SCHEME.encoding("colours").values) == len({label.color for label in labels})
    assert np.unique([label.trainId for label in EVALUATED]).tolist() == list(range(19))
