"""A few places along z at which a raw volume is looked at in full resolution: means over some slices of one field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.region.fields import Field, joined_shape, weights
from custom.region.frame import Frame
from custom.region.part import Volume
from custom.stack import Stack

STATIONS, THICK = 33, 3  # places along z, and slices of each: 1.3 GB are read again of 53 GB


@dataclass(frozen=True)
class Station:
    """The mean of a few slices.

    Attributes:
        z: of their middle, in the raw grid.
        image: (Y, X) of the field, in the lowest field's grey scale.
        field: that it is of.
    """

    z: float
    image: Volume
    field: Field

    def sample(self, frame: Frame, n: NDArray, w: NDArray) -> NDArray[np.float64]:
        """Grey values at places of a frame, linear between voxels, NaN outside the slice or the reconstruction."""
        y, x = frame.raw(n, w)
        matrix = self.field.matrix()
        places = [matrix[axis, 1] * y + matrix[axis, 2] * x + matrix[axis, 3] for axis in (1, 2)]
        found: NDArray = ndimage.map_coordinates(self.image, places, order=1, cval=np.nan, output=np.float64)
        return found


def stations(
    stacks: Sequence[Stack],
    fields: Sequence[Field],
    inside: Sequence[NDArray[np.bool_]],
    reach: tuple[float, float],
    count: int = STATIONS,
    thick: int = THICK,
) -> Iterator[Station]:
    """Even places between two z of the raw grid, one at a time; each is read from the field that counts most there."""
    depth = joined_shape(fields)[0]
    low, high = max(reach[0], (thick - 1) / 2), min(reach[1], depth - 1 - (thick - 1) / 2)
    for z in np.linspace(low, high, count):
        yield _station(stacks, fields, inside, float(z), thick)


def single_slices(
    stacks: Sequence[Stack],
    fields: Sequence[Field],
    inside: Sequence[NDArray[np.bool_]],
    reach: tuple[float, float],
) -> Iterator[Station]:
    """Slices from one z of the raw grid to another, up or down, as far as there are any."""
    way = 1 if reach[1] > reach[0] else -1
    depth = joined_shape(fields)[0]
    for z in range(round(reach[0]), round(reach[1]) + way, way):
        if 0 <= z < depth:
            yield _station(stacks, fields, inside, float(z), 1)


def _station(
    stacks: Sequence[Stack], fields: Sequence[Field], inside: Sequence[NDArray[np.bool_]], z: float, thick: int
) -> Station:
    number = int(np.argmax(weights(np.array([z]), fields)[:, 0]))
    field, stack = fields[number], stacks[number]
    first = int(np.clip(round(z - field.first - (thick - 1) / 2), 0, max(stack.shape[0] - thick, 0)))
    slab = stack.read(first, min(first + thick, stack.shape[0])).astype(np.float32)
    image = field.scale * slab.mean(axis=0) + field.offset
    image[~inside[number]] = np.nan
    return Station(field.first + first + (len(slab) - 1) / 2, image, field)
