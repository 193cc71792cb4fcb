"""What a user may set: the kind and the range of every key that is more than a path or a text."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from custom.base.errors import BadInput
from custom.command_line.options import check_device


@dataclass(frozen=True)
class Number:
    """A number from `least` to `most`; a whole one where `least` is an int. None, an option that is off, passes."""

    least: float
    most: float

    def check(self, name: str, value: Any) -> Any:
        """The value.

        Raises:
            BadInput: it is no number, or out of its range.
        """
        kinds, words = (int, "a whole number") if isinstance(self.least, int) else ((int, float), "a number")
        number = isinstance(value, kinds) and not isinstance(value, bool)
        if value is not None and not (number and self.least <= value <= self.most):
            raise BadInput(f"--{name} {value}: cannot be; give {words} from {self.least} to {self.most}")
        return value


@dataclass(frozen=True)
class Numbers:
    """A list of numbers from `least` to `most`; one alone is a list of one, None an empty one."""

    least: float
    most: float

    def check(self, name: str, value: Any) -> list[float]:
        """The list.

        Raises:
            BadInput: something in it is no number, or out of the range.
        """
        try:
            read = ast.literal_eval(value) if isinstance(value, str) else value
            every = [] if read is None else list(read) if isinstance(read, (list, tuple)) else [read]
            numbers = [float(one) if isinstance(one, str) else one for one in every]
        except (SyntaxError, ValueError):
            numbers = [value]
        for number in numbers:
            if isinstance(number, bool) or not (isinstance(number, (int, float)) and self.least <= number <= self.most):
                raise BadInput(
                    f"--{name} {value}: cannot be; give numbers from {self.least} to {self.most}, such as [0.4,0.6]"
                )
        return numbers


@dataclass(frozen=True)
class Word:
    """One of some words; None where it is among them: an option that is off."""

    words: tuple[str | None, ...]

    def check(self, name: str, value: Any) -> Any:
        """The value.

        Raises:
            BadInput: it is another one.
        """
        if value not in self.words:
            raise BadInput(f"--{name} {value}: is unknown; give one of {', '.join(filter(None, self.words))}")
        return value


class Switch:
    """True or false."""

    def check(self, name: str, value: Any) -> bool:
        """The value as a bool: the command line hands over `--overwrite false` as a word, which by itself counts as true.

        Raises:
            BadInput: it is neither.
        """
        if str(value).lower() not in ("true", "false"):
            raise BadInput(f"--{name} {value}: is unknown; give true or false")
        return str(value).lower() == "true"


class Device:
    """Something that torch computes on."""

    def check(self, name: str, value: Any) -> Any:
        """The value.

        Raises:
            BadInput: this machine has no such device.
        """
        check_device(value)
        return value


# of all commands, in the order in which they are looked at; what a command has not, is none of its keys
OPTIONS: dict[str, Number | Numbers | Word | Switch | Device] = {
    "loss": Word(("dice_bce", "bce", "balanced_bce", "tversky", "focal_tversky")),
    "hold_out": Word(("blocks", "scan")),
    "guard": Word(("warn", "refuse", "off")),
    "section": Word(("train", "val", "test")),
    "max_epochs": Number(1, 1_000_000),
    "max_minutes": Number(0.0, 1_000_000.0),
    "batch_size": Number(1, 65_536),
    "patches_per_epoch": Number(1, 1_000_000_000),
    "learning_rate": Number(0.0, 10.0),
    "slab_height": Number(1, 65_536),
    "overlap": Number(0.0, 0.99),
    "threshold": Number(0.0, 1.0),
    "thresholds": Numbers(0.0, 1.0),
    "val_interval": Number(1, 1_000_000),
    "val_slices": Number(1, 1_000_000),
    "num_workers": Number(0, 4096),
    "cache_rate": Number(0.0, 1.0),
    "seed": Number(0, 4_294_967_295),
    "boundary_tolerance": Number(0.0, 10_000.0),
    "device": Device(),
    "resume": Switch(),
    "overwrite": Switch(),
    "allow_seen": Switch(),
    "probability": Switch(),
    "uncertainty": Switch(),
    "compile": Switch(),
    "engine": Word(("auto", "torch", "openvino", "int8")),
    "invert": Switch(),
    "labels": Switch(),
    "measure": Switch(),
    "drafts": Switch(),
    "unchanged": Word((None, "labelled", "left_out")),
    "slices": Number(1, 1_000_000),
    "box": Number(1, 65_536),
    "skeletons": Number(0, 100_000),
    "order": Word(("linear", "cubic", "nearest")),
    "threads": Number(1, 4096),
    # last: where it is not given, it is that of the weights' training
    "patch_size": Number(1, 65_536),
}
