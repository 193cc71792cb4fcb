"""The guard and the expected Dice of a segmentation, from the command to summary.json and report.html."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import torch
import zarr
from conftest import MakeSet, blobs
from monai.networks.nets import BasicUNet

from custom.data import labelled_slices
from custom.guard import reference_of
from custom.segmenting.agreement import MembersAgreement

GREY = blobs(9, (140, 150), seed=30)[0]


@pytest.fixture(scope="module")
def weights(make_labelled_set: MakeSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a record that knows what scans like `GREY` look like."""
    path = cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY)
    reference = reference_of(labelled_slices(make_labelled_set(stacks=(4,) * 8)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    told = {"weights_sha256": digest, "guard": reference, "validation": {"expected_dice_error": 0.05}}
    path.with_suffix(".json").write_text(json.dumps(told))
    return path


def summary_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return content


def test_a_stack_like_those_of_the_training(weights: Path, tmp_path: Path) -> None:
    stack = cli.saved(tmp_path, GREY)
    ended = cli.segment(stack, tmp_path / "out", weights, guard="refuse", probability=True, slab_height=4)
    assert ended.code == 0, ended.error
    told = summary_of(tmp_path / "out")
    assert told["guard"]["verdict"] == "like" and ended.output.count(told["guard"]["sentence"]) == 1
    assert told["guard"]["sentence"] in (tmp_path / "out/report.html").read_text()
    p = np.asarray(zarr.open_group(tmp_path / "out/probability.zarr", mode="r")["0"]) / 255
    mask = np.asarray(zarr.open_group(tmp_path / "out/mask.zarr", mode="r")["0"]) == 1
    expected = told["expected_dice"]
    assert expected["from_probabilities"] == pytest.approx(2 * p[mask].sum() / (mask.sum() + p.sum()), abs=0.01)
    assert expected["error_at_validation"] == 0.05 and expected["agreement_of_members"] is None
    assert f"Expected Dice: {expected['value']:.3f}" in ended.output
    # nothing of all that depends on the slabs
    assert cli.segment(stack, tmp_path / "other", weights, slab_height=9).code == 0
    again = summary_of(tmp_path / "other")
    assert again["guard"] == told["guard"]
    for ends in ("interval", "allowed_share"):
        assert again["expected_dice"].pop(ends) == pytest.approx(expected.pop(ends))
    assert again["expected_dice"] == pytest.approx(expected)


def test_an_unlike_one_is_told_or_refused_before_anything_is_written(weights: Path, tmp_path: Path) -> None:
    grey = GREY.astype(float) + np.random.default_rng(0).normal(0, 9000, GREY.shape)
    stack = cli.saved(tmp_path, grey.clip(0, 65535).astype(np.uint16))
    refused = cli.segment(stack, tmp_path / "refused", weights, guard="refuse")
    assert refused.code == 2 and refused.error.count("\n") == 0 and "or give --guard warn" in refused.error
    assert not list((tmp_path / "refused").glob("*")) and not list((tmp_path / "refused").glob(".[!.]*"))
    ended = cli.segment(stack, tmp_path / "out", weights)
    told = summary_of(tmp_path / "out")
    assert ended.code == 0 and told["guard"]["verdict"] == "unlike" and told["expected_dice"]["interval"][0] == 0
    assert ended.output.count("label a few slices of this scan and train on them") == 1
    assert cli.segment(stack, tmp_path / "off", weights, guard="off").code == 0
    assert "guard" not in summary_of(tmp_path / "off")


def test_weights_that_tell_of_no_training_cannot_be_judged(tmp_path: Path) -> None:
    weights, stack = cli.tiny_weights(tmp_path / "model.pt", GREY), cli.saved(tmp_path, GREY)
    assert cli.segment(stack, tmp_path / "out", weights).code == 0
    assert summary_of(tmp_path / "out")["guard"]["verdict"] == "cannot judge"
    refused = cli.segment(stack, tmp_path / "refused", weights, guard="refuse")
    assert refused.code == 2 and "cannot be judged" in refused.error and not (tmp_path / "refused/mask.zarr").exists()
    wrong = cli.segment(stack, tmp_path / "wrong", weights, guard="maybe")
    assert wrong.code == 2 and "give one of warn, refuse, off" in wrong.error


class Blended(torch.nn.Module):
    def __init__(self, members: list[torch.nn.Module]) -> None:
        super().__init__()
        self.members = torch.nn.ModuleList(members)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sum((member(x) for member in self.members[:2]), torch.zeros(1))  # the third has no share


@pytest.mark.parametrize("channels", [1, 3])
def test_the_agreement_of_members_is_counted_while_they_run(channels: int) -> None:
    torch.manual_seed(0)
    members: list[torch.nn.Module] = [BasicUNet(2, 1, channels, cli.FEATURES).eval() for _ in range(3)]
    network = Blended(members)
    agreement = MembersAgreement(network)
    windows = torch.rand(4, 1, 64, 64)
    with torch.no_grad():
        network(windows[:2])
        network(windows[2:])
        found = [member(windows) for member in members[:2]]
    masks = [
        one > 0 if channels == 1 else torch.eye(channels)[one.argmax(1)].movedim(-1, 1)[:, 1:] > 0 for one in found
    ]
    (pair,) = agreement.taken()["members"]
    for value, (common, both) in enumerate(pair.tolist()):
        one, other = masks[0][:, value], masks[1][:, value]
        assert (common, both) == (int((one & other).sum()), int(one.sum() + other.sum()))
    assert pair[:, 1].any() and agreement.taken() == {}


def test_a_network_without_members_has_no_agreement() -> None:
    network = BasicUNet(2, 1, 1, cli.FEATURES).eval()
    agreement = MembersAgreement(network)
    network(torch.rand(1, 1, 32, 32))
    assert agreement.taken() == {}
