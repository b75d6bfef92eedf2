"""Kernels of Snellen: columns in, columns out."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, overload

import numpy
from numpy.typing import NDArray


build_description: str = 'C++20, gcc 12.2.0, x86-64, release'

def thread_count() -> int:
    """Number of threads that kernels use."""

def set_threads_aside(n_threads: int) -> None:
    """
    Let kernels use so many threads less, one at least: something else goes on beside them.
    """

def set_thread_count(n_threads: int) -> None:
    """
    Set the number of threads; 0 goes back to one for each available processor.
    """

def return_large_blocks() -> None:
    """
    From now on large blocks of memory go back to the system as soon as they are freed; for the whole process.
    """

def assign(cost: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    The column given to each row so that the sum of costs is least, -1 for none; among equal sums the choice of scipy.optimize.linear_sum_assignment.
    """

def matched_preds(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_pred: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], similarity: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], threshold: float) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    The truth row that each row of predictions is matched to, -1 for none: in each frame the largest sum of the similarities that reach the threshold.
    """

class TrackPairs:
    """
    Tracks of one sequence, frame by frame, and their pairs; what is computed of them may run in several threads at once.
    """

    def __init__(self, truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_track: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_track: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_truth_tracks: int, n_pred_tracks: int, pair_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_pred: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], similarity: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None: ...

    def hota(self, alphas: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], blocked: bool) -> dict[str, Any]:
        """
        For each alpha: matches (tp), their similarities (loc), and the sums over cells that AssA, AssRe and AssPr are quotients of. blocked: as NumPy before 2.3 added them up.
        """

    def clear(self, threshold: float) -> dict[str, Any]:
        """
        Matches by truth row, switches, transfers by row of predictions, the sum of similarities, and counts by truth track.
        """

    def identity(self, threshold: float) -> dict[str, Any]:
        """IDTP, and the track that each truth track is matched to, -1 for none."""

    def vace(self, threshold: float) -> dict[str, Any]:
        """STDA, FDA, and the number of frames with objects."""

class CocoTruth:
    """Columns of a COCO annotation file."""

    def image_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def image_size(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
        """
        Of masks: height and width of each image, -1 where the file does not say.
        """

    def crowd_index(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
        """
        Of keypoints: crowdIndex of each image, NaN where the file does not say.
        """

    def category_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def category_name(self) -> list[str]: ...

    def box_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def box_has_id(self) -> Annotated[NDArray[numpy.uint8], dict(order='C')]: ...

    def box_image_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def box_category_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def xywh(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

    def area(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

    def crowd(self) -> Annotated[NDArray[numpy.uint8], dict(order='C')]: ...

    def ignored(self) -> Annotated[NDArray[numpy.uint8], dict(order='C')]:
        """
        Of boxes and masks: 0, 1; 2 where absent, 3 what is neither a truth value nor whole.
        """

    def annotations_at(self) -> tuple[int, int]:
        """
        Where the list of annotations stands: its first byte, and the one behind it.
        """

    @property
    def unusual(self) -> bool:
        """Whether an id is written as 1.0, or a crowd's mark is neither 0 nor 1."""

    def shapes(self) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')]]:
        """
        Of masks: form (0 absent, 1 empty, 2 polygons, 3 runs), polygons left out (1; 3: the first), vertices, begins of polygons, begins of objects, runs, offsets, sizes.
        """

    def keypoints(self) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
        """
        Of keypoints: x, y and visibility of each, their number in each object, num_keypoints; -1 where absent.
        """

    def fault(self) -> tuple[str, str, int, int] | None: ...

class CocoResults:
    """Columns of a COCO results file."""

    def image_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def category_id(self) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], list[str] | None]: ...

    def xywh(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

    def score(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

    @property
    def unusual(self) -> bool:
        """Whether an id is written as 1.0, or a score as 1."""

    def shapes(self) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')]]:
        """
        Of masks: form (0 absent, 1 empty, 2 polygons, 3 runs), polygons left out (1; 3: the first), vertices, begins of polygons, begins of objects, runs, offsets, sizes.
        """

    def keypoints(self) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
        """
        Of keypoints: x, y and visibility of each, their number in each object, num_keypoints; -1 where absent.
        """

    def fault(self) -> tuple[str, str, int, int] | None: ...

def read_coco_truth_file(path: str, kind: str = 'box') -> CocoTruth:
    """Read a COCO annotation file."""

def read_coco_results_file(path: str, kind: str = 'box') -> CocoResults:
    """Read a COCO results file."""

def read_coco_truth(document: bytes, kind: str = 'box') -> CocoTruth:
    """Read a COCO annotation document held in memory."""

def read_coco_results(document: bytes, kind: str = 'box') -> CocoResults:
    """Read a COCO results document held in memory."""

def read_records(records: list[Any], image_codes: dict[Any, int], label_codes: dict[Any, int], *, truth: bool, crowds: bool, boxes: bool, masks: bool, n_points: int | None) -> dict[str, Any] | None:
    """
    Columns of annotations or results; None where one is out of the ordinary.
    """

def index_records(records: list[Any], by_id: dict[Any, Any], of_image: dict[Any, Any], of_category: dict[Any, Any] | None) -> bool:
    """
    Fill dicts of annotations by id, lists of them by image, of images by category; False, and nothing done, where one is no plain dict.
    """

def complete_boxes(records: list[Any], *, crowds: bool) -> bool:
    """
    Give results the polygon, area, id and, with `crowds`, iscrowd of their boxes; False where one is no plain dict or, without, a box no list of four.
    """

def compress_masks(records: list[Any], images: dict[Any, Any], compress: Callable[[Any], Any]) -> bool:
    """
    Put compressed masks in the place of polygons, and what `compress` gives for a record in the place of lists of runs; False, and nothing done, where one is out of the ordinary.
    """

def lookup(ids: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], known: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int32], dict(order='C')], int]:
    """
    Positions (int32) of ids in the ascending array known, -1 where absent, and how many are.
    """

def group_rows(image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_images: int, n_labels: int) -> Annotated[NDArray[numpy.uint32], dict(order='C')]:
    """The place (uint32) of each row in stable (label, image) order."""

def first_unmeasurable(xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> int:
    """
    Row of the first box whose corners or area leave float64's range; the number of rows where none does.
    """

def box_iou(pred: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """
    IoU of every pred box with every truth box (x, y, width, height), as (n_pred, n_truth).
    """

def box_candidates(truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, n_images: int, n_labels: int, lowest: float, across_labels: bool, pred_score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, max_detections: int | None = None) -> dict[str, Any]:
    """
    The pairs of boxes of an image, and of a label where not across labels, whose IoU is at least `lowest`: begin, truth, similarity, by row of pred.
    """

def mask_candidates(truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, n_images: int, n_labels: int, lowest: float, across_labels: bool, pred_score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, max_detections: int | None = None, truth_area: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, truth_box: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None = None, pred_area: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, pred_box: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None = None) -> dict[str, Any]:
    """
    The pairs of masks of an image, and of a label where not across labels, whose IoU is at least `lowest`: begin, truth, similarity, by row of pred. With scores, detections beyond the cap of a label and image get none. Areas and boxes are those of rle_extents, where they are there already.
    """

def match_boxes(truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_area: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_id: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred_area: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, pred_score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_images: int, n_labels: int, iou_thresholds: Sequence[float], area_ranges: Sequence[Sequence[float]], max_detections: int, id_zero_is_no_match: bool, truth_ignored: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, pred_exempt: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, best_only: bool = False, with_matches: bool = False) -> dict[str, Any]:
    """
    Match pred to truth boxes greedily in each label and image; columns of outcomes.
    """

def match_candidates(truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_area: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_ignored: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, truth_id: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_area: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_exempt: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], similarity: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_images: int, n_labels: int, iou_thresholds: Sequence[float], area_ranges: Sequence[Sequence[float]], max_detections: int, id_zero_is_no_match: bool, best_only: bool = False, with_matches: bool = False) -> dict[str, Any]:
    """
    Match pred to truth greedily in each label and image by listed similarities; columns of outcomes.
    """

def match_dense(iou: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_id: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_id: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], ignored: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], thresholds: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    Match one cell: ids that detections took (T, D), that truth was taken by (T, G), and where the taken do not count (T, D).
    """

def oks_candidates(truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_keypoints: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], truth_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_area: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_keypoints: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], exponential: Callable[[Any, Any], Any], *, sigmas: Sequence[float], n_images: int, n_labels: int, lowest: float, across_labels: bool, pred_score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, max_detections: int | None = None) -> dict[str, Any]:
    """
    The pairs of poses of an image, and of a label where not across labels, whose similarity is at least `lowest`: begin, truth, similarity, by row of pred. With scores, detections beyond the cap of a label and image get none. `exponential(x, out)` is np.exp.
    """

def oriented_candidates(truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_corners: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_corners: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, n_images: int, n_labels: int, lowest: float, across_labels: bool, pred_score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, max_detections: int | None = None) -> dict[str, Any]:
    """
    The pairs of oriented boxes (corners x1, y1 … x4, y4) of an image, and of a label where not across labels, whose IoU is at least `lowest`: begin, truth, similarity, by row of pred.
    """

def oriented_iou(pred_corners: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_corners: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """
    IoU of every pred box with every truth box (corners x1, y1 … x4, y4), as (n_pred, n_truth).
    """

def order_corners(corners: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.uint8], dict(order='C')]]:
    """
    Corners (n, 8) in order around each box, its area, and whether its outline crossed itself.
    """

def best_rows(score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], group: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_groups: int, cap: int) -> Annotated[NDArray[numpy.int64], dict(order='C')]:
    """
    The rows of highest score of each group, `cap` of it at most, ascending; of equal scores the first.
    """

def looked_for(listed_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], listed_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], exhaustive: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_images: int, n_labels: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]:
    """
    Whether the class of each prediction was looked for in its image: 0 no, 1 yes (it is listed or truth has it there), 2 in part (it is listed as not exhaustive).
    """

def precision_recall_curves(image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], outcome: Annotated[NDArray[numpy.uint32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_ignored: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_labels: int, n_thresholds: int, recall_thresholds: Sequence[float], max_detections: Sequence[int], undefined: float, summary: str = 'points', spacing: float = 2.220446049250313e-16) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Precision, scores (K, A, M, T, R), recall (K, A, M, T) and counted truth boxes (K, A).
    """

def resampled_curves(image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], outcome: Annotated[NDArray[numpy.uint32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], truth_image: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_label: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_ignored: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], times: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, n_labels: int, n_thresholds: int, recall_thresholds: Sequence[float], max_detections: Sequence[int], read_precision: Sequence[bool], undefined: float, summary: str = 'points', spacing: float = 2.220446049250313e-16) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Of data sets in which images occur so often: mean precision at wanted caps and recall (N, K, A, M, T), and counted truth boxes (N, K, A).
    """

@overload
def target_ranks(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int32], dict(order='C')]: ...

@overload
def target_ranks(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    How many columns of each row come before that of its code: higher, or equal and earlier.
    """

@overload
def curves_by_column(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def curves_by_column(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """One curve a column: begin, threshold, n_true, n_false, n_false_above."""

@overload
def curves_and_wins(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def curves_and_wins(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    The same, and (K, K): twice the pairs that the row's class wins over the column's.
    """

@overload
def curve_of_all(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def curve_of_all(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """The curve of all cells, as one column."""

@overload
def count_by_threshold(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, thresholds: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def count_by_threshold(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None, thresholds: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    All cells and positive ones of each column by how many thresholds they reach.
    """

def rank_in_groups(score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], group: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_groups: int) -> Annotated[NDArray[numpy.uint32], dict(order='C')]:
    """
    The rows (uint32) of each group by descending score, group after group; of equal scores the first. Rows ascend by group.
    """

@overload
def row_sums(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

@overload
def row_sums(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """The sum of each row."""

@overload
def row_maxima(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, logit: bool) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')]]: ...

@overload
def row_maxima(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, logit: bool) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')]]:
    """The highest probability of each row and the first column that has it."""

@overload
def row_losses(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], *, logit: bool, eps: float) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]: ...

@overload
def row_losses(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], *, logit: bool, eps: float) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """Log loss and Brier score (summed over classes) of each row."""

@overload
def cell_losses(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, logit: bool, eps: float) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]: ...

@overload
def cell_losses(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], member: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, logit: bool, eps: float) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """Log loss and Brier score of each cell, a probability of its own."""

@overload
def probabilities(score: Annotated[NDArray[numpy.float32], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, logit: bool) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

@overload
def probabilities(score: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, logit: bool) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """
    Probabilities (n, K): softmax of logits, of one column the logistic function.
    """

def limb_span(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[int, int]:
    """First limb and the one after the last that values touch."""

def limb_span_of_products(a: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], b: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[int, int]:
    """First limb and the one after the last that the exact products touch."""

def add_exactly(values: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], limbs: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu')], low: int, cell: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> None:
    """Add values to sums, in place: to sum cell[i], or to all sums in turn."""

def add_products_exactly(a: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], b: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], limbs: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu')], low: int) -> None:
    """Add products, not rounded, to all sums in turn, in place."""

def pass_carries(limbs: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu')]) -> None:
    """Bring all limbs but the last into [0, 2^32), in place."""

def round_sums(limbs: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu', writable=False)], low: int) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """Sums rounded once, to nearest even."""

def factorise(labels: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], max_span: int) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')]] | None:
    """
    Distinct labels, ascending, and the position (int32) of each; None where they are spread over more than max_span numbers.
    """

def count_pairs(row: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], column: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_classes: int) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Cells (row * n_classes + column, ascending) and how often each pair of codes occurs.
    """

def count_labels(truth: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], max_span: int) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]] | None:
    """
    Labels of both sides, ascending, cells and counts as from count_pairs; None where the labels are spread over more than max_span numbers.
    """

def resize_image(image: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], height: int, width: int, filter: str, top: int, left: int, n_rows: int, n_columns: int, *, down_first: bool) -> Annotated[NDArray[numpy.uint8], dict(order='C')]:
    """
    Of an image (H, W, C) in another size the pixels in a window, as Pillow computes them.
    """

def count_inversions(code: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_codes: int, times: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int64], dict(order='C')]:
    """
    For each row of times, how many pairs of codes stand in descending order.
    """

class CsvColumns:
    """Columns of a table; each array can be taken once."""

    @property
    def n_rows(self) -> int: ...

    def fault(self) -> tuple[str, int, int] | None: ...

    def kind(self) -> list[str]: ...

    def number(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

    def number_column(self, arg: int, /) -> int: ...

    def integer(self, arg: int, /) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def text(self, arg: int, /) -> tuple[Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

class CsvTable:
    """Delimited text."""

    def __init__(self, document: bytes) -> None: ...

    @staticmethod
    def from_file(path: str) -> CsvTable: ...

    def fault(self) -> tuple[str, int, int] | None: ...

    def head(self, n: int) -> bytes: ...

    def split(self, delimiter: str, skipped: int) -> None: ...

    @property
    def n_records(self) -> int: ...

    def cells(self, record: int) -> list[str]: ...

    def line(self, record: int) -> int: ...

    def columns(self, first: int, width: int, wanted: Sequence[int], as_text: bool) -> CsvColumns: ...

def is_number(arg: str, /) -> bool: ...

def match_texts(known: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], known_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], wanted: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], wanted_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    The position of each wanted text among the known ones, of equal ones the first; -1 where it is none. Text i is bytes[offset[i]:offset[i + 1]].
    """

def to_code_points(bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], max_bytes: int) -> Annotated[NDArray[numpy.uint32], dict(order='C')]:
    """
    The code points (uint32) of each text in a row, zeros behind: the memory of a NumPy array of texts.
    """

def multiplicities(counts: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], seed: int, first: int, n_replicates: int) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    How often units of each kind are drawn in each bootstrap replicate, (replicates, kinds).
    """

def random_bits(n_units: int, seed: int, first: int, n_replicates: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]:
    """A random 0 or 1 for each unit in each replicate, (replicates, units)."""

def sums_by_cell(times: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], cell: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_cells: int, unit: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, weight: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """
    Sums of times[unit[j]] * weight[j] by cell[j] for each replicate, (replicates, cells).
    """

def label_sums(times: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], predicted: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_classes: int, unit: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None, weight: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)] | None = None) -> tuple[Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    Right, true and predicted weights of each class (replicates, K), and weights of pairs that differ: plain, times the distance, times its square (replicates, 3).
    """

def hash_ranks(keys: list[str], seed: int) -> Annotated[NDArray[numpy.uint64], dict(order='C')]:
    """
    The 8-byte BLAKE2b digest (uint64, read big-endian) of the seed's 8 bytes, little-endian, and each text in UTF-8.
    """

def halve(position: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], share: float, begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], unit: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], weight: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], target: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], importance: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], price: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_sweeps: int, n_candidates: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]:
    """
    Halves of units (uint8, 1 is right) in which each label has its target of weight.
    """

def near_duplicates(hash: Annotated[NDArray[numpy.uint64], dict(shape=(None, None), order='C', device='cpu', writable=False)], part: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], n_parts: int, distance: int) -> tuple[Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.int16], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Of each row the first row of its group, and by part the nearest other row and its distance (-1: none is near); the near pairs by parts.
    """

def value_pairs(truth: NDArray[numpy.generic], pred: NDArray[numpy.generic]) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.int64], NDArray[numpy.int64]]:
    """
    Where the pairs of each image start, and of each pair of values, ascending: truth, pred, count.
    """

class PngHeader:
    """What the IHDR chunk of a PNG file says."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def bits(self) -> int: ...

    @property
    def colour(self) -> int: ...

    @property
    def n_inflated(self) -> int: ...

def png_chunks(data: bytes) -> tuple[tuple[str, int, bool] | None, PngHeader, bytes, bytes]:
    """
    What is wrong with a PNG file, at which byte, and whether that is odd rather than damage, or None; its header; its palette (3 bytes a colour); the compressed rows.
    """

def png_pixels(header: PngHeader, inflated: bytes) -> tuple[str | None, Annotated[NDArray[numpy.uint8], dict(order='C')], int]:
    """
    What is wrong with inflated rows, or None; the bytes of the values, height x width (x 3), those of 16 bits two in the machine's order, without alpha; how many pixels are not opaque.
    """

def pose_boxes(keypoints: Annotated[NDArray[numpy.float64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], counted: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)] | None = None) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """
    Left, top, width, height of the smallest box around the keypoints of each row that count (all, where not given); zeros around none.
    """

@overload
def label_codes(labels: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], ids: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], ignored: int | None) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')] | Annotated[NDArray[numpy.uint16], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def label_codes(labels: Annotated[NDArray[numpy.uint16], dict(shape=(None,), order='C', device='cpu', writable=False)], ids: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], ignored: int | None) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')] | Annotated[NDArray[numpy.uint16], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def label_codes(labels: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], ids: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], ignored: int | None) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')] | Annotated[NDArray[numpy.uint16], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def label_codes(labels: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], ids: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], ignored: int | None) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')] | Annotated[NDArray[numpy.uint16], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Of each label its position among the ids (uint8, or uint16 for more than 255 ids), the number of ids for the ignored and for unknown ones; the unknown labels, ascending, and how often each occurs.
    """

@overload
def near_border(labels: Annotated[NDArray[numpy.uint8], dict(shape=(None, None), order='C', device='cpu', writable=False)], distance: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]: ...

@overload
def near_border(labels: Annotated[NDArray[numpy.uint16], dict(shape=(None, None), order='C', device='cpu', writable=False)], distance: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]: ...

@overload
def near_border(labels: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], distance: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]:
    """
    1 where the window of 2 * distance + 1 pixels a side holds another label than that of its centre or leaves the image, else 0.
    """

@overload
def boundary_counts(truth: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], pred: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], n_classes: int, distance: int, tolerance: int) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

@overload
def boundary_counts(truth: Annotated[NDArray[numpy.uint16], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], pred: Annotated[NDArray[numpy.uint16], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], n_classes: int, distance: int, tolerance: int) -> Annotated[NDArray[numpy.int64], dict(order='C')]:
    """
    Of each image and class the pixels on both sides, in truth, in pred; the same of border zones; contour pixels of truth and those matched, contour pixels of pred and those matched.
    """

def surface_distances(truth: NDArray[numpy.generic], pred: NDArray[numpy.generic], first: int, code: NDArray[numpy.int32], n_classes: int, spacing: Sequence[float], corners: bool) -> tuple[tuple[NDArray[numpy.int64], NDArray[numpy.float64], NDArray[numpy.uint8], NDArray[numpy.int64]], tuple[NDArray[numpy.int64], NDArray[numpy.float64], NDArray[numpy.uint8], NDArray[numpy.int64]]]:
    """
    Of truth and of pred: where each class begins, the distance of each point of its surface to the other side's, which pixels around a corner are of the class, values that are unknown.
    """

def track_overlaps(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_frame: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_xyxy: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_frame: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_xyxy: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_groups: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_groups: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    The truth tracks that each pred track of the same group overlaps with: begin (int64), truth (int32, ascending), IoU over all frames (float64).
    """

def match_tracks(truth_groups: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_groups: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_ignored: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_outside: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_blocks: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], candidate_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], candidate: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], iou: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, iou_thresholds: Sequence[float], n_ranges: int) -> Annotated[NDArray[numpy.uint32], dict(order='C')]:
    """
    Match ranked pred tracks to truth tracks greedily in each group; outcomes (uint32), (n, ranges, words).
    """

def box_pairs(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_xyxy: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred_xyxy: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], kind: str) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    Where the pairs of each truth row start; pred row and similarity of each pair above 0. kind: iou, ioa_truth, ioa_pred (intersection over one area), giou ((1 + GIoU) / 2).
    """

def point_pairs(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], zero_distance: float) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    The same of points: 1 - distance / zero_distance where that is above 0.
    """

def box3d_pairs(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    The same of boxes in space: IoU of volumes of boxes x, y, z (centre), length, width, height, turned by the last number (radians) about z.
    """

def kept_pairs(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_pred: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], similarity: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], keep_truth: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], keep_pred: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    The rows whose flag is not 0, renumbered, and the pairs between them: truth_begin, pred_begin, pair_begin, pair_pred, similarity.
    """

def decode_rle(bytes: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], tuple[str, int, int] | None]:
    """
    Runs and offsets of COCO's run-length texts, and what is wrong: None, or message, row and position. Text i is bytes[offset[i]:offset[i + 1]], of a mask of size[i] (height, width).
    """

def encode_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """The bytes and offsets of the texts of masks."""

def check_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[str, int, int] | None:
    """
    None, or message, row and position of the first mask whose runs do not sum up to its pixels.
    """

def rle_areas(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int64], dict(order='C')]:
    """The number of pixels in each mask."""

def rle_boxes(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    Left, top, width and height of the smallest box around each mask; zeros for no pixels.
    """

def rle_extents(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')]]:
    """What rle_areas and rle_boxes return, in one go."""

def take_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], rows: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """Runs and offsets of some rows."""

def replace_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], other_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], other_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], marked: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Runs and offsets of each row, but in the place of those that are marked the next of the other rows.
    """

def merge_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], intersect: bool) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Runs and offsets of one mask for each group of rows begin[g] … begin[g + 1] - 1; of none for a group without rows.
    """

def subtract_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], other_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], other_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], other_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Runs and offsets of the pixels of each mask that the other of its row has not.
    """

def encode_masks(pixels: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Runs and offsets of masks (n, height, width), of which every value but 0 is inside.
    """

@overload
def encode_labels(labels: Annotated[NDArray[numpy.uint8], dict(shape=(None, None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def encode_labels(labels: Annotated[NDArray[numpy.uint16], dict(shape=(None, None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def encode_labels(labels: Annotated[NDArray[numpy.int32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

@overload
def encode_labels(labels: Annotated[NDArray[numpy.int64], dict(shape=(None, None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Masks of all values but 0: where the rows of each image begin, the value, runs and offsets.
    """

@overload
def paint_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], value: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], height: int, width: int) -> Annotated[NDArray[numpy.uint8], dict(order='C')]: ...

@overload
def paint_rle(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], value: Annotated[NDArray[numpy.uint16], dict(shape=(None,), order='C', device='cpu', writable=False)], height: int, width: int) -> Annotated[NDArray[numpy.uint16], dict(order='C')]:
    """
    Label images with the value of each mask where it lies, of a later row where several do, else 0; image i has the rows begin[i] … begin[i + 1] - 1.
    """

def mask_pairs(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], kind: str) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    The pairs of masks that share pixels, frame by frame: where those of each truth row begin, pred row, and shared pixels over those of the union ("iou"), of truth ("ioa_truth") or of pred ("ioa_pred").
    """

def mask_iou(pred_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], truth_runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
    """
    IoU of every mask of truth with every mask of pred, (n_truth, n_pred); with a crowd, over the pixels of pred.
    """

def find_overlaps(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], marked: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)] | None) -> Annotated[NDArray[numpy.int64], dict(order='C')]:
    """
    Frame and two rows for each frame in which masks share pixels; marked ones may with each other.
    """

def rle_of_polygons(xy: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int64], dict(shape=(None, None), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Runs and offsets of polygons: polygon i has the vertices begin[i] … begin[i + 1] - 1, each x and y, and lies in an image of size[i] (height, width).
    """

class LooseMasks:
    """Masks as run lengths of any kind, as pycocotools takes them."""

    @staticmethod
    def read(objects: object) -> LooseMasks | None:
        """
        Masks of a list of dicts with bytes and a list of two ints; None for others.
        """

    @staticmethod
    def of_runs(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], height: int, width: int) -> LooseMasks:
        """One mask."""

    @staticmethod
    def of_pixels(pixels: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)], height: int, width: int, n: int) -> LooseMasks:
        """
        Masks of n images, column by column: a run ends where the value changes.
        """

    @staticmethod
    def of_polygons(xy: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], height: int, width: int) -> LooseMasks:
        """Masks of polygons; see rle_of_polygons."""

    def __len__(self) -> int: ...

    def objects(self) -> list[dict[str, object]]:
        """A dict of size and counts for each mask."""

    def pixels(self) -> Annotated[NDArray[numpy.uint8], dict(order='F')] | None:
        """
        Pixels (height, width, n) of the first mask's size; None where runs go beyond.
        """

    def areas(self) -> Annotated[NDArray[numpy.uint32], dict(order='C')]:
        """The number of pixels in each mask, modulo 2^32."""

    def boxes(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]:
        """Left, top, width and height of the smallest box around each mask."""

    def merged(self, intersect: bool) -> LooseMasks | None:
        """
        One mask of all, without runs and of size 0 × 0 where sizes differ; None where one ends before another.
        """

    def iou(self, truth: LooseMasks, crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='F')] | None:
        """
        IoU of every mask with every one of truth; None where one ends before another.
        """

def first_far_polygon(xy: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> int:
    """
    The first polygon with vertices too far apart for the grid; their number for none.
    """

def loose_box_iou(pred: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], crowd: Annotated[NDArray[numpy.uint8], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> Annotated[NDArray[numpy.float64], dict(order='F')]:
    """
    IoU of boxes (left, top, width, height), of which four numbers each follow each other.
    """

def rle_boundaries(runs: Annotated[NDArray[numpy.uint32], dict(shape=(None,), order='C', device='cpu', writable=False)], offset: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], size: Annotated[NDArray[numpy.int32], dict(shape=(None, None), order='C', device='cpu', writable=False)], distance: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
    """
    Runs and offsets of what of each mask lies within a distance of its edge, in pixels.
    """

class MotsRows:
    """Rows of a MOTS text; each array can be taken once."""

    @property
    def n_lines(self) -> int: ...

    def fault(self) -> tuple[str, int] | None: ...

    def frame(self) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def id(self) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def label(self) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def line(self) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def size(self) -> Annotated[NDArray[numpy.int32], dict(order='C')]: ...

    def masks(self) -> tuple[Annotated[NDArray[numpy.uint32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]: ...

def read_mots(text: bytes) -> MotsRows:
    """The rows of a text in the format of MOTS20 and KITTI MOTS."""

class TrackText:
    """Text of tracks, read piece by piece."""

    def __init__(self, is_truth: bool, first_frame: int, last_frame: int | None, region_classes: Sequence[int]) -> None: ...

    def read(self, piece: bytes) -> bool:
        """False where a line cannot be read."""

    def finish(self) -> bool:
        """Once, when all is read. False where a line cannot be read."""

    def fault(self) -> tuple[str, int, int, int, bytes]:
        """(what, line, column, number of columns, cell)."""

    def repeats(self) -> tuple[int, int, int, int, int]:
        """(number, and of the first: frame, track, the two lines)."""

    @property
    def n_columns(self) -> int: ...

    def frame(self) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def track(self) -> Annotated[NDArray[numpy.int64], dict(order='C')]: ...

    def xywh(self) -> Annotated[NDArray[numpy.float64], dict(order='C')]: ...

    def mark(self) -> Annotated[NDArray[numpy.float64], dict(order='C')] | None: ...

    def label(self) -> Annotated[NDArray[numpy.int64], dict(order='C')] | None: ...

    def visibility(self) -> Annotated[NDArray[numpy.float64], dict(order='C')] | None: ...

class MotEvents:
    """Frames come in order; out come the events of CLEAR MOT as columns."""

    def __init__(self, *, max_switch_time: float) -> None: ...

    def update(self, truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_track: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_track: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pair_pred: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], distance: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], time: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_truth_tracks: int, n_pred_tracks: int, raw: bool) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.uint8], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
        """
        Events of more frames: frame, kind, truth row, pred row (-1: none), distance.
        """

    def memory(self) -> tuple[int, Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.int64], dict(order='C')]]:
        """
        Number of frames; by truth track: pred track matched last, time last seen, frame last matched; by pred track: truth track assigned last, frame last matched.
        """

    def restore(self, n_frames: int, pred_of_truth: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], time_of_truth: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], frame_of_truth: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_of_pred: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], frame_of_pred: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)]) -> None:
        """Go on from what memory() gave."""

def best_matching(begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], column: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)], score: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], *, n_columns: int) -> Annotated[NDArray[numpy.int32], dict(order='C')]:
    """
    The column that each row is matched to, -1 for none, so that the sum of scores is largest; cells of row i are begin[i] ... begin[i + 1] - 1, each column once.
    """

def box_distances(truth_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], pred_begin: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], truth_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], pred_xywh: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], *, max_distance: float) -> tuple[Annotated[NDArray[numpy.int64], dict(order='C')], Annotated[NDArray[numpy.int32], dict(order='C')], Annotated[NDArray[numpy.float64], dict(order='C')]]:
    """
    Pairs of boxes (finite numbers) of the same frame whose 1 - IoU is not above the maximum: where those of each truth row begin, pred rows, distances.
    """
