"""From measured slabs to quantities.json, tables, maps, a surface and report.html."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from custom.base.files import complete_file
from custom.base.readable import quoted
from custom.cell_page.meshes import ply_of, surface_mesh
from custom.cell_page.parts import map_picture
from custom.electrodes.fitting import roughness
from custom.electrodes.given import AXES
from custom.measuring import coarse_figures
from custom.measuring.agglomerates import FILE as AGGLOMERATES
from custom.measuring.agglomerates import Agglomerates
from custom.measuring.coarse import Coarse
from custom.measuring.gap import GapFinder
from custom.measuring.label_file import label_file
from custom.measuring.maps import FILES, Maps, write_map
from custom.measuring.numbered import CoarseNumbers, numbered
from custom.measuring.quantities import Quantities
from custom.measuring.reading import Cell
from custom.measuring.report import write_report
from custom.measuring.skeletons import Skeletons
from custom.quantities.quantity import Row
from custom.report import write_json
from custom.report.csv_table import write_table
from custom.speed.allocation import release_freed_memory
from custom.stack import Slab
from custom.stack.writers import OUTPUT_FORMATS, StackWriter

logger = logging.getLogger("measuring")

FIGURES, REPORT, SURFACE = "quantities.json", "report.html", "lithium.ply"
_MOST_TRIANGLES = 400_000  # of the surface, which then has some 10 MB


def result_names(quantities: Quantities) -> list[str]:
    """All files that a result may have."""
    tables = [name for quantity in quantities for name in quantity.files]
    labels = [label_file(output_format) for output_format in OUTPUT_FORMATS]
    return [FIGURES, REPORT, SURFACE, coarse_figures.FILE, *tables, *labels]


class Results:
    """What is known of a cell when all its slabs are measured.

    Args:
        quantities: to which all slabs were added.
        skeletons: of how many of the largest pieces the branches are measured.
    """

    def __init__(self, cell: Cell, quantities: Quantities, skeletons: int = 0) -> None:
        self.cell, self.quantities = cell, quantities
        # first of all: the rows of slabs' pieces are given up for it, at all thresholds 80 MB of a long stack
        self._measured = [quantity.result(cell.mask.voxel_size_um) for quantity in quantities]
        self.pieces = quantities.one(Agglomerates).pieces()
        self.unit = "voxels" if cell.mask.voxel_size_um is None else "um"
        self.numbers = CoarseNumbers(quantities.one(Coarse))
        self.skeletons = Skeletons(self.pieces, skeletons, cell.voxel_size)
        self.finder: GapFinder | None = None
        if cell.electrodes is not None:
            normals = [surface.normal(cell.voxel_size, cell.electrodes.axis) for surface in cell.electrodes.surfaces]
            apart = cell.electrodes.apart(cell.mask.shape, cell.voxel_size)
            self.finder = GapFinder(self.pieces, (normals[0], normals[1]), apart, cell.voxel_size)

    def number(self, parts: Sequence[Slab], threads: int, labels: StackWriter | None = None) -> None:
        """Go through the slabs once more, for the smallest gap and for what shows each piece in its place.

        Args:
            labels: gets the number of each voxel's piece, 1 is the largest and 0 none.
        """
        found = numbered(self.cell, parts, self.quantities.one(Agglomerates), threads)
        for slab, number in tqdm(found, "numbering", len(parts), unit="slab", disable=None):
            self.numbers.add(slab, number)
            self.skeletons.add(slab, number)
            if self.finder is not None:
                self.finder.add(slab, number)
            if labels is not None:
                labels.write(slab.start, (number + 1).astype(np.uint32))

    def write(self, folder: Path) -> None:
        """Write all of it; files get their names together when all are whole.

        Raises:
            BadInput: a full disk.
        """
        coarse = self.quantities.one(Coarse).cell()
        axis = None if self.cell.electrodes is None else self.cell.electrodes.axis
        of_coarse, thickness = coarse_figures.coarse_figures(coarse, axis, self.unit)
        figures = self._figures() | of_coarse | _provenance()
        tables: dict[str, Sequence[Row]] = dict(thickness)
        for quantity in self.quantities:
            tables |= quantity.tables(self.cell.mask.voxel_size_um)
        tables[AGGLOMERATES] = self._with_branches(tables[AGGLOMERATES])
        release_freed_memory()  # of the figures on the copy, some 200 MB
        maps: dict[str, tuple[Image.Image, float]] = {}
        with ExitStack() as files:

            def part(name: str) -> Path:
                return files.enter_context(complete_file(folder / name))

            write_json(part(FIGURES), figures)
            for name, rows in tables.items():
                (folder / name).unlink(missing_ok=True)
                if rows:  # without lithium there is nothing to list
                    write_table(part(name), rows)
            if axis is not None:
                for name, values in self.quantities.one(Maps).maps():
                    with complete_file(part(FILES[name])) as whole:  # on disk before any of all files gets its name
                        write_map(whole, values, self.cell.voxel_size, axis, self.unit)
                    maps[name] = map_picture(values), float(values.max(initial=0))
                del values
            with complete_file(part(SURFACE)) as whole:
                whole.write_bytes(ply_of(surface_mesh(coarse.share, coarse.level, coarse.voxel_size, _MOST_TRIANGLES)))
            release_freed_memory()
            write_report(part(REPORT), self.cell, figures, tables, coarse, self.pieces, self.numbers.numbers(), maps)
        logger.info("In %s: %s, %s and tables.", folder, REPORT, FIGURES)

    def _with_branches(self, rows: Sequence[Row]) -> Sequence[Row]:
        found: list[tuple[float, int] | tuple[None, None]] = [*self.skeletons.found()]
        if not found:
            return rows
        found += [(None, None)] * (len(rows) - len(found))
        names = (f"skeleton_length_{self.unit}", "tips")
        return [{**row, **dict(zip(names, told, strict=True))} for row, told in zip(rows, found, strict=True)]

    def _figures(self) -> dict[str, Any]:
        cell, size = self.cell, self.cell.mask.voxel_size_um
        told: dict[str, Any] = {"mask": str(cell.mask.path)}
        told |= {
            name: None if stack is None else str(stack.path)
            for name, stack in (("probability", cell.probability), ("stack", cell.grey))
        }
        told |= {"shape_zyx": cell.mask.shape, "voxel_size_um": size} | self._of_electrodes()
        for measured in self._measured:
            told |= measured
        if self.finder is not None:
            gap = self.finder.found()
            told |= {
                f"smallest_gap_{self.unit}": gap.distance,
                f"smallest_gap_from_{self.unit}": gap.place[0],
                f"smallest_gap_to_{self.unit}": gap.place[1],
                "smallest_gap_agglomerates": gap.ends,
            }
        return told

    def _of_electrodes(self) -> dict[str, Any]:
        found, size = self.cell.electrodes, self.cell.voxel_size
        if found is None:
            return {"electrodes": None}
        told: dict[str, Any] = {
            "electrodes": found.source,
            "thickness_axis": AXES[found.axis],
            f"electrodes_apart_{self.unit}": found.apart(self.cell.mask.shape, size),
        }
        for number, (surface, degrees) in enumerate(zip(found.surfaces, found.tilts(size), strict=True), 1):
            arithmetic, square = (value * size[found.axis] for value in roughness(surface))
            told[f"tilt_{number}_degrees"] = degrees
            told |= {f"Sa_{number}_{self.unit}": arithmetic, f"Sq_{number}_{self.unit}": square}
        return told


def _provenance() -> dict[str, str]:
    command = " ".join(map(quoted, [Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]))
    return {"command": command, "finished": datetime.now(UTC).isoformat(timespec="seconds")}
