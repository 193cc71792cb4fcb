"""Scores of overlap and shape, and calibration."""

from custom.metrics.blend_search import Choice, blend_counts, choose, search_report
from custom.metrics.blend_weights import full_cube, simplex
from custom.metrics.bootstrap import SCORES, block_ratios, intervals, z_blocks
from custom.metrics.by_scan import scores_by_scan
from custom.metrics.class_means import class_intervals, mean_of, mean_shape, score_intervals
from custom.metrics.confusion import confusion, confusion_table
from custom.metrics.expected_dice import ExpectedDiceError
from custom.metrics.grey_window import GreyCounts
from custom.metrics.one_class import OneClass, of_value
from custom.metrics.overlap import class_scores, overlap_scores, pooled_scores, scores_of
from custom.metrics.patch_overlap import PatchOverlap
from custom.metrics.reliability import calibration_error, reliability_bins, reliability_table
from custom.metrics.shape import shape_scores
from custom.metrics.shape_set import ShapeScores
from custom.metrics.temperature import Temperature
from custom.metrics.tiles import class_tile_counts, tile_counts

__all__ = [
    "of_value",
    "confusion_table",
    "confusion",
    "mean_shape",
    "mean_of",
    "class_intervals",
    "OneClass",
    "GreyCounts",
    "SCORES",
    "Choice",
    "PatchOverlap",
    "ShapeScores",
    "Temperature",
    "ExpectedDiceError",
    "blend_counts",
    "block_ratios",
    "calibration_error",
    "choose",
    "class_scores",
    "class_tile_counts",
    "full_cube",
    "intervals",
    "overlap_scores",
    "pooled_scores",
    "scores_of",
    "scores_by_scan",
    "score_intervals",
    "reliability_bins",
    "reliability_table",
    "search_report",
    "shape_scores",
    "simplex",
    "tile_counts",
    "z_blocks",
]
