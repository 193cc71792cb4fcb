"""Weights for other classes than those that are looked for are told from those of another network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from monai.networks.nets import BasicUNet, UNet
from torch import nn

from custom.base.classes import channels
from custom.base.errors import BadInput
from custom.networks import ENet, TransforCNN, YNet
from custom.weights import start_from

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "unet": lambda out: BasicUNet(2, 1, out, (4, 4, 8, 8, 8, 4)),
    "monai_unet": lambda out: UNet(2, 1, out, (4, 8, 8), (2, 2), num_res_units=2, norm="batch"),
    "ynet": lambda out: YNet(out_channels=out, features=4),
    "transforcnn": lambda out: TransforCNN(out_channels=out, img_size=32),
    "enet": lambda out: ENet([BasicUNet(2, 1, out, (4, 4, 8, 8, 8, 4))], [1.0]),
}
ONE, TWO, FIVE = ["lithium"], ["pit", "dendrite"], ["a", "b", "c", "d", "e"]


def said(build: Callable[[int], nn.Module], there: int, classes: list[str], folder: Path) -> str:
    """The refusal of weights of a network of `there` channels, where `classes` are looked for."""
    path = folder / "model.pt"
    torch.save(build(there).state_dict(), path)
    with pytest.raises(BadInput) as refused:
        start_from(build(channels(classes)), path, classes)
    sentence = str(refused.value)
    assert sentence.startswith(f"{path}: are the weights of ")
    return sentence.removeprefix(f"{path}: are the weights of ").removesuffix(".")


SIX = "6 channels, background's and those of 5 classes in the order of their label values"
CASES = {
    "six for one": (
        6,
        ONE,
        f"{SIX}, and what is looked for is {ONE}, which take 1; give --classes their 5 names in that",
    ),
    "four for six": (4, FIVE, f"--classes gives {FIVE}, which take 6; give --classes their 3 names"),
    "one for three": (
        1,
        TWO,
        f"1 channel, that of one class, and --classes gives {TWO}, which take 3; leave --classes",
    ),
}
OTHERS: dict[str, tuple[Callable[[int], nn.Module], int]] = {
    "wider": (lambda out: BasicUNet(2, 1, out, (16,) * 6 if out == 4 else (4,) * 6), 4),
    "another reading": (lambda out: TransforCNN(out_channels=1, img_size=32, reading="A" if out == 4 else "B"), 4),
    "neither one class nor several": (lambda out: YNet(out_channels=out, features=4), 2),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_network_of_other_classes(name: str, case: str, tmp_path: Path) -> None:
    there, classes, words = CASES[case]
    assert words in said(NETWORKS[name], there, classes, tmp_path)


@pytest.mark.parametrize("name", OTHERS)
def test_another_network_is_told_as_that(name: str, tmp_path: Path) -> None:
    assert said(*OTHERS[name], ONE, tmp_path).startswith("another network (")
