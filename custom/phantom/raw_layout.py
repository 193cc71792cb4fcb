"""How large a raw scan's cell and fields of view are, how the cell lies among them: drawn so that it fits the circle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from custom.phantom.raw_map import CellPlace, FieldPlace, Shape, turned

TILT = 5.0  # degrees, at most, about x and about y; less where the raw volume is too long and narrow for it
ROTATION = 10.0  # degrees, at most, of the cell within the slices
FIELD_ROTATION = 0.5  # degrees, at most, between the first field of view and another
BEND = 6.0  # voxels, at most
SHIFT = 3.0  # voxels, at most, of a field of view within the slices
FREE = 2.0  # voxels of air around the film

# the bends that vanish in the four corners, c[i][j] of u^i w^j
_BENDS = tuple(
    np.array(rows, float)
    for rows in (
        [[1, 0, 0], [0, 0, 0], [-1, 0, 0]],  # 1 - u^2
        [[1, 0, -1], [0, 0, 0], [0, 0, 0]],  # 1 - w^2
        [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],  # (1 - u^2) (1 - w^2)
        [[0, 1, 0], [0, 0, 0], [0, -1, 0]],  # w (1 - u^2)
        [[0, 0, 0], [1, 0, -1], [0, 0, 0]],  # u (1 - w^2)
    )
)


@dataclass(frozen=True)
class Layout:
    """Attributes: `raw` (Z, Y, X) of the raw grid joined, `cell` in it, `film` around it in voxels, `fields` over it."""

    raw: Shape
    cell: CellPlace
    film: float
    fields: tuple[FieldPlace, ...]
    tilt_deg: tuple[float, float]  # about x and about y
    rotation_deg: float


def draw_layout(rng: np.random.Generator, raw: Shape) -> Layout:
    """Draw a cell and three fields of view of a raw grid (Z, Y, X)."""
    film = float(rng.uniform(2.5, 4.0)) * min(1.0, raw[1] / 128)
    shape = cell_shape(raw)
    bend = _draw_bend(rng, min(BEND, raw[1] / 40) * rng.uniform(0.2, 1.0))
    tilt, rotation, place = rng.uniform(-TILT, TILT, 2), rng.uniform(-ROTATION, ROTATION), rng.uniform(-0.9, 0.9, 3)
    middle = (np.array(raw) - 1) / 2
    while True:
        cell = CellPlace(shape, turned(tilt[0], tilt[1], rotation), middle, bend)
        along, across = _room(raw, cell, film)
        if min(along, across) >= 0 or max(abs(tilt)) < 1e-3:
            break
        tilt = 0.8 * tilt
    free = np.array([max(along, 0), *[max(across, 0) / math.sqrt(2)] * 2])
    cell = CellPlace(shape, cell.turn, middle + place * np.minimum(free, 0.1 * np.array(raw)), bend)
    return Layout(raw, cell, film, _draw_fields(rng, raw), (float(tilt[0]), float(tilt[1])), float(rotation))


def cell_shape(raw: Shape) -> Shape:
    """(nz, ny, nx) of the cell of a raw grid: flat, as long and wide as fits the circle when it is tilted by `TILT`.

    256 per side: (211, 132, 155); the study's (3977, 2575, 2582): (3750, 340, 2066), where the study's has (3849, 340, 2071).
    """
    radius, lean = circle_radius(raw) - SHIFT, math.sin(math.radians(TILT))
    rim = 4 + FREE
    ny = round(max(0.516 * min(raw[1], 256), 0.132 * raw[1]))

    def half_width(swing: float) -> float:
        return math.sqrt(max(radius**2 - (ny / 2 + swing + rim) ** 2, 1)) - swing - rim

    nx = round(2 * max(min(0.4 * raw[2], half_width(0.45 * raw[0] * lean)), min(0.29 * raw[2], half_width(0)), 4))
    nz = round(max(raw[0] - 2 * ((ny + nx) / 2 * lean + rim + FREE), 0.6 * raw[0]))
    return nz, ny, nx


def circle_radius(raw: Shape) -> float:
    """Of the circle that is reconstructed, voxels."""
    return min(raw[1:]) / 2 - 1


def _room(raw: Shape, cell: CellPlace, film: float) -> tuple[float, float]:
    """How far the cell with its film could still move along z, and within the slices."""
    reach = film + FREE
    ends = [(-reach, n - 1 + reach) for n in cell.shape]
    corners = cell.turn @ (np.array(list(product(*ends))) - (np.array(cell.shape) - 1) / 2).T
    along = (raw[0] - 1) / 2 - abs(corners[0]).max()
    return float(along), float(circle_radius(raw) - SHIFT - np.hypot(corners[1], corners[2]).max())


def _draw_bend(rng: np.random.Generator, most: float) -> NDArray[np.float64]:
    """(2, 3, 3): both faces are bent alike, up to `most` voxels, and by up to a tenth of it apart."""
    found = np.zeros((2, 3, 3))
    whole, apart = (sum(c * b for c, b in zip(rng.uniform(-1, 1, len(_BENDS)), _BENDS, strict=True)) for _ in range(2))
    u, w = np.meshgrid(*[np.linspace(-1, 1, 41)] * 2, indexing="ij")

    def to_height(table: NDArray[np.float64], height: float) -> NDArray[np.float64]:
        return table * height / abs(np.polynomial.polynomial.polyval2d(u, w, table)).max()

    found[0] = to_height(np.asarray(whole), most)
    found[1] = to_height(found[0] + to_height(np.asarray(apart), 0.1 * most), most)
    return found


def _draw_fields(rng: np.random.Generator, raw: Shape) -> tuple[FieldPlace, ...]:
    """Three fields of view in order of z that overlap by a tenth of their height and end with the raw grid."""
    height = math.ceil(raw[0] / 2.8)
    overlap = max(round(0.1 * height), 2)
    fields = [FieldPlace((height, *raw[1:]))]
    jitter = np.array([min(1.0, overlap / 8), *[SHIFT / math.sqrt(2)] * 2])
    for number in (1, 2):
        z, y, x = np.array([number * (height - overlap), 0, 0]) + rng.uniform(-1, 1, 3) * jitter
        slices = height if number == 1 else raw[0] - math.floor(z)
        rotation = float(rng.uniform(-FIELD_ROTATION, FIELD_ROTATION))
        fields.append(FieldPlace((slices, *raw[1:]), (float(z), float(y), float(x)), rotation))
    return tuple(fields)
