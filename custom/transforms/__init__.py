"""Transforms that MONAI lacks."""

from custom.transforms.candidates import CandidateCentresd
from custom.transforms.grey_window import GreyWindowd, apply_window
from custom.transforms.load import LoadStackd
from custom.transforms.restore import RestoreAxesd

__all__ = ["CandidateCentresd", "GreyWindowd", "LoadStackd", "RestoreAxesd", "apply_window"]
