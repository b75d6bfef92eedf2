"""Surface distances beside SciPy, MedPy, MONAI and DeepMind's surface-distance."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen import SurfaceDistance, _core, surface_distance
from snellen.segmentation.structures import _linear_percentile
from snellen.segmentation.surface_elements import surface_elements

ndimage = pytest.importorskip("scipy.ndimage")

STEPS = np.array([1.0, 0.7, 0.3, 2.5, 3.0, 1 / 3, 0.9765625])


class Case(NamedTuple):
    truth: Any
    pred: Any
    spacing: tuple[float, ...]


def case(seed: int, n_axes: int = 0) -> Case:
    """Return two masks that are not empty: blobs or noise, alike or not; odd seeds have spacing."""
    random = np.random.default_rng(seed)
    n_axes = n_axes or 2 + seed // 2 % 2
    while True:
        shape = tuple(random.integers(1, 45 if n_axes == 2 else 16, n_axes).tolist())
        field = ndimage.gaussian_filter(random.normal(size=shape), random.choice([0, 0.7, 2, 4]))
        moved = np.roll(field, random.integers(0, 4, n_axes), tuple(range(n_axes)))
        noise = ndimage.gaussian_filter(random.normal(size=shape), 1)
        other = moved + noise * random.choice([0, 0.1, 1]) * field.std()
        truth = field > np.quantile(field, random.random())
        pred = other > np.quantile(other, random.random())
        if truth.any() and pred.any():
            break
    spacing = random.choice(STEPS, n_axes) if seed % 2 else np.ones(n_axes)
    return Case(truth, pred, tuple(spacing.tolist()))


CASES = [case(seed) for seed in range(120)]


# ---- SciPy ---------------------------------------------------------------------------------------


def edges(mask: Any) -> Any:
    return mask ^ ndimage.binary_erosion(mask)


def corners(mask: Any) -> Any:
    """Return where some of the pixels around a corner are set and some are not."""
    around = np.pad(mask, 1)
    windows = np.lib.stride_tricks.sliding_window_view(around, (2,) * mask.ndim)
    axes = tuple(range(mask.ndim, 2 * mask.ndim))
    return windows.any(axes) & ~windows.all(axes)


@pytest.mark.parametrize("is_corners", [False, True])
def test_distances_are_those_of_scipy(is_corners: bool) -> None:
    n_points = 0
    for truth, pred, spacing in CASES:
        sides = _core.surface_distances(
            truth.view(np.uint8),
            pred.view(np.uint8),
            0,
            np.array([-1, 0], np.int32),
            1,
            (*(1.0,) * (3 - truth.ndim), *spacing),
            is_corners,
        )
        one, other = (corners(each) if is_corners else edges(each) for each in (truth, pred))
        for (_, got, around, _), ours, theirs in zip(
            sides, (one, other), (other, one), strict=True
        ):
            want = ndimage.distance_transform_edt(~theirs, sampling=spacing)[ours]
            assert np.array_equal(got, want)
            assert len(around) == (len(got) if is_corners else 0)
            n_points += len(got)
    assert n_points > 20_000


def test_percentiles_are_those_of_numpy() -> None:
    random = np.random.default_rng(0)
    for n in (1, 2, 3, 20, 21, 1000):
        values = random.choice(random.random(30), n)
        for percentile in (0.1, 5.0, 50.0, 95.0, 97.5, 99.0, 100.0):
            assert _linear_percentile(values, percentile) == np.percentile(values, percentile)


def test_many_classes_at_once_are_each_alone() -> None:
    for seed in range(12):
        random = np.random.default_rng(seed)
        shape = (30, 40) if seed % 2 else (7, 9, 11)
        classes = np.array([-5, 0, 3, 200, 70_000])
        blocks = np.indices(shape) // 5
        truth = classes[random.integers(0, 5, [1 + n // 5 for n in shape])[tuple(blocks)]]
        pred = np.where(random.random(shape) < 0.05, random.choice(classes, shape), truth)
        pred = np.roll(pred, 1, axis=0)
        for rules in ("monai", "deepmind", "medpy"):
            options: dict[str, Any] = {"rules": rules, "spacing": (0.7, 1.0, 2.5)[-len(shape) :]}
            together = SurfaceDistance(background=None, **options).update(truth, pred).compute()
            assert together.classes.keys.ids.tolist() == np.union1d(truth, pred).tolist()
            for record in together.per_image():
                label = int(record["class"])
                alone = surface_distance(truth == label, pred == label, **options)
                for name in ("hd", "hd95", "assd", "nsd"):
                    if record["status"] == "scored":
                        assert record[name] == alone.metrics[name]


# ---- MedPy ---------------------------------------------------------------------------------------


def test_medpy() -> None:
    binary = pytest.importorskip("medpy.metric.binary")
    for truth, pred, spacing in CASES:
        ours = surface_distance(truth, pred, rules="medpy", spacing=spacing)
        assert ours.hd == binary.hd(pred, truth, spacing)
        assert ours.hd95 == binary.hd95(pred, truth, spacing)
        # A sum is exact here and rounded once; NumPy's is rounded as it goes.
        assert ours.assd == pytest.approx(binary.assd(pred, truth, spacing), rel=1e-14, abs=0)
        (record,) = ours.per_image()
        for key, sides in (("asd_truth", (truth, pred)), ("asd_pred", (pred, truth))):
            assert record[key] == pytest.approx(binary.asd(*sides, spacing), rel=1e-14, abs=0)


# ---- MONAI ---------------------------------------------------------------------------------------


# MONAI 1.6.1 gives an argument of its own that it calls deprecated.
monai_warns = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")


@monai_warns
def test_monai() -> None:
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    for truth, pred, spacing in CASES:
        one, other = (torch.as_tensor(each)[None, None].float() for each in (truth, pred))
        options: dict[str, Any] = {"include_background": True, "spacing": list(spacing)}
        tolerance = 1.7
        ours = surface_distance(truth, pred, spacing=spacing, tolerance=tolerance)
        # It has distances as float32; in float32 it averages them, and finds the rank of the
        # percentile, of which then only so many places between two distances are right.
        for name, percentile, rounding in (("hd", None, 3e-7), ("hd95", 95, 1e-5)):
            theirs = metrics.compute_hausdorff_distance(
                other, one, percentile=percentile, **options
            )
            assert ours.metrics[name] == pytest.approx(theirs.item(), rel=rounding, abs=0)
        assd = metrics.compute_average_surface_distance(other, one, symmetric=True, **options)
        assert ours.assd == pytest.approx(assd.item(), rel=2e-6, abs=0)
        directed = metrics.compute_average_surface_distance(other, one, **options)
        (record,) = ours.per_image()
        assert record["asd_pred"] == pytest.approx(directed.item(), rel=2e-6, abs=0)
        nsd = metrics.compute_surface_dice(other, one, [tolerance], **options)
        assert np.float32(ours.nsd) == nsd.item()
        subvoxel = metrics.compute_surface_dice(
            other, one, [tolerance], use_subvoxels=True, **options
        )
        by_area = surface_distance(
            truth, pred, spacing=spacing, tolerance=tolerance, rules="deepmind"
        )
        assert by_area.nsd == pytest.approx(subvoxel.item(), rel=1e-5, abs=1e-6)


@monai_warns
@pytest.mark.filterwarnings("ignore:the (prediction|ground truth) of class:UserWarning")
def test_what_monai_says_of_missing_structures() -> None:
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    truth, nothing = np.zeros((2, 8, 8), bool)
    truth[2:4, 2:4] = True
    one, none = (torch.as_tensor(each)[None, None].float() for each in (truth, nothing))
    ours = surface_distance(truth, nothing, missing="inf")
    hd = metrics.compute_hausdorff_distance(none, one, include_background=True)
    nsd = metrics.compute_surface_dice(none, one, [1.0], include_background=True)
    assert (ours.hd, ours.nsd) == (hd.item(), nsd.item()) == (np.inf, 0.0)


# ---- DeepMind ------------------------------------------------------------------------------------


def deepmind_distances(package: Any, truth: Any, pred: Any, spacing: Any) -> Any:
    with warnings.catch_warnings():
        # It imports from namespaces that SciPy is about to take away.
        warnings.filterwarnings("ignore", "Please import", DeprecationWarning)
        return package.compute_surface_distances(truth, pred, spacing)


def test_deepmind() -> None:
    package = pytest.importorskip("surface_distance")
    for truth, pred, spacing in CASES:
        distances = deepmind_distances(package, truth, pred, spacing)
        ours = surface_distance(truth, pred, rules="deepmind", spacing=spacing, tolerance=1.7)
        assert ours.hd == package.compute_robust_hausdorff(distances, 100)
        assert ours.hd95 == package.compute_robust_hausdorff(distances, 95)
        # Areas, and their sums, are rounded in another order.
        (record,) = ours.per_image()
        averages = package.compute_average_surface_distance(distances)
        assert [record["asd_truth"], record["asd_pred"]] == pytest.approx(
            averages, rel=1e-13, abs=0
        )
        nsd = package.compute_surface_dice_at_tolerance(distances, 1.7)
        assert ours.nsd == pytest.approx(nsd, rel=1e-13, abs=0)


def bit_of(kernel: Any, code: int) -> int:
    """Return the set of pixels that the reference calls by another number."""
    pixels = kernel.reshape(-1).tolist()
    return sum(each for i, each in enumerate(pixels) if code >> i & 1)


def test_sizes_of_surface_elements_are_deepminds() -> None:
    tables = pytest.importorskip("surface_distance.lookup_tables")
    random = np.random.default_rng(0)
    for i in range(100):
        spacing = tuple(random.uniform(0.1, 5, 3).tolist()) if i else (1.0, 1.0, 1.0)
        areas = tables.create_table_neighbour_code_to_surface_area(spacing)
        lengths = tables.create_table_neighbour_code_to_contour_length(spacing[:2])
        for got, want, kernel in (
            (surface_elements(spacing), areas, tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL),
            (surface_elements(spacing[:2]), lengths, tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL),
        ):
            wanted = want[[bit_of(kernel, code) for code in range(len(got))]]
            if i:
                np.testing.assert_allclose(got, wanted, rtol=1e-15, atol=0)
            else:
                assert np.array_equal(got, wanted)
