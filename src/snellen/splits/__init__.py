"""Splitting labelled data, the same everywhere: hold-out parts, folds, and a search for leaks."""

from __future__ import annotations

from snellen.splits.folds import k_fold, leave_one_group_out
from snellen.splits.hold_out import hold_out
from snellen.splits.manifest import Manifest, manifest_bytes, read_manifest
from snellen.splits.ratios import Ratios
from snellen.splits.split import Folds, Split
from snellen.splits.strata import Strata

__all__ = [
    "Folds",
    "Manifest",
    "Ratios",
    "Split",
    "Strata",
    "hold_out",
    "k_fold",
    "leave_one_group_out",
    "manifest_bytes",
    "read_manifest",
]
