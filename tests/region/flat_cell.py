"""A small flat cell in air, drawn straight from formulas at known places: no interpolation, no projection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation
from scipy.special import expit
from views import Held

# from outside in, on both sides: where a layer begins (share of a voxel is fine), its grey value above air
FILM, LITHIUM, POLYMER = 6.0, 0.36, 1.0


@dataclass(frozen=True)
class Drawn:
    """A cell of `shape` (nz, ny, nx) whose middle lies in the middle of the volume, turned, bent, in noise.

    Attributes:
        turns: degrees about z, y and x.
        bend: how far the middle of both faces lies beside their rim along y, in voxels.
        film: of pouch around the electrodes, 0.8 of the polymer's grey value.
    """

    sides: tuple[int, int, int] = (150, 150, 150)
    shape: tuple[int, int, int] = (130, 60, 110)
    turns: tuple[float, float, float] = (2.0, 1.0, -1.5)
    bend: float = 3.0
    film: float = FILM
    noise: float = 0.15
    electrode: float = 14.0
    seed: int = 0

    @property
    def rotation(self) -> np.ndarray:
        """From the cell's (z, y, x) to the volume's."""
        matrix = np.asarray(Rotation.from_euler("zyx", self.turns, degrees=True).as_matrix())  # of (x, y, z)
        return matrix[::-1, ::-1]

    def corners(self) -> np.ndarray:
        """(2, 2, 2, 3): the outermost voxel centres of the region in the volume."""
        half = (np.array(self.shape) - 1) / 2
        signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1], indexing="ij"), axis=-1)
        return signs * half @ self.rotation.T + (np.array(self.sides) - 1) / 2

    def grey(self) -> np.ndarray:
        """(Z, Y, X) float, air 0, polymer 1."""
        places = np.stack(np.mgrid[tuple(slice(n) for n in self.sides)], axis=-1) - (np.array(self.sides) - 1) / 2
        z, y, x = np.moveaxis(places @ self.rotation, -1, 0)
        u, w = (2 * axis / (n - 1) for axis, n in ((z, self.shape[0]), (x, self.shape[2])))
        depth = self.shape[1] / 2 - np.abs(y - self.bend * (1 - u**2) * (1 - w**2 / 2))  # below the outer face
        beside = np.minimum(self.shape[2] / 2 - np.abs(x), self.shape[0] / 2 - np.abs(z))
        inner = np.minimum(depth, beside)
        stack = expit(4 * inner) * (LITHIUM + (POLYMER - LITHIUM) * expit(4 * (depth - self.electrode)))
        film = 0.8 * POLYMER * expit(4 * (inner + self.film)) * expit(-4 * inner) if self.film else 0
        grain = ndimage.gaussian_filter(np.random.default_rng(self.seed).normal(size=self.sides), 2.0)
        lithium = expit(4 * (depth - self.electrode)) * expit(4 * inner) * (grain > 1.2 * grain.std())
        return stack + film - (POLYMER - LITHIUM) * lithium

    def stack(self, name: str = "cell") -> Held:
        """As uint16 with noise."""
        noise = np.random.default_rng(self.seed + 1).normal(0, self.noise, self.sides)
        return Held(name, np.clip(20000 * (self.grey() + noise) + 9000, 0, 65535).round().astype(np.uint16))
