"""The sliding window over slices, and the plain pass over patches."""

from custom.inferers.patches import PatchInferer
from custom.inferers.slices import SliceInferer

__all__ = ["PatchInferer", "SliceInferer"]
