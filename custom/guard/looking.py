"""Figures of some slices of a stack, or of a data set, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from custom.guard.border import border_steps
from custom.guard.figures import histogram, slice_figures
from custom.stack import LABEL, UNLABELLED, GreyWindow, Source, Stack, outside, source

MOST_SLICES = 16  # of a stack
LEAST_SLICES = 4
ONE_IN = 4  # slices, of a stack that is short
MOSTLY = 0.9  # of the voxels have to be labelled for the share of a class to be known
PART = 768  # voxels along each side of what is looked at in a slice
_STEPS = (
    0.7549,
    0.5698,
)  # from part to part, along y and x: evenly over the slice however many there are (Roberts' R2)


@dataclass
class Look:
    """What was measured of slices.

    Attributes:
        figures: of each slice, by name.
        histograms: of each slice.
        steps: of each slice that has a label, what `border_steps` finds.
        labelled: of each such slice the labelled voxels, all voxels, and those of each class.
    """

    figures: list[dict[str, float]] = field(default_factory=list)
    histograms: list[np.ndarray] = field(default_factory=list)
    steps: list[np.ndarray] = field(default_factory=list)
    labelled: list[list[int]] = field(default_factory=list)

    def add(self, plane: np.ndarray, window: tuple[float, float], surround: Sequence[float]) -> None:
        """Look at a slice, or at a part of a large one.

        Args:
            plane: (Y, X) grey values.
            window: grey values that become 0 and 1.
            surround: values that fill what lies outside the reconstruction.
        """
        region = outside(plane, surround)
        part = _part(plane.shape, len(self.figures))
        inside = None if region is None else ~region[part]
        if inside is not None and not inside.any():
            return
        self.figures.append(slice_figures(plane[part], window, inside))
        self.histograms.append(histogram(plane[part], window, inside))

    def figure(self, name: str) -> float:
        """Mean over the slices; not-a-number where none has it."""
        values = np.array([figures[name] for figures in self.figures], float)
        return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else float("nan")

    def border(self, value: int) -> float:
        """Mean step into class `value` (from 0), in shares of the window; not-a-number without a border."""
        total, number = np.sum([steps[value] for steps in self.steps], axis=0) if self.steps else (0.0, 0.0)
        return float(total / number) if number else float("nan")

    def share(self, value: int) -> float:
        """Of the labelled voxels that are of class `value` (from 0); not-a-number where much is not labelled, or none is."""
        labelled, voxels, *classes = np.sum(self.labelled, axis=0).tolist() if self.labelled else (0, 1)
        known = labelled >= MOSTLY * voxels and classes[value] > 0
        return float(classes[value] / labelled) if known else float("nan")

    def histogram(self) -> np.ndarray:
        """Mean over the slices, (BINS,)."""
        return np.asarray(np.mean(self.histograms, axis=0))


def evenly(depth: int, most: int) -> list[int]:
    """At most `most` of the places 0, ..., depth - 1, each in the middle of its share: a stack's ends are seldom like it."""
    return [int((number + 0.5) * depth / most) for number in range(most)] if depth > most else list(range(depth))


def look_at_stack(stack: Stack, window: GreyWindow) -> Look:
    """Figures of a quarter of the slices, at most `MOST_SLICES`, evenly spaced; memory is a slice.

    Raises:
        BadInput: a slice is damaged.
    """
    look = Look()
    most = min(MOST_SLICES, max(LEAST_SLICES, stack.shape[0] // ONE_IN))
    for z in evenly(stack.shape[0], most):
        look.add(stack.read(z, z + 1)[0], (window.lower, window.upper), window.surround)
    return look


def look_at_items(items: Iterable[Mapping[Any, Any]], classes: int = 1) -> Look:
    """Figures of the slices of a data set, as `custom.data.labelled_slices` lists them.

    Raises:
        BadInput: a file is damaged.
    """
    look = Look()
    opened = _Opened(), _Opened()
    for item in items:
        lower, upper = (float(end) for end in item["grey_window"])
        plane = opened[0].plane(item, "image")
        look.add(plane, (lower, upper), item.get("surround") or ())
        if LABEL in item:
            label = opened[1].plane(item, LABEL)
            look.steps.append(border_steps(label, plane, (lower, upper), classes))
            counts = np.bincount(label.ravel(), minlength=256)
            look.labelled.append([label.size - int(counts[UNLABELLED]), label.size, *counts[1 : 1 + classes].tolist()])
    return look


class _Opened:
    """The stack that the last slice was read from, since slices of one file follow one another."""

    def __init__(self) -> None:
        self._last: tuple[Source, Stack] | None = None

    def plane(self, item: Mapping[Any, Any], part: str) -> np.ndarray:
        wanted = source(item, part)
        if self._last is None or self._last[0] != wanted:
            self._last = wanted, wanted.open()
        return np.asarray(self._last[1].read(item["z"], item["z"] + 1)[0])


def _part(shape: tuple[int, ...], number: int) -> tuple[slice, slice]:
    """Where to look in a slice: each one somewhere else."""
    y, x = (
        int((length - min(length, PART)) * ((0.5 + number * step) % 1.0))
        for length, step in zip(shape, _STEPS, strict=True)
    )
    return slice(y, y + PART), slice(x, x + PART)
