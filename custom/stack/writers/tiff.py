"""Multi-page TIFF with the voxel size."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.imagej import imagej_description, resolution
from custom.stack.writers.label_table import ome_annotation, tiff_tags

CLASSIC_LIMIT = 2**32 - 2**25  # offsets have 32 bits; the last 32 MB are left to the tags
PAGE_OVERHEAD = 1024  # bytes, more than the tags of a page and what zlib adds to noise take


class TiffEncoder(Encoder):
    """A .tif file, one zlib-compressed page per slice.

    Up to about 4 GB before compression it is a classic TIFF that ImageJ opens as a calibrated stack; beyond, a BigTIFF
    with OME-XML, which Fiji opens through Bio-Formats.
    """

    suffix = ".tif"

    def __init__(self, target: Path, layout: Layout) -> None:
        self._layout = layout
        self._big = layout.nbytes + layout.shape[0] * PAGE_OVERHEAD > CLASSIC_LIMIT
        self._low, self._high = np.inf, -np.inf
        self._file = open(target, "r+b")  # noqa: SIM115  (open until the last slab)
        self._tiff = tifffile.TiffWriter(self._file, bigtiff=self._big, byteorder="<")

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        self._low = min(self._low, float(np.fmin.reduce(slab, axis=None)))
        self._high = max(self._high, float(np.fmax.reduce(slab, axis=None)))
        for z, plane in enumerate(slab, start):
            self._tiff.write(
                plane,
                photometric="minisblack",
                compression="zlib",
                description=self._description() if z == 0 else None,
                resolution=resolution(self._layout),
                resolutionunit="none",
                metadata=None,
                extratags=tiff_tags(self._layout.classes) if z == 0 and self._layout.several else (),
            )

    def finish(self) -> None:
        self._tiff.close()
        if not self._big:
            self._file.seek(0)
            with tifffile.TiffFile(self._file) as tiff:
                tiff.pages.first.tags["ImageDescription"].overwrite(self._description())
        self._file.close()

    def release(self) -> None:
        self._file.close()

    def _description(self) -> bytes:
        if self._big:
            return _ome_xml(self._layout)
        return imagej_description(self._layout, self._layout.shape[0], self._low, self._high)


def _ome_xml(layout: Layout) -> bytes:
    sizes: dict[str, Any] = {}
    if layout.voxel_size_um is not None:
        for axis, size in zip("ZYX", layout.voxel_size_um, strict=True):
            sizes |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    if layout.several:
        sizes["MapAnnotation"] = ome_annotation(layout.classes)
    z, y, x = layout.shape
    ome = tifffile.OmeXml(UUID=str(uuid.uuid5(uuid.NAMESPACE_URL, repr(layout))))  # equal stacks stay equal bytes
    ome.addimage(layout.dtype, layout.shape, (z, 1, 1, y, x, 1), axes="ZYX", **sizes)
    return ome.tostring(declaration=True).encode("ascii", "xmlcharrefreplace")  # TIFF strings are ASCII
