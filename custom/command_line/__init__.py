"""What was typed: taken as it was meant, or refused before any work is done."""

from custom.command_line.options import check_device, check_paths, check_threshold, check_uncertainty
from custom.command_line.placement import check_place

__all__ = ["check_device", "check_paths", "check_place", "check_threshold", "check_uncertainty"]
