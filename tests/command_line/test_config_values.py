"""Paths and numbers that MONAI or YAML read wrongly, put right in a config that is being resolved."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser, run

from custom.base.errors import BadInput
from custom.command_line.config_values import calling_parser, put_right
from custom.command_line.typed import taken_apart

seen: dict[str, Any] = {}
typed: list[str] = []


def note(**values: Any) -> None:
    seen.update(values)


def put() -> None:
    """What a config calls before anything else of it is resolved."""
    parser = calling_parser()
    assert parser is not None
    put_right(parser, taken_apart(typed), ["stack", "weights"], ["stack_key"])


BASE = """
stack: usual
weights: [x, y]
stack_key: null
max_epochs: 3
rate: 0.5
nested: {list: [1, {deep: 0}]}
below: $@stack + '/model.pt'
initialize:
    - {_target_: test_config_values.put}
run:
    - {_target_: test_config_values.note, stack: "@stack", weights: "@weights", stack_key: "@stack_key", max_epochs: "@max_epochs"}
    - {_target_: test_config_values.note, rate: "@rate", nested: "@nested", below: "@below", first: "@weights::0"}
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "test_config_values", sys.modules[__name__])
    seen.clear()
    typed.clear()


def values(tmp_path: Path, overlay: str, **arguments: Any) -> dict[str, Any]:
    """What a run sees of the base and an overlay."""
    for name, text in (("base.yaml", BASE), ("overlay.yml", overlay)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    run(config_file=[str(tmp_path / "base.yaml"), str(tmp_path / "overlay.yml")], **arguments)
    return seen


def test_a_hash_in_a_path_of_a_config_stays(tmp_path: Path) -> None:
    found = values(tmp_path, "stack: Li#3\nstack_key: a#1/data\nweights: ['a#1.pt', b.pt]\n")
    assert found["stack"] == "Li#3" and found["stack_key"] == "a#1/data" and found["below"] == "Li#3/model.pt"
    assert found["weights"] == ["a#1.pt", "b.pt"] and found["first"] == "a#1.pt"


def test_a_hash_in_an_argument_stays(tmp_path: Path) -> None:
    (tmp_path / "args.json").write_text('{"stack_key": "a#1"}', encoding="utf-8")
    found = values(tmp_path, "stack: x#1\n", stack="Li#3", args_file=str(tmp_path / "args.json"))
    assert found["stack"] == "Li#3" and found["stack_key"] == "a#1"


def test_colons_and_references_stay(tmp_path: Path) -> None:
    assert values(tmp_path, "stack: a::b\nstack_key: '@stack'\n")["stack_key"] == "a::b"
    with pytest.raises(RuntimeError) as told:
        values(tmp_path, "stack: '@nothing#a'\n")
    assert "a key nothing that the config lacks" in str(told.value.__cause__)
    assert isinstance(told.value.__cause__, BadInput)


def test_what_was_typed_counts_before_what_was_read(tmp_path: Path) -> None:
    typed.extend(["--stack", "2026_01", "--weights", "['a#1',b]", "--stack_key", "'1'"])
    found = values(tmp_path, "max_epochs: 3\n", stack=202601, stack_key=1)
    assert found["stack"] == "2026_01" and found["weights"] == ["a#1", "b"] and found["stack_key"] == "1"


def test_numbers_that_came_as_text(tmp_path: Path) -> None:
    numbers = "rate: 1e-4\nmax_epochs: '8'\nnested: {list: [2e3, {deep: -1.5E+1}], name: 1e-4x}\nstack: 1e5\nstack_key: 1e-4\n"
    found = values(tmp_path, numbers)
    assert found["rate"] == 1e-4 and found["nested"] == {"list": [2000, {"deep": -15}], "name": "1e-4x"}
    assert found["max_epochs"] == 8 and all(type(n) is int for n in (found["max_epochs"], found["nested"]["list"][0]))
    assert found["stack"] == "1e5" and found["stack_key"] == "1e-4"


def test_outside_a_config_there_is_no_parser() -> None:
    assert calling_parser() is None
    parser = ConfigParser({"stack": "a#b"})
    parser.parse()
    put_right(parser, taken_apart([]), ["stack", "missing"])
    assert parser.get_parsed_content("stack") == "a::b"
