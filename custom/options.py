"""Command-line values that cannot be right are refused before any work is done."""

from __future__ import annotations

import os
from typing import Any

from custom.errors import BadInput


def check_numbers(**options: tuple[Any, float, float]) -> None:
    """Check numbers against their range.

    Args:
        options: for each option its value, the least and the most that it may be; only whole numbers will do where the
            least is an int. None, an option that is switched off, passes.

    Raises:
        BadInput: a value that is no number, or out of its range.
    """
    for name, (value, least, most) in options.items():
        kinds, words = (int, "a whole number") if isinstance(least, int) else ((int, float), "a number")
        number = isinstance(value, kinds) and not isinstance(value, bool)
        if value is not None and not (number and least <= value <= most):
            raise BadInput(f"--{name} {value}: cannot be; give {words} from {least} to {most}")


def check_choices(**options: tuple[Any, ...]) -> None:
    """Check words: for each option its value, then all that it may be.

    Raises:
        BadInput: another value.
    """
    for name, (value, *choices) in options.items():
        if value not in choices:
            raise BadInput(f"--{name} {value}: is unknown; give one of {', '.join(map(str, choices))}")


def switches(**options: Any) -> dict[str, bool]:
    """Switches as bools: the command line hands over `--overwrite false` as a word, which by itself counts as true.

    Raises:
        BadInput: a value that is neither true nor false.
    """
    for name, value in options.items():
        if str(value).lower() not in ("true", "false"):
            raise BadInput(f"--{name} {value}: is unknown; give true or false")
    return {name: str(value).lower() == "true" for name, value in options.items()}


def check_paths(**options: Any) -> None:
    """Check paths: the command line reads `--stack 2026` as a number.

    Raises:
        BadInput: a value that is neither text nor a path.
    """
    for name, value in options.items():
        if not isinstance(value, (str, os.PathLike)):
            raise BadInput(f"--{name} {value}: is not read as a path; give the path as ./{value}")


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
