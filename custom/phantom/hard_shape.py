"""What differs from one hard cell to the next in shape."""

from dataclasses import dataclass

import numpy as np

from custom.phantom.layers import GRID, CellParameters

BEYOND = -8.0  # voxels: deep enough to reach an electrode in the hollows of its waves


@dataclass(frozen=True)
class HardParameters(CellParameters):
    """Lengths in voxels, counts for every 24 slices; a share is of the voxels or of a voxel."""

    zoom: float  # voxels for every 1.33 um
    dead: float  # chance that a dendrite has lost its foot
    crossing: int  # dendrites that grow across the polymer, however many slices
    left: float  # voxels of polymer that these leave; below 0 they reach the other electrode
    porous: float  # largest share of polymer, in pores below the resolution, of a dendrite, pit or agglomerate
    bubbles: int  # of gas, in the polymer
    metal: int  # large grains that throw streaks

    @classmethod
    def draw_hard(cls, rng: np.random.Generator, seed: int, voxel_size_um: float) -> "HardParameters":
        """Draw a cell; consecutive seeds spread evenly in log over 1.2-4.5 % of lithium, and every third one is bridged."""
        zoom, spread = 1.33 / voxel_size_um, (seed * 0.6180339887498949 + 0.35) % 1.0
        return cls(
            lithium=float(0.012 * (0.045 / 0.012) ** spread),
            mossy=float(rng.uniform(0.1, 0.3)),
            margin=float((1 - zoom) * GRID[0] / 2 + zoom * rng.uniform(5, 24)),
            electrode=float(zoom * rng.uniform(24, 40)),
            tilt=float(rng.uniform(-9, 9)),
            waviness=float(zoom * rng.uniform(1.5, 3.5)),
            roughness=float(zoom * rng.uniform(0.7, 1.2)),
            pits=int(rng.integers(12, 26)),
            impurities=int(rng.integers(8, 28)),
            zoom=zoom,
            dead=float(rng.uniform(0.15, 0.35)),
            crossing=int(rng.integers(1, 3)),
            left=float(rng.uniform(2, 14)) if seed % 3 != 1 else BEYOND,
            porous=float(rng.uniform(0.5, 0.75)),
            bubbles=int(rng.integers(4, 20)),
            metal=int(rng.integers(1, 4)),
        )
