"""The methods that can be compared, by name."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from comparing import classical
from comparing.nnunet import nnunet
from comparing.ours import bundle_recipe, config
from comparing.patch_recipes import monai_unet, smp_unet
from comparing.task import Method
from custom.base.errors import BadInput


@dataclass(frozen=True)
class Compared:
    """A method.

    Attributes:
        title: for people.
        run: how it trains and predicts.
        package: that has to be there.
        configs: the config files of this project's recipes, which alone tell several classes apart.
    """

    title: str
    run: Method
    package: str | None = None
    configs: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether its package is not installed."""
        return self.package is not None and importlib.util.find_spec(self.package) is None

    def check_package(self, name: str, option: str) -> None:
        """Refuse a method whose package is missing.

        Raises:
            BadInput: names the package, and the option to leave `name` out of.
        """
        if self.missing:
            raise BadInput(
                f"{self.package}: is not installed; run pip install '.[peers]', or leave {name} out of {option}"
            )


def _of_the_bundle(title: str, *overlays: str) -> Compared:
    configs = (config("train"), *map(config, overlays))
    return Compared(title, bundle_recipe(configs), configs=configs)


METHODS: dict[str, Compared] = {
    "unet": _of_the_bundle("ours: U-Net", "network_unet"),
    "ynet": _of_the_bundle("ours: Y-Net", "network_ynet"),
    "transforcnn": _of_the_bundle("ours: TransforCNN"),
    "monai": Compared("MONAI BasicUNet, Dice + cross-entropy", lambda task, folder: monai_unet()(task, folder)),
    "smp": Compared(
        "segmentation_models.pytorch U-Net, resnet18",
        lambda task, folder: smp_unet()(task, folder),
        "segmentation_models_pytorch",
    ),
    "nnunet": Compared("nnU-Net v2, 2-D", nnunet, "nnunetv2"),
    "grey_window": Compared("median filter + best grey window", classical.grey_window),
    "otsu": Compared("median filter + Otsu", classical.otsu, "skimage"),
}
OURS = tuple(name for name, one in METHODS.items() if one.configs)
