"""One volume, written in every format by a library that is not this project's, opens the same everywhere."""

from collections.abc import Callable
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr
from ome_zarr.format import Format, FormatV04, FormatV05
from ome_zarr.writer import write_image

from custom.stack import grey_window, open_stack

VOXELS = np.random.default_rng(0).integers(0, 1 << 16, (9, 20, 23), np.uint16)
ZYX_UM = (2.5, 1.25, 1.6)
ZYX_MM = tuple(size / 1000 for size in ZYX_UM)
PER_UM = (1 / ZYX_UM[2], 1 / ZYX_UM[1])


def tiff_folder(path: Path) -> None:
    path.mkdir()
    for z, plane in enumerate(VOXELS, 5):
        tifffile.imwrite(path / f"recon_{z}.tiff", plane)


def imagej(path: Path) -> None:
    metadata = {"axes": "ZYX", "unit": "um", "spacing": ZYX_UM[0]}
    tifffile.imwrite(path, VOXELS, imagej=True, resolution=PER_UM, metadata=metadata)


def imagej_hyperstack(path: Path) -> None:
    metadata = {"axes": "ZCYX", "unit": "um", "spacing": ZYX_UM[0]}
    both = np.stack([VOXELS[::-1], VOXELS], axis=1)
    tifffile.imwrite(path, both, imagej=True, resolution=PER_UM, metadata=metadata, compression="zlib")


def ome_tiff(path: Path) -> None:
    sizes = {f"PhysicalSize{axis}": size for axis, size in zip("ZYX", ZYX_UM, strict=True)}
    tifffile.imwrite(path, VOXELS, ome=True, compression="lzw", byteorder=">", metadata={"axes": "ZYX", **sizes})


def hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("/exchange/data", data=VOXELS, chunks=(2, 8, 8), compression="gzip")
        dataset.attrs["element_size_um"] = ZYX_UM


def ome_zarr(fmt: Format, version: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        write_image(
            VOXELS,
            zarr.create_group(path, zarr_format=2 if version == 2 else 3),
            axes="zyx",
            fmt=fmt,
            scale=dict(zip("zyx", ZYX_UM, strict=True)),
            axes_units=dict.fromkeys("zyx", "micrometer"),
            scale_factors=[{"z": 1, "y": 2, "x": 2}],
        )

    return write


def nifti(unit: str, factor: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        image = nibabel.Nifti1Image(VOXELS.transpose(2, 1, 0), np.diag([*(size * factor for size in ZYX_UM[::-1]), 1]))
        image.header.set_xyzt_units(unit)
        nibabel.save(image, path)

    return write


def itk(path: Path) -> None:
    image = SimpleITK.GetImageFromArray(VOXELS)
    image.SetSpacing(ZYX_MM[::-1])
    SimpleITK.WriteImage(image, str(path), True)


# name of the file -> (what writes it, whether the format states a voxel size)
FILES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "folder": (tiff_folder, False),
    "pages.tif": (lambda path: tifffile.imwrite(path, VOXELS, photometric="minisblack", compression="zlib"), False),
    "imagej.tif": (imagej, True),
    "hyperstack.tif": (imagej_hyperstack, True),
    "s.ome.tif": (ome_tiff, True),
    "itk.tif": (itk, False),  # ITK drops the spacing of the slices and the unit
    "s.h5": (hdf5, True),
    "v2.zarr": (lambda path: zarr.create_array(path, data=VOXELS, chunks=(4, 8, 8), zarr_format=2), False),
    "v3.zarr": (lambda path: zarr.create_array(path, data=VOXELS, chunks=(4, 8, 8), zarr_format=3), False),
    "ome_0.4.zarr": (ome_zarr(FormatV04(), 2), True),
    "ome_0.5.zarr": (ome_zarr(FormatV05(), 3), True),
    "micron.nii.gz": (nifti("micron", 1), True),
    "mm.nii": (nifti("mm", 0.001), True),
    "itk.nii.gz": (itk, True),
    "s.mha": (itk, True),
    "s.nrrd": (itk, True),  # without a unit, which ITK leaves away for mm
    "s.npy": (lambda path: np.save(path, VOXELS), False),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_volume(name: str, tmp_path: Path) -> None:
    write, stated = FILES[name]
    write(tmp_path / name)
    stack = open_stack(tmp_path / name, stack_index=1 if name == "hyperstack.tif" else None)
    assert (stack.shape, stack.dtype) == (VOXELS.shape, VOXELS.dtype)
    np.testing.assert_array_equal(stack.read(0, 9), VOXELS)
    np.testing.assert_array_equal(stack.read(4, 6), VOXELS[4:6])
    assert grey_window(stack) == grey_window(VOXELS)
    assert stack.voxel_size_um == (pytest.approx(ZYX_UM, rel=1e-5) if stated else None)
