"""What becomes of each piece of a growing cell, known by the balls that it is made of."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.phantom.growing import GrowingCell

Piece = frozenset[int]  # its balls
Case = tuple[str, Piece | None]
_CLEAR = 1.0  # voxels from an electrode, within which a rounded middle of a ball may lie in it or not


def true_pieces(cell: GrowingCell, scan: int) -> tuple[np.ndarray, dict[int, Piece]]:
    """The pieces of a scan as they lie in the first one: labels (Z, Y, X), and the balls of each."""
    labels, _ = ndimage.label(cell.unmoved_mask(scan), np.ones((3, 3, 3)))
    return labels, balls_of(cell, scan, labels, cell.balls.centres)


def balls_of(cell: GrowingCell, scan: int, labels: np.ndarray, places: np.ndarray) -> dict[int, Piece]:
    """Which balls each label has, but for those whose middles lie at an electrode.

    Args:
        labels: (Z, Y, X), on any grid; 0 is none.
        places: (n, 3) of the balls' middles on that grid.
    """
    found: dict[int, set[int]] = {}
    at = np.rint(places).astype(int)
    clear = cell.clear(cell.balls.centres) > _CLEAR
    for ball, place in enumerate(at):
        inside = clear[ball] and (place >= 0).all() and (place < labels.shape).all()
        if cell.balls.radii[scan][ball] > 0 and inside and (label := int(labels[tuple(place)])):
            found.setdefault(label, set()).add(ball)
    return {label: frozenset(balls) for label, balls in found.items()}


def true_cases(cell: GrowingCell, scan: int) -> tuple[dict[Piece, Case], dict[Piece, Case]]:
    """What every piece of the scan behind `scan` comes from, and what becomes of every piece of `scan` that ends there.

    Pieces that share a ball are one and the same lithium. Of several the one with the largest overlap goes on.

    Returns:
        Of each piece of the later scan ("on", "split" or "born", the piece before); of each that ends ("merged" or "gone", the
        piece after).
    """
    (one, before), (other, after) = (true_pieces(cell, at) for at in (scan, scan + 1))
    shared = {
        (a, b): int(np.count_nonzero((one == a) & (other == b)))
        for a, balls in before.items()
        for b, others in after.items()
        if balls & others
    }
    follows = {a: max((b for x, b in shared if x == a), key=lambda b: shared[a, b], default=None) for a in before}
    comes = {b: max((a for a, x in shared if x == b), key=lambda a: shared[a, b], default=None) for b in after}
    begins: dict[Piece, Case] = {}
    for b, a in comes.items():
        kind = "born" if a is None else "on" if follows[a] == b else "split"
        begins[after[b]] = kind, None if a is None else before[a]
    ends: dict[Piece, Case] = {}
    for a, last in follows.items():
        if last is None or comes[last] != a:
            ends[before[a]] = ("gone", None) if last is None else ("merged", after[last])
    return begins, ends
