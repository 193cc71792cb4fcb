"""The study's losses, masked where a voxel is unlabelled."""

from custom.losses.labelled import UNLABELLED, LabelledOnly
from custom.losses.study import StudyLoss
from custom.losses.tversky import FocalTverskyLoss

__all__ = ["UNLABELLED", "FocalTverskyLoss", "LabelledOnly", "StudyLoss"]
