"""Ignite handlers of the trainings and evaluations."""

from custom.handlers.board import summary_writer
from custom.handlers.budget import TrainingBudget
from custom.handlers.checkpoint import Checkpoint
from custom.handlers.curves import TrainingCurves
from custom.handlers.divergence import StopDiverged
from custom.handlers.epoch_seed import EpochSeed
from custom.handlers.evaluation import Evaluation
from custom.handlers.frozen_norm import FreezeBatchNorm
from custom.handlers.going_on import training_goes_on
from custom.handlers.probability import KeepProbability
from custom.handlers.progress import Progress
from custom.handlers.results import check_output, check_stack_place, check_unfinished, take_output
from custom.handlers.same_buffers import SameBuffers
from custom.handlers.segmentation import Segmentation
from custom.handlers.triples import SliceTriples

__all__ = [
    "Checkpoint",
    "EpochSeed",
    "Evaluation",
    "FreezeBatchNorm",
    "KeepProbability",
    "Progress",
    "SameBuffers",
    "Segmentation",
    "SliceTriples",
    "StopDiverged",
    "TrainingBudget",
    "TrainingCurves",
    "check_output",
    "check_stack_place",
    "summary_writer",
    "check_unfinished",
    "take_output",
    "training_goes_on",
]
