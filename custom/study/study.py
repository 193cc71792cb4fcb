"""A study from beginning to end."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from custom.base.errors import BadInput
from custom.command_line.placement import check_place
from custom.phantom import ensure_dataset
from custom.report import plain, write_json
from custom.running.interruption import goes_on
from custom.running.taken import release_folder, take_folder
from custom.study.commands import Part, costing, evaluation, segmentation, training
from custom.study.dataset_keys import words_of
from custom.study.plan import ENET, LOSSES, NETWORKS, TRAINED, Network, Study, check_paths
from custom.study.reading import read_json
from custom.study.running import Execute, listing, run_part
from custom.study.search import search_blend
from custom.study.slices import LabelledSlice, split_of
from custom.study.stack import choose_stack

logger = logging.getLogger("study")


def run_study(study: Study, root: Path, execute: Execute) -> None:
    """Run or go on with a study: whatever is finished is left alone.

    Args:
        study: what is asked for; without its own stack the data set's test side gives one.
        root: the repository root, in which `execute` runs the bundle's commands.
        execute: runs the words of one command to its end.

    Raises:
        BadInput: a missing extra, a path that cannot be, a folder of another study, whatever a command refuses.
    """
    check_extra()
    check_paths(study)
    networks = (*NETWORKS, *LOSSES)
    check_place(study.output_dir, study.dataset_dir, study.stack, [network.name for network in networks])
    goes_on(lambda: f"its finished parts are in {study.output_dir}")
    take_folder(study.output_dir)
    try:
        _study(study, root, execute)
    finally:
        release_folder(study.output_dir)


def _study(study: Study, root: Path, execute: Execute) -> None:
    split = split_of(study)
    if not any(item["lithium"] for item in split["test"]):
        raise BadInput(
            f"{study.dataset_dir}: no slice of the test side holds lithium; name slices that do in splits.json"
        )
    note_settings(study)
    stack = choose_stack(study, split)
    stack.image.open()  # a faulty stack is refused before the trainings, not after
    _train(study, execute)
    for network in TRAINED:
        _run(evaluation(study, network, "val"), study, execute)
    logger.info("searching E-Net's blend on val")
    search_blend(study, root, [LabelledSlice(item) for item in split["val"]])
    _run(evaluation(study, ENET, "val"), study, execute)
    for network in NETWORKS:
        _run(evaluation(study, network, "test"), study, execute)
        _run(costing(study, network), study, execute)
        _run(segmentation(study, network, stack), study, execute)
    for network in LOSSES if study.compare_losses else ():
        _run(evaluation(study, network, "test"), study, execute)
    logger.info("drawing and writing the report")
    from custom.study.report import write_report  # needs the extra, which is asked for in one sentence above

    write_report(study, split, stack)


def _train(study: Study, execute: Execute) -> None:
    """All trainings: one after another on each device, the devices side by side."""
    dealt: dict[str | None, list[Network]] = {}
    for network in study.trainings:
        dealt.setdefault(study.device(network), []).append(network)

    def train(networks: Sequence[Network]) -> None:
        for network in networks:
            _run(training(study, network), study, execute)

    if len(dealt) == 1:
        train(study.trainings)
        return
    with ThreadPoolExecutor(len(dealt)) as devices:
        for done in [devices.submit(train, networks) for networks in dealt.values()]:
            done.result()


def _run(part: Part, study: Study, execute: Execute) -> None:
    logger.info("%s", part.title)
    if not run_part(part, study.output_dir, execute):
        logger.info("  done before")


def check_extra() -> None:
    """Refuse to begin where the figures could not be drawn at the end.

    Raises:
        BadInput: matplotlib or scikit-image is not installed.
    """
    for name, package in (("matplotlib", "matplotlib"), ("skimage", "scikit-image")):
        if importlib.util.find_spec(name) is None:
            raise BadInput(f"{package}: is not installed and draws the study's figures; run pip install '.[study]'")


def note_settings(study: Study) -> None:
    """Note what the folder's study is about, or compare with what an earlier run noted.

    Raises:
        BadInput: the folder holds a study of other data, another seed or other epochs.
    """
    path = study.output_dir / "settings.json"
    settings = {
        "dataset_dir": str(study.dataset_dir),
        "files": listing(study.dataset_dir, study.reading.label_folder),
        "seed": study.seed,
        "recipe": f"epochs of {study.patches_per_epoch} patches" if study.minutes else "full",
        "reading": words_of(study.reading) or None,
    }
    if not path.is_file():
        write_json(path, settings)
        return
    before = read_json(path)
    for name, value in plain(settings).items():
        if before.get(name) != value:
            what = {"files": "of other files in the data set"}.get(name, f"with {name} {before.get(name)}")
            raise BadInput(f"{study.output_dir}: holds a study {what}; give another --output_dir or delete it")


def with_phantom(study: Study, phantom: Path) -> Study:
    """The study; its data set is made on first use where it is the phantom."""
    return replace(study, dataset_dir=ensure_dataset(phantom)) if study.dataset_dir == phantom else study
