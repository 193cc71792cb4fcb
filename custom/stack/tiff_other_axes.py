"""The one axis of a TIFF file beside y and x: z whatever it is called, but where channels or times are meant.

tifffile calls the slices of an array channels where nobody tells it better, in OME-TIFF and for ImageJ, and Bio-Formats
calls the pages of a plain TIFF times.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

from tifffile import TiffFile, TiffPageSeries

from custom.base.errors import BadInput
from custom.stack.selection import Selection
from custom.stack.stack_axes import AS_SLICES
from custom.stack.warn import warn_once

_CALLED = {"C": "channels", "T": "times"}
_MOST_CHANNELS = 4  # that nothing else tells of; a volume has more slices
_UNNAMED = re.compile(r"(channel|ch|c)?[\s:_-]*\d*(:\d+)*", re.IGNORECASE)


def is_depth(path: Path, tiff: TiffFile, series: TiffPageSeries, chosen: Selection) -> bool:
    """Whether the axis of `series` that is longer than 1 beside Y and X is z.

    Names of channels, their colours or an interval between times say that it is not, and so does a `--stack_index`; up
    to four channels of an OME-TIFF are taken for what it calls them, of ImageJ's with a warning for slices.

    Raises:
        BadInput: it is not, and nothing is chosen.
    """
    axis, length = next(
        ((name, n) for name, n in zip(series.axes[:-2], series.shape[:-2], strict=True) if n > 1), ("Z", 1)
    )
    if axis not in _CALLED or chosen.axes_given:
        return True
    if chosen.index is not None:
        return False
    choice = f"--stack_index {axis.lower()}, {axis.lower()} from 0 to {length - 1}"
    few = axis == "C" and length <= _MOST_CHANNELS
    if _is_meant(tiff, series.kind, axis) or (few and series.kind == "ome"):
        raise BadInput(
            f"{path}: its {length} images are {_CALLED[axis]} of one slice by its own words; choose one with {choice}, or "
            f"{AS_SLICES} if they are slices."
        )
    if few and "spacing" not in (tiff.imagej_metadata or {}):  # a distance from slice to slice
        warn_once(
            f"{path}: its {length} images are called {_CALLED[axis]} and are read as slices; choose one with {choice} if they "
            "are none."
        )
    return True


def _is_meant(tiff: TiffFile, kind: str, axis: str) -> bool:
    """Whether the file says more of its channels or times than how many there are."""
    with suppress(ElementTree.ParseError, ValueError, TypeError):
        if kind == "ome":
            return _by_ome(tiff.ome_metadata or "", axis)
        if kind == "imagej":
            about = tiff.imagej_metadata or {}
            if axis == "C":
                return about.get("mode") in ("composite", "color")
            return float(about.get("finterval", 0)) > 0
    return True  # nobody else gives an axis such a name by himself


def _by_ome(xml: str, axis: str) -> bool:
    root = ElementTree.fromstring(xml)
    if axis == "T":
        return any(float(node.get("TimeIncrement", 0)) > 0 for node in root.iter() if node.tag.endswith("}Pixels"))
    channels = [node for node in root.iter() if node.tag.endswith("}Channel")]
    named = any(
        key in ("Fluor", "EmissionWavelength", "ExcitationWavelength")
        or (key == "Name" and not _UNNAMED.fullmatch(value))
        for node in channels
        for key, value in node.items()
    )
    return named or len({node.get("Color") for node in channels}) > 1
