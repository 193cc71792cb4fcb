"""How sure scores are: bootstrap over blocks of neighbouring slices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from custom.metrics.overlap import dsc, iou

SCORES = tuple(f"{name}_{convention}" for name in ("dsc", "iou") for convention in "abcd")
Ratios = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]


def z_blocks(places: Sequence[tuple[str, int]], height: int = 8) -> NDArray[np.int64]:
    """Number of the block that each (stack, z) belongs to: blocks span `height` slices of one stack.

    Neighbouring slices look alike, so that slices are no independent samples; blocks of them nearly are.
    """
    first: dict[str, int] = {}
    for stack, z in places:
        first[stack] = min(z, first.get(stack, z))
    names = [(stack, (z - first[stack]) // height) for stack, z in places]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def block_ratios(counts: torch.Tensor, blocks: NDArray[np.int64]) -> Ratios:
    """Every score as sums over blocks: sum of the first array / sum of the second is the score.

    Args:
        counts: (..., tiles, 4), columns TP, FP, FN, TN, every tile with a labelled voxel; leading axes are variants.
        blocks: (tiles,) the block of each tile, from 0 without a gap.

    Returns:
        for each of `SCORES`, as :func:`~custom.metrics.overlap.overlap_scores` defines them, two arrays (..., blocks).
    """
    tp, fp, fn, tn = counts.double().unbind(dim=-1)
    errors, lithium = fp + fn, (tp + fn > 0).double()
    onehot = torch.zeros(len(blocks), int(blocks.max()) + 1, dtype=torch.float64)
    onehot[torch.arange(len(blocks)), torch.as_tensor(blocks)] = 1.0
    ratios: Ratios = {}
    for name, score, twice in (("dsc", dsc, 2.0), ("iou", iou, 1.0)):
        foreground, one = score(tp, errors), torch.ones_like(tp)
        tiles = {
            "a": (foreground, one),
            "b": (foreground * lithium, lithium),
            "c": ((foreground + score(tn, errors)) / 2, one),
            "d": (twice * tp, twice * tp + errors),
        }
        for convention, (above, below) in tiles.items():
            ratios[f"{name}_{convention}"] = ((above @ onehot).numpy(), (below @ onehot).numpy())
    return ratios


def intervals(
    ratios: Ratios, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Percentile bootstrap interval of each score: blocks are drawn with replacement, all scores from the same draws.

    Args:
        ratios: from :func:`block_ratios`.
        level: share of the resamples within the interval, in (0, 1).

    Returns:
        for each score its lower and upper end, arrays of the variants' shape; not-a-number where no draw defines one.
    """
    blocks = next(iter(ratios.values()))[0].shape[-1]
    draws = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    tail = 100 * (1 - level) / 2
    found = {}
    for name, (above, below) in ratios.items():
        tops, bottoms = above @ draws.T, below @ draws.T
        empty = 1.0 if name.endswith("_d") else np.nan  # nothing to find and nothing found; no tile to average
        scores = np.divide(tops, bottoms, out=np.full_like(tops, empty), where=bottoms > 0)
        defined = ~np.isnan(scores).all(axis=-1)
        ends = np.full((2, *scores.shape[:-1]), np.nan)
        ends[:, defined] = np.nanpercentile(scores[defined], [tail, 100 - tail], axis=-1)
        found[name] = (ends[0], ends[1])
    return found
