"""NRRD with attached header, gzip-compressed."""

from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import numpy.typing as npt

from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.gzip_stream import GzipStream

TYPE_NAMES = {"float32": "float", "float64": "double"}  # the integer types have the same names in NRRD and numpy


class NrrdEncoder(Encoder):
    """A .nrrd file: a plain-text header, then (Z, Y, X) in C order, which is NRRD's x fastest."""

    suffix = ".nrrd"

    def __init__(self, target: Path, layout: Layout) -> None:
        self._stream = GzipStream(target, plain=_header(layout))

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        self._stream.write_slices(slab)

    def finish(self) -> None:
        self._stream.finish()

    def release(self) -> None:
        self._stream.close()


def _header(layout: Layout) -> bytes:
    """The header, the voxel size as space directions in mm (https://teem.sourceforge.net/nrrd/format.html).

    The space is ITK's and Slicer's own (left, posterior, superior), so that neither turns the stack around.
    """
    fields = {
        "type": TYPE_NAMES.get(layout.dtype.name, layout.dtype.name),
        "dimension": "3",
        "sizes": nrrd.format_number_list(layout.shape[::-1]),
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "gzip",
    }
    if layout.spacing_mm is not None:
        fields["space"] = "left-posterior-superior"
        fields["space directions"] = nrrd.format_matrix(np.diag(layout.spacing_mm))
        fields["space units"] = '"mm" "mm" "mm"'
        fields["space origin"] = nrrd.format_vector(np.zeros(3))
    lines = ["NRRD0005", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\n".join(lines).encode("ascii")
