"""Y-Net: a regular and a dilated convolution branch, pyramid pooling, one decoder."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from custom.networks.blocks import UpTwo, check_input, check_probability, conv3x3

LEVELS = 5
STRIDE = 2 ** (LEVELS - 1)
DILATED = 16


class PyramidPooling(nn.Module):
    """(B, C, Y, X) -> (B, len(bins) * features, Y, X): averages over n x n bins, 1x1 convolution, ReLU, bilinear back.

    There is no norm: over a single bin it would have nothing to average.
    """

    def __init__(self, in_channels: int, features: int, bins: Sequence[int]) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(n), nn.Conv2d(in_channels, features, 1), nn.ReLU()) for n in bins
        )

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[2:]
        pooled: list[Tensor] = []
        for scale in self.scales:
            pooled.append(F.interpolate(scale(x), size=size, mode="bilinear", align_corners=False))
        return torch.cat(pooled, dim=1)


class YNet(nn.Module):
    """Y-Net: two encoders, one with max pooling and one dilated with strides, meet at 1/16 of the image side.

    Source: the module names and sizes of Quenum, Zenyuk, Ushizima, J. Imaging 9(6):111, 2023. The regular module has
    one 3x3 convolution per level, 24 channels doubling, max pooling between; the dilated module has 16 channels
    throughout; the pyramid pooling of its last map is concatenated with that map and fused into the regular module's.
    Every decoder level takes the skip of both. 2,260,329 parameters for one channel in and out.

    Args:
        in_channels: channels of the image.
        out_channels: channels of the logits.
        features: channels of the regular module's first level.
        dilations: dilation of the dilated module, one per level from full resolution down.
        bins: bins per side of the pyramid pooling.
        merge: "add" the fused dilated maps to the regular map, or "concat" before fusing (2,407,785 parameters).
        dcm_skips: give the decoder the dilated module's maps too.
        dropout: probability after each 3x3 convolution.

    Raises:
        ValueError: for an unknown merge, a number of dilations other than 5, or a dropout outside [0, 1).
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        features: int = 24,
        dilations: Sequence[int] = (2, 2, 2, 2, 2),
        bins: Sequence[int] = (1, 2, 4, 8),
        merge: Literal["add", "concat"] = "add",
        dcm_skips: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if merge not in ("add", "concat"):
            raise ValueError(f"merge must be 'add' or 'concat', got {merge!r}.")
        if len(dilations) != LEVELS:
            raise ValueError(f"dilations must name {LEVELS} levels, got {len(dilations)}.")
        check_probability("dropout", dropout)
        self.in_channels = in_channels
        self.merge = merge
        self.dcm_skips = dcm_skips
        p = dropout or None
        sides = [features * 2**level for level in range(LEVELS)]
        self.regular = nn.ModuleList(
            conv3x3(a, b, dropout=p) for a, b in zip([in_channels, *sides], sides, strict=False)
        )
        self.dilated = nn.ModuleList([conv3x3(in_channels, DILATED, dilation=dilations[0], dropout=p)])
        for dilation in dilations[1:]:
            down, wide = conv3x3(DILATED, DILATED, 2, dropout=p), conv3x3(DILATED, DILATED, 1, dilation, p)
            self.dilated.append(nn.Sequential(down, wide))
        self.pyramid = PyramidPooling(DILATED, DILATED, bins)
        fused = DILATED * (1 + len(bins)) + (sides[-1] if merge == "concat" else 0)
        self.fuse = nn.Sequential(nn.Conv2d(fused, sides[-1], 1, bias=False), nn.BatchNorm2d(sides[-1]), nn.ReLU())
        extra = DILATED if dcm_skips else 0
        self.ups = nn.ModuleList(UpTwo(a, b) for a, b in pairwise(reversed(sides)))
        self.convs = nn.ModuleList(conv3x3(2 * a + extra, a, dropout=p) for a in reversed(sides[:-1]))
        self.head = nn.Conv2d(features, out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, Y, X), Y and X multiples of 16 -> logits (B, out_channels, Y, X).

        Raises:
            ValueError: for another shape, in eager mode.
        """
        if not torch.jit.is_scripting():
            check_input("YNet", x, self.in_channels, STRIDE)
        wide = x
        regular_maps: list[Tensor] = []
        dilated_maps: list[Tensor] = []
        for level, (regular, dilated) in enumerate(zip(self.regular, self.dilated)):
            x = regular(F.max_pool2d(x, 2) if level > 0 else x)
            wide = dilated(wide)
            regular_maps.append(x)
            dilated_maps.append(wide)
        x = self._merge(regular_maps.pop(), dilated_maps.pop())
        for up, conv in zip(self.ups, self.convs):
            joined = [up(x), regular_maps.pop()]
            if self.dcm_skips:
                joined.append(dilated_maps.pop())
            x = conv(torch.cat(joined, dim=1))
        return self.head(x)

    def _merge(self, regular: Tensor, dilated: Tensor) -> Tensor:
        """Join the two branches' last maps, (B, 16 f, Y/16, X/16) and (B, 16, Y/16, X/16), to the first's shape."""
        joined = torch.cat([dilated, self.pyramid(dilated)], dim=1)
        if self.merge == "concat":
            return self.fuse(torch.cat([regular, joined], dim=1))
        return regular + self.fuse(joined)
