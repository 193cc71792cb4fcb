"""What values and names of segments in drawn labels stand for, and a drawn file read as labels by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from custom.base.classes import BACKGROUND, UNLABELLED
from custom.base.errors import BadInput
from custom.data.label_map import as_numbered, as_written, label_values
from custom.data.reading import Reading
from custom.stack import LabelStack, Stack, on_grid_of, only_array, open_stack, takes_key
from custom.stack.segments import GrownStack, SegmentStack


@dataclass(frozen=True)
class Meaning:
    """What is in the files.

    Attributes:
        reading: key, index, label map of numbers, classes, and what 255 is.
        names: the label of each name that a segment may have, in small letters.
    """

    reading: Reading
    names: Mapping[str, int] = field(default_factory=dict)

    @property
    def nothing(self) -> int:
        """The label of what a file of numbers holds where nothing was drawn: 0, or what a map makes of that."""
        return dict(self.reading.label_values or ()).get(0, BACKGROUND)


def meaning_of(label_map: Any, classes: Sequence[str], **reading: Any) -> Meaning:
    """The meaning by `--label_map`, whose keys may be values, and names of 3D Slicer's segments.

    Raises:
        BadInput: what `label_values` and `Reading` refuse.
    """
    written = as_written(label_map) or {}
    named = [key for key in written if not key.strip().lstrip("-").replace(".", "").isdecimal()]
    numbers = {key: name for key, name in written.items() if key not in named}
    labels = dict(label_values({str(n): written[key] for n, key in enumerate(named, 1)}, classes)) if named else {}
    own = {"background": BACKGROUND, "unlabelled": UNLABELLED} | {name: 1 + i for i, name in enumerate(classes)}
    names = {name.casefold(): label for name, label in own.items()}
    names |= {key.strip().casefold(): labels[n] for n, key in enumerate(named, 1)}
    return Meaning(Reading(label_map=numbers or None, classes=classes, **reading), names)


def open_drawn(path: Path, image: Stack, meaning: Meaning) -> Stack:
    """A drawn file as labels, uint8 in {0, 1, ..., 255}, lazily; with its voxels where those of its image are.

    Of a file of segments each is what its name says, and where one of them is background, that which nobody drew on is
    unlabelled, as between scribbles. A segmentation that 3D Slicer cropped is grown to the size of its image.

    Raises:
        BadInput: whatever opening it raises; names of segments that say nothing; a label that lies elsewhere than its image.
    """
    reading = meaning.reading
    key = reading.label_key if reading.label_key is not None and takes_key(path) else only_array(path)
    try:
        stored = open_stack(path, stack_key=key, stack_index=reading.label_index, labels=True)
    except BadInput as refusal:
        raise BadInput(str(refusal).replace("--stack_", "--label_")) from refusal
    values = reading.label_values
    if isinstance(stored, SegmentStack) and _named(stored, meaning):
        values = as_numbered(len(reading.classes))
    if isinstance(stored, SegmentStack) and stored.corner is not None and stored.shape != image.shape:
        return LabelStack(GrownStack(stored, stored.corner, image.shape, stored.rest), label_map=values)
    label = LabelStack(stored, label_map=values)
    return on_grid_of(label, image) if label.shape[0] == image.shape[0] else label


def _named(stored: SegmentStack, meaning: Meaning) -> bool:
    """Give each segment the label of its name; False where the values of the file say what they are."""
    labels = {segment: meaning.names.get(segment.name.strip().casefold()) for segment in stored.segments}
    unknown = [segment for segment, label in labels.items() if label is None]
    if unknown and (len(stored.segments) == len(meaning.reading.classes) == 1):
        labels = dict.fromkeys(stored.segments, 1)  # one segment, and one class to draw
    elif unknown and meaning.reading.label_map is not None:
        return False
    elif unknown:
        names = ", ".join(repr(segment.name) for segment in unknown[:5])
        example = f"{{'{unknown[0].name}': '{meaning.reading.classes[0]}'}}"
        raise BadInput(
            f"{stored.path}: nothing says what {names} stand{'s' if len(unknown) == 1 else ''} for; name the segments as the "
            f'classes ({", ".join(meaning.names)}), or say it, such as --label_map "{example}"'
        )
    known = {segment: label for segment, label in labels.items() if label is not None}
    stored.mean(known, UNLABELLED if BACKGROUND in known.values() else BACKGROUND)
    return True
