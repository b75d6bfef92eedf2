"""Label volumes from NIfTI files and arrays."""

from __future__ import annotations

import builtins
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import InputError, MissingExtraError, SchemaError, ShapeError
from snellen.readers.volume import read_volume, read_volume_pair

nibabel = pytest.importorskip("nibabel")

LABELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) % 5  # of x, y, z


def nifti(
    path: Path,
    values: np.ndarray[Any, Any] = LABELS,
    *,
    affine: Any = None,
    unit: str = "mm",
    dtype: Any = None,
) -> Path:
    affine = np.diag([0.5, 0.75, 3.0, 1.0]) if affine is None else affine
    image = nibabel.Nifti1Image(values, affine, dtype=dtype)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
def test_axes_are_those_of_the_file_from_the_last_on(tmp_path: Path, name: str) -> None:
    volume = read_volume(nifti(tmp_path / name))
    assert volume.values.dtype == np.uint8
    assert volume.values.flags.c_contiguous
    assert np.array_equal(volume.values, LABELS.transpose(2, 1, 0))
    assert volume.spacing == (3.0, 0.75, 0.5)
    assert volume.affine is not None
    assert np.array_equal(volume.affine, np.diag([0.5, 0.75, 3.0, 1.0]))
    assert volume.notes == ()
    assert volume.path == str(tmp_path / name)


@pytest.mark.parametrize(
    ("unit", "factor"), [("mm", 1.0), ("meter", 1000.0), ("micron", 0.001), ("unknown", 1.0)]
)
def test_units(tmp_path: Path, unit: str, factor: float) -> None:
    volume = read_volume(nifti(tmp_path / "a.nii", unit=unit))
    assert volume.spacing == (3.0 * factor, 0.75 * factor, 0.5 * factor)
    assert volume.affine is not None
    assert volume.affine[0, 0] == 0.5 * factor
    assert ("taken to be mm" in " ".join(volume.notes)) == (unit == "unknown")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64])
def test_integers_stay_what_they_are(tmp_path: Path, dtype: Any) -> None:
    values = LABELS.astype(dtype)
    volume = read_volume(nifti(tmp_path / "a.nii", values, dtype=dtype))
    assert volume.values.dtype == dtype
    assert np.array_equal(volume.values, values.T)


def test_floats_that_are_whole_numbers(tmp_path: Path) -> None:
    volume = read_volume(nifti(tmp_path / "a.nii.gz", LABELS.astype(np.float64)))
    assert volume.values.dtype == np.int32
    assert np.array_equal(volume.values, LABELS.T)
    assert "stored as float64, read as whole numbers" in volume.notes[0]


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 2.0**31])
def test_other_floats_are_refused(tmp_path: Path, value: float) -> None:
    values = LABELS.astype(np.float32)
    values[1, 2, 3] = value
    with pytest.raises(SchemaError, match=r"expected labels, .* got .*scores.* - at .*a\.nii$"):
        read_volume(nifti(tmp_path / "a.nii", values))


def test_labels_with_a_scale_factor(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii")
    raw = bytearray(path.read_bytes())
    # scl_slope and scl_inter stand at bytes 112 and 116 of the header.
    raw[112:120] = np.array([2.0, 1.0], np.float32).tobytes()
    path.write_bytes(raw)
    assert np.array_equal(read_volume(path).values, 2 * LABELS.T.astype(int) + 1)


def test_an_image_and_axes_of_one(tmp_path: Path) -> None:
    flat = read_volume(nifti(tmp_path / "flat.nii", LABELS[:, :, 0]))
    assert flat.values.shape == (3, 2)
    assert flat.spacing == (0.75, 0.5)
    one = read_volume(nifti(tmp_path / "one.nii", LABELS[:, :, :, None]))
    assert one.values.shape == (4, 3, 2)
    thin = read_volume(nifti(tmp_path / "thin.nii", LABELS[:, :, :1]))
    assert thin.values.shape == (1, 3, 2)
    with pytest.raises(ShapeError, match=r"2 or 3 axes, got shape \(2, 3, 2, 2\)"):
        read_volume(nifti(tmp_path / "series.nii", LABELS.reshape(2, 3, 2, 2)))


def test_spacing_that_is_given(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii")
    assert read_volume(path, spacing=2).spacing == (2.0, 2.0, 2.0)
    given = read_volume(path, spacing=(5, 1, 2))
    assert given.spacing == (5.0, 1.0, 2.0)
    assert given.notes == (f"{path}: spacing as given, 5 × 1 × 2 mm",)
    with pytest.raises(ShapeError, match=r"3 numbers, got \(1, 2\)"):
        read_volume(path, spacing=(1, 2))
    for bad in (0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="above 0"):
            read_volume(path, spacing=bad)


def test_two_spacings_in_one_header(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii")
    raw = bytearray(path.read_bytes())
    raw[80:84] = np.array(0.6, np.float32).tobytes()  # pixdim of x, at byte 80
    path.write_bytes(raw)
    with pytest.raises(SchemaError, match=r"one distance.*0\.6 mm \(pixdim\).*0\.5 mm.* spacing"):
        read_volume(path)
    assert read_volume(path, spacing=1).spacing == (1.0, 1.0, 1.0)


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, LABELS)
    volume = read_volume(path, spacing=(3, 1, 0.5))
    assert np.array_equal(volume.values, LABELS)
    assert volume.spacing == (3.0, 1.0, 0.5)
    assert volume.affine is None
    with pytest.raises(InputError, match=r"spacing of an array.* - at .*a\.npy"):
        read_volume(path)
    np.save(path, LABELS > 2)
    assert read_volume(path, spacing=1).values.dtype == bool
    np.save(path, LABELS.astype(">i2"))
    assert np.array_equal(read_volume(path, spacing=1).values, LABELS)
    np.save(path, LABELS.astype(np.float32))
    assert read_volume(path, spacing=1).values.dtype == np.int32
    for bad in (np.array(["a"]), np.array([1j])):
        np.save(path, bad)
        with pytest.raises(SchemaError, match="array of numbers"):
            read_volume(path, spacing=1)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(SchemaError, match="array of numbers"):
        read_volume(path, spacing=1)
    path.write_bytes(b"no array")
    with pytest.raises(SchemaError, match="array of numbers"):
        read_volume(path, spacing=1)
    np.save(path, np.zeros((3, 0, 2), np.uint8))
    with pytest.raises(ShapeError, match="with voxels"):
        read_volume(path, spacing=1)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a file, there is none - at .*a\.nii"):
        read_volume(tmp_path / "a.nii")
    other = tmp_path / "a.mha"
    other.write_bytes(b"")
    with pytest.raises(InputError, match=r"ends in \.nii, \.nii\.gz, \.npy - at .*a\.mha"):
        read_volume(other)


def test_broken_files(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 5, (20, 30, 10)).astype(np.uint8)
    whole = nifti(tmp_path / "a.nii.gz", values).read_bytes()
    plain = gzip.decompress(whole)
    for name, content in {
        "empty.nii": b"",
        "empty.nii.gz": b"",
        "text.nii": b"these are no labels" * 100,
        "text.nii.gz": b"these are no labels" * 100,
        "cut.nii": plain[:-1],
        "header.nii": plain[:200],
        "cut.nii.gz": whole[:-100],
        "short.nii.gz": gzip.compress(plain[:-100]),
        "long.nii.gz": gzip.compress(plain + bytes(2 << 20)),
        "checksum.nii.gz": whole[:-6] + b"\0\0" + whole[-4:],
        "damaged.nii.gz": whole[:900] + b"\0" * 8 + whole[908:],
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SchemaError, match=rf"whole NIfTI file.* - at .*{name}"):
            read_volume(path)


def test_a_limit_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="at most 20 voxels, got 24: max_voxels lifts"):
        read_volume(path, max_voxels=20)
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[42:48] = np.array([32000] * 3, np.int16).tobytes()  # the extents, at byte 42
    path.write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(InputError, match="got 32,768,000,000,000"):
        read_volume(path)
    array = tmp_path / "a.npy"
    np.save(array, LABELS)
    with pytest.raises(InputError, match="at most 20 voxels"):
        read_volume(array, spacing=1, max_voxels=20)


def test_without_nibabel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = nifti(tmp_path / "a.nii")
    imported = builtins.__import__

    def refused(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "nibabel":
            raise ImportError(name)
        return imported(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refused)
    with pytest.raises(MissingExtraError, match=r"snellen\[volumes\]"):
        read_volume(path)


# ---- Pairs --------------------------------------------------------------------------------------


def test_a_pair(tmp_path: Path) -> None:
    truth, pred = nifti(tmp_path / "t.nii"), nifti(tmp_path / "p.nii.gz", LABELS[::-1])
    one, other = read_volume_pair(truth, pred)
    assert np.array_equal(one.values, LABELS.T)
    assert np.array_equal(other.values, LABELS[::-1].T)


AFFINE = np.diag([0.5, 0.75, 3.0, 1.0])


def moved(by: float) -> Any:
    affine = AFFINE.copy()
    affine[0, 3] = by
    return affine


FLIPPED = AFFINE @ np.array([[-1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


@pytest.mark.parametrize(
    ("affine", "message"),
    [
        (np.diag([0.5, 0.75, 3.1, 1.0]), r"one spacing, got 3 × 0\.75 × 0\.5 and 3\.1 × 0\.75"),
        (FLIPPED, "at the same places, got orientations RAS and LAS"),
        (moved(7.5), r"at the same places, got voxels up to 7\.5 mm apart"),
        (moved(0.006), r"0\.006 mm apart"),  # the least distance is 0.5 mm, 1 % of it 0.005
    ],
)
def test_voxels_at_other_places(tmp_path: Path, affine: Any, message: str) -> None:
    truth, pred = nifti(tmp_path / "t.nii"), nifti(tmp_path / "p.nii", affine=affine)
    with pytest.raises(InputError, match=rf"{message}.* - at .*t\.nii and .*p\.nii"):
        read_volume_pair(truth, pred)


def test_voxels_that_are_apart_by_rounding(tmp_path: Path) -> None:
    truth, pred = nifti(tmp_path / "t.nii"), nifti(tmp_path / "p.nii", affine=moved(0.004))
    read_volume_pair(truth, pred)


def test_other_shapes(tmp_path: Path) -> None:
    truth, pred = nifti(tmp_path / "t.nii"), nifti(tmp_path / "p.nii", LABELS[1:])
    with pytest.raises(ShapeError, match=r"\(4, 3, 2\) and \(4, 3, 1\) - at .*t\.nii and .*p\.nii"):
        read_volume_pair(truth, pred)


def test_an_array_beside_a_nifti_file(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", LABELS.T)
    truth = nifti(tmp_path / "t.nii")
    one, other = read_volume_pair(truth, tmp_path / "p.npy", spacing=(3, 0.75, 0.5))
    assert np.array_equal(one.values, other.values)


def test_real_files(conformance_data: Path) -> None:
    folder = conformance_data / "segmentation/picai_maps"
    labels = sorted(folder.glob("*_label.nii.gz"))
    if not labels:
        pytest.skip(f"no NIfTI files in {folder}")
    for path in labels:
        volume = read_volume(path)
        assert volume.values.shape == (3, 32, 32)
        assert volume.spacing == (1.0, 1.0, 1.0)
        assert np.array_equal(volume.values, np.asarray(nibabel.load(path).dataobj).T)
