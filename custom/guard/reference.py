"""What is kept of a training's slices beside its weights, to compare stacks with: a few kB."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom.guard.figures import FIGURES, HISTOGRAM, VOXEL_SIZE
from custom.guard.looking import evenly, look_at_items

ENOUGH_SCANS = 5  # from here on it is the spread among scans that counts; with fewer that among slices
MOST_UNITS = 32
MOST_SLICES = 128  # that are looked at, of all scans together
KEY = "guard"  # of a reference in a record
BORDER, SHARES = "border", "shares"
Items = Sequence[Mapping[Any, Any]]


@dataclass(frozen=True)
class Reference:
    """Figures of scans, or of slices where scans are few.

    Attributes:
        units: "scans" or "slices".
        slices: that were looked at.
        figures: by name of `FIGURES` those of each unit; not-a-number where one has none.
        histograms: (units, BINS), shares.
        border: of each class the steps across its border, in shares of the window, of each unit.
        shares: of each class the share of the voxels, of each unit.
    """

    units: str
    slices: int
    figures: Mapping[str, Sequence[float]]
    histograms: np.ndarray
    border: Sequence[Sequence[float]]
    shares: Sequence[Sequence[float]] = ()

    def told(self) -> dict[str, Any]:
        """As JSON takes it: a line a figure."""
        return {
            "units": self.units,
            "slices": self.slices,
            "figures": {name: _line(values, "{:.4g}".format) for name, values in self.figures.items()},
            "histograms": [_line(1000 * row, "{:.3g}".format) for row in self.histograms],
            BORDER: [_line(values, "{:.3g}".format) for values in self.border],
            SHARES: [_line(values, "{:.3g}".format) for values in self.shares],
        }


def read_reference(told: Any) -> Reference | None:
    """What `Reference.told` gave; None for anything else, as where a record is of before there were references."""
    try:
        figures = {name: _numbers(told["figures"][name]) for name in FIGURES if name in told["figures"]}
        histograms = np.array([_numbers(row) for row in told["histograms"]]) / 1000
        border, shares = ([_numbers(row) for row in told.get(name) or []] for name in (BORDER, SHARES))
        sizes = {len(values) for values in figures.values()} | {len(histograms)}
        if len(sizes) != 1 or not len(histograms):
            return None
        return Reference(str(told["units"]), int(told["slices"]), figures, histograms, border, shares)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def reference_of(items: Items, classes: int = 1) -> dict[str, Any] | None:
    """The reference of the slices that a network learns from, as JSON takes it; None where none can be looked at.

    At most 128 slices are read, one at a time, evenly over at most 32 scans.

    Args:
        items: of `custom.data.labelled_slices`; others, of files that a client lists, have no grey window and are left out.
        classes: how many are looked for.

    Raises:
        BadInput: a file is damaged.
    """
    scans = _by_scan([item for item in items if item.get("grey_window") is not None])
    several = len(scans) >= ENOUGH_SCANS
    units = [scans[place] for place in evenly(len(scans), MOST_UNITS)] if several else []
    if several:
        units = [[unit[place] for place in evenly(len(unit), max(MOST_SLICES // len(units), 1))] for unit in units]
    else:
        every = [item for scan in scans for item in scan]
        units = [[every[place]] for place in evenly(len(every), MOST_UNITS)]
    looks = [look for unit in units if (look := look_at_items(unit, classes)).figures]
    if not looks:
        return None
    figures = {name: [look.figure(name) for look in looks] for name in FIGURES if name not in (HISTOGRAM, VOXEL_SIZE)}
    histograms = np.array([look.histogram() for look in looks])
    border = [[look.border(value) for look in looks] for value in range(classes)]
    shares = [[look.share(value) for look in looks] for value in range(classes)]
    slices = sum(len(look.figures) for look in looks)
    return Reference("scans" if several else "slices", slices, figures, histograms, border, shares).told()


def _by_scan(items: Items) -> list[list[Mapping[Any, Any]]]:
    """Slices of one scan together: as ``scan`` says, else those of a file, and all files of a single slice."""
    of_file: dict[str, int] = {}
    for item in items:
        of_file[str(item["image"])] = of_file.get(str(item["image"]), 0) + 1
    scans: dict[tuple[str, str], list[Mapping[Any, Any]]] = {}
    for item in items:
        file = str(item["image"])
        name = ("scan", str(item["scan"])) if "scan" in item else ("file", file if of_file[file] > 1 else "")
        scans.setdefault(name, []).append(item)
    return list(scans.values())


def _line(values: Sequence[float] | np.ndarray, text: Callable[[float], str]) -> str:
    return " ".join(text(float(value)) if math.isfinite(value) else "nan" for value in values)


def _numbers(line: str) -> list[float]:
    return [float(word) for word in line.split()]
