"""Misspelt keys of the command line are refused: MONAI adds an unknown key without a word.

The config files' keys are read through MONAI's own parser, which keeps no record of what the files held.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from typing import Any

from monai.bundle import ConfigParser

from custom.base.errors import BadInput
from custom.command_line.typed import Words, listed, taken_apart

logger = logging.getLogger("command_line")

# what `monai.bundle run` takes for itself
_RUN_ARGUMENTS = {"run_id", "init_id", "final_id", "meta_file", "config_file", "logging_file", "tracking", "args_file"}


def check_keys(arguments: Sequence[str]) -> None:
    """Refuse a command-line key that none of the config files knows, and a word that belongs to no key.

    Args:
        arguments: the words after the module's name, e.g. ``["run", "training", "--config_file", "train.json"]``;
            words of another command than `run` are left alone.

    Raises:
        BadInput: names the nearest known key.
    """
    if not arguments or arguments[0] != "run":
        return
    words = taken_apart(arguments)
    files = words.last("config_file")
    if not files:
        return
    config = ConfigParser.load_config_files(files_of(files))
    for key in words.values:
        if key not in _RUN_ARGUMENTS:
            _check_key(key, config)
    _check_words(words, config)


def _check_words(words: Words, config: dict[str, Any]) -> None:
    """The words without a key are ids of the config, such as `training`; what is given twice counts once."""
    for word in words.alone[1:]:
        if word.replace("#", "::").split("::")[0] not in config:
            raise BadInput(
                f"{word}: is neither a key's value nor an id of the config; put a path that has spaces, and a pattern such as 'scans/*.tif', in quotes"
            )
    for key, given in words.values.items():
        if len(set(given)) > 1:
            logger.warning("--%s is given more than once: %s counts.", key.replace("::", "#"), given[-1])


def files_of(text: str) -> Sequence[str]:
    """`a.json` or the list literal that stacks several files: ``"['a.json','b.json']"``."""
    return listed(text) or [file for word in text.strip("[]()").split(",") if (file := word.strip(" '\""))]


def _check_key(key: str, config: dict[str, Any]) -> None:
    node: Any = config
    parts = key.split("::")
    for depth, part in enumerate(parts):
        if isinstance(node, list):
            if part.isdigit() and int(part) < len(node):
                node = node[int(part)]
                continue
        elif isinstance(node, dict):
            node = {str(key): value for key, value in node.items()}  # YAML has numbers as keys
            # a component's own arguments may be added: its constructor refuses the ones that it does not know
            if part not in node and depth > 0 and "_target_" in node:
                return
            if part in node:
                node = node[part]
                continue
        known = [k for k in node if not k.startswith("_")] if isinstance(node, dict) else []
        near = difflib.get_close_matches(part, known, n=1)
        where = "#".join(parts[: depth + 1])
        hint = "#".join([*parts[:depth], near[0]]) if near else None
        cure = (
            f"did you mean --{hint}?"
            if hint
            else "remove it, or look in docs/keys.md of the bundle for the keys that there are"
        )
        raise BadInput(f"--{where} is not a key of the given config: {cure}")
