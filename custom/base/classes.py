"""What is looked for: the names of the classes, in the order of their label values 1, 2, ...

One class is a yes or no: one channel, its logit, and the sigmoid. Several exclude each other: a channel for the background
and one for each of them, in the order of the label values 0, 1, 2, ..., and the softmax.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from custom.base.errors import BadInput

BACKGROUND, UNLABELLED = 0, 255
LITHIUM = ("lithium",)  # what is looked for unless something else is said
MOST = UNLABELLED - 1
LEAST_VALUE, MOST_VALUE = -32768, 65535  # of what a labelling tool writes, which a label map turns into labels
_OTHERS = ("background", "unlabelled")  # what a label map calls the values 0 and 255
_CURES = {
    "classes": "give the names in the order of their label values, such as --classes \"['pit', 'dendrite']\"",
    "merge": "give names for what is left, such as --merge \"{'lithium': ['dendrite', 'redeposited']}\"",
}


def class_names(given: Any, key: str = "classes") -> tuple[str, ...]:
    """The names that a key gives, `classes` or another: a list of them or a single one.

    Raises:
        BadInput: no name or no text, or more than a line of it, a name twice, one that stands for no class, or more than 254.
    """
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Sequence) else (None,)
    if not names or not all(
        isinstance(name, str) and name.strip() == name != "" and name.isprintable() for name in names
    ):
        raise BadInput(f"--{key} {given}: is no list of names; {_CURES[key]}")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"--{key}: names {twice!r} twice; {_CURES[key]}")
    if other := next((name for name in names if name in _OTHERS), None):
        raise BadInput(f"--{key}: {other!r} is what voxels of no class are called; leave it away, {_CURES[key]}")
    if len(names) > MOST:
        raise BadInput(
            f"--{key}: names {len(names)} classes, and labels have room for {MOST} (0 is background, 255 unlabelled); take "
            "some together with --label_map"
        )
    return names


def channels(classes: Sequence[str]) -> int:
    """How many a network puts out: 1 for one class, else one more than there are classes."""
    return 1 if len(classes) == 1 else 1 + len(classes)
