"""The keys of a command line that say how a labelled data set is read, as the bundle's own commands have them."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from typing import Any

from custom.base.classes import LITHIUM, class_names
from custom.data import Reading


def add_dataset_keys(parser: argparse.ArgumentParser) -> None:
    """`--image_key`, `--image_index`, `--label_key`, `--label_index`, `--label_255`, `--label_map`,
    `--label_folder` and `--classes`."""
    for part in ("image", "label"):
        parser.add_argument(f"--{part}_key", help=f"array within the HDF5 files or Zarrs of {part}s/")
        parser.add_argument(
            f"--{part}_index", type=_index, help=f"channel or time of the files of {part}s/, e.g. 1 or [0,1]"
        )
    parser.add_argument(
        "--label_255", default="auto", help="what 255 in a label is: unlabelled, lithium, or auto: the labels tell"
    )
    parser.add_argument(
        "--label_map", type=_literal, help="from values in the labels to classes: \"{'1': 'lithium', '4': 255}\""
    )
    parser.add_argument("--label_folder", default="labels", help="folder of the labels, beside images/")
    parser.add_argument(
        "--classes",
        type=_literal,
        default=list(LITHIUM),
        help="what is looked for, in the order of the label values: \"['pit', 'dendrite']\"; by default lithium",
    )


def reading_of(given: argparse.Namespace) -> Reading:
    """What was given.

    Raises:
        BadInput: an unknown `--label_255`, a `--label_map`, `--label_folder` or `--classes` that cannot be.
    """
    names = ("image_key", "image_index", "label_key", "label_index", "label_255", "label_map", "label_folder")
    return Reading(**{name: getattr(given, name) for name in names}, classes=class_names(given.classes))


def words_of(reading: Reading) -> dict[str, str]:
    """The same keys for a command of the bundle."""
    given = reading.given()
    return {name: _word(name, value) for name, value in given.items()}


def _word(name: str, value: Any) -> str:
    if name == "classes":
        return str(list(value))
    return str(value) if isinstance(value, Mapping) else str(value).replace(" ", "")


def _index(text: str) -> list[int]:
    return [int(number) for number in text.strip("[]()").split(",")]


def _literal(text: str) -> Any:
    """What is no mapping, or no list, is refused where it is used."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text
