"""From measured scans and steps to the tables, maps and page of a series."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from custom.base.files import complete_file
from custom.measuring.maps import write_map
from custom.measuring.reading import Cell
from custom.quantities.quantity import Row
from custom.report.csv_table import write_table
from custom.series.figures import piece_voxels, read_figures, registration_rows, series_rows
from custom.series.following import follow, links
from custom.series.growth import growth_row, map_file, map_values
from custom.series.listing import Listed
from custom.series.page import write_series_page
from custom.series.registration import Registered
from custom.series.step import MAPS, Step

logger = logging.getLogger("series")

SERIES, GROWTH, TRACKS, REGISTRATION, PAGE = "series.csv", "growth.csv", "tracks.csv", "registration.csv", "series.html"
NAMES = (SERIES, GROWTH, TRACKS, REGISTRATION, PAGE)


def write_results(
    folder: Path,
    listed: Listed,
    cells: Sequence[Cell],
    registered: Sequence[Registered],
    steps: Sequence[tuple[Step, tuple[int, int]]],
) -> None:
    """Write all of it; files get their names together when all are whole.

    Args:
        steps: from each scan to the next, with the voxels of lithium before and after.

    Raises:
        BadInput: a full disk.
    """
    first = cells[0]
    known = first.mask.voxel_size_um is not None
    figures = [read_figures(folder / scan.name) for scan in listed.scans]
    voxels = [
        piece_voxels(folder / scan.name, one["agglomerates"]) for scan, one in zip(listed.scans, figures, strict=True)
    ]
    linked = [links(step.pairs, len(voxels[at]), len(voxels[at + 1])) for at, (step, _) in enumerate(steps)]
    tables: dict[str, list[Row]] = {
        SERIES: series_rows(listed, figures),
        GROWTH: [growth_row(listed, at, *step, first) for at, step in enumerate(steps, 1)],
        TRACKS: follow(
            [scan.name for scan in listed.scans], voxels, linked, float(np.prod(first.voxel_size)) if known else None
        ),
        REGISTRATION: registration_rows(listed, registered, first),
    }
    unit = "um" if known else "voxels"
    with ExitStack() as files:

        def part(name: str) -> Path:
            return files.enter_context(complete_file(folder / name))

        seen: dict[str, np.ndarray] = {}
        for scan, (step, _) in zip(listed.scans[1:], steps, strict=True):
            for name in MAPS if step.maps else ():
                assert first.electrodes is not None
                values = map_values(step, name, first)
                write_map(part(map_file(name, scan.name)), values, first.voxel_size, first.electrodes.axis, unit)
                seen[f"{name.capitalize()} to scan {scan.name}"] = values
        for name, rows in tables.items():
            (folder / name).unlink(missing_ok=True)
            if rows:  # without any lithium there is nothing to follow
                write_table(part(name), rows)
        write_series_page(
            part(PAGE), listed, tables[SERIES], tables[GROWTH], tables[TRACKS], tables[REGISTRATION], seen, unit
        )
    logger.info("In %s: %s, %s and tables.", folder, PAGE, SERIES)
