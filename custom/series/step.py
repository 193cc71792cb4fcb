"""One step of a series: what became lithium between two scans, what dissolved, and which agglomerates overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from custom.running.slab_store import SlabStore
from custom.series.laying import laid
from custom.series.move import Move, Shape
from custom.stack import Slab, Stack

COUNTS = ("seen", "grown", "dissolved", "grown_beyond", "dissolved_beyond")
MAPS = ("grown", "dissolved")


@dataclass(frozen=True)
class Laying:
    """A scan, and where it lies.

    Attributes:
        numbers: of its agglomerates, 0 is none.
        move: from the first scan to it.
    """

    numbers: Stack
    move: Move


@dataclass(frozen=True)
class Step:
    """What is known of a step, on the first scan's grid, where both scans see.

    Attributes:
        counts: voxels, by the names of `COUNTS`: seen by both; grown and dissolved, and what of either lies more than a
            voxel away from lithium of the other scan.
        pairs: int64 (n, 3): an agglomerate of the scan before, one of the scan after, and how many voxels they share; 0 is none.
        maps: uint32, grown and dissolved voxels through the thickness, over the electrodes' plane; none without electrodes.
        seen_share: of the electrodes' plane, which both scans see; of the field of view where there are no electrodes.
    """

    counts: dict[str, int]
    pairs: np.ndarray
    maps: dict[str, np.ndarray]
    seen_share: float


def measure_step(
    before: Laying,
    after: Laying,
    size: np.ndarray,
    shape: Shape,
    axis: int | None,
    parts: Sequence[Slab],
    store: SlabStore,
) -> Step:
    """Go through both scans, slab by slab into a store, which is kept: what is in there already is taken from there.

    Args:
        size: (3,) of a voxel.
        shape: (Z, Y, X) of the first scan.
        axis: through the thickness; None: there are no electrodes.
        parts: slabs of the first scan.
    """
    for part in parts:
        if not store.has(part.start):
            store.write(part.start, _of_slab(before, after, size, shape, axis, part))
    return _together([store.read(part.start) for part in parts], shape, axis)


def _of_slab(
    before: Laying, after: Laying, size: np.ndarray, shape: Shape, axis: int | None, part: Slab
) -> dict[str, np.ndarray]:
    low, high = max(part.start - 1, 0), min(part.stop + 1, shape[0])  # a slice more: what lies beside lithium
    one, other = (laid(scan.numbers, scan.move, size, shape, low, high) for scan in (before, after))
    own = slice(part.start - low, part.stop - low)
    seen = one.seen & other.seen
    first, second = one.numbers > 0, other.numbers > 0
    grown, dissolved = seen & second & ~first, seen & first & ~second
    around = np.ones((3, 3, 3))
    far = [
        (found & ~ndimage.binary_dilation(lithium, around))[own]
        for found, lithium in ((grown, first), (dissolved, second))
    ]
    counts = [np.count_nonzero(field[own]) for field in (seen, grown, dissolved)] + [
        np.count_nonzero(field) for field in far
    ]
    found = {"counts": np.array(counts), "pairs": _pairs(one.numbers[own], other.numbers[own], seen[own])}
    if axis is not None:
        fields = {"grown": grown, "dissolved": dissolved, "seen": seen}
        found |= {f"map_{name}": field[own].sum(axis=axis, dtype=np.uint32) for name, field in fields.items()}
    return found


def _pairs(one: np.ndarray, other: np.ndarray, seen: np.ndarray) -> np.ndarray:
    at = np.flatnonzero(seen & ((one > 0) | (other > 0)))
    both = one.reshape(-1)[at].astype(np.int64) << 32 | other.reshape(-1)[at]
    pairs, counts = np.unique(both, return_counts=True)
    return np.stack([pairs >> 32, pairs & 0xFFFFFFFF, counts], axis=1)


def _together(slabs: Sequence[Mapping[str, np.ndarray]], shape: Shape, axis: int | None) -> Step:
    counts = dict(zip(COUNTS, sum(slab["counts"] for slab in slabs).tolist(), strict=True))  # type: ignore[union-attr]
    rows = np.concatenate([slab["pairs"] for slab in slabs])
    pairs, which = np.unique(rows[:, :2], axis=0, return_inverse=True)
    shared = np.zeros(len(pairs), np.int64)
    np.add.at(shared, which.reshape(-1), rows[:, 2])
    together = np.concatenate([pairs, shared[:, None]], axis=1)
    if axis is None:
        return Step(counts, together, {}, counts["seen"] / float(np.prod(shape)))
    maps: dict[str, np.ndarray] = {}
    for name in (*MAPS, "seen"):
        planes = [slab[f"map_{name}"] for slab in slabs]
        maps[name] = np.asarray(np.sum(planes, axis=0, dtype=np.uint32)) if axis == 0 else np.concatenate(planes)
    seen = maps.pop("seen")
    return Step(counts, together, maps, float((seen > 0).mean()))
