"""Runs the bundle's commands in this process, exactly as `python -m monai.bundle` does, and makes small inputs for them."""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import importlib.util
import io
import json
import logging
import os
import re
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import fire
import monai.bundle
import numpy as np
import tifffile
import torch
from monai.bundle import ConfigParser
from monai.bundle.config_item import ComponentLocator
from monai.networks.nets import BasicUNet

from custom.data.known import known_slices
from custom.running import interruption

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}  # of processes that a test starts


@functools.cache
def _components(modules: int) -> dict[str, list[str]]:
    return _find_components(ComponentLocator(), ComponentLocator()._find_module_names())


# each parser looks through all of MONAI for its components, for 0.03 s; here once, and again when there are more modules
_find_components = ComponentLocator._find_classes_or_functions
ComponentLocator._find_classes_or_functions = lambda self, modnames: _components(len(modnames))  # type: ignore[method-assign]

FEATURES = [4, 4, 4, 4, 4, 4]
TINY: dict[str, Any] = {
    "_target_": "BasicUNet",
    "spatial_dims": 2,
    "in_channels": 1,
    "out_channels": 1,
    "features": FEATURES,
}


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        code: the exit code.
        output: what it printed.
        error: what it printed to standard error when an exception ended it, without the line's end.
    """

    code: int
    output: str
    error: str


def config_file(*names: str) -> str:
    """The value of --config_file: one file of bundle/configs, or several stacked."""
    files = [f"bundle/configs/{name}.json" for name in names]
    return files[0] if len(files) == 1 else str(files)


def parser_of(*names: str) -> ConfigParser:
    """Files of bundle/configs, stacked, with the bundle's metadata."""
    parser = ConfigParser()
    parser.read_config([str(ROOT / f"bundle/configs/{name}.json") for name in names])
    parser.read_meta(str(ROOT / "bundle/configs/metadata.json"))
    return parser


def bundle(command: str, *words: object, **options: object) -> Outcome:
    """`python -m monai.bundle command words... --key value...`, run from the repository root.

    An exception goes to the hook that the command installed; without one it leaves as it is, traceback and all.
    """
    arguments = [command, *map(str, words)]
    for key, value in options.items():
        arguments += [f"--{key}", str(value)]
    return bundle_words(arguments)


def bundle_words(arguments: list[str], folder: Path = ROOT) -> Outcome:
    """`python -m monai.bundle WORDS...`, run from `folder`."""
    printed, refused = io.StringIO(), io.StringIO()
    with own_process(arguments, folder), contextlib.redirect_stdout(printed):
        try:
            fire.Fire({arguments[0]: getattr(monai.bundle, arguments[0])}, command=arguments)
        except Exception as error:
            if sys.excepthook is sys.__excepthook__:
                raise
            return _ended_by(error, printed, refused)
    return Outcome(0, printed.getvalue(), "")


def _ended_by(error: Exception, printed: io.StringIO, refused: io.StringIO) -> Outcome:
    with contextlib.redirect_stderr(refused):
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except SystemExit as end:
            return Outcome(int(str(end.code)), printed.getvalue(), refused.getvalue().removesuffix("\n"))
    raise error


@contextlib.contextmanager
def own_process(arguments: list[str], folder: Path = ROOT) -> Iterator[None]:
    """What a command changes in its process is put back: directory, arguments, paths, hooks, logging."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(patch.object(sys, "argv", ["monai.bundle", *arguments]))
        stack.enter_context(patch.object(sys, "orig_argv", ["/usr/bin/python", "-m", "monai.bundle", *arguments]))
        stack.enter_context(patch.object(sys, "path", sys.path[:]))
        stack.enter_context(patch.object(sys, "excepthook", sys.__excepthook__))
        stack.enter_context(patch.object(sys, "unraisablehook", sys.unraisablehook))
        stack.enter_context(patch.object(threading, "excepthook", threading.__excepthook__))
        for number in interruption.SIGNALS:
            stack.callback(signal.signal, number, signal.getsignal(number))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", module=r"custom\.")
        try:
            yield
        finally:
            for handler in set(root.handlers) - set(before):
                handler.close()
            root.handlers[:] = before
            root.setLevel(level)


def script_of(name: str) -> ModuleType:
    """A module of its own, made of `scripts/NAME.py`."""
    found = importlib.util.spec_from_file_location(name, ROOT / f"scripts/{name}.py")
    assert found and found.loader
    script = importlib.util.module_from_spec(found)
    with patch.object(sys, "path", [str(ROOT / "scripts"), *sys.path]):
        found.loader.exec_module(script)
    return script


def study(words: list[str], folder: Path = ROOT, execute: Callable[[list[str]], None] | None = None) -> int:
    """`python scripts/run_study.py WORDS...`, run from `folder`, with all its commands in this process.

    Args:
        execute: runs the words of one command in place of `study_command`.
    """
    script = script_of("run_study")
    run_one = execute or (lambda words: study_command(words, folder))
    with contextlib.chdir(folder):
        code: int = script.main(words, lambda words, log: run_one(list(words)))
    return code


def study_command(words: list[str], folder: Path = ROOT) -> None:
    """One command of a study, timed on next to nothing where it takes the time."""
    small = ["--repeats", "1", "--bulk_size", "[140,150]"] if "study_cost" in " ".join(words) else []
    outcome = bundle_words([*words, *small], folder)
    assert outcome.code == 0, outcome.error


def run(*configs: str, **options: object) -> Outcome:
    """`python -m monai.bundle run --config_file ... --key value`."""
    return bundle("run", config_file=config_file(*configs), **options)


def segment(stack: Path, output_dir: Path, weights: Path, /, *overlays: str, **options: object) -> Outcome:
    """`run --config_file inference.json`, with the tiny network where no overlay names one."""
    network = {} if overlays else {"network_def": TINY}
    given = {"stack": stack, "output_dir": output_dir, "weights": weights, "device": "cpu", "precision": "fp32"}
    return run("inference", *overlays, **{**given, **network, **options})


def train(dataset_dir: Path, output_dir: Path, *overlays: str, **options: object) -> Outcome:
    """One tiny epoch of `run training --config_file train.json`."""
    small = {"device": "cpu", "max_epochs": 1, "patches_per_epoch": 2, "batch_size": 2, "val_slices": 1}
    options = {**small, **options}
    return bundle(
        "run",
        "training",
        config_file=config_file("train", *overlays),
        dataset_dir=dataset_dir,
        output_dir=output_dir,
        **options,
    )


def printed(outcome: Outcome, name: str) -> list[str]:
    """The words, after the module's name, of a command that a training printed: `evaluate` or `segment`."""
    (command,) = re.findall(rf"^  {name}: +(.*)$", outcome.output, flags=re.MULTILINE)
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "monai.bundle"]
    return words[3:]


def evaluated_as_printed(outcome: Outcome, run_dir: Path, folder: Path = ROOT) -> dict[str, Any]:
    """metrics.json of the evaluation that a training printed, which scored no slice that was trained on."""
    scored = bundle_words(printed(outcome, "evaluate"), folder)
    assert scored.code == 0, scored.error
    with open(run_dir / "per_slice.csv", newline="") as handle:
        places = {(row["stack"], int(row["z"])) for row in csv.DictReader(handle)}
    sides: dict[str, set[tuple[str, int]]] = {"train": set(), "val": set(), "test": set()}
    for side, stem, z, _ in known_slices(json.loads((run_dir / "model.json").read_text())):
        sides[side].add((stem, z))
    assert places == sides["test"] and not places & (sides["train"] | sides["val"])
    metrics: dict[str, Any] = json.loads((run_dir / "metrics.json").read_text())
    assert metrics["slices"]["trained_on"] == metrics["slices"]["validated_on"] == 0
    return metrics


def volume(shape: tuple[int, int, int], seed: int = 0, dtype: str = "uint16") -> np.ndarray:
    """Smooth blobs between noise: (Z, Y, X) grey values that differ along every axis."""
    z, y, x = (np.arange(n, dtype=float) for n in shape)
    waves = np.sin(z / 3)[:, None, None] + np.sin(y / 7)[:, None] + np.cos(x / 11)
    noise = np.random.default_rng(seed).normal(0, 0.2, shape)
    return (20000 + 4000 * (waves + noise)).astype(dtype)


def saved(folder: Path, grey: np.ndarray) -> Path:
    """The volume as stack.npy in `folder`."""
    np.save(folder / "stack.npy", grey)
    return folder / "stack.npy"


def tiny_weights(path: Path, grey: np.ndarray) -> Path:
    """A state dict of the tiny network, whose bias makes about half of a volume lithium."""
    torch.manual_seed(0)
    network = BasicUNet(2, 1, 1, FEATURES).eval()
    low, high = np.percentile(grey, (0.5, 99.5))
    scaled = torch.as_tensor(((grey - low) / (high - low)).clip(0, 1), dtype=torch.float32)[:, None]
    with torch.no_grad():
        network.final_conv.bias -= network(scaled).median()
    torch.save(network.state_dict(), path)
    return path


def class_weights(path: Path, grey: np.ndarray, classes: Sequence[str]) -> Path:
    """A state dict of the tiny network for several classes, each and the background some share of a volume, and its record."""
    torch.manual_seed(0)
    network = BasicUNet(2, 1, 1 + len(classes), FEATURES).eval()
    low, high = np.percentile(grey, (0.5, 99.5))
    scaled = torch.as_tensor(((grey - low) / (high - low)).clip(0, 1), dtype=torch.float32)[:, None]
    with torch.no_grad():
        network.final_conv.weight *= 20
        logits = network(scaled)
        network.final_conv.bias -= logits.transpose(0, 1).flatten(1).median(1).values
    torch.save(network.state_dict(), path)
    record = {"weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "classes": list(classes)}
    path.with_suffix(".json").write_text(json.dumps(record))
    return path


def labelled_stack(folder: Path, depth: int = 6, side: int = 140) -> Path:
    """A labelled data set of one stack, (depth, side, side), whose bright blobs are lithium."""
    grey = volume((depth, side, side), seed=1)
    label = (grey > np.percentile(grey, 80)).astype(np.uint8)
    for kind, voxels in (("images", grey), ("labels", label)):
        (folder / kind).mkdir(parents=True)
        tifffile.imwrite(folder / kind / "cell.tif", voxels, photometric="minisblack")
    return folder
