"""What counts as contact, on pieces whose distances are known."""

from __future__ import annotations

import json
from pathlib import Path

import cli
import numpy as np
import tifffile
from cells import SIZE, saved_cell

from custom.measuring.contact import dead_by_contact, without_contact


def test_pieces_by_their_distance() -> None:
    table = {
        "voxels": np.array([50, 30, 15, 5]),
        "near": np.array([[9, 1], [5, 60], [8, 6.5], [40, 40]], np.float32) * SIZE,
    }
    found = without_contact(table, 1.5 * SIZE)
    assert found == (3, 50, 0.5)
    assert without_contact(table, 1.5 * SIZE, 5) == (2, 20, 0.2) and without_contact(table, 1.5 * SIZE, 4.9) == found
    assert [row["dead_lithium_fraction"] for row in dead_by_contact(table, 1.5 * SIZE)] == [0.5] * 4
    nothing = {"voxels": np.zeros(0, int), "near": np.zeros((0, 2), np.float32)}
    assert without_contact(nothing, 1.5) == (0, 0, None)


def test_the_range_is_that_of_both(tmp_path: Path) -> None:
    """A film of two voxels under a rod: dead at 1.5 voxels, not at 3, and at a low threshold the film is lithium."""
    files = saved_cell(tmp_path)
    mask, probability = tifffile.imread(files["mask"]), tifffile.imread(files["probability"])
    ball = int(mask[:, :, 15:].sum())
    mask[:, 10:12, :15] = 0
    probability[:, 10:12, :15] = np.where(probability[:, 10:12, :15] > 0.5, 0.4, 0)
    for name, voxels in (("mask", mask), ("probability", probability)):
        tifffile.imwrite(files[name], voxels)
    asked = {"electrodes": "[10,50]", "mask": files["mask"], "output_dir": tmp_path / "out"}
    result = cli.run("measure", probability=files["probability"], voxel_size_um=SIZE, **asked)
    assert result.code == 0, result.error
    told = json.loads((tmp_path / "out/quantities.json").read_text())
    assert told["dead_lithium_fraction"] == 1
    assert [row["dead_agglomerates"] for row in told["dead_lithium_by_contact"]] == [2, 2, 1, 1]
    low, high = told["ranges"]["dead_lithium_fraction"]
    held = int(mask.sum()) + 2 * 6 * 6  # with the film
    assert high == 1 and abs(low - ball / held) < 1e-6, (low, ball / held)
    by_threshold = {row["threshold"]: row["dead_lithium_fraction"] for row in told["by_threshold"]}
    assert by_threshold[0.5] == 1 and abs(by_threshold[0.3] - ball / held) < 1e-6
