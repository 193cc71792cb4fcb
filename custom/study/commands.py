"""The bundle's ordinary commands, as words, for each part of a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from custom.study.dataset_keys import words_of
from custom.study.plan import CONFIGS, ENET, Network, Study
from custom.study.stack import StudyStack

MANY_EPOCHS = 1_000_000  # where the time alone ends a training


@dataclass(frozen=True)
class Part:
    """One command of a study.

    Attributes:
        name: of its log and its mark, e.g. ``unet_test``.
        title: for people.
        words: after ``python -m monai.bundle``.
        inputs: files from earlier parts; where one of them changes, the part is done again.
        results: files that it leaves.
    """

    name: str
    title: str
    words: tuple[str, ...]
    inputs: tuple[Path, ...]
    results: tuple[Path, ...]


def training(study: Study, network: Network) -> Part:
    """Train by the study's recipe, going on with what there is."""
    out = study.folder(network)
    options: dict[str, object] = {"dataset_dir": study.dataset_dir, "output_dir": out, "resume": "true"}
    options |= words_of(study.reading)
    if study.minutes:
        options |= {"max_minutes": study.minutes, "patches_per_epoch": study.patches_per_epoch}
        options |= {"max_epochs": MANY_EPOCHS}
    if network.loss:
        options["loss"] = network.loss
    overlays = [network.overlay] if network.overlay else []
    configs = ["train", *overlays, "study"]
    words = ("run", "training", *_words(study, configs, options, seeded=True, device=study.device(network)))
    return Part(f"{network.name}_training", f"training {network.title}", words, (), (out / "model.pt",))


def evaluation(study: Study, network: Network, section: str) -> Part:
    """Score on one side of the split, and keep the probabilities."""
    out = study.folder(network, section)
    options: dict[str, object] = {"dataset_dir": study.dataset_dir, "output_dir": out, "section": section}
    options |= {"overwrite": "true"} | words_of(study.reading) | _weights(study, network)
    words = _words(study, ["train", "evaluate", "study_evaluate", *_overlay(study, network)], options, seeded=True)
    return _part(study, network, section, f"scoring {network.title} on {section}", words, out / "metrics.json")


def costing(study: Study, network: Network) -> Part:
    """Count parameters and arithmetic, and take the time."""
    out = study.folder(network, "cost")
    options = {"output_dir": out} | _weights(study, network)
    words = _words(study, ["inference", *_overlay(study, network), "study_cost"], options)
    return _part(study, network, "cost", f"timing {network.title}", words, out / "cost.json")


def segmentation(study: Study, network: Network, stack: StudyStack) -> Part:
    """Segment a stack; slabs of an interrupted run are kept, results of other weights are replaced."""
    out = study.folder(network, "stack")
    options: dict[str, object] = {"stack": stack.path, "output_dir": out, "overwrite": "true"} | _weights(
        study, network
    )
    options |= {"stack_key": stack.image.key} if stack.image.key is not None else {}
    options |= {"stack_index": str(list(stack.image.index)).replace(" ", "")} if stack.image.index is not None else {}
    if stack.window is not None:
        options["grey_window#fixed"] = f"[{stack.window[0]},{stack.window[1]}]"
    words = _words(study, ["inference", *_overlay(study, network)], options)
    return _part(study, network, "stack", f"segmenting with {network.title}", words, out / "summary.json")


def _part(study: Study, network: Network, name: str, title: str, words: tuple[str, ...], result: Path) -> Part:
    inputs = [*study.weights(network), *([study.enet_overlay] if network == ENET else [])]
    return Part(f"{network.name}_{name}", title, ("run", *words), tuple(inputs), (result,))


def _overlay(study: Study, network: Network) -> list[str]:
    if network == ENET:
        return [str(study.enet_overlay)]
    return [network.overlay] if network.overlay else []


def _weights(study: Study, network: Network) -> dict[str, object]:
    """E-Net's overlay names its own."""
    return {} if network == ENET else {"weights": study.folder(network) / "model.pt"}


def _words(
    study: Study,
    configs: list[str],
    options: Mapping[str, object],
    seeded: bool = False,
    device: str | None = None,
) -> tuple[str, ...]:
    files = [name if name.endswith(".json") else str(CONFIGS / f"{name}.json") for name in configs]
    given = dict(options) | ({"seed": study.seed} if seeded else {})
    chosen = device or study.device()
    given |= {"device": chosen} if chosen else {}
    config_file = "[" + ",".join(map(repr, files)) + "]"
    return ("--config_file", config_file, *(str(word) for key, value in given.items() for word in (f"--{key}", value)))
