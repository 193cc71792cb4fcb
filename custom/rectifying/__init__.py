"""The rectifying of a raw reconstruction: its run over the slabs of a region, and the way of a mask back."""

from custom.rectifying.before import check_before
from custom.rectifying.run import Rectifying

__all__ = ["Rectifying", "check_before"]
