"""The commands that follow a training, with every key and config file of its own that matters to them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from custom.base.readable import quoted
from custom.command_line.config_keys import files_of
from custom.command_line.typed import taken_apart

RUN = "python -m monai.bundle run"
# of a training alone, or set anew
_TRAINING = {"run_id", "init_id", "final_id", "config_file", "args_file", "tracking", "resume", "overwrite", "weights"}
_TRAINING |= {"max_epochs", "max_minutes", "batch_size", "patches_per_epoch", "learning_rate", "optimizer", "train"}
_TRAINING |= {"val_interval", "val_slices", "num_workers", "cache_rate", "folder"}
_TRAINING |= {"dataset_dir", "output_dir", "unlabelled"}
# what segmentation takes too, under which name
_SEGMENTATION = {"image_key": "stack_key", "image_index": "stack_index"} | {
    key: key
    for key in (
        *("network_def", "grey_window", "patch_size", "device", "precision", "overlap", "threshold"),
        *("meta_file", "logging_file"),
    )
}


def following(arguments: Sequence[str], dataset_dir: str, output_dir: str) -> dict[str, str]:
    """What to give next, as a shell takes it: ``evaluate`` and ``segment``.

    Args:
        arguments: of the training, after the module's name; other ones, such as a client's, are passed over.
        dataset_dir, output_dir: of the training, for what was not typed.
    """
    given = _given(arguments)
    files = list(files_of(given.get("config_file") or "bundle/configs/train.json"))
    configs = Path(files[0]).parent
    overlays = {file: ConfigParser.load_config_file(file) for file in files[1:]}
    alone = [file for file, config in overlays.items() if not any(map(_by_torchrun, config))]
    data, out = (given.get(key) or path for key, path in (("dataset_dir", dataset_dir), ("output_dir", output_dir)))
    same = {key: value for key, value in given.items() if _top(key) not in _TRAINING}
    used = {_renamed(key): value for key, value in given.items() if _top(key) in _SEGMENTATION}
    networks = [file for file in alone if any(_top(key) == "network_def" for key in overlays[file])]
    weights = os.path.join(output_dir, "model.pt")  # with its ./ MONAI reads no %run
    evaluate = {"dataset_dir": data, "output_dir": out, **same}
    segment = {"weights": weights, **used, "stack": "STACK", "output_dir": "OUT"}
    return {
        "evaluate": _command([files[0], *alone, str(configs / "evaluate.json")], evaluate),
        "segment": _command([str(configs / "inference.json"), *networks], segment),
    }


def _given(arguments: Sequence[str]) -> dict[str, str | None]:
    """What was typed for each key, after what a file of arguments has for it."""
    words = taken_apart(arguments if arguments[:1] == ["run"] else [])
    typed = {key: words.last(key) for key in words.values}
    file = typed.get("args_file")
    noted: Mapping[str, Any] = ConfigParser.load_config_file(file) if file else {}
    return {key.replace("#", "::"): str(value) for key, value in noted.items()} | typed


def _by_torchrun(key: str) -> bool:
    """Whether an overlay with this key is for several processes."""
    return re.split("::|#", key) == ["folder", "world_size"]


def _top(key: str) -> str:
    return re.split("::|#", key)[0]


def _renamed(key: str) -> str:
    return _SEGMENTATION[_top(key)] + key[len(_top(key)) :]


def _command(files: Sequence[str], keys: Mapping[str, str | None]) -> str:
    stacked = files[0] if len(files) == 1 else "[" + ",".join(repr(str(file)) for file in files) + "]"
    words = ["--config_file", quoted(stacked)]
    for key, value in keys.items():
        name = f"--{key.replace('::', '#')}"
        if value is None:
            words.append(name)
        elif value.startswith("-"):
            words.append(f"{name}={quoted(value)}")
        else:
            words += [name, quoted(value)]
    return " ".join([RUN, *words])
