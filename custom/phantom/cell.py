"""One synthetic cell, from its seed to its reconstructed slices."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom.phantom import layers as phase
from custom.phantom.classes import lithium_map
from custom.phantom.grey import GreyParameters, attenuation_of, scanned
from custom.phantom.layers import CellParameters
from custom.phantom.phases import phase_map
from custom.phantom.scan import ScanParameters, detect, project, reconstruct

VOXEL_SIZE_UM = 1.33
ANGLES = 256


@dataclass(frozen=True)
class Cell:
    """One scanned cell: (Z, Y, X) `image` uint16, `label` uint8 (1 = dendrite or redeposited) and `phases` uint8.

    Phases: 0 outside, 1 electrode, 2 polymer, 3 pit, 4 dendrite, 5 redeposited lithium, 6 impurity. `drawn` is the label
    of a hard cell as a person draws it, `electrodes` float32 (2, Z, X) where both electrodes end, see `surfaces_in_view`.
    """

    image: NDArray[np.uint16]
    label: NDArray[np.uint8]
    phases: NDArray[np.uint8]
    voxel_size_um: tuple[float, float, float]
    parameters: dict[str, Any]
    drawn: NDArray[np.uint8] | None = None
    electrodes: NDArray[np.float32] | None = None


def surfaces_in_view(
    shape: CellParameters, stream: np.random.SeedSequence, slices: int, round_field: bool
) -> NDArray[np.float32]:
    """The interfaces that a cell was grown on, (2, Z, X): y in voxels from the side of the stack, where voxel n goes from n to
    n + 1; pits, necks and grains are not counted.

    Args:
        stream: of the numbers that the cell was grown with, the interfaces first.
    """
    top, bottom, _ = phase.interfaces(shape, np.random.default_rng(stream), slices)
    both = np.stack([top, bottom]) + np.float32(0.5)  # interfaces count from the first voxel's middle
    return both if round_field else np.ascontiguousarray(both[:, :, phase.EDGE : -phase.EDGE])


def make_cell(seed: int, slices: int = 24, round_field: bool = False) -> Cell:
    """Grow, scan and reconstruct the cell of this seed: slices of (192, 320) voxels; same seed, same bytes.

    Args:
        seed: of the cell.
        slices: how many.
        round_field: slices of (192, 384), as wide as the scanned circle; their corners lie outside it and are 0, as
            reconstructions leave them.
    """
    streams = np.random.SeedSequence(seed).spawn(3)
    drawing, growing, scanning = (np.random.default_rng(s) for s in streams)
    shape, scan, grey = CellParameters.draw(drawing, seed), ScanParameters.draw(drawing), GreyParameters.draw(drawing)
    phases = phase_map(shape, growing, slices)
    sinogram = project(attenuation_of(phases, grey, scan.fringe, growing), phase.GRID[1], ANGLES)
    field = phase.GRID if round_field else phase.FIELD
    stack = reconstruct(detect(sinogram, scan, scanning), field) / grey.polymer
    image = np.clip(np.rint(grey.offset + grey.scale * stack), 0, 65535).astype(np.uint16)
    if round_field:
        image[:, ~scanned()] = phases[:, ~scanned()] = 0
    else:
        phases = np.ascontiguousarray(phases[:, :, phase.EDGE : -phase.EDGE])
    parameters = {"seed": seed, "slices": slices, "shape": asdict(shape), "scan": asdict(scan), "grey": asdict(grey)}
    electrodes = surfaces_in_view(shape, streams[1], slices, round_field)
    return Cell(image, lithium_map(phases), phases, (VOXEL_SIZE_UM,) * 3, parameters, electrodes=electrodes)
