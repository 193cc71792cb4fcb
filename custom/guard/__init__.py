"""Whether a stack looks like those that a network was trained on: figures of slices, their allowed ranges, a verdict."""

from custom.guard.expected_dice import ExpectedDice
from custom.guard.guard import Guard
from custom.guard.reference import reference_of

__all__ = ["ExpectedDice", "Guard", "reference_of"]
