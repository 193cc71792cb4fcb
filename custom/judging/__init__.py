"""What the slices of an evaluation come to: scores, tables and pictures of one class, or of several."""

from custom.judging.one import JudgingOne
from custom.judging.several import JudgingSeveral

__all__ = ["JudgingOne", "JudgingSeveral"]
