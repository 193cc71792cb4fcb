"""A network compiled for windows of one size."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from custom.base.errors import BadInput
from custom.speed.precision import autocast


@torch.no_grad()
def compile_network(network: torch.nn.Module, shape: Sequence[int], precision: str, wanted: bool) -> torch.nn.Module:
    """Compile the network in place where that is wanted, and return it; takes half a minute on a CPU.

    It is called once, so that what is missing shows at once rather than after the stack has been opened.

    Args:
        network: in evaluation mode, with its weights.
        shape: of the batches (B, C, Y, X) that it is going to take.
        precision: "auto", "fp32" or "bf16", as the inferer's.
        wanted: False leaves the network as it is.

    Raises:
        BadInput: it cannot be compiled here.
    """
    if not wanted:
        return network
    device = next(network.parameters()).device
    windows = torch.zeros(tuple(shape), device=device).contiguous(memory_format=torch.channels_last)
    network.compile(dynamic=False)
    try:
        with autocast(device, precision):
            network(windows)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(
            f"--compile true: the network cannot be compiled on this machine ({reason}); install a C++ compiler such "
            "as g++, or leave --compile away"
        ) from error
    return network
