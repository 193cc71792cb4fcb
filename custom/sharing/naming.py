"""A bundle's name, which is its folder and its Python package too, and texts that are told of a new one."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec

from custom.base.errors import BadInput

# `custom` is a word of English too: only where a path or a dotted name goes on does it mean the package
_IN_CLONE = re.compile(r"\bcustom(?=\.\w|/)")


def package_name(name: str, own: str) -> str:
    """The name of the package for a bundle's name: lower-case letters, digits and underscores.

    Args:
        name: e.g. "Lithium dendrites".
        own: the package that this code belongs to, whose name is free to be taken again.

    Raises:
        BadInput: nothing is left of the name, or a module of this name is there already and would be hidden.
    """
    package = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
    if not package.isidentifier():
        raise BadInput(f"--name {name}: gives no name for a Python package; start it with a letter, as in my_dendrites")
    if package in ("scripts", "custom") or package in sys.stdlib_module_names or (package != own and _taken(package)):
        raise BadInput(f"--name {name}: the Python module {package} would be hidden by it; give another name")
    return package


def _taken(package: str) -> bool:
    spec = find_spec(package)
    return spec is not None and spec.origin is not None  # without an origin it is a mere folder


def renamed(text: str, old: str, new: str) -> str:
    """The text with the package `old` called `new`, and paths as they are in a bundle's folder."""
    if old != "custom":
        return re.sub(rf"\b{re.escape(old)}\b", new, text)
    return re.sub(r"\bbundle/(configs|models)/", r"\1/", _IN_CLONE.sub(new, text))


def own_package() -> str:
    """The name of the package that this code belongs to."""
    return __name__.partition(".")[0]
