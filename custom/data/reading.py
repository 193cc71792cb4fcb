"""Which array of each file is meant, and what the values of the labels stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.data.label_map import LabelValues, as_numbered, as_written, check_255, label_values
from custom.stack import LABEL, Source, only_array, takes_key

MEANINGS = ("auto", "lithium", "unlabelled")
Index = int | Sequence[int] | None


@dataclass(frozen=True)
class Reading:
    """How the files of a labelled data set are read; the command-line keys of the same names.

    Attributes:
        image_key, label_key: the array within HDF5 files and Zarr; files of other formats, which have no keys, may stand
            beside them. None: the usual one, and of HDF5 labels the only one.
        image_index, label_index: which channel or time, for the files that hold several.
        label_255: what 255 stands for: "lithium", "unlabelled", or "auto", see `custom.data.meaning`.
        label_map: from the values of a labelling tool to classes, see `custom.data.label_map`; it says what 255 is too.
        label_folder: the one of the labels, beside images/; a data set may have labels of several kinds.
        classes: what is looked for, in the order of their labels 1, 2, ...

    Raises:
        BadInput: an unknown `label_255`, or one that several classes leave no room for; a `label_map` that cannot be; a
            `label_folder` that is no name of a folder, or that of the images.
    """

    image_key: str | int | None = None
    image_index: Index = None
    label_key: str | int | None = None
    label_index: Index = None
    label_255: str = "auto"
    label_map: Mapping[Any, Any] | None = None
    label_folder: str = "labels"
    classes: Sequence[str] = ("lithium",)

    def __post_init__(self) -> None:
        if self.label_255 not in MEANINGS:
            raise BadInput(f"--label_255 {self.label_255}: is unknown; give one of {', '.join(MEANINGS)}")
        object.__setattr__(self, "classes", tuple(self.classes))
        if not isinstance(self.label_folder, str) or Path(self.label_folder).parts in ((), ("images",)):
            raise BadInput(
                f"--label_folder {self.label_folder}: is no folder of labels; give the name of the one beside images/, such as "
                "labels"
            )
        if len(self.classes) > 1 and self.label_255 == "lithium":
            raise BadInput(
                "--label_255 lithium: says nothing where several classes are looked for; leave it away, and give --label_map "
                "if 255 is one of them"
            )
        object.__setattr__(self, "label_map", as_written(self.label_map))
        if self.label_map is not None:
            check_255(self.label_map, label_values(self.label_map, self.classes), self.label_255)

    @property
    def label_values(self) -> LabelValues | None:
        """Value in a file and label, for all that the labels may hold; None where they are 0, 1 and 255 themselves."""
        if self.label_map is not None:
            return label_values(self.label_map, self.classes)
        return None if len(self.classes) == 1 else as_numbered(len(self.classes))

    def given(self) -> dict[str, Any]:
        """The attributes that differ from their defaults: the keys that another command on the same files needs."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def sources(self, paths: Sequence[Path], part: str) -> list[Source]:
        """The sources of all files of one part, "image" or "label".

        Raises:
            BadInput: the key or the index is of no use to any of the files.
        """
        key, index = (getattr(self, f"{part}_{name}") for name in ("key", "index"))
        keyed = [key is not None and takes_key(path) for path in paths]
        if key is not None and not any(keyed):
            raise BadInput(f"{paths[0]}: is of a format without keys; leave --{part}_key {key} away")
        keys = [str(key) if has else None for has in keyed]
        if key is None and part == LABEL:
            keys = [only_array(path) for path in paths]
        label_map = self.label_values if part == LABEL else None
        found = [Source(str(path), part, own, label_map=label_map) for path, own in zip(paths, keys, strict=True)]
        if index is None:
            return found
        numbers = tuple(index) if isinstance(index, (list, tuple)) else (index,)
        needed = [not _opens(one) for one in found]
        if not any(needed):  # the first file says in which way it does not fit
            replace(found[0], index=numbers).open()
        return [replace(one, index=numbers if has else None) for one, has in zip(found, needed, strict=True)]


def _opens(source: Source) -> bool:
    try:
        source.open()
    except BadInput:
        return False
    return True
