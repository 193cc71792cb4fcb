"""One pass over the voxels of a slab's pieces, for what is told of each."""

from __future__ import annotations

from custom.base.compiling import compiled


@compiled
def count(padded, labels, start, reach, steps, voxels, sums, products, low, high, exits):  # type: ignore[no-untyped-def]
    """Add the voxels of a slab to their pieces' rows.

    Args:
        padded: bool (h + 2 reach, Y + 2 reach, X + 2 reach), the mask.
        labels: int32 (h, Y, X), 0 is no piece, 1 has the first row.
        start: the slab's first slice.
        reach: of the margins of `padded`.
        steps: int64 (m,), from a voxel of flat `padded` along each direction.
        voxels: int64 (n,).
        sums: int64 (n, 3), of places z, y, x.
        products: int64 (n, 6), of places: zz, zy, zx, yy, yx, xx.
        low, high: int32 (n, 3), first and last place.
        exits: int64 (n, m), how often a step leads out of the mask.
    """
    flat = padded.reshape(-1)
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            line = ((z + reach) * padded.shape[1] + y + reach) * padded.shape[2] + reach
            for x in range(labels.shape[2]):
                if labels[z, y, x] == 0:
                    continue
                piece = labels[z, y, x] - 1
                place = (start + z, y, x)
                voxels[piece] += 1
                at = 0
                for i in range(3):
                    sums[piece, i] += place[i]
                    low[piece, i] = min(low[piece, i], place[i])
                    high[piece, i] = max(high[piece, i], place[i])
                    for j in range(i, 3):
                        products[piece, at] += place[i] * place[j]
                        at += 1
                for k in range(len(steps)):
                    exits[piece, k] += not flat[line + x + steps[k]]


@compiled
def count_near(labels, distances, values, voxels, near, by_value):  # type: ignore[no-untyped-def]
    """Add the voxels of a slab to their pieces' counts, and keep how near each piece comes to some surfaces.

    Args:
        labels: int32 (h, Y, X), 0 is no piece, 1 has the first row.
        distances: float32 (s, h or more, Y, X), of each voxel from s surfaces.
        values: uint8 (h, Y, X); where m is 0 they are not looked at.
        voxels: int64 (n,).
        near: float32 (n, s), the least distance.
        by_value: int64 (n, m), voxels of the values 1 ... m.
    """
    flat = labels.reshape(-1)
    for at in range(len(flat)):
        if flat[at] == 0:
            continue
        piece = flat[at] - 1
        voxels[piece] += 1
        for surface in range(near.shape[1]):
            near[piece, surface] = min(near[piece, surface], distances[surface].reshape(-1)[at])
        if by_value.shape[1] and 0 < values.reshape(-1)[at] <= by_value.shape[1]:
            by_value[piece, values.reshape(-1)[at] - 1] += 1
