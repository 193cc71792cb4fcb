"""Where a file's voxels lie, against ITK, nibabel and the formats' own rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import zarr

from custom.stack import Place, open_stack

VOXELS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)  # (Z, Y, X)
SPACING = (0.00133, 0.002, 0.0031)  # (x, y, z) in mm
ORIGIN = (5.0, -6.5, 7.25)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, 0.28, -0.96], [0, 0.96, 0.28]])


def affine(direction: np.ndarray, spacing: Sequence[float] = SPACING, origin: Sequence[float] = ORIGIN) -> np.ndarray:
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = direction * np.asarray(spacing), origin
    return found


def itk_affine(path: Path) -> np.ndarray:
    """From voxel numbers (x, y, z) to mm (RAS) as ITK reads the file, which says mm to the left and to the back."""
    image = SimpleITK.ReadImage(str(path))
    rank = image.GetDimension()
    found = np.eye(4)
    direction = np.reshape(image.GetDirection(), (rank, rank))
    found[:rank, :rank], found[:rank, 3] = direction * image.GetSpacing(), image.GetOrigin()
    return LPS @ found


def place(path: Path) -> Place:
    found = open_stack(path).place
    assert found is not None
    return found


def nifti(path: Path, matrix: np.ndarray, codes: tuple[int, int] = (2, 0), unit: str = "mm", **fields: Any) -> Path:
    image = nibabel.Nifti1Image(VOXELS.transpose(), matrix)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    content = bytearray(path.read_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]))
    header.set_sform(matrix, codes[0])
    header.set_qform(matrix, codes[1])
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    path.write_bytes(content)
    return path


DIRECTIONS = {
    "ras": np.eye(3),
    "lps": np.diag([-1.0, -1, 1]),
    "one flip": np.diag([-1.0, 1, 1]),
    "axes exchanged": np.eye(3)[[2, 0, 1]],
    "turned": TURN,
}


@pytest.mark.parametrize("unit", ["mm", "micron", "meter", "unknown"])
@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (2, 1), (0, 0)])
def test_nifti_forms_and_units(codes: tuple[int, int], unit: str, tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", affine(TURN), codes, unit)
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(path), rtol=1e-5, atol=1e-6)
    assert (place(path).stated, place(path).known) == (codes != (0, 0), unit != "unknown")


@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_what_itk_has_written(suffix: str, direction: np.ndarray, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    image.SetDirection(direction.ravel())
    SimpleITK.WriteImage(image, str(tmp_path / f"a{suffix}"))
    stack = open_stack(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(stack.affine, LPS @ affine(direction), rtol=1e-6, atol=1e-6)
    assert stack.voxel_size_um == pytest.approx([1000 * size for size in SPACING[::-1]], rel=1e-6)
    assert stack.place is not None and stack.place.stated


def test_nifti_with_a_slope_has_its_place_too(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", affine(TURN), scl_slope=2.0, scl_inter=1.0)
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(path), atol=1e-6)


def test_two_different_places_in_one_nifti(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = nifti(tmp_path / "a.nii", affine(np.eye(3)), (2, 1), qoffset_x=ORIGIN[0] + 0.0133)
    np.testing.assert_allclose(place(path).affine, nibabel.load(path).affine)
    assert "a.nii: states two places, the last voxels of its sform and its qform lie 10 voxels apart" in caplog.text


@pytest.mark.parametrize("fields", [{"srow_x": 0, "srow_y": 0, "srow_z": 0}, {"srow_x": np.nan}])
def test_a_form_that_spans_no_space_is_none(fields: dict[str, Any], tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", affine(np.eye(3)), (2, 1), **fields)
    np.testing.assert_allclose(place(path).affine, affine(np.eye(3)), rtol=1e-6)
    lost = nifti(tmp_path / "b.nii", affine(np.eye(3)), (2, 0), **fields)
    assert not place(lost).stated


def test_zooms_are_the_size_where_the_sform_says_another(tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", affine(TURN), (2, 0), pixdim=[1, 0.5, 0.5, 0.5, 0, 0, 0, 0])
    np.testing.assert_allclose(place(path).affine, affine(TURN, (0.5,) * 3), atol=1e-6)


def write_nrrd(path: Path, lines: Sequence[str], sizes: str = "5 4 3") -> Path:
    head = ["NRRD0005", "type: uint8", f"dimension: {len(sizes.split())}", f"sizes: {sizes}", "encoding: raw"]
    path.write_bytes("\n".join([*head, *lines, "", ""]).encode() + VOXELS.tobytes())
    return path


DIAGONAL = "space directions: (0.00133,0,0) (0,0.002,0) (0,0,0.0031)"
AT = "space origin: (5,-6.5,7.25)"


@pytest.mark.parametrize(
    "space",
    [
        *("left-posterior-superior", "LPS", "right-anterior-superior", "RAS", "left-anterior-superior", "LAS"),
        *("Right-Anterior-Superior", "scanner-xyz", "3D-right-handed", "3D-left-handed"),
    ],
)
@pytest.mark.parametrize("unit", [[], ['space units: "um" "um" "um"'], ['space units: "" "" ""']])
def test_nrrd_spaces(space: str, unit: list[str], tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "a.nrrd", [f"space: {space}", DIAGONAL, AT, *unit])
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(path), atol=1e-9)
    in_mm = not unit and not space.startswith("3D")  # as ITK and 3D Slicer write it
    known = pytest.approx((3.1, 2, 1.33) if in_mm else (0.0031, 0.002, 0.00133)) if in_mm or "um" in str(unit) else None
    assert open_stack(path).voxel_size_um == known


@pytest.mark.parametrize(
    ("lines", "sizes"),
    [
        (["space: LPS", "space directions: (0,0,2) (-3,0,0) (0,4,0)", AT], "5 4 3"),
        (["space dimension: 3", DIAGONAL, AT], "5 4 3"),
        (["space: LPS", DIAGONAL], "5 4 3"),
        (["space: RAS", DIAGONAL.replace(": ", ": none "), "kinds: vector domain domain domain", AT], "1 5 4 3"),
        (["spacings: 2 3 4"], "5 4 3"),
        (["spacings: 2 3 4", "axis mins: 1 2 3"], "5 4 3"),
        (["spacings: 2 3 4", "axis mins: 1 2 3", "centers: node cell node"], "5 4 3"),
        (["space dimension: 2", "space directions: (0,2) (-3,0)", "space origin: (5,6)"], "5 12"),
        (["kinds: domain domain domain"], "5 4 3"),
    ],
)
def test_nrrd_headers(lines: list[str], sizes: str, tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "a.nrrd", lines, sizes)
    rank = min(len(sizes.split()), 3)
    found, wanted = open_stack(path).affine, itk_affine(path)
    np.testing.assert_allclose(found[:, [*range(rank), 3]], wanted[:, [*range(rank), 3]], atol=1e-9)


def test_a_nrrd_slice_in_a_space_of_three_dimensions(tmp_path: Path) -> None:
    """ITK does not read such a file; NRRD's definition says where its pixels are."""
    path = write_nrrd(tmp_path / "a.nrrd", ["space: RAS", "space directions: (0,2,0) (0,0,3)", AT], "5 12")
    np.testing.assert_allclose(open_stack(path).affine[:3, [0, 1, 3]], np.transpose([[0, 2, 0], [0, 0, 3], ORIGIN]))


@pytest.mark.parametrize(("number", "warned"), [(0.05, False), (1.33, True)])
def test_a_unit_that_nrrd_leaves_away_is_told_where_it_was_hardly_meant(
    number: float, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    header = {"space": "left-posterior-superior", "space directions": np.eye(3) * number}
    nrrd.write(str(tmp_path / "a.nrrd"), VOXELS, header)
    assert open_stack(tmp_path / "a.nrrd").voxel_size_um == pytest.approx((1000 * number,) * 3)
    assert ("a.nrrd: states no unit of length" in caplog.text) == warned
    nrrd.write(str(tmp_path / "b.nrrd"), VOXELS, {**header, "space directions": np.eye(3)})
    assert open_stack(tmp_path / "b.nrrd").voxel_size_um is None  # what a writer puts when it knows nothing


def write_mha(path: Path, lines: Sequence[str], sizes: str = "5 4 3") -> Path:
    head = ["ObjectType = Image", f"NDims = {len(sizes.split())}", "BinaryData = True", f"DimSize = {sizes}"]
    tail = ["ElementType = MET_UCHAR", "ElementDataFile = LOCAL", ""]
    path.write_bytes("\n".join([*head, *lines, *tail]).encode() + VOXELS.tobytes())
    return path


SIZE = "ElementSpacing = 0.00133 0.002 0.0031"


@pytest.mark.parametrize(
    "lines",
    [
        [SIZE],
        ["ElementSize = 0.00133 0.002 0.0031"],
        ["Offset = 5 -6.5 7.25"],
        *([SIZE, f"{name} = 5 -6.5 7.25"] for name in ("Offset", "Position", "Origin")),
        [SIZE, "Offset = 1 2 3", "Position = 4 5 6"],
        [SIZE, "Origin = 1 2 3", "Offset = 4 5 6"],
        *(
            [SIZE, f"{name} = 0 0.6 0.8 -1 0 0 0 -0.8 0.6", "Offset = 1 2 3"]
            for name in ("TransformMatrix", "Rotation")
        ),
        [SIZE, "Orientation = 0 1 0 -1 0 0 0 0 1", "CenterOfRotation = 10 20 30", "Offset = 1 2 3"],
        [SIZE, "AnatomicalOrientation = RAS", "Offset = 1 2 3"],
        ["ElementSpacing = -0.00133 0.002 0.0031", "Offset = 1 2 3"],
        [SIZE, "TransformMatrix = 1 0.2 0 0 1 0 0 0 1"],
    ],
)
def test_metaimage_headers(lines: list[str], tmp_path: Path) -> None:
    path = write_mha(tmp_path / "a.mha", lines)
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(path), atol=1e-9)
    if lines != ["Offset = 5 -6.5 7.25"]:
        assert open_stack(path).voxel_size_um == pytest.approx((3.1, 2, 1.33))
    assert place(path).stated == (len(lines) > 1 or "Offset" in lines[0])


def test_a_metaimage_in_another_unit(tmp_path: Path) -> None:
    path = write_mha(tmp_path / "a.mha", ["ElementSpacing = 1.33 2 3.1", "DistanceUnits = um"])
    assert open_stack(path).voxel_size_um == pytest.approx((3.1, 2, 1.33))
    np.testing.assert_allclose(open_stack(path).affine, itk_affine(path))  # ITK takes every unit for mm


def test_a_metaimage_slice(tmp_path: Path) -> None:
    lines = ["ElementSpacing = 2 3", "Offset = 5 6", "TransformMatrix = 0 1 -1 0"]
    path = write_mha(tmp_path / "a.mha", lines, "5 12")
    np.testing.assert_allclose(open_stack(path).affine[:, [0, 1, 3]], itk_affine(path)[:, [0, 1, 3]])


def ome_zarr(path: Path, level: list[Any], image: list[Any] | None = None, unit: str | None = "micrometer") -> Path:
    group = zarr.create_group(path, zarr_format=3)
    group.create_array("0", data=VOXELS)
    axes = [{"name": axis, "type": "space"} | ({"unit": unit} if unit else {}) for axis in "zyx"]
    described = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": level}]}
    described |= {"coordinateTransformations": image} if image else {}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [described]}
    return path


SCALE = {"type": "scale", "scale": [3, 2, 1.5]}
SHIFT = {"type": "translation", "translation": [30, 20, 10]}


@pytest.mark.parametrize(
    ("level", "image", "unit", "size", "origin"),
    [
        ([SCALE], [], "micrometer", (0.0015, 0.002, 0.003), None),
        ([SCALE, SHIFT], [], "micrometer", (0.0015, 0.002, 0.003), (0.01, 0.02, 0.03)),
        ([SCALE, SHIFT], [], "nanometer", (1.5e-6, 2e-6, 3e-6), (1e-5, 2e-5, 3e-5)),
        ([SCALE, SHIFT], [SCALE], "micrometer", (0.00225, 0.004, 0.009), (0.015, 0.04, 0.09)),
        ([SCALE], [SHIFT], "micrometer", (0.0015, 0.002, 0.003), (0.01, 0.02, 0.03)),
        ([SCALE, SHIFT], [], None, (1.5, 2, 3), (10, 20, 30)),
    ],
)
def test_ome_zarr(level: list[Any], image: list[Any], unit: str | None, size: Any, origin: Any, tmp_path: Path) -> None:
    path = ome_zarr(tmp_path / "a.zarr", level, image, unit)
    wanted = affine(np.eye(3), size, origin or (0, 0, 0))
    np.testing.assert_allclose(open_stack(path).affine, LPS @ wanted, rtol=1e-9)
    assert place(path).stated == (origin is not None)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: np.save(path / "a.npy", VOXELS) or path / "a.npy",
        lambda path: ome_zarr(path / "a.zarr", [{"type": "affine", "affine": []}]),
    ],
    ids=["npy", "zarr"],
)
def test_no_place(write: Callable[[Path], Path], tmp_path: Path) -> None:
    assert open_stack(write(tmp_path)).place is None


def test_a_given_size_keeps_direction_and_origin(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = nifti(tmp_path / "a.nii", affine(TURN))
    stack = open_stack(path, voxel_size_um=(4, 2, 3))
    np.testing.assert_allclose(stack.affine, affine(TURN, (0.003, 0.002, 0.004)), atol=1e-6)
    assert "voxels as 3.1 x 2 x 1.33 um, and --voxel_size_um makes them 4 x 2 x 3 um" in caplog.text
    caplog.clear()
    np.testing.assert_array_equal(open_stack(path, voxel_size_um=(3.1, 2, 1.33)).affine, open_stack(path).affine)
    assert not caplog.records


@pytest.mark.parametrize(("number", "unit"), [(1.33, "um"), (0.00133, "mm"), (7.0, None)])
def test_a_given_size_names_the_unit_of_numbers_that_have_none(number: float, unit: str | None, tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii", affine(TURN, (number,) * 3), unit="unknown")
    found = open_stack(path, voxel_size_um=1.33).place
    assert found is not None and found.unit == (unit or "mm")
    assert 1000 * found.mm * np.array(found.spacing) == pytest.approx((1.33,) * 3)
    np.testing.assert_allclose(found.affine[:3, 3], ORIGIN)
