"""What a finished run says: the scores, where its files are, and what to do next."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from custom.base.readable import quoted

logger = logging.getLogger("report")


def training_done(
    output_dir: str | os.PathLike[str],
    commands: Mapping[str, str],
    rows: Sequence[Mapping[str, float]],
) -> None:
    """Print the last validation score and that of the weights that were kept, the files, and the next commands.

    Args:
        output_dir: the training's folder, with its model.json.
        commands: what to give next, by what it does.
        rows: the curves, one row per epoch with at least ``epoch`` and ``val_mdsc``.
    """
    if not rows:
        return
    scored = [row for row in rows if "val_mdsc" in row]
    kept = json.loads((Path(output_dir) / "model.json").read_text(encoding="utf-8"))
    lines = ["", f"Trained for {rows[-1]['epoch']:.0f} epochs in {rows[-1]['minutes']:.1f} minutes."]
    if scored:
        lines.append(
            f"Validation mDSC (per-patch Dice, empty patches right = 1): last {scored[-1]['val_mdsc']:.4f}, "
            f"of model.pt, epoch {kept['epoch']}, {kept['validation']['val_mdsc']:.4f}."
        )
        lines += _of_classes(rows, kept["epoch"])
    lines += [
        f"In {output_dir}: model.pt (the weights that were kept), checkpoint.pt (for --resume true), metrics.csv, train.log",
        "and the TensorBoard events. Next:",
        f"  {'curves:':11}tensorboard --logdir {quoted(os.fspath(output_dir))}",
        *(f"  {name + ':':11}{command}" for name, command in commands.items()),
    ]
    logger.info("\n".join(lines))


def _of_classes(rows: Sequence[Mapping[str, float]], epoch: int) -> list[str]:
    """The score of each of several classes in the epoch that was kept."""
    row: Mapping[str, float] = next((row for row in rows if row["epoch"] == epoch), {})
    each = [f"{name.removeprefix('mdsc_')} {value:.4f}" for name, value in row.items() if name.startswith("mdsc_")]
    return [f"That is the mean of its classes: {', '.join(each)}."] if each else []
