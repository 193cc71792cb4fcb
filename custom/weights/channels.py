"""Weights of a network that puts out another number of channels: those of other classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import torch

from custom.base.classes import channels


def other_classes(
    wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor], classes: Sequence[str]
) -> str | None:
    """Fault and cure, in words, where `given` are weights of the same network but for other classes; None otherwise.

    Args:
        wanted: the state of the network, which was built for `classes`.
        given: what was read for it.
        classes: what is looked for.
    """
    here, there = channels(classes), _channels_of(wanted, given, channels(classes))
    if there is None:
        return None
    if there == 1:
        found, cure = "1 channel, that of one class", "leave --classes away, or name one"
    else:
        found = f"{there} channels, background's and those of {there - 1} classes in the order of their label values"
        cure = f"give --classes their {there - 1} names in that order"
    looked = "what is looked for is" if len(classes) == 1 else "--classes gives"
    return (
        f"are the weights of a network that puts out {found}, and {looked} {list(classes)}, which take {here}; {cure}, or "
        "weights of these classes"
    )


def _channels_of(wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor], here: int) -> int | None:
    """The channels that the network of `given` puts out, if they are all in which it differs from one that puts out `here`.

    Then few of its tensors differ, those of the last layers, and every axis by the same factor.
    """
    if wanted.keys() != given.keys() or any(wanted[key].ndim != given[key].ndim for key in wanted):
        return None
    differing = [key for key in wanted if wanted[key].shape != given[key].shape]
    pairs = [pair for key in differing for pair in zip(wanted[key].shape, given[key].shape, strict=True)]
    there = {Fraction(theirs * here, ours) for ours, theirs in pairs if ours != theirs}
    if len(there) != 1 or 2 * len(differing) > len(wanted):
        return None
    number = there.pop()
    return int(number) if number.denominator == 1 and number != 2 else None  # no classes take two
