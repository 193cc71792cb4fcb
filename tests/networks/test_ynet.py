from typing import Any, Literal

import pytest
import torch
from monai.bundle import ConfigParser

from custom.networks import YNet
from custom.networks.ynet import PyramidPooling


@pytest.mark.parametrize(("merge", "count"), [("add", 2_260_329), ("concat", 2_407_785)])
def test_parameters(merge: Literal["add", "concat"], count: int) -> None:
    assert sum(p.numel() for p in YNet(merge=merge).parameters()) == count


def test_both_branches_meet_at_8x8() -> None:
    net = YNet().eval()
    shapes = {}
    for key in ("regular.0", "regular.4", "dilated.0", "dilated.4", "pyramid", "fuse"):
        net.get_submodule(key).register_forward_hook(lambda _m, _i, out, key=key: shapes.update({key: out.shape[1:]}))
    with torch.no_grad():
        net(torch.rand(1, 1, 128, 128))
    assert shapes == {
        "regular.0": (24, 128, 128),
        "regular.4": (384, 8, 8),
        "dilated.0": (16, 128, 128),
        "dilated.4": (16, 8, 8),
        "pyramid": (64, 8, 8),
        "fuse": (384, 8, 8),
    }


def test_takes_any_multiple_of_16_that_is_not_square() -> None:
    assert YNet(2, 3, features=8).eval()(torch.rand(1, 2, 48, 80)).shape == (1, 3, 48, 80)


def test_pyramid_of_one_bin_is_the_mean_and_of_every_pixel_the_pixel() -> None:
    pyramid = PyramidPooling(4, 2, bins=(1, 8)).eval()
    x = torch.rand(1, 4, 8, 8)
    coarse, fine = pyramid(x).split(2, dim=1)
    weight, bias = (p.detach() for p in pyramid.get_submodule("scales.0.1").parameters())
    mean = (weight[:, :, 0, 0] @ x.mean(dim=(2, 3))[0] + bias).clamp(min=0)
    torch.testing.assert_close(coarse, mean[None, :, None, None].expand_as(coarse))
    weight, bias = (p.detach() for p in pyramid.get_submodule("scales.1.1").parameters())
    pixel = (torch.einsum("oc,bcyx->boyx", weight[:, :, 0, 0], x) + bias[None, :, None, None]).clamp(min=0)
    torch.testing.assert_close(fine, pixel)


def test_built_by_monai_config() -> None:
    config = {"network_def": {"_target_": "custom.networks.YNet", "features": 8, "dropout": 0.2}}
    network = ConfigParser(config).get_parsed_content("network_def")
    assert isinstance(network, YNet)
    assert {m.p for m in network.modules() if isinstance(m, torch.nn.Dropout)} == {0.2}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripts_whatever_the_merge_and_the_skips() -> None:
    net = YNet(merge="concat", dcm_skips=False).eval()
    x = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(torch.jit.script(net)(x), net(x))


@pytest.mark.filterwarnings("error::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_traces_without_a_fixed_size() -> None:
    net = YNet().eval()
    traced = torch.jit.trace(net, torch.rand(1, 1, 32, 32), check_trace=False)
    x = torch.rand(2, 1, 48, 64)
    torch.testing.assert_close(traced(x), net(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"merge": "sum"}, "merge must be"), ({"dilations": (1, 2)}, "5 levels"), ({"dropout": 1.5}, "dropout must be")],
)
def test_refuses_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        YNet(**options)
