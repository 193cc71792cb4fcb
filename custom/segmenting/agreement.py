"""How far the members of an E-Net agree, counted while they run: the Dice of each two of their masks."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import nn


class MembersAgreement:
    """Counts, for each two members that run, the voxels in which they find the same class, and those that either finds.

    It listens to the members (forward hooks), so that nothing is computed twice. What is counted are the windows as the
    network takes them: where they overlap, and in what fills the last batch, voxels count more than once. A voxel is found
    where a member's probability is 0.5 or more; of several classes where it is the most probable.

    Args:
        network: with `members`, as `ENet` has them; any other one has none that are listened to. Nor has one that was compiled, which runs past them.
    """

    def __init__(self, network: nn.Module) -> None:
        members: Any = getattr(network, "members", ())
        self._outputs: dict[int, torch.Tensor] = {}
        self._pairs: torch.Tensor | None = None
        self._hooks = [
            member.register_forward_hook(lambda _module, _given, output, number=number: self._take(number, output))
            for number, member in enumerate(members)
        ]
        if len(members) > 1:
            self._hooks.append(network.register_forward_hook(lambda _module, _given, _output: self._count()))

    def leave(self) -> None:
        """Listen no more."""
        for hook in self._hooks:
            hook.remove()

    def _take(self, number: int, output: torch.Tensor) -> None:
        self._outputs[number] = output

    def _count(self) -> None:
        masks = [_mask(output) for output in self._outputs.values()]
        self._outputs = {}
        rows = [torch.stack([_common(one, other) for one, other in combinations(masks, 2)])] if len(masks) > 1 else []
        for found in rows:
            self._pairs = found if self._pairs is None else self._pairs + found

    def taken(self) -> dict[str, np.ndarray]:
        """``members``, (pairs, classes, 2) int64, since the last call: voxels of both, and of one plus of the other; else nothing."""
        found, self._pairs = self._pairs, None
        return {} if found is None else {"members": found.cpu().numpy()}


def _mask(logits: torch.Tensor) -> torch.Tensor:
    """(classes, B, Y, X) bool."""
    if logits.shape[1] == 1:
        return (logits >= 0).movedim(1, 0)
    most = logits.argmax(dim=1)
    return torch.stack([most == value for value in range(1, logits.shape[1])])


def _common(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    axes = tuple(range(1, one.ndim))
    return torch.stack([(one & other).sum(axes), one.sum(axes) + other.sum(axes)], dim=1)
