"""Weights and checkpoints, and what is known of the trainings that they come from."""

from custom.weights.reading import reading_of
from custom.weights.tensors import (
    WeightsPath,
    first_difference,
    first_not_finite,
    load_weights,
    origin,
    read_state,
    sha256,
    start_from,
    tensors_in,
)

__all__ = [
    "WeightsPath",
    "first_difference",
    "first_not_finite",
    "load_weights",
    "origin",
    "read_state",
    "reading_of",
    "sha256",
    "start_from",
    "tensors_in",
]
