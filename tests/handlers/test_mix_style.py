"""Maps in another scan's style, beside the paper's equations written out by hand."""

from __future__ import annotations

import copy
from typing import Any

import cli
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from torch import nn

from custom.base.errors import BadInput
from custom.handlers import MixStyle

SCANS = [0, 0, 0, 1, 1, 2]


def maps() -> torch.Tensor:
    """(B, C, Y, X), each patch and channel of a mean and spread of its own, no two alike."""
    draw = torch.Generator().manual_seed(4)
    own = torch.arange(len(SCANS) * 2).reshape(-1, 2, 1, 1)
    return (1 + own) * torch.randn(len(SCANS), 2, 12, 10, generator=draw) + 20.0 * own


def mixed(scans: list[int], train: bool = True, seed: int = 0, **options: Any) -> torch.Tensor:
    """What becomes of `maps` in a step of a network that hands them on."""
    network = nn.Sequential(nn.Identity()).train(train)
    found: list[torch.Tensor] = []
    engine = Engine(lambda _, batch: found.append(network(batch["image"])))
    engine.network = network  # type: ignore[attr-defined]
    MixStyle(["0"], **options).attach(engine)
    torch.manual_seed(seed)
    engine.run([{"image": maps(), "scan": torch.tensor(scans)}])
    return found[0]


def style(x: torch.Tensor) -> np.ndarray:
    """Mean and standard deviation of each patch and channel: (B, 2, C)."""
    flat = x.double().flatten(2).numpy()
    return np.stack([flat.mean(2), flat.std(2)], 1)


def share_of(found: np.ndarray, own: np.ndarray, other: np.ndarray) -> float | None:
    """l of found = l own + (1 - l) other, where all means and spreads agree on one in [0, 1]."""
    shares = (found - other) / (own - other)
    fits = bool(np.ptp(shares) < 1e-4) and -1e-4 <= shares.mean() <= 1 + 1e-4
    return float(shares.mean()) if fits else None


def test_each_patch_has_a_style_between_its_own_and_that_of_another_scan() -> None:
    before, partners, shares = style(maps()), set(), []
    for seed in range(40):
        x = mixed(SCANS, seed=seed, prob=1.0, alpha=1.0)
        for i, found in enumerate(style(x)):
            # spreads and means of `maps` are both linear in the patch's number, so that the partner shows beyond i alone
            by = {j: share_of(found, before[i], before[j]) for j, scan in enumerate(SCANS) if scan != SCANS[i]}
            fitting = {j: share for j, share in by.items() if share is not None}
            assert fitting
            partners |= {(i, j) for j in fitting}
            shares += list(fitting.values())
    assert partners == {(i, j) for i, a in enumerate(SCANS) for j, b in enumerate(SCANS) if a != b}
    assert min(shares) < 0.05 and max(shares) > 0.95


def test_the_pattern_stays() -> None:
    x, before = mixed(SCANS, prob=1.0, alpha=1.0), maps()
    for one, own in zip(x.flatten(0, 1).flatten(1), before.flatten(0, 1).flatten(1), strict=True):
        assert np.corrcoef(one.numpy(), own.numpy())[0, 1] == pytest.approx(1, abs=1e-6)
    assert not torch.allclose(x, before)


def test_patches_of_one_scan_stay_as_they_are_and_draw_nothing() -> None:
    assert torch.equal(mixed([3] * 6, prob=1.0), maps())
    drawn = torch.get_rng_state()
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.get_rng_state())


def test_a_share_of_the_passes_in_training_alone() -> None:
    changed = [not torch.equal(mixed(SCANS, seed=seed, prob=0.25), maps()) for seed in range(80)]
    assert 8 <= sum(changed) <= 34  # 20 expected, 3.6 standard deviations
    assert torch.equal(mixed(SCANS, train=False, prob=1.0), maps())


def test_gradients_are_those_of_fixed_styles() -> None:
    """The paper detaches means and spreads: then each voxel has a gradient of its own, new spread / old spread."""
    network = nn.Sequential(nn.Identity())
    x = maps().requires_grad_()
    engine = Engine(lambda _, batch: network(batch["image"]).sum().backward())
    engine.network = network  # type: ignore[attr-defined]
    MixStyle(["0"], prob=1.0, alpha=1.0).attach(engine)
    torch.manual_seed(0)
    engine.run([{"image": x, "scan": torch.tensor(SCANS)}])
    assert x.grad is not None
    torch.testing.assert_close(x.grad, x.grad[:, :, :1, :1].expand_as(x.grad))
    ratio = style(mixed(SCANS, prob=1.0, alpha=1.0))[:, 1] / style(maps())[:, 1]
    assert np.allclose(x.grad[:, :, 0, 0].numpy(), ratio, rtol=1e-4)


def test_a_layer_that_is_not_there() -> None:
    engine = Engine(lambda _, batch: None)
    engine.network = nn.Sequential(nn.Identity())  # type: ignore[attr-defined]
    MixStyle(["conv_0"]).attach(engine)
    with pytest.raises(BadInput, match=r"--style_layers.*Sequential has no layer conv_0; give"):
        engine.run([{}])


@pytest.mark.parametrize("network", ["unet", "ynet"])
def test_the_layers_of_the_recipes_are_there_and_their_maps_are_large(network: str) -> None:
    parser = cli.parser_of("train", f"network_{network}")
    body, seen = parser.get_parsed_content("network_def"), []
    for name in parser.get_parsed_content("style_layers"):
        body.get_submodule(name).register_forward_hook(lambda *args: seen.append(args[2].shape))
    body.eval()(torch.zeros(1, 1, 128, 128))
    assert [len(shape) for shape in seen] == [4] * len(parser.get_parsed_content("style_layers"))
    assert all(shape[2] >= 64 for shape in seen)


def test_a_teacher_that_was_copied_before_is_left_alone() -> None:
    network = nn.Sequential(nn.Identity())
    teacher = copy.deepcopy(network)
    engine = Engine(lambda _, batch: None)
    engine.network = network  # type: ignore[attr-defined]
    MixStyle(["0"]).attach(engine)
    engine.run([{}])
    engine.run([{}], max_epochs=2)
    assert len(network[0]._forward_hooks) == 1 and not teacher[0]._forward_hooks
