"""The volume of a hard cell while it grows: each voxel's phase, and what part of it is something else."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.growth import Balls, Box, solid
from custom.phantom.layers import DENDRITE, EDGE, ELECTRODE, GRID, POLYMER, Floats, Phases, Surfaces

UPPER, LOWER, NEITHER = 1, 2, 3  # the electrode that lithium is joined to
VIEW = slice(EDGE, GRID[1] - EDGE)  # columns of the field of view


@dataclass(frozen=True)
class Ground:
    """Arrays (Z, Y, X) on the grid, filled in place.

    `share` in [0, 1]: of polymer in electrode, pit and lithium, in pores below the resolution; of gas in polymer.
    `side`: the electrode that a voxel belongs to, one of the three constants, or 0.
    """

    phases: Phases
    share: Floats
    side: Phases
    surfaces: Surfaces
    wobble: Floats  # displacement of the outlines

    @cached_property
    def gentle(self) -> Floats:
        """The displacement of a dendrite's outline, hardly inwards."""
        return np.clip(0.4 * self.wobble, -0.1, 1.0)

    def lay(self, balls: Balls, kind: int, onto: int, share: float) -> None:
        """Make the voxels within the balls that hold the phase `onto` another one."""
        box, body = solid(balls, self.wobble)
        body &= self.phases[box] == onto
        self.phases[box][body], self.share[box][body] = kind, share

    def grow(self, balls: Balls, kind: int, side: int, share: float, apart: float, most: float = np.inf) -> int:
        """Make polymer within the balls lithium of a kind, and return how many of its voxels are in view.

        Args:
            balls: where.
            kind: the phase, DENDRITE or REDEPOSITED.
            side: the electrode it belongs to.
            share: of pores.
            apart: voxels at least to whatever belongs elsewhere; 0: no matter.
            most: voxels in view; nothing is grown if there were more.
        """
        # a branch of two voxels breaks where its surface sinks in
        box, body = solid(balls, self.gentle if kind == DENDRITE else self.wobble)
        body &= self.phases[box] == POLYMER
        if apart and body.size:
            body &= self._clear(box, side, apart)
        view = int(body[:, :, _within(box[2])].sum())
        if view > most:
            return 0
        self.phases[box][body], self.share[box][body], self.side[box][body] = kind, share, side
        return view

    def foot(self, rng: np.random.Generator, z: float, x: float) -> tuple[bool, float, float]:
        """A place to stand on at (z, x): whether it is on the upper electrode, the interface's y, the polymer's height.

        Of the two electrodes one that is no pit there, if there is such a one.
        """
        at = int(np.clip(z, 0, len(self.phases) - 1)), int(np.clip(x, 0, GRID[1] - 1))
        top, bottom = (float(surface[at]) for surface in self.surfaces)
        upside = bool(rng.integers(2))
        if self.phases[at[0], int(top if upside else bottom) + (-1 if upside else 1), at[1]] != ELECTRODE:
            upside = not upside
        return upside, top if upside else bottom, bottom - top

    def _clear(self, box: Box, side: int, apart: float) -> NDArray[np.bool_]:
        """Which voxels of a box are more than `apart` from all that belongs to another side; NEITHER is at one with nothing."""
        reach = int(np.ceil(apart))
        wide = tuple(slice(max(0, s.start - reach), s.stop + reach) for s in box)
        found = self.side[wide]
        foreign = (found != 0) & ((found != side) | (side == NEITHER))
        if not foreign.any():
            return np.ones([s.stop - s.start for s in box], bool)
        inner = tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True))
        clear: NDArray[np.bool_] = ndimage.distance_transform_edt(~foreign)[inner] > apart
        return clear


def _within(columns: slice) -> slice:
    """Of the columns of a box, those in view, counted from the box's first."""
    start, stop = (int(np.clip(edge, columns.start, columns.stop)) for edge in (VIEW.start, VIEW.stop))
    return slice(start - columns.start, stop - columns.start)
