"""A network with its weights made ready for inference: batch norm folded, then packed, compiled or run by another engine."""

from __future__ import annotations

from typing import Any, Protocol

from torch import nn

from custom.speed.compiling import compile_network
from custom.speed.folding import fold_batch_norm
from custom.speed.openvino import run_by_openvino
from custom.speed.packing import pack_convolutions


class Windows(Protocol):
    """An inferer that runs a network over windows, as `SliceInferer` does."""

    roi_size: Any  # (Y, X)
    sw_batch_size: int
    overlap: Any
    precision: str


def prepare(
    network: nn.Module, inferer: Windows, channels: int = 1, compiles: bool = False, engine: str = "torch"
) -> nn.Module:
    """Make a network faster where it lies, in place, and return it, in evaluation mode and for inference alone.

    Its masks stay those of the network as it was, but for rounding: a step that changes the output is taken back.

    Args:
        network: with its weights, on its device; its state dict is another one afterwards.
        inferer: knows the windows (Y, X), how many of them it is going to take at once, and the precision.
        channels: of its input.
        compiles: whether it is compiled, half a minute on a CPU, instead of packed.
        engine: "torch", or "openvino", which packs in its own way.

    Raises:
        BadInput: it is to be compiled and cannot be here, or OpenVINO cannot run it.
    """
    window, size, precision = (channels, *inferer.roi_size), inferer.sw_batch_size, inferer.precision
    fold_batch_norm(network, (1, *window))
    if engine == "openvino":
        return run_by_openvino(network, (size, *window), precision)
    pack_convolutions(network, (size, *window), precision, wanted=not compiles)
    return compile_network(network, (size, *window), precision, wanted=compiles)
