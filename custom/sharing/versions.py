"""Versions that a bundle requires, against those that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from custom.base.errors import BadInput

NAMED = {"monai_version": "monai", "pytorch_version": "torch", "numpy_version": "numpy"}


def check_versions(path: Path, meta: Mapping[str, Any]) -> list[str]:
    """Refuse a bundle that needs something newer than what is installed.

    Args:
        path: the bundle, for the refusal.
        meta: its metadata, of MONAI's schema.

    Returns:
        ``"name version (at least version)"`` for each required package.

    Raises:
        BadInput: names all that is missing or too old, and the pip line that mends it.
    """
    wanted = {package: str(meta[key]) for key, package in NAMED.items()} | dict(meta["required_packages_version"])
    short, told = [], []
    for package, least in wanted.items():
        there = _installed(package)
        told.append(f"{package} {there or 'not installed'} (at least {least})")
        try:
            if there is None or Version(there).release < Version(str(least)).release:
                short.append((f"{package} {there or 'is not installed'}", f"'{package}>={least}'"))
        except InvalidVersion as error:
            raise BadInput(
                f"{path}: metadata.json states no version of {package} ({least}); ask for a mended bundle"
            ) from error
    if short:
        raise BadInput(
            f"{path}: needs newer packages than are installed ({', '.join(has for has, _ in short)}): "
            f"pip install {' '.join(needed for _, needed in short)}"
        )
    return told


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except (PackageNotFoundError, ValueError):
        return None
