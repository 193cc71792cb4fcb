"""Weights whose logits are divided by a temperature."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn


def output_layer(network: nn.Module, windows: torch.Tensor) -> str | None:
    """Name of the convolution whose output is the network's, or None where more than one layer makes the logits.

    Args:
        network: left in the mode it is in.
        windows: a batch that it takes.
    """
    made: list[tuple[str, torch.Tensor]] = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: made.append((name, output)))
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    ]
    modes = {module: module.training for module in network.modules()}
    try:
        with torch.no_grad():
            logits = network.eval()(windows)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes.items():
            module.training = training
    return next((name for name, output in made if output is logits), None)


def divided(state: Mapping[str, torch.Tensor], layer: str, temperature: float) -> dict[str, torch.Tensor]:
    """The state dict with weight and bias of one layer divided by `temperature`: its logits are, wherever it is used.

    So the temperature travels with the weights, into every exported form and into an E-Net, and is in no one's way.
    """
    names = (f"{layer}.weight", f"{layer}.bias")
    return {key: value / temperature if key in names else value for key, value in state.items()}
