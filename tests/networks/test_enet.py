import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from scipy.special import expit, logit, softmax
from torch import Tensor, nn

from custom.networks import ENet


class Fixed(nn.Module):
    """Returns given logits whatever comes."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits


class MustNotRun(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("a member of weight 0 ran")


X = torch.zeros(2, 1, 5, 6)


def test_blends_probabilities() -> None:
    members = [Fixed(4 * torch.randn(2, 1, 5, 6)) for _ in range(3)]
    weights = [0.1, 0.3, 0.6]
    blend = sum(w * expit(m.logits.detach().double().numpy()) for w, m in zip(weights, members, strict=True))
    np.testing.assert_allclose(ENet(members, weights)(X).detach().numpy(), logit(blend), rtol=1e-4, atol=1e-5)


def test_stays_exact_where_the_probability_rounds_to_one() -> None:
    extreme = torch.tensor([-300.0, -60.0, 60.0, 300.0])
    members = [Fixed(extreme.clone()), Fixed(extreme.clone())]
    blend = ENet(members, [0.5, 0.5])(X)
    torch.testing.assert_close(blend, extreme)
    blend.sum().backward()
    torch.testing.assert_close(members[0].logits.grad, torch.full((4,), 0.5))


def test_member_of_weight_zero_never_runs_but_keeps_its_weights() -> None:
    net = ENet([Fixed(torch.tensor([1.0])), MustNotRun(), Fixed(torch.tensor([1.0]))], [0.5, 0, 0.5])
    assert net(X).item() == pytest.approx(1.0)
    assert "members.1.weight" in net.state_dict()


def test_lone_member_passes_unchanged() -> None:
    member = Fixed(torch.randn(4, dtype=torch.bfloat16))
    out = ENet([MustNotRun(), member], [0.0, 1.0])(X)
    assert torch.equal(out, member.logits)
    assert out.dtype == torch.bfloat16


def test_blend_is_float32_under_autocast() -> None:
    convs = [nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1)]
    image = torch.rand(1, 1, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = ENet(convs, [0.4, 0.6])(image)
        first, second = (expit(conv(image).detach().double().numpy()) for conv in convs)
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out.detach().numpy(), logit(0.4 * first + 0.6 * second), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([], "1 members and 0 weights"),
        ([0.5, 0.5], "1 members and 2 weights"),
        ([-0.1], r"in \[0, 1\]"),
        ([1.1], r"in \[0, 1\]"),
        ([float("nan")], r"in \[0, 1\]"),
        ([0.0], "sum is 0: give one member a weight"),
        ([0.9], "sum is 0.9: divide each by it"),
    ],
)
def test_refuses_bad_weights(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ENet([nn.Identity()], weights)


def test_refuses_no_member() -> None:
    with pytest.raises(ValueError, match="0 members"):
        ENet([], [])


def test_takes_parts_whose_float_sum_is_not_quite_one() -> None:
    weights = [1 / 49] * 49  # tenths add up to one since Python 3.12
    assert sum(weights) != 1.0
    assert ENet([Fixed(torch.tensor([2.0]))] * 49, weights)(X).item() == pytest.approx(2.0)


def test_built_by_monai_config() -> None:
    config = {
        "network_def": {
            "_target_": "custom.networks.ENet",
            "members": [
                {"_target_": "custom.networks.YNet", "features": 4},
                {"_target_": "custom.networks.TransforCNN", "img_size": 32},
            ],
            "weights": [0.2, 0.8],
        }
    }
    net = ConfigParser(config).get_parsed_content("network_def")
    assert isinstance(net, ENet)
    assert net.eval()(torch.rand(1, 1, 32, 32)).shape == (1, 1, 32, 32)


def test_disagreement_is_the_weighted_standard_deviation() -> None:
    members = [Fixed(3 * torch.randn(2, 1, 5, 6)) for _ in range(3)]
    weights = [0.3, 0.0, 0.7]
    out = ENet(members, weights, disagreement=True)(X).detach()
    assert torch.equal(out[:, :1], ENet(members, weights)(X).detach())
    p = np.stack([expit(members[i].logits.detach().double().numpy()) for i in (0, 2)])
    mean = np.average(p, axis=0, weights=[0.3, 0.7])
    deviation = np.sqrt(np.average((p - mean) ** 2, axis=0, weights=[0.3, 0.7]))
    np.testing.assert_allclose(out[:, 1:].numpy(), deviation, atol=1e-5)


def test_several_classes_are_blended_as_the_softmax_of_each_member() -> None:
    members = [Fixed(4 * torch.randn(2, 4, 5, 6)) for _ in range(3)]
    weights = [0.3, 0.0, 0.7]
    out = ENet(members, weights, disagreement=True)(X).detach().double().numpy()
    p = np.stack([softmax(members[i].logits.detach().double().numpy(), axis=1) for i in (0, 2)])
    mean = np.average(p, axis=0, weights=[0.3, 0.7])
    assert out.shape == (2, 4 + 3, 5, 6)
    np.testing.assert_allclose(softmax(out[:, :4], axis=1), mean, atol=1e-6)
    np.testing.assert_allclose(out[:, :4], np.log(mean), atol=1e-5)
    deviation = np.sqrt(np.average((p - mean) ** 2, axis=0, weights=[0.3, 0.7]))
    np.testing.assert_allclose(out[:, 4:], deviation[:, 1:], atol=1e-5)
    torch.testing.assert_close(ENet(members, weights)(X).detach().double().numpy(), out[:, :4])


def test_several_classes_stay_exact_far_out_and_a_lone_member_passes() -> None:
    extreme = torch.tensor([-300.0, 0.0, 300.0]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2)
    members = [Fixed(extreme.clone()), Fixed(extreme.clone())]
    torch.testing.assert_close(ENet(members, [0.5, 0.5])(X), extreme - 300)
    assert ENet(members, [0.5, 0.5], disagreement=True)(X)[:, 3:].max() < 1e-6
    assert ENet([MustNotRun(), members[0]], [0.0, 1.0])(X) is members[0].logits


def test_members_that_agree_do_not_disagree() -> None:
    logits = torch.tensor([-300.0, -2.0, 0.0, 40.0]).reshape(1, 1, 2, 2)
    out = ENet([Fixed(logits.clone()), Fixed(logits.clone())], [0.5, 0.5], disagreement=True)(X)
    assert out[:, 1:].max() < 1e-6


@pytest.mark.parametrize("channels", [1, 3])
def test_disagreement_survives_torchscript(channels: int) -> None:
    members = [nn.Conv2d(1, channels, 3, padding=1), nn.Conv2d(1, channels, 1)]
    net = ENet(members, [0.4, 0.6], disagreement=True).eval()
    image = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(torch.jit.script(net)(image), net(image))


def test_one_running_member_cannot_disagree() -> None:
    with pytest.raises(ValueError, match="one member run, which disagrees with none"):
        ENet([nn.Identity(), nn.Identity()], [0.0, 1.0], disagreement=True)
