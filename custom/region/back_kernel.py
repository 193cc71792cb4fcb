"""The inverse of a region's map for each voxel of some raw rows."""

from __future__ import annotations

import math

from custom.region.kernels import compiled


@compiled
def _face(table, u, w):  # type: ignore[no-untyped-def]
    """The sum of c[i][j] u^i w^j."""
    found = 0.0
    for i in range(table.shape[0] - 1, -1, -1):
        row = 0.0
        for j in range(table.shape[1] - 1, -1, -1):
            row = row * w + table[i, j]
        found = found * u + row
    return found


@compiled
def nearest_back(flat, bases, step, low, shape, matrix, tables, start, corners, box, rows, out):  # type: ignore[no-untyped-def]
    """Rows of a slab of the raw grid.

    Args:
        flat, bases, step, low: of the mask's window, see `kernels.linear`.
        shape: (nz, ny, nx) of the region.
        matrix: float64 4 x 4, from bent points of the region to the raw grid.
        tables: float64 (2, 5, 5), coefficients of the bend's faces.
        start: first slice of the slab.
        corners: (h, 2), where the region's box begins in each slice.
        box: its height and width.
        rows: (first, end) among the h * height rows of the boxes.
        out: (h, Y, X), zeros; voxels within the region are set.
    """
    depth, height, width = shape
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
            z, column = math.floor(at_z + 0.5), math.floor(at_x + 0.5)
            if z < 0 or z >= depth or column < 0 or column >= width:
                continue
            at_y = (right_a * m1 + right_b * (a0 * c2 - a2 * c0) + right_c * (a2 * b0 - a0 * b2)) * over
            u, w = 2.0 * at_z / max(depth - 1, 1) - 1.0, 2.0 * at_x / max(width - 1, 1) - 1.0
            first, last = _face(tables[0], u, w), _face(tables[1], u, w)
            line = math.floor((at_y - first) / (1.0 + (last - first) / max(height - 1, 1)) + 0.5)
            if line < 0 or line >= height:
                continue
            held = min(max(z - low, 0), len(bases) - 1)
            out[slice_, y, x] = flat[bases[held] + line * step + column]
