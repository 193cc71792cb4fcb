"""Which of the bundle's networks a state dict belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

from custom.errors import BadInput
from custom.sharing.layout import OVERLAY_OF_ALL, Source
from custom.weights import first_difference, read_state


def build_network(config: Mapping[str, Any]) -> torch.nn.Module:
    """The network that a config's `network_def` declares; nothing else of the config is built."""
    parser = ConfigParser(dict(config))
    network = parser.get_parsed_content("network_def")
    if not isinstance(network, torch.nn.Module):
        raise TypeError(f"network_def is a {type(network).__name__} and should be a torch.nn.Module")
    return network


def fitting_network(source: Source, weights: Path, patch_size: int, chosen: Path | None = None) -> dict[str, Any]:
    """The `network_def` that the weights fit strictly, as it stands in the source's configs.

    Args:
        weights: a flat state dict.
        patch_size: the side of the patches that they were trained on.
        chosen: a network_*.json to take instead of trying all.

    Raises:
        BadInput: none fits.
    """
    state = read_state(weights)
    fault = None
    for config in _candidates(source, chosen):
        network = build_network({**config, "patch_size": patch_size})
        fault = first_difference(network.state_dict(), state)
        if fault is None:
            return dict(config["network_def"])
    where = f"that of {chosen} ({fault})" if chosen else "any of the bundle's"
    raise BadInput(f"{weights}: are the weights of another network than {where}; give --network its network_*.json")


def _candidates(source: Source, chosen: Path | None) -> Iterator[dict[str, Any]]:
    configs = source.bundle / "configs"
    overlays = [path for path in sorted(configs.glob("network_*.json")) if path.name != OVERLAY_OF_ALL]
    for path in [chosen] if chosen else [configs / "inference.json", *overlays]:
        try:
            config = ConfigParser.load_config_file(path)
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: is not a config that can be read; give --network a network_*.json") from error
        if "network_def" not in config:
            raise BadInput(f"{path}: declares no network_def; give --network a network_*.json")
        yield config
