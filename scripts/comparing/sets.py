"""Data sets by the names of their folders, and how each is read."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from custom.base.classes import class_names
from custom.base.errors import BadInput
from custom.data import Reading

KEYS = tuple(field.name for field in fields(Reading))  # of a training's command line too


def named(folders: Sequence[Path]) -> dict[str, Path]:
    """The sets by the names of their folders.

    Raises:
        BadInput: two of one name.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        name = folder.absolute().name
        if name in found:
            raise BadInput(f"{folder}: has the name of {found[name]}; give one of them as a link of another name")
        found[name] = folder.absolute()
    return found


def readings_of(names: Sequence[str], words: Sequence[str]) -> dict[str, Reading]:
    """How each set is read.

    Raises:
        BadInput: a set that is not given, or no keys of a training.
    """
    keys: dict[str, dict[str, Any]] = dict.fromkeys(names, {})
    for word in words:
        name, _, text = word.partition("=")
        if name not in keys:
            raise BadInput(f"--keys {word}: {name!r} is none of --datasets; begin with one of {', '.join(names)}")
        try:
            found: Any = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            found = None
        if not isinstance(found, dict) or not set(found) <= set(KEYS):
            raise BadInput(
                f"--keys {word}: is not of the form {name}=\"{{'label_255': 'lithium'}}\" with {', '.join(KEYS)}"
            )
        keys[name] = found
    readings = {}
    for name, given in keys.items():
        classes = {"classes": class_names(given["classes"])} if "classes" in given else {}
        readings[name] = Reading(**{**given, **classes})
    return readings
