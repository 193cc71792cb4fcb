"""Batch norm folded into the convolutions before it, for inference."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from custom.speed.watching import Convolution, replace_modules, same_output, watch

# folding rounds the weights once more: logits of the shipped networks move by less than 1e-5 of their spread
TOLERANCE = 1e-3


@torch.no_grad()
def fold_batch_norm(network: nn.Module, shape: Sequence[int]) -> nn.Module:
    """Fold every batch norm that directly follows a convolution into its weights, in place, and return the network.

    One random batch shows which convolution's output each batch norm takes; so it works for any network, members of an
    E-Net included. The network is put into evaluation mode. If its output is no longer the same, because something else
    takes a convolution's output too, every module is put back.

    Args:
        network: has its weights, which folding bakes in; its state dict is another one afterwards.
        shape: of an input (B, C, Y, X).
    """
    network.eval()
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    windows = torch.rand(tuple(shape), generator=torch.Generator().manual_seed(0)).to(device)
    seen = watch(network, windows, nn.BatchNorm2d)
    changed: dict[nn.Module, nn.Module] = {}
    for convolution, norm in seen.pairs:
        if isinstance(norm, nn.BatchNorm2d) and _folds(convolution, norm):
            changed[convolution] = fuse_conv_bn_eval(convolution, norm, isinstance(convolution, nn.ConvTranspose2d))
            changed[norm] = nn.Identity()
    replace_modules(network, changed)
    if not same_output(network(windows), seen.output, TOLERANCE):
        replace_modules(network, {new: old for old, new in changed.items()})
    return network


def _folds(convolution: Convolution, norm: nn.BatchNorm2d) -> bool:
    grouped = isinstance(convolution, nn.ConvTranspose2d) and convolution.groups > 1
    return norm.running_mean is not None and not grouped
