"""The page that a segmentation ends with: what was found, on a few slices too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from custom.cell_page.page import Card, Page
from custom.cell_page.parts import chart, number, slice_url
from custom.guard.told import expected_text, rests_on
from custom.quantities.quantity import Row
from custom.segmenting.last_words import amounts_text

PAGE = "report.html"
_CLASSES = 12  # that have a card and a curve
_PLACES = 200  # of a curve
_TOLD = (
    "stack",
    "shape_zyx",
    "voxel_size_um",
    "network",
    "weights",
    "threshold",
    "grey_window",
    "precision",
    "command",
    "finished",
)
_NEXT = "volume in mAh/cm2, depth, agglomerates, dead lithium and short circuit: --measure true, or measure.json with this mask"


def segmentation_page(
    summary: Mapping[str, Any], classes: Sequence[str], tables: Mapping[str, Sequence[Row]], pictures: Sequence[Path]
) -> Page:
    """What `write_page` writes.

    Args:
        summary: of summary.json.
        classes: names of the mask's values 1, 2, ...
        tables: by file name; profile_z.csv and its like are drawn.
        pictures: of slices with the mask, slice_00012.png and its like.
    """
    amounts = summary["classes"] if len(classes) > 1 else {classes[0]: {**summary, "voxels": summary["lithium_voxels"]}}
    told = {name.replace("_", " "): str(summary[name]) for name in _TOLD if summary.get(name) is not None}
    if expected := expected_text(summary, classes):
        told["expected Dice"] = expected
    if guard := summary.get("guard"):
        told["guard"] = guard["sentence"]
    return Page(
        f"{summary['mask']} of {Path(summary['stack']).name}",
        amounts_text(summary, classes).split("\n")[0],
        [*(_card(name, amount) for name, amount in list(amounts.items())[:_CLASSES]), *_expected(summary)],
        charts=_charts(classes, tables),
        slices=[(f"Slice {int(picture.stem.split('_')[1])}", _url(picture)) for picture in pictures],
        told={**told, "what it amounts to": _NEXT},
    )


def _url(path: Path) -> str:
    with Image.open(path) as picture:
        return slice_url(picture.convert("RGB"))


def _card(name: str, amount: Mapping[str, Any]) -> Card:
    rows = amount.get("by_threshold") or amount.get("lithium_by_threshold") or ()
    size = next((key for key in ("lithium_um3", "um3") if key in amount), None)
    key, unit = (size, "um3") if size else ("lithium_voxels" if "lithium_voxels" in amount else "voxels", "voxels")
    values = [row[key] for row in rows]
    span = f"{number(min(values))} to {number(max(values))} {unit} by threshold" if values else ""
    share = f"{amount['volume_fraction']:.3%} of the stack"
    return Card(name, f"{number(amount[key])} {unit}", "; ".join(filter(None, (share, span))))


def _expected(summary: Mapping[str, Any]) -> list[Card]:
    """The expected Dice of a single class; those of several stand below."""
    expected = summary.get("expected_dice") or {}
    if expected.get("value") is None:
        return []
    lower, upper = expected["interval"]
    return [Card("expected Dice", f"{expected['value']:.3f}", f"{lower:.2f} to {upper:.2f}; from {rests_on(expected)}")]


def _charts(classes: Sequence[str], tables: Mapping[str, Sequence[Row]]) -> list[str]:
    drawn = []
    for axis in "zyx":
        rows = tables.get(f"profile_{axis}.csv", ())
        for name in classes[:_CLASSES] if rows else ():
            key = f"{name}_volume_fraction" if len(classes) > 1 else "volume_fraction"
            shares = np.array([float(row[key] or 0) for row in rows])  # type: ignore[arg-type]
            means = [part.mean() for part in np.array_split(shares, min(len(shares), _PLACES))]
            title = f"{name} along {axis}"
            drawn.append(chart(title, means, (0, len(shares) - 1), f"{axis}, voxels", "volume fraction", False))
    return drawn
