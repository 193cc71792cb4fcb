"""The pieces that Y-Net and TransforCNN share."""

import torch
from monai.networks.blocks import Convolution
from torch import Tensor, nn


def conv3x3(
    in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1, dropout: float | None = None
) -> Convolution:
    """3x3 convolution without bias (the norm has one), batch norm, dropout where asked for, ReLU; keeps (Y, X) at stride 1."""
    return Convolution(
        2,
        in_channels,
        out_channels,
        strides=stride,
        dilation=dilation,
        act=("relu", {"inplace": True}),
        norm="batch",
        dropout=dropout,
        bias=False,
    )


def check_input(network: str, x: Tensor, in_channels: int, multiple: int, img_size: int | None = None) -> None:
    """Refuse a tensor that the network cannot take, unless it is being traced, where shapes are not numbers.

    Args:
        network: name for the message.
        x: the input, to be (B, in_channels, Y, X).
        in_channels: channels that the network was built for.
        multiple: Y and X must be multiples of it.
        img_size: if given, Y and X must both equal it.

    Raises:
        ValueError: naming the expected shape, the one that came and the cure.
    """
    if torch.jit.is_tracing():
        return
    sizes = x.shape[2:]
    if img_size is None:
        side = f"a multiple of {multiple}"
        fits = all(n > 0 and n % multiple == 0 for n in sizes)
        cure = f"pad the slice with DivisiblePad(k={multiple}) or cut it with a SlidingWindowInferer"
    else:
        side = f"{img_size}"
        fits = all(n == img_size for n in sizes)
        cure = (
            f"cut the slice with SlidingWindowInferer(roi_size=({img_size}, {img_size})) or build with another img_size"
        )
    if x.ndim != 4 or x.shape[1] != in_channels:
        fits = False
        cure = "pass 2-D slices as a batch and build the network with the image's number of channels as in_channels"
    if not fits:
        expected = f"{network} takes (B, {in_channels}, Y, X) with Y and X each {side}"
        raise ValueError(f"{expected}, got shape {tuple(x.shape)}: {cure}.")


def check_probability(name: str, value: float) -> None:
    """Raise ValueError unless 0 <= value < 1."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must be in [0, 1), got {value}.")


class UpTwo(nn.ConvTranspose2d):
    """Transposed 2x2 convolution with stride 2: (B, in, Y, X) -> (B, out, 2Y, 2X)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=2, stride=2)
