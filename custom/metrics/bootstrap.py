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
    return {name: ends(scores, level) for name, scores in resampled(ratios, resamples, seed).items()}


def resampled(ratios: Ratios, resamples: int = 2000, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Each score (..., resamples) of blocks drawn with replacement, not-a-number where a draw does not define it."""
    blocks = next(iter(ratios.values()))[0].shape[-1]
    draws = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    return {name: divided(name, above @ draws.T, below @ draws.T) for name, (above, below) in ratios.items()}


def divided(name: str, above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of that name from the sums of its ratio."""
    empty = 1.0 if name.endswith("_d") else np.nan  # nothing to find and nothing found; no tile to average
    return np.divide(above, below, out=np.full_like(above, empty), where=below > 0)


def ends(scores: NDArray[np.float64], level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of the interval that holds `level` of the last axis."""
    tail = 100 * (1 - level) / 2
    defined = ~np.isnan(scores).all(axis=-1)
    found = np.full((2, *scores.shape[:-1]), np.nan)
    found[:, defined] = np.nanpercentile(scores[defined], [tail, 100 - tail], axis=-1)
    return found[0], found[1]
