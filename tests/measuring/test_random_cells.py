"""Cells of random lithium between tilted electrodes, measured slab by slab, against brute force on the whole."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from custom.electrodes.electrodes import Electrodes
from custom.electrodes.surface import Surface
from custom.measuring.agglomerates import Agglomerates
from custom.measuring.bridging import Bridged
from custom.measuring.cell_slab import TOUCHING
from custom.measuring.gap import GapFinder
from custom.measuring.numbered import numbered
from custom.measuring.reading import Cell
from custom.pieces import measured
from custom.stack import open_stack, slabs

FLAT = np.zeros((1, 1), np.float32)


def cell(seed: int, folder: Path) -> tuple[Cell, np.ndarray]:
    """Contacts by corners, edges and faces, gaps of a voxel and more, voxels that are no cubes, waves."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers((4, 14, 4), (14, 22, 14)))
    size = tuple(float(s) for s in rng.choice([0.7, 1.0, 1.33, 2.0], 3))
    lithium = rng.random(shape) < rng.choice([0.01, 0.05, 0.12, 0.25])
    if seed % 3 == 0:  # a stack of voxels with a hole, from one electrode to the other
        z, x = rng.integers(0, shape[0]), rng.integers(0, shape[2])
        lithium[z, :, x] = True
        lithium[z, rng.integers(4, shape[1] - 4), x] = rng.random() < 0.3
    np.save(folder / "mask.npy", lithium.astype(np.uint8))
    waves = (rng.normal(0, 0.3, (2, 3, 4)) * (seed % 2)).astype(np.float32)
    steps = ((shape[0] - 1) / 2, (shape[2] - 1) / 3)
    slopes = rng.uniform(-0.08, 0.08, (2, 2))
    surfaces = [
        Surface((float(a), float(b)), height, wave, (0.0, 0.0), steps)
        for (a, b), height, wave in zip(slopes, (2.5, shape[1] - 2.5), waves, strict=True)
    ]
    electrodes = Electrodes(1, (surfaces[0], surfaces[1]), "given")
    return Cell(open_stack(folder / "mask.npy"), (1,), None, electrodes, size), lithium  # type: ignore[arg-type]


def brute_gap(one: np.ndarray, other: np.ndarray, size: tuple[float, float, float]) -> float:
    steps = np.maximum(np.abs(np.argwhere(one)[:, None] - np.argwhere(other)[None]) - 1, 0) * np.array(size)
    return float(np.sqrt((steps**2).sum(axis=-1)).min(initial=np.inf))


@pytest.fixture(autouse=True, scope="module")
def kept_directions() -> Iterator[None]:
    """Two linear programs for each of the 64 voxels, which cells share, and not for each cell."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(measured, "directions", cache(measured.directions))
        yield


@pytest.mark.parametrize(("block", "height"), [*((block, 3) for block in range(5)), (0, 1), (1, 50)])
def test_bridging_dead_lithium_and_gap(block: int, height: int, tmp_path: Path) -> None:
    bridged = {6: 0, 26: 0}
    for seed in range(40 * block, 40 * block + 40):
        found, lithium = cell(seed, tmp_path)
        shape, size, electrodes = found.mask.shape, found.voxel_size, found.electrodes
        assert electrodes is not None and found.touching is not None
        agglomerates = Agglomerates(shape, size, found.touching, ("lithium",))
        quantities = agglomerates, Bridged(shape[1] * shape[2], agglomerates, found.touching, False)
        parts = slabs(found.mask, height)
        for slab in found.slabs(parts):
            for quantity in quantities:
                quantity.add(slab.start, quantity.of_slab(slab))
        told = quantities[0].result(None) | quantities[1].result(None)
        distances = electrodes.distances(0, shape[0], shape, size)
        touch = distances <= TOUCHING * size[1]
        hangs = {}
        for connectivity, rank in ((6, 1), (26, 3)):
            labels, count = ndimage.label(lithium, ndimage.generate_binary_structure(3, rank))
            sides = [set(labels[lithium & near]) for near in touch]
            assert told[f"bridged_{connectivity}"] is bool(sides[0] & sides[1]), seed
            bridged[connectivity] += bool(sides[0] & sides[1])
            hangs = {side: np.isin(labels, list(sides[side])) & lithium for side in range(2)}
        assert told["agglomerates"] == count and told["dead_agglomerates"] == count - len(sides[0] | sides[1]), seed
        normals = [surface.normal(size, 1) for surface in electrodes.surfaces]
        apart = electrodes.apart(shape, size)
        finder = GapFinder(agglomerates.pieces(), (normals[0], normals[1]), apart, size)
        for slab, number in numbered(found, parts, agglomerates, 2):
            assert np.array_equal(number >= 0, lithium[slab.start : slab.start + slab.height])
            finder.add(slab, number)
        gap = finder.found()
        expected = 0.0
        if not sides[0] & sides[1]:
            half = [float(np.abs(normal) @ np.array(size)) / 2 for normal in normals]
            expected = min(
                apart,
                brute_gap(hangs[0], hangs[1], size),
                *(
                    max(0.0, float(distances[1 - side][hangs[side]].min(initial=np.inf)) - half[1 - side])
                    for side in range(2)
                ),
            )
        assert gap.distance == pytest.approx(expected, rel=1e-5, abs=1e-5), seed
    assert 0 < bridged[6] < bridged[26] < 40
