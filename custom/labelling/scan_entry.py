"""Slices cut from a stack: how their images are called and written, and what `scans.json` says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.data.json_beside import read_entries
from custom.data.listing import stacks_in
from custom.stack import Stack, open_stack
from custom.stack.formats import stem_of
from custom.stack.writers import open_writer

_UNSAID = ("stack_axes", "raw_shape", "raw_dtype")  # what `scans.json` has no key for
_FORM = '{"cell_a": {"stack": "cell_a.zarr", "files": ["slice_0100"]}}'
OTHERS = "others"  # 2-D images of which nobody said where they came from: one scan, as without scans.json


def name_of(stack: Stack, z: int) -> str:
    """Of the image of a slice, without suffix: by it the slice is known again."""
    return f"{stem_of(stack.path)}_z{z:05d}"


def write_slice(
    folder: Path, name: str, plane: np.ndarray, stack: Stack, classes: Sequence[str] = (), overwrite: bool = False
) -> None:
    """A slice (1, Y, X) of grey values or labels as `name`.tif, with the voxel size of its stack."""
    about = (plane.shape, plane.dtype, stack.voxel_size_um)
    with open_writer(folder / name, "tiff", *about, overwrite=overwrite, classes=classes) as writer:
        writer.write(0, plane)


def entry_of(stack: Stack, slices: Sequence[int], in_a_file: bool = True) -> dict[str, Any]:
    """The scan of some slices.

    Args:
        stack: what they were cut from.
        slices: which.
        in_a_file: whether its path and what was chosen of it find it again.
    """
    files = [name_of(stack, z) for z in slices]
    if not in_a_file or any(stack.selected.get(key) is not None for key in _UNSAID):
        return {stem_of(stack.path): {"files": files}}
    chosen = {key: value for key, value in stack.selected.items() if value is not None}
    return {stem_of(stack.path): {"stack": str(stack.path.absolute()), **chosen, "files": files}}


def entries_in(folder: Path) -> dict[str, Any]:
    """What the `scans.json` of a folder holds; nothing where there is none.

    Raises:
        BadInput: no JSON of the form.
    """
    path = folder / "scans.json"
    return _tables(read_entries(path, _FORM, "give every scan a list of its files")) if path.is_file() else {}


def _tables(entries: Any) -> Any:
    """Lists of pairs, as JSON's tables were read, as dicts."""
    if isinstance(entries, list):
        if entries and all(isinstance(entry, tuple) for entry in entries):
            return {key: _tables(value) for key, value in entries}
        return [_tables(entry) for entry in entries]
    return entries


def merged(old: dict[str, Any], new: dict[str, Any], dataset_dir: Path) -> dict[str, Any]:
    """Both in one.

    Args:
        old: of a labelled data set; empty: it has no scans.json, and its 2-D images become one scan, `OTHERS`.
        new: of slices that are added.
        dataset_dir: the data set.

    Raises:
        BadInput: a scan of one name and two stacks.
    """
    found = old or _of_others(dataset_dir, new)
    for name, entry in new.items():
        before = found.get(name)
        before = {"files": before} if isinstance(before, list) else before
        if before is None:
            found[name] = entry
            continue
        if before.get("stack", entry.get("stack")) != entry.get("stack", before.get("stack")):
            raise BadInput(
                f"{dataset_dir / 'scans.json'}: its scan {name!r} comes from {before['stack']}, and what was drawn from "
                f"{entry['stack']}, which has the same name; rename one of both stacks, or give another --dataset_dir"
            )
        found[name] = {**before, **entry, "files": list(dict.fromkeys([*before.get("files", [name]), *entry["files"]]))}
    return found


def _of_others(dataset_dir: Path, new: dict[str, Any]) -> dict[str, Any]:
    images = dataset_dir / "images"
    added = {name for entry in new.values() for name in entry["files"]}
    stems = {stem_of(path): path for path in stacks_in(images)} if images.is_dir() else {}
    flat = [stem for stem, path in stems.items() if stem not in added and open_stack(path).shape[0] == 1]
    return {OTHERS: flat} if flat else {}
