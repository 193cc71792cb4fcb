"""A step's unlabelled patches, with the labels that a teacher gives them, beside its labelled ones."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

import torch
from torch import Tensor

from custom.base.classes import UNLABELLED
from custom.consistency.mixing import BoxMix
from custom.consistency.thresholds import ClassThresholds

Batch = MutableMapping[str, Tensor]


class Weighing(Protocol):
    """Says how much pseudo-labels count, as `RampUp` does."""

    @property
    def weight(self) -> float: ...


class PseudoLabels:
    """A `prepare_batch` of MONAI's trainers: labelled patches and, after them, disturbed unlabelled ones.

    The teacher sees an unlabelled patch as it is, the student with other grey values and, by CutMix, with a part of
    another one in it. What the teacher is sure of is the label of both parts. A step stays as large as it is with labels
    alone: unlabelled patches take the place of labelled ones.

    Source: Sohn et al., "FixMatch", NeurIPS 2020; CutMix of unlabelled images after Yang et al., "Revisiting
    Weak-to-Strong Consistency" (UniMatch), CVPR 2023, of which one strong view is taken here: each further one costs a
    forward and a backward pass more.

    Args:
        teacher: the network that labels, in eval mode.
        inferer: calls it, as `PatchInferer` does.
        thresholds: how sure it has to be.
        ramp: its weight 0 leaves the unlabelled patches out, of which a batch may have none.
        part: of the batch, that is unlabelled once it counts.
        mixing: CutMix; its random state is drawn from torch's, which `EpochSeed` fixes, and its batch size follows.
    """

    def __init__(
        self,
        teacher: torch.nn.Module,
        inferer: Callable[..., Tensor],
        thresholds: ClassThresholds,
        ramp: Weighing,
        part: float = 0.5,
        mixing: BoxMix | None = None,
    ) -> None:
        self.teacher, self.inferer = teacher, inferer
        self.thresholds, self.ramp, self.part, self.mixing = thresholds, ramp, part, mixing

    def __call__(
        self, batch: Batch, device: torch.device | None = None, non_blocking: bool = False, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Images (B, 1, Y, X) and targets (B, 2, Y, X): labels and pseudo-labels, each 255 where the other counts.

        Args:
            batch: ``image`` and ``label`` (B, 1, Y, X), ``unlabelled_image``, ``unlabelled_strong`` (the same,
                disturbed) and ``unlabelled_label`` (B, 1, Y, X), which is 255 where nothing is to be learned. ``scan``
                and ``unlabelled_scan`` (B,): the former becomes that of what is returned.
        """

        def moved(key: str, count: int) -> Tensor:
            return torch.as_tensor(batch[key])[:count].to(device=device, non_blocking=non_blocking, **kwargs)

        every = len(batch["image"])
        few = round(self.part * every) if self.ramp.weight and "unlabelled_image" in batch else 0
        image, label = moved("image", every - few), _beside(moved("label", every - few).float(), 0)
        if not few:
            return image, label
        with torch.no_grad():
            logits = self.inferer(moved("unlabelled_image", few), self.teacher)
            found = self.thresholds(logits, moved("unlabelled_label", few))
        batch["scan"] = torch.cat([batch["scan"][: every - few], batch["unlabelled_scan"][:few]])
        strong, found = self._mixed(moved("unlabelled_strong", few), found)
        return torch.cat([image, strong]), torch.cat([label, _beside(found, 1)])

    def _mixed(self, strong: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        if self.mixing is None or len(strong) < 2:
            return strong, found
        self.mixing.set_random_state(seed=int(torch.randint(2**31, ())))
        self.mixing.batch_size = len(strong)
        self.mixing.randomize(strong)
        mixed = self.mixing.apply(torch.cat([strong, found], 1))
        return mixed[:, :1], mixed[:, 1:]


def _beside(label: Tensor, place: int) -> Tensor:
    """Labels (N, 1, Y, X) as one of two channels, the other one unlabelled."""
    blank = torch.full_like(label, UNLABELLED)
    return torch.cat([label, blank] if place == 0 else [blank, label], 1)
