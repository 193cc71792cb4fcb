"""Passes over the runs of a slab's pieces, for what is told of each."""

from __future__ import annotations

from custom.base.compiling import compiled


@compiled
def _sum_below(x):  # type: ignore[no-untyped-def]
    return x * (x - 1) // 2


@compiled
def _squares_below(x):  # type: ignore[no-untyped-def]
    return x * (x - 1) * (2 * x - 1) // 6


@compiled
def count(  # type: ignore[no-untyped-def]
    rows,
    ends,
    numbers,
    shape,
    padded,
    start,
    reach,
    steps,
    values,
    sums,
    products,
    low,
    high,
    exits,
    by_value,
):
    """Add the runs of a slab to their pieces' rows.

    Args:
        rows, ends: of `Runs`.
        numbers: int32, of each run the piece, of which 1 has the first row.
        shape: (h, Y, X) of the slab; there may be runs of slices behind it.
        padded: bool (h + 2 reach, Y + 2 reach, X + 2 reach), the mask.
        start: the slab's first slice.
        reach: of the margins of `padded`.
        steps: int64 (m,), from a voxel of flat `padded` along each direction.
        values: uint8 (h, Y, X), not looked at where v is 0.
        sums: int64 (n, 3), of places z, y, x.
        products: int64 (n, 6), of places: zz, zy, zx, yy, yx, xx.
        low, high: int32 (n, 3), first and last place.
        exits: int64 (n, m), how often a step leads out of the mask.
        by_value: int64 (n, v), voxels of the values 1 ... v.
    """
    flat = padded.reshape(-1)
    for row in range(shape[0] * shape[1]):
        slab_z, y = row // shape[1], row % shape[1]
        z, line = start + slab_z, ((slab_z + reach) * padded.shape[1] + y + reach) * padded.shape[2] + reach
        for at in range(rows[row], rows[row + 1]):
            piece, first, end = numbers[at] - 1, ends[at, 0], ends[at, 1]
            run, along = end - first, _sum_below(end) - _sum_below(first)
            for axis, (total, least, most) in enumerate(((run * z, z, z), (run * y, y, y), (along, first, end - 1))):
                sums[piece, axis] += total
                low[piece, axis] = min(low[piece, axis], least)
                high[piece, axis] = max(high[piece, axis], most)
            squares = _squares_below(end) - _squares_below(first)
            for column, total in enumerate((run * z * z, run * z * y, z * along, run * y * y, y * along, squares)):
                products[piece, column] += total
            for k in range(len(steps)):
                inside = 0
                for voxel in range(line + first + steps[k], line + end + steps[k]):
                    inside += flat[voxel]
                exits[piece, k] += run - inside
            if by_value.shape[1]:
                for x in range(first, end):
                    if 0 < values[slab_z, y, x] <= by_value.shape[1]:
                        by_value[piece, values[slab_z, y, x] - 1] += 1


@compiled
def count_near(rows, ends, numbers, shape, distances, voxels, near):  # type: ignore[no-untyped-def]
    """Add the runs of a slab to their pieces' voxels and least distances.

    Args:
        rows, ends, numbers, shape: as for `count`.
        distances: float32 (s, h or more, Y, X), of each voxel from s surfaces.
        voxels: int64 (n,).
        near: float32 (n, s or more).
    """
    for row in range(shape[0] * shape[1]):
        z, y = row // shape[1], row % shape[1]
        for at in range(rows[row], rows[row + 1]):
            piece, first, end = numbers[at] - 1, ends[at, 0], ends[at, 1]
            voxels[piece] += end - first
            for surface in range(len(distances)):
                for x in range(first, end):
                    near[piece, surface] = min(near[piece, surface], distances[surface, z, y, x])
