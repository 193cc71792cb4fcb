"""What lies beside a file of bare voxels and says how they lie: of ESRF, Volume Graphics, GE, ITK, or one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from custom.base.errors import BadInput
from custom.stack.faults import refusing_damage
from custom.stack.scanners.layout import Layout, dtype_of, shape_of
from custom.stack.scanners.pcr import pcr_layout
from custom.stack.scanners.vgi import vgi_layout
from custom.stack.units import given_voxel_size, stated_voxel_size

_IN_PLACE = (".vgi", ".pcr", ".mhd", ".nhdr")  # headers whose suffix stands in place of that of the voxels


def layout_beside(path: Path) -> Layout | None:
    """What the sidecar of a raw file says, if there is one.

    Raises:
        BadInput: it is damaged, or is no such sidecar.
    """
    for suffix, read in _READERS.items():
        for beside in _called(path, suffix):
            return read(beside)
    return None


def header_beside(path: Path) -> Path | None:
    """The MetaImage or NRRD header of a raw file, if there is one that means this file."""
    for suffix in (".mhd", ".nhdr"):
        for beside in _called(path, suffix):
            with refusing_damage(beside):
                if re.search(rb"\b%s\b" % re.escape(path.name.encode()), beside.read_bytes()[: 1 << 16]):
                    return beside
    return None


def _called(path: Path, suffix: str) -> Iterator[Path]:
    """cell.vol.info beside cell.vol, as ESRF calls them, and where all do so cell.vgi: cell.json may be anything."""
    names = [path.with_name(path.name + suffix), *([path.with_suffix(suffix)] if suffix in _IN_PLACE else [])]
    return (name for name in names if name.is_file())


def _of_info(path: Path) -> Layout:
    """PyHST's .vol.info: lines of `key = value`, float32, the voxel size in micrometres."""
    with refusing_damage(path):
        lines = path.read_text(encoding="latin-1").splitlines()
        said = {
            key.strip().upper(): value.strip() for key, mark, value in (line.partition("=") for line in lines) if mark
        }
        return _of_esrf(path, said, said.get("VOXELSIZE"), said.get("BYTEORDER", ""))


def _of_xml(path: Path) -> Layout:
    """PyHST's .vol.xml: the same in a <subVolume>, one for each file."""
    with refusing_damage(path):
        root = ElementTree.parse(path).getroot()
        volumes = list(root.iter("subVolume")) or [root]
        if len(volumes) > 1:
            raise BadInput(f"{path}: tells of {len(volumes)} volumes; leave it the one of {path.stem} alone.")
        said = {f"NUM_{axis}": _text(volumes[0], f"SIZE{axis}") or "" for axis in "XYZ"}
        size = _text(root, "voxelSize") or _text(root, "VOXELSIZE") or _text(root, "pixelSize")
        return _of_esrf(path, said, size, _text(volumes[0], "BYTE_ORDER") or "")


def _of_esrf(path: Path, said: dict[str, str], size: str | None, order: str) -> Layout:
    dtype = np.dtype(">f4" if order.upper().startswith("HIGH") else "<f4")
    shape = shape_of([int(said[f"NUM_{axis}"]) for axis in "ZYX"])
    edge = float(size) if size else None
    return Layout(shape, dtype, path.name, 0, stated_voxel_size([edge] * 3, "um", path.name), path)


def _text(element: ElementTree.Element, name: str) -> str | None:
    return next((found.text.strip() for found in element.iter(name) if found.text), None)


def _of_json(path: Path) -> Layout:
    """One's own: shape (z, y, x) and dtype, and if it is so offset (bytes) and voxel_size_um."""
    with refusing_damage(path):
        said = json.loads(path.read_text(encoding="utf-8"))
    try:
        shape, dtype = shape_of(said["shape"]), dtype_of(said["dtype"])
        offset = int(said.get("offset", 0))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f'{path}: does not say how the voxels lie ({error}); write {{"shape": [z, y, x], "dtype": "uint16"}}, and if need be '
            '"offset" in bytes and "voxel_size_um".'
        ) from error
    um = said.get("voxel_size_um")
    size = None if um is None else replace(given_voxel_size(path, um), source=path.name)
    return Layout(shape, dtype, path.name, offset, size, path)


_READERS: dict[str, Callable[[Path], Layout]] = {
    ".vgi": vgi_layout,
    ".pcr": pcr_layout,
    ".info": _of_info,
    ".xml": _of_xml,
    ".json": _of_json,
}
