"""Networks of other libraries in a patch training as MONAI's 2-D tutorial writes it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.data import CacheDataset, DataLoader, list_data_collate
from monai.inferers import SlidingWindowInferer
from monai.losses import DiceCELoss
from monai.networks.nets import BasicUNet
from monai.transforms import Compose, RandCropByPosNegLabeld, RandFlipd, RandRotate90d, SpatialPadd
from monai.utils import set_determinism
from torch import nn

from comparing.task import UNLABELLED, Task, keep_probability
from custom.base.errors import BadInput
from custom.study.slices import LabelledSlice

PATCH = 128
SLICES, PATCHES = 2, 4  # of a batch, and of a slice
VALIDATIONS = 20  # within the budget, however short the epochs are


@dataclass(frozen=True)
class Recipe:
    """What differs between the libraries.

    Attributes:
        network: builds it.
        loss: takes logits and {0, 1} labels, both (B, 1, Y, X).
        learning_rate: of Adam.
        cosine: whether the rate falls to 1e-5 along a cosine, by the share of the budget that is used.
        changed: what was changed against the library's documentation, and why.
    """

    network: Callable[[], nn.Module]
    loss: nn.Module
    learning_rate: float
    cosine: bool
    changed: str

    def __call__(self, task: Task, folder: Path) -> dict[str, Any]:
        """Train for the task's budget, take the weights of the best validation, predict the test slices."""
        set_determinism(task.seed)
        network = self.network().to(task.device)
        optimizer = torch.optim.Adam(network.parameters(), lr=self.learning_rate)
        batches = endless(task)
        started, steps, best, kept = time.time(), 0, -1.0, {}
        validations = 0
        while (used := task.budget.used(time.time() - started, steps * SLICES * PATCHES)) < 1:
            if self.cosine:
                share = 0.5 * (1 + torch.cos(torch.tensor(torch.pi * used)).item())
                optimizer.param_groups[0]["lr"] = 1e-5 + (self.learning_rate - 1e-5) * share
            network.train()
            batch = next(batches)
            optimizer.zero_grad()
            loss = self.loss(network(batch["image"].to(task.device)), batch["label"].to(task.device))
            loss.backward()
            optimizer.step()
            if not loss.isfinite():
                raise BadInput(
                    f"{folder}: the training diverged in step {steps + 1}; leave the method out of --methods"
                )
            steps += 1
            used = task.budget.used(time.time() - started, steps * SLICES * PATCHES)
            if used * VALIDATIONS >= validations + 1:
                validations += 1
                score = pooled_dice(network, task)
                if score > best:
                    best, kept = score, {key: value.clone() for key, value in network.state_dict().items()}
        minutes = (time.time() - started) / 60
        network.load_state_dict(kept or network.state_dict())
        for piece in task.sides["test"]:
            keep_probability(folder, piece, predict(network, piece, task.device).numpy())
        return {
            "steps": steps,
            "patches": steps * SLICES * PATCHES,
            "minutes": minutes,
            "parameters": sum(p.numel() for p in network.parameters()),
            "val_dice_d": best,
            "changed": self.changed,
        }


def endless(task: Task) -> Iterator[dict[str, torch.Tensor]]:
    """Batches of patches, epoch after epoch; half of the patches are centred on lithium."""
    data = [
        {"image": torch.as_tensor(piece.image)[None], "label": binary(piece)[None]} for piece in task.sides["train"]
    ]
    both = ["image", "label"]
    transform = Compose(
        [
            SpatialPadd(both, (PATCH, PATCH)),
            RandCropByPosNegLabeld(both, "label", (PATCH, PATCH), pos=1, neg=1, num_samples=PATCHES),
            RandFlipd(both, prob=0.5, spatial_axis=0),
            RandFlipd(both, prob=0.5, spatial_axis=1),
            RandRotate90d(both, prob=0.5),
        ]
    ).set_random_state(task.seed)
    dataset = CacheDataset(data, transform, progress=False)
    loader = DataLoader(dataset, batch_size=SLICES, shuffle=True, collate_fn=list_data_collate)
    yield from itertools.chain.from_iterable(itertools.repeat(loader))


def binary(piece: LabelledSlice) -> torch.Tensor:
    """{0, 1} (Y, X): none of these recipes knows unlabelled voxels."""
    return (torch.as_tensor(piece.label) == 1).float()


@torch.no_grad()
def predict(network: nn.Module, piece: LabelledSlice, device: torch.device) -> torch.Tensor:
    """Probability (Y, X) by MONAI's sliding window."""
    network.eval()
    inferer = SlidingWindowInferer((PATCH, PATCH), sw_batch_size=8, overlap=0.25)
    logits = inferer(torch.as_tensor(piece.image)[None, None].to(device), network)
    assert isinstance(logits, torch.Tensor)
    return logits.sigmoid()[0, 0].cpu()


def pooled_dice(network: nn.Module, task: Task) -> float:
    """Dice of all voxels of the validation side."""
    both = either = 0.0
    for piece in task.sides["val"]:
        found, label = predict(network, piece, task.device) >= 0.5, torch.as_tensor(piece.label)
        known = label != UNLABELLED
        both += 2 * float((found & (label == 1)).sum())
        either += float((found & known).sum() + (label == 1).sum())
    return both / either if either else 1.0


def monai_unet() -> Recipe:
    """MONAI: BasicUNet with its own features, Dice + cross-entropy, Adam."""
    return Recipe(
        network=lambda: BasicUNet(spatial_dims=2, in_channels=1, out_channels=1),
        loss=DiceCELoss(sigmoid=True),
        learning_rate=1e-3,
        cosine=False,
        changed="patches of 128, not 96; BasicUNet and Dice + cross-entropy in place of the tutorial's UNet and Dice; "
        "validation 20 times within the time",
    )


def smp_unet() -> Recipe:
    """segmentation_models.pytorch: U-Net with a resnet18 encoder, not pretrained, its Dice loss, Adam with a cosine."""
    import segmentation_models_pytorch as smp

    return Recipe(
        network=lambda: smp.Unet("resnet18", encoder_weights=None, in_channels=1, classes=1),
        loss=smp.losses.DiceLoss(smp.losses.BINARY_MODE, from_logits=True),
        learning_rate=2e-4,
        cosine=True,
        changed="resnet18 without pretrained weights in place of resnet34 with ImageNet's; patches as in the MONAI recipe; "
        "the best of 20 validations in place of the last weights",
    )
