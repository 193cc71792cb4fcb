"""HDF5 families: one file in several parts of equal size, whose names hold a number for the %d of its own."""

from __future__ import annotations

import re
from pathlib import Path

import h5py

from custom.base.errors import BadInput

_NUMBER = re.compile(r"%0?\d*d")
_MARK = b"NCSAfami"  # the driver's name in the superblock of the first part
_SUPERBLOCK = 4096


def members(path: Path) -> list[Path]:
    """The parts that are there of a family such as `scan_%05d.h5`; none where the name is not that of one."""
    if len(_NUMBER.findall(path.name)) != 1 or path.exists():
        return []
    found: list[Path] = []
    while (part := path.with_name(_NUMBER.sub(lambda code: code[0] % len(found), path.name))).is_file():
        found.append(part)
    return found


def open_file(path: Path) -> h5py.File:
    """An HDF5 file, or a family by its name, to be read.

    Raises:
        BadInput: one part of a family; the cure is the family's name. A file that a writer has not closed.
    """
    if members(path):
        return h5py.File(path, "r", driver="family", memb_size=0)  # 0: whatever it was written with
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if "h5clear" in str(error):  # HDF5's own hint
            raise BadInput(
                f"{path}: was not closed by the program that writes it; wait for its end or, if that ended long ago, copy what "
                f"is in it: import h5py; one = h5py.File({path.name!r}, 'r', swmr=True); new = h5py.File('whole.h5', 'w'); "
                "[one.copy(name, new) for name in one]; new.close()."
            ) from None
        if (family := _family_of(path)) is not None:
            raise BadInput(f"{path}: is one part of an HDF5 family; give all of them as {family}.") from None
        raise


def _family_of(part: Path) -> Path | None:
    """The name of the family that a file is a part of, if it is of one."""
    for number in re.finditer(r"\d+", part.name):
        before, after = part.name[: number.start()], part.name[number.end() :]
        for code in dict.fromkeys(("%d", f"%0{len(number[0])}d")):
            first = part.with_name(f"{before}{code % 0}{after}")
            if first.is_file() and part in members(family := part.with_name(f"{before}{code}{after}")):
                with open(first, "rb") as file:
                    if _MARK in file.read(_SUPERBLOCK):
                        return family
    return None
