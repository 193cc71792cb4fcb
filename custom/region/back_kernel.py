"""Which voxel of the region each voxel of some raw rows takes.

It takes the one that was sampled from it: the one whose own nearest raw voxel, by the map with its bend, it is. A label
that was sampled by the nearest voxel comes back as it was wherever the region saw it. Where two grids are turned against
each other, that is not always the nearest one of the region: at eight degrees it is another one for some voxels in a
hundred. A raw voxel that none was sampled from takes the nearest one.

A probability is interpolated instead, as its log-odds: what they say of lithium between the region's voxels is nearer to the
truth there. Next to a surface probabilities are close to 0 and 1, so that they themselves would put it halfway between two
voxels, whichever of these is the surer.
"""

from __future__ import annotations

import math

import numpy as np

from custom.region.kernels import compiled


@compiled
def _bent_point(a, b, c):  # type: ignore[no-untyped-def]
    """(z, y, x) that three linear equations a, b, c have in common: their factors, and what they come to."""
    m0, m1, m2 = b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]
    over = 1.0 / (a[0] * m0 + a[1] * m1 + a[2] * m2)
    return (
        (a[3] * m0 + b[3] * (a[2] * c[1] - a[1] * c[2]) + c[3] * (a[1] * b[2] - a[2] * b[1])) * over,
        (a[3] * m1 + b[3] * (a[0] * c[2] - a[2] * c[0]) + c[3] * (a[2] * b[0] - a[0] * b[2])) * over,
        (a[3] * m2 + b[3] * (a[1] * c[0] - a[0] * c[1]) + c[3] * (a[0] * b[1] - a[1] * b[0])) * over,
    )


@compiled
def _of_z(matrix, z):  # type: ignore[no-untyped-def]
    """The equation of the places in the region that lie at z of the raw grid."""
    return matrix[0, 0], matrix[0, 1], matrix[0, 2], z - matrix[0, 3]


@compiled
def _of_axis(matrix, axis, at):  # type: ignore[no-untyped-def]
    """That of the places at y (1) or x (2) of the raw grid, in which the denominator is multiplied out."""
    return (
        matrix[axis, 0] - at * matrix[3, 0],
        matrix[axis, 1] - at * matrix[3, 1],
        matrix[axis, 2] - at * matrix[3, 2],
        at * matrix[3, 3] - matrix[axis, 3],
    )


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
    for number in range(rows[0], rows[1]):
        slice_ = number // box[0]
        y = corners[slice_, 0] + number % box[0]
        at_raw_z, at_raw_y = _of_z(matrix, start + slice_), _of_axis(matrix, 1, y)
        for x in range(corners[slice_, 1], corners[slice_, 1] + box[1]):
            at_z, at_y, at_x = _bent_point(at_raw_z, at_raw_y, _of_axis(matrix, 2, x))
            if not (-1.0 < at_z < depth and -1.0 < at_x < width):
                continue
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


@compiled
def _odds_of(level, odds):  # type: ignore[no-untyped-def]
    """Those of a level of 0 ... 255, of the nearer one beyond them, and of 0 where it is NaN."""
    return odds[int(level + 0.5) if 0.0 <= level < 255.0 else 255 if level >= 255.0 else 0]


@compiled
def _along_column(flat, base, step, bend, number, x, at_y, height, scale, odds):  # type: ignore[no-untyped-def]
    """Of a column the log-odds at a bent place between two lines, or at its ends half a voxel beyond them; -inf outside."""
    first, more = _column(bend, number, x, height)
    line = (at_y - first) / (1.0 + more)
    if line < -0.5 or line >= height - 0.5:
        return np.float32(-np.inf)
    low = min(max(math.floor(line), 0), height - 1)
    high = min(low + 1, height - 1)
    share = np.float32(min(max(line - low, 0.0), 1.0))
    lower = _odds_of(flat[base + low * step + x] * scale, odds)
    upper = _odds_of(flat[base + high * step + x] * scale, odds)
    return lower + share * (upper - lower)


@compiled
def linear_back(flat, bases, step, low, shape, matrix, bend, start, corners, box, rows, scale, odds, out):  # type: ignore[no-untyped-def]
    """As `nearest_back`, of a probability: 1 where it is a half at least, interpolated between the eight around.

    Each of the four columns has lines of its own. Half a voxel beyond the region's sides it goes on as it ends.

    Args:
        scale: by which the probability's values become 0 ... 255.
        odds: float32 (256,), the log-odds of these.
    """
    depth, height, width = shape
    held = len(bases)
    for number in range(rows[0], rows[1]):
        slice_ = number // box[0]
        y = corners[slice_, 0] + number % box[0]
        at_raw_z, at_raw_y = _of_z(matrix, start + slice_), _of_axis(matrix, 1, y)
        for x in range(corners[slice_, 1], corners[slice_, 1] + box[1]):
            at_z, at_y, at_x = _bent_point(at_raw_z, at_raw_y, _of_axis(matrix, 2, x))
            if not (-0.5 <= at_z < depth - 0.5 and -0.5 <= at_x < width - 0.5):
                continue
            found, weight = 0.0, 0.0
            for corner in range(4):
                z, column = math.floor(at_z) + corner // 2, math.floor(at_x) + corner % 2
                share = (1.0 - abs(at_z - z)) * (1.0 - abs(at_x - column))
                z, column = min(max(z, low), low + held - 1), min(max(column, 0), width - 1)
                value = _along_column(flat, bases[z - low], step, bend, z - low, column, at_y, height, scale, odds)
                if value > -np.inf:
                    found += share * value
                    weight += share
            if weight > 0.0 and found >= 0.0:
                out[slice_, y, x] = 1
