"""The folders and files that the commands use are those that were typed, wherever the commands are given."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile
import torch
from monai.bundle import ConfigWorkflow
from safetensors.torch import save_file

GREY = cli.volume((1, 60, 90))
CONFIGS = cli.ROOT / "bundle/configs"
TINY = ("--device", "cpu", "--precision", "fp32", "--network_def", str(cli.TINY))


def run(folder: Path, config_file: object, *words: str) -> cli.Outcome:
    return cli.bundle_words(["run", "--config_file", str(config_file), *TINY, *words], folder)


def segmented(folder: Path, *words: str) -> cli.Outcome:
    return run(folder, CONFIGS / "inference.json", "--weights", "w#1.pt", *words)


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder with two stacks and weights: what fire reads `Li#3` as is another stack."""
    for name, voxels in (("Li", GREY[0] // 2), ("Li#3", GREY[0])):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "s.tif", voxels)
    cli.tiny_weights(tmp_path / "w#1.pt", GREY)
    return tmp_path


def test_a_segmentation_reads_and_writes_what_was_typed(there: Path) -> None:
    assert segmented(there, "--stack", "Li#3", "--output_dir", "2026_01").code == 0
    summary = json.loads((there / "2026_01/summary.json").read_text(encoding="utf-8"))
    low, high = np.percentile(GREY, (0.5, 99.5))
    assert summary["stack"] == "Li#3" and summary["weights"] == "w#1.pt"
    np.testing.assert_allclose(summary["grey_window"], (low, high), atol=20)
    assert sorted(os.listdir(there)) == ["2026_01", "Li", "Li#3", "w#1.pt"]


def test_names_that_are_no_utf_8(there: Path) -> None:
    stack, out, weights = (os.fsdecode(name) for name in (b"d\xb5", b"out\xb5", b"w\xb5.safetensors"))
    (there / "Li#3").rename(there / stack)
    (there / stack / "s.tif").rename(there / stack / os.fsdecode(b"s\xb5.tif"))
    save_file(torch.load(there / "w#1.pt"), there / "w.safetensors")
    (there / "w.safetensors").rename(there / weights)
    words = ("--stack", stack, "--output_dir", out, "--weights", weights)
    assert run(there, CONFIGS / "inference.json", *words).code == 0
    summary = json.loads((there / out / "summary.json").read_bytes().decode("utf-8"))
    assert summary["stack"] == r"d\xb5" and summary["weights"] == r"w\xb5.safetensors"
    refusal = run(there, CONFIGS / "inference.json", *words).error
    assert refusal == r"error: out\xb5/mask.zarr: is there already; give --overwrite true or another --output_dir"


def test_a_missing_value_is_never_the_phantom(there: Path) -> None:
    for words in (("--stack", ""), ("--stack", "None"), ("--stack",), ("--stack", "Li", "3")):
        outcome = segmented(there, "--output_dir", "out", *words)
        assert outcome.code == 2 and outcome.error.startswith("error: "), outcome
    assert sorted(os.listdir(there)) == ["Li", "Li#3", "w#1.pt"]


def test_a_second_word_does_not_pass_for_the_start(there: Path) -> None:
    """`--dataset_dir my slices` gives MONAI `slices` as the id of what it begins with, so that no check would run."""
    words = ["run", "training", "--config_file", str(CONFIGS / "train.json"), *TINY]
    outcome = cli.bundle_words([*words, "--dataset_dir", "my", "slices", "--output_dir", "out"], there)
    assert outcome.error == (
        "error: slices: is neither a key's value nor an id of the config; put a path that has spaces, and a pattern such as 'scans/*.tif', in quotes"
    )
    assert not (there / "out").exists()


def test_training_and_evaluation_use_what_was_typed(there: Path) -> None:
    cli.labelled_stack(there / "my#set", depth=4)
    small = ("--max_epochs", "1", "--patches_per_epoch", "2", "--batch_size", "2", "--val_slices", "1")
    words = ["run", "training", "--config_file", str(CONFIGS / "train.json"), *TINY, *small]
    paths = ["--dataset_dir", "my#set", "--output_dir", "1e5"]
    assert cli.bundle_words([*words, *paths], there).code == 0
    overlay = there / "o.json"
    overlay.write_text('{"dataset_dir": "my#set", "output_dir": "1e5", "section": "val"}', encoding="utf-8")
    scoring = [str(CONFIGS / "train.json"), str(CONFIGS / "evaluate.json"), str(overlay)]
    assert run(there, scoring).code == 0
    assert {"model.pt", "metrics.json"} <= set(os.listdir(there / "1e5"))
    assert json.loads((there / "1e5/metrics.json").read_text(encoding="utf-8"))["dataset_dir"] == "my#set"


def test_the_bundle_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cli.own_process([], tmp_path):
        monkeypatch.setattr(sys, "path", [entry for entry in sys.path if Path(entry).resolve() != cli.ROOT])
        workflow = ConfigWorkflow(config_file=str(CONFIGS / "inference.json"))
        workflow.initialize()
        assert workflow.parser.get_parsed_content("weights") == str(cli.ROOT / "bundle/models/model.pt")
        assert str(cli.ROOT) in sys.path[:2]
