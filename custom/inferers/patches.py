"""One forward pass over ready-made patches, in the device's best precision."""

from __future__ import annotations

from typing import Any

import torch
from monai.inferers import Inferer

from custom.speed.precision import autocast, resolved


class PatchInferer(Inferer):
    """Calls the network on a batch of patches under autocast; logits come back as float32.

    MONAI's trainers hard-code CUDA for their own `amp` switch, so that bfloat16 on a CPU has to come from here.

    Args:
        precision: "auto" (bfloat16 where the device gains from it), "fp32" or "bf16".
    """

    def __init__(self, precision: str = "auto") -> None:
        super().__init__()
        self.precision = precision

    def rounds(self, device: str | torch.device) -> bool:
        """Whether it computes in bfloat16 on a device."""
        return resolved(device, self.precision) == "bf16"

    def __call__(self, inputs: torch.Tensor, network: torch.nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:  # type: ignore[override]
        inputs = torch.as_tensor(inputs).contiguous(memory_format=torch.channels_last)
        with autocast(inputs.device, self.precision):
            logits: torch.Tensor = network(inputs, *args, **kwargs)
        return logits.float()
