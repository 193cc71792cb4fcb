"""Weights go in strictly, and nothing but tensors is ever read."""

from __future__ import annotations

import hashlib
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.networks.nets import BasicUNet
from safetensors.torch import save_file
from torch import nn

from custom.base.errors import BadInput
from custom.networks import ENet
from custom.weights import first_difference, first_not_finite, load_weights, origin, read_state, sha256, start_from


def network(seed: int = 0, features: tuple[int, ...] = (4,) * 6) -> nn.Module:
    torch.manual_seed(seed)
    return BasicUNet(2, 1, 1, features)


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    saved, target = network(0), network(1)
    save_file(saved.state_dict(), path) if suffix == "safetensors" else torch.save(saved.state_dict(), path)
    assert not same(saved, target)
    assert load_weights(target, str(path)) is target
    assert same(saved, target)
    assert same(start_from(network(2), path), saved)


def test_start_from_nothing_is_the_initial_network() -> None:
    fresh = network(3)
    assert start_from(fresh, None) is fresh
    assert same(fresh, network(3))


def test_one_file_for_each_member(tmp_path: Path) -> None:
    members = [network(seed) for seed in (1, 2)]
    paths = [tmp_path / f"{i}.pt" for i in range(2)]
    for member, path in zip(members, paths, strict=True):
        torch.save(member.state_dict(), path)
    blend = ENet([network(5), network(6)], [0.3, 0.7])
    load_weights(blend, paths)
    assert all(same(a, b) for a, b in zip(blend.members, members, strict=True))
    whole = tmp_path / "blend.pt"
    torch.save(blend.state_dict(), whole)
    assert same(load_weights(ENet([network(7), network(8)], [0.3, 0.7]), whole), blend)
    with pytest.raises(BadInput, match="several files need an ensemble"):
        load_weights(blend, paths[:1])
    with pytest.raises(BadInput, match="several files need an ensemble"):
        load_weights(network(), paths)


def refusal(path: Path, target: nn.Module | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        load_weights(target or network(), path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_missing_file(tmp_path: Path) -> None:
    assert "no such weights file" in refusal(tmp_path / "model.pt")


@pytest.mark.parametrize("change", ["shape", "missing", "unknown"])
def test_another_network_names_the_first_difference_and_loads_nothing(tmp_path: Path, change: str) -> None:
    path = tmp_path / "model.pt"
    state = network(0).state_dict()
    keys = list(state)
    if change == "shape":
        state[keys[2]] = torch.zeros(9, 1)
        state[keys[5]] = torch.zeros(9, 1)
        words = f"{keys[2]!r} is (9, 1) and should be {tuple(network().state_dict()[keys[2]].shape)}"
    elif change == "missing":
        del state[keys[3]], state[keys[6]]
        words = f"{keys[3]!r} is missing"
    else:
        state["extra.weight"] = torch.zeros(1)
        words = "'extra.weight' is unknown"
    torch.save(state, path)
    target = network(1)
    assert words in refusal(path, target)
    assert same(target, network(1))


def test_first_difference_of_equals() -> None:
    assert first_difference(network(0).state_dict(), network(1).state_dict()) is None


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
@pytest.mark.parametrize("suffix", ["pt", "safetensors", "ckpt"])
def test_code_in_a_file_is_never_run(tmp_path: Path, writer: str, suffix: str) -> None:
    trapped, path = tmp_path / "sprung", tmp_path / f"model.{suffix}"
    content = {"weight": torch.zeros(1), "trap": Trap(trapped)}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    assert "is not a file of tensors only" in refusal(path)
    assert not trapped.exists()
    if suffix == "pt" and writer == "torch":  # the trap does spring where it is let
        torch.load(path, weights_only=False)
        assert trapped.exists()


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 half a zip"])
def test_damaged_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    assert "is not a file of tensors only" in refusal(path)


def test_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save(network().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert "is not a file of tensors only" in refusal(path)


def test_checkpoint_and_nested_dicts(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"network": network().state_dict(), "trainer": {"epoch": 3}}, path)
    assert "training checkpoint" in refusal(path)
    for content in ({"model": network().state_dict()}, {"weight": torch.zeros(1), "epoch": 3}, [torch.zeros(1)]):
        torch.save(content, path)
        assert "holds more than named tensors" in refusal(path)


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize(("value", "word"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite")])
def test_weights_that_are_no_numbers(tmp_path: Path, value: float, word: str, suffix: str) -> None:
    path = tmp_path / f"model.{suffix}"
    state = network().state_dict()
    key = list(state)[3]
    state[key].view(-1)[:2] = value
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    assert f"diverged (2 of the {state[key].numel()} numbers of {key!r} are {word})" in refusal(path)


def test_finite_weights_of_all_kinds() -> None:
    mask = torch.full((3, 3), -math.inf).triu(1)  # of a causal attention
    kinds = [torch.ones(2, dtype=kind) for kind in (torch.bfloat16, torch.float8_e4m3fn, torch.complex64, torch.bool)]
    assert first_not_finite({"mask": mask, "empty": torch.zeros(0), **{str(k.dtype): k for k in kinds}}) is None
    assert first_not_finite({"a": mask, "b": mask + 1}) == "3 of the 9 numbers of 'b' are infinite"


def test_read_state_is_on_the_cpu(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "model.pt")
    assert {value.device.type for value in read_state(tmp_path / "model.pt").values()} == {"cpu"}


def test_sha256(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    for path, content in zip(paths, (b"", b"lithium" * 100_000), strict=True):
        path.write_bytes(content)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert sha256(paths) == digests
    assert sha256(str(paths[1])) == digests[1]


def test_the_origin_of_a_training_is_that_of_its_weights(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"a")
    digest = hashlib.sha256(b"a").hexdigest()
    assert origin(None) is None
    assert origin(tmp_path / "a.pt") == digest
    assert origin([tmp_path / "a.pt"]) == [digest]
    assert origin(tmp_path / "b.pt") is None
