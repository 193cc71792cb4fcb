"""Runs: voxels of a mask that follow one another along x. Of lithium there are few, and they are all that need be looked at.

`scipy.ndimage.label` looks at all voxels, and holds up Python's other threads meanwhile. Two passes with a union of runs, as in
L. He, Y. Chao, K. Suzuki (IEEE Transactions on Image Processing 17(5), 2008), in three dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from custom.base.compiling import compiled
from custom.pieces.union import root_of

# steps (z, y) from a row to those before it that touch it
_BEFORE = {6: np.array([(0, -1), (-1, 0)]), 26: np.array([(0, -1), (-1, -1), (-1, 0), (-1, 1)])}


@compiled
def _starts(lines, rows):  # type: ignore[no-untyped-def]
    for row in range(len(lines)):
        line = lines[row]
        count = int(line[0])
        for x in range(1, len(line)):
            count += line[x] > line[x - 1]
        rows[row + 1] = rows[row] + count


@compiled
def _ends(lines, rows, ends):  # type: ignore[no-untyped-def]
    for row in range(len(lines)):
        line, x = lines[row], 0
        for run in range(rows[row], rows[row + 1]):
            while not line[x]:
                x += 1
            ends[run, 0] = x
            while x < len(line) and line[x]:
                x += 1
            ends[run, 1] = x


@compiled
def _join(rows, ends, height, before, slant, begin, stop, parent):  # type: ignore[no-untyped-def]
    """Make one of the runs that touch, in the rows from `begin` to `stop`; with a `slant` of 1 also at their ends' corners."""
    for run in range(rows[begin], rows[stop]):
        parent[run] = run
    for row in range(begin, stop):
        if rows[row] == rows[row + 1]:
            continue
        y = row % height
        for step in range(len(before)):
            near = row + before[step, 0] * height + before[step, 1]
            if near < begin or not 0 <= y + before[step, 1] < height:
                continue
            one, other = rows[row], rows[near]
            while one < rows[row + 1] and other < rows[near + 1]:
                if ends[one, 0] < ends[other, 1] + slant and ends[other, 0] < ends[one, 1] + slant:
                    a, b = root_of(parent, one), root_of(parent, other)
                    parent[max(a, b)] = min(a, b)
                if ends[one, 1] < ends[other, 1]:
                    one += 1
                else:
                    other += 1


@compiled
def _number(parent, begin, stop, numbers):  # type: ignore[no-untyped-def]
    count = 0
    for run in range(begin, stop):
        root = root_of(parent, run)  # the first run of its piece
        if root == run:
            count += 1
            numbers[run - begin] = count
        else:
            numbers[run - begin] = numbers[root - begin]
    return count


@compiled
def _paint(rows, ends, values, voxels):  # type: ignore[no-untyped-def]
    for row in range(len(voxels)):
        for run in range(rows[row], rows[row + 1]):
            for x in range(ends[run, 0], ends[run, 1]):
                voxels[row, x] = values[run]


@dataclass(frozen=True)
class Runs:
    """The runs of a mask of the shape (Z, Y, X).

    Attributes:
        shape: (Z, Y, X).
        rows: int64 (Z Y + 1,), the first run of each row of voxels, and how many there are.
        ends: int64 (n, 2), the first x of each run and the x behind its last.
    """

    shape: tuple[int, int, int]
    rows: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, found: np.ndarray) -> Runs:
        """Those of a mask, bool (Z, Y, X)."""
        depth, height, width = found.shape
        lines = np.ascontiguousarray(found).reshape(depth * height, width)
        rows = np.zeros(len(lines) + 1, np.int64)
        _starts(lines, rows)
        ends = np.empty((rows[-1], 2), np.int64)
        _ends(lines, rows, ends)
        return cls(found.shape, rows, ends)

    def numbered(self, connectivity: int, start: int, stop: int) -> tuple[int, np.ndarray]:
        """How many pieces there are in the slices start, ..., stop - 1, and which each of their runs belongs to.

        Args:
            connectivity: 6 or 26 neighbours of a voxel.
            start, stop: slices, which may be all or one.

        Returns:
            The number, and int32 (runs,): the pieces are 1, 2, ..., in the order of their first runs.
        """
        height = self.shape[1]
        begin, end = self.rows[start * height], self.rows[stop * height]
        parent, numbers = np.empty(len(self.ends), np.int32), np.empty(end - begin, np.int32)
        touching = (_BEFORE[connectivity], int(connectivity == 26))
        _join(self.rows, self.ends, height, *touching, start * height, stop * height, parent)
        return int(_number(parent, begin, end, numbers)), numbers

    def painted(self, values: np.ndarray, rest: int, stop: int) -> np.ndarray:
        """A value for each voxel of the first `stop` slices.

        Args:
            values: int32 (n,), of each run.
            rest: the value of all other voxels.

        Returns:
            int32 (stop, Y, X).
        """
        voxels = np.full((stop, *self.shape[1:]), rest, np.int32)
        _paint(self.rows, self.ends, values, voxels.reshape(-1, self.shape[2]))
        return voxels
