"""Lines into a cell across its six faces, gathered from a second reading of a few places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom.region.outline import Outline
from custom.region.profiles import STEP, Profiles
from custom.region.stations import Station

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
        reach: of the lines.
    """

    def __init__(self, outline: Outline, reach: Reach) -> None:
        self.outline, self.reach = outline, reach
        self.outer = [outline.faces[name] for name in ("first", "last")]
        self.sides = [outline.faces[name] for name in ("left", "right")]
        self.rim = _RIM * (outline.w[1] - outline.w[0]) + reach.out / 2
        self.shares = (np.arange(ROWS) + 0.5) / ROWS
        self._found: list[tuple[list[Floats], list[Floats], list[Floats], list[Floats]]] = [
            ([], [], [], []) for _ in range(4)
        ]

    def add(self, place: Station) -> None:
        """Look at one more station."""
        frame, offsets = self.outline.frame, self.reach.offsets
        z = np.full(COLUMNS, place.z)
        middle = np.mean([surface.at(z[:1], np.array([np.mean(self.outline.w)])) for surface in self.outer], axis=0)
        left, right = (float(side.at(z[:1], middle)[0]) for side in self.sides)
        across = np.linspace(left + self.rim, right - self.rim, COLUMNS)
        for number, (surface, inward) in enumerate(zip(self.outer, (1, -1), strict=True)):
            height = surface.at(z, across)
            n = height[:, None] + inward * offsets
            lines = np.mean([place.sample(frame, n, across[:, None] + aside) for aside in ASIDE], axis=0)
            self._keep(number, lines, height - inward * self.reach.out, z, across)
        for number, (side, limit, inward) in enumerate(zip(self.sides, self.outline.w, (1, -1), strict=True), 2):
            first, last = (surface.at(z[:1], np.array([limit])) for surface in self.outer)
            n = first + self.shares * (last - first)
            end = side.at(z[:ROWS], n)
            w = end[:, None] + inward * offsets
            lines = np.mean([place.sample(frame, n[:, None] + aside, w) for aside in ASIDE], axis=0)
            self._keep(number, lines, end - inward * self.reach.out, z[:ROWS], n)

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


def end_places(outline: Outline, rows: Sequence[Height], z: float) -> tuple[Floats, Floats]:
    """(n, w) of the lines into an end that lies at about `z`, at heights `rows`."""
    width = outline.w[1] - outline.w[0]
    w = np.linspace(outline.w[0] + 0.08 * width, outline.w[1] - 0.08 * width, COLUMNS // 2)
    height = np.full_like(w, z)
    return np.concatenate([row(height, w) for row in rows]), np.tile(w, len(rows))


def end_lines(slices: Iterable[Station], outline: Outline, places: tuple[Floats, Floats], inward: int) -> Profiles:
    """Lines along z into one end; their coordinates are (n, w).

    Args:
        slices: single ones, from outside in.
        outline: of the cell.
        places: (n, w) of the lines.
        inward: 1 at the lower end, -1 at the upper one.
    """
    n, w = places
    seen = [(one.z, np.mean([one.sample(outline.frame, n, w + aside) for aside in ASIDE], axis=0)) for one in slices]
    along = inward * np.array([z for z, _ in seen])
    at = np.arange(along[0], along[-1] + STEP / 2, STEP)
    lines = np.stack([np.interp(at, along, column) for column in np.stack([line for _, line in seen]).T])
    return Profiles(lines, np.full(len(n), inward * at[0]), inward, n, w)
