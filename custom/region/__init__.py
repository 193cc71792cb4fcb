"""The region of interest of a raw reconstruction: its record, its map onto the raw grid, and grey values sampled once."""

from custom.region.bend import Bend
from custom.region.corners import Corners, corners_of, quads_of
from custom.region.fields import Field
from custom.region.reading import read_region
from custom.region.record import Region, Volume
from custom.region.region_map import RegionMap
from custom.region.writing import write_region

__all__ = [
    "Bend",
    "Corners",
    "Field",
    "Region",
    "RegionMap",
    "Volume",
    "corners_of",
    "quads_of",
    "read_region",
    "write_region",
]
