"""A network with its weights made ready for inference: batch norm folded, then packed, compiled or run by another engine."""

from __future__ import annotations

from typing import Any, Protocol
from weakref import WeakKeyDictionary

from torch import nn

from custom.speed.compiling import compile_network
from custom.speed.folding import fold_batch_norm
from custom.speed.openvino import run_by_openvino
from custom.speed.packing import pack_convolutions
from custom.speed.quantised import Quantised, run_quantised

# what networks are ready for, and what they were before
_ready: WeakKeyDictionary[nn.Module, tuple[tuple[Any, ...], str]] = WeakKeyDictionary()


class Windows(Protocol):
    """An inferer that runs a network over windows, as `SliceInferer` does."""

    roi_size: Any  # (Y, X)
    sw_batch_size: int
    overlap: Any
    precision: str


def prepare(
    network: nn.Module,
    inferer: Windows,
    channels: int = 1,
    compiles: bool = False,
    engine: str = "torch",
    quantised: Quantised | None = None,
) -> nn.Module:
    """Make a network faster where it lies, in place, and return it, in evaluation mode and for inference alone.

    Its masks stay those of the network as it was, but for rounding: a step that changes the output is taken back. One that
    is ready stays as it is.

    Args:
        network: with its weights, on its device; its state dict is another one afterwards.
        inferer: knows the windows (Y, X), how many of them it is going to take at once, and the precision.
        channels: of its input.
        compiles: whether it is compiled, half a minute on a CPU, instead of packed.
        engine: "torch", or "openvino", which packs in its own way.
        quantised: the same network in 8 bits, which is then run in its place.

    Raises:
        BadInput: it is to be compiled and cannot be here, or OpenVINO cannot run it.
        ValueError: it is ready for something else.
    """
    window, size, precision = (channels, *inferer.roi_size), inferer.sw_batch_size, inferer.precision
    wanted = (size, *window, precision, compiles, engine, quantised and quantised.sha256)
    if network in _ready:
        if _ready[network][0] != wanted:
            raise ValueError(
                f"is ready for {_ready[network][0]}, and cannot be made ready for {wanted}; build it anew."
            )
        return network
    before = str(network)
    if quantised is not None:
        run_quantised(network.eval(), quantised, (size, *window), precision)
        _ready[network] = wanted, before
        return network
    fold_batch_norm(network, (1, *window))
    if engine == "openvino":
        run_by_openvino(network, (size, *window), precision)
    else:
        pack_convolutions(network, (size, *window), precision, wanted=not compiles)
        compile_network(network, (size, *window), precision, wanted=compiles)
    _ready[network] = wanted, before
    return network


def description(network: nn.Module) -> str:
    """The layers of a network as it was built, whether it is ready by now or not."""
    return _ready[network][1] if network in _ready else str(network)
