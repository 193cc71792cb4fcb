"""The highest probability at which lithium joins both electrodes, exact over its levels, in one pass over the slabs.

At a level t the voxels of t and above are lithium. Two places are joined up to the lowest level of the best path between
them, its bottleneck. All bottlenecks between some places, the terminals, are kept by a forest of them that has fewer edges
than there are terminals (a maximum spanning forest, from which all that is no terminal was taken out). So of a slab is kept
what joins its first slice, the slice behind it and both electrodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from custom.base.compiling import compiled
from custom.pieces.union import root_of

LEVELS = 256
NOTHING = 0  # the level of what is never lithium
TOUCHES_FIRST, TOUCHES_SECOND = 1, 2  # bits of a voxel that touches an electrode


def neighbours(connectivity: int) -> np.ndarray:
    """Steps (connectivity, 3) along z, y and x to the 6 or 26 neighbours."""
    steps = [step for step in product((-1, 0, 1), repeat=3) if any(step)]
    return np.array([step for step in steps if connectivity == 26 or sum(map(abs, step)) == 1])


@compiled
def _join(parent, terminal, one, other, level, edges, levels, count):  # type: ignore[no-untyped-def]
    """Make one tree of two, with an edge of the forest where each has a terminal; returns how many edges there are then."""
    one, other = root_of(parent, one), root_of(parent, other)
    if one == other:
        return count
    if one > other:
        one, other = other, one
    parent[other] = one
    if terminal[one] < 0:
        terminal[one] = terminal[other]
    elif terminal[other] >= 0:
        edges[count, 0], edges[count, 1], levels[count] = terminal[one], terminal[other], level
        count += 1
    return count


@compiled
def _sorted(levels, height, rows, columns, margin):  # type: ignore[no-untyped-def]
    """Flat places of what is above 0 within the margins of the first `height` slices, the highest level first: int32."""
    first = np.zeros(LEVELS + 1, np.int64)  # after those of the levels above
    for z in range(margin, margin + height):
        for y in range(margin, margin + rows):
            for x in range(margin, margin + columns):
                first[LEVELS - levels[z, y, x]] += 1
    for level in range(1, LEVELS + 1):
        first[level] += first[level - 1]
    order = np.empty(first[LEVELS - 1], np.int32)
    for z in range(margin, margin + height):
        for y in range(margin, margin + rows):
            line = (z * levels.shape[1] + y) * levels.shape[2]
            for x in range(margin, margin + columns):
                level = levels[z, y, x]
                if level:
                    at = first[LEVELS - 1 - level]
                    order[at] = line + x
                    first[LEVELS - 1 - level] = at + 1
    return order


@compiled
def _forest_of_slab(levels, touches, order, steps, height, margin, parent, terminal, edges, found):  # type: ignore[no-untyped-def]
    rows, columns = touches.shape[1], touches.shape[2]
    plane, line = levels.shape[1] * levels.shape[2], levels.shape[2]
    flat, ends, voxels = levels.reshape(-1), rows * columns, levels.size
    count = 0
    for both in range(2):
        parent[voxels + both], terminal[voxels + both] = voxels + both, 2 * ends + both
    for voxel in order:
        z, rest = voxel // plane - margin, voxel % plane
        y, x = rest // line - margin, rest % line - margin
        level = flat[voxel]
        parent[voxel], terminal[voxel] = voxel, -1
        if z == 0:
            terminal[voxel] = y * columns + x
        elif z == height:
            terminal[voxel] = ends + y * columns + x
        root = voxel
        for step in steps:
            near = voxel + step
            if flat[near] > level or (flat[near] == level and near < voxel):  # it came before
                other = root_of(parent, near)
                if other != root:
                    count = _join(parent, terminal, root, other, level, edges, found, count)
                    root = min(root, other)
        touch = touches[z, y, x]
        for both in range(2):
            if touch & (1 << both):
                count = _join(parent, terminal, voxel, voxels + both, level, edges, found, count)
    return count


@compiled
def _forest_of_edges(given, order, given_levels, nodes, first, parent, terminal, edges, levels):  # type: ignore[no-untyped-def]
    """Of a graph of `nodes`, those from `first` on are terminals, which are numbered from 0 then."""
    count = 0
    for node in range(nodes):
        parent[node] = node
        terminal[node] = node - first if node >= first else -1
    for edge in order:
        count = _join(parent, terminal, given[edge, 0], given[edge, 1], given_levels[edge], edges, levels, count)
    return count


def forests_of_slab(
    levels: np.ndarray, touches: np.ndarray, height: int, connectivities: Sequence[int], margin: int = 1
) -> list[tuple[np.ndarray, np.ndarray]]:
    """What joins the terminals of a slab, for each of some connectivities.

    Args:
        levels: uint8 (n, Y + 2 margins, X + 2 margins), the probability of the slab and the slice behind it, if there is one,
            with a margin on all sides that does not count.
        touches: uint8 (h + 1, Y, X), or (h, Y, X) at the end of the stack, `TOUCHES_FIRST` and `TOUCHES_SECOND` where a voxel
            touches an electrode.
        height: of the slab, h.
        connectivities: 6 or 26 neighbours.
        margin: 1 at least.

    Returns:
        int32 (n, 2) and uint8 (n,) each: terminals and up to which level they are joined. Terminals are the voxels of the
        first slice, 0 ... Y * X - 1, those of the slice behind, and the two electrodes.
    """
    within = tuple(slice(margin, margin + length) for length in touches.shape)
    levels, given = np.zeros_like(levels), levels
    levels[within] = given[within]
    order = _sorted(levels, len(touches), touches.shape[1], touches.shape[2], margin)
    strides = np.array([levels.shape[1] * levels.shape[2], levels.shape[2], 1])
    most = 2 * touches.shape[1] * touches.shape[2] + 2
    edges, found = np.empty((most, 2), np.int32), np.empty(most, np.uint8)
    parent, terminal = (np.empty(levels.size + 2, np.int32) for _ in range(2))
    forests = []
    for connectivity in connectivities:
        steps = neighbours(connectivity) @ strides
        count = _forest_of_slab(levels, touches, order, steps, height, margin, parent, terminal, edges, found)
        forests.append((edges[:count].copy(), found[:count].copy()))
    return forests


class Bridging:
    """The bottleneck between both electrodes, from the forests of all slabs, which are added in their order.

    Args:
        plane: voxels of a slice.
    """

    def __init__(self, plane: int) -> None:
        self._plane = plane
        self._edges, self._levels = np.zeros((0, 2), np.int32), np.zeros(0, np.uint8)

    def add(self, edges: np.ndarray, levels: np.ndarray) -> None:
        """Take up what `forests_of_slab` gave of the next slab."""
        plane = self._plane
        # until now the terminals were the voxels of this slab's first slice, and then the electrodes
        before = np.where(self._edges >= plane, self._edges + plane, self._edges)
        both, at = np.concatenate([before, edges]), np.concatenate([self._levels, levels])
        order = np.argsort(LEVELS - 1 - at, kind="stable")
        nodes = 2 * plane + 2
        parent, terminal = (np.empty(nodes, np.int32) for _ in range(2))
        kept, their = np.empty((plane + 2, 2), np.int32), np.empty(plane + 2, np.uint8)
        count = _forest_of_edges(both, order, at, nodes, plane, parent, terminal, kept, their)
        self._edges, self._levels = kept[:count].copy(), their[:count].copy()

    def level(self) -> int:
        """The highest level, 1 ... 255, at which both electrodes are joined, after the last slab; 0 where they never are."""
        # nothing lies behind the last slab, so that no other edge is left than the one between both
        return int(self._levels.max(initial=NOTHING))
