"""The one array of an HDF5 file that holds no other, whatever its name: ilastik exports labels as /exported_data."""

from __future__ import annotations

from pathlib import Path

import h5py

from custom.stack.faults import refusing_damage
from custom.stack.hdf5.finding import arrays_of

_USUAL = "exchange/data"


def only_array(path: Path) -> str | None:
    """The path of the only array of numbers that an HDF5 file leads to, itself or by links.

    None where /exchange/data is there, where several arrays are, or links that are broken and may mean another.

    Raises:
        BadInput: the file is damaged.
    """
    with refusing_damage(path), h5py.File(path, "r") as file:
        if _USUAL in file:
            return None
        found = arrays_of(file)
        return found[0].strip("/") if found and len(found) == 1 else None
