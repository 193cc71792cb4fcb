"""What differs on a GPU: each test skips, saying so, where torch sees none."""

from __future__ import annotations

from pathlib import Path

import cli
import pytest
import tifffile
import torch
from monai.networks.nets import BasicUNet

from custom.command_line import check_device
from custom.inferers import SliceInferer
from custom.networks import TransforCNN, YNet
from custom.speed.precision import gains_from_bf16

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device here"),
]


@pytest.mark.parametrize("make", [TransforCNN, YNet, lambda: BasicUNet(2, 1, 1)])
def test_logits_agree_with_the_cpu(make: type[torch.nn.Module]) -> None:
    torch.manual_seed(0)
    network = make().eval()
    slices = torch.rand(1, 1, 3, 150, 200)
    on_cpu = SliceInferer(precision="fp32")(slices, network)
    network.cuda()
    on_gpu = SliceInferer(precision="fp32")(slices.cuda(), network).cpu()
    torch.testing.assert_close(on_gpu, on_cpu, atol=1e-3 * float(on_cpu.std()) + 1e-4, rtol=1e-2)
    if gains_from_bf16("cuda"):
        mixed = SliceInferer(precision="auto")(slices.cuda(), network).cpu()
        assert float((mixed - on_cpu).abs().mean()) < 0.1 * float(on_cpu.std())


def test_the_device_is_taken_and_a_missing_one_refused() -> None:
    assert check_device("cuda").type == "cuda"
    with pytest.raises(ValueError, match="cuda:99"):
        check_device("cuda:99")


def test_train_and_segment(labelled_set: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ended = cli.train(labelled_set, run, network_def=cli.TINY, device="cuda")
    assert ended.code == 0, ended.error
    stack = labelled_set / "images" / "stack_0.tif"
    masks = []
    for device in ("cuda", "cpu"):
        out = tmp_path / device
        ended = cli.segment(stack, out, run / "model.pt", device=device, output_format="tiff")
        assert ended.code == 0, ended.error
        masks.append(tifffile.imread(out / "mask.tif"))
    assert (masks[0] == masks[1]).mean() > 0.999
