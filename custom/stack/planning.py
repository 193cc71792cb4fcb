"""How slices are read where chunks hold many: so that a pass over the stack decodes each chunk once.

Slab by slab, 200 sinograms of 256 x 256 were read 94 times for a mask of 200 slices.
"""

import math
from pathlib import Path

from custom.stack.layers import KeptLayers
from custom.stack.scratch import Scratch
from custom.stack.stack import Stack

KEPT_BYTES = 1 << 29  # half a GiB: 63 slices of 2048 x 2048 of 16 bits, as tall as h5py makes chunks by itself
KEPT_SLICES = 16  # more than that only where 16 slices take more


def plan_reading(stack: Stack, folder: Path | None, volume: str) -> None:
    """Let `stack` keep a layer of chunks in memory, or, where it is too tall for that, all voxels in files.

    Args:
        stack: as its format's reader opened it; one that is cut into single slices stays as it is.
        folder: for the files; see `Scratch`.
        volume: tells the volume apart from others of the same file.
    """
    stack.scratch_dir = folder
    if stack.grain is None or stack.grain.tallest == 1:
        return
    most = max(KEPT_BYTES // (math.prod(stack.shape[1:]) * stack.dtype.itemsize), KEPT_SLICES)
    fits = stack.grain.tallest <= most
    stack.between = KeptLayers(stack.grain) if fits else Scratch(stack.grain, most, folder, volume)
    stack.costly_again = fits and len(stack.grain.starts) > 1
