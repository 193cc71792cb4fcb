"""Words of the command line: told apart as fire does, and paths taken as they were typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fire
import pytest

from custom.base.errors import BadInput
from custom.command_line.typed import listed, taken_apart, typed_path, typed_text

KEYS = ("stack", "weights", "train", "run")


def given(*words: str) -> Any:
    """The path that counts of `--stack`, or of `--weights` where that is given."""
    words_ = taken_apart(words)
    return typed_path(next(iter(words_.values)), words_, KEYS)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--stack", "a", "--seed=1", "-b", "2"),
        ("run", "training", "--resume", "--stack", "-5"),
        ("run", "--output-dir", "x", "--train#a#b", "1", "--last"),
        ("--stack=", "run", "--stack", "b=c", "more"),
    ],
)
def test_words_are_told_apart_as_fire_does(words: tuple[str, ...]) -> None:
    seen: dict[str, Any] = {}

    def command(*alone: str, **keys: str) -> None:
        seen.update(alone=list(alone), keys=keys)

    fire.decorators.SetParseFn(str)(command)
    fire.Fire(command, command=list(words))
    mine = taken_apart(words)
    last = {key.replace("#", "::"): value for key, value in seen["keys"].items()}
    assert {key: "True" if values[-1] is None else values[-1] for key, values in mine.values.items()} == last
    assert mine.alone == seen["alone"]


@pytest.mark.parametrize(
    "name",
    [
        *("Li#3", "#3", "2026_01", "1e5", "007", "1_000", "-5", "0x10", "True", "nan", "[a]", "{x}", "(p)", "a,b"),
        *("it's", '5" wafer', "my scan", "x=1", "50%", "%nothing", "@scan", "@scan.tif", "$run", "$HOME/a", "$it's"),
        *("~x", "./2026", "b'x'", "a::b", "cell_10\udcb5m.tif", "'a' or 'b'"),
    ],
)
def test_a_name_is_used_as_it_was_typed(name: str) -> None:
    assert given("--stack", name) == name
    assert given(f"--stack={name}") == name


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--stack",), "--stack: has no value"),
        (("--stack", "--seed", "1"), "--stack: has no value"),
        (("--stack=",), "--stack '': is empty"),
        (("--stack", "  "), "--stack '  ': is empty"),
        (("--stack", "None"), "--stack None: is Python's word .* as ./None"),
        (("--stack", "@train"), "--stack @train: stands for the config's key train; give the path as ./@train"),
        (("--stack", "@train#0"), "--stack @train#0: stands for"),
        (("--stack", "%run"), "--stack %run: stands for the config's key run; give the path as ./%run"),
        (("--stack", "'q'"), "--stack 'q': stands in quotes; give the path as q or, .* ./'q'"),
        (("--stack", "a", "--stack", "b"), r"--stack: is given more than once \(a, b\)"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(BadInput, match=told) as refusal:
        given(*words)
    if "./" in told:
        cure = str(refusal.value)[str(refusal.value).index("./") :].split(" ")[0]
        assert given("--stack", cure) == cure


def test_what_is_there_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("None", "'q'", "inner", "[a,b]"):
        Path(name).touch()
    for name in ("None", "'q'"):
        assert given("--stack", name) == name
    assert given("--stack", "'inner'") == "inner"
    assert given("--weights", "[a,b]") == "[a,b]"
    assert given("--stack", "a", "--stack", "a") == "a"


def test_expressions_and_none_are_monais() -> None:
    for word in ("$@output_dir + '/model.pt'", "$'a'", "$@run"):
        assert given("--stack", word) is None
    assert typed_path("weights", taken_apart(["--weights", "None"]), KEYS, optional=True) is None


@pytest.mark.parametrize(
    ("word", "elements"),
    [
        ("['a#1.pt','b.pt']", ["a#1.pt", "b.pt"]),
        ('["it\'s", 2026_01, 1e5]', ["it's", "2026_01", "1e5"]),
        ("[a,b]", ["a", "b"]),
        ("a,b", ["a", "b"]),
        ("[]", []),
        ("a.pt", None),
        ("[a,b]#c", None),
        ("[a", None),
        ("{a,b}", None),
    ],
)
def test_lists(word: str, elements: list[str] | None) -> None:
    assert listed(word) == elements
    assert given("--weights", word) == (word if elements is None else elements)
    fields = word.startswith(("['", '["'))  # of view; else one stack is called so
    assert given("--stack", word) == (elements if fields else word)
    assert given("--output_dir", word) == word


def test_a_list_with_an_expression_is_monais() -> None:
    assert given("--weights", "['a',\"$@bundle_root + '/b'\"]") is None


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("entry#1/data", "entry#1/data"),
        ("2026_01", "2026_01"),
        ("'0'", "0"),
        ("None", None),
        ("@key", None),
        ("0", "0"),
    ],
)
def test_texts_that_are_no_paths(word: str, text: str | None) -> None:
    assert typed_text("stack_key", taken_apart(["--stack_key", word])) == text
