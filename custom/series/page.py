"""series.html: what the lithium did over the cycling, on one page that needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from custom.base.readable import HANDLER
from custom.cell_page.parts import map_picture, number, picture_url
from custom.cell_page.style import STYLE
from custom.quantities.quantity import Row
from custom.series.listing import ALONG, Listed
from custom.series.plot import plot

_STYLE = (
    ".chart circle { fill: var(--accent); } .chart .range { stroke: var(--accent); opacity: .45; stroke-width: 5; }"
)
_FIGURES = (  # title, name, unit; those that there are are shown
    ("Areal capacity, dense lithium", "areal_capacity_mAh_cm2", "mAh/cm2"),
    ("Lithium", "lithium_um3", "um3"),
    ("Lithium", "lithium_voxels", "voxels"),
    ("Effective thickness", "effective_thickness_{}", "{}"),
    ("Penetration depth", "penetration_depth_{}", "{}"),
    ("Smallest gap", "smallest_gap_{}", "{}"),
    ("Agglomerates", "agglomerates", "number"),
    ("Dead lithium", "dead_lithium_fraction", "share of the lithium"),
    ("Local thickness, mean", "local_thickness_mean_{}", "{}"),
    ("Geodesic tortuosity", "geodesic_tortuosity", "1"),
    ("Bridging threshold", "bridging_threshold_26", "probability"),
)


def write_series_page(
    path: Path,
    listed: Listed,
    series: Sequence[Row],
    growth: Sequence[Row],
    tracks: Sequence[Row],
    registration: Sequence[Row],
    maps: Mapping[str, np.ndarray],
    unit: str,
) -> None:
    """Write the page.

    Args:
        series, growth, tracks, registration: rows of the tables.
        maps: by caption.
        unit: um or voxels.
    """
    title = f"Lithium over the cycling: {listed.path.name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="answer">{escape(_answer(listed, growth, unit))}</p>',
        _flow("Figures", _figures(listed, series, unit)),
        _flow("Between the scans", [_growth_plot(listed, growth, unit)]),
        _table(growth),
        _flow("Grown and dissolved, through the thickness", _maps(maps, unit)),
        "<h2>Agglomerates from scan to scan</h2>",
        _table(_events(listed, tracks)),
        "<p>each by itself: tracks.csv</p><h2>Scans</h2>",
        _table(registration, links=True),
        "<p>Definitions of all of this: measuring.md of the project's documents. All figures of all scans: series.csv.</p>",
    ]
    path.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{_STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n",
        encoding="utf-8",
        errors=HANDLER,
    )


def _answer(listed: Listed, growth: Sequence[Row], unit: str) -> str:
    kind = _kind(growth, unit)
    words = {"mAh_cm2": "mAh/cm2", "um3": "um3", "voxels": "voxels"}[kind]
    names = ("net", "grown", "dissolved", "grown_beyond_a_voxel", "dissolved_beyond_a_voxel")
    net, grown, dissolved, far, gone = (number(sum(_numbers(growth, f"{name}_{kind}"))) for name in names)
    what, _, measured = ALONG[listed.column].partition(", ")
    return (
        f"From {what} {number(listed.scans[0].along)} to {number(listed.scans[-1].along)} {measured}".rstrip()
        + f", over {len(listed.scans)} scans, lithium changes by {net} {words} net: {grown} grew and {dissolved} dissolved, {far} and "
        f"{gone} of it more than a voxel away from lithium that stayed."
    )


def _kind(growth: Sequence[Row], unit: str) -> str:
    """What growth is told in: the last part of its columns' names."""
    return "mAh_cm2" if "net_mAh_cm2" in growth[0] else "um3" if unit == "um" else "voxels"


def _figures(listed: Listed, series: Sequence[Row], unit: str) -> list[str]:
    at = [scan.along for scan in listed.scans]
    found = []
    for title, named, measured in _FIGURES:
        name = named.format(unit)
        if all(row.get(name) is None for row in series) or (unit == "um" and name.endswith("_voxels")):
            continue
        ranges = [
            (row[f"{name}_least"], row[f"{name}_most"]) if row.get(f"{name}_least") is not None else None
            for row in series
        ]
        values: list[Any] = [row.get(name) for row in series]
        told: list[Any] = ranges
        found.append(plot(title, at, values, ALONG[listed.column], measured.format(unit), told))
    return found


def _growth_plot(listed: Listed, growth: Sequence[Row], unit: str) -> str:
    kind = _kind(growth, unit)
    at = [scan.along for scan in listed.scans]
    totals = [0.0, *accumulate(_numbers(growth, f"net_{kind}"))]
    return plot("Net growth, summed up", at, totals, ALONG[listed.column], kind.replace("_", "/", 1))


def _numbers(rows: Sequence[Row], name: str) -> list[float]:
    return [float(str(row[name])) for row in rows]


def _events(listed: Listed, tracks: Sequence[Row]) -> list[Row]:
    kinds = list(dict.fromkeys(str(row["event"]) for row in tracks))
    counts = Counter((row["scan"], row["event"]) for row in tracks)
    return [
        {"scan": scan.name, listed.column: scan.along, **{kind: counts[scan.name, kind] for kind in kinds}}
        for scan in listed.scans
    ]


def _maps(maps: Mapping[str, np.ndarray], unit: str) -> list[str]:
    return [
        f"<figure><figcaption>{escape(f'{caption}, 0 to {number(float(values.max(initial=0)))} {unit}')}</figcaption>"
        f'<img src="{picture_url(map_picture(values, 420))}" alt="{escape(caption)}"></figure>'
        for caption, values in maps.items()
    ]


def _flow(title: str, parts: Sequence[str]) -> str:
    return f'<h2>{escape(title)}</h2><div class="flow">{"".join(parts)}</div>' if parts else ""


def _table(rows: Sequence[Row], links: bool = False) -> str:
    if not rows:
        return "<p>none</p>"

    def cell(name: str, value: Any) -> str:
        text = escape(value if isinstance(value, str) else "" if value is None else number(value))
        if links and name == "scan":
            return f'<td><a href="{quote(str(value))}/report.html">{text}</a></td>'
        return f"<td>{text}</td>"

    heads = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in rows[0])
    body = "".join("<tr>" + "".join(cell(*one) for one in row.items()) + "</tr>" for row in rows)
    return f'<div class="rows"><table><tr>{heads}</tr>{body}</table></div>'
