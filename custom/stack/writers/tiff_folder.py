"""A folder of 2-D TIFF slices with the voxel size in each."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.imagej import imagej_description, resolution
from custom.stack.writers.label_table import tiff_tags

FEWEST_DIGITS = 5  # as in the recon_00000.tiff of the beamlines; more where a stack has more slices


class TiffFolderEncoder(Encoder):
    """A folder NAME_tiff with NAME_00000.tif, NAME_00001.tif, ..., one zlib-compressed slice a file.

    Each is a classic TIFF that ImageJ opens with its voxel size, the distance of the slices included. The folder does not
    end in `.tif`, which would be the name of the single file.
    """

    suffix = "_tiff"
    folder = True

    def __init__(self, target: Path, layout: Layout) -> None:
        self._target = target
        self._layout = layout
        self._digits = max(FEWEST_DIGITS, len(str(layout.shape[0] - 1)))

    def append(self, start: int, slab: npt.NDArray[Any]) -> None:
        for z, plane in enumerate(slab, start):
            low, high = float(np.fmin.reduce(plane, axis=None)), float(np.fmax.reduce(plane, axis=None))
            with open(self._target / f"{self._layout.name}_{z:0{self._digits}d}.tif", "xb") as file:
                tifffile.imwrite(
                    file,
                    plane,
                    byteorder="<",
                    photometric="minisblack",
                    compression="zlib",
                    description=imagej_description(self._layout, 1, low, high),
                    resolution=resolution(self._layout),
                    resolutionunit="none",
                    metadata=None,
                    extratags=tiff_tags(self._layout.classes) if self._layout.several else (),
                )

    def finish(self) -> None:
        """Nothing is pending: every slice is a closed file when `append` returns."""

    def release(self) -> None:
        """Nothing is held open between slabs."""
