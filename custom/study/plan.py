"""What a study is asked for, and where its parts lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from custom.base.errors import BadInput
from custom.data import Reading

CONFIGS = Path("bundle/configs")  # relative to the repository root, where the commands run


@dataclass(frozen=True)
class Network:
    """One of the networks that are compared.

    Attributes:
        name: of its folder.
        title: for people.
        overlay: its file among the bundle's configs; None for the one that needs none.
        loss: that it is trained with; None: the recipe's.
    """

    name: str
    title: str
    overlay: str | None = None
    loss: str | None = None


TRAINED = (
    Network("unet", "U-Net", "network_unet"),
    Network("ynet", "Y-Net", "network_ynet"),
    Network("transforcnn", "TransforCNN"),
)
ENET = Network("enet", "E-Net")  # its overlay is what the search writes
NETWORKS = (*TRAINED, ENET)
# the losses are compared on the network that trains fastest; cross-entropy is the recipe's, so that its training serves
LOSSES = (
    Network("unet", "cross-entropy", "network_unet"),
    Network("losses/balanced_bce", "balanced cross-entropy", "network_unet", "balanced_bce"),
    Network("losses/tversky", "Tversky", "network_unet", "tversky"),
    Network("losses/focal_tversky", "focal Tversky", "network_unet", "focal_tversky"),
    Network("losses/dice_bce", "Dice + cross-entropy (not of the study)", "network_unet", "dice_bce"),
)


@dataclass(frozen=True)
class Study:
    """A study.

    Attributes:
        dataset_dir: the labelled data set, an absolute path.
        output_dir: gets all results, an absolute path.
        stack: what is segmented; None: the stack of the test side.
        minutes: of training for each network; 0: the epochs of the full recipe.
        patches_per_epoch: length of an epoch where minutes are given.
        full_cube: whether E-Net's search tries all 1330 combinations.
        compare_losses: whether one network is trained with each of the losses too.
        devices: the trainings are dealt out to them, one at a time on each; the first does all else. None given: the
            commands' default.
        seed: of the split and the trainings.
        reading: how the files of the data set are read.
    """

    dataset_dir: Path
    output_dir: Path
    stack: Path | None = None
    minutes: float = 0.0
    patches_per_epoch: int = 320
    full_cube: bool = False
    compare_losses: bool = False
    devices: tuple[str, ...] = ()
    seed: int = 0
    reading: Reading = Reading()

    @property
    def trainings(self) -> tuple[Network, ...]:
        """Everything that is trained."""
        return (*TRAINED, *(LOSSES[1:] if self.compare_losses else ()))

    def device(self, network: Network | None = None) -> str | None:
        """The device that a network is trained on, or that all else runs on."""
        if not self.devices:
            return None
        place = self.trainings.index(network) if network else 0
        return self.devices[place % len(self.devices)]

    def folder(self, network: Network, part: str = "") -> Path:
        """The network's training folder, or a part (``val``, ``test``, ``cost``, ``stack``) below it."""
        return self.output_dir / network.name / part

    @property
    def enet_overlay(self) -> Path:
        """The config of the blend that was found."""
        return self.output_dir / "network_enet.json"

    def weights(self, network: Network) -> list[Path]:
        """The weights files that the network is made of."""
        return [self.folder(member) / "model.pt" for member in (TRAINED if network == ENET else (network,))]


def minutes_of(budget: str | None) -> float:
    """Minutes of a budget: ``20m``, ``1.5h``, ``90s``; 0 for None, which stands for the full recipe.

    Raises:
        BadInput: anything else.
    """
    if budget is None:
        return 0.0
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget)
    if not found or not float(found[1]):
        raise BadInput(f"--budget {budget}: is no time; give one like 20m, 90s or 1.5h")
    return float(found[1]) * {"s": 1 / 60, "m": 1.0, "h": 60.0}[found[2]]


def check_paths(study: Study) -> None:
    """Refuse paths that MONAI's command line or config parser would read as something else.

    Raises:
        BadInput: names the path and the character.
    """
    for path in (study.dataset_dir, study.output_dir, *([study.stack] if study.stack else [])):
        check_path(path)


def check_path(path: Path) -> None:
    """Refuse a path that MONAI's command line or config parser would read as something else.

    Raises:
        BadInput: names the path and the character.
    """
    if wrong := re.search(r"[#,'\"\[\]@$%]|::", str(path)):
        raise BadInput(f"{path}: holds {wrong[0]!r}, which a config file cannot; use a path without it")
