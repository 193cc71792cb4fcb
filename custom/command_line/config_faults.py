"""Faults of a config file that MONAI's parser finds while it builds what the file describes, each as one sentence."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

_MISSING = re.compile(r"the referring item `@(.+)` is not defined in the config content")
_CIRCULAR = re.compile(r"detected circular references '(.+)' for id='(.+)' in the config content")
_NOWHERE = re.compile(r"Cannot locate class or function path: '(.+)'")
_NOT_EVALUATED = "Failed to evaluate ConfigExpression"
_NOT_BUILT = re.compile(r"Failed to instantiate component '(.+)' with keywords: ")


def config_fault(error: BaseException) -> str | None:
    """The fault and its cure, or None where the error is another one, such as a bug.

    Args:
        error: as MONAI raised it. Its own words name the missing key; its traceback knows who asked for it.
    """
    words, frames = str(error), _frames(error.__traceback__)
    ids = [local["id"] for name, local in frames if name == "_resolve_one_item" and local.get("id")]
    here = _shown(ids[-1]) if ids else "something"
    if isinstance(error, ValueError) and (found := _MISSING.search(words)):
        return _missing(here, _shown(found[1]))
    if isinstance(error, ValueError) and (found := _CIRCULAR.search(words)):
        return f"the config's {_shown(found[2])} and {_shown(found[1])} refer to each other; give one of them another value"
    if isinstance(error, ModuleNotFoundError) and (found := _NOWHERE.search(words)):
        return (
            f"the config's {here} has the _target_ {found[1]}, which is nowhere; check its name, or install its package"
        )
    if isinstance(error, SyntaxError) and ids and error.filename in ("<string>", "<unknown>"):
        return f"the config's {here} cannot be worked out ({error.msg}: {str(error.text).strip()}); write it as Python"
    cause = error.__cause__
    # raised by the call or the expression itself, not by what was called
    at = [name for name, _ in _frames(cause.__traceback__)] if cause else []
    if isinstance(cause, TypeError) and at == ["instantiate"] and (found := _NOT_BUILT.match(words)):
        return f"the config's {here} cannot be made: {cause}; give it the keys that {found[1]} takes"
    if words.startswith(_NOT_EVALUATED) and at == ["evaluate", "<module>"]:
        return f"the config's {here} cannot be worked out ({cause}); change it, or what it refers to"
    return None


def _missing(here: str, key: str) -> str:
    top, _, below = key.partition("#")
    gone = f"the config's {here} refers to {key}, which no config file holds"
    if top == "_meta_":
        return f"{gone}; give --meta_file the metadata.json of the bundle"
    if not below:
        return f"{gone}; add it to one of them"
    return f"{gone}; add it to the file that replaces {top} as a whole, or give {here} another value"


def _shown(key: str) -> str:
    return key.replace("::", "#")


def _frames(trace: TracebackType | None) -> list[tuple[str, dict[str, Any]]]:
    """Names and locals of the functions that an error came through, the outermost first."""
    found = []
    while trace:
        found.append((trace.tb_frame.f_code.co_name, trace.tb_frame.f_locals))
        trace = trace.tb_next
    return found
