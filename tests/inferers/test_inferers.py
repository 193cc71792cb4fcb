"""The sliding window over slices against MONAI's own, and the plain pass over patches."""

from __future__ import annotations

import pytest
import torch
from monai.inferers import SlidingWindowInferer
from torch import nn

from custom.errors import BadInput
from custom.inferers import PatchInferer, SliceInferer


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1)]
    return nn.Sequential(*layers).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def slices(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def reference(volume: torch.Tensor, network: nn.Module, overlap: float = 0.25) -> torch.Tensor:
    """MONAI's 2-D sliding window on one slice of (B, 1, Z, Y, X) after the other."""
    window = SlidingWindowInferer(roi_size=(128, 128), sw_batch_size=1, overlap=overlap)
    planes = [window(volume[:, :, z], network) for z in range(volume.shape[2])]
    return torch.stack(planes, dim=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(128, 128), (60, 90), (127, 301), (257, 129), (200, 40)])
@torch.inference_mode()
def test_equals_monai_slice_by_slice(network: nn.Module, size: tuple[int, int]) -> None:
    volume = slices(1, 1, 5, *size)
    found = SliceInferer(precision="fp32")(volume, network)
    assert found.shape == volume.shape
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, reference(volume, network), rtol=0, atol=1e-6)


@pytest.mark.parametrize("slab_height", [1, 3, 7, 50])
@torch.inference_mode()
def test_slab_height_and_window_batch_do_not_matter(network: nn.Module, slab_height: int) -> None:
    volume = slices(1, 1, 7, 150, 170)
    found = SliceInferer(precision="fp32", sw_batch_size=slab_height)(volume, network)
    torch.testing.assert_close(found, reference(volume, network), rtol=0, atol=1e-6)


@torch.inference_mode()
def test_several_volumes_keep_their_order(network: nn.Module) -> None:
    volume = slices(3, 1, 2, 130, 140)
    found = SliceInferer(precision="fp32")(volume, network)
    torch.testing.assert_close(found, reference(volume, network), rtol=0, atol=1e-6)


@torch.inference_mode()
def test_slices_as_the_batch_axis(network: nn.Module) -> None:
    volume = slices(1, 1, 3, 140, 150)
    found = SliceInferer(precision="fp32", overlap=0.5)(volume[0].transpose(0, 1), network)
    assert found.shape == (3, 1, 140, 150)
    torch.testing.assert_close(found.transpose(0, 1)[None], reference(volume, network, 0.5), rtol=0, atol=1e-6)


@torch.inference_mode()
def test_windows_of_several_slices_share_one_call(network: nn.Module) -> None:
    seen: list[tuple[int, ...]] = []

    def counting(windows: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(windows.shape))
        return network(windows)

    SliceInferer(sw_batch_size=8, precision="fp32")(slices(1, 1, 8, 128, 128), counting)
    assert seen == [(8, 1, 128, 128)]


@pytest.mark.parametrize("inferer", [SliceInferer, PatchInferer])
@torch.inference_mode()
def test_bf16_runs_and_stays_close_to_fp32(
    network: nn.Module, inferer: type[SliceInferer] | type[PatchInferer]
) -> None:
    seen: list[torch.dtype] = []

    def watched(windows: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = network(windows)
        seen.append(logits.dtype)
        return logits

    patches = slices(2, 1, 128, 128)
    half, full = (inferer(precision=precision)(patches, watched) for precision in ("bf16", "fp32"))  # type: ignore[arg-type]
    assert seen == [torch.bfloat16, torch.float32]
    assert half.dtype == full.dtype == torch.float32
    assert not torch.equal(half, full)
    # bfloat16 keeps 8 bits: relative rounding of 2^-9 in each of two layers of values around 1
    torch.testing.assert_close(half, full, rtol=0, atol=0.02)


def test_patches_equal_the_plain_call_and_pass_gradients(network: nn.Module) -> None:
    patches = slices(2, 1, 128, 128)
    logits = PatchInferer(precision="fp32")(patches, network)
    torch.testing.assert_close(logits, network(patches), rtol=0, atol=1e-6)
    assert logits.requires_grad


@pytest.mark.parametrize("inferer", [SliceInferer, PatchInferer])
def test_unknown_precision(network: nn.Module, inferer: type[SliceInferer] | type[PatchInferer]) -> None:
    with pytest.raises(BadInput, match=r"--precision fp8.*auto, fp32, bf16"):
        inferer(precision="fp8")(slices(1, 1, 128, 128), network)
