"""Parts of a network that run in bfloat16 throughout, instead of operation by operation under autocast."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

WEIGHTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)


class InBfloat16(nn.Module):
    """A module whose weights are bfloat16, called with bfloat16 tensors and without autocast.

    Autocast converts every weight anew in each call, and takes padding and a few others up to float32 and back.

    Args:
        module: takes tensors or lists of tensors; its weights are converted in place.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.to(torch.bfloat16)

    def forward(self, *inputs: Any) -> Any:
        """What the module returns for the inputs in bfloat16."""
        with torch.autocast("cpu", enabled=False):
            return self.module(*map(_lowered, inputs))


def lower_convolutions(network: nn.Module) -> None:
    """Wrap the parts of a network whose weights are those of convolutions and linear layers alone in `InBfloat16`.

    The largest such parts below the network are replaced in place. Norms and position features, which autocast leaves in
    float32, stay in it, and so do sums with them.

    Args:
        network: in evaluation mode, with its batch norms folded, and called under autocast from now on.
    """
    for name, part in list(network.named_children()):
        if _lowers(part):
            network._modules[name] = InBfloat16(part)
        else:
            lower_convolutions(part)


def _lowers(module: nn.Module) -> bool:
    if isinstance(module, nn.ModuleList | nn.ModuleDict):  # never called themselves, their elements are
        return False
    parts = [part for part in module.modules() if part._parameters or part._buffers]
    return bool(parts) and all(isinstance(part, WEIGHTED) for part in parts)


def _lowered(given: Any) -> Any:
    if isinstance(given, torch.Tensor):
        return given.to(torch.bfloat16) if given.is_floating_point() else given
    return [_lowered(part) for part in given] if isinstance(given, list | tuple) else given
