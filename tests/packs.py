"""A small packed bundle, and copies of it that somebody has changed."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cli
import pytest
import torch
from monai.networks.nets import BasicUNet

from custom.base.errors import BadInput
from custom.sharing import check_bundle, pack_bundle
from custom.sharing.archive import write_sums, write_zip
from custom.weights import sha256

NAME = "tiny_dendrites"
Change = Callable[[Path], object]


def small_run(folder: Path) -> Path:
    """One epoch of the tiny network, from weights of its own, with its network_tiny.json; returns its model.pt."""
    dataset = cli.labelled_stack(folder / "cell_A")
    start = cli.tiny_weights(folder / "start.pt", cli.volume((3, 140, 140)))
    ended = cli.train(dataset, folder / "run", network_def=cli.TINY, weights=start)
    assert ended.code == 0, ended.error
    (folder / "network_tiny.json").write_text(json.dumps({"network_def": cli.TINY}))
    return folder / "run/model.pt"


def pack_small(folder: Path) -> Path:
    """Train, and pack what came out."""
    weights = small_run(folder)
    return pack_bundle(folder / f"{NAME}.zip", weights, network=folder / "network_tiny.json")


def other_weights(folder: Path) -> None:
    """Lay the weights of a wider network into an unpacked bundle, in both forms."""
    from safetensors.torch import save_file

    state = BasicUNet(2, 1, 1, [8, 8, 8, 8, 8, 8]).state_dict()
    torch.save(state, folder / "models/model.pt")
    save_file(state, folder / "models/model.safetensors")


def unpacked(packed: Path, folder: Path) -> Path:
    """The bundle's folder, unpacked below `folder`."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    return folder / NAME


def changed(packed: Path, folder: Path, change: Change) -> Path:
    """A copy whose files were changed before sums and zip were made anew, as somebody with this code would."""
    inside = unpacked(packed, folder)
    change(inside)
    write_sums(inside)
    write_zip(inside, folder / "changed.zip")
    shutil.rmtree(inside)
    return folder / "changed.zip"


def refusal(path: Path, trusted: bool = False) -> str:
    """The sentence with which a bundle is refused."""
    with pytest.raises(BadInput) as refused:
        check_bundle(path, trusted, say=lambda line: None)
    sentence = str(refused.value)
    assert "\n" not in sentence and sentence.startswith(f"{path}: ")
    assert "; " in sentence or "pip install" in sentence  # the cure
    return sentence


@contextmanager
def untouched(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """Nothing is unpacked or imported within: the working directory stays empty, no package of the bundle comes up."""
    work = folder / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    for method in ("extract", "extractall"):
        monkeypatch.setattr(zipfile.ZipFile, method, lambda *_, **__: pytest.fail("something was unpacked"))
    yield
    assert list(work.iterdir()) == [] and not any(module.partition(".")[0] == NAME for module in sys.modules)


def settled(path: Path, key: str, value: object) -> None:
    """Set a key of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}, indent=4))


def forget(package: str) -> None:
    """As in a new process, no module of the package is known."""
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[module]


def resealed(weights: Path) -> None:
    """Let the record beside weights describe them again."""
    settled(weights.with_suffix(".json"), "weights_sha256", sha256(weights))
