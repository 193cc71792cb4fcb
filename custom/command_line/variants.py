"""The config that a component is called from, and variants of it: other values, some objects shared."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from monai.bundle import ConfigParser

from custom.command_line.config_values import calling_parser
from custom.command_line.table import OPTIONS


class Config:
    """A config whose parts are built when they are asked for, each once.

    Args:
        parser: has parsed it; None: the one that resolves the item which this is called from.
    """

    def __init__(self, parser: ConfigParser | None = None) -> None:
        found = parser or calling_parser()
        assert found is not None, "is called from no config"
        self._parser = found

    def __getitem__(self, name: str) -> Any:
        """What stands under an id, built."""
        return self._parser.get_parsed_content(name)

    def written(self) -> dict[str, Any]:
        """All of it as it was written and typed, JSON types."""
        return dict(self._parser.get())

    def variant(self, kept: Collection[str], given: Mapping[str, Any]) -> Config:
        """The same config with everything built anew but for some parts.

        Args:
            kept: ids of what is built here and shared; so is what was typed for an option, which was put right.
            given: values in the place of others.
        """
        for name in kept:
            _ = self[name]
        shared = {*kept, *OPTIONS}
        built = self._parser.ref_resolver.resolved_content
        own = ConfigParser(copy.deepcopy(self._parser.get()))
        own.locator = self._parser.locator  # a new one would look through all of MONAI once more
        own.parse()
        own.ref_resolver.resolved_content.update(
            {name: one for name, one in built.items() if name.partition("::")[0] in shared}
        )
        own.ref_resolver.resolved_content.update(given)
        return Config(own)
