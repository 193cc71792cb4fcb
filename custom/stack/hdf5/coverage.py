"""Which parts of an array have voxels behind them, and what it means for a stack where some have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from custom.stack.axes import Axes
from custom.stack.ranges import in_ranges


@dataclass(frozen=True)
class Coverage:
    """An array cut into cells, each of which is there or not.

    Attributes:
        edges: for each axis the cuts, ascending from 0 to its length.
        there: bool, one value per cell, with as many axes as the array.
        starts: for each axis where its layers of chunks begin, ascending from 0; no chunk reaches beyond its layer.
    """

    edges: tuple[np.ndarray, ...]
    there: np.ndarray
    starts: tuple[np.ndarray, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return bool(self.there.all())

    def cells(self, axis: int, positions: np.ndarray) -> np.ndarray:
        """The cells along an axis that positions lie in."""
        found: np.ndarray = np.searchsorted(self.edges[axis], positions, side="right") - 1
        return found

    def gaps(self, axes: Axes) -> Gaps:
        """What the volume in the array lacks."""
        inside = {axis: i for i, axis in enumerate((axes.z, axes.y, axes.x)) if axis is not None}
        part = tuple(
            slice(None) if axis in inside else int(self.cells(axis, np.array([at]))[0])
            for axis, at in enumerate(axes.at)
        )
        absent = ~axes.turned(self.there[part])
        z, y, x = (np.ones(1, int) if axis is None else np.diff(self.edges[axis]) for axis in (axes.z, axes.y, axes.x))
        per_slice = np.einsum("zyx,y,x->z", absent, y, x)
        per_slice = np.repeat(per_slice, z)
        return Gaps(per_slice, int(y.sum() * x.sum()))


@dataclass(frozen=True)
class Gaps:
    """What a volume lacks.

    Attributes:
        per_slice: voxels that every slice lacks.
        slice_voxels: voxels of a slice.
    """

    per_slice: np.ndarray
    slice_voxels: int

    @property
    def missing(self) -> int:
        """Voxels that are missing in all."""
        return int(self.per_slice.sum())

    @property
    def total(self) -> int:
        """Voxels of the volume."""
        return self.slice_voxels * len(self.per_slice)

    @property
    def empty_slices(self) -> np.ndarray:
        """Numbers of the slices of which nothing is there."""
        found: np.ndarray = np.flatnonzero(self.per_slice == self.slice_voxels)
        return found

    def words(self) -> str:
        """How much is missing, such as "slices 3 to 5 of 6" or "12.5 % of the voxels, in 4 of 7 slices,"."""
        empty = self.empty_slices
        if len(empty) and self.missing == len(empty) * self.slice_voxels:
            return f"{in_ranges(empty)} of {len(self.per_slice)}"
        share = f"{100 * self.missing / self.total:.2g} % of the voxels, in"
        return f"{share} {np.count_nonzero(self.per_slice)} of {len(self.per_slice)} slices,"


def whole(shape: Sequence[int], there: bool = True, chunks: Sequence[int] | None = None) -> Coverage:
    """An array in one cell, of which everything is there, or nothing; without chunks it is read slice by slice."""
    edges = tuple(np.array([0, length]) for length in shape)
    layers = chunks or [1 if axis == 0 and len(shape) > 2 else length for axis, length in enumerate(shape)]
    return Coverage(edges, np.full((1,) * len(edges), there), _layers(shape, layers))


def _layers(shape: Sequence[int], chunks: Sequence[int]) -> tuple[np.ndarray, ...]:
    return tuple(_steps(length, max(size, 1)) for length, size in zip(shape, chunks, strict=True))


@lru_cache(maxsize=64)
def _steps(length: int, size: int) -> np.ndarray:
    """Shared by all sources that are cut alike: there may be thousands."""
    found = np.arange(0, length, size)
    found.flags.writeable = False
    return found


def of_chunks(shape: Sequence[int], chunks: Sequence[int], offsets: np.ndarray) -> Coverage:
    """An array in chunks, of which those at `offsets`, int (N, axes), are there."""
    edges = tuple(np.append(np.arange(0, n, size), n) for n, size in zip(shape, chunks, strict=True))
    there = np.zeros([len(cuts) - 1 for cuts in edges], bool)
    if len(offsets):
        there[tuple((offsets // np.asarray(chunks)).T)] = True
    return Coverage(edges, there, _layers(shape, chunks))


@dataclass(frozen=True)
class Piece:
    """A part of an array that is taken from another one.

    Attributes:
        target: for each axis of the array the positions, ascending, whose product is the part.
        source: the same in the other array; without axes of a single position, both have as many positions along each.
        coverage: of the other array.
    """

    target: tuple[np.ndarray, ...]
    source: tuple[np.ndarray, ...]
    coverage: Coverage


def of_pieces(shape: Sequence[int], pieces: Sequence[Piece]) -> Coverage:
    """An array that is put together of `pieces`; what none of them brings is missing."""
    edges = tuple(_edges(length, axis, pieces) for axis, length in enumerate(shape))
    there = np.zeros([len(cuts) - 1 for cuts in edges], bool)
    for piece in pieces:
        cells = [_cells_of(target, cuts) for cuts, target in zip(edges, piece.target, strict=True)]
        starts = [cuts[:-1][found] for cuts, found in zip(edges, cells, strict=True)]
        block = piece.coverage.there[np.ix_(*_source_cells(piece, starts))]
        there[np.ix_(*cells)] |= block.reshape([len(found) for found in cells])
    return Coverage(edges, there, tuple(_starts(length, axis, pieces) for axis, length in enumerate(shape)))


def _cells_of(positions: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """The cells between cuts that ascending positions fill."""
    first, last = np.searchsorted(cuts, (positions[0], positions[-1] + 1))
    if _without_gap(positions):
        return np.arange(first, last)
    found: np.ndarray = first + np.flatnonzero(np.isin(cuts[first:last], positions, assume_unique=True))
    return found


def _without_gap(positions: np.ndarray) -> bool:
    """Whether ascending positions are one run, as nearly all are of thousands of sources."""
    return bool(positions[-1] - positions[0] + 1 == len(positions))


def _long(positions: Sequence[np.ndarray]) -> list[int]:
    return [axis for axis, found in enumerate(positions) if len(found) != 1]


def _source_cells(piece: Piece, starts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each axis of the source the cells that lie behind the cells of the target that begin at `starts`."""
    positions = list(piece.source)
    for target, source in zip(_long(piece.target), _long(piece.source), strict=True):
        positions[source] = piece.source[source][np.searchsorted(piece.target[target], starts[target])]
    return [piece.coverage.cells(axis, found) for axis, found in enumerate(positions)]


def _starts(length: int, axis: int, pieces: Sequence[Piece]) -> np.ndarray:
    """Where along an axis no chunk of a piece's source lies on both sides."""
    chunks = np.zeros(length + 1, int)  # how many more lie across a position and the one before
    alike = {}  # thousands of sources share what they select, and how they are cut
    for piece in pieces:
        if len(piece.target[axis]) > 1:
            source = _long(piece.source)[_long(piece.target).index(axis)]
            one = piece.target[axis], piece.source[source], piece.coverage.starts[source]
            alike[tuple(map(id, one))] = one
    for target, positions, starts in alike.values():
        layer = np.searchsorted(starts, positions, side="right")
        ends = np.append(np.flatnonzero(np.diff(layer)), len(target) - 1)
        chunks[target[np.append(0, ends[:-1] + 1)] + 1] += 1
        chunks[target[ends] + 1] -= 1
    found: np.ndarray = np.flatnonzero(np.cumsum(chunks[:-1]) == 0)
    return found


def _edges(length: int, axis: int, pieces: Sequence[Piece]) -> np.ndarray:
    """The cuts along an axis: where a piece begins, leaves positions out, ends, or its source's cells change."""
    cuts = [np.array([0, length])]
    for piece in pieces:
        target = piece.target[axis]
        cuts += [target[:1], target[-1:] + 1]
        if not _without_gap(target):
            jumps = np.flatnonzero(np.diff(target) > 1)
            cuts += [target[jumps] + 1, target[jumps + 1]]
        if len(target) > 1 and piece.coverage.there.size > 1:
            source = _long(piece.source)[_long(piece.target).index(axis)]
            changes = np.flatnonzero(np.diff(piece.coverage.cells(source, piece.source[source])))
            cuts.append(target[changes + 1])
    return np.unique(np.concatenate(cuts))
