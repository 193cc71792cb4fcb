"""Files that state two voxel sizes: the warning says both and which is taken."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile

from custom.stack import open_stack

VOXELS = np.zeros((3, 8, 9), np.uint8)
OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels '
    'ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="9" SizeY="8" SizeZ="3" SizeC="1" SizeT="1" '
    'PhysicalSizeX="{0}" PhysicalSizeY="{0}" PhysicalSizeZ="{0}"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
    "<TiffData/></Pixels></Image></OME>"
)


def ome_and_tags(path: Path, ome_um: float, tag_um: float) -> Path:
    resolution = (1e4 / tag_um, 1e4 / tag_um)
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    with tifffile.TiffWriter(path) as writer:
        for z, plane in enumerate(VOXELS):
            description = OME.format(ome_um) if z == 0 else None
            writer.write(plane, description=description, resolution=resolution, resolutionunit="CENTIMETER", **options)
    return path


def imagej(path: Path, um: float, voxels: np.ndarray = VOXELS, **options: Any) -> Path:
    metadata = {"unit": "um", "spacing": um}
    tifffile.imwrite(path, voxels, imagej=True, resolution=(1 / um, 1 / um), metadata=metadata, **options)
    return path


def test_ome_xml_and_resolution_tags(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = ome_and_tags(tmp_path / "s.ome.tif", 1.33, 2.66)
    for _ in range(2):
        assert open_stack(path).voxel_size_um == (1.33, 1.33, 1.33)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{path}: states two voxel sizes (z, y, x), 1.33 x 1.33 x 1.33 um (OME-XML) and 2.66 x 2.66 x 2.66 um "
        "(TIFF resolution (slice spacing taken equal to the pixel size)); the first is taken, give --voxel_size_um if it "
        "is wrong."
    )


def test_imagej_metadata_and_resolution_unit(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """1,000 pixels per unit: ImageJ calls the unit the millimetre, the tag the centimetre."""
    metadata, resolution = {"unit": "mm", "spacing": 0.001}, (1000, 1000)
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, VOXELS, imagej=True, resolution=resolution, resolutionunit="CENTIMETER", metadata=metadata)
    assert open_stack(path).voxel_size_um == pytest.approx((1, 1, 1))
    assert "1 x 1 x 1 um (ImageJ metadata) and 10 x 10 x 10 um (TIFF resolution" in caplog.text


def test_nifti_zooms_and_sform(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    image = nibabel.Nifti1Image(VOXELS.transpose(2, 1, 0), np.diag([1.33, 1.33, 1.33, 1]))
    image.header.set_xyzt_units("micron")
    image.header.set_sform(np.diag([2.0, 2.0, 2.0, 1]), code="scanner")
    image.to_filename(tmp_path / "written.nii")
    content = bytearray((tmp_path / "written.nii").read_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]))
    header.set_sform(np.diag([2.0, 2.0, 2.0, 1]), code="scanner")
    header["pixdim"][1:4] = 1.33
    content[:348] = header.binaryblock
    (tmp_path / "s.nii").write_bytes(content)
    assert open_stack(tmp_path / "s.nii").voxel_size_um == (1.33, 1.33, 1.33)
    assert "1.33 x 1.33 x 1.33 um (NIfTI header) and 2 x 2 x 2 um (NIfTI sform)" in caplog.text


def test_slices_of_one_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for z, um in enumerate((1.33, 1.33, 2.0, 4.0)):
        imagej(tmp_path / f"{z}.tif", um, VOXELS[0])
    assert open_stack(tmp_path).voxel_size_um == pytest.approx((1.33, 1.33, 1.33))
    (record,) = caplog.records
    assert "and 2 x 2 x 2 um (ImageJ metadata of 2.tif); the first is taken" in record.getMessage()


def test_no_warning_where_they_agree_or_where_one_is_given(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_stack(ome_and_tags(tmp_path / "s.ome.tif", 1.33, 1.3299))
    open_stack(ome_and_tags(tmp_path / "t.ome.tif", 1.33, 2.66), voxel_size_um=5)
    open_stack(imagej(tmp_path / "u.tif", 1.33))
    assert not caplog.records


def test_both_byte_orders_in_one_folder(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 1 << 16, (6, 8, 9), np.uint16)
    for z, plane in enumerate(voxels):
        compression = "zlib" if z % 3 == 0 else None
        tifffile.imwrite(tmp_path / f"{z}.tif", plane, byteorder=">" if z % 2 else "<", compression=compression)
    read = open_stack(tmp_path).read(0, 6)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, voxels)
