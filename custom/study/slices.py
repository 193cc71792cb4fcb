"""Labelled slices of one side of the split, with what the networks found in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from custom.data.sides import Split
from custom.data.split import split_dataset
from custom.stack import Source, source
from custom.study.plan import Network, Study
from custom.study.reading import read_json
from custom.transforms import apply_window

# to open a folder of slices takes the headers of all of them
opened = lru_cache(maxsize=16)(Source.open)


@dataclass(frozen=True)
class LabelledSlice:
    """A slice: `image` (Y, X) float32 in [0, 1] and `label` (Y, X) uint8 {0, 1, 255}, or 0 to K and 255 of K classes, are read
    when asked for."""

    item: dict[str, Any]

    @property
    def place(self) -> tuple[str, int]:
        """Stem of its file and index in it."""
        return str(self.item["stem"]), int(self.item["z"])

    @property
    def image(self) -> NDArray[np.float32]:
        lower, upper = self.item["grey_window"]
        scaled, _ = apply_window(torch.as_tensor(self._plane("image")), lower, upper)
        return scaled.numpy()

    @property
    def label(self) -> NDArray[np.uint8]:
        return self._plane("label").astype(np.uint8, copy=False)

    def _plane(self, part: str) -> NDArray[Any]:
        z = self.place[1]
        plane: NDArray[Any] = opened(source(self.item, part)).read(z, z + 1)[0]
        return plane

    def probability(self, folder: Path) -> NDArray[np.float32]:
        """What an evaluation kept of it in its `folder`: (Y, X) in [0, 1], or (K + 1, Y, X) of K classes."""
        stem, z = self.place
        kept: NDArray[np.float32] = np.load(folder / "probability" / f"{stem}_z{z:04d}.npy")
        return kept

    def prediction(self, folder: Path) -> NDArray[np.uint8]:
        """Mask (Y, X): 1 where a voxel is lithium, by the threshold of that evaluation; of several classes the most probable."""
        probability, threshold = self.probability(folder), read_json(folder / "metrics.json")["threshold"]
        mask: NDArray[Any] = probability.argmax(0) if probability.ndim == 3 else probability >= float(threshold)
        return mask.astype(np.uint8)


def split_of(study: Study) -> Split:
    """The split that the commands of the study use."""
    return split_dataset(study.dataset_dir, study.seed, reading=study.reading)


def pairs(
    slices: list[LabelledSlice], study: Study, networks: tuple[Network, ...], section: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Probabilities (networks, ..., Y, X) and label (Y, X) of each slice, as E-Net's search takes them."""
    for piece in slices:
        found = [piece.probability(study.folder(network, section)) for network in networks]
        yield torch.as_tensor(np.stack(found)), torch.as_tensor(piece.label)
