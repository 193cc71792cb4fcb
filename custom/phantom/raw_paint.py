"""A slice of a cell's attenuation and lithium, asked of its formulae at the points where a scan has its voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from custom.phantom.grey import DENSITY, GreyParameters
from custom.phantom.growth import REACH
from custom.phantom.layers import ELECTRODE, IMPURITY, PIT, POLYMER
from custom.phantom.phases import GAP
from custom.phantom.raw_cell import BODY, GRAIN, HOLLOW, MOSS, STEM, RawCell
from custom.phantom.raw_map import Points, Shape
from custom.phantom.raw_picture import Picture

FILM = (1.3, 1.6)  # attenuation relative to the polymer's, density in g/cm3
TAB = (2.0, 2.7)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """A grid that a cell is seen on.

    Attributes:
        shape: (Z, Y, X) of the grid.
        to_cell: its points in the cell.
        from_cell: the inverse.
    """

    shape: Shape
    to_cell: Callable[[Points], Points]
    from_cell: Callable[[Points], Points]


class Depths(NamedTuple):
    """Of the points of a slice below the surfaces of what a cell holds, in voxels: each (Y, X), negative outside."""

    balls: Floats  # (5, Y, X), of each kind of ball, perfectly round
    height: Floats  # above the nearer electrode
    lithium: Floats  # dendrites, their necks and redeposited lithium
    moss: Floats  # redeposited lithium
    wobble: Floats  # how far outlines are rough
    texture: Floats  # noise of standard deviation 1

    @property
    def labelled(self) -> NDArray[np.bool_]:
        return (self.lithium > 0) & (self.height > 0)


class Painter:
    """Paints a cell slice by slice on the grid of a view.

    Args:
        cell: in its own voxels.
        film: thickness of the pouch around it, voxels.
        grey: attenuations and blur.
        fringe: strength of the edge fringe, as in `ScanParameters`.
        view: of the cell.
    """

    def __init__(self, cell: RawCell, film: float, grey: GreyParameters, fringe: float, view: View) -> None:
        self._cell, self._film, self._view = cell, np.float32(film), view
        self._blur, self._pores = grey.blur, np.float32(grey.pores)
        self._relative, self._fringe = grey.attenuation() / np.float32(grey.polymer), fringe / grey.polymer
        self._box = np.array([[-0.5] * 3, np.array(cell.shape) - 0.5], np.float32)
        self._rows, self._columns = self._frame()
        self._places = view.from_cell(cell.balls[:, :3])
        # a bent ball is slightly sheared: by up to 12 voxels over half a cell's width
        self._radii = 1.15 * (cell.balls[:, 3] + REACH) + 1
        self._faces = np.stack(list(cell.interfaces), axis=-1)

    def paint(self, z: int) -> tuple[Floats, NDArray[np.bool_]]:
        """One slice (Y, X): attenuation relative to the polymer's, 0 in air, and where there is lithium."""
        at = self._points(z)
        depths = self._depths(z, at)
        box = _depth_in_box(at, self._box)
        picture = Picture(box.shape, self._blur, 0.0, 0.0)
        picture.lay(box + self._film, *FILM)
        picture.lay(_depth_in_box(at, self._cell.tab.astype(np.float32)), *TAB)
        picture.lay_picture(box, self._content(depths))
        return self._placed(picture.seen(self._fringe)), self._placed(depths.labelled & (box > 0))

    def label(self, z: int) -> NDArray[np.bool_]:
        """Where there is lithium in one slice (Y, X)."""
        at = self._points(z)
        return self._placed(self._depths(z, at, STEM).labelled & (_depth_in_box(at, self._box) > 0))

    def _points(self, z: int) -> Floats:
        """(3, rows, columns): where the voxels of a slice lie in the cell."""
        grid = np.meshgrid(float(z), self._rows, self._columns, indexing="ij")
        return np.moveaxis(self._view.to_cell(np.stack(grid, axis=-1)[0]), -1, 0).astype(np.float32)

    def _placed(self, part: NDArray[Any]) -> NDArray[Any]:
        """A slice of the view with the part in it that the cell lies in."""
        found = np.zeros(self._view.shape[1:], part.dtype)
        found[np.ix_(self._rows, self._columns)] = part
        return found

    def _content(self, depths: Depths) -> Picture:
        """What the box holds."""
        of, (balls, height, lithium, moss, wobble, texture) = self._relative, depths
        content = Picture(height.shape, self._blur, of[ELECTRODE], DENSITY[ELECTRODE])
        content.lay(np.minimum(height, -lithium), of[POLYMER], DENSITY[POLYMER])
        pores = self._pores * np.clip(1 + np.float32(0.6) * texture, 0, 2)
        content.lift(moss, pores * (of[POLYMER] - of[ELECTRODE]))
        content.lay(np.minimum(balls[HOLLOW] + wobble, -height), of[PIT], DENSITY[PIT])
        content.lay(np.minimum(balls[GRAIN] + wobble, -lithium), of[IMPURITY], DENSITY[IMPURITY])
        return content

    def _depths(self, z: int, at: Floats, last: int = GRAIN) -> Depths:
        """Of what the cell holds, without the balls of kinds after the `last`."""
        upper, lower = np.moveaxis(_interpolated(self._faces, at), -1, 0)
        height = np.minimum(at[1] - upper, lower - at[1])
        balls, texture = self._in_balls(z, at, last), self._texture(at)
        wobble = np.clip(np.float32(self._cell.roughness) * texture, -REACH / 2, REACH / 2)
        free = height - np.float32(GAP)  # only a neck may touch an electrode, as in `phases`
        moss = np.minimum(balls[MOSS] + 1.5 * wobble, free)
        body, neck = np.minimum(balls[BODY] + 1.5 * wobble, free), balls[STEM] + wobble
        return Depths(balls, height, np.maximum(np.maximum(body, neck), moss), moss, wobble, texture)

    def _in_balls(self, z: int, at: Floats, last: int) -> Floats:
        """(5, Y, X): depth below the surface of the balls of each kind, far below 0 away from them."""
        found = np.full((5, *at.shape[1:]), -4 * REACH, np.float32)
        if found.size == 0:
            return found
        apart = self._radii**2 - (self._places[:, 0] - z) ** 2
        near = np.flatnonzero((apart > 0) & (self._cell.kinds <= last))
        middle = self._places[near, 1:] - [self._rows[0], self._columns[0]]
        reach = np.sqrt(apart[near])[:, None]
        starts, stops = (np.clip(ends, 0, at.shape[1:]).astype(int) for ends in (middle - reach, middle + reach + 1))
        balls = self._cell.balls[near].astype(np.float32)
        for kind, ball, (top, left), (bottom, right) in zip(self._cell.kinds[near], balls, starts, stops, strict=True):
            if top < bottom and left < right:
                dz, dy, dx = (at[axis, top:bottom, left:right] - ball[axis] for axis in range(3))
                window = found[kind, top:bottom, left:right]
                np.maximum(window, ball[3] - np.sqrt(dz * dz + dy * dy + dx * dx), out=window)
        return found

    def _texture(self, at: Floats) -> Floats:
        """Of standard deviation 1."""
        found = np.zeros(at.shape[1:], np.float32)
        for *number, phase in self._cell.texture.astype(np.float32):
            found += np.cos(number[0] * at[0] + number[1] * at[1] + number[2] * at[2] + phase)
        return found * np.float32(np.sqrt(2 / len(self._cell.texture)))

    def _frame(self) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        """Rows and columns of the view that the cell with its film and tab lies in."""
        reach = float(self._film) + 3
        box = self._box + [[-reach], [reach]]
        bulge = np.linspace(0, 1, 9)  # the bend is at its largest between the corners
        z, y, x = (ends[0] + bulge * (ends[1] - ends[0]) for ends in box.T)
        shell = np.stack(np.meshgrid(z, y[[0, -1]], x, indexing="ij"), axis=-1).reshape(-1, 3)
        seen = self._view.from_cell(np.concatenate([shell, self._cell.tab + [[-reach], [reach]]]))
        low, high = np.floor(seen.min(axis=0)).astype(int) - 2, np.ceil(seen.max(axis=0)).astype(int) + 3
        rows, columns = (
            np.arange(max(low[axis], 0), max(min(high[axis], self._view.shape[axis]), 0)) for axis in (1, 2)
        )
        return rows, columns


def _depth_in_box(at: Floats, box: Floats) -> Floats:
    """Distance to the faces of a box (2, 3), first and last corner; positive inside, rounded around its edges outside."""
    middle, half = (box[0] + box[1]) / 2, (box[1] - box[0]) / 2
    z, y, x = abs(at - middle[:, None, None]) - half[:, None, None]
    outside = np.sqrt(np.maximum(z, 0) ** 2 + np.maximum(y, 0) ** 2 + np.maximum(x, 0) ** 2)
    depth: Floats = -outside - np.minimum(np.maximum(np.maximum(z, y), x), 0)
    return depth


def _interpolated(faces: Floats, at: Floats) -> Floats:
    """Faces (Z, X, 2) at the points' z and x, linearly; constant beyond their ends."""
    z, x = (np.clip(at[axis], 0, n - 1) for axis, n in zip((0, 2), faces.shape[:2], strict=True))
    i, j = (np.minimum(one.astype(int), n - 2) for one, n in zip((z, x), faces.shape[:2], strict=True))
    down, right = (z - i.astype(np.float32))[..., None], (x - j.astype(np.float32))[..., None]
    flat, start = faces.reshape(-1, 2), i * faces.shape[1] + j
    one, two, three, four = (flat.take(start + step, axis=0) for step in (0, 1, faces.shape[1], faces.shape[1] + 1))
    upper = one + right * (two - one)
    found: Floats = upper + down * (three + right * (four - three) - upper)
    return found
