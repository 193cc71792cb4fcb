"""MONAI's U-Net without the padding that nothing needs: what it computes stays the same."""

from __future__ import annotations

import cli
import pytest
import torch
from monai.networks.blocks import UpSample
from monai.networks.nets import BasicUNet
from monai.networks.nets.basic_unet import UpCat

from custom.speed.padding import leave_out_padding


@pytest.mark.parametrize(("window", "padded"), [(48, False), ((32, 64), False), (40, True), ((48, 50), True)])
def test_it_is_left_out_where_every_side_can_be_halved(window: int | tuple[int, int], padded: bool) -> None:
    torch.manual_seed(0)
    network = BasicUNet(2, 1, 1, cli.FEATURES).eval()
    size = (window, window) if isinstance(window, int) else window
    image = torch.rand(1, 1, *size)
    before = network(image)
    assert leave_out_padding(network, window) is network
    assert [module.is_pad for module in network.modules() if isinstance(module, UpCat)] == [padded] * 4
    assert torch.equal(network(image), before)


def test_other_networks_stay_as_they_are() -> None:
    other = torch.nn.Sequential(UpSample(2, 1, 1))
    assert leave_out_padding(other, 48) is other


def test_a_training_leaves_it_out() -> None:
    parser = cli.parser_of("train", "network_unet")
    parser["dataset_dir"] = "nowhere"
    network = parser.get_parsed_content("network")
    assert not any(module.is_pad for module in network.modules() if isinstance(module, UpCat))
