"""What is kept of a finished slab: its results, its part of every quantity, and its slices for pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom.quantities.quantity import FoundSlab, Quantity
from custom.running.slab_store import SlabStore
from custom.segmenting.result import Result
from custom.stack import given_back

PICTURE = "picture"


@dataclass(frozen=True)
class Kept:
    """A finished slab.

    Attributes:
        results: (h, Y, X) by name.
        measured: what each quantity keeps of it, by the quantity's name.
        pictures: some of its slices, (Y, X) uint8, by their place in the stack.
    """

    results: Mapping[str, np.ndarray]
    measured: Mapping[str, Mapping[str, np.ndarray]]
    pictures: Mapping[int, np.ndarray]


def found_slab(
    item: Mapping[str, Any], results: Mapping[str, np.ndarray], counts: Mapping[str, np.ndarray]
) -> FoundSlab:
    """A slab as the quantities see it.

    Args:
        item: of the evaluator's batch: ``image`` (1, h, Y, X), ``grey`` and ``grey_at`` (`GreyWindowd`), ``grey_window``,
            ``nonfinite``, and ``outside`` where there is any.
        results: those that are written, the mask among them.
        counts: what the evaluator counted.
    """
    outside = item.get("outside")
    left = (item[key].numpy(force=True) for key in ("grey_at", "grey"))
    window = (float(item["grey_window"][0]), float(item["grey_window"][1]))
    return FoundSlab(
        results,
        given_back(item["image"][0].numpy(force=True), window, *left),
        None if outside is None else outside[0].numpy(force=True),
        int(item["nonfinite"]),
        counts,
        window,
    )


class KeptSlabs:
    """Finished slabs in their store, by what a segmentation makes of them.

    Args:
        store: where they lie.
        results: those that are written, the mask among them.
        quantities: what is measured.
    """

    def __init__(self, store: SlabStore, results: Sequence[Result], quantities: Sequence[Quantity]) -> None:
        self.store, self.results, self.quantities = store, tuple(results), tuple(quantities)

    @property
    def classes(self) -> Sequence[str]:
        """Names of the mask's values 1, 2, ..."""
        return next(result.values for result in self.results if result.name == "mask")

    def write(self, start: int, slab: FoundSlab, pictures: Mapping[int, np.ndarray]) -> None:
        """Measure a slab and bring all of it to disk.

        Args:
            start: its first slice.
            slab: what was found.
            pictures: some of its slices, (Y, X) uint8, by their place in the stack.

        Raises:
            BadInput: see `SlabStore.write`.
        """
        measured = {
            f"{quantity.name}.{key}": part
            for quantity in self.quantities
            for key, part in quantity.of_slab(slab).items()
        }
        volumes = {result.name: result.packed(slab.results[result.name]) for result in self.results}
        grey = {f"{PICTURE}.{z}": plane for z, plane in pictures.items()}
        self.store.write(start, {"shape": np.array(slab.mask.shape), **volumes, **measured, **grey})

    def read(self, start: int) -> Kept:
        """What `write` was given.

        Raises:
            BadInput: see `SlabStore.read`.
        """
        content = self.store.read(start)
        shape = tuple(content["shape"].tolist())
        results = {result.name: result.unpacked(content[result.name], shape) for result in self.results}
        measured = {quantity.name: _below(content, quantity.name) for quantity in self.quantities}
        pictures = {int(z): plane for z, plane in _below(content, PICTURE).items()}
        return Kept(results, measured, pictures)


def _below(content: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(f"{name}."): part for key, part in content.items() if key.startswith(f"{name}.")}
