"""Slices of a stack to label next: written as images, with what a network finds in them as drafts to correct."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from monai.engines import SupervisedEvaluator

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.base.whole_folder import whole_folder
from custom.labelling.boxes import boxes
from custom.labelling.scan_entry import entry_of, name_of, write_slice
from custom.labelling.spacing import next_slices
from custom.report import write_json
from custom.stack import Scaling, Slab, Stack, grey_window, outside
from custom.stack.formats import stem_of

logger = logging.getLogger("labelling")

DRAFTS, RECORD = "drafts", "suggested.json"


def labelled_of(stack: Stack, folders: Sequence[str | Path]) -> list[int]:
    """The slices of a stack that labelled sets or earlier suggestions hold, by the names of their images.

    Raises:
        BadInput: a folder without images/.
    """
    pattern, found = re.compile(re.escape(stem_of(stack.path)) + r"_z(\d+)"), set[int]()
    for folder in map(Path, folders):
        if not (folder / "images").is_dir():
            raise BadInput(
                f"{folder}: holds no images/; give --labelled a labelled data set, or the folder of an earlier suggestion"
            )
        names = (pattern.fullmatch(stem_of(path)) for path in (folder / "images").iterdir())
        found |= {int(match[1]) for match in names if match}
    return sorted(found)


class Suggesting:
    """Writes slices to label next into a folder that appears when it is whole; a handler of the evaluator that makes the drafts.

    The folder gets ``images/NAME_z00123.tif`` with the stack's own grey values, ``drafts/`` of the same names (0 background,
    1, 2, ... classes, 255 outside the box), ``scans.json``, which says what stack they come from, and ``suggested.json``.

    Args:
        stack: what is labelled.
        scaling: how its grey window is found, see `custom.stack.grey_window`.
        count: slices, at most.
        output_dir: must not be there, or be empty: what has been drawn is never replaced.
        classes: names of the values 1, 2, ... of the drafts.
        labelled: folders with images of slices that are labelled already.
        box: edge in voxels of a square to label in each slice; None: whole slices.
        weights: knows the digest of the network's weights.
        region: whether the stack is a region of raw ones, so that no one file holds it.
    """

    def __init__(
        self,
        stack: Stack,
        scaling: Scaling,
        count: int,
        output_dir: str | Path,
        classes: Sequence[str],
        labelled: str | Path | Sequence[str | Path] | None = None,
        box: int | None = None,
        weights: Any = None,
        region: Any = None,
    ) -> None:
        self.stack, self.folder, self.classes, self.weights = stack, Path(output_dir), tuple(classes), weights
        self.window = grey_window(stack, **scaling)
        given = [labelled] if isinstance(labelled, (str, Path)) else list(labelled or ())
        known = labelled_of(stack, given)
        self.slices = next_slices(stack.shape[0], count, known)
        if not self.slices:
            raise BadInput(
                f"{stack.path}: all of its {stack.shape[0]} slices are labelled in {given[0]}; give another stack"
            )
        self._in_a_file = region is None
        self._drafts: dict[int, np.ndarray] = {}
        self._box = box

    def run(self, evaluator: SupervisedEvaluator | None) -> None:
        """Make the drafts, and write the folder.

        Args:
            evaluator: its data set, which has a list `data`, gets the slices; its network has its weights. None: no drafts.

        Raises:
            BadInput: the folder holds something, or cannot be written; whatever reading the stack raises.
        """
        with whole_folder(self.folder) as folder:
            if evaluator is not None:
                self._find(evaluator)
            places = self._places()
            drafts = {}
            for z in self.slices:
                write_slice(folder / "images", name_of(self.stack, z), self.stack.read(z, z + 1), self.stack)
                if (draft := self._draft(z, places.get(z))) is not None:
                    write_slice(folder / DRAFTS, name_of(self.stack, z), draft, self.stack, self.classes)
                    drafts[name_of(self.stack, z)] = digest_of(draft)
            write_json(folder / "scans.json", entry_of(self.stack, self.slices, self._in_a_file))
            write_json(folder / RECORD, self._told(drafts))
        where = self.folder / (DRAFTS if drafts else "images")
        logger.info("%s: %d slices to label: %s.", where, len(self.slices), ", ".join(map(str, self.slices)))

    def attach(self, engine: Engine) -> None:
        """MONAI's handler protocol."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Keep what was found in a batch of slices."""
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        for item, found in zip(batch, output, strict=True):
            self._drafts[int(item["start"])] = found["pred"][0].cpu().numpy().astype(np.uint8)

    def _find(self, evaluator: SupervisedEvaluator) -> None:
        loader: Any = evaluator.data_loader
        grey = {"grey_window": (self.window.lower, self.window.upper), "surround": self.window.surround}
        loader.dataset.data = [{"image": Slab(self.stack, z, z + 1), "start": z, **grey} for z in self.slices]
        evaluator.state.epoch_length = len(loader)
        evaluator.run()

    def _places(self) -> dict[int, tuple[slice, slice]]:
        if self._box is None:
            return {}
        gone = [outside(self.stack.read(z, z + 1)[0], self.window.surround) for z in self.slices]
        planes = [(self.stack.shape[1], self.stack.shape[2])] * len(gone)
        return dict(zip(self.slices, boxes(planes, gone, self._box), strict=True))

    def _draft(self, z: int, box: tuple[slice, slice] | None) -> np.ndarray | None:
        draft = self._drafts.get(z)
        if box is None:
            return draft
        shown = np.zeros((1, *self.stack.shape[1:]), np.uint8) if draft is None else draft
        left = np.full_like(shown, UNLABELLED)
        left[(slice(None), *box)] = shown[(slice(None), *box)]
        return left

    def _told(self, drafts: dict[str, str]) -> dict[str, Any]:
        return {
            "stack": str(self.stack.path.absolute()),
            "slices": self.slices,
            "box": self._box,
            "classes": self.classes,
            "weights": self.weights.sha256() if self.weights is not None and self._drafts else None,
            "drafts": drafts,
        }


def digest_of(labels: np.ndarray) -> str:
    """SHA-256 of labels, uint8, by which a draft that nobody changed is known."""
    return hashlib.sha256(np.ascontiguousarray(labels, np.uint8).tobytes()).hexdigest()
