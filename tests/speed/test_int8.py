"""A network in 8 bits: its masks stay, and what does not fit is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cli
import numpy as np
import pytest
import tifffile
import torch

from custom.base.errors import BadInput
from custom.inferers import SliceInferer
from custom.metrics.masks import dice_of
from custom.phantom import make_cell
from custom.sharing.fitting import declared_network
from custom.speed import quantising
from custom.speed.quantised import quantised_beside
from custom.weights import sha256

pytest.importorskip("openvino", reason="OpenVINO is not installed")
pytest.importorskip("nncf", reason="NNCF is not installed")

SHIPPED = cli.ROOT / "bundle/models/unet.safetensors"


def slices_of(seed: int) -> list[dict[str, torch.Tensor]]:
    cell = make_cell(seed=seed, slices=2).image.astype(np.float32)
    low, high = np.percentile(cell, (0.5, 99.5))
    return [{"image": torch.from_numpy(((part - low) / (high - low)).clip(0, 1))[None]} for part in cell]


def quantise(weights: Path) -> None:
    network, side = declared_network("unet")
    known = SimpleNamespace(weights=str(weights), sha256=lambda: sha256(weights))
    inferer = SliceInferer(side, 8, precision="fp32")
    quantising.quantise(network, inferer, slices_of(7)[:1], slices_of(8)[:1], ["lithium"], known, "cells")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped U-Net, its record, and its 8 bits beside it, made by the command."""
    folder = tmp_path_factory.mktemp("int8")
    for seed in (1, 2, 3):
        cell = make_cell(seed=seed, slices=2)
        for name, values in (("images", cell.image), ("labels", cell.label)):
            (folder / "set" / name).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(folder / "set" / name / f"{seed}.tif", values, photometric="minisblack")
    for suffix in (".safetensors", ".json"):
        shutil.copy(SHIPPED.with_suffix(suffix), folder)
    ended = command(folder)
    assert ended.code == 0, ended.error
    return folder


def command(folder: Path) -> cli.Outcome:
    given = {"dataset_dir": folder / "set", "weights": folder / SHIPPED.name, "output_dir": folder / "out"}
    return cli.run("train", "network_unet", "quantise", **given)


def test_it_has_rows_in_the_benchmark(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(cli.ROOT / "scripts"))
    from benchmarking import inference

    cpu, size = torch.device("cpu"), (140, 150)
    quantised = quantised_beside(made / SHIPPED.name, sha256(SHIPPED))
    fp32, int8 = (inference.row(name, "unet", cpu, 1, size, 0.25, 8, quantised)() for name in ("ours_fp32", "int8"))
    assert fp32 is not None and int8 is not None and fp32.sum() > 1000 and 0.99 < dice_of(int8, fp32) < 1
    with pytest.raises(BadInput, match="is not there, which --engine int8 runs"):
        inference.measure("unet", cpu, 1, 1, size, 0.25, 8, repeats=1, int8=SHIPPED)


def weights_in(folder: Path, made: Path) -> Path:
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder / SHIPPED.name


def test_masks_are_those_of_fp32_for_any_slab_height(made: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", make_cell(seed=9, slices=5).image, photometric="minisblack")
    masks = {}
    for name, options in {
        "fp32": {"engine": "torch"},
        "whole": {"engine": "int8", "precision": "auto"},
        "slabs": {"engine": "int8", "precision": "auto", "slab_height": 2},
    }.items():
        given = {"output_format": "tiff", **options}
        ended = cli.segment(tmp_path / "stack.tif", tmp_path / name, made / SHIPPED.name, "network_unet", **given)
        assert ended.code == 0, ended.error
        masks[name] = tifffile.imread(tmp_path / name / "mask.tif")
    np.testing.assert_array_equal(masks["whole"], masks["slabs"])
    assert masks["fp32"].sum() > 10_000 and 0.998 <= dice_of(masks["whole"], masks["fp32"]) < 1
    told = json.loads((tmp_path / "whole/summary.json").read_text())
    record = json.loads((made / "unet.int8.json").read_text())
    assert told["engine"] == "int8" and told["quantised"]["sha256"] == record["sha256"]
    assert record["dice_to_fp32"]["lithium"] >= 0.999 and record["window"] == [1, 128, 128]


def test_what_is_there_stays(made: Path) -> None:
    found = quantised_beside(str(made / SHIPPED.name), sha256(made / SHIPPED.name))
    assert found.record["dataset_dir"] == str(made / "set") and found.path == made / "unet.int8.xml"
    again = command(made)
    assert again.code == 2 and "unet.int8.xml: is there already; give --overwrite true" in again.error


def test_masks_that_differ_are_not_kept(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        quantising, "_in_8_bits", lambda model, windows, batch: model
    )  # its rounding to bfloat16 is enough
    monkeypatch.setattr(quantising, "LEAST_DICE", 1.0)
    weights = Path(shutil.copy(SHIPPED, tmp_path))
    with pytest.raises(
        BadInput, match="in 8 bits its masks have a Dice of 0.99.. to those of fp32 on 1 slices, below 1.0; nothing"
    ):
        quantise(weights)
    assert [path.name for path in tmp_path.iterdir()] == [SHIPPED.name]


@pytest.mark.parametrize("case", ["missing", "no bin", "other weights", "changed", "no record", "too far", "windows"])
def test_what_does_not_fit_is_refused(case: str, made: Path, tmp_path: Path) -> None:
    weights = weights_in(tmp_path / "w", made)
    record = weights.with_suffix(".int8.json")
    told = json.loads(record.read_text())
    wanted = {
        "missing": "unet.int8.json: is not there, which --engine int8 runs; make it by quantise.json",
        "no bin": "unet.int8.bin: is not there",
        "other weights": "unet.int8.xml: was made of other weights than",
        "changed": "unet.int8.xml: is not the file that unet.int8.json describes, or its .bin is not",
        "no record": "unet.int8.json: cannot be read as the record of a network in 8 bits",
        "too far": "unet.int8.json: tells of a Dice of 0.9 to the masks of fp32, below 0.999",
        "windows": r"unet.int8.xml: was made for windows of \[1, 128, 128\], not \[1, 64, 64\]",
    }[case]
    if case == "missing":
        record.unlink()
    elif case == "no bin":
        record.with_suffix(".bin").unlink()
    elif case == "changed":
        record.with_suffix(".bin").write_bytes(b"\x55" + record.with_suffix(".bin").read_bytes()[1:])
    elif case == "no record":
        record.write_text("[1, 2]")
    elif case != "windows":
        changed = {"weights_sha256": "0"} if case == "other weights" else {"dice_to_fp32": {"lithium": 0.9}}
        record.write_text(json.dumps(told | changed))
    stack = cli.saved(tmp_path, cli.volume((1, 128, 130)))
    options = {"engine": "int8", **({"patch_size": 64} if case == "windows" else {})}
    ended = cli.segment(stack, tmp_path / "out", weights, "network_unet", **options)
    assert ended.code == 2
    assert re.search(wanted, ended.error), ended.error
    assert not (tmp_path / "out" / "summary.json").exists()


def test_an_ensemble_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BadInput, match="--engine int8: runs one network, and an E-Net has several; give --engine openvino"
    ):
        quantised_beside(["a.pt", "b.pt"], ["0", "1"])


def test_a_gpu_makes_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--device cuda: 8 bits are made and run on a CPU"):
        quantising.check_before(tmp_path / "model.int8.xml", False, torch.device("cuda"))


def test_its_makers_are_told_nothing(tmp_path: Path) -> None:
    """Imported as it is, it leaves an identifier in ~/intel and sends what it did."""
    code = "import torch\nfrom custom.speed.quantising import _in_8_bits\nfrom custom.speed.openvino import converted\n"
    code += "network = torch.nn.Sequential(*[torch.nn.Conv2d(1, 1, 3, padding=1) for _ in range(2)]).eval()\n"
    code += "_in_8_bits(converted(network, (2, 1, 16, 16)), torch.rand(4, 1, 16, 16), 2)"
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(cli.ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True, capture_output=True)
    assert not (tmp_path / "intel").exists()
