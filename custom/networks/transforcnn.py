"""TransforCNN: a transformer encoder over sub-patches and a convolutional decoder."""

from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from custom.networks.blocks import UpTwo, check_input, check_probability, conv3x3
from custom.networks.transformer import FEATURES, TAPS, TransformerEncoder

BOTTLENECK_STRIDE = 16


class Reading(NamedTuple):
    """One reading of the study's text: how the image becomes tokens, and tokens the decoder's first map."""

    sub_patch: int  # pixels per side of a token
    unfold: int  # depth-to-space factor of the last unit's map
    stem: tuple[int, ...]  # channels of the decoder's 3x3 convolutions, max-pooled between, down to 1/16 of the image


READINGS = {
    "A": Reading(sub_patch=16, unfold=1, stem=(FEATURES, 512)),
    "B": Reading(sub_patch=8, unfold=1, stem=(FEATURES, 256, 512)),
    "C": Reading(sub_patch=16, unfold=8, stem=(FEATURES // 64, 64, 128, 256, 512)),
}


def resize_to(x: Tensor, like: Tensor) -> Tensor:
    """Bilinear to the (Y, X) of `like`; halving is then the mean of 2x2."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class DecoderLevel(nn.Module):
    """Up by two, join the taps and the skip of this resolution where there is one, two 3x3 convolutions.

    The taps come up in two ways, added: as context, projected and bilinear, and as detail, unfolded to the pixels of
    this level (depth to space, two by two, without a parameter). Context alone is smooth over the 8 pixels of a sub-patch: what lies
    where within it had to be drawn out of 64 features by convolutions that see it as a gradient, and the network learned
    edges slowly. The projection is made on the taps' own small grid: bilinear weights sum to one, so the 1x1 convolution
    commutes with them, and the whole network costs 4.74 instead of 8.00 GFLOP.
    """

    def __init__(self, in_channels: int, tap_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = UpTwo(in_channels, out_channels)
        self.context = nn.Conv2d(tap_channels, out_channels, kernel_size=1)
        self.convs = nn.Sequential(
            conv3x3(2 * out_channels + skip_channels, out_channels), conv3x3(out_channels, out_channels)
        )

    def forward(self, x: Tensor, taps: Tensor, detail: Tensor, skips: list[Tensor]) -> Tensor:
        x = self.up(x)
        context = resize_to(self.context(taps), x)
        plain = context.shape[1] - detail.shape[1]
        joined, rest = context.split([detail.shape[1], plain], dim=1)
        # in one type: the convolution would round a larger one anyway, and under autocast x is half as large as the taps
        parts = [part.to(x.dtype) for part in [joined + detail, rest] + skips]
        return self.convs(torch.cat([x] + parts, dim=1))


class TransforCNN(nn.Module):
    """Transformer-CNN segmentation network for square 2-D patches.

    Source: Quenum, Zenyuk, Ushizima, "Lithium Metal Battery Quality Control via Transformer-CNN Segmentation",
    J. Imaging 9(6):111, 2023. Sub-patches are embedded in 64 features plus Fourier position features and pass 8
    pre-norm encoder units; the maps after units 2, 4, 6 and 8 (256 channels) join every level of a decoder, up-sampled
    bilinearly and unfolded to pixels, that takes the last map, convolves and max-pools it to 1/16 of the image side and comes back up to the full side.

    The text leaves the sub-patch open; parameters for one channel in and out (the study's U-Net has 1,948,129):

    - A: 16-pixel sub-patches, an 8 x 8 map of 128 x 128 pixels, which needs no pooling; 4,278,817.
    - B: 8-pixel sub-patches, a 16 x 16 map, pooled once; 5,889,057 (3.02 x U-Net, as the text says).
    - C: 16-pixel sub-patches whose 64 features unfold to 8 x 8 pixels each, pooled three times; 6,307,809.

    Args:
        in_channels: channels of the image.
        out_channels: channels of the logits.
        img_size: side of the patches in pixels, a multiple of 16. Weights fit any img_size.
        reading: "A", "B" or "C".
        dropout: probability in the encoder units.
        pe_scale: factor on the position features. Unscaled (standard deviation 0.7) they drown the embedding.

    Raises:
        ValueError: for an unknown reading, an img_size that is no multiple of 16, or a dropout outside [0, 1).
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        img_size: int = 128,
        reading: Literal["A", "B", "C"] = "B",
        dropout: float = 0.1,
        pe_scale: float = 0.1,
    ) -> None:
        super().__init__()
        if reading not in READINGS:
            raise ValueError(f"reading must be one of {', '.join(READINGS)}, got {reading!r}.")
        if img_size < BOTTLENECK_STRIDE or img_size % BOTTLENECK_STRIDE:
            raise ValueError(f"img_size must be a positive multiple of {BOTTLENECK_STRIDE}, got {img_size}.")
        check_probability("dropout", dropout)
        sub_patch, unfold, stem = READINGS[reading]
        self.in_channels = in_channels
        self.img_size = img_size
        taps = FEATURES * TAPS
        bottom = stem[-1]
        self.encoder = TransformerEncoder(in_channels, img_size, sub_patch, dropout, pe_scale)
        self.coarse = sub_patch > 8  # the first level, at 1/8 of the side, is finer than the tokens
        self.unfold = nn.PixelShuffle(unfold)
        self.stem = nn.ModuleList(conv3x3(a, b) for a, b in pairwise(stem))
        self.join = nn.Sequential(nn.Conv2d(bottom + taps, bottom, 1, bias=False), nn.BatchNorm2d(bottom), nn.ReLU())
        sides = [bottom // 2**level for level in range(5)]
        skips = [*reversed(stem[1:-1]), 0, 0, 0, 0]
        self.levels = nn.ModuleList(
            DecoderLevel(above, taps, skip, here) for above, here, skip in zip(sides, sides[1:], skips, strict=False)
        )
        self.head = nn.Conv2d(sides[-1], out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, img_size, img_size) -> logits (B, out_channels, img_size, img_size).

        Raises:
            ValueError: for another shape, in eager mode.
        """
        if not torch.jit.is_scripting():
            check_input("TransforCNN", x, self.in_channels, BOTTLENECK_STRIDE, self.img_size)
        last, taps = self.encoder(x)
        x = self.unfold(last)
        skips: list[Tensor] = []
        for i, conv in enumerate(self.stem):
            if i > 0:
                skips.insert(0, x)
                x = F.max_pool2d(x, 2)
            x = conv(x)
        x = self.join(torch.cat([x, resize_to(taps, x)], dim=1))
        detail = F.pixel_shuffle(taps, 2) if self.coarse else taps
        for i, level in enumerate(self.levels):
            if i > 0:
                detail = F.pixel_shuffle(detail, 2)
            x = level(x, taps, detail, skips[i : i + 1])
        return self.head(x)
