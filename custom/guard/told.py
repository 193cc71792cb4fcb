"""The expected Dice beside the guard's verdict, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custom.guard.verdict import UNLIKE

Expected = Mapping[str, Any]


def beside_verdict(summary: Mapping[str, Any]) -> dict[str, Any]:
    """summary.json, whose expected Dice promises nothing at its lower end where the stack is unlike the training's scans.

    What the validation's slices missed by says nothing of such a stack.

    Args:
        summary: with ``expected_dice``, and ``guard`` where there is a verdict.
    """
    told = dict(summary)
    if (told.get("guard") or {}).get("verdict") == UNLIKE and "expected_dice" in told:
        found = told["expected_dice"]
        told["expected_dice"] = (
            _without_end(found) if "value" in found else {name: _without_end(one) for name, one in found.items()}
        )
    return told


def _without_end(expected: Expected) -> dict[str, Any]:
    interval = expected["interval"]
    return {**expected, "interval": None if interval is None else [0.0, interval[1]]}


def expected_text(summary: Mapping[str, Any], classes: Sequence[str]) -> str:
    """The expected Dice of each class that was found, with its interval; "" where there is none.

    Args:
        summary: of summary.json.
        classes: names of the mask's values 1, 2, ...
    """
    found = summary.get("expected_dice") or {}
    each = {classes[0]: found} if len(classes) == 1 else {name: found.get(name) or {} for name in classes}
    words = [
        ("" if len(classes) == 1 else f"{name} ")
        + f"{one['value']:.3f} ({one['interval'][0]:.2f} to {one['interval'][1]:.2f})"
        for name, one in each.items()
        if one.get("value") is not None
    ]
    return ", ".join(words)


def rests_on(expected: Expected) -> str:
    """What the expected Dice of one class is made of."""
    parts = [
        "probabilities" if expected["agreement_of_members"] is None else "probabilities and the members' agreement"
    ]
    if expected["least_edge"] is not None:
        edge, least = (f"{100 * expected[name]:.0f}" for name in ("edge", "least_edge"))
        parts.append(f"edges of {edge} % of the window, at least {least} % expected")
    if expected["allowed_share"] is not None:
        lower, upper = (f"{end:.1%}" for end in expected["allowed_share"])
        parts.append(f"a share of {expected['share']:.1%}, {lower} to {upper} expected")
    missed = expected["error_at_validation"]
    parts.append("no validation that is known" if missed is None else f"a validation that it missed by {missed:.3f}")
    return "; ".join(parts)
