"""Which voxel of the region each voxel of some raw rows takes.

It takes the one that was sampled from it: the one whose own nearest raw voxel, by the map with its bend, it is. A label
that was sampled by the nearest voxel comes back as it was wherever the region saw it. Where two grids are turned against
each other, that is not always the nearest one of the region: at eight degrees it is another one for some voxels in a
hundred. A raw voxel that none was sampled from takes the nearest one.
"""

from __future__ import annotations

import math

from custom.region.kernels import compiled


@compiled
def _column(bend, number, x, height):  # type: ignore[no-untyped-def]
    """What the bend adds to the first line of a column, and how much more it adds with each further line."""
    if bend.shape[1] == 0:
        return 0.0, 0.0
    return bend[0, number, x], (bend[1, number, x] - bend[0, number, x]) / max(height - 1, 1)


@compiled
def _distance(raw, matrix, z, y, x):  # type: ignore[no-untyped-def]
    """Squared, from the raw voxel to the place of a bent point of the region; inf if another voxel is nearer to it."""
    over = 1.0 / (matrix[3, 0] * z + matrix[3, 1] * y + matrix[3, 2] * x + matrix[3, 3])
    off_z = matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 2] * x + matrix[0, 3] - raw[0]
    off_y = (matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 2] * x + matrix[1, 3]) * over - raw[1]
    off_x = (matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 2] * x + matrix[2, 3]) * over - raw[2]
    if math.floor(off_z + 0.5) != 0 or math.floor(off_y + 0.5) != 0 or math.floor(off_x + 0.5) != 0:
        return math.inf
    return off_z * off_z + off_y * off_y + off_x * off_x


@compiled
def _around(raw, at, matrix, bend, low, held, shape):  # type: ignore[no-untyped-def]
    """(z, line, x) of the voxel of the region that was sampled from a raw one, whose bent point is `at`; z -1 if none was.

    Half a raw voxel along each axis is less than one along each of the region's, however the two are turned: it is one of
    the eight around. The bend moves the lines of each column (z, x) by its own.
    """
    least, best_z, best_line, best_x = math.inf, -1, 0, 0
    for corner in range(4):
        z, x = math.floor(at[0]) + corner // 2, math.floor(at[2]) + corner % 2
        if z < low or z >= low + held or x < 0 or x >= shape[2]:
            continue
        first, more = _column(bend, z - low, x, shape[1])
        lower = math.floor((at[1] - first) / (1.0 + more))
        for line in range(max(lower, 0), min(lower + 2, shape[1])):
            distance = _distance(raw, matrix, z, line + first + line * more, x)
            if distance < least:
                least, best_z, best_line, best_x = distance, z, line, x
    return best_z, best_line, best_x


@compiled
def nearest_back(flat, bases, step, low, shape, matrix, bend, start, corners, box, rows, out):  # type: ignore[no-untyped-def]
    """Rows of a slab of the raw grid.

    Args:
        flat, bases, step, low: of the mask's window, see `kernels.linear`.
        shape: (nz, ny, nx) of the region.
        matrix: float64 4 x 4, from bent points of the region to the raw grid.
        bend: float64 (2, len(bases), nx), what the faces deviate by; (2, 0, 0) where they do not.
        start: first slice of the slab.
        corners: (h, 2), where the region's box begins in each slice.
        box: its height and width.
        rows: (first, end) among the h * height rows of the boxes.
        out: (h, Y, X), zeros; voxels within the region are set.
    """
    depth, height, width = shape
    held = len(bases)
    a0, a1, a2 = matrix[0, 0], matrix[0, 1], matrix[0, 2]
    for number in range(rows[0], rows[1]):
        slice_ = number // box[0]
        y = corners[slice_, 0] + number % box[0]
        # each raw coordinate is a linear equation for the region's point; z and y are the same along a row
        b0, b1 = matrix[1, 0] - y * matrix[3, 0], matrix[1, 1] - y * matrix[3, 1]
        b2 = matrix[1, 2] - y * matrix[3, 2]
        right_a, right_b = start + slice_ - matrix[0, 3], y * matrix[3, 3] - matrix[1, 3]
        for x in range(corners[slice_, 1], corners[slice_, 1] + box[1]):
            c0, c1 = matrix[2, 0] - x * matrix[3, 0], matrix[2, 1] - x * matrix[3, 1]
            c2 = matrix[2, 2] - x * matrix[3, 2]
            right_c = x * matrix[3, 3] - matrix[2, 3]
            m0, m1, m2 = b1 * c2 - b2 * c1, b2 * c0 - b0 * c2, b0 * c1 - b1 * c0
            over = 1.0 / (a0 * m0 + a1 * m1 + a2 * m2)
            at_z = (right_a * m0 + right_b * (a2 * c1 - a1 * c2) + right_c * (a1 * b2 - a2 * b1)) * over
            at_x = (right_a * m2 + right_b * (a1 * c0 - a0 * c1) + right_c * (a0 * b1 - a1 * b0)) * over
            if not (-1.0 < at_z < depth and -1.0 < at_x < width):
                continue
            at_y = (right_a * m1 + right_b * (a0 * c2 - a2 * c0) + right_c * (a2 * b0 - a0 * b2)) * over
            z, line, column = math.floor(at_z + 0.5), -1, math.floor(at_x + 0.5)
            raw, sampled = (start + slice_, y, x), False
            if low <= z < low + held and 0 <= column < width:
                first, more = _column(bend, z - low, column, height)
                line = math.floor((at_y - first) / (1.0 + more) + 0.5)
                sampled = _distance(raw, matrix, z, line + first + line * more, column) < math.inf
            within = 0 <= line < height
            if not (within and sampled):
                other = _around(raw, (at_z, at_y, at_x), matrix, bend, low, held, shape)
                if other[0] >= 0:
                    z, line, column = other
                elif not within:
                    continue
            out[slice_, y, x] = flat[bases[z - low] + line * step + column]
