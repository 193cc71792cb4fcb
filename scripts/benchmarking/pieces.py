"""Agglomerates of a mask and what each is like, beside scikit-image's `label` and `regionprops_table`."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.measure import label, regionprops_table

from benchmarking.measuring import alternate, machine, working
from custom.base.errors import BadInput
from custom.measuring.agglomerates import FILE, Agglomerates
from custom.measuring.reading import Cell
from custom.stack import open_stack, slabs
from custom.stack.writers import open_writer

WHAT = {
    "skimage": "(1) scikit-image's label and regionprops_table, in memory",
    "ours": "(2) agglomerates, slab by slab, with surface areas too",
}
COLUMNS = ("area", "equivalent_diameter_area", "bbox", "centroid", "inertia_tensor")  # what a row of ours is made of
SLAB = 8  # slices, as in measure.json
SIZE = (1.0, 1.0, 1.0)
Size = tuple[float, float, float]  # of a voxel, z, y, x, um


def tiled(dataset: Path, folder: Path, shape: tuple[int, int, int]) -> Path:
    """A mask made of the labels of a phantom's cells, see `laid`."""
    files = sorted((dataset / "labels").glob("*.tif"))
    if not files:
        raise BadInput(
            f"{dataset}: holds no labels; make some by python scripts/make_phantom.py --difficulty hard, or give another --dataset_dir"
        )
    stacks = [open_stack(file) for file in files]
    labels = [(stack.read(0, stack.shape[0]) == 1).astype(np.uint8) for stack in stacks]
    return laid(labels, folder / "mask", shape, None)


def laid(cells: Sequence[NDArray[Any]], path: Path, shape: tuple[int, int, int], size: Size | None) -> Path:
    """The Zarr store of a stack of a shape and voxel size, made of smaller ones: see `side_by_side`."""
    with open_writer(path, "zarr", shape, cells[0].dtype, size, overwrite=True) as writer:
        start = 0
        for block in side_by_side(cells, shape[0], shape[1:]):
            writer.write(start, block)
            start += len(block)
    return writer.path


def side_by_side(cells: Sequence[NDArray[Any]], slices: int, size: tuple[int, int]) -> Iterator[NDArray[Any]]:
    """Stacks of one shape side by side, mirrored where they meet, until they fill a larger one: some slices at a time."""
    made, number = 0, 0
    while made < slices:
        rows = []
        for r in range(-(-size[0] // cells[0].shape[1])):
            row = []
            for c in range(-(-size[1] // cells[0].shape[2])):
                cell = cells[number % len(cells)]
                number += 1
                row.append(cell[:, :: -1 if r % 2 else 1, :: -1 if c % 2 else 1])
            rows.append(np.concatenate(row, axis=2))
        block = np.concatenate(rows, axis=1)[: slices - made, : size[0], : size[1]]
        yield np.ascontiguousarray(block)
        made += len(block)


def row(name: str, mask: str, threads: int) -> Callable[[], int]:
    """What a row of `WHAT` does; it returns how many pieces there are."""
    return (lambda: _in_memory(mask)) if name == "skimage" else (lambda: _in_slabs(mask, threads))


def _in_memory(path: str) -> int:
    stack = open_stack(path, labels=True)
    table = regionprops_table(label(stack.read(0, stack.shape[0]), connectivity=3), properties=COLUMNS)
    return len(table["area"])


def _in_slabs(path: str, threads: int) -> int:
    stack = open_stack(path, labels=True)
    cell, found = Cell(stack, (1,), None, None, SIZE), Agglomerates(stack.shape, SIZE, None, ("lithium",))
    parts, waiting = slabs(stack, SLAB), deque[Any]()
    with ThreadPoolExecutor(threads) as pool:
        for slab in cell.slabs(parts):
            if len(waiting) == threads:
                found.add(*waiting.popleft().result())
            waiting.append(pool.submit(lambda slab: (slab.start, found.of_slab(slab)), slab))
        for one in waiting:
            found.add(*one.result())
    return len(found.tables(None)[FILE])


def measure(threads: int | None, dataset: Path, slices: int, size: tuple[int, int], repeats: int) -> dict[str, Any]:
    """Seconds and peak memory of both.

    Raises:
        BadInput: the data set is not there, or one of both fails.
    """
    shape = (slices, *size)
    with tempfile.TemporaryDirectory() as folder:
        given = (str(tiled(dataset, Path(folder), shape)), threads or torch.get_num_threads())
        rows = []
        cpu, prepared = torch.device("cpu"), {name: (row, (name, *given)) for name in WHAT}
        with working(prepared, cpu, threads) as workers:
            peaks = {name: worker.ask("peak_mb") for name, worker in workers.items()}
            counts = {name: worker.ask("result") for name, worker in workers.items()}
            if len(set(counts.values())) != 1:
                raise BadInput(f"both find different pieces: {counts}")
        with working(prepared, cpu, threads) as workers:
            seconds = alternate(workers, repeats)
        for name, what in WHAT.items():
            beside = seconds["skimage"] / seconds[name] if name != "skimage" else None
            rows.append(
                {
                    "row": what,
                    "seconds": seconds[name],
                    "peak MB": peaks[name],
                    "x the row above": beside,
                }
            )
    return {**machine(cpu, threads), "mask": shape, "pieces": counts["ours"], "repeats": repeats, "rows": rows}
