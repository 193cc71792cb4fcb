"""Whether a checkpoint is of the same kinds of parts as the training that goes on with it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from custom.base.errors import BadInput

logger = logging.getLogger("training")

KINDS = "kinds"  # the entry of a checkpoint that holds the names of its parts' classes


def kinds(parts: Mapping[str, Any]) -> dict[str, str]:
    """The class of each part."""
    return {name: type(part).__name__ for name, part in parts.items()}


def check_parts(path: Path, parts: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Refuse a checkpoint of another optimizer: torch takes over what it finds, and fails at the first step, if at all.

    Checkpoints without the names of the classes are judged by the settings that each class has of its own.

    Raises:
        BadInput: names both.
    """
    cure = "resume with the config files that began it, or give --overwrite true to start anew"
    for name, part in parts.items():
        noted, own = state.get(KINDS, {}).get(name), type(part).__name__
        if noted not in (None, own):
            raise BadInput(f"{path}: its {name} is {noted}, and that of the config files {own}; {cure}")
        if isinstance(part, torch.optim.Optimizer):
            was, now = (set().union(*groups) for groups in (state[name]["param_groups"], part.param_groups))
            if was - now and now - was:
                settings = " and ".join(sorted(was - now)[:3])
                raise BadInput(f"{path}: its {name} has the settings {settings}, which {own} lacks; {cure}")


def load_optimizer(optimizer: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Load an optimizer's state; the settings that the config files give count, as the learning rate does."""
    given = [dict(group) for group in optimizer.param_groups]
    optimizer.load_state_dict(dict(state))
    for group, own in zip(optimizer.param_groups, given, strict=True):
        for name in sorted(own.keys() - {"params", "lr", "initial_lr"}):
            if name in group and group[name] != own[name]:
                logger.info("The training began with %s %s and goes on with %s.", name, group[name], own[name])
                group[name] = own[name]
