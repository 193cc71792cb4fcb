"""Probabilities and masks against MONAI's own transforms, for one class and for several."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Activations, AsDiscrete

from custom.transforms import ToMaskd, ToProbabilityd


def logits(channels: int, *size: int) -> torch.Tensor:
    return 4 * torch.randn(channels, *size, generator=torch.Generator().manual_seed(channels))


@pytest.mark.parametrize("size", [(5, 6), (4, 5, 6)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("make", [torch.as_tensor, MetaTensor])
@pytest.mark.parametrize("kept", [None, "probability"])
def test_as_monai_has_them(size: tuple[int, ...], channels: int, make: type, kept: str | None) -> None:
    given = make(logits(channels, *size))
    several = channels > 1
    probable = Activations(softmax=several, sigmoid=not several)(given.clone())
    item = ToProbabilityd("pred")({"pred": given})
    torch.testing.assert_close(torch.as_tensor(item["pred"]), torch.as_tensor(probable))
    assert item["pred"].data_ptr() == given.data_ptr(), "a copy"
    masked = ToMaskd("pred", threshold=0.4, kept=kept)(item)
    expected = AsDiscrete(argmax=several, threshold=None if several else 0.4)(probable)
    assert masked["pred"].shape == (1, *size) and isinstance(
        masked["pred"], make if make is MetaTensor else torch.Tensor
    )
    assert torch.equal(torch.as_tensor(masked["pred"]).float(), torch.as_tensor(expected))
    assert (masked["pred"].dtype == torch.uint8) == (several or kept is not None)
    if kept:
        assert torch.allclose(torch.as_tensor(masked[kept]), torch.as_tensor(probable[1:] if several else probable))
        assert masked[kept].untyped_storage().data_ptr() == given.untyped_storage().data_ptr(), "a copy"


def test_what_is_no_more_likely_than_background_is_background() -> None:
    even = torch.tensor([0.4, 0.4, 0.2]).reshape(3, 1, 1)
    assert ToMaskd("pred")({"pred": even})["pred"].item() == 0
    assert ToMaskd("pred")({"pred": even.flip(0)})["pred"].item() == 1
