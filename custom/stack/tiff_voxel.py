"""The voxel size that a TIFF file states."""

from typing import Any
from xml.etree import ElementTree

from tifffile import TiffFile, TiffPage

from custom.stack.units import VoxelSize, first_stated, stated_voxel_size, to_um

_UNIT_TAGS = {2: "inch", 3: "cm"}
_FINEST_UM, _COARSEST_UM = 0.01, 20.0
_UM_PER_INCH = 25.4e3


def tiff_voxel_size(tiff: TiffFile, page: TiffPage) -> VoxelSize | None:
    """From OME-XML, else ImageJ metadata, else the resolution tags of the first slice where they are a measurement."""
    return first_stated(
        _from_ome(tiff.ome_metadata) if tiff.is_ome and tiff.ome_metadata else None,
        _from_imagej(page, tiff.imagej_metadata) if tiff.is_imagej and tiff.imagej_metadata else None,
        _from_resolution(page),
    )


def _from_ome(xml: str) -> VoxelSize | None:
    pixels = next((node for node in ElementTree.fromstring(xml).iter() if node.tag.endswith("}Pixels")), None)
    if pixels is None:
        return None
    zyx: list[float | None] = []
    for axis in "ZYX":
        size = pixels.get(f"PhysicalSize{axis}")
        try:  # the OME model's default unit is the micrometre
            zyx.append(None if size is None else to_um(float(size), pixels.get(f"PhysicalSize{axis}Unit", "um")))
        except ValueError:
            return None
    return stated_voxel_size(zyx, "um", "OME-XML")


def _from_imagej(page: TiffPage, metadata: dict[str, Any]) -> VoxelSize | None:
    """`spacing` is missing for a single slice, and for stacks whose slice spacing nobody has set."""
    unit = metadata.get("unit") or _UNIT_TAGS.get(int(page.resolutionunit))
    spacing = metadata.get("spacing")
    return stated_voxel_size(
        [spacing, _pixel(page, "YResolution"), _pixel(page, "XResolution")], unit, "ImageJ metadata"
    )


def _from_resolution(page: TiffPage) -> VoxelSize | None:
    """Plain resolution tags, unless they are meant for printing.

    Most writers put 72, 96 or 300 dots per inch without meaning it. Taken as a measurement is only a pixel between 10 nm
    and 20 um (1270 dots per inch) that is no round hundred below 10,000 dots per inch, as scanners and printers have.
    """
    unit = _UNIT_TAGS.get(int(page.resolutionunit))
    size = stated_voxel_size([None, _pixel(page, "YResolution"), _pixel(page, "XResolution")], unit, "TIFF resolution")
    if size is None or not _FINEST_UM <= size.um[2] <= _COARSEST_UM:
        return None
    hundreds = _UM_PER_INCH / size.um[2] / 100
    return None if abs(hundreds - round(hundreds)) < 1e-4 * hundreds and hundreds < 100 else size


def _pixel(page: TiffPage, tag: str) -> float | None:
    """Length of a pixel in the resolution's unit; the tag holds pixels per unit as a fraction."""
    value = page.tags.valueof(tag)
    if not isinstance(value, tuple) or len(value) != 2 or not value[0] or not value[1]:
        return None
    return float(value[1]) / float(value[0])
