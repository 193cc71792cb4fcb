"""Losses, masked where a voxel is unlabelled."""

from custom.losses.labelled import UNLABELLED, LabelledOnly
from custom.losses.named import NamedLoss
from custom.losses.pseudo_labelled import WithPseudoLabels
from custom.losses.tversky import FocalTverskyLoss

__all__ = ["UNLABELLED", "FocalTverskyLoss", "LabelledOnly", "NamedLoss", "WithPseudoLabels"]
