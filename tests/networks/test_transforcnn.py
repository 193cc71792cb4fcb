from typing import Any, Literal

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn
from torch.nn import functional as F

from custom.networks import TransforCNN
from custom.networks.transforcnn import DecoderLevel
from custom.networks.transformer import EncoderUnit, FourierPosition, SelfAttention


@pytest.mark.parametrize(("reading", "count"), [("A", 4_278_817), ("B", 5_889_057), ("C", 6_307_809)])
def test_parameters(reading: Literal["A", "B", "C"], count: int) -> None:
    assert sum(p.numel() for p in TransforCNN(reading=reading).parameters()) == count


@pytest.mark.parametrize(
    ("reading", "maps"),
    [
        ("A", [(64, 8), (512, 8)]),
        ("B", [(64, 16), (256, 16), (512, 8)]),
        ("C", [(64, 8), (64, 64), (128, 32), (256, 16), (512, 8)]),
    ],
)
def test_maps_shrink_to_8x8(reading: Literal["A", "B", "C"], maps: list[tuple[int, int]]) -> None:
    net = TransforCNN(reading=reading).eval()
    seen = []
    net.encoder.register_forward_hook(lambda _m, _i, out: seen.append(out[0].shape[1:]))
    for conv in net.stem:
        conv.register_forward_hook(lambda _m, _i, out: seen.append(out.shape[1:]))
    with torch.no_grad():
        net(torch.rand(1, 1, 128, 128))
    assert seen == [(channels, side, side) for channels, side in maps]


def test_the_embedding_starts_as_the_image() -> None:
    image = torch.rand(2, 1, 64, 64)
    embed = TransforCNN(img_size=64).encoder.embed
    unfold = nn.Sequential(nn.PixelShuffle(2), nn.PixelShuffle(2), nn.PixelShuffle(2))
    torch.testing.assert_close(unfold(embed(image)).detach(), 2 * image - 1)
    # unfolded once, each pixel holds the 16 values of its 4 x 4 block
    once = F.pixel_shuffle(embed(image), 2).detach()
    torch.testing.assert_close(once.sort(dim=1).values, (2 * F.pixel_unshuffle(image, 4) - 1).sort(dim=1).values)
    coarse = TransforCNN(img_size=64, reading="A").encoder.embed(image).detach()
    torch.testing.assert_close(unfold(coarse), 2 * F.avg_pool2d(image, 2) - 1)
    two = TransforCNN(in_channels=2, img_size=64).encoder.embed(torch.cat([image, image], dim=1)).detach()
    torch.testing.assert_close(unfold(two), 2 * image - 1)


def test_encoder_unit_is_pytorchs_pre_norm_layer() -> None:
    unit = EncoderUnit(64, 4, 256, dropout=0.1).eval()
    layer = nn.TransformerEncoderLayer(64, 4, 256, activation="gelu", batch_first=True, norm_first=True).eval()
    names = {
        "norm1": "norm1",
        "norm2": "norm2",
        "attention.out": "self_attn.out_proj",
        "mlp.linear1": "linear1",
        "mlp.linear2": "linear2",
    }
    for ours, theirs in names.items():
        layer.get_submodule(theirs).load_state_dict(unit.get_submodule(ours).state_dict())
    layer.self_attn.in_proj_weight.data = unit.attention.qkv.weight.data
    layer.self_attn.in_proj_bias.data = unit.attention.qkv.bias.data
    x = torch.randn(2, 20, 64)
    torch.testing.assert_close(unit(x), layer(x), rtol=1e-4, atol=1e-5)


def test_dropout_acts_in_training_only() -> None:
    unit = EncoderUnit(64, 4, 256, dropout=0.5)
    x = torch.randn(1, 9, 64)
    assert not torch.equal(unit(x), unit(x))
    unit.eval()
    assert torch.equal(unit(x), unit(x))


def test_position_features_are_tanciks() -> None:
    position = FourierPosition(grid=6, features=64, sigma=2.0, scale=0.5)
    frequencies = position.frequencies.numpy()
    expected = np.empty((6, 6, 64))
    for i, j in np.ndindex(6, 6):
        angle = 2 * np.pi * (frequencies @ [(i + 0.5) / 6, (j + 0.5) / 6])
        expected[i, j] = 0.5 * np.concatenate([np.cos(angle), np.sin(angle)])
    np.testing.assert_allclose(position()[0].numpy(), expected.reshape(36, 64), atol=1e-5)


def test_frequencies_are_drawn_once_and_kept() -> None:
    torch.manual_seed(0)
    frequencies = FourierPosition(8, 4096, sigma=3.0).frequencies
    torch.manual_seed(0)
    assert torch.equal(FourierPosition(16, 4096, sigma=3.0).frequencies, frequencies)
    assert frequencies.std().item() == pytest.approx(3.0, rel=0.05)
    state = TransforCNN().state_dict()
    assert state["encoder.position.frequencies"].shape == (32, 2)
    assert "encoder.position.frequencies" not in dict(TransforCNN().named_parameters())


def test_position_features_are_exact_under_autocast() -> None:
    position = FourierPosition(16, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = position()
    assert torch.equal(under, position())


def test_tokens_lie_where_their_pixels_are() -> None:
    encoder = TransforCNN(img_size=64).encoder.eval()
    for name, parameter in encoder.named_parameters():
        if "attention.out" in name or "mlp.linear2" in name:
            nn.init.zeros_(parameter)  # both branches silent: every unit passes its tokens on
    x = torch.rand(2, 1, 64, 64)
    last, taps = encoder(x)
    tokens = encoder.embed(x) + encoder.position()[0].T.reshape(1, 64, 8, 8)
    torch.testing.assert_close(taps[:, :64], tokens)
    torch.testing.assert_close(last, encoder.norm(tokens.movedim(1, 3)).movedim(3, 1), rtol=1e-4, atol=1e-5)


def test_weights_fit_any_img_size() -> None:
    weights = TransforCNN(img_size=32).state_dict()
    large = TransforCNN(img_size=96)
    large.load_state_dict(weights, strict=True)
    assert large.eval()(torch.rand(1, 1, 96, 96)).shape == (1, 1, 96, 96)


@pytest.mark.filterwarnings("error::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_traces_for_any_batch() -> None:
    net = TransforCNN(img_size=32).eval()
    traced = torch.jit.trace(net, torch.rand(1, 1, 32, 32), check_trace=False)
    x = torch.rand(3, 1, 32, 32)
    torch.testing.assert_close(traced(x), net(x), rtol=1e-4, atol=1e-5)


def test_channels() -> None:
    assert TransforCNN(2, 3, img_size=32, reading="C").eval()(torch.rand(1, 2, 32, 32)).shape == (1, 3, 32, 32)


def test_built_by_monai_config() -> None:
    config = {"network_def": {"_target_": "custom.networks.TransforCNN", "img_size": 32, "reading": "A"}}
    assert isinstance(ConfigParser(config).get_parsed_content("network_def"), TransforCNN)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reading": "D"}, "one of A, B, C"),
        ({"img_size": 100}, "multiple of 16"),
        ({"img_size": 0}, "multiple of 16"),
        ({"dropout": -0.1}, "dropout must be"),
    ],
)
def test_refuses_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransforCNN(**options)


@pytest.mark.parametrize("factor", [1, 2, 8])
def test_a_level_joins_the_taps_as_context_and_as_detail(factor: int) -> None:
    level = DecoderLevel(in_channels=8, tap_channels=256, skip_channels=0, out_channels=256)
    level.convs = nn.Sequential()  # what they are given is looked at
    below, taps = torch.randn(2, 8, 2 * factor, 2 * factor), torch.randn(2, 256, 4, 4)
    detail = F.pixel_shuffle(taps, factor)
    out = level(below, taps, detail, []).detach()
    context = F.interpolate(level.context(taps), scale_factor=factor, mode="bilinear").detach()
    expected = context.clone()
    expected[:, : detail.shape[1]] += detail
    torch.testing.assert_close(out[:, :256], level.up(below).detach())
    torch.testing.assert_close(out[:, 256:], expected, rtol=1e-4, atol=1e-5)


def test_attention_by_plain_products_is_the_fused_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """In training in bfloat16 on a CPU: the same output and gradients, but for its rounding; beyond some tokens the kernel's."""
    torch.manual_seed(0)
    attention, tokens = SelfAttention(64, 4).train(), torch.randn(2, 100, 64)
    called: list[int] = []
    fused = F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *given: called.append(0) or fused(*given))

    def found(most: int, precision: torch.dtype | None) -> tuple[torch.Tensor, torch.Tensor]:
        attention.plain_tokens = most
        attention.zero_grad()
        with torch.autocast("cpu", precision, enabled=precision is not None):
            made = attention(tokens).float()
        made.square().mean().backward()
        gradient = attention.qkv.weight.grad
        assert gradient is not None
        return made.detach(), gradient.clone()

    exact = found(100, None)
    assert len(called) == 1
    plain = found(100, torch.bfloat16)
    assert len(called) == 1
    kernels = found(99, torch.bfloat16)
    assert len(called) == 2
    for one, other, right in zip(plain, kernels, exact, strict=True):
        spread = right.std()
        assert (one - right).std() < 0.02 * spread and (one - right).std() < 1.5 * (other - right).std() + 1e-3 * spread
