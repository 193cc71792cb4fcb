"""The loss of labelled patches and of pseudo-labelled ones."""

from typing import Protocol

from torch import Tensor, nn

from custom.losses.labelled import UNLABELLED, LabelledOnly


class Weighing(Protocol):
    """Says how much pseudo-labels count beside labels."""

    @property
    def weight(self) -> float: ...


class WithPseudoLabels(nn.Module):
    """loss(labels) + weight * share * pseudo(pseudo-labels), share being the part of the voxels that has a pseudo-label.

    The share is that of FixMatch (Sohn et al., NeurIPS 2020), where a sample without a sure label counts as 0 in the
    mean: as long as a teacher is sure of little, that little counts little. A batch in which it finds no
    class at all does not count: its Dice, where that is part of the loss, would teach that there is none anywhere.

    Args:
        loss: of logits and labels.
        pseudo: of logits and pseudo-labels.
        ramp: knows the weight.
    """

    def __init__(self, loss: LabelledOnly, pseudo: LabelledOnly, ramp: Weighing) -> None:
        super().__init__()
        self.loss, self.pseudo, self.ramp = loss, pseudo, ramp
        self.name = getattr(loss, "name", type(loss).__name__)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar from logits (B, C, Y, X) and targets: (B, 1, Y, X) labels, or (B, 2, Y, X) labels and pseudo-labels."""
        labels = _of(self.loss, logits, target[:, :1])
        if target.shape[1] == 1 or not self.ramp.weight:
            return labels
        found = target[:, 1]
        if not bool(((found != 0) & (found != UNLABELLED)).any()):
            return labels
        patches = (target[:, :1] == UNLABELLED).all(dim=(1, 2, 3))
        share = (found[patches] != UNLABELLED).float().mean()
        return labels + self.ramp.weight * share * _of(self.pseudo, logits, target[:, 1:])


def _of(loss: LabelledOnly, logits: Tensor, target: Tensor) -> Tensor:
    """Without the patches that have no label at all: of the others mostly every voxel has one, which is faster."""
    some = (target != UNLABELLED).flatten(1).any(1)
    if not bool(some.any()):
        return logits[some].sum()
    found: Tensor = loss(logits[some], target[some])
    return found
