"""The keys of a command line that say how a labelled data set is read, as the bundle's own commands have them."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from typing import Any

from custom.data import Reading


def add_dataset_keys(parser: argparse.ArgumentParser) -> None:
    """`--image_key`, `--image_index`, `--label_key`, `--label_index`, `--label_255` and `--label_map`."""
    for part in ("image", "label"):
        parser.add_argument(f"--{part}_key", help=f"array within the HDF5 files or Zarrs of {part}s/")
        parser.add_argument(
            f"--{part}_index", type=_index, help=f"channel or time of the files of {part}s/, e.g. 1 or [0,1]"
        )
    parser.add_argument(
        "--label_255", default="auto", help="what 255 in a label is: unlabelled, lithium, or auto: the labels tell"
    )
    parser.add_argument(
        "--label_map", type=_mapping, help="from values in the labels to classes: \"{'1': 'lithium', '4': 255}\""
    )


def reading_of(given: argparse.Namespace) -> Reading:
    """What was given.

    Raises:
        BadInput: an unknown `--label_255`, a `--label_map` that cannot be.
    """
    return Reading(
        given.image_key, given.image_index, given.label_key, given.label_index, given.label_255, given.label_map
    )


def words_of(reading: Reading) -> dict[str, str]:
    """The same keys for a command of the bundle."""
    given = reading.given()
    return {name: str(v) if isinstance(v, Mapping) else str(v).replace(" ", "") for name, v in given.items()}


def _index(text: str) -> list[int]:
    return [int(number) for number in text.strip("[]()").split(",")]


def _mapping(text: str) -> Any:
    """What is no mapping is refused by `Reading`."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text
