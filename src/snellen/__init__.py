"""Snellen, the eye chart for computer-vision models: the public API on one screen.

>>> import snellen
>>> truth = snellen.Boxes.from_xyxy([[10, 10, 50, 50]], image_id=[1], label=[3])
>>> pred = snellen.Boxes.from_xyxy([[12, 10, 50, 52]], image_id=[1], label=[3], score=[0.9])
>>> result = snellen.average_precision(truth, pred)
>>> round(result.AP50, 3)
1.0

Nothing is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "AreaRange": "snellen.detection.protocols",
    "AveragePrecision": "snellen.detection.average_precision",
    "AveragePrecisionResult": "snellen.detection.average_precision_result",
    "BoundaryQuality": "snellen.segmentation.boundary",
    "BoundaryQualityResult": "snellen.segmentation.boundary",
    "Boxes": "snellen.detection.boxes",
    "CalibrationError": "snellen.classification.calibration",
    "CalibrationErrorResult": "snellen.classification.calibration",
    "Classes": "snellen.classes",
    "Classification": "snellen.classification.classification",
    "ClassificationResult": "snellen.classification.classification",
    "Clear": "snellen.tracking.metrics",
    "ConfusionMatrix": "snellen.classification.confusion_matrix",
    "ConfusionMatrixResult": "snellen.classification.confusion_matrix",
    "DetectionCalibrationResult": "snellen.detection.detection_calibration_result",
    "DetectionConfusion": "snellen.detection.detection_confusion",
    "DetectionConfusionResult": "snellen.detection.detection_confusion_result",
    "DetectionDiagnosis": "snellen.detection.diagnosis_result",
    "DetectionErrors": "snellen.detection.error_types",
    "DetectionErrorsResult": "snellen.detection.error_types_result",
    "DetectionProtocol": "snellen.detection.protocols",
    "DetectionSlices": "snellen.detection.slices_result",
    "DiagnosisThresholds": "snellen.detection.diagnosis",
    "ExplanationResult": "snellen.detection.explanation_result",
    "Hota": "snellen.tracking.metrics",
    "Identity": "snellen.tracking.metrics",
    "ImageTable": "snellen.detection.image_table",
    "JAndF": "snellen.tracking.j_and_f",
    "JAndFResult": "snellen.tracking.j_and_f_result",
    "JudgedClasses": "snellen.tracking.judged_classes",
    "LabelErrors": "snellen.detection.label_errors",
    "LabelErrorsResult": "snellen.detection.label_errors_result",
    "Labels": "snellen.classification.labels",
    "LocalizationRecallPrecision": "snellen.detection.localization_recall_precision",
    "LocalizationRecallPrecisionResult": "snellen.detection.localization_recall_precision_result",
    "Masks": "snellen.detection.masks",
    "Metric": "snellen.metric",
    "MetricSet": "snellen.metric",
    "MultilabelConfusion": "snellen.classification.multilabel_confusion",
    "MultilabelConfusionResult": "snellen.classification.multilabel_confusion",
    "OperatingPointsResult": "snellen.detection.operating_points_result",
    "OrientedBoxes": "snellen.detection.oriented",
    "PanopticQuality": "snellen.segmentation.panoptic",
    "PanopticQualityResult": "snellen.segmentation.panoptic",
    "PanopticSegments": "snellen.segmentation.panoptic_segments",
    "Poses": "snellen.detection.poses",
    "ProbabilityLoss": "snellen.classification.probability",
    "ProbabilityLossResult": "snellen.classification.probability",
    "Regression": "snellen.regression.regression",
    "RegressionResult": "snellen.regression.result",
    "RleMasks": "snellen.rle_masks",
    "Segmentation": "snellen.segmentation.segmentation",
    "SegmentationResult": "snellen.segmentation.segmentation",
    "SnellenError": "snellen.errors",
    "SurfaceDistance": "snellen.segmentation.surface_distance",
    "SurfaceDistanceResult": "snellen.segmentation.surface_distance",
    "ThresholdCurves": "snellen.classification.curves",
    "ThresholdCurvesResult": "snellen.classification.curves",
    "TopKAccuracy": "snellen.classification.top_k",
    "TopKAccuracyResult": "snellen.classification.top_k",
    "TrackMap": "snellen.tracking.track_map",
    "TrackMapResult": "snellen.tracking.track_map",
    "Tracking": "snellen.tracking.metrics",
    "TrackingProtocol": "snellen.tracking.protocols",
    "TrackingResult": "snellen.tracking.metrics",
    "Tracks": "snellen.tracking.tracks",
    "Vace": "snellen.tracking.metrics",
    "VerifiedLabels": "snellen.detection.verified_labels",
    "average_precision": "snellen.detection.average_precision",
    "boundary_quality": "snellen.segmentation.boundary",
    "box_iou": "snellen.detection.matching",
    "calibration_error": "snellen.classification.calibration",
    "compare": "snellen.statistics.comparison",
    "confusion_matrix": "snellen.classification.confusion_matrix",
    "detection_calibration": "snellen.detection.detection_calibration",
    "detection_confusion": "snellen.detection.detection_confusion",
    "detection_diagnosis": "snellen.detection.diagnosis",
    "detection_errors": "snellen.detection.error_types",
    "explain": "snellen.detection.explanation",
    "find_duplicates": "snellen.splits.leaks",
    "get_threads": "snellen.threads",
    "hold_out": "snellen.splits.hold_out",
    "image_table": "snellen.detection.image_table",
    "intervals": "snellen.statistics.bootstrap",
    "k_fold": "snellen.splits.folds",
    "label_errors": "snellen.detection.label_errors",
    "leave_one_group_out": "snellen.splits.folds",
    "localization_recall_precision": "snellen.detection.localization_recall_precision",
    "metric_from_bytes": "snellen.metric",
    "multilabel_confusion": "snellen.classification.multilabel_confusion",
    "oks": "snellen.detection.oks",
    "operating_points": "snellen.detection.operating_points",
    "oriented_iou": "snellen.detection.oriented",
    "panoptic_quality": "snellen.segmentation.panoptic",
    "probability_loss": "snellen.classification.probability",
    "read_coco_predictions": "snellen.readers.coco",
    "read_coco_truth": "snellen.readers.coco",
    "read_detection_predictions": "snellen.readers.detection_files",
    "read_detection_truth": "snellen.readers.detection_files",
    "read_labels": "snellen.readers.labels",
    "read_lvis_truth": "snellen.readers.lvis",
    "read_panoptic": "snellen.readers.panoptic",
    "read_table": "snellen.readers.table",
    "read_targets": "snellen.readers.targets",
    "read_tracking": "snellen.readers.tracking_files",
    "regression_scores": "snellen.regression.regression",
    "segmentation_scores": "snellen.segmentation.segmentation",
    "set_threads": "snellen.threads",
    "slices_of_areas": "snellen.detection.area_slices",
    "slices_of_images": "snellen.detection.slices",
    "slices_of_objects": "snellen.detection.slices",
    "surface_distance": "snellen.segmentation.surface_distance",
    "threshold_curves": "snellen.classification.curves",
    "top_k_accuracy": "snellen.classification.top_k",
    "tracking_scores": "snellen.tracking.metrics",
}

__all__ = [  # noqa: RUF022 - by subject, as one reads it
    # classification
    "Classification",
    "ClassificationResult",
    "ConfusionMatrix",
    "ConfusionMatrixResult",
    "confusion_matrix",
    "MultilabelConfusion",
    "MultilabelConfusionResult",
    "multilabel_confusion",
    "TopKAccuracy",
    "TopKAccuracyResult",
    "top_k_accuracy",
    "ThresholdCurves",
    "ThresholdCurvesResult",
    "threshold_curves",
    "ProbabilityLoss",
    "ProbabilityLossResult",
    "probability_loss",
    "CalibrationError",
    "CalibrationErrorResult",
    "calibration_error",
    "Labels",
    # detection
    "AveragePrecision",
    "AveragePrecisionResult",
    "average_precision",
    "DetectionErrors",
    "DetectionErrorsResult",
    "detection_errors",
    "ExplanationResult",
    "explain",
    "DetectionConfusion",
    "DetectionConfusionResult",
    "detection_confusion",
    "LabelErrors",
    "LabelErrorsResult",
    "label_errors",
    "LocalizationRecallPrecision",
    "LocalizationRecallPrecisionResult",
    "localization_recall_precision",
    "OperatingPointsResult",
    "operating_points",
    "DetectionCalibrationResult",
    "detection_calibration",
    "ImageTable",
    "image_table",
    "DetectionSlices",
    "slices_of_areas",
    "slices_of_images",
    "slices_of_objects",
    "DetectionDiagnosis",
    "DiagnosisThresholds",
    "detection_diagnosis",
    "Boxes",
    "box_iou",
    "Masks",
    "Poses",
    "oks",
    "OrientedBoxes",
    "oriented_iou",
    "VerifiedLabels",
    "AreaRange",
    "DetectionProtocol",
    # segmentation
    "Segmentation",
    "SegmentationResult",
    "segmentation_scores",
    "PanopticQuality",
    "PanopticQualityResult",
    "panoptic_quality",
    "PanopticSegments",
    "BoundaryQuality",
    "BoundaryQualityResult",
    "boundary_quality",
    "SurfaceDistance",
    "SurfaceDistanceResult",
    "surface_distance",
    # tracking
    "Tracks",
    "Tracking",
    "TrackingResult",
    "tracking_scores",
    "Hota",
    "Clear",
    "Identity",
    "Vace",
    "TrackMap",
    "TrackMapResult",
    "JAndF",
    "JAndFResult",
    "RleMasks",
    "JudgedClasses",
    "TrackingProtocol",
    # regression
    "Regression",
    "RegressionResult",
    "regression_scores",
    # splits
    "hold_out",
    "k_fold",
    "leave_one_group_out",
    "find_duplicates",
    # statistics
    "intervals",
    "compare",
    # files
    "read_table",
    "read_labels",
    "read_targets",
    "read_coco_truth",
    "read_coco_predictions",
    "read_lvis_truth",
    "read_detection_truth",
    "read_detection_predictions",
    "read_panoptic",
    "read_tracking",
    # every task
    "Classes",
    "Metric",
    "MetricSet",
    "metric_from_bytes",
    "SnellenError",
    "get_threads",
    "set_threads",
]

if TYPE_CHECKING:
    from snellen.classes import Classes
    from snellen.classification.calibration import (
        CalibrationError,
        CalibrationErrorResult,
        calibration_error,
    )
    from snellen.classification.classification import Classification, ClassificationResult
    from snellen.classification.confusion_matrix import (
        ConfusionMatrix,
        ConfusionMatrixResult,
        confusion_matrix,
    )
    from snellen.classification.curves import (
        ThresholdCurves,
        ThresholdCurvesResult,
        threshold_curves,
    )
    from snellen.classification.labels import Labels
    from snellen.classification.multilabel_confusion import (
        MultilabelConfusion,
        MultilabelConfusionResult,
        multilabel_confusion,
    )
    from snellen.classification.probability import (
        ProbabilityLoss,
        ProbabilityLossResult,
        probability_loss,
    )
    from snellen.classification.top_k import TopKAccuracy, TopKAccuracyResult, top_k_accuracy
    from snellen.detection.area_slices import slices_of_areas
    from snellen.detection.average_precision import AveragePrecision, average_precision
    from snellen.detection.average_precision_result import AveragePrecisionResult
    from snellen.detection.boxes import Boxes
    from snellen.detection.detection_calibration import detection_calibration
    from snellen.detection.detection_calibration_result import DetectionCalibrationResult
    from snellen.detection.detection_confusion import DetectionConfusion, detection_confusion
    from snellen.detection.detection_confusion_result import DetectionConfusionResult
    from snellen.detection.diagnosis import DiagnosisThresholds, detection_diagnosis
    from snellen.detection.diagnosis_result import DetectionDiagnosis
    from snellen.detection.error_types import DetectionErrors, detection_errors
    from snellen.detection.error_types_result import DetectionErrorsResult
    from snellen.detection.explanation import explain
    from snellen.detection.explanation_result import ExplanationResult
    from snellen.detection.image_table import ImageTable, image_table
    from snellen.detection.label_errors import LabelErrors, label_errors
    from snellen.detection.label_errors_result import LabelErrorsResult
    from snellen.detection.localization_recall_precision import (
        LocalizationRecallPrecision,
        localization_recall_precision,
    )
    from snellen.detection.localization_recall_precision_result import (
        LocalizationRecallPrecisionResult,
    )
    from snellen.detection.masks import Masks
    from snellen.detection.matching import box_iou
    from snellen.detection.oks import oks
    from snellen.detection.operating_points import operating_points
    from snellen.detection.operating_points_result import OperatingPointsResult
    from snellen.detection.oriented import OrientedBoxes, oriented_iou
    from snellen.detection.poses import Poses
    from snellen.detection.protocols import AreaRange, DetectionProtocol
    from snellen.detection.slices import slices_of_images, slices_of_objects
    from snellen.detection.slices_result import DetectionSlices
    from snellen.detection.verified_labels import VerifiedLabels
    from snellen.errors import SnellenError
    from snellen.metric import Metric, MetricSet, metric_from_bytes
    from snellen.readers.coco import read_coco_predictions, read_coco_truth
    from snellen.readers.detection_files import (
        read_detection_predictions,
        read_detection_truth,
    )
    from snellen.readers.labels import read_labels
    from snellen.readers.lvis import read_lvis_truth
    from snellen.readers.panoptic import read_panoptic
    from snellen.readers.table import read_table
    from snellen.readers.targets import read_targets
    from snellen.readers.tracking_files import read_tracking
    from snellen.regression.regression import Regression, regression_scores
    from snellen.regression.result import RegressionResult
    from snellen.rle_masks import RleMasks
    from snellen.segmentation.boundary import (
        BoundaryQuality,
        BoundaryQualityResult,
        boundary_quality,
    )
    from snellen.segmentation.panoptic import (
        PanopticQuality,
        PanopticQualityResult,
        panoptic_quality,
    )
    from snellen.segmentation.panoptic_segments import PanopticSegments
    from snellen.segmentation.segmentation import (
        Segmentation,
        SegmentationResult,
        segmentation_scores,
    )
    from snellen.segmentation.surface_distance import (
        SurfaceDistance,
        SurfaceDistanceResult,
        surface_distance,
    )
    from snellen.splits.folds import k_fold, leave_one_group_out
    from snellen.splits.hold_out import hold_out
    from snellen.splits.leaks import find_duplicates
    from snellen.statistics.bootstrap import intervals
    from snellen.statistics.comparison import compare
    from snellen.threads import get_threads, set_threads
    from snellen.tracking.j_and_f import JAndF
    from snellen.tracking.j_and_f_result import JAndFResult
    from snellen.tracking.judged_classes import JudgedClasses
    from snellen.tracking.metrics import (
        Clear,
        Hota,
        Identity,
        Tracking,
        TrackingResult,
        Vace,
        tracking_scores,
    )
    from snellen.tracking.protocols import TrackingProtocol
    from snellen.tracking.track_map import TrackMap, TrackMapResult
    from snellen.tracking.tracks import Tracks


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module snellen has no attribute {name}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
