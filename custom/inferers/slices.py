"""The sliding window over the slices of a slab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SlidingWindowInferer

from custom.precision import autocast


class SliceInferer(SlidingWindowInferer):
    """MONAI's 2-D `SlidingWindowInferer` over every slice of a volume, windows batched across the slices.

    The slices become the batch axis, so that one call of the network serves windows of several slices. Slices are
    independent: the result does not depend on the slab height. Slices smaller than the window are padded with 0, the
    grey window's lower end.

    Args:
        roi_size: the window (Y, X); a TransforCNN takes just its `img_size`.
        sw_batch_size: windows per call of the network; 8 is about what a CPU core's cache holds.
        overlap: share of the window, in [0, 1), by which neighbours overlap.
        mode: "constant" weighs the windows alike, "gaussian" favours their centres.
        precision: "auto" (bfloat16 where the device gains from it), "fp32" or "bf16".
        slab_height: slices that are blended at once, which bounds the memory of a volume given whole.
    """

    def __init__(
        self,
        roi_size: tuple[int, int] = (128, 128),
        sw_batch_size: int = 8,
        overlap: float = 0.25,
        mode: str = "constant",
        precision: str = "auto",
        slab_height: int = 8,
    ) -> None:
        super().__init__(roi_size=roi_size, sw_batch_size=sw_batch_size, overlap=overlap, mode=mode)
        self.precision = precision
        self.slab_height = slab_height

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Logits of the input's size: (B, 1, Y, X) or (B, 1, Z, Y, X), float32."""
        inputs = torch.as_tensor(inputs)
        if inputs.ndim == 4:
            return self._blend(inputs, network, *args, **kwargs)
        batch, channels, depth, height, width = inputs.shape
        slices = inputs.transpose(1, 2).reshape(batch * depth, channels, height, width)
        logits = torch.cat([self._blend(part, network, *args, **kwargs) for part in slices.split(self.slab_height)])
        return logits.reshape(batch, depth, -1, height, width).transpose(1, 2)

    def _blend(self, slices: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        def in_precision(windows: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            with autocast(windows.device, self.precision):
                logits: torch.Tensor = network(windows.contiguous(memory_format=torch.channels_last), *args, **kwargs)
            return logits.float()

        blended: torch.Tensor = super().__call__(slices, in_precision, *args, **kwargs)  # type: ignore[assignment]
        return blended
