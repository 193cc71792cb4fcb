"""Lithium without contact to an electrode, and how much it depends on what counts as contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from custom.measuring.cell_slab import TOUCHING
from custom.quantities.quantity import Row

FURTHEST = 3.0  # voxels: predicted masks end up to that far from where a drawn one meets the electrode
CONTACTS = (TOUCHING, 2.0, FURTHEST, 4.0)  # voxels


class Dead(NamedTuple):
    """Pieces without contact, their voxels, and these by all lithium; None where there is none."""

    agglomerates: int
    voxels: int
    fraction: float | None


def without_contact(table: Mapping[str, np.ndarray], touching: float, contact: float = TOUCHING) -> Dead:
    """Those whose nearest voxel lies further from both electrodes than some voxels.

    Args:
        table: columns ``voxels`` and ``near``, as `Pieces` has them.
        touching: how long `TOUCHING` voxels are, in the unit of ``near``.
        contact: voxels along the axis through the thickness.
    """
    voxels = table["voxels"]
    far = ~(table["near"] <= touching * contact / TOUCHING).any(axis=1)
    held = int(voxels[far].sum())
    return Dead(int(far.sum()), held, held / int(voxels.sum()) if voxels.size else None)


def dead_by_contact(table: Mapping[str, np.ndarray], touching: float) -> list[Row]:
    """At each of `CONTACTS`."""
    rows: list[Row] = []
    for contact in CONTACTS:
        dead = without_contact(table, touching, contact)
        rows.append(
            {
                "contact_voxels": contact,
                "dead_agglomerates": dead.agglomerates,
                "dead_lithium_fraction": dead.fraction,
            }
        )
    return rows
