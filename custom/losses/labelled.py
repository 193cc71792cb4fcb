"""Losses that learn from labelled voxels alone."""

from torch import Tensor, nn

UNLABELLED = 255


class LabelledOnly(nn.Module):
    """Give a loss the labelled voxels alone, in float32: unlabelled ones (255) have no part in its value or gradient.

    The labelled voxels of the whole batch are handed on as one row, (1, C, N): a mean runs over labelled voxels, and an
    overlap is pooled over the batch, so that a patch without lithium still has a gradient. A batch without any
    labelled voxel has loss 0 and gradient 0.

    Args:
        loss: takes logits (1, C, N) and targets (1, 1, N), both float32, and returns a scalar.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of logits (B, C, Y, X) against targets (B, 1, Y, X), which are 255 or the number of a channel.

        Where C is 1 they are in {0, 1, 255}. Targets are floating or integer.

        Raises:
            ValueError: for a target of another shape.
        """
        if logits[:, :1].shape != target.shape:
            raise ValueError(
                f"logits and target must have one shape but for the channels of the logits, got {tuple(logits.shape)} and "
                f"{tuple(target.shape)}."
            )
        labelled = target != UNLABELLED
        # (B, C, Y, X) -> (1, C, N) in the order of the voxels
        every = logits.movedim(1, 0).flatten(1)
        if bool(labelled.all()):  # the gradient of a selection takes longer than that of the loss
            return self.on_row(every.float()[None], target.float().reshape(1, 1, -1))
        values = every.T[labelled.flatten()].T.float()
        if values.numel() == 0:
            return values.sum()
        return self.on_row(values[None], target[labelled].float()[None, None])

    def on_row(self, logits: Tensor, target: Tensor) -> Tensor:
        """The loss of the labelled voxels, (1, C, N) and (1, 1, N)."""
        loss: Tensor = self.loss(logits, target)
        return loss
