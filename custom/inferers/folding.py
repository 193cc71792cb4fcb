"""Batch norm folded into the convolutions before it, for inference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Convolution = nn.Conv2d | nn.ConvTranspose2d

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
    pairs, before = _pairs(network, windows)
    changed: dict[nn.Module, nn.Module] = {}
    for convolution, norm in pairs:
        changed[convolution] = fuse_conv_bn_eval(convolution, norm, isinstance(convolution, nn.ConvTranspose2d))
        changed[norm] = nn.Identity()
    _replace(network, changed)
    after = network(windows)
    if not torch.allclose(after, before, rtol=TOLERANCE, atol=TOLERANCE * float(before.std())):
        _replace(network, {new: old for old, new in changed.items()})
    return network


def _pairs(network: nn.Module, windows: torch.Tensor) -> tuple[list[tuple[Convolution, nn.BatchNorm2d]], torch.Tensor]:
    """The convolutions whose output is what a batch norm takes, and the network's output for `windows`."""
    made: dict[int, tuple[Convolution, torch.Tensor]] = {}
    pairs: list[tuple[Convolution, nn.BatchNorm2d]] = []
    calls: Counter[nn.Module] = Counter()

    def remember(module: nn.Module, _: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        calls[module] += 1
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            made[id(output)] = (module, output)  # the tensor is held, so that its id stays its own

    def meet(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        calls[module] += 1
        if isinstance(module, nn.BatchNorm2d) and id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])][0], module))

    hooks = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(meet))
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            hooks.append(module.register_forward_hook(remember))
    try:
        output: torch.Tensor = network(windows)
    finally:
        for hook in hooks:
            hook.remove()
    return [(conv, norm) for conv, norm in pairs if calls[conv] == calls[norm] == 1 and _folds(conv, norm)], output


def _folds(convolution: Convolution, norm: nn.BatchNorm2d) -> bool:
    grouped = isinstance(convolution, nn.ConvTranspose2d) and convolution.groups > 1
    return norm.running_mean is not None and not grouped


def _replace(network: nn.Module, changed: dict[nn.Module, nn.Module]) -> None:
    for parent in list(network.modules()):
        for name, child in list(parent._modules.items()):
            if child in changed:
                setattr(parent, name, changed[child])
