"""The commands that a training prints work as they are printed, and are about the same network, window and slices."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import cli
import pytest

from custom.command_line.following import following

TRAIN = "bundle/configs/train.json"
RUN = ["python", "-m", "monai.bundle", "run"]


def words_of(arguments: str, *places: str) -> dict[str, list[str]]:
    """The words of the printed commands, after `python -m monai.bundle run`."""
    commands = following(shlex.split(arguments), *(places or ("data/phantom", "runs/transforcnn")))
    words = {name: shlex.split(command) for name, command in commands.items()}
    assert all(found[:4] == RUN for found in words.values())
    return {name: found[4:] for name, found in words.items()}


def test_keys_that_matter_are_carried() -> None:
    found = words_of(
        f"run training --config_file {TRAIN} --dataset_dir 'my slices' --output_dir=runs/a --seed 3 --threshold 0.4 "
        "--grey_window#fixed [1,2] --image_key /entry/grey --label_255 lithium --device cpu --max_epochs 3 --resume true "
        "--weights bundle/models/model.pt --optimizer#lr 0.1 --network_def#reading C --overwrite",
        *("my slices", "runs/a"),
    )
    assert found["evaluate"] == shlex.split(
        f"--config_file \"['{TRAIN}','bundle/configs/evaluate.json']\" --dataset_dir 'my slices' --output_dir runs/a "
        "--seed 3 --threshold 0.4 --grey_window#fixed [1,2] --image_key /entry/grey --label_255 lithium --device cpu "
        "--network_def#reading C"
    )
    assert found["segment"] == shlex.split(
        "--config_file bundle/configs/inference.json --weights runs/a/model.pt --threshold 0.4 "
        "--grey_window#fixed [1,2] --stack_key /entry/grey --device cpu --network_def#reading C --stack STACK --output_dir OUT"
    )


def test_config_files_are_carried() -> None:
    names = ("train", "network_unet", "study", "multi_gpu_train")
    files = "[" + ",".join(f"'bundle/configs/{name}.json'" for name in names) + "]"
    found = words_of(f'run training --config_file "{files}"', "a b", "runs/unet")
    stacked = [f"bundle/configs/{name}.json" for name in ("train", "network_unet", "study", "evaluate")]
    assert found["evaluate"] == [
        *("--config_file", str(stacked).replace(" ", "")),
        *("--dataset_dir", "a b", "--output_dir", "runs/unet"),
    ]
    assert found["segment"][1] == "['bundle/configs/inference.json','bundle/configs/network_unet.json']"


def test_a_file_of_arguments_and_other_programs(tmp_path: Path) -> None:
    (tmp_path / "given.json").write_text(json.dumps({"config_file": TRAIN, "seed": 5, "grey_window#fixed": [1, 2]}))
    found = words_of(f"run training --args_file {tmp_path}/given.json --seed 6")
    assert found["evaluate"][-4:] == ["--seed", "6", "--grey_window#fixed", "[1, 2]"]
    assert "--args_file" not in found["evaluate"]
    for other in ("tests/command_line/test_following.py -q", "run_workflow training", ""):
        assert words_of(other, "d", "o")["evaluate"][2:] == ["--dataset_dir", "d", "--output_dir", "o"]


@pytest.mark.parametrize(
    "word",
    ["it's", 'a "b" c', "$HOME", "a#b", "-1", "!x", "`id`", "a'b\"c", "[-5,3]", "ä b", "{'1': 'lithium', '7': 255}"],
)
def test_the_shell_gives_back_what_was_typed(word: str) -> None:
    typed = shlex.join(["run", "training", "--config_file", TRAIN, f"--dataset_dir={word}"])
    evaluate = words_of(typed)["evaluate"]
    given = [value for key, value in zip(evaluate, evaluate[1:], strict=False) if key == "--dataset_dir"]
    assert given == [word] or f"--dataset_dir={word}" in evaluate


def test_as_printed_in_a_folder_with_a_space(labelled_set_2d: Path, tmp_path: Path) -> None:
    """A whole training with a network overlay of the user's own, from weights, and the commands that it prints."""
    dataset = Path(shutil.copytree(labelled_set_2d, tmp_path / "my slices (1)"))
    overlay, run_dir = tmp_path / "own networks" / "tiny.json", tmp_path / "runs of today" / "it's one"
    overlay.parent.mkdir()
    overlay.write_text(json.dumps({"network_def": cli.TINY}))
    keys = {
        "dataset_dir": dataset,
        "output_dir": run_dir,
        "seed": 3,
        "device": "cpu",
        "grey_window#fixed": [9000, 40000],
    }
    keys |= {"max_epochs": 1, "patches_per_epoch": 2, "batch_size": 2, "patch_size": 64}
    words = ["run", "training", "--config_file", str([TRAIN, str(overlay)])]
    trained = cli.bundle_words([*words, *(str(word) for key, value in keys.items() for word in (f"--{key}", value))])
    assert trained.code == 0, trained.error
    scored = cli.evaluated_as_printed(trained, run_dir)
    assert scored["grey_window"]["fixed"] == [9000, 40000] and "which is taken" not in trained.output
    places = {"STACK": str(dataset / "images/slice_0.tif"), "OUT": str(tmp_path / "out")}
    segmented = cli.bundle_words([places.get(word, word) for word in cli.printed(trained, "segment")])
    assert segmented.code == 0, segmented.error
    assert json.loads((tmp_path / "out/summary.json").read_text())["grey_window"] == [9000, 40000]


def test_names_that_are_not_utf8_reach_a_command_through_bash() -> None:
    name = "it's_10\udcb5\\m"
    printed = following(["run", "training"], "data", name)["evaluate"].rpartition("--output_dir ")[2]
    assert printed.isascii()
    assert subprocess.run(["bash", "-c", f"printf %s {printed}"], capture_output=True).stdout == os.fsencode(name)
