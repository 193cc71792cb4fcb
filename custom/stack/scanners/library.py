"""Readers that are not everybody's: what is missing is named when it is needed."""

import importlib
from pathlib import Path
from types import ModuleType

from custom.base.errors import BadInput


def library(path: Path, name: str) -> ModuleType:
    """The package that reads `path`.

    Raises:
        BadInput: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadInput(
            f"{path}: is read by the package {name}, which is not installed; pip install {name}, or all readers with pip "
            "install '.[formats]' in a clone of the project, and give the command again."
        ) from error
