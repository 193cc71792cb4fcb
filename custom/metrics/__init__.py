"""Overlap scores and quantities of lithium."""

from custom.metrics.blend_search import Choice, blend_counts, choose, search_report
from custom.metrics.blend_weights import full_cube, simplex
from custom.metrics.bootstrap import SCORES, block_ratios, intervals, z_blocks
from custom.metrics.lithium import lithium_summary
from custom.metrics.overlap import PatchOverlap, overlap_scores, pooled_scores
from custom.metrics.tiles import tile_counts

__all__ = [
    "SCORES",
    "Choice",
    "PatchOverlap",
    "blend_counts",
    "block_ratios",
    "choose",
    "full_cube",
    "intervals",
    "lithium_summary",
    "overlap_scores",
    "pooled_scores",
    "search_report",
    "simplex",
    "tile_counts",
    "z_blocks",
]
