"""Values put right in MONAI's parser before they are used, and looked at: paths as they were written, numbers that came as text.

MONAI turns `#` into `::` in every string as soon as it has read it, and looks at no value that is resolved; fire cuts `Li#3` and
drops `None`; YAML takes `1e-4` for a text. So what was typed or written is put among the resolved values.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from monai.bundle import ConfigParser

from custom.base.errors import BadInput
from custom.command_line.options import check_paths
from custom.command_line.table import OPTIONS, Number
from custom.command_line.typed import Words, is_path_text, reference, typed_path, typed_text

_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def _callers() -> Iterator[FrameType]:
    """A component is told nothing of the parser that builds it, nor of the run, which are among its callers."""
    frame = sys._getframe().f_back
    while frame:
        yield frame
        frame = frame.f_back


def calling_parser() -> ConfigParser | None:
    """The parser that resolves the config item which this is called from; None outside a config."""
    found = (frame.f_locals.get("self") for frame in _callers())
    return next((parser for parser in found if isinstance(parser, ConfigParser)), None)


def _written() -> Mapping[str, Any]:
    """What `monai.bundle.run` was given, before MONAI changed it: files, then the file of arguments, then arguments."""
    for frame in _callers():
        given = frame.f_locals
        if frame.f_code.co_name == "run" and {"config_file", "args_file", "override"} <= set(given):
            arguments = ConfigParser.load_config_file(given["args_file"]) if given["args_file"] else {}
            files = given["config_file"] or arguments.get("config_file") or ()
            return {**ConfigParser.load_config_files(files), **arguments, **given["override"]}
    return {}


def put_right(parser: ConfigParser, words: Words, paths: Sequence[str] = (), texts: Sequence[str] = ()) -> None:
    """Put texts and numbers that MONAI or YAML read wrongly in place, as long as they are not resolved.

    Args:
        parser: has parsed its config.
        words: the command line.
        paths: keys that hold a path, or a list of them.
        texts: keys that hold another text.

    Raises:
        BadInput: a path or text that was typed without a value, or that can be read in two ways.
    """
    written = _written()
    for key in (*paths, *texts):
        if key not in parser.ref_resolver.items:
            continue
        raw = parser.ref_resolver.items[key].get_config()
        if key not in words.values:
            value = _as_written(key, raw, written.get(key), parser.get())
        elif key in paths:
            value = typed_path(key, words, parser.get(), optional=raw is None)
        else:
            value = typed_text(key, words)
        if value is not None:
            _put(parser, key, value)
    _read_numbers(parser, parser.config, "", {*paths, *texts})
    for key in _numeric(parser.get()):
        if isinstance(text := parser.get(key), str):
            with suppress(ValueError):
                _set(parser, parser.config, key, key, text)


def check_options(parser: ConfigParser, paths: Sequence[str] = (), optional: Sequence[str] = ()) -> None:
    """Check what a config's keys come to, and put true and false in place of the words for them.

    Args:
        parser: has parsed its config; keys that it lacks are left alone.
        paths: those that hold a path, or a list of them.
        optional: those of them that may hold none in this config.

    Raises:
        BadInput: names the first key that cannot be, and what can.
    """
    resolver = parser.ref_resolver
    for name in paths:
        if name in parser.get() and not (name in optional and resolver.get_resolved_content(name) is None):
            check_paths(**{name: resolver.get_resolved_content(name)})
    for name, option in OPTIONS.items():
        if name in parser.get() and name not in paths:
            # what is resolved already MONAI takes as it is
            resolver.resolved_content[name] = option.check(name, resolver.get_resolved_content(name))


def _as_written(key: str, raw: Any, written: Any, known: Container[Any]) -> str | list[str] | None:
    """A text of a config file that MONAI has changed; None for all others."""
    if isinstance(raw, str) and (name := reference(raw)) is not None and name not in known:
        raise BadInput(
            f"--{key} {raw}: stands for a key {name} that the config lacks; give a path, as ./{raw} if it is one"
        )
    texts = written if isinstance(written, list) else [written]
    changed = all(isinstance(text, str) and is_path_text(text) for text in texts) and any("#" in text for text in texts)
    return written if changed else None


def _put(parser: ConfigParser, key: str, value: str | list[str]) -> None:
    """What is resolved already MONAI takes as it is."""
    resolved = parser.ref_resolver.resolved_content
    resolved[key] = value
    for i, element in enumerate(value if isinstance(value, list) else []):
        resolved[f"{key}::{i}"] = element


def _read_numbers(parser: ConfigParser, node: Any, above: str, texts: Container[str]) -> None:
    """Texts such as `1e-4` become numbers wherever they stand but in `texts`."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        item = f"{above}::{key}" if above else str(key)
        if isinstance(value, (dict, list)):
            _read_numbers(parser, value, item, texts)
        elif isinstance(value, str) and item not in texts and _EXPONENT.fullmatch(value):
            _set(parser, node, key, item, value)


def _numeric(config: Mapping[str, Any]) -> Iterator[str]:
    """The keys that hold a number: there a text such as "8" can only be meant as one."""
    return (key for key, option in OPTIONS.items() if isinstance(option, Number) and key in config)


def _set(parser: ConfigParser, node: Any, key: Any, item: str, text: str) -> None:
    """A whole number as an int, since a number of epochs may be written 1e2."""
    number = float(text)
    node[key] = int(number) if number.is_integer() else number
    parser.ref_resolver.items[item].update_config(node[key])
