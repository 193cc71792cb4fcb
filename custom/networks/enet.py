"""E-Net: a weighted blend of networks."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ENet(nn.Module):
    """Weighted blend of the probabilities of several networks, returned as a logit.

    Source: Quenum, Zenyuk, Ushizima, J. Imaging 9(6):111, 2023; the study's best blend is 0.2 U-Net + 0.8 TransforCNN.
    The blend is p = sum_i w_i sigmoid(logit_i) and the output log p - log(1 - p), so that one postprocessing (sigmoid,
    threshold) serves every network. Since the weights sum to 1, 1 - p = sum_i w_i sigmoid(-logit_i): both logarithms
    are taken as log-sum-exp in float32, under autocast too, and stay exact where p rounds to 0 or 1.

    Members of several classes (channel 0 the background, then a channel for each class) are blended channel by channel,
    p = sum_i w_i softmax(logits_i), and the output is log p, whose softmax is p again.

    Every member is a submodule, so one state dict holds all of them; members of weight 0 are never run. A lone member
    of weight 1 has its logits returned unchanged.

    With `disagreement`, a further channel for each class tells where the members contradict each other: the standard
    deviation of their probabilities under the weights, sqrt(sum_i w_i (p_i - p)^2), in [0, 0.5].

    Args:
        members: networks of equal input and output shape.
        weights: one per member, each in [0, 1], summing to 1.
        disagreement: whether these channels are returned.

    Raises:
        ValueError: for no member, a count that differs, a weight outside [0, 1], a sum other than 1, or a disagreement
            that is asked of one member alone.
    """

    def __init__(self, members: Sequence[nn.Module], weights: Sequence[float], disagreement: bool = False) -> None:
        super().__init__()
        if len(members) == 0 or len(members) != len(weights):
            raise ValueError(
                f"ENet takes one weight per member, got {len(members)} members and {len(weights)} weights."
            )
        if any(not 0.0 <= weight <= 1.0 for weight in weights):
            raise ValueError(f"every weight of ENet must be in [0, 1], got {list(weights)}.")
        total = sum(weights)
        if abs(total - 1.0) > 1e-6:
            cure = "give one member a weight" if total == 0.0 else "divide each by it"
            raise ValueError(f"the weights of ENet must sum to 1, got {list(weights)}, whose sum is {total:g}: {cure}.")
        if disagreement and sum(weight > 0.0 for weight in weights) < 2:
            raise ValueError(f"ENet's weights {list(weights)} let one member run, which disagrees with none.")
        self.disagreement = disagreement
        self.members = nn.ModuleList(members)
        self.weights = [float(weight) for weight in weights]
        self.running = [weight for weight in self.weights if weight > 0.0]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, Y, X) -> logits of the blend, shaped as the members' output; float32 if more than one member runs.

        With `disagreement`, K classes have K more channels: (B, 2, Y, X) of one class, else (B, 2 K + 1, Y, X).
        """
        logits = x
        found: list[Tensor] = []
        for i, member in enumerate(self.members):
            if self.weights[i] > 0.0:
                logits = member(x)
                found.append(logits.float())
        if len(found) == 1:
            return logits
        if logits.ndim < 2 or logits.shape[1] == 1:
            classes = self._weighted([F.logsigmoid(one) for one in found])
            background = self._weighted([F.logsigmoid(-one) for one in found])
            blend = torch.logsumexp(classes, dim=0) - torch.logsumexp(background, dim=0)
            mean = torch.sigmoid(blend)
        else:
            each = self._weighted([F.log_softmax(one, dim=1) for one in found])
            blend = torch.logsumexp(each, dim=0)
            classes, mean = each[:, :, 1:], blend[:, 1:].exp()
        if not self.disagreement:
            return blend
        variance = torch.zeros_like(mean)
        for i, weight in enumerate(self.running):
            variance = variance + weight * (classes[i].exp() / weight - mean) ** 2
        return torch.cat([blend, variance.sqrt()], dim=1)

    def _weighted(self, logarithms: list[Tensor]) -> Tensor:
        """(members that run, B, channels, Y, X): each member's log-probabilities plus the logarithm of its weight."""
        return torch.stack([part + math.log(self.running[i]) for i, part in enumerate(logarithms)])

    def extra_repr(self) -> str:
        """The weights."""
        return f"weights={self.weights}"
