"""Records are found beside the weights that they describe, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from custom.running import OutputFolder
from custom.weights import sha256
from custom.weights.records import record_beside, trained

SPLIT = {"train": {"a": "0-1 0123456789ab 123456789abc"}, "val": {"b": "0 -"}, "test": {}}


def weights(path: Path, value: float = 1.0, **record: Any) -> Path:
    """A state dict, with its record where something is to stand there."""
    torch.save({"w": torch.full((2,), value)}, path)
    if record:
        path.with_suffix(".json").write_text(json.dumps({"weights_sha256": sha256(path), **record}))
    return path


def test_a_record_belongs_to_its_weights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = weights(tmp_path / "model.pt", split=SPLIT, patch_size=96)
    save_file({"w": torch.ones(2)}, tmp_path / "model.safetensors")  # the other form of a packed bundle
    for file in (path, tmp_path / "model.safetensors"):
        (record,) = trained(str(file)).records
        assert record["split"] == SPLIT and trained(file).patch_size(128) == 96
    assert trained(None).records == trained(tmp_path / "missing.pt").records == [] and not caplog.text


def other_weights(file: Path) -> None:
    weights(file.with_suffix(".pt"), 2.0)


UNREADABLE: dict[str, Any] = {
    "ranges": {"split": {"train": {"a": "0-1 01"}}},
    "list": {"split": ["a"]},
    "letters": {"split": {"train": {"a": "z -"}}},
    "side": {"split": {"side": {"a": "0 -"}}},
    "window": {"grey_window": {"percentiles": None, "fixed": None}},
    "patches": {"patch_size": "wide"},
}
FAULTS: dict[str, tuple[Any, str]] = {
    "missing": (Path.unlink, "no model.json is beside it"),
    "others": (other_weights, "model.json beside it describes other weights"),
    "cut": (lambda file: file.write_text("{"), "cannot be read as the record of a training"),
    "no object": (lambda file: file.write_text("[]"), "cannot be read as the record of a training"),
} | {
    name: (lambda file, keys=keys: set_keys(file, keys), "cannot be read as the record")
    for name, keys in UNREADABLE.items()
}


@pytest.mark.parametrize("case", FAULTS)
def test_weights_without_a_record_are_told_once(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    change, fault = FAULTS[case]
    path = weights(tmp_path / "model.pt", split=SPLIT)
    change(tmp_path / "model.json")
    assert trained(path).records == []
    (told,) = [entry.getMessage() for entry in caplog.records]
    assert told.startswith(f"{path}: ") and fault in told and "keep the JSON file of their training beside them" in told
    caplog.clear()
    assert trained(path, OutputFolder("out", rank=1)).records == [] and not caplog.text


def set_keys(file: Path, keys: dict[str, Any]) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def test_members_of_no_share_do_not_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = [weights(tmp_path / f"{i}.pt", i, patch_size=64 + i) for i in range(2)] + [weights(tmp_path / "2.pt")]
    assert [r["patch_size"] for r in trained(files, shares=[0.5, 0.5, 0]).records] == [64, 65] and not caplog.text
    assert len(trained(files, shares=[1, 0, 0]).records) == 1
    assert len(trained(files).records) == 2 and "2.pt: no 2.json is beside it" in caplog.text


def test_a_training_that_goes_on_has_the_record_of_its_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = weights(tmp_path / "start.pt", patch_size=64)
    assert not trained(start, OutputFolder(tmp_path, resume=True)).resumed  # cut off before its first epoch ended
    torch.save({"record": {"patch_size": 32, "split": SPLIT}}, tmp_path / "checkpoint.pt")
    found = trained(start, OutputFolder(tmp_path, resume=True))
    assert found.resumed and [record["patch_size"] for record in found.records] == [32]
    assert [record["patch_size"] for record in trained(start, OutputFolder(tmp_path)).records] == [64]
    torch.save({"trainer": {"epoch": 1}}, tmp_path / "checkpoint.pt")  # of an earlier version
    weights(tmp_path / "model.pt", 3.0, patch_size=48)
    assert [record["patch_size"] for record in trained(None, OutputFolder(tmp_path, resume=True)).records] == [
        48
    ] and not caplog.text
    (tmp_path / "model.pt").unlink()
    assert (
        trained(None, OutputFolder(tmp_path, resume=True)).resumed
        and "the split by --seed is taken for its own" in caplog.text
    )
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")  # refused where it is loaded
    assert trained(None, OutputFolder(tmp_path, resume=True)).resumed


def test_the_shipped_weights_tell_their_files() -> None:
    models = Path(__file__).parents[2] / "bundle/models"
    for name in ("model.pt", "unet.safetensors", "ynet.safetensors"):
        record, fault = record_beside(models / name)
        assert record is not None and not fault and "cell_1000" in record["train"] and "cell_1013" in record["val"]
    record, fault = record_beside(models / "unet_cell.safetensors")
    assert record is not None and not fault and record["train"] == [f"cell_000{i}" for i in range(6)]
    assert record["classes"] == ["electrode", "pit", "dendrite", "redeposited", "impurity"]
