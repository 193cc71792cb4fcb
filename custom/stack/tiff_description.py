"""How many slices the description in a TIFF file speaks of: a hint, since it outlives the stack that it was written for."""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tifffile import COMPRESSION, TiffFile, TiffPage

from custom.base.errors import BadInput
from custom.stack.tiff_directories import Directory
from custom.stack.tiff_page import page_at
from custom.stack.warn import warn_once

_PADDING = 64  # bytes at a file's end that nothing points to


@dataclass(frozen=True)
class Described:
    """What a description says.

    Attributes:
        by: which one it is.
        planes: how many 2-D images there are.
        volumes: how many volumes they make up, along channels and times.
        elsewhere: names of other files that some of the images are said to be in.
    """

    by: str
    planes: int
    volumes: int = 1
    elsewhere: tuple[str, ...] = ()


def described(tiff: TiffFile, numbers: Sequence[int]) -> Described | None:
    """What ImageJ, OME-XML or tifffile say of a stack whose slices have these numbers among the pages.

    None where there is no description, one that cannot be read, or one of a single slice.
    """
    with suppress(ElementTree.ParseError, ValueError, TypeError, KeyError):
        if tiff.is_ome and tiff.ome_metadata:
            return _by_ome(tiff.ome_metadata)
        if tiff.is_imagej and (about := tiff.imagej_metadata) and "images" in about:
            volumes = int(about.get("channels", 1)) * int(about.get("frames", 1))
            return Described("ImageJ description", int(about["images"]), volumes)
        if shapes := _shapes(tiff, numbers):
            planes = sum(math.prod(shape) for shape in shapes)
            volumes = max(math.prod(shape[:-1]) for shape in shapes)
            return Described("description", planes, volumes) if planes > 1 else None
    return None


def _shapes(tiff: TiffFile, numbers: Sequence[int]) -> list[list[int]]:
    """The lengths of the axes before y of each array that tifffile has written, one after another."""
    shapes: list[list[int]] = []
    at = 0
    while at < len(numbers) and (shape := written_shape(page := page_at(tiff, numbers[at]))):
        own = [page.imagelength, page.imagewidth]
        # the last two axes are y and x but where samples come after x
        shapes.append(shape[:-3] if shape[-3:-1] == own and shape[-2:] != own else shape[:-2])
        at += math.prod(shapes[-1])
        if at < 2:  # every slice written on its own, thousands perhaps
            break
    return shapes


def written_shape(page: TiffPage) -> list[int] | None:
    """The shape of the array that begins with this page, where tifffile has noted it."""
    found = re.search(r"shape\W+([\d, ]+)", page.shaped_description or "")
    return [int(length) for length in found[1].split(",") if length.strip()] if found else None


def _by_ome(xml: str) -> Described:
    root = ElementTree.fromstring(xml)
    pixels = [node for node in root.iter() if node.tag.endswith("}Pixels")]
    volumes = [int(node.get("SizeC", 1)) * int(node.get("SizeT", 1)) for node in pixels]
    planes = sum(n * int(node.get("SizeZ", 1)) for n, node in zip(volumes, pixels, strict=True))
    own = root.get("UUID")
    names = [node.get("FileName") for node in root.iter() if node.tag.endswith("}UUID") and node.text != own]
    return Described("OME-XML", planes, sum(volumes), tuple(dict.fromkeys(name for name in names if name)))


def slices_held(path: Path, page: TiffPage, number: int, told: Described | None, directories: list[Directory]) -> int:
    """How many slices the file holds: one for each of its `number` pages, or all of them behind the only page.

    ImageJ describes a stack beyond 4 GB so, and tifffile where it is asked for.

    Raises:
        BadInput: there is more than one slice behind the only page, but not all that are described.
    """
    if told is None or number != 1 or told.planes < 2 or page.compression != COMPRESSION.NONE:
        return number
    size = page.parent.filehandle.size
    behind = (size - page.dataoffsets[0]) // page.nbytes
    if behind >= told.planes:
        return told.planes
    strips = zip(page.dataoffsets, page.databytecounts, strict=True)
    accounted = max(max(offset + count for offset, count in strips), *(one.end for one in directories))
    if size - accounted > _PADDING:
        raise BadInput(
            f"{path}: is cut short, it announces {told.planes} slices and holds {behind}; copy it again from its source."
        )
    return number


def check_description(path: Path, told: Described | None, held: int) -> None:
    """Say where the pages are others than those described, which are taken for one volume all the same.

    Raises:
        BadInput: they were of several channels or times, or lie in several files.
    """
    if told is None:
        return
    if any((path.parent / name).is_file() and name != path.name for name in told.elsewhere):
        cure = "give their folder instead"
        if held > 1:
            cure = (
                f"write all as one file (tifffile.imwrite('whole.tif', tifffile.imread('{path.name}'), bigtiff=True))"
            )
        raise BadInput(f"{path}: is one of several files that make up one OME-TIFF; {cure}.")
    fault = f"{path}: its {told.by} speaks of {told.planes} slices and it holds {held}"
    if told.volumes > 1 and held > 1:
        raise BadInput(
            f"{fault}, of which channel or time is not known ({told.volumes} there); save the slices of one alone, "
            "without that description."
        )
    if held > told.planes > 1:
        warn_once(f"{fault}; these are read.")
    elif told.planes > held:
        warn_once(
            f"{fault}; {'that one is' if held == 1 else 'these are'} read. Copy it again if there should be more."
        )
