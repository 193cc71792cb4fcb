"""What reading a config would execute: every `_target_`, `$` expression and `%` macro in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput


@dataclass(frozen=True)
class Step:
    """One thing that would be executed.

    Attributes:
        config: the file's name.
        key: where it stands, e.g. ``train#handlers#0``.
        kind: ``calls``, ``evaluates`` or ``reads``.
        what: the target, expression or macro as it is written.
    """

    config: str
    key: str
    kind: str
    what: str


def steps(config: str, content: Any, key: str = "") -> Iterator[Step]:
    """All steps of a parsed config, in its order; MONAI looks at every string, whatever its place."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            where = f"{key}#{name}" if key else str(name)
            if name == "_target_" and isinstance(value, str) and not value.startswith(("$", "%")):
                yield Step(config, key, "calls", value)
            else:
                yield from steps(config, value, where)
    elif isinstance(content, list):
        for i, value in enumerate(content):
            yield from steps(config, value, f"{key}#{i}")
    elif isinstance(content, str) and content.startswith("$"):
        yield Step(config, key, "evaluates", content)
    elif isinstance(content, str) and content.startswith("%"):
        yield Step(config, key, "reads", content)


def parsed(path: Path, config: str, text: bytes) -> dict[str, Any]:
    """A JSON object.

    Args:
        path: the bundle, for the refusal.
        config: the file's name in it.

    Raises:
        BadInput: no JSON object, or a key that is there twice, of which a reader sees one only.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("a key is there twice")
        return dict(pairs)

    try:
        content = json.loads(text, object_pairs_hook=once)
        if not isinstance(content, dict):
            raise ValueError("not an object")
        return content
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: {config} is no JSON config ({error}); ask for a mended bundle") from error
