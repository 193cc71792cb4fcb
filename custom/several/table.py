"""The table of what was found in several stacks, a row for each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, object]


def table_row(stack: str, folder: Path, classes: Sequence[str], refused: str | None) -> Row:
    """What the summary.json of a stack says, by the names that it has there; of one that was refused, why.

    Args:
        stack: its path, as given.
        folder: of its results.
        classes: that were looked for; several have columns of their own.
        refused: the sentence, None for a stack that was segmented.
    """
    told: dict[str, Any] = {}
    if refused is None:
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    row: Row = {"stack": stack, "folder": str(folder)}
    for names, key in (("zyx", "shape_zyx"), ("zyx", "voxel_size_um")):
        row |= {
            f"{key.removesuffix('_zyx')}_{axis}": value
            for axis, value in zip(names, told.get(key) or (None,) * 3, strict=True)
        }
    row |= {name: told.get(name) for name in ("voxels", "outside_voxels")}
    for name in classes:
        row |= _amounts(told, name, len(classes) > 1)
    row["guard"] = (told.get("guard") or {}).get("verdict")
    row |= {name: told.get(name) for name in ("threshold", "weights_sha256", "finished", "seconds")}
    row["refused"] = refused
    return row


def _amounts(told: Mapping[str, Any], name: str, several: bool) -> Row:
    amount = (told.get("classes") or {}).get(name) or {} if several else told
    expected = told.get("expected_dice") or {}
    expected = (expected.get(name) or {}) if several else expected
    lower, upper = expected.get("interval") or (None, None)
    start, mid = (f"{name}_", "") if several else ("", "lithium_")
    by_threshold: Any = amount.get(f"{mid}by_threshold") or ({},)
    return {
        f"{start}{mid}voxels": amount.get(f"{mid}voxels"),
        f"{start}{mid}voxels_least": by_threshold[-1].get(f"{mid}voxels"),
        f"{start}{mid}voxels_most": by_threshold[0].get(f"{mid}voxels"),
        f"{start}volume_fraction": amount.get("volume_fraction"),
        f"{start}{mid}mm3": amount.get(f"{mid}mm3"),
        f"{start}expected_dice": expected.get("value"),
        f"{start}expected_dice_from": lower,
        f"{start}expected_dice_to": upper,
    }
