"""What stands for grey values outside the reconstruction: the region's fill, put in before anything is interpolated."""

from __future__ import annotations

import numpy as np

from custom.region.corners import corners_of
from custom.region.fields import Field
from custom.region.plan import Plan
from custom.region.record import Region
from custom.stack import Stack, outside, unseen_surround


class Filling:
    """Puts the fill where a field has no grey values: NaN, and the constant around a round reconstruction.

    Where the circle lies is found in the middle slice; a detector does not move between slices.

    Args:
        field, stack, plan: which field; slices come cut to the plan's boxes.
        fill: in the first field's grey scale.

    Attributes:
        own: the fill in this field's scale.
    """

    def __init__(self, field: Field, stack: Stack, plan: Plan, fill: float) -> None:
        self.plan = plan
        self.own = (fill - field.offset) / field.scale
        self.fill = float(np.rint(self.own)) if stack.dtype.kind in "iu" else self.own
        self.outside = _outside(stack)

    def __call__(self, z: int, box: np.ndarray) -> None:
        """Change the box of slice `z` in place."""
        if self.outside is not None:
            y, x = self.plan.corner[z]
            np.copyto(box, self.fill, where=self.outside[y : y + box.shape[0], x : x + box.shape[1]], casting="unsafe")
        if box.dtype.kind == "f":
            lost = ~np.isfinite(box)
            if lost.any():
                box[lost] = self.fill


def _outside(stack: Stack) -> np.ndarray | None:
    middle = stack.shape[0] // 2
    plane = stack.read(middle, middle + 1)[0]
    return outside(plane, unseen_surround(plane, ()))


def fill_of(region: Region, stacks: tuple[Stack, ...]) -> float:
    """The region's fill, or where it has none the median of what lies around it in the middle slice of the first field.

    Args:
        region: with shape and volume.
        stacks: in the order of its fields.
    """
    if region.fill is not None:
        return region.fill
    assert region.volume is not None
    stack = stacks[0]
    middle = stack.shape[0] // 2
    plane = stack.read(middle, middle + 1)[0]
    counts = np.isfinite(plane)
    if (beyond := outside(plane, unseen_surround(plane, ()))) is not None:
        counts &= ~beyond
    around = counts & ~_box_of(region, plane.shape)
    values = plane[around if around.any() else counts]
    return float(np.median(values)) if values.size else 0.0


def _box_of(region: Region, shape: tuple[int, ...]) -> np.ndarray:
    """The rectangle around the region seen along z, bool (Y, X)."""
    assert region.volume is not None
    corners = corners_of(region.corners, region.volume.shape[0]).reshape(8, 3)
    low, high = (np.clip(corners[:, 1:].min(axis=0), 0, None), corners[:, 1:].max(axis=0) + 1)
    found = np.zeros(shape, bool)
    found[int(low[0]) : int(high[0]) + 1, int(low[1]) : int(high[1]) + 1] = True
    return found
