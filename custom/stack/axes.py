"""Bringing the axes of a file to (Z, Y, X)."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from custom.base.errors import BadInput
from custom.stack.selection import Selection

_MOST_CHANNELS = 4  # of a last axis without a name; no slice of a scan is so narrow
_NEVER_Z = {"y", "x", "c", "channel", "channels", "t", "time", "s", "sample", "samples"}


@dataclass(frozen=True)
class Axes:
    """Where a volume (Z, Y, X) lies in a stored array.

    Attributes:
        lengths: of all stored axes, in the order of the file.
        z, y, x: which of the stored axes they are; z is None where there is none, as in a single slice.
        at: position along each stored axis where the volume begins, 0 for z, y and x.
        named: whether the file says which they are.
    """

    lengths: tuple[int, ...]
    z: int | None
    y: int
    x: int
    at: tuple[int, ...]
    named: bool = False

    @property
    def order(self) -> tuple[int, int, int] | None:
        """Which of the three stored axes, counted from 0, become z, y and x; None where the file does not say."""
        stored = [-1 if axis is None else axis for axis in (self.z, self.y, self.x)]
        z, y, x = (sorted(stored).index(axis) for axis in stored)
        return (z, y, x) if self.named else None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(Z, Y, X)."""
        return 1 if self.z is None else self.lengths[self.z], self.lengths[self.y], self.lengths[self.x]

    @property
    def first_voxel(self) -> int:
        """How many voxels lie before the volume where the stored array is in C order."""
        return int(np.ravel_multi_index(self.at, self.lengths))

    def slices(self, start: int, stop: int, y: slice = slice(None), x: slice = slice(None)) -> tuple[int | slice, ...]:
        """Index into the stored array of the slices start, ..., stop - 1, or of a part of them."""
        part: list[int | slice] = list(self.at)
        part[self.y], part[self.x] = y, x
        if self.z is not None:
            part[self.z] = slice(start, stop)
        return tuple(part)

    def turned(self, part: np.ndarray) -> np.ndarray:
        """What `slices` cut out, with the axes that are left in the order of the file, as (Z, Y, X)."""
        wanted = [axis for axis in (self.z, self.y, self.x) if axis is not None]
        part = part.transpose([sorted(wanted).index(axis) for axis in wanted])
        return part[None] if self.z is None else part


def find_axes(
    path: str | os.PathLike[str], lengths: Sequence[int], chosen: Selection, names: Sequence[str] | None = None
) -> Axes:
    """Find z, y and x among the axes of a stored array, and the position along all others.

    Names decide where the file gives a y and an x; channels and times are never taken for z then. Without names the last
    three axes are z, y and x, after axes of length 1 at the end, and one of a few channels, have been dropped down to three. All other axes of
    length 1 are dropped too.

    Args:
        path: of the file, for the refusals.
        lengths: of the stored axes, the slowest first.
        chosen: its `index` holds a position for each axis that is left.
        names: of the stored axes, in any case, if the file states them.

    Raises:
        BadInput: fewer than two axes; one of length 0; an axis is left without a position, or the other way round.
    """
    lengths = tuple(int(length) for length in lengths)
    if len(lengths) < 2:
        raise BadInput(f"{path}: has {len(lengths)} axes where (z, y, x) is wanted; save one grey volume.")
    if 0 in lengths:
        raise BadInput(f"{path}: holds no voxels, its axes have the lengths {lengths}; export it anew.")
    if names is None or len(names) != len(lengths):
        names = [f"axis {axis}" for axis in range(len(lengths))]
    labels = [str(name).lower() for name in names]
    named = labels.count("y") == labels.count("x") == 1 and labels.count("z") <= 1
    if named:
        z, y, x = _depth(labels), labels.index("y"), labels.index("x")
    else:
        z, y, x = _last(lengths)
    labels = [{z: "z", y: "y", x: "x"}.get(axis, label) for axis, label in enumerate(labels)]
    others = [axis for axis in range(len(lengths)) if axis not in (z, y, x)]
    positions = _positions(path, lengths, labels, others, chosen.index)
    return Axes(lengths, z, y, x, tuple(positions.get(axis, 0) for axis in range(len(lengths))), named)


def _depth(labels: list[str]) -> int | None:
    """The axis called z, else the last one whose name says nothing else (depth, slice, tifffile's Q for unknown)."""
    if "z" in labels:
        return labels.index("z")
    return max((axis for axis, label in enumerate(labels) if label not in _NEVER_Z), default=None)


def _last(lengths: tuple[int, ...]) -> tuple[int | None, int, int]:
    end = len(lengths)
    while end > 3 and lengths[end - 1] == 1:
        end -= 1
    if end > 3 and lengths[end - 1] <= _MOST_CHANNELS < min(lengths[end - 3 : end - 1]):
        end -= 1
    return (end - 3 if end > 2 else None), end - 2, end - 1


def _positions(
    path: str | os.PathLike[str],
    lengths: tuple[int, ...],
    labels: list[str],
    others: list[int],
    index: tuple[int, ...] | None,
) -> dict[int, int]:
    """The position along the axes beside z, y and x, `others`, where it is not 0 as a matter of course."""
    longer = [axis for axis in others if lengths[axis] != 1]
    cure = _cure([labels[axis] for axis in longer], [lengths[axis] for axis in longer])
    if index is None:
        if longer:
            raise BadInput(
                f"{path}: has axes ({', '.join(labels)}) of length {lengths} where (z, y, x) is wanted; {cure}."
            )
        return {}
    given = f"--stack_index {','.join(map(str, index))}"
    # Whoever counts the axes of length 1 too is understood as well.
    meant = longer if len(index) == len(longer) else others
    if len(index) != len(meant):
        count = f"{len(longer)} axes are" if len(longer) > 1 else "one axis is" if longer else "no axis is"
        raise BadInput(f"{path}: {given} does not fit, {count} left beside z, y and x; {cure}.")
    found = dict(zip(meant, index, strict=True))
    if not all(0 <= position < lengths[axis] for axis, position in found.items()):
        raise BadInput(f"{path}: {given} lies outside; {cure}.")
    return found


def _cure(labels: list[str], lengths: list[int]) -> str:
    """How to choose along the axes that are left."""
    if not labels:
        return "leave --stack_index away"
    names = ",".join(label.replace(" ", "_") for label in labels)
    ranges = " and ".join(f"{label} from 0 to {length - 1}" for label, length in zip(labels, lengths, strict=True))
    option = f'"[{names}]"' if len(labels) > 1 else names
    return f"choose one volume with --stack_index {option}, {ranges}"
