"""Padding that MONAI's U-Net does for sides that cannot be halved often enough, left out where all can."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.nets.basic_unet import UpCat
from torch import nn

HALVED = 16  # what a side is a multiple of that the U-Net halves four times without a rest


def leave_out_padding(network: nn.Module, window: int | Sequence[int]) -> nn.Module:
    """Let a network with MONAI's `UpCat` take each map that it up-samples as it is, in place, and return it.

    `UpCat` copies them, to pad by a voxel where a side was odd: under autocast into float32 and back, a tenth of a training
    step on a CPU. Where all sides of the window are multiples of 16 none is odd, and what the network computes stays the same.

    Args:
        network: any; one without such layers stays as it is.
        window: sides of what it is going to take; one number for a square.
    """
    sides = [window] if isinstance(window, int) else window
    for module in network.modules() if all(side % HALVED == 0 for side in sides) else ():
        if isinstance(module, UpCat):
            module.is_pad = False
    return network
