"""Overlap scores and quantities of lithium."""

from custom.metrics.lithium import lithium_summary
from custom.metrics.overlap import PatchOverlap, overlap_scores, pooled_scores
from custom.metrics.tiles import tile_counts

__all__ = ["PatchOverlap", "lithium_summary", "overlap_scores", "pooled_scores", "tile_counts"]
