"""Interpolation of a slab of a region, a row at a time: the map is evaluated for each voxel, and nothing is kept of it.

Compiled once and kept in `__pycache__`. No threads of numba's own, which survive no fork: callers share rows out.
"""

from __future__ import annotations

import math

import numpy as np

from custom.base.compiling import compiled

_EDGE = 1e-3  # voxels outside the volume that count as its border, for the numbers' rounding


@compiled
def _on_axis(at: float, length: int) -> float:
    """The coordinate within [0, length - 1], or -1 outside."""
    last = length - 1.0
    if at < 0.0:
        return 0.0 if at > -_EDGE else -1.0
    if at > last:
        return last if at < last + _EDGE else -1.0
    return at


@compiled
def _between(flat, at, right, down, fx, fy):  # type: ignore[no-untyped-def]
    """Bilinear, from the voxel at a flat index, its right neighbour and the two below."""
    v00, v01 = np.float32(flat[np.uint64(at)]), np.float32(flat[np.uint64(at + right)])
    v10, v11 = np.float32(flat[np.uint64(at + down)]), np.float32(flat[np.uint64(at + down + right)])
    v00 += fx * (v01 - v00)
    v10 += fx * (v11 - v10)
    return v00 + fy * (v10 - v00)


@compiled
def linear(flat, bases, step, low, shape, matrix, bend, start, ny, rows, fill, row, out, finish):  # type: ignore[no-untyped-def]
    """Rows of a slab by trilinear interpolation.

    Args:
        flat: the window, raw slices cut to boxes, as one line.
        bases: int64, for each slice from `low` on, where the voxel (0, 0) of the whole slice would lie in `flat`.
        step: from a row of a box to the next.
        low: the first slice of `bases`.
        shape: (Z, Y, X) of the raw stack.
        matrix: float64 4 x 4, from bent points of the region; see `RegionMap`.
        bend: float64 (2, h, nx), what the faces deviate by; (2, 0, 0) where they do not.
        start: first slice of the slab.
        ny: of the region.
        rows: (first, end) among the h * ny rows of the slab.
        fill: what is outside the stack, float32.
        row: float32 (nx,), for this call alone.
        out: (h, ny, nx).
        finish: float32, what `Grey.finish` returns: what is done with a value before it is stored.
    """
    depth, height, width = shape
    last_z, last_y, last_x, last_held = depth - 1.0, height - 1.0, width - 1.0, len(bases) - 1
    bent = bend.shape[1] > 0
    tapered = matrix[3, 0] != 0.0 or matrix[3, 1] != 0.0 or matrix[3, 2] != 0.0
    m02, m12, m22, m32 = matrix[0, 2], matrix[1, 2], matrix[2, 2], matrix[3, 2]
    m01, m11, m21, m31 = matrix[0, 1], matrix[1, 1], matrix[2, 1], matrix[3, 1]
    for number in range(rows[0], rows[1]):
        slice_, line = number // ny, number % ny
        z = start + slice_
        share = line / max(ny - 1, 1)
        base_z = matrix[0, 0] * z + m01 * line + matrix[0, 3]
        base_y = matrix[1, 0] * z + m11 * line + matrix[1, 3]
        base_x = matrix[2, 0] * z + m21 * line + matrix[2, 3]
        base_d = matrix[3, 0] * z + m31 * line + matrix[3, 3]
        for x in range(row.shape[0]):
            at_z, at_y, at_x, at_d = base_z + m02 * x, base_y + m12 * x, base_x + m22 * x, base_d + m32 * x
            if bent:
                y = (1.0 - share) * bend[0, slice_, x] + share * bend[1, slice_, x]
                at_z += m01 * y
                at_y += m11 * y
                at_x += m21 * y
                at_d += m31 * y
            if tapered:
                over = 1.0 / at_d
                at_y *= over
                at_x *= over
            right, down = 1, step
            if not (0.0 <= at_z < last_z and 0.0 <= at_y < last_y and 0.0 <= at_x < last_x):
                at_z, at_y, at_x = _on_axis(at_z, depth), _on_axis(at_y, height), _on_axis(at_x, width)
                if at_z < 0.0 or at_y < 0.0 or at_x < 0.0:
                    row[x] = fill
                    continue
                right, down = 1 if at_x < last_x else 0, step if at_y < last_y else 0
            iz, iy, ix = int(at_z), int(at_y), int(at_x)
            fz, fy, fx = np.float32(at_z - iz), np.float32(at_y - iy), np.float32(at_x - ix)
            place = iy * step + ix
            held = min(max(iz - low, 0), last_held)  # rounding may put a place that is a slice beside it
            value = _between(flat, bases[held] + place, right, down, fx, fy)
            if fz > 0.0 and held < last_held:
                value += fz * (_between(flat, bases[held + 1] + place, right, down, fx, fy) - value)
            row[x] = value
        _stored(row, out[slice_, line], finish)


@compiled
def _stored(row, out, finish):  # type: ignore[no-untyped-def]
    """A row of values in the type of the result; NaN, outside a field that is blended, stays."""
    scale, offset, least, most, whole, sign, total = finish
    if whole > 0:
        for x in range(row.shape[0]):
            out[x] = min(max(sign * np.rint(row[x] * scale + offset) + total, least), most)
    else:
        for x in range(row.shape[0]):
            out[x] = sign * (row[x] * scale + offset) + total


@compiled
def _weights(fraction, weights):  # type: ignore[no-untyped-def]
    """Of the cubic B-spline at a fraction of a voxel, for the voxels -1, 0, 1, 2."""
    rest = 1.0 - fraction
    weights[0] = rest * rest * rest / 6.0
    weights[3] = fraction * fraction * fraction / 6.0
    weights[1] = 2.0 / 3.0 - 0.5 * fraction * fraction * (2.0 - fraction)
    weights[2] = 1.0 - weights[0] - weights[1] - weights[3]


@compiled
def _mirrored(at, length):  # type: ignore[no-untyped-def]
    """An index beyond the ends, as scipy's "mirror" has it."""
    if length == 1:
        return 0
    if at < 0:
        return -at
    if at >= length:
        return 2 * length - 2 - at
    return at


@compiled
def cubic(flat, bases, step, low, shape, matrix, bend, start, ny, rows, fill, row, out, finish):  # type: ignore[no-untyped-def]
    """As `linear`, of the coefficients of a cubic spline."""
    depth, height, width = shape
    bent = bend.shape[1] > 0
    wz, wy, wx = np.empty(4, np.float32), np.empty(4, np.float32), np.empty(4, np.float32)
    for number in range(rows[0], rows[1]):
        slice_, line = number // ny, number % ny
        z = start + slice_
        share = line / max(ny - 1, 1)
        for x in range(row.shape[0]):
            y = float(line)
            if bent:
                y += (1.0 - share) * bend[0, slice_, x] + share * bend[1, slice_, x]
            over = 1.0 / (matrix[3, 0] * z + matrix[3, 1] * y + matrix[3, 2] * x + matrix[3, 3])
            at_z = _on_axis(matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 2] * x + matrix[0, 3], depth)
            at_y = _on_axis((matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 2] * x + matrix[1, 3]) * over, height)
            at_x = _on_axis((matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 2] * x + matrix[2, 3]) * over, width)
            if at_z < 0.0 or at_y < 0.0 or at_x < 0.0:
                row[x] = fill
                continue
            iz, iy, ix = int(at_z), int(at_y), int(at_x)
            _weights(np.float32(at_z - iz), wz)
            _weights(np.float32(at_y - iy), wy)
            _weights(np.float32(at_x - ix), wx)
            value = np.float32(0)
            for k in range(4):
                base = bases[min(max(_mirrored(iz - 1 + k, depth) - low, 0), len(bases) - 1)]
                plane = np.float32(0)
                for j in range(4):
                    line_ = base + _mirrored(iy - 1 + j, height) * step
                    part = np.float32(0)
                    for i in range(4):
                        part += wx[i] * flat[np.uint64(line_ + _mirrored(ix - 1 + i, width))]
                    plane += wy[j] * part
                value += wz[k] * plane
            row[x] = value
        _stored(row, out[slice_, line], finish)


@compiled
def nearest(flat, bases, step, low, shape, matrix, bend, start, ny, rows, fill, row, out, finish):  # type: ignore[no-untyped-def]
    """As `linear`, the nearest voxel as it is, for labels."""
    depth, height, width = shape
    bent = bend.shape[1] > 0
    for number in range(rows[0], rows[1]):
        slice_, line = number // ny, number % ny
        z = start + slice_
        share = line / max(ny - 1, 1)
        for x in range(row.shape[0]):
            y = float(line)
            if bent:
                y += (1.0 - share) * bend[0, slice_, x] + share * bend[1, slice_, x]
            over = 1.0 / (matrix[3, 0] * z + matrix[3, 1] * y + matrix[3, 2] * x + matrix[3, 3])
            iz = math.floor(matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 2] * x + matrix[0, 3] + 0.5)
            iy = math.floor((matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 2] * x + matrix[1, 3]) * over + 0.5)
            ix = math.floor((matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 2] * x + matrix[2, 3]) * over + 0.5)
            if iz < 0 or iz >= depth or iy < 0 or iy >= height or ix < 0 or ix >= width:
                out[slice_, line, x] = fill
                continue
            held = min(max(iz - low, 0), len(bases) - 1)
            out[slice_, line, x] = flat[np.uint64(bases[held] + iy * step + ix)]
