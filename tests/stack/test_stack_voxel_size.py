"""The voxel size that files written by other libraries state, as (z, y, x) in micrometres."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile

from custom.base.errors import BadInput
from custom.stack import open_stack, to_um

VOXELS = np.zeros((3, 8, 9), np.uint8)
ZYX = (2.5, 1.25, 1.6)


@pytest.mark.parametrize(
    ("unit", "um"),
    [
        ("nm", 0.001),
        ("um", 1),
        ("\u00b5m", 1),
        ("\u03bcm", 1),
        ("\\u00B5m", 1),
        ("micron", 1),
        ("Microns", 1),
        ("micrometre", 1),
        ("mm", 1000),
        ("millimeters", 1000),
        ("cm", 10_000),
        ("m", 1e6),
        ("inch", 25_400),
        ("inches", 25_400),
    ],
)
def test_units(unit: str, um: float) -> None:
    assert to_um(2, unit) == pytest.approx(2 * um)


@pytest.mark.parametrize("unit", ["pixel", "", "s", "furlong"])
def test_no_units_of_length(unit: str) -> None:
    with pytest.raises(ValueError, match="unit of length"):
        to_um(1, unit)


def imagej(path: Path, yx: Sequence[float], voxels: np.ndarray = VOXELS, **metadata: object) -> Path:
    resolution = (1 / yx[1], 1 / yx[0])
    tifffile.imwrite(path, voxels, imagej=True, resolution=resolution, metadata=metadata)
    return path


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej(unit: str, tmp_path: Path) -> None:
    stack = open_stack(imagej(tmp_path / "s.tif", ZYX[1:], axes="ZYX", spacing=ZYX[0], unit=unit))
    assert stack.voxel_size_um == pytest.approx(ZYX)
    assert stack.voxel_size_source == "ImageJ metadata"


def test_imagej_in_millimetres(tmp_path: Path) -> None:
    path = imagej(tmp_path / "s.tif", (0.00125, 0.0016), spacing=0.0025, unit="mm")
    assert open_stack(path).voxel_size_um == pytest.approx(ZYX, rel=1e-4)


@pytest.mark.parametrize("voxels", [VOXELS[0], VOXELS])
def test_without_slice_spacing_voxels_are_cubes(voxels: np.ndarray, tmp_path: Path) -> None:
    stack = open_stack(imagej(tmp_path / "s.tif", (1.33, 1.33), voxels, unit="um"))
    assert stack.voxel_size_um == pytest.approx((1.33, 1.33, 1.33))
    assert stack.voxel_size_source == "ImageJ metadata (slice spacing taken equal to the pixel size)"
    assert open_stack(imagej(tmp_path / "t.tif", (1.25, 1.6), voxels, unit="um")).voxel_size_um is None


@pytest.mark.parametrize("metadata", [{}, {"unit": "pixel"}])
def test_imagej_without_unit(metadata: dict[str, Any], tmp_path: Path) -> None:
    stack = open_stack(imagej(tmp_path / "s.tif", ZYX[1:], spacing=2.5, **metadata))
    assert stack.voxel_size_um is None and stack.voxel_size_source is None


def test_folder_of_imagej_slices(tmp_path: Path) -> None:
    for z in range(3):
        imagej(tmp_path / f"{z}.tif", (1.33, 1.33), VOXELS[z], unit="um")
    assert open_stack(tmp_path).voxel_size_um == pytest.approx((1.33, 1.33, 1.33))


@pytest.mark.parametrize(("unit", "factor"), [("\u00b5m", 1), ("nm", 1000), ("mm", 0.001), (None, 1)])
def test_ome_tiff(unit: str | None, factor: float, tmp_path: Path) -> None:
    sizes: dict[str, object] = {f"PhysicalSize{axis}": size * factor for axis, size in zip("ZYX", ZYX, strict=True)}
    if unit:
        sizes |= {f"PhysicalSize{axis}Unit": unit for axis in "ZYX"}
    tifffile.imwrite(tmp_path / "s.ome.tif", VOXELS, ome=True, metadata={"axes": "ZYX", **sizes})
    stack = open_stack(tmp_path / "s.ome.tif")
    assert stack.voxel_size_um == pytest.approx(ZYX)
    assert stack.voxel_size_source == "OME-XML"


@pytest.mark.parametrize(
    ("per_unit", "unit", "um"),
    [
        (10_000 / 1.33, "CENTIMETER", 1.33),
        (25_400 / 1.33, "INCH", 1.33),
        (10_000, "CENTIMETER", 1.0),
        (72, "INCH", None),
        (96, "INCH", None),
        (300, "INCH", None),
        (2400, "INCH", None),
        (4800 / 2.54, "CENTIMETER", None),
        (118.11, "CENTIMETER", None),
        (10_000 / 1.33, "NONE", None),
        (1, "CENTIMETER", None),
    ],
)
def test_plain_resolution_counts_only_where_it_is_a_measurement(
    per_unit: float, unit: str, um: float | None, tmp_path: Path
) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, VOXELS, resolution=(per_unit, per_unit), resolutionunit=unit, photometric="minisblack")
    assert open_stack(path).voxel_size_um == (None if um is None else pytest.approx((um, um, um), rel=1e-4))


def nifti(path: Path, unit: str | None, zyx: Sequence[float]) -> Path:
    image = nibabel.Nifti1Image(VOXELS.transpose(2, 1, 0), np.diag([*zyx[::-1], 1]))
    image.header.set_xyzt_units(xyz=unit)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(("unit", "factor"), [("micron", 1), ("mm", 1e-3), ("meter", 1e-6)])
def test_nifti(unit: str, factor: float, tmp_path: Path) -> None:
    stack = open_stack(nifti(tmp_path / "s.nii.gz", unit, [size * factor for size in ZYX]))
    assert stack.voxel_size_um == pytest.approx(ZYX, rel=1e-5)
    assert stack.voxel_size_source == "NIfTI header"


def test_nifti_states_nothing(tmp_path: Path) -> None:
    assert open_stack(nifti(tmp_path / "s.nii", None, ZYX)).voxel_size_um is None
    assert open_stack(nifti(tmp_path / "t.nii", "mm", (1, 1, 1))).voxel_size_um is None
    assert open_stack(nifti(tmp_path / "u.nii", "micron", (1, 1, 1))).voxel_size_um == (1, 1, 1)


def itk(path: Path, spacing_mm: Sequence[float] | None) -> Path:
    image = SimpleITK.GetImageFromArray(VOXELS)
    if spacing_mm:
        image.SetSpacing(spacing_mm)
    SimpleITK.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("suffix", [".mha", ".mhd", ".nii.gz"])
def test_itk_spacing_is_in_millimetres(suffix: str, tmp_path: Path) -> None:
    stated = open_stack(itk(tmp_path / f"s{suffix}", (0.0016, 0.00125, 0.0025)))
    assert stated.voxel_size_um == pytest.approx(ZYX, rel=1e-5)
    assert open_stack(itk(tmp_path / f"t{suffix}", None)).voxel_size_um is None


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ({"space dimension": 3, "space units": ["um"] * 3, "space directions": np.diag(ZYX[::-1])}, True),
        ({"space dimension": 3, "space units": ["mm"] * 3, "space directions": np.diag(ZYX[::-1]) / 1000}, True),
        ({"spacings": list(ZYX[::-1]), "units": ["microns"] * 3}, True),
        ({"spacings": list(ZYX[::-1])}, False),
        ({"space": "left-posterior-superior", "space directions": np.diag(ZYX[::-1]) / 1000}, True),
        ({"space dimension": 3, "space directions": np.diag(ZYX[::-1])}, False),
        ({"spacings": list(ZYX[::-1]), "units": ["um", "um", "s"]}, False),
        ({}, False),
    ],
)
def test_nrrd(header: dict[str, object], known: bool, tmp_path: Path) -> None:
    nrrd.write(str(tmp_path / "s.nrrd"), VOXELS, header, index_order="C")
    stack = open_stack(tmp_path / "s.nrrd")
    assert stack.voxel_size_um == (pytest.approx(ZYX) if known else None)
    assert stack.voxel_size_source == ("NRRD header" if known else None)


@pytest.mark.parametrize("unit", [b"um", "\u00b5m".encode(), "\u03bcm".encode(), b"\xb5m"])
@pytest.mark.parametrize("field", ["units", "space units"])
def test_nrrd_in_micrometres_however_they_are_spelt(field: str, unit: bytes, tmp_path: Path) -> None:
    """Fiji writes the micro sign, of which pynrrd alone leaves metres."""
    sizes = {"spacings": [1.3] * 3} if field == "units" else {"space dimension": 3, "space directions": np.eye(3) * 1.3}
    path = tmp_path / "s.nrrd"
    nrrd.write(str(path), VOXELS, {**sizes, field: ["um"] * 3}, index_order="C")
    path.write_bytes(path.read_bytes().replace(b'"um"', b'"' + unit + b'"'))
    assert open_stack(path).voxel_size_um == pytest.approx((1.3,) * 3)


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
def test_a_data_file_whose_name_is_not_ascii(suffix: str, tmp_path: Path) -> None:
    voxels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(tmp_path / f"Zelle_\u00e4.{suffix}"))
    np.testing.assert_array_equal(open_stack(tmp_path / f"Zelle_\u00e4.{suffix}").read(0, 2), voxels)


@pytest.mark.parametrize("given", [1.33, [1.33] * 3, (1.33, 1.33, 1.33)])
def test_the_given_voxel_size_wins(given: float | Sequence[float], tmp_path: Path) -> None:
    stack = open_stack(imagej(tmp_path / "s.tif", ZYX[1:], spacing=9, unit="um"), voxel_size_um=given)
    assert stack.voxel_size_um == (1.33, 1.33, 1.33)
    assert stack.voxel_size_source == "given"


@pytest.mark.parametrize("given", [0, -1.0, float("nan"), float("inf"), [1, 2], [1, 2, 3, 4], [1, 2, 0], "fine"])
def test_an_unusable_voxel_size_is_refused(given: object, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VOXELS)
    with pytest.raises(BadInput, match=r"s\.npy: the voxel size given as .* greater than 0"):
        open_stack(tmp_path / "s.npy", voxel_size_um=given)  # type: ignore[arg-type]
