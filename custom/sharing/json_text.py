"""JSON as a person reads it: what fits on a line stands on one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

WIDTH = 120


def json_text(content: Any) -> str:
    """The text of a JSON file, as all configs have it.

    An object or a list stays on one line where that has at most 120 columns, the comma after it counted. Else an object
    has a line for each key, a list of plain values as many in a line as fit, any other list a line for each value. The
    file's own object is always opened.
    """
    return _opened(content, 0) + "\n" if isinstance(content, dict) and content else _flat(content) + "\n"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: Any, indent: int, before: str) -> str:
    """The value after the text `before` in a line that is indented by so many columns."""
    flat = before + _flat(value)
    if not isinstance(value, dict | list) or indent + len(flat) + len(",") <= WIDTH:
        return flat
    return before + _opened(value, indent)


def _opened(value: dict[str, Any] | list[Any], indent: int) -> str:
    inner = indent + 4
    if isinstance(value, dict):
        lines = [_text(item, inner, f"{_flat(key)}: ") for key, item in value.items()]
    elif any(isinstance(item, dict | list) for item in value):
        lines = [_text(item, inner, "") for item in value]
    else:
        lines = list(_filled(value, inner))
    start, end = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([start, ",\n".join(" " * inner + line for line in lines), " " * indent + end])


def _filled(values: list[Any], indent: int) -> Iterator[str]:
    line = ""
    for text in map(_flat, values):
        if line and indent + len(f"{line}, {text},") > WIDTH:
            yield line
            line = text
        else:
            line = f"{line}, {text}" if line else text
    yield line
