"""The segmentation of a stack: its run over the slabs, and the results that it leaves."""

from custom.segmenting.result import Result
from custom.segmenting.results import check_before, check_stack_place, take_output
from custom.segmenting.run import Segmentation

__all__ = ["Result", "Segmentation", "check_before", "check_stack_place", "take_output"]
