"""The phase map of a synthetic Li-polymer-Li cell: electrode, polymer, electrode, and what grows between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.growth import NECK, REACH, Balls, agglomerate, dendrite, solid

Phases = NDArray[np.uint8]
Floats = NDArray[np.float32]
Surfaces = tuple[Floats, Floats]  # y of the upper and the lower interface, each (Z, X)

OUTSIDE, ELECTRODE, POLYMER, PIT, DENDRITE, REDEPOSITED, IMPURITY = range(7)
GRID = (192, 384)  # (Y, X) of the cell that is scanned; it goes on beyond the field of view, as a real one does
FIELD = (192, 320)  # (Y, X) of the slices: their diagonal, 373, fits the circle of 384 that parallel beams reconstruct
EDGE = (GRID[1] - FIELD[1]) // 2  # columns of the grid on either side of the field of view
DISK = ndimage.iterate_structure(ndimage.generate_binary_structure(2, 1), 2)[None]  # five voxels across, within a slice
SPECK = 25  # voxels: the smallest piece of lithium in a slice
GAP = 4.0  # voxels of polymer between an electrode and whatever does not stand on it by a neck


@dataclass(frozen=True)
class CellParameters:
    """What differs from cell to cell in shape; lengths in voxels.

    `lithium` is the share of the slices' voxels that dendrites and redeposited lithium aim for.
    """

    lithium: float
    mossy: float  # chance that the next structure is an agglomerate, not a dendrite
    margin: float  # pouch film above and below the electrodes
    electrode: float  # thickness of one electrode
    tilt: float  # rise of the cell over the width of the grid
    waviness: float  # long waves of the interfaces, standard deviation
    roughness: float  # short waves of the interfaces and of every outline, standard deviation
    pits: int  # for every 24 slices
    impurities: int  # for every 24 slices

    @classmethod
    def draw(cls, rng: np.random.Generator, seed: int) -> "CellParameters":
        """Draw a cell; the golden ratio spreads the lithium of consecutive seeds evenly in log over 0.9-4.2 %."""
        spread = (seed * 0.6180339887498949 + 0.35) % 1.0
        return cls(
            lithium=float(0.009 * (0.042 / 0.009) ** spread),
            mossy=float(rng.uniform(0.1, 0.3)),
            margin=float(rng.uniform(5, 11)),
            electrode=float(rng.uniform(24, 42)),
            tilt=float(rng.uniform(-7, 7)),
            waviness=float(rng.uniform(0.8, 2.2)),
            roughness=float(rng.uniform(0.4, 0.8)),
            pits=int(rng.integers(4, 12)),
            impurities=int(rng.integers(6, 24)),
        )


def phase_map(parameters: CellParameters, rng: np.random.Generator, slices: int) -> Phases:
    """Grow a cell and return its phases, uint8 (Z, Y, X) on the grid, one of the seven constants above per voxel."""
    top, bottom, rise = _interfaces(parameters, rng, slices)
    y = np.arange(GRID[0], dtype=np.float32)[:, None]
    height = np.minimum(y - top[:, None], bottom[:, None] - y)  # above the nearer electrode, (Z, Y, X)
    inside = (y >= rise + parameters.margin) & (y < rise + GRID[0] - parameters.margin)
    phases = np.where(height > 0, POLYMER, np.where(inside, ELECTRODE, OUTSIDE)).astype(np.uint8)
    wobble = np.clip(parameters.roughness * correlated_noise(rng, phases.shape, 1.8), -REACH / 2, REACH / 2)
    _dig_pits(phases, parameters, rng, (top, bottom), wobble)
    _grow_lithium(phases, parameters, rng, (top, bottom), height >= GAP, wobble)
    _clear_specks(phases)
    _scatter_impurities(phases, parameters, rng, wobble)
    return phases


def correlated_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Floats:
    """White noise blurred by a Gaussian of `sigma` voxels, scaled to mean 0 and standard deviation 1."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma, mode="wrap")
    return (noise - noise.mean()) / noise.std()


def _interfaces(p: CellParameters, rng: np.random.Generator, slices: int) -> tuple[Floats, Floats, Floats]:
    """The y of the upper and the lower interface (Z, X) and the rise of the whole cell (X,)."""
    z, x = np.arange(slices, dtype=np.float32)[:, None], np.arange(GRID[1], dtype=np.float32)
    rise = (p.tilt * (x / GRID[1] - 0.5)).astype(np.float32)

    def height() -> Floats:
        long = p.waviness * _waves(rng, z, x, shortest=90, longest=400)
        return p.margin + p.electrode + long + p.roughness * _waves(rng, z, x, shortest=10, longest=40)

    return (rise + height()).astype(np.float32), (rise + GRID[0] - height()).astype(np.float32), rise


def _waves(rng: np.random.Generator, z: Floats, x: Floats, shortest: float, longest: float) -> Floats:
    """A random surface (Z, X) of standard deviation 1, whatever the number of slices: 48 plane waves."""
    number = 2 * np.pi / np.exp(rng.uniform(np.log(shortest), np.log(longest), 48))
    angle, phase = rng.uniform(0, 2 * np.pi, (2, 48))
    waves = (np.cos(k * (np.sin(a) * z + np.cos(a) * x) + f) for k, a, f in zip(number, angle, phase, strict=True))
    return (np.sqrt(2 / 48) * sum(waves)).astype(np.float32)


def _place(balls: Balls, rng: np.random.Generator, surfaces: Surfaces, z: float, x: float) -> Balls:
    """Move a shape that grows from y = 0 onto one of the two interfaces at (z, x)."""
    upside = bool(rng.integers(2))
    surface = surfaces[0 if upside else 1]
    height = surface[int(np.clip(z, 0, len(surface) - 1)), int(np.clip(x, 0, GRID[1] - 1))]
    return balls * [1, 1 if upside else -1, 1, 1] + [z, height, x, 0]


def _dig_pits(phases: Phases, p: CellParameters, rng: np.random.Generator, surfaces: Surfaces, wobble: Floats) -> None:
    """Flat cavities in the electrodes, below the interface."""
    for _ in range(round(p.pits * (len(phases) + 24) / 24)):
        radius = rng.uniform(4, 9)
        centres = rng.standard_normal((5, 3)) * radius * 0.7
        centres[:, 1] = rng.uniform(-1.0, -0.4, 5) * radius
        place = rng.uniform(-12, len(phases) + 12), rng.uniform(0, GRID[1])
        box, pit = solid(_place(np.column_stack([centres, np.full(5, radius)]), rng, surfaces, *place), wobble)
        phases[box][pit & (phases[box] == ELECTRODE)] = PIT
    pits = phases == PIT
    phases[pits & ~ndimage.binary_opening(pits, DISK)] = ELECTRODE


def _grow_lithium(
    phases: Phases,
    p: CellParameters,
    rng: np.random.Generator,
    surfaces: Surfaces,
    free: NDArray[np.bool_],
    wobble: Floats,
) -> None:
    """Add dendrites and agglomerates one by one until their share of the field of view is what the cell aims for.

    They gather around two hot spots; one that would overshoot is left out and another is tried. Only a neck may
    touch an electrode: the rest stays `free`, so that the interface remains visible beside it.
    """
    view = np.zeros(GRID[1], bool)
    view[EDGE:-EDGE] = True
    aim, grown = p.lithium * phases[:, :, view].size, 0
    hot_spots, spread = rng.uniform(EDGE, GRID[1] - EDGE, 2), 8.0 + 700.0 * p.lithium
    for _ in range(100 + 20 * len(phases)):
        if grown >= 0.9 * aim:
            break
        mossy = rng.random() < p.mossy
        low, high = ((4, 8), (8, 40)) if mossy else ((4.5, 25), (7, 65))
        shape = agglomerate(rng, *rng.uniform(low, high)) if mossy else dendrite(rng, *rng.uniform(low, high))
        place = rng.uniform(-10, len(phases) + 10), rng.choice(hot_spots) + spread * rng.standard_normal()
        balls = _place(shape, rng, surfaces, *place)
        box, body = solid(balls, 1.5 * wobble)
        body &= free[box]
        if not mossy:
            neck_box, neck = solid(balls[:NECK], wobble)
            within = tuple(slice(n.start - b.start, n.stop - b.start) for n, b in zip(neck_box, box, strict=True))
            body[within] |= neck
        body &= phases[box] == POLYMER
        added = int(body[:, :, view[box[2]]].sum())
        if 0 < added < 1.15 * aim - grown:
            phases[box][body] = REDEPOSITED if mossy else DENDRITE
            grown += added


def _clear_specks(phases: Phases) -> None:
    """Turn lithium that nobody could label back to polymer: thinner than five voxels in its slice, or a mere speck."""
    lithium = np.isin(phases, (DENDRITE, REDEPOSITED))
    solids = lithium | (phases == ELECTRODE)
    kept = lithium & ndimage.binary_opening(solids, DISK)
    pieces, _ = ndimage.label(kept, ndimage.generate_binary_structure(3, 1) & np.array([0, 1, 0], bool)[:, None, None])
    area = np.bincount(pieces.ravel())
    phases[lithium & ~(kept & (area[pieces] >= SPECK))] = POLYMER


def _scatter_impurities(phases: Phases, p: CellParameters, rng: np.random.Generator, wobble: Floats) -> None:
    """Small dense grains in the polymer and the electrodes; never on lithium that is labelled."""
    for _ in range(round(p.impurities * (len(phases) + 10) / 24)):
        centre = rng.uniform((-5, 0, 0), (len(phases) + 5, *GRID))
        box, grain = solid(np.array([[*centre, rng.uniform(1.5, 3.2)]]), wobble)
        phases[box][grain & np.isin(phases[box], (ELECTRODE, POLYMER))] = IMPURITY
