"""The array that is meant in a Zarr hierarchy: named, or the finest level of its only image, or its only one."""

import warnings
from typing import Any, cast

import zarr

from custom.base.errors import BadInput
from custom.stack.listing import listed
from custom.stack.ome_zarr import Pyramid, pyramid


def find_array(path: object, root: zarr.Array | zarr.Group, key: str) -> tuple[zarr.Array, Pyramid | None]:
    """The array that `key` means, and what OME-Zarr says of it, if anything.

    Args:
        path: for the refusals.
        root: the outermost node.
        key: path of an array, or of a group with one or with an image, without slashes at its ends; "": the root.

    Raises:
        BadInput: there is none of that name, or several and none is named; a missing level 0.
    """
    if isinstance(root, zarr.Array):
        if key:
            raise BadInput(f"{path}: is a single array and has no {key}; leave --stack_key away.")
        return root, None
    found = root.get(key) if key else root
    if found is None:
        raise BadInput(f"{path}: has no array {key}; {listed(_choice(root))}.")
    if isinstance(found, zarr.Array):
        parent, _, name = key.rpartition("/")
        group = root[parent] if parent else root
        image = pyramid(dict(group.attrs))
        if image is None or image.path == name:
            return found, image
        return found, Pyramid(name, image.names, None)
    return _in_group(path, root, found)


def _in_group(path: object, root: zarr.Group, group: zarr.Group) -> tuple[zarr.Array, Pyramid | None]:
    image = pyramid(dict(group.attrs))
    if image is not None:
        found = group.get(image.path)
        if isinstance(found, zarr.Array):
            return found, image
        arrays = _arrays(root, group)
        others = f", or {listed(arrays)}" if arrays else ""
        raise BadInput(f"{path}: its level 0, the array {image.path}, is missing; copy or write it anew{others}.")
    inside = f"{_path(root, group)} in it " if group is not root else ""
    images = _images(group)
    if len(images) == 1:
        return _in_group(path, root, images[0])
    if images:
        shown = {_path(root, one): _size(one) for one in images}
        what = "is a plate with" if "plate" in _ome(group) else "holds"
        raise BadInput(f"{path}: {inside}{what} {len(images)} images where one is wanted; {listed(shown)}.")
    arrays = _arrays(root, group)
    if len(arrays) != 1:
        raise BadInput(f"{path}: {inside}holds {len(arrays) or 'no'} arrays where one is wanted; {listed(arrays)}.")
    return cast(zarr.Array, root[next(iter(arrays))]), None


def _choice(root: zarr.Group) -> dict[str, tuple[int, ...]]:
    """What there is to name: the images where there are several, else all arrays."""
    images = [] if pyramid(dict(root.attrs)) else _images(root)
    return {_path(root, one): _size(one) for one in images} if len(images) > 1 else _arrays(root, root)


def _images(group: zarr.Group) -> list[zarr.Group]:
    """The images below a group, in the order of their names; the labels of an image are none."""
    found = [item for _, item in _below(group) if isinstance(item, zarr.Group) and _is_image(item)]
    return sorted(found, key=lambda one: [(len(part), part) for part in one.path.split("/")])


def _is_image(group: zarr.Group) -> bool:
    return bool(_ome(group).get("multiscales")) and "labels" not in group.path.split("/")


def _ome(group: zarr.Group) -> dict[str, Any]:
    attributes = dict(group.attrs)
    return cast(dict[str, Any], attributes.get("ome", attributes))  # 0.5 puts everything under "ome"


def _size(image: zarr.Group) -> tuple[int, ...]:
    level = image.get(_ome(image)["multiscales"][0]["datasets"][0]["path"])
    return level.shape if isinstance(level, zarr.Array) else ()


def _arrays(root: zarr.Group, group: zarr.Group) -> dict[str, tuple[int, ...]]:
    """All arrays below a group, by their path from the root."""
    return {_path(root, item): item.shape for _, item in _below(group) if isinstance(item, zarr.Array)}


def _below(group: zarr.Group) -> list[tuple[str, zarr.Array | zarr.Group]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders in between that are no part of the hierarchy
        return list(group.members(max_depth=None))


def _path(root: zarr.Group, node: zarr.Array | zarr.Group) -> str:
    return node.path.removeprefix(root.path).strip("/")
