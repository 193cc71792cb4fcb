"""Faults of a config file, as MONAI's parser raises them, are told in one sentence; bugs keep their traceback."""

from __future__ import annotations

import json
from typing import Any

import cli
import pytest
from monai.bundle import ConfigParser

from custom.command_line.edge import find_bad_input

SGD: dict[str, Any] = {"_target_": "torch.optim.SGD", "lr": 0.1}


def told(config: dict[str, Any], key: str) -> str | None:
    parser = ConfigParser(config)
    with pytest.raises((ValueError, RuntimeError, ModuleNotFoundError, SyntaxError)) as raised:
        parser.get_parsed_content(key)
    refusal = find_bad_input(raised.value)
    return None if refusal is None else str(refusal)


@pytest.mark.parametrize(
    ("config", "beginning"),
    [
        (
            {"optimizer": SGD, "x": {"rate": "$2 * @optimizer#decay"}},
            "the config's x#rate refers to optimizer#decay, which no config file holds; add it to the file that replaces optimizer",
        ),
        ({"x": ["@inferer"]}, "the config's x refers to inferer, which no config file holds; add it to one of them"),
        (
            {"x": "@_meta_#version"},
            "the config's x refers to _meta_#version, which no config file holds; give --meta_file the metadata.json of the bundle",
        ),
        ({"x": "@y", "y": "@x"}, "the config's y and x refer to each other; give one of them another value"),
        (
            {"x": {"_target_": "torch.optim.SDG"}},
            "the config's x has the _target_ torch.optim.SDG, which is nowhere; check its name, or install its package",
        ),
        (
            {"x": ["@optimizer"], "optimizer": SGD},
            "the config's optimizer cannot be made: SGD.__init__() missing 1 required positional argument: 'params'; give it the",
        ),
        (
            {"x": ["$@window.lower"], "window": {"lower": 0}},
            "the config's x#0 cannot be worked out ('dict' object has no attribute 'lower'); change it, or what it refers to",
        ),
        ({"x": "$1 +"}, "the config's x cannot be worked out (invalid syntax: 1 +); write it as Python"),
    ],
)
def test_faults_of_a_config(config: dict[str, Any], beginning: str) -> None:
    assert str(told(config, "x")).startswith(beginning)


def raising() -> None:
    int(None)  # type: ignore[call-overload]


@pytest.mark.parametrize("item", [{"_target_": "test_config_faults.raising"}, "$@function()"])
def test_bugs_are_none(item: Any) -> None:
    function = {"_target_": "test_config_faults.raising", "_mode_": "callable"}
    assert told({"x": item, "function": function}, "x") is None


def test_metadata_may_be_left_behind() -> None:
    metadata = json.loads((cli.ROOT / "bundle/configs/metadata.json").read_text(encoding="utf-8"))
    for meta, version in ((None, None), (metadata, metadata["version"])):
        parser = ConfigParser()
        parser.read_config(str(cli.ROOT / "bundle/configs/inference.json"))
        if meta:
            parser.read_meta(meta)
        assert parser.get_parsed_content("segmentation::version") == version
