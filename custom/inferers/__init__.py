"""How a network is led over images: the sliding window over slices, the plain pass over patches."""

from custom.inferers.patches import PatchInferer
from custom.inferers.slices import SliceInferer

__all__ = ["PatchInferer", "SliceInferer"]
