"""How near the two electrodes of a cell come to each other, and whether lithium bridges them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.phantom.layers import DENDRITE, ELECTRODE, REDEPOSITED

Mask = NDArray[np.bool_]


def gaps(phases: NDArray[np.uint8], voxel_size_um: tuple[float, float, float]) -> dict[str, Any]:
    """What joins or parts the electrodes of a phase map (Z, Y, X); the upper one lies in the upper half of the slices.

    Returns:
        ``electrodes_um``: shortest distance between the electrodes, were there no lithium. ``gap_um``: the same between
        what is joined to either of them through lithium, by faces, edges or corners; 0 where that is one and the same.
        Both from centre to centre of voxels (one voxel of polymer between: two voxels), None where an electrode is
        missing. ``bridged``: whether lithium joins both, by faces ("6"), also by edges and corners ("26").
        ``without_contact``: components of lithium (26) that touch no electrode: dead, unless they do so out of view.
    """
    electrode = phases == ELECTRODE
    upper, lower = electrode.copy(), electrode.copy()
    upper[:, phases.shape[1] // 2 :] = lower[:, : phases.shape[1] // 2] = False
    lithium = np.isin(phases, (DENDRITE, REDEPOSITED))
    reach = {joined: _reached(electrode | lithium, upper, rank) for joined, rank in ((6, 1), (26, 3))}
    below = _reached(electrode | lithium, lower, 3)
    pieces, count = ndimage.label(lithium, _neighbours(3))
    touching = np.unique(pieces[ndimage.binary_dilation(electrode, _neighbours(3))])
    return {
        "electrodes_um": _distance(upper, lower, voxel_size_um),
        "gap_um": _distance(reach[26], below, voxel_size_um),
        "bridged": {str(joined): bool((reached & lower).any()) for joined, reached in reach.items()},
        "without_contact": int(count - np.count_nonzero(touching)),
    }


def _neighbours(rank: int) -> Mask:
    return ndimage.generate_binary_structure(3, rank)


def _reached(conductor: Mask, start: Mask, rank: int) -> Mask:
    """The components of the conductor that hold a voxel of the start."""
    pieces, count = ndimage.label(conductor, _neighbours(rank))
    reached = np.zeros(count + 1, bool)
    reached[np.unique(pieces[start])] = True
    found: Mask = reached[pieces]
    return found


def _distance(one: Mask, other: Mask, voxel_size_um: tuple[float, float, float]) -> float | None:
    """Between the nearest centres of two sets of voxels, um."""
    if not one.any() or not other.any():
        return None
    return float(ndimage.distance_transform_edt(~one, sampling=voxel_size_um)[other].min())
