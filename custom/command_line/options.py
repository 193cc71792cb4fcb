"""Command-line values that cannot be right are refused before any work is done."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from custom.base.errors import BadInput
from custom.command_line.typed import SEVERAL

OPTIONAL = ("weights", "region", "back", "unlabelled")  # keys of a path that may be left without one


def check_paths(**options: Any) -> None:
    """Check paths, wherever they came from: a YAML config makes a number of `2026`, and of `~/a` nobody makes a home.

    Args:
        options: for each option its path; `weights` and `stack` may be a list of paths too, and what is in `OPTIONAL` None.

    Raises:
        BadInput: a value that is neither text nor a path, an empty one, a `~` that the shell left.
    """
    for name, value in options.items():
        if value is None and name in OPTIONAL:
            continue
        several = list(value) if name in SEVERAL and isinstance(value, (list, tuple)) else [value]
        for path in several:
            _check_path(name, path)


def _check_path(name: str, path: Any) -> None:
    if path is None:
        raise BadInput(f"--{name} null: is no path; give one, or leave {name} away")
    if not isinstance(path, (str, os.PathLike)):
        raise BadInput(
            f"--{name} {path}: is read as {type(path).__name__}, not as a path; put its name in quotes there"
        )
    if fault := _path_fault(os.fspath(path)):
        raise BadInput(f"--{name} {os.fspath(path) or repr('')}: {fault}")


def _path_fault(path: str) -> str | None:
    """What is wrong with a path before anything is looked for there, and the cure."""
    if not path.strip():
        return "is empty, as a script's variable without a value leaves it; give a path, or leave the key away"
    home = os.path.expanduser(path)
    if home != path and not os.path.lexists(path):
        return f"the shell has left the ~ as it is; give {home}, or ./{path} if that is its name"
    return None


class GivenPath(argparse.Action):
    """A script's option that takes a path, or several: given once, and never empty, which would mean this folder."""

    given: Any = None

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """What argparse calls; its `error` ends the script with code 2."""
        for word in values if isinstance(values, list) else [values]:
            if fault := _path_fault(word):
                parser.error(f"{option} {word!r}: {fault}")
            if word == "None" and not os.path.lexists(word):
                parser.error(f"{option} None: is Python's word for no value; give ./None if that is the path's name")
        if self.given not in (None, values):
            parser.error(f"{option}: is given more than once ({self.given}, {values}); give it once")
        self.given = values
        setattr(namespace, self.dest, [Path(word) for word in values] if isinstance(values, list) else Path(values))


def check_device(device: str | torch.device) -> torch.device:
    """The device, if this machine has it.

    Raises:
        BadInput: an unknown name, or CUDA where torch sees none.
    """
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise BadInput(f"--device {device}: is no device; give cpu, cuda or cuda:N") from error
    if chosen.type == "cuda" and (not torch.cuda.is_available() or (chosen.index or 0) >= torch.cuda.device_count()):
        raise BadInput(
            f"--device {device}: torch sees {torch.cuda.device_count()} CUDA devices here; leave --device away to take "
            "what there is, or install a CUDA build of torch"
        )
    return chosen


def check_threshold(threshold: float, classes: Sequence[str]) -> None:
    """Check that a threshold is given where one makes the mask: of a single class.

    Raises:
        BadInput: another one than the default's 0.5, for several classes.
    """
    if len(classes) > 1 and threshold != 0.5:
        raise BadInput(
            f"--threshold {threshold}: several classes ({', '.join(classes)}) are told apart by the highest probability; leave "
            "--threshold away"
        )


def check_uncertainty(wanted: bool, network: Any) -> None:
    """Check that the members' disagreement is asked of a network that has members.

    Raises:
        BadInput: it is asked of a single network.
    """
    if wanted and not getattr(network, "disagreement", False):
        raise BadInput(
            f"--uncertainty true: is the disagreement of an E-Net's members, and {type(network).__name__} runs one network; "
            "stack network_enet.json after inference.json, with a blend of two or more, or give --probability true"
        )
