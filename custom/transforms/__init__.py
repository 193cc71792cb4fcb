"""Transforms that MONAI lacks."""

from custom.transforms.candidates import CandidateCentresd
from custom.transforms.grey_window import GreyWindowd
from custom.transforms.load import LoadStackd

__all__ = ["CandidateCentresd", "GreyWindowd", "LoadStackd"]
