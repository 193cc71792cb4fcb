"""Where a hard cell is scanned: two set-ups whose pictures differ in grey scale, noise, blur and voxel size."""

from dataclasses import dataclass

import numpy as np

from custom.phantom.scan import ScanParameters

Range = tuple[float, float]


@dataclass(frozen=True)
class Site:
    """A beamline with its camera and software; what is a range is drawn anew for every cell."""

    voxel_size_um: float
    angles: int
    photons: Range  # as in `ScanParameters`, the next three too
    rings: Range
    zingers: Range
    fringe: Range
    smear: float  # blur of the detector, standard deviation in its pixels: makes noise smooth too
    hardening: Range  # spread of the beam's energies, see `harden`
    lithium: Range  # attenuation relative to the polymer's
    blur: Range  # as in `GreyParameters`, the next two too
    offset: Range
    scale: Range

    def scan(self, rng: np.random.Generator) -> ScanParameters:
        return ScanParameters(
            photons=float(rng.uniform(*self.photons)),
            rings=float(rng.uniform(*self.rings)),
            drift=float(rng.uniform(0.002, 0.01)),
            zingers=float(rng.uniform(*self.zingers)),
            fringe=float(rng.uniform(*self.fringe)),
        )


TRAINING = Site(
    voxel_size_um=1.33,
    angles=256,
    photons=(0.8e4, 2.2e4),
    rings=(0.002, 0.005),
    zingers=(1e-5, 4e-5),
    fringe=(6e-4, 16e-4),
    smear=0.0,
    hardening=(0.10, 0.25),
    lithium=(0.30, 0.42),
    blur=(0.5, 0.8),
    offset=(4000, 14000),
    scale=(15000, 30000),
)
TEST = Site(
    voxel_size_um=1.65,
    angles=220,
    photons=(0.6e4, 1.2e4),
    rings=(0.003, 0.006),
    zingers=(3e-5, 8e-5),
    fringe=(3e-4, 8e-4),
    smear=0.5,
    hardening=(0.25, 0.40),
    lithium=(0.38, 0.50),
    blur=(0.6, 0.9),
    offset=(27000, 34000),
    scale=(5000, 9000),
)
