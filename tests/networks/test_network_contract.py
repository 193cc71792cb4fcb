"""What every network of the project keeps, ours and MONAI's as configured. A new network needs one line in NETWORKS."""

import io
from collections.abc import Callable

import pytest
import torch
from monai.inferers import SlidingWindowInferer
from monai.networks.nets import BasicUNet, UNet
from torch import Tensor, nn

from custom.networks import ENet, TransforCNN, YNet

pytestmark = pytest.mark.slow

SIDE = 64  # pixels: a quarter of the work of the usual 128


def unet() -> nn.Module:
    return BasicUNet(
        2, 1, 1, (16, 32, 64, 128, 256, 16), act=("relu", {"inplace": True}), norm="batch", upsample="deconv"
    )


def monai_unet() -> nn.Module:
    return UNet(2, 1, 1, (16, 32, 64, 128, 256), (2, 2, 2, 2), num_res_units=2, act="relu", norm="batch")


OURS: dict[str, Callable[[], nn.Module]] = {
    "ynet": YNet,
    "transforcnn_a": lambda: TransforCNN(img_size=SIDE, reading="A"),
    "transforcnn_b": lambda: TransforCNN(img_size=SIDE),
    "transforcnn_c": lambda: TransforCNN(img_size=SIDE, reading="C"),
    "enet": lambda: ENet([YNet(), monai_unet()], [0.2, 0.8]),
}
NETWORKS = {**OURS, "unet": unet, "monai_unet": monai_unet}


def images(batch: int, seed: int = 0) -> Tensor:
    return torch.rand(batch, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def seeded(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return NETWORKS[name]()


@pytest.fixture(scope="module", params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    """In eval mode, its batch norms holding the statistics of the very images, so that logits are of ordinary size."""
    net = seeded(name)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net(images(4))
    return net.eval()


@pytest.fixture(scope="module")
def logits(network: nn.Module) -> Tensor:
    with torch.no_grad():
        return network(images(2))


def test_every_parameter_gets_a_gradient(name: str) -> None:
    net = seeded(name).train()
    net(images(2)).square().mean().backward()
    without = [
        key for key, p in net.named_parameters() if p.grad is None or not (p.grad.isfinite().all() and p.grad.any())
    ]
    assert without == []


def test_logits_have_the_size_of_the_input(logits: Tensor) -> None:
    assert logits.shape == (2, 1, SIDE, SIDE)
    assert logits.min() < 0 or logits.max() > 1  # not probabilities
    assert logits.std() > 1e-3  # the image is seen


def test_batch_members_do_not_touch_each_other(network: nn.Module, logits: Tensor) -> None:
    with torch.no_grad():
        torch.testing.assert_close(network(images(2)[1:]), logits[1:], rtol=1e-4, atol=1e-5)


def test_weights_survive_a_file(name: str, network: nn.Module, logits: Tensor) -> None:
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    other = seeded(name, seed=1).eval()
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    with torch.no_grad():
        assert torch.equal(other(images(2)), logits)


def test_one_seed_gives_one_network(name: str) -> None:
    runs = []
    for seed in (3, 3, 4):
        net = seeded(name, seed).train()
        with torch.no_grad():
            runs.append(net(images(2)))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_round_trip(network: nn.Module, logits: Tensor) -> None:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(network), file)
    file.seek(0)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.load(file)(images(2)), logits, rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_export_round_trip_with_any_batch(network: nn.Module, logits: Tensor) -> None:
    file = io.BytesIO()
    program = torch.export.export(network, (images(3),), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
    torch.export.save(program, file)
    file.seek(0)
    with torch.no_grad():
        torch.testing.assert_close(torch.export.load(file).module()(images(2)), logits, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_near_float32(network: nn.Module, logits: Tensor) -> None:
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        half = network(images(2)).float()
    # bfloat16 rounds by 0.4 % at each of some twenty layers; 3 to 4 % was the most seen on untrained networks.
    assert (half - logits).std() < 0.08 * logits.std()


def test_drops_into_a_sliding_window(network: nn.Module) -> None:
    image = torch.rand(1, 1, 150, 200, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        whole = SlidingWindowInferer(roi_size=(SIDE, SIDE), sw_batch_size=4, overlap=0.0)(image, network)
        corner = network(image[..., :SIDE, :SIDE])
    assert isinstance(whole, Tensor)
    assert whole.shape == image.shape
    # The second row of windows is shifted back to fit, to row 86; the corner sees the first window alone.
    torch.testing.assert_close(whole[..., :SIDE, :SIDE], corner, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 60, 64), (1, 2, 64, 64), (1, 64, 64), (1, 1, 64, 0)])
@pytest.mark.parametrize("ours", OURS)
def test_refuses_a_shape_it_cannot_take(ours: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes \(B, 1, Y, X\) with Y and X .* got shape .*: \w+"):
        NETWORKS[ours]()(torch.zeros(shape))
