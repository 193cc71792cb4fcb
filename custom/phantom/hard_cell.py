"""One hard cell, from its seed to its reconstructed slices."""

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom import layers as phase
from custom.phantom.cell import Cell, surfaces_in_view
from custom.phantom.classes import lithium_map
from custom.phantom.drawn import drawn_label
from custom.phantom.grey import DENSITY, GreyParameters, scanned
from custom.phantom.hard_phases import hard_map
from custom.phantom.hard_shape import HardParameters
from custom.phantom.scan import detect, harden, project, reconstruct, with_fringe
from custom.phantom.site import Site

METAL = 40.0  # attenuation of a grain, relative to the polymer's


def make_hard_cell(seed: int, site: Site, slices: int = 24, round_field: bool = False) -> Cell:
    """Grow the cell of this seed and scan it at a site; see `make_cell`. Same seed and site, same bytes."""
    streams = np.random.SeedSequence((seed, 1)).spawn(4)  # (seed, 1): not the streams of the default cells
    drawing, growing, scanning, labelling = (np.random.default_rng(s) for s in streams)
    shape = HardParameters.draw_hard(drawing, seed, site.voxel_size_um)
    scan, grey, spread = site.scan(drawing), _grey(site, drawing), float(drawing.uniform(*site.hardening))
    phases, share = hard_map(shape, growing, slices)
    sinogram = project(_attenuation(phases, share, grey, scan.fringe), phase.GRID[1], site.angles)
    field = phase.GRID if round_field else phase.FIELD
    seen = detect(harden(sinogram, spread), scan, scanning)
    if site.smear:
        seen = ndimage.gaussian_filter1d(seen, site.smear, axis=1)
    stack = reconstruct(seen, field) / grey.polymer
    image = np.clip(np.rint(grey.offset + grey.scale * stack), 0, 65535).astype(np.uint16)
    if round_field:
        image[:, ~scanned()] = phases[:, ~scanned()] = 0
    else:
        phases = np.ascontiguousarray(phases[:, :, phase.EDGE : -phase.EDGE])
    label = lithium_map(phases)
    parameters = {"seed": seed, "slices": slices, "shape": asdict(shape), "scan": asdict(scan), "grey": asdict(grey)}
    parameters |= {"voxel_size_um": site.voxel_size_um, "angles": site.angles, "hardening": spread}
    electrodes = surfaces_in_view(shape, streams[1], slices, round_field)
    return Cell(image, label, phases, (site.voxel_size_um,) * 3, parameters, drawn_label(label, labelling), electrodes)


def _grey(site: Site, rng: np.random.Generator) -> GreyParameters:
    return GreyParameters(
        polymer=float(rng.uniform(0.0034, 0.0046)),
        lithium=float(rng.uniform(*site.lithium)),
        pores=0.0,  # each structure has its own
        blur=float(rng.uniform(*site.blur)),
        offset=float(rng.uniform(*site.offset)),
        scale=float(rng.uniform(*site.scale)),
    )


def _attenuation(
    phases: NDArray[np.uint8], share: NDArray[np.float32], grey: GreyParameters, fringe: float
) -> NDArray[np.float32]:
    """Attenuation per voxel (Z, Y, X) inside the scanned circle, blurred to the resolution, with its edge fringe.

    Electrode, pit and lithium are one material, more or less mixed with polymer; polymer may be mixed with gas.
    """
    li = grey.lithium
    absorbs = grey.polymer * np.array([0.80, li, 1.00, li, li, li, METAL], np.float32)
    weighs = DENSITY.copy()
    weighs[phase.PIT] = weighs[phase.DENDRITE]

    def blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
        other = np.full(7, values[phase.POLYMER])
        other[phase.POLYMER] = 0
        mixed = values[phases] + share * (other - values)[phases]
        return ndimage.gaussian_filter(mixed, grey.blur, mode="nearest")

    return with_fringe(blurred(absorbs), blurred(weighs), fringe) * scanned()
