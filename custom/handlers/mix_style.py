"""Feature maps that a training shows in the style of another of its scans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.hooks import RemovableHandle

from custom.base.errors import BadInput

_EPSILON = 1e-6  # of a variance: a channel may be 0 all over


class MixStyle:
    """Gives patches, in some layers of the network, the mean and spread of patches of other scans.

    What differs between the scans of a training, of which mean and standard deviation of feature maps tell much, will
    differ in the next scan too: a network that has seen its patches in each other's style relies on it less. Source:
    Zhou et al., "Domain Generalization with MixStyle", ICLR 2021, equations 4 to 6, in the form that mixes across
    domains, here scans. Patches of one scan are not mixed with one another: where there is one alone, grey values may
    be what tells the classes apart, and the training is what it would be without. Inference is as it was.

    For maps x of patch i, with mean m and standard deviation s over (Y, X), and those of a patch j of another scan:

        (x - m_i) / s_i * (l s_i + (1 - l) s_j) + l m_i + (1 - l) m_j,  l ~ Beta(alpha, alpha)

    It is the trainer's network, in train mode; a batch says by ``scan`` (B,) where its patches come from, as those of
    `PatchDataset` do.

    Args:
        layers: names of submodules whose output (B, C, Y, X) is mixed, near the input; none: nothing is.
        prob: share of the passes through a layer that are mixed.
        alpha: of the beta distribution; at 0.1 most patches keep their style or take the other one.
    """

    def __init__(self, layers: Sequence[str], prob: float = 0.5, alpha: float = 0.1) -> None:
        self.layers = list(layers)
        self.prob = prob
        self.share = torch.distributions.Beta(alpha, alpha)
        self.state: Any = None
        self.handles: list[RemovableHandle] = []

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        if self.layers:
            engine.add_event_handler(Events.STARTED, self._start)

    def _start(self, engine: Engine) -> None:
        """Here and not before: an averaged teacher is a copy of the network, made with the configuration.

        Raises:
            BadInput: the network has no such layer.
        """
        self.state = engine.state
        if self.handles:
            return
        network: Any = engine.network  # type: ignore[attr-defined]
        plain: nn.Module = network.module if isinstance(network, DistributedDataParallel) else network
        modules = dict(plain.named_modules())
        for name in self.layers:
            if name not in modules:
                known = ", ".join(child for child, _ in plain.named_children())
                raise BadInput(
                    f"--style_layers {self.layers}: {type(plain).__name__} has no layer {name}; give some of its own "
                    f"({known}, ...), or [] to mix nothing"
                )
            self.handles.append(modules[name].register_forward_hook(self._mixed))

    def _mixed(self, layer: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        if not layer.training or self.state is None:
            return None
        # not before: what a step consists of may be put together after it has begun, as PseudoLabels does
        scans = torch.as_tensor(self.state.batch["scan"]).cpu()
        differ = scans[:, None] != scans[None, :]
        alone = ~differ.any(1)
        if alone.all() or float(torch.rand(())) >= self.prob:
            return None
        partner = torch.multinomial((differ | torch.diag(alone)).float(), 1).squeeze(1).to(output.device)
        kept = self.share.sample((len(partner), 1, 1, 1)).to(output.device)
        x = output.float()
        variance, mean = torch.var_mean(x.detach(), (2, 3), correction=0, keepdim=True)
        spread = (variance + _EPSILON).sqrt()
        new_mean = kept * mean + (1 - kept) * mean[partner]
        new_spread = kept * spread + (1 - kept) * spread[partner]
        return ((x - mean) / spread * new_spread + new_mean).to(output.dtype)
