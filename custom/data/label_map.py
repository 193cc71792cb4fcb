"""The values of a labelling tool as classes: what `label_map` says, worked out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from custom.base.classes import BACKGROUND, LEAST_VALUE, MOST_VALUE, UNLABELLED
from custom.base.errors import BadInput

LabelValues = tuple[tuple[int, int], ...]  # (value in a file, label), as `custom.stack.LabelStack` takes them

_WHOLE = re.compile(r"\s*(-?[0-9]+)(\.0*)?\s*")
_EXAMPLE = '{"1": "lithium", "4": "background", "7": 255}'


def as_written(label_map: Any) -> dict[str, Any] | None:
    """The mapping with its values as texts and without remarks (`_desc_`): what is kept with the weights.

    Raises:
        BadInput: it is no mapping or an empty one, or lists one value twice.
    """
    if label_map is None:
        return None
    if not isinstance(label_map, Mapping):
        raise BadInput(
            f"--label_map {label_map}: is no mapping of the values in your labels to classes; write one such as {_EXAMPLE}"
        )
    listed = [(str(value), name) for value, name in label_map.items() if value != "_desc_"]
    written = dict(listed)
    if twice := next((text for text, name in listed if written[text] != name), None):  # YAML's 1, and --label_map#1
        raise BadInput(
            f'--label_map: holds {twice} as a number and as a text, with two classes; write "{twice}" in quotes in the file, '
            "and only once"
        )
    if not written:
        raise BadInput(
            f"--label_map {dict(label_map)}: lists no value; leave it away where labels are 0, 1 and 255, or write one such "
            f"as {_EXAMPLE}"
        )
    return written


def label_values(label_map: Mapping[Any, Any], classes: Sequence[str]) -> LabelValues:
    """Which label each value in a file stands for, in ascending order; 0 is background unless it is listed.

    Args:
        label_map: from values, whole numbers in [-32768, 65535] or texts of them (JSON's keys), to a name of `classes`,
            "background", or 255 ("unlabelled").
        classes: what is looked for, in the order of their labels 1, 2, ...

    Raises:
        BadInput: no mapping or an empty one, a value that is no whole number or out of range, an unknown class, a value
            that is sent to two classes.
    """
    labels = {"background": BACKGROUND, **{name: 1 + i for i, name in enumerate(classes)}, "unlabelled": UNLABELLED}
    found: dict[int, tuple[str, Any]] = {}
    for text, name in (as_written(label_map) or {}).items():
        value, label = _value(text), _label(text, name, labels)
        if value in found and labels[found[value][1]] != labels[label]:
            other, before = found[value]
            raise BadInput(
                f'--label_map: sends {value} both to {before} ("{other}") and to {label} ("{text}"); keep one of the two'
            )
        found.setdefault(value, (text, label))
    values = {BACKGROUND: BACKGROUND} | {value: labels[label] for value, (_, label) in found.items()}
    return tuple(sorted(values.items()))


def as_numbered(classes: int) -> LabelValues:
    """Labels that are the numbers of `classes` classes themselves, beside 0 and 255."""
    return tuple((value, value) for value in (*range(1 + classes), UNLABELLED))


def check_255(label_map: Mapping[str, Any], values: LabelValues, label_255: str) -> None:
    """Check that `label_255` says nothing else of 255 than a label map; 1 is then lithium, the only class.

    Raises:
        BadInput: it does.
    """
    if label_255 == "auto":
        return
    if dict(values).get(UNLABELLED) != (UNLABELLED if label_255 == "unlabelled" else 1):
        raise BadInput(
            f'--label_255 {label_255}: what 255 is stands in --label_map {label_map}; leave --label_255 away and list "255" '
            "there"
        )


def contradiction(first: LabelValues, second: LabelValues) -> int | None:
    """The first value that two maps send to different classes; None where one may only list more than the other.

    What either does not list no label holds that was read by it.
    """
    other = dict(second)
    return next((value for value, label in first if other.get(value, label) != label), None)


def _value(text: str) -> int:
    found = _WHOLE.fullmatch(text)
    if not found or not LEAST_VALUE <= int(found[1]) <= MOST_VALUE:
        raise BadInput(
            f'--label_map: "{text}" is no whole number from {LEAST_VALUE} to {MOST_VALUE}, as values of labels are; write the value that your '
            f"labelling tool gives, such as {_EXAMPLE}"
        )
    return int(found[1])


def _label(text: str, name: Any, labels: Mapping[str, int]) -> str:
    if not isinstance(name, bool) and name in (UNLABELLED, str(UNLABELLED)):
        return "unlabelled"
    if not isinstance(name, str) or name not in labels:
        known = ", ".join(f'"{one}"' for one in labels)
        raise BadInput(f'--label_map: "{text}": {name!r} is an unknown class; give one of {known} (255)')
    return name
