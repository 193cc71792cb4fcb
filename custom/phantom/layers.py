"""The layers of a synthetic cell: electrode, polymer, electrode, and the rough interfaces that things grow from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.growth import Balls

Phases = NDArray[np.uint8]
Floats = NDArray[np.float32]
Surfaces = tuple[Floats, Floats]  # y of the upper and the lower interface, each (Z, X)

OUTSIDE, ELECTRODE, POLYMER, PIT, DENDRITE, REDEPOSITED, IMPURITY = range(7)
GRID = (192, 384)  # (Y, X) of the cell that is scanned; it goes on beyond the field of view, as a real one does
FIELD = (192, 320)  # (Y, X) of the slices: their diagonal, 373, fits the circle of 384 that parallel beams reconstruct
EDGE = (GRID[1] - FIELD[1]) // 2  # columns of the grid on either side of the field of view


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


def correlated_noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Floats:
    """White noise blurred by a Gaussian of `sigma` voxels, scaled to mean 0 and standard deviation 1."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma, mode="wrap")
    return (noise - noise.mean()) / noise.std()


def interfaces(p: CellParameters, rng: np.random.Generator, slices: int) -> tuple[Floats, Floats, Floats]:
    """The y of the upper and the lower interface (Z, X) and the rise of the whole cell (X,)."""
    z, x = np.arange(slices, dtype=np.float32)[:, None], np.arange(GRID[1], dtype=np.float32)
    rise = (p.tilt * (x / GRID[1] - 0.5)).astype(np.float32)

    def height() -> Floats:
        long = p.waviness * waves(rng, z, x, shortest=90, longest=400)
        return p.margin + p.electrode + long + p.roughness * waves(rng, z, x, shortest=10, longest=40)

    return (rise + height()).astype(np.float32), (rise + GRID[0] - height()).astype(np.float32), rise


def waves(rng: np.random.Generator, z: Floats, x: Floats, shortest: float, longest: float) -> Floats:
    """A random surface (Z, X) of standard deviation 1, whatever the number of slices: 48 plane waves."""
    number = 2 * np.pi / np.exp(rng.uniform(np.log(shortest), np.log(longest), 48))
    angle, phase = rng.uniform(0, 2 * np.pi, (2, 48))
    waves = (np.cos(k * (np.sin(a) * z + np.cos(a) * x) + f) for k, a, f in zip(number, angle, phase, strict=True))
    return (np.sqrt(2 / 48) * sum(waves)).astype(np.float32)


def stand_on(balls: Balls, rng: np.random.Generator, surfaces: Surfaces, z: float, x: float) -> Balls:
    """Move a shape that grows from y = 0 onto one of the two interfaces at (z, x)."""
    upside = bool(rng.integers(2))
    surface = surfaces[0 if upside else 1]
    height = surface[int(np.clip(z, 0, len(surface) - 1)), int(np.clip(x, 0, GRID[1] - 1))]
    return balls * [1, 1 if upside else -1, 1, 1] + [z, height, x, 0]
