"""The one array of an HDF5 file that holds no other, whatever its name: ilastik exports labels as /exported_data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from custom.stack.faults import refusing_damage

_USUAL = "exchange/data"


def only_array(path: Path) -> str | None:
    """The path within an HDF5 file of the only array of numbers in it.

    None where /exchange/data is there, where several arrays are or links that may lead to some.

    Raises:
        BadInput: the file is damaged.
    """
    found: list[str] = []

    def add(name: str, link: Any) -> None:
        item = file[name] if isinstance(link, h5py.HardLink) else None
        if item is None or (isinstance(item, h5py.Dataset) and item.ndim >= 2 and item.dtype.kind in "biuf"):
            found.append(name)

    with refusing_damage(path), h5py.File(path, "r") as file:
        if _USUAL in file:
            return None
        file.visititems_links(add)
        return found[0] if len(found) == 1 and isinstance(file.get(found[0], getlink=True), h5py.HardLink) else None
