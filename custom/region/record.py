"""What is known of a region: all that its sampling needs, as `region.json` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from custom.region.bend import Bend
from custom.region.corners import Corners, corners_of
from custom.region.fields import Field
from custom.region.region_map import RegionMap, Shape


@dataclass(frozen=True)
class Volume:
    """The raw volume, joined of all its fields.

    Attributes:
        shape: (Z, Y, X).
        dtype: of its voxels, numpy's name.
        voxel_size_um: (z, y, x), or None when it is unknown.
    """

    shape: Shape
    dtype: str
    voxel_size_um: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Region:
    """A region of interest.

    Attributes:
        corners: in the projections of the raw grid.
        shape: (nz, ny, nx); None, as a hand-made file may leave it: the corners' distances (`matched`).
        volume: that it lies in; None: any.
        fields: of that volume, in order of z; none: one stack.
        bend: of the electrodes' outer faces; None: they are planes.
        fill: grey value outside the reconstruction; None: found when it is needed.
        invert: the two grey values whose sum less a value replaces it; None: values stay.
        found: what the search tells beside it; nothing depends on it.
        path: the file that it was read from.
    """

    corners: Corners
    shape: Shape | None = None
    volume: Volume | None = None
    fields: tuple[Field, ...] = ()
    bend: Bend | None = None
    fill: float | None = None
    invert: tuple[float, float] | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What a refusal calls it."""
        return str(self.path or "region.json")

    def map(self) -> RegionMap:
        """From its voxels to the raw grid.

        Raises:
            ValueError: shape or volume are missing (`matched` gives both).
        """
        if self.shape is None or self.volume is None:
            raise ValueError("a region's map needs its shape and its volume")
        return RegionMap(self.shape, corners_of(self.corners, self.volume.shape[0]), self.bend)
