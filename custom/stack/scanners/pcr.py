"""The header (.pcr) that GE's phoenix datos|x writes beside its voxels (.vol).

Its keys and codes are those of two open readers of it, SlicerMorph's GEVolImport (github.com/SlicerMorph/SlicerMorph) and pi2
(github.com/arttumiettinen/pi2); it is in millimetres, as the former takes it.
"""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path, PureWindowsPath

import numpy as np

from custom.base.errors import BadInput
from custom.stack.block import data_file
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.scanners.layout import Layout, shape_of
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, stated_voxel_size

_SECTION = "VolumeData"
_DTYPES = {1: "u1", 5: "<u2", 10: "<f4"}  # its Format


def open_pcr(path: Path, chosen: Selection) -> Stack:
    """Open the voxels that a .pcr describes: the .vol of its name, else the one that it names; x the fastest.

    Raises:
        BadInput: damaged, no file of voxels, of a type that is not known, or a file of another size than it says.
    """
    with refusing_damage(path):
        said = _parsed(path)
        layout = _layout(path, said)
        named = PureWindowsPath(said.get(_SECTION, "VOL_File", fallback="")).name  # a path of the scanner's computer
        own = path.with_suffix(".vol").name
        file = data_file(path, named if named and not path.with_name(own).is_file() else own)
    return layout.open(path, file, chosen)


def pcr_layout(path: Path) -> Layout:
    """How the voxels lie by a .pcr, whatever file they are in."""
    with refusing_damage(path):
        return _layout(path, _parsed(path))


def _parsed(path: Path) -> ConfigParser:
    said = ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    said.read_string(path.read_text(encoding="latin-1"))
    if not said.has_section(_SECTION):
        raise ValueError(f"no section [{_SECTION}], as a .pcr of a volume has")
    return said


def _layout(path: Path, said: ConfigParser) -> Layout:
    shape = shape_of([said.getint(_SECTION, f"Volume_Size{axis}") for axis in "ZYX"])
    kind = said.getint(_SECTION, "Format")
    if kind not in _DTYPES:
        raise BadInput(f"{path}: its voxels are of GE's format {kind}, which is not known; export them as 16 bits.")
    return Layout(shape, np.dtype(_DTYPES[kind]), path.name, 0, _voxel_size(said), path)


def _voxel_size(said: ConfigParser) -> VoxelSize | None:
    edge = said.getfloat(_SECTION, "VoxelSizeRec", fallback=None)
    return None if edge is None else stated_voxel_size([edge] * 3, "mm", "PCR header")


FORMAT = Format("GE", (".pcr",), open_pcr, headers=(".pcr",), companions=(".vol",))
