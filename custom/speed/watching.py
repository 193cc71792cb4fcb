"""What happens to the outputs of a network's convolutions, seen by running it once; and modules put in place of others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

Convolution = nn.Conv2d | nn.ConvTranspose2d


@dataclass(frozen=True)
class Watched:
    """What one run of a network showed.

    Attributes:
        pairs: the convolutions whose output goes into a module of the kind looked for, and that module; both run once.
        shapes: for each convolution that runs, the shape of its input.
        output: of the network.
    """

    pairs: list[tuple[Convolution, nn.Module]]
    shapes: dict[Convolution, torch.Size]
    output: torch.Tensor


def watch(network: nn.Module, windows: torch.Tensor, follower: type[nn.Module]) -> Watched:
    """Run `network` on `windows` and see which of its convolutions a module of the type `follower` follows.

    It works for any network, since the tensors tell, not the names of the parts. Others may take a convolution's output
    beside the follower: that does not show.
    """
    made: dict[int, tuple[Convolution, torch.Tensor]] = {}
    pairs: list[tuple[Convolution, nn.Module]] = []
    shapes: dict[Convolution, torch.Size] = {}
    calls: Counter[nn.Module] = Counter()

    def remember(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            calls[module] += 1
            shapes[module] = inputs[0].shape
            made[id(output)] = (module, output)  # the tensor is held, so that its id stays its own

    def meet(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        calls[module] += 1
        if id(inputs[0]) in made:
            pairs.append((made[id(inputs[0])][0], module))

    hooks = []
    for module in network.modules():
        if isinstance(module, follower):
            hooks.append(module.register_forward_pre_hook(meet))
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            hooks.append(module.register_forward_hook(remember))
    try:
        output: torch.Tensor = network(windows)
    finally:
        for hook in hooks:
            hook.remove()
    once = [(convolution, module) for convolution, module in pairs if calls[convolution] == calls[module] == 1]
    return Watched(once, shapes, output)


def same_output(after: torch.Tensor, before: torch.Tensor, tolerance: float) -> bool:
    """Whether two outputs agree, within a share of their spread; False where there is none, as in numbers beyond float32."""
    spread = float(before.std())
    return math.isfinite(spread) and torch.allclose(after, before, rtol=tolerance, atol=tolerance * spread)


def replace_modules(network: nn.Module, changed: Mapping[nn.Module, nn.Module]) -> None:
    """Put the values of `changed` where its keys are within `network`."""
    for parent in list(network.modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and child in changed:
                setattr(parent, name, changed[child])
