"""The sliding window over the slices of a slab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import SlidingWindowInferer
from monai.utils import convert_to_dst_type, fall_back_tuple

from custom.base.errors import NotFinite
from custom.inferers.blend import Blend
from custom.inferers.grid import window_grid
from custom.speed.precision import autocast


class SliceInferer(SlidingWindowInferer):
    """MONAI's 2-D `SlidingWindowInferer` over every slice of a volume, windows batched across the slices.

    The windows lie and weigh as MONAI's do, but are copied into one buffer that is kept, and their logits are added in
    place; one multiplication by a kept map makes them means. A window of zeros alone, the grey window's lower end, goes
    through the network once per call: the further ones take its logits. Slices smaller than the window are surrounded
    by 0.

    The windows of a volume go through the network in full batches only, because a library may choose other kernels,
    which round otherwise, for another batch size. So the result is the same to the last bit however a stack is cut into
    slabs. Gradients do not pass.

    Args:
        roi_size: the window (Y, X), or the side of a square one; a TransforCNN takes just its `img_size`.
        sw_batch_size: windows per call of the network; 8 is about what a CPU core's cache holds.
        overlap: share of the window, in [0, 1), by which neighbours overlap.
        mode: "gaussian" favours the windows' centres, which softens seams; "constant" weighs them alike.
        precision: "auto" (bfloat16 where the device gains from it), "fp32" or "bf16".
    """

    def __init__(
        self,
        roi_size: int | tuple[int, int] = (128, 128),
        sw_batch_size: int = 8,
        overlap: float = 0.25,
        mode: str = "gaussian",
        precision: str = "auto",
    ) -> None:
        window = (roi_size, roi_size) if isinstance(roi_size, int) else roi_size
        super().__init__(roi_size=window, sw_batch_size=sw_batch_size, overlap=overlap, mode=mode)
        self.precision = precision
        self._kept = torch.empty(0)

    @torch.no_grad()
    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Logits (B, K, Y, X) of slices (B, C, Y, X), or (B, K, Z, Y, X) of volumes (B, C, Z, Y, X); float32.

        Args:
            inputs: grey values in [0, 1].
            network: takes windows (n, C, h, w), then args and kwargs; returns logits (n, K, h, w).

        Raises:
            NotFinite: a logit is NaN or infinite.
        """
        plain = torch.as_tensor(inputs).as_subclass(torch.Tensor)
        is_volume = plain.ndim == 5
        volumes = plain if is_volume else plain.unsqueeze(2)
        size = (int(plain.shape[-2]), int(plain.shape[-1]))
        window = fall_back_tuple(self.roi_size, size)
        grid = window_grid(size, window, self.overlap, str(self.mode), self.sigma_scale, plain.device)
        blend = Blend(
            grid,
            self._buffer((self.sw_batch_size, plain.shape[1], *window), plain),
            lambda windows: network(windows, *args, **kwargs),
            fill=is_volume,
            reuse=not getattr(network, "training", False),
        )
        # around all calls: within it the weights are cast once
        with autocast(plain.device, self.precision):
            logits = blend(volumes)
        logits = logits if is_volume else logits.squeeze(2)
        # one pass over the sum, which is not finite where a logit is not: sigmoid and threshold would call NaN background
        if not bool(torch.isfinite(logits.sum())):
            raise NotFinite(
                "--weights: the network computes NaN or infinite numbers with them, so that nothing can be found; give the "
                "model.pt of another training, or --precision fp32"
            )
        converted: torch.Tensor = convert_to_dst_type(logits, inputs, dtype=torch.float32)[0]
        return converted

    def _buffer(self, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
        kept = self._kept
        if kept.shape != shape or kept.dtype != like.dtype or kept.device != like.device:
            # an ordinary tensor: one made in inference mode could not be written to outside of it
            with torch.inference_mode(False):
                kept = torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
            self._kept = kept
        return kept
