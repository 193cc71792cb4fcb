"""One pass of windows through a network, blended in place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch

from custom.inferers.grid import Size, WindowGrid

KNOWN = -1  # stands for a row of the batch: the logits of an empty window, which are known


class Blend:
    """Logits of volumes: windows fill the buffer, go through the network, are added up slice by slice in a fixed order.

    Args:
        grid: where the windows lie.
        buffer: (windows of one batch, C, h, w), overwritten again and again.
        network: takes (n, C, h, w) and returns logits (n, K, h, w).
        fill: run full batches only; what the last one lacks is whatever the buffer holds, and its logits go unused.
        reuse: run one window of zeros alone, and let the further ones have its logits.
    """

    def __init__(
        self,
        grid: WindowGrid,
        buffer: torch.Tensor,
        network: Callable[[torch.Tensor], torch.Tensor],
        fill: bool,
        reuse: bool,
    ) -> None:
        self.grid = grid
        self.buffer = buffer.zero_()
        self.network = network
        self.fill = fill
        self.reuse = reuse
        self.filled = 0
        self.waiting: list[tuple[int, int, Size, int]] = []
        self.empty_row: int | None = None
        self.empty_logits: torch.Tensor | None = None
        self.total: torch.Tensor | None = None

    def __call__(self, volumes: torch.Tensor) -> torch.Tensor:
        """(B, C, Z, Y, X) -> logits (B, K, Z, Y, X), float32.

        Raises:
            ValueError: the network's output is of another size than its input.
        """
        empty = self.grid.empty(volumes) if self.reuse else None
        for b, z, i in product(range(volumes.shape[0]), range(volumes.shape[2]), range(len(self.grid.corners))):
            corner = self.grid.corners[i]
            row = self._row(self.grid.slice_part(volumes[b, :, z], corner), empty is not None and empty[b][z][i])
            self.waiting.append((b, z, corner, row))
            if self.filled in (0, len(self.buffer)):
                self._flush(volumes.shape)
        self._flush(volumes.shape)
        assert self.total is not None
        return self.total.mul_(self.grid.reciprocal)

    def _row(self, voxels: torch.Tensor, empty: bool) -> int:
        """The row of the batch that has the window's logits."""
        if empty and (self.empty_logits is not None or self.empty_row is not None):
            return KNOWN
        row = self.filled
        self.grid.window_part(self.buffer[row]).copy_(voxels)
        self.filled += 1
        if empty:
            self.empty_row = row
        return row

    def _flush(self, shape: torch.Size) -> None:
        """Run what is in the buffer, and add all that waits."""
        logits = self.buffer
        if self.filled:
            logits = self.network(self.buffer if self.fill else self.buffer[: self.filled])
            if logits.ndim != 4 or logits.shape[2:] != self.buffer.shape[2:]:
                raise ValueError(
                    f"the network made {tuple(logits.shape)} of windows {tuple(self.buffer.shape)}: give one whose "
                    "logits have its input's size."
                )
            if self.total is None:
                batch, _, depth, *size = shape
                self.total = logits.new_zeros((batch, logits.shape[1], depth, *size), dtype=torch.float32)
            if self.empty_row is not None:
                self.empty_logits, self.empty_row = logits[self.empty_row].clone(), None
        for b, z, corner, row in self.waiting:
            self._add(b, z, corner, self.empty_logits if row == KNOWN else logits[row])
        self.waiting.clear()
        self.filled = 0

    def _add(self, b: int, z: int, corner: Size, logits: torch.Tensor | None) -> None:
        assert logits is not None and self.total is not None
        place = self.grid.slice_part(self.total[b, :, z], corner)
        part = self.grid.window_part(logits)
        if self.grid.weight is None:
            place.add_(part)
        else:
            place.addcmul_(part.float(), self.grid.weight)
