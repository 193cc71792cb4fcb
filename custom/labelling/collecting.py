"""What was drawn on suggested slices, or on a stack, added to a labelled data set."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.data.json_beside import read_entries
from custom.data.listing import stacks_in
from custom.labelling.drawn import Drawn, labels_of, sheets_of_images, sheets_of_stack
from custom.labelling.meaning import Meaning, meaning_of
from custom.labelling.scan_entry import entries_in, entry_of, merged, write_slice
from custom.labelling.suggesting import DRAFTS, RECORD, digest_of
from custom.report import write_json
from custom.stack import Stack, open_stack
from custom.stack.formats import stem_of
from custom.stack.numbering import natural_key

logger = logging.getLogger("labelling")

LABELLED, LEFT_OUT = "labelled", "left_out"  # what a draft is that came back as it was written


class Collecting:
    """Adds drawn labels to a labelled data set, which is made if need be; `run` does it.

    Args:
        dataset_dir: gets ``images/``, ``labels/`` (uint8: 0 background, 1, 2, ... classes, 255 unlabelled) and ``scans.json``.
        drawn: a file, or a folder of files; None: the labels/ of `suggested`, or where there are none its drafts.
        suggested: the folder of `Suggesting` that was drawn on; None: `stack` was.
        stack: what was drawn on, opened by the keys of `opened`.
        classes: names of the values 1, 2, ...; None: those of the drafts, or lithium.
        label_map, label_255, label_key, label_index: as of a training; the map may list names of segments too.
        unchanged: whether drafts that came back as they were written are "labelled" or "left_out"; None: refused if there are.
        overwrite: whether slices that the data set has already get the labels drawn now.
        opened: `stack_key` and `stack_index` of `stack`.
    """

    def __init__(
        self,
        dataset_dir: str | Path,
        drawn: str | Path | None,
        suggested: str | Path | None,
        stack: str | Path | None,
        classes: Sequence[str] | None = None,
        label_map: Mapping[Any, Any] | None = None,
        label_255: str = "auto",
        label_key: str | None = None,
        label_index: Any = None,
        unchanged: str | None = None,
        overwrite: bool = False,
        **opened: Any,
    ) -> None:
        if (suggested is None) == (stack is None):
            raise BadInput("--suggested, --stack: give the one of both that was drawn on")
        self.folder, self.unchanged, self.overwrite = Path(dataset_dir), unchanged, overwrite
        self.suggested = None if suggested is None else Path(suggested)
        self.stack: Stack | None = None if stack is None else open_stack(stack, **opened)
        record = {} if self.suggested is None else _record(self.suggested)
        self._digests = dict(record.get("drafts") or ())
        names = tuple(classes or record.get("classes") or ("lithium",))
        if label_255 == "auto" and record.get("box") is not None:
            label_255 = "unlabelled"  # as the drafts have it around their boxes
        reading = {"label_255": label_255, "label_key": label_key, "label_index": label_index}
        self.meaning: Meaning = meaning_of(label_map, names, **reading)
        self.drawn = Path(drawn) if drawn is not None else self._usual()

    def _usual(self) -> Path:
        if self.suggested is None:
            raise BadInput("--drawn: is missing; give the file that you drew in")
        return next(
            (path for name in ("labels", DRAFTS) if (path := self.suggested / name).is_dir()), self.suggested / "labels"
        )

    def run(self) -> None:
        """Read what was drawn, look whether all of it can be added, and add it.

        Raises:
            BadInput: what `sheets_of_images`, `sheets_of_stack` and `labels_of` raise; drafts that nobody changed, where nothing
                says what they are; slices that the data set has with other labels. Nothing is written then.
        """
        if not self.drawn.exists():
            raise BadInput(f"{self.drawn}: does not exist; give the file or folder that you drew in with --drawn")
        entry, sheets = self._sheets()
        found = self._changed(labels_of(sheets, self.drawn, self.meaning))
        if not any((one.labels != UNLABELLED).any() for one in found):
            raise BadInput(f"{self.drawn}: no voxel of its {len(found)} slices is labelled; draw on some first")
        found = [one for one in found if (one.labels != UNLABELLED).any()]
        self._refuse_others(found)
        names = {one.sheet.name for one in found}
        told = {
            name: {**scan, "files": [file for file in scan["files"] if file in names]} for name, scan in entry.items()
        }
        scans = merged(entries_in(self.folder), told, self.folder)
        for one in found:
            name, image, z = one.sheet.name, one.sheet.image, one.sheet.z
            write_slice(self.folder / "images", name, image.read(z, z + 1), image, overwrite=True)
            classes = self.meaning.reading.classes
            write_slice(self.folder / "labels", name, one.labels[None], image, classes, overwrite=True)
        write_json(self.folder / "scans.json", scans)
        self._tell(found)

    def _sheets(self) -> tuple[dict[str, Any], list[Any]]:
        """What scans.json says of all slices, and those that were drawn on."""
        if self.stack is not None:
            sheets = sheets_of_stack(self.stack, self.drawn, self.meaning)
            return entry_of(self.stack, [sheet.z for sheet in sheets]), sheets
        assert self.suggested is not None
        paths = sorted(stacks_in(self.suggested / "images"), key=natural_key)
        images = {stem_of(path): open_stack(path) for path in paths}
        return entries_in(self.suggested), sheets_of_images(images, self.drawn, self.meaning)

    def _changed(self, found: list[Drawn]) -> list[Drawn]:
        """Without the drafts that came back as they were, unless they are said to be labels."""
        same = [one for one in found if self._digests.get(one.sheet.name) == digest_of(one.labels)]
        if not same or self.unchanged == LABELLED:
            return found
        names = ", ".join(one.sheet.name for one in same[:3]) + (" ..." if len(same) > 3 else "")
        if self.unchanged is None:
            raise BadInput(
                f"{self.drawn}: {len(same)} of {len(found)} labels are the drafts as they were written ({names}); give --unchanged "
                f"{LABELLED} if you looked at them and they are right, or --unchanged {LEFT_OUT}"
            )
        logger.info("%s: %d drafts that nobody changed are left out: %s.", self.drawn, len(same), names)
        return [one for one in found if one not in same]

    def _refuse_others(self, found: Sequence[Drawn]) -> None:
        """Refuse to replace what the data set has."""
        for one in found:
            image, label = (self.folder / part / f"{one.sheet.name}.tif" for part in ("images", "labels"))
            if image.exists() and not _same(image, one.sheet.image.read(one.sheet.z, one.sheet.z + 1)):
                raise BadInput(
                    f"{image}: is another image than the one of that name that was drawn on; give another --dataset_dir, or rename "
                    "the stack that it comes from"
                )
            if label.exists() and not self.overwrite and not _same(label, one.labels[None]):
                raise BadInput(
                    f"{label}: holds other labels than those drawn now; give --overwrite true to replace them, or take "
                    f"{one.sheet.label.path} away"
                )

    def _tell(self, found: Sequence[Drawn]) -> None:
        labelled = sum(int((one.labels != UNLABELLED).sum()) for one in found)
        drawn = sum(int(((one.labels > 0) & (one.labels != UNLABELLED)).sum()) for one in found)
        logger.info(
            "%s: %d slices with %d labelled voxels, %.3g %% of them %s.",
            self.folder,
            len(found),
            labelled,
            100 * drawn / labelled,
            " or ".join(self.meaning.reading.classes),
        )


def _record(suggested: Path) -> dict[str, Any]:
    path = suggested / RECORD
    if not path.is_file():
        raise BadInput(
            f"{suggested}: holds no {RECORD}, so it is not the folder of a suggestion; give that with --suggested, or the stack that "
            "was drawn on with --stack"
        )
    entries = dict(read_entries(path, '{"drafts": {}}', "make the suggestion anew"))
    return {**entries, "drafts": dict(entries.get("drafts") or ())}


def _same(path: Path, voxels: np.ndarray) -> bool:
    stack = open_stack(path)
    return stack.shape == voxels.shape and bool(
        np.array_equal(stack.read(0, 1), voxels, equal_nan=voxels.dtype.kind == "f")
    )
