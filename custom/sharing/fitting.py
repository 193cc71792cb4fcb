"""The networks that a bundle's configs declare, and which of them a state dict belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

from custom.base.classes import LITHIUM, channels
from custom.base.errors import BadInput
from custom.sharing.layout import OVERLAY_OF_ALL, Source, here
from custom.weights import first_difference, load_weights, read_state

DEFAULT = "transforcnn"  # of inference.json, which has no overlay


def build_network(config: Mapping[str, Any], classes: Sequence[str] = LITHIUM) -> torch.nn.Module:
    """The network for some classes that a config's `network_def` declares; nothing else of the config is built."""
    # the default one is that of the bundle's own weights
    size = config.get("default_patch_size", config.get("patch_size"))
    decided = {"network_def": alone(config["network_def"]), "patch_size": size, "channels": channels(classes)}
    parser = ConfigParser({**config, **decided})
    network = parser.get_parsed_content("network_def")
    if not isinstance(network, torch.nn.Module):
        raise TypeError(f"network_def is a {type(network).__name__} and should be a torch.nn.Module")
    return network


def alone(network_def: Any) -> Any:
    """A `network_def` without what a packed one requires of the path: here its classes are found already."""
    if not isinstance(network_def, Mapping):
        return network_def
    return {key: value for key, value in network_def.items() if key != "_requires_"}


def fitting_network(
    source: Source, weights: Path, patch_size: int, classes: Sequence[str], chosen: Path | None = None
) -> dict[str, Any]:
    """The `network_def` that the weights fit strictly, as it stands in the source's configs.

    All are tried, since `model.json` names a class, not its arguments.

    Args:
        weights: a flat state dict.
        patch_size: the side of the patches that they were trained on.
        classes: what they were trained for.
        chosen: a network_*.json to take instead of trying all.

    Raises:
        BadInput: none fits.
    """
    state = read_state(weights)
    fault = None
    for config in _candidates(source, chosen):
        network = build_network({**config, "default_patch_size": patch_size}, classes)
        fault = first_difference(network.state_dict(), state)
        if fault is None:
            return dict(alone(config["network_def"]))
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


def declared_network(name: str | None = None, weights: Sequence[Path] | None = None) -> tuple[torch.nn.Module, int]:
    """A network that the bundle's configs declare, with weights, and the side of its patches.

    Args:
        name: of a network_NAME.json; None, or transforcnn: the network of inference.json.
        weights: a file, or one for each member of an ensemble; None: those that the config names.

    Raises:
        BadInput: no such network, or weights that are missing or do not fit.
    """
    bundle = here().bundle
    name = None if name == DEFAULT else name
    overlay = bundle / f"configs/network_{name}.json"
    if name and not overlay.is_file():
        files = (bundle / "configs").glob("network_*.json")
        known = [DEFAULT, *sorted(path.stem.removeprefix("network_") for path in files)]
        raise BadInput(f"--network {name}: is unknown; give one of {', '.join(known)}")
    parser = ConfigParser()
    parser.read_config([str(bundle / "configs/inference.json"), *([str(overlay)] if name else [])])
    parser["bundle_root"] = str(bundle)
    if weights:
        parser["weights"] = [str(file) for file in weights]
    files, size, classes = (parser.get_parsed_content(key) for key in ("weights", "patch_size", "class_names"))
    network = build_network({**parser.get(), "default_patch_size": size}, classes)
    load_weights(network, files[0] if isinstance(files, list) and len(files) == 1 else files)
    return network.eval(), int(size)
