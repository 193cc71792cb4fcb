"""The sliding window over slices against MONAI's own, and the plain pass over patches."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SlidingWindowInferer
from monai.networks.nets import BasicUNet
from torch import nn

from custom.base.errors import BadInput, NotFinite
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
    window = SlidingWindowInferer(roi_size=(128, 128), sw_batch_size=1, overlap=overlap, mode="gaussian")
    planes = [window(volume[:, :, z], network) for z in range(volume.shape[2])]
    return torch.stack(planes, dim=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1, 140, 150), (1, 1, 2, 140, 150)])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nan_is_not_taken_for_background(shape: tuple[int, ...], value: float) -> None:
    """Finite weights may overflow: infinity less infinity is NaN, which no threshold finds."""
    overflows = nn.Sequential(nn.Conv2d(1, 1, 1), nn.InstanceNorm2d(1)).eval()
    nn.init.constant_(overflows[0].bias, value)
    with pytest.raises(NotFinite, match="computes NaN or infinite numbers"):
        SliceInferer()(slices(*shape), overflows)


def test_infinite_logits_are_no_probability_of_1() -> None:
    overflows = nn.Conv2d(1, 1, 1).eval()
    nn.init.constant_(overflows.weight, 1e38)
    nn.init.constant_(overflows.bias, 3e38)
    with pytest.raises(NotFinite, match="computes NaN or infinite numbers"):
        SliceInferer()(slices(1, 1, 128, 128), overflows)


@pytest.mark.parametrize("size", [(128, 128), (60, 90), (127, 301), (257, 129), (200, 40)])
@torch.inference_mode()
def test_equals_monai_slice_by_slice(network: nn.Module, size: tuple[int, int]) -> None:
    volume = slices(1, 1, 5, *size)
    found = SliceInferer(precision="fp32")(volume, network)
    assert found.shape == volume.shape
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, reference(volume, network), rtol=0, atol=1e-6)


@pytest.mark.parametrize("windows", [1, 3, 50])
@torch.inference_mode()
def test_the_number_of_windows_per_call_does_not_matter(network: nn.Module, windows: int) -> None:
    volume = slices(1, 1, 7, 150, 170)
    found = SliceInferer(precision="fp32", sw_batch_size=windows)(volume, network)
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


@pytest.mark.parametrize("mode", ["constant", "gaussian"])
@pytest.mark.parametrize("size", [(150, 170), (60, 140), (128, 128)])
@torch.inference_mode()
def test_weights_equal_monais(network: nn.Module, size: tuple[int, int], mode: str) -> None:
    volume = slices(1, 1, 2, *size)
    window = SlidingWindowInferer(roi_size=(128, 128), overlap=0.6, mode=mode)
    expected = torch.stack([window(volume[:, :, z], network) for z in range(2)], dim=2)  # type: ignore[arg-type]
    found = SliceInferer(precision="fp32", overlap=0.6, mode=mode)(volume, network)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@torch.inference_mode()
def test_several_channels_out_and_in() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(2, 3, 5, padding=2)
    volume = slices(1, 2, 3, 140, 130)
    found = SliceInferer(precision="fp32")(volume, network)
    assert found.shape == (1, 3, 3, 140, 130)
    torch.testing.assert_close(found, reference(volume, network), rtol=0, atol=1e-6)


def test_the_result_is_the_same_to_the_last_bit_however_the_volume_is_cut() -> None:
    torch.manual_seed(0)
    convolutional = BasicUNet(2, 1, 1, (16, 32, 64, 64, 64, 16)).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # a single window a slice: on its own it would go through other kernels than in a batch of 8
    volume = slices(1, 1, 9, 128, 128)
    volume[:, :, 2:4] = 0
    whole = SliceInferer(precision="fp32")(volume, convolutional)
    for height in (1, 4):
        inferer = SliceInferer(precision="fp32")
        parts = [inferer(part, convolutional) for part in volume.split(height, dim=2)]
        assert torch.equal(torch.cat(parts, dim=2), whole)


@torch.inference_mode()
def test_empty_windows_go_through_the_network_once(network: nn.Module) -> None:
    seen: list[int] = []

    def counting(windows: torch.Tensor) -> torch.Tensor:
        seen.extend(int(window.any()) for window in windows)
        return network(windows)

    volume = torch.zeros(1, 1, 9, 150, 170)
    volume[:, :, 4, 140, 160] = 1  # under one of the slice's four windows
    found = SliceInferer(precision="fp32", sw_batch_size=1)(volume, counting)
    assert sorted(seen) == [0, 1]
    torch.testing.assert_close(found, reference(volume, network), rtol=0, atol=1e-6)


@torch.inference_mode()
def test_dropout_that_is_switched_on_sees_every_window() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout(0.5)).train()
    found = SliceInferer(precision="fp32", overlap=0)(torch.zeros(1, 1, 2, 128, 128), network)
    assert not torch.equal(found[:, :, 0], found[:, :, 1])


@torch.inference_mode()
def test_the_buffer_is_kept_and_cleared(network: nn.Module) -> None:
    inferer = SliceInferer(precision="fp32")
    inferer(slices(1, 1, 8, 128, 128), network)
    kept = inferer._kept
    small = slices(1, 1, 8, 60, 90)
    torch.testing.assert_close(inferer(small, network), reference(small, network), rtol=0, atol=1e-6)
    assert inferer._kept is kept
    with torch.inference_mode(False):
        inferer(small, network)


def test_metadata_of_the_input_is_kept(network: nn.Module) -> None:
    affine = torch.diag(torch.tensor([1.0, 2, 3, 1], dtype=torch.float64))
    found = SliceInferer(precision="fp32")(MetaTensor(slices(1, 1, 2, 128, 128), affine=affine), network)
    assert isinstance(found, MetaTensor) and torch.equal(found.affine, affine)


def test_a_network_that_changes_the_size_is_refused() -> None:
    with pytest.raises(ValueError, match="logits have its input's size"):
        SliceInferer(precision="fp32")(slices(1, 1, 128, 128), nn.MaxPool2d(128))


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
