"""The phantom: synthetic Li-polymer-Li cells seen by parallel-beam CT, written as an ordinary labelled data set."""

import json
import os
import shutil
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from custom.data import cell as phase
from custom.data.cell import CellParameters, correlated_noise, phase_map
from custom.data.scan import ScanParameters, detect, project, reconstruct, with_fringe
from custom.errors import BadInput
from custom.stack.writers import open_writer

VOXEL_SIZE_UM = 1.33
ANGLES = 256


@dataclass(frozen=True)
class GreyParameters:
    """What differs from cell to cell in grey value; attenuation is relative to the polymer's unless a unit is named."""

    polymer: float  # attenuation per voxel
    lithium: float  # of electrodes, dendrites and redeposited lithium alike: less than the polymer with its salt
    pores: float  # mean share of polymer in redeposited lithium, in pores below the resolution
    blur: float  # standard deviation of the scan's point spread, voxels
    offset: float  # grey value of no attenuation
    scale: float  # grey values between no attenuation and the polymer's

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "GreyParameters":
        return cls(
            polymer=float(rng.uniform(0.0034, 0.0046)),
            lithium=float(rng.uniform(0.30, 0.42)),
            pores=float(rng.uniform(0.08, 0.2)),
            blur=float(rng.uniform(0.5, 0.7)),
            offset=float(rng.uniform(4000, 14000)),
            scale=float(rng.uniform(15000, 30000)),
        )

    def attenuation(self) -> NDArray[np.float32]:
        """Of the seven phases; a pit, a cavity in lithium, absorbs little less than lithium and shows by its fringe."""
        li = self.lithium
        return self.polymer * np.array([0.80, li, 1.00, 0.8 * li, li, li, 2.40], np.float32)


DENSITY = np.array([0.90, 0.53, 1.20, 0.00, 0.53, 0.53, 2.60], np.float32)  # g/cm3 of the seven phases: edge fringe


@dataclass(frozen=True)
class Cell:
    """One scanned cell: (Z, Y, X) `image` uint16, `label` uint8 (1 = dendrite or redeposited) and `phases` uint8.

    Phases: 0 outside, 1 electrode, 2 polymer, 3 pit, 4 dendrite, 5 redeposited lithium, 6 impurity.
    """

    image: NDArray[np.uint16]
    label: NDArray[np.uint8]
    phases: NDArray[np.uint8]
    voxel_size_um: tuple[float, float, float]
    parameters: dict[str, Any]


def make_cell(seed: int, slices: int = 24, round_field: bool = False) -> Cell:
    """Grow, scan and reconstruct the cell of this seed: slices of (192, 320) voxels; same seed, same bytes.

    Args:
        seed: of the cell.
        slices: how many.
        round_field: slices of (192, 384), as wide as the scanned circle; their corners lie outside it and are 0, as
            reconstructions leave them.
    """
    drawing, growing, scanning = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    shape, scan, grey = CellParameters.draw(drawing, seed), ScanParameters.draw(drawing), GreyParameters.draw(drawing)
    phases = phase_map(shape, growing, slices)
    sinogram = project(_attenuation(phases, grey, scan.fringe, growing), phase.GRID[1], ANGLES)
    field = phase.GRID if round_field else phase.FIELD
    stack = reconstruct(detect(sinogram, scan, scanning), field) / grey.polymer
    image = np.clip(np.rint(grey.offset + grey.scale * stack), 0, 65535).astype(np.uint16)
    if round_field:
        image[:, ~_scanned()] = phases[:, ~_scanned()] = 0
    else:
        phases = np.ascontiguousarray(phases[:, :, phase.EDGE : -phase.EDGE])
    label = np.isin(phases, (phase.DENDRITE, phase.REDEPOSITED)).astype(np.uint8)
    parameters = {"seed": seed, "slices": slices, "shape": asdict(shape), "scan": asdict(scan), "grey": asdict(grey)}
    return Cell(image, label, phases, (VOXEL_SIZE_UM,) * 3, parameters)


def make_dataset(
    dataset_dir: str | os.PathLike[str], cells: int = 9, slices: int = 24, seed: int = 0, round_field: bool = False
) -> Path:
    """Write the cells of seeds `seed` ... `seed + cells - 1` as a labelled data set and return its folder.

    images/, labels/ and phases/ hold one (Z, Y, X) TIFF per cell (`cell_0000.tif`, numbered by seed), splits.json
    names the cells of each side (about 70 % train, 10 % val, 20 % test) and phantom.json what each cell was drawn
    with; `round_field` as for `make_cell`. The folder appears under its name when it is complete.

    Raises:
        BadInput: fewer than 3 cells or 1 slice, a folder that already holds something, or one that cannot be written.
    """
    target = Path(dataset_dir)
    if cells < 3 or slices < 1 or seed < 0:
        raise BadInput(
            f"{target}: a phantom needs cells >= 3 (one each to train, validate, test), slices >= 1 and seed >= 0."
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput(f"{target} already holds something: name another folder for the phantom or delete this one.")
    partial = target.absolute().with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.mkdir(parents=True)
        _write_cells(partial, range(seed, seed + cells), slices, round_field)
        os.rename(partial, target)
    except OSError as error:
        raise BadInput(
            f"{target} cannot be written ({error.strerror}): free the disk or name another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def ensure_dataset(dataset_dir: str | os.PathLike[str], cells: int = 9, slices: int = 24, seed: int = 0) -> Path:
    """Return the folder, making the phantom there on first use; whatever the folder already holds is left as it is.

    Several processes may call it at once: each makes its own copy aside, the first to finish gives it the name, the
    others drop theirs.
    """
    target = Path(dataset_dir)
    if _holds_dataset(target):
        return target
    start = time.monotonic()
    print(f"Making the phantom, {cells} synthetic cells, in {target} ... ", end="", flush=True)
    try:
        make_dataset(target, cells, slices, seed)
        print(f"done in {time.monotonic() - start:.0f} s", flush=True)
    except BadInput:
        if not _holds_dataset(target):
            raise
        print("another process was faster", flush=True)
    return target


def _holds_dataset(folder: Path) -> bool:
    return (folder / "images").is_dir() and (folder / "labels").is_dir()


def _write_cells(folder: Path, seeds: range, slices: int, round_field: bool) -> None:
    described = {}
    for kind in ("images", "labels", "phases"):
        (folder / kind).mkdir()
    for number in seeds:
        cell, stem = make_cell(number, slices, round_field), f"cell_{number:04d}"
        for kind, stack in (("images", cell.image), ("labels", cell.label), ("phases", cell.phases)):
            with open_writer(folder / kind / stem, "tiff", stack.shape, stack.dtype, (VOXEL_SIZE_UM,) * 3) as writer:
                writer.write(0, stack)
        described[stem] = cell.parameters | {"lithium": float(cell.label.mean())}
    stems, test, val = list(described), max(1, round(0.2 * len(seeds))), max(1, round(0.1 * len(seeds)))
    train = len(stems) - val - test
    splits = {"train": stems[:train], "val": stems[train : train + val], "test": stems[train + val :]}
    (folder / "splits.json").write_text(json.dumps(splits, indent=2) + "\n", encoding="utf-8")
    about = {"seed": seeds.start, "voxel_size_um": VOXEL_SIZE_UM, "cells": described}
    (folder / "phantom.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _attenuation(
    phases: NDArray[np.uint8], grey: GreyParameters, fringe: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Attenuation per voxel (Z, Y, X) inside the scanned circle, blurred to the resolution, with its edge fringe.

    Redeposited lithium is mossy: pores below the resolution lift its grey, unevenly, towards the polymer's.
    """
    pores = grey.pores * np.clip(1 + 0.6 * correlated_noise(rng, phases.shape, 2.0), 0, 2)
    pores[phases != phase.REDEPOSITED] = 0

    def blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
        mixed = values[phases] + pores * (values[phase.POLYMER] - values[phase.REDEPOSITED])
        return ndimage.gaussian_filter(mixed, grey.blur, mode="nearest")

    stack = with_fringe(blurred(grey.attenuation()), blurred(DENSITY), fringe)
    return stack * _scanned()


def _scanned() -> NDArray[np.bool_]:
    """The circle that parallel beams reconstruct, bool (Y, X) on the grid."""
    y, x = (np.arange(n) - n // 2 for n in phase.GRID)
    inside: NDArray[np.bool_] = y[:, None] ** 2 + x**2 < (phase.GRID[1] // 2 - 1) ** 2
    return inside
