"""One layout for all JSON files of a bundle."""

from __future__ import annotations

import json
from typing import Any

import pytest

from custom.sharing.json_text import json_text


@pytest.mark.parametrize(
    "content", [{}, [], 0, None, "#", {"a": []}, {"ä": {"b": [1, [2.0, {"c": None}]]}}, {"long": ["x" * 60] * 7}]
)
def test_it_reads_as_what_was_written(content: Any) -> None:
    text = json_text(content)
    assert json.loads(text) == content and text.endswith("\n") and "\\u" not in text


@pytest.mark.parametrize(("length", "lines"), [(96, 1), (97, 3)])
def test_what_fits_in_120_columns_stands_on_one_line(length: int, lines: int) -> None:
    """4 columns of indent, 17 of `"key": {"name": "`, the text, 3 of `"},`."""
    text = json_text({"key": {"name": "x" * length}, "last": 0})
    assert len(text.splitlines()) == 3 + lines
    assert max(map(len, text.splitlines())) == (120 if lines == 1 else 8 + 10 + length)


def test_a_long_list_of_plain_values_fills_its_lines() -> None:
    values = [f"@transform_{i}" for i in range(30)]
    first, *inside, last, end = json_text({"list": values}).splitlines()[1:]
    assert (first, last, end) == ('    "list": [', "    ]", "}")
    assert all(len(line) <= 120 < len(line) + len(' "@transform_1",') for line in inside[:-1])
    assert json.loads(f"[{''.join(inside)}]") == values


def test_a_long_list_of_objects_has_a_line_for_each() -> None:
    steps = [{"_target_": "a" * 40, "keys": ["image", "label"]}, "@more", {"_target_": "b" * 40}]
    assert json_text({"steps": steps}).splitlines()[2:5] == [
        " " * 8 + json.dumps(step) + comma for step, comma in zip(steps, (",", ",", ""), strict=True)
    ]
