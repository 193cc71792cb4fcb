"""Paths that cannot be meant are refused, in the bundle's commands and in the scripts."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from custom.base.errors import BadInput
from custom.command_line.options import GivenPath, check_device, check_paths

SCRIPTS = sorted((Path(__file__).parents[2] / "scripts").glob("*.py"))


@pytest.mark.parametrize("value", ["a", Path("a"), "./~/a", "~a file that is nobody's home", "a~"])
def test_paths(value: Any) -> None:
    check_paths(stack=value, weights=[value, value])
    check_paths(weights=None)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "--stack '': is empty"),
        (" ", "--stack  : is empty"),
        (None, "--stack null: is no path"),
        (2026, "--stack 2026: is read as int, .* quotes"),
        (["a"], "is read as list"),
        ("~", "the shell has left the ~ as it is; give /my/home, or ./~ "),
        ("~/a", "give /my/home/a, or ./~/a if"),
    ],
)
def test_what_is_no_path(value: Any, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/my/home")
    with pytest.raises(BadInput, match=told):
        check_paths(**{"dataset_dir" if isinstance(value, list) else "stack": value})
    with pytest.raises(BadInput, match="--weights"):
        check_paths(weights=["a", value])


def test_a_home_that_is_a_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~").mkdir()
    check_paths(stack="~")


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stack", action=GivenPath, default="usual")
    parser.add_argument("--weights", action=GivenPath, nargs="+")
    return parser.parse_args(words)


def test_a_script_takes_paths_as_they_are() -> None:
    assert arguments([]).stack == "usual"
    for name in ("Li#3", "2026_01", "[a]", "a b", "@x", "$x", "%x", "True"):
        found = arguments(["--stack", name, "--weights", name, "b"])
        assert found.stack == Path(name) and found.weights == [Path(name), Path("b")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--stack", ""], "--stack '': is empty"),
        (["--stack="], "is empty"),
        (["--weights", "a", " "], "--weights ' ': is empty"),
        (["--stack", "None"], "give ./None"),
        (["--stack", "~/a"], "the shell has left the ~"),
        (["--stack", "a", "--stack", "b"], "is given more than once"),
        (["--stack", "--weights", "a"], "expected one argument"),
    ],
)
def test_a_script_refuses(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        arguments(words)
    assert ended.value.code == 2 and told in capsys.readouterr().err


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_path_of_every_script(script: Path) -> None:
    _, *options = script.read_text(encoding="utf-8").split(".add_argument(")
    named = {option.split('"')[1].lstrip("-"): option.split('"', 2)[2] for option in options}
    paths = named.keys() & {"output_dir", "dataset_dir", "stack", "weights", "output", "json", "file"}
    assert paths and all(re.match(r",\s+action=GivenPath", named[path]) for path in paths)


def test_device() -> None:
    assert check_device("cpu") == torch.device("cpu")
    assert check_device(torch.device("cpu")) == torch.device("cpu")


def test_no_device() -> None:
    with pytest.raises(BadInput, match="--device gpu: is no device; give cpu, cuda"):
        check_device("gpu")


@pytest.mark.parametrize(("there", "wanted"), [(0, "cuda"), (0, "cuda:0"), (1, "cuda:1"), (2, "cuda:7")])
def test_cuda_that_is_not_there(monkeypatch: pytest.MonkeyPatch, there: int, wanted: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    with pytest.raises(BadInput, match=f"--device {wanted}: torch sees {there} CUDA devices"):
        check_device(wanted)


def test_cuda_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert check_device("cuda:1") == torch.device("cuda:1")
