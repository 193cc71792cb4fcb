"""How fast a network runs: on what, in which arithmetic, with which memory, its layers rewritten; never what it finds."""

from custom.speed.compiling import compile_network
from custom.speed.folding import fold_batch_norm
from custom.speed.packing import pack_convolutions
from custom.speed.preparing import Windows, prepare

__all__ = ["Windows", "compile_network", "fold_batch_norm", "pack_convolutions", "prepare"]
