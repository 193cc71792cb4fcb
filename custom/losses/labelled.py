"""Losses that learn from labelled voxels alone."""

from torch import Tensor, nn

UNLABELLED = 255


class LabelledOnly(nn.Module):
    """Give a loss the labelled voxels alone, in float32: unlabelled ones (255) have no part in its value or gradient.

    The labelled voxels of the whole batch are handed on as one row, (1, 1, N): a mean runs over labelled voxels, and an
    overlap is pooled over the batch, so that a patch without lithium still has a gradient. A batch without any
    labelled voxel has loss 0 and gradient 0.

    Args:
        loss: takes logits and targets of shape (1, 1, N), both float32, and returns a scalar.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of logits (B, 1, Y, X) against targets in {0, 1, 255} of the same shape, floating or integer.

        Raises:
            ValueError: for a target of another shape.
        """
        if logits.shape != target.shape:
            raise ValueError(
                f"logits and target must have one shape, got {tuple(logits.shape)} and {tuple(target.shape)}."
            )
        labelled = target != UNLABELLED
        values = logits[labelled].float()
        if values.numel() == 0:
            return values.sum()
        return self.loss(values[None, None], target[labelled].float()[None, None])
