"""NRRD with attached header, gzip-compressed."""

from pathlib import Path
from typing import Any

import nrrd
import numpy.typing as npt

from custom.stack.place import LPS_TO_RAS
from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.gzip_stream import GzipStream
from custom.stack.writers.label_table import segments

TYPE_NAMES = {"float32": "float", "float64": "double"}  # the integer types have the same names in NRRD and numpy


class NrrdEncoder(Encoder):
    """A .nrrd file: a plain-text header, then (Z, Y, X) in C order, which is NRRD's x fastest."""

    suffix = ".nrrd"
    segmentation = ".seg"  # a name that ends so is one to 3D Slicer, however few classes it holds

    def __init__(self, target: Path, layout: Layout) -> None:
        self._stream = GzipStream(target, plain=_header(layout))

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        self._stream.write_slices(slab)

    def finish(self) -> None:
        self._stream.finish()

    def release(self) -> None:
        self._stream.close()


def _header(layout: Layout) -> bytes:
    """The header, size and directions of the voxels as space directions (https://teem.sourceforge.net/nrrd/format.html).

    The space is ITK's and Slicer's own (left, posterior, superior). They take any unit for mm, so that numbers are those
    that they see in the stack's own file: over an image in um, a mask in mm would lie a thousand times too small.
    """
    fields = {
        "type": TYPE_NAMES.get(layout.dtype.name, layout.dtype.name),
        "dimension": "3",
        "sizes": nrrd.format_number_list(layout.shape[::-1]),
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "gzip",
    }
    if layout.spacing_mm is not None or layout.place is not None:
        fields["space"] = "left-posterior-superior"
        lps = layout.lps_mm if layout.place is None else LPS_TO_RAS @ layout.place.seen
        fields["space directions"] = nrrd.format_matrix(lps[:3, :3].T + 0.0)  # no -0
        fields["space units"] = " ".join([f'"{_unit(layout)}"'] * 3)
        fields["space origin"] = nrrd.format_vector(lps[:3, 3] + 0.0)
    lines = ["NRRD0005", *(f"{name}: {value}" for name, value in fields.items())]
    if layout.several or layout.name.endswith(NrrdEncoder.segmentation):
        told = segments(layout.classes, layout.shape).items()
        lines += [f"{key}:={value.replace(chr(92), chr(92) * 2)}" for key, value in told]  # as NRRD escapes a backslash
    return "\n".join([*lines, "", ""]).encode("utf-8")


def _unit(layout: Layout) -> str:
    """Of the lengths in the header; the empty one, which NRRD has for an unknown unit, where no size is known."""
    if layout.voxel_size_um is None:
        return ""
    place = layout.place
    return "mm" if place is None or place.unit is None or place.mm == place.seen_mm else place.unit
