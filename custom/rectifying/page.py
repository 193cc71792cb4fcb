"""`region.html`: the projections of a raw volume in a browser, where the region's corners are picked and saved as a record."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from custom.base.colours import PALETTE
from custom.base.files import complete_file
from custom.base.readable import HANDLER
from custom.rectifying.page_script import SCRIPT, STYLE
from custom.rectifying.picture import ALONG, grey_picture
from custom.region.corners import AXES, ORDER, Corners, Quad, as_quad
from custom.region.finding import Look
from custom.region.projections import joined_projections
from custom.region.record import Region, Volume
from custom.region.writing import as_json

_LONGEST = 1600  # pixels of a projection's longer side: a voxel or two of the study's 2575 x 2582
_INSET = 0.2  # of a side: where the corners begin that nobody found
_HELP = (
    "Drag a corner, or choose it and press the arrow keys (with shift by 10 voxels), or type its place, in voxels from 0. The "
    "wheel zooms, dragging beside a corner moves the picture, a double click shows all of it. Save the record and give it with "
    "<code>--region</code>, and another <code>--output_dir</code>, to the command that made this page."
)
_CONTROLS = (
    '<p><label>Show <select id="kind"><option value="mean">means</option><option value="largest">largest values</option>'
    '</select></label> <button id="save">Save region.json</button> <span id="told" role="status"></span></p>'
)
_CORNER = "<tr><th>{}</th><td><input type=number step=any></td><td><input type=number step=any></td></tr>"


def write_page(look: Look, region: Region | None, path: Path) -> None:
    """Write the page; it holds all that it shows, and needs no network.

    Args:
        look: what was seen of the volume.
        region: where its corners begin; None: at a fifth of the sides.
        path: of the page.

    Raises:
        BadInput: it cannot be written.
    """
    record = _begun(look) if region is None else region
    seen = joined_projections([one.projections for one in look.looks], look.fields)
    planes = {
        name: {
            "sides": seen.mean[ALONG[name]].shape,
            "corners": record.corners.quads().get(name) or _inset(seen.mean[ALONG[name]].shape),
            "mean": _as_url(seen.mean[ALONG[name]]),
            "largest": _as_url(seen.largest[ALONG[name]]),
        }
        for name in AXES
    }
    data = {"record": as_json(record), "planes": planes, "colour": "#{:02x}{:02x}{:02x}".format(*PALETTE[0])}
    names = escape(", ".join(one.stack.path.name for one in look.looks))
    said = "No cell was found: drag the corners to it" if region is None else "The region was found here"
    with complete_file(path) as part:
        part.write_text(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Region of {names}</title>\n'
            f"<style>{STYLE}</style></head>\n<body><h1>Corners of the region of {names}</h1>\n<p>{said}. {_HELP}</p>\n"
            f'{_CONTROLS}\n<div id="panels">{"".join(_panel(name, record) for name in AXES)}</div>\n'
            f'<script id="data" type="application/json">{json.dumps(data, allow_nan=False).replace("</", "<" + chr(92) + "/")}'
            f"</script>\n<script>{SCRIPT}</script></body></html>\n",
            encoding="utf-8",
            errors=HANDLER,
        )


def _begun(look: Look) -> Region:
    """What is known of a volume in which no cell was found: how its fields lie to each other."""
    first = look.looks[0].stack
    volume = Volume(look.shape, first.dtype.name, first.voxel_size_um)
    return Region(Corners(yx=_inset(look.shape[1:])), volume=volume, fields=look.fields)


def _inset(sides: Sequence[int]) -> Quad:
    """Corners that nobody found."""
    ends = [(_INSET * side, (1 - _INSET) * side) for side in sides]
    return as_quad([[ends[0][first], ends[1][second]] for first, second in ORDER])


def _panel(name: str, record: Region) -> str:
    stated = name in record.corners.quads()
    use = (
        f"<label><input type=checkbox{' checked' if stated else ''}> use these corners</label>" if name != "yx" else ""
    )
    rows = "".join(_CORNER.format(number) for number in range(1, 5))
    return (
        f'<section id="{name}"><h2>Seen along {ALONG[name]} {use}</h2><svg></svg>'
        f"<table><tr><th>corner</th><th>{name[0]}</th><th>{name[1]}</th></tr>{rows}</table></section>"
    )


def _as_url(plane: NDArray[np.float32]) -> str:
    """A projection as a picture that stands in the page."""
    picture = grey_picture(plane)
    scale = min(_LONGEST / max(picture.size), 1)
    size = round(picture.width * scale), round(picture.height * scale)
    file = io.BytesIO()
    picture.convert("L").resize(size, Image.Resampling.BOX).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
