"""Kernels for the largest balls within a body of voxels."""

from __future__ import annotations

import numpy as np

from custom.base.compiling import compiled


@compiled
def radii(nearest, order, size, radius):  # type: ignore[no-untyped-def]
    """Put the distance of voxels at flat places from the one outside that is `nearest` into `radius`, float32 (Z, Y, X)."""
    depth, rows, columns = radius.shape
    for at in order:
        z, y, x = at // (rows * columns), at // columns % rows, at % columns
        d_z, d_y = (nearest[0, z, y, x] - z) * size[0], (nearest[1, z, y, x] - y) * size[1]
        d_x = (nearest[2, z, y, x] - x) * size[2]
        radius[z, y, x] = np.sqrt(d_z * d_z + d_y * d_y + d_x * d_x)


@compiled
def surrounded(radius, order, steps, away):  # type: ignore[no-untyped-def]
    """Of voxels at flat places, whether their ball lies within that of a neighbour: bool (n,).

    `radius` (Z, Y, X) is the distance of each voxel from the outside, `away` that of the neighbours at `steps`.
    """
    depth, rows, columns = radius.shape
    found = np.zeros(len(order), np.bool_)
    for i in range(len(order)):
        z, y, x = order[i] // (rows * columns), order[i] // columns % rows, order[i] % columns
        for k in range(len(steps)):
            at_z, at_y, at_x = z + steps[k, 0], y + steps[k, 1], x + steps[k, 2]
            if 0 <= at_z < depth and 0 <= at_y < rows and 0 <= at_x < columns:
                found[i] = found[i] or radius[at_z, at_y, at_x] >= radius[z, y, x] + away[k]
    return found


@compiled
def largest(nearest, order, size):  # type: ignore[no-untyped-def]
    """The largest ball around a place within 3/4 of a voxel of each of those at flat places: middles (n, 3) in voxels, radii (n,).

    Looked for at half voxels, and from the best of them at quarters.
    `nearest` (3, Z, Y, X) is the voxel outside that is nearest to each. The one nearest to a place is taken to be that
    of one of the 27 voxels around, as distance transforms by vectors do (P.-E. Danielsson, Comput. Graph. Image Process.
    14:227, 1980).
    """
    depth, rows, columns = nearest.shape[1:]
    middles, radii = np.zeros((len(order), 3), np.float32), np.zeros(len(order), np.float32)
    away = np.zeros((27, 3), np.float32)
    for i in range(len(order)):
        z, y, x = order[i] // (rows * columns), order[i] // columns % rows, order[i] % columns
        count = 0
        for at_z in range(max(z - 1, 0), min(z + 2, depth)):
            for at_y in range(max(y - 1, 0), min(y + 2, rows)):
                for at_x in range(max(x - 1, 0), min(x + 2, columns)):
                    n_z, n_y, n_x = (
                        nearest[0, at_z, at_y, at_x],
                        nearest[1, at_z, at_y, at_x],
                        nearest[2, at_z, at_y, at_x],
                    )
                    d_z, d_y, d_x = (n_z - z) * size[0], (n_y - y) * size[1], (n_x - x) * size[2]
                    known = False  # neighbours mostly share it
                    for k in range(count):
                        known = known or (away[k, 0] == d_z and away[k, 1] == d_y and away[k, 2] == d_x)
                    if not known:
                        away[count, 0], away[count, 1], away[count, 2] = d_z, d_y, d_x
                        count += 1
        best, b_z, b_y, b_x = np.float32(-1.0), 0.0, 0.0, 0.0
        for step in (0.5, 0.25):
            from_z, from_y, from_x = b_z, b_y, b_x
            for place in range(27):
                by_z, by_y = from_z + (place // 9 - 1) * step, from_y + (place // 3 % 3 - 1) * step
                by_x = from_x + (place % 3 - 1) * step
                if not (0 <= z + by_z <= depth - 1 and 0 <= y + by_y <= rows - 1 and 0 <= x + by_x <= columns - 1):
                    continue  # what is nearest there is not known
                least = np.float32(np.inf)
                for k in range(count):
                    d_z, d_y, d_x = (
                        away[k, 0] - by_z * size[0],
                        away[k, 1] - by_y * size[1],
                        away[k, 2] - by_x * size[2],
                    )
                    least = min(least, np.float32(d_z * d_z + d_y * d_y + d_x * d_x))
                if least > best:
                    best, b_z, b_y, b_x = least, by_z, by_y, by_x
        middles[i, 0], middles[i, 1], middles[i, 2] = z + b_z, y + b_y, x + b_x
        radii[i] = np.sqrt(best)
    return middles, radii


@compiled
def cover(lithium, middles, radii, size, covered):  # type: ignore[no-untyped-def]
    """Give each voxel that a ball reaches into the radius of the first that does; balls come with the largest first."""
    depth, rows, columns = covered.shape
    for i in range(len(radii)):
        m_z, m_y, m_x, ball = middles[i, 0], middles[i, 1], middles[i, 2], radii[i]
        reach_z, reach_y, reach_x = ball / size[0] + 0.5, ball / size[1] + 0.5, ball / size[2] + 0.5
        for at_z in range(max(int(np.ceil(m_z - reach_z)), 0), min(int(m_z + reach_z) + 1, depth)):
            by_z = max(abs(at_z - m_z) - 0.5, 0.0) * size[0]
            for at_y in range(max(int(np.ceil(m_y - reach_y)), 0), min(int(m_y + reach_y) + 1, rows)):
                by_y = max(abs(at_y - m_y) - 0.5, 0.0) * size[1]
                for at_x in range(max(int(np.ceil(m_x - reach_x)), 0), min(int(m_x + reach_x) + 1, columns)):
                    if covered[at_z, at_y, at_x] == 0 and lithium[at_z, at_y, at_x]:
                        by_x = max(abs(at_x - m_x) - 0.5, 0.0) * size[2]
                        if by_z * by_z + by_y * by_y + by_x * by_x < ball * ball:
                            covered[at_z, at_y, at_x] = ball
