"""Convolutions whose weights are kept in the layout that the CPU's kernels want, ReLU included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from custom.speed.lowering import lower_convolutions
from custom.speed.padding import leave_out_padding
from custom.speed.precision import autocast, resolved
from custom.speed.watching import Convolution, replace_modules, same_output, watch

# packed kernels may add up in another order: logits of the shipped networks move by less than 1e-5 of their spread in
# float32; bfloat16 has 8 bits
TOLERANCES = {"fp32": 1e-3, "bf16": 3e-2}


class PackedConvolution(nn.Module):
    """A 2-D convolution, transposed or not, with oneDNN's own weight layout, and ReLU where one follows.

    An ordinary convolution brings its weights into that layout in every call, and its ReLU reads and writes the whole
    output once more. These are the operators that `torch.compile` puts into a frozen network, without compiling, which
    takes half a minute and a C++ compiler. PyTorch does not document them: should they change, a network that is not packed
    costs time alone.

    Args:
        convolution: on the CPU, padded with zeros.
        shape: of its inputs (B, C, Y, X), for which the layout is chosen; others work too.
        relu: whether ReLU is applied to the output.
    """

    def __init__(self, convolution: Convolution, shape: Sequence[int], relu: bool) -> None:
        super().__init__()
        kernels, given = torch.ops.mkldnn, convolution
        self.geometry: list[Any] = [list(given.padding), list(given.stride), list(given.dilation), given.groups]
        if isinstance(given, nn.ConvTranspose2d):
            self.geometry.insert(1, list(given.output_padding))
            pack, self.run = kernels._reorder_convolution_transpose_weight, kernels._convolution_transpose_pointwise
        else:
            pack, self.run = kernels._reorder_convolution_weight, kernels._convolution_pointwise
        self.weight = pack(given.weight.detach(), *self.geometry, list(shape))
        self.bias = None if given.bias is None else given.bias.detach()
        self.after = "relu" if relu else "none"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, Y, X) -> what the convolution, and ReLU where it is taken over, make of it, in the weights' type."""
        x = x.to(self.weight.dtype)
        made: torch.Tensor = self.run(x, self.weight, self.bias, *self.geometry, self.after, [], "")
        return made


@torch.no_grad()
def pack_convolutions(network: nn.Module, shape: Sequence[int], precision: str, wanted: bool = True) -> nn.Module:
    """Make a network faster on a CPU, in place, and return it; on other devices it is left as it is.

    In bfloat16 its convolutional parts run so throughout (`lower_convolutions`). Then each convolution that runs gets
    packed weights and takes over the ReLU that follows it, as one random batch shows; if the output is no longer the
    same, because something else takes a convolution's output too, they are put back. oneDNN packs bfloat16 on CPUs with
    AVX-512 alone; on others that has no packed weights.

    Args:
        network: in evaluation mode, with its weights and its batch norms folded; for inference alone afterwards.
        shape: of the batches (B, C, Y, X) that it is going to take.
        precision: "auto", "fp32" or "bf16", as the inferer's.
        wanted: False leaves the network as it is, for a compiler that does the same.
    """
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    if not wanted or device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return network
    chosen = resolved(device, precision)
    if chosen == "bf16":
        lower_convolutions(network)
    leave_out_padding(network, shape[2:])
    if chosen == "bf16" and not _bf16_packs():
        return network
    windows = torch.rand(tuple(shape), generator=torch.Generator().manual_seed(0))
    windows = windows.contiguous(memory_format=torch.channels_last)
    with autocast(device, chosen):
        seen = watch(network, windows, nn.ReLU)
        followed = {convolution: relu for convolution, relu in seen.pairs if _packs(convolution)}
        changed: dict[nn.Module, nn.Module] = {relu: nn.Identity() for relu in followed.values()}
        for convolution, taken in seen.shapes.items():
            if _packs(convolution):
                changed[convolution] = PackedConvolution(convolution, taken, convolution in followed)
        replace_modules(network, changed)
        after = network(windows).float()
    if not same_output(after, seen.output.float(), TOLERANCES[chosen]):
        replace_modules(network, {new: old for old, new in changed.items()})
    return network


def _bf16_packs() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _packs(convolution: Convolution) -> bool:
    return convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)
