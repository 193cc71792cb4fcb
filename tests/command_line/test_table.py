"""The options that a user may set: their ranges, their words, and that the page of all keys has them."""

from __future__ import annotations

import re
from typing import Any

import cli
import pytest
from monai.bundle import ConfigParser

from custom.base.errors import BadInput
from custom.command_line.config_values import check_options
from custom.command_line.table import OPTIONS, Number, Numbers, Switch, Word
from custom.losses.named import NAMES

PAGE = (cli.ROOT / "bundle/docs/keys.md").read_text(encoding="utf-8")
COMMANDS = {"T": ("train",), "E": ("train", "evaluate"), "S": ("inference",), "R": ("region",), "M": ("measure",)}
COMMANDS |= {"N": ("inference", "suggest"), "C": ("collect",)}
WRONG: dict[str, tuple[Number | Numbers | Word | Switch, Any, str]] = {
    "below": (Number(1, 9), 0, "--key 0: cannot be; give a whole number from 1 to 9"),
    "part of a whole number": (Number(1, 9), 2.5, "--key 2.5: cannot be; give a whole number from 1 to 9"),
    "above": (Number(0.0, 0.99), 1, "--key 1: cannot be; give a number from 0.0 to 0.99"),
    "not a number": (Number(0.0, 1.0), float("nan"), "--key nan: cannot be; give a number from 0.0 to 1.0"),
    "text": (Number(1, 9), "8x", "--key 8x: cannot be; give a whole number from 1 to 9"),
    "true": (Number(1, 9), True, "--key True: cannot be; give a whole number from 1 to 9"),
    "one of several": (
        Numbers(0.0, 1.0),
        [0.2, 2],
        "--key [0.2, 2]: cannot be; give numbers from 0.0 to 1.0, such as [0.4,0.6]",
    ),
    "several as text": (
        Numbers(0.0, 1.0),
        "[a]",
        "--key [a]: cannot be; give numbers from 0.0 to 1.0, such as [0.4,0.6]",
    ),
    "word": (Word(("a", "b")), "c", "--key c: is unknown; give one of a, b"),
    "switch": (Switch(), "yes", "--key yes: is unknown; give true or false"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be(case: str) -> None:
    option, value, told = WRONG[case]
    with pytest.raises(BadInput, match=f"^{re.escape(told)}.?$"):
        option.check("key", value)


def test_what_can_be() -> None:
    assert [Switch().check("key", value) for value in (True, "true", "False", False)] == [True, True, False, False]
    assert Number(1, 9).check("key", None) is None and Number(0.0, 1.0).check("key", 1) == 1
    several = [0.5, "[0.3,0.5]", [".3", 0.5], "3e-1", None]
    assert [Numbers(0, 1).check("key", value) for value in several] == [[0.5], [0.3, 0.5], [0.3, 0.5], [0.3], []]
    assert OPTIONS["loss"] == Word(NAMES)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_has_its_row_and_a_default_that_can_be(name: str) -> None:
    """The page says for which commands it is; their configs have it, and others have not."""
    (commands,) = re.findall(rf"^\| `--{name}` \| ([TESRMNC ]+) \|", PAGE, flags=re.MULTILINE)
    for command, files in COMMANDS.items():
        config = cli.parser_of(*files)
        default = config.get(name, default=KeyError)
        if command in commands.split():
            assert default is not KeyError
            if command == "M" and name == "probability":
                assert default is None  # a file there
            elif not str(default).startswith("$"):
                assert OPTIONS[name].check(name, default) == default
        elif command not in "EN":  # whose configs have the keys of a training or a segmentation too
            assert default is KeyError


def test_the_options_of_a_config_are_looked_at_and_words_become_switches() -> None:
    parser = ConfigParser(
        {"resume": "true", "seed": "$1 + 1", "overwrite": "@resume", "weights": None, "other": "true"}
    )
    parser.parse()
    check_options(parser, ["weights", "stack"])
    found = {name: parser.get_parsed_content(name) for name in parser.get()}
    assert found == {"resume": True, "seed": 2, "overwrite": True, "weights": None, "other": "true"}
    parser = ConfigParser({"seed": "$-1"})
    parser.parse()
    with pytest.raises(BadInput, match="--seed -1: cannot be"):
        check_options(parser)
