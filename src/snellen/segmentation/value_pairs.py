
from typing import NamedTuple, Any
import numpy as np
from snellen import _core
class ValuePairs(NamedTuple):
    start: Any; truth: Any; pred: Any; count: Any
def count_label_maps(truth, pred, *, n_classes):
    truth=np.asarray(truth); pred=np.asarray(pred)
    if pred.dtype.kind=="f": pred=pred.argmax(-3)
    if truth.shape!=pred.shape:
        from snellen.errors import ShapeError
        raise ShapeError(f"{truth.shape} {pred.shape}")
    n = 1 if truth.ndim==2 else len(truth)
    return ValuePairs(*_core.value_pairs(np.ascontiguousarray(truth.reshape(n,-1)), np.ascontiguousarray(pred.reshape(n,-1))))
def count_value_pairs(t,p): return count_label_maps(t,p,n_classes=0)
