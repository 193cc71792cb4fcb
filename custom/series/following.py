"""Agglomerates followed from scan to scan: which goes on as which, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from custom.quantities.quantity import Row

LINKED = 0.25  # of the smaller one's voxels in view, that two have to share: those side by side only touch
_IN_VIEW = 0.5  # of an agglomerate's voxels, that have to lie where both scans see


@dataclass(frozen=True)
class Links:
    """What becomes of the agglomerates of a scan in the next one; numbers begin at 1, 0 is none.

    Attributes:
        next: (n + 1,), of each before the one after that it shares most with.
        last: (m + 1,), of each after the one before that it shares most with.
        shared: (n + 1,), (m + 1,), how many voxels those are.
        seen: (n + 1,), (m + 1,), voxels of each that lie where both scans see.
    """

    next: np.ndarray
    last: np.ndarray
    shared: tuple[np.ndarray, np.ndarray]
    seen: tuple[np.ndarray, np.ndarray]


def links(pairs: np.ndarray, before: int, after: int) -> Links:
    """Of each agglomerate the partner with the largest overlap, among those that share a quarter of the smaller one.

    Args:
        pairs: as `Step.pairs` has them.
        before, after: how many agglomerates there are.
    """
    seen = np.zeros(before + 1, np.int64), np.zeros(after + 1, np.int64)
    for side in range(2):
        np.add.at(seen[side], pairs[:, side], pairs[:, 2])
    both = pairs[(pairs[:, 0] > 0) & (pairs[:, 1] > 0)]
    smaller = np.minimum(seen[0][both[:, 0]], seen[1][both[:, 1]])
    both = both[both[:, 2] >= LINKED * smaller]
    both = both[
        np.lexsort((both[:, 1], both[:, 0], -both[:, 2]))
    ]  # the largest first; of alike ones the lowest numbers
    found: list[np.ndarray] = []
    shared: list[np.ndarray] = []
    for side, count in enumerate((before, after)):
        own, first = np.unique(both[:, side], return_index=True)
        partner, voxels = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
        partner[own], voxels[own] = both[first, 1 - side], both[first, 2]
        found.append(partner)
        shared.append(voxels)
    return Links(found[0], found[1], (shared[0], shared[1]), seen)


def follow(
    names: Sequence[str], voxels: Sequence[np.ndarray], steps: Sequence[Links], voxel: float | None
) -> list[Row]:
    """A row for each agglomerate of each scan, and for each that is there no more, track by track.

    Args:
        names: of the scans.
        voxels: of each scan's agglomerates, the first has number 1.
        steps: from each scan to the next.
        voxel: volume of one in um3; None where it is unknown.
    """
    tracks = [np.arange(1, len(voxels[0]) + 1)]
    count = len(voxels[0])
    rows = [(track, 0, track, "first", 0, 0) for track in tracks[0].tolist()]
    for at, step in enumerate(steps, 1):
        here = np.zeros(len(voxels[at]), np.int64)
        for number, size in enumerate(voxels[at].tolist(), 1):
            last = int(step.last[number])
            goes_on = last > 0 and step.next[last] == number
            if goes_on:
                here[number - 1], other = tracks[at - 1][last - 1], 0
                was = voxels[at - 1][last - 1]
                event = "grew" if size > was else "shrank" if size < was else "stayed"
            else:
                count += 1
                here[number - 1], other = count, tracks[at - 1][last - 1] if last else 0
                event = "split from" if last else _unless_seen("born", "came into view", step.seen[1][number], size)
            rows.append((int(here[number - 1]), at, number, event, int(other), int(step.shared[1][number])))
        tracks.append(here)
        rows += _ends(at, step, tracks, voxels[at - 1])
    rows.sort(key=lambda row: row[:2])
    return [_row(row, names, voxels, voxel) for row in rows]


def _ends(
    at: int, step: Links, tracks: Sequence[np.ndarray], voxels: np.ndarray
) -> list[tuple[int, int, int, str, int, int]]:
    """Of the agglomerates that do not go on."""
    found = []
    for number, size in enumerate(voxels.tolist(), 1):
        after = int(step.next[number])
        if after and step.last[after] == number:
            continue
        event = "merged into" if after else _unless_seen("gone", "out of view", step.seen[0][number], size)
        other = int(tracks[at][after - 1]) if after else 0
        found.append((int(tracks[at - 1][number - 1]), at, 0, event, other, int(step.shared[0][number])))
    return found


def _unless_seen(event: str, otherwise: str, seen: int, size: int) -> str:
    return event if seen >= _IN_VIEW * size else otherwise


def _row(
    row: tuple[int, int, int, str, int, int], names: Sequence[str], voxels: Sequence[np.ndarray], voxel: float | None
) -> Row:
    track, at, number, event, other, shared = row
    size = int(voxels[at][number - 1]) if number else 0
    told: dict[str, object] = {"track": track, "scan": names[at], "agglomerate": number or None, "voxels": size}
    if voxel is not None:
        told["volume_um3"] = size * voxel
    return {**told, "event": event, "other_track": other or None, "shared_voxels": shared}
