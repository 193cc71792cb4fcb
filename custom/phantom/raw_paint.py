"""A slice of a cell's attenuation and lithium, asked of its formulae at the points where a scan has its voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
        self._rows, self._columns = self._frame()
        self._places = view.from_cell(cell.balls[:, :3])
        # a bent ball is slightly sheared: by up to 12 voxels over half a cell's width
        self._radii = 1.25 * (cell.balls[:, 3] + REACH) + 1

    def paint(self, z: int) -> tuple[Floats, NDArray[np.bool_]]:
        """One slice (Y, X): attenuation relative to the polymer's, 0 in air, and where there is lithium."""
        grid = np.meshgrid(float(z), self._rows, self._columns, indexing="ij")
        at = np.moveaxis(self._view.to_cell(np.stack(grid, axis=-1)[0]), -1, 0).astype(np.float32)
        box = _depth_in_box(at, np.array([[-0.5] * 3, np.array(self._cell.shape) - 0.5], np.float32))
        picture = Picture(box.shape, self._blur, 0.0, 0.0)
        picture.lay(box + self._film, *FILM)
        picture.lay(_depth_in_box(at, self._cell.tab.astype(np.float32)), *TAB)
        content, polymer, lithium = self._content(z, at)
        picture.lay_picture(box, content)
        seen, label = np.zeros(self._view.shape[1:], np.float32), np.zeros(self._view.shape[1:], bool)
        within = np.ix_(self._rows, self._columns)
        seen[within] = picture.seen(self._fringe)
        label[within] = (lithium > 0) & (polymer > 0) & (box > 0)
        return seen, label

    def _content(self, z: int, at: Floats) -> tuple[Picture, Floats, Floats]:
        """What the box holds, the height above the nearer electrode, and the depth in lithium."""
        upper, lower = (_interpolated(face, at) for face in self._cell.interfaces)
        height = np.minimum(at[1] - upper, lower - at[1])
        depth, texture = self._depths(z, at), self._texture(at)
        wobble = np.clip(np.float32(self._cell.roughness) * texture, -REACH / 2, REACH / 2)
        free = height - np.float32(GAP)  # only a neck may touch an electrode, as in `phases`
        moss = np.minimum(depth[MOSS] + 1.5 * wobble, free)
        lithium = np.maximum(np.minimum(depth[BODY] + 1.5 * wobble, free), depth[STEM] + wobble)
        lithium = np.maximum(lithium, moss)
        of = self._relative
        content = Picture(at.shape[1:], self._blur, of[ELECTRODE], DENSITY[ELECTRODE])
        content.lay(np.minimum(height, -lithium), of[POLYMER], DENSITY[POLYMER])
        pores = self._pores * np.clip(1 + np.float32(0.6) * texture, 0, 2)
        content.lift(moss, pores * (of[POLYMER] - of[ELECTRODE]))
        content.lay(np.minimum(depth[HOLLOW] + wobble, -height), of[PIT], DENSITY[PIT])
        content.lay(np.minimum(depth[GRAIN] + wobble, -lithium), of[IMPURITY], DENSITY[IMPURITY])
        return content, height, lithium

    def _depths(self, z: int, at: Floats) -> Floats:
        """(5, Y, X): depth below the surface of the balls of each kind, far below 0 away from them."""
        found = np.full((5, *at.shape[1:]), -4 * REACH, np.float32)
        first = np.array([self._rows[0], self._columns[0]]) if found.size else np.zeros(2, int)
        for ball in np.flatnonzero(abs(self._places[:, 0] - z) < self._radii):
            middle, reach = self._places[ball, 1:] - first, self._radii[ball]
            (y, x), (below, right) = (
                np.maximum(middle - reach, 0).astype(int),
                np.maximum(middle + reach + 1, 0).astype(int),
            )
            near = at[:, y:below, x:right]
            if near.size == 0:
                continue
            *centre, radius = self._cell.balls[ball].astype(np.float32)
            apart = near - np.array(centre, np.float32)[:, None, None]
            window = found[self._cell.kinds[ball], y:below, x:right]
            np.maximum(window, radius - np.sqrt(np.einsum("iyx,iyx->yx", apart, apart)), out=window)
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
        box = np.array([[-0.5] * 3, np.array(self._cell.shape) - 0.5]) + [[-reach], [reach]]
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
    beyond = abs(at - middle[:, None, None]) - half[:, None, None]
    outside = np.maximum(beyond, 0)
    depth: Floats = -np.sqrt(np.einsum("iyx,iyx->yx", outside, outside)) - np.minimum(beyond.max(axis=0), 0)
    return depth


def _interpolated(face: Floats, at: Floats) -> Floats:
    """A face (Z, X) at the points' z and x, linearly; constant beyond its ends."""
    z, x = (np.clip(at[axis], 0, n - 1) for axis, n in zip((0, 2), face.shape, strict=True))
    i, j = (np.minimum(one.astype(int), max(n - 2, 0)) for one, n in zip((z, x), face.shape, strict=True))
    down, right = z - i.astype(np.float32), x - j.astype(np.float32)
    upper = face[i, j] + right * (face[i, j + 1] - face[i, j])
    lower = face[i + 1, j] + right * (face[i + 1, j + 1] - face[i + 1, j])
    found: Floats = upper + down * (lower - upper)
    return found
