"""The files of one cell and of a set of cells."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom.base.errors import BadInput
from custom.base.part import Part
from custom.phantom.cell import Cell
from custom.phantom.classes import class_map
from custom.phantom.truth import truth
from custom.stack import open_stack
from custom.stack.writers import open_writer


def sides(stems: list[str]) -> dict[str, list[str]]:
    """The cells of each side: the last 20 % to test, 10 % before them to validate, at least one each, the others to train."""
    test, val = max(1, round(0.2 * len(stems))), max(1, round(0.1 * len(stems)))
    train = len(stems) - val - test
    return {"train": stems[:train], "val": stems[train : train + val], "test": stems[train + val :]}


def write_cell(folder: Path, stem: str, cell: Cell) -> None:
    """One (Z, Y, X) TIFF of each kind, in a folder each, truth/STEM.json, and electrodes/STEM.npy, where both electrodes end."""
    kinds: dict[str, NDArray[Any]] = {
        "images": cell.image,
        "labels": cell.label,
        "classes": class_map(cell.phases),
        "phases": cell.phases,
    }
    if cell.drawn is not None:
        kinds["drawn"] = cell.drawn
    for kind, stack in kinds.items():
        (folder / kind).mkdir(exist_ok=True)
        with open_writer(folder / kind / stem, "tiff", stack.shape, stack.dtype, cell.voxel_size_um) as writer:
            writer.write(0, stack)
    if cell.electrodes is not None:
        (folder / "electrodes").mkdir(exist_ok=True)
        np.save(folder / "electrodes" / f"{stem}.npy", cell.electrodes)
    (folder / "truth").mkdir(exist_ok=True)
    write_json(folder / "truth" / f"{stem}.json", truth(cell.phases, cell.voxel_size_um))


def add_classes(folder: Path) -> None:
    """Give a phantom its classes/, of the phase maps in phases/; the folder appears when it is whole.

    Raises:
        BadInput: a phase map that cannot be read, or a folder that cannot be written.
    """
    target = folder.absolute() / "classes"
    part: Part | None = None
    try:
        part = Part(target, folder=True)
        for path in sorted((folder / "phases").glob("*.tif")):
            phases = open_stack(path)
            with open_writer(part.path / path.stem, "tiff", phases.shape, "uint8", phases.voxel_size_um) as writer:
                writer.write(0, class_map(phases.read(0, phases.shape[0])))
        part.publish(replaces=False)
    except OSError as error:
        if not target.is_dir():  # else another process was faster
            raise BadInput(
                f"{target}: cannot be written ({error.strerror}); free the disk or make {folder} writable"
            ) from error
    finally:
        if part is not None:
            part.remove()


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
