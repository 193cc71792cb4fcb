"""Where the windows of a slice lie, and what their weights add up to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from monai.data.utils import compute_importance_map, dense_patch_slices

Size = tuple[int, int]


@dataclass(frozen=True)
class WindowGrid:
    """The windows of a slice (Y, X), at the positions of MONAI's `SlidingWindowInferer`.

    A side that is shorter than the window is centred in it: the window then reaches over the slice on both sides.

    Attributes:
        corners: first row and column of each window within the slice, row by row.
        part: (rows, columns) of a window that lie in the slice: the window's or the slice's, the lesser one.
        inset: first row and column of that part within the window; not 0 where the slice is smaller than the window.
        weight: (part) float32, the weights of one window; None where all voxels count alike.
        reciprocal: (Y, X) float32, 1 / sum of the weights of the windows over each voxel.
    """

    corners: tuple[Size, ...]
    part: Size
    inset: Size
    weight: torch.Tensor | None
    reciprocal: torch.Tensor

    def slice_part(self, plane: torch.Tensor, corner: Size) -> torch.Tensor:
        """The view of a slice (..., Y, X) under the window at `corner`: (..., part)."""
        (y, x), (height, width) = corner, self.part
        return plane[..., y : y + height, x : x + width]

    def window_part(self, window: torch.Tensor) -> torch.Tensor:
        """The view of a window (..., h, w) that lies in the slice: (..., part)."""
        return self.slice_part(window, self.inset)

    def empty(self, volumes: torch.Tensor) -> list[list[list[bool]]]:
        """For each slice of (B, C, Z, Y, X) and each window whether it sees 0 alone: (B, Z, windows) as lists."""
        rows, columns = (self._under(side, volumes) for side in (0, 1))
        seen = [rows @ (plane != 0).any(dim=1).float() @ columns.T for plane in volumes.unbind(2)]  # by slice: in cache
        # (B, Z, rows of windows, columns of windows): how many voxels are not 0
        empty: list[list[list[bool]]] = (torch.stack(seen, dim=1) == 0).flatten(2).tolist()
        return empty

    def _under(self, side: int, volumes: torch.Tensor) -> torch.Tensor:
        """(windows along a side, voxels along it): 1 where the voxel lies under the window."""
        voxels = torch.arange(volumes.shape[3 + side], device=volumes.device)
        starts = torch.tensor(sorted({corner[side] for corner in self.corners}), device=volumes.device)[:, None]
        return ((voxels >= starts) & (voxels < starts + self.part[side])).float()


@lru_cache(maxsize=8)
def window_grid(size: Size, window: Size, overlap: float, mode: str, sigma: float, device: torch.device) -> WindowGrid:
    """The grid for slices of one size; kept, since all slices of a stack share it.

    Args:
        size: the slice (Y, X).
        window: the window (h, w).
        overlap: share of the window, in [0, 1), by which neighbours overlap.
        mode: "constant" or "gaussian".
        sigma: standard deviation of the gaussian weights, in window sides.
        device: where the maps are kept.
    """
    sides = [max(pair) for pair in zip(size, window, strict=True)]
    steps = [w if w == side else max(1, int(w * (1 - overlap))) for w, side in zip(window, sides, strict=True)]
    corners = tuple((y.start, x.start) for y, x in dense_patch_slices(sides, window, steps))
    part = (min(size[0], window[0]), min(size[1], window[1]))
    inset = ((window[0] - part[0]) // 2, (window[1] - part[1]) // 2)
    importance = compute_importance_map(window, mode, sigma_scale=sigma, device=device)
    total = torch.zeros(size, device=device)
    grid = WindowGrid(corners, part, inset, None, total)
    weight = grid.window_part(torch.as_tensor(importance))
    for corner in corners:
        grid.slice_part(total, corner).add_(weight)
    return WindowGrid(corners, part, inset, None if mode == "constant" else weight, total.reciprocal_())
