"""Lines into a cell across its six faces, gathered from a second reading of a few places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom.region.outline import Outline
from custom.region.profiles import STEP, Profiles
from custom.region.stations import Station
from custom.region.surfaces import Surface

Floats = NDArray[np.float64]
Height = Callable[[Floats, Floats], Floats]  # n of (z, w)

COLUMNS, ROWS = 96, 32  # lines of a station into a face, and into a side
ASIDE = np.arange(5.0) - 2  # voxels along the face whose mean a line is
_RIM = 0.03  # of the width: how far from its ends faces are looked at, beside the film


@dataclass(frozen=True)
class Reach:
    """How far lines go, in voxels: `out` before where the outer face should lie, `deep` beyond it."""

    out: float
    deep: float

    @property
    def offsets(self) -> Floats:
        """Along a line, from outside in."""
        return np.arange(-self.out, self.deep + STEP / 2, STEP)


class Gathering:
    """Gathers the lines into both faces and both sides, station by station.

    Args:
        outline: of the cell.
        outer: its outer faces, first and last, roughly.
        reach: of the lines.
    """

    def __init__(self, outline: Outline, outer: Sequence[Surface], reach: Reach) -> None:
        self.outline, self.outer, self.reach = outline, outer, reach
        rim = _RIM * (outline.w[1] - outline.w[0]) + reach.out / 2
        self.w = np.linspace(outline.w[0] + rim, outline.w[1] - rim, COLUMNS)
        self.shares = (np.arange(ROWS) + 0.5) / ROWS
        self._found: list[tuple[list[Floats], list[Floats], list[Floats], list[Floats]]] = [
            ([], [], [], []) for _ in range(4)
        ]

    def add(self, place: Station) -> None:
        """Look at one more station."""
        frame, offsets = self.outline.frame, self.reach.offsets
        z = np.full(COLUMNS, place.z)
        for number, (surface, inward) in enumerate(zip(self.outer, (1, -1), strict=True)):
            height = surface.at(z, self.w)
            n = height[:, None] + inward * offsets
            lines = np.mean([place.sample(frame, n, self.w[:, None] + aside) for aside in ASIDE], axis=0)
            self._keep(number, lines, height - inward * self.reach.out, z, self.w)
        for number, (end, inward) in enumerate(zip(self.outline.w, (1, -1), strict=True), 2):
            w = end + inward * offsets
            first, last = (surface.at(np.array([place.z]), np.array([end])) for surface in self.outer)
            n = first + self.shares * (last - first)
            lines = np.mean([place.sample(frame, n[:, None] + aside, w[None]) for aside in ASIDE], axis=0)
            self._keep(number, lines, np.full(ROWS, end - inward * self.reach.out), z[:ROWS], n)

    def _keep(self, number: int, *parts: Floats) -> None:
        for kept, part in zip(self._found[number], parts, strict=True):
            kept.append(part)

    def gathered(self) -> list[Profiles]:
        """Into the first and the last face, with coordinates (z, w), and into both sides, with (z, n)."""
        found = []
        for parts, inward in zip(self._found, (1, -1, 1, -1), strict=True):
            values, start, first, second = (np.concatenate(part) for part in parts)
            found.append(Profiles(values, start, inward, first, second))
        return found


def end_lines(slices: Iterable[Station], outline: Outline, rows: Sequence[Height], inward: int) -> Profiles:
    """Lines along z into one end at heights `rows`; their coordinates are (n, w).

    Args:
        slices: single ones, from outside in.
        outline: of the cell.
        rows: heights of the lines.
        inward: 1 at the lower end, -1 at the upper one.
    """
    width = outline.w[1] - outline.w[0]
    w = np.linspace(outline.w[0] + 0.08 * width, outline.w[1] - 0.08 * width, COLUMNS // 2)
    height = np.full_like(w, outline.z[0] if inward > 0 else outline.z[1])
    n, across = np.concatenate([row(height, w) for row in rows]), np.tile(w, len(rows))
    seen = [
        (one.z, np.mean([one.sample(outline.frame, n, across + aside) for aside in ASIDE], axis=0)) for one in slices
    ]
    along = inward * np.array([z for z, _ in seen])
    at = np.arange(along[0], along[-1] + STEP / 2, STEP)
    lines = np.stack([np.interp(at, along, column) for column in np.stack([line for _, line in seen]).T])
    return Profiles(lines, np.full(len(n), inward * at[0]), inward, n, across)
