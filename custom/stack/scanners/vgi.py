"""The header (.vgi) that Nikon's and Volume Graphics' programs write beside their voxels (.vol)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.block import data_file
from custom.stack.faults import refusing_damage
from custom.stack.format import Format
from custom.stack.scanners.layout import Layout
from custom.stack.selection import Selection
from custom.stack.stack import Stack
from custom.stack.units import VoxelSize, stated_voxel_size

_KINDS = {"float": "f", "signed integer": "i", "unsigned integer": "u"}


def open_vgi(path: Path, chosen: Selection) -> Stack:
    """Open the voxels that a .vgi describes; they lie beside it, x the fastest.

    Raises:
        BadInput: damaged, several files of voxels, compressed, or a file of another size than it says.
    """
    with refusing_damage(path):
        said = _parsed(path)
        layout = _layout(path, said)
        file = data_file(path, said["file1"]["name"])
    return layout.open(path, file, chosen)


def vgi_layout(path: Path) -> Layout:
    """How the voxels lie by a .vgi, whatever file they are in."""
    with refusing_damage(path):
        return _layout(path, _parsed(path))


def _layout(path: Path, said: dict[str, dict[str, str]]) -> Layout:
    if "file2" in said:
        raise BadInput(f"{path}: spreads its voxels over several files; save them as one.")
    one = said.get("representation", {}) | said["file1"]
    if one.get("fileformat", "raw").lower() != "raw":
        raise BadInput(f"{path}: its voxels are {one['fileformat']}; save them as raw.")
    x, y, z = (int(length) for length in one["size"].split())
    kind, bits = one["datatype"].lower(), int(one["bitsperelement"])
    if kind not in _KINDS or bits not in (8, 16, 32, 64):
        raise BadInput(f"{path}: its voxels are {kind} of {bits} bits; save them as integers or floats.")
    dtype = np.dtype(f"<{_KINDS[kind]}{bits // 8}")
    return Layout((z, y, x), dtype, path.name, int(one.get("skipheader", "0")), _voxel_size(said), path)


def _parsed(path: Path) -> dict[str, dict[str, str]]:
    """The sections by their names, {groups} left away; of sections and of keys that come again the first."""
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        text = line.strip()
        if text.startswith("[") and text.endswith("]"):
            section = {}
            sections.setdefault(text[1:-1].strip().lower(), section)
        elif "=" in text:
            key, _, value = text.partition("=")
            section.setdefault(key.strip().lower(), value.strip())
    if "file1" not in sections:
        raise ValueError("no section [file1], as a .vgi has")
    return sections


def _voxel_size(said: dict[str, dict[str, str]]) -> VoxelSize | None:
    about = said.get("geometry", {})
    try:
        x, y, z = (float(size) for size in about["resolution"].split())
    except (KeyError, ValueError):
        return None
    return stated_voxel_size([z, y, x], about.get("unit", "mm"), "VGI header")


FORMAT = Format("VGI", (".vgi",), open_vgi, headers=(".vgi",), companions=(".vol", ".raw"))
