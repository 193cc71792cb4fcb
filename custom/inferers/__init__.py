"""The sliding window over slices, the plain pass over patches, and what makes a network faster for them."""

from custom.inferers.compiling import compile_network
from custom.inferers.folding import fold_batch_norm
from custom.inferers.packing import pack_convolutions
from custom.inferers.patches import PatchInferer
from custom.inferers.slices import SliceInferer

__all__ = ["PatchInferer", "SliceInferer", "compile_network", "fold_batch_norm", "pack_convolutions"]
