"""How ImageJ has the voxel size in a TIFF file: pixels per unit in the tags, the unit and z in the description."""

from typing import Any

import tifffile

from custom.stack.writers.encoder import Layout


def imagej_description(layout: Layout, slices: int, low: float, high: float) -> bytes:
    """The description of a file that holds `slices` slices of the stack.

    Its display range, the least and the highest finite value, makes a mask of 0 and 1 visible, not black on black. Of
    several classes it is 0 to 255, which leaves each the colour of its value.
    """
    if layout.several:
        low, high = 0, 255
    metadata: dict[str, Any] = {}
    if layout.voxel_size_um is not None:
        metadata |= {"unit": "um", "spacing": layout.voxel_size_um[0]}
    if low < high:
        metadata |= {"min": low, "max": high}
    shape = (slices, *layout.shape[1:])
    return tifffile.imagej_description(shape, axes="ZYX", hyperstack=False, **metadata).encode()


def resolution(layout: Layout) -> tuple[float, float] | None:
    """Pixels per micrometre along x and y, for tags whose own unit is none; None when unknown."""
    size = layout.voxel_size_um
    return None if size is None else (1 / size[2], 1 / size[1])
