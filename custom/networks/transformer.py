"""The transformer encoder of TransforCNN: Fourier position features and pre-norm encoder units.

MONAI's TransformerBlock is not used: it holds a cross-attention norm that never gets a gradient, and its fused attention
drops weights in eval mode too.
"""

import math

import torch
from monai.networks.blocks import MLPBlock
from torch import Tensor, nn
from torch.nn import functional as F

FEATURES = 64
HEADS = 4
MLP_FEATURES = 256
TAPS = 4
UNITS_PER_TAP = 2
PLAIN_TOKENS = 256  # of patches of 128: 17 MB of attention in each unit, for a batch of 8


def start_as_pixels(embed: nn.Conv2d) -> None:
    """Let each of the 64 features of a linear embedding start as one of the 8 x 8 blocks of its sub-patch, as 2 x - 1.

    For an 8-pixel sub-patch a block is a pixel: the features, unfolded by two three times, are the image in [-1, 1], and
    what the decoder gets of it is exact from the first step. Random weights mix the pixels, and the decoder has to learn
    to part them. Blocks go by halves: the lowest two bits of a feature's number say which quarter of the sub-patch it
    lies in, the next two which quarter of that. So unfolding once or twice puts every feature in its place too.

    Args:
        embed: kernel and stride of equal size, a multiple of 8; its channels are averaged.
    """
    side = math.isqrt(FEATURES)
    block = embed.kernel_size[0] // side
    # (fine y, fine x, middle y, middle x, coarse y, coarse x) of a feature's number -> rows and columns of blocks
    halves = torch.eye(FEATURES).reshape(FEATURES, *(2,) * 6)
    pixel = halves.permute(0, 5, 3, 1, 6, 4, 2).reshape(FEATURES, 1, side, side)
    mean = pixel.repeat_interleave(block, dim=2).repeat_interleave(block, dim=3) / block**2
    with torch.no_grad():
        embed.weight.copy_(2 * mean.expand_as(embed.weight) / embed.in_channels)
        if embed.bias is not None:
            embed.bias.fill_(-1.0)


class FourierPosition(nn.Module):
    """Fourier features [cos 2 pi B v, sin 2 pi B v] of the token positions v, B ~ N(0, sigma^2) fixed.

    Source: Tancik et al., "Fourier Features Let Networks Learn High Frequency Functions", NeurIPS 2020, eq. 5.
    Positions are the token centres in (0, 1). The frequencies B are a buffer of the state dict and do not depend on the grid.

    Args:
        grid: tokens per side.
        features: even number of features per token.
        sigma: standard deviation of the frequencies, cycles per image side. At 1, the correlation of two tokens,
            exp(-2 pi^2 sigma^2 d^2), falls to 1/e over d = 0.22 of the side, 3.6 tokens of a 16 x 16 grid.
        scale: factor on the features, whose standard deviation is 0.7 unscaled.
    """

    def __init__(self, grid: int, features: int, sigma: float = 1.0, scale: float = 1.0) -> None:
        super().__init__()
        if features % 2:
            raise ValueError(f"features must be even (a cosine and a sine per frequency), got {features}.")
        self.scale = scale
        self.frequencies: Tensor
        self.positions: Tensor
        self.register_buffer("frequencies", sigma * torch.randn(features // 2, 2))
        centres = (torch.arange(grid, dtype=torch.float32) + 0.5) / grid
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("positions", torch.stack((y.flatten(), x.flatten()), dim=1), persistent=False)

    def forward(self) -> Tensor:
        """(1, tokens, features) in [-scale, scale], tokens row by row."""
        # A sum of products, not a matmul: autocast would round the angles to bfloat16.
        angle = 2.0 * math.pi * (self.positions[:, None, :] * self.frequencies[None, :, :]).sum(dim=2)
        return self.scale * torch.cat((angle.cos(), angle.sin()), dim=1)[None]


class SelfAttention(nn.Module):
    """Multi-head self-attention: (B, tokens, features) -> the same shape.

    It goes through PyTorch's fused kernel, but for trainings on a CPU: that kernel's backward pass takes a third of a whole
    step there in bfloat16, and the plain products, whose weights then stay in memory, a tenth of that.
    """

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.plain_tokens = PLAIN_TOKENS
        self.qkv = nn.Linear(features, 3 * features)
        self.out = nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, features = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, features // self.heads).permute(2, 0, 3, 1, 4)
        low = qkv.device.type == "cpu" and qkv.dtype == torch.bfloat16
        if self.training and low and tokens <= self.plain_tokens:
            scaled = qkv[0] * (features // self.heads) ** -0.5
            attended = (scaled @ qkv[1].transpose(2, 3)).softmax(dim=3) @ qkv[2]
        else:
            attended = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        return self.out(attended.transpose(1, 2).reshape(batch, tokens, features))


class EncoderUnit(nn.Module):
    """Pre-norm transformer encoder unit: x + attention(norm(x)), then x + MLP(norm(x)); (B, tokens, features).

    Dropout acts on both branches' outputs and inside the MLP, not on the attention weights, where it would rule out the
    fused kernel on CPU.
    """

    def __init__(self, features: int, heads: int, mlp_features: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(features)
        self.attention = SelfAttention(features, heads)
        self.dropout = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(features)
        self.mlp = MLPBlock(features, mlp_features, dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.mlp(self.norm2(x))


class TransformerEncoder(nn.Module):
    """(B, C, Y, X) -> the last unit's map (B, 64, g, g) and all taps (B, 256, g, g), g = image side / sub-patch."""

    def __init__(self, in_channels: int, img_size: int, sub_patch: int, dropout: float, pe_scale: float) -> None:
        super().__init__()
        self.grid = img_size // sub_patch
        self.embed = nn.Conv2d(in_channels, FEATURES, kernel_size=sub_patch, stride=sub_patch)
        start_as_pixels(self.embed)
        self.position = FourierPosition(self.grid, FEATURES, scale=pe_scale)
        self.stages = nn.ModuleList(
            nn.Sequential(*(EncoderUnit(FEATURES, HEADS, MLP_FEATURES, dropout) for _ in range(UNITS_PER_TAP)))
            for _ in range(TAPS)
        )
        self.norm = nn.LayerNorm(FEATURES)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.embed(x).flatten(2).transpose(1, 2) + self.position()
        taps: list[Tensor] = []
        for stage in self.stages:
            tokens = stage(tokens)
            taps.append(tokens)
        taps[-1] = self.norm(tokens)
        maps = [tap.transpose(1, 2).unflatten(2, (self.grid, self.grid)) for tap in taps]
        return maps[-1], torch.cat(maps, dim=1)
