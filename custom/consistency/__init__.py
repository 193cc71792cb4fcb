"""Learning from unlabelled patches: a teacher's labels for them, as far as it is sure, and how much they count."""

from custom.consistency.mixing import BoxMix
from custom.consistency.pseudo_labels import PseudoLabels
from custom.consistency.ramp import RampUp
from custom.consistency.thresholds import ClassThresholds

__all__ = ["BoxMix", "ClassThresholds", "PseudoLabels", "RampUp"]
