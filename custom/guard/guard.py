"""The guard of a segmentation: compares its stack with the training of its weights, and says, or refuses."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from custom.base.errors import BadInput
from custom.guard.looking import Look, look_at_stack
from custom.guard.reference import KEY, read_reference
from custom.guard.verdict import CANNOT_JUDGE, CURE, LIKE, UNLIKE, judged, sentence
from custom.stack import GreyWindow, Stack

logger = logging.getLogger("guard")
WARN, REFUSE, OFF = MODES = ("warn", "refuse", "off")


class Guard:
    """Compares a stack with what the records of weights say of their training's slices.

    Args:
        mode: "warn": what is unlike is a warning; "refuse": it ends the run, as does what cannot be judged, since a
            pipeline that asks for it relies on the verdict; "off": nothing is looked at.
        records: of the weights, of each member's in an ensemble.
    """

    def __init__(self, mode: str, records: Sequence[Mapping[str, Any]] = ()) -> None:
        self.mode = mode
        self.known = [(found, record) for record in records if (found := read_reference(record.get(KEY))) is not None]

    def judge(self, stack: Stack, window: GreyWindow, speaks: bool = True) -> dict[str, Any] | None:
        """What summary.json says of the stack under ``guard``, with the ``sentence``; None where nothing was looked at.

        Of several members' trainings the one that the stack is furthest from counts.

        Args:
            stack: what is segmented; some slices are read, one at a time.
            window: its grey window.
            speaks: whether this process speaks for all; the others look only where they may have to refuse.

        Raises:
            BadInput: the mode is "refuse", and the stack is not like the training's scans, or nothing tells whether it is.
        """
        if self.mode == OFF or not (speaks or self.mode == REFUSE):
            return None
        found = self._found(stack, window)
        verdict = found["verdict"]
        if self.mode == REFUSE and verdict != LIKE:
            cure = f"{CURE}, or give --guard warn"
            raise BadInput(
                (sentence(str(stack.path), found, cure) if verdict == UNLIKE else found["sentence"]).rstrip(".")
            )
        if speaks:
            logger.log(logging.WARNING if verdict == UNLIKE else logging.INFO, found["sentence"])
        return found

    def _found(self, stack: Stack, window: GreyWindow) -> dict[str, Any]:
        look = look_at_stack(stack, window) if self.known else Look()
        if look.figures:
            size = stack.voxel_size_um
            every = [judged(look, size, reference, record.get("voxel_size_um")) for reference, record in self.known]
            found = max(every, key=lambda one: one.get("distance", -1.0))
            if found["verdict"] != CANNOT_JUDGE:
                return found | {"sentence": sentence(str(stack.path), found)}
        return {
            "verdict": CANNOT_JUDGE,
            "sentence": f"{stack.path}: whether it looks like the scans that these weights were trained on cannot be judged, "
            "since nothing beside them tells what those looked like; train anew, which notes it in model.json, "
            f"{'or give --guard warn' if self.mode == REFUSE else 'or look at the slices in report.html'}.",
        }
