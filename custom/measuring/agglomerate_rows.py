"""The table of agglomerates, of which a row is made when it is read: long stacks have half a million."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import overload

from custom.measuring.cell_slab import Lengths
from custom.measuring.found import Pieces
from custom.pieces.measured import Shapes, shapes
from custom.quantities.quantity import Row, VoxelSize

_AT_ONCE = 4096  # rows, whose shapes have 1 MB


class AgglomerateRows(Sequence[Row]):
    """A row for each piece, the largest first.

    Args:
        pieces: `touching` is infinite where there are no electrodes.
        shape: (Z, Y, X) of the stack.
        voxel_size: (z, y, x) in um, or three times 1.
        classes: names of the mask's values 1, 2, ...
        voxel_size_um: None: the voxel size is unknown.
    """

    def __init__(
        self,
        pieces: Pieces,
        shape: tuple[int, int, int],
        voxel_size: Lengths,
        classes: Sequence[str],
        voxel_size_um: VoxelSize,
    ) -> None:
        self._table, self._size, self._classes = pieces.table, voxel_size, tuple(classes)
        self._shapes: tuple[int, Shapes] | None = None  # of the block that was asked for last
        self._cut = pieces.cut(shape)
        self._touches = None if math.isinf(pieces.touching) else pieces.touches
        self._unit = "voxels" if voxel_size_um is None else "um"

    def __len__(self) -> int:
        return len(self._cut)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self._row(i) for i in range(len(self))[at]]
        return self._row(range(len(self))[at])

    def _shape(self, i: int) -> tuple[Shapes, int]:
        """The shapes of a block of pieces, and where in it one of them is."""
        first = i // _AT_ONCE * _AT_ONCE
        if self._shapes is None or self._shapes[0] != first:
            block = {name: column[first : first + _AT_ONCE] for name, column in self._table.items()}
            self._shapes = first, shapes(block, self._size)
        return self._shapes[1], i - first

    def _row(self, i: int) -> Row:
        table, unit = self._table, self._unit
        shape, at = self._shape(i)
        row: dict[str, object] = {"agglomerate": i + 1, "voxels": int(table["voxels"][i])}
        if unit == "um":
            row["volume_um3"] = float(shape.volume[at])
            row["surface_area_um2"] = float(table["area"][i])
        row[f"equivalent_diameter_{unit}"] = (6 * float(shape.volume[at]) / math.pi) ** (1 / 3)
        row |= {f"centre_{axis}_{unit}": float(along) for axis, along in zip("zyx", shape.centre[at], strict=True)}
        row |= {f"first_{axis}": int(along) for axis, along in zip("zyx", table["low"][i], strict=True)}
        row |= {f"last_{axis}": int(along) for axis, along in zip("zyx", table["high"][i], strict=True)}
        row |= {f"axis_{n}_{unit}": float(length) for n, length in enumerate(shape.axes[at], 1)}
        row |= {f"axis_1_{axis}": float(part) for axis, part in zip("zyx", shape.directions[at, 0], strict=True)}
        if self._touches is not None:
            near = table["near"][i]
            row |= {f"distance_{e}_{unit}": float(max(0.0, far)) for e, far in zip((1, 2), near, strict=True)}
            row |= {f"touches_{e}": bool(touch) for e, touch in zip((1, 2), self._touches[i], strict=True)}
        row["cut_by_the_border"] = bool(self._cut[i])
        if len(self._classes) > 1:
            row["class"] = self._classes[int(table["classes"][i].argmax())]
        return row
