"""Label volumes from files: NIfTI through nibabel, and NumPy arrays."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.errors import InputError, MissingExtraError, SchemaError, ShapeError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["VOLUMES", "Volume", "hold_volumes", "read_volume", "read_volume_pair"]

VOLUMES: Final = (".nii", ".nii.gz", ".npy")
"""The endings of files that are read."""

_MOST_VOXELS = 1 << 31
# Voxels of two files lie at the same place where they are apart by less than this share of one:
# headers hold float32.
_APART = 0.01
_MOST_AFTER = 1 << 20  # bytes behind the voxels
_MM: Final = {"unknown": 1.0, "mm": 1.0, "meter": 1000.0, "micron": 0.001}


class Volume(NamedTuple):
    """A label volume, or a label image.

    Attributes
    ----------
    path : str
        Where it was read.
    values : ndarray, shape (D, H, W) or (H, W), integers
        The class of each voxel. Of NIfTI the axes are those of the file from the last to the
        first, so that memory is as the file has it.
    spacing : tuple of float
        The distance in mm between voxels along each axis of `values`.
    affine : ndarray, shape (4, 4), or None
        From a voxel's position (x, y, z, 1), x along the last axis of `values`, to where it lies in
        mm; None where the file doesn't say.
    notes : tuple of str
        What was decided on reading, for people.
    """

    path: str
    values: NDArray[Any]
    spacing: tuple[float, ...]
    affine: NDArray[np.float64] | None
    notes: tuple[str, ...] = ()


def hold_volumes(paths: Iterable[str | os.PathLike[str]]) -> bool:
    """Return whether files hold volumes: NIfTI by their name, arrays by their axes.

    What is no array is left to those who read it.
    """
    names = [os.fspath(path) for path in paths]
    if any(name.lower().endswith((".nii", ".nii.gz")) for name in names):
        return True
    return bool(names) and all(_n_axes(name) == 3 for name in names)


def _n_axes(name: str) -> int:
    """Return how many axes an array of whole numbers in a file has; 0 where it is none."""
    if not name.lower().endswith(".npy"):
        return 0
    try:
        array = np.load(name, mmap_mode="r", allow_pickle=False)
    except Exception:  # what is wrong with it is said by its reader
        return 0
    # Bytes with a last axis of 3 are colours.
    return 2 if array.dtype == np.uint8 and array.shape[-1:] == (3,) else array.ndim


def read_volume_pair(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    spacing: float | Sequence[float] | None = None,
    max_voxels: int = _MOST_VOXELS,
) -> tuple[Volume, Volume]:
    """Read truth and prediction, and refuse them where their voxels are not at the same places.

    Parameters
    ----------
    truth, pred : path
        See `read_volume`.
    spacing : float or sequence of float, optional
        In mm, in the place of what the files say.
    max_voxels : int
        See `read_volume`.

    Raises
    ------
    ShapeError
        Where their shapes are not equal.
    InputError
        Where spacing, orientation or position are not; see also `read_volume`.
    """
    one = read_volume(truth, spacing=spacing, max_voxels=max_voxels)
    other = read_volume(pred, spacing=spacing, max_voxels=max_voxels)
    _check_same_places(one, other)
    return one, other


def read_volume(
    path: str | os.PathLike[str],
    *,
    spacing: float | Sequence[float] | None = None,
    max_voxels: int = _MOST_VOXELS,
) -> Volume:
    """Read a label volume.

    Parameters
    ----------
    path : path
        A NIfTI file (.nii, .nii.gz) or an array (.npy). Floats are read where all are whole
        numbers.
    spacing : float or sequence of float, optional
        The distance in mm between voxels, one for all axes or one for each axis of the volume's
        `values`. An array has none of its own; of NIfTI it takes the place of the header's.
    max_voxels : int
        Larger volumes are refused before they are unpacked.

    Raises
    ------
    InputError
        For files that are not there, have another ending, or are too large.
    SchemaError
        For files that are not what their ending says, are cut off, or don't hold labels.
    ShapeError
        For other numbers of axes than 2 or 3, and spacings that don't fit.
    MissingExtraError
        Where nibabel is needed and not installed.
    """
    place = os.fspath(path)
    if not Path(place).is_file():
        raise InputError("expected a file, there is none", place)
    name = place.lower()
    if name.endswith((".nii", ".nii.gz")):
        return _read_nifti(place, spacing, max_voxels)
    if name.endswith(".npy"):
        return _read_array(place, spacing, max_voxels)
    raise InputError(f"expected a file that ends in {', '.join(VOLUMES)}", place)


# ---- NIfTI --------------------------------------------------------------------------------------


def _read_nifti(place: str, spacing: Any, max_voxels: int) -> Volume:
    try:
        import nibabel
    except ImportError:
        raise MissingExtraError("nibabel", "volumes") from None
    try:
        image: Any = nibabel.load(place)
        header = image.header
        shape = tuple(int(n) for n in image.shape)
        dtype = image.get_data_dtype()
        unit = header.get_xyzt_units()[0]
        zooms = [float(zoom) for zoom in header.get_zooms()]
        has_place = bool(header["sform_code"] > 0 or header["qform_code"] > 0)
    except Exception as error:  # nibabel raises what its parts do: of files, zlib, NumPy
        raise _no_nifti(error, place) from error
    notes: list[str] = []
    n_axes = len(shape)
    while n_axes > 3 and shape[n_axes - 1] == 1:
        n_axes -= 1
    if n_axes not in (2, 3):
        raise ShapeError(f"expected a volume of 2 or 3 axes, got shape {shape}", place)
    _check_size(shape, max_voxels, place)
    if dtype.kind not in "iuf":
        raise SchemaError(f"expected whole numbers, got {dtype}", place)
    try:
        if place.lower().endswith(".gz"):
            image = type(image).from_bytes(_unpacked(place, image))
        # Of integers without a scale factor nibabel gives the integers themselves.
        values = np.asarray(image.dataobj).reshape(shape[:n_axes], order="F")
    except Exception as error:
        raise _no_nifti(error, place) from error
    values = _labels(values.T, place, notes)
    affine = None
    if has_place:
        affine = np.array(image.affine, np.float64)
        affine[:3] *= _MM[unit]
    if spacing is not None:
        steps = _steps(spacing, n_axes, place)
        notes.append(f"{place}: spacing as given, {_shown(steps)} mm")
    else:
        steps = tuple(zoom * _MM[unit] for zoom in reversed(zooms[:n_axes]))
        if not all(math.isfinite(step) and step > 0 for step in steps):
            raise SchemaError(
                f"expected distances between voxels above 0, got {_shown(steps)}: give spacing",
                place,
            )
        _check_one_spacing(steps, affine, place)
        if unit == "unknown":
            notes.append(f"{place}: no unit in the header, taken to be mm")
    return Volume(place, values, steps, affine, tuple(notes))


def _unpacked(place: str, image: Any) -> bytes:
    """Return what a compressed file holds, read to its end, where its checksum is.

    nibabel stops after the last voxel, and damage would pass for labels.
    """
    import gzip

    end = int(image.dataobj.offset) + math.prod(image.shape) * image.get_data_dtype().itemsize
    with gzip.open(place) as file:
        content = file.read(end)
        if file.read(_MOST_AFTER) and file.read(1):
            raise SchemaError("more data than the header says")
    return content


def _no_nifti(error: Exception, place: str) -> SchemaError:
    what = [*str(error).splitlines(), type(error).__name__][0]
    return SchemaError(f"expected a whole NIfTI file, got: {what}", place)


def _check_one_spacing(
    steps: tuple[float, ...], affine: NDArray[np.float64] | None, place: str
) -> None:
    """Refuse headers that give two spacings: that of the grid, and that of the transform."""
    if affine is None:
        return
    by_transform = tuple(
        reversed(np.sqrt((affine[:3, :3] ** 2).sum(axis=0))[: len(steps)].tolist())
    )
    for one, other in zip(steps, by_transform, strict=True):
        if abs(one - other) > _APART * max(one, other):
            raise SchemaError(
                f"expected one distance between voxels, got {_shown(steps)} mm (pixdim) and "
                f"{_shown(by_transform)} mm (its transform): say which with spacing",
                place,
            )


# ---- Arrays -------------------------------------------------------------------------------------


def _read_array(place: str, spacing: Any, max_voxels: int) -> Volume:
    try:
        stored = np.load(place, mmap_mode="r", allow_pickle=False)
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        raise SchemaError(f"expected an array of numbers, got: {one_line(error)}", place) from error
    if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "biuf":
        raise SchemaError("expected an array of numbers", place)
    if stored.ndim not in (2, 3):
        raise ShapeError(f"expected a volume of 2 or 3 axes, got shape {stored.shape}", place)
    _check_size(stored.shape, max_voxels, place)
    if spacing is None:
        raise InputError("expected the spacing of an array, which has none of its own", place)
    notes: list[str] = []
    values = _labels(np.array(stored), place, notes)
    return Volume(place, values, _steps(spacing, values.ndim, place), None, tuple(notes))


# ---- Both ---------------------------------------------------------------------------------------


def _check_size(shape: Sequence[int], max_voxels: int, place: str) -> None:
    n = math.prod(shape)
    if not n:
        raise ShapeError(f"expected a volume with voxels, got shape {tuple(shape)}", place)
    if n > max_voxels:
        raise InputError(
            f"expected at most {max_voxels:,} voxels, got {n:,}: max_voxels lifts the limit", place
        )


def _labels(values: NDArray[Any], place: str, notes: list[str]) -> NDArray[Any]:
    """Return labels as integers."""
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2**31)
        if not whole.all():
            raise SchemaError(
                f"expected labels, which are whole numbers, got {values[~whole][0]}: are these "
                "scores, or was the volume interpolated?",
                place,
            )
        notes.append(f"{place}: labels are stored as {values.dtype}, read as whole numbers")
        values = values.astype(np.int32)
    return np.ascontiguousarray(values, values.dtype.newbyteorder("="))


def _steps(spacing: Any, n_axes: int, place: str) -> tuple[float, ...]:
    steps = np.atleast_1d(np.asarray(spacing, np.float64))
    if steps.shape == (1,):
        steps = np.repeat(steps, n_axes)
    if steps.shape != (n_axes,):
        raise ShapeError(f"expected a spacing of {n_axes} numbers, got {spacing!r}", place)
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(f"expected a spacing above 0, got {spacing!r}", place)
    return tuple(steps.tolist())


def _check_same_places(truth: Volume, pred: Volume) -> None:
    both = f"{truth.path} and {pred.path}"
    if truth.values.shape != pred.values.shape:
        raise ShapeError(
            f"expected volumes of one shape, got {truth.values.shape} and {pred.values.shape}", both
        )
    for one, other in zip(truth.spacing, pred.spacing, strict=True):
        if abs(one - other) > _APART * max(one, other):
            raise InputError(
                f"expected volumes of one spacing, got {_shown(truth.spacing)} and "
                f"{_shown(pred.spacing)} mm",
                both,
            )
    if truth.affine is None or pred.affine is None:
        return
    # The corners of the volume: where they agree, all voxels do.
    extent = [*reversed(truth.values.shape), 1, 1][:3]
    corners = np.array(
        [[*((n - 1) * (i >> axis & 1) for axis, n in enumerate(extent)), 1] for i in range(8)]
    )
    apart = np.abs(corners @ (truth.affine - pred.affine)[:3].T).max()
    if apart <= _APART * min(truth.spacing):
        return
    directions = [
        "".join(_orientation(volume.affine))
        for volume in (truth, pred)
        if volume.affine is not None
    ]
    what = (
        f"orientations {directions[0]} and {directions[1]}"
        if directions[0] != directions[1]
        else f"voxels up to {apart:.4g} mm apart"
    )
    raise InputError(
        f"expected voxels at the same places, got {what}: resample the prediction onto the truth",
        both,
    )


def _orientation(affine: NDArray[np.float64]) -> list[str]:
    """Return which way each axis of the file points: R or L, A or P, S or I."""
    letters = []
    for column in affine[:3, :3].T:
        axis = int(np.abs(column).argmax())
        letters.append(("RL", "AP", "SI")[axis][int(column[axis] < 0)])
    return letters


def _shown(steps: Sequence[float]) -> str:
    return " × ".join(f"{step:.6g}" for step in steps)
