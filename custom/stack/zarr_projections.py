"""Saying that an array of a Zarr hierarchy may be projections, as those of Data Exchange in Zarr are."""

from __future__ import annotations

import re
import warnings
from itertools import islice
from pathlib import Path

import zarr

from custom.stack.beside import Beside, tells
from custom.stack.warn import warn_once

_RESULTS = re.compile(r"recon|result|process|volume", re.IGNORECASE)
_DEPTH = 6
_MOST_NODES = 2000


def tell_projections(path: Path, root: zarr.Array | zarr.Group, array: zarr.Array) -> None:
    """Warn of an array, asked for by its key, that lies beside what goes with projections and fits it in size.

    Args:
        path: for the warning.
        root: the outermost node.
        array: in it; without a key it is the only one, and nothing lies beside it.
    """
    if not isinstance(root, zarr.Group) or array.ndim < 3:
        return
    own = array.path.removeprefix(root.path).strip("/")
    if _RESULTS.search(own):
        return
    found = Beside(array.shape)
    for name, other in sorted(_telling(root).items()):
        near = name.rpartition("/")[0] == own.rpartition("/")[0]
        (found.look if near else found.look_from_afar)(name, other.shape)
    if found.fitting:
        warn_once(f"{path}: {found.says(own)} and is taken for a reconstruction because its key was given.")


def _telling(root: zarr.Group) -> dict[str, zarr.Array]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders in between that are no part of the hierarchy
        members = islice(root.members(max_depth=_DEPTH), _MOST_NODES)
        return {name: node for name, node in members if isinstance(node, zarr.Array) and tells(name.rpartition("/")[2])}
