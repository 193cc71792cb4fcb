"""Ignite handlers of the trainings and evaluations."""

from custom.handlers.budget import TrainingBudget
from custom.handlers.checkpoint import Checkpoint
from custom.handlers.curves import TrainingCurves
from custom.handlers.divergence import StopDiverged
from custom.handlers.epoch_seed import EpochSeed
from custom.handlers.evaluation import Evaluation
from custom.handlers.frozen_norm import FreezeBatchNorm
from custom.handlers.mix_style import MixStyle
from custom.handlers.probability import KeepProbability
from custom.handlers.progress import Progress
from custom.handlers.same_buffers import SameBuffers
from custom.handlers.teacher import Teacher
from custom.handlers.triples import SliceTriples

__all__ = [
    "Checkpoint",
    "EpochSeed",
    "Evaluation",
    "FreezeBatchNorm",
    "KeepProbability",
    "MixStyle",
    "Progress",
    "SameBuffers",
    "SliceTriples",
    "StopDiverged",
    "Teacher",
    "TrainingBudget",
    "TrainingCurves",
]
