"""Transforms that MONAI lacks."""

from custom.transforms.candidates import CandidateCentresd
from custom.transforms.classes import ToMaskd, ToProbabilityd
from custom.transforms.crop import crop_to_patch
from custom.transforms.grey_window import GreyWindowd, apply_window
from custom.transforms.load import LoadStackd
from custom.transforms.merge import MergeClassesd
from custom.transforms.outside import ClearOutsided
from custom.transforms.rand_surround import RandSurroundd
from custom.transforms.restore import RestoreAxesd
from custom.transforms.uncertainty import CountAboved, SplitDisagreementd

__all__ = [
    "crop_to_patch",
    "CandidateCentresd",
    "ClearOutsided",
    "CountAboved",
    "GreyWindowd",
    "LoadStackd",
    "MergeClassesd",
    "RandSurroundd",
    "RestoreAxesd",
    "SplitDisagreementd",
    "ToMaskd",
    "ToProbabilityd",
    "apply_window",
]
