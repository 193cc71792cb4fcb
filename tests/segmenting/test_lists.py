"""One more result and one more quantity are an entry in a list of inference.json: no other file knows of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cli
import numpy as np
import pytest
import zarr

from custom.segmenting.result import Result

GREY = cli.volume((5, 60, 90))

BRIGHTEST = """
from custom.quantities.quantity import Quantity

class Brightest(Quantity):
    name = "brightest"
    files = ("brightest.csv",)

    def __init__(self):
        self.found = []

    def of_slab(self, slab):
        return {"most": slab.grey.max(axis=(1, 2)), "darkness": slab.results["darkness"].sum(dtype="i8")}

    def add(self, start, slab):
        self.found.append((start, slab["most"].tolist(), int(slab["darkness"])))

    def result(self, voxel_size_um):
        return {"brightest": self.found}

    def tables(self, voxel_size_um):
        return {"brightest.csv": [{"z": start, "most": max(most)} for start, most, _ in self.found]}
"""


def test_one_more_of_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_brightest.py").write_text(BRIGHTEST)
    monkeypatch.syspath_prepend(tmp_path)
    overlay = tmp_path / "more.json"
    darkness = {"_target_": "custom.segmenting.Result", "name": "darkness", "of": "image", "dtype": "float32"}
    more = {"+results": [darkness], "+quantities": [{"_target_": "planted_brightest.Brightest"}]}
    overlay.write_text(json.dumps(more | {"network_def": cli.TINY}))
    stack, weights, out = cli.saved(tmp_path, GREY), cli.tiny_weights(tmp_path / "model.pt", GREY), tmp_path / "out"
    command = {"config_file": str(["bundle/configs/inference.json", str(overlay)]), "stack": stack, "weights": weights}
    command |= {"output_dir": out, "slab_height": 2, "device": "cpu"}
    ended = cli.bundle("run", **command)
    assert ended.code == 0, ended.error
    darkness_found = np.asarray(zarr.open_group(out / "darkness.zarr", mode="r")["0"])
    low, high = np.percentile(GREY, (0.5, 99.5))
    assert darkness_found.dtype == np.float32
    np.testing.assert_allclose(darkness_found, ((GREY - low) / (high - low)).clip(0, 1), atol=1e-6)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["darkness"] == "darkness.zarr"
    assert [row[:2] for row in summary["brightest"]] == [
        [start, GREY[start : start + 2].max(axis=(1, 2)).tolist()] for start in (0, 2, 4)
    ]
    with open(out / "brightest.csv", newline="") as file:
        assert [row["z"] for row in csv.DictReader(file)] == ["0", "2", "4"]
    for name in ("mask.zarr", "summary.json", "darkness.zarr"):
        (out / name).rename(tmp_path / name)
    for file in out.glob("profile*"):
        file.unlink()
    ended = cli.bundle("run", **command)
    assert ended.code == 2 and "brightest.csv: is there already" in ended.error


@pytest.mark.parametrize("bits", [False, True])
def test_a_result_is_kept_as_it_is(bits: bool) -> None:
    found = np.random.default_rng(0).integers(0, 2, (3, 5, 7), np.uint8)
    result = Result("mask", "pred", values=["lithium"] if bits else ["pit", "dendrite"])
    packed = result.packed(found)
    assert packed.nbytes == (14 if bits else 105)
    np.testing.assert_array_equal(result.unpacked(packed, found.shape), found, strict=True)
